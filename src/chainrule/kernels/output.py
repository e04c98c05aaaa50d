"""The output layer for some rows: A = g(Z), the loss of each row, and the deltas (A − T) where all gradients begin."""

import math

from chainrule.kernels.maths import exp
from chainrule.kernels.tiles import kernel
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
        return _softmax(job, layer, samples, total, r0, r1)
    return _each_alone(job, layer, samples, total, r0, r1)


@kernel
def _share_of_loss(job, sample, total):
    """What a sample's loss counts in that of the batch."""
    weight = reals(job, job.sample_weights, sample, 1)[0] if job.sample_weights else job.one
    return weight / type(job.one)(total)


@kernel
def _softmax(job, layer, samples, total, r0, r1):
    """Exponentials of the logits less the greatest of the row, so that none overflows; and cross-entropy.

    Behind the width of the layer stand logits so low (plan.py) that their exponentials are 0.
    """
    padded, width = layer.padded, layer.width
    all_e = reals(job, job.ws, layer.a + r0 * padded, (r1 - r0) * padded)
    vectors, one, bad = padded // lanes_of(all_e), job.one, 0
    for r in range(r0, r1):
        z = reals(job, job.ws, layer.z + r * padded, width)
        for c in range(width):
            bad += not math.isfinite(z[c])
        into, source = place(job, layer.a + r * padded), place(job, layer.z + r * padded)
        scaled(into, source, vectors, -_greatest(z, width), one)
    for i in range((r1 - r0) * padded):
        all_e[i] = exp(all_e[i])

    numbers, labels, outputs, recorded = integers(samples, r1), job.labels, job.outputs, job.recorded
    share, zero = _share_of_loss(job, numbers[r0], total), one - one
    for r in range(r0, r1):
        e = reals(job, job.ws, layer.a + r * padded, width)
        delta = reals(job, job.ws, layer.delta + r * padded, padded)
        z, sample = reals(job, job.ws, layer.z + r * padded, width), numbers[r]
        if job.sample_weights:
            share = _share_of_loss(job, sample, total)
        sum_ = e[0]
        for c in range(1, width):
            sum_ += e[c]
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
    return bad == 0


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
def _each_alone(job, layer, samples, total, r0, r1):
    """Sigmoid with binary cross-entropy, or identity with half the squared error: each unit by itself."""
    padded, width, outputs, recorded = layer.padded, layer.width, job.outputs, job.recorded
    count, numbers = (r1 - r0) * padded, integers(samples, r1)
    all_z = reals(job, job.ws, layer.z + r0 * padded, count)
    all_a = reals(job, job.ws, layer.a + r0 * padded, count)
    zero, one = job.one - job.one, job.one
    if job.output == 1:
        for i in range(count):
            all_a[i] = one / (one + exp(-all_z[i]))
    else:
        for i in range(count):
            all_a[i] = all_z[i]
    bad = 0
    for r in range(r0, r1):
        z, a = reals(job, job.ws, layer.z + r * padded, width), reals(job, job.ws, layer.a + r * padded, width)
        delta, t = (
            reals(job, job.ws, layer.delta + r * padded, padded),
            reals(job, job.T, numbers[r] * outputs, outputs),
        )
        share = _share_of_loss(job, numbers[r], total)
        for c in range(width):
            bad += not math.isfinite(z[c])
            delta[c] = (a[c] - t[c]) * share
        for c in range(width, padded):
            delta[c] = zero
        if recorded:
            reals(job, job.row_losses, r, 1)[0] = _loss_alone(job, z, width, t)
    return bad == 0


@kernel
def _loss_alone(job, z, width, t):
    """Binary cross-entropy from the logits, or half the squared error."""
    zero, half = z.dtype.type(0), z.dtype.type(0.5)
    loss = zero
    for c in range(width):
        if job.output == 1:
            loss += max(z[c], zero) - z[c] * t[c] + z.dtype.type(math.log1p(math.exp(-abs(z[c]))))
        else:
            loss += half * (z[c] - t[c]) * (z[c] - t[c])
    return loss
