"""An expression as Python writes it: what is printed here can be read by the language and run by NumPy."""

from fractions import Fraction
from typing import Any

from chainrule.algebra.functions import COMPARISONS, Function
from chainrule.algebra.program import Line, Program
from chainrule.algebra.sizes import Shape, shape_text
from chainrule.algebra.tree import Node, Slice

_COMPARE, _SUM, _PRODUCT, _SIGN, _POWER, _ATOM = range(6)
_INFIX = {
    "add": (" + ", _SUM, _SUM, _SUM),
    "subtract": (" - ", _SUM, _SUM, _PRODUCT),
    "multiply": (" * ", _PRODUCT, _PRODUCT, _SIGN),
    "divide": (" / ", _PRODUCT, _PRODUCT, _SIGN),
    "matmul": (" @ ", _PRODUCT, _PRODUCT, _SIGN),
}


def source(tree: Node) -> str:
    """`tree` in Python's syntax."""
    return _write(tree)[0]


def program_source(program: Program, lines: tuple[Line, ...] = ()) -> str:
    """Declarations and equations, followed by further `lines`: a text that `derive` reads."""
    declared = [f"{name}: {shape_text(shape)}" for name, shape in program.inputs.items()]
    return "\n".join(declared + [f"{line.name} = {source(line.expression)}" for line in (*program.lines, *lines)])


def number_text(value: Fraction) -> str:
    """3, 0.5, 1e-05, or 1 / 3 where no short decimal is exact."""
    if value.denominator == 1:
        return str(value.numerator) if abs(value.numerator) < 10**15 else repr(float(value))
    text = repr(float(value))
    return text if Fraction(text) == value else f"{value.numerator} / {value.denominator}"


def function_text(rule: Function, operands: list[str]) -> str:
    return f"{rule.name}({', '.join([*operands, *[repr(value) for value in rule.settings]])})"


def _write(tree: Node) -> tuple[str, int]:
    """The text and how strongly its outermost operation binds."""
    if tree.op in _INFIX:
        sign, level, left, right = _INFIX[tree.op]
        if tree.op == "matmul" and _associates(tree.children[1]):
            right = _PRODUCT
        if tree.op == "matmul" and tree.children[0].op in ("multiply", "divide"):
            left = _SIGN
        if tree.op == "multiply" and tree.children[1].op in ("multiply", "divide"):
            right = _PRODUCT
        return f"{_operand(tree.children[0], left)}{sign}{_operand(tree.children[1], right)}", level
    if tree.op == "negative":
        (operand,) = tree.children
        long = operand.op in ("multiply", "divide", "matmul") and not _starts_with_sign(operand)
        return f"-{_operand(operand, _PRODUCT if long else _SIGN)}", _SUM if long else _SIGN
    if tree.op == "power":
        return f"{_operand(tree.children[0], _ATOM)}**{_operand(tree.children[1], _POWER)}", _POWER
    if tree.op == "number":
        text = number_text(tree.data)
        return text, _PRODUCT if "/" in text else _SIGN if text.startswith("-") else _ATOM
    if tree.op == "size":
        return str(tree.data), _ATOM if tree.data.is_simple else _SUM
    if tree.op == "apply" and tree.data.name in COMPARISONS:
        left_text, right_text = (_operand(child, _SUM) for child in tree.children)
        return f"({left_text} {COMPARISONS[tree.data.name]} {right_text})", _ATOM
    if tree.op in ("name", "constant"):
        return tree.name, _ATOM
    if tree.op == "transpose":
        return f"{_operand(tree.children[0], _ATOM)}.T", _ATOM
    if tree.op == "getitem":
        return f"{_operand(tree.children[0], _ATOM)}[{items_text(tree)}]", _ATOM
    operands = [source(child) for child in tree.children]
    if tree.op == "apply":
        return function_text(tree.data, operands), _ATOM
    return f"{_FUNCTIONS.get(tree.op, tree.op)}({', '.join([*_arguments(tree, operands)])})", _ATOM


def _operand(tree: Node, least: int) -> str:
    text, level = _write(tree)
    return text if level >= least else f"({text})"


def _starts_with_sign(tree: Node) -> bool:
    return source(tree).startswith("-")


def _associates(tree: Node) -> bool:
    """Whether A @ (B @ C) may be written A @ B @ C: where B is a matrix the two mean the same."""
    first = tree
    while first.op == "matmul":
        first = first.children[0]
    return tree.op == "matmul" and len(first.shape) == 2


_FUNCTIONS = {"norm": "linalg.norm"}


def items_text(tree: Node) -> str:
    """The text between the brackets of a slice."""
    texts = []
    axes = iter(tree.children[0].shape)
    for item in tree.data:
        if item is None:
            texts.append("None")
            continue
        size = next(axes)
        if not isinstance(item, Slice):
            texts.append(str(item))
            continue
        start = "" if not item.start.terms and not item.start.constant else str(item.start)
        texts.append(f"{start}:{'' if item.stop == size else item.stop}")
    return ", ".join(texts)


def _arguments(tree: Node, operands: list[str]) -> list[str]:
    data: Any = tree.data
    if tree.op in ("sum", "mean", "logsumexp", "norm", "softmax"):
        axis = [] if data[0] is None else [f"axis={data[0]}"]
        return [*operands, *axis, *(["keepdims=True"] if data[1] else [])]
    if tree.op == "concatenate":
        return [f"({', '.join(operands)}{',' if len(operands) == 1 else ''})", *([f"axis={data}"] if data else [])]
    if tree.op == "eye":
        return [str(data)]
    if tree.op in ("ones", "zeros", "broadcast_to"):
        return [*operands, _shape_argument(data)]
    if tree.op == "pad":
        pairs = ", ".join(f"({before}, {after})" for before, after in data)
        return [*operands, f"({pairs}{',' if len(data) == 1 else ''})"]
    return operands


def _shape_argument(shape: Shape) -> str:
    return shape_text(shape)
