"""A checker is worth what it rejects: mistakes that people make, each planted in a hand-written backward pass."""

import numpy as np
import pytest

import chainrule as cr
from chainrule.gradcheck import check_function
from test_gradients import random_case

from .mistakes import CLASSIFIER, LESSONS, MISTAKES, Mistake


def report(mistake: Mistake, seed: int = 0):
    parameters, data = mistake.lesson.parameters(mistake.square), mistake.lesson.data(mistake.square)
    with np.errstate(all="ignore"):
        return check_function(
            mistake.lesson.loss(data), mistake.lesson.gradient(data, mistake.lines), parameters, seed=seed
        )


@pytest.mark.parametrize("square", [False, True])
@pytest.mark.parametrize("name", LESSONS)
def test_the_passes_without_a_mistake_are_accepted(name, square):
    found = report(Mistake("none", "", LESSONS[name], square))
    assert found.ok, str(found)


def test_there_are_more_than_forty_mistakes():
    assert len({mistake.what for mistake in MISTAKES}) == len(MISTAKES) >= 40


@pytest.mark.parametrize("mistake", MISTAKES, ids=lambda mistake: mistake.what)
def test_a_planted_mistake_is_rejected_at_the_default_settings(mistake):
    found = report(mistake)
    assert not found.ok, str(found)
    assert not found
    assert found.worst.ok is False


@pytest.mark.parametrize("seed", range(1, 6))
def test_the_mistakes_are_rejected_whatever_the_directions(seed):
    missed = [mistake.what for mistake in MISTAKES if report(mistake, seed).ok]
    assert missed == []


@pytest.mark.parametrize("name", ["W1", "b1", "W2", "b2", "W3", "b3", "W4", "b4"])
def test_a_mistake_in_one_parameter_is_found_there_and_nowhere_else(name):
    found = report(Mistake("", f"d{name} = 1.01 * ({right_side(name)})"))
    assert [row.name for row in found.rows if not row.ok] == [name]
    row = found.worst
    assert row.name == name
    assert row.relative == pytest.approx(1 - 1 / 1.01, rel=1e-3)
    assert row.wrong >= np.prod(row.shape) - 1, "all but the bias of a unit that is off for every sample"


def right_side(name):
    (line,) = (line for line in CLASSIFIER.backward.splitlines() if line.startswith(f"d{name} = "))
    return line.split(" = ")[1]


@pytest.mark.parametrize(("size", "share"), [(10, 1e-3), (10, 1), (300, 1), (20_000, 1)])
def test_one_small_entry_among_many_great_ones_is_found(size, share):
    """Gradients over seven decades; the wrong entry is among the smallest twentieth."""
    rng = np.random.default_rng(size)
    c = rng.choice([-1, 1], size) * 10 ** rng.uniform(-4, 3, size)
    wrong = int(np.argsort(np.abs(c))[size // 20])

    def gradient(x):
        G = c * np.cos(x)
        G[wrong] *= 1 + share
        return G

    found = check_function(
        lambda x: float(c @ np.sin(x)) / np.abs(c).sum(), lambda x: gradient(x) / np.abs(c).sum(), rng.normal(size=size)
    )
    assert not found.ok
    assert found.worst.index == (wrong,)
    assert found.rows[0].wrong == 1
    right = check_function(lambda x: float(c @ np.sin(x)), lambda x: c * np.cos(x), rng.normal(size=size))
    assert right.ok, str(right)


# Mistakes of state: what a pass keeps between calls


def softmax_regression():
    rng = np.random.default_rng(0)
    X, T = rng.normal(size=(7, 3)), np.eye(4)[rng.integers(4, size=7)]

    def outputs(P):
        e = np.exp(X @ P["W"] + P["b"])
        return e / e.sum(axis=1, keepdims=True)

    def loss(P):
        return -(T * np.log(outputs(P))).sum() / 7

    def gradient(P):
        dZ = (outputs(P) - T) / 7
        return {"W": X.T @ dZ, "b": dZ.sum(axis=0)}

    return {"W": rng.normal(size=(3, 4)), "b": rng.normal(size=4)}, loss, gradient, T


def test_the_passes_of_the_stateful_mistakes_are_right_without_them():
    P, loss, gradient, _ = softmax_regression()
    assert check_function(loss, gradient, P).ok


def test_accumulators_that_are_never_reset_are_rejected():
    """F19: the forward pass adds into what it stored before."""
    P, loss, gradient, _ = softmax_regression()
    stored = [0.0]

    def stale(P):
        stored[0] += loss(P)
        return stored[0]

    found = check_function(stale, gradient, P)
    assert not found.ok
    assert "the loss gives another value when it is called again" in str(found)


def test_gradients_that_are_added_to_and_never_zeroed_are_rejected():
    P, loss, gradient, _ = softmax_regression()
    collected = {name: np.zeros_like(p) for name, p in P.items()}

    def accumulated(P):
        for name, G in gradient(P).items():
            collected[name] += G
        return collected

    found = check_function(loss, accumulated, P)
    assert not found.ok
    assert "the gradient gives other values when it is called again" in str(found)


def test_a_cache_edited_in_place_is_rejected():
    """`dlogits = probs; dlogits -= T` leaves the cache wrong for whoever uses it next."""
    P, _, _, T = softmax_regression()
    X = np.random.default_rng(0).normal(size=(7, 3))
    cache = {}

    def loss(P):
        e = np.exp(X @ P["W"] + P["b"])
        cache.setdefault("probs", e / e.sum(axis=1, keepdims=True))
        return -(T * np.log(np.abs(cache["probs"]))).sum() / 7

    def gradient(P):
        dlogits = cache["probs"]
        dlogits -= T
        return {"W": X.T @ dlogits / 7, "b": dlogits.sum(axis=0) / 7}

    with np.errstate(all="ignore"):
        found = check_function(loss, gradient, P)
    assert not found.ok
    assert "the loss gives another value after the gradient was computed" in str(found)


def test_a_gradient_that_already_updates_is_rejected():
    P, loss, gradient, _ = softmax_regression()

    def stepping(P):
        G = gradient(P)
        for name in P:
            P[name] -= 0.1 * G[name]
        return G

    found = check_function(loss, stepping, P)
    assert not found.ok
    assert "the gradient changes the parameter W that it is given" in str(found)


def test_a_gradient_that_lacks_a_parameter_or_has_one_too_many_is_rejected():
    P, loss, gradient, _ = softmax_regression()
    found = check_function(loss, lambda P: {"W": gradient(P)["W"], "c": 1.0}, P)
    assert not found.ok
    assert "b: the gradient lacks it" in str(found)
    assert "names 'c', which is no parameter" in str(found)


# Mistakes in the engine itself


@pytest.mark.parametrize("what", ["delta", "derivative"])
@pytest.mark.parametrize("output", ["softmax", "sigmoid", "identity"])
def test_a_network_with_a_wrong_rule_is_rejected(what, output):
    from dataclasses import replace

    net = cr.Network([3, 5, 4], activation="tanh", output=output, seed=1)
    layers = net.structure.layers
    if what == "delta":
        wrong = replace(net.structure, output=replace(net.output, delta=lambda A, T: (A - T) * 1.00001))
    else:
        rule = replace(layers[0].activation, derivative=lambda z, a: 1 - np.tanh(a) ** 2)
        wrong = replace(net.structure, layers=(replace(layers[0], activation=rule), layers[1]))
    rng = np.random.default_rng(2)
    x, y = rng.normal(size=(7, 3)), rng.uniform(0.1, 0.9, (7, 4))
    y = y.argmax(axis=1) if output == "softmax" else y
    assert cr.check_gradients(net, x, y).ok
    net.structure = wrong
    found = cr.check_gradients(net, x, y)
    assert not found.ok
    assert {row.name for row in found.rows if not row.ok} == (
        {"W1", "b1"} if what == "derivative" else set(net.parameters())
    )


@pytest.mark.parametrize("kind", ["one part in 10,000", "zero", "exchanged"])
@pytest.mark.parametrize("great", [False, True])
def test_a_mistake_in_any_single_entry_of_a_random_network_is_rejected(kind, great, monkeypatch):
    """In small networks of every kind, and in 64–32–10; an entry that is 0 has no mistake of these kinds."""
    right = cr.Network.backward
    planted, missed = 0, []
    for number in range(60):
        rng = np.random.default_rng([8, number])
        net, x, y, l2 = great_case(number) if great else small_case(number)
        name = str(rng.choice(list(net.parameters())))
        index = tuple(int(rng.integers(length)) for length in net.parameters()[name].shape)
        gaps = []

        def wrong(self, trace, y, name=name, index=index, gaps=gaps, **settings):
            gradients = right(self, trace, y, **settings)
            G = gradients[name].copy()
            if kind == "exchanged":
                G.flat[[0, -1]] = G.flat[[-1, 0]]
            else:
                G[index] *= 1.0001 if kind.startswith("one") else 0
            gaps.append(np.abs(G - gradients[name]).max())
            gradients[name] = G
            return gradients

        monkeypatch.setattr(cr.Network, "backward", wrong)
        found = cr.check_gradients(net, x, y, l2=l2, seed=number)
        if max(gaps) > 1e-9:
            planted += 1
            missed += [number] if found.ok else []
    assert missed == []
    assert planted > 40


def small_case(number):
    case = random_case(number)
    return case.net, case.x, case.y, case.l2


def great_case(number):
    rng = np.random.default_rng(number)
    net = cr.Network([64, 32, 10], activation=["relu", "tanh"][number % 2], dtype="float64", seed=number)
    return net, rng.normal(size=(20, 64)), rng.integers(10, size=20), 0.0
