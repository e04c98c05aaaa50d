"""Predictions of many rows through the kernels are those of NumPy but for rounding."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import chainrule as cr
from chainrule import kernels
from chainrule.data import Prepared, Preprocessing
from chainrule.errors import InputError
from chainrule.kernels import inference
from chainrule.network.model import WORTH_KERNELS
from chainrule.rules import Output
from kernels.problems import ACTIVATIONS, CUBE, network, samples
from refusals import refused

pytestmark = pytest.mark.xdist_group("kernels")

LIMITS = {"float64": 1e-12, "float32": 1e-5}


def logits(net, x):
    return inference.predict(net, x, False)[0]


def furthest(ours, theirs):
    """The greatest difference, by the greatest logit."""
    assert ours.shape == theirs.shape
    assert ours.dtype == theirs.dtype
    return float(np.abs(ours - theirs).max() / max(1.0, np.abs(theirs).max()))


def test_one_linear_layer_is_a_matrix_product_and_a_bias():
    net = network([3, 2], dtype="float64")
    P = net.parameters()
    P["W1"][:], P["b1"][:] = [[1, 2], [3, 4], [5, 6]], [10, 20]
    x = np.array([[1.0, 0, 0], [0, 1, 1], [2, -1, 0.5]])
    np.testing.assert_array_equal(logits(net, x), [[11, 22], [18, 30], [11.5, 23]])


def test_identity_weights_hand_every_row_through_in_its_place():
    """More rows than go through at a time, so that each row shows where it was put."""
    net = network([5, 5], dtype="float64")
    net.parameters()["W1"][:], net.parameters()["b1"][:] = np.eye(5), 0
    x = np.arange(5 * 3000, dtype=np.float64).reshape(3000, 5)
    np.testing.assert_array_equal(logits(net, x), x)


@settings(max_examples=80, deadline=None, derandomize=True)
@given(data=st.data())
def test_logits_of_random_networks_are_those_of_the_forward_pass(data):
    layers = data.draw(st.lists(st.integers(1, 150), min_size=2, max_size=5))
    hidden = len(layers) - 2
    rules = {
        "activation": data.draw(st.lists(st.sampled_from(ACTIVATIONS), min_size=hidden, max_size=hidden)),
        "batch_norm": data.draw(st.lists(st.booleans(), min_size=hidden, max_size=hidden)),
        "dropout": data.draw(st.sampled_from([0.0, 0.5])),
        "output": data.draw(st.sampled_from(["softmax", "sigmoid", "identity"])),
        "seed": data.draw(st.integers(0, 99)),
    }
    m = data.draw(st.integers(1, 50))
    for dtype, limit in LIMITS.items():
        net = network(layers, dtype=dtype, **rules)
        x, _ = samples(net, m)
        assert furthest(logits(net, x), net.forward(x)[f"Z{len(layers) - 1}"]) <= limit


@pytest.mark.parametrize("dtype", LIMITS)
@pytest.mark.parametrize("m", [1, 2, 9, 1023, 1024, 1025, 2047, 2048, 2049, 5000])
def test_any_number_of_rows_gives_what_numpy_gives_on_any_number_of_threads(monkeypatch, m, dtype):
    net = network([37, 70, 21, 3], batch_norm=[True, False], dropout=0.5, dtype=dtype)
    x, _ = samples(net, m)
    assert inference.PIECE == 1024
    first = logits(net, x)
    assert furthest(first, net.logits(x)) <= LIMITS[dtype]
    for threads in (1, 2, 3, 7):
        monkeypatch.setattr(inference, "threads_for", lambda *_, threads=threads: threads)
        assert logits(net, x).tobytes() == first.tobytes()


@pytest.mark.parametrize("dtype", LIMITS)
def test_a_row_has_the_same_bits_in_whatever_company_it_is(dtype):
    net = network([37, 70, 21, 3], activation="gelu", dtype=dtype)
    x, _ = samples(net, 2100)
    all_ = logits(net, x)
    for rows in (slice(0, 1), slice(7, 8), slice(1000, 1100), slice(3, 2100, 13)):
        assert logits(net, x[rows]).tobytes() == all_[rows].tobytes()


def test_many_rows_go_through_the_kernels_and_few_stay_with_numpy():
    net = network([50, 100, 10])
    least = -(-WORTH_KERNELS // (50 * 100 + 100 * 10))
    asked = []
    net.fast_predict = lambda of, X, values: asked.append(len(X)) or inference.predict(of, X, values)
    x, y = samples(net, least)
    for ask in (net.logits, net.predict_proba, net.predict, lambda x: net.score(x, y[: len(x)])):
        asked.clear()
        ask(x[:-1])
        assert asked == []
        ask(x)
        assert asked == [least]


@pytest.mark.parametrize("output", ["softmax", "sigmoid", "identity"])
def test_what_is_predicted_from_the_logits_is_the_same_too(output):
    net = network([50, 100, 10], output=output, batch_norm=True, dropout=0.3, dtype="float64")
    x, y = samples(net, 1500)
    plain = net.predict(x), net.predict_proba(x), net.loss(x, y), net.score(x, y)
    assert cr.kernels.accelerate(net) is net
    fast = net.predict(x), net.predict_proba(x), net.loss(x, y), net.score(x, y)
    for a, b in zip(fast, plain, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-10, atol=1e-12)
    assert not np.array_equal(net.logits(x), net.forward(x)["Z2"]), "the kernels round otherwise than NumPy"


def test_predicting_changes_nothing_and_follows_the_weights():
    net = cr.kernels.accelerate(network([50, 100, 10], batch_norm=True))
    x, _ = samples(net, 1500)
    before = {name: array.copy() for name, array in {**net.parameters(), **net.statistics()}.items()}
    first = net.logits(x)
    for name, array in {**net.parameters(), **net.statistics()}.items():
        assert np.array_equal(array, before[name])
    net.parameters()["b2"][:] += 1
    np.testing.assert_allclose(net.logits(x), first + 1, atol=1e-5)


@pytest.mark.parametrize("kind", ["uint8", "float32", "float64"])
@pytest.mark.parametrize("dtype", LIMITS)
def test_prepared_samples_are_prepared_row_by_row_with_the_bits_of_the_array(kind, dtype):
    raw = np.random.default_rng(0).integers(0, 256, (2100, 37)).astype(kind)
    preprocessing = Preprocessing.fit("scale+mean-image", raw)
    net = network([37, 20, 3], dtype=dtype)
    array = preprocessing(raw).astype(dtype)
    ours = logits(net, Prepared(raw, preprocessing, dtype=dtype))
    assert ours.tobytes() == logits(net, array).tobytes()


def test_logits_that_overflow_do_so_in_their_own_rows_alone():
    net = network([3, 4], dtype="float32")
    net.parameters()["W1"][:] = 1
    x = np.ones((50, 3), np.float32)
    x[20] = 2e38
    Z = logits(net, x)
    assert np.isinf(Z[20]).all()
    assert np.isfinite(np.delete(Z, 20, axis=0)).all()


def test_rules_of_ones_own_are_refused_and_the_network_stays_with_numpy():
    net = network([4, 3, 2], activation=CUBE)
    with refused("cube of layer 1 is not compiled", "stay with NumPy", error=InputError):
        cr.kernels.accelerate(net)
    assert net.fast_predict is None
    plain = network([4, 2]).output
    own = Output(**{**vars(plain), "name": "hinge"})
    with refused("the output hinge is not compiled", error=InputError):
        cr.kernels.accelerate(network([4, 2], output=own))


def test_a_loaded_model_predicts_through_the_kernels_once_it_is_told_to(tmp_path):
    net = network([50, 100, 10], batch_norm=True)
    x, _ = samples(net, 1500)
    cr.save(net, tmp_path / "model.safetensors")
    loaded = cr.load(tmp_path / "model.safetensors")
    assert loaded.fast_predict is None
    assert np.array_equal(cr.kernels.accelerate(loaded).logits(x), cr.kernels.accelerate(net).logits(x))


@pytest.mark.parametrize("output", ["softmax", "sigmoid", "identity"])
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_values_of_the_output_are_those_of_the_rule(output, dtype):
    net = network([7, 20, 3], output=output, dtype=dtype)
    x = 30 * samples(net, 1500)[0]
    assert furthest(inference.predict(net, x, True)[0], net.output.value(logits(net, x))) <= LIMITS[dtype]


@pytest.mark.parametrize("batch_norm", [False, True])
@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("activation", ["relu", "tanh"])
def test_an_input_that_is_not_finite_is_found_though_the_values_are_finite(batch_norm, bad, activation):
    """tanh makes 1 of infinity, and relu 0 of minus infinity, so that the output need not show it."""
    net = network([7, 20, 3], activation=activation, batch_norm=batch_norm)
    x, _ = samples(net, 5000)
    assert inference.predict(net, x, True)[1]
    for row in (0, 1024, 4999):
        spoiled = x.copy()
        spoiled[row, 3] = bad
        assert not inference.predict(net, spoiled, True)[1]
        for asked, at in ((spoiled, row), (spoiled[row : row + 1], 0)):
            for known in (kernels.accelerate(net), net.copy()):
                with refused(f"sample {at}, column 3", error=InputError):
                    known.predict(asked)


def test_sums_that_overflow_though_the_input_is_finite_are_no_fault_of_it():
    net = network([7, 20, 3], activation="tanh")
    net.parameters()["W1"][:] = 1e38
    with np.errstate(over="ignore"):
        assert np.isfinite(net.predict_proba(np.full((3, 7), 1e5, np.float32))).all()
