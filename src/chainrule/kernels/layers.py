"""One layer for some rows of a piece of a batch: the linear map through tiles, the activation, and the way back.

`job` and `layer` are records (job.py, plan.py); r0 … r1 − 1 are rows of the piece. Inputs of the network lie at
x + samples[r]·step numbers. No number of a row depends on which rows a thread has besides.
"""

import math

import numpy as np

from chainrule.kernels.maths import exp, tanh
from chainrule.kernels.parts import kernel
from chainrule.kernels.products import product
from chainrule.kernels.records import layer_of
from chainrule.kernels.views import doubles, integers, place, reals, view


@kernel
def gather(job, samples, r0, r1):
    """Rows of the data as they are trained on, (x − shift) · scale computed in float64, into `inputs`."""
    d = job.features
    rows = integers(samples, r1)
    shift, scale = doubles(job.shift, d), doubles(job.scale, d)
    for r in range(r0, r1):
        into = reals(job, job.inputs, r * d, d)
        start = rows[r] * job.row_step
        if job.raw == 1:
            bytes_ = view(job.x + start, d, np.uint8(0))
            for j in range(d):
                into[j] = np.float32((float(bytes_[j]) - shift[j]) * scale[j])
        elif job.raw == 2:
            singles = view(job.x + 4 * start, d, np.float32(0))
            for j in range(d):
                into[j] = np.float32((float(singles[j]) - shift[j]) * scale[j])
        else:
            wides = view(job.x + 8 * start, d, np.float64(0))
            for j in range(d):
                into[j] = np.float32((wides[j] - shift[j]) * scale[j])


@kernel
def passed_on(layer):
    """Where the values lie that a layer hands to the next: D with dropout, A without."""
    return layer.d if layer.dropped else layer.a


@kernel
def inputs_of(job, l, samples):
    """Address, row numbers and step of the rows that layer l reads."""
    if l > 0:
        below = layer_of(job, l - 1)
        return place(job, passed_on(below)), job.iota, below.padded
    if job.raw:
        return job.inputs, job.iota, job.features
    return job.x, samples, job.row_step


@kernel
def linear(job, layer, inputs, input_rows, input_step, r0, r1):
    """Z = D W + b, where the rows of D, the layer's input, lie at inputs + input_rows[r]·input_step numbers; without b
    before batch normalisation."""
    weights = job.P + layer.weights * job.itemsize
    bias = job.zeros if layer.normalised else job.P + layer.bias * job.itemsize
    z = place(job, layer.z + r0 * layer.padded)
    product(job, inputs, input_rows + 8 * r0, input_step, job.iota, 1, weights, layer.fan_in, 0, job.iota, layer.fan_in, z, 1, 0, layer.padded, layer.padded, r1 - r0, bias)  # fmt: skip  # noqa: E501


@kernel
def activate(job, layer, mask, r0, r1):
    """A = f(Z), and D = A ∘ M where the layer drops units; its uniform numbers begin at `mask`."""
    count = (r1 - r0) * layer.padded
    z = reals(job, job.ws, layer.z + r0 * layer.padded, count)
    function(layer, z, reals(job, job.ws, layer.a + r0 * layer.padded, count))
    if layer.dropped:
        _drop(job, layer, layer.a, layer.d, mask, r0, r1)


@kernel
def function(layer, z, a):
    """a ← f(z), the activation of a layer number by number."""
    count = len(z)
    kind, setting = layer.activation, z.dtype.type(layer.setting)
    zero, one = z.dtype.type(0), z.dtype.type(1)
    if kind == 0:
        for i in range(count):
            a[i] = z[i]
    elif kind == 1:
        for i in range(count):
            a[i] = one / (one + exp(-z[i]))
    elif kind == 2:
        for i in range(count):
            a[i] = tanh(z[i])
    elif kind == 3:
        for i in range(count):
            a[i] = z[i] if not z[i] <= zero else zero
    elif kind == 4:
        for i in range(count):
            a[i] = z[i] if z[i] > zero else setting * z[i]
    elif kind == 5:
        for i in range(count):
            a[i] = z[i] if z[i] > zero else setting * z.dtype.type(math.expm1(z[i]))
    elif kind == 6:
        for i in range(count):
            a[i] = z[i] / (one + exp(-setting * z[i]))
    elif kind == 7:
        for i in range(count):
            a[i] = z[i] * _normal_cdf(z[i])
    else:
        for i in range(count):
            a[i] = max(z[i], zero) + z.dtype.type(math.log1p(math.exp(-abs(z[i]))))


@kernel
def _drop(job, layer, source, target, mask, r0, r1):
    """Rows of the target = rows of the source ∘ M."""
    for r in range(r0, r1):
        a = reals(job, job.ws, source + r * layer.padded, layer.width)
        d = reals(job, job.ws, target + r * layer.padded, layer.width)
        drawn = view(job.masks + 4 * (mask + r * layer.width), layer.width, np.float32(0))
        zero, kept = a.dtype.type(0), a.dtype.type(layer.kept)
        for c in range(layer.width):
            d[c] = a[c] * (kept if drawn[c] >= layer.rate else zero)


@kernel
def deactivate(job, layer, mask, r0, r1):
    """∂/∂D in delta becomes ∂/∂U: times the mask, times f′."""
    if layer.dropped:
        _drop(job, layer, layer.delta, layer.delta, mask, r0, r1)
    count = (r1 - r0) * layer.padded
    z = reals(job, job.ws, layer.z + r0 * layer.padded, count)
    a = reals(job, job.ws, layer.a + r0 * layer.padded, count)
    times_derivative(layer, z, a, reals(job, job.ws, layer.delta + r0 * layer.padded, count))


@kernel
def times_derivative(layer, z, a, d):
    """d ← d · f′(z), with a = f(z)."""
    count = len(z)
    kind, setting = layer.activation, z.dtype.type(layer.setting)
    zero, one = z.dtype.type(0), z.dtype.type(1)
    if kind == 1:
        for i in range(count):
            d[i] *= a[i] * (one - a[i])
    elif kind == 2:
        for i in range(count):
            d[i] *= one - a[i] * a[i]
    elif kind == 3:
        for i in range(count):
            d[i] = d[i] if z[i] > zero else zero
    elif kind == 4:
        for i in range(count):
            d[i] *= one if z[i] > zero else setting
    elif kind == 5:
        for i in range(count):
            d[i] *= one if z[i] > zero else a[i] + setting
    elif kind == 6:
        for i in range(count):
            d[i] *= setting * a[i] + (one - setting * a[i]) / (one + exp(-setting * z[i]))
    elif kind == 7:
        scale, half = z.dtype.type(0.3989422804014327), z.dtype.type(-0.5)
        for i in range(count):
            d[i] *= _normal_cdf(z[i]) + z[i] * scale * exp(half * z[i] * z[i])
    elif kind == 8:
        for i in range(count):
            d[i] *= one / (one + exp(-z[i]))


@kernel
def _normal_cdf(z):
    return type(z)(0.5 * math.erfc(-z * 0.7071067811865476))


@kernel
def backward_linear(job, layer, below, r0, r1):
    """∂/∂D of the layer below, into its delta: this layer's deltas times Wᵀ."""
    delta = place(job, layer.delta + r0 * layer.padded)
    into = place(job, below.delta + r0 * below.padded)
    product(job, delta, job.iota, layer.padded, job.iota, 1, place(job, layer.transposed), layer.width, 0, job.iota, layer.width, into, 1, 0, below.padded, below.padded, r1 - r0, job.zeros)  # fmt: skip  # noqa: E501


@kernel
def weight_gradient(job, into, layer, inputs, input_rows, input_step, r0, rows, j0, j1, further):
    """Rows j0 … j1 − 1 of dW = Dᵀ dZ over `rows` samples from r0 on; `into` is the address of the gradients.

    Each number is summed over the samples one after the other.
    """
    into += layer.weights * job.itemsize
    input_rows += 8 * r0
    delta = place(job, layer.delta + r0 * layer.padded)
    product(job, inputs + j0 * job.itemsize, job.iota, 1, input_rows, input_step, delta, 1, layer.padded, job.iota, rows, into, layer.fan_in, j0, 0, layer.padded, j1 - j0, 0 if further else job.zeros)  # fmt: skip  # noqa: E501


@kernel
def bias_gradient(job, into, layer, r0, rows, further):
    """db = the sum of dZ over the samples likewise: a row of ones times dZ."""
    into += layer.bias * job.itemsize
    delta = place(job, layer.delta + r0 * layer.padded)
    product(job, job.ones, job.iota, 0, job.iota, 0, delta, 1, layer.padded, job.iota, rows, into, 1, 0, layer.padded, layer.padded, 1, 0 if further else job.zeros)  # fmt: skip  # noqa: E501
