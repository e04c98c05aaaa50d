"""The numbers of index notation: every sum carried out as it is written."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from chainrule.algebra.evaluate import evaluate as value_of
from chainrule.algebra.indices import Atom, Count, Delta, Entry, Group, Index, Polynomial, atom_indices
from chainrule.algebra.tree import Node


def evaluate(polynomial: Polynomial, free: tuple[Index, ...], tensors: "Tensors") -> NDArray[np.float64]:
    """The array whose axes are the indices `free`, by the letter of the index notation: every sum is carried out."""
    shape = tuple(tensors.length(index) for index in free)
    total = np.zeros(shape)
    for term in polynomial:
        numbers = {index: at for at, index in enumerate(dict.fromkeys((*free, *term.sums)))}
        operands: list[Any] = [np.float64(float(term.coefficient)), []]
        covered: set[Index] = set()
        for single, exponent in term.factors:
            array, indices = _atom_value(single, tensors)
            for index in indices:
                numbers.setdefault(index, len(numbers))
            operands += [array if exponent == 1 else array ** float(exponent), [numbers[index] for index in indices]]
            covered.update(indices)
        for index in (*free, *term.sums):
            if index not in covered:
                operands += [np.ones(tensors.length(index)), [numbers[index]]]
        order = "greedy" if len(numbers) - len(free) > 2 else False  # many sums at once would take ages
        total = total + np.einsum(*operands, [numbers[index] for index in free], optimize=order)
    return np.asarray(total)


def _atom_value(single: Atom, tensors: "Tensors") -> tuple[NDArray[np.float64], tuple[Index, ...]]:
    if isinstance(single, Entry):
        indices = tuple(index for index in single.indices if index is not None and index.at is None)
        array = tensors.array(single.tensor)
        return array[tuple(tensors.place(index) for index in single.indices)], indices
    if isinstance(single, Delta):
        if single.first.at is not None or single.second.at is not None:
            eye = np.eye(tensors.length(single.first))
            return eye[tensors.place(single.first), tensors.place(single.second)], atom_indices(single)
        return np.eye(tensors.length(single.first)), (single.first, single.second)
    if isinstance(single, Count):
        return np.asarray(float(single.size.at(tensors.sizes))), ()
    indices = atom_indices(single)
    if isinstance(single, Group):
        return evaluate(single.inner, indices, tensors), indices
    arguments = [evaluate(argument, indices, tensors) for argument in single.arguments]
    return np.asarray(single.function.value(*arguments), dtype=np.float64), indices


class Tensors:
    """Numbers for the names and sizes that occur."""

    def __init__(self, values: Mapping[str, NDArray[np.float64]], sizes: Mapping[str, int]) -> None:
        self.values, self.sizes = values, sizes

    def length(self, index: Index) -> int:
        return index.size.at(self.sizes)

    def place(self, index: Index | None) -> Any:
        """What picks this index from an axis: all of it, a fixed place, or the only place of an axis of size 1."""
        if index is None:
            return 0
        return slice(None) if index.at is None else index.at.at(self.sizes)

    def array(self, tensor: Node) -> NDArray[np.float64]:
        return value_of(tensor, self.values, self.sizes)
