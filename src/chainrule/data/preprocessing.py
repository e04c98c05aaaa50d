"""Every preprocessing step is an affine map per feature, so that any chain is one: x → (x − shift) · scale."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from chainrule.errors import DataError, unknown_name

Floats = NDArray[np.float64]

BLOCK = 1 << 20  # numbers converted at a time: the float64 copies stay at 8 MiB each


@dataclass(frozen=True, eq=False)
class Preprocessing:
    """Steps fitted on the training part, composed: `x → (x − shift) · scale`, computed in float64.

    names: the steps in order, joined by "+", or "none". shift, scale: (d,) float64.
    """

    names: str
    shift: Floats
    scale: Floats

    @classmethod
    def fit(cls, names: str, x_train_raw: NDArray[Any]) -> "Preprocessing":
        """Fit the steps of `names` on raw training samples (m, …), flattened to (m, d).

        none         as it is
        scale        to [0, 1] or [−1, 1]: divide by 255 where the samples are 8-bit (uint8) and this is the first
                     step, by the largest absolute value of the training part otherwise
        mean-image   subtract the mean of every feature
        standardise  zero mean, unit standard deviation (dividing by m) of every feature
        min-max      to [0, 1], every feature by itself

        A feature that is constant in the training part is shifted only. Raises UnknownNameError for another
        name, DataError for a step that stands twice.
        """
        steps = step_names(names)
        raw = x_train_raw.reshape(len(x_train_raw), -1)
        shift, scale = np.zeros(raw.shape[1]), np.ones(raw.shape[1])
        if steps == ("scale",) and raw.dtype == np.uint8:  # known without a look at the samples
            scale /= 255
        elif steps:
            statistics = _statistics(raw)
            for step in steps:
                step_shift, step_scale = STEPS[step](statistics)
                statistics = _moved(statistics, step_shift, step_scale)
                shift, scale = shift + step_shift / scale, scale * step_scale
        return cls("+".join(steps) or "none", shift, scale)

    def __call__(self, raw: NDArray[Any]) -> NDArray[np.float32]:
        """Raw samples (m, …) → X (m, d), float32, C-contiguous, newly allocated."""
        flat = raw.reshape(len(raw), self.shift.size)
        out = np.empty(flat.shape, np.float32)
        with np.errstate(over="ignore"):
            for rows in _blocks(flat):
                out[rows] = (flat[rows].astype(np.float64) - self.shift) * self.scale
        return out


def step_names(names: str) -> tuple[str, ...]:
    """The steps of a text such as "scale+mean-image"; () for "none"."""
    if names.strip() == "none":
        return ()
    steps = tuple(name.strip() for name in names.split("+"))
    for step in steps:
        if step not in STEPS:
            raise unknown_name("preprocessing", step, [*STEPS, "none"])
    if len(set(steps)) < len(steps):
        raise DataError(f"preprocessing {names!r} names a step twice", "Name every step once.")
    return steps


@dataclass(frozen=True)
class _Statistics:
    """What the steps need to know of the training part; it follows an affine map without the samples."""

    mean: Floats
    deviation: Floats
    low: Floats
    high: Floats
    ceiling: float | None  # the largest value the raw dtype stands for, where it has one


def _statistics(raw: NDArray[Any]) -> _Statistics:
    low, high = raw.min(axis=0).astype(np.float64), raw.max(axis=0).astype(np.float64)
    # Rounding must not push a mean outside its values: a constant feature becomes exactly zero.
    mean = np.clip(raw.mean(axis=0, dtype=np.float64), low, high)
    squares = np.zeros(raw.shape[1])
    for rows in _blocks(raw):
        squares += ((raw[rows] - mean) ** 2).sum(axis=0)
    return _Statistics(mean, np.sqrt(squares / len(raw)), low, high, 255.0 if raw.dtype == np.uint8 else None)


def _moved(statistics: _Statistics, shift: Floats, scale: Floats) -> _Statistics:
    return replace(
        statistics,
        mean=(statistics.mean - shift) * scale,
        deviation=statistics.deviation * scale,
        low=(statistics.low - shift) * scale,
        high=(statistics.high - shift) * scale,
        ceiling=None,
    )


def _blocks(flat: NDArray[Any]) -> Iterator[slice]:
    rows = max(1, BLOCK // max(1, flat.shape[1]))
    return (slice(start, start + rows) for start in range(0, len(flat), rows))


def _reciprocal(width: Floats) -> Floats:
    """1 / width, and 1 where the width is nothing."""
    wide = width > np.finfo(np.float64).tiny
    return np.where(wide, 1 / np.where(wide, width, 1.0), 1.0)


def _scale(statistics: _Statistics) -> tuple[Floats, Floats]:
    ceiling = statistics.ceiling or max(np.abs(statistics.low).max(), np.abs(statistics.high).max())
    zeros = np.zeros_like(statistics.mean)
    return zeros, _reciprocal(zeros + ceiling)


def _mean_image(statistics: _Statistics) -> tuple[Floats, Floats]:
    return statistics.mean, np.ones_like(statistics.mean)


def _standardise(statistics: _Statistics) -> tuple[Floats, Floats]:
    return statistics.mean, _reciprocal(statistics.deviation)


def _min_max(statistics: _Statistics) -> tuple[Floats, Floats]:
    return statistics.low, _reciprocal(statistics.high - statistics.low)


STEPS: dict[str, Callable[[_Statistics], tuple[Floats, Floats]]] = {
    "scale": _scale,
    "mean-image": _mean_image,
    "standardise": _standardise,
    "min-max": _min_max,
}
