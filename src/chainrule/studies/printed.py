"""Forward pass, backward pass and update of 784–300–10 for one sample, written out, with each printed mistake to plant.

Report 004 trains one image at a time. Below stand its passes as they should be; a flag of `Planted` puts one printed
mistake in the place where it was printed (the numbers F18 … F30 are those of the project's list of mistakes):

    Z1 = x W1 + b1      A1 = σ(Z1)      Z2 = A1 W2 + b2      A2 = softmax(Z2)      loss = −log A2[t]
    dZ2 = A2 − Y        dW2 = A1ᵀ dZ2   db2 = dZ2            dZ1 = (dZ2 W2ᵀ) ∘ A1 ∘ (1 − A1)   dW1 = xᵀ dZ1   db1 = dZ1

Mistakes of the start, of the loss that is reported and of what is trained on change none of these equations; they are
in `printed_programs`.
"""

from typing import Any, NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Parameters = tuple[Floats, Floats, Floats, Floats]  # W1 (d, h), b1 (h,), W2 (h, K), b2 (K,)

SMALLEST = 1e-15  # of a probability whose logarithm is taken

kernel: Any = njit(cache=True, error_model="numpy", nogil=True)


class Planted(NamedTuple):
    """Which mistakes the passes make; none by default."""

    softmax_axis: bool = False
    """F21: the softmax of a row (1, K) is taken over axis 0, where there is one number: every output is 1"""
    output_bias: bool = False
    """F22: db2 is the sum of dZ2 over the classes, which is 0"""
    hidden_bias: bool = False
    """F23: db1 is the sum of dZ1 over the units, one number for all of them"""
    loss_gradient: bool = False
    """F24 taken at its word: dZ2 is the gradient of the binary cross-entropy of softmax outputs, divided by K"""


def passes(P: Parameters, x: Floats, label: int, planted: Planted) -> tuple[dict[str, Floats], dict[str, Floats]]:
    """The values and the gradients of one sample x (d,), by the names of the equations."""
    A1, A2 = forward(*P, x, planted)
    dZ2, db2, dZ1, db1 = backward(P[2], A1, A2, label, planted)
    gradients = {"W1": np.outer(x, dZ1), "b1": db1, "W2": np.outer(A1, dZ2), "b2": db2}
    return {"A1": A1, "A2": A2}, gradients


@kernel
def forward(W1, b1, W2, b2, x, planted):
    """A1 (h,) and A2 (K,) of one sample x (d,)."""
    Z1 = b1.copy()
    for j in range(len(x)):
        if x[j] != 0:  # most of an image is black
            for k in range(len(Z1)):  # three times as quick as a sum of rows
                Z1[k] += x[j] * W1[j, k]
    A1 = 1 / (1 + np.exp(-Z1))
    Z2 = A1 @ W2 + b2
    exps = np.exp(Z2 - Z2.max())
    A2 = exps / exps if planted.softmax_axis else exps / exps.sum()
    return A1, A2


@kernel
def backward(W2, A1, A2, label, planted):
    """dZ2 (K,), db2 (K,), dZ1 (h,), db1 (h,) of one sample."""
    Y = np.zeros_like(A2)
    Y[label] = 1
    dZ2 = binary_gradient(A2, Y) if planted.loss_gradient else A2 - Y
    db2 = np.full_like(dZ2, dZ2.sum()) if planted.output_bias else dZ2
    dZ1 = (W2 @ dZ2) * A1 * (1 - A1)
    db1 = np.full_like(dZ1, dZ1.sum()) if planted.hidden_bias else dZ1
    return dZ2, db2, dZ1, db1


@kernel
def binary_gradient(A2, Y):
    """∂/∂Z2 of −(1/K) Σ y log a + (1 − y) log(1 − a) where A2 = softmax(Z2)."""
    dA2 = -(Y / np.maximum(A2, SMALLEST) - (1 - Y) / np.maximum(1 - A2, SMALLEST)) / len(A2)
    return A2 * (dA2 - (dA2 * A2).sum())


@kernel
def cross_entropy(A2, label):
    """−log A2[label] of one sample."""
    return -np.log(max(A2[label], SMALLEST))


@kernel
def binary_loss(A2, label):
    """F24: −(1/K) Σ y log a + (1 − y) log(1 − a) of one sample; 0.3251 where every a is 1/10, and not ln 10."""
    total = np.log(max(A2[label], SMALLEST))
    for k in range(len(A2)):
        if k != label:
            total += np.log(max(1 - A2[k], SMALLEST))
    return -total / len(A2)


@kernel
def mean_losses(A2, labels):
    """Means of `cross_entropy` and of `binary_loss` over samples A2 (m, K)."""
    entropy, binary = 0.0, 0.0
    for i in range(len(labels)):
        entropy += cross_entropy(A2[i], labels[i])
        binary += binary_loss(A2[i], labels[i])
    return entropy / len(labels), binary / len(labels)


@kernel
def descend(W1, b1, W2, b2, X, labels, rows, rate, planted):
    """One update a sample in the order `rows`; the parameters change in place.

    Returns the means of both losses over the samples as they were met, each before its update.
    """
    entropy, binary = 0.0, 0.0
    for i in rows:
        x, label = X[i], labels[i]
        A1, A2 = forward(W1, b1, W2, b2, x, planted)
        dZ2, db2, dZ1, db1 = backward(W2, A1, A2, label, planted)
        entropy += cross_entropy(A2, label)
        binary += binary_loss(A2, label)
        step(W1, b1, x, dZ1, db1, rate)
        step(W2, b2, A1, dZ2, db2, rate)
    return entropy / len(rows), binary / len(rows)


@kernel
def step(W, b, a, dZ, db, rate):
    """W ← W − η aᵀ dZ, b ← b − η db in place, for a layer that was given a (d,)."""
    for j in range(len(a)):
        if a[j] != 0:
            scaled = rate * a[j]
            for k in range(len(dZ)):
                W[j, k] -= scaled * dZ[k]
    b -= rate * db


def outputs(P: Parameters, X: NDArray[Any], planted: Planted) -> Floats:
    """A2 (m, K) of samples X (m, d), through matrix products in the type of X."""
    W1, b1, W2, b2 = (array.astype(X.dtype) for array in P)
    with np.errstate(over="ignore"):
        A1 = 1 / (1 + np.exp(-(X @ W1 + b1)))
    Z2 = (A1 @ W2 + b2).astype(np.float64)
    exps = np.exp(Z2 - Z2.max(axis=1, keepdims=True))
    return np.ones_like(exps) if planted.softmax_axis else exps / exps.sum(axis=1, keepdims=True)
