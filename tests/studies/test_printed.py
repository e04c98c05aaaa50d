"""The explicit passes are the network's own, and each planted mistake changes exactly what it should."""

from itertools import pairwise

import numpy as np
import pytest

import chainrule as cr
from chainrule.studies import printed, printed_programs
from chainrule.studies.printed import (
    Planted,
    binary_loss,
    cross_entropy,
    descend,
    forward,
    mean_losses,
    outputs,
    passes,
)
from chainrule.studies.printed_programs import MISTAKES, PROGRAMS, Program, course, first_parameters

WIDTHS = (7, 5, 4)
NAMES = ("W1", "b1", "W2", "b2")


@pytest.fixture
def net():
    """Non-square, biases off zero."""
    net = cr.Network(WIDTHS, activation="sigmoid", dtype="float64", seed=3)
    for name in ("b1", "b2"):
        net.parameters()[name] += np.random.default_rng(1).normal(size=net.parameters()[name].shape)
    return net


@pytest.fixture
def x():
    """One sample, two of its pixels black."""
    x = np.random.default_rng(2).uniform(size=WIDTHS[0])
    x[[1, 4]] = 0
    return x


def parameters(net):
    return tuple(net.parameters()[name].copy() for name in NAMES)


def close(a, b):
    np.testing.assert_allclose(a, b, rtol=1e-12, atol=1e-14)


def test_correct_passes_are_the_network_s(net, x):
    values, gradients = passes(parameters(net), x, 2, Planted())
    trace = net.forward(x[None])
    close(values["A1"], trace["A1"][0])
    close(values["A2"], trace["A2"][0])
    expected = net.backward(trace, [2])
    for name in NAMES:
        close(gradients[name], expected[name])


@pytest.mark.parametrize(
    ("planted", "changed"),
    [
        (Planted(output_bias=True), {"b2"}),
        (Planted(hidden_bias=True), {"b1"}),
        (Planted(softmax_axis=True), {"A2", *NAMES}),
        (Planted(loss_gradient=True), set(NAMES)),
    ],
)
def test_a_mistake_changes_what_it_should_and_nothing_else(net, x, planted, changed):
    right = {name: value for part in passes(parameters(net), x, 2, Planted()) for name, value in part.items()}
    wrong = {name: value for part in passes(parameters(net), x, 2, planted) for name, value in part.items()}
    assert {name for name in right if not np.array_equal(right[name], wrong[name])} == changed


def test_the_sum_over_classes_is_zero_and_the_sum_over_units_one_number(net, x):
    _, gradients = passes(parameters(net), x, 2, Planted())
    _, wrong = passes(parameters(net), x, 2, Planted(output_bias=True, hidden_bias=True))
    close(wrong["b2"], np.zeros(WIDTHS[2]))
    close(wrong["b1"], np.full(WIDTHS[1], gradients["b1"].sum()))


def test_a_softmax_along_one_number_gives_ones(net, x):
    values, gradients = passes(parameters(net), x, 2, Planted(softmax_axis=True))
    close(values["A2"], np.ones(WIDTHS[2]))
    close(gradients["b2"], [1, 1, 0, 1])


@pytest.mark.parametrize("name", NAMES)
def test_the_gradient_of_the_printed_loss_agrees_with_differences(net, x, name):
    P = dict(zip(NAMES, parameters(net), strict=True))
    _, gradients = passes(tuple(P.values()), x, 2, Planted(loss_gradient=True))
    step = 1e-6
    for place in np.ndindex(P[name].shape):
        ends = []
        for sign in (1, -1):
            moved = {**P, name: P[name].copy()}
            moved[name][place] += sign * step
            ends.append(binary_loss(forward(*moved.values(), x, Planted())[1], 2))
        assert gradients[name][place] == pytest.approx((ends[0] - ends[1]) / (2 * step), rel=1e-5, abs=1e-9)


def test_losses_where_every_class_is_as_likely():
    A2 = np.full(10, 0.1)
    assert cross_entropy(A2, 3) == pytest.approx(np.log(10), abs=1e-12)
    assert binary_loss(A2, 3) == pytest.approx(0.3251, abs=5e-5)


@pytest.mark.parametrize("planted", [Planted(), Planted(hidden_bias=True)])
def test_descent_is_forward_backward_and_step_for_one_sample_after_the_other(net, planted):
    generator = np.random.default_rng(0)
    X, labels, rate = generator.uniform(size=(6, WIDTHS[0])), generator.integers(0, 4, 6), 0.3
    X[X < 0.2] = 0
    rows = np.array([4, 0, 5, 0])
    P, expected, losses = parameters(net), dict(zip(NAMES, parameters(net), strict=True)), []
    for i in rows:
        values, gradients = passes(tuple(expected.values()), X[i], labels[i], planted)
        losses.append((cross_entropy(values["A2"], labels[i]), binary_loss(values["A2"], labels[i])))
        for name in NAMES:
            expected[name] -= rate * gradients[name]
    met = descend(*P, X, labels, rows, rate, planted)
    close(met, np.mean(losses, axis=0))
    for found, name in zip(P, NAMES, strict=True):
        close(found, expected[name])


def test_descent_is_the_training_of_the_reference_engine(net):
    generator = np.random.default_rng(0)
    X, labels = generator.uniform(size=(9, WIDTHS[0])), generator.integers(0, 4, 9)
    P = parameters(net)
    descend(*P, X, labels, np.arange(9), 0.2, Planted())
    cr.train(net, (X, labels), epochs=1, batch_size=1, learning_rate=0.2, shuffle=False, engine="reference")
    for found, name in zip(P, NAMES, strict=True):
        close(found, net.parameters()[name])


def test_outputs_of_many_samples_are_those_of_each(net):
    X = np.random.default_rng(0).uniform(size=(6, WIDTHS[0]))
    for planted in (Planted(), Planted(softmax_axis=True)):
        single = np.array([forward(*parameters(net), x, planted)[1] for x in X])
        close(outputs(parameters(net), X, planted), single)
        entropy, binary = mean_losses(single, np.array([0, 1, 2, 3, 0, 1]))
        assert entropy == pytest.approx(np.mean([cross_entropy(a, i % 4) for i, a in enumerate(single)]))
        assert binary == pytest.approx(np.mean([binary_loss(a, i % 4) for i, a in enumerate(single)]))


def test_starts_are_those_that_they_are_called():
    own = cr.Network([784, 300, 10], activation="sigmoid", init="xavier", dtype="float64", seed=5)
    close(first_parameters("xavier", 5)[0], own.parameters()["W1"])
    state = np.random.RandomState(2)
    W1, b1, W2, b2 = first_parameters("printed", 5)
    close(W1, state.randn(784, 300) / np.sqrt(300))
    close(W2, state.randn(300, 10) / np.sqrt(10))
    assert not b1.any()
    assert not b2.any()
    scales = {"fan in": (784**-0.5, 300**-0.5), "fan out": (300**-0.5, 10**-0.5), "normal(5.8)": (5.8, 5.8)}
    for start, expected in scales.items():
        found = first_parameters(start, 0)
        assert (found[0].std(), found[2].std()) == pytest.approx(expected, rel=0.05)


@pytest.fixture
def material(monkeypatch):
    monkeypatch.setattr(printed_programs, "LAYERS", (12, 5, 4))
    generator = np.random.default_rng(0)
    labels = np.arange(60) % 4
    X = generator.uniform(0, 0.3, (60, 12)).astype(np.float32)
    X[np.arange(60), labels] += 1
    return (X[:40], labels[:40]), (X[40:], labels[40:])


def trained(material, program, seed=0):
    return course(program, *material, rate=0.5, epochs=3, seed=seed, measured=40)


def test_the_printed_seed_makes_every_run_the_same_and_one_s_own_does_not(material):
    fixed = Program(start="printed", shuffle=False)
    assert trained(material, fixed, 0) == trained(material, fixed, 1)
    assert trained(material, Program(), 0) != trained(material, Program(), 1)
    assert trained(material, Program(), 1) == trained(material, Program(), 1)


def test_training_on_the_held_out_data_changes_what_comes_after_it(material):
    plain, peeking = trained(material, Program()), trained(material, Program(held_out_trains=True))
    assert plain[0]["met_loss"] == peeking[0]["met_loss"]  # of the first epoch, before the first peek
    assert peeking[0]["validation_loss"] < plain[0]["validation_loss"]
    assert "held_out_met" in peeking[0]
    assert "held_out_met" not in plain[0]


def test_a_course_that_learns_ends_below_where_it_began(material):
    rows = trained(material, Program())
    assert [row["epoch"] for row in rows] == [1, 2, 3]
    assert all(later["train_loss"] < earlier["train_loss"] for earlier, later in pairwise(rows))
    assert rows[0]["met_loss"] > rows[0]["train_loss"]  # the running mean lags behind


def test_a_course_ends_where_a_weight_stops_being_finite(material):
    rows = course(Program(Planted(softmax_axis=True)), *material, rate=1e305, epochs=4, seed=0, measured=40)
    assert len(rows) < 4


def test_every_program_but_the_correct_one_differs_from_it():
    correct = PROGRAMS["correct"]
    assert correct == Program()
    assert all(program != correct for name, program in PROGRAMS.items() if name != "correct")


def test_every_mistake_of_the_report_s_code_is_listed():
    assert [row[0] for row in MISTAKES] == [f"F{n}" for n in range(18, 31)]


def test_the_passes_that_the_page_prints_are_those_that_run():
    assert all(hasattr(kernel, "py_func") for kernel in (printed.forward, printed.backward, printed.step, descend))
