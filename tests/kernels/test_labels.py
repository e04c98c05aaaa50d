"""Class labels are trained on as they are; the matrix of zeros and ones that they stand for must give the same."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chainrule.kernels.engine import CompiledEngine
from chainrule.optimizers import SGD
from chainrule.rules import OneHot
from kernels.problems import ACTIVATIONS, differing, epoch, gaps, network, samples, shuffled

pytestmark = pytest.mark.xdist_group("kernels")


def test_labels_stand_for_the_rows_of_the_identity_matrix():
    T = OneHot(np.array([2, 0, 3, 2]), 4, "float32")
    assert (len(T), T.shape, T.dtype) == (4, (4, 4), np.float32)
    np.testing.assert_array_equal(T[:], np.eye(4, dtype=np.float32)[[2, 0, 3, 2]])
    np.testing.assert_array_equal(T[[3, 2]], [[0, 0, 1, 0], [0, 0, 0, 1]])
    np.testing.assert_array_equal(T[1:3], [[1, 0, 0, 0], [0, 0, 0, 1]])


def test_only_labels_of_classes_stay_labels():
    net = network([3, 4])
    assert isinstance(net.compact_targets([0, 3, 1], 3), OneHot)
    assert isinstance(net.compact_targets(np.array([0.0, 3.0]), 2), OneHot)
    rows = net.compact_targets(np.full((2, 4), 0.25), 2)
    assert isinstance(rows, np.ndarray)
    assert isinstance(network([3, 1], output="sigmoid").compact_targets([0, 1], 2), np.ndarray)
    assert isinstance(network([3, 1], output="identity").compact_targets([0.5, 1], 2), np.ndarray)


def test_one_step_moves_each_bias_by_the_rate_times_class_probability_less_one_for_the_label():
    """From W = 0, b = 0: a = 1/K for each class, so that db_k = 1/K − share of class k, and the loss is ln K."""
    net = network([2, 5], dtype="float64")
    for P in net.parameters().values():
        P[:] = 0
    y = np.array([4, 1, 1, 0])
    after = epoch("compiled", net, np.ones((4, 2)), net.compact_targets(y, 4), shuffled(4, 4))
    np.testing.assert_allclose(after["b1"], -0.02 * (0.2 - np.array([0.25, 0.5, 0, 0, 0.25])), rtol=1e-14)
    np.testing.assert_allclose(after["W1"], np.tile(after["b1"], (2, 1)), rtol=1e-14)
    np.testing.assert_allclose(after["losses"], [np.log(5)], rtol=1e-14)


@settings(max_examples=120, deadline=None, derandomize=True)
@given(data=st.data())
def test_labels_give_what_the_rows_give_that_they_stand_for(data):
    layers = data.draw(st.lists(st.integers(1, 40), min_size=2, max_size=4))
    m = data.draw(st.integers(1, 40))
    size = data.draw(st.integers(1, m))
    hidden = len(layers) - 2
    rules = {
        "activation": data.draw(st.lists(st.sampled_from(ACTIVATIONS), min_size=hidden, max_size=hidden)),
        "dropout": data.draw(st.sampled_from([0.0, 0.3])),
        "seed": data.draw(st.integers(0, 99)),
    }
    l2, weighted = data.draw(st.sampled_from([0.0, 0.1])), data.draw(st.booleans())
    method = data.draw(st.sampled_from(["sgd", "momentum", "nesterov"]))
    threads = data.draw(st.lists(st.integers(1, 4), min_size=2, max_size=2))
    for dtype, limit in (("float64", 1e-12), ("float32", 1e-4)):

        def run(engine, compact, dtype=dtype, **own):
            net = network(layers, dtype=dtype, **rules)
            X, y = samples(net, m, seed=1)
            weight = np.random.default_rng(2).uniform(0.1, 3, m).astype(dtype) if weighted else None
            T = net.compact_targets(y, m) if compact else net.targets(y, m)
            assert isinstance(T, OneHot) == compact
            return epoch(engine, net, X, T, shuffled(m, size), method=method, l2=l2, weight=weight, **own)

        labels = run("compiled", True, threads=threads[0])
        assert gaps(labels, run("compiled", False, threads=threads[0]), limit) == {}
        assert gaps(labels, run("reference", True), limit) == {}
        assert differing(labels, run("compiled", True, threads=threads[1])) == []
        assert differing(run("reference", True), run("reference", False)) == []


def test_labels_are_read_as_they_lie_whatever_type_they_came_in():
    def run(y):
        net = network([3, 6, 4])
        return epoch("compiled", net, samples(net, 20)[0], net.compact_targets(y, 20), shuffled(20, 6))

    y = np.arange(20) % 4
    first = run(y)
    for other in (y.astype(np.uint8), y.astype(float), y.tolist(), np.repeat(y, 2)[::2]):
        assert differing(run(other), first) == []


def test_no_row_of_zeros_and_ones_is_made_for_each_sample():
    """A million samples of a thousand classes would be 8 GB."""
    m, K = 1_000_000, 1000
    net = network([2, K], dtype="float64")
    T = net.compact_targets(np.zeros(m, np.int64), m)
    engine = CompiledEngine(net, np.broadcast_to(np.ones(2), (m, 2)), T, SGD())
    engine.run(shuffled(20, 10), np.full(2, 0.1), np.zeros(2), np.random.default_rng(0))
    assert net.parameters()["b1"][0] > net.parameters()["b1"][1:].max()
