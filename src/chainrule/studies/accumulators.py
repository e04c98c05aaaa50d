"""Passes of 2–3–2 for one sample as report 004 prints them, with the accumulators that it may have left unreset.

The printed forward pass adds into lists that it was handed, k1[j] += w x and k2[j] += v h, and the backward pass into
dh[i] += dk2 v. Where such a list is not set to 0 before a sample, what earlier samples left is still in it (F19).
"""

from typing import Any, NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

Floats = NDArray[np.float64]

kernel: Any = njit(cache=True, error_model="numpy", nogil=True)


class Unreset(NamedTuple):
    """Which accumulators are not set to 0 before a sample; none in correct code."""

    k1: bool = False
    k2: bool = False
    dh: bool = False


@kernel
def descend(W, b, V, c, k1, k2, dh, X, labels, rows, rate, unreset, losses):
    """One update a sample in the order `rows`; the parameters W (2, 3), b (3,), V (3, 2), c (2,) and the accumulators
    k1 (3,), k2 (2,), dh (3,) change in place.

    losses (len(rows),) is filled with −log y[label] of each sample as it is met, before its own update.
    """
    h, dk1 = np.zeros(len(b)), np.zeros(len(b))
    for place in range(len(rows)):
        x, label = X[rows[place]], labels[rows[place]]
        if not unreset.k1:
            k1[:] = 0
        for j in range(len(b)):
            for i in range(len(x)):
                k1[j] += W[i, j] * x[i]
            k1[j] += b[j]
            h[j] = 1 / (1 + np.exp(-k1[j]))
        if not unreset.k2:
            k2[:] = 0
        for k in range(len(c)):
            for j in range(len(b)):
                k2[k] += V[j, k] * h[j]
            k2[k] += c[k]
        top = k2.max()
        total = np.exp(k2 - top).sum()
        losses[place] = np.log(total) + top - k2[label]
        dk2 = np.exp(k2 - top) / total
        dk2[label] -= 1
        if not unreset.dh:
            dh[:] = 0
        for j in range(len(b)):
            for k in range(len(c)):
                dh[j] += dk2[k] * V[j, k]
            dk1[j] = dh[j] * h[j] * (1 - h[j])
        for j in range(len(b)):
            for k in range(len(c)):
                V[j, k] -= rate * dk2[k] * h[j]
            for i in range(len(x)):
                W[i, j] -= rate * dk1[j] * x[i]
            b[j] -= rate * dk1[j]
        for k in range(len(c)):
            c[k] -= rate * dk2[k]
