"""Layers of a few units, whose samples lie side by side: whatever the network and the data, the steps are those of the
reference, and of any number of threads."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chainrule.data import Prepared, Preprocessing
from chainrule.errors import NotFiniteError
from chainrule.kernels.engine import CompiledEngine
from chainrule.kernels.memory import Memory
from chainrule.kernels.plan import FEATURES, NARROW, make_plan
from chainrule.optimizers import METHODS, SGD
from kernels.problems import ACTIVATIONS, differing, epoch, gaps, network, samples, shuffled

pytestmark = pytest.mark.xdist_group("kernels")

LIMITS = {"float64": 1e-12, "float32": 1e-5}


def is_narrow(layers, rows, **rules):
    net = network(layers, **rules)
    return bool(Memory(make_plan(net.structure, rows, net.dtype), rows, 1).job["narrow"])


@pytest.mark.parametrize("dtype", LIMITS)
def test_only_few_units_of_many_samples_lie_side_by_side(dtype):
    widest = NARROW if dtype == "float32" else NARROW // 2
    assert is_narrow([2, widest, 2], 1000, dtype=dtype)
    assert not is_narrow([2, 65, 2], 1000, dtype=dtype)
    assert not is_narrow([FEATURES + 1, widest, 2], 10_000, dtype=dtype)
    assert not is_narrow([2, widest, 2], 10, dtype=dtype)
    assert not is_narrow([2, widest, 2], 1000, dtype=dtype, batch_norm=True)
    assert not is_narrow([2, widest, 2], 1000, dtype=dtype, dropout=0.1)


@settings(max_examples=30, deadline=None, derandomize=True)
@given(data=st.data())
def test_a_step_of_a_random_narrow_network_is_that_of_the_reference(data):
    widths = data.draw(st.lists(st.integers(1, 8), min_size=1, max_size=4))
    layers = [data.draw(st.integers(1, 20)), *widths]
    hidden = len(widths) - 1
    rules = {
        "activation": data.draw(st.lists(st.sampled_from(ACTIVATIONS), min_size=hidden, max_size=hidden)),
        "output": data.draw(st.sampled_from(["softmax", "sigmoid", "identity"])),
        "seed": data.draw(st.integers(0, 99)),
    }
    m = data.draw(st.integers(700, 1500))
    raw, labels, weighted = (data.draw(st.booleans()) for _ in range(3))
    settings_ = {"method": data.draw(st.sampled_from(list(METHODS))), "l2": data.draw(st.sampled_from([0.0, 0.01]))}
    settings_["clip"] = data.draw(st.sampled_from([None, 0.05]))
    for dtype, limit in LIMITS.items():
        assert is_narrow(layers, min(m, 1024), dtype=dtype, **rules)
        weight = np.random.default_rng(2).uniform(0.1, 3, m).astype(dtype) if weighted else None
        results = []
        for engine, own in (("reference", {}), ("compiled", {"threads": 1}), ("compiled", {"threads": 3})):
            net = network(layers, dtype=dtype, **rules)
            X, y = samples(net, m)
            if raw:
                X = Prepared(X.astype(np.float32), Preprocessing.fit("standardise", X)).astype(dtype)
            T = net.compact_targets(y, m) if labels else net.targets(y, m)
            results.append(epoch(engine, net, X, T, shuffled(m, m), weight=weight, **settings_, **own))
        # Where a step divides by the root of squares, rounding of a gradient that nearly cancels moves as far as any.
        rounding = 1e3 if settings_["method"] in ("rmsprop", "adam", "adamw") else 10
        assert gaps(results[1], results[0], rounding * limit) == {}
        assert differing(results[2], results[1]) == []


def test_a_logit_that_is_not_finite_is_found_in_whichever_sample_and_not_beyond_the_last():
    for row in (0, 127, 128, 999):
        net = network([3, 5, 2], activation="relu")
        X, y = samples(net, 1000)
        X[row] = 3e38
        net.parameters()["W1"][:] = 9
        with np.errstate(all="ignore"), pytest.raises(NotFiniteError):
            CompiledEngine(net, X, net.compact_targets(y, 1000), SGD(0.1)).run(
                shuffled(1000, 1000), np.full(1, 0.1), np.zeros(1), np.random.default_rng(0)
            )
