"""Graphs of what the other rooms compute: of a scalar value with its whole past, and of a network."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from chainrule.errors import InputError, shown
from chainrule.graphs.structure import Edge, Graph, Node
from chainrule.network import Gradients, Layer, Network, Trace
from chainrule.scalar import Value


def graph(thing: Any, x: ArrayLike | None = None, y: Any = None) -> Graph:
    """The graph of a `Value`, of a `Network`, or of anything that has a method `graph()`.

    A network's has the shapes of its values; for given inputs x (m, d) and targets y also the loss and, at every
    gradient, its Euclidean norm. Raises InputError where x or y do not fit or only one of them is given.
    """
    if isinstance(thing, Graph):
        return thing
    if isinstance(thing, Value):
        return _of_value(thing)
    if isinstance(thing, Network):
        return _of_network(thing, x, y)
    made = thing.graph() if callable(getattr(thing, "graph", None)) else None
    if not isinstance(made, Graph):
        raise InputError(f"{shown(thing)} cannot be drawn as a graph", "Give a Value, a Network or a derivation.")
    return made


def _of_value(result: Value) -> Graph:
    tape = result.tape()
    place = {value: i for i, value in enumerate(tape)}
    seen_gradient = any(value.gradient for value in tape)
    nodes, edges = [], []
    for value, i in place.items():
        gradient = _number(value.gradient) if seen_gradient else ""
        nodes.append(Node(f"v{i}", value.name, "", _number(value.number), gradient))
        if not value.parents:
            continue
        nodes.append(Node(f"o{i}", value.operation, operation=True))
        locals_of: dict[int, list[str]] = {}
        for parent, slope in zip(value.parents, value.local, strict=True):
            locals_of.setdefault(place[parent], []).append(_number(slope))
        edges += [Edge(f"v{parent}", f"o{i}", " + ".join(slopes)) for parent, slopes in locals_of.items()]
        edges.append(Edge(f"o{i}", f"v{i}"))
    return Graph(nodes, edges, result.name)


def _of_network(net: Network, x: ArrayLike | None, y: Any) -> Graph:
    if (x is None) != (y is None):
        raise InputError("only one of x and y is given", "Give both, for numbers, or neither.")
    trace = net.forward(x) if x is not None else None
    gradients = net.backward(trace, y, wrt_input=True) if trace is not None else None
    return _Drawing(net, trace, gradients, y).graph()


class _Drawing:
    """A network's graph while it grows, layer by layer."""

    def __init__(self, net: Network, trace: Trace | None, gradients: Gradients | None, y: Any) -> None:
        self.net, self.trace, self.gradients, self.y = net, trace, gradients, y
        self.rows = str(len(trace["A0"])) if trace is not None else "m"
        self.nodes: list[Node] = []
        self.edges: list[Edge] = []

    def graph(self) -> Graph:
        self._value("A0", self.net.layers[0])
        below = "A0"
        for layer in self.net.structure.layers:
            below = self._layer(layer, below)
        self._loss(below)
        return Graph(self.nodes, self.edges, "–".join(map(str, self.net.layers)))

    def _layer(self, layer: Layer, below: str) -> str:
        l, width = layer.index, layer.width
        self._parameter(f"W{l}")
        self._operation(f"@{l}", "@", (below, f"· W{l}ᵀ"), (f"W{l}", f"{below}ᵀ ·"))
        inner = f"Z{l}"
        if layer.batch_norm:
            inner = self._normalised(layer)
        else:
            self._parameter(f"b{l}")
            self._operation(f"+{l}", "+", (f"@{l}", "1"), (f"b{l}", "Σ rows"))
            self._value(inner, width, f"+{l}")
        if layer.activation is None:
            return inner
        name = layer.activation.name.split("(")[0]
        self._operation(f"f{l}", name, (inner, f"∘ {name}′({inner})"))
        self._value(f"A{l}", width, f"f{l}")
        if not layer.dropout:
            return f"A{l}"
        self._operation(f"mask{l}", f"dropout {layer.dropout:g}", (f"A{l}", f"∘ M{l}"))
        self._value(f"D{l}", width, f"mask{l}")
        return f"D{l}"

    def _normalised(self, layer: Layer) -> str:
        l, width = layer.index, layer.width
        self._value(f"Z{l}", width, f"@{l}")
        self._operation(f"norm{l}", "norm", (f"Z{l}", f"÷ √(variance{l} + ε)"))
        self._value(f"N{l}", width, f"norm{l}")
        self._parameter(f"gamma{l}")
        self._operation(f"∘{l}", "∘", (f"N{l}", f"∘ gamma{l}"), (f"gamma{l}", f"Σ rows ∘ N{l}"))
        self._parameter(f"beta{l}")
        self._operation(f"+{l}", "+", (f"∘{l}", "1"), (f"beta{l}", "Σ rows"))
        self._value(f"U{l}", width, f"+{l}")
        return f"U{l}"

    def _loss(self, below: str) -> None:
        L, K, output = len(self.net.structure.layers), self.net.layers[-1], self.net.output
        paired = output.name in ("softmax", "sigmoid", "identity")
        self._operation("g", output.name, (below, f"A{L} − T, with the loss" if paired else f"∂ℓ/∂Z{L}, with the loss"))
        self._value(f"A{L}", K, "g")
        self.nodes.append(Node("T", "T", f"{self.rows}×{K}"))
        self._operation("loss", output.loss_name, (f"A{L}", f"÷ {self.rows}"))
        self.edges.append(Edge("T", "loss", constant=True))
        number = _number(self.net.loss_at(self.trace, self.y)) if self.trace is not None else ""
        self.nodes.append(Node("L", "loss", "", number, "1" if number else ""))
        self.edges.append(Edge("loss", "L", "1"))

    def _parameter(self, name: str) -> None:
        P = self.net.parameters()[name]
        self.nodes.append(Node(name, name, "×".join(map(str, P.shape)), gradient=self._norm(name)))

    def _value(self, name: str, width: int, made_by: str = "") -> None:
        self.nodes.append(Node(name, name, f"{self.rows}×{width}", gradient=self._norm(name)))
        if made_by:
            self.edges.append(Edge(made_by, name))

    def _operation(self, key: str, sign: str, *inputs: tuple[str, str]) -> None:
        self.nodes.append(Node(key, sign, operation=True))
        self.edges += [Edge(source, key, local) for source, local in inputs]

    def _norm(self, name: str) -> str:
        if self.gradients is None:
            return ""
        G = self.gradients.get(name, self.gradients.deltas.get(name))
        return f"‖{_number(float(np.linalg.norm(G)))}‖" if G is not None else ""


def _number(value: float) -> str:
    return f"{value + 0.0:.4g}"
