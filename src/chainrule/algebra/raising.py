"""From index notation back to matrices: a sum over an index that two factors share is a product, over an index of one
factor a sum along an axis, and factors with the same indices multiply entry by entry.
"""

from dataclasses import dataclass
from fractions import Fraction

from chainrule.algebra import build
from chainrule.algebra.indices import (
    Apply,
    Atom,
    Count,
    Delta,
    Entry,
    Group,
    Index,
    Polynomial,
    Term,
    atom_indices,
    entries,
    free_indices,
    rename,
    simplify,
)
from chainrule.algebra.lowering import Indices
from chainrule.algebra.sizes import UNIT, number_size
from chainrule.algebra.tree import Node, node, number, size_node

Scalars = tuple[tuple[Node, bool], ...]  # each with whether it stands in the denominator


class NoMatrixForm(Exception):  # noqa: N818
    """The sum is no composition of products, sums along axes and elementwise operations."""


@dataclass(frozen=True)
class Piece:
    """An expression whose axes carry these indices; `inverse` where it stands in the denominator."""

    value: Node
    indices: tuple[Index, ...]
    inverse: bool = False

    @property
    def plain(self) -> "Piece":
        return Piece(build.divide(build.ONE, self.value), self.indices) if self.inverse else self

    def along(self, indices: tuple[Index, ...]) -> Node:
        """The expression with its axes in this order."""
        return self.value if indices == self.indices else build.transpose(self.value)


def raise_to_matrix(polynomial: Polynomial, target: Indices) -> Node:
    """The expression whose entry at `target` is the polynomial; raises NoMatrixForm where there is none."""
    polynomial = simplify(polynomial)
    shape = tuple(index.size if index is not None else UNIT for index in target)
    return build.fit(_sum(polynomial, target), shape)


def _sum(polynomial: Polynomial, target: Indices) -> Node:
    """The sum of the terms, ready to be broadcast to the target; a positive term comes first where there is one."""
    if not polynomial:
        return number(Fraction(0))
    common, polynomial = _common_scalars(polynomial)
    if common is not None:
        inner = _sum(polynomial, target)
        minus = common.coefficient < 0
        shared = tuple((_scalar(single, exponent), exponent < 0) for single, exponent in common.factors)
        whole = _scale(inner, abs(common.coefficient), shared)
        return build.negative(whole) if minus else whole
    like: dict[tuple[Node, Scalars], Fraction] = {}  # 2 A A + A A is 3 A A, though not index by index
    for term in polynomial:
        value, scalars, coefficient = _term(term, target)
        like[value, scalars] = like.get((value, scalars), Fraction(0)) + coefficient
    parts = [(coefficient, *key) for key, coefficient in like.items() if coefficient]
    if parts and parts[0][0] < 0:
        parts.sort(key=lambda part: part[0] < 0)
    result: Node | None = None
    for coefficient, value, scalars in parts:
        value = _scale(value, abs(coefficient), scalars)
        if result is None:
            result = build.negative(value) if coefficient < 0 else value
        else:
            result = build.subtract(result, value) if coefficient < 0 else build.add(result, value)
    return result if result is not None else number(Fraction(0))


def _common_scalars(polynomial: Polynomial) -> tuple[Term | None, Polynomial]:
    """The number and the scalar factors that all of several terms share, and the terms without them."""
    if len(polynomial) < 2:
        return None, polynomial
    shared = [
        factor for factor in polynomial[0].factors
        if not atom_indices(factor[0]) and all(factor in term.factors for term in polynomial)
    ]  # fmt: skip
    sizes = {abs(term.coefficient) for term in polynomial}
    coefficient = sizes.pop() if len(sizes) == 1 else Fraction(1)
    if all(term.coefficient < 0 for term in polynomial):
        coefficient = -coefficient
    if not shared and coefficient == 1:
        return None, polynomial
    rest = tuple(
        Term(term.coefficient / coefficient, tuple(f for f in term.factors if f not in shared), term.sums)
        for term in polynomial
    )
    return Term(coefficient, tuple(shared)), rest


def _scalar(single: Atom, exponent: Fraction) -> Node:
    return build.power(_piece(single).value, abs(exponent))


def _term(term: Term, target: Indices) -> tuple[Node, Scalars, Fraction]:
    """The term as a matrix, the scalar factors that stand before it, and its number."""
    for single, _ in term.factors:
        if isinstance(single, Delta) and len(atom_indices(single)) == 2:
            return _diagonal(term, single, target)
    scalars: list[tuple[Node, bool]] = []
    pieces: list[Piece] = []
    for single, exponent in term.factors:
        piece = _piece(single)
        value = build.power(piece.value, abs(exponent))
        if piece.indices:
            pieces.append(Piece(value, piece.indices, exponent < 0))
        else:
            scalars.append((value, exponent < 0))
    pieces, sums = _merge_parallel(pieces, target), set(term.sums)
    while sums:
        pieces, made = _contract(pieces, sums, target)
        scalars.extend((piece.value, piece.inverse) for piece in pieces if not piece.indices)
        pieces = _merge_parallel([piece for piece in pieces if piece.indices], target)
        sums -= made
    return _assemble(pieces, target), tuple(scalars), term.coefficient


def _diagonal(term: Term, delta: Delta, target: Indices) -> tuple[Node, Scalars, Fraction]:
    """δ_ab v_a is a diagonal matrix; deltas of summed indices have been contracted before."""
    if set(target) != {delta.first, delta.second}:
        raise NoMatrixForm
    rest = Term(abs(term.coefficient), tuple(factor for factor in term.factors if factor[0] != delta), term.sums)
    (rest,) = rename((rest,), {delta.second: delta.first})
    value = _sum(simplify((rest,)), (delta.first,))
    identity = node("eye", data=delta.first.size)
    diagonal = node("diag", value) if value.shape else build.multiply(value, identity)
    return diagonal, (), Fraction(1 if term.coefficient > 0 else -1)


def _piece(single: Atom) -> Piece:
    if isinstance(single, Count):
        return Piece(size_node(single.size), ())
    if isinstance(single, Delta):
        indices = atom_indices(single)
        if len(indices) != 1:
            raise NoMatrixForm
        pin = single.first if single.first.at is not None else single.second
        assert pin.at is not None
        return Piece(node("getitem", node("eye", data=pin.size), data=(pin.at,)), indices)
    if isinstance(single, Entry):
        places = [number_size(0) if index is None else index.at for index in single.indices]
        value = build.picked(single.tensor, places)
        indices = tuple(index for index in single.indices if index is not None and index.at is None)
        if len(indices) == 2 and indices[0] == indices[1]:
            return Piece(node("diag", value), indices[:1])
        return Piece(value, indices)
    indices = atom_indices(single)
    if len(indices) > 2:
        raise NoMatrixForm
    if isinstance(single, Group):
        indices = _nicest(single.inner)
        return Piece(_full(_sum(single.inner, indices), indices), indices)
    assert isinstance(single, Apply)
    indices = _nicest(*single.arguments)
    operands = [_sum(argument, indices) for argument in single.arguments]
    if single.function.name == "power":
        return Piece(_full(node("power", *operands), indices), indices)
    return Piece(_full(node("apply", *operands, data=single.function), indices), indices)


def _nicest(*polynomials: Polynomial) -> tuple[Index, ...]:
    """The order of the free indices in which most matrices stand as they are; found without writing anything twice."""
    indices = tuple(dict.fromkeys(index for polynomial in polynomials for index in free_indices(polynomial)))
    if len(indices) < 2:
        return indices
    place = {indices[0]: 0, indices[-1]: 1}
    votes = 0
    for polynomial in polynomials:
        for entry in entries(polynomial):
            known = [(axis, place[index]) for axis, index in enumerate(entry.indices) if index in place]
            if len(entry.indices) == 2:
                votes += sum(1 if axis == at else -1 for axis, at in known)
    return indices if votes >= 0 else indices[::-1]


def _full(value: Node, indices: tuple[Index, ...]) -> Node:
    return build.fit(value, tuple(index.size for index in indices))


def _merge_parallel(pieces: list[Piece], target: Indices) -> list[Piece]:
    """Factors with the same indices, multiplied entry by entry."""
    groups: dict[frozenset[Index], list[Piece]] = {}
    for piece in pieces:
        groups.setdefault(frozenset(piece.indices), []).append(piece)
    return [_parallel(group, target) for group in groups.values()]


def _parallel(group: list[Piece], target: Indices) -> Piece:
    if len(group) == 1:
        return group[0]
    orders = [group[0].indices, group[0].indices[::-1]]
    wanted = tuple(index for index in target if index in group[0].indices)
    if len(wanted) == len(orders[0]):
        order = wanted
    else:
        order = min(orders, key=lambda order: sum(build.transposes(piece.along(order)) for piece in group))
    above = [piece.along(order) for piece in group if not piece.inverse]
    below = [piece.along(order) for piece in group if piece.inverse]
    order = tuple(index for index in order if index is not None)
    if not above:
        return Piece(_product(below), order, inverse=True)
    return Piece(build.divide(_product(above), _product(below)) if below else _product(above), order)


def _product(values: list[Node]) -> Node:
    result = values[0]
    for value in values[1:]:
        result = build.multiply(result, value)
    return result


def _contract(pieces: list[Piece], sums: set[Index], target: Indices) -> tuple[list[Piece], set[Index]]:
    """One sum carried out, the cheapest first; returns the remaining pieces and the indices that are gone."""
    holders = {index: [piece for piece in pieces if index in piece.indices] for index in sums}

    def cost(index: Index) -> tuple[bool, int, int, int]:
        held = holders[index]
        cut = len(held) == 1 and len(held[0].indices) == 2 and build.is_selector(held[0].value)  # a slice comes first
        return (cut, len(held), sum(len(piece.indices) for piece in held), index.serial)

    for index in sorted(sums, key=cost):
        held = holders[index]
        rest = [piece for piece in pieces if index not in piece.indices]
        if len(held) == 1:
            piece = held[0].plain
            gone = {index} | {
                other for other in piece.indices if other in sums and holders[other] == held and len(piece.indices) == 2
            }
            return [*rest, _summed(piece, gone)], gone
        if len(held) == 2:
            return [*rest, _joined(held[0], held[1], index)], {index}
        vector = next((piece for piece in held if len(piece.indices) == 1), None)
        if vector is not None:
            matrices = [piece for piece in held if piece is not vector]
            chosen = min(matrices, key=lambda piece: piece.inverse or piece.indices[-1] != index)
            kept = [piece for piece in pieces if piece is not vector and piece is not chosen]
            return [*kept, _stretched(chosen.plain, vector)], set()
    raise NoMatrixForm


def _summed(piece: Piece, gone: set[Index]) -> Piece:
    value, kept = piece.value, tuple(index for index in piece.indices if index not in gone)
    if not kept:
        factors = value.children if value.op == "multiply" and len(value.shape) == 1 else ()
        if factors and all(len(factor.shape) == 1 for factor in factors):
            return Piece(build.matmul(*factors), ())
        return Piece(build.total(value, None), ())
    (index,) = gone
    return Piece(build.total(value, piece.indices.index(index)), kept)


def _joined(left: Piece, right: Piece, index: Index) -> Piece:
    """Σ over an index that two factors share: their matrix product, in the order with the fewest transposes."""
    left, right = left.plain, right.plain
    first = tuple(other for other in left.indices if other != index)
    second = tuple(other for other in right.indices if other != index)
    if not first and second:
        return _joined(right, left, index)
    forward = build.matmul(left.along((*first, index)), right.along((index, *second)))
    if not second or first == second:
        return Piece(forward, first + second)
    backward = build.matmul(right.along((*second, index)), left.along((index, *first)))
    if build.transposes(backward) < build.transposes(forward):
        return Piece(backward, second + first)
    return Piece(forward, first + second)


def _stretched(matrix: Piece, vector: Piece) -> Piece:
    """A matrix times a vector along one of its axes, entry by entry."""
    by = vector.value if matrix.indices[-1] == vector.indices[0] else build.column(vector.value)
    value = build.divide(matrix.value, by) if vector.inverse else build.multiply(matrix.value, by)
    return Piece(value, matrix.indices)


def _assemble(pieces: list[Piece], target: Indices) -> Node:
    """The product of pieces without sums, with its axes where the target has them."""
    order = tuple(index for index in target if index is not None)
    vectors = [piece for piece in pieces if len(piece.indices) == 1]
    matrices = [piece for piece in pieces if len(piece.indices) == 2]
    if len(matrices) > 1 or any(index not in order for piece in pieces for index in piece.indices):
        raise NoMatrixForm
    if not pieces:
        return number(Fraction(1))
    if len(target) == 2 and len(order) == 2:
        if not matrices and len(vectors) == 2 and not any(vector.inverse for vector in vectors):
            by_index = {vector.indices[0]: vector.value for vector in vectors}
            return build.outer(by_index[order[0]], by_index[order[1]])
        above = [piece.along(order) for piece in matrices if not piece.inverse]
        below = [piece.along(order) for piece in matrices if piece.inverse]
        for vector in vectors:
            value = vector.value if vector.indices[0] == order[1] else build.column(vector.value)
            (below if vector.inverse else above).append(value)
        whole = _product(above) if above else build.ONE
        return build.divide(whole, _product(below)) if below else whole
    (piece,) = pieces
    value = piece.plain.value
    if len(target) == 2 and target[1] is None:
        return build.column(value)
    return value


def _scale(value: Node, coefficient: Fraction, scalars: Scalars) -> Node:
    """value times the scalar factors: numbers first, what divides last."""
    above = [scalar for scalar, inverse in scalars if not inverse]
    below = [scalar for scalar, inverse in scalars if inverse]
    if coefficient.denominator <= 12 and coefficient.denominator > 1:
        numerator, denominator = Fraction(coefficient.numerator), [number(Fraction(coefficient.denominator))]
    else:
        numerator, denominator = coefficient, []
    factors = ([number(numerator)] if numerator != 1 else []) + above
    result = _product(factors) if factors else build.ONE
    result = build.multiply(result, value)
    under = denominator + below
    return build.divide(result, _product(under)) if under else result
