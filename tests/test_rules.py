"""Activations, outputs and initialisers: closed forms first, then SciPy, then differences, then what they refuse."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy import special

from chainrule import Network, differences, rules
from chainrule.errors import InputError, UnknownNameError
from chainrule.rules import Activation, Initializer, Output
from refusals import refusal

ACTIVATIONS = (
    "identity",
    "sigmoid",
    "tanh",
    "relu",
    "leaky_relu",
    "leaky_relu(0.2)",
    "leaky_relu(slope=1.5)",
    "elu",
    "elu(0.5)",
    "elu(alpha=2.0)",
    "swish",
    "swish(2.0)",
    "swish(beta=0.3)",
    "gelu",
    "softplus",
)
OUTPUTS = ("softmax", "sigmoid", "identity")
DTYPES = (np.float32, np.float64)
Z = np.linspace(-8, 8, 321) + 0.0031  # away from 0, where the kinks are


def f(name: str, z):
    return rules.activation(name).value(np.asarray(z, dtype=np.float64))


@pytest.fixture
def registry():
    """Rules that a test registers are forgotten after it."""
    tables = (rules.ACTIVATIONS, rules.OUTPUTS, rules.INITIALIZERS)
    before = [dict(table) for table in tables]
    yield
    for table, rows in zip(tables, before, strict=True):
        table.clear()
        table.update(rows)


# --- activations: closed forms


def test_every_registered_activation_is_tested_here():
    assert {name.split("(")[0] for name in ACTIVATIONS} == set(rules.ACTIVATIONS)
    assert set(OUTPUTS) == set(rules.OUTPUTS)


def test_sigmoid_is_one_half_at_zero_and_adds_up_to_one_with_its_mirror():
    assert f("sigmoid", 0.0) == 0.5
    assert f("sigmoid", Z) + f("sigmoid", -Z) == pytest.approx(1, abs=1e-15)
    assert f("sigmoid", math.log(3)) == pytest.approx(0.75, abs=1e-15)


def test_sigmoid_is_exact_where_e_to_the_minus_z_would_overflow():
    assert f("sigmoid", [-700.0]) == pytest.approx(math.exp(-700), rel=1e-12, abs=0)
    assert f("sigmoid", [-1e4, 1e4]).tolist() == [0, 1]


def test_tanh_is_a_stretched_sigmoid():
    assert f("tanh", Z) == pytest.approx(2 * f("sigmoid", 2 * Z) - 1, abs=1e-14)


def test_softplus_lies_above_relu_by_the_same_on_both_sides_and_by_ln_2_at_zero():
    gap = f("softplus", Z) - f("relu", Z)
    assert gap == pytest.approx(np.log1p(np.exp(-np.abs(Z))), abs=1e-14)
    assert f("softplus", 0.0) == pytest.approx(math.log(2), rel=1e-15)
    assert f("softplus", Z) - f("softplus", -Z) == pytest.approx(Z, abs=1e-14)
    assert f("softplus", -50.0) == pytest.approx(math.exp(-50), rel=1e-12, abs=0)


def test_gelu_and_swish_differ_from_their_mirror_by_z():
    assert f("gelu", Z) - f("gelu", -Z) == pytest.approx(Z, abs=1e-13)
    for beta in (0.3, 1.0, 2.0):
        assert f(f"swish({beta})", Z) - f(f"swish({beta})", -Z) == pytest.approx(Z, abs=1e-13)
    assert f("gelu", 1.0) == pytest.approx(0.8413447460685429, rel=1e-15)
    assert f("swish", 1.0) == pytest.approx(1 / (1 + math.exp(-1)), rel=1e-15)


def test_swish_comes_near_relu_for_great_beta_and_is_half_of_z_for_beta_zero():
    assert f("swish(200)", Z) == pytest.approx(f("relu", Z), abs=2e-3)
    assert f("swish(0)", Z) == pytest.approx(Z / 2)


def test_relu_leaky_relu_and_elu_are_the_identity_above_zero_and_differ_below():
    above, below = Z[Z > 0], Z[Z < 0]
    for name in ("relu", "leaky_relu(0.2)", "elu(0.5)"):
        assert np.array_equal(f(name, above), above)
    assert not f("relu", below).any()
    assert f("leaky_relu", below) == pytest.approx(0.01 * below)
    assert f("leaky_relu(0.2)", below) == pytest.approx(0.2 * below)
    assert f("elu(0.5)", below) == pytest.approx(0.5 * (np.exp(below) - 1))
    assert f("elu", -1e4) == -1
    assert np.array_equal(f("identity", Z), Z)


def test_derivatives_at_the_kink_are_the_documented_ones():
    zero = np.zeros(1)
    for name, expected in (("relu", 0), ("leaky_relu(0.2)", 0.2), ("elu(0.5)", 0.5)):
        rule = rules.activation(name)
        assert rule.derivative(zero, rule.value(zero)) == expected
        assert rule.kinks == (0.0,)


def test_values_agree_with_scipy():
    assert f("sigmoid", Z) == pytest.approx(special.expit(Z), rel=1e-14, abs=0)
    assert f("gelu", Z) == pytest.approx(Z * special.ndtr(Z), rel=1e-14)
    assert f("softplus", Z) == pytest.approx(-special.log_expit(-Z), rel=1e-13, abs=0)
    assert f("elu(2.0)", Z) == pytest.approx(np.where(Z > 0, Z, 2 * special.expm1(Z)))


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_derivative_agrees_with_central_differences_away_from_kinks(name):
    rule = rules.activation(name)
    numeric = differences.elementwise(rule.value, Z, kinks=rule.kinks)
    assert numeric.kinked.sum() == 0
    assert np.abs(rule.derivative(Z, rule.value(Z)) - numeric.values).max() < 2e-10


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_a_kink_is_stated_exactly_where_a_derivative_jumps(name):
    """f′ or f″ just left and right of 0, from one-sided differences, differ where a kink is stated and only there."""
    rule = rules.activation(name)

    def slope(z):
        z = np.array([z])
        return float(rule.derivative(z, rule.value(z))[0])

    h = 1e-6
    jump = abs(slope(h) - slope(-h)) > 1e-3
    bend = abs((slope(2 * h) - slope(h)) / h - (slope(-h) - slope(-2 * h)) / h) > 1e-3
    assert bool(rule.kinks) == (jump or bend)


def test_the_piece_is_the_number_of_kinks_that_are_not_right_of_it():
    rule = Activation("hat", np.abs, lambda z, a: np.sign(z), "", "", kinks=(-1.0, 1.0))
    assert rule.piece(np.array([[-2.0, -1.0], [0.5, 3.0]])).tolist() == [[0, 1], [1, 2]]
    assert not rules.activation("tanh").piece(Z).any()


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", ACTIVATIONS)
def test_shape_and_dtype_are_kept_and_the_argument_is_not_written_to(name, dtype):
    rule = rules.activation(name)
    for shape in ((7,), (2, 5), (3, 1, 2)):
        z = np.random.default_rng(0).normal(size=shape).astype(dtype)
        z.flags.writeable = False
        a = rule.value(z)
        a.flags.writeable = False
        slope = rule.derivative(z, a)
        assert a.shape == slope.shape == shape
        assert a.dtype == slope.dtype == dtype


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_float32_stays_finite_and_right_up_to_ten_thousand(name):
    rule = rules.activation(name)
    z = np.random.default_rng(1).uniform(-1e4, 1e4, 4000).astype(np.float32)
    z[:4] = 1e4, -1e4, 0, 88.7
    exact = z.astype(np.float64)
    a = rule.value(z)
    assert a == pytest.approx(rule.value(exact), rel=1e-6, abs=1e-6)
    assert rule.derivative(z, a) == pytest.approx(rule.derivative(exact, rule.value(exact)), rel=1e-5, abs=1e-5)


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_both_formulas_are_there_to_be_printed(name):
    rule = rules.activation(name)
    for latex in (rule.latex, rule.derivative_latex):
        assert latex
        assert latex.count("{") == latex.count("}")


# --- outputs


def one_hot(labels, width):
    return np.eye(width)[labels]


def targets_for(output: str, rng, m: int, width: int):
    if output == "softmax":
        return rng.dirichlet(np.ones(width), size=m)
    return rng.random((m, width)) if output == "sigmoid" else rng.normal(size=(m, width))


@settings(deadline=None)
@given(hnp.arrays(np.float32, hnp.array_shapes(min_dims=2, max_dims=2), elements=st.floats(-1e4, 1e4, width=32)))
def test_softmax_rows_sum_to_one_for_any_shape(logits):
    A = rules.output("softmax").value(logits)
    assert A.shape == logits.shape
    assert A.dtype == np.float32
    assert (A >= 0).all()
    assert A.sum(axis=1) == pytest.approx(1, abs=1e-5)


@pytest.mark.parametrize("width", [1, 2, 3, 10, 1000])
def test_cross_entropy_at_uniform_is_ln_k(width):
    softmax = rules.output("softmax")
    T = softmax.targets(np.arange(width) % width, width, "float64")
    for logits in (np.zeros((width, width)), np.full((width, width), 7.5)):
        assert softmax.losses(logits, T) == pytest.approx(math.log(width), abs=1e-12)


def test_binary_cross_entropy_at_zero_is_ln_2_a_unit_whatever_the_target():
    T = np.array([[0, 1, 0.3], [0.5, 0.2, 1]])
    assert rules.output("sigmoid").losses(np.zeros((2, 3)), T) == pytest.approx(3 * math.log(2))


def test_losses_are_the_printed_formulas():
    rng = np.random.default_rng(2)
    logits = rng.normal(size=(5, 3))
    for name in OUTPUTS:
        rule, T = rules.output(name), targets_for(name, rng, 5, 3)
        A = rule.value(logits)
        plain = {
            "softmax": lambda A, T: -(T * np.log(A)).sum(axis=1),
            "sigmoid": lambda A, T: -(T * np.log(A) + (1 - T) * np.log(1 - A)).sum(axis=1),
            "identity": lambda A, T: 0.5 * ((A - T) ** 2).sum(axis=1),
        }[name]
        assert rule.losses(logits, T) == pytest.approx(plain(A, T), rel=1e-12)


def test_outputs_agree_with_scipy():
    rng = np.random.default_rng(3)
    logits, labels = rng.normal(0, 20, size=(50, 7)), rng.integers(7, size=50)
    softmax = rules.output("softmax")
    assert softmax.value(logits) == pytest.approx(special.softmax(logits, axis=1), rel=1e-12, abs=0)
    expected = -special.log_softmax(logits, axis=1)[np.arange(50), labels]
    assert softmax.losses(logits, one_hot(labels, 7)) == pytest.approx(expected, rel=1e-12, abs=1e-13)
    spread = special.logsumexp(logits, axis=1) - logits[:, 2]
    assert softmax.losses(logits, one_hot(np.full(50, 2), 7)) == pytest.approx(spread, rel=1e-12, abs=1e-12)
    T = rng.random((50, 7))
    expected = -(T * special.log_expit(logits) + (1 - T) * special.log_expit(-logits)).sum(axis=1)
    assert rules.output("sigmoid").losses(logits, T) == pytest.approx(expected, rel=1e-12)
    assert rules.output("sigmoid").value(logits) == pytest.approx(special.expit(logits), rel=1e-12, abs=0)


def test_losses_at_ten_thousand_in_float32_are_the_gap_itself():
    logits = np.array([[1e4, -1e4, 0]], dtype=np.float32)
    softmax, sigmoid = rules.output("softmax"), rules.output("sigmoid")
    for label, expected in ((0, 0), (1, 2e4), (2, 1e4)):
        T = softmax.targets([label], 3, "float32")
        assert softmax.losses(logits, T).tolist() == [expected]
        assert np.array_equal(softmax.delta(softmax.value(logits), T), np.float32([[1, 0, 0]]) - T)
    for z, t, expected in ((1e4, 1, 0), (1e4, 0, 1e4), (-1e4, 1, 1e4), (-1e4, 0, 0)):
        losses = sigmoid.losses(np.full((1, 1), z, np.float32), np.full((1, 1), t, np.float32))
        assert losses.dtype == np.float32
        assert losses.tolist() == [expected]


@pytest.mark.parametrize("shift", [0, 1e3, 1e4, -1e4])
def test_cross_entropy_does_not_feel_a_common_shift_of_the_logits_in_float32(shift):
    """The logits are whole numbers, exact in float32 wherever they are shifted to; so the loss must not move."""
    logits = np.array([[0, 0, 0], [1, 2, -3], [5, 0, 1]], dtype=np.float32)
    T = one_hot([0, 1, 2], 3).astype(np.float32)
    softmax = rules.output("softmax")
    expected = -special.log_softmax(logits.astype(np.float64), axis=1)[[0, 1, 2], [0, 1, 2]]
    assert softmax.losses(logits + np.float32(shift), T) == pytest.approx(expected, rel=1e-6)
    assert softmax.losses(logits + np.float32(shift), T)[0] == pytest.approx(math.log(3), rel=1e-6)


@pytest.mark.parametrize("name", OUTPUTS)
def test_float32_logits_of_ten_thousand_leave_everything_finite(name):
    rule, rng = rules.output(name), np.random.default_rng(4)
    logits = rng.uniform(-1e4, 1e4, size=(200, 5)).astype(np.float32)
    T = targets_for(name, rng, 200, 5).astype(np.float32)
    A = rule.value(logits)
    exact = rule.losses(logits.astype(np.float64), T.astype(np.float64))
    assert rule.losses(logits, T) == pytest.approx(exact, rel=1e-5, abs=1e-6)
    for values in (A, rule.delta(A, T)):
        assert values.dtype == np.float32
        assert np.isfinite(values).all()


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", OUTPUTS)
def test_outputs_keep_shape_and_dtype_and_write_to_nothing(name, dtype):
    rule, rng = rules.output(name), np.random.default_rng(5)
    logits, T = rng.normal(size=(4, 3)).astype(dtype), targets_for(name, rng, 4, 3).astype(dtype)
    logits.flags.writeable = T.flags.writeable = False
    A = rule.value(logits)
    shapes = {
        (4,): rule.losses(logits, T),
        (4, 3): rule.delta(A, T),
        (4, 3, 3): rule.jacobian(A),
    }
    for shape, values in shapes.items():
        assert values.shape == shape
        assert values.dtype == dtype
    assert rule.delta_through_jacobian(A, T).dtype == rule.loss_gradient(A, T).dtype == A.dtype == dtype


@pytest.mark.parametrize("width", [1, 2, 6])
@pytest.mark.parametrize("name", OUTPUTS)
def test_the_fused_delta_equals_the_long_way_through_the_jacobian(name, width):
    rule, rng = rules.output(name), np.random.default_rng(6)
    for T in (targets_for(name, rng, 40, width), one_hot(rng.integers(width, size=40), width)):
        A = rule.value(rng.normal(0, 2, size=(40, width)))
        assert rule.delta_through_jacobian(A, T) == pytest.approx(rule.delta(A, T), abs=1e-12)


@pytest.mark.parametrize("name", OUTPUTS)
def test_delta_and_jacobian_agree_with_central_differences(name):
    rule, rng = rules.output(name), np.random.default_rng(7)
    logits, T = rng.normal(size=(4, 3)), targets_for(name, rng, 4, 3)
    A = rule.value(logits)
    numeric = differences.gradient(lambda v: float(rule.losses(v, T).sum()), logits)
    assert rule.delta(A, T) == pytest.approx(numeric.values, abs=1e-10)
    for k in range(3):
        numeric = differences.gradient(lambda v, k=k: float(rule.value(v)[:, k].sum()), logits)
        assert rule.jacobian(A)[:, k, :] == pytest.approx(numeric.values, abs=1e-10)


def test_the_long_way_counts_a_target_of_zero_as_nothing_even_where_the_output_underflowed():
    softmax = rules.output("softmax")
    A, T = np.array([[1.0, 0.0]]), np.array([[1.0, 0.0]])
    assert np.array_equal(softmax.delta_through_jacobian(A, T), [[0, 0]])


@pytest.mark.parametrize("labels", [[2, 0, 1], [2.0, 0.0, 1.0], np.array([2, 0, 1], np.uint8), (2, 0, 1)])
def test_labels_one_hot_rows_and_soft_rows_mean_the_same(labels):
    softmax, logits = rules.output("softmax"), np.random.default_rng(8).normal(size=(3, 4))
    T = softmax.targets(labels, 4, "float64")
    assert np.array_equal(T, one_hot([2, 0, 1], 4))
    for same in (one_hot([2, 0, 1], 4), one_hot([2, 0, 1], 4).astype(bool), one_hot([2, 0, 1], 4).astype(int).tolist()):
        twin = softmax.targets(same, 4, "float64")
        assert np.array_equal(softmax.losses(logits, twin), softmax.losses(logits, T))
        assert np.array_equal(softmax.delta(softmax.value(logits), twin), softmax.delta(softmax.value(logits), T))


def test_booleans_are_labels_0_and_1():
    assert rules.output("softmax").targets([True, False], 2, "float32").tolist() == [[0, 1], [1, 0]]
    assert rules.output("sigmoid").targets([True, False], 1, "float32").tolist() == [[1], [0]]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_targets_have_the_dtype_that_was_asked_for_and_are_what_decide_gives_back(dtype):
    for name, y, width in (("softmax", [1, 0, 2], 3), ("sigmoid", [1, 0, 0], 1), ("identity", [0.5, -2.0], 1)):
        T = rules.output(name).targets(y, width, dtype)
        assert T.dtype == dtype
        assert T.shape == (len(y), width)
        assert T.flags.c_contiguous
        assert np.array_equal(rules.output(name).decide(T), y)


@pytest.mark.parametrize(
    ("output", "width", "y", "words"),
    [
        ("softmax", 3, [0, 1, 3], ("sample 2", "label 3", "0 to 2")),
        ("softmax", 3, [0, -1, 3], ("sample 1", "label -1")),
        ("softmax", 3, [0, 0.5], ("sample 1", "0.5")),
        ("softmax", 3, [0, float("nan")], ("sample 1", "nan")),
        ("softmax", 3, [float("inf"), 0], ("sample 0", "inf")),
        ("softmax", 3, ["cat", "dog"], ("labels", "0 to 2")),
        ("softmax", 3, [1 + 2j], ("complex", "labels")),
        ("softmax", 3, 1, ("shape ()",)),
        ("softmax", 3, [[0.2, 0.3, 0.4]], ("sample 0", "sum to 1")),
        ("softmax", 3, [[1, 0, 0], [1.5, -0.5, 0]], ("sample 1", "-0.5")),
        ("softmax", 3, [[1, 0]], ("(1, 2)", "3 units")),
        ("softmax", 3, [[0], [1]], ("(2, 1)", "3 units")),
        ("softmax", 3, [[float("nan"), 0, 1]], ("sample 0", "nan")),
        ("softmax", 3, [["a", "b", "c"]], ("no numbers",)),
        ("softmax", 3, np.zeros((2, 2, 3)), ("(2, 2, 3)",)),
        ("sigmoid", 1, [0, 1, 2], ("sample 2", "2", "[0, 1]")),
        ("sigmoid", 1, [-0.1], ("sample 0", "-0.1")),
        ("sigmoid", 2, [0, 1], ("(2,)", "2 units")),
        ("sigmoid", 1, ["yes"], ("no numbers",)),
        ("sigmoid", 1, [float("nan")], ("sample 0", "nan")),
        ("identity", 2, [[1, 2, 3]], ("(1, 3)", "2 units")),
        ("identity", 1, [[1.0], [float("inf")]], ("sample 1", "inf")),
        ("identity", 1, ["1.5"], ("no numbers",)),
    ],
)
def test_a_bad_target_is_refused_in_words(output, width, y, words):
    message = refusal(rules.output(output).targets, y, width, "float32")
    assert [word for word in words if word not in message] == [], message


def test_a_target_too_great_for_the_dtype_is_refused_and_not_turned_into_infinity():
    assert "1e+300" in refusal(rules.output("identity").targets, [0.0, 1e300], 1, "float32")


# --- initialisers


def draw(name: str, d: int, h: int, seed: int = 0):
    return rules.initializer(name).draw(np.random.default_rng(seed), d, h)


INITIALIZERS = (
    "zeros",
    "normal",
    "normal(0.3)",
    "uniform",
    "uniform(-0.1, 0.3)",
    "xavier",
    "xavier_normal",
    "he",
    "he_uniform",
    "fan_out",
    "orthogonal",
    "orthogonal(2.0)",
)


@pytest.mark.parametrize("name", INITIALIZERS)
def test_initial_weights_have_their_shape_their_type_and_depend_on_the_generator_alone(name):
    for d, h in ((1, 1), (3, 7), (7, 3), (1, 5), (5, 1)):
        W = draw(name, d, h)
        assert W.shape == (d, h)
        assert W.dtype == np.float64
        assert np.isfinite(W).all()
        assert np.array_equal(W, draw(name, d, h))
        assert name == "zeros" or (d, h) == (1, 1) or not np.array_equal(W, draw(name, d, h, seed=1))


D, H = 300, 200


@pytest.mark.parametrize(
    ("name", "mean", "variance", "excess"),
    [
        ("normal", 0, 0.01**2, 0),
        ("normal(0.3)", 0, 0.09, 0),
        ("uniform", 0, 1 / 3, -1.2),
        ("uniform(-0.1, 0.3)", 0.1, 0.16 / 12, -1.2),
        ("xavier", 0, 2 / (D + H), -1.2),
        ("xavier_normal", 0, 2 / (D + H), 0),
        ("he", 0, 2 / D, 0),
        ("he_uniform", 0, 2 / D, -1.2),
        ("fan_out", 0, 1 / H, 0),
        ("orthogonal", 0, 1 / D, 0),
    ],
)
def test_mean_variance_and_kurtosis_lie_within_five_standard_errors(name, mean, variance, excess):
    """Over n draws the mean has standard error √(v/n), the variance v √((excess + 2)/n), the excess √(24/n)."""
    W = draw(name, D, H)
    n = W.size
    assert W.mean() == pytest.approx(mean, abs=5 * math.sqrt(variance / n))
    assert W.var() == pytest.approx(variance, rel=5 * math.sqrt((excess + 2) / n))
    assert (((W - W.mean()) / W.std()) ** 4).mean() - 3 == pytest.approx(excess, abs=5 * math.sqrt(24 / n))


def test_uniform_draws_stay_within_their_bounds_and_reach_for_them():
    for name, bound in (("xavier", math.sqrt(6 / (D + H))), ("he_uniform", math.sqrt(6 / D)), ("uniform", 1)):
        W = np.abs(draw(name, D, H))
        assert 0.999 * bound < W.max() <= bound
    assert not draw("zeros", D, H).any()


@pytest.mark.parametrize("gain", [1.0, 2.0])
@pytest.mark.parametrize(("d", "h"), [(7, 3), (3, 7), (5, 5), (1, 4)])
def test_orthogonal_weights_have_orthonormal_rows_or_columns(d, h, gain):
    Q = draw(f"orthogonal({gain})", d, h) / gain
    product = Q.T @ Q if d >= h else Q @ Q.T
    assert product == pytest.approx(np.eye(min(d, h)), abs=1e-12)


def test_orthogonal_weights_are_uniform_among_the_orthogonal_ones():
    """Without the correction of signs the diagonal of QR's Q would have a mean far below 0."""
    diagonal = np.array([np.diag(draw("orthogonal", 3, 3, seed)) for seed in range(400)])
    assert diagonal.mean() == pytest.approx(0, abs=5 * math.sqrt(1 / 3 / diagonal.size))


@pytest.mark.parametrize("name", INITIALIZERS)
def test_float32_and_float64_networks_of_one_seed_start_from_the_same_numbers(name):
    single, double = (Network([4, 4, 4], init=name, dtype=dtype, seed=3) for dtype in ("float32", "float64"))
    for key, P in double.parameters().items():
        assert np.array_equal(single.parameters()[key], P.astype(np.float32))
    W1, W2 = double.parameters()["W1"], double.parameters()["W2"]
    assert name == "zeros" or not np.array_equal(W1, W2), "layers of one shape must not start alike"
    other = Network([4, 4, 4], init=name, dtype="float64", seed=4).parameters()["W1"]
    assert name == "zeros" or not np.array_equal(W1, other)


# --- names, settings, and rules of one's own


@pytest.mark.parametrize(
    ("find", "text", "words"),
    [
        (rules.activation, "rellu", ("unknown activation 'rellu'", "Did you mean 'relu'?")),
        (rules.output, "softmx", ("unknown output 'softmx'", "Did you mean 'softmax'?")),
        (rules.initializer, "xaver", ("unknown initialiser 'xaver'", "Did you mean 'xavier'?")),
    ],
)
def test_an_unknown_name_is_refused_with_the_nearest_one(find, text, words):
    message = refusal(find, text, error=UnknownNameError)
    assert all(word in message for word in words), message


@pytest.mark.parametrize(
    ("find", "text", "words"),
    [
        (rules.activation, "leaky_relu(slop=0.1)", ("leaky_relu", "slope=0.01")),
        (rules.activation, "relu(0.1)", ("relu", "It has no settings")),
        (rules.activation, "elu(1, 2)", ("elu", "alpha=1.0")),
        (rules.initializer, "normal(std=1)", ("normal", "scale=0.01")),
        (rules.output, "softmax(1)", ("softmax", "It has no settings")),
    ],
)
def test_settings_that_a_rule_does_not_take_are_refused_with_those_it_does(find, text, words):
    message = refusal(find, text)
    assert all(word in message for word in words), message


@pytest.mark.parametrize(
    ("find", "text"),
    [
        (rules.activation, "leaky_relu('steep')"),
        (rules.activation, "elu('big')"),
        (rules.activation, "swish('x')"),
        (rules.initializer, "normal('wide')"),
        (rules.initializer, "normal(-1)"),
        (rules.initializer, "uniform(1, -1)"),
        (rules.initializer, "orthogonal('x')"),
    ],
)
def test_settings_of_a_wrong_kind_are_refused_in_words(find, text):
    def use():
        rule = find(text)
        if isinstance(rule, Initializer):
            rule.draw(np.random.default_rng(0), 2, 3)
        else:
            rule.value(np.zeros(2))

    refusal(use)


@pytest.mark.parametrize("find", [rules.activation, rules.output, rules.initializer])
@pytest.mark.parametrize("thing", [None, 3])
def test_what_is_neither_name_nor_rule_is_refused_in_words(find, thing):
    refusal(find, thing)


def test_a_rule_itself_is_handed_back():
    for find, name in ((rules.activation, "elu(0.5)"), (rules.output, "sigmoid"), (rules.initializer, "he")):
        rule = find(name)
        assert find(rule) is rule


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_the_name_of_a_rule_finds_an_equal_rule(name):
    """Names are what model files store."""
    rule = rules.activation(name)
    twin = rules.activation(rule.name)
    assert twin.name == rule.name
    assert np.array_equal(twin.value(Z), rule.value(Z))


def cube(**changed) -> Activation:
    parts = {
        "name": "cube",
        "value": lambda z: z**3,
        "derivative": lambda z, a: 3 * z**2,
        "latex": "z^3",
        "derivative_latex": "3 z^2",
    }
    return Activation(**{**parts, **changed})


@pytest.mark.usefixtures("registry")
def test_an_activation_of_ones_own_is_used_by_name():
    rules.register(cube())
    net = Network([2, 3, 2], activation="cube", dtype="float64")
    trace = net.forward([[1.0, 2.0]])
    assert np.array_equal(trace["A1"], trace["Z1"] ** 3)
    assert Network.from_config(net.to_config(), net.parameters()).to_config() == net.to_config()


@pytest.mark.usefixtures("registry")
def test_an_activation_with_kinks_of_its_own_is_taken_when_they_are_stated_and_refused_when_not():
    hat = {"value": lambda z: np.abs(z - 1.0032), "derivative": lambda z, a: np.sign(z - 1.0032)}
    refusal(rules.register, cube(name="hat", **hat))
    rules.register(cube(name="hat", kinks=(1.0032,), **hat))
    assert "hat" in rules.ACTIVATIONS


@pytest.mark.usefixtures("registry")
def test_an_output_of_ones_own_is_used_by_name():
    """Absolute values smoothed, √(1 + r²) − 1 of the residual r."""
    identity = rules.output("identity")
    parts = {
        **identity.__dict__,
        "name": "soft_absolute",
        "losses": lambda Z, T: (np.sqrt(1 + (Z - T) ** 2) - 1).sum(axis=1),
        "delta": lambda A, T: (A - T) / np.sqrt(1 + (A - T) ** 2),
        "loss_gradient": lambda A, T: (A - T) / np.sqrt(1 + (A - T) ** 2),
    }
    rules.register(Output(**parts))
    net = Network([2, 2], output="soft_absolute", init={"W1": np.eye(2)}, dtype="float64")
    assert net.loss([[1.0, 2.0]], [[1.0, 2.0 - math.sqrt(3)]]) == pytest.approx(1)
    message = refusal(rules.register, Output(**{**parts, "name": "wrong", "delta": lambda A, T: A - T}))
    assert "output wrong: delta" in message
    assert "wrong" not in rules.OUTPUTS


@pytest.mark.usefixtures("registry")
def test_an_initialiser_of_ones_own_is_used_by_name():
    rules.register(Initializer("sevens", lambda generator, d, h: np.full((d, h), 7.0)))
    net = Network([2, 3, 4], init=["zeros", "sevens"])
    assert not net.parameters()["W1"].any()
    assert (net.parameters()["W2"] == 7).all()


@pytest.mark.usefixtures("registry")
@pytest.mark.parametrize(
    "derivative",
    [
        lambda z, a: 2 * z**2,
        lambda z, a: 3 * z**2 * (1 + 1e-5),
        lambda z, a: np.where(z > 3.9, 0, 3 * z**2),
        lambda z, a: np.full_like(z, np.nan),
        lambda z, a: 1.0,
    ],
)
def test_a_wrong_derivative_is_refused_with_the_place_and_both_numbers(derivative):
    message = refusal(rules.register, cube(derivative=derivative))
    assert "activation cube" in message
    assert "z = " in message
    assert "central differences give" in message
    assert "cube" not in rules.ACTIVATIONS


@pytest.mark.usefixtures("registry")
def test_a_taken_name_and_a_name_that_is_none_are_refused():
    assert "'relu' already" in refusal(rules.register, cube(name="relu"))
    rules.register(cube())
    assert "'cube' already" in refusal(rules.register, cube())
    assert "already" in refusal(rules.register, Initializer("he", lambda generator, d, h: np.zeros((d, h))))
    assert "already" in refusal(rules.register, rules.output("softmax"))
    assert "cannot name" in refusal(rules.register, cube(name="my rule"))


@pytest.mark.usefixtures("registry")
def test_what_is_no_rule_cannot_be_registered():
    refusal(rules.register, np.tanh, error=(InputError, TypeError))
