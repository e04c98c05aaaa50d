"""The output layer for some rows: A = g(Z), the loss of each row, and the deltas (A − T) where all gradients begin."""

import math

from chainrule.kernels.maths import exp
from chainrule.kernels.tiles import kernel
from chainrule.kernels.vectors import scaled
from chainrule.kernels.views import integers, lanes_of, place, reals

NOTHING = -1000.0  # its exponential is 0: what a row is padded with


@kernel
def output(job, layer, samples, total, r0, r1):
    """A, the losses of the rows, and delta = (A − T) times a row's share of the loss, its weight over `total`.

    False where a logit is not finite.
    """
    count = (r1 - r0) * layer.padded
    z = reals(job, job.ws, layer.z + r0 * layer.padded, count)
    a = reals(job, job.ws, layer.a + r0 * layer.padded, count)
    one = a.dtype.type(1)
    if not _finite(job, layer, r0, r1):
        return False
    if job.output == 0:
        _below_greatest(job, layer, r0, r1)
        for i in range(count):
            a[i] = exp(a[i])
        _divide_by_sums(job, layer, samples, r0, r1)
    elif job.output == 1:
        for i in range(count):
            a[i] = one / (one + exp(-z[i]))
    else:
        for i in range(count):
            a[i] = z[i]
    if job.recorded and job.output != 0:
        _losses(job, layer, samples, r0, r1)
    _deltas(job, layer, samples, total, r0, r1)
    return True


@kernel
def _finite(job, layer, r0, r1):
    bad = 0
    padded, width = layer.padded, layer.width
    z = reals(job, job.ws, layer.z, r1 * padded)
    for r in range(r0, r1):
        for c in range(r * padded, r * padded + width):
            bad += not math.isfinite(z[c])
    return bad == 0


@kernel
def _target(job, sample, k):
    """t_k of a sample."""
    if job.labels:
        return job.one if integers(job.labels, sample + 1)[sample] == k else job.one - job.one
    return reals(job, job.T, sample * job.outputs, job.outputs)[k]


@kernel
def _greatest(z, start, width):
    top = z[start]
    for c in range(start + 1, start + width):
        top = z[c] if z[c] > top else top
    return top


@kernel
def _below_greatest(job, layer, r0, r1):
    """A = Z less the greatest logit of the row, so that no exponential overflows."""
    padded, width = layer.padded, layer.width
    z, a = reals(job, job.ws, layer.z, r1 * padded), reals(job, job.ws, layer.a, r1 * padded)
    vectors, nothing, one = padded // lanes_of(z), a.dtype.type(NOTHING), a.dtype.type(1)
    for r in range(r0, r1):
        top = _greatest(z, r * padded, width)
        scaled(place(job, layer.a + r * padded), place(job, layer.z + r * padded), vectors, -top, one)
        for c in range(r * padded + width, (r + 1) * padded):
            a[c] = nothing


@kernel
def _divide_by_sums(job, layer, samples, r0, r1):
    """Softmax from exponentials; the cross-entropy of each row, if it is recorded."""
    padded, width = layer.padded, layer.width
    z, a = reals(job, job.ws, layer.z, r1 * padded), reals(job, job.ws, layer.a, r1 * padded)
    losses, numbers = reals(job, job.row_losses, 0, r1), integers(samples, r1)
    vectors, zero = padded // lanes_of(a), a.dtype.type(0)
    one, recorded = a.dtype.type(1), job.recorded
    for r in range(r0, r1):
        total = zero
        for c in range(r * padded, r * padded + width):
            total += a[c]
        if recorded:
            top = _greatest(z, r * padded, width)
            log_total = a.dtype.type(math.log(total))
            loss = zero
            for c in range(width):
                loss += _target(job, numbers[r], c) * (log_total - (z[r * padded + c] - top))
            losses[r] = loss
        at = place(job, layer.a + r * padded)
        scaled(at, at, vectors, zero, one / total)


@kernel
def _losses(job, layer, samples, r0, r1):
    """Binary cross-entropy, or half the squared error, of each row."""
    losses, numbers = reals(job, job.row_losses, 0, r1), integers(samples, r1)
    zero, half = losses.dtype.type(0), losses.dtype.type(0.5)
    for r in range(r0, r1):
        z = reals(job, job.ws, layer.z + r * layer.padded, layer.width)
        loss = zero
        for c in range(layer.width):
            t = _target(job, numbers[r], c)
            if job.output == 1:
                loss += max(z[c], zero) - z[c] * t + losses.dtype.type(math.log1p(math.exp(-abs(z[c]))))
            else:
                loss += half * (z[c] - t) * (z[c] - t)
        losses[r] = loss


@kernel
def _deltas(job, layer, samples, total, r0, r1):
    padded, width, outputs = layer.padded, layer.width, job.outputs
    a, d = reals(job, job.ws, layer.a, r1 * padded), reals(job, job.ws, layer.delta, r1 * padded)
    numbers, weights, labels, T, one = integers(samples, r1), job.weights, job.labels, job.T, job.one
    vectors, zero = padded // lanes_of(a), a.dtype.type(0)
    share = one / a.dtype.type(total)
    for r in range(r0, r1):
        first, sample = r * padded, numbers[r]
        if weights:
            share = reals(job, weights, sample, 1)[0] / a.dtype.type(total)
        if labels:
            scaled(place(job, layer.delta + first), place(job, layer.a + first), vectors, zero, share)
            label = first + integers(labels, sample + 1)[sample]
            d[label] = (a[label] - one) * share
        else:
            t = reals(job, T, sample * outputs, outputs)
            for c in range(width):
                d[first + c] = (a[first + c] - t[c]) * share
        for c in range(first + width, first + padded):
            d[c] = zero
