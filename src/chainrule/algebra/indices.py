"""Index notation: an entry of a tensor as a sum of products over named indices, with Kronecker deltas.

Z_ik = Σ_j X_ij W_jk + b_k is the polynomial of two terms, the first summed over j. Differentiation is the product rule
on such terms, where ∂X_ij/∂X_ab = δ_ia δ_jb; simplification is the contraction of deltas. That is all there is to the
calculus of matrices.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import count
from typing import Any

from chainrule.algebra.functions import Function
from chainrule.algebra.sizes import Size
from chainrule.algebra.tree import Node

_serial = count()


@dataclass(frozen=True)
class Index:
    """An index that runs over an axis; two are the same only where they are one object. A letter is given in print.

    With `at` it is no index that runs but the fixed place `at` of the axis.
    """

    size: Size = field(compare=False)
    serial: int = field(default_factory=lambda: next(_serial))
    at: Size | None = None


def fixed(size: Size, at: Size) -> Index:
    """The place `at` of an axis of this size."""
    return Index(size, -1, at)


@dataclass(frozen=True)
class Entry:
    """One entry of a tensor (a name, or a constant such as rows of the identity); None stands at axes of size 1."""

    tensor: Node
    indices: tuple[Index | None, ...]


@dataclass(frozen=True)
class Delta:
    """δ_ij: 1 where i = j, else 0."""

    first: Index
    second: Index


@dataclass(frozen=True)
class Count:
    """The number of values that an index takes."""

    size: Size


@dataclass(frozen=True)
class Apply:
    """An elementwise function of entries."""

    function: Function
    arguments: tuple["Polynomial", ...]


@dataclass(frozen=True)
class Group:
    """A sum in parentheses; the indices that are summed inside are known only inside."""

    inner: "Polynomial"


Atom = Entry | Delta | Count | Apply | Group
Factor = tuple[Atom, Fraction]


@dataclass(frozen=True)
class Term:
    """coefficient · Σ_sums Π atom ** exponent."""

    coefficient: Fraction
    factors: tuple[Factor, ...] = ()
    sums: tuple[Index, ...] = ()


Polynomial = tuple[Term, ...]

ONE = Fraction(1)
ZERO: Polynomial = ()


def constant(value: Fraction) -> Polynomial:
    return (Term(value),) if value else ZERO


def atom(single: Atom, exponent: Fraction = ONE) -> Polynomial:
    return (Term(ONE, ((single, exponent),)),)


def free_indices(polynomial: Polynomial) -> tuple[Index, ...]:
    """The indices that are not summed, in the order in which they come, each once."""
    found: dict[Index, None] = {}
    for term in polynomial:
        for single, _ in term.factors:
            found.update(dict.fromkeys(index for index in atom_indices(single) if index not in term.sums))
    return tuple(found)


def atom_indices(single: Atom) -> tuple[Index, ...]:
    """The indices of one factor that are known outside of it."""
    if isinstance(single, Entry):
        return tuple(dict.fromkeys(index for index in single.indices if index is not None and index.at is None))
    if isinstance(single, Delta):
        return tuple(index for index in (single.first, single.second) if index.at is None)
    if isinstance(single, Group):
        return free_indices(single.inner)
    if isinstance(single, Apply):
        return tuple(dict.fromkeys(index for argument in single.arguments for index in free_indices(argument)))
    return ()


def entries(polynomial: Polynomial) -> Iterator[Entry]:
    """Every entry that occurs, at any depth."""
    for term in polynomial:
        for single, _ in term.factors:
            if isinstance(single, Entry):
                yield single
            elif isinstance(single, Group):
                yield from entries(single.inner)
            elif isinstance(single, Apply):
                for argument in single.arguments:
                    yield from entries(argument)


def rename(polynomial: Polynomial, names: Mapping[Index, Index]) -> Polynomial:
    """The same with other indices."""
    return tuple(_rename_term(term, names) for term in polynomial)


def _rename_term(term: Term, names: Mapping[Index, Index]) -> Term:
    factors = tuple((_rename_atom(single, names), exponent) for single, exponent in term.factors)
    return Term(term.coefficient, factors, tuple(names.get(index, index) for index in term.sums))


def _rename_atom(single: Atom, names: Mapping[Index, Index]) -> Atom:
    if isinstance(single, Entry):
        return Entry(single.tensor, tuple(names.get(index, index) if index else None for index in single.indices))
    if isinstance(single, Delta):
        return Delta(names.get(single.first, single.first), names.get(single.second, single.second))
    if isinstance(single, Group):
        return Group(rename(single.inner, names))
    if isinstance(single, Apply):
        return Apply(single.function, tuple(rename(argument, names) for argument in single.arguments))
    return single


def fresh(term: Term) -> Term:
    """The term with new indices of summation, so that it can stand beside any other."""
    return _rename_term(term, {index: Index(index.size) for index in term.sums}) if term.sums else term


def join(left: Term, right: Term) -> Term:
    """The product of two terms, of which no index is summed in both."""
    if set(left.sums) & set(right.sums):
        right = fresh(right)
    return Term(left.coefficient * right.coefficient, left.factors + right.factors, left.sums + right.sums)


def single_term(polynomial: Polynomial) -> Term:
    """The polynomial as one term: in parentheses where it has several."""
    return polynomial[0] if len(polynomial) == 1 else Term(ONE, ((Group(polynomial), ONE),))


def product(left: Polynomial, right: Polynomial) -> Polynomial:
    """left · right; sums stay in parentheses."""
    if not left or not right:
        return ZERO
    return (join(single_term(left), single_term(right)),)


def distribute(term: Term, polynomial: Polynomial) -> Polynomial:
    """term · each term of the polynomial."""
    return tuple(join(term, fresh(other)) for other in polynomial)


def scaled(polynomial: Polynomial, by: Fraction) -> Polynomial:
    return tuple(Term(term.coefficient * by, term.factors, term.sums) for term in polynomial)


def power(polynomial: Polynomial, exponent: Fraction) -> Polynomial:
    """polynomial ** exponent. (x y)ᵖ is taken apart only where p is whole: √(x²) is not x."""
    if exponent == 1:
        return polynomial
    if exponent == 0:
        return constant(ONE)
    if not polynomial:
        if exponent < 0:
            raise ZeroDivisionError
        return ZERO
    if len(polynomial) == 1 and not polynomial[0].sums:
        (term,) = polynomial
        lone = term.coefficient == 1 and len(term.factors) == 1 and term.factors[0][1] == 1
        if exponent.denominator == 1 or lone:
            coefficient = ONE if lone else term.coefficient**exponent.numerator
            return (Term(coefficient, tuple((single, old * exponent) for single, old in term.factors)),)
    return atom(Group(polynomial), exponent)


def substitute_entries(polynomial: Polynomial, values: Mapping[str, Polynomial]) -> Polynomial:
    """The same with polynomials in place of the scalars of these names."""
    result: list[Term] = []
    for term in polynomial:
        whole: Polynomial = (Term(term.coefficient, (), term.sums),)
        for single, exponent in term.factors:
            if isinstance(single, Entry) and single.tensor.name in values:
                part = power(values[single.tensor.name], exponent)
            elif isinstance(single, Group):
                part = power(substitute_entries(single.inner, values), exponent)
            elif isinstance(single, Apply):
                arguments = tuple(substitute_entries(argument, values) for argument in single.arguments)
                part = atom(Apply(single.function, arguments), exponent)
            else:
                part = atom(single, exponent)
            whole = product(whole, part)
        result.extend(whole)
    return tuple(result)


def replace_atom(polynomial: Polynomial, old: Atom, new: Atom) -> Polynomial:
    """The same with the factor `new` wherever `old` stands."""

    def swapped(single: Atom) -> Atom:
        if single == old:
            return new
        if isinstance(single, Group):
            return Group(replace_atom(single.inner, old, new))
        if isinstance(single, Apply):
            return Apply(single.function, tuple(replace_atom(part, old, new) for part in single.arguments))
        return single

    return tuple(
        Term(term.coefficient, tuple((swapped(single), exponent) for single, exponent in term.factors), term.sums)
        for term in polynomial
    )


def simplify(polynomial: Polynomial) -> Polynomial:
    """Deltas contracted, equal factors and equal terms brought together, what is zero left out."""
    flat: list[Term] = []
    for term in polynomial:
        flat.extend(_opened(term))
    collected: dict[Any, Term] = {}
    for term in flat:
        term = _simplify_term(term)
        if not term.coefficient:
            continue
        key = _key(term)
        if key in collected:
            old = collected[key]
            term = Term(old.coefficient + term.coefficient, old.factors, old.sums)
        collected[key] = term
    return tuple(term for term in collected.values() if term.coefficient)


def _opened(term: Term) -> Iterator[Term]:
    """A term that is nothing but a number times a sum in parentheses is that sum."""
    if len(term.factors) == 1 and not term.sums:
        single, exponent = term.factors[0]
        if isinstance(single, Group) and exponent == 1:
            for inner in single.inner:
                yield from _opened(Term(term.coefficient * inner.coefficient, inner.factors, inner.sums))
            return
    yield term


def _simplify_term(term: Term) -> Term:
    whole = _contract(_unpack(term))
    coefficient, sums = whole.coefficient, list(whole.sums)
    gathered: dict[Atom, Fraction] = {}
    for single, exponent in _pinned(list(whole.factors)):
        if isinstance(single, Count) and not single.size.terms:
            coefficient *= Fraction(single.size.constant) ** exponent.numerator
        elif isinstance(single, Delta):
            if single.first.at is not None and single.second.at is not None:
                apart = single.first.at - single.second.at
                if not apart.terms and apart.constant:
                    return Term(Fraction(0))
            if single.first != single.second:
                gathered[single] = ONE
        else:
            gathered[single] = gathered.get(single, Fraction(0)) + exponent
    kept = {single: exponent for single, exponent in gathered.items() if exponent}
    used = {index for single in kept for index in atom_indices(single)}
    for index in [index for index in sums if index not in used]:
        sums.remove(index)
        if index.size.terms:
            counted = Count(index.size)
            kept[counted] = kept.get(counted, Fraction(0)) + 1
        else:
            coefficient *= index.size.constant
    return Term(coefficient, tuple((s, e) for s, e in kept.items() if e), tuple(sums))


def _unpack(term: Term) -> Term:
    """What stands in parentheses simplified, each once, and taken out of them where it is a single term."""
    coefficient, sums = term.coefficient, term.sums
    factors: list[Factor] = []
    for single, exponent in term.factors:
        if isinstance(single, Apply):
            single = Apply(single.function, tuple(simplify(argument) for argument in single.arguments))
        if not isinstance(single, Group):
            factors.append((single, exponent))
            continue
        inner = simplify(single.inner)
        if not inner:
            return Term(Fraction(0))
        opened = power(inner, exponent)
        alone = len(inner) == 1 and (exponent == 1 or not inner[0].sums)
        if alone and not (len(opened[0].factors) == 1 and isinstance(opened[0].factors[0][0], Group)):
            part = fresh(opened[0])
            coefficient *= part.coefficient
            factors += part.factors
            sums += part.sums
        else:
            factors.append((Group(inner), exponent))
    return Term(coefficient, tuple(factors), sums)


def _contract(term: Term) -> Term:
    """Σ_i δ_ij x_i = x_j, as long as there is a delta with a summed index."""
    sums, factors = list(term.sums), list(term.factors)
    while True:
        delta = next((s for s, _ in factors if isinstance(s, Delta) and (s.first in sums or s.second in sums)), None)
        if delta is None:
            return Term(term.coefficient, tuple(factors), tuple(sums))
        gone, kept = (delta.first, delta.second) if delta.first in sums else (delta.second, delta.first)
        factors = [factor for factor in factors if factor[0] != delta]
        if gone != kept:
            sums.remove(gone)
            factors = [(_rename_atom(single, {gone: kept}), exponent) for single, exponent in factors]


def sum_to_one(polynomial: Polynomial, axes: Mapping[str, int]) -> Polynomial:
    """Σ_k t_ik = 1 for the tensors of these names, along their axes, where k stands nowhere else in the term."""
    result = []
    for term in polynomial:
        for single, exponent in term.factors:
            if not (isinstance(single, Entry) and single.tensor.name in axes and exponent == 1):
                continue
            along = single.indices[axes[single.tensor.name]]
            others = [other for other, _ in term.factors if other != single]
            if along in term.sums and not any(along in atom_indices(other) for other in others):
                rest = tuple(factor for factor in term.factors if factor[0] != single)
                sums = tuple(index for index in term.sums if index != along)
                term = Term(term.coefficient, rest, sums)
        result.append(term)
    return simplify(tuple(result))


def _pinned(factors: list[Factor]) -> list[Factor]:
    """y_i δ_2i is y_2 δ_2i: beside a delta with a fixed place, the other factors take that place too."""
    for delta in [single for single, _ in factors if isinstance(single, Delta)]:
        pin, free = (delta.first, delta.second) if delta.first.at is not None else (delta.second, delta.first)
        if pin.at is not None and free.at is None:
            factors = [
                (single if single == delta else _rename_atom(single, {free: pin}), exponent)
                for single, exponent in factors
            ]
    return factors


def _key(term: Term) -> Any:
    """Equal for terms that differ in their coefficient and in the names of their summed indices alone."""
    if not term.sums:
        return frozenset(term.factors)
    hidden = {index: Index(index.size, -1) for index in term.sums}
    ordered = sorted(term.factors, key=lambda factor: repr((_rename_atom(factor[0], hidden), factor[1])))
    names: dict[Index, Index] = {}
    for single, _ in ordered:
        for index in atom_indices(single):
            if index in term.sums:
                names.setdefault(index, Index(index.size, -2 - len(names)))
    return tuple((_rename_atom(single, names), exponent) for single, exponent in ordered)


def expand(polynomial: Polynomial, limit: int = 64) -> Polynomial | None:
    """Every product multiplied out, or None where that gives more than `limit` terms."""
    result: list[Term] = []
    for term in polynomial:
        terms: Polynomial = (Term(term.coefficient, (), term.sums),)
        for single, exponent in term.factors:
            if isinstance(single, Group) and exponent in (1, 2):
                inner = expand(single.inner, limit)
                if inner is None:
                    return None
                for _ in range(int(exponent)):
                    terms = tuple(part for left in terms for part in distribute(left, inner))
            else:
                terms = tuple(join(left, Term(ONE, ((single, exponent),))) for left in terms)
            if len(terms) + len(result) > limit:
                return None
        result.extend(terms)
    return simplify(tuple(result))
