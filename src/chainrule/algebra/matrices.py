"""Expressions as formulas, in matrices: X W for X @ W, ∘ for products entry by entry."""

from collections.abc import Callable
from fractions import Fraction as Rational

from chainrule.algebra.formulas import (
    BESIDE,
    COMMA,
    DOT,
    MINUS,
    ONES,
    PLUS,
    SIGN,
    TIMES,
    TRANSPOSED,
    Fence,
    Formula,
    Fraction,
    Glyph,
    Name,
    Root,
    Row,
    Script,
    Sum,
    letter,
    note,
    numeral,
    row,
    separated,
    word,
)
from chainrule.algebra.functions import COMPARISONS, Function
from chainrule.algebra.latex import latex
from chainrule.algebra.sizes import Size, number_size
from chainrule.algebra.source import items_text, number_text
from chainrule.algebra.tree import Node, Slice

_SUM, _PRODUCT, _POWER, _ATOM = range(4)
_AXES = {0: "rows", 1: "columns"}
_FUNCTIONS = {
    "exp": word("exp", r"\exp"),
    "log": word("ln", r"\ln"),
    "tanh": word("tanh", r"\tanh"),
    "sin": word("sin", r"\sin"),
    "cos": word("cos", r"\cos"),
    "sinh": word("sinh", r"\sinh"),
    "cosh": word("cosh", r"\cosh"),
    "sigmoid": word("σ", r"\sigma"),
    "ndtr": word("Φ", r"\Phi"),
    "maximum": word("max", r"\max"),
    "minimum": word("min", r"\min"),
}
_RELATIONS = {">": ">", ">=": r"\ge", "<": "<", "<=": r"\le"}
_RELATION_GLYPHS = {">": ">", ">=": "≥", "<": "<", "<=": "≤"}


class Names:
    """Which names are gradients, of what, and are written as such with a sign before: d, or ∇."""

    def __init__(self, gradients: dict[str, str] | None = None, sign: str = "d") -> None:
        self.gradients, self.sign = gradients or {}, sign

    def formula(self, name: str) -> Name:
        of = self.gradients.get(name)
        return Name(of, self.sign) if of is not None else Name(name)


def show(tree: Node, names: Names) -> Formula:
    """The formula of an expression."""
    return _show(tree, names)[0]


def size_formula(size: Size) -> Formula:
    parts: list[Formula] = []
    for symbol, count in size.written:
        if parts or count < 0:
            parts.append(PLUS if count > 0 else MINUS if parts else SIGN)
        parts += [Name(symbol)] if abs(count) == 1 else [numeral(str(abs(count))), Name(symbol)]
    if size.constant or not parts:
        if parts:
            parts.append(PLUS if size.constant > 0 else MINUS)
        parts.append(numeral(str(abs(size.constant))))
    return row(*parts)


def _plainly(size: Size) -> Formula:
    """A size as a lower mark that is no index."""
    return Glyph(str(size), latex(size_formula(size)), kind="mtext")


def applied(rule: Function, operands: list[Formula]) -> Formula:
    """f(x), with the signs that some functions have of their own."""
    if rule.name in COMPARISONS:
        sign = COMPARISONS[rule.name]
        relation = Glyph(_RELATION_GLYPHS[sign], _RELATIONS[sign])
        return row(ONES, Fence(row(operands[0], relation, operands[1]), "[", "]"))
    if rule.name == "abs":
        return Fence(operands[0], "|", "|")
    if rule.name == "sqrt":
        return Root(operands[0])
    if rule.name == "exp" and len(operands) == 1:
        return (
            Script(letter("e"), sup=operands[0]) if _small(operands[0]) else row(_FUNCTIONS["exp"], Fence(operands[0]))
        )
    name: Formula = _FUNCTIONS.get(rule.name, word(rule.name.replace("_", " ")))
    if rule.name.endswith(".derivative"):
        name = word(
            rule.name.removesuffix(".derivative") + "′", rf"\operatorname{{{rule.name[:-11]}}}'".replace("_", " ")
        )
    if rule.settings:
        name = Script(name, sub=separated([numeral(f"{value:g}") for value in rule.settings]))
    return row(name, Fence(separated(operands)))


def _small(formula: Formula) -> bool:
    return not isinstance(formula, Row | Fraction) or len(getattr(formula, "parts", ())) <= 2


def number_formula(value: Rational) -> Formula:
    if value.denominator == 1 or value.denominator > 12:
        return numeral(number_text(value)) if "/" not in number_text(value) else _ratio(value)
    return _ratio(value)


def _ratio(value: Rational) -> Formula:
    above = Fraction(numeral(str(abs(value.numerator))), numeral(str(value.denominator)))
    return row(SIGN, above) if value < 0 else above


def _show(tree: Node, names: Names) -> tuple[Formula, int]:
    handler = _SHOWN.get(tree.op)
    if handler is not None:
        return handler(tree, names)
    operands = [show(child, names) for child in tree.children]
    return row(word(tree.op.replace("_", " ")), Fence(separated(operands))), _ATOM


def _operand(tree: Node, names: Names, least: int) -> Formula:
    formula, level = _show(tree, names)
    return formula if level >= least else Fence(formula)


def _add(tree: Node, names: Names) -> tuple[Formula, int]:
    sign, least = (PLUS, _SUM) if tree.op == "add" else (MINUS, _PRODUCT)
    return row(_operand(tree.children[0], names, _SUM), sign, _operand(tree.children[1], names, least)), _SUM


def _multiply(tree: Node, names: Names) -> tuple[Formula, int]:
    left, right = tree.children
    if left.shape and right.shape:
        return row(_factor(left, names), TIMES, _factor(right, names)), _PRODUCT
    first, second = (right, left) if left.shape and not right.shape else (left, right)
    numbers = second.op == "number" or (first.op == "number" and _starts_with_number(second))
    sign = DOT if numbers else BESIDE
    scalar = Fence(show(first, names)) if first.op in ("matmul", "sum") else _operand(first, names, _PRODUCT)
    alone = not second.shape and second.op in ("matmul", "sum")
    return row(scalar, sign, Fence(show(second, names)) if alone else _scaled(second, names)), _PRODUCT


def _starts_with_number(tree: Node) -> bool:
    while tree.op in ("multiply", "divide", "power"):
        tree = tree.children[0]
    return tree.op == "number"


def _scaled(tree: Node, names: Names) -> Formula:
    """What a number stands before: products in ∘ need no parentheses, sums do."""
    return _operand(tree, names, _PRODUCT)


def _factor(tree: Node, names: Names) -> Formula:
    """A factor of ∘: matrix products and scaled factors bind more tightly, which parentheses make plain."""
    plain = tree.op in ("multiply", "divide") and any(child.shape for child in tree.children)
    formula, level = _show(tree, names)
    return formula if level > _PRODUCT or (level == _PRODUCT and plain) else Fence(formula)


def _divide(tree: Node, names: Names) -> tuple[Formula, int]:
    above, below = tree.children
    if above.op in ("add", "subtract") and not below.shape:
        one = Fraction(numeral("1"), show(below, names))
        return row(one, BESIDE, Fence(show(above, names))), _PRODUCT
    return Fraction(show(above, names), show(below, names)), _PRODUCT


def _power(tree: Node, names: Names) -> tuple[Formula, int]:
    base, exponent = tree.children
    shown = show(exponent, names)
    if base.shape:
        shown = row(Glyph("∘", r"\circ"), shown)
    formula, level = _show(base, names)
    alone = level == _ATOM and not isinstance(formula, Script)
    return Script(formula if alone else Fence(formula), sup=shown), _ATOM


def _negative(tree: Node, names: Names) -> tuple[Formula, int]:
    return row(SIGN, _operand(tree.children[0], names, _PRODUCT)), _SUM


def _matmul(tree: Node, names: Names) -> tuple[Formula, int]:
    left, right = tree.children
    if len(left.shape) == 1 and len(right.shape) == 1:
        return row(_transposed(left, names), BESIDE, _matrix_factor(right, names)), _PRODUCT
    return row(_matrix_factor(left, names), BESIDE, _matrix_factor(right, names)), _PRODUCT


def _matrix_factor(tree: Node, names: Names) -> Formula:
    formula, level = _show(tree, names)
    return formula if level > _PRODUCT or tree.op == "matmul" else Fence(formula)


def _transposed(tree: Node, names: Names) -> Formula:
    formula, level = _show(tree, names)
    alone = level == _ATOM and not isinstance(formula, Script | Row)
    return Script(formula if alone else Fence(formula), sup=TRANSPOSED)


def _outer(tree: Node, names: Names) -> tuple[Formula, int]:
    left, right = tree.children
    return row(_matrix_factor(left, names), BESIDE, _transposed(right, names)), _PRODUCT


def _over(tree: Node) -> Formula | None:
    axis = tree.data[0]
    return None if axis is None or len(tree.children[0].shape) == 1 else note(_AXES[axis])


def _sum(tree: Node, names: Names) -> tuple[Formula, int]:
    over = _over(tree)
    inner = _matrix_factor(tree.children[0], names) if tree.op == "sum" else Fence(show(tree.children[0], names))
    if tree.op == "sum":
        return row(Sum(over if over is not None else row()), inner), _PRODUCT
    name = word(tree.op)
    return row(Script(name, sub=over) if over is not None else name, inner), _ATOM


def _softmax(tree: Node, names: Names) -> tuple[Formula, int]:
    rank = len(tree.children[0].shape)
    axis = tree.data[0]
    name: Formula = word("softmax")
    if rank == 2 and axis == 0:
        name = Script(name, sub=note("rows"))
    if rank == 2 and axis is None:
        name = Script(name, sub=note("all"))
    return row(name, Fence(show(tree.children[0], names))), _ATOM


def _norm(tree: Node, names: Names) -> tuple[Formula, int]:
    over = _over(tree)
    bars = Fence(show(tree.children[0], names), "‖", "‖")
    return (Script(bars, sub=over) if over is not None else bars), _ATOM


def _getitem(tree: Node, names: Names) -> tuple[Formula, int]:
    (child,) = tree.children
    full = [Slice(number_size(0), size) for size in child.shape]
    if len(child.shape) == 1 and tree.data == (full[0], None):
        return row(_matrix_factor(child, names), BESIDE, Script(ONES, sup=TRANSPOSED)), _PRODUCT
    if len(child.shape) == 1 and tree.data == (None, full[0]):
        return row(ONES, BESIDE, _transposed(child, names)), _PRODUCT
    if child.op == "eye" and isinstance(tree.data[0], Size):
        return Script(Glyph("e", r"\mathbf{e}", kind="mi"), sub=_plainly(tree.data[0])), _ATOM
    items = Glyph(f"[{items_text(tree)}]", rf"[{items_text(tree)}]", kind="mtext")
    formula, level = _show(child, names)
    alone = level == _ATOM and not isinstance(formula, Script | Row)
    return Script(formula if alone else Fence(formula), sub=items), _ATOM


def _pad(tree: Node, names: Names) -> tuple[Formula, int]:
    pairs = [row(size_formula(before), COMMA, size_formula(after)) for before, after in tree.data]
    widths = [Fence(pair) for pair in pairs] if len(pairs) > 1 else pairs
    return row(Script(word("pad"), sub=separated(list(widths))), Fence(show(tree.children[0], names))), _ATOM


def _constant_shape(glyph: Formula, tree: Node) -> tuple[Formula, int]:
    parts: list[Formula] = []
    for size in tree.shape:
        parts += [Glyph("×", r"\times"), size_formula(size)] if parts else [size_formula(size)]
    return Script(glyph, sub=row(*parts)), _ATOM


def _broadcast(tree: Node, names: Names) -> tuple[Formula, int]:
    """A number times ones; a vector in every row; a column in every column."""
    (child,) = tree.children
    if not child.shape:
        ones, _ = _constant_shape(ONES, tree)
        return row(_operand(child, names, _PRODUCT), BESIDE, ones), _PRODUCT
    if len(child.shape) == 1:
        return row(ONES, BESIDE, _transposed(child, names)), _PRODUCT
    return _show(child, names)  # as a column it has its 1ᵀ already


def _apply(tree: Node, names: Names) -> tuple[Formula, int]:
    return applied(tree.data, [show(child, names) for child in tree.children]), _ATOM


_SHOWN: dict[str, Callable[[Node, Names], tuple[Formula, int]]] = {
    "name": lambda tree, names: (names.formula(tree.name), _ATOM),
    "number": lambda tree, names: (number_formula(tree.data), _SUM if tree.data < 0 else _ATOM),
    "size": lambda tree, names: (size_formula(tree.data), _ATOM if tree.data.is_simple else _SUM),
    "constant": lambda tree, names: (word("π", r"\pi"), _ATOM),
    "add": _add,
    "subtract": _add,
    "multiply": _multiply,
    "divide": _divide,
    "power": _power,
    "negative": _negative,
    "matmul": _matmul,
    "transpose": lambda tree, names: (_transposed(tree.children[0], names), _ATOM),
    "outer": _outer,
    "sum": _sum,
    "mean": _sum,
    "logsumexp": _sum,
    "softmax": _softmax,
    "norm": _norm,
    "getitem": _getitem,
    "pad": _pad,
    "apply": _apply,
    "trace": lambda tree, names: (row(word("tr"), Fence(show(tree.children[0], names))), _ATOM),
    "eye": lambda tree, names: (Script(letter("I"), sub=_plainly(tree.shape[0])), _ATOM),
    "ones": lambda tree, names: _constant_shape(ONES, tree),
    "broadcast_to": _broadcast,
    "zeros": lambda tree, names: _constant_shape(numeral("0"), tree),
}
