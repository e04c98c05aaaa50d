"""Long equations are unfolded into lines that a person would write: what goes into a nonlinear function gets a name."""

from collections.abc import Iterator
from dataclasses import replace

from chainrule.algebra.functions import is_activation
from chainrule.algebra.program import Line, Program
from chainrule.algebra.tree import Node

_SUMMING = {"matmul", "sum", "mean", "trace", "norm", "logsumexp", "softmax", "cross_entropy"}
_NAMED_OPERANDS = {"softmax", "logsumexp", "norm"}
_LINES_OF_THEIR_OWN = {*_NAMED_OPERANDS, "concatenate", "pad"}


def unfold(program: Program) -> Program:
    """The same program with softmax, norms and activations, and what goes into them, in lines of their own."""
    unfolder = _Unfolder(program)
    for line in program.lines:
        expression = unfolder.operands(line.expression)
        unfolder.lines.append(Line(line.name, expression))
    return replace(program, lines=tuple(unfolder.lines))


class _Unfolder:
    def __init__(self, program: Program) -> None:
        self.lines: list[Line] = []
        self.named: dict[Node, Node] = {}
        taken = {*program.shapes, *program.symbols}
        self.free = {False: _free_names("q", taken), True: _free_names("Q", taken)}

    def named_value(self, tree: Node) -> Node:
        """`tree` as a name, in a new line where it has none yet."""
        if tree.op == "name":
            return tree
        tree = self.operands(tree)
        if tree not in self.named:
            line = Line(next(self.free[len(tree.shape) == 2]), tree)
            self.lines.append(line)
            self.named[tree] = line.value
        return self.named[tree]

    def inside(self, tree: Node) -> Node:
        """`tree` as it stands within a larger expression."""
        own_line = tree.op in _LINES_OF_THEIR_OWN or (
            tree.op == "apply" and is_activation(tree.data.name) and tree.data.name != "identity"
        )
        return self.named_value(tree) if own_line else self.operands(tree)

    def operands(self, tree: Node) -> Node:
        """`tree` with its operands unfolded."""
        if not tree.children:
            return tree
        return replace(tree, children=tuple(self.operand(tree, at) for at in range(len(tree.children))))

    def operand(self, tree: Node, at: int) -> Node:
        child = tree.children[at]
        sums = any(node.op in _SUMMING for node in child.walk())
        if tree.op in _NAMED_OPERANDS or (tree.op == "cross_entropy" and child.operations):
            return self.named_value(child)
        if sums and (tree.op in ("apply", "power") or (tree.op == "divide" and at == 1)):
            return self.named_value(child)
        return self.inside(child)


def _free_names(letter: str, taken: set[str]) -> Iterator[str]:
    """q1, q2, … without the names in use."""
    number = 0
    while True:
        number += 1
        if f"{letter}{number}" not in taken and f"{letter.lower()}{number}" not in taken:
            yield f"{letter}{number}"
