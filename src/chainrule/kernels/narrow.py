"""Narrow layers, with samples side by side: a vector of the processor holds one unit's values of many samples.

Where a layer has a few units, a row of it would fill a small part of a vector. Here the values of a chunk of samples
lie unit by unit, `across` numbers each (a whole number of vectors; what is beyond the samples counts nothing), so that
a layer is Zᵀ = Wᵀ Dᵀ + b, and its gradients are products of such rows with each other.
"""

import math

from chainrule.kernels.layers import function, gather, inputs_of, times_derivative
from chainrule.kernels.maths import exp
from chainrule.kernels.output import loss_of_unit, share_of_loss
from chainrule.kernels.parts import kernel
from chainrule.kernels.products import product
from chainrule.kernels.records import layer_of
from chainrule.kernels.tiles import rounded_up
from chainrule.kernels.vectors import dots
from chainrule.kernels.views import integers, lanes_of, place, reals


@kernel
def narrow_chunk(job, into, samples, total, first, rows):
    """Samples first … first + rows − 1 of a piece forth and back, their gradients to the address `into`.

    False where a logit is not finite; the gradients are then of no use.
    """
    across = rounded_up(rows, lanes_of(reals(job, job.ws, 0, 0)))
    _turn_inputs(job, samples, first, rows, across)
    for l in range(job.depth):
        _linear(job, l, first, across)
        if l < job.depth - 1:
            layer = layer_of(job, l)
            z, a = _values(job, layer, layer.z, first, across), _values(job, layer, layer.a, first, across)
            function(layer, z, a)
    fine = _output(job, samples, total, first, rows, across)
    for l in range(job.depth - 1, -1, -1):
        _gradients(job, into, l, first, across)
        if l > 0:
            _backward(job, l, first, across)
    return fine


@kernel
def _values(job, layer, start, first, across):
    """All values of one kind of a layer for the chunk, unit after unit."""
    return reals(job, job.ws, start + first * layer.padded, layer.width * across)


@kernel
def _inputs(job, l, first):
    """The address of the values that layer l reads, unit after unit."""
    if l == 0:
        return job.columns + first * job.features * job.itemsize
    below = layer_of(job, l - 1)
    return place(job, below.a + first * below.padded)


@kernel
def _turn_inputs(job, samples, first, rows, across):
    """The samples of the chunk, feature after feature; those beyond the last are zeros."""
    if job.raw:
        gather(job, samples, first, first + rows)
    source, numbers, step = inputs_of(job, 0, samples)
    d, row = job.features, integers(numbers, first + rows)
    columns = reals(job, _inputs(job, 0, first), 0, d * across)
    for j in range(d):
        x = reals(job, source, j, 0)
        for r in range(rows):
            columns[j * across + r] = x[row[first + r] * step]
        for r in range(rows, across):
            columns[j * across + r] = columns.dtype.type(0)


@kernel
def _linear(job, l, first, across):
    """Zᵀ = Wᵀ Dᵀ + b."""
    layer = layer_of(job, l)
    z, b = _values(job, layer, layer.z, first, across), reals(job, job.P, layer.bias, layer.width)
    for k in range(layer.width):
        for r in range(across):
            z[k * across + r] = b[k]
    weights, into = job.P + layer.weights * job.itemsize, place(job, layer.z + first * layer.padded)
    product(job, weights, job.iota, 1, job.iota, layer.padded, _inputs(job, l, first), 1, across, job.iota, layer.fan_in, into, 1, 0, across, across, layer.width, 0)  # fmt: skip  # noqa: E501


@kernel
def _backward(job, l, first, across):
    """∂/∂D of the layer below = W ∂/∂Z, all turned, and that times f′."""
    layer, below = layer_of(job, l), layer_of(job, l - 1)
    weights, delta = job.P + layer.weights * job.itemsize, place(job, layer.delta + first * layer.padded)
    into = place(job, below.delta + first * below.padded)
    product(job, weights, job.iota, layer.padded, job.iota, 1, delta, 1, across, job.iota, layer.width, into, 1, 0, across, across, layer.fan_in, job.zeros)  # fmt: skip  # noqa: E501
    z, a = _values(job, below, below.z, first, across), _values(job, below, below.a, first, across)
    times_derivative(below, z, a, _values(job, below, below.delta, first, across))


@kernel
def _gradients(job, into, l, first, across):
    """dW = Dᵀ dZ, and db, the product of ones with dZ."""
    layer = layer_of(job, l)
    vectors = across // lanes_of(reals(job, job.ws, 0, 0))
    delta = place(job, layer.delta + first * layer.padded)
    weights, bias = into + layer.weights * job.itemsize, into + layer.bias * job.itemsize
    dots(job.one, _inputs(job, l, first), layer.fan_in, delta, layer.width, vectors, weights, layer.padded)
    dots(job.one, job.ones, 1, delta, layer.width, vectors, bias, layer.padded)


@kernel
def _output(job, samples, total, first, rows, across):
    """A = g(Z), the losses where they are recorded, and dZ = (A − T) times each sample's share of the loss."""
    layer = layer_of(job, job.depth - 1)
    z, a = _values(job, layer, layer.z, first, across), _values(job, layer, layer.a, first, across)
    delta = _values(job, layer, layer.delta, first, across)
    bad = 0
    for k in range(layer.width):
        for r in range(rows):
            bad += not math.isfinite(z[k * across + r])
    _targets(job, layer, delta, samples, first, rows, across)
    if job.output == 0:
        _softmax(job, layer, z, a, first, across)
    elif job.output == 1:
        for i in range(layer.width * across):
            a[i] = job.one / (job.one + exp(-z[i]))
    else:
        for i in range(layer.width * across):
            a[i] = z[i]
    if job.recorded:
        _losses(job, layer, z, delta, first, rows, across)
    shares = _shares(job, samples, total, first, rows, across)
    for k in range(layer.width):
        for r in range(across):
            delta[k * across + r] = (a[k * across + r] - delta[k * across + r]) * shares[r]
    return bad == 0


@kernel
def _margin(job, kind, first, across):
    """One number for each sample of the chunk: of kind 0 the shares, 1 the greatest logits, 2 the sums of eᶻ."""
    return reals(job, job.margins, kind * job.margin + first, across)


@kernel
def _targets(job, layer, into, samples, first, rows, across):
    """T, unit after unit; beyond the samples are zeros."""
    numbers, zero = integers(samples, first + rows), type(job.one)(0)
    if job.labels:
        for i in range(layer.width * across):
            into[i] = zero
        for r in range(rows):
            sample = numbers[first + r]
            into[integers(job.labels, sample + 1)[sample] * across + r] = job.one
        return
    for r in range(rows):
        t = reals(job, job.T, numbers[first + r] * job.outputs, job.outputs)
        for k in range(layer.width):
            into[k * across + r] = t[k]
    for r in range(rows, across):
        for k in range(layer.width):
            into[k * across + r] = zero


@kernel
def _shares(job, samples, total, first, rows, across):
    """What each sample's loss counts in that of the batch; 0 for what lies beyond the samples."""
    shares, numbers = _margin(job, 0, first, across), integers(samples, first + rows)
    common = share_of_loss(job, numbers[first], total)
    for r in range(rows):
        shares[r] = common
    if job.sample_weights:
        for r in range(rows):
            shares[r] = share_of_loss(job, numbers[first + r], total)
    for r in range(rows, across):
        shares[r] = type(job.one)(0)
    return shares


@kernel
def _softmax(job, layer, z, a, first, across):
    """Exponentials of the logits less the greatest of the sample, so that none overflows, over their sum."""
    tops, sums = _margin(job, 1, first, across), _margin(job, 2, first, across)
    for r in range(across):
        tops[r] = z[r]
    for k in range(1, layer.width):
        for r in range(across):
            tops[r] = z[k * across + r] if z[k * across + r] > tops[r] else tops[r]
    for k in range(layer.width):
        for r in range(across):
            a[k * across + r] = z[k * across + r] - tops[r]
    for i in range(layer.width * across):
        a[i] = exp(a[i])
    for r in range(across):
        sums[r] = a[r]
    for k in range(1, layer.width):
        for r in range(across):
            sums[r] += a[k * across + r]
    for k in range(layer.width):
        for r in range(across):
            a[k * across + r] /= sums[r]


@kernel
def _losses(job, layer, z, t, first, rows, across):
    """The loss of each sample, from its logits."""
    losses = reals(job, job.row_losses, first, rows)
    tops, sums = _margin(job, 1, first, across), _margin(job, 2, first, across)
    for r in range(rows):
        loss = type(job.one)(0)
        for k in range(layer.width):
            logit, target = z[k * across + r], t[k * across + r]
            if job.output == 0:
                loss += target * (type(loss)(math.log(sums[r])) - (logit - tops[r]))
            else:
                loss += loss_of_unit(job, logit, target)
        losses[r] = loss
