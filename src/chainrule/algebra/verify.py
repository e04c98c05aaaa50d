"""Nothing is printed that was not compared: every gradient and every local derivative against central differences.

Two random points are drawn, each with sizes of its own that are pairwise different, so that a transpose that is missing
has no shape to fit into. Entries near kinks are not judged but drawn again. What was asked for is compared entry by
entry; gradients on the way to it along a random direction, and entry by entry where that is in doubt.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from chainrule.algebra.evaluate import evaluate
from chainrule.algebra.gradients import Adjoint, Backward, Edge
from chainrule.algebra.numbers import Tensors
from chainrule.algebra.numbers import evaluate as evaluate_indices
from chainrule.algebra.numeric import IllConditioned, Numeric, Path, numeric_gradient, numeric_jacobian, numeric_slope
from chainrule.algebra.points import REDRAWS, Floats, Point, draw_point
from chainrule.algebra.program import Line, Program
from chainrule.algebra.tree import Node
from chainrule.errors import ChainruleError
from chainrule.randomness import generator

POINTS = 2
TOLERANCE = 1e-7  # of the greatest entry, as for networks


class UnverifiedError(ChainruleError, ArithmeticError):
    """A derivative that central differences contradict. `report` has the entry, the analytic and the numeric value."""

    def __init__(self, problem: str, remedy: str, report: dict[str, Any]) -> None:
        super().__init__(problem, remedy)
        self.report = report


@dataclass(frozen=True)
class Check:
    """One comparison that agreed: what, at which sizes, and the greatest gap relative to the greatest entry."""

    what: str
    sizes: dict[str, int]
    entries: int
    gap: float


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
        for attempt in range(REDRAWS):
            try:
                checks.extend(judge(draw_point(program, gradients, number, attempt, seed)))
                break
            except IllConditioned:
                continue
        else:
            raise UnverifiedError(
                f"the derivative of {program.result.name} could not be judged: central differences disagree with "
                f"themselves at {REDRAWS} points",
                "Scale the expression so that its values are of the order of one.",
                {},
            )
    return checks


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
                reference = program if name in program.shapes else unfolded
                checks.extend(_check_adjoint(reference, adjoint, point, (closed or {}).get(name), name in wrt))
        return checks + [_check_zero(program, name, point) for name in wrt if name in found.independent]

    return at_points(unfolded, found.lines([*found.adjoints]), judge, seed)


def _check_zero(program: Program, name: str, point: Point) -> Check:
    result = program.result.name
    numeric = numeric_gradient(Path(program.above(name), result, name, point))
    return compare(f"∂{result}/∂{name}", np.zeros(point.values[name].shape), numeric, point, 1.0)


def _check_adjoint(program: Program, adjoint: Adjoint, point: Point, closed: Node | None, wanted: bool) -> list[Check]:
    """The matrix form and the index form, each; a derivative of a tensor entry by entry of that tensor."""
    result, of = program.result.name, adjoint.of.name
    lines, scale = program.above(of), float(np.abs(point.values[result]).max(initial=0))
    shape = (point.values[result].shape if adjoint.outer else ()) + point.values[of].shape
    forms = _forms(f"∂{result}/∂{of}", adjoint, point, closed, shape)
    if not wanted and not adjoint.outer:
        checks = _along(forms, Path(lines, result, of, point), point, scale)
        if checks is not None:
            return checks
    if adjoint.outer:
        numeric = numeric_jacobian(lines, result, of, point)
    else:
        numeric = numeric_gradient(Path(lines, result, of, point))
    return [compare(what, value, numeric, point, scale) for what, value in forms.items()]


def _forms(what: str, adjoint: Adjoint, point: Point, closed: Node | None, shape: tuple[int, ...]) -> dict[str, Floats]:
    """The numbers of one gradient in each of the forms in which it is printed."""
    free = tuple(index for index in (*adjoint.outer, *adjoint.where) if index is not None)
    indexed = evaluate_indices(adjoint.contracted, free, Tensors(point.values, point.sizes))
    forms = {f"{what} in index notation": indexed.reshape(shape)}
    if adjoint.formula is not None:
        value = evaluate(adjoint.formula, point.values, point.sizes)
        same = adjoint.outer and value.size == indexed.size
        forms[what] = value.reshape(shape) if same else value
    if closed is not None:
        forms[f"{what} in full"] = evaluate(closed, point.values, point.sizes)
    return forms


def _along(forms: Mapping[str, Floats], path: Path, point: Point, scale: float) -> list[Check] | None:
    """Each form along one random direction; None where that is in doubt, and entries have to tell."""
    draws = generator(len(path.of), "verification")
    shape = path.start.shape
    direction = draws.choice([-1.0, 1.0], size=shape) * draws.uniform(0.5, 1.5, size=shape)
    slope = numeric_slope(path, direction)
    checks = []
    for what, value in forms.items():
        if slope.kinked or value.shape != shape:
            return None
        greatest = max(float(np.abs(value).max(initial=0)), 1e-3)
        gap = abs(float((value * direction).sum()) - slope.value)
        if not gap <= TOLERANCE * greatest + 1e-10 * scale:
            return None
        checks.append(Check(what, point.sizes, 1, gap / greatest))
    return checks


def _check_edge(edge: Edge, point: Point) -> Check:
    """Σ R · ∂Y/∂V against the differences of Σ R · Y(V) for a random R, through this line alone."""
    line, of = edge.target, edge.source.name
    weights = generator(len(line.name), "verification").normal(size=point.values[line.name].shape)
    at = tuple(index for index in edge.at if index is not None)
    where = tuple(index for index in edge.where if index is not None)
    local = evaluate_indices(edge.local, at + where, Tensors(point.values, point.sizes))
    flat = weights.reshape([index.size.at(point.sizes) for index in at])
    analytic = np.tensordot(flat, local, axes=len(at)).reshape(point.values[of].shape)
    scale = float(np.abs(point.values[line.name]).max(initial=0))
    numeric = numeric_gradient(Path((line,), line.name, of, point, weights))
    return compare(f"∂{line.name}/∂{of} with random weights", analytic, numeric, point, scale)
