"""From matrices to index notation: what one entry of an expression is."""

from collections.abc import Callable
from fractions import Fraction

from chainrule.algebra.functions import function
from chainrule.algebra.indices import (
    ONE,
    ZERO,
    Apply,
    Count,
    Delta,
    Entry,
    Index,
    Polynomial,
    Term,
    atom,
    constant,
    fixed,
    join,
    power,
    product,
    scaled,
)
from chainrule.algebra.sizes import Shape, Size, number_size
from chainrule.algebra.tree import Node, Slice, node

Indices = tuple[Index | None, ...]


def indices_for(shape: Shape) -> Indices:
    """A new index for each axis; none where the size is 1."""
    return tuple(None if size.is_unit else Index(size) for size in shape)


def lower(tree: Node, at: Indices) -> Polynomial:
    """The entry of `tree` at the indices `at`, one for each of its axes."""
    assert len(at) == len(tree.shape), (tree.op, tree.shape, at)
    return _LOWER[tree.op](tree, tuple(None if size.is_unit else i for i, size in zip(at, tree.shape, strict=True)))


def aligned(child: Node, at: Indices) -> Polynomial:
    """The entry of an operand that NumPy stretches to the indices `at`."""
    return lower(child, at[len(at) - len(child.shape) :])


def total(polynomial: Polynomial, over: tuple[Index | None, ...]) -> Polynomial:
    """Σ over the indices, term by term; a term without an index is counted as often as the index runs."""
    sums = tuple(index for index in over if index is not None)
    return tuple(join(Term(ONE, (), sums), term) for term in polynomial)


def _add(tree: Node, at: Indices) -> Polynomial:
    return aligned(tree.children[0], at) + aligned(tree.children[1], at)


def _subtract(tree: Node, at: Indices) -> Polynomial:
    return aligned(tree.children[0], at) + scaled(aligned(tree.children[1], at), Fraction(-1))


def _multiply(tree: Node, at: Indices) -> Polynomial:
    return product(aligned(tree.children[0], at), aligned(tree.children[1], at))


def _divide(tree: Node, at: Indices) -> Polynomial:
    return product(aligned(tree.children[0], at), power(aligned(tree.children[1], at), Fraction(-1)))


def _power(tree: Node, at: Indices) -> Polynomial:
    base, exponent = (aligned(child, at) for child in tree.children)
    if not exponent:
        return constant(ONE)
    if len(exponent) == 1 and not exponent[0].factors and abs(exponent[0].coefficient) < 1000:
        return power(base, exponent[0].coefficient)
    return atom(Apply(function("power"), (base, exponent)))


def _matmul(tree: Node, at: Indices) -> Polynomial:
    left, right = tree.children
    size = left.shape[-1]
    inner = None if size.is_unit else Index(size)
    outside = list(at)
    left_at: Indices = (outside.pop(0), inner) if len(left.shape) == 2 else (inner,)
    right_at: Indices = (inner, outside.pop(0)) if len(right.shape) == 2 else (inner,)
    return total(product(lower(left, left_at), lower(right, right_at)), (inner,))


def _sum(tree: Node, at: Indices) -> Polynomial:
    (child,) = tree.children
    axis, keepdims = tree.data
    rest = list(at)
    inside: list[Index | None] = []
    over: list[Index | None] = []
    for number, size in enumerate(child.shape):
        if axis is None or number == axis % len(child.shape):
            index = None if size.is_unit else Index(size)
            over.append(index)
            if keepdims:
                rest.pop(0)
            inside.append(index)
        else:
            inside.append(rest.pop(0))
    return total(lower(child, tuple(inside)), tuple(over))


def _mean(tree: Node, at: Indices) -> Polynomial:
    (child,) = tree.children
    axis, _ = tree.data
    result = _sum(tree, at)
    for number, size in enumerate(child.shape):
        if (axis is None or number == axis % len(child.shape)) and not size.is_unit:
            result = tuple(join(term, Term(ONE, ((Count(size), Fraction(-1)),))) for term in result)
    return result


def _apply(tree: Node, at: Indices) -> Polynomial:
    if tree.data.name == "identity":
        return aligned(tree.children[0], at)
    if tree.data.name == "sqrt":
        return power(aligned(tree.children[0], at), Fraction(1, 2))
    if tree.data.name == "square":
        return power(aligned(tree.children[0], at), Fraction(2))
    return atom(Apply(tree.data, tuple(aligned(child, at) for child in tree.children)))


def selector(start: Size, stop: Size, size: Size) -> Node:
    """Rows start:stop of the identity: multiplied with it, an axis is sliced."""
    return node("getitem", node("eye", data=size), data=(Slice(start, stop),))


def picked(chosen: Node, outside: Index | None, inside: Index | None) -> Polynomial:
    """The entry of a selector."""
    return atom(Entry(chosen, (outside, inside)))


def _getitem(tree: Node, at: Indices) -> Polynomial:
    (child,) = tree.children
    rest, inside, picks, over = list(at), [], [constant(ONE)], []
    axes = list(child.shape)
    for item in (*tree.data, *[Slice(number_size(0), size) for size in axes[_taken(tree.data) :]]):
        if item is None:
            rest.pop(0)
            continue
        size = axes.pop(0)
        if isinstance(item, Slice) and item == Slice(number_size(0), size):
            inside.append(rest.pop(0))
            continue
        if not isinstance(item, Slice):
            inside.append(None if size.is_unit else fixed(size, item))
            continue
        index = None if size.is_unit else Index(size)
        inside.append(index)
        over.append(index)
        picks.append(picked(selector(item.start, item.stop, size), rest.pop(0), index))
    result = lower(child, tuple(inside))
    for pick in picks:
        result = product(pick, result)
    return total(result, tuple(over))


def _taken(items: tuple[object, ...]) -> int:
    return sum(item is not None for item in items)


def _pad(tree: Node, at: Indices) -> Polynomial:
    (child,) = tree.children
    inside, picks, over = [], [constant(ONE)], []
    for outside, size, whole, (before, _) in zip(at, child.shape, tree.shape, tree.data, strict=True):
        if size == whole:
            inside.append(outside)
            continue
        index = None if size.is_unit else Index(size)
        inside.append(index)
        over.append(index)
        picks.append(picked(selector(before, before + size, whole), index, outside))
    result = lower(child, tuple(inside))
    for pick in picks:
        result = product(pick, result)
    return total(result, tuple(over))


def _concatenate(tree: Node, at: Indices) -> Polynomial:
    axis = tree.data % len(tree.shape)
    result: Polynomial = ZERO
    start = number_size(0)
    if len(tree.children) == 1:
        return lower(tree.children[0], at)
    for child in tree.children:
        size = child.shape[axis]
        index = None if size.is_unit else Index(size)
        inside = (*at[:axis], index, *at[axis + 1 :])
        pick = picked(selector(start, start + size, tree.shape[axis]), index, at[axis])
        result += total(product(pick, lower(child, inside)), (index,))
        start = start + size
    return result


def _outer(tree: Node, at: Indices) -> Polynomial:
    return product(lower(tree.children[0], at[:1]), lower(tree.children[1], at[1:]))


def _trace(tree: Node, at: Indices) -> Polynomial:
    size = tree.children[0].shape[0]
    index = None if size.is_unit else Index(size)
    return total(lower(tree.children[0], (index, index)), (index,))


def _diag(tree: Node, at: Indices) -> Polynomial:
    (child,) = tree.children
    if len(child.shape) == 2:
        return lower(child, (at[0], at[0]))
    first, second = at
    entry = lower(child, (first,))
    return product(atom(Delta(first, second)), entry) if first is not None and second is not None else entry


def _eye(tree: Node, at: Indices) -> Polynomial:
    first, second = at
    return atom(Delta(first, second)) if first is not None and second is not None else constant(ONE)


def _exponentials(tree: Node, at: Indices) -> tuple[Polynomial, Polynomial]:
    """exp z at the place `at`, and the sum of all exp z along the axis."""
    (child,) = tree.children
    axis, exp = tree.data[0], function("exp")
    over = tuple(
        Index(size) if not size.is_unit and (axis is None or number == axis % len(child.shape)) else None
        for number, size in enumerate(child.shape)
    )
    inside = tuple(summed or kept for summed, kept in zip(over, at, strict=True))
    return atom(Apply(exp, (lower(child, at),))), total(atom(Apply(exp, (lower(child, inside),))), over)


def _softmax(tree: Node, at: Indices) -> Polynomial:
    one, all_of_them = _exponentials(tree, at)
    return product(one, power(all_of_them, Fraction(-1)))


def _with_reduced_axes(tree: Node, at: Indices) -> Indices:
    """An index, or None, for each axis of the operand of a reduction."""
    axis, keepdims = tree.data
    rest = list(at)
    shape = tree.children[0].shape
    gone = [axis is None or number == axis % len(shape) for number in range(len(shape))]
    return tuple((rest.pop(0) if keepdims else None) if summed else rest.pop(0) for summed in gone)


def _logsumexp(tree: Node, at: Indices) -> Polynomial:
    _, all_of_them = _exponentials(tree, _with_reduced_axes(tree, at))
    return atom(Apply(function("log"), (all_of_them,)))


def _norm(tree: Node, at: Indices) -> Polynomial:
    squares = node("multiply", tree.children[0], tree.children[0])
    return power(_sum(node("sum", squares, data=tree.data), at), Fraction(1, 2))


def _cross_entropy(tree: Node, at: Indices) -> Polynomial:
    """−(1/m) Σ_ik t_ik ln a_ik; for a single sample without the 1/m."""
    outputs, targets = tree.children
    inside = indices_for(outputs.shape)
    logs = atom(Apply(function("log"), (lower(outputs, inside),)))
    result = scaled(total(product(lower(targets, inside), logs), inside), Fraction(-1))
    if len(outputs.shape) == 2 and not outputs.shape[0].is_unit:
        result = tuple(join(term, Term(ONE, ((Count(outputs.shape[0]), Fraction(-1)),))) for term in result)
    return result


_LOWER: dict[str, Callable[[Node, Indices], Polynomial]] = {
    "name": lambda tree, at: atom(Entry(tree, at)),
    "constant": lambda tree, at: atom(Entry(tree, at)),
    "number": lambda tree, at: constant(tree.data),
    "size": lambda tree, at: atom(Count(tree.data)),
    "add": _add,
    "subtract": _subtract,
    "multiply": _multiply,
    "divide": _divide,
    "power": _power,
    "negative": lambda tree, at: scaled(lower(tree.children[0], at), Fraction(-1)),
    "matmul": _matmul,
    "transpose": lambda tree, at: lower(tree.children[0], at[::-1]),
    "sum": _sum,
    "mean": _mean,
    "softmax": _softmax,
    "logsumexp": _logsumexp,
    "norm": _norm,
    "apply": _apply,
    "getitem": _getitem,
    "pad": _pad,
    "concatenate": _concatenate,
    "outer": _outer,
    "trace": _trace,
    "diag": _diag,
    "eye": _eye,
    "ones": lambda tree, at: constant(ONE),
    "zeros": lambda tree, at: ZERO,
    "broadcast_to": lambda tree, at: aligned(tree.children[0], at),
    "cross_entropy": _cross_entropy,
}
