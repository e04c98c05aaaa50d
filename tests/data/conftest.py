"""What the tests of data share: IDX files to order, refusals read in words, the real files where they lie."""

import struct
from collections.abc import Callable
from contextlib import AbstractContextManager
from functools import partial

import numpy as np
import pytest

import refusals
from chainrule.errors import DataError

CODES = {"u1": 0x08, "i1": 0x09, "i2": 0x0B, "i4": 0x0C, "f4": 0x0D, "f8": 0x0E}

Refused = Callable[..., AbstractContextManager[None]]


def idx_bytes(array: np.ndarray) -> bytes:
    """`array` in the IDX format, written from its description and not from our reader."""
    code = CODES[array.dtype.str[1:]]
    header = struct.pack(f">BBBB{array.ndim}I", 0, 0, code, array.ndim, *array.shape)
    return header + array.astype(array.dtype.newbyteorder(">")).tobytes()


@pytest.fixture
def to_idx() -> Callable[[np.ndarray], bytes]:
    return idx_bytes


@pytest.fixture
def refused() -> Refused:
    """`with refused("words", …):` the block raises a DataError that says all of them and how to mend it."""
    return partial(refusals.refused, error=DataError)
