"""The order in which samples are used: every one once an epoch, in batches."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from chainrule.data import Batches
from chainrule.errors import InputError
from chainrule.specs import whole

Size = int | str


def batches(m: int, size: Size, generator: np.random.Generator | None = None) -> Iterator[NDArray[np.intp]]:
    """Row numbers of one epoch's batches: `size` rows each and what is left in the last, every row exactly once.

    size       1 (stochastic), b (mini-batch) or "full"
    generator  draws a new order each time; None keeps the file order

    The gradient of a batch is a mean over its own samples, so the short last batch needs no correction.
    Raises InputError where `size` is none or exceeds m.
    """
    return iter(epoch(m, size, generator))


def epoch(m: int, size: Size, generator: np.random.Generator | None) -> Batches:
    """`batches` as one object."""
    rows = rows_a_batch(m, size)
    order = np.arange(m) if generator is None or rows == m else generator.permutation(m)
    return Batches.cut(order, rows)


def rows_a_batch(m: int, size: Size) -> int:
    """`size` as a number of rows for m samples."""
    whole("number of samples", m, 1)
    if size == "full":
        return m
    if not isinstance(size, int | np.integer) or isinstance(size, bool) or size < 1:
        raise InputError(f"batch size {size!r} is not possible", 'Give a whole number of samples, or "full" for all.')
    if size > m:
        raise InputError(
            f"batch size {size} exceeds the {m} training samples",
            f'Give at most {m}, or "full" for all of them.',
        )
    return int(size)
