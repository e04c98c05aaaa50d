"""Large batches go through the network in pieces, gradients of small networks are summed in chunks, and masks are drawn
in parts: none of it may be seen in the result."""

import numpy as np
import pytest

from chainrule.data import Prepared, Preprocessing
from chainrule.kernels import engine as compiled
from chainrule.kernels.epochs import CHUNK
from chainrule.kernels.memory import Memory
from chainrule.kernels.plan import make_plan
from chainrule.optimizers import METHODS, Adam
from kernels.problems import ENGINES, differing, epoch, gaps, network, samples, shuffled, weights

pytestmark = pytest.mark.xdist_group("kernels")

M = 2500
SMALL = [6, 19, 5]  # has so few parameters that its gradients are summed in chunks
WIDE = [420, 40, 5]  # and these sample after sample
NARROW = [6, 13, 5]  # and of these samples lie side by side


def steps(engine, layers, *, m=M, dtype="float64", weighted=False, prepared=False, labels=True, **parts):
    """Two steps on all samples together, with a penalty, and with dropout where the kernels have it."""
    net = network(layers, dtype=dtype, activation="tanh", dropout=0.0 if layers == NARROW else 0.2)
    X, y = samples(net, m)
    if prepared:
        X = Prepared(X.astype(np.float32), Preprocessing.fit("standardise", X)).astype(dtype)
    weight = np.random.default_rng(2).uniform(0.1, 3, m).astype(dtype) if weighted else None
    T = net.compact_targets(y, m) if labels else net.targets(y, m)
    return epoch(engine, net, X, T, shuffled(m, m, epochs=2), l2=0.01, weight=weight, **parts)


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("piece", [CHUNK, compiled.PIECE, M])
def test_the_networks_of_these_tests_go_the_three_ways(dtype, piece):
    assert M // compiled.PIECE >= 2
    assert M % compiled.PIECE % CHUNK, "the last piece and its last chunk must be what is left"
    for layers, chunked, narrow in ((SMALL, True, False), (WIDE, False, False), (NARROW, True, True)):
        plan = make_plan(network(layers, dtype=dtype).structure, piece, np.dtype(dtype))
        job = Memory(plan, piece, 1).job
        assert (job["chunked"], job["narrow"]) == (chunked, narrow)


@pytest.mark.parametrize("clip", [None, 0.05])
@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("layers", [SMALL, WIDE, NARROW])
def test_every_optimiser_takes_the_steps_of_the_reference_on_a_batch_in_pieces(layers, method, clip):
    ours, theirs = (steps(engine, layers, method=method, clip=clip) for engine in ("compiled", "reference"))
    # Where a step divides by the root of squares, a gradient that nearly cancels moves as far as any other, and with it
    # the rounding of its sum, whose order is another in BLAS.
    assert gaps(ours, theirs, 1e-10 if method in ("rmsprop", "adam", "adamw") else 1e-11) == {}


@pytest.mark.parametrize("m", [1, CHUNK - 1, CHUNK, CHUNK + 1, 1023, 1024, 1025, 1024 + CHUNK, 2048, 2049])
@pytest.mark.parametrize("layers", [SMALL, WIDE, NARROW])
def test_a_batch_of_any_size_about_that_of_chunks_and_pieces_is_whole(layers, m):
    theirs = steps("reference", layers, m=m)
    first = steps("compiled", layers, m=m, threads=1)
    assert gaps(first, theirs, 1e-11) == {}
    for threads in (2, 5):
        assert differing(steps("compiled", layers, m=m, threads=threads), first) == []


KINDS = [{}, {"clip": 0.05}, {"weighted": True, "labels": False}, {"prepared": True, "method": "adam", "clip": 0.05}]


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("parts", KINDS)
def test_where_gradients_are_summed_sample_after_sample_no_piece_changes_a_bit(monkeypatch, dtype, parts):
    first = steps("compiled", WIDE, dtype=dtype, **parts)
    for piece, threads in ((64, 1), (999, 3), (M, 2)):
        monkeypatch.setattr(compiled, "PIECE", piece)
        assert differing(steps("compiled", WIDE, dtype=dtype, threads=threads, **parts), first) == []


@pytest.mark.parametrize("layers", [SMALL, NARROW])
@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("parts", KINDS)
def test_where_they_are_summed_in_chunks_no_number_of_threads_changes_a_bit(layers, dtype, parts):
    """Threads share whole chunks out, and there may be more threads than chunks."""
    first = steps("compiled", layers, dtype=dtype, threads=1, **parts)
    for threads in (2, 3, 7, 25):
        assert differing(steps("compiled", layers, dtype=dtype, threads=threads, **parts), first) == []


def test_a_piece_of_another_size_rounds_otherwise_where_chunks_are_cut_elsewhere(monkeypatch):
    """Else the tests above could not see whether chunks have a fixed shape."""
    first = steps("compiled", SMALL)
    monkeypatch.setattr(compiled, "PIECE", 4 * CHUNK + 1)
    other = steps("compiled", SMALL)
    assert gaps(other, first, 1e-12) == {}
    assert differing(other, first) != []


def test_how_many_random_numbers_are_held_at_a_time_does_not_change_a_bit(monkeypatch):
    """250 samples and 24 units that may be left out make 6,000 numbers an epoch."""

    def run():
        net = network([6, 19, 5, 3], dtype="float64", dropout=[0.2, 0.4])
        X, y = samples(net, 250)
        return epoch("compiled", net, X, net.compact_targets(y, 250), shuffled(250, 30, epochs=2), method="momentum")

    first = run()
    for held in (1, 1000, 7000):
        monkeypatch.setattr(compiled, "MASKS", held)
        assert differing(run(), first) == []


@pytest.mark.parametrize("clip", [None, 0.05])
@pytest.mark.parametrize("method", ["adam(epsilon=0)", "rmsprop(epsilon=0)"])
@pytest.mark.parametrize("layers", [SMALL, WIDE, NARROW])
def test_numbers_behind_the_widths_count_in_no_norm(layers, method, clip):
    """Without ε a weight whose gradient was always 0 becomes 0/0: none of these networks, but all of their padding."""
    ours, theirs = (steps(engine, layers, method=method, clip=clip) for engine in ("compiled", "reference"))
    assert all(np.isfinite(array).all() for array in theirs.values())
    assert gaps(ours, theirs, 1e-9) == {}


@pytest.mark.parametrize("batch_norm", [False, True])
def test_one_engine_takes_batches_of_any_size_one_after_the_other(batch_norm):
    """The memory that served small batches is left for a larger one when a larger batch comes."""
    net, twin = (network([6, 19, 5], dtype="float64", batch_norm=batch_norm) for _ in range(2))
    X, y = samples(net, 1404)
    T = net.compact_targets(y, 1404)
    runners = [ENGINES["compiled"](net, X, T, Adam()), ENGINES["reference"](twin, X, T, Adam())]
    for size in (9, 300, 1 + batch_norm, 36, 1404, 4):
        batches = shuffled(1404, size)
        for runner in runners:
            runner.run(batches, np.full(len(batches), 1e-4), np.zeros(len(batches)), np.random.default_rng(0))
        assert gaps(weights(net), weights(twin), 1e-9) == {}
