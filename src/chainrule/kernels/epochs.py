"""Whole epochs without returning to Python: every batch is a program of a few stages, which threads share.

A batch is taken through the network in pieces that stay in the caches. Without batch normalisation a piece has two
stages. In the first each thread takes some rows through all layers and back; in the second it adds to some rows of each
weight matrix's gradient what the piece gives, and after the last piece applies it. No sum is ever divided between
threads, so that the bits are the same for any number of them. Where there are few parameters and many samples, the
values of the samples are what is costly to move between processors: gradients are then summed over chunks of CHUNK
rows in the first stage, by the thread that has the rows, and the chunks' sums are added pair by pair, by a thread as
far as both are its own and in the second stage where they are not.

Batch normalisation needs the columns of a layer whole: its batches are one piece, and the first stage is cut at each
such layer. Clipping needs the whole gradient, which cuts the second.
"""

import math
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from chainrule.kernels.layers import (
    activate,
    backward_linear,
    bias_gradient,
    deactivate,
    gather,
    inputs_of,
    linear,
    weight_gradient,
)
from chainrule.kernels.narrow import narrow_chunk
from chainrule.kernels.normalisation import move_running, normalise, normalise_backward, normalise_by_running
from chainrule.kernels.output import answer, output
from chainrule.kernels.parts import kernel
from chainrule.kernels.records import job_at, layer_of
from chainrule.kernels.single import single
from chainrule.kernels.threads import LINE, wait
from chainrule.kernels.tiles import rounded_up
from chainrule.kernels.update import CHAINS, squares, step_rows, step_vectors, transpose_rows
from chainrule.kernels.views import doubles, integers, reals
from chainrule.network import Structure

ALIGNED = 10  # rows of a thread come in tens, which most tiles divide
CHUNK = 128  # rows of a partial sum
SUMS = 8 * CHAINS + LINE  # bytes of a layer's sum of squares: the sum, and room for its parts a line further

ROWS, FORWARD, NORMALISE, ACTIVATE, OUTPUT, BACKWARD, DENORMALISE, DESCEND, GRADIENTS, NORM, STEPS = range(11)


def program(structure: Structure, clipped: bool) -> NDArray[np.int64]:
    """The stages of a piece as rows (stage, layer)."""
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
    stages += [(GRADIENTS, 0), (NORM, 0), (STEPS, 0)] if clipped else [(DESCEND, 0)]
    return np.array(stages, dtype=np.int64)


@kernel
def _share(count, threads, t, aligned=ALIGNED):
    """Where the share of thread t of `count` rows begins."""
    return min(count, rounded_up((count + threads - 1) // threads, aligned) * t)


@kernel
def _samples_of(job, rows, t):
    """Where the share of thread t of the rows of a piece begins."""
    return _share(rows, job.threads, t, CHUNK if job.chunked else ALIGNED)


@kernel
def _forward(job, l, samples, mask, r0, r1):
    layer = layer_of(job, l)
    if l == 0 and job.raw:
        gather(job, samples, r0, r1)
    inputs, rows, step = inputs_of(job, l, samples)
    linear(job, layer, inputs, rows, step, r0, r1)
    if l < job.depth - 1 and not layer.normalised:
        activate(job, layer, mask, r0, r1)


@kernel
def _mask_of(job, layer, batch_mask, rows, done):
    """Where the uniform numbers of a layer begin for a piece of a batch of `rows`, of which `done` came before."""
    return batch_mask + rows * layer.dropped_below + done * layer.width


@kernel
def _descend(job, stage, batch, samples, rows, whole_rows, further, last, t):
    """Gradients of the piece, or a step, or both, for this thread's rows of every weight matrix."""
    real = type(job.one)
    rate, number = real(doubles(job.rates, batch + 1)[batch]), job.taken + batch + 1
    l2 = real(doubles(job.l2, batch + 1)[batch] if stage == DESCEND else 0.0)
    shrunk, none = _clipping(job) if stage == STEPS else real(1), np.int64(0)
    workers = 1 if job.narrow else job.threads  # so few numbers cost more on their way than they do work
    if t >= workers:
        return
    for l in range(job.depth):
        layer = layer_of(job, l)
        turn = (t + l) % workers  # so that small layers do not all fall to the first thread
        j0, j1 = _share(layer.fan_in, workers, turn), _share(layer.fan_in, workers, turn + 1)
        mine = turn == 0
        if stage != STEPS:
            if job.chunked:
                _add_chunks(job, layer, rows, j0, j1, mine, further)
            else:
                inputs, input_rows, input_step = inputs_of(job, l, samples)
                weight_gradient(job, job.G, layer, inputs, input_rows, input_step, none, rows, j0, j1, further)
                if mine and not layer.normalised:
                    bias_gradient(job, job.G, layer, none, rows, further)
        if stage == STEPS or (stage == DESCEND and last):
            step_rows(job, layer, number, rate, l2, shrunk, j0, j1)
            if l > 0 and not job.narrow:
                transpose_rows(job, layer, j0, j1)
            if mine:
                step_vectors(job, layer, number, rate, shrunk)
                if layer.normalised:
                    move_running(job, layer, whole_rows)


@kernel
def _chunk_at(job, number):
    """The address of the gradients summed over a chunk of the piece; those of the batch come before them all."""
    return job.G + (1 + number) * job.parameters * job.itemsize


@kernel
def _sum_chunks(job, samples, r0, r1):
    """Gradients over each chunk of rows r0 … r1 − 1."""
    none, further = np.int64(0), np.bool_(False)
    for first in range(r0, r1, CHUNK):
        rows = min(CHUNK, r1 - first)
        into = _chunk_at(job, first // CHUNK)
        for l in range(job.depth):
            layer = layer_of(job, l)
            inputs, input_rows, input_step = inputs_of(job, l, samples)
            weight_gradient(job, into, layer, inputs, input_rows, input_step, first, rows, none, layer.fan_in, further)
            bias_gradient(job, into, layer, first, rows, further)


@kernel
def _add_chunks(job, layer, rows, j0, j1, mine, further):
    """Gradients of the batch so far: with what the threads have left of the sums over the chunks of a piece."""
    for start in range(0, layer.padded, job.panel):
        wide = min(job.panel, layer.padded - start)
        _add_stretch(job, layer.weights + start * layer.fan_in + j0 * wide, (j1 - j0) * wide, rows, further)
    if mine:
        _add_stretch(job, layer.bias, layer.padded, rows, further)


@kernel
def _add_stretch(job, start, count, rows, further):
    _add_pairs(job, start, count, rows, np.int64(-1))
    g, sum_ = reals(job, job.G, start, count), reals(job, _chunk_at(job, 0), start, count)
    if further:
        for i in range(count):
            g[i] += sum_[i]
    else:
        for i in range(count):
            g[i] = sum_[i]


@kernel
def _add_pairs(job, start, count, rows, t):
    """Sums over chunks added to the one before, then pairs of them, and so on: where all are of thread t, or, if that
    is −1, where they are of several. Who adds does not change what is added to what."""
    chunks = (rows + CHUNK - 1) // CHUNK
    own = max(1, _share(rows, job.threads, 1, CHUNK) // CHUNK)
    span = 1
    while span < chunks:
        for left in range(0, chunks - span, 2 * span):
            owner, last_owner = left // own, (min(left + 2 * span, chunks) - 1) // own
            if (owner == t) if owner == last_owner else (t == -1):
                into = reals(job, _chunk_at(job, left), start, count)
                part = reals(job, _chunk_at(job, left + span), start, count)
                for i in range(count):
                    into[i] += part[i]
        span *= 2


@kernel
def _sum_at(job, l):
    """The address of the sum of squares of layer l; the room for its parts follows."""
    return job.sums + l * SUMS


@kernel
def _add_squares(job, base, whole, t, threads):
    """Σ ‖W‖² (base P), or Σ of the squares of all gradients (base G), of the layers of thread t."""
    for l in range(job.depth):
        if l % threads == t:
            layer = layer_of(job, l)
            count = layer.fan_in * layer.padded + whole * layer.padded * (1 + layer.normalised)
            total = squares(job, base, layer.weights, count, _sum_at(job, l) + LINE)
            doubles(_sum_at(job, l), 1)[0] = total


@kernel
def _sum_of_squares(job):
    total = 0.0
    for l in range(job.depth):
        total += doubles(_sum_at(job, l), 1)[0]
    return total


@kernel
def _norm(job, l2, t):
    """Penalties join the gradients of the layers of this thread, and are squared with them."""
    for l in range(job.depth):
        if l % job.threads == t:
            layer = layer_of(job, l)
            count = layer.fan_in * layer.padded
            p, g = reals(job, job.P, layer.weights, count), reals(job, job.G, layer.weights, count)
            for i in range(count):
                g[i] += l2 * p[i]
    _add_squares(job, job.G, np.int64(1), t, job.threads)


@kernel
def _clipping(job):
    """What the gradients are scaled by: less than 1 where their common norm exceeds the limit."""
    norm = math.sqrt(_sum_of_squares(job))
    return type(job.one)(job.clip / norm if norm > job.clip else 1.0)


@kernel
def _spoiled_by(job, t):
    """The first batch in which thread t met a logit that is not finite; written once, so it can be read late."""
    return integers(job.spoiled + t * LINE, 1)


@kernel
def _fine_until(job, batch):
    """Whether all logits were finite up to a batch."""
    fine = True
    for t in range(job.threads):
        fine = fine and _spoiled_by(job, t)[0] > batch
    return fine


@kernel
def _weight_of(job, samples, rows):
    """Σ w over the rows of a batch."""
    if not job.sample_weights:
        return float(rows)
    total, numbers = 0.0, integers(samples, rows)
    for r in range(rows):
        total += float(reals(job, job.sample_weights, numbers[r], 1)[0])
    return total


@kernel
def _record(job, batch, samples, rows, total, further, last):
    """Add the rows of a piece to the batch's loss, which at last is a mean; its penalty is known."""
    row_losses, numbers = reals(job, job.row_losses, 0, rows), integers(samples, rows)
    losses, penalties = doubles(job.losses, batch + 1), doubles(job.penalties, batch + 1)
    loss = losses[batch] if further else 0.0
    if job.sample_weights:
        for r in range(rows):
            loss += float(row_losses[r]) * float(reals(job, job.sample_weights, numbers[r], 1)[0])
    else:
        for r in range(rows):
            loss += float(row_losses[r])
    losses[batch] = loss / total if last else loss
    l2 = doubles(job.l2, batch + 1)[batch]
    penalties[batch] = _sum_of_squares(job) * l2 / 2 if l2 != 0 else 0.0


@kernel
def _stage(job, stage, l, batch, samples, rows, mask, whole_rows, done, total, t):
    """The share of thread t in a stage of the way through the network and back."""
    layer = layer_of(job, l)
    if stage in (NORMALISE, DENORMALISE):
        c0, c1 = _share(layer.width, job.threads, t), _share(layer.width, job.threads, t + 1)
        if stage == NORMALISE:
            normalise(job, layer, rows, c0, c1)
        else:
            normalise_backward(job, layer, rows, c0, c1)
        return
    r0, r1 = _samples_of(job, rows, t), _samples_of(job, rows, t + 1)
    if job.narrow:
        for first in range(r0, r1, CHUNK):
            into = _chunk_at(job, first // CHUNK)
            if not narrow_chunk(job, into, samples, total, first, min(CHUNK, r1 - first)):
                _spoiled_by(job, t)[0] = batch
        _add_pairs(job, np.int64(0), job.parameters, rows, t)
        return
    last = job.depth - 1
    forward_from = 0 if stage == ROWS else l
    forward_to = last + 1 if stage == ROWS else l + 1 if stage == FORWARD else 0
    for k in range(forward_from, forward_to):
        _forward(job, k, samples, _mask_of(job, layer_of(job, k), mask, whole_rows, done), r0, r1)
    if stage == ACTIVATE:
        activate(job, layer, _mask_of(job, layer, mask, whole_rows, done), r0, r1)
    if stage in (ROWS, OUTPUT) and not output(job, layer_of(job, last), samples, total, r0, r1):
        _spoiled_by(job, t)[0] = batch
    backward_from = last if stage == ROWS else l if stage == BACKWARD else 0
    backward_to = l - 1 if stage == BACKWARD else 0
    for k in range(backward_from, backward_to, -1):
        below = layer_of(job, k - 1)
        backward_linear(job, layer_of(job, k), below, r0, r1)
        deactivate(job, below, _mask_of(job, below, mask, whole_rows, done), r0, r1)
    if stage == ROWS and job.chunked:
        _sum_chunks(job, samples, r0, r1)
        _add_pairs(job, np.int64(0), job.parameters, rows, t)


@kernel
def _single(job, batch, samples, mask, total):
    """The whole batch, which is one sample, on one thread."""
    real, first, rows = type(job.one), np.int64(0), np.int64(1)
    rate, l2 = real(doubles(job.rates, batch + 1)[batch]), real(doubles(job.l2, batch + 1)[batch])
    x = job.x + integers(samples, 1)[0] * job.row_step * job.itemsize
    if job.raw:
        gather(job, samples, first, rows)
        x = job.inputs
    if job.recorded:
        _add_squares(job, job.P, first, first, rows)
    fine = single(job, x, samples, total, mask, rate, l2)
    if job.recorded and fine:
        _record(job, batch, samples, rows, total, np.bool_(False), np.bool_(True))
    return fine


@kernel
def _predict(job, t):
    """Logits of all rows of the data in inference mode, or the values of the output, as the job wants.

    An input that is not finite makes all sums of the first layer that it is part of so too, of which one is looked at.
    """
    none = np.int64(0)
    for done in range(0, job.rows, job.piece):
        rows = min(job.piece, job.rows - done)
        samples = job.order + 8 * done
        r0, r1 = _share(rows, job.threads, t), _share(rows, job.threads, t + 1)
        for l in range(job.depth):
            layer = layer_of(job, l)
            _forward(job, l, samples, none, r0, r1)
            if l == 0:
                _look_at_first_unit(job, layer, t, r0, r1)
            if layer.normalised:
                normalise_by_running(job, layer, r0, r1)
                activate(job, layer, none, r0, r1)
        last = layer_of(job, job.depth - 1)
        if job.wants_values:
            answer(job, last, r0, r1)
        given = last.a if job.wants_values else last.z
        for r in range(r0, r1):
            row = reals(job, job.ws, given + r * last.padded, last.width)
            into = reals(job, job.answers, (done + r) * last.width, last.width)
            for c in range(last.width):
                into[c] = row[c]
        wait(job.barrier, job.threads, job.give_way)


@kernel
def _look_at_first_unit(job, layer, t, r0, r1):
    bad = 0
    for r in range(r0, r1):
        bad += not math.isfinite(reals(job, job.ws, layer.z + r * layer.padded, 1)[0])
    if bad:
        _spoiled_by(job, t)[0] = 0


def make_run(version: str, cache: bool = True) -> Any:
    """run(address, one, t): what thread t does for the job at an address, training on one batch after the other, or
    prediction. `one` is the number 1 of the network's type.

    It gives −1, or the number of the batch whose logits are not finite, or, in a prediction, 0 where inputs may not be.
    `version` is of no use in the function, but as
    a variable of it part of what the compiled code is kept under, so that code from before an edit is not used.
    """

    @njit(cache=cache, error_model="numpy", nogil=True, no_cfunc_wrapper=True)
    def run(address, one, t):
        version  # noqa: B018
        job = job_at(address, one)
        if job.predicting:
            _predict(job, t)
            wait(job.barrier, job.threads, job.give_way)
            return -1 if _fine_until(job, np.int64(0)) else 0
        for l in range(1, job.depth):
            layer = layer_of(job, l)
            j0, j1 = _share(layer.fan_in, job.threads, t), _share(layer.fan_in, job.threads, t + 1)
            transpose_rows(job, layer, j0, j1)
        wait(job.barrier, job.threads, job.give_way)
        starts, stops = integers(job.starts, job.batches), integers(job.stops, job.batches)
        stages = integers(job.program, 2 * job.stages)
        mask = np.int64(0)
        for batch in range(job.batches):
            whole = stops[batch] - starts[batch]
            total = _weight_of(job, job.order + 8 * starts[batch], whole)
            if whole == 1 and job.single:
                if t == 0 and not _single(job, batch, job.order + 8 * starts[batch], mask, total):
                    _spoiled_by(job, t)[0] = batch
                wait(job.barrier, job.threads, job.give_way)
                if not _fine_until(job, batch):
                    return batch
            else:
                for done in range(0, whole, job.piece):
                    rows = min(job.piece, whole - done)
                    last = done + rows == whole
                    samples = job.order + 8 * (starts[batch] + done)
                    if job.recorded and done == 0:
                        _add_squares(job, job.P, np.int64(0), t, job.threads)
                    for s in range(job.stages):
                        stage, l = stages[2 * s], stages[2 * s + 1]
                        if stage < DESCEND:
                            _stage(job, stage, l, batch, samples, rows, mask, whole, done, total, t)
                        elif stage == NORM and last:
                            _norm(job, type(job.one)(doubles(job.l2, batch + 1)[batch]), t)
                        elif stage in (DESCEND, GRADIENTS) or last:
                            if stage != STEPS and not _fine_until(job, batch):
                                return batch
                            if stage != STEPS and job.recorded and t == 0:
                                _record(job, batch, samples, rows, total, done > 0, last)
                            _descend(job, stage, batch, samples, rows, whole, done > 0, last, t)
                        wait(job.barrier, job.threads, job.give_way)
            mask += whole * job.dropped
        return -1

    return run
