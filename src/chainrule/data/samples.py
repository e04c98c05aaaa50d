"""Samples are checked once, at the door: numbers, finite, two axes or more, one label each."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from chainrule.errors import DataError

LARGEST = float(np.finfo(np.float32).max)


def checked_samples(x: ArrayLike, what: str = "x", columns: Sequence[str] = ()) -> NDArray[Any]:
    """`x` as an array (m, …) of finite real numbers in native byte order, not copied where it is one already.

    Raises DataError for no samples, no features, one axis only, text, objects, complex numbers, NaN, infinity and
    numbers beyond float32; the message names sample and column.
    """
    try:
        array = np.asarray(x)
    except ValueError as error:
        raise DataError(f"{what} is no array: {error}", "Give rows of equal length.") from None
    if array.dtype.kind not in "buif":
        raise DataError(
            f"{what} has dtype {array.dtype}, which holds no real numbers",
            "Turn words into numbers first, for example one column of 0 and 1 for every word.",
        )
    if array.ndim < 2:
        raise DataError(
            f"{what} has shape {array.shape}, but rows are samples: (m, d)",
            "Use x.reshape(-1, 1) where each sample is one number, x.reshape(1, -1) where there is one sample.",
        )
    if array.size == 0:
        raise DataError(f"{what} is empty: its shape is {array.shape}", "Give at least one sample.")
    if not array.dtype.isnative:
        array = array.astype(array.dtype.newbyteorder("="))
    if array.dtype.kind == "f":
        _refuse_non_finite(array, what, columns)
    return array


def _refuse_non_finite(array: NDArray[Any], what: str, columns: Sequence[str]) -> None:
    # min and max let NaN through, and need no mask as large as the array
    if float(array.min()) >= -LARGEST and float(array.max()) <= LARGEST:
        return
    flat = array.reshape(len(array), -1)
    for sample, row in enumerate(flat):
        bad = ~(np.abs(row.astype(np.float64)) <= LARGEST)
        if bad.any():
            column = int(bad.argmax())
            name = f" ({columns[column]})" if len(columns) == len(row) else ""
            raise DataError(
                f"{what}: sample {sample}, column {column}{name} is {row[column]}",
                "Every number must be finite and within float32; leave such samples out or fill them in.",
            )


def checked_targets(y: ArrayLike, count: int, what: str = "y") -> NDArray[Any]:
    """Numeric targets for regression: (m,) or (m, t), float32 or float64 as given, integers as float64."""
    array = np.asarray(y)
    if array.dtype.kind not in "buif":
        raise DataError(
            f"{what} has dtype {array.dtype}, but a regression needs numbers",
            'Give numbers, or say task="classification".',
        )
    check_length(array, count, what)
    if array.ndim == 2 and array.shape[1] == 1:
        array = array[:, 0]
    if array.ndim not in (1, 2):
        raise DataError(f"{what} has shape {array.shape}", "Targets are (m,) or (m, t).")
    checked_samples(array.reshape(count, -1), what)
    dtype = array.dtype if array.dtype in (np.float32, np.float64) else np.float64
    return np.array(array, dtype=np.dtype(dtype).newbyteorder("="), order="C")


def check_length(y: NDArray[Any], count: int, what: str = "y") -> None:
    """Refuse labels that are not one for each of `count` samples."""
    length = len(y) if y.ndim else 0
    if length != count:
        raise DataError(
            f"{count} samples but {length} labels ({what})",
            "Every sample needs exactly one label; check that both belong to the same part.",
        )
