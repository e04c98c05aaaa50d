"""Functions, classes and modules handed over in Python are taken in like files; nothing of the caller is changed."""

import types

import numpy as np
import pytest

import chainrule as cr
from chainrule.diagnosis.handed import take_in_functions, take_in_object
from refusals import refused

SCALE = 1.0  # a name of this module that the functions use


def start(d, h, k):
    return {"W1": np.random.randn(d, h), "b1": np.zeros(h), "W2": np.random.randn(h, k), "b2": np.zeros(k)}  # noqa: NPY002


def forward(X, params):
    H = np.tanh(X @ params["W1"] + params["b1"])
    return SCALE * (H @ params["W2"] + params["b2"]), H


def loss(output, Y):
    return np.sum((output - Y) ** 2) / (2 * len(Y))


def backward(X, Y, params, output, H):
    d2 = (output - Y) / len(Y)
    d1 = (d2 @ params["W2"].T) * (1 - H**2)
    return {"W1": X.T @ d1, "b1": d1.sum(axis=0), "W2": H.T @ d2, "b2": d2.sum(axis=0)}


class Net:
    def __init__(self, n_in, n_hidden, n_out):
        rng = np.random.default_rng(0)
        self.W1, self.b1 = rng.normal(size=(n_in, n_hidden)), np.zeros(n_hidden)
        self.W2, self.b2 = rng.normal(size=(n_hidden, n_out)), np.zeros(n_out)

    def forward(self, X):
        self.X, self.H = X, np.tanh(X @ self.W1 + self.b1)
        self.out = self.H @ self.W2 + self.b2
        return self.out

    def loss(self, Y):
        return np.sum((self.out - Y) ** 2) / (2 * len(Y))

    def backward(self, Y):
        d2 = (self.out - Y) / len(Y)
        d1 = (d2 @ self.W2.T) * (1 - self.H**2)
        self.dW1, self.db1 = self.X.T @ d1, d1.sum(axis=0)
        self.dW2, self.db2 = self.H.T @ d2, d2.sum(axis=0)


def right(intake):
    assert intake.failure is None
    for seen in intake.observations:
        assert seen.failed == {}
        for name, numerical in seen.numerical.items():
            np.testing.assert_allclose(seen.gradients[name].value, numerical, rtol=0, atol=1e-8)
    return intake


@pytest.mark.parametrize("parameters", [start, start(4, 3, 2), None])
def test_functions_are_taken_in_with_their_initialiser_or_an_example_of_parameters_or_neither(parameters):
    intake = right(take_in_functions(forward, backward, loss, parameters, None))
    assert intake.interface.functions["backward"] == ("backward", backward.__code__.co_firstlineno)
    sizes = intake.observations[0].point.sizes
    assert sizes == ((4, 3, 2) if isinstance(parameters, dict) else (9, 7, 3))


def test_functions_within_a_function_are_taken_in():
    def forward(X, W1, b1):
        return X @ W1 + b1

    def loss(out, Y):
        return 0.5 * np.sum((out - Y) ** 2)

    def backward(X, Y, out):
        d = out - Y
        return X.T @ d, d.sum(axis=0)

    right(take_in_functions(forward, backward, loss, None, None))


@pytest.mark.parametrize("target", [Net, Net(5, 4, 2)], ids=["class", "object"])
def test_a_class_or_an_object_of_one_is_taken_in(target):
    intake = right(take_in_object(target))
    assert intake.interface.update == "stored"
    assert intake.observations[0].gradients["W1"].name == "self.dW1"


def test_a_module_is_taken_in(tmp_path, monkeypatch):
    (tmp_path / "homework.py").write_text(
        "import numpy as np\n"
        "def forward(X, W1, b1): return X @ W1 + b1\n"
        "def loss(out, Y): return 0.5 * np.sum((out - Y) ** 2)\n"
        "def backward(X, Y, out): d = out - Y; return X.T @ d, d.sum(axis=0)\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    import homework

    right(take_in_object(homework))


def test_nothing_of_the_caller_is_changed():
    net, example = Net(5, 4, 2), start(4, 3, 2)
    weights, W1 = net.W1.copy(), example["W1"].copy()
    state, names = np.random.get_state()[1].copy(), set(globals())  # noqa: NPY002
    take_in_object(net)
    take_in_functions(forward, backward, loss, example, None)
    assert np.array_equal(net.W1, weights)
    assert not hasattr(net, "out")
    assert np.array_equal(example["W1"], W1)
    assert np.array_equal(np.random.get_state()[1], state)  # noqa: NPY002
    assert set(globals()) == names


def test_what_cannot_be_taken_in_is_refused_in_two_lines():
    with refused("no backward pass"):
        cr.diagnose(forward=forward)
    with refused("no function written in Python"):
        cr.diagnose(forward=forward, backward=np.dot)
    with refused("no weights"):
        cr.diagnose(forward=forward, backward=backward, parameters={"name": "x"})
    with refused("SimpleNamespace"):
        cr.diagnose(types.SimpleNamespace())


def test_a_diagnosis_of_functions_says_right_and_wrong():
    assert cr.diagnose(forward=forward, backward=backward, loss=loss, parameters=start).verdict == "right"

    def backward_without_mean(X, Y, params, output, H):
        d2 = output - Y
        d1 = (d2 @ params["W2"].T) * (1 - H**2)
        return {"W1": X.T @ d1, "b1": d1.sum(axis=0), "W2": H.T @ d2, "b2": d2.sum(axis=0)}

    found = cr.diagnose(forward=forward, backward=backward_without_mean, loss=loss, parameters=start)
    assert found.verdict == "wrong"
    assert found.findings[0].kind == "missing-mean"
