"""Back-propagation one number at a time: each value remembers what it came from, each rule stands beside its operator.

a = Value(3.0, "a")
b = a + a
c = b + b
c.backward()
a.gradient              # 4.0: a value that is used twice collects what comes along both ways
"""

import math
from numbers import Real
from typing import Union

from chainrule.errors import InputError, shown

Number = Union["Value", float]
NONE = math.nan  # stands for a local derivative that does not exist; a backward pass that would need it is refused


class Value:
    """A number with the operation and the parents that it was computed from, and ∂(this)/∂(parent) for each of them.

    `gradient` is filled by `backward()` of a result. That of a leaf is added to, call after call, until it is set to 0.
    """

    __slots__ = ("gradient", "local", "name", "number", "operation", "parents")

    def __init__(
        self,
        number: float,
        name: str = "",
        operation: str = "",
        parents: tuple["Value", ...] = (),
        local: tuple[float, ...] = (),
    ) -> None:
        if not isinstance(number, float | int | Real):
            raise InputError(f"{shown(number)} is no number", "Give a float.")
        try:
            self.number = float(number)
        except OverflowError:
            raise InputError(f"{shown(number)} is too great for a float", "Give a number below 1.8e308.") from None
        self.name = name
        self.operation = operation
        self.parents = parents
        self.local = local
        self.gradient = 0.0

    def __add__(self, other: Number) -> "Value":
        other = value(other)
        return Value(self.number + other.number, operation="+", parents=(self, other), local=(1.0, 1.0))

    def __sub__(self, other: Number) -> "Value":
        other = value(other)
        return Value(self.number - other.number, operation="−", parents=(self, other), local=(1.0, -1.0))

    def __mul__(self, other: Number) -> "Value":
        other = value(other)
        x, y = self.number, other.number
        return Value(x * y, operation="×", parents=(self, other), local=(y, x))

    def __truediv__(self, other: Number) -> "Value":
        other = value(other)
        x, y = self.number, other.number
        if y == 0:
            raise InputError(f"{told(self)} is divided by {told(other)}", "Keep the denominator off 0.")
        return Value(x / y, operation="÷", parents=(self, other), local=(1 / y, -x / y / y))

    def __neg__(self) -> "Value":
        return Value(-self.number, operation="−", parents=(self,), local=(-1.0,))

    def __pow__(self, exponent: float) -> "Value":
        """xⁿ for a number n; n xⁿ⁻¹ is its derivative."""
        x, n = self.number, exponent
        if not isinstance(n, float | int):
            raise InputError(f"the exponent {shown(n)} is no plain number", "Write exp(y * log(x)) for x to a value y.")
        if (x < 0 and n != int(n)) or (x == 0 and n < 0):
            raise InputError(
                f"{told(self)} has no power {n:g}", "Take whole powers of negative numbers, none below 0 of 0."
            )
        try:
            slope = NONE if x == 0 and 0 < n < 1 else n * x ** (n - 1) if n else 0.0
            return Value(x**n, operation=f"^{n:g}", parents=(self,), local=(slope,))
        except OverflowError:
            raise InputError(f"{told(self)} to the power {n:g} is too great for a float", "Scale it first.") from None

    def __radd__(self, other: float) -> "Value":
        return value(other) + self

    def __rsub__(self, other: float) -> "Value":
        return value(other) - self

    def __rmul__(self, other: float) -> "Value":
        return value(other) * self

    def __rtruediv__(self, other: float) -> "Value":
        return value(other) / self

    def __rpow__(self, base: float) -> "Value":
        raise InputError(f"a number to the power {told(self)} has no rule", f"Write exp(x * math.log({base!r})).")

    def tape(self) -> "Tape":
        """This value and all it was computed from, each after its parents; of any depth, for nothing here recurses."""
        order, seen, stack = Tape(), set(), [(self, False)]
        while stack:
            node, parents_are_done = stack.pop()
            if parents_are_done:
                order.append(node)
            elif node not in seen:
                seen.add(node)
                stack.append((node, True))
                stack.extend((parent, False) for parent in reversed(node.parents))
        return order

    def backward(self) -> None:
        """Add ∂(this)/∂v to the gradient of every leaf v that this was computed from; set that of the values between.

        Raises InputError at a point where a rule on the way has no derivative.
        """
        tape = self.tape()
        for node in tape:
            if node.parents:
                node.gradient = 0.0
        self.gradient += 1.0
        for node in reversed(tape):
            for parent, slope in zip(node.parents, node.local, strict=True):
                if slope != slope:
                    raise InputError(f"{node.operation} has no derivative at {told(parent)}", "Choose another point.")
                parent.gradient += slope * node.gradient

    def __repr__(self) -> str:
        return f"{self.name or 'Value'}({self.number!r}, gradient={self.gradient!r})"


class Tape(list[Value]):
    """Values in the order in which they came about; printed, a line each."""

    def __str__(self) -> str:
        place = {node: i for i, node in enumerate(self)}
        names = [node.name or f"#{i}" for i, node in enumerate(self)]
        width = max([*map(len, names), 4])
        lines = [f"{'name':<{width}}  {'number':>22}  {'gradient':>22}  from"]
        for node, name in zip(self, names, strict=True):
            source = " ".join([node.operation, *(names[place[parent]] for parent in node.parents)])
            lines.append(f"{name:<{width}}  {node.number!r:>22}  {node.gradient!r:>22}  {source}".rstrip())
        return "\n".join(lines)


def value(x: Number) -> Value:
    """x itself, or a number as a nameless leaf."""
    return x if isinstance(x, Value) else Value(x)


def told(x: Value) -> str:
    """x as it may stand in a message."""
    return f"{x.name} = {x.number:g}" if x.name else f"{x.number:g}"
