"""The network: a loop over single numbers, a table worked out elsewhere, what it keeps, refuses and leaves alone."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import chainrule as cr
from chainrule import differences, rules
from chainrule.errors import InputError, UnknownNameError
from chainrule.network import Network, count, penalty
from refusals import refusal


def noisy(net: Network, seed: int = 5) -> Network:
    """`net` with every parameter moved, so that no bias is 0 and no γ is 1 and mistakes cannot hide behind them."""
    rng = np.random.default_rng(seed)
    for P in net.parameters().values():
        P += rng.normal(0, 0.3, P.shape)
    for name, S in net.statistics().items():
        S += rng.uniform(0.1, 0.5, S.shape) if name.startswith("variance") else rng.normal(0, 0.3, S.shape)
    return net


def samples(m: int, d: int, seed: int = 0, dtype: str = "float64"):
    return np.random.default_rng(seed).normal(size=(m, d)).astype(dtype)


# --- forward, one number at a time

BY_HAND = {
    "identity": lambda z: z,
    "sigmoid": lambda z: 1 / (1 + math.exp(-z)),
    "tanh": math.tanh,
    "relu": lambda z: max(z, 0.0),
    "leaky_relu(0.2)": lambda z: z if z > 0 else 0.2 * z,
    "elu": lambda z: z if z > 0 else math.exp(z) - 1,
    "swish": lambda z: z / (1 + math.exp(-z)),
    "gelu": lambda z: z * (1 + math.erf(z / math.sqrt(2))) / 2,
    "softplus": lambda z: math.log(1 + math.exp(z)),
}


def by_hand(net: Network, x, activations, output):
    """Output and logits of one sample, in plain Python."""
    P, a = {name: array.tolist() for name, array in net.parameters().items()}, list(map(float, x))
    for l in range(1, len(net.layers)):
        W, b = P[f"W{l}"], P[f"b{l}"]
        z = [sum(a[j] * W[j][k] for j in range(len(a))) + b[k] for k in range(len(b))]
        a = [BY_HAND[activations[l - 1]](v) for v in z] if l < len(net.layers) - 1 else z
    if output == "softmax":
        a = [math.exp(v) / sum(map(math.exp, z)) for v in z]
    elif output == "sigmoid":
        a = [BY_HAND["sigmoid"](v) for v in z]
    return a, z


@pytest.mark.parametrize("output", ["softmax", "sigmoid", "identity"])
@pytest.mark.parametrize(
    ("layers", "activations"),
    [
        ([3, 2], []),
        ([1, 1], []),
        ([1, 1, 1], ["tanh"]),
        ([4, 1, 3], ["sigmoid"]),
        ([3, 5, 4, 2], ["relu", "gelu"]),
        ([2, 3, 4, 5, 6, 7, 3], ["identity", "leaky_relu(0.2)", "elu", "swish", "softplus"]),
    ],
)
def test_forward_equals_a_loop_over_samples_and_single_numbers(layers, activations, output):
    net = noisy(Network(layers, activation=activations, output=output, dtype="float64", seed=1))
    for m in (1, 8):
        X = samples(m, layers[0])
        rows = [by_hand(net, x, activations, output) for x in X]
        assert net.predict_proba(X) == pytest.approx(np.array([a for a, _ in rows]), abs=1e-13)
        assert net.logits(X) == pytest.approx(np.array([z for _, z in rows]), abs=1e-13)
        trace = net.forward(X)
        assert trace[f"A{len(layers) - 1}"] == pytest.approx(net.predict_proba(X), abs=1e-13)


def test_any_depth_gives_a_forward_and_a_backward_pass():
    net = Network([3, *[4] * 60, 2], activation="tanh", dtype="float64")
    trace = net.forward(samples(5, 3))
    gradients = net.backward(trace, [0, 1, 0, 1, 1])
    assert len(gradients) == 2 * 61
    assert all(np.isfinite(G).all() for G in gradients.values())


# --- the course's 2-3-2 network, worked out in its assignment


@pytest.fixture
def course():
    start = {"W1": [[1, 1, 1], [-1, -1, -1]], "W2": [[1, 1], [-1, -1], [-1, -1]]}
    net = Network([2, 3, 2], activation="sigmoid", init=start, dtype="float64")
    trace = net.forward([[1, -1]])
    return net, trace, net.backward(trace, [0], wrt_input=True)


def test_the_course_network_has_the_printed_values(course):
    net, trace, _ = course
    assert np.array_equal(trace["Z1"], [[2, 2, 2]])
    assert trace["A1"] == pytest.approx(np.full((1, 3), 0.8807970779778823), abs=1e-16)
    assert trace["Z2"] == pytest.approx(np.full((1, 2), -0.8807970779778823), abs=1e-15)
    assert np.array_equal(trace["A2"], [[0.5, 0.5]])
    assert net.loss([[1, -1]], [0]) == pytest.approx(0.6931471805599453, abs=1e-16)
    assert net.loss_at(trace, [0]) == net.loss([[1, -1]], [0])


def test_the_course_network_has_the_printed_gradients(course):
    _, _, gradients = course
    assert np.array_equal(gradients.deltas["Z2"], [[-0.5, 0.5]])
    assert np.array_equal(gradients["b2"], [-0.5, 0.5])
    assert gradients["W2"] == pytest.approx(np.tile([-0.4403985389889412, 0.4403985389889412], (3, 1)), abs=1e-16)
    for name in ("W1", "b1"):
        assert not gradients[name].any()
    for name in ("A1", "Z1", "A0"):
        assert not gradients.deltas[name].any()


# --- the trace and the input


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_trace_holds_every_value_in_order_and_in_the_dtype_of_the_network(dtype):
    net = Network([3, 4, 5, 2], dropout=[0, 0.5], batch_norm=[True, False], dtype=dtype)
    rng = np.random.default_rng(0)
    trace = net.forward(samples(7, 3), training=True, generator=rng)
    assert list(trace) == ["A0", "Z1", "mean1", "variance1", "N1", "U1", "A1", "Z2", "A2", "M2", "D2", "Z3", "A3"]
    assert {value.dtype for value in trace.values()} == {np.dtype(dtype)}
    assert trace["Z2"].shape == trace["M2"].shape == (7, 5)
    assert trace["mean1"].shape == (4,)
    assert list(net.forward(samples(7, 3))) == ["A0", "Z1", "N1", "U1", "A1", "Z2", "A2", "Z3", "A3"]
    gradients = net.backward(trace, [0, 1] * 3 + [0], wrt_input=True)
    assert {G.dtype for G in (*gradients.values(), *gradients.deltas.values())} == {np.dtype(dtype)}
    assert len(trace) == 13
    assert "Z2 (7, 5)" in repr(trace)


def test_the_trace_cannot_be_written_to():
    X = samples(4, 3)
    for name, value in Network([3, 4, 2], activation="identity", output="identity").forward(X).items():
        with pytest.raises(ValueError, match="read-only"):
            value[0] = 0
        assert not value.flags.writeable, name


def test_the_input_is_never_written_to_and_may_be_a_read_only_memory_map(tmp_path):
    X = samples(9, 3, dtype="float32")
    np.save(tmp_path / "x.npy", X)
    mapped = np.load(tmp_path / "x.npy", mmap_mode="r")
    net = Network([3, 4, 2], activation="identity", batch_norm=True)
    for x in (mapped, X):
        trace = net.forward(x, training=True)
        net.backward(trace, np.zeros(9, int))
        net.predict(x)
        net.loss(x, np.zeros(9, int))
    cr.train(net, (mapped, np.zeros(9, int)), epochs=2, batch_size=3)
    assert np.array_equal(np.load(tmp_path / "x.npy"), samples(9, 3, dtype="float32"))
    assert np.array_equal(X, samples(9, 3, dtype="float32"))
    assert X.flags.writeable, "the caller's own array stays writeable"


def test_passes_change_nothing_in_the_network():
    net = noisy(Network([3, 4, 2], batch_norm=True, dropout=0.3))
    before = {name: array.tobytes() for name, array in {**net.parameters(), **net.statistics()}.items()}
    trace = net.forward(samples(5, 3), training=True, generator=np.random.default_rng(0))
    net.backward(trace, [0, 1, 1, 0, 1], l2=0.1)
    net.predict(samples(5, 3))
    assert before == {name: array.tobytes() for name, array in {**net.parameters(), **net.statistics()}.items()}


@pytest.mark.parametrize(
    ("x", "words"),
    [
        (np.zeros(3), ("(3,)", "(m, 3)")),
        (np.zeros((2, 4)), ("(2, 4)", "(m, 3)")),
        (np.zeros((0, 3)), ("(0, 3)", "at least one")),
        (np.zeros((2, 3, 1)), ("(2, 3, 1)",)),
        ([["a", "b", "c"]], ("<U1", "numbers")),
        (np.zeros((2, 3), complex), ("complex128",)),
        (np.full((2, 3), None), ("object",)),
    ],
)
def test_an_input_of_wrong_shape_or_type_is_named_in_words(x, words):
    net = Network([3, 2])
    for call in (net.forward, net.predict, net.predict_proba, lambda x: net.loss(x, [0]), lambda x: net.score(x, [0])):
        message = refusal(call, x)
        assert [word for word in words if word not in message] == [], message


def test_rows_of_different_lengths_are_refused_in_words():
    refusal(Network([2, 2]).predict, [[1, 2], [3]])


def test_a_number_too_great_for_the_dtype_is_refused_in_words_and_not_turned_into_infinity():
    assert "1e+300" in refusal(Network([2, 2]).predict, np.array([[1.0, 2.0], [3.0, 1e300]]))


def test_as_many_targets_as_samples_are_asked_for():
    net = Network([3, 2])
    assert "4 samples but 3 targets" in refusal(net.loss, np.zeros((4, 3)), [0, 1, 0])
    assert "4 samples but 1 targets" in refusal(net.backward, net.forward(np.zeros((4, 3))), [0])


def test_integers_booleans_and_lists_are_inputs_too():
    net = Network([2, 3, 2])
    expected = net.predict_proba(np.array([[1.0, 0.0]]))
    for x in ([[1, 0]], np.array([[True, False]]), np.array([[1, 0]], np.uint8), np.array([[1, 0]], np.float16)):
        assert np.array_equal(net.predict_proba(x), expected)


# --- backward

SETTINGS = {
    "plain": {},
    "one layer": {"layers": [3, 4]},
    "widths of one": {"layers": [1, 1, 1]},
    "mixed": {"layers": [3, 5, 6, 2], "activation": ["tanh", "swish"]},
    "dropout": {"dropout": 0.4, "activation": "sigmoid"},
    "batch norm": {"batch_norm": True, "activation": "tanh"},
    "all by layer": {
        "layers": [3, 5, 6, 4],
        "activation": ["softplus", "gelu"],
        "dropout": [0.5, 0.0],
        "batch_norm": [False, True],
    },
    "both in one layer": {"layers": [3, 6, 4], "activation": "tanh", "dropout": 0.3, "batch_norm": True},
    "squared error": {"output": "identity"},
    "binary cross-entropy": {"output": "sigmoid"},
}


def made(settings_):
    parts = {"layers": [3, 5, 4], "activation": "tanh", **settings_}
    net = noisy(Network(dtype="float64", **parts))
    m, rng = 8, np.random.default_rng(3)
    K = net.layers[-1]
    y = rng.integers(K, size=m) if net.output.name == "softmax" else rng.random((m, K))
    return net, samples(m, net.layers[0]), y


@pytest.mark.parametrize("training", [False, True])
@pytest.mark.parametrize("name", SETTINGS)
def test_gradients_have_the_keys_order_and_shapes_of_the_parameters(name, training):
    net, X, y = made(SETTINGS[name])
    trace = net.forward(X, training=training, generator=np.random.default_rng(0))
    gradients = net.backward(trace, y)
    assert list(gradients) == list(net.parameters())
    assert {k: G.shape for k, G in gradients.items()} == {k: P.shape for k, P in net.parameters().items()}
    assert "A0" not in gradients.deltas
    with_input = net.backward(trace, y, wrt_input=True)
    for key, G in gradients.items():
        assert np.array_equal(with_input[key], G)
    assert {k: G.shape for k, G in with_input.deltas.items()} == {k: trace[k].shape for k in with_input.deltas}
    values = {k for k in trace if k[0] not in "Mmv" and k != f"A{len(net.layers) - 1}"}
    assert set(with_input.deltas) == values, "every value below the logits has its delta"


@pytest.mark.parametrize("training", [False, True])
@pytest.mark.parametrize("name", SETTINGS)
def test_the_delta_of_the_input_agrees_with_central_differences(name, training):
    net, X, y = made(SETTINGS[name])

    def forward(x):
        return net.forward(x, training=training, generator=np.random.default_rng(9))

    numeric = differences.gradient(lambda x: net.loss_at(forward(x), y), X)
    analytic = net.backward(forward(X), y, wrt_input=True).deltas["A0"]
    assert analytic == pytest.approx(numeric.values, abs=1e-10)


def test_every_delta_agrees_with_central_differences_of_the_rest_of_the_network():
    """The rest after each value, written out here: Z1 → A1 → Z2 → A2 → Z3 → loss, of tanh, sigmoid and softmax."""
    net = noisy(Network([3, 5, 6, 4], activation=["tanh", "sigmoid"], dtype="float64"))
    X, y = samples(7, 3), np.array([0, 1, 2, 3, 3, 2, 1])
    P, trace = net.parameters(), net.forward(X)
    deltas = net.backward(trace, y).deltas

    def after(name, value):
        if name == "Z1":
            return after("A1", np.tanh(value))
        if name == "A1":
            return after("Z2", value @ P["W2"] + P["b2"])
        if name == "Z2":
            return after("A2", 1 / (1 + np.exp(-value)))
        if name == "A2":
            return after("Z3", value @ P["W3"] + P["b3"])
        return float(np.mean(np.log(np.exp(value).sum(axis=1)) - value[range(7), y]))

    assert set(deltas) == {"Z1", "A1", "Z2", "A2", "Z3"}
    for name, delta in deltas.items():
        numeric = differences.gradient(lambda v, name=name: after(name, v), trace[name])
        assert delta == pytest.approx(numeric.values, abs=1e-11), name


def test_one_gradient_of_a_batch_is_the_mean_of_those_of_its_samples():
    net, X, y = made({})
    whole = net.backward(net.forward(X), y)
    single = [net.backward(net.forward(X[i : i + 1]), y[i : i + 1]) for i in range(len(X))]
    for name, G in whole.items():
        assert pytest.approx(np.mean([g[name] for g in single], axis=0), abs=1e-14) == G


def test_l2_adds_lambda_w_to_the_weights_and_nothing_to_the_rest_whatever_the_batch():
    for settings_ in ({}, {"batch_norm": True}):
        net, X, y = made(settings_)
        for m in (1, 8):
            trace = net.forward(X[:m])
            plain, decayed = net.backward(trace, y[:m]), net.backward(trace, y[:m], l2=0.7)
            for name, G in plain.items():
                extra = 0.7 * net.parameters()[name] if name.startswith("W") else 0
                assert decayed[name] == pytest.approx(G + extra, abs=1e-14), name
            expected = 0.35 * sum((P**2).sum() for name, P in net.parameters().items() if name.startswith("W"))
            assert net.loss(X[:m], y[:m], l2=0.7) - net.loss(X[:m], y[:m]) == pytest.approx(expected)
            assert net.loss_at(trace, y[:m], l2=0.7) == pytest.approx(net.loss(X[:m], y[:m], l2=0.7))
            assert penalty(net, 0.7) == pytest.approx(expected)


def test_the_loss_is_the_mean_over_samples_also_across_blocks_of_rows():
    net = Network([2, 3], dtype="float64")
    X, y = samples(9001, 2), np.arange(9001) % 3
    P = net.predict_proba(X)
    assert net.loss(X, y) == pytest.approx(-np.mean(np.log(P[np.arange(9001), y])))
    assert net.logits(X) == pytest.approx(X @ net.parameters()["W1"])
    assert net.loss(np.tile(X, (2, 1)), np.tile(y, 2)) == pytest.approx(net.loss(X, y), rel=1e-12)


# --- batch normalisation


def test_batch_normalisation_in_training_uses_the_batch_and_in_inference_the_running_statistics():
    net = noisy(Network([3, 5, 4], batch_norm=True, activation="identity", dtype="float64"))
    X, P, S = samples(8, 3), net.parameters(), net.statistics()
    trace = net.forward(X, training=True)
    Z = X @ P["W1"]
    assert trace["Z1"] == pytest.approx(Z)
    for k in range(5):
        mean = sum(Z[:, k]) / 8
        variance = sum((z - mean) ** 2 for z in Z[:, k]) / 8
        N = [(z - mean) / math.sqrt(variance + 1e-5) for z in Z[:, k]]
        U = [P["gamma1"][k] * n + P["beta1"][k] for n in N]
        assert trace["mean1"][k] == pytest.approx(mean)
        assert trace["variance1"][k] == pytest.approx(variance)
        assert trace["N1"][:, k] == pytest.approx(N)
        assert trace["U1"][:, k] == pytest.approx(U)
    N = (Z - S["mean1"]) / np.sqrt(S["variance1"] + 1e-5)
    assert net.forward(X)["U1"] == pytest.approx(P["gamma1"] * N + P["beta1"])
    assert net.forward(X[:1])["U1"] == pytest.approx(net.forward(X)["U1"][:1]), "a sample's output stands alone"


def test_the_backward_pass_of_batch_normalisation_is_the_one_of_its_paper():
    """Ioffe, Szegedy 2015, section 3, step by step as printed there."""
    net = noisy(Network([3, 5, 4], batch_norm=True, activation="tanh", dtype="float64"))
    X, y, m = samples(8, 3), [0, 1, 2, 3, 0, 1, 2, 3], 8
    trace = net.forward(X, training=True)
    gradients = net.backward(trace, y)
    x, mu, var, gamma = trace["Z1"], trace["mean1"], trace["variance1"] + 1e-5, net.parameters()["gamma1"]
    dy = gradients.deltas["U1"]
    dx_hat = dy * gamma
    dvar = (dx_hat * (x - mu) * -0.5 * var**-1.5).sum(axis=0)
    dmu = (dx_hat * -1 / np.sqrt(var)).sum(axis=0) + dvar * (-2 * (x - mu)).sum(axis=0) / m
    dx = dx_hat / np.sqrt(var) + dvar * 2 * (x - mu) / m + dmu / m
    assert gradients.deltas["Z1"] == pytest.approx(dx, abs=1e-14)
    assert gradients.deltas["N1"] == pytest.approx(dx_hat, abs=1e-15)
    assert gradients["gamma1"] == pytest.approx((dy * (x - mu) / np.sqrt(var)).sum(axis=0), abs=1e-14)
    assert gradients["beta1"] == pytest.approx(dy.sum(axis=0), abs=1e-14)


def test_running_statistics_start_at_0_and_1_and_take_a_tenth_of_the_batch_with_the_unbiased_variance():
    net = Network([3, 5, 4], batch_norm=True, dtype="float64")
    assert not net.statistics()["mean1"].any()
    assert (net.statistics()["variance1"] == 1).all()
    X = samples(8, 3)
    Z = X @ net.parameters()["W1"]
    mean, variance = np.zeros(5), np.ones(5)
    for _ in range(3):
        net.update_statistics(net.forward(X, training=True))
        mean = 0.9 * mean + 0.1 * Z.mean(axis=0)
        variance = 0.9 * variance + 0.1 * Z.var(axis=0, ddof=1)
        assert net.statistics()["mean1"] == pytest.approx(mean)
        assert net.statistics()["variance1"] == pytest.approx(variance)
    for _ in range(300):
        net.update_statistics(net.forward(X, training=True))
    assert net.statistics()["variance1"] == pytest.approx(Z.var(axis=0, ddof=1))


def test_a_layer_with_batch_normalisation_has_gamma_and_beta_in_place_of_a_bias():
    net = Network([3, 5, 4, 2], batch_norm=[True, False])
    assert list(net.parameters()) == ["W1", "gamma1", "beta1", "W2", "b2", "W3", "b3"]
    assert list(net.statistics()) == ["mean1", "variance1"]
    assert (net.parameters()["gamma1"] == 1).all()
    assert not net.parameters()["beta1"].any()


# --- dropout


def test_dropout_scales_what_is_kept_so_that_the_expectation_stays():
    rate, passes = 0.3, 4000
    net = noisy(Network([3, 5, 4], dropout=rate, activation="sigmoid", dtype="float64"))
    X, rng = samples(2, 3), np.random.default_rng(0)
    traces = [net.forward(X, training=True, generator=rng) for _ in range(passes)]
    masks = np.array([trace["M1"] for trace in traces])
    assert set(np.unique(masks)) == {0, 1 / (1 - rate)}
    A = traces[0]["A1"]
    for trace in traces[:5]:
        assert np.array_equal(trace["D1"], trace["A1"] * trace["M1"])
        assert np.array_equal(trace["A1"], A)
    error = np.sqrt(rate / (1 - rate) / passes)  # of a mean of masks
    assert np.abs(masks.mean(axis=0) - 1).max() < 5 * error
    assert masks.mean() == pytest.approx(1, abs=5 * error / np.sqrt(10))


def test_masks_come_from_the_given_generator_and_differ_from_pass_to_pass():
    net = Network([3, 50, 4], dropout=0.5)
    X = samples(6, 3)
    rng = np.random.default_rng(7)
    first, second = (net.forward(X, training=True, generator=rng)["M1"] for _ in range(2))
    again = net.forward(X, training=True, generator=np.random.default_rng(7))["M1"]
    assert np.array_equal(first, again)
    assert not np.array_equal(first, second)
    assert not np.array_equal(first[0], first[1]), "each sample has a mask of its own"


def test_inference_draws_nothing_and_leaves_nothing_out():
    net = Network([3, 5, 4], dropout=0.5)
    rng = np.random.default_rng(7)
    trace = net.forward(samples(6, 3), generator=rng)
    assert "M1" not in trace
    assert rng.random() == np.random.default_rng(7).random()
    plain = Network([3, 5, 4])
    assert np.array_equal(net.predict_proba(samples(6, 3)), plain.predict_proba(samples(6, 3)))


def test_dropout_by_layer_touches_the_layers_it_names():
    net = Network([3, 5, 6, 4], dropout=[0, 0.5])
    trace = net.forward(samples(7, 3), training=True, generator=np.random.default_rng(0))
    assert "M1" not in trace
    assert trace["M2"].shape == (7, 6)


def test_dropout_in_training_without_a_generator_is_refused():
    assert "generator" in refusal(Network([3, 5, 4], dropout=0.5).forward, samples(2, 3), training=True)
    Network([3, 5, 4]).forward(samples(2, 3), training=True)


# --- what one asks of it


def fixed(output: str, width: int) -> Network:
    """A network whose logits are its inputs."""
    return Network([width, width], output=output, init={"W1": np.eye(width)}, dtype="float64")


def test_softmax_predicts_the_greatest_of_probabilities_that_sum_to_one():
    net = fixed("softmax", 3)
    X = np.array([[1.0, 2, 3], [5, 0, 0], [0, math.log(2), 0]])
    assert net.predict(X).tolist() == [2, 0, 1]
    assert net.predict_proba(X)[2] == pytest.approx([0.25, 0.5, 0.25])
    assert net.score(X, [2, 0, 0]) == pytest.approx(2 / 3)
    assert net.score(X, np.eye(3)[[2, 0, 0]]) == pytest.approx(2 / 3)


def test_one_sigmoid_unit_predicts_a_flat_0_or_1():
    net = fixed("sigmoid", 1)
    X = np.array([[-1.0], [0.1], [math.log(3)]])
    assert net.predict(X).tolist() == [0, 1, 1]
    assert net.predict(X).dtype.kind == "i"
    assert net.predict_proba(X)[2, 0] == pytest.approx(0.75)
    assert net.score(X, [0, 1, 0]) == net.score(X, [[0], [1], [0]]) == pytest.approx(2 / 3)


def test_several_sigmoid_units_predict_a_row_each_and_score_whole_rows():
    net = fixed("sigmoid", 2)
    X = np.array([[-1.0, 1], [2, 3]])
    assert net.predict(X).tolist() == [[0, 1], [1, 1]]
    assert net.score(X, [[0, 1], [0, 1]]) == 0.5


def test_identity_predicts_numbers_and_scores_r_squared():
    net = fixed("identity", 1)
    X = np.array([[1.0], [2.0], [6.0]])
    assert net.predict(X).tolist() == [1, 2, 6]
    assert net.score(X, [1, 2, 6]) == 1
    assert net.score(X, [1, 2, 3]) == pytest.approx(1 - 9 / 2)
    assert net.score(np.full((3, 1), 2.0), [1, 2, 3]) == 0, "the mean itself scores 0"
    assert math.isnan(net.score(X, [4, 4, 4]))
    wide = fixed("identity", 2)
    assert wide.predict([[1.0, 2.0]]).tolist() == [[1, 2]]


def test_a_network_tells_of_itself():
    net = Network([4, 5, 3], activation="leaky_relu(0.2)", dropout=0.25, batch_norm=True)
    assert count(net) == 4 * 5 + 5 + 5 + 5 * 3 + 3
    assert "4–5–3" in repr(net)
    assert f"{count(net)} parameters" in repr(net)
    rows = net.table()
    assert [row["width"] for row in rows] == [4, 5, 3]
    assert sum(row["count"] for row in rows) == count(net)
    assert rows[1]["notes"] == "dropout 0.25, batch norm"
    html = net._repr_html_()
    assert "leaky_relu(slope=0.2)" in html
    assert html.count("<tr>") == 4


def test_a_configuration_and_the_arrays_make_the_same_network():
    net = noisy(
        Network(
            [4, 5, 6, 3],
            activation=["elu(0.5)", "tanh"],
            output="sigmoid",
            dropout=[0.1, 0],
            batch_norm=[False, True],
            dtype="float64",
        )
    )
    arrays = {**net.parameters(), **net.statistics()}
    twin = Network.from_config(net.to_config(), arrays)
    assert twin.to_config() == net.to_config()
    assert np.array_equal(twin.predict_proba(samples(5, 4)), net.predict_proba(samples(5, 4)))
    assert not np.shares_memory(twin.parameters()["W1"], net.parameters()["W1"])
    missing = {name: array for name, array in arrays.items() if name != "mean2"}
    assert "mean2" in refusal(Network.from_config, net.to_config(), missing)
    assert "b1" in refusal(Network.from_config, net.to_config(), {**arrays, "b1": np.zeros(6)})
    huge = {**net.to_config(), "layers": [10**6, 10**6, 6, 3]}
    assert "1000000" in refusal(Network.from_config, huge, arrays)


# --- the constructor


@pytest.mark.parametrize(
    ("keywords", "words"),
    [
        ({"layers": [3, 0, 2]}, ("[3, 0, 2]", "≥ 1")),
        ({"layers": [3, -4, 2]}, ("-4",)),
        ({"layers": [3]}, ("[3]", "two")),
        ({"layers": []}, ("[]",)),
        ({"layers": [3, True, 2]}, ("True",)),
        ({"layers": [3, 2.0]}, ("2.0",)),
        ({"layers": [3, "4", 2]}, ("'4'",)),
        ({"layers": [3, None]}, ("None",)),
        ({"activation": "sigmiod"}, ("unknown activation 'sigmiod'", "Did you mean 'sigmoid'?")),
        ({"output": "sofmax"}, ("unknown output 'sofmax'", "Did you mean 'softmax'?")),
        ({"init": "xavierr"}, ("unknown initialiser 'xavierr'", "Did you mean 'xavier'?")),
        ({"activation": ["relu"]}, ("activation has 1 entries for 2 hidden layers",)),
        ({"activation": ["relu"] * 3}, ("activation has 3 entries for 2 hidden layers",)),
        ({"dropout": [0.1]}, ("dropout has 1 entries",)),
        ({"batch_norm": [True] * 3}, ("batch_norm has 3 entries",)),
        ({"init": ["he", "he"]}, ("init has 2 entries for 3 layers",)),
        ({"dropout": 1}, ("dropout 1", "[0, 1)")),
        ({"dropout": -0.1}, ("dropout -0.1",)),
        ({"dropout": float("nan")}, ("dropout nan",)),
        ({"dropout": [0.1, 1.0]}, ("dropout 1.0",)),
        ({"dtype": "float16"}, ("float16", "float32 or float64")),
        ({"dtype": "int32"}, ("int32",)),
        ({"init": {"W1": np.zeros((5, 4))}}, ("layer 1", "(5, 4)", "(4, 5)")),
        ({"init": {"b2": np.zeros(5)}}, ("layer 2", "(5,)", "(6,)")),
        ({"init": {"W9": np.zeros((5, 4))}}, ("'W9'", "W1, b1")),
        ({"init": ["he", np.zeros((4, 4)), "he"]}, ("layer 2", "(4, 4)", "(5, 6)")),
    ],
)
def test_what_does_not_fit_is_refused_in_words(keywords, words):
    keywords = {"layers": [4, 5, 6, 3], **keywords}
    message = refusal(lambda: Network(**keywords))
    assert [word for word in words if word not in message] == [], message


@pytest.mark.parametrize(
    "keywords",
    [
        {"layers": 5},
        {"layers": None},
        {"dropout": "half"},
        {"dropout": None},
        {"batch_norm": "no"},
        {"dtype": None},
        {"activation": None},
        {"output": 3},
        {"init": None},
        {"init": 0.1},
        {"init": {"W1": "text"}},
        {"init": {"W1": np.full((4, 5), np.nan)}},
        {"seed": -1},
        {"seed": 0.5},
    ],
)
def test_what_is_of_a_wrong_kind_is_refused_in_words(keywords):
    refusal(lambda: Network(**{"layers": [4, 5, 6, 3], **keywords}), error=(InputError, TypeError))


def test_unknown_names_are_their_own_kind_of_error():
    for keywords in ({"activation": "x"}, {"output": "x"}, {"init": "x"}):
        with pytest.raises(UnknownNameError):
            Network([2, 2, 2], **keywords)


def test_one_value_or_one_a_layer_mean_the_same():
    one = Network([3, 4, 5, 2], activation="tanh", dropout=0.2, batch_norm=True, init="he")
    each = Network(
        (3, 4, 5, 2),
        activation=[rules.activation("tanh"), "tanh"],
        dropout=(0.2, 0.2),
        batch_norm=[True] * 2,
        init=["he"] * 3,
    )
    assert one.to_config() == each.to_config()
    for name, P in one.parameters().items():
        assert np.array_equal(P, each.parameters()[name])


def test_numpy_numbers_and_arrays_serve_as_settings():
    net = Network(np.array([3, 4, 5, 2]), dropout=np.array([0.1, 0.2]), batch_norm=np.array([True, False]))
    assert net.layers == (3, 4, 5, 2)
    assert net.to_config() == Network([3, 4, 5, 2], dropout=[0.1, 0.2], batch_norm=[True, False]).to_config()


def test_given_arrays_are_copied_and_what_is_not_given_starts_as_usual():
    W = np.arange(6.0).reshape(2, 3)
    net = Network([2, 3, 2], init={"W1": W, "b2": [5, 6]}, dtype="float64")
    assert np.array_equal(net.parameters()["W1"], W)
    assert np.array_equal(net.parameters()["b2"], [5, 6])
    assert not net.parameters()["b1"].any()
    net.parameters()["W1"][...] = 0
    assert W[1, 2] == 5
    by_layer = Network([2, 3, 2], init=[W, "zeros"])
    assert np.array_equal(by_layer.parameters()["W1"], W)
    assert not by_layer.parameters()["W2"].any()


def test_auto_starts_the_relu_family_with_he_and_the_rest_with_xavier():
    wide = [400, 300, 200]
    for activation, first in (("relu", 2 / 400), ("gelu", 2 / 400), ("leaky_relu(0.2)", 2 / 400), ("tanh", 2 / 700)):
        P = Network(wide, activation=activation).parameters()
        assert P["W1"].var() == pytest.approx(first, rel=0.03)
        assert P["W2"].var() == pytest.approx(2 / 500, rel=0.03)
        assert not P["b1"].any()
        assert not P["b2"].any()


@settings(deadline=None, max_examples=40)
@given(st.integers(0, 2**40))
def test_the_same_seed_gives_the_same_network_and_the_network_after_it_another(seed):
    first, twin, other = (Network([3, 4, 2], seed=s).parameters()["W1"] for s in (seed, seed, seed + 1))
    assert np.array_equal(first, twin)
    assert not np.array_equal(first, other)


def test_a_trace_of_another_network_is_refused_in_words():
    x = np.ones((3, 2))
    for other in (Network([2, 5, 3]), Network([2, 4, 4, 3]), Network([2, 4, 3], batch_norm=True)):
        net = Network([2, 4, 3]) if other.layers != (2, 4, 4, 3) else Network([2, 4, 4, 4, 3])
        with pytest.raises(InputError, match="another network"):
            net.backward(other.forward(x), [0, 1, 2])


def test_predicting_from_what_is_not_finite_is_refused():
    net = Network([2, 3])
    for call in (net.predict, net.predict_proba, lambda x: net.score(x, [0])):
        with pytest.raises(InputError, match="sample 0, column 1 of the input is nan"):
            call([[0.0, np.nan]])


def test_an_activation_that_is_none_is_refused_even_without_a_hidden_layer():
    with pytest.raises(UnknownNameError):
        Network([4, 2], activation="nonsense")
