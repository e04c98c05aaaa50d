"""One step of descent on a stretch of the flat parameters, each method in the line of its publication."""

import math

from chainrule.kernels.parts import kernel
from chainrule.kernels.tiles import rounded_up
from chainrule.kernels.views import doubles, lanes_of, reals

SGD, MOMENTUM, NESTEROV, RMSPROP, ADAM, ADAMW = range(6)  # the order of plan.METHODS
CHAINS = 64  # partial sums of a sum of squares


@kernel
def step(job, start, count, number, rate, l2, shrunk, decayed):
    """Move P[start : start + count] against G (+ λP), clipping having `shrunk` G; M and S are the method's memory.

    `number` is the step's, from 1; `decayed` whether AdamW's decay is for these parameters.
    """
    p, g = reals(job, job.P, start, count), reals(job, job.G, start, count)
    m, s = reals(job, job.M, start, count), reals(job, job.S, start, count)
    real = p.dtype.type
    one, method = real(1), job.method
    first, second, epsilon = real(job.first), real(job.second), real(job.epsilon)
    new_first, new_second = real(1 - job.first), real(1 - job.second)
    if shrunk != one:
        for i in range(count):
            g[i] *= shrunk
    if l2 != real(0):
        for i in range(count):
            g[i] += l2 * p[i]
    if method == SGD:
        for i in range(count):
            p[i] -= rate * g[i]
    elif method == MOMENTUM:
        for i in range(count):
            m[i] = first * m[i] + g[i]
            p[i] -= rate * m[i]
    elif method == NESTEROV:
        for i in range(count):
            m[i] = first * m[i] + g[i]
            p[i] -= rate * (g[i] + first * m[i])
    elif method == RMSPROP:
        for i in range(count):
            m[i] = first * m[i] + new_first * g[i] * g[i]
            p[i] -= rate * g[i] / (math.sqrt(m[i]) + epsilon)
    else:
        if method == ADAMW and decayed:
            shrink = rate * real(job.weight_decay)
            for i in range(count):
                p[i] -= shrink * p[i]
        unbiased_rate = rate / real(1 - job.first**number)
        unbiased = one / real(1 - job.second**number)
        for i in range(count):
            m[i] = first * m[i] + new_first * g[i]
            s[i] = second * s[i] + new_second * g[i] * g[i]
            p[i] -= unbiased_rate * m[i] / (math.sqrt(s[i] * unbiased) + epsilon)


@kernel
def step_rows(job, layer, number, rate, l2, shrunk, j0, j1):
    """`step` for rows j0 … j1 − 1 of the weights of a layer, which lie in one stretch a panel."""
    for start in range(0, layer.padded, job.panel):
        wide = min(job.panel, layer.padded - start)
        at = layer.weights + start * layer.fan_in + j0 * wide
        step(job, at, (j1 - j0) * wide, number, rate, l2, shrunk, True)
        if _may_divide_by_zero(job):
            p = reals(job, job.P, at, (j1 - j0) * wide)
            for j in range(j1 - j0):
                for c in range(min(wide, layer.width - start), wide):
                    p[j * wide + c] = p.dtype.type(0)


@kernel
def step_vectors(job, layer, number, rate, shrunk):
    """`step` for b, or for β and γ, of a layer: free of the penalty and of weight decay."""
    step(job, layer.bias, layer.padded * (1 + layer.normalised), number, rate, type(rate)(0), shrunk, False)
    if _may_divide_by_zero(job):
        p = reals(job, job.P, layer.bias, layer.padded * (1 + layer.normalised))
        for c in range(layer.width, layer.padded):
            p[c] = p.dtype.type(layer.low)
            p[c + layer.padded * layer.normalised] = p.dtype.type(layer.low)


@kernel
def _may_divide_by_zero(job):
    """Where ε is 0, padding, which never has a gradient, becomes 0/0 and must be set back."""
    return job.epsilon == 0 and job.method >= RMSPROP


@kernel
def transpose_rows(job, layer, j0, j1):
    """Rows j0 … j1 − 1 of the weights of a layer into the columns of their transpose in the workspace."""
    P = reals(job, job.P, layer.weights, layer.fan_in * layer.padded)
    padded_in = rounded_up(layer.fan_in, lanes_of(P))
    transposed = reals(job, job.ws, layer.transposed, layer.width * padded_in)
    for start in range(0, layer.padded, job.panel):
        wide = min(job.panel, layer.padded - start)
        used = min(wide, layer.width - start)
        for j in range(j0, j1):
            left = j // job.panel * job.panel
            across = min(job.panel, padded_in - left)
            source = start * layer.fan_in + j * wide
            target = left * layer.width + start * across + (j - left)
            for c in range(used):
                transposed[target + c * across] = P[source + c]


@kernel
def squares(job, base, start, count, scratch):
    """Σ x² of a stretch in float64, as CHAINS partial sums, for which there is room at `scratch`."""
    x, partial = reals(job, base, start, count), doubles(scratch, CHAINS)
    for k in range(CHAINS):
        partial[k] = 0.0
    whole = count // CHAINS * CHAINS
    for i in range(0, whole, CHAINS):
        for k in range(CHAINS):
            partial[k] += float(x[i + k]) * float(x[i + k])
    for i in range(whole, count):
        partial[i - whole] += float(x[i]) * float(x[i])
    total = 0.0
    for k in range(CHAINS):
        total += partial[k]
    return total
