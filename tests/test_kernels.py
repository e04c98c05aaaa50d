"""The compiled engine is held equal to the reference engine, which is the one that is read."""

import dataclasses
import threading

import numba
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import chainrule as cr
from chainrule.data import Batches
from chainrule.errors import DivergedError, InputError, NotFiniteError
from chainrule.kernels import loading
from chainrule.kernels.engine import CompiledEngine
from chainrule.optimizers import METHODS, optimizer
from chainrule.rules import Activation
from chainrule.training.reference import ReferenceEngine

# One worker compiles for all of these tests.
pytestmark = pytest.mark.xdist_group("kernels")

ACTIVATIONS = (
    "identity",
    "sigmoid",
    "tanh",
    "relu",
    "leaky_relu(0.1)",
    "elu(0.7)",
    "swish(1.3)",
    "gelu",
    "softplus",
)


def trained(
    engine, layers, m, size, *, dtype="float64", method="sgd", l2=0.0, clip=None, weights=False, seed=0, **net_
):
    """One epoch from a fixed start: all arrays of the network and the optimiser, and what was recorded."""
    rng = np.random.default_rng(seed)
    net = cr.Network(layers, dtype=dtype, seed=seed, **net_)
    for P in net.parameters().values():
        P += rng.uniform(-0.1, 0.1, P.shape).astype(dtype)
    X = rng.normal(size=(m, layers[0])).astype(dtype)
    y = {
        "softmax": rng.integers(0, layers[-1], m),
        "sigmoid": rng.integers(0, 2, (m, layers[-1])),
        "identity": rng.normal(size=(m, layers[-1])),
    }[net.output.name]
    order = rng.permutation(m)
    batches = Batches.cut(order, size)
    rates, lambdas = rng.uniform(0.005, 0.02, len(batches)), np.full(len(batches), l2) * np.arange(1, len(batches) + 1)
    made = optimizer(method)
    sample_weight = rng.uniform(0.5, 2, m).astype(dtype) if weights else None
    runner = engine(net, X, net.targets(y, m), made, clip=clip, sample_weight=sample_weight)
    recorded = runner.run(batches, rates, lambdas, np.random.default_rng(9), record=True)
    arrays = {**net.parameters(), **net.statistics()}
    arrays |= {f"{slot} {name}": array for slot, kept in made.memory.items() for name, array in kept.items()}
    return arrays, recorded, made.steps


def worst(*arguments, **keywords):
    """The greatest difference between the engines, by the greatest number of each array, and in what was recorded."""
    ours, told, steps = trained(CompiledEngine, *arguments, **keywords)
    theirs, expected, count = trained(ReferenceEngine, *arguments, **keywords)
    assert ours.keys() == theirs.keys()
    assert steps == count
    gaps = [np.abs(ours[name] - theirs[name]).max() / max(np.abs(theirs[name]).max(), 1e-3) for name in theirs]
    gaps += [np.abs(a - b).max() / max(np.abs(b).max(), 1e-3) for a, b in zip(told, expected, strict=True)]
    return max(gaps)


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("output", ["softmax", "sigmoid", "identity"])
def test_every_rule_gives_the_same_epoch(activation, output):
    assert worst([7, 70, 33, 5], 53, 16, activation=activation, output=output) < 1e-12


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("clip", [None, 0.05])
def test_every_optimiser_gives_the_same_epoch(method, clip):
    assert worst([6, 20, 9, 3], 50, 16, method=method, l2=0.01, clip=clip, activation="tanh") < 1e-11


@pytest.mark.parametrize("size", [1, 2, 5, 16, 53])
@pytest.mark.parametrize("batch_norm", [False, [True, False], True])
def test_dropout_batch_norm_and_weights_give_the_same_epoch(size, batch_norm):
    if batch_norm and size < 16:
        pytest.skip("batch normalisation of one or two samples multiplies rounding by 1/√ε")
    options = {"activation": ["tanh", "relu"], "dropout": [0.3, 0.2], "batch_norm": batch_norm}
    assert worst([7, 20, 33, 3], 53, size, weights=True, l2=0.01, **options) < 1e-11


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True)
@given(data=st.data())
def test_random_networks_agree_in_both_precisions(data):
    """Any widths, those that are no multiple of a vector above all; one update from the same weights."""
    layers = data.draw(st.lists(st.integers(1, 140), min_size=2, max_size=5))
    m = data.draw(st.integers(1, 40))
    hidden = len(layers) - 2
    options = {
        "activation": data.draw(st.lists(st.sampled_from(ACTIVATIONS), min_size=hidden, max_size=hidden)),
        "output": data.draw(st.sampled_from(["softmax", "sigmoid", "identity"])),
        "l2": data.draw(st.sampled_from([0.0, 0.1])),
        "seed": data.draw(st.integers(0, 1000)),
    }
    assert worst(layers, m, m, **options) < 1e-12
    assert worst(layers, m, m, dtype="float32", **options) < 1e-4  # of an array whose numbers may nearly cancel


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("batch_norm", [False, True])
def test_the_bits_are_the_same_for_any_number_of_threads(dtype, batch_norm):
    def on(threads):
        def engine(*arguments, **keywords):
            return CompiledEngine(*arguments, **keywords, threads=threads)

        options = {"activation": "gelu", "dropout": 0.2, "batch_norm": batch_norm}
        return trained(engine, [37, 130, 65, 5], 211, 50, dtype=dtype, method="adam", l2=0.01, clip=0.5, **options)

    first, told, _ = on(1)
    for threads in (2, 3, 7):
        arrays, again, _ = on(threads)
        assert all(np.array_equal(arrays[name], first[name]) for name in first)
        assert all(np.array_equal(a, b) for a, b in zip(again, told, strict=True))


def test_whole_runs_agree_and_say_which_engine_ran():
    data = cr.load_data("digits")
    nets, histories = [], []
    for engine in ("reference", "compiled"):
        net = cr.Network([64, 32, 16, 10], activation=["relu", "tanh"], dropout=[0.1, 0.0], dtype="float64", seed=1)
        histories.append(cr.train(net, data, engine=engine, epochs=5, batch_size=50, optimizer="adam", seed=3))
        nets.append(net)
    assert [history.engine for history in histories] == ["reference", "compiled"]
    for name, P in nets[0].parameters().items():
        np.testing.assert_allclose(nets[1].parameters()[name], P, rtol=0, atol=1e-9)
    np.testing.assert_allclose(histories[1]["validation_loss"], histories[0]["validation_loss"], rtol=1e-9)


def test_a_run_can_go_on_on_the_compiled_engine():
    x, y = np.random.default_rng(0).normal(size=(60, 4)), np.arange(60) % 3
    states = []

    def fresh():
        return cr.Network([4, 9, 3], seed=0)

    whole = fresh()
    settings_ = {"engine": "compiled", "batch_size": 16, "optimizer": "adam", "seed": 2}
    cr.train(whole, (x, y), epochs=6, checkpoint=states.append, checkpoint_seconds=0, **settings_)
    resumed = fresh()
    cr.train(resumed, (x, y), epochs=6, state=states[2], **settings_)
    for name, P in whole.parameters().items():
        assert np.array_equal(P, resumed.parameters()[name])


def test_a_value_that_is_not_finite_stops_with_the_weights_before_its_batch():
    net = cr.Network([2, 3, 2], seed=0)
    X = np.ones((6, 2), np.float32)
    X[4] = np.inf
    engine = CompiledEngine(net, X, net.targets([0, 1] * 3, 6), optimizer("sgd", 1e-3))
    batches = Batches.cut(np.arange(6), 2)
    with pytest.raises(NotFiniteError) as caught:
        engine.run(batches, np.full(3, 1e-3), np.zeros(3), np.random.default_rng(0))
    assert caught.value.batch == 2
    assert caught.value.rows.tolist() == [4, 5]
    assert all(np.isfinite(P).all() for P in net.parameters().values())
    x = np.random.default_rng(0).normal(size=(40, 2))
    with pytest.raises(DivergedError, match="no longer finite"):
        cr.train(
            cr.Network([2, 8, 1], output="identity"), (x, x[:, 0] * 9), learning_rate=50, epochs=50, engine="compiled"
        )


def test_read_only_and_mapped_input_is_trained_on_where_it_lies(tmp_path):
    rng = np.random.default_rng(0)
    np.save(tmp_path / "x.npy", rng.normal(size=(50, 3)).astype(np.float32))
    x, y = np.load(tmp_path / "x.npy", mmap_mode="r"), np.arange(50) % 2
    nets = [cr.Network([3, 5, 2], seed=0) for _ in range(2)]
    for net, inputs in zip(nets, (x, np.array(x)), strict=True):
        cr.train(net, (inputs, y), engine="compiled", epochs=2)
    for name, P in nets[0].parameters().items():
        assert np.array_equal(P, nets[1].parameters()[name])


def test_what_is_not_compiled_is_refused_in_words():
    x, y = np.ones((6, 2)), [0, 1] * 3
    cube = Activation("cube", lambda z: z**3, lambda z, a: 3 * z**2, "z^3", "3 z^2")
    with pytest.raises(InputError, match="cube of layer 1 is not compiled"):
        cr.train(cr.Network([2, 3, 2], activation=cube), (x, y), engine="compiled", batch_size=2)
    with pytest.raises(InputError, match="does not stop at batches"):
        cr.train(cr.Network([2, 2]), (x, y), engine="compiled", batch_size=2, callbacks={"batch_end": print})


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_exp_and_tanh_are_within_two_units_in_the_last_place(dtype):
    from chainrule.kernels import maths

    @numba.njit(error_model="numpy")
    def walk(z, e, t):
        for i in range(z.size):
            e[i], t[i] = maths.exp(z[i]), maths.tanh(z[i])

    end = 87 if dtype == "float32" else 708
    small = np.geomspace(1e-30, 1, 200_000)
    z = np.concatenate([np.linspace(-end, end, 1_000_001), small, -small]).astype(dtype)
    e, t = np.empty_like(z), np.empty_like(z)
    walk(z, e, t)
    exact = z.astype(np.longdouble)
    for found, right in ((e, np.exp(exact)), (t, np.tanh(exact))):
        units = np.abs(found - right) / np.spacing(np.abs(right).astype(dtype))
        assert float(units.max()) <= 2
    edges = np.array([0, -np.inf, np.inf, -1e30, 1e30, np.nan], dtype)
    e, t = np.empty_like(edges), np.empty_like(edges)
    walk(edges, e, t)
    np.testing.assert_array_equal(e, np.array([1, 0, np.inf, 0, np.inf, np.nan], dtype))
    np.testing.assert_array_equal(t, np.array([0, -1, 1, -1, 1, np.nan], dtype))


# --- what a review found


def test_a_batch_of_one_that_diverges_stops_every_thread():
    X = np.random.default_rng(0).normal(size=(41, 5))
    X[40] = np.inf
    net = cr.Network([5, 7, 3], dtype="float64", seed=0)

    def run():
        for _ in range(60):
            engine = CompiledEngine(net, X, net.targets(np.arange(41) % 3, 41), optimizer("sgd", 1e-6), threads=3)
            with pytest.raises(NotFiniteError) as caught:
                engine.run(Batches.cut(np.arange(41), 1), np.full(41, 1e-6), np.zeros(41), np.random.default_rng(0))
            assert caught.value.batch == 40

    thread = threading.Thread(target=run, daemon=True)  # a deadlock must fail, not hang
    thread.start()
    thread.join(120)
    assert not thread.is_alive()


def test_a_remainder_of_one_leaves_padding_out_of_the_penalty():
    options = {"activation": "sigmoid", "l2": 0.1}
    assert worst([5, 7, 9, 3], 33, 16, **options) < 1e-11
    assert worst([5, 7, 9, 3], 33, 4, activation="softplus", l2=0.1) < 1e-11


@pytest.mark.parametrize("method", ["adam(epsilon=0)", "adamw(epsilon=0)", "rmsprop(epsilon=0)"])
def test_without_epsilon_padding_does_not_spoil_norms(method):
    assert worst([5, 7, 9, 3], 48, 16, method=method, clip=0.01, l2=0.1, activation="tanh") < 1e-10


def test_decays_near_one_keep_their_digits_in_float32():
    for method in ("adam(beta2=0.99999)", "rmsprop(decay=0.99999)"):
        assert worst([6, 9, 3], 32, 32, method=method, dtype="float32", activation="tanh") < 2e-5


def test_the_memory_of_a_method_is_restored_with_its_weights():
    """The first block of epochs diverges and is run again one by one: nothing of it may be left."""
    x = np.random.default_rng(0).normal(size=(200, 5))
    y = x @ np.arange(1.0, 6)[:, None] @ np.ones((1, 2))
    histories = []
    for engine in ("reference", "compiled"):
        net = cr.Network([5, 8, 2], output="identity", dtype="float64", seed=0)
        settings_ = {"engine": engine, "curves": False, "batch_size": "full", "optimizer": "momentum", "epochs": 400}
        with pytest.raises(DivergedError) as caught:
            cr.train(net, (x, y), learning_rate=0.9, **settings_)
        histories.append(caught.value.history)
    assert len(histories[0]) == len(histories[1]) > 1


def test_a_rule_or_method_of_ones_own_is_known_by_more_than_its_name():
    class SGD(cr.optimizers.SGD):
        def move(self, name, P, G, *slots):
            P -= 2 * self.learning_rate * G

    x, y = np.ones((6, 2)), [0, 1] * 3
    relu = dataclasses.replace(cr.rules.activation("relu"), value=lambda z: np.maximum(z, 0.1))
    for keywords, activation in (({"optimizer": SGD(0.1)}, "relu"), ({}, relu)):
        with pytest.raises(InputError, match="is not compiled"):
            cr.train(cr.Network([2, 3, 2], activation=activation), (x, y), engine="compiled", batch_size=2, **keywords)


def test_settings_of_a_method_may_change_between_epochs():
    def halve(moment):
        method.momentum /= 2

    x, y = np.random.default_rng(0).normal(size=(60, 4)), np.arange(60) % 3
    nets = []
    for engine in ("reference", "compiled"):
        method = cr.optimizers.Momentum(0.1)
        nets.append(cr.Network([4, 9, 3], dtype="float64", seed=0))
        cr.train(nets[-1], (x, y), engine=engine, optimizer=method, epochs=4, callbacks={"epoch_end": halve})
    np.testing.assert_allclose(nets[0].parameters()["W1"], nets[1].parameters()["W1"], rtol=1e-10)


def test_fewer_threads_than_asked_for_do_the_work(monkeypatch):
    def refused(self):
        raise RuntimeError("can't start new thread")

    def on(threads):
        def engine(*arguments, **keywords):
            return CompiledEngine(*arguments, **keywords, threads=threads)

        return trained(engine, [37, 130, 5], 211, 50)[0]

    expected = on(3)
    monkeypatch.setattr(threading.Thread, "start", refused)
    arrays = on(3)
    assert all(np.array_equal(arrays[name], expected[name]) for name in expected)


def test_without_a_folder_for_compiled_code_the_kernels_are_compiled_each_time(capsys, monkeypatch):
    made = []

    class Run:
        def __init__(self, cache):
            self.cache = cache

        def compile(self, signature):
            if self.cache:
                raise RuntimeError("cannot cache function: no locator available")

    monkeypatch.setattr(loading, "make_run", lambda version, cache=True: made.append(Run(cache)) or made[-1])
    run = loading._compiled.__wrapped__(np.dtype("float32"))
    assert (run.cache, len(made)) == (False, 2)
    assert "cannot be kept on disk" in capsys.readouterr().err


def test_one_row_of_a_normalised_network_is_no_rank_one_step():
    net = cr.Network([3, 5, 2], batch_norm=True, seed=0)
    X = np.random.default_rng(0).normal(size=(5, 3)).astype(np.float32)
    engine = CompiledEngine(net, X, net.targets([0, 1, 0, 1, 0], 5), optimizer("sgd"))
    engine.run(Batches.cut(np.arange(5), 4), np.full(2, 0.1), np.zeros(2), np.random.default_rng(0))
    assert engine._memory.job["single"] == 0
