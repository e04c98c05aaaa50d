"""Operations that simplify while they are written: 1·x is x, a transposed product is the product of the transposed."""

from fractions import Fraction

from chainrule.algebra.functions import function
from chainrule.algebra.sizes import Shape, Size, number_size
from chainrule.algebra.tree import Node, Slice, node, number, size_node

ONE = number(Fraction(1))
_ELEMENTWISE = ("add", "subtract", "multiply", "divide", "power", "apply", "negative")


def is_number(tree: Node, value: int | None = None) -> bool:
    return tree.op == "number" and (value is None or tree.data == value)


def add(left: Node, right: Node) -> Node:
    return left if right.op == "zeros" else right if left.op == "zeros" else node("add", left, right)


def subtract(left: Node, right: Node) -> Node:
    return node("subtract", left, right)


def negative(tree: Node) -> Node:
    if is_number(tree):
        return number(-tree.data)
    return tree.children[0] if tree.op == "negative" else node("negative", tree)


def multiply(left: Node, right: Node) -> Node:
    if is_number(left) and is_number(right):
        return number(left.data * right.data)
    if is_number(left, 1):
        return right
    if is_number(right, 1):
        return left
    if right.op == "power" and right.children[0] == left and is_number(right.children[1]):
        return power(left, right.children[1].data + 1)
    return power(left, Fraction(2)) if left == right else node("multiply", left, right)


def divide(left: Node, right: Node) -> Node:
    """left / right; a sum over an axis divided by the size of that axis is the mean."""
    if is_number(right, 1):
        return left
    if is_number(left) and is_number(right):
        return number(left.data / right.data)
    if left.op == "sum" and _summed_size(left) == right:
        return node("mean", left.children[0], data=left.data)
    if left.op == "divide" and not right.shape:
        above, below = left.children
        return node("divide", above, multiply(right, below))
    return node("divide", left, right)


def _summed_size(tree: Node) -> Node | None:
    shape, axis = tree.children[0].shape, tree.data[0]
    if axis is not None:
        return size_node(shape[axis])
    return size_node(shape[0]) if len(shape) == 1 else None


def power(base: Node, exponent: Fraction) -> Node:
    if exponent == 1:
        return base
    if exponent == Fraction(1, 2):
        return node("apply", base, data=function("sqrt"))
    if base.op == "size" or base.op == "number" or exponent != 0:
        return node("power", base, number(exponent))
    return ONE


def matmul(left: Node, right: Node) -> Node:
    """left @ right; a product with rows of the identity is a slice, with their transpose a padding."""
    if is_selector(left):
        sliced = left.data[0]
        return _pick(right, sliced, 0)
    if left.op == "transpose" and is_selector(left.children[0]) and len(left.shape) == 2:
        chosen = left.children[0]
        return _pad(right, chosen, 0)
    if right.op == "transpose" and is_selector(right.children[0]):
        return _pick(left, right.children[0].data[0], len(left.shape) - 1)
    if is_selector(right):
        if len(right.shape) == 1:
            return _pick(left, right.data[0], len(left.shape) - 1)
        return _pad(left, right, len(left.shape) - 1)
    return node("matmul", left, right)


def is_selector(tree: Node) -> bool:
    """Whether it is rows of the identity, or one of them."""
    return tree.op == "getitem" and tree.children[0].op == "eye" and len(tree.data) == 1


def _pick(tree: Node, item: Slice | Size, axis: int) -> Node:
    """A slice or place along one axis; of what a number is multiplied with, and not of the product."""
    if tree.op in ("multiply", "divide") and sum(bool(child.shape) for child in tree.children) == 1:
        parts = [_pick(child, item, axis) if child.shape else child for child in tree.children]
        return node(tree.op, *parts)
    full = [Slice(number_size(0), size) for size in tree.shape]
    items: list[Slice | Size] = [*full]
    items[axis] = item
    if axis == 0:
        items = items[:1]
    return node("getitem", tree, data=tuple(items))


def _pad(tree: Node, chosen: Node, axis: int) -> Node:
    (cut,) = chosen.data
    size = chosen.children[0].shape[0]
    nothing = number_size(0)
    widths = [(nothing, nothing) for _ in tree.shape]
    widths[axis] = (cut.start, size - cut.stop)
    return node("pad", tree, data=tuple(widths))


def transpose(tree: Node) -> Node:
    """The transpose, moved down to the names: (A B)ᵀ = Bᵀ Aᵀ."""
    if len(tree.shape) < 2:
        return tree
    if tree.op == "transpose":
        return tree.children[0]
    if tree.op == "matmul":
        left, right = tree.children
        return node("matmul", transpose(right), transpose(left))
    if tree.op == "outer":
        return node("outer", tree.children[1], tree.children[0])
    if tree.op in ("eye", "diag"):
        return tree
    if tree.op in ("ones", "zeros"):
        return node(tree.op, data=tree.data[::-1])
    if tree.op in _ELEMENTWISE and all(len(child.shape) in (0, 2) for child in tree.children):
        return node(tree.op, *[transpose(child) for child in tree.children], data=tree.data)
    return node("transpose", tree)


def transposes(tree: Node) -> int:
    """How many transposes the expression writes."""
    return sum(part.op == "transpose" for part in tree.walk())


def total(tree: Node, axis: int | None) -> Node:
    """The sum over all entries or one axis; of a diagonal it is the trace, of rows of the identity where they are."""
    if is_selector(tree) and len(tree.shape) == 2 and axis is not None:
        (cut,), ones = tree.data, node("ones", data=tree.shape[:1])
        return ones if axis == 1 else node("pad", ones, data=((cut.start, tree.shape[1] - cut.stop),))
    if len(tree.shape) == 1:
        if tree.op == "diag":
            return node("trace", tree.children[0])
        axis = None
    if tree.op == "transpose":
        return total(tree.children[0], None if axis is None else 1 - axis)
    return node("sum", tree, data=(axis, False))


def column(vector: Node) -> Node:
    """A vector (N,) as a matrix (N, 1)."""
    if vector.op in ("sum", "mean", "logsumexp", "norm") and vector.data == (1, False):
        return node(vector.op, vector.children[0], data=(1, True))
    whole = column_of(vector)
    if whole is not None:
        return whole
    if vector.op == "matmul" and len(vector.children[0].shape) == 2:
        right = column_of(vector.children[1])
        if right is not None:
            return matmul(vector.children[0], right)
    if vector.op in _ELEMENTWISE and all(len(child.shape) <= 1 for child in vector.children):
        parts = [column(child) if child.shape else child for child in vector.children]
        if any(part.op not in ("getitem",) for part in parts if part.shape):
            return node(vector.op, *parts, data=vector.data)
    if not vector.shape:
        return vector
    return node("getitem", vector, data=(Slice(number_size(0), vector.shape[0]), None))


def column_of(vector: Node) -> Node | None:
    """The matrix (N, 1) of which `vector` is the only column."""
    if vector.op != "getitem" or len(vector.data) != 2 or vector.data[1] != number_size(0):
        return None
    (whole,) = vector.children
    is_column = whole.shape[1].is_unit and vector.data[0] == Slice(number_size(0), whole.shape[0])
    return whole if is_column else None


def outer(left: Node, right: Node) -> Node:
    """u vᵀ; of the columns of matrices (N, 1) it is their product."""
    first, second = column_of(left), column_of(right)
    if first is not None and second is not None:
        return matmul(first, transpose(second))
    return node("outer", left, right)


def row(vector: Node) -> Node:
    """A vector (N,) as a matrix (1, N)."""
    return node("getitem", vector, data=(None, Slice(number_size(0), vector.shape[0])))


def picked(tree: Node, places: list[Size | None]) -> Node:
    """The expression at fixed places of some axes."""
    if is_selector(tree) and isinstance(tree.data[0], Slice) and places[0] is not None and places[1] is None:
        return node("getitem", tree.children[0], data=(tree.data[0].start + places[0],))
    if all(place is None for place in places):
        return tree
    items: list[Slice | Size] = [
        Slice(number_size(0), size) if place is None else place for place, size in zip(places, tree.shape, strict=True)
    ]
    while len(items) > 1 and isinstance(items[-1], Slice):
        items.pop()
    return node("getitem", tree, data=tuple(items))


def fit(tree: Node, shape: Shape) -> Node:
    """The expression stretched to a shape that it broadcasts to."""
    if tree.shape == shape:
        return tree
    if is_number(tree, 0):
        return node("zeros", data=shape)
    if is_number(tree, 1):
        return node("ones", data=shape)
    return node("broadcast_to", tree, data=shape)
