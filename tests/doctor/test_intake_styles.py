"""Code of many shapes is recognised: what was found to be what, and the gradients are those that the code means."""

import textwrap

import numpy as np
import pytest

from chainrule.diagnosis.child import take_in
from chainrule.diagnosis.observation import Intake

HEAD = """
import numpy as np

def sigmoid(z):
    return 1 / (1 + np.exp(-z))

def softmax(z, axis=1):
    e = np.exp(z - z.max(axis=axis, keepdims=True))
    return e / e.sum(axis=axis, keepdims=True)
"""

# Each: (code, what was recognised, our name of a parameter → the user's).
STYLES = {
    "the step in one function, the update within": (
        """
        def train(X, Y, hidden=20, epochs=50, lr=0.1):
            U = np.random.randn(X.shape[1], hidden)
            W1 = np.random.randn(X.shape[1], hidden)
            b1 = np.zeros(hidden)
            W2 = np.random.randn(hidden, Y.shape[1])
            b2 = np.zeros(Y.shape[1])
            for epoch in range(epochs):
                H = sigmoid(X @ W1 + b1)
                P = softmax(H @ W2 + b2)
                loss = -np.sum(Y * np.log(P)) / len(X)
                d2 = (P - Y) / len(X)
                d1 = d2 @ W2.T * H * (1 - H)
                W2 -= lr * H.T @ d2
                b2 -= lr * d2.sum(axis=0)
                W1 -= lr * X.T @ d1
                b1 -= lr * d1.sum(axis=0)
            return W1, b1, W2, b2
        """,
        {"style": "training function", "update": "in place", "layout": "row", "targets": "one-hot"},
        {"W1": "W1", "b2": "b2"},
    ),
    "a script without functions": (
        """
        X = np.random.randn(30, 4)
        y = np.random.randint(0, 3, 30)
        w1 = np.random.randn(4, 8)
        w2 = np.random.randn(8, 3)
        rate = 0.1
        for step in range(20):
            hidden = np.tanh(X @ w1)
            probabilities = softmax(hidden @ w2)
            m = len(y)
            cost = -np.log(probabilities[np.arange(m), y]).mean()
            error = probabilities.copy()
            error[np.arange(m), y] -= 1
            error /= m
            back = error @ w2.T * (1 - hidden ** 2)
            w2 = w2 - rate * hidden.T @ error
            w1 = w1 - rate * X.T @ back
        """,
        {"style": "script", "bias": "none", "targets": "integer", "update": "in place"},
        {"W1": "w1", "W2": "w2"},
    ),
    "weights as names of the module": (
        """
        W = np.random.randn(7, 5); b = np.zeros((7, 1)); V = np.random.randn(3, 7); c = np.zeros((3, 1))

        def forward(X):
            H = np.tanh(W @ X + b)
            return H, softmax(V @ H + c, axis=0)

        def cost(P, Y):
            return -np.sum(Y * np.log(P)) / Y.shape[1]

        def backward(X, Y, H, P):
            dZ2 = (P - Y) / X.shape[1]
            dV = dZ2 @ H.T
            dc = dZ2.sum(axis=1, keepdims=True)
            dZ1 = V.T @ dZ2 * (1 - H ** 2)
            dW = dZ1 @ X.T
            db = dZ1.sum(axis=1, keepdims=True)
            return dW, db, dV, dc
        """,
        {"style": "functions", "layout": "column", "weights": "(out, in)", "bias": "(h, 1)"},
        {"W1": "W", "b1": "b", "W2": "V", "b2": "c"},
    ),
    "the weights as a tuple that is handed on": (
        """
        def start(n, h, k):
            return np.random.randn(n, h), np.zeros((1, h)), np.random.randn(h, k), np.zeros((1, k))

        def init(n_in, n_hidden, n_out):
            w1, b1, w2, b2 = start(n_in, n_hidden, n_out)
            return w1, b1, w2, b2

        def forward(params, x):
            w1, b1, w2, b2 = params
            h = np.maximum(0, x @ w1 + b1)
            return softmax(h @ w2 + b2), h

        def cross_entropy(y_hat, y):
            return -(y * np.log(y_hat)).sum(axis=1).mean()

        def backprop(params, x, y, y_hat, h):
            w1, b1, w2, b2 = params
            dlogits = (y_hat - y) / x.shape[0]
            dh = dlogits @ w2.T
            dh[h <= 0] = 0
            return x.T @ dh, dh.sum(axis=0, keepdims=True), h.T @ dlogits, dlogits.sum(axis=0, keepdims=True)
        """,
        {"style": "functions", "bias": "(1, h)", "update": "returned"},
        {"W1": "w1", "b2": "b2"},
    ),
    "a list of (weights, biases), gradients from the last layer on": (
        """
        def initialise(sizes):
            return [(np.random.randn(b, a), np.zeros((b, 1))) for a, b in zip(sizes, sizes[1:])]

        def forward(network, x):
            outputs = [x]
            for w, b in network:
                outputs.append(sigmoid(w @ outputs[-1] + b))
            return outputs

        def loss(outputs, targets):
            return np.sum((outputs[-1] - targets) ** 2) / 2 / targets.shape[1]

        def backward(network, outputs, targets):
            gradients = []
            delta = (outputs[-1] - targets) / targets.shape[1]
            for l in range(len(network) - 1, -1, -1):
                delta = delta * outputs[l + 1] * (1 - outputs[l + 1])
                gradients.append((delta @ outputs[l].T, delta.sum(axis=1, keepdims=True)))
                delta = network[l][0].T @ delta
            return gradients[::-1]
        """,
        {"layout": "column", "weights": "(out, in)"},
        {},
    ),
    "an object that holds the data too": (
        """
        class Net:
            def __init__(self, x, y):
                self.x, self.y = x, y
                self.w1 = np.random.randn(x.shape[1], 4)
                self.w2 = np.random.randn(4, y.shape[1])

            def feedforward(self):
                self.h = np.tanh(self.x @ self.w1)
                self.out = sigmoid(self.h @ self.w2)

            def loss(self):
                return 0.5 * np.sum((self.out - self.y) ** 2)

            def backprop(self):
                delta = (self.out - self.y) * self.out * (1 - self.out)
                below = delta @ self.w2.T * (1 - self.h ** 2)
                self.w2 -= self.h.T @ delta
                self.w1 -= self.x.T @ below
        """,
        {"style": "class", "update": "in place", "bias": "none"},
        {"W1": "self.w1"},
    ),
    "one step of training as a method, with a query beside it": (
        """
        class Network:
            def __init__(self, input_nodes, hidden_nodes, output_nodes, learning_rate):
                self.wih = np.random.randn(hidden_nodes, input_nodes)
                self.who = np.random.randn(output_nodes, hidden_nodes)
                self.lr = learning_rate

            def query(self, inputs):
                return sigmoid(self.who @ sigmoid(self.wih @ inputs))

            def error(self, outputs, targets):
                return np.sum((targets - outputs) ** 2) / 2

            def train(self, inputs, targets):
                hidden = sigmoid(self.wih @ inputs)
                final = sigmoid(self.who @ hidden)
                delta = (targets - final) * final * (1 - final)
                below = (self.who.T @ delta) * hidden * (1 - hidden)
                self.who += self.lr * delta @ hidden.T
                self.wih += self.lr * below @ inputs.T
        """,
        {"style": "training function", "layout": "column", "update": "in place"},
        {"W1": "self.wih", "W2": "self.who"},
    ),
    "layers without a network": (
        """
        class Affine:
            def __init__(self, fan_in, fan_out):
                self.W = np.random.randn(fan_in, fan_out)
                self.b = np.zeros(fan_out)

            def forward(self, x):
                self.x = x
                return x @ self.W + self.b

            def backward(self, dout):
                self.dW = self.x.T @ dout
                self.db = dout.sum(axis=0)
                return dout @ self.W.T

        class Sigmoid:
            def forward(self, x):
                self.out = sigmoid(x)
                return self.out

            def backward(self, dout):
                return dout * self.out * (1 - self.out)

        class CrossEntropyLoss:
            def forward(self, scores, labels):
                self.p, self.labels = softmax(scores), labels
                return -np.log(self.p[np.arange(len(labels)), labels]).mean()

            def backward(self):
                grad = self.p.copy()
                grad[np.arange(len(self.labels)), self.labels] -= 1
                return grad / len(self.labels)
        """,
        {"style": "layers", "update": "stored", "targets": "integer"},
        {"W1": "self.layers[0].W"},
    ),
    "layers that update themselves, in a list of the file, a sample at a time": (
        """
        class Dense:
            def __init__(self, n_in, n_out):
                self.weights = np.random.randn(n_out, n_in)
                self.bias = np.random.randn(n_out, 1)

            def forward(self, x):
                self.x = x
                return self.weights @ x + self.bias

            def backward(self, gradient, learning_rate):
                below = self.weights.T @ gradient
                self.weights -= learning_rate * gradient @ self.x.T
                self.bias -= learning_rate * gradient
                return below

        class Tanh:
            def forward(self, x):
                self.y = np.tanh(x)
                return self.y

            def backward(self, gradient, learning_rate):
                return gradient * (1 - self.y ** 2)

        def mse(y_true, y_pred):
            return np.mean((y_true - y_pred) ** 2)

        def mse_derivative(y_true, y_pred):
            return 2 * (y_pred - y_true) / y_true.size

        network = [Dense(2, 3), Tanh(), Dense(3, 1), Tanh()]
        """,
        {"style": "layers", "samples": "one", "update": "in place", "bias": "(h, 1)"},
        {"W2": "self.layers[2].weights"},
    ),
    "a loss method that gives loss and gradients, with an L2 term": (
        """
        class Classifier:
            def __init__(self, input_dim, hidden_dim, num_classes):
                self.params = {"W1": np.random.randn(input_dim, hidden_dim), "b1": np.zeros(hidden_dim),
                               "W2": np.random.randn(hidden_dim, num_classes), "b2": np.zeros(num_classes)}

            def loss(self, X, y, reg):
                W1, b1, W2, b2 = (self.params[key] for key in ("W1", "b1", "W2", "b2"))
                H = np.tanh(X @ W1 + b1)
                probs = softmax(H @ W2 + b2)
                loss = -np.log(probs[range(len(y)), y]).mean() + reg * np.sum(W1 ** 2) + reg * np.sum(W2 ** 2)
                d2 = probs - np.eye(probs.shape[1])[y]
                d2 /= len(y)
                d1 = d2 @ W2.T * (1 - H ** 2)
                grads = {"W1": X.T @ d1 + 2 * reg * W1, "b1": d1.sum(0), "W2": H.T @ d2 + 2 * reg * W2, "b2": d2.sum(0)}
                return loss, grads
        """,
        {"style": "class", "targets": "integer", "update": "returned"},
        {"W1": 'self.params["W1"]'},
    ),
    "a class whose methods are handed the weights": (
        """
        class Passes:
            def forward(self, x, weights, biases):
                hidden = np.tanh(x @ weights[0] + biases[0])
                return softmax(hidden @ weights[1] + biases[1]), hidden

            def loss(self, probs, y):
                return -(y * np.log(probs)).sum() / len(y)

            def backward(self, x, y, probs, hidden, weights):
                d2 = (probs - y) / len(y)
                d1 = d2 @ weights[1].T * (1 - hidden ** 2)
                grad_weights = [x.T @ d1, hidden.T @ d2]
                grad_biases = [d1.sum(axis=0), d2.sum(axis=0)]
                return grad_weights, grad_biases
        """,
        {"style": "class", "bias": "(h,)"},
        {"W1": "weights[0]", "b2": "biases[1]"},
    ),
    "names that tell nothing but by the call": (
        """
        def make(n, h, k):
            return {"W1": np.random.randn(n, h), "b1": np.zeros(h), "W2": np.random.randn(h, k), "b2": np.zeros(k)}

        def initialize(n, h, k):
            params = make(n, h, k)
            return params

        def forward_pass(q, r):
            s = sigmoid(q @ r["W1"] + r["b1"])
            return softmax(s @ r["W2"] + r["b2"]), s

        def loss(u, v):
            return -np.sum(v * np.log(u)) / len(v)

        def backward_pass(q, r, s, u, v):
            e = (u - v) / len(q)
            f = e @ r["W2"].T * s * (1 - s)
            return {"W1": q.T @ f, "b1": f.sum(0), "W2": s.T @ e, "b2": e.sum(0)}

        def fit(X, Y):
            params = initialize(X.shape[1], 10, Y.shape[1])
            for epoch in range(3):
                output, hidden = forward_pass(X, params)
                print(loss(output, Y))
                grads = backward_pass(X, params, hidden, output, Y)
                for key in params:
                    params[key] -= 0.1 * grads[key]
        """,
        {"style": "functions", "targets": "one-hot"},
        {"W1": 'params["W1"]'},
    ),
}


def taken(tmp_path, code: str) -> Intake:
    path = tmp_path / "code.py"
    path.write_text(HEAD + textwrap.dedent(code))
    return take_in(path)


@pytest.mark.parametrize("style", STYLES)
def test_code_of_this_shape_is_taken_in_whole(tmp_path, style):
    code, recognised, names = STYLES[style]
    intake = taken(tmp_path, code)
    assert intake.failure is None
    seen = intake.interface
    assert {key: getattr(seen, key) for key in recognised} == recognised
    assert {key: seen.names.get(key) for key in names} == names
    for observation in intake.observations:
        assert observation.failed == {}
        assert observation.loss is not None
        assert observation.gradients.keys() == observation.numerical.keys()
        for name, numerical in observation.numerical.items():
            gradient = ours(observation.gradients[name].value, numerical, seen.shapes[name])
            nudged = np.isfinite(numerical)  # on a busy machine there is time for a share of the entries only
            assert nudged.any()
            np.testing.assert_allclose(gradient[nudged], numerical[nudged], rtol=0, atol=1e-8)


def ours(gradient: np.ndarray, numerical: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    return (gradient.T if shape == numerical.shape[::-1] else gradient).reshape(numerical.shape)


def test_widths_and_numbers_of_samples_differ_from_each_other(tmp_path):
    code, _, _ = STYLES["weights as names of the module"]
    intake = taken(tmp_path, code)
    numbers = [*intake.observations[0].point.sizes, *(len(each.point.X) for each in intake.observations)]
    assert len({*numbers, *(n + 1 for n in numbers[:-3])}) >= len(numbers)
    assert len(set(numbers)) == len(numbers)


def test_the_line_of_a_gradient_is_that_of_its_assignment(tmp_path):
    code, _, _ = STYLES["weights as names of the module"]
    intake = taken(tmp_path, code)
    lines = intake.source.split("\n")
    for name, text in (("W1", "dW ="), ("b1", "db ="), ("W2", "dV ="), ("b2", "dc =")):
        line = intake.observations[0].gradients[name].line
        assert lines[line - 1].strip().startswith(text)


def test_overwritten_values_are_kept_in_their_order(tmp_path):
    code, _, _ = STYLES["a list of (weights, biases), gradients from the last layer on"]
    seen = taken(tmp_path, code).observations[0].backward
    first, last = seen["delta@1"], seen["delta"]
    assert first.time < last.time
    assert first.value.shape == (3, 5)  # of the output layer: K outputs, m samples
    assert last.value.shape == (9, 5)  # of the inputs


def test_what_backward_writes_into_is_told(tmp_path):
    code, _, _ = STYLES["the weights as a tuple that is handed on"]
    spoilt = code.replace("dlogits = (y_hat - y) / x.shape[0]", "y_hat -= y; y_hat /= len(x); dlogits = y_hat")
    changed = taken(tmp_path, spoilt).observations[0].changed
    assert [(change.what, change.role) for change in changed] == [("cache", "backward")]
    assert not np.array_equal(changed[0].before, changed[0].after)


def test_a_pass_that_adds_to_what_it_left_before_differs_the_second_time(tmp_path):
    code, _, _ = STYLES["weights as names of the module"]
    added = "kept = np.zeros((7, 1))\n\n        def forward(X):\n            kept[:] += 0.1"
    stale = code.replace("def forward(X):", added)
    stale = stale.replace("np.tanh(W @ X + b)", "np.tanh(W @ X + b + kept)")
    seen = taken(tmp_path, stale).observations[0]
    assert not np.allclose(seen.output, seen.output_again)


def test_without_a_forward_pass_an_adapter_is_offered_that_names_what_there_is(tmp_path):
    intake = taken(tmp_path, "def mangle(a, b):\n    return a + b\n")
    assert intake.observations == ()
    assert "mangle" in intake.failure
    assert "import code as mine" in intake.adapter
    assert "mangle" in intake.adapter
    compile(intake.adapter, "adapter", "exec")


def test_an_adapter_that_was_filled_in_is_taken_in(tmp_path):
    (tmp_path / "odd.py").write_text(
        "import numpy as np\n"
        "def a(q, w): return np.tanh(q @ w[0] + w[1]) @ w[2] + w[3]\n"
        "def b(q, t, w):\n"
        "    h = np.tanh(q @ w[0] + w[1]); e = (h @ w[2] + w[3] - t) / len(q); f = e @ w[2].T * (1 - h * h)\n"
        "    return [q.T @ f, f.sum(0), h.T @ e, e.sum(0)]\n"
    )
    path = tmp_path / "adapter.py"
    path.write_text(
        "import numpy as np\nimport odd as mine\n"
        "def listed(params): return [params['W1'], params['b1'], params['W2'], params['b2']]\n"
        "def initialise(d, h, K):\n"
        "    return {'W1': np.random.randn(d, h), 'b1': np.zeros(h), 'W2': np.random.randn(h, K), 'b2': np.zeros(K)}\n"
        "def forward(X, params): return mine.a(X, listed(params))\n"
        "def loss(output, Y): return np.sum((output - Y) ** 2) / 2 / len(Y)\n"
        "def backward(X, Y, params): return dict(zip(['W1', 'b1', 'W2', 'b2'], mine.b(X, Y, listed(params))))\n"
    )
    seen = take_in(path).observations[0]
    for name, numerical in seen.numerical.items():
        np.testing.assert_allclose(seen.gradients[name].value, numerical, atol=1e-8)


def test_float32_in_the_code_is_computed_in_double(tmp_path):
    code, _, _ = STYLES["weights as names of the module"]
    coarse = code.replace("W @ X", "W.astype(np.float32) @ X.astype('float32')")
    for seen in taken(tmp_path, coarse).observations:
        np.testing.assert_allclose(seen.gradients["W2"].value.T, seen.numerical["W2"], rtol=0, atol=1e-8)


def test_a_loss_that_is_rounded_for_print_is_left_aside(tmp_path):
    code, _, _ = STYLES["weights as names of the module"]
    intake = taken(
        tmp_path, code.replace("return -np.sum(Y * np.log(P)) / Y.shape[1]", "return round(-np.sum(Y * np.log(P)), 3)")
    )
    assert [seen.loss for seen in intake.observations] == [None, None]
    assert any("rounded" in remark for remark in intake.interface.remarks)


def test_code_for_images_of_one_size_keeps_that_size(tmp_path):
    code, _, _ = STYLES["a loss method that gives loss and gradients, with an L2 term"]
    fixed = code.replace(
        "def loss(self, X, y, reg):", "def loss(self, X, y, reg):\n                X = X.reshape(-1, 64)"
    )
    intake = taken(tmp_path, textwrap.dedent(fixed) + "\nnet = Classifier(64, 12, 10)\n")
    for seen in intake.observations:
        assert seen.point.sizes == (64, 12, 10)
        known = ~np.isnan(seen.numerical["W1"])
        assert known.any()
        np.testing.assert_allclose(seen.gradients["W1"].value[known], seen.numerical["W1"][known], rtol=0, atol=1e-7)
