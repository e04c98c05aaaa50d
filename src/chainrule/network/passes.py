"""The forward pass of a multilayer perceptron in matrices, and the backward pass that undoes it line by line.

Rows are samples. Layers count from 1; for layer l of L, with A0 = X,

    Zl = Dl₋₁ Wl + bl                          without batch normalisation
    Zl = Dl₋₁ Wl,  Nl = (Zl − μ)/√(v + ε),  Ul = γl ∘ Nl + βl        with it (βl takes the place of bl)
    Al = f(Ul)                                 f(Zl) without batch normalisation, g(ZL) in the output layer
    Dl = Al ∘ Ml                               with dropout; Dl = Al without

The loss is the mean over the samples plus λ/2 Σ‖Wl‖². Every name here is a key of the trace, and every gradient carries
the name of what it belongs to.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from chainrule.rules import Activation, Output

Array = NDArray[Any]
Arrays = dict[str, Array]

EPSILON = 1e-5  # added to the variance in batch normalisation


@dataclass(frozen=True)
class Layer:
    """What is fixed about layer `index`: its widths, its activation (None in the output layer), dropout, batch norm."""

    index: int
    fan_in: int
    width: int
    activation: Activation | None
    dropout: float = 0.0
    batch_norm: bool = False

    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Names and shapes of the parameters, in the order of the equations."""
        l, h = self.index, self.width
        if self.batch_norm:
            return {f"W{l}": (self.fan_in, h), f"gamma{l}": (h,), f"beta{l}": (h,)}
        return {f"W{l}": (self.fan_in, h), f"b{l}": (h,)}


@dataclass(frozen=True)
class Structure:
    """All that is fixed about a network: its layers and the output/loss pair."""

    layers: tuple[Layer, ...]
    output: Output


def forward_pass(
    structure: Structure,
    P: Arrays,
    S: Arrays,
    X: Array,
    *,
    training: bool = False,
    generator: np.random.Generator | None = None,
) -> Arrays:
    """All values by name of the forward pass of X (m, d) through parameters P and running statistics S.

    With `training`, batch statistics take the place of S and dropout draws its masks from `generator`.
    """
    values = {"A0": X}
    D = X
    for layer in structure.layers:
        l = layer.index
        values[f"Z{l}"] = Z = D @ P[f"W{l}"]
        if layer.batch_norm:
            U = _normalise(l, P, S, Z, training, values)
        else:
            Z += P[f"b{l}"]
            U = Z
        A = layer.activation.value(U) if layer.activation else structure.output.value(U)
        values[f"A{l}"] = D = A
        if training and layer.dropout:
            assert generator is not None
            keep = generator.random(A.shape, dtype=np.float32) >= layer.dropout
            values[f"M{l}"] = M = keep / A.dtype.type(1 - layer.dropout)
            values[f"D{l}"] = D = A * M
    return values


def backward_pass(
    structure: Structure,
    P: Arrays,
    S: Arrays,
    values: Mapping[str, Array],
    T: Array,
    *,
    l2: float = 0.0,
    training: bool = False,
    wrt_input: bool = False,
    sample_weight: Array | None = None,
) -> tuple[Arrays, Arrays]:
    """Gradients by the parameters and by the values, for targets T (m, K) and weight penalty λ = `l2`.

    The loss is the mean over the samples, weighted by `sample_weight` (m,) where that is given.

    Each line is the derivative of the line of `forward_pass` that it undoes, the last one first. The gradient by the
    input, A0, is left out unless `wrt_input`: training does not need it, and it costs as much as a layer.
    """
    last = len(structure.layers)
    gradients = dict.fromkeys(P, T)  # fixes the order of the keys; every entry is replaced below
    dZ = structure.output.delta(values[f"A{last}"], T)
    dZ = dZ / len(T) if sample_weight is None else dZ * (sample_weight / sample_weight.sum())[:, None]
    deltas = {f"Z{last}": dZ}
    for layer in reversed(structure.layers):
        l = layer.index
        if layer.activation:
            A, dA = values[f"A{l}"], deltas[f"A{l}"]
            U = values[f"U{l}"] if layer.batch_norm else values[f"Z{l}"]
            dZ = dA * layer.activation.derivative(U, A)
            if layer.batch_norm:
                dZ = _normalise_backward(l, P, S, dZ, training, values, gradients, deltas)
            deltas[f"Z{l}"] = dZ
        previous = f"D{l - 1}" if f"D{l - 1}" in values else f"A{l - 1}"
        gradients[f"W{l}"] = _transposed_product(values[previous], dZ)
        if l2:
            gradients[f"W{l}"] += l2 * P[f"W{l}"]
        if not layer.batch_norm:
            gradients[f"b{l}"] = dZ.sum(axis=0)
        if l > 1 or wrt_input:
            deltas[previous] = dZ @ P[f"W{l}"].T
            if previous[0] == "D":
                deltas[f"A{l - 1}"] = deltas[previous] * values[f"M{l - 1}"]
    return gradients, deltas


def _transposed_product(D: Array, dZ: Array) -> Array:
    """DᵀdZ. For one sample BLAS takes several times as long as the outer product that it is."""
    product: Array = D.T * dZ if len(D) == 1 else D.T @ dZ
    return product


def _normalise(l: int, P: Arrays, S: Arrays, Z: Array, training: bool, values: Arrays) -> Array:
    if training:
        mean, variance = Z.mean(axis=0), Z.var(axis=0)
        values[f"mean{l}"], values[f"variance{l}"] = mean, variance
    else:
        mean, variance = S[f"mean{l}"], S[f"variance{l}"]
    values[f"N{l}"] = N = (Z - mean) / np.sqrt(variance + EPSILON)
    U: Array = P[f"gamma{l}"] * N + P[f"beta{l}"]
    values[f"U{l}"] = U
    return U


def _normalise_backward(
    l: int,
    P: Arrays,
    S: Arrays,
    dU: Array,
    training: bool,
    values: Mapping[str, Array],
    gradients: Arrays,
    deltas: Arrays,
) -> Array:
    """dZ from dU. In training the batch's mean and variance depend on Z too, which takes two components out of dN."""
    N = values[f"N{l}"]
    gradients[f"gamma{l}"] = (dU * N).sum(axis=0)
    gradients[f"beta{l}"] = dU.sum(axis=0)
    dN = dU * P[f"gamma{l}"]
    deltas[f"U{l}"], deltas[f"N{l}"] = dU, dN
    if training:
        variance = values[f"variance{l}"]
        dN = dN - dN.mean(axis=0) - N * (dN * N).mean(axis=0)
    else:
        variance = S[f"variance{l}"]
    dZ: Array = dN / np.sqrt(variance + EPSILON)
    return dZ
