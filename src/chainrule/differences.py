"""A derivative that nobody derived: central differences, with the entries that they cannot judge marked.

The five-point form is used throughout,

    f'(x) ≈ (8 (f(x + h) − f(x − h)) − (f(x + 2h) − f(x − 2h))) / 12h,

whose truncation error is h⁴ f⁽⁵⁾/30 (Abramowitz & Stegun 25.3.6). At h = 1e-4 and float64 truncation and rounding are
both near 1e-12 for functions of order one. Where f has a kink between the outermost points the formula means nothing;
such entries are marked, never silently used.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

STEP = 1e-4
ROUNDING = 64 * float(np.finfo(np.float64).eps)  # of a function's value, relative to it
_OFFSETS = (1.0, -1.0, 2.0, -2.0)
_WEIGHTS = (8.0, -8.0, -1.0, 1.0)


@dataclass(frozen=True)
class Differences:
    """`values` approximates the gradient entry by entry; `kinked` marks the entries that say nothing."""

    values: Floats
    kinked: NDArray[np.bool_]


def gradient(
    function: Callable[[Floats], float],
    x: Floats,
    *,
    step: float = STEP,
    pieces: Callable[[Floats], NDArray[Any]] | None = None,
) -> Differences:
    """Central differences of a scalar `function` at `x` (any shape, float64), one entry after the other.

    The step of an entry is `step · max(1, |entry|)`. `pieces(x)`, where given, tells on which smooth piece of the
    function x lies (say, the pattern of ReLUs that are on); an entry is `kinked` where the points that its difference
    uses do not all lie on the piece of x. `x` itself is left as it was.
    """
    point = np.array(x, dtype=np.float64)
    values = np.zeros_like(point)
    kinked = np.zeros(point.shape, dtype=np.bool_)
    home = pieces(point) if pieces is not None else np.empty(0)
    for index in np.ndindex(point.shape):
        original = float(point[index])
        h = step * max(1.0, abs(original))
        total = 0.0
        for offset, weight in zip(_OFFSETS, _WEIGHTS, strict=True):
            point[index] = original + offset * h
            total += weight * function(point)
            if pieces is not None and not np.array_equal(pieces(point), home):
                kinked[index] = True
        point[index] = original
        values[index] = total / (12 * h)
    return Differences(values, kinked)


def elementwise(
    function: Callable[[Floats], Floats], z: Floats, *, step: float = STEP, kinks: tuple[float, ...] = ()
) -> Differences:
    """Central differences of an elementwise `function` at every entry of `z` at once, away from its `kinks`."""
    h = step * np.maximum(1.0, np.abs(z))
    pairs = zip(_OFFSETS, _WEIGHTS, strict=True)
    values = sum(weight * function(z + offset * h) for offset, weight in pairs) / (12 * h)
    kinked = np.zeros(z.shape, dtype=np.bool_)
    for kink in kinks:
        kinked |= np.abs(z - kink) <= 2 * h
    return Differences(np.asarray(values), kinked)


@dataclass(frozen=True)
class Slope:
    """A derivative along one direction.

    value      what the five-point form gives
    rounding   what the rounding of the function's values can make of it
    step       h
    kinked     whether a kink lies between the outermost points, so that the value says nothing
    """

    value: float
    rounding: float
    step: float
    kinked: bool


def along(function: Callable[[float], tuple[float, NDArray[Any] | None]], step: float) -> Slope:
    """The derivative at 0 of `function`, which gives its value at t and the smooth piece on which t lies, or None.

    Where pieces are given, they say whether there is a kink. Besides, a kink at 0 itself shows in the values: there the
    slope jumps by as much at h as at 2h, and twice as much at 2h where the function is smooth.
    """
    middle, home = function(0.0)
    points = [function(offset * step) for offset in _OFFSETS]
    near_right, near_left, far_right, far_left = values = [value for value, _ in points]
    total = sum(weight * value for weight, value in zip(_WEIGHTS, values, strict=True))
    rounding = ROUNDING * max(map(abs, [middle, *values])) / step
    slope = total / (12 * step)
    jump, far_jump = (near_right - 2 * middle + near_left) / step, (far_right - 2 * middle + far_left) / (2 * step)
    jumps = abs(jump) > max(1e-3 * abs(slope), 4 * rounding) and abs(far_jump) < 1.5 * abs(jump)
    left_home = home is not None and any(piece is None or not np.array_equal(piece, home) for _, piece in points)
    return Slope(slope, rounding, step, bool(jumps or left_home))


_SIXTH = (1.0, -6.0, 15.0, -20.0, 15.0, -6.0, 1.0)  # binomial coefficients, whose squares add up to 924
_SPACINGS = (1e-5, 1e-4, 1e-3)


def noise(function: Callable[[float], tuple[float, NDArray[Any] | None]]) -> float:
    """What rounding adds to the values of `function` (as in `along`) near 0, as a standard deviation.

    Sixth differences of values at close points, from which all that is smooth has gone, over √924; of three spacings
    the greatest, up to one from which a hundred times as much is seen, for that is no noise any more. Moré, Wild 2011,
    "Estimating computational noise". 0 where the points lie on different smooth pieces.
    """
    home = function(0.0)[1]
    greatest = 0.0
    for spacing in _SPACINGS:
        points = [function(k * spacing) for k in range(-3, 4)]
        if home is not None and any(piece is None or not np.array_equal(piece, home) for _, piece in points):
            break
        found = abs(sum(c * value for c, (value, _) in zip(_SIXTH, points, strict=True))) / float(np.sqrt(924))
        if not np.isfinite(found) or 0 < 100 * greatest < found:
            break
        greatest = max(greatest, found)
    return greatest
