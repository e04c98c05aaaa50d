"""The outputs of hidden layers in the plane: t-SNE of a fixed set of samples, the same numbers every time."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from chainrule.errors import InputError
from chainrule.network import Network
from chainrule.randomness import generator

PERPLEXITY = 30.0
SEED = 0
FEWEST = 10  # samples


@dataclass(frozen=True)
class Embedding:
    """Places (m, 2) of m samples; `perplexity` is that of t-SNE, None where the samples were placed without it."""

    places: NDArray[np.float64]
    perplexity: float | None


def hidden_outputs(net: Network, X: ArrayLike) -> dict[str, NDArray[Any]]:
    """The output of every hidden layer for X (m, d), as {"A1": (m, h1), …}."""
    trace = net.forward(X)
    return {f"A{layer.index}": trace[f"A{layer.index}"] for layer in net.structure.layers[:-1]}


def embed(values: ArrayLike, *, perplexity: float = PERPLEXITY, seed: int = SEED) -> Embedding:
    """t-SNE of `values` (m, h) by scikit-learn, begun at the principal components, in one thread.

    The perplexity is at most a fifth of m. Where all rows are the same there is nothing to tell apart: all places are
    the origin. Raises InputError for fewer than 10 rows or numbers that are not finite.
    """
    from sklearn.manifold import TSNE
    from threadpoolctl import threadpool_limits

    rows = np.asarray(values, np.float64)
    if rows.ndim != 2 or len(rows) < FEWEST or not np.isfinite(rows).all():
        raise InputError(
            f"values of shape {rows.shape} cannot be embedded", f"Give at least {FEWEST} rows of finite numbers."
        )
    start = _principal(rows)
    if start is None:
        return Embedding(np.zeros((len(rows), 2)), None)
    used = min(perplexity, len(rows) / 5)
    with threadpool_limits(1):
        places = TSNE(perplexity=used, init=start, random_state=seed, n_jobs=1).fit_transform(rows.astype(np.float32))
    return Embedding(places.astype(np.float64), used)


def _principal(rows: NDArray[np.float64]) -> NDArray[np.float32] | None:
    """The first two principal components at t-SNE's starting size; None where the rows do not differ.

    The sign of a component is chosen so that its largest entry is positive: libraries differ in it.
    """
    centred = rows - rows.mean(axis=0)
    if np.abs(centred).max() <= 1e-6 * max(1.0, np.abs(rows).max()):
        return None
    left, sizes, _ = np.linalg.svd(centred, full_matrices=False)
    components = np.zeros((len(rows), 2))
    count = min(2, len(sizes))
    components[:, :count] = left[:, :count] * sizes[:count]
    if components[:, 1].std() < 1e-6 * components[:, 0].std():  # of one unit; t-SNE would never leave the line
        components[:, 1] = components[:, 0].std() * generator(SEED, "subset").normal(size=len(rows)) / 100
    components *= np.where(np.take_along_axis(components, np.abs(components).argmax(axis=0)[None], 0) < 0, -1, 1)
    start: NDArray[np.float32] = (components * (1e-4 / components[:, 0].std())).astype(np.float32)
    return start
