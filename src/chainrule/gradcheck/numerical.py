"""The gradients of a network as nobody derived them: every parameter nudged, the loss computed again."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from chainrule import differences
from chainrule.differences import Differences
from chainrule.errors import InputError
from chainrule.network import Network, Trace

Floats = NDArray[np.float64]


def numerical_gradients(
    net: Network, x: ArrayLike, y: Any, *, l2: float = 0.0, training: bool = False, seed: int = 0
) -> dict[str, Differences]:
    """Central differences of the loss of `net` on (x, y) by every parameter, keyed like `parameters()`.

    With `training`, batch normalisation uses the statistics of this batch and every pass draws the same dropout masks,
    those of numpy.random.default_rng(seed). Entries whose nudge moves a unit across a kink of its activation are
    marked `kinked`. The network is left as it was. Raises InputError unless it computes in float64.
    """
    if net.dtype != np.float64:
        raise InputError(
            f"central differences need float64, not {net.dtype}", "Build the network with dtype='float64'."
        )

    def trace() -> Trace:
        return net.forward(x, training=training, generator=np.random.default_rng(seed))

    def by(parameter: Floats) -> Differences:
        original = parameter.copy()

        def loss(value: Floats) -> float:
            parameter[...] = value
            return net.loss_at(trace(), y, l2=l2)

        def pieces(value: Floats) -> NDArray[Any]:
            parameter[...] = value
            return pattern(net, trace())

        try:
            return differences.gradient(loss, original, pieces=pieces)
        finally:
            parameter[...] = original

    return {name: by(parameter) for name, parameter in net.parameters().items()}


def pattern(net: Network, trace: Trace) -> NDArray[Any]:
    """On which smooth piece of its activation each hidden unit is for each sample, such as the ReLUs that are on."""
    pieces = [
        layer.activation.piece(trace[f"U{layer.index}" if layer.batch_norm else f"Z{layer.index}"]).ravel()
        for layer in net.structure.layers
        if layer.activation is not None
    ]
    return np.concatenate(pieces) if pieces else np.empty(0, np.int8)
