"""The output layer for some rows: A = g(Z), the loss of each row, and the deltas (A − T) where all gradients begin."""

import math

from chainrule.kernels.maths import exp
from chainrule.kernels.parts import kernel
from chainrule.kernels.vectors import scaled
from chainrule.kernels.views import integers, lanes_of, place, reals


@kernel
def output(job, layer, samples, total, r0, r1):
    """The losses of the rows, and delta = (A − T) times a row's share of the loss, its weight over `total`.

    False where a logit is not finite; the deltas are then of no use.
    """
    if r0 == r1:
        return True
    if job.output == 0:
        _exponentials(job, layer, r0, r1)
        _softmax_deltas(job, layer, samples, total, r0, r1)
    else:
        _values(job, layer, r0, r1)
        _deltas(job, layer, samples, total, r0, r1)
    return finite(job, layer, r0, r1)


@kernel
def answer(job, layer, r0, r1):
    """A = g(Z) of the rows."""
    if job.output > 0:
        _values(job, layer, r0, r1)
        return
    _exponentials(job, layer, r0, r1)
    padded = layer.padded
    for r in range(r0, r1):
        e = reals(job, job.ws, layer.a + r * padded, padded)
        row = place(job, layer.a + r * padded)
        scaled(row, row, padded // lanes_of(e), type(job.one)(0), job.one / _sum(e, layer.width))


@kernel
def finite(job, layer, r0, r1):
    """Whether all of Z is."""
    bad = 0
    for r in range(r0, r1):
        z = reals(job, job.ws, layer.z + r * layer.padded, layer.width)
        for c in range(layer.width):
            bad += not math.isfinite(z[c])
    return bad == 0


@kernel
def share_of_loss(job, sample, total):
    """What a sample's loss counts in that of the batch."""
    weight = reals(job, job.sample_weights, sample, 1)[0] if job.sample_weights else job.one
    return weight / type(job.one)(total)


@kernel
def _exponentials(job, layer, r0, r1):
    """a ← exp of the logits less the greatest of the row, so that none overflows.

    Behind the width of the layer stand logits so low (plan.py) that their exponentials are 0.
    """
    padded = layer.padded
    all_e = reals(job, job.ws, layer.a + r0 * padded, (r1 - r0) * padded)
    for r in range(r0, r1):
        z = reals(job, job.ws, layer.z + r * padded, layer.width)
        into, source = place(job, layer.a + r * padded), place(job, layer.z + r * padded)
        scaled(into, source, padded // lanes_of(all_e), -_greatest(z, layer.width), job.one)
    for i in range((r1 - r0) * padded):
        all_e[i] = exp(all_e[i])


@kernel
def _sum(e, width):
    total = e[0]
    for c in range(1, width):
        total += e[c]
    return total


@kernel
def _softmax_deltas(job, layer, samples, total, r0, r1):
    """The deltas and losses of softmax and cross-entropy, from the exponentials in a."""
    padded, width, one = layer.padded, layer.width, job.one
    vectors = padded // lanes_of(reals(job, job.ws, layer.a, 0))
    numbers, labels, outputs, recorded = integers(samples, r1), job.labels, job.outputs, job.recorded
    share, zero = share_of_loss(job, numbers[r0], total), type(one)(0)
    for r in range(r0, r1):
        e = reals(job, job.ws, layer.a + r * padded, width)
        delta = reals(job, job.ws, layer.delta + r * padded, padded)
        z, sample = reals(job, job.ws, layer.z + r * padded, width), numbers[r]
        if job.sample_weights:
            share = share_of_loss(job, sample, total)
        sum_ = _sum(e, width)
        if labels:
            label = integers(labels, sample + 1)[sample]
            into, source = place(job, layer.delta + r * padded), place(job, layer.a + r * padded)
            scaled(into, source, vectors, zero, share / sum_)
            delta[label] = (e[label] / sum_ - one) * share
            if recorded:
                reals(job, job.row_losses, r, 1)[0] = _loss_of_label(z, width, sum_, label)
        else:
            t = reals(job, job.T, sample * outputs, outputs)
            for c in range(width):
                delta[c] = (e[c] / sum_ - t[c]) * share
            for c in range(width, padded):
                delta[c] = zero
            if recorded:
                reals(job, job.row_losses, r, 1)[0] = _loss_of_shares(z, width, sum_, t)


@kernel
def _greatest(z, width):
    top = z[0]
    for c in range(1, width):
        top = z[c] if z[c] > top else top
    return top


@kernel
def _loss_of_label(z, width, sum_, label):
    """−ln a of the label, for which Σ e^{z − max z} is known."""
    return z.dtype.type(math.log(sum_)) - (z[label] - _greatest(z, width))


@kernel
def _loss_of_shares(z, width, sum_, t):
    """−Σ t_k ln a_k likewise."""
    top, log_sum = _greatest(z, width), z.dtype.type(math.log(sum_))
    loss = log_sum - log_sum
    for c in range(width):
        loss += t[c] * (log_sum - (z[c] - top))
    return loss


@kernel
def _values(job, layer, r0, r1):
    """a ← sigmoid, or Z itself."""
    count = (r1 - r0) * layer.padded
    z = reals(job, job.ws, layer.z + r0 * layer.padded, count)
    a = reals(job, job.ws, layer.a + r0 * layer.padded, count)
    if job.output == 1:
        for i in range(count):
            a[i] = job.one / (job.one + exp(-z[i]))
    else:
        for i in range(count):
            a[i] = z[i]


@kernel
def _deltas(job, layer, samples, total, r0, r1):
    """The deltas and losses of sigmoid with binary cross-entropy, or of identity with half the squared error."""
    padded, width, outputs = layer.padded, layer.width, job.outputs
    numbers, zero = integers(samples, r1), type(job.one)(0)
    for r in range(r0, r1):
        z, a = reals(job, job.ws, layer.z + r * padded, width), reals(job, job.ws, layer.a + r * padded, width)
        delta = reals(job, job.ws, layer.delta + r * padded, padded)
        t = reals(job, job.T, numbers[r] * outputs, outputs)
        share = share_of_loss(job, numbers[r], total)
        for c in range(width):
            delta[c] = (a[c] - t[c]) * share
        for c in range(width, padded):
            delta[c] = zero
        if job.recorded:
            reals(job, job.row_losses, r, 1)[0] = _loss_alone(job, z, width, t)


@kernel
def _loss_alone(job, z, width, t):
    loss = z.dtype.type(0)
    for c in range(width):
        loss += loss_of_unit(job, z[c], t[c])
    return loss


@kernel
def loss_of_unit(job, z, t):
    """Binary cross-entropy from the logit, or half the squared error."""
    real = type(job.one)
    if job.output == 1:
        return max(z, real(0)) - z * t + real(math.log1p(math.exp(-abs(z))))
    return real(0.5) * (z - t) * (z - t)
