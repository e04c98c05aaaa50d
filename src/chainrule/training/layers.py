"""How large activations, gradients and steps are, layer by layer: what a look into a training network shows first."""

import copy
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from chainrule.network import Network, Structure, backward_pass, forward_pass
from chainrule.optimizers import Optimizer, clip_by_norm

Array = NDArray[Any]

SAMPLES = 500  # at most, on which the sizes are measured
TIMES = 200  # about as often as they are measured in a training
NEAR = 0.01  # of the way between its bounds, in which a sigmoid or tanh counts as saturated


def sizes(
    net: Network, optimizer: Optimizer, X: Array, T: Array, *, rate: float, l2: float, clip: float | None
) -> dict[str, Any]:
    """The sizes of the quantities of a step of `optimizer` on inputs X (m, d) and targets T (m, K), by their names.

    A1, …     of each hidden layer {"mean", "sd"} over samples and units; for sigmoid and tanh "saturated", the share of
              the values within 1 % of a bound; for relu "dead", the share of the units that are 0 on all samples
    dZ1, …    of each layer the root mean square of the gradients of each sample's own loss by Z
    W1, …     {"weights", "gradient", "update"}: root mean squares of the weights, of their gradient (with the L2 term
              and after clipping) and of the step that the optimiser would take with it

    The pass is one of training, but no unit is dropped. Nothing of `net` or `optimizer` changes, and nothing is drawn.
    """
    structure = Structure(tuple(replace(layer, dropout=0.0) for layer in net.structure.layers), net.output)
    P, S = net.parameters(), net.statistics()
    values = forward_pass(structure, P, S, X, training=True)
    gradients, deltas = backward_pass(structure, P, S, values, T, l2=l2, training=True)
    if clip is not None:
        gradients = clip_by_norm(gradients, clip)
    method, after = copy.deepcopy(optimizer), {name: array.copy() for name, array in P.items()}
    method.learning_rate = rate
    method.step(after, gradients)
    found: dict[str, Any] = {}
    for layer in structure.layers:
        A, W = values[f"A{layer.index}"], f"W{layer.index}"
        if layer.activation is not None:
            found[f"A{layer.index}"] = {
                "mean": _finite(A.mean(dtype=np.float64)),
                "sd": _finite(A.std(dtype=np.float64)),
                **_idle(layer.activation.name, A),
            }
        found[f"dZ{layer.index}"] = _rms(len(X) * deltas[f"Z{layer.index}"])
        found[W] = {"weights": _rms(P[W]), "gradient": _rms(gradients[W]), "update": _rms(after[W] - P[W])}
    return found


def _idle(activation: str, A: Array) -> dict[str, float]:
    """The share of a layer that hardly passes a gradient on."""
    if activation == "relu":
        return {"dead": float((A == 0).all(axis=0).mean())}
    if activation == "sigmoid":
        return {"saturated": float(((A < NEAR) | (A > 1 - NEAR)).mean())}
    if activation == "tanh":
        return {"saturated": float((np.abs(A) > 1 - 2 * NEAR).mean())}
    return {}


def _rms(values: Array) -> float | None:
    return _finite(np.sqrt(np.square(values, dtype=np.float64).mean()))


def _finite(value: Any) -> float | None:
    """None for what JSON cannot hold."""
    return float(value) if np.isfinite(value) else None
