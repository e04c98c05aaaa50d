"""A step for a single sample: rank-one updates, applied as they are computed, and only where an input is not zero.

A term that is zero adds nothing to a sum, and an input that is zero gives its weights no gradient: leaving both out is
exact, and most pixels of a digit are zero.
"""

import numpy as np

from chainrule.kernels.layers import activate, deactivate, passed_on
from chainrule.kernels.output import output
from chainrule.kernels.parts import kernel
from chainrule.kernels.products import product
from chainrule.kernels.records import layer_of
from chainrule.kernels.tiles import VECTORS, rounded_up
from chainrule.kernels.vectors import rank_one
from chainrule.kernels.views import integers, place, reals


@kernel
def single(job, x, samples, total, mask, rate, l2):
    """One step of gradient descent on the sample whose inputs lie at x; False where a logit is not finite."""
    first, rows, inputs = np.int64(0), np.int64(1), x  # no literals, which would be types of their own
    for l in range(job.depth):
        layer = layer_of(job, l)
        count = _find_nonzero(job, layer, inputs)
        nonzero = job.nonzero + 8 * (layer.nonzero + 1)
        weights, bias = job.P + layer.weights * job.itemsize, job.P + layer.bias * job.itemsize
        product(job, inputs, job.iota, 0, nonzero, 1, weights, layer.fan_in, 0, nonzero, count, place(job, layer.z), 1, 0, layer.padded, layer.padded, 1, bias)  # fmt: skip  # noqa: E501
        if l < job.depth - 1:
            activate(job, layer, mask + layer.dropped_below, first, rows)
            _clear_padding(job, layer)
            inputs = place(job, passed_on(layer))
    if not output(job, layer_of(job, job.depth - 1), samples, total, first, rows):
        return False
    for l in range(job.depth - 1, -1, -1):
        layer, below = layer_of(job, l), layer_of(job, max(l - 1, 0))
        inputs = place(job, passed_on(below)) if l > 0 else x
        if l > 0:
            into = place(job, below.delta)
            product(job, place(job, layer.delta), job.iota, 0, job.iota, 1, place(job, layer.transposed), layer.width, 0, job.iota, layer.width, into, 1, 0, below.padded, below.padded, 1, job.zeros)  # fmt: skip  # noqa: E501
            deactivate(job, below, mask + below.dropped_below, first, rows)
        b, delta = reals(job, job.P, layer.bias, layer.padded), reals(job, job.ws, layer.delta, layer.padded)
        for c in range(layer.padded):
            delta[c] *= rate
            b[c] -= delta[c]
        _step_weights(job, layer, inputs, rate * l2)
        if l > 0:
            _step_transposed(job, layer, inputs, rate * l2)
    return True


@kernel
def _find_nonzero(job, layer, inputs):
    """List the inputs that are not zero behind their number, which is returned."""
    x = reals(job, inputs, 0, layer.fan_in)
    found = integers(job.nonzero + 8 * layer.nonzero, layer.fan_in + 1)
    count = 0
    for j in range(layer.fan_in):
        found[count + 1] = j
        count += x[j] != x.dtype.type(0)
    found[0] = count
    return count


@kernel
def _step_weights(job, layer, inputs, shrink):
    """W ← W − x (ηδ)ᵀ − ηλ W, with ηλ = `shrink`; only the rows whose input is not zero move by x."""
    found = job.nonzero + 8 * layer.nonzero
    count, lanes = integers(found, 1)[0], job.panel // VECTORS
    _shrink(job, job.P, layer.weights, layer.fan_in * layer.padded, shrink)
    for start in range(0, layer.padded, job.panel):
        wide = min(job.panel, layer.padded - start)
        w = job.P + (layer.weights + start * layer.fan_in) * job.itemsize
        delta = place(job, layer.delta + start)
        rank_one(job.one, w, found + 8, count, wide, inputs, delta, wide // lanes)


@kernel
def _step_transposed(job, layer, inputs, shrink):
    """The same for the transposed weights, to the same bits."""
    lanes = job.panel // VECTORS
    padded_in = rounded_up(layer.fan_in, lanes)
    _shrink(job, job.ws, layer.transposed, layer.width * padded_in, shrink)
    for start in range(0, padded_in, job.panel):
        wide = min(job.panel, padded_in - start)
        w = place(job, layer.transposed + start * layer.width)
        x = inputs + start * job.itemsize
        rank_one(job.one, w, job.iota, layer.width, wide, place(job, layer.delta), x, wide // lanes)


@kernel
def _shrink(job, base, offset, count, shrink):
    if shrink != type(job.one)(0):
        w = reals(job, base, offset, count)
        for i in range(count):
            w[i] -= shrink * w[i]


@kernel
def _clear_padding(job, layer):
    """Activations behind the width of a layer are those of nothing: no weight may be moved by them."""
    a = reals(job, job.ws, passed_on(layer), layer.padded)
    for c in range(layer.width, layer.padded):
        a[c] = a.dtype.type(0)
