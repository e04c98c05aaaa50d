"""A small comparison with a known shape: features, copies of them with noise, and test rows of the same kind."""

from typing import Any

import numpy as np

SMALL: dict[str, Any] = {"epochs": 6, "batch_size": 30, "learning_rate": 0.1, "hidden": (8,), "seeds": 3}


def rows(m: int, seed: int, classes: int = 3, width: int = 5, noise: float = 0.9) -> tuple[np.ndarray, np.ndarray]:
    """(m, width) float32 around one corner a class, labels in turn."""
    y = np.arange(m) % classes
    g = np.random.default_rng(seed)
    return (np.eye(classes, width)[y] * 2 + noise * g.normal(size=(m, width))).astype(np.float32), y


def sets(m: int = 240, noise: float = 0.5) -> dict[str, tuple[Any, ...]]:
    """The originals, and the originals followed by noisy copies."""
    x, y = rows(m, 0)
    copies = (x + noise * np.random.default_rng(9).normal(size=x.shape)).astype(np.float32)
    return {"original": (x, y), "augmented": (np.concatenate([x, copies]), np.concatenate([y, y]))}


def held_out(m: int = 150) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    return {"original": rows(m, 1), "augmented": rows(m, 2, noise=1.2)}
