"""Array files of one's own: .npy with a label column, .npz with named arrays; never a pickle."""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from chainrule.data.files import opened
from chainrule.data.labels import encode
from chainrule.data.samples import checked_targets
from chainrule.data.spec import DataSpec
from chainrule.errors import DataError

Pair = tuple[NDArray[Any], NDArray[Any]]
# the part: how its arrays may be called; a file with x and y alone is split
NAMES = {
    "train": (("x", "y"), ("x_train", "y_train")),
    "validation": (("x_validation", "y_validation"), ("x_val", "y_val"), ("x_valid", "y_valid")),
    "test": (("x_test", "y_test"),),
}


def read_labelled_arrays(path: str | Path, label: str | int | None = None) -> tuple[dict[str, Pair], int | None]:
    """Samples and labels by part ("train", and "validation" and "test" where the file has them), and the label column.

    .npz: x and y, or x_train, y_train, x_validation (or x_val), …, x_test, y_test; capitals do not matter.
    .npy: (m, d+1) with the labels in the column `label` (the last where nothing is said).
    Raises DataError for damaged files, Python objects, missing arrays.
    """
    path = Path(path)
    arrays = load_arrays(path)
    if "" not in arrays:
        if label is not None:
            raise DataError("label= does not apply to .npz files", "Their labels are the array y.")
        return _parts(path, arrays), None
    array = arrays[""]
    column = _label_column(path, array, label)
    y = np.array(array[:, column])
    return {"train": (np.delete(array, column, axis=1), y)}, column


def read_array(path: str | Path, spec: DataSpec) -> tuple[NDArray[Any], NDArray[Any] | None]:
    """Raw samples to predict and, where the file has them, their labels (int64 places in the classes, or floats).

    .npz: x, and y if it is there; else x_test and y_test. .npy: samples alone, or with the label in the column it
    had in training. Raises DataError as `read_labelled_arrays` does, and for labels outside the classes.
    """
    path = Path(path)
    arrays = load_arrays(path)
    if "" not in arrays:
        found = next(((a, b) for a, b in (("x", "y"), ("x_test", "y_test")) if a in arrays), None)
        if found is None:
            raise DataError(f"{path} has no array x; it has {_listed(arrays)}", "Call the samples x.")
        x, y = arrays[found[0]], arrays.get(found[1])
    else:
        x, y = arrays[""], None
        if x.ndim == 2 and x.shape[1] == spec.features + 1 and spec.label.isdecimal() and not spec.columns:
            column = _label_column(path, x, spec.label)
            x, y = np.delete(x, column, axis=1), x[:, column]
    if y is None:
        return x, None
    what = f"{path}: y"
    return x, encode(y, spec.classes, len(x), what) if spec.classes else checked_targets(y, len(x), what)


def load_arrays(path: Path) -> dict[str, NDArray[Any]]:
    """The arrays of a .npz by name in small letters; that of a .npy under "", memory-mapped."""
    try:
        with opened(path) as file:
            if path.suffix.lower() == ".npy":
                return {"": np.load(path, mmap_mode="r", allow_pickle=False)}
            with np.load(file, allow_pickle=False) as archive:
                return {name.lower(): archive[name] for name in archive.files}
    except (DataError, OSError):
        raise
    except Exception as error:  # NumPy lets those of zipfile, zlib, ast and tokenize through, and its own
        raise _unreadable(path, _reason(error)) from None


def _reason(error: Exception) -> str:
    """NumPy's words, but for two that would send the reader to allow_pickle."""
    words = str(error) or "out of memory"
    if "Object arrays" in words or "Python objects" in words:
        return "it holds Python objects"
    return "it is no NumPy file" if "pickled" in words else words


def _unreadable(path: Path, reason: str) -> DataError:
    first = (reason.splitlines() or [""])[0][:200]
    return DataError(
        f"{path} cannot be read as {path.suffix}: {first}",
        "Write it again with numpy.save or numpy.savez, as numbers or words, without Python objects.",
    )


def _parts(path: Path, arrays: dict[str, NDArray[Any]]) -> dict[str, Pair]:
    parts = {}
    for part, choices in NAMES.items():
        pair = next((names for names in choices if names[0] in arrays), None)
        if pair is None:
            continue
        if pair[1] not in arrays:
            raise DataError(f"{path} has {pair[0]} but no {pair[1]}", f"It has {_listed(arrays)}.")
        parts[part] = arrays[pair[0]], arrays[pair[1]]
    if "train" not in parts:
        raise DataError(
            f"{path} has no arrays x and y; it has {_listed(arrays)}",
            "Call them x and y, or x_train, y_train, x_test and y_test.",
        )
    return parts


def _label_column(path: Path, array: NDArray[Any], label: str | int | None) -> int:
    if array.ndim != 2 or array.shape[1] < 2 or not len(array):
        raise DataError(
            f"{path} has shape {array.shape}", "A .npy of samples and labels is (m, d+1); a .npz holds x and y."
        )
    try:
        position = -1 if label is None else int(label)
    except ValueError:
        raise DataError(
            f"{path} has no column names, so there is no label column {label!r}",
            "Give its position; -1 is the last.",
        ) from None
    width = int(array.shape[1])
    if not -width <= position < width:
        raise DataError(
            f"{path} has {width} columns, none at position {position}", f"Positions run from 0 to {width - 1}."
        )
    return position % width


def _listed(arrays: dict[str, NDArray[Any]]) -> str:
    return ", ".join(sorted(arrays)[:20]) or "none"
