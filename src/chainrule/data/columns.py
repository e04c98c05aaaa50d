"""Numbers and labels of a table are gathered in compact arrays while its lines go by."""

import math
from array import array
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

BLOCK = 1 << 16  # numbers gathered before they are compacted
MOST_CLASSES = 10_000


def number(text: str) -> float | None:
    """The finite number a field holds, or None. Python's underscores (1_000) are no number in a table."""
    try:
        value = float(text)
    except ValueError:
        return None
    return value if math.isfinite(value) and "_" not in text else None


@dataclass
class Numbers:
    """Rows of `width` finite numbers, kept as float32 wherever that holds them exactly, else as float64."""

    width: int
    pending: "array[float]" = field(default_factory=lambda: array("d"))
    blocks: list[NDArray[Any]] = field(default_factory=list)

    def add(self, fields: list[str]) -> bool:
        """Append one row; False, and nothing appended, where a field is no finite number."""
        try:
            row = array("d", map(float, fields))
        except ValueError:
            return False
        # The sum sees NaN and infinity without a look at each; a sum of large numbers may overflow by itself.
        if not math.isfinite(sum(row)) and not all(map(math.isfinite, row)):
            return False
        if "_" in "".join(fields):
            return False
        self.pending.extend(row)
        if len(self.pending) >= BLOCK:
            self._compact()
        return True

    def finish(self) -> NDArray[Any]:
        """(m, width), float32 or float64; the blocks are given back one by one as they are copied."""
        self._compact()
        dtype = np.result_type(np.float32, *{block.dtype for block in self.blocks})
        out = np.empty(sum(block.size for block in self.blocks), dtype)
        filled = 0
        for block in self._given_back():
            out[filled : filled + block.size] = block
            filled += block.size
        return out.reshape(-1, self.width)

    def _given_back(self) -> Any:
        self.blocks.reverse()
        while self.blocks:
            yield self.blocks.pop()

    def _compact(self) -> None:
        exact = np.array(self.pending)
        with np.errstate(over="ignore"):
            short = exact.astype(np.float32)
        self.blocks.append(short if np.array_equal(short, exact) else exact)
        self.pending = array("d")


class TooManyClassesError(Exception):
    """A label column with more different values than MOST_CLASSES."""


@dataclass
class Labels:
    """A column of labels: every different text once, and two bytes a row."""

    places: dict[str, int] = field(default_factory=dict)
    rows: "array[int]" = field(default_factory=lambda: array("H"))

    def add(self, text: str) -> None:
        place = self.places.setdefault(text, len(self.places))
        if place >= MOST_CLASSES:
            raise TooManyClassesError
        self.rows.append(place)

    def finish(self) -> tuple[NDArray[Any], tuple[str, ...]]:
        """Either labels (m,) and class names in order, or (m,) float64 and () where a number is not whole."""
        values = [number(text) for text in self.places]
        rows = np.frombuffer(self.rows, np.uint16)
        if not self.numeric:
            return self._named(list(self.places), sorted(self.places))
        if self.fractional:
            return np.array(values, np.float64)[rows], ()
        whole = [int(value) for value in values if value is not None]  # "1", "1.0" and "01" are one class
        return self._named([str(n) for n in whole], [str(n) for n in sorted(set(whole))])

    @property
    def numeric(self) -> bool:
        return all(number(text) is not None for text in self.places)

    @property
    def fractional(self) -> bool:
        return self.numeric and any(not float(text).is_integer() for text in self.places)

    def _named(self, found: list[str], classes: list[str]) -> tuple[NDArray[Any], tuple[str, ...]]:
        order = {name: label for label, name in enumerate(classes)}
        lookup = np.array([order[name] for name in found], np.int64)
        return lookup[np.frombuffer(self.rows, np.uint16)], tuple(classes)
