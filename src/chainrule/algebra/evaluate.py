"""The value of an expression at given arrays, with NumPy, one operation a line."""

from collections.abc import Callable, Mapping, Sequence
from operator import itemgetter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from chainrule.algebra.program import Program
from chainrule.algebra.sizes import Size
from chainrule.algebra.tree import Node, Slice

Floats = NDArray[np.float64]
Sizes = Mapping[str, int]


def evaluate(tree: Node, values: Mapping[str, Floats], sizes: Sizes) -> Floats:
    """The array that `tree` stands for; float64."""
    if tree.op == "name":
        return values[tree.name]
    operands = [evaluate(child, values, sizes) for child in tree.children]
    return np.asarray(_VALUES[tree.op](operands, tree.data, sizes), dtype=np.float64)


def prepared(tree: Node, sizes: Sizes) -> Callable[[Mapping[str, Floats]], Floats]:
    """`evaluate` for many values at the same sizes: the tree is walked once, numbers and ones are made once."""
    if tree.op == "name":
        return itemgetter(tree.name)
    if not tree.children:
        constant = evaluate(tree, {}, sizes)
        return lambda values: constant
    operation, data = _VALUES[tree.op], tree.data
    parts = [prepared(child, sizes) for child in tree.children]
    return lambda values: np.asarray(operation([part(values) for part in parts], data, sizes), dtype=np.float64)


def run(
    program: Program, inputs: Mapping[str, Floats], sizes: Sizes, fixed: Mapping[str, Floats] | None = None
) -> dict[str, Floats]:
    """The values of all names; lines in `fixed` keep the value given there."""
    values = dict(inputs)
    for line in program.lines:
        if fixed and line.name in fixed:
            values[line.name] = fixed[line.name]
        else:
            values[line.name] = evaluate(line.expression, values, sizes)
    return values


def _softmax(Z: Floats, axis: int | None) -> Floats:
    e = np.exp(Z - Z.max(axis=axis, keepdims=True))
    return np.asarray(e / e.sum(axis=axis, keepdims=True))


def _logsumexp(Z: Floats, axis: int | None, keepdims: bool) -> Floats:
    greatest = Z.max(axis=axis, keepdims=True)
    total = np.log(np.exp(Z - greatest).sum(axis=axis, keepdims=True)) + greatest
    return np.asarray(total if keepdims else total.sum(axis=axis))


def _norm(X: Floats, axis: int | None, keepdims: bool) -> Floats:
    return np.asarray(np.sqrt(np.square(X).sum(axis=axis, keepdims=keepdims)))


def _cross_entropy(A: Floats, T: Floats) -> Floats:
    m = A.shape[0] if A.ndim == 2 else 1
    return np.asarray(-(T * np.log(A)).sum() / m)


def _item(item: Any, sizes: Sizes) -> Any:
    if isinstance(item, Slice):
        return slice(item.start.at(sizes), item.stop.at(sizes))
    return None if item is None else item.at(sizes)


def _shape(shape: Sequence[Size], sizes: Sizes) -> tuple[int, ...]:
    return tuple(size.at(sizes) for size in shape)


_VALUES: dict[str, Callable[[list[Floats], Any, Sizes], Any]] = {
    "number": lambda x, data, sizes: float(data),
    "constant": lambda x, data, sizes: data,
    "size": lambda x, data, sizes: data.at(sizes),
    "add": lambda x, data, sizes: x[0] + x[1],
    "subtract": lambda x, data, sizes: x[0] - x[1],
    "multiply": lambda x, data, sizes: x[0] * x[1],
    "divide": lambda x, data, sizes: x[0] / x[1],
    "power": lambda x, data, sizes: x[0] ** x[1],
    "negative": lambda x, data, sizes: -x[0],
    "matmul": lambda x, data, sizes: x[0] @ x[1],
    "transpose": lambda x, data, sizes: x[0].T,
    "sum": lambda x, data, sizes: x[0].sum(axis=data[0], keepdims=data[1]),
    "mean": lambda x, data, sizes: x[0].mean(axis=data[0], keepdims=data[1]),
    "softmax": lambda x, data, sizes: _softmax(x[0], data[0]),
    "logsumexp": lambda x, data, sizes: _logsumexp(x[0], *data),
    "norm": lambda x, data, sizes: _norm(x[0], *data),
    "apply": lambda x, data, sizes: data.value(*x),
    "getitem": lambda x, data, sizes: x[0][tuple(_item(item, sizes) for item in data)],
    "pad": lambda x, data, sizes: np.pad(x[0], [_shape(pair, sizes) for pair in data]),
    "concatenate": lambda x, data, sizes: np.concatenate(x, axis=data),
    "outer": lambda x, data, sizes: np.outer(x[0], x[1]),
    "trace": lambda x, data, sizes: np.trace(x[0]),
    "diag": lambda x, data, sizes: np.diag(x[0]),
    "cross_entropy": lambda x, data, sizes: _cross_entropy(x[0], x[1]),
    "eye": lambda x, data, sizes: np.eye(data.at(sizes)),
    "ones": lambda x, data, sizes: np.ones(_shape(data, sizes)),
    "zeros": lambda x, data, sizes: np.zeros(_shape(data, sizes)),
    "broadcast_to": lambda x, data, sizes: np.broadcast_to(x[0], _shape(data, sizes)),
}
