"""Computations as graphs: pictures, DOT text, and trees for the terminal."""

from chainrule.graphs.build import graph
from chainrule.graphs.structure import Edge, Graph, Node

__all__ = ["Edge", "Graph", "Node", "graph"]
