"""The training loop is watched: which samples were fed when, what changed the weights, and which seeds were fixed."""

import textwrap

import numpy as np
import pytest

from chainrule.diagnosis.child import take_in

NET = """
import numpy as np

class Net:
    def __init__(self, n_in, n_hidden, n_out):
        self.W1 = np.random.randn(n_in, n_hidden) / np.sqrt(n_in)
        self.b1 = np.zeros(n_hidden)
        self.W2 = np.random.randn(n_hidden, n_out) / np.sqrt(n_hidden)
        self.b2 = np.zeros(n_out)

    def forward(self, X):
        self.X, self.H = X, np.tanh(X @ self.W1 + self.b1)
        self.out = self.H @ self.W2 + self.b2
        return self.out

    def loss(self, Y):
        return np.sum((self.out - Y) ** 2) / (2 * len(Y))

    def backward(self, Y):
        d2 = (self.out - Y) / len(Y)
        d1 = (d2 @ self.W2.T) * (1 - self.H**2)
        return {"W1": self.X.T @ d1, "b1": d1.sum(axis=0), "W2": self.H.T @ d2, "b2": d2.sum(axis=0)}

    def update(self, gradients, lr):
        for name in gradients:
            setattr(self, name, getattr(self, name) - lr * gradients[name])

    def fit(self, X, Y, X_val, Y_val, epochs=10, batch_size=8, lr=0.1):
        losses = []
        for epoch in range(epochs):
            order = np.random.permutation(len(X))
            for i in range(0, len(X), batch_size):
                rows = order[i : i + batch_size]
                self.forward(X[rows])
                self.update(self.backward(Y[rows]), lr)
            self.forward(X_val)
            losses.append(self.loss(Y_val))
        return losses
"""


@pytest.fixture
def taken(tmp_path):
    def take(text: str):
        path = tmp_path / "code.py"
        path.write_text(textwrap.dedent(text))
        return take_in(path)

    return take


def test_a_loop_of_batches_is_seen_whole(taken):
    intake = taken(NET)
    loop = intake.loop
    assert loop.failure is None
    assert loop.function[0] == "Net.fit"
    assert (loop.epochs, loop.batch_size, loop.rate) == (3, 4, 0.05)
    assert len(loop.losses) == 3
    steps = [event for event in loop.events if event.role == "update"]
    assert all(event.change for event in steps)
    for epoch in range(3):
        fed = [event.rows for event in steps if event.epoch == epoch]
        assert [len(rows) for rows in fed] == [4, 4, 4, 3]
        assert sorted(row for rows in fed for row in rows) == list(range(15))
    orders = {tuple(row for event in steps if event.epoch == epoch for row in event.rows) for epoch in range(3)}
    assert len(orders) == 3
    held = [event for event in loop.events if event.part == "validation"]
    assert {event.role for event in held} == {"forward", "loss"}
    assert not any(event.change for event in held)


def test_each_step_goes_down_the_gradient_that_backward_gave(taken):
    events = taken(NET).loop.events
    backward = [event for event in events if event.role == "backward"]
    update = [event for event in events if event.role == "update"]
    for gradient, step in zip(backward, update, strict=True):
        for name, change in step.change.items():
            np.testing.assert_allclose(change, -0.05 * gradient.gradients[name], atol=1e-12)


def test_training_on_validation_data_is_seen(taken):
    text = NET.replace(
        "            self.forward(X_val)\n", "            self.forward(X_val); self.update(self.backward(Y_val), lr)\n"
    )
    changed = [event for event in taken(text).loop.events if event.part == "validation" and event.change]
    assert len(changed) == 3


def test_weights_that_the_loop_changes_itself_are_seen(taken):
    text = NET.replace(
        "self.update(self.backward(Y[rows]), lr)",
        "gradients = self.backward(Y[rows])\n                self.W1 = self.W1 - lr * gradients['W1']",
    )
    events = [event for event in taken(text).loop.events if event.role == "weights"]
    assert len(events) == 12
    assert [event.epoch for event in events] == [0] * 4 + [1] * 4 + [2] * 4
    assert all(np.any(event.change["W1"]) and not np.any(event.change["b1"]) for event in events)


def test_a_seed_within_the_training_or_the_start_is_seen(taken):
    intake = taken(NET.replace("        losses = []\n", "        np.random.seed(5)\n        losses = []\n"))
    assert [(seed.function, seed.value) for seed in intake.loop.seeds] == [("Net.fit", 5)]
    assert intake.start.seeds == ()
    assert not np.array_equal(intake.start.first["W1"], intake.start.second["W1"])
    intake = taken(NET.replace("        self.W1 = ", "        np.random.seed(2)\n        self.W1 = ", 1))
    assert {seed.function for seed in intake.start.seeds} == {"Net.__init__"}
    assert np.array_equal(intake.start.first["W1"], intake.start.second["W1"])


def test_the_scale_of_the_start_can_be_read_off(taken):
    start = taken(NET).start
    assert start.sizes == (240, 90, 3)
    assert np.std(start.first["W1"]) == pytest.approx(1 / np.sqrt(240), rel=0.05)


def test_one_call_of_the_update_is_recorded(taken):
    step = taken(NET).step
    for name, before in step.before.items():
        np.testing.assert_allclose(step.after[name], before - step.rate * step.gradients[name], atol=1e-12)


def test_a_loop_that_fails_or_never_ends_leaves_the_rest_as_it_is(taken):
    for line, words in (("raise ValueError('no more')", "no more"), ("while True: pass", "still running")):
        intake = taken(NET.replace("            self.forward(X_val)\n", f"            {line}\n"))
        assert len(intake.observations) == 2
        assert words in intake.loop.failure
        assert len([event for event in intake.loop.events if event.role == "update"]) == 4


def test_lists_one_sample_at_a_time_keep_the_sizes_that_the_file_starts_with(taken):
    loop = taken(
        """
        from math import exp

        def initialize_parameters():
            W, V = [[0.5, -1.0, 0.2], [0.3, 0.9, -0.4]], [[1.0, 0.5], [0.2, -0.7], [-0.3, 0.4]]
            return {"W": W, "b": [0.1, 0.0, 0.2], "V": V, "c": [0.0, 0.1]}

        def forward_propagation(X, parameters):
            W, b, V, c = (parameters[name] for name in "WbVc")
            h = [1 / (1 + exp(-sum(W[i][j] * X[i] for i in range(len(X))) - b[j])) for j in range(len(b))]
            return [sum(V[j][k] * h[j] for j in range(len(h))) + c[k] for k in range(len(c))], {"h": h}

        def squared_loss(y, Y):
            return sum((y[k] - Y[k]) ** 2 for k in range(len(y))) / 2

        def backward_propagation(parameters, cache, X, Y, y):
            V, h = parameters["V"], cache["h"]
            dy = [y[k] - Y[k] for k in range(len(y))]
            dh = [sum(V[j][k] * dy[k] for k in range(len(dy))) * h[j] * (1 - h[j]) for j in range(len(h))]
            return {"dW": [[x * d for d in dh] for x in X], "db": dh, "dV": [[a * d for d in dy] for a in h], "dc": dy}

        def update(parameters, grads, learning_rate=0.1):
            for name in "WV":
                for row, gradients in zip(parameters[name], grads["d" + name]):
                    row[:] = [p - learning_rate * g for p, g in zip(row, gradients)]
            for name in "bc":
                parameters[name] = [p - learning_rate * g for p, g in zip(parameters[name], grads["d" + name])]
            return parameters

        def nn_model(X, Y, epochs=5):
            parameters, losses = initialize_parameters(), []
            for epoch in range(epochs):
                total = 0
                for n in range(len(X)):
                    y, cache = forward_propagation(X[n], parameters)
                    total += squared_loss(y, Y[n])
                    parameters = update(parameters, backward_propagation(parameters, cache, X[n], Y[n], y))
                losses.append(total / len(X))
            return losses
        """
    ).loop
    assert loop.failure is None
    assert loop.train[0].shape == (15, 2)
    assert [event.rows for event in loop.events if event.role == "update" and event.epoch == 1] == [
        (i,) for i in range(15)
    ]
