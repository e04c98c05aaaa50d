"""Batches as row numbers: one array of them, and where each batch begins and ends in it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Rows = NDArray[np.intp]


@dataclass(frozen=True, eq=False)
class Batches:
    """Batch b is the samples order[starts[b] : stops[b]]; iterating gives the row numbers batch by batch."""

    order: Rows
    starts: Rows
    stops: Rows

    @classmethod
    def cut(cls, order: Rows, size: int) -> "Batches":
        """`size` samples each, in the given order, and what is left in the last."""
        starts = np.arange(0, len(order), size)
        return cls(order, starts, np.minimum(starts + size, len(order)))

    @classmethod
    def of(cls, batches: Sequence[Rows]) -> "Batches":
        """Batches that are at hand one by one."""
        ends = np.cumsum([len(rows) for rows in batches])
        return cls(np.concatenate(batches), np.concatenate([[0], ends[:-1]]), ends)

    @classmethod
    def joined(cls, epochs: Sequence["Batches"]) -> "Batches":
        """The batches of several epochs in a row."""
        shifts = [0, *np.cumsum([len(epoch.order) for epoch in epochs[:-1]])]
        moved = list(zip(epochs, shifts, strict=True))
        return cls(
            np.concatenate([epoch.order for epoch in epochs]),
            np.concatenate([epoch.starts + shift for epoch, shift in moved]),
            np.concatenate([epoch.stops + shift for epoch, shift in moved]),
        )

    def repeated(self, times: int) -> "Batches":
        """The same batches so many times in a row; their order is kept once."""
        return Batches(self.order, np.tile(self.starts, times), np.tile(self.stops, times))

    def __len__(self) -> int:
        return len(self.starts)

    def __getitem__(self, b: int) -> Rows:
        return self.order[self.starts[b] : self.stops[b]]

    def __iter__(self) -> Iterator[Rows]:
        return (self[b] for b in range(len(self)))
