"""A computation as a graph that knows nothing of where it came from: boxes for values, circles for operations."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape

from chainrule.errors import InputError, shown

MOST_DRAWN = 1000  # nodes of a picture; a tree or DOT text may have more


@dataclass(frozen=True)
class Node:
    """A value (a box) or an operation (a circle).

    key        what edges call it by; every key occurs once
    name       what stands in it: the name of a value, the sign of an operation
    shape      of an array, such as "7×3"; number and gradient: as they are to be read; each empty where there is none
    operation  whether it is one
    """

    key: str
    name: str
    shape: str = ""
    number: str = ""
    gradient: str = ""
    operation: bool = False

    @property
    def lines(self) -> list[str]:
        """What stands in the box or circle."""
        if self.operation:
            return [self.name]
        head = " ".join(part for part in (self.name, self.shape) if part)
        numbers = [f"= {self.number}" if head else self.number] if self.number else []
        return [*([head] if head else []), *numbers, *([f"∂ {self.gradient}"] if self.gradient else [])] or [" "]


@dataclass(frozen=True)
class Edge:
    """From what is used to what uses it; `local` is the local derivative that the backward arrow multiplies by.

    Nothing flows back to what is `constant`, such as targets.
    """

    source: str
    target: str
    local: str = ""
    constant: bool = False


@dataclass(frozen=True)
class Graph:
    """Nodes and edges without a cycle; raises InputError where a key is double or unknown, or a value needs itself."""

    nodes: Sequence[Node]
    edges: Sequence[Edge]
    title: str = ""

    def __post_init__(self) -> None:
        keys = {node.key for node in self.nodes}
        if len(keys) != len(self.nodes):
            raise InputError("two nodes of the graph have the same key", "Give every node a key of its own.")
        for edge in self.edges:
            for key in (edge.source, edge.target):
                if key not in keys:
                    raise InputError(f"an edge names the node {shown(key)}, which is not there", "Add the node first.")
        self.ordered()

    def ordered(self) -> list[Node]:
        """Each node after all that it uses; raises InputError where one needs itself."""
        waiting = {node.key: 0 for node in self.nodes}
        for edge in self.edges:
            waiting[edge.target] += 1
        users = self.users()
        by_key = {node.key: node for node in self.nodes}
        ready = [node.key for node in reversed(self.nodes) if not waiting[node.key]]
        order = []
        while ready:
            key = ready.pop()
            order.append(by_key[key])
            for edge in users[key]:
                waiting[edge.target] -= 1
                if not waiting[edge.target]:
                    ready.append(edge.target)
        if len(order) < len(self.nodes):
            stuck = next(node for node in self.nodes if waiting[node.key])
            raise InputError(f"{stuck.name or stuck.key} is needed to compute itself", "A graph must have no cycle.")
        return order

    def users(self) -> dict[str, list[Edge]]:
        """The edges that leave each node."""
        return _grouped(self.nodes, ((edge.source, edge) for edge in self.edges))

    def used(self) -> dict[str, list[Edge]]:
        """The edges that enter each node."""
        return _grouped(self.nodes, ((edge.target, edge) for edge in self.edges))

    def dot(self, *, backward: bool = False) -> str:
        """As text in Graphviz's language; `backward` adds arrows back with the local derivatives."""
        from chainrule.graphs.dot import to_dot

        return to_dot(self, backward)

    def svg(self, *, backward: bool = False, engine: str = "auto") -> str:
        """As an SVG element: laid out by Graphviz's `dot` where that is installed, by our own layers where not.

        engine   "auto", "graphviz" or "own"
        """
        from chainrule.graphs.svg import to_svg

        return to_svg(self, backward, engine)

    def tree(self, *, backward: bool = False, most_lines: int = 200) -> str:
        """For the terminal: each result with what it was computed from below it."""
        from chainrule.graphs.tree import to_tree

        return to_tree(self, backward, most_lines)

    def _repr_html_(self) -> str:
        if len(self.nodes) > MOST_DRAWN:
            return f"<pre>{escape(self.tree())}</pre>"
        return self.svg(backward=any(edge.local for edge in self.edges))

    def __str__(self) -> str:
        return self.tree()


def _grouped(nodes: Sequence[Node], keyed: Iterable[tuple[str, Edge]]) -> dict[str, list[Edge]]:
    groups: dict[str, list[Edge]] = {node.key: [] for node in nodes}
    for key, edge in keyed:
        groups[key].append(edge)
    return groups
