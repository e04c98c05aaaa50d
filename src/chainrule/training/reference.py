"""The reference engine: epochs in NumPy, batch after batch, with the passes that are read."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from chainrule.data import Batches, Prepared
from chainrule.errors import NotFiniteError
from chainrule.network import Network, backward_pass, forward_pass, penalty
from chainrule.network.passes import Array
from chainrule.optimizers import Optimizer, clip_by_norm
from chainrule.rules import OneHot

Floats = NDArray[np.float64]
Watch = Callable[[int, float | None], None]


class ReferenceEngine:
    """Trains `net` on inputs X (m, d) and targets T (m, K), both checked and giving rows of the network's dtype.

    clip           greatest Euclidean norm of all gradients together
    sample_weight  (m,): the loss of a batch is then the weighted mean Σ w ℓ / Σ w
    """

    name = "reference"

    def __init__(
        self,
        net: Network,
        X: Array | Prepared,
        T: Array | OneHot,
        optimizer: Optimizer,
        *,
        clip: float | None = None,
        sample_weight: Array | None = None,
    ) -> None:
        self.net, self.X, self.T, self.optimizer = net, X, T, optimizer
        self.clip, self.sample_weight = clip, sample_weight

    def run(
        self,
        batches: Batches,
        rates: Floats,
        l2: Floats,
        dropout: np.random.Generator,
        *,
        record: bool = False,
        watch: Watch | None = None,
    ) -> tuple[Floats, Floats]:
        """One epoch or several: a step for each of the `batches` with its rate and its λ.

        With `record`, the loss of each batch before its update and its L2 term; else two empty arrays. `watch` is
        called after each batch with its number, from 0, and its loss if that is recorded. Masks are drawn from
        `dropout`. Raises NotFiniteError where logits are not finite; the weights are then those before that batch.
        """
        net, structure, P, S = self.net, self.net.structure, self.net.parameters(), self.net.statistics()
        logits = f"Z{len(structure.layers)}"
        losses, penalties = np.zeros((2, len(rates) if record else 0))
        for b, rows in enumerate(batches):
            X, T = self.X[rows], self.T[rows]
            w = None if self.sample_weight is None else self.sample_weight[rows]
            values = forward_pass(structure, P, S, X, training=True, generator=dropout)
            if not np.isfinite(values[logits]).all():
                raise NotFiniteError(b, rows)
            if record:
                losses[b] = np.average(structure.output.losses(values[logits], T).astype(np.float64), weights=w)
                penalties[b] = penalty(net, l2[b])
            gradients, _ = backward_pass(structure, P, S, values, T, l2=float(l2[b]), training=True, sample_weight=w)
            if self.clip is not None:
                gradients = clip_by_norm(gradients, self.clip)
            self.optimizer.learning_rate = float(rates[b])
            self.optimizer.step(P, gradients)
            if S:
                net.update_statistics(values)
            if watch is not None:
                watch(b, losses[b] if record else None)
        return losses, penalties
