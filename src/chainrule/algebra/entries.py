"""Index notation as formulas: (Z₁)_ik = Σ_j X_ij (W₁)_jk, with a letter for each index."""

from fractions import Fraction as Rational
from itertools import chain, count

from chainrule.algebra.formulas import (
    BESIDE,
    COMMA,
    DOT,
    MINUS,
    PLUS,
    SIGN,
    Fence,
    Formula,
    Fraction,
    Glyph,
    Name,
    Root,
    Script,
    Sum,
    letter,
    numeral,
    row,
    word,
)
from chainrule.algebra.indices import Apply, Atom, Count, Delta, Entry, Group, Index, Polynomial, Term, atom_indices
from chainrule.algebra.matrices import Names, applied, number_formula, show, size_formula
from chainrule.algebra.spelling import parts
from chainrule.algebra.tree import Node

_POOL = "ijkpqabcnuvtgrwshefmxyz"


class Letters:
    """Gives each index a letter that is no name of the program."""

    def __init__(self, taken: set[str]) -> None:
        self.taken = taken
        self.given: dict[Index, str] = {}

    def __getitem__(self, index: Index) -> str:
        if index not in self.given:
            used = set(self.given.values())
            more = (f"i{number}" for number in count(1))
            free = (letter for letter in chain(_POOL, more) if letter not in self.taken and letter not in used)
            self.given[index] = next(free)
        return self.given[index]

    def name(self, *indices: Index | None) -> None:
        """Give these indices the next letters, in this order."""
        for index in indices:
            if index is not None:
                _ = self[index]


def place(index: Index, letters: Letters) -> Formula:
    """The letter of an index, or the place at which it is fixed."""
    return letter(letters[index]) if index.at is None else size_formula(index.at)


def entry(name: Name, indices: tuple[Index | None, ...], letters: Letters) -> Formula:
    """W_ij; (W₁)_ij where the name has an index of its own; the plain name for a number."""
    written = [place(index, letters) for index in indices if index is not None]
    if not written:
        return name
    if _long(*written):
        written = [part for index in written for part in (COMMA, index)][1:]
    base: Formula = Fence(name) if name.gradient or parts(name.name)[1] else name
    return Script(base, sub=row(*written))


def show_polynomial(polynomial: Polynomial, letters: Letters, names: Names) -> Formula:
    """The sum of its terms."""
    if not polynomial:
        return numeral("0")
    polynomial = _common_factor(polynomial)
    written: list[Formula] = []
    for term in polynomial:
        minus = term.coefficient < 0
        if written:
            written.append(MINUS if minus else PLUS)
        elif minus:
            written.append(SIGN)
        written.append(_term(term, letters, names))
    return row(*written)


def _common_factor(polynomial: Polynomial) -> Polynomial:
    """a δ − a b as a (δ − b): what all of several terms share stands before the parentheses."""
    first, *others = polynomial
    if not others or any(term.sums for term in polynomial):
        return polynomial
    shared = tuple(factor for factor in first.factors if all(factor in term.factors for term in others))
    if not shared:
        return polynomial
    rest = tuple(
        Term(term.coefficient, tuple(factor for factor in term.factors if factor not in shared)) for term in polynomial
    )
    return (Term(Rational(1), (*shared, (Group(rest), Rational(1)))),)


def _term(term: Term, letters: Letters, names: Names) -> Formula:
    """|coefficient| Σ factors; what has a negative exponent stands below a line."""
    coefficient = abs(term.coefficient)
    for single, _ in term.factors:
        for index in atom_indices(single):
            _ = letters[index]
    over, under = _ordered(term, 1), _ordered(term, -1)
    scaled = len(over) + (coefficient.numerator != 1) + bool(term.sums and not under and coefficient.denominator == 1)
    above = [_factor(single, exponent, letters, names, scaled) for single, exponent in over]
    company = len(under) + (coefficient.denominator != 1)
    below = [_factor(single, -exponent, letters, names, company) for single, exponent in under]
    if coefficient.numerator != 1 or (not above and coefficient.denominator == 1):
        above.insert(0, numeral(str(coefficient.numerator)))
    if coefficient.denominator != 1:
        if coefficient.denominator > 12:
            above = above[1:] if coefficient.numerator != 1 else above
            above.insert(0, number_formula(coefficient))
        else:
            below.insert(0, numeral(str(coefficient.denominator)))
    product = _beside(above) if above else numeral("1")
    if below:
        product = Fraction(product, _beside(below))
    if not term.sums:
        return product
    return row(Sum(row(*[letter(letters[index]) for index in term.sums])), product)


def _ordered(term: Term, sign: int) -> list[tuple[Atom, Rational]]:
    """Numbers and gradients first, deltas last."""
    chosen = [factor for factor in term.factors if (factor[1] > 0) == (sign > 0)]
    return sorted(chosen, key=lambda factor: isinstance(factor[0], Delta) - isinstance(factor[0], Count))


def _beside(factors: list[Formula]) -> Formula:
    mixed: list[Formula] = []
    for factor in factors:
        number_after_number = mixed and isinstance(factor, Glyph) and factor.kind == "mn"
        mixed += [DOT if number_after_number else BESIDE, factor] if mixed else [factor]
    return row(*mixed)


def _factor(single: Atom, exponent: Rational, letters: Letters, names: Names, company: int) -> Formula:
    if exponent == Rational(1, 2):
        return Root(_atom(single, letters, names))
    if exponent == 1:
        formula = _atom(single, letters, names)
        return Fence(formula) if isinstance(single, Group) and company > 1 else formula
    base = _atom(single, letters, names)
    plain = isinstance(single, Entry) and not any(single.indices) and "_" not in getattr(base, "name", "_")
    if isinstance(base, Script) and base.sup is None and not isinstance(single, Apply):
        return Script(base.base, base.sub, number_formula(exponent))
    return Script(base if plain else Fence(base), sup=number_formula(exponent))


def _atom(single: Atom, letters: Letters, names: Names) -> Formula:
    if isinstance(single, Entry):
        return _entry(single, letters, names)
    if isinstance(single, Delta):
        return _delta(place(single.first, letters), place(single.second, letters))
    if isinstance(single, Count):
        return size_formula(single.size) if single.size.is_simple else Fence(size_formula(single.size))
    if isinstance(single, Group):
        return show_polynomial(single.inner, letters, names)
    return applied(single.function, [show_polynomial(argument, letters, names) for argument in single.arguments])


def _delta(first: Formula, second: Formula) -> Formula:
    return Script(word("δ", r"\delta"), sub=row(first, COMMA, second) if _long(first, second) else row(first, second))


def _long(*formulas: Formula) -> bool:
    return any(not isinstance(formula, Glyph) or len(formula.plain) > 1 for formula in formulas)


def _entry(single: Entry, letters: Letters, names: Names) -> Formula:
    tensor: Node = single.tensor
    if tensor.op == "name":
        return entry(names.formula(tensor.name), single.indices, letters)
    if tensor.op == "constant":
        return show(tensor, names)
    (item,) = tensor.data  # rows of the identity
    inside = single.indices[-1]
    column: Formula = letter(letters[inside]) if inside is not None else numeral("0")
    outside = single.indices[0]
    start = item.start
    first: Formula = size_formula(start)
    if outside is not None:
        shifted = bool(start.terms or start.constant)
        first = row(letter(letters[outside]), PLUS, first) if shifted else letter(letters[outside])
    return _delta(first, column)
