"""The memory of the kernels: the record of a job, and the arrays whose addresses stand in it."""

from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from chainrule.data import Prepared
from chainrule.kernels.epochs import CHUNK, SUMS
from chainrule.kernels.job import RAW, job_type
from chainrule.kernels.plan import Plan, is_narrow
from chainrule.kernels.threads import LINE, YIELD

Array = NDArray[Any]

PIECE = 1024  # rows that go through the network at a time


def zeros(count: int, dtype: DTypeLike) -> Array:
    """So many zeros from the beginning of a cache line on: vectors that lie across two lines cost twice."""
    size = count * np.dtype(dtype).itemsize
    room = np.zeros(size + LINE, np.uint8)
    first = -room.ctypes.data % LINE
    return room[first : first + size].view(dtype)


class Memory:
    """All that a job needs for up to `rows` rows at a time on up to `threads` threads."""

    def __init__(self, plan: Plan, rows: int, threads: int) -> None:
        self.plan, self.rows, self.threads, dtype = plan, rows, threads, plan.dtype
        self._records = np.zeros(1, job_type(dtype))
        self.job: Any = self._records[0]
        self.address, self.one = self._records.ctypes.data, dtype.type(1)
        self._arrays: dict[str, Array] = {}
        longest = max(plan.rows, *(int(widest) for widest in (*plan.layers["padded"], *plan.layers["fan_in"])))
        self.put("layers", plan.layers)
        chunked = not plan.statistics and 8 * plan.parameters <= rows * int(plan.layers["padded"].sum())
        narrow = chunked and is_narrow(plan)
        for name in ("P", "M", "S"):
            self.put(name, zeros(plan.parameters, dtype))
        self.put("G", zeros(plan.parameters * (1 + chunked * -(-rows // CHUNK)), dtype))
        for name in ("statistics", "running"):
            self.put(name, zeros(plan.statistics, dtype))
        self.put("ws", zeros(plan.workspace, dtype))
        self.put("row_losses", zeros(rows, dtype))
        self.put("ones", zeros(longest, dtype))
        self["ones"][:] = 1
        self.put("zeros", zeros(longest, dtype))
        self.put("iota", np.arange(longest))
        self.put("nonzero", zeros(plan.inputs, np.int64))
        self.put("margins", zeros(3 * plan.rows * narrow, dtype))
        self.put("sums", zeros(len(plan.layers) * SUMS // 8, np.float64))
        self.put("spoiled", zeros(threads * LINE // 8, np.int64))
        self.put("barrier", zeros(LINE // 8, np.int64))
        self.set(
            one=1,
            itemsize=dtype.itemsize,
            panel=plan.panel,
            depth=len(plan.layers),
            piece=rows,
            output=plan.output,
            outputs=int(plan.layers["width"][-1]),
            dropped=plan.dropped,
            give_way=YIELD,
            threads=threads,
            parameters=plan.parameters,
            chunked=chunked,
            narrow=narrow,
            margin=plan.rows,
        )

    def put(self, name: str, array: Array, first: int = 0) -> None:
        """Keep an array, which must be contiguous, and note the address of its number `first`; 0 if it is empty."""
        self._arrays[name] = array
        self.job[name] = array.ctypes.data + first * array.itemsize if array.size else 0

    def set(self, **numbers: float) -> None:
        """Note numbers."""
        for name, number in numbers.items():
            self.job[name] = number

    def __getitem__(self, name: str) -> Array:
        return self._arrays[name]

    def put_samples(self, X: Array | Prepared) -> None:
        """Say where the data lie and how they are read; X is of the network's dtype or `Prepared`."""
        raw = X.raw if isinstance(X, Prepared) else X
        size = raw.dtype.itemsize
        if raw.strides[1] != size or raw.strides[0] % size:
            raw = np.ascontiguousarray(raw)
        if self.job["narrow"]:
            self.put("columns", zeros(self.plan.rows * raw.shape[1], self.plan.dtype))
        self._arrays["x"] = raw
        self.set(x=raw.ctypes.data, row_step=raw.strides[0] // size, features=raw.shape[1], raw=0)
        if isinstance(X, Prepared):
            self.set(raw=RAW[raw.dtype.name])
            self.put("shift", np.ascontiguousarray(X.preprocessing.shift, np.float64))
            self.put("scale", np.ascontiguousarray(X.preprocessing.scale, np.float64))
            self.put("inputs", zeros(self.rows * raw.shape[1], self.plan.dtype))
