"""Points in the plane, drawn from a seed: what a small network can be watched learning."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from chainrule.errors import DataError
from chainrule.randomness import generator

Points = tuple[NDArray[np.float32], NDArray[np.int64]]

QUADRATIC_FORMS = {2020: ((1, 0.5), (1, 0.2)), 2021: ((1, -0.05), (1, 0.4))}


def synth(edition: int, count: int, seed: int) -> Points:
    """x ~ N(0, I₂), label 1 where xᵀQx > 0.6: a hyperbola in the edition 2020, an ellipse in that of 2021.

    Drawn as the course's own code draws it (numpy.random.RandomState), so that seed 0 gives its points.
    """
    if edition not in QUADRATIC_FORMS:
        raise DataError(f"synth has no edition {edition}", "Valid: 2020 (hyperbola), 2021 (ellipse).")
    form = np.array(QUADRATIC_FORMS[edition])
    x = np.random.RandomState(seed % 2**32).randn(count, 2)
    inside = np.einsum("ij,jk,ik->i", x, form, x) > 0.6
    return x.astype(np.float32), inside.astype(np.int64)


def circles(samples: int, noise: float, seed: int) -> Points:
    """Two circles about the origin, radii 1 (label 0) and 0.4 (label 1)."""
    from sklearn.datasets import make_circles

    return _points(make_circles(n_samples=samples, factor=0.4, noise=noise, random_state=seed % 2**32))


def moons(samples: int, noise: float, seed: int) -> Points:
    """Two half circles that reach into each other."""
    from sklearn.datasets import make_moons

    return _points(make_moons(n_samples=samples, noise=noise, random_state=seed % 2**32))


def blobs(samples: int, noise: float, seed: int) -> Points:
    """Three normal clouds of standard deviation `noise`, centres uniform in [−10, 10]²."""
    from sklearn.datasets import make_blobs

    return _points(make_blobs(n_samples=samples, centers=3, cluster_std=noise, random_state=seed % 2**32))


def spirals(samples: int, noise: float, seed: int) -> Points:
    """Three arms from the centre outwards, one and a quarter turns each; `noise` disturbs the angle (radians)."""
    draw = generator(seed, "synthesis")
    label = np.arange(samples) % 3
    radius = draw.uniform(0.05, 1, samples)
    angle = 2 * np.pi * (1.25 * radius + label / 3) + noise * draw.standard_normal(samples)
    return _points((np.column_stack([radius * np.cos(angle), radius * np.sin(angle)]), label))


def xor(samples: int, noise: float, seed: int) -> Points:
    """Uniform in [−1, 1]², label 1 where the signs differ; `noise` then moves every point."""
    draw = generator(seed, "synthesis")
    x = draw.uniform(-1, 1, (samples, 2))
    label = (x[:, 0] > 0) ^ (x[:, 1] > 0)
    return _points((x + noise * draw.standard_normal((samples, 2)), label))


def _points(drawn: tuple[NDArray[Any], NDArray[Any]]) -> Points:
    return drawn[0].astype(np.float32), drawn[1].astype(np.int64)


# name: how it is drawn, and its own noise
SHAPES: dict[str, tuple[Callable[[int, float, int], Points], float]] = {
    "circles": (circles, 0.05),
    "moons": (moons, 0.1),
    "blobs": (blobs, 1.0),
    "spirals": (spirals, 0.1),
    "xor": (xor, 0.0),
}
