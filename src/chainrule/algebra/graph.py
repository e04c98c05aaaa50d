"""A derivation as a graph: a box for every name, circles for the operations of its line, local derivatives on the way
back.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from chainrule.algebra.functions import COMPARISONS
from chainrule.algebra.matrices import Names, show
from chainrule.algebra.plain import plain
from chainrule.algebra.sizes import Shape
from chainrule.algebra.source import items_text
from chainrule.algebra.steps import Step
from chainrule.algebra.tree import Node as Tree
from chainrule.graphs import Edge, Graph, Node

if TYPE_CHECKING:
    from chainrule.algebra.deriving import Derivation

LONGEST_LABEL = 40  # signs of a local derivative beside its arrow

_SIGNS = {
    "add": "+", "subtract": "−", "divide": "/", "power": "^", "negative": "−", "matmul": "@", "transpose": "ᵀ",
    "sum": "Σ", "norm": "‖ ‖", "trace": "tr", "cross_entropy": "cross-entropy",
}  # fmt: skip
_AXES = {0: " rows", 1: " columns"}


def graph(derivation: "Derivation", values: Mapping[str, NDArray[np.float64]] | None = None) -> Graph:
    """The equations of `derivation`, with the norm of every array and gradient where `values` has it under its name."""
    drawing = _Drawing(derivation, values or {})
    for name in derivation.unfolded.inputs:
        drawing.value(name)
    for line in derivation.unfolded.lines:
        made_by = drawing.operation(line.expression, line.name)
        drawing.value(line.name)
        drawing.edges.append(Edge(made_by, line.name, constant=line.name not in derivation.found.adjoints))
    return Graph(drawing.nodes, drawing.edges, derivation.title)


class _Drawing:
    """The graph while it grows, line by line."""

    def __init__(self, derivation: "Derivation", values: Mapping[str, NDArray[np.float64]]) -> None:
        self.shapes, self.values = derivation.unfolded.shapes, values
        self.adjoints, self.prefix = derivation.found.adjoints, derivation.found.prefix
        self.labels = {edge: _label(step) for edge, step in derivation.local_derivatives.items()}
        self.nodes: list[Node] = []
        self.edges: list[Edge] = []

    def value(self, name: str) -> None:
        number, gradient = self.values.get(name), self.values.get(self.prefix + name)
        self.nodes.append(Node(name, name, _shape(self.shapes[name]), _size(number), _size(gradient)))

    def operation(self, tree: Tree, line: str) -> str:
        """The circle of an operation, with those of its operands above it; returns its key."""
        if tree.op == "name":
            return self.copied(tree, line)
        variable = [child for child in tree.children if child.names]
        above = [
            (child.name, self.label(line, child.name)) if child.op == "name" else (self.operation(child, line), "")
            for child in variable
        ]
        key = self.circle(_sign(tree), line)
        for child, (source, label) in zip(variable, above, strict=True):
            self.edges.append(Edge(source, key, label, constant=not any(name in self.adjoints for name in child.names)))
        return key

    def copied(self, tree: Tree, line: str) -> str:
        """A line that is another name: the circle says so."""
        key = self.circle("=", line)
        self.edges.append(Edge(tree.name, key, self.label(line, tree.name), constant=tree.name not in self.adjoints))
        return key

    def circle(self, sign: str, line: str) -> str:
        key = f"{line}: {len(self.nodes)}"
        self.nodes.append(Node(key, sign, operation=True))
        return key

    def label(self, line: str, name: str) -> str:
        """∂line/∂name, on the first of its arrows: it is the derivative along all of them."""
        return self.labels.pop((line, name), "")


def _label(step: Step) -> str:
    """The equation, its right side where that is too long, or what it is the derivative of."""
    (equation,) = step.equations
    whole, right = plain(equation.formula), plain(equation.right)
    short = next((text for text in (whole, right) if len(text) <= LONGEST_LABEL), None)
    return short if short is not None else "∂{}/∂{}".format(*step.of.split("/"))


def _sign(tree: Tree) -> str:
    """The sign of an operation; numbers and other constants that it is done with stand beside it."""
    if tree.op == "getitem":
        return f"[{items_text(tree)}]"
    sign = _SIGNS.get(tree.op, tree.op)
    if tree.op == "multiply":
        sign = "∘" if all(child.shape for child in tree.children) else "·"
    if tree.op == "apply":
        sign = COMPARISONS.get(tree.data.name, tree.data.name)
        sign += f"({', '.join(f'{value:g}' for value in tree.data.settings)})" if tree.data.settings else ""
    if tree.op in ("sum", "mean", "norm", "logsumexp") and len(tree.children[0].shape) == 2:
        sign += _AXES.get(tree.data[0], "")
    if tree.op == "softmax" and len(tree.shape) == 2:
        sign += {0: " rows", None: " all"}.get(tree.data[0], "")  # each row is one sample unless it is said
    if not tree.children:
        return plain(show(tree, Names()))
    constants = [None if child.names else plain(show(child, Names())) for child in tree.children]
    if len(constants) == 2 and tree.op != "concatenate":
        left, right = constants
        return " ".join(part for part in (left, sign, right) if part is not None)
    return sign


def _shape(shape: Shape) -> str:
    return "×".join(map(str, shape))


def _size(array: NDArray[np.float64] | None) -> str:
    """A number, or the Euclidean norm of an array."""
    if array is None:
        return ""
    return f"{float(array) + 0.0:.4g}" if array.ndim == 0 else f"‖{float(np.linalg.norm(array)):.4g}‖"
