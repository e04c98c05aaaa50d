"""How the learning rate changes: each schedule gives, for every step of a training, a factor on the base rate."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from chainrule.errors import InputError, unknown_name
from chainrule.specs import parse

Floats = NDArray[np.float64]
Schedule = Callable[[Floats, float], Floats]
"""(epochs, total) → factors: `epochs` are the moments of the steps, in epochs from 0; `total` is the last epoch."""


def constant() -> Schedule:
    return lambda epochs, total: np.ones_like(epochs)


def step(every: float = 10, factor: float = 0.1) -> Schedule:
    """`factor` once more after each `every` epochs."""
    if not every > 0:
        raise InputError(f"schedule step: every is {every}", "Give a number of epochs above 0.")
    return lambda epochs, total: np.asarray(factor ** np.floor(epochs / every))


def exponential(decay: float = 0.95) -> Schedule:
    """`decay` to the power of the epochs done, continuously."""
    return lambda epochs, total: np.asarray(decay**epochs)


def cosine(floor: float = 0.0) -> Schedule:
    """Half a cosine wave from 1 down to `floor` at the end; Loshchilov, Hutter 2017."""
    return lambda epochs, total: floor + (1 - floor) * (1 + np.cos(np.pi * epochs / total)) / 2


SCHEDULES: dict[str, Callable[..., Schedule]] = {rule.__name__: rule for rule in (constant, step, exponential, cosine)}


def schedule(text: str) -> Schedule:
    """The schedule of that name, `"step(every=20, factor=0.5)"` for one with settings.

    Each also takes `warmup`, a number of epochs over which the factor climbs linearly from 0 before it:
    `"cosine(warmup=2)"`; Goyal et al. 2017.
    """
    spec = parse(text)
    if spec.name not in SCHEDULES:
        raise unknown_name("schedule", spec.name, SCHEDULES)
    settings: dict[str, Any] = dict(spec.kwargs)
    warmup = float(settings.pop("warmup", 0.0))
    try:
        inner = SCHEDULES[spec.name](*spec.args, **settings)
    except TypeError:
        raise InputError(
            f"schedule {spec.name} does not take the settings in {text!r}",
            "There are step(every, factor), exponential(decay), cosine(floor), and warmup for all.",
        ) from None
    return _warmed_up(inner, warmup) if warmup > 0 else inner


def _warmed_up(inner: Schedule, warmup: float) -> Schedule:
    def factors(epochs: Floats, total: float) -> Floats:
        later = inner(np.maximum(epochs - warmup, 0), max(total - warmup, 1e-9))
        return np.where(epochs < warmup, epochs / warmup, later)

    return factors
