"""Whether each gradient is right: by numbers alone, against the derivative of the file's own loss."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from chainrule.diagnosis.agreement import TOLERANCE, Both, close, deviations, factors, is_zero, same_number
from chainrule.diagnosis.evidence import Gradient
from chainrule.diagnosis.observation import Observation

SIMILAR = 1e-4  # what the derivative of a recognised loss allows, where central differences agree by their own rounding
BLIND = 1e-3  # share of a gradient that rounding may hide before central differences count for nothing


@dataclass(frozen=True)
class Judged:
    """The gradient by one parameter: right or not, and how far it is off at each point, relative to its greatest entry.

    unseen   nothing could be said: there is no derivative to compare with, and central differences are too coarse
    """

    parameter: str
    right: bool
    off: tuple[float, ...]
    note: str = ""
    unseen: bool = False


def judge(name: str, gradient: Gradient | None, observations: Sequence[Observation], derivative: Both | None) -> Judged:
    """`derivative` is that of the recognised loss, where it was recognised."""
    nothing = tuple(float("nan") for _ in observations)
    if gradient is None:
        return Judged(name, False, nothing, "not among the gradients")
    if gradient.value is None:
        shape = "×".join(map(str, gradient.raw[0].shape)) or "a number"
        return Judged(name, False, nothing, f"of shape {shape}, which does not fit")
    if not all(np.isfinite(value).all() for value in gradient.value):
        return Judged(name, False, nothing, "not finite")
    numerical = tuple(
        o.numerical.get(name, np.full_like(v, np.nan)) for o, v in zip(observations, gradient.value, strict=True)
    )
    agrees = _agrees(gradient.value, numerical, [o.rounding.get(name, 0.0) for o in observations])
    off = _off(gradient.value, numerical) if derivative is None else deviations(gradient.value, derivative)
    right = bool(agrees)
    if derivative is not None:
        similar = all(d <= SIMILAR for d in off) or (is_zero(derivative) and is_zero(gradient.value))
        right = close(gradient.value, derivative) or (agrees is True and similar)
    note = "of the shape of the transposed parameter" if gradient.fault == "transposed" else ""
    unseen = derivative is None and agrees is None and not gradient.fault
    return Judged(name, right and not gradient.fault, off, note, unseen)


def common_factor(gradients: Mapping[str, Gradient], derivatives: Mapping[str, Both]) -> tuple[float, ...] | None:
    """The number, one a point, by which every gradient differs from the derivative of the assumed loss, or None."""
    found: list[tuple[float, ...]] = []
    for name, derivative in derivatives.items():
        if name not in gradients:
            continue
        gradient = gradients[name]
        if gradient.value is None or gradient.fault:
            return None
        r = factors(gradient.value, derivative)
        if r is None:
            return None
        found.append(r)
    together = zip(*found, strict=True)
    return found[0] if found and all(same_number(numbers) for numbers in together) else None


def _agrees(value: Both, numerical: Both, rounding: Sequence[float]) -> bool | None:
    """Whether central differences confirm the gradient; None where they see too little."""
    for v, n, allowed in zip(value, numerical, rounding, strict=True):
        seen = np.isfinite(n)
        if not seen.any():
            return None
        greatest = max(float(np.abs(n[seen]).max()), float(np.abs(v[seen]).max()))
        if allowed > BLIND * greatest and greatest > 0:
            return None
        if float(np.abs(v - n)[seen].max()) > TOLERANCE * greatest + allowed:
            return False
    return True


def _off(value: Both, numerical: Both) -> tuple[float, ...]:
    masked = [np.isfinite(n) for n in numerical]
    return deviations(
        tuple(v[s] for v, s in zip(value, masked, strict=True)),
        tuple(n[s] for n, s in zip(numerical, masked, strict=True)),
    )
