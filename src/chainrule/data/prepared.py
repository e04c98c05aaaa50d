"""Raw samples seen through their preprocessing: rows are prepared when they are read, and nothing else is copied."""

from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from chainrule.data.preprocessing import Preprocessing
from chainrule.errors import DataError

READABLE = ("uint8", "float32", "float64")


class Prepared:
    """Samples as an array (m, d) would hold them after `preprocessing`, without that array.

    raw            (m, …) uint8, float32 or float64; may be a read-only memory map, and is never written
                   to; the kernels copy it where its rows are not contiguous
    preprocessing  fitted, see `Preprocessing.fit`; None to take the numbers as they are

        x = np.load("x.npy", mmap_mode="r")
        cr.train(net, (cr.Prepared(x, cr.Preprocessing.fit("scale+mean-image", x)), y))

    An index gives an array of the rows, prepared. Raises DataError for another type, or a preprocessing for another
    number of features.
    """

    ndim = 2

    def __init__(
        self, raw: NDArray[Any], preprocessing: Preprocessing | None = None, *, dtype: DTypeLike = np.float32
    ) -> None:
        if raw.dtype.name not in READABLE or not raw.dtype.isnative:
            raise DataError(
                f"samples of type {raw.dtype.str} cannot be prepared as they are read",
                f"Give {', '.join(READABLE)} in native byte order.",
            )
        if raw.ndim < 2 or not raw.size:
            raise DataError(f"the samples have shape {raw.shape}", "Give (m, d) or images, at least one sample.")
        self.raw = raw.reshape(len(raw), -1)
        d = self.raw.shape[1]
        self.preprocessing = preprocessing or Preprocessing("none", np.zeros(d), np.ones(d))
        if self.preprocessing.shift.size != d:
            raise DataError(
                f"the preprocessing is of {self.preprocessing.shift.size} features, but the samples have {d}",
                "Fit it on samples of this form.",
            )
        self.shape, self.dtype = self.raw.shape, np.dtype(dtype)

    def __len__(self) -> int:
        return len(self.raw)

    def __getitem__(self, rows: Any) -> NDArray[Any]:
        return self.preprocessing(self.raw[rows]).astype(self.dtype, copy=False)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NDArray[Any]:
        return self[:].astype(dtype or self.dtype, copy=False)

    def astype(self, dtype: DTypeLike) -> "Prepared":
        """The same samples, prepared as another type."""
        return Prepared(self.raw, self.preprocessing, dtype=dtype)

    def __repr__(self) -> str:
        return f"Prepared({self.raw.dtype} {self.shape}, {self.preprocessing.names}, as {self.dtype})"
