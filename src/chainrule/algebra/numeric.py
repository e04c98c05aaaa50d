"""The derivative of a program that nobody derived: central differences of a line by a value above it."""

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from chainrule import differences
from chainrule.algebra.evaluate import prepared
from chainrule.algebra.points import Floats, Point, argument, with_kinks
from chainrule.algebra.program import Line


class IllConditioned(Exception):  # noqa: N818
    """At this point central differences disagree with themselves: it says nothing, and another one is drawn."""


class Path:
    """Σ weights · R as a function of V, through `lines`; all else keeps its value at the point.

    result   the name R; its weights are ones unless they are given
    of       the name V, an input or a line that stands above
    """

    def __init__(self, lines: Sequence[Line], result: str, of: str, point: Point, weights: Floats | float = 1.0):
        self.result, self.of, self.weights = result, of, weights
        self.start = point.values[of]
        self._point = point
        self._steps = [(line.name, prepared(line.expression, point.sizes)) for line in lines]
        self._kinked = [
            (np.asarray(part.data.kinks), prepared(argument(part), point.sizes))
            for line in lines
            for part in with_kinks(line.expression)
        ]
        self._last: tuple[bytes, dict[str, Floats]] = (b"", {})

    def value(self, x: Floats) -> float:
        return float((self.weights * self._values(x)[self.result]).sum())

    @property
    def pieces(self) -> Callable[[Floats], NDArray[np.intp]] | None:
        """On which smooth piece of its function each argument lies; None where nothing has a kink."""
        if not self._kinked:
            return None
        return lambda x: np.concatenate(
            [np.searchsorted(kinks, np.ravel(at(self._values(x)))) for kinks, at in self._kinked]
        )

    def _values(self, x: Floats) -> dict[str, Floats]:
        """All values; what does not depend on x is not computed again, nor is what was asked for last."""
        key = x.tobytes()
        if self._last[0] != key:
            found = {**self._point.values, self.of: x}
            for name, value_of in self._steps:
                found[name] = value_of(found)
            self._last = (key, found)
        return self._last[1]


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


def numeric_gradient(path: Path) -> Numeric:
    """Entry by entry of V."""

    def differ(step: float) -> tuple[Floats, NDArray[np.bool_]]:
        found = differences.gradient(path.value, path.start, step=step, pieces=path.pieces)
        return found.values, ~found.kinked

    return Numeric(differ)


def numeric_jacobian(lines: Sequence[Line], result: str, of: str, point: Point) -> Numeric:
    """The same for every entry of R: axes of R first."""
    whole = point.values[result]

    def differ(step: float) -> tuple[Floats, NDArray[np.bool_]]:
        values = np.zeros((*whole.shape, *point.values[of].shape))
        judged = np.ones(values.shape, dtype=np.bool_)
        for at in np.ndindex(whole.shape):
            weights = np.zeros(whole.shape)
            weights[at] = 1
            path = Path(lines, result, of, point, weights)
            found = differences.gradient(path.value, path.start, step=step, pieces=path.pieces)
            values[at], judged[at] = found.values, ~found.kinked
        return values, judged

    return Numeric(differ)


def numeric_slope(path: Path, direction: Floats) -> differences.Slope:
    """Along one direction: a single number in which every entry of V has its part."""
    pieces = path.pieces

    def at(t: float) -> tuple[float, NDArray[np.intp] | None]:
        x = path.start + t * direction
        return path.value(x), pieces(x) if pieces is not None else None

    with np.errstate(all="ignore"):
        return differences.along(at, differences.STEP)
