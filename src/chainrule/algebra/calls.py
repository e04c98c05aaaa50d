"""What stands in the parentheses of a call: NumPy's and SciPy's arguments, by place or by name."""

import ast
from collections.abc import Callable
from fractions import Fraction
from typing import Any, Protocol

from chainrule.algebra import functions
from chainrule.algebra.functions import COMPARISONS
from chainrule.algebra.sizes import Shape, Size
from chainrule.algebra.tree import ExpressionError, Node, number
from chainrule.errors import shown

_OPPOSITE = {"greater": "less_equal", "less_equal": "greater", "less": "greater_equal", "greater_equal": "less"}


class Reader(Protocol):
    """What reading a call needs of the reader of the whole source."""

    def expression(self, tree: ast.expr) -> Node: ...
    def size(self, tree: ast.expr) -> Size: ...
    def build(self, op: str, tree: ast.AST, *children: Node, data: Any = None) -> Node: ...
    def refuse(self, problem: str, remedy: str, tree: ast.AST) -> ExpressionError: ...


class Arguments:
    """The arguments of one call, taken one by one; what is left over is refused."""

    def __init__(self, reader: Reader, tree: ast.Call, name: str) -> None:
        self.reader, self.tree, self.name = reader, tree, name
        if any(isinstance(part, ast.Starred) for part in tree.args) or any(k.arg is None for k in tree.keywords):
            raise reader.refuse("* and ** are not in the language", "Write the arguments one by one.", tree)
        self.positional = list(tree.args)
        self.keywords = {str(k.arg): k.value for k in tree.keywords}

    def take(self, keyword: str | None = None) -> ast.expr | None:
        if self.positional:
            return self.positional.pop(0)
        return self.keywords.pop(keyword, None) if keyword else None

    def expression(self, what: str) -> Node:
        return self.reader.expression(self.needed(what))

    def needed(self, what: str, keyword: str | None = None) -> ast.expr:
        tree = self.take(keyword)
        if tree is None:
            raise self.reader.refuse(f"{self.name} lacks its {what}", "Give it in parentheses.", self.tree)
        return tree

    def axis(self, default: int | None) -> int | None:
        tree = self.take("axis")
        if tree is None:
            return default
        if isinstance(tree, ast.Constant) and tree.value is None:
            return None
        size = self.reader.size(tree)
        if size.terms:
            raise self.reader.refuse("an axis is a whole number", "Write axis=0, axis=1 or axis=-1.", tree)
        return size.constant

    def keepdims(self) -> bool:
        tree = self.take("keepdims")
        if tree is None:
            return False
        if isinstance(tree, ast.Constant) and isinstance(tree.value, bool):
            return tree.value
        raise self.reader.refuse("keepdims is True or False", "Write keepdims=True.", tree)

    def shape(self) -> Shape:
        tree = self.needed("shape", "shape")
        parts = tree.elts if isinstance(tree, ast.Tuple | ast.List) else [tree]
        return tuple(self.reader.size(part) for part in parts)

    def settings(self) -> tuple[float, ...]:
        """Numbers that follow the arguments of an activation: leaky_relu(Z, 0.1), or by name: slope=0.1."""
        values = []
        for tree in [*self.positional, *self.keywords.values()]:
            try:
                value = ast.literal_eval(tree)
            except ValueError:
                value = None
            if not isinstance(value, int | float) or isinstance(value, bool):
                raise self.reader.refuse(f"a setting of {self.name} is a number", "Write it out: 0.1.", tree)
            values.append(float(value))
        self.positional, self.keywords = [], {}
        return tuple(values)

    def finish(self) -> None:
        for tree in self.positional:
            raise self.reader.refuse(f"{self.name} takes fewer arguments", "Leave this one out.", tree)
        for name, tree in self.keywords.items():
            raise self.reader.refuse(f"{self.name} has no argument {shown(name)} here", "Leave it out.", tree)

    def build(self, op: str, *children: Node, data: Any = None) -> Node:
        self.finish()
        return self.reader.build(op, self.tree, *children, data=data)


def _reduction(op: str, axis_first: int | None = None) -> Callable[[Arguments], Node]:
    def read(arguments: Arguments) -> Node:
        operand = arguments.expression("argument")
        data = (_positive(arguments.axis(axis_first), operand), arguments.keepdims())
        return arguments.build(op, operand, data=data)

    return read


def _positive(axis: int | None, operand: Node) -> int | None:
    return axis % len(operand.shape) if axis is not None and -len(operand.shape) <= axis < 0 else axis


def _softmax(arguments: Arguments) -> Node:
    operand = arguments.expression("argument")
    return arguments.build("softmax", operand, data=(_positive(arguments.axis(None), operand), False))


def _variance(arguments: Arguments) -> Node:
    """var(Z, axis, keepdims) is the mean of the squared distance from the mean, as in NumPy."""
    operand = arguments.expression("argument")
    axis, keepdims = _positive(arguments.axis(None), operand), arguments.keepdims()
    arguments.finish()
    centred = arguments.build("subtract", operand, arguments.build("mean", operand, data=(axis, True)))
    return arguments.build("mean", arguments.build("power", centred, number(Fraction(2))), data=(axis, keepdims))


def _plain(op: str, count: int) -> Callable[[Arguments], Node]:
    def read(arguments: Arguments) -> Node:
        return arguments.build(op, *[arguments.expression(f"argument {at + 1}") for at in range(count)])

    return read


def _concatenate(arguments: Arguments) -> Node:
    tree = arguments.needed("parts")
    if not isinstance(tree, ast.Tuple | ast.List) or not tree.elts:
        raise arguments.reader.refuse("concatenate takes a tuple of parts", "Write concatenate((x, y)).", tree)
    parts = [arguments.reader.expression(part) for part in tree.elts]
    return arguments.build("concatenate", *parts, data=_positive(arguments.axis(0), parts[0]))


def _eye(arguments: Arguments) -> Node:
    return arguments.build("eye", data=arguments.reader.size(arguments.needed("size")))


def _filled(op: str) -> Callable[[Arguments], Node]:
    return lambda arguments: arguments.build(op, data=arguments.shape())


def _broadcast_to(arguments: Arguments) -> Node:
    operand = arguments.expression("argument")
    return arguments.build("broadcast_to", operand, data=arguments.shape())


def _pad(arguments: Arguments) -> Node:
    operand = arguments.expression("argument")
    tree = arguments.needed("widths", "pad_width")
    read, elements = arguments.reader.size, tree.elts if isinstance(tree, ast.Tuple | ast.List) else []
    if len(operand.shape) == 1 and len(elements) == 2 and not isinstance(elements[0], ast.Tuple | ast.List):
        widths: tuple[Any, ...] = ((read(elements[0]), read(elements[1])),)
    elif all(isinstance(pair, ast.Tuple | ast.List) and len(pair.elts) == 2 for pair in elements):
        widths = tuple((read(pair.elts[0]), read(pair.elts[1])) for pair in elements)  # type: ignore[attr-defined]
    else:
        raise arguments.reader.refuse("pad takes one pair of widths an axis", "Write pad(x, ((1, 2),)).", tree)
    return arguments.build("pad", operand, data=widths)


def _where(arguments: Arguments) -> Node:
    """where(x > y, u, v) is u where the comparison holds and v elsewhere."""
    condition, this, other = (arguments.expression(f"argument {at + 1}") for at in range(3))
    if condition.op != "apply" or condition.data.name not in COMPARISONS:
        raise arguments.reader.refuse(
            "where takes a comparison first", "Write where(x > 0, u, v).", arguments.tree.args[0]
        )
    rule = functions.function(_OPPOSITE[condition.data.name])
    otherwise = arguments.build("apply", *condition.children, data=rule)
    return arguments.build(
        "add", arguments.build("multiply", condition, this), arguments.build("multiply", otherwise, other)
    )


CALLS: dict[str, Callable[[Arguments], Node]] = {
    "sum": _reduction("sum"),
    "mean": _reduction("mean"),
    "logsumexp": _reduction("logsumexp"),
    "linalg.norm": _reduction("norm"),
    "softmax": _softmax,
    "var": _variance,
    "cross_entropy": _plain("cross_entropy", 2),
    "outer": _plain("outer", 2),
    "trace": _plain("trace", 1),
    "diag": _plain("diag", 1),
    "dot": _plain("matmul", 2),
    "matmul": _plain("matmul", 2),
    "transpose": _plain("transpose", 1),
    "multiply": _plain("multiply", 2),
    "divide": _plain("divide", 2),
    "add": _plain("add", 2),
    "subtract": _plain("subtract", 2),
    "negative": _plain("negative", 1),
    "concatenate": _concatenate,
    "eye": _eye,
    "ones": _filled("ones"),
    "zeros": _filled("zeros"),
    "broadcast_to": _broadcast_to,
    "pad": _pad,
    "where": _where,
}
