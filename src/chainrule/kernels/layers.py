"""One layer for some rows of a batch: the linear map through tiles, the activation, the output, and the way back.

A `job` (job.py) holds all arrays. A batch is the rows order[first] … order[first + rows − 1] of the data; r0 … r1 − 1
of them are computed by one thread, and no number of a row depends on which rows that thread has besides.
"""

import math

import numpy as np

from chainrule.kernels.maths import exp, tanh
from chainrule.kernels.plan import (
    ACTIVATION,
    BIAS,
    DELTA,
    DROPPED,
    FAN_IN,
    MEAN,
    PADDED,
    SCALE,
    TRANSPOSED,
    VARIANCE,
    WEIGHTS,
    WIDTH,
    A,
    D,
    N,
    Z,
)
from chainrule.kernels.tiles import MOST_ROWS, ROWS, VECTORS, kernel, lanes, tile
from chainrule.network.model import MOMENTUM
from chainrule.network.passes import EPSILON

LANES_SINGLE, LANES_DOUBLE = lanes(4), lanes(8)
_ROWS = np.array([ROWS.get(v, 0) for v in range(VECTORS + 1)])


@kernel
def address(array):
    return np.int64(array.ctypes.data)


@kernel
def product(like, a, rows, row_step, a_list, a_step, b, b_panel, b_step, terms, c, c_panel, c_step, padded, iota, r0, r1):  # fmt: skip  # noqa: E501
    """C[r, :] = Σ_k A(r, k) B(k, :) for r0 ≤ r < r1, panel by panel.

    A(r, k) stands at a + rows[r]·row_step + a_list[k]·a_step. The panel of B from column c on begins c·b_panel numbers
    after b, and its rows are b_step apart, or as wide as the panel where b_step is 0; C likewise.
    """
    size = like.itemsize
    width = LANES_SINGLE if size == 4 else LANES_DOUBLE
    panel = width * VECTORS
    base = np.empty(MOST_ROWS, np.int64)
    scratch = np.empty(MOST_ROWS * panel, like.dtype)
    for start in range(0, padded, panel):
        wide = min(panel, padded - start)
        vectors = wide // width
        height = 1 if r1 - r0 == 1 else _ROWS[vectors]
        bs = b_step if b_step else wide
        cs = c_step if c_step else wide
        b_at = b + start * b_panel * size
        c_at = c + start * c_panel * size
        for r in range(r0, r1, height):
            for i in range(height):
                base[i] = rows[min(r + i, r1 - 1)] * row_step
            if r + height <= r1:
                tile(like, height, vectors, a, address(base), a_list, a_step, b_at, iota, bs, terms, c_at + r * cs * size, cs)  # fmt: skip  # noqa: E501
            else:
                tile(like, height, vectors, a, address(base), a_list, a_step, b_at, iota, bs, terms, address(scratch), wide)  # fmt: skip  # noqa: E501
                _copy_rows(like, scratch, wide, c_at + r * cs * size, cs, r1 - r)


@kernel
def _copy_rows(like, scratch, wide, c, c_step, count):
    """The first `count` rows of a tile that was computed aside, one row at a time by a tile of one term."""
    from_one = np.ones(1, like.dtype)
    zero = np.zeros(1, np.int64)
    size = like.itemsize
    width = LANES_SINGLE if size == 4 else LANES_DOUBLE
    for i in range(count):
        tile(like, 1, wide // width, address(from_one), address(zero), address(zero), 1, address(scratch) + i * wide * size, address(zero), wide, 1, c + i * c_step * size, c_step)  # fmt: skip  # noqa: E501


@kernel
def forward_linear(job, l, first, r0, r1):
    """Z = D_{l−1} W; the first layer reads its rows where they lie in the data."""
    ws, row = job.ws, job.layers[l]
    size = ws.itemsize
    z = address(ws) + row[Z] * size
    w = address(job.P) + row[WEIGHTS] * size
    each = address(job.iota)
    if l == 0:
        product(ws, job.x, job.order[first:], row[FAN_IN], each, 1, w, row[FAN_IN], 0, row[FAN_IN], z, 1, row[PADDED], row[PADDED], each, r0, r1)  # fmt: skip  # noqa: E501
    else:
        below = job.layers[l - 1]
        d = address(ws) + (below[D] if below[DROPPED] else below[A]) * size
        product(ws, d, job.iota, below[PADDED], each, 1, w, row[FAN_IN], 0, row[FAN_IN], z, 1, row[PADDED], row[PADDED], each, r0, r1)  # fmt: skip  # noqa: E501


@kernel
def add_bias(job, l, r0, r1):
    """Z ← Z + b."""
    ws, row = job.ws, job.layers[l]
    padded = row[PADDED]
    b = job.P[row[BIAS] : row[BIAS] + padded]
    for r in range(r0, r1):
        z = ws[row[Z] + r * padded : row[Z] + (r + 1) * padded]
        for c in range(padded):
            z[c] += b[c]


@kernel
def activate(job, l, mask, r0, r1):
    """A = f(Z), and D = A ∘ M where the layer drops units; its uniform numbers begin at `mask`."""
    ws, row = job.ws, job.layers[l]
    padded = row[PADDED]
    lo, hi = r0 * padded, r1 * padded
    z, a = ws[row[Z] + lo : row[Z] + hi], ws[row[A] + lo : row[A] + hi]
    kind, setting = row[ACTIVATION], job.settings[l, 0]
    zero, one = ws.dtype.type(0), ws.dtype.type(1)
    if kind == 0:
        a[:] = z
    elif kind == 1:
        for i in range(z.size):
            a[i] = one / (one + exp(-z[i]))
    elif kind == 2:
        for i in range(z.size):
            a[i] = tanh(z[i])
    elif kind == 3:
        for i in range(z.size):
            a[i] = z[i] if not z[i] <= zero else zero
    elif kind == 4:
        for i in range(z.size):
            a[i] = z[i] if z[i] > zero else setting * z[i]
    elif kind == 5:
        for i in range(z.size):
            a[i] = z[i] if z[i] > zero else setting * ws.dtype.type(math.expm1(z[i]))
    elif kind == 6:
        for i in range(z.size):
            a[i] = z[i] / (one + exp(-setting * z[i]))
    elif kind == 7:
        for i in range(z.size):
            a[i] = z[i] * _normal_cdf(z[i])
    else:
        for i in range(z.size):
            a[i] = max(z[i], zero) + ws.dtype.type(math.log1p(math.exp(-abs(z[i]))))
    if row[DROPPED]:
        width, kept = row[WIDTH], job.settings[l, 1]
        for r in range(r0, r1):
            start = r * padded
            for c in range(width):
                keep = job.masks[mask + r * width + c] >= job.drop[l]
                ws[row[D] + start + c] = ws[row[A] + start + c] * (kept if keep else zero)


@kernel
def deactivate(job, l, mask, r0, r1):
    """∂/∂D in DELTA becomes ∂/∂U: times the mask, times f′."""
    ws, row = job.ws, job.layers[l]
    padded = row[PADDED]
    zero, one = ws.dtype.type(0), ws.dtype.type(1)
    if row[DROPPED]:
        width, kept = row[WIDTH], job.settings[l, 1]
        for r in range(r0, r1):
            for c in range(width):
                keep = job.masks[mask + r * width + c] >= job.drop[l]
                ws[row[DELTA] + r * padded + c] *= kept if keep else zero
    lo, hi = r0 * padded, r1 * padded
    z, a, d = ws[row[Z] + lo : row[Z] + hi], ws[row[A] + lo : row[A] + hi], ws[row[DELTA] + lo : row[DELTA] + hi]
    kind, setting = row[ACTIVATION], job.settings[l, 0]
    if kind == 1:
        for i in range(d.size):
            d[i] *= a[i] * (one - a[i])
    elif kind == 2:
        for i in range(d.size):
            d[i] *= one - a[i] * a[i]
    elif kind == 3:
        for i in range(d.size):
            d[i] = d[i] if z[i] > zero else zero
    elif kind == 4:
        for i in range(d.size):
            d[i] *= one if z[i] > zero else setting
    elif kind == 5:
        for i in range(d.size):
            d[i] *= one if z[i] > zero else a[i] + setting
    elif kind == 6:
        for i in range(d.size):
            d[i] *= setting * a[i] + (one - setting * a[i]) / (one + exp(-setting * z[i]))
    elif kind == 7:
        scale = ws.dtype.type(0.3989422804014327)
        half = ws.dtype.type(-0.5)
        for i in range(d.size):
            d[i] *= _normal_cdf(z[i]) + z[i] * scale * exp(half * z[i] * z[i])
    elif kind == 8:
        for i in range(d.size):
            d[i] *= one / (one + exp(-z[i]))


@kernel
def _normal_cdf(z):
    return type(z)(0.5 * math.erfc(-z * 0.7071067811865476))


@kernel
def output(job, first, r0, r1):
    """A = g(Z), DELTA = (A − T) times the row's factor, the loss of each row; False where a logit is not finite."""
    ws, row = job.ws, job.layers[job.layers.shape[0] - 1]
    kind, recorded = job.output, job.recorded
    padded, width = row[PADDED], row[WIDTH]
    zero, one = ws.dtype.type(0), ws.dtype.type(1)
    half = ws.dtype.type(0.5)
    finite = True
    for r in range(r0, r1):
        z = ws[row[Z] + r * padded : row[Z] + r * padded + width]
        a = ws[row[A] + r * padded : row[A] + r * padded + width]
        d = ws[row[DELTA] + r * padded : row[DELTA] + (r + 1) * padded]
        t = job.T[job.order[first + r]]
        loss = zero
        if kind == 0:
            top = z[0]
            for k in range(1, width):
                top = max(top, z[k])
            total = zero
            for k in range(width):
                a[k] = exp(z[k] - top)
                total += a[k]
            for k in range(width):
                a[k] /= total
            if recorded:
                log_total = ws.dtype.type(math.log(total))
                for k in range(width):
                    loss += t[k] * (log_total - (z[k] - top))
        elif kind == 1:
            for k in range(width):
                a[k] = one / (one + exp(-z[k]))
            if recorded:
                for k in range(width):
                    loss += max(z[k], zero) - z[k] * t[k] + ws.dtype.type(math.log1p(math.exp(-abs(z[k]))))
        else:
            for k in range(width):
                a[k] = z[k]
                loss += half * (z[k] - t[k]) * (z[k] - t[k])
        for k in range(width):
            d[k] = (a[k] - t[k]) * job.factors[r]
            finite = finite and math.isfinite(z[k])
        for k in range(width, padded):
            d[k] = zero
        job.row_losses[r] = loss
    return finite


@kernel
def backward_linear(job, l, r0, r1):
    """∂/∂D of the layer below, into its DELTA: this layer's deltas times Wᵀ."""
    ws, row, below = job.ws, job.layers[l], job.layers[l - 1]
    size = ws.itemsize
    delta = address(ws) + row[DELTA] * size
    w = address(ws) + row[TRANSPOSED] * size
    into = address(ws) + below[DELTA] * size
    each = address(job.iota)
    product(ws, delta, job.iota, row[PADDED], each, 1, w, row[WIDTH], 0, row[WIDTH], into, 1, below[PADDED], below[PADDED], each, r0, r1)  # fmt: skip  # noqa: E501


@kernel
def weight_gradient(job, l, first, rows, j0, j1):
    """Rows j0 … j1 − 1 of dW = Dᵀ dZ: one number after the other over all samples of the batch."""
    ws, row = job.ws, job.layers[l]
    size = ws.itemsize
    delta = address(ws) + row[DELTA] * size
    g = address(job.G) + row[WEIGHTS] * size
    each = address(job.iota)
    if l == 0:
        samples, step, d = address(job.order) + first * 8, row[FAN_IN], job.x
    else:
        below = job.layers[l - 1]
        samples, step = each, below[PADDED]
        d = address(ws) + (below[D] if below[DROPPED] else below[A]) * size
    product(ws, d, job.iota, 1, samples, step, delta, 1, row[PADDED], rows, g, row[FAN_IN], 0, row[PADDED], each, j0, j1)  # fmt: skip  # noqa: E501


@kernel
def bias_gradient(job, l, rows):
    """db = the sum of dZ over the samples."""
    ws, row = job.ws, job.layers[l]
    padded = row[PADDED]
    g = job.G[row[BIAS] : row[BIAS] + padded]
    g[:] = ws.dtype.type(0)
    for r in range(rows):
        d = ws[row[DELTA] + r * padded : row[DELTA] + (r + 1) * padded]
        for c in range(padded):
            g[c] += d[c]


@kernel
def normalise(job, l, rows, c0, c1):
    """Columns c0 … c1 − 1: Z becomes U = γ N + β with N = (Z − μ)/√(v + ε); the running statistics follow."""
    ws, row, P, running = job.ws, job.layers[l], job.P, job.running
    padded = row[PADDED]
    m = ws.dtype.type(rows)
    mean, variance = job.statistics[row[MEAN] :], job.statistics[row[VARIANCE] :]
    for c in range(c0, c1):
        mean[c] = variance[c] = ws.dtype.type(0)
    for r in range(rows):
        z = ws[row[Z] + r * padded : row[Z] + (r + 1) * padded]
        for c in range(c0, c1):
            mean[c] += z[c]
    for c in range(c0, c1):
        mean[c] /= m
    for r in range(rows):
        z = ws[row[Z] + r * padded : row[Z] + (r + 1) * padded]
        for c in range(c0, c1):
            variance[c] += (z[c] - mean[c]) * (z[c] - mean[c])
    old, new = ws.dtype.type(MOMENTUM), ws.dtype.type(1 - MOMENTUM)
    unbiased = ws.dtype.type((1 - MOMENTUM) * rows / max(rows - 1, 1))
    for c in range(c0, c1):
        variance[c] /= m
        running[row[MEAN] + c] = old * running[row[MEAN] + c] + new * mean[c]
        running[row[VARIANCE] + c] = old * running[row[VARIANCE] + c] + unbiased * variance[c]
    epsilon = ws.dtype.type(EPSILON)
    for r in range(rows):
        start = r * padded
        for c in range(c0, c1):
            n = (ws[row[Z] + start + c] - mean[c]) / math.sqrt(variance[c] + epsilon)
            ws[row[N] + start + c] = n
            ws[row[Z] + start + c] = P[row[SCALE] + c] * n + P[row[BIAS] + c]


@kernel
def normalise_backward(job, l, rows, c0, c1):
    """Columns c0 … c1 − 1: dγ, dβ, and DELTA from ∂/∂U to ∂/∂Z."""
    ws, row, P, G = job.ws, job.layers[l], job.P, job.G
    padded = row[PADDED]
    zero, m = ws.dtype.type(0), ws.dtype.type(rows)
    dgamma, dbeta = G[row[SCALE] :], G[row[BIAS] :]
    for c in range(c0, c1):
        dgamma[c] = dbeta[c] = zero
    for r in range(rows):
        start = r * padded
        for c in range(c0, c1):
            dgamma[c] += ws[row[DELTA] + start + c] * ws[row[N] + start + c]
            dbeta[c] += ws[row[DELTA] + start + c]
    epsilon = ws.dtype.type(EPSILON)
    for r in range(rows):
        start = r * padded
        for c in range(c0, c1):
            gamma = P[row[SCALE] + c]
            centred = ws[row[DELTA] + start + c] - dbeta[c] / m - ws[row[N] + start + c] * (dgamma[c] / m)
            ws[row[DELTA] + start + c] = gamma * centred / math.sqrt(job.statistics[row[VARIANCE] + c] + epsilon)
