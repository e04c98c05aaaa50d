"""When two quantities are the same: at every point, to one part in a million of their greatest entry."""

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Both = tuple[Array, ...]
"""One quantity at every point that was observed, rows are samples."""

TOLERANCE = 1e-6
_NOTHING = 1e-12  # below this a quantity counts as zero


def deviations(observed: Both, right: Both) -> tuple[float, ...]:
    """At each point the greatest |observed − right|, relative to the greatest entry of both; inf for other shapes."""
    return tuple(_deviation(a, b) for a, b in zip(observed, right, strict=True))


def close(observed: Both, right: Both, tolerance: float = TOLERANCE) -> bool:
    return all(_deviation(a, b) <= tolerance for a, b in zip(observed, right, strict=True))


def factors(observed: Both, base: Both, tolerance: float = TOLERANCE) -> tuple[float, ...] | None:
    """r with observed = r · base at each point, or None."""
    found = []
    for a, b in zip(observed, base, strict=True):
        if a.shape != b.shape:
            return None
        square, product = float(np.vdot(b, b)), float(np.vdot(a, b))
        if not square > _NOTHING**2:
            return None
        rest = float(np.vdot(a, a)) - product * product / square  # quickly: what no multiple of b explains
        if rest > 4 * a.size * tolerance**2 * max(product * product / square, rest):
            return None
        found.append(product / square)
    fitted = tuple(r * b for r, b in zip(found, base, strict=True))
    return tuple(found) if close(observed, fitted, tolerance) else None


def along(observed: Both, right: Both, direction: Both) -> tuple[float, ...] | None:
    """c with observed = right + c · direction at each point, where at least one entry more than c decides it."""
    if any(a.size < 2 or a.shape != b.shape for a, b in zip(observed, right, strict=True)):
        return None
    rest = tuple(a - b for a, b in zip(observed, right, strict=True))
    found = factors(rest, direction, np.inf)
    if found is None:
        return None
    fitted = tuple(b + c * d for b, c, d in zip(right, found, direction, strict=True))
    return found if close(observed, fitted) else None


def is_zero(value: Both) -> bool:
    return all(float(np.abs(a).max(initial=0.0)) <= _NOTHING for a in value)


def same_number(numbers: tuple[float, ...], tolerance: float = TOLERANCE) -> bool:
    return all(abs(x - numbers[0]) <= tolerance * max(abs(numbers[0]), _NOTHING) for x in numbers)


def _deviation(a: Array, b: Array) -> float:
    if a.shape != b.shape:
        return np.inf
    if not (np.isfinite(a).all() and np.isfinite(b).all()):
        return np.inf
    greatest = max(float(np.abs(a).max(initial=0.0)), float(np.abs(b).max(initial=0.0)))
    if greatest <= _NOTHING:
        return 0.0
    return float(np.abs(a - b).max(initial=0.0)) / greatest
