"""Each way to draw the first weights once: from the widths of a layer and a generator to a matrix W (d, h).

Drawn in float64 whatever the network's dtype, so that float32 and float64 networks of one seed start alike.
Biases start at zero.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from chainrule.specs import number

Floats = NDArray[np.float64]
Draw = Callable[[np.random.Generator, int, int], Floats]


@dataclass(frozen=True)
class Initializer:
    """draw(generator, fan_in, fan_out) → W of shape (fan_in, fan_out), float64."""

    name: str
    draw: Draw


def zeros() -> Initializer:
    return Initializer("zeros", lambda generator, d, h: np.zeros((d, h)))


def normal(scale: float = 0.01) -> Initializer:
    """Normal with mean 0 and standard deviation `scale`."""
    scale = number("scale", scale, least=0)
    return Initializer(f"normal(scale={scale!r})", lambda generator, d, h: generator.normal(0, scale, (d, h)))


def uniform(low: float = -1.0, high: float = 1.0) -> Initializer:
    """Uniform between `low` and `high`."""
    low = number("low", low)
    high = number("high", high, least=low)
    return Initializer(
        f"uniform(low={low!r}, high={high!r})", lambda generator, d, h: generator.uniform(low, high, (d, h))
    )


def xavier() -> Initializer:
    """Uniform on ±√(6 / (fan_in + fan_out)); Glorot, Bengio 2010, equation 16."""
    return Initializer("xavier", lambda generator, d, h: _symmetric(generator, d, h, np.sqrt(6 / (d + h))))


def xavier_normal() -> Initializer:
    """Normal with variance 2 / (fan_in + fan_out); Glorot, Bengio 2010, equation 12."""
    return Initializer("xavier_normal", lambda generator, d, h: generator.normal(0, np.sqrt(2 / (d + h)), (d, h)))


def he() -> Initializer:
    """Normal with variance 2 / fan_in; He, Zhang, Ren, Sun 2015, equation 10."""
    return Initializer("he", lambda generator, d, h: generator.normal(0, np.sqrt(2 / d), (d, h)))


def he_uniform() -> Initializer:
    """Uniform with variance 2 / fan_in."""
    return Initializer("he_uniform", lambda generator, d, h: _symmetric(generator, d, h, np.sqrt(6 / d)))


def fan_out() -> Initializer:
    """Normal with variance 1 / fan_out: the form in print that has fan-out where fan-in belongs, kept to study it."""
    return Initializer("fan_out", lambda generator, d, h: generator.normal(0, np.sqrt(1 / h), (d, h)))


def orthogonal(gain: float = 1.0) -> Initializer:
    """`gain` times a matrix with orthonormal rows or columns, uniform among those; Saxe, McClelland, Ganguli 2014."""
    gain = number("gain", gain)

    def draw(generator: np.random.Generator, d: int, h: int) -> Floats:
        Q, R = np.linalg.qr(generator.normal(size=(max(d, h), min(d, h))))
        Q *= np.sign(np.diag(R))  # without this the distribution is not uniform
        return gain * np.ascontiguousarray(Q if d >= h else Q.T)

    return Initializer(f"orthogonal(gain={gain!r})", draw)


def _symmetric(generator: np.random.Generator, d: int, h: int, bound: float) -> Floats:
    return generator.uniform(-bound, bound, (d, h))
