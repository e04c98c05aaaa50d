"""How each style is called, written by hand: loss and gradients of its own code, for the corpus to prove itself.

The doctor has to find out by itself what stands here. A driver takes the namespace of the code, X (m, d), labels (m,)
and one-hot or real targets T (m, K), and the parameters P as the style holds them; it gives (loss, gradients).
"""

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import numpy as np

Arrays = dict[str, Any]
Driver = Callable[[Any, Any, Any, Any, Arrays], tuple[float, Arrays]]
NAMES = ("W1", "b1", "W2", "b2", "W3", "b3")


def propagation_column(code, X, labels, T, P):
    output, memory = code.forward_propagation(X.T, P)
    loss = code.compute_cost(output, T.T)
    return loss, lowered(code.backward_propagation(P, memory, X.T, T.T))


def propagation_row(code, X, labels, T, P):
    output, memory = code.forward_propagation(X, P)
    return code.cross_entropy(output, T), lowered(code.backward_propagation(P, memory, X, T))


def arguments_row(code, X, labels, T, P):
    values = code.forward(X, *P.values())
    z1, a1, _, a2 = values
    return code.loss_fn(a2, labels), dict(zip(P, code.backward(X, labels, z1, a1, a2, P["W1"], P["W2"]), strict=True))


def arguments_column(code, X, labels, T, P):
    output, memory = code.forward(*P.values(), X.T)
    return code.loss(output, T.T), code.backward(*P.values(), X.T, T.T, memory)


def layer_functions_column(code, X, labels, T, P):
    output, memory = code.L_model_forward(X.T, P)
    return code.compute_cost(output, T.T), lowered(code.L_model_backward(output, T.T, memory))


def layer_functions_row(code, X, labels, T, P):
    return code.loss_and_gradients(X, labels, P)


def class_attributes_row(code, X, labels, T, P):
    net = code.NeuralNetwork(*sizes(P))
    vars(net).update({name: array.copy() for name, array in P.items()})
    loss = code.NeuralNetwork.compute_loss(net, T, net.forward(X))
    net.backprop(X, T, 1e-3)
    return loss, {name: (P[name] - getattr(net, name)) / 1e-3 for name in P}


def class_attributes_column(code, X, labels, T, P):
    net = code.MLP(*sizes(P, column=True))
    vars(net).update(P)
    net.forward_prop(X.T)
    return net.cross_entropy(labels), dict(zip(P, net.back_prop(X.T, labels), strict=True))


def class_params_row(code, X, labels, T, P):
    net = code.DeepNeuralNetwork(sizes(P))
    net.params = dict(P)
    output = net.forward_pass(X)
    return net.compute_cost(output, T), net.backward_pass(T, output)


def class_params_column(code, X, labels, T, P):
    net = code.Network(sizes(P, column=True))
    net.params = dict(P)
    return net.loss(X.T, T.T), net.backward(X.T, T.T)


def layer_objects_row(code, X, labels, T, P):
    net = code.Model(*sizes(P))
    first, last = net.layers[0], net.layers[2]
    first.W, first.b, last.W, last.b = P.values()
    net.forward(X[::-1] + 1)  # what a first call leaves behind is there in every later one
    loss = net.loss.forward(net.forward(X), labels)
    net.backward()
    return loss, dict(zip(P, (first.dW, first.db, last.dW, last.db), strict=True))


def layer_objects_column(code, X, labels, T, P):
    net = code.Network(*sizes(P, column=True))
    first, last = net.layers[0], net.layers[2]
    first.weights, first.bias, last.weights, last.bias = P.values()
    loss = code.mse(net.predict(X.T), T.T)
    net.backprop(X.T, T.T)
    found = (first.grad_weights, first.grad_bias, last.grad_weights, last.grad_bias)
    return loss, dict(zip(P, found, strict=True))


def lists(code, X, labels, T, P):
    held = {name: array.tolist() for name, array in zip("WbVc", P.values(), strict=True)}
    code.forward_propagation(X[0].tolist(), held)  # what a first call leaves behind is there in every later one
    output, memory = code.forward_propagation(X[0].tolist(), held)
    found = code.backward_propagation(held, memory, X[0].tolist(), T[0].tolist())
    loss = code.cross_entropy(output, T[0].tolist())
    return loss, {name: np.array(found[f"d{key}"]) for name, key in zip(P, "WbVc", strict=True)}


def sample_vectors_column(code, X, labels, T, P):
    net = code.Network(sizes(P, column=True))
    net.weights, net.biases = [P["W1"], P["W2"]], [P["b1"], P["b2"]]
    x, t = X[:1].T, T[:1].T
    db, dW = net.backprop(x, t)
    return net.cost(net.feedforward(x), t), paired(dW, db)


def sample_vectors_row(code, X, labels, T, P):
    output, memory = code.forward(X[0], P)
    loss = code.loss(output, labels[0])
    return loss, code.backward(X[0], labels[0], P, output, memory)


def regularized_row(code, X, labels, T, P):
    net = code.TwoLayerNet(*sizes(P))
    net.params = P
    return net.loss(X, labels, reg=0.3)


def regularized_column(code, X, labels, T, P):
    output, memory = code.forward_propagation(X.T, P)
    loss = code.compute_cost_with_regularization(output, T.T, P)
    return loss, lowered(code.backward_propagation_with_regularization(X.T, T.T, memory))


def extra_row_row(code, X, labels, T, P):
    output, memory = code.forward(X, P["W1"], P["W2"])
    return code.loss(output, T), dict(zip(P, code.backward(output, T, P["W1"], P["W2"], memory), strict=True))


def extra_row_column(code, X, labels, T, P):
    loss, *found = code.nnCostFunction(P["W1"], P["W2"], X.T, T.T, 0.3)
    return loss, dict(zip(P, found, strict=True))


def three_layers_row(code, X, labels, T, P):
    output, memory = code.forward(X, P)
    return code.categorical_crossentropy(output, T), code.backward(T, P, memory)


def three_layers_column(code, X, labels, T, P):
    Z1, A1, Z2, A2, _, A3 = code.forward(X.T, *P.values())
    found = code.backward(X.T, T.T, P["W2"], P["W3"], Z1, A1, Z2, A2, A3)
    return code.cost(A3, T.T), dict(zip(P, found, strict=True))


def notebook_row(code, X, labels, T, P):
    held = {name.lower(): array for name, array in P.items()}
    output, memory = code.forward(X, held)
    found = code.backward(held, memory, labels)
    return code.cross_entropy_loss(output, labels), {name: found[name.lower()] for name in P}


def notebook_column(code, X, labels, T, P):
    Z1, A1, Z2, A2 = code.forward_prop(*P.values(), X.T)
    found = code.backward_prop(Z1, A1, Z2, A2, P["W1"], P["W2"], X.T, T.T)
    return code.get_loss(A2, T.T), dict(zip(P, found, strict=True))


def regression_row(code, X, labels, T, P):
    weights, biases = [P["W1"], P["W2"]], [P["b1"], P["b2"]]
    output, zs, activations = code.forward(X, weights, biases)
    return code.mse_loss(output, T), paired(*code.backward(T, zs, activations, weights))


def regression_column(code, X, labels, T, P):
    output, memory = code.forward(X.T, P)
    return code.J(output, T.T), lowered(code.backward(P, memory, T.T))


def no_loss_row(code, X, labels, T, P):
    output, memory = code.forward(X, P)
    return -(T * np.log(output)).sum() / len(X), code.backward(T, P, memory)


def in_place_row(code, X, labels, T, P):
    net = code.NeuralNet(*sizes(P))
    held = dict(zip(("weights1", "bias1", "weights2", "bias2"), (P[name].copy() for name in P), strict=True))
    vars(net).update(held)
    loss = net.loss(X, T)
    net.backprop(X, T, 1e-3)
    return loss, {name: (P[name] - getattr(net, key)) / 1e-3 for name, key in zip(P, held, strict=True)}


def two_hidden_row(code, X, labels, T, P):
    net = code.MLP(*sizes(P)[:2], sizes(P)[-1])
    vars(net).update(P)
    net.forward(X)
    return net.loss(labels), net.backward(labels)


def two_hidden_column(code, X, labels, T, P):
    net = code.Net(*sizes(P, column=True)[:2], sizes(P, column=True)[-1])
    vars(net).update({name.lower(): array for name, array in P.items()})
    net.feed_forward(X.T)
    net.back_propagate(T.T)
    return net.cost(T.T), {name: getattr(net, f"d{name.lower()}") for name in P}


def accumulate_row(code, X, labels, T, P):
    net = code.Perceptron(*sizes(P))
    vars(net).update(P)
    net.forward(X[0])
    net.backward(T[0])
    return net.loss(T[0]), {name: getattr(net, f"d{name}") for name in P}


def softmax_squared_row(code, X, labels, T, P):
    _, a1, _, a2 = code.forward(X, *P.values())
    return code.loss(a2, T), dict(zip(P, code.backward(X, T, P["W2"], a1, a2), strict=True))


def globals_row(code, X, labels, T, P):
    vars(code).update(P)
    code.forward(X)
    return code.compute_loss(labels), dict(zip(P, code.backward(X, labels), strict=True))


def binary_column(code, X, labels, T, P):
    output, memory = code.forward_propagation(X.T, P)
    return code.compute_cost(output, T.T), lowered(code.backward_propagation(P, memory, X.T, T.T))


def private_row(code, X, labels, T, P):
    net = code.MyMLP(alpha=0.3)
    net.coefs_, net.intercepts_ = [P["W1"], P["W2"]], [P["b1"], P["b2"]]
    return net._loss(X, T), paired(*net._backward(X, T))


def leaky_column(code, X, labels, T, P):
    net = code.NeuralNet(sizes(P, column=True))
    for l, layer in enumerate(net.layers, 1):
        layer["W"], layer["b"] = P[f"W{l}"], P[f"b{l}"]
    net.forward(X.T)
    net.backward(T.T)
    return net.cost(T.T), paired([layer["dW"] for layer in net.layers], [layer["db"] for layer in net.layers])


def inside_column(code, X, labels, T, P):
    weights, biases = [P["W1"], P["W2"]], [P["b1"], P["b2"]]
    return code.cost_function(X.T, T.T, weights, biases), paired(*code.backprop(X.T, T.T, weights, biases))


def tuples_row(code, X, labels, T, P):
    layers = (P["W1"], P["b1"]), (P["W2"], P["b2"])
    output, memory = code.model(X, *layers)
    (dW1, db1), (dW2, db2) = code.gradients(T, *layers, memory)
    return code.squared_error(output, T), {"W1": dW1, "b1": db1, "W2": dW2, "b2": db2}


def paired(weights: Any, biases: Any) -> Arrays:
    """Gradients in lists under the names of their parameters."""
    named = zip("Wb", (weights, biases), strict=True)
    return {f"{letter}{l}": G for letter, found in named for l, G in enumerate(found, 1)}


def lowered(found: Arrays) -> Arrays:
    """Gradients called dW1 under the names of their parameters, without those of anything else."""
    return {name: found[f"d{name}"] for name in NAMES if f"d{name}" in found}


def sizes(P: Arrays, column: bool = False) -> list[int]:
    weights = [P[name] for name in P if name.startswith("W")]
    widths = [W.T.shape if column else W.shape for W in weights]
    return [widths[0][0], *(width[1] for width in widths)]


DRIVERS: dict[str, Driver] = {
    name: function
    for name, function in list(globals().items())
    if name.endswith(("_row", "_column")) or name == "lists"
}
# Number of layers, 2 by default, and biases (h,), (1, h), (h, 1) in columns by default, or an "extra" row or column.
LAYERS = {
    "two_hidden_row": 3,
    "leaky_column": 3,
    "two_hidden_column": 3,
    "layer_functions_column": 3,
    "class_params_column": 3,
    "three_layers_row": 3,
    "three_layers_column": 3,
}
BIASES = {
    "arguments_row": "(h,)", "layer_functions_row": "(h,)", "layer_objects_row": "(h,)", "lists": "(h,)",
    "sample_vectors_row": "(h,)", "regularized_row": "(h,)", "three_layers_row": "(h,)", "notebook_row": "(h,)",
    "regression_row": "(h,)", "in_place_row": "(h,)", "no_loss_row": "(h,)",
    "two_hidden_row": "(h,)", "accumulate_row": "(h,)", "private_row": "(h,)", "tuples_row": "(h,)",
    "softmax_squared_row": "(h,)",
    "extra_row_row": "extra", "extra_row_column": "extra",
}  # fmt: skip


def start(style: str, draw: np.random.Generator) -> tuple[Any, Any, Any, Arrays]:
    """X (m, d), labels, targets and parameters in the shapes of the style, of which no two sizes are the same."""
    widths = [7, 6, 4] if LAYERS.get(style, 2) == 2 else [7, 6, 8, 4]
    widths = [2, 3, 2] if style == "lists" else [7, 6, 1] if style == "binary_column" else widths
    widths = [7, 6, 6, 4] if style.startswith("two_hidden") else widths
    m, K = 5, widths[-1]
    X = draw.normal(size=(m, widths[0]))
    labels = draw.integers(K, size=m)
    T = np.eye(K)[labels] if K > 1 else np.arange(m)[:, None] % 2.0
    if style.startswith("regression") or style == "layer_objects_column":
        T = draw.normal(size=(m, K))
    column, bias = style.endswith("column"), BIASES.get(style, "keepdims")
    P: Arrays = {}
    for l, (fan_in, fan_out) in enumerate(pairwise(widths), 1):
        W, b = draw.normal(size=(fan_in, fan_out)) / np.sqrt(fan_in), draw.normal(size=(1, fan_out))
        if bias == "extra":
            W = np.vstack([b, W])
        P[f"W{l}"] = W.T.copy() if column else W
        if bias != "extra":
            P[f"b{l}"] = b[0] if bias == "(h,)" else b.T.copy() if column else b
    return X, labels, T, P
