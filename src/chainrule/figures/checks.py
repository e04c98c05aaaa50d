"""What every figure asks of its input, said in words."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from chainrule.errors import InputError


def as_numbers(values: ArrayLike, name: str) -> NDArray[np.float64]:
    """`values` as float64; raises InputError where they are text or ragged."""
    try:
        return np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError):
        raise InputError(f"{name} does not hold numbers only", "Leave out or encode what is text.") from None


def as_classes(classes: Sequence[str]) -> list[str]:
    """The class names, at least one."""
    if isinstance(classes, str) or not len(classes):
        raise InputError(f"classes is {classes!r}", "Give a list with the name of every class.")
    return [str(name) for name in classes]


def as_labels(labels: ArrayLike, samples: int, classes: int) -> NDArray[np.intp]:
    """(m,) class numbers 0 … classes − 1, one a sample."""
    numbers = as_numbers(labels, "labels")
    if numbers.shape != (samples,):
        raise InputError(
            f"labels has shape {numbers.shape} but there are {samples} samples", "Give one label a sample."
        )
    wrong = ~np.isin(numbers, np.arange(classes))
    if wrong.any():
        raise InputError(
            f"label {numbers[wrong][0]:g} of sample {int(np.argmax(wrong))} is none of the {classes} classes",
            f"Labels are class numbers from 0 to {classes - 1}.",
        )
    return numbers.astype(np.intp)
