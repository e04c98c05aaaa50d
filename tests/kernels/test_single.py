"""Steps for single samples leave out what is zero; that must not be seen in the result."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chainrule.data import Batches
from kernels.problems import ACTIVATIONS, differing, epoch, gaps, network, samples, shuffled

pytestmark = pytest.mark.xdist_group("kernels")


def one_by_one(m):
    return Batches.cut(np.arange(m), 1)


def test_a_sample_of_zeros_moves_the_biases_alone():
    """dW = x δᵀ = 0 and db = δ = a − t; from b = 0 and W₁ of any kind a = 1/2."""
    net = network([5, 2], dtype="float64")
    net.parameters()["b1"][:] = 0
    before = net.parameters()["W1"].copy()
    after = epoch("compiled", net, np.zeros((1, 5)), net.compact_targets([1], 1), one_by_one(1))
    np.testing.assert_array_equal(after["W1"], before)
    np.testing.assert_allclose(after["b1"], [-0.02 * 0.5, 0.02 * 0.5], rtol=1e-15)


def test_the_penalty_shrinks_also_the_weights_whose_inputs_are_zero():
    """W ← W − η (x δᵀ + λ W), in a row whose input is zero (1 − ηλ) W; biases are free of it."""
    net = network([3, 4, 2], dtype="float64", activation="tanh")
    before = {name: P.copy() for name, P in net.parameters().items()}
    x = np.array([[0.0, 1.5, 0.0]])
    after = epoch("compiled", net, x, net.compact_targets([0], 1), one_by_one(1), l2=0.5)
    np.testing.assert_allclose(after["W1"][[0, 2]], before["W1"][[0, 2]] * (1 - 0.02 * 0.5), rtol=1e-14)
    assert np.abs(after["W1"][1] / before["W1"][1] - (1 - 0.02 * 0.5)).min() > 1e-6
    penalty = 0.5 / 2 * sum(np.square(before[name]).sum() for name in ("W1", "W2"))
    np.testing.assert_allclose(after["penalties"], [penalty], rtol=1e-14)


def test_one_step_is_the_rank_one_update_of_the_chain_rule():
    """Identity output, linear layers: δ₂ = z₂ − t, δ₁ = W₂ δ₂, W ← W − η x δᵀ."""
    net = network([3, 4, 2], dtype="float64", activation="identity", output="identity")
    P = {name: array.copy() for name, array in net.parameters().items()}
    x, t = np.array([0.5, 0.0, -2.0]), np.array([0.3, -0.7])
    a = x @ P["W1"] + P["b1"]
    delta2 = a @ P["W2"] + P["b2"] - t
    delta1 = P["W2"] @ delta2
    after = epoch("compiled", net, x[None], net.compact_targets(t[None], 1), one_by_one(1))
    np.testing.assert_allclose(after["W1"], P["W1"] - 0.02 * np.outer(x, delta1), rtol=1e-14)
    np.testing.assert_allclose(after["b1"], P["b1"] - 0.02 * delta1, rtol=1e-14)
    np.testing.assert_allclose(after["W2"], P["W2"] - 0.02 * np.outer(a, delta2), rtol=1e-14)
    np.testing.assert_allclose(after["b2"], P["b2"] - 0.02 * delta2, rtol=1e-14)
    np.testing.assert_allclose(after["losses"], [0.5 * (delta2**2).sum()], rtol=1e-14)


def both(layers, m, batches, *, zeros=0.0, l2=0.0, method="sgd", clip=None, weighted=False, **rules):
    """The epoch on the reference engine, and a function that gives it on the compiled one for a number of threads."""

    def run(engine, **own):
        net = network(layers, **rules)
        X, y = samples(net, m, zeros=zeros)
        X[:: max(2, m // 3)] = 0  # whole rows of zeros
        weight = np.random.default_rng(2).uniform(0.1, 3, m).astype(net.dtype) if weighted else None
        T = net.compact_targets(y, m)
        return epoch(engine, net, X, T, batches, l2=l2, method=method, clip=clip, weight=weight, **own)

    return run("reference"), lambda threads: run("compiled", threads=threads)


@settings(max_examples=120, deadline=None, derandomize=True)
@given(data=st.data())
def test_an_epoch_of_single_samples_is_that_of_the_reference(data):
    layers = data.draw(st.lists(st.integers(1, 150), min_size=2, max_size=5))
    hidden = len(layers) - 2
    rules = {
        "activation": data.draw(st.lists(st.sampled_from(ACTIVATIONS), min_size=hidden, max_size=hidden)),
        "output": data.draw(st.sampled_from(["softmax", "sigmoid", "identity"])),
        "dropout": data.draw(st.sampled_from([0.0, 0.4])),
        "seed": data.draw(st.integers(0, 99)),
    }
    parts = {
        "zeros": data.draw(st.sampled_from([0.0, 0.8, 1.0])),
        "l2": data.draw(st.sampled_from([0.0, 0.1])),
        "weighted": data.draw(st.booleans()),
    }
    m = data.draw(st.integers(1, 12))
    for dtype, limit in (("float64", 1e-12), ("float32", 1e-3)):  # twelve steps, and sums that may nearly cancel
        theirs, ours = both(layers, m, shuffled(m, 1), dtype=dtype, **rules, **parts)
        assert gaps(ours(1), theirs, limit) == {}


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("parts", [{}, {"l2": 0.05}, {"dropout": [0.3, 0.2], "weighted": True}])
def test_single_samples_between_larger_batches_give_the_same_bits_on_any_number_of_threads(dtype, parts):
    """13 samples in fours, twice: a step for one sample is followed, and preceded, by steps that threads share."""
    rules = {"activation": ["relu", "tanh"], "dtype": dtype, "zeros": 0.6, **parts}
    theirs, ours = both([30, 37, 19, 5], 13, shuffled(13, 4, epochs=2), **rules)
    first = ours(1)
    assert gaps(first, theirs, 1e-12 if dtype == "float64" else 1e-4) == {}
    for threads in (2, 3):
        assert differing(ours(threads), first) == []


@pytest.mark.parametrize(("method", "clip"), [("sgd", 0.05), ("momentum", None), ("adam", 0.05), ("rmsprop", None)])
def test_methods_that_need_the_whole_gradient_get_it_from_a_single_sample_too(method, clip):
    theirs, ours = both(
        [9, 20, 3], 13, shuffled(13, 1), dtype="float64", activation="tanh", method=method, clip=clip, l2=0.1
    )
    first = ours(1)
    assert gaps(first, theirs, 1e-11) == {}
    assert differing(ours(3), first) == []
