"""An outside reference for derivations: the same expressions written in PyTorch, in float64."""

import numpy as np
import pytest

import chainrule as cr

torch = pytest.importorskip("torch", reason="PyTorch is not installed: pip install -e '.[bench]'")
functions, linalg = torch.nn.functional, torch.linalg

SIZES = {"N": 3, "K": 4, "M": 5, "C": 2}


def cross_entropy(A, T):
    return -(T * A.log()).sum() / len(T)


# What is derived: the text, the shapes of its inputs, and the same in PyTorch.
EXPRESSIONS = {
    "linear form": ("E = c @ x", {"c": "N", "x": "N"}, lambda c, x: c @ x),
    "quadratic form": ("E = x @ A @ x", {"A": "N,N", "x": "N"}, lambda A, x: x @ A @ x),
    "quadratic form, symmetric": (
        "E = x @ (A + A.T) @ x / 2",
        {"A": "N,N", "x": "N"},
        lambda A, x: x @ (A + A.T) @ x / 2,
    ),
    "least squares": (
        "E = sum((X @ w - y)**2) / 2",
        {"X": "M,N", "w": "N", "y": "M"},
        lambda X, w, y: ((X @ w - y) ** 2).sum() / 2,
    ),
    "ridge": (
        "E = mean((X @ w - y)**2) + lam * (w @ w)",
        {"X": "M,N", "w": "N", "y": "M", "lam": ()},
        lambda X, w, y, lam: ((X @ w - y) ** 2).mean() + lam * (w @ w),
    ),
    "norm": ("E = linalg.norm(W @ x - y)", {"W": "K,N", "x": "N", "y": "K"}, lambda W, x, y: linalg.norm(W @ x - y)),
    "norms of rows": (
        "E = sum(linalg.norm(X - c, axis=1))",
        {"X": "M,N", "c": "N"},
        lambda X, c: linalg.norm(X - c, dim=1).sum(),
    ),
    "trace": ("E = trace(A @ B @ A.T)", {"A": "K,N", "B": "N,N"}, lambda A, B: torch.trace(A @ B @ A.T)),
    "Frobenius": ("E = sum((A @ B)**2)", {"A": "K,N", "B": "N,M"}, lambda A, B: ((A @ B) ** 2).sum()),
    "three factors": (
        "E = sum(A @ B @ D)",
        {"A": "K,N", "B": "N,M", "D": "M,C"},
        lambda A, B, D: (A @ B @ D).sum(),
    ),
    "outer": (
        "E = sum(outer(x, y) * A)",
        {"x": "N", "y": "K", "A": "N,K"},
        lambda x, y, A: (torch.outer(x, y) * A).sum(),
    ),
    "diagonal": ("E = sum(diag(A)**3)", {"A": "N,N"}, lambda A: (torch.diag(A) ** 3).sum()),
    "a diagonal matrix": (
        "E = y @ diag(x) @ A @ y",
        {"x": "N", "A": "N,N", "y": "N"},
        lambda x, A, y: y @ torch.diag(x) @ A @ y,
    ),
    "a node used twice": (
        "s = tanh(W @ x)\nE = sum(s * (s + exp(s))) - sum(s)",
        {"W": "K,N", "x": "N"},
        lambda W, x: (
            (torch.tanh(W @ x) * (torch.tanh(W @ x) + torch.exp(torch.tanh(W @ x)))).sum() - torch.tanh(W @ x).sum()
        ),
    ),
    "log-sum-exp": ("E = logsumexp(Z)", {"Z": "M,K"}, lambda Z: torch.logsumexp(Z.flatten(), 0)),
    "log-sum-exp of rows": (
        "E = sum(v * logsumexp(Z, axis=1))",
        {"Z": "M,K", "v": "M"},
        lambda Z, v: (v * torch.logsumexp(Z, 1)).sum(),
    ),
    "softmax of rows": (
        "E = sum(V * softmax(Z, axis=1))",
        {"Z": "M,K", "V": "M,K"},
        lambda Z, V: (V * torch.softmax(Z, 1)).sum(),
    ),
    "softmax of columns": (
        "E = sum(V * softmax(Z, axis=0)**2)",
        {"Z": "M,K", "V": "M,K"},
        lambda Z, V: (V * torch.softmax(Z, 0) ** 2).sum(),
    ),
    "cross-entropy": (
        "E = cross_entropy(softmax(X @ W + b, axis=1), T)",
        {"X": "M,N", "W": "N,K", "b": "K", "T": "M,K"},
        lambda X, W, b, T: cross_entropy(torch.softmax(X @ W + b, 1), T),
    ),
    "variance": (
        "E = sum(v * var(X, axis=0))",
        {"X": "M,N", "v": "N"},
        lambda X, v: (v * X.var(0, correction=0)).sum(),
    ),
    "standardised": (
        "U = (X - mean(X, axis=0)) / sqrt(var(X, axis=0) + 0.1)\nE = sum(V * tanh(g * U + b))",
        {"X": "M,N", "V": "M,N", "g": "N", "b": "N"},
        lambda X, V, g, b: (V * torch.tanh(g * (X - X.mean(0)) / torch.sqrt(X.var(0, correction=0) + 0.1) + b)).sum(),
    ),
    "broadcasting": (
        "E = sum((x[:, None] - y)**2 * A)",
        {"x": "N", "y": "K", "A": "N,K"},
        lambda x, y, A: ((x[:, None] - y) ** 2 * A).sum(),
    ),
    "slices": (
        "E = sum((x[1:N] - x[0:N-1])**2 * v)",
        {"x": "N", "v": "N-1"},
        lambda x, v: ((x[1:] - x[:-1]) ** 2 * v).sum(),
    ),
    "concatenation": (
        "E = sum(tanh(W @ concatenate((x, y))))",
        {"W": "K,N+M", "x": "N", "y": "M"},
        lambda W, x, y: torch.tanh(W @ torch.cat((x, y))).sum(),
    ),
    "quotients": (
        "E = sum(x / (1 + x**2)) / (y @ y)",
        {"x": "N", "y": "K"},
        lambda x, y: (x / (1 + x**2)).sum() / (y @ y),
    ),
    "powers": (
        "E = sum((1 + x**2)**1.5 * exp(-x))",
        {"x": "N"},
        lambda x: ((1 + x**2) ** 1.5 * torch.exp(-x)).sum(),
    ),
    "elementary": (
        "E = sum(sin(x) * cosh(x) + log1p(x**2) * expm1(x) - cos(x) * sinh(x) + log(x**2 + 1))",
        {"x": "N"},
        lambda x: (
            torch.sin(x) * torch.cosh(x)
            + torch.log1p(x**2) * torch.expm1(x)
            - torch.cos(x) * torch.sinh(x)
            + torch.log(x**2 + 1)
        ).sum(),
    ),
    "maxima": (
        "E = sum(maximum(x, y) * minimum(x, 2 * y) + abs(x))",
        {"x": "N", "y": "N"},
        lambda x, y: (torch.maximum(x, y) * torch.minimum(x, 2 * y) + x.abs()).sum(),
    ),
    "a residual block": (
        "z = W1 @ x + b1\nh = sigmoid(z)\ny = x + W2 @ h + b2\nR = r @ h\nS = sum((y - s)**2) / 2\nE = R + S",
        {"x": "N", "W1": "K,N", "b1": "K", "W2": "N,K", "b2": "N", "r": "K", "s": "N"},
        lambda x, W1, b1, W2, b2, r, s: (
            r @ torch.sigmoid(W1 @ x + b1) + ((x + W2 @ torch.sigmoid(W1 @ x + b1) + b2 - s) ** 2).sum() / 2
        ),
    ),
    "two layers of tanh": (
        "Y = tanh(tanh(X @ W1) @ W2)\nE = sum((Y - T)**2)",
        {"X": "M,N", "W1": "N,K", "W2": "K,C", "T": "M,C"},
        lambda X, W1, W2, T: ((torch.tanh(torch.tanh(X @ W1) @ W2) - T) ** 2).sum(),
    ),
    "columns as samples": (
        "A1 = relu(W1 @ X + b1[:, None])\nE = sum((W2 @ A1 - Y)**2) / M",
        {"X": "N,M", "W1": "K,N", "b1": "K", "W2": "C,K", "Y": "C,M"},
        lambda X, W1, b1, W2, Y: ((W2 @ torch.relu(W1 @ X + b1[:, None]) - Y) ** 2).sum() / 5,
    ),
    "attention": (
        "E = sum(V * (softmax(Q @ A.T / 2, axis=1) @ B))",
        {"Q": "M,N", "A": "K,N", "B": "K,C", "V": "M,C"},
        lambda Q, A, B, V: (V * (torch.softmax(Q @ A.T / 2, 1) @ B)).sum(),
    ),
    **{
        rule: (
            f"E = sum(v * {rule}(W @ x))",
            {"W": "K,N", "x": "N", "v": "K"},
            lambda W, x, v, f=f: (v * f(W @ x)).sum(),
        )
        for rule, f in {
            "sigmoid": torch.sigmoid,
            "tanh": torch.tanh,
            "relu": torch.relu,
            "elu": functions.elu,
            "softplus": functions.softplus,
            "gelu": functions.gelu,
            "swish": functions.silu,
            "leaky_relu": functions.leaky_relu,
        }.items()
    },
}


@pytest.mark.parametrize("name", EXPRESSIONS)
def test_a_derivation_is_pytorchs_gradient_by_every_input(name):
    text, shapes, theirs = EXPRESSIONS[name]
    rng = np.random.default_rng(7)
    values = {}
    for one, shape in shapes.items():
        sizes = [eval(size, {}, SIZES) for size in shape.split(",")] if shape else []
        values[one] = rng.dirichlet(np.ones(sizes[1]), sizes[0]) if one == "T" else rng.normal(size=sizes) + 0.1
    leaf = {one: torch.tensor(value, dtype=torch.float64, requires_grad=True) for one, value in values.items()}
    theirs(**leaf).backward()
    found = cr.derive(text, wrt=list(shapes), shapes=shapes).evaluate(values)
    for one, tensor in leaf.items():
        reference = tensor.grad.numpy()
        assert np.shape(found[one]) == reference.shape
        assert np.abs(found[one] - reference).max() <= 1e-10 * max(1.0, np.abs(reference).max()), one


def test_deriving_twice_gives_pytorchs_second_derivative():
    """The Hessian of logistic regression times a vector."""
    text = "p = sigmoid(X @ w)\nE = -mean(y * log(p) + (1 - y) * log(1 - p))"
    shapes = {"X": "M,N", "w": "N", "y": "M"}
    rng = np.random.default_rng(1)
    X, w, y, v = rng.normal(size=(5, 3)), rng.normal(size=3), rng.random(5), rng.normal(size=3)
    gradient = cr.derive(text, wrt="w", shapes=shapes)
    twice = cr.derive(f"v: N\n{gradient.source}\nH = dw @ v", wrt="w")
    found = twice.evaluate({"X": X, "w": w, "y": y, "v": v})

    def loss(w):
        p = torch.sigmoid(torch.tensor(X) @ w)
        return -(torch.tensor(y) * p.log() + (1 - torch.tensor(y)) * (1 - p).log()).mean()

    _, expected = torch.autograd.functional.hvp(loss, torch.tensor(w), torch.tensor(v))
    assert np.abs(found - expected.numpy()).max() <= 1e-10
