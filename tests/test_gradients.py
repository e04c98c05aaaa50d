"""No gradient without a proof: random networks of every kind against central differences, and planted mistakes caught.

The tolerance is the acceptance row's: ‖a − n‖∞ ≤ 1e-7 · max(‖a‖∞, ‖n‖∞, 1e-3) for every parameter.
"""

import os
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytest

from chainrule import Network
from chainrule.gradcheck import numerical_gradients
from chainrule.network import passes

ACTIVATIONS = ("identity", "sigmoid", "tanh", "relu", "leaky_relu(0.2)", "elu(0.7)", "swish(1.5)", "gelu", "softplus")
OUTPUTS = ("softmax", "sigmoid", "identity")
WIDTHS = (2, 3, 4, 5, 6)
SAMPLES = (7, 8, 9)  # no width


@dataclass(frozen=True)
class Case:
    net: Network
    x: Any
    y: Any
    l2: float
    training: bool
    seed: int


def targets(rng: np.random.Generator, output: str, m: int, width: int) -> Any:
    """Labels and soft rows for softmax, labels and shares for sigmoid, numbers for identity."""
    soft = rng.random() < 0.5
    if output == "softmax":
        return rng.dirichlet(np.ones(width), size=m) if soft else rng.integers(width, size=m)
    if output == "sigmoid":
        return rng.random((m, width)) if soft else rng.integers(2, size=(m, width))
    return rng.normal(size=(m, width))


def random_case(number: int) -> Case:
    """Network `number`: widths pairwise different, m none of them, every parameter and statistic moved off its start.

    Outputs, modes and batch normalisation go round, so that any run of a dozen numbers meets every combination.
    """
    rng = np.random.default_rng([2024, number])
    output, training, normed = OUTPUTS[number % 3], number % 2 == 0, number // 2 % 2 == 0
    layers = [int(w) for w in rng.permutation(WIDTHS)[: rng.integers(2, 5)]]
    hidden = len(layers) - 2
    activations = [ACTIVATIONS[(number + i) % len(ACTIVATIONS)] for i in range(hidden)]
    net = Network(
        layers,
        activation=activations,
        output=output,
        dropout=[float(rng.choice([0, 0.3])) for _ in range(hidden)],
        batch_norm=[bool(normed and rng.random() < 0.7) for _ in range(hidden)],
        dtype="float64",
        seed=number,
    )
    for P in net.parameters().values():
        P += rng.normal(0, 0.3, P.shape)
    for name, S in net.statistics().items():
        S += rng.uniform(0.2, 1, S.shape) if name.startswith("variance") else rng.normal(0, 0.5, S.shape)
    m = int(rng.choice(SAMPLES))
    l2 = float(rng.choice([0, 0.1]))
    return Case(net, rng.normal(size=(m, layers[0])), targets(rng, output, m, layers[-1]), l2, training, number)


def compare(case: Case) -> tuple[dict[str, float], int, int]:
    """By parameter the gap as a multiple of what is allowed; the number of entries judged, and of those left out."""
    net = case.net
    trace = net.forward(case.x, training=case.training, generator=np.random.default_rng(case.seed))
    analytic = net.backward(trace, case.y, l2=case.l2)
    numeric = numerical_gradients(net, case.x, case.y, l2=case.l2, training=case.training, seed=case.seed)
    assert list(analytic) == list(numeric) == list(net.parameters())
    gaps, judged, kinked = {}, 0, 0
    for name, G in analytic.items():
        free = ~numeric[name].kinked
        a, n = G[free], numeric[name].values[free]
        judged, kinked = judged + a.size, kinked + (~free).sum()
        if a.size:
            gaps[name] = np.abs(a - n).max() / (1e-7 * max(np.abs(a).max(), np.abs(n).max(), 1e-3))
    return gaps, judged, int(kinked)


def assert_right(numbers: range) -> None:
    judged = kinked = 0
    for number in numbers:
        case = random_case(number)
        gaps, free, left_out = compare(case)
        wrong = {name: gap for name, gap in gaps.items() if not gap <= 1}
        assert not wrong, f"network {number}, {case.net!r}, training={case.training}: {wrong} of what is allowed"
        judged, kinked = judged + free, kinked + left_out
    assert kinked <= 0.05 * judged, f"{kinked} entries lie on kinks and only {judged} were judged"
    print(f"{len(numbers)} networks, {judged} entries judged, {kinked} left out at kinks")


@pytest.mark.parametrize("block", range(4))
def test_gradients_of_random_networks_agree_with_central_differences(block):
    assert_right(range(10 * block, 10 * (block + 1)))


@pytest.mark.fuzz
@pytest.mark.skipif(
    not os.environ.get("CHAINRULE_FUZZ"), reason="a sample of 40 runs by default; CHAINRULE_FUZZ=1 runs 200"
)
@pytest.mark.parametrize("block", range(10))
def test_gradients_of_200_random_networks_agree_with_central_differences(block):
    assert_right(range(20 * block, 20 * (block + 1)))


@pytest.mark.parametrize("count", [40, 200])
def test_the_random_networks_meet_every_activation_output_and_mode(count):
    """Counted over layers that there are, so that a generator that leaves something out is noticed."""
    seen: set[Any] = set()
    for number in range(count):
        case = random_case(number)
        output, m = case.net.output.name, len(case.x)
        assert m not in case.net.layers
        assert len(set(case.net.layers)) == len(case.net.layers)
        assert all(np.abs(P).min() > 0 for P in case.net.parameters().values())
        mode = "training" if case.training else "inference"
        seen |= {(output, mode), f"l2 {bool(case.l2)}", f"{output} {np.asarray(case.y).dtype.kind}"}
        for layer in case.net.structure.layers[:-1]:
            seen.add(layer.activation.name.split("(")[0])
            seen |= {("batch norm", mode)} if layer.batch_norm else {("no batch norm", mode)}
            seen |= {("dropout", mode, layer.batch_norm)} if layer.dropout else set()
    expected = {(output, mode) for output in OUTPUTS for mode in ("training", "inference")}
    expected |= {name.split("(")[0] for name in ACTIVATIONS} | {"l2 True", "l2 False"}
    expected |= {(norm, mode) for norm in ("batch norm", "no batch norm") for mode in ("training", "inference")}
    expected |= {("dropout", "training", normed) for normed in (True, False)}
    expected |= {"softmax f", "softmax i", "sigmoid f", "sigmoid i", "identity f"}
    assert expected <= seen, expected - seen


def case_of(**parts: Any) -> Case:
    """One network of 3–5–6–4 on 7 samples, with every parameter off its start."""
    net = Network([3, 5, 6, 4], **{"activation": "tanh", "dtype": "float64", **parts})
    rng = np.random.default_rng(1)
    for P in net.parameters().values():
        P += rng.normal(0, 0.3, P.shape)
    for name, S in net.statistics().items():
        S += rng.uniform(0.2, 1, S.shape) if name.startswith("variance") else rng.normal(0, 0.5, S.shape)
    y = targets(rng, net.output.name, 7, 4)
    return Case(net, rng.normal(size=(7, 3)), y, 0.1, bool(net.statistics()), 3)


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_every_activation_alone_agrees_and_a_wrong_derivative_of_it_does_not(activation, monkeypatch):
    case = case_of(activation=activation)
    gaps, _, kinked = compare(case)
    assert max(gaps.values()) <= 1
    assert kinked == 0
    rule = case.net.structure.layers[0].activation
    wrong = replace(rule, derivative=lambda z, a: rule.derivative(z, a) * (1 + 1e-5))
    monkeypatch.setattr(
        case.net,
        "structure",
        replace(
            case.net.structure,
            layers=(replace(case.net.structure.layers[0], activation=wrong), *case.net.structure.layers[1:]),
        ),
    )
    gaps, _, _ = compare(case)
    assert min(gaps["W1"], gaps["b1"]) > 10, "one part in 100,000 must be seen"
    assert max(gaps[name] for name in ("W2", "b2", "W3", "b3")) <= 1, "and only below the mistake"


def caught(case: Case) -> set[str]:
    return {name for name, gap in compare(case)[0].items() if not gap <= 1}


def test_a_mean_taken_for_a_sum_is_caught(monkeypatch):
    case = case_of()
    output = case.net.structure.output
    wrong = replace(output, delta=lambda A, T: (A - T) * len(T))
    monkeypatch.setattr(case.net, "structure", replace(case.net.structure, output=wrong))
    assert caught(case) == set(case.net.parameters())


def test_a_forgotten_l2_term_is_caught_in_the_weights_alone():
    case = case_of()
    numeric = numerical_gradients(case.net, case.x, case.y, l2=0.1)
    analytic = case.net.backward(case.net.forward(case.x), case.y, l2=0.0)
    for name, G in analytic.items():
        gap = np.abs(G - numeric[name].values).max()
        assert (gap > 1e-3) == name.startswith("W"), name


def test_a_missing_term_of_batch_normalisation_is_caught_below_it(monkeypatch):
    case = case_of(batch_norm=[False, True])
    assert caught(case) == set()
    right = passes._normalise_backward

    def without_the_mean(l, P, S, dU, training, values, gradients, deltas):
        """The term −mean(dN) left out: the mistake of those who forget that the batch mean depends on Z."""
        dZ = right(l, P, S, dU, training, values, gradients, deltas)
        return dZ + deltas[f"N{l}"].mean(axis=0) / np.sqrt(values[f"variance{l}"] + passes.EPSILON)

    def without_the_variance(l, P, S, dU, training, values, gradients, deltas):
        dZ, dN, N = right(l, P, S, dU, training, values, gradients, deltas), deltas[f"N{l}"], values[f"N{l}"]
        return dZ + N * (dN * N).mean(axis=0) / np.sqrt(values[f"variance{l}"] + passes.EPSILON)

    def as_in_inference(l, P, S, dU, training, values, gradients, deltas):
        return right(l, P, S, dU, False, values, gradients, deltas)

    for wrong in (without_the_mean, without_the_variance, as_in_inference):
        monkeypatch.setattr(passes, "_normalise_backward", wrong)
        found = caught(case)
        assert "W1" in found, wrong.__name__
        assert found.isdisjoint({"W3", "b3", "gamma2", "beta2"}), wrong.__name__


def test_masks_that_differ_between_the_two_sides_are_caught():
    case = case_of(dropout=0.4)
    case = replace(case, training=True)
    assert caught(case) == set()
    trace = case.net.forward(case.x, training=True, generator=np.random.default_rng(case.seed + 1))
    numeric = numerical_gradients(case.net, case.x, case.y, training=True, seed=case.seed)
    assert np.abs(case.net.backward(trace, case.y)["W3"] - numeric["W3"].values).max() > 1e-3


def test_entries_that_move_a_unit_across_a_kink_are_left_out_and_no_others():
    """2–3–2 with one sample: unit 0 of layer 1 stands 5e-5 right of its kink, so its own weights and bias cross it."""
    start = {"W1": [[1, 1, 1], [0, 1, -3]], "b1": [-1 + 5e-5, 0.3, 0.4], "W2": [[1, 2], [-1, 1], [3, -2]]}
    net = Network([2, 3, 2], activation="relu", init=start, dtype="float64")
    numeric = numerical_gradients(net, [[1.0, 1.0]], [0])
    assert numeric["b1"].kinked.tolist() == [True, False, False]
    assert numeric["W1"].kinked.tolist() == [[True, False, False]] * 2
    assert not numeric["W2"].kinked.any()
    assert not numeric["b2"].kinked.any()
    _, judged, kinked = compare(Case(net, [[1.0, 1.0]], [0], 0.0, False, 0))
    assert (judged, kinked) == (14, 3)


def test_a_check_leaves_the_network_as_it_was_and_asks_for_float64():
    case = case_of(batch_norm=True, dropout=0.3)
    arrays = {**case.net.parameters(), **case.net.statistics()}
    before = {name: array.tobytes() for name, array in arrays.items()}
    compare(case)
    assert {name: array.tobytes() for name, array in arrays.items()} == before
    with pytest.raises(ValueError, match="float64"):
        numerical_gradients(Network([2, 2]), [[1.0, 2.0]], [0])


@pytest.mark.parametrize("batch_norm", [False, True])
def test_a_closed_form_stands_beside_the_differences(batch_norm):
    """Differences also confirm the gradient of a wrong forward pass. Logistic regression's gradient is Xᵀ(A − T)/m."""
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(7, 3)), rng.integers(4, size=7)
    net = Network([3, 4], batch_norm=batch_norm, init={"b1": [0.1, -0.2, 0.3, 0]}, dtype="float64")
    W, b = net.parameters()["W1"], net.parameters()["b1"]
    odds = np.exp(X @ W + b)
    error = odds / odds.sum(axis=1, keepdims=True) - np.eye(4)[y]
    gradients = net.backward(net.forward(X), y)
    assert gradients["W1"] == pytest.approx(X.T @ error / 7, abs=1e-14)
    assert gradients["b1"] == pytest.approx(error.mean(axis=0), abs=1e-14)
