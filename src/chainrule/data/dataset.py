"""A data set is three parts, the form of their samples, and where they came from."""

import hashlib
import html
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, cast

import numpy as np
from numpy.typing import ArrayLike, NDArray

from chainrule.data.labels import check_several, class_names, encode, task_of
from chainrule.data.prepared import Prepared
from chainrule.data.preprocessing import Preprocessing
from chainrule.data.samples import check_length, checked_samples, checked_targets
from chainrule.data.spec import KINDS, DataSpec
from chainrule.data.splits import part_size, split_rows
from chainrule.errors import DataError, unknown_name
from chainrule.images.features import Extractor, Recipe, features_of, fingerprint_of, learned

Pair = tuple[ArrayLike, ArrayLike]
PARTS = ("train", "validation", "test")


@dataclass(frozen=True, eq=False)
class Part:
    """One part of a data set; its arrays are read-only and C-contiguous.

    x: (m, d), float32, or the user's float dtype where nothing was done to it; `Prepared` for large sets of images,
    whose rows become such an array when they are read: x[rows], or np.asarray(x).
    y: (m,) int64 labels 0 … K−1, or (m,) or (m, t) floats for regression.
    raw: images as they were read, (m, h, w) or (m, h, w, 3); None for other kinds.
    """

    x: NDArray[Any] | Prepared
    y: NDArray[Any]
    raw: NDArray[Any] | None = None

    def __len__(self) -> int:
        return len(self.x)

    def __repr__(self) -> str:
        return f"Part(x {self.x.shape} {self.x.dtype}, y {self.y.shape} {self.y.dtype})"


@dataclass(frozen=True, eq=False)
class DataSet:
    """Training, validation and test part, the form of a sample (`spec`) and the origin (`provenance`, for JSON).

    provenance: source, counts (samples by part), sha256 (of the raw arrays of all parts), split, preprocessing, files,
    notes.
    """

    name: str
    train: Part
    validation: Part | None
    test: Part | None
    spec: DataSpec
    provenance: dict[str, Any]

    @property
    def classes(self) -> tuple[str, ...]:
        return self.spec.classes

    @property
    def image_shape(self) -> tuple[int, ...] | None:
        return self.spec.image_shape

    @property
    def parts(self) -> dict[str, Part]:
        """The parts there are, by name."""
        every = {"train": self.train, "validation": self.validation, "test": self.test}
        return {name: part for name, part in every.items() if part is not None}

    @classmethod
    def from_arrays(
        cls,
        x: ArrayLike,
        y: ArrayLike,
        *,
        validation: float | Pair | None = 0.0,
        test: float | Pair | None = 0.0,
        split: str = "stratified",
        preprocessing: str = "none",
        classes: Sequence[str] | None = None,
        image_shape: Sequence[int] | None = None,
        columns: Sequence[str] = (),
        label: str = "",
        kind: str | None = None,
        task: str | None = None,
        name: str = "arrays",
        seed: int = 0,
        as_read: bool = False,
        provenance: Mapping[str, Any] | None = None,
    ) -> "DataSet":
        """A data set of one's own arrays, which are never written to.

        x: (m, d), or images (m, h, w) or (m, h, w, 3). y: (m,) integers or words for a classification, (m,) or (m, t)
        floats for a regression (chosen by the values; `task` overrides).
        validation, test: a fraction below 1, a number of samples, or a pair (x, y).
        split: "stratified" (every class has its share of every part to within one sample), "random" or "last" (the
        test part is the very end, the validation part lies before it). The draw is the stream "split" of `seed`.
        classes: names in label order; integer labels are then places in it. Otherwise the sorted labels of y.
        preprocessing: steps joined by "+", fitted on the training part only; see `Preprocessing.fit`.
        as_read: keep the samples in their own type (uint8, float32, float64), and prepare rows when they are read.

        Raises DataError for what cannot be trained on: lengths that differ, NaN, one class only, an empty part, …
        """
        columns = tuple(columns)
        raw = checked_samples(x, "x", columns)
        check_length(np.asarray(y), len(raw))
        kind, shape = _form(raw, kind, image_shape)
        if columns and len(columns) != math.prod(raw.shape[1:]):
            raise DataError(
                f"{len(columns)} column names for {math.prod(raw.shape[1:])} features",
                "Give one name for each feature, or none.",
            )
        chosen = task_of(y, task)
        names = () if chosen == "regression" else _checked_classes(y, classes)
        given = {"validation": validation, "test": test}
        parts = _split(raw, y, given, split, names, classes is not None, seed)
        if names:
            check_several(parts["train"][1], names)
        fitted = Preprocessing.fit(preprocessing, parts["train"][0])
        spec = DataSpec(kind, chosen, names, shape, columns, label, fitted, _white(parts["train"][0]))
        origin = {
            "source": name,
            "counts": {part: len(pair[0]) for part, pair in parts.items()},
            "sha256": fingerprint(parts, (kind, chosen, names, shape, columns, label)),
            "split": _split_in_words(given, split, chosen, seed),
            "preprocessing": fitted.names,
            "files": [],
            "notes": _missing_classes(parts, names),
        }
        for key, value in (provenance or {}).items():
            origin[key] = [*origin["notes"], *value] if key == "notes" else value
        prepared = {part: _prepared(spec, *pair, as_read) for part, pair in parts.items()}
        return cls(name, prepared["train"], prepared.get("validation"), prepared.get("test"), spec, origin)

    def with_features(
        self,
        features: str | Recipe | Extractor,
        *,
        preprocessing: str = "standardise",
        cache: str | Path | None = None,
        progress: bool = False,
    ) -> "DataSet":
        """The same samples and labels with features of the images in place of their pixels.

        features: "patches-512", … (see `images.features.recipe`), learned on the training part alone, or an extractor.
        preprocessing: of the features, fitted on the training part.
        cache: folder in which they are kept, see `images.places.cache_folder`; they are read from there, row by row.

        Raises DataError where there are no 8-bit images, StorageError where the features cannot be written.
        """
        images = {name: part.raw for name, part in self.parts.items() if part.raw is not None}
        if self.spec.extractor is not None or self.image_shape is None:
            raise DataError(
                f"{self.name} has {self.spec.features} features a sample, no images",
                "Features are taken of images: cifar10, mnist, a folder of pictures, an array (m, h, w) of uint8.",
            )
        extractor = learned(features, images["train"], cache=cache, progress=progress)
        numbers = {name: features_of(x, extractor, cache=cache, progress=progress) for name, x in images.items()}
        fitted = Preprocessing.fit(preprocessing, numbers["train"])
        spec = replace(self.spec, preprocessing=fitted, extractor=extractor)
        parts: dict[str, Any] = {
            name: replace(part, x=Prepared(numbers[name], fitted)) for name, part in self.parts.items()
        }
        both = f"{self.provenance['sha256']} {fingerprint_of(extractor)}"
        origin = self.provenance | {
            "features": extractor.name,
            "preprocessing": fitted.names,
            "sha256": hashlib.sha256(both.encode()).hexdigest(),
        }
        return replace(self, **parts, spec=spec, provenance=origin)

    def __repr__(self) -> str:
        counts = ", ".join(f"{part} {len(samples)}" for part, samples in self.parts.items())
        return f"DataSet({self.name!r}: {counts}; {self._in_words()})"

    def _repr_html_(self) -> str:
        rows = "".join(
            f"<tr><td>{part}</td><td>{len(samples):,}</td><td>{samples.x.shape} {samples.x.dtype}</td></tr>"
            for part, samples in self.parts.items()
        )
        return (
            f"<table><caption>{html.escape(self.name)}: {html.escape(self._in_words())}</caption>"
            f"<thead><tr><th>part</th><th>samples</th><th>x</th></tr></thead><tbody>{rows}</tbody></table>"
        )

    def _in_words(self) -> str:
        spec = self.spec
        form = " × ".join(map(str, spec.image_shape)) + " images" if spec.image_shape else f"{spec.features} features"
        form += f", {spec.features} features {spec.extractor.name}" if spec.extractor is not None else ""
        goal = f"{len(spec.classes)} classes" if spec.classes else "regression"
        return f"{form}, {goal}, preprocessing {spec.preprocessing.names}"


def fingerprint(parts: Mapping[str, tuple[NDArray[Any], NDArray[Any]]], form: object = None) -> str:
    """SHA-256 over the `form` (names of classes, columns, …) and, in the order of PARTS, over all arrays."""
    digest = hashlib.sha256(repr(form).encode())
    for part in PARTS:
        for axis, array in zip("xy", parts.get(part, ()), strict=False):
            digest.update(f"{part}.{axis} {array.dtype.str} {array.shape}\n".encode())
            digest.update(np.ascontiguousarray(array).data)
    return digest.hexdigest()


def _form(raw: NDArray[Any], kind: str | None, image_shape: Sequence[int] | None) -> tuple[str, tuple[int, ...] | None]:
    """The kind of the samples and their image shape, from what was said and from the array."""
    shape = tuple(int(n) for n in image_shape) if image_shape is not None else None
    if shape is None and raw.ndim > 2:
        shape = raw.shape[1:]
    kind = kind or ("image" if shape else "table")
    if kind not in KINDS:
        raise unknown_name("kind of data", kind, KINDS)
    if (kind == "image") != (shape is not None):
        raise DataError(
            f"kind {kind!r} does not go with samples of shape {shape or raw.shape[1:]}",
            "Images need image_shape=(h, w) or (h, w, 3), other kinds have one axis a sample.",
        )
    if shape is None:
        return kind, None
    if len(shape) not in (2, 3) or (len(shape) == 3 and shape[2] != 3):
        raise DataError(f"image shape {shape} is none", "Images are (h, w), grey, or (h, w, 3), colour.")
    if raw.shape[1:] not in (shape, (math.prod(shape),)):
        raise DataError(
            f"image shape {shape} does not fit samples of shape {raw.shape[1:]}",
            f"It holds {math.prod(shape)} numbers, a sample {math.prod(raw.shape[1:])}.",
        )
    return kind, shape


def _checked_classes(y: ArrayLike, classes: Sequence[str] | None) -> tuple[str, ...]:
    if classes is None:
        return class_names(y)
    names = tuple(str(name) for name in classes)
    if len(set(names)) < len(names):
        raise DataError(f"classes {names} hold a name twice", "Give every class a name of its own.")
    return names


def _split(
    raw: NDArray[Any],
    y: ArrayLike,
    given: Mapping[str, Any],
    how: str,
    names: tuple[str, ...],
    positions: bool,
    seed: int,
) -> dict[str, tuple[NDArray[Any], NDArray[Any]]]:
    """The raw samples and encoded labels of every part there is."""

    def targets(values: ArrayLike, count: int, what: str) -> NDArray[Any]:
        if names:
            return encode(values, names, count, what, positions=positions)
        return checked_targets(values, count, what)

    count = len(raw)
    labels = targets(y, count, "y")
    sizes = {
        part: 0 if share is None or isinstance(share, tuple) else part_size(share, count, part)
        for part, share in given.items()
    }
    rows = split_rows(count, sizes["validation"], sizes["test"], how, seed, labels if names else None, names)
    parts = {
        part: (_taken(raw, chosen), _taken(labels, chosen))
        for part, chosen in zip(PARTS, rows, strict=True)
        if len(chosen)
    }
    for part, share in given.items():
        if isinstance(share, tuple):
            x_part, y_part = share
            own = checked_samples(x_part, f"{part} x")
            if own.shape[1:] != raw.shape[1:]:
                raise DataError(
                    f"samples of the {part} part have shape {own.shape[1:]}, those for training {raw.shape[1:]}",
                    "All parts need samples of one form.",
                )
            parts[part] = own, targets(y_part, len(own), f"{part} y")
    return {part: parts[part] for part in PARTS if part in parts}


def _white(raw: NDArray[Any]) -> float:
    """The number for white in images like these: 255 in 8 bits, else the greatest that the training part has."""
    top = 255.0 if raw.dtype == np.uint8 else float(raw.max())
    return top if top > 0 else 1.0


def _taken(array: NDArray[Any], rows: NDArray[np.int64]) -> NDArray[Any]:
    """The rows of an array: a view where they follow one another, because copies of large sets are dear."""
    first, last = int(rows[0]), int(rows[-1])
    return array[first : last + 1] if last - first + 1 == len(rows) else array[rows]


def _prepared(spec: DataSpec, raw: NDArray[Any], y: NDArray[Any], as_read: bool) -> Part:
    raw = _read_only(raw)
    untouched = spec.preprocessing.names == "none" and raw.dtype in (np.float32, np.float64)
    if as_read:
        x: NDArray[Any] | Prepared = Prepared(raw, spec.preprocessing)
    else:
        x = _read_only(np.ascontiguousarray(raw.reshape(len(raw), -1)) if untouched else spec.prepare(raw))
    images = raw.reshape(-1, *spec.image_shape) if spec.image_shape is not None else None
    return Part(x, _read_only(np.ascontiguousarray(y)), images)


def _read_only(array: NDArray[Any]) -> NDArray[Any]:
    view = array.view()  # the flag of the user's own array stays as it is
    view.flags.writeable = False
    return view


def _split_in_words(given: Mapping[str, Any], how: str, task: str, seed: int) -> str:
    drawn = {
        part: share for part, share in given.items() if share is not None and not isinstance(share, tuple) and share
    }
    own = [part for part, share in given.items() if isinstance(share, tuple)]
    words = []
    if drawn:
        way = "random" if how == "stratified" and task == "regression" else how
        shares = ", ".join(f"{part} {share}" for part, share in drawn.items())
        words.append(f"{way}: {shares}" + ("" if how == "last" else f" (seed {seed})"))
    if own:
        words.append(f"given: {', '.join(own)}")
    return "; ".join(words) or "none"


def _missing_classes(parts: Mapping[str, tuple[NDArray[Any], NDArray[Any]]], names: tuple[str, ...]) -> list[str]:
    notes = []
    for part, (_, y) in parts.items():
        present = set(np.unique(cast("NDArray[np.int64]", y)).tolist()) if names else set()
        missing = [name for label, name in enumerate(names) if label not in present]
        if missing:
            notes.append(f"the {part} part has no sample of class {', '.join(missing)}")
    return notes
