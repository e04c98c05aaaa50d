"""Nothing is printed that was not compared: every gradient and every local derivative against central differences.

Two random points are drawn, each with sizes of its own that are pairwise different, so that a transpose that is missing
has no shape to fit into. Entries near kinks are not judged but drawn again.
"""

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from chainrule import differences
from chainrule.algebra.evaluate import evaluate
from chainrule.algebra.gradients import Adjoint, Backward, Edge
from chainrule.algebra.language import read
from chainrule.algebra.numbers import Tensors
from chainrule.algebra.numbers import evaluate as evaluate_indices
from chainrule.algebra.program import Line, Program
from chainrule.algebra.sizes import Shape, shape_text, symbols
from chainrule.algebra.source import source
from chainrule.algebra.tree import Node, cuts
from chainrule.errors import ChainruleError, InputError, unknown_name
from chainrule.randomness import generator

Floats = NDArray[np.float64]

POINTS = 2
MOST_ENTRIES = 5_000  # of one array at the points of verification
TOLERANCE = 1e-7  # of the greatest entry, as for networks
_KINK_MARGIN = 0.01
_DRAWS = 60
_REDRAWS = 10


class UnverifiedError(ChainruleError, ArithmeticError):
    """A derivative that central differences contradict. `report` has the entry, the analytic and the numeric value."""

    def __init__(self, problem: str, remedy: str, report: dict[str, Any]) -> None:
        super().__init__(problem, remedy)
        self.report = report


class NotDifferentiableError(InputError):
    """An expression that has no derivative at any point that was tried."""


@dataclass(frozen=True)
class Point:
    """Numbers for the sizes, and the values of all names."""

    sizes: dict[str, int]
    values: dict[str, Floats]


@dataclass(frozen=True)
class Check:
    """One comparison that agreed: what, at which sizes, and the greatest gap relative to the greatest entry."""

    what: str
    sizes: dict[str, int]
    entries: int
    gap: float


def _sizes(program: Program, shapes: list[Shape], lines: Iterable[Line], number: int) -> dict[str, int]:
    """Pairwise different small numbers for the symbols, none of them a size that is fixed."""
    names = symbols(shapes) or program.symbols
    fixed = {size.constant for shape in shapes for size in shape if not size.terms}
    slices = [item for line in lines for node in line.expression.walk() for item in cuts(node)]
    for least in range(3 + number % 2 * (len(names) == 1), 40):
        free = [n for n in range(least, least + len(names) + len(fixed) + 1) if n not in fixed]
        chosen = dict(zip(names if number % 2 == 0 else names[::-1], free, strict=False))
        sizes_fit = all(size.at(chosen) >= 1 for shape in shapes for size in shape)
        if sizes_fit and all(0 <= a.at(chosen) < b.at(chosen) <= n.at(chosen) for a, b, n in slices):
            return chosen
    raise InputError(
        f"no small sizes {', '.join(names)} were found at which every slice lies within its axis",
        "Check the bounds of the slices.",
    )


def _point(program: Program, gradients: tuple[Line, ...], number: int, redraw: int, seed: int) -> Point:
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
            name: _draw(draws, kinds[name], shape, sizes, 0.7 if redraw < _REDRAWS // 2 else 0.35)
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
    for node in tree.walk():
        if node.op == "apply" and node.data.kinks:
            operands = [evaluate(child, values, sizes) for child in node.children]
            x = operands[0] - operands[1] if len(operands) == 2 else operands[0]
            if any((np.abs(x - kink) < margin).any() for kink in node.data.kinks):
                return node
    return None


def pieces(program: Program, values: Mapping[str, Floats], sizes: Mapping[str, int]) -> NDArray[Any]:
    """On which smooth piece of its function each argument lies."""
    found: list[NDArray[Any]] = [np.empty(0)]
    for line in program.lines:
        for node in line.expression.walk():
            if node.op == "apply" and node.data.kinks:
                operands = [evaluate(child, values, sizes) for child in node.children]
                x = operands[0] - operands[1] if len(operands) == 2 else operands[0]
                found.append(np.searchsorted(np.asarray(node.data.kinks), np.ravel(x)))
    return np.concatenate(found)


def has_kinks(program: Program) -> bool:
    return any(node.op == "apply" and node.data.kinks for line in program.lines for node in line.expression.walk())


def _refuse_large(shapes: list[Shape], sizes: Mapping[str, int]) -> None:
    for shape in shapes:
        entries = math.prod(size.at(sizes) for size in shape)
        if entries > MOST_ENTRIES:
            raise InputError(
                f"an array of shape {shape_text(shape)} has {entries:,} entries, too many to compare one by one",
                "Write a symbol for a large size: the derivative is the same for every size.",
            )


class IllConditioned(Exception):  # noqa: N818
    """At this point central differences disagree with themselves: it says nothing, and another one is drawn."""


class Numeric:
    """Central differences at the usual step, and at half of it where there is doubt."""

    def __init__(self, differ: Callable[[float], tuple[Floats, NDArray[np.bool_]]]) -> None:
        self._differ = differ
        with np.errstate(all="ignore"):
            self.values, self.judged = differ(differences.STEP)
        if not np.isfinite(self.values).all():
            raise IllConditioned  # the step left the domain of a logarithm or a root

    def doubtful(self, analytic: Floats) -> bool:
        """Whether the step matters about as much as the gap: then the difference is wrong and not the formula."""
        with np.errstate(all="ignore"):
            finer, _ = self._differ(differences.STEP / 2)
        judged = self.judged
        moved, gap = np.abs(finer - self.values)[judged], np.abs(analytic - self.values)[judged]
        return bool(np.isfinite(gap).all() and moved.max(initial=0) > 0.2 * gap.max(initial=0))


def numeric_gradient(program: Program, name: str, point: Point, weights: Floats) -> Numeric:
    """Central differences of Σ weights · E by an input, or by a line whose value is taken for an input."""

    lines = program.above(name)
    alone = replace(program, lines=lines)
    last: list[Any] = [b"", {}]

    def values(x: Floats) -> dict[str, Floats]:
        """All values; what does not depend on x is not computed again, nor is what was asked for last."""
        if last[0] != x.tobytes():
            found = {**point.values, name: x}
            for line in lines:
                found[line.name] = evaluate(line.expression, found, point.sizes)
            last[:] = [x.tobytes(), found]
        return dict(last[1])

    def differ(step: float) -> tuple[Floats, NDArray[np.bool_]]:
        found = differences.gradient(
            lambda x: float((weights * values(x)[program.result.name]).sum()),
            point.values[name],
            step=step,
            pieces=(lambda x: pieces(alone, values(x), point.sizes)) if has_kinks(alone) else None,
        )
        return found.values, ~found.kinked

    return Numeric(differ)


def numeric_jacobian(program: Program, name: str, point: Point) -> Numeric:
    """The same for every entry of E: axes of E first."""
    result = point.values[program.result.name]

    def differ(step: float) -> tuple[Floats, NDArray[np.bool_]]:
        values = np.zeros((*result.shape, *point.values[name].shape))
        judged = np.ones(values.shape, dtype=np.bool_)
        for at in np.ndindex(result.shape):
            weights = np.zeros(result.shape)
            weights[at] = 1
            one = numeric_gradient(program, name, point, weights)
            values[at], judged[at] = one._differ(step)
        return values, judged

    return Numeric(differ)


def compare(what: str, analytic: Floats, numeric: Numeric, point: Point, scale: float) -> Check:
    """The check, where ‖a − n‖ ≤ TOLERANCE · max(‖a‖, ‖n‖, 1e-3) and rounding; raises UnverifiedError otherwise."""
    sizes = ", ".join(f"{name} = {n}" for name, n in point.sizes.items()) or "the given sizes"
    values = numeric.values
    if analytic.shape != values.shape:
        report: dict[str, Any] = {
            "entry": None,
            "analytic": analytic.shape,
            "numeric": values.shape,
            "sizes": point.sizes,
        }
        raise UnverifiedError(
            f"{what} has shape {analytic.shape} but must have {values.shape} (at {sizes})",
            "A gradient has the shape of its variable.",
            report,
        )
    gaps = np.where(numeric.judged, np.abs(analytic - values), 0.0)
    greatest = max(float(np.abs(analytic).max(initial=0)), float(np.abs(values).max(initial=0)), 1e-3)
    worst = np.unravel_index(int(np.nan_to_num(gaps, nan=np.inf).argmax()), gaps.shape) if gaps.size else ()
    gap = float(gaps[worst]) if gaps.size else 0.0
    if not gap <= TOLERANCE * greatest + 1e-10 * scale:
        if numeric.doubtful(analytic):
            raise IllConditioned
        at = [int(i) for i in worst]
        report = {
            "entry": at,
            "analytic": float(analytic[worst]),
            "numeric": float(values[worst]),
            "sizes": point.sizes,
        }
        raise UnverifiedError(
            f"{what}{at if at else ''} is {report['analytic']:.9g}, but central differences give "
            f"{report['numeric']:.9g} (at {sizes})",
            "The formula is wrong and is not shown.",
            report,
        )
    return Check(what, point.sizes, int(np.sum(numeric.judged)), gap / greatest)


def at_points(
    program: Program, gradients: tuple[Line, ...], judge: Callable[[Point], list[Check]], seed: int
) -> list[Check]:
    """What `judge` finds at POINTS points, of which those that say nothing are drawn again."""
    checks: list[Check] = []
    for number in range(POINTS):
        for attempt in range(_REDRAWS):
            try:
                checks.extend(judge(_point(program, gradients, number, attempt, seed)))
                break
            except IllConditioned:
                continue
        else:
            raise UnverifiedError(
                f"the derivative of {program.result.name} could not be judged: central differences disagree with "
                f"themselves at {_REDRAWS} points",
                "Scale the expression so that its values are of the order of one.",
                {},
            )
    return checks


def check_formula(text: str, wrt: str, formula: str, shapes: Mapping[str, Any] | None = None) -> list[Check]:
    """Compare somebody's `formula` for the derivative of the last line by `wrt` with central differences.

    The formula may use all inputs and lines. Raises ExpressionError where its shapes have no meaning, UnverifiedError
    where its numbers are wrong.
    """
    program = read(text, shapes)
    name = f"d{program.result.name}_d{wrt}"
    extended = read(f"{text}\n{name} = {formula}", shapes)
    if wrt not in program.shapes:
        raise unknown_name("variable", wrt, program.shapes)
    claimed = extended.result.expression

    def judge(point: Point) -> list[Check]:
        analytic = evaluate(claimed, point.values, point.sizes)
        scale = float(np.abs(point.values[program.result.name]).max(initial=0))
        numeric = numeric_gradient(program, wrt, point, np.ones(()))
        return [compare(f"∂{program.result.name}/∂{wrt}", analytic, numeric, point, scale)]

    return at_points(program, (extended.result,), judge, 0)


def verify(
    program: Program,
    unfolded: Program,
    found: Backward,
    wrt: list[str],
    *,
    closed: Mapping[str, Node] | None = None,
    seed: int = 0,
) -> list[Check]:
    """Compare all adjoints and all local derivatives of `found`; raises UnverifiedError where one is wrong.

    `closed` has further forms of some gradients, by the name of the variable.

    The reference is the program as it was written; unfolding, index notation and matrices are all on trial.
    """
    edges = [edge for adjoint in found.adjoints.values() for edge in adjoint.edges]

    def judge(point: Point) -> list[Check]:
        checks = [_check_edge(edge, point) for edge in edges]
        for name, adjoint in found.adjoints.items():
            if adjoint.edges:
                checks.extend(_check_adjoint(program if name in program.shapes else unfolded, adjoint, point, closed))
        return checks + [_check_zero(program, name, point) for name in wrt if name in found.independent]

    return at_points(unfolded, found.lines([*found.adjoints]), judge, seed)


def _check_zero(program: Program, name: str, point: Point) -> Check:
    if name not in program.inputs and name not in {line.name for line in program.lines}:
        return Check(f"∂{program.result.name}/∂{name}", point.sizes, 0, 0.0)
    numeric = numeric_gradient(program, name, point, np.ones(point.values[program.result.name].shape))
    return compare(f"∂{program.result.name}/∂{name}", np.zeros(point.values[name].shape), numeric, point, 1.0)


def _check_adjoint(program: Program, adjoint: Adjoint, point: Point, closed: Mapping[str, Node] | None) -> list[Check]:
    """The matrix form and the index form, each; a derivative of a tensor entry by entry of that tensor."""
    result = point.values[program.result.name]
    of = adjoint.of.name
    what = f"∂{program.result.name}/∂{of}"
    scale = float(np.abs(result).max(initial=0))
    if adjoint.outer:
        numeric = numeric_jacobian(program, of, point)
    else:
        numeric = numeric_gradient(program, of, point, np.ones(()))
    free = tuple(index for index in (*adjoint.outer, *adjoint.where) if index is not None)
    indexed = evaluate_indices(adjoint.contracted, free, Tensors(point.values, point.sizes))
    checks = [compare(f"{what} in index notation", indexed.reshape(numeric.values.shape), numeric, point, scale)]
    if adjoint.formula is not None:
        value = evaluate(adjoint.formula, point.values, point.sizes)
        if adjoint.outer and value.size == numeric.values.size:
            value = value.reshape(numeric.values.shape)
        checks.append(compare(what, value, numeric, point, scale))
    if closed and of in closed:
        value = evaluate(closed[of], point.values, point.sizes)
        checks.append(compare(f"{what} in full", value, numeric, point, scale))
    return checks


def _check_edge(edge: Edge, point: Point) -> Check:
    """Σ R · ∂Y/∂V against the differences of Σ R · Y(V) for a random R, through this line alone."""
    value, line = point.values[edge.source.name], edge.target
    weights = generator(len(line.name), "verification").normal(size=point.values[line.name].shape)
    alone = Program({}, (line,))

    def values_at(x: Floats) -> Floats:
        return evaluate(line.expression, {**point.values, edge.source.name: x}, point.sizes)

    def differ(step: float) -> tuple[Floats, NDArray[np.bool_]]:
        found = differences.gradient(
            lambda x: float((weights * values_at(x)).sum()),
            value,
            step=step,
            pieces=(lambda x: pieces(alone, {**point.values, edge.source.name: x}, point.sizes))
            if has_kinks(alone)
            else None,
        )
        return found.values, ~found.kinked

    at = tuple(index for index in edge.at if index is not None)
    where = tuple(index for index in edge.where if index is not None)
    local = evaluate_indices(edge.local, at + where, Tensors(point.values, point.sizes))
    flat = weights.reshape([index.size.at(point.sizes) for index in at])
    analytic = np.tensordot(flat, local, axes=len(at)).reshape(value.shape)
    scale = float(np.abs(point.values[line.name]).max(initial=0))
    what = f"∂{line.name}/∂{edge.source.name} with random weights"
    return compare(what, analytic, Numeric(differ), point, scale)
