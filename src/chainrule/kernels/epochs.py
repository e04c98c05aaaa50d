"""Whole epochs without returning to Python: every batch is a program of a few stages, each divided among threads.

Without batch normalisation a batch has two stages. In the first each thread takes some rows through all layers and
back; in the second some rows of each weight matrix, whose gradient it sums over the whole batch and then applies. No
sum is ever divided between threads, so that the bits are the same for any number of them. Batch normalisation needs
the columns of a layer whole, which cuts the first stage at each such layer; clipping cuts the second.
"""

import math

import numpy as np
from numba import njit, prange
from numpy.typing import NDArray

from chainrule.kernels.layers import (
    activate,
    add_bias,
    backward_linear,
    bias_gradient,
    deactivate,
    forward_linear,
    normalise,
    normalise_backward,
    output,
    weight_gradient,
)
from chainrule.kernels.plan import BIAS, DROPPED, FAN_IN, NORMALISED, PADDED, SCALE, WEIGHTS, WIDTH
from chainrule.kernels.tiles import kernel
from chainrule.kernels.update import squares, step_rows, step_vectors, transpose_rows
from chainrule.network import Structure

ALIGNED = 10  # rows of a thread come in tens, which most tiles divide

ROWS, FORWARD, NORMALISE, ACTIVATE, OUTPUT, BACKWARD, DENORMALISE, GRADIENTS, CLIP, STEPS, DESCEND = range(11)


def program(structure: Structure, clipped: bool) -> NDArray[np.int64]:
    """The stages of a batch as rows (stage, layer)."""
    depth = len(structure.layers)
    stages = [(ROWS, 0)]
    if any(layer.batch_norm for layer in structure.layers):
        stages = []
        for l, layer in enumerate(structure.layers):
            stages.append((FORWARD, l))
            if layer.batch_norm:
                stages += [(NORMALISE, l), (ACTIVATE, l)]
        stages.append((OUTPUT, depth - 1))
        for l in range(depth - 1, 0, -1):
            stages.append((BACKWARD, l))
            if structure.layers[l - 1].batch_norm:
                stages.append((DENORMALISE, l - 1))
    stages += [(GRADIENTS, 0), (CLIP, 0), (STEPS, 0)] if clipped else [(DESCEND, 0)]
    return np.array(stages, dtype=np.int64)


@kernel
def _share(count, threads, t):
    """Where the share of thread t of `count` rows begins."""
    each = (count + threads - 1) // threads
    return min(count, (each + ALIGNED - 1) // ALIGNED * ALIGNED * t)


@kernel
def _mask_of(job, l, mask, rows):
    """Where the uniform numbers of layer l begin: those of the layers below it come first."""
    for below in range(l):
        if job.layers[below, DROPPED]:
            mask += rows * job.layers[below, WIDTH]
    return mask


@kernel
def _forward(job, l, first, rows, mask, r0, r1):
    forward_linear(job, l, first, r0, r1)
    if not job.layers[l, NORMALISED]:
        add_bias(job, l, r0, r1)
        if l < job.layers.shape[0] - 1:
            activate(job, l, _mask_of(job, l, mask, rows), r0, r1)


@kernel
def _backward(job, l, rows, mask, r0, r1):
    backward_linear(job, l, r0, r1)
    deactivate(job, l - 1, _mask_of(job, l - 1, mask, rows), r0, r1)


@kernel
def _descend(job, stage, batch, first, rows, t):
    """Gradients, steps, or both, for this thread's rows of every weight matrix."""
    rate = job.P.dtype.type(job.rates[batch])
    l2 = job.P.dtype.type(job.l2[batch] if stage == DESCEND else 0.0)
    for l in range(job.layers.shape[0]):
        fan_in = job.layers[l, FAN_IN]
        j0, j1 = _share(fan_in, job.threads, t), _share(fan_in, job.threads, t + 1)
        mine = t == l % job.threads
        if stage != STEPS:
            if j0 < j1:
                weight_gradient(job, l, first, rows, j0, j1)
            if mine and not job.layers[l, NORMALISED]:
                bias_gradient(job, l, rows)
        if stage != GRADIENTS:
            if j0 < j1:
                step_rows(job, l, rate, l2, j0, j1)
                if l > 0:
                    transpose_rows(job, l, j0, j1)
            if mine:
                step_vectors(job, l, rate)


@kernel
def _clip(job, l2):
    """Scale all gradients down where their common norm, penalty included, exceeds the limit."""
    total = 0.0
    for l in range(job.layers.shape[0]):
        row = job.layers[l]
        for i in range(row[WEIGHTS], row[WEIGHTS] + row[FAN_IN] * row[PADDED]):
            job.G[i] += l2 * job.P[i]
        total += squares(job.G, row[WEIGHTS], (row[SCALE] if row[NORMALISED] else row[BIAS]) + row[PADDED])
    if math.sqrt(total) > job.clip:
        scale = job.P.dtype.type(job.clip / math.sqrt(total))
        for i in range(job.G.size):
            job.G[i] *= scale


@kernel
def _stage(job, stage, l, batch, first, rows, mask, t):
    """The share of thread t in one stage of a batch."""
    r0, r1 = _share(rows, job.threads, t), _share(rows, job.threads, t + 1)
    if stage >= GRADIENTS:
        if stage != CLIP:
            _descend(job, stage, batch, first, rows, t)
        elif t == 0:
            _clip(job, job.P.dtype.type(job.l2[batch]))
    elif stage in (NORMALISE, DENORMALISE):
        width = job.layers[l, WIDTH]
        c0, c1 = _share(width, job.threads, t), _share(width, job.threads, t + 1)
        if stage == NORMALISE:
            normalise(job, l, rows, c0, c1)
        else:
            normalise_backward(job, l, rows, c0, c1)
    elif r0 < r1:
        if stage == ROWS:
            for k in range(job.layers.shape[0]):
                _forward(job, k, first, rows, mask, r0, r1)
        elif stage == FORWARD:
            _forward(job, l, first, rows, mask, r0, r1)
        elif stage == ACTIVATE:
            activate(job, l, _mask_of(job, l, mask, rows), r0, r1)
        if stage in (ROWS, OUTPUT):
            job.fine[t * 64] = output(job, first, r0, r1)
        if stage == ROWS:
            for k in range(job.layers.shape[0] - 1, 0, -1):
                _backward(job, k, rows, mask, r0, r1)
        elif stage == BACKWARD:
            _backward(job, l, rows, mask, r0, r1)


@kernel
def _begin(job, batch, first, rows):
    """The weight of each row of the batch, and the settings of its step."""
    real = job.P.dtype.type
    total = float(rows)
    if job.weights.size:
        total = 0.0
        for r in range(rows):
            total += float(job.weights[job.order[first + r]])
    for r in range(rows):
        job.factors[r] = (job.weights[job.order[first + r]] if job.weights.size else real(1)) / real(total)
    step = job.taken + batch + 1
    for i in range(4):
        job.now[i] = real(job.hyper[i])
    job.now[4], job.now[5] = real(1 - job.hyper[0] ** step), real(1 - job.hyper[1] ** step)
    job.fine[:] = 1


@kernel
def _record(job, batch, rows):
    """The loss of the batch before its update, and its penalty."""
    loss, penalty = 0.0, 0.0
    for r in range(rows):
        loss += float(job.row_losses[r]) * float(job.factors[r])
    if job.l2[batch] != 0:
        for row in job.layers:
            penalty += squares(job.P, row[WEIGHTS], row[WEIGHTS] + row[FAN_IN] * row[PADDED])
    job.losses[batch], job.penalties[batch] = loss, penalty * job.l2[batch] / 2


@kernel
def _fine(job):
    bad = 0
    for t in range(job.threads):
        bad += job.fine[t * 64] == 0
    return bad == 0


@njit(cache=True, error_model="numpy", nogil=True, parallel=True)
def epochs(job):
    """Train on one batch after the other; −1, or the number of the batch whose logits are not finite."""
    mask = 0
    for batch in range(job.bounds.size - 1):
        first = job.bounds[batch]
        rows = job.bounds[batch + 1] - first
        _begin(job, batch, first, rows)
        for s in range(job.program.shape[0]):
            stage, l = job.program[s]
            if stage in (GRADIENTS, DESCEND):
                if not _fine(job):
                    return batch
                if job.recorded:
                    _record(job, batch, rows)
            for t in prange(job.threads):
                _stage(job, stage, l, batch, first, rows, mask, t)
        mask = _mask_of(job, job.layers.shape[0], mask, rows)
    return -1
