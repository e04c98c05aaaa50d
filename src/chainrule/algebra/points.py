"""Random points at which a derivative is judged: with sizes of their own, pairwise different, and away from kinks."""

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice, permutations

import numpy as np
from numpy.typing import NDArray

from chainrule.algebra.evaluate import evaluate
from chainrule.algebra.program import Line, Program
from chainrule.algebra.sizes import Shape, shape_text, symbols
from chainrule.algebra.source import source
from chainrule.algebra.tree import Node, cuts, node
from chainrule.errors import InputError
from chainrule.randomness import generator

Floats = NDArray[np.float64]

MOST_ENTRIES = 5_000  # of one array at the points of verification
REDRAWS = 10  # of a point that says nothing
_KINK_MARGIN = 0.01
_DRAWS = 60
_ORDERS = 24  # of the symbols, tried for the same numbers


class NotDifferentiableError(InputError):
    """An expression that has no derivative at any point that was tried."""


@dataclass(frozen=True)
class Point:
    """Numbers for the sizes, and the values of all names."""

    sizes: dict[str, int]
    values: dict[str, Floats]


def draw_point(program: Program, gradients: tuple[Line, ...], number: int, redraw: int, seed: int) -> Point:
    """A point away from kinks, at which everything is finite; raises InputError where none is found."""
    lines = (*program.lines, *gradients)
    shapes = [*program.inputs.values(), *(node.shape for line in lines for node in line.expression.walk())]
    sizes = _sizes(program, shapes, lines, number)
    _refuse_large(shapes, sizes)
    draws = generator(seed + number + 1000 * redraw, "verification")
    kinds = dict.fromkeys(program.inputs, 0)
    trouble = ""
    for attempt in range(_DRAWS):
        values = {
            name: _draw(draws, kinds[name], shape, sizes, 0.7 if redraw < REDRAWS // 2 else 0.35)
            for name, shape in program.inputs.items()
        }
        for name, axis in program.probabilities.items():
            shares = np.exp(values[name])
            values[name] = shares / shares.sum(axis=axis, keepdims=True)
        undefined = _fill(values, lines, sizes)
        if undefined is not None:
            _restrict(kinds, program, undefined)
            trouble = f"{undefined.name} = {source(undefined.expression)} is not finite"
            continue
        margin = _KINK_MARGIN if attempt < _DRAWS // 2 else _KINK_MARGIN / 20
        kink = next(
            (found for line in program.lines if (found := _near_kink(line.expression, values, sizes, margin))), None
        )
        if kink is None:
            return Point(sizes, values)
        trouble = f"{source(kink)} stands at a kink, where it is not differentiable"
    raise NotDifferentiableError(
        f"no point was found at which {program.result.name} has a derivative: at each of {_DRAWS}, {trouble}",
        "Check the domains of log, sqrt, powers and divisions; what is differentiable nowhere has no derivative.",
    )


def _sizes(program: Program, shapes: list[Shape], lines: Iterable[Line], number: int) -> dict[str, int]:
    """Pairwise different small numbers for the symbols, none of them a size that is fixed."""
    names = list(dict.fromkeys([*symbols(shapes), *program.symbols]))
    fixed = {size.constant for shape in shapes for size in shape if not size.terms}
    slices = [item for line in lines for node in line.expression.walk() for item in cuts(node)]
    for chosen in _small_sizes(names if number % 2 == 0 else names[::-1], fixed, 3 + number % 2 * (len(names) == 1)):
        sizes_fit = all(size.at(chosen) >= 1 for shape in shapes for size in shape)
        if sizes_fit and all(0 <= a.at(chosen) < b.at(chosen) <= n.at(chosen) for a, b, n in slices):
            return chosen
    raise InputError(
        f"no small sizes {', '.join(names)} were found at which every slice lies within its axis",
        "Check the bounds of the slices.",
    )


def _small_sizes(names: list[str], fixed: set[int], least: int) -> Iterator[dict[str, int]]:
    """Close together and in the given order first; then further apart, in other orders."""
    for apart in (1, 2, 4):
        for start in range(least, 40 if apart == 1 else 8):
            free = [n for n in range(start, start + apart * (len(names) + len(fixed) + 1), apart) if n not in fixed]
            for order in islice(permutations(names), _ORDERS):
                yield dict(zip(order, free, strict=False))


def _fill(values: dict[str, Floats], lines: Iterable[Line], sizes: Mapping[str, int]) -> Line | None:
    """Compute the lines; returns the first whose value is not finite, or huge."""
    with np.errstate(all="ignore"):
        for line in lines:
            values[line.name] = value = evaluate(line.expression, values, sizes)
            if not np.isfinite(value).all() or np.abs(value).max(initial=0) > 1e6:
                return line
    return None


def _restrict(kinds: dict[str, int], program: Program, line: Line) -> None:
    """Draw the inputs of a line that has no value from a smaller domain: positive, then between 0 and 1."""
    direct = [name for name in line.expression.names if name in kinds]
    for name in direct if any(kinds[name] < 2 for name in direct) else kinds:
        kinds[name] = min(kinds[name] + 1, 2)


def _draw(draws: np.random.Generator, kind: int, shape: Shape, sizes: Mapping[str, int], spread: float) -> Floats:
    length = [size.at(sizes) for size in shape]
    if kind == 0:
        return draws.normal(size=length) * spread
    return draws.uniform(*((0.4, 1.6), (0.1, 0.9))[kind - 1], size=length)


def _near_kink(tree: Node, values: Mapping[str, Floats], sizes: Mapping[str, int], margin: float) -> Node | None:
    """The function within `tree` of which an argument lies near a kink."""
    for part in with_kinks(tree):
        x = evaluate(argument(part), values, sizes)
        if any((np.abs(x - kink) < margin).any() for kink in part.data.kinks):
            return part
    return None


def with_kinks(tree: Node) -> list[Node]:
    """The functions within `tree` that have kinks."""
    return [part for part in tree.walk() if part.op == "apply" and part.data.kinks]


def argument(applied: Node) -> Node:
    """What stands at a kink or not: x, or x − y of a function of two arguments."""
    return applied.children[0] if len(applied.children) == 1 else node("subtract", *applied.children)


def _refuse_large(shapes: list[Shape], sizes: Mapping[str, int]) -> None:
    for shape in shapes:
        entries = math.prod(size.at(sizes) for size in shape)
        if entries > MOST_ENTRIES:
            raise InputError(
                f"an array of shape {shape_text(shape)} has {entries:,} entries, too many to compare one by one",
                "Write a symbol for a large size: the derivative is the same for every size.",
            )
