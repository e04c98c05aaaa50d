"""A program: inputs with their shapes, and lines that each name a result."""

from dataclasses import dataclass, field, replace

from chainrule.algebra.sizes import Shape, symbols
from chainrule.algebra.tree import Node, variable


@dataclass(frozen=True)
class Line:
    """`name = expression`."""

    name: str
    expression: Node

    @property
    def shape(self) -> Shape:
        return self.expression.shape

    @property
    def value(self) -> Node:
        """The name as an expression."""
        return variable(self.name, self.shape)


@dataclass(frozen=True)
class Program:
    """Inputs with their shapes, and the lines in their order; every line uses only what stands above it."""

    inputs: dict[str, Shape]
    lines: tuple[Line, ...]
    declared: dict[str, Shape] = field(default_factory=dict)  # all that was declared, used or not
    probabilities: dict[str, int] = field(default_factory=dict)  # inputs whose entries sum to one along this axis

    @property
    def shapes(self) -> dict[str, Shape]:
        return {**self.inputs, **{line.name: line.shape for line in self.lines}}

    @property
    def symbols(self) -> list[str]:
        return symbols([*self.inputs.values(), *self.declared.values()])

    @property
    def result(self) -> Line:
        return self.lines[-1]

    def above(self, name: str) -> tuple[Line, ...]:
        """The lines that depend on `name`."""
        reached, found = {name}, []
        for line in self.lines:
            if line.name != name and reached & set(line.expression.names):
                reached.add(line.name)
                found.append(line)
        return tuple(found)

    def up_to(self, name: str) -> "Program":
        """The program that ends with the line `name`."""
        at = [line.name for line in self.lines].index(name)
        return replace(self, lines=self.lines[: at + 1])
