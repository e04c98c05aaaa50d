"""One step of descent on a stretch of the flat parameters, each method in the line of its publication."""

import math

from chainrule.kernels.plan import BIAS, FAN_IN, NORMALISED, PADDED, SCALE, TRANSPOSED, WEIGHTS, WIDTH
from chainrule.kernels.tiles import VECTORS, kernel, lanes

LANES_SINGLE, LANES_DOUBLE = lanes(4), lanes(8)


@kernel
def step(job, lo, hi, rate, l2, decayed):
    """Move P[lo:hi] against G[lo:hi] (+ λP); M and S are the method's memory.

    job.now: [μ or ρ or β₁, β₂, ε, weight decay, 1 − β₁ᵗ, 1 − β₂ᵗ] of this step.
    """
    P, method, hyper = job.P, job.method, job.now
    p, g = P[lo:hi], job.G[lo:hi]
    one = P.dtype.type(1)
    first, second, epsilon = hyper[0], hyper[1], hyper[2]
    if l2 != P.dtype.type(0):
        for i in range(p.size):
            g[i] += l2 * p[i]
    if method == 0:
        for i in range(p.size):
            p[i] -= rate * g[i]
    elif method == 1:
        m = job.M[lo:hi]
        for i in range(p.size):
            m[i] = first * m[i] + g[i]
            p[i] -= rate * m[i]
    elif method == 2:
        m = job.M[lo:hi]
        for i in range(p.size):
            m[i] = first * m[i] + g[i]
            p[i] -= rate * (g[i] + first * m[i])
    elif method == 3:
        m = job.M[lo:hi]
        for i in range(p.size):
            m[i] = first * m[i] + (one - first) * g[i] * g[i]
            p[i] -= rate * g[i] / (math.sqrt(m[i]) + epsilon)
    else:
        if method == 5 and decayed:
            shrink = rate * hyper[3]
            for i in range(p.size):
                p[i] -= shrink * p[i]
        m, s = job.M[lo:hi], job.S[lo:hi]
        unbiased_rate, unbiased = rate / hyper[4], one / hyper[5]
        for i in range(p.size):
            m[i] = first * m[i] + (one - first) * g[i]
            s[i] = second * s[i] + (one - second) * g[i] * g[i]
            p[i] -= unbiased_rate * m[i] / (math.sqrt(s[i] * unbiased) + epsilon)


@kernel
def step_rows(job, l, rate, l2, j0, j1):
    """`step` for rows j0 … j1 − 1 of the weights of layer l, which lie in one stretch a panel."""
    P, row = job.P, job.layers[l]
    panel = (LANES_SINGLE if P.itemsize == 4 else LANES_DOUBLE) * VECTORS
    for start in range(0, row[PADDED], panel):
        wide = min(panel, row[PADDED] - start)
        at = row[WEIGHTS] + start * row[FAN_IN]
        step(job, at + j0 * wide, at + j1 * wide, rate, l2, True)


@kernel
def step_vectors(job, l, rate):
    """`step` for b, or for β and γ, of layer l: free of the penalty and of weight decay."""
    row = job.layers[l]
    zero = job.P.dtype.type(0)
    step(job, row[BIAS], row[BIAS] + row[PADDED], rate, zero, False)
    if row[NORMALISED]:
        step(job, row[SCALE], row[SCALE] + row[PADDED], rate, zero, False)


@kernel
def transpose_rows(job, l, j0, j1):
    """Rows j0 … j1 − 1 of the weights of layer l into the columns of their transpose in the workspace."""
    P, ws, row = job.P, job.ws, job.layers[l]
    width = LANES_SINGLE if P.itemsize == 4 else LANES_DOUBLE
    panel = width * VECTORS
    padded_in = (row[FAN_IN] + width - 1) // width * width
    for start in range(0, row[PADDED], panel):
        wide = min(panel, row[PADDED] - start)
        used = min(wide, row[WIDTH] - start)
        for j in range(j0, j1):
            left = j // panel * panel
            across = min(panel, padded_in - left)
            source = row[WEIGHTS] + start * row[FAN_IN] + j * wide
            target = row[TRANSPOSED] + left * row[WIDTH] + start * across + (j - left)
            for c in range(used):
                ws[target + c * across] = P[source + c]


@kernel
def squares(array, lo, hi):
    """Σ x² over a stretch, in float64 and in an order of its own."""
    total = 0.0
    for i in range(lo, hi):
        total += float(array[i]) * float(array[i])
    return total
