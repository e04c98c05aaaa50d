"""Labels are the integers 0 … K−1; what the user called them are the class names, in label order."""

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from chainrule.data.samples import check_length
from chainrule.errors import DataError

Task = Literal["classification", "regression"]


def task_of(y: ArrayLike, task: str | None = None) -> Task:
    """Classification for integers, booleans, words and whole floats; regression for other numbers.

    Raises DataError for one-hot rows, which could be meant either way, and for an unknown task.
    """
    if task is not None:
        if task not in ("classification", "regression"):
            raise DataError(f"unknown task {task!r}", "Valid: classification, regression.")
        return task  # type: ignore[return-value]
    array = np.asarray(y)
    if array.ndim == 2 and array.shape[1] > 1:
        if array.dtype.kind in "buif" and _is_one_hot(array):
            raise DataError(
                f"y has shape {array.shape} and looks one-hot",
                'Give y.argmax(axis=1) for a classification, or say task="regression".',
            )
        return "regression"
    if array.dtype.kind == "f":
        finite = array[np.isfinite(array)]
        if not np.all(finite == np.floor(finite)):
            return "regression"
    return "classification"


def _is_one_hot(array: NDArray[Any]) -> bool:
    return bool(np.all((array == 0) | (array == 1)) and np.all(array.sum(axis=1) == 1))


def class_names(y: ArrayLike) -> tuple[str, ...]:
    """The different labels of `y` as text: numbers by value, words by their order of characters."""
    return tuple(_as_text(value) for value in np.unique(_flat(y)).tolist())


def encode(
    y: ArrayLike, classes: Sequence[str], count: int, what: str = "y", *, positions: bool = False
) -> NDArray[np.int64]:
    """Labels as integers 0 … K−1, (m,).

    Integers are looked up among the class names as words are, or, with `positions`, are the places in `classes`
    already. Raises DataError where the length is not `count` or a label is outside the classes.
    """
    array = _flat(y)
    check_length(array, count, what)
    values, inverse = np.unique(array, return_inverse=True)
    if positions and array.dtype.kind in "buif":
        places = [int(value) if value == int(value) and 0 <= value < len(classes) else -1 for value in values.tolist()]
    else:
        known = {name: place for place, name in enumerate(classes)}
        places = [known.get(_as_text(value), -1) for value in values.tolist()]
    if -1 in places:
        wrong = places.index(-1)
        sample = int(np.argmax(inverse == wrong))
        shown = ", ".join(classes[:12]) + (", …" if len(classes) > 12 else "")
        raise DataError(
            f"{what}: the label {_as_text(values[wrong].item())!r} of sample {sample} is none of the "
            f"{len(classes)} classes",
            f"Classes: {shown}"
            + (f" (labels 0 to {len(classes) - 1})." if positions else ". Correct the label, or name all classes."),
        )
    return np.asarray(places, np.int64)[inverse.reshape(-1)]


def check_several(labels: NDArray[np.int64], classes: Sequence[str]) -> None:
    """Refuse a training part of one class only."""
    present = np.unique(labels)
    if len(present) < 2:
        raise DataError(
            f"all {len(labels)} training samples are of one class, {classes[int(present[0])]!r}",
            "A classification needs samples of two classes at least; check the label column and the split.",
        )


def _flat(y: ArrayLike) -> NDArray[Any]:
    array = np.asarray(y)
    if array.dtype.kind == "O" and all(isinstance(value, str) for value in array.flat):
        array = array.astype(str)
    if array.ndim == 2 and array.shape[1] == 1:
        array = array[:, 0]
    if array.ndim != 1 or array.dtype.kind not in "buifUS":
        raise DataError(
            f"y has shape {array.shape} and dtype {array.dtype}",
            "Class labels are one axis of integers or words: (m,).",
        )
    if array.dtype.kind == "f" and not np.isfinite(array).all():
        sample = int(np.argmin(np.isfinite(array)))
        raise DataError(f"y: the label of sample {sample} is {array[sample]}", "Leave such samples out.")
    return array


def _as_text(value: object) -> str:
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)
