"""Backward passes as people write them, line by line, and the mistakes that people make in them.

A lesson is a forward and a backward pass in lines of NumPy; a mistake replaces lines of the backward pass, found
by what stands left of the equals sign. Ids like F07 are those of the printed mistakes from which the project began.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from chainrule.rules.activations import logistic

Arrays = dict[str, Any]


def softmax(Z: Any, axis: int = 1) -> Any:
    e = np.exp(Z - Z.max(axis=axis, keepdims=True))
    return e / e.sum(axis=axis, keepdims=True)


def through_softmax(dA: Any, A: Any) -> Any:
    """dZ from dA, with the whole Jacobian."""
    return A * (dA - (dA * A).sum(axis=1, keepdims=True))


TOOLS = {
    "through_softmax": through_softmax,
    "np": np,
    "exp": np.exp,
    "log": np.log,
    "tanh": np.tanh,
    "sigmoid": logistic,
    "softmax": softmax,
}


@dataclass(frozen=True)
class Lesson:
    """A forward pass that ends in `loss`, its backward pass, and widths of which no two and no m are the same."""

    forward: str
    backward: str
    shapes: dict[str, tuple[str, ...]]
    sizes: dict[str, int]
    constants: dict[str, Any] = field(default_factory=dict)
    square: int = 5

    def parameters(self, square: bool = False) -> Arrays:
        """All off zero; with `square` every size is the same, so that no shape betrays a mistake."""
        rng = np.random.default_rng(0)
        size = dict.fromkeys(self.sizes, self.square) if square else self.sizes
        names = [name for name in self.shapes if name not in ("X", "Y")]
        return {name: rng.normal(0.1, 0.6, [size[s] for s in self.shapes[name]]) for name in names}

    def data(self, square: bool = False) -> Arrays:
        rng = np.random.default_rng(5)
        size = dict.fromkeys(self.sizes, self.square) if square else self.sizes
        X = rng.normal(size=[size[s] for s in self.shapes["X"]])
        m, K = (size[s] for s in self.shapes["Y"])
        classes = "softmax" in self.forward
        Y = np.eye(K)[rng.integers(K, size=m)] if classes else rng.uniform(0.1, 0.9, size=(m, K))
        return {"X": X, "Y": Y, "m": m, "K": K, **self.constants}

    def loss(self, data: Arrays) -> Callable[[Arrays], float]:
        code = compile(self.forward, "forward", "exec")

        def run(parameters: Arrays) -> float:
            values = {**TOOLS, **data, **parameters}
            exec(code, values)
            return float(values["loss"])

        return run

    def gradient(self, data: Arrays, mistake: str = "") -> Callable[[Arrays], Arrays]:
        """The backward pass with `mistake` in place of the lines that assign the same names, or at its end."""
        code = compile(self.forward + "\n" + planted(self.backward, mistake), "backward", "exec")

        def run(parameters: Arrays) -> Arrays:
            values = {**TOOLS, **data, **parameters}
            exec(code, values)
            return {name: values[f"d{name}"] for name in parameters}

        return run


def planted(backward: str, mistake: str) -> str:
    """A line `name = …` of the mistake replaces the line of that name; `name op= …` or `name[…] = …` follows it."""
    lines = backward.strip().splitlines()
    places = {line.split(" = ")[0]: number for number, line in enumerate(lines)}
    for line in filter(None, map(str.strip, mistake.strip().splitlines())):
        name = line.split(" ")[0].split("[")[0]
        if name not in places:
            raise AssertionError(f"the backward pass has no line for {name}")
        number = places[name]
        replaces = line.split(" = ")[0] == name
        lines[number] = line if replaces else f"{lines[number]}\n{line}"
    return "\n".join(lines)


CLASSIFIER = Lesson(
    forward="""
Z1 = X @ W1 + b1
A1 = sigmoid(Z1)
Z2 = A1 @ W2 + b2
A2 = tanh(Z2)
Z3 = A2 @ W3 + b3
A3 = Z3 * (Z3 > 0)
Z4 = A3 @ W4 + b4
A4 = softmax(Z4)
loss = -(Y * log(A4)).sum() / m + l2 / 2 * sum((W**2).sum() for W in (W1, W2, W3, W4))
""",
    backward="""
dZ4 = (A4 - Y) / m
dW4 = A3.T @ dZ4 + l2 * W4
db4 = dZ4.sum(axis=0)
dA3 = dZ4 @ W4.T
dZ3 = dA3 * (Z3 > 0)
dW3 = A2.T @ dZ3 + l2 * W3
db3 = dZ3.sum(axis=0)
dA2 = dZ3 @ W3.T
dZ2 = dA2 * (1 - A2**2)
dW2 = A1.T @ dZ2 + l2 * W2
db2 = dZ2.sum(axis=0)
dA1 = dZ2 @ W2.T
dZ1 = dA1 * A1 * (1 - A1)
dW1 = X.T @ dZ1 + l2 * W1
db1 = dZ1.sum(axis=0)
""",
    shapes={
        "X": ("m", "d"),
        "Y": ("m", "K"),
        "W1": ("d", "h1"),
        "b1": ("h1",),
        "W2": ("h1", "h2"),
        "b2": ("h2",),
        "W3": ("h2", "h3"),
        "b3": ("h3",),
        "W4": ("h3", "K"),
        "b4": ("K",),
    },
    sizes={"m": 9, "d": 3, "h1": 5, "h2": 6, "h3": 7, "K": 4},
    constants={"l2": 0.1},
)

# Regression with a residual connection (A1 is used twice), batch normalisation and a dropout mask.
REGRESSION = Lesson(
    forward="""
Z1 = X @ W1
v = Z1.var(axis=0) + 1e-5
N1 = (Z1 - Z1.mean(axis=0)) / np.sqrt(v)
U1 = gamma1 * N1 + beta1
A1 = tanh(U1)
D1 = A1 * M1
Z2 = D1 @ W2 + b2
A2 = D1 + sigmoid(Z2)
Z3 = A2 @ W3 + b3
loss = ((Z3 - Y) ** 2).sum() / 2 / m
""",
    backward="""
dZ3 = (Z3 - Y) / m
dW3 = A2.T @ dZ3
db3 = dZ3.sum(axis=0)
dA2 = dZ3 @ W3.T
S2 = sigmoid(Z2)
dZ2 = dA2 * S2 * (1 - S2)
dW2 = D1.T @ dZ2
db2 = dZ2.sum(axis=0)
dD1 = dA2 + dZ2 @ W2.T
dA1 = dD1 * M1
dU1 = dA1 * (1 - A1**2)
dgamma1 = (dU1 * N1).sum(axis=0)
dbeta1 = dU1.sum(axis=0)
dN1 = dU1 * gamma1
dZ1 = (dN1 - dN1.mean(axis=0) - N1 * (dN1 * N1).mean(axis=0)) / np.sqrt(v)
dW1 = X.T @ dZ1
""",
    shapes={
        "X": ("m", "d"),
        "Y": ("m", "K"),
        "W1": ("d", "h"),
        "gamma1": ("h",),
        "beta1": ("h",),
        "W2": ("h", "h"),
        "b2": ("h",),
        "W3": ("h", "K"),
        "b3": ("K",),
    },
    sizes={"m": 9, "d": 3, "h": 5, "K": 2},
    constants={"M1": np.array([[1.25, 0, 1.25, 1.25, 0]])},
)

# Two outputs of their own each, binary cross-entropy.
LABELS = Lesson(
    forward="""
Z1 = X @ W1 + b1
A1 = np.where(Z1 > 0, Z1, 0.2 * Z1)
Z2 = A1 @ W2 + b2
A2 = sigmoid(Z2)
loss = -(Y * log(A2) + (1 - Y) * log(1 - A2)).sum() / m
""",
    backward="""
dZ2 = (A2 - Y) / m
dW2 = A1.T @ dZ2
db2 = dZ2.sum(axis=0)
dA1 = dZ2 @ W2.T
dZ1 = dA1 * np.where(Z1 > 0, 1, 0.2)
dW1 = X.T @ dZ1
db1 = dZ1.sum(axis=0)
""",
    shapes={"X": ("m", "d"), "Y": ("m", "K"), "W1": ("d", "h"), "b1": ("h",), "W2": ("h", "K"), "b2": ("K",)},
    sizes={"m": 9, "d": 3, "h": 5, "K": 2},
)

LESSONS = {"classifier": CLASSIFIER, "regression": REGRESSION, "labels": LABELS}


@dataclass(frozen=True)
class Mistake:
    """What is wrong, in whose lines; `square` where it only runs if all sizes are the same."""

    what: str
    lines: str
    lesson: Lesson = CLASSIFIER
    square: bool = False


MISTAKES = [
    # the output
    Mistake("F01 the logits in place of the targets", "dZ4 = (A4 - Z4) / m"),
    Mistake("F02 the sign of the loss", "dZ4 = (Y - A4) / m"),
    Mistake("F05 the factor y_k dropped", "dZ4 = (K * A4 - 1) / m"),
    Mistake("F08 plus for times", "dZ4 = (A4 + Y.sum(axis=1, keepdims=True) - Y) / m"),
    Mistake("F10 the sign of the second term", "dZ4 = -(Y * (1 - A4) + A4 * (Y.sum(axis=1, keepdims=True) - Y)) / m"),
    Mistake("F11 not divided by the batch", "dZ4 = A4 - Y"),
    Mistake("divided by the batch twice", "dZ4 = (A4 - Y) / m / m"),
    Mistake("divided by the number of classes", "dZ4 = (A4 - Y) / m / K"),
    Mistake("F16 the normaliser dropped", "dZ4 = np.where(Y == 1, exp(Z4) - 1, A4) / m"),
    Mistake(
        "F17 the index of the second factor", "dZ4 = np.where(Y == 1, A4 - 1, (A4 * Y).sum(axis=1, keepdims=True)) / m"
    ),
    Mistake("F18 the scale −2·mean of the loss", "dZ4 = 2 * (A4 - Y) / (m * K)"),
    Mistake("F21 the softmax over the wrong axis", "dZ4 = (softmax(Z4, axis=0) - Y) / m"),
    Mistake(
        "F24 binary cross-entropy on softmax outputs",
        "dZ4 = through_softmax((A4 - Y) / (A4 * (1 - A4)) / K, A4) / m",
    ),
    Mistake("the Jacobian of softmax reduced to its diagonal", "dZ4 = -Y * (1 - A4) / m"),
    Mistake("the Jacobian of softmax left out", "dZ4 = -Y / A4 / m"),
    Mistake("the derivative of the sigmoid applied to the fused form", "dZ4 = (A4 - Y) * A4 * (1 - A4) / m"),
    Mistake("a factor 2 with squared error", "dZ3 = 2 * (Z3 - Y) / m", REGRESSION),
    Mistake("the sign of the residual", "dZ3 = (Y - Z3) / m", REGRESSION),
    Mistake("squared error taken as absolute", "dZ3 = np.sign(Z3 - Y) / m", REGRESSION),
    Mistake("squared error divided by the outputs too", "dZ3 = (Z3 - Y) / m / K", REGRESSION),
    Mistake("the gradient of squared error for sigmoid outputs", "dZ2 = (A2 - Y) * A2 * (1 - A2) / m", LABELS),
    Mistake("only the term of the positive class", "dZ2 = -Y * (1 - A2) / m", LABELS),
    # weights
    Mistake("F03 the input where the hidden layer belongs", "dW3 = A1.T @ dZ3 + l2 * W3", square=True),
    Mistake("F06 an extra sum over samples", "dW1 = m * X.T @ dZ1 + l2 * W1"),
    Mistake("F04 the gradient transposed", "dW2 = dZ2.T @ A1", LABELS),
    Mistake("F04 the gradient transposed, all sizes the same", "dW3 = dZ3.T @ A2 + l2 * W3", square=True),
    Mistake("F07 the weights not transposed", "dA3 = dZ4 @ W4", square=True),
    Mistake("F07 elementwise where a product belongs", "dW4 = A3 * dZ4 + l2 * W4", square=True),
    Mistake("the features transposed", "dW1 = X @ dZ1 + l2 * W1", square=True),
    Mistake("F20 Z in place of A from the cache", "dW4 = Z3.T @ dZ4 + l2 * W4"),
    Mistake("the activation of the wrong layer", "dW3 = A1.T @ dZ3 + l2 * W3", square=True),
    Mistake("the last sample dropped", "dW2 = A1[:-1].T @ dZ2[:-1] + l2 * W2"),
    Mistake("only the first sample", "dW2 = A1[:1].T @ dZ2[:1] + l2 * W2"),
    Mistake("dW4 used where W4 belongs", "dA3 = dZ4 @ dW4.T"),
    Mistake("W4 updated before dA3 is formed", "dA3 = dZ4 @ (W4 - 0.01 * dW4).T"),
    Mistake("the mask of dropout in the gradient of the weights only", "dW2 = A1.T @ dZ2", REGRESSION),
    # the penalty
    Mistake("the penalty forgotten", "dW3 = A2.T @ dZ3"),
    Mistake("the penalty without its half", "dW3 = A2.T @ dZ3 + 2 * l2 * W3"),
    Mistake("the penalty divided by the batch", "dW3 = A2.T @ dZ3 + l2 * W3 / m"),
    Mistake("the penalty on the biases", "db3 = dZ3.sum(axis=0) + l2 * b3"),
    Mistake("the penalty's sign", "dW1 = X.T @ dZ1 - l2 * W1"),
    Mistake("the absolute penalty in place of the square", "dW1 = X.T @ dZ1 + l2 * np.sign(W1)"),
    # biases
    Mistake("F22 db summed over the classes", "db4 = dZ4.sum(axis=1)"),
    Mistake("F22 db summed over the classes, all sizes the same", "db4 = dZ4.sum(axis=1)", square=True),
    Mistake("F23 db collapsed to a scalar", "db1 = dZ1.sum()"),
    Mistake("F23 db collapsed and spread again", "db1 = np.full_like(b1, dZ1.sum())"),
    Mistake("db grows to one row a sample", "db1 = dZ1"),
    Mistake("db keeps its axis", "db1 = dZ1.sum(axis=0, keepdims=True)"),
    Mistake("db is a mean on top of the mean", "db2 = dZ2.mean(axis=0)"),
    Mistake("db forgotten", "db2 = np.zeros_like(b2)"),
    Mistake("db of the last layer from before the activation", "db3 = dA3.sum(axis=0)"),
    # activations
    Mistake("tanh′ taken of the activation", "dZ2 = dA2 * (1 - tanh(A2) ** 2)"),
    Mistake("tanh′ taken of Z without tanh", "dZ2 = dA2 * (1 - Z2**2)"),
    Mistake("tanh′ without the square", "dZ2 = dA2 * (1 - A2)"),
    Mistake("σ′ taken of the activation", "dZ1 = dA1 * sigmoid(A1) * (1 - sigmoid(A1))"),
    Mistake("σ′ is σ(z)", "dZ1 = dA1 * A1"),
    Mistake("σ′ with the sign of 1 + a", "dZ1 = dA1 * A1 * (1 + A1)"),
    Mistake("σ′ left out", "dZ1 = dA1"),
    Mistake("the mask of ReLU from the wrong layer", "dZ3 = dA3 * (Z2 > 0)", square=True),
    Mistake("the mask of ReLU taken of dA", "dZ3 = dA3 * (dA3 > 0)"),
    Mistake("the mask of ReLU left out", "dZ3 = dA3"),
    Mistake("the mask of ReLU inverted", "dZ3 = dA3 * (Z3 <= 0)"),
    Mistake("ReLU in place of its mask", "dZ3 = dA3 * A3"),
    Mistake("the slope of leaky ReLU forgotten", "dZ1 = dA1 * (Z1 > 0)", LABELS),
    Mistake("the slope of leaky ReLU on the wrong side", "dZ1 = dA1 * np.where(Z1 > 0, 0.2, 1)", LABELS),
    # the chain
    Mistake(
        "F13 the elementwise factor outside the transpose", "dA2 = (dZ3 * (1 - A2**2)) @ W3.T\ndZ2 = dA2", square=True
    ),
    Mistake("dot where an elementwise product belongs", "dZ2 = dA2 @ (1 - A2**2)", square=True),
    Mistake("the weights of the wrong layer", "dA2 = dZ3 @ W2.T", square=True),
    Mistake("a layer skipped", "dA1 = dZ3 @ W2.T", square=True),
    Mistake("the chain cut", "dA2 = np.zeros_like(A2)"),
    Mistake("a node used twice: only the straight way", "dD1 = dA2", REGRESSION),
    Mistake("a node used twice: overwritten by the last way", "dD1 = dZ2 @ W2.T", REGRESSION),
    Mistake("a node used twice: counted twice", "dD1 = 2 * dA2 + dZ2 @ W2.T", REGRESSION),
    # batch normalisation and dropout
    Mistake(
        "batch norm: the mean taken for a constant",
        "dZ1 = (dN1 - N1 * (dN1 * N1).mean(axis=0)) / np.sqrt(v)",
        REGRESSION,
    ),
    Mistake("batch norm: the variance taken for a constant", "dZ1 = (dN1 - dN1.mean(axis=0)) / np.sqrt(v)", REGRESSION),
    Mistake("batch norm: both taken for constants", "dZ1 = dN1 / np.sqrt(v)", REGRESSION),
    Mistake("batch norm: γ forgotten", "dN1 = dU1", REGRESSION),
    Mistake("batch norm: dγ without the normalised values", "dgamma1 = dU1.sum(axis=0)", REGRESSION),
    Mistake(
        "batch norm: divided by the variance",
        "dZ1 = (dN1 - dN1.mean(axis=0) - N1 * (dN1 * N1).mean(axis=0)) / v",
        REGRESSION,
    ),
    Mistake("dropout: no mask on the way back", "dA1 = dD1", REGRESSION),
    Mistake("dropout: the mask without its scale", "dA1 = dD1 * (M1 > 0)", REGRESSION),
    Mistake("dropout: the mask twice", "dA1 = dD1 * M1 * M1", REGRESSION),
    # small and single
    Mistake("one entry off by a thousandth", "dW2[3, 1] *= 1.001"),
    Mistake("one entry off by a hundred-thousandth", "dW2[3, 1] *= 1.00001"),
    Mistake("one entry zero", "dW1[0, 0] = 0"),
    Mistake("the smallest entry with the wrong sign", "dW3[np.unravel_index(np.abs(dW3).argmin(), W3.shape)] *= -1"),
    Mistake("two rows exchanged", "dW2[[0, 1]] = dW2[[1, 0]]"),
    Mistake("two columns exchanged", "dW2[:, [2, 4]] = dW2[:, [4, 2]]"),
    Mistake("the gradient clipped", "dW4 = np.clip(A3.T @ dZ4 + l2 * W4, -0.05, 0.05)"),
    Mistake("rounded to three digits", "dW4 = np.round(A3.T @ dZ4 + l2 * W4, 3)"),
    Mistake("not a number", "dW4[1, 1] = np.nan"),
    Mistake("everything a millionth too great, twice over", "dZ4 = (A4 - Y) / m * (1 + 3e-6)"),
]
