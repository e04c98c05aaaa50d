"""An expression is a tree of operations whose shapes are known: every node says what it does, to what, and how large
the outcome is.

The operations, and what `data` holds:

    name                 a variable or an intermediate result, by `name`
    number, size         a Fraction or float; a Size
    constant             `name`: pi
    add subtract multiply divide power negative matmul transpose     NumPy's meaning, broadcasting included
    sum mean             (axis or None, keepdims)
    softmax logsumexp    (axis or None, keepdims)
    norm                 (axis or None, keepdims): Euclidean, of all entries where there is no axis
    apply                a Function of `functions`, entry by entry
    getitem              a tuple of items: Slice(start, stop), a Size for a whole number, None for a new axis
    pad                  one pair (before, after) of Sizes an axis
    concatenate          axis
    outer trace diag eye ones zeros broadcast_to cross_entropy
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import Any

from chainrule.algebra.sizes import UNIT, Shape, Size, shape_text
from chainrule.errors import InputError


class ShapeError(InputError):
    """Shapes that do not belong together; the message has both."""


@dataclass(frozen=True)
class Place:
    """Where in the source an expression stands: line and column from 1, and its own text."""

    line: int
    column: int
    text: str

    def __str__(self) -> str:
        return f"line {self.line}, column {self.column}"


class ExpressionError(InputError):
    """A source that is not in the language; `place` says where, `of_shapes` whether only shapes are wrong."""

    def __init__(
        self, problem: str, remedy: str, place: Place | None = None, *, of_shapes: bool = False, text: str = ""
    ) -> None:
        where = f"{text}, {place}" if text and place else text or place
        super().__init__(f"{where}: {problem}" if where else problem, remedy)
        self.place, self.of_shapes, self._bare = place, of_shapes, problem

    def within(self, text: str) -> "ExpressionError":
        """The same, where there are several texts: it says in which."""
        return ExpressionError(self._bare, self.remedy, self.place, of_shapes=self.of_shapes, text=text)


@dataclass(frozen=True)
class Slice:
    """start:stop; Python's own slice cannot be hashed before 3.12."""

    start: Size
    stop: Size


@dataclass(frozen=True)
class Node:
    """One operation on its operands; equal where operation, operands and attributes are equal."""

    op: str
    children: tuple["Node", ...] = ()
    shape: Shape = ()
    name: str = ""
    data: Any = None
    place: Place | None = field(default=None, compare=False)

    def walk(self) -> Iterator["Node"]:
        """This node and all below it, operands first."""
        stack, order = [self], []
        while stack:
            tree = stack.pop()
            order.append(tree)
            stack.extend(tree.children)
        return reversed(order)

    @property
    def operations(self) -> int:
        """How many operations the expression writes; names and numbers are none."""
        return sum(bool(node.children) for node in self.walk())

    @property
    def names(self) -> list[str]:
        """The variables and intermediate results that occur, in order, each once."""
        return list(dict.fromkeys(node.name for node in self.walk() if node.op == "name"))


def node(op: str, *children: Node, data: Any = None, place: Place | None = None) -> Node:
    """The operation `op` on `children`, with its shape; raises ShapeError where they do not fit."""
    shape = _SHAPES[op](tuple(child.shape for child in children), data)
    if len(shape) > 2:
        raise ShapeError(
            f"{op} would give {len(shape)} axes: {shape_text(shape)}",
            "The language knows numbers, vectors and matrices.",
        )
    return Node(op, tuple(children), shape, "", data, place)


def variable(name: str, shape: Shape, place: Place | None = None) -> Node:
    return Node("name", (), shape, name, None, place)


def number(value: Any) -> Node:
    return Node("number", (), (), "", value)


def size_node(size: Size) -> Node:
    return number_node(size.constant) if not size.terms else Node("size", (), (), "", size)


def number_node(value: int) -> Node:
    return number(Fraction(value))


def cuts(tree: Node) -> list[tuple[Size, Size, Size]]:
    """Start, stop and size of the axis for each slice and place of an indexing."""
    if tree.op != "getitem":
        return []
    axes = iter(tree.children[0].shape)
    found = []
    for item in tree.data:
        if item is None:
            continue
        size = next(axes)
        start, stop = (item.start, item.stop) if isinstance(item, Slice) else (item, item + Size((), 1))
        found.append((start, stop, size))
    return found


def substitute(tree: Node, values: dict[str, Node]) -> Node:
    """`tree` with the expressions `values` in place of names."""
    if tree.op == "name":
        return values.get(tree.name, tree)
    if not tree.children:
        return tree
    return replace(tree, children=tuple(substitute(child, values) for child in tree.children))


def broadcast(shapes: tuple[Shape, ...]) -> Shape:
    """NumPy's rule: aligned at the last axis, equal sizes or 1; raises ShapeError."""
    length = max(map(len, shapes), default=0)
    result: list[Size] = []
    for axis in range(length):
        size = UNIT
        for shape in shapes:
            at = axis - length + len(shape)
            if at < 0 or shape[at].is_unit or shape[at] == size:
                continue
            if not size.is_unit:
                raise _mismatch("do not broadcast", shapes, size, shape[at])
            size = shape[at]
        result.append(size)
    return tuple(result)


def _mismatch(how: str, shapes: tuple[Shape, ...], first: Size, second: Size) -> ShapeError:
    both = " and ".join(map(shape_text, shapes))
    return ShapeError(
        f"the shapes {both} {how}: {first} is not {second}", "Correct the shapes that were declared, or transpose."
    )


def _elementwise(shapes: tuple[Shape, ...], _: Any) -> Shape:
    return broadcast(shapes)


def _matmul(shapes: tuple[Shape, ...], _: Any) -> Shape:
    left, right = shapes
    if not left or not right:
        raise ShapeError(
            f"@ takes no plain numbers, but the shapes are {shape_text(left)} and {shape_text(right)}",
            "Write * for the product with a number.",
        )
    inner = right[-2] if len(right) > 1 else right[0]
    if left[-1] != inner:
        raise _mismatch("do not multiply with @", shapes, left[-1], inner)
    return left[:-1] + (right[1:] if len(right) > 1 else ())


def _axes(what: str, shape: Shape, axis: int | None) -> tuple[int, ...]:
    if axis is None:
        return tuple(range(len(shape)))
    if not -len(shape) <= axis < len(shape):
        raise ShapeError(
            f"{what}: there is no axis {axis} in the shape {shape_text(shape)}", "Axes count from 0; -1 is the last."
        )
    return (axis % len(shape),)


def _reduction(shapes: tuple[Shape, ...], data: Any) -> Shape:
    axis, keepdims = data
    (shape,) = shapes
    gone = _axes("the sum", shape, axis)
    return tuple(UNIT if at in gone else size for at, size in enumerate(shape) if keepdims or at not in gone)


def _same(shapes: tuple[Shape, ...], data: Any) -> Shape:
    if data is not None:
        _axes("softmax", shapes[0], data[0])
    return shapes[0]


def _getitem(shapes: tuple[Shape, ...], items: Any) -> Shape:
    (shape,) = shapes
    taken = sum(item is not None for item in items)
    if taken > len(shape):
        raise ShapeError(
            f"{taken} indices for the shape {shape_text(shape)}", "Give at most one index or slice for each axis."
        )
    result: list[Size] = []
    rest = list(shape)
    for item in items:
        if item is None:
            result.append(UNIT)
            continue
        size = rest.pop(0)
        start, stop = (item.start, item.stop) if isinstance(item, Slice) else (item, item + UNIT)
        beyond = not (stop - size).terms and (stop - size).constant > 0
        empty = not (stop - start).terms and (stop - start).constant < 1
        before = not start.terms and start.constant < 0
        if beyond or empty or before:
            raise ShapeError(
                f"[{start}:{stop}] lies outside an axis of size {size}" if not empty else f"[{start}:{stop}] is empty",
                "Slices count from 0 and leave out their end.",
            )
        if isinstance(item, Slice):
            result.append(stop - start)
    return tuple(result + rest)


def _pad(shapes: tuple[Shape, ...], widths: Any) -> Shape:
    (shape,) = shapes
    if len(widths) != len(shape):
        raise ShapeError(f"pad has {len(widths)} pairs for the shape {shape_text(shape)}", "Give one pair an axis.")
    return tuple(before + size + after for size, (before, after) in zip(shape, widths, strict=True))


def _concatenate(shapes: tuple[Shape, ...], axis: Any) -> Shape:
    first = shapes[0]
    if not first:
        raise ShapeError("concatenate takes no plain numbers", "Give vectors or matrices.")
    (along,) = _axes("concatenate", first, axis)
    total = first[along]
    for shape in shapes[1:]:
        if len(shape) != len(first):
            raise ShapeError(
                f"concatenate: {shape_text(first)} and {shape_text(shape)} differ in their number of axes",
                "Give parts of equal rank.",
            )
        for at, size in enumerate(shape):
            if at != along and size != first[at]:
                raise _mismatch(f"do not concatenate along axis {along}", (first, shape), first[at], size)
        total = total + shape[along]
    return (*first[:along], total, *first[along + 1 :])


def _outer(shapes: tuple[Shape, ...], _: Any) -> Shape:
    for shape in shapes:
        if len(shape) != 1:
            raise ShapeError(f"outer takes two vectors, but one has the shape {shape_text(shape)}", "Slice or sum it.")
    return (shapes[0][0], shapes[1][0])


def _trace(shapes: tuple[Shape, ...], _: Any) -> Shape:
    (shape,) = shapes
    if len(shape) != 2 or shape[0] != shape[1]:
        raise ShapeError(f"trace takes a square matrix, not the shape {shape_text(shape)}", "Use sum for all entries.")
    return ()


def _diag(shapes: tuple[Shape, ...], _: Any) -> Shape:
    (shape,) = shapes
    if len(shape) == 1:
        return (shape[0], shape[0])
    if len(shape) != 2 or shape[0] != shape[1]:
        raise ShapeError(
            f"diag takes a vector or a square matrix, not the shape {shape_text(shape)}",
            "A vector becomes a diagonal matrix; of a square matrix the diagonal is taken.",
        )
    return (shape[0],)


def _cross_entropy(shapes: tuple[Shape, ...], _: Any) -> Shape:
    if shapes[0] != shapes[1] or not shapes[0]:
        raise ShapeError(
            f"cross_entropy compares outputs {shape_text(shapes[0])} with targets {shape_text(shapes[1])}",
            "Both need the same shape: (m, K), or (K,) for one sample.",
        )
    return ()


def _broadcast_to(shapes: tuple[Shape, ...], target: Any) -> Shape:
    if broadcast((shapes[0], target)) != target:
        raise ShapeError(
            f"{shape_text(shapes[0])} does not broadcast to {shape_text(target)}", "Each size must be equal or 1."
        )
    return tuple(target)


_SHAPES: dict[str, Callable[[tuple[Shape, ...], Any], Shape]] = {
    "add": _elementwise,
    "subtract": _elementwise,
    "multiply": _elementwise,
    "divide": _elementwise,
    "power": _elementwise,
    "apply": _elementwise,
    "negative": lambda shapes, data: shapes[0],
    "matmul": _matmul,
    "transpose": lambda shapes, data: shapes[0][::-1],
    "sum": _reduction,
    "mean": _reduction,
    "logsumexp": _reduction,
    "norm": _reduction,
    "softmax": _same,
    "getitem": _getitem,
    "pad": _pad,
    "concatenate": _concatenate,
    "outer": _outer,
    "trace": _trace,
    "diag": _diag,
    "cross_entropy": _cross_entropy,
    "eye": lambda shapes, data: (data, data),
    "ones": lambda shapes, data: data,
    "zeros": lambda shapes, data: data,
    "broadcast_to": _broadcast_to,
}
