"""Batch normalisation: statistics are of the whole batch, so that threads share out the columns instead of the rows."""

import math

from chainrule.kernels.parts import kernel
from chainrule.kernels.views import reals
from chainrule.network.model import MOMENTUM
from chainrule.network.passes import EPSILON


@kernel
def normalise(job, layer, rows, c0, c1):
    """Columns c0 … c1 − 1: Z becomes U = γ N + β with N = (Z − μ)/√(v + ε)."""
    padded = layer.padded
    mean = reals(job, job.statistics, layer.mean, padded)
    variance = reals(job, job.statistics, layer.variance, padded)
    gamma, beta = reals(job, job.P, layer.gamma, padded), reals(job, job.P, layer.bias, padded)
    zero, m, epsilon = mean.dtype.type(0), mean.dtype.type(rows), mean.dtype.type(EPSILON)
    for c in range(c0, c1):
        mean[c] = variance[c] = zero
    for r in range(rows):
        z = reals(job, job.ws, layer.z + r * padded, padded)
        for c in range(c0, c1):
            mean[c] += z[c]
    for c in range(c0, c1):
        mean[c] /= m
    for r in range(rows):
        z = reals(job, job.ws, layer.z + r * padded, padded)
        for c in range(c0, c1):
            variance[c] += (z[c] - mean[c]) * (z[c] - mean[c])
    for c in range(c0, c1):
        variance[c] /= m
    for r in range(rows):
        z = reals(job, job.ws, layer.z + r * padded, padded)
        n = reals(job, job.ws, layer.n + r * padded, padded)
        for c in range(c0, c1):
            n[c] = (z[c] - mean[c]) / math.sqrt(variance[c] + epsilon)
            z[c] = gamma[c] * n[c] + beta[c]


@kernel
def normalise_backward(job, layer, rows, c0, c1):
    """Columns c0 … c1 − 1: dγ, dβ, and delta from ∂/∂U to ∂/∂Z."""
    padded = layer.padded
    variance = reals(job, job.statistics, layer.variance, padded)
    gamma = reals(job, job.P, layer.gamma, padded)
    dgamma, dbeta = reals(job, job.G, layer.gamma, padded), reals(job, job.G, layer.bias, padded)
    zero, m, epsilon = gamma.dtype.type(0), gamma.dtype.type(rows), gamma.dtype.type(EPSILON)
    for c in range(c0, c1):
        dgamma[c] = dbeta[c] = zero
    for r in range(rows):
        d = reals(job, job.ws, layer.delta + r * padded, padded)
        n = reals(job, job.ws, layer.n + r * padded, padded)
        for c in range(c0, c1):
            dgamma[c] += d[c] * n[c]
            dbeta[c] += d[c]
    for r in range(rows):
        d = reals(job, job.ws, layer.delta + r * padded, padded)
        n = reals(job, job.ws, layer.n + r * padded, padded)
        for c in range(c0, c1):
            centred = d[c] - dbeta[c] / m - n[c] * (dgamma[c] / m)
            d[c] = gamma[c] * centred / math.sqrt(variance[c] + epsilon)


@kernel
def normalise_by_running(job, layer, r0, r1):
    """Rows r0 … r1 − 1 by the running statistics, as inference does."""
    padded = layer.padded
    mean = reals(job, job.running, layer.mean, padded)
    variance = reals(job, job.running, layer.variance, padded)
    gamma, beta = reals(job, job.P, layer.gamma, padded), reals(job, job.P, layer.bias, padded)
    epsilon = mean.dtype.type(EPSILON)
    for r in range(r0, r1):
        z = reals(job, job.ws, layer.z + r * padded, padded)
        for c in range(padded):
            z[c] = gamma[c] * ((z[c] - mean[c]) / math.sqrt(variance[c] + epsilon)) + beta[c]


@kernel
def move_running(job, layer, rows):
    """Move the running statistics towards those of the batch; Ioffe, Szegedy 2015, algorithm 2."""
    mean = reals(job, job.statistics, layer.mean, layer.width)
    variance = reals(job, job.statistics, layer.variance, layer.width)
    running_mean = reals(job, job.running, layer.mean, layer.width)
    running_variance = reals(job, job.running, layer.variance, layer.width)
    old, new = mean.dtype.type(MOMENTUM), mean.dtype.type(1 - MOMENTUM)
    unbiased = mean.dtype.type((1 - MOMENTUM) * rows / max(rows - 1, 1))
    for c in range(layer.width):
        running_mean[c] = old * running_mean[c] + new * mean[c]
        running_variance[c] = old * running_variance[c] + unbiased * variance[c]
