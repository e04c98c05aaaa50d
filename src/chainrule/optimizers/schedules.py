"""How the learning rate changes: each schedule gives, for every step of a training, a factor on the base rate."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from chainrule.errors import InputError, unknown_name
from chainrule.specs import number, parse

Floats = NDArray[np.float64]
Shape = Callable[[Floats, float], Floats]
"""(moments, total) → factors; moments and total are in epochs from the start of training."""
Schedule = Callable[[int, int, int, int], Floats]
"""(first, count, steps, total) → (count, steps), the factors of the `steps` steps of each of `count` epochs, of which
the first is number `first` (from 0) in a training of `total` epochs."""


def constant() -> Shape:
    return lambda moments, total: np.ones_like(moments)


def step(every: float = 10, factor: float = 0.1) -> Shape:
    """`factor` once more after each `every` epochs."""
    every, factor = number("every", every, above=0), number("factor", factor, least=0)
    # Moments are sums of rounded steps; a hair is added so that a multiple of `every` counts as reached.
    return lambda moments, total: np.asarray(factor ** np.floor(moments / every + 1e-9))


def exponential(decay: float = 0.95) -> Shape:
    """`decay` to the power of the epochs done, continuously."""
    decay = number("decay", decay, above=0)
    return lambda moments, total: np.asarray(decay**moments)


def cosine(floor: float = 0.0) -> Shape:
    """Half a cosine wave from 1 down to `floor` at the end; Loshchilov, Hutter 2017."""
    floor = number("floor", floor, least=0)
    if floor > 1:
        raise InputError(f"floor is {floor:g}", "The rate falls from 1 to the floor; give a share of it.")
    return lambda moments, total: floor + (1 - floor) * (1 + np.cos(np.pi * moments / total)) / 2


SCHEDULES: dict[str, Callable[..., Shape]] = {rule.__name__: rule for rule in (constant, step, exponential, cosine)}


def schedule(text: str) -> Schedule:
    """The schedule of that name, `"step(every=20, factor=0.5)"` for one with settings.

    Each also takes `warmup`, a number of epochs over which the factor climbs linearly from 0 before it:
    `"cosine(warmup=2)"`; Goyal et al. 2017.
    """
    spec = parse(text)
    if spec.name not in SCHEDULES:
        raise unknown_name("schedule", spec.name, SCHEDULES)
    settings: dict[str, Any] = dict(spec.kwargs)
    try:
        warmup = number("warmup", settings.pop("warmup", 0.0), least=0)
        inner = SCHEDULES[spec.name](*spec.args, **settings)
    except InputError as error:
        raise InputError(f"schedule {spec.name}: {error.problem}", error.remedy) from None
    except TypeError:
        raise InputError(
            f"schedule {spec.name} does not take the settings in {text!r}",
            "There are step(every, factor), exponential(decay), cosine(floor), and warmup for all.",
        ) from None

    def factors(first: int, count: int, steps: int, total: int) -> Floats:
        starts = np.arange(first, first + count)[:, None] + np.arange(steps) / steps
        shaped = inner(np.maximum(starts - warmup, 0), max(total - warmup, 1 / steps))
        climb = (starts + 1 / steps) / warmup if warmup else np.ones_like(starts)
        return np.where(climb < 1, climb, shaped)

    return factors
