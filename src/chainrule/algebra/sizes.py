"""The size of an axis is a whole number, a symbol, or a sum of these: 3, N, N − 1, N + K."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from chainrule.errors import InputError, shown

_TERM = re.compile(r"\s*([+-]?)\s*(?:(\d{1,9})\s*\*\s*([^\W\d]\w*)|([^\W\d]\w*)|(\d{1,9}))\s*")


@dataclass(frozen=True)
class Size:
    """constant + Σ count · symbol; `terms` holds (symbol, count) in alphabetical order, no count 0."""

    terms: tuple[tuple[str, int], ...] = ()
    constant: int = 0

    def __add__(self, other: "Size") -> "Size":
        counts = dict(self.terms)
        for symbol, count in other.terms:
            counts[symbol] = counts.get(symbol, 0) + count
        terms = tuple(sorted((symbol, count) for symbol, count in counts.items() if count))
        return Size(terms, self.constant + other.constant)

    def __sub__(self, other: "Size") -> "Size":
        return self + Size(tuple((symbol, -count) for symbol, count in other.terms), -other.constant)

    def __str__(self) -> str:
        text = ""
        for symbol, count in self.written:
            sign = ("-" if count < 0 else "") if not text else (" - " if count < 0 else " + ")
            text += sign + ("" if abs(count) == 1 else f"{abs(count)}*") + symbol
        if self.constant or not text:
            sign = ("-" if self.constant < 0 else "") if not text else (" - " if self.constant < 0 else " + ")
            text += sign + str(abs(self.constant))
        return text

    @property
    def written(self) -> list[tuple[str, int]]:
        """The terms as one writes them: what is taken away comes last."""
        return sorted(self.terms, key=lambda term: term[1] < 0)

    @property
    def is_unit(self) -> bool:
        """Whether NumPy would stretch this axis: it is the number 1 and no symbol."""
        return not self.terms and self.constant == 1

    @property
    def is_simple(self) -> bool:
        """Whether it is one symbol or one number, which needs no parentheses."""
        return not self.terms or (len(self.terms) == 1 and self.terms[0][1] == 1 and not self.constant)

    def among(self, sizes: Mapping[str, "Size"]) -> "Size":
        """The same with other sizes for the symbols."""
        result = Size((), self.constant)
        for symbol, count in self.terms:
            other = sizes[symbol]
            result += Size(tuple((name, count * times) for name, times in other.terms), count * other.constant)
        return result

    def at(self, sizes: Mapping[str, int]) -> int:
        """The number, for numbers in place of the symbols."""
        return self.constant + sum(count * sizes[symbol] for symbol, count in self.terms)


Shape = tuple[Size, ...]
UNIT = Size((), 1)


def number_size(n: int) -> Size:
    return Size((), n)


def read_shape(name: str, given: object) -> Shape:
    """The shape of `name` from `"K,N"`, `("K", 3)`, `3`, `()` or `"()"`; raises InputError for anything else."""
    parts: Iterable[object]
    if isinstance(given, str):
        if len(given) > 200:
            raise _no_shape(name, given)
        inner = given.strip().removeprefix("(").removesuffix(")").strip().removesuffix(",")
        parts = inner.split(",") if inner else ()
    elif isinstance(given, tuple | list):
        parts = given
    else:
        parts = (given,)
    shape = tuple(_read_size(name, given, part) for part in parts)
    if len(shape) > 2:
        raise InputError(
            f"{name} has {len(shape)} axes: {shown(given)}", "The language knows numbers, vectors and matrices."
        )
    return shape


def _read_size(name: str, given: object, part: object) -> Size:
    if isinstance(part, Size):
        return part
    if isinstance(part, int) and not isinstance(part, bool) and 1 <= part <= 1_000_000:
        return Size((), int(part))
    if not isinstance(part, str) or not part.strip():
        raise _no_shape(name, given)
    size, at = Size(), 0
    while at < len(part):
        match = _TERM.match(part, at)
        if match is None or (at and not match[1]):
            raise _no_shape(name, given)
        sign = -1 if match[1] == "-" else 1
        symbol = match[3] or match[4]
        term = Size(((symbol, sign * int(match[2] or 1)),)) if symbol else Size((), sign * int(match[5]))
        size, at = size + term, match.end()
    if not size.terms and size.constant < 1:
        raise _no_shape(name, given)
    return size


def _no_shape(name: str, given: object) -> InputError:
    return InputError(
        f"{name}: {shown(given)} is no shape", 'Write sizes or symbols: "N" for a vector, "K,N" for a matrix, "()".'
    )


def shape_text(shape: Shape) -> str:
    """(K, N), (N,) or ()."""
    return f"({', '.join(map(str, shape))}{',' if len(shape) == 1 else ''})"


def symbols(shapes: Iterable[Shape]) -> list[str]:
    """All symbols in `shapes`, in the order in which they come."""
    return list(dict.fromkeys(symbol for shape in shapes for size in shape for symbol, _ in size.terms))
