"""The derivative of one entry by another: the product rule on index notation, and the chain rule for functions."""

from fractions import Fraction
from functools import lru_cache

from chainrule.algebra.functions import Function, derivative_text, function
from chainrule.algebra.indices import (
    ONE,
    Apply,
    Atom,
    Delta,
    Entry,
    Group,
    Polynomial,
    Term,
    atom,
    distribute,
    power,
    product,
    replace_atom,
    scaled,
    simplify,
    single_term,
    substitute_entries,
)
from chainrule.algebra.language import read
from chainrule.algebra.lowering import Indices, lower
from chainrule.algebra.program import Line
from chainrule.algebra.tree import Node


def local_derivative(line: Line, at: Indices, by: Node, where: Indices) -> Polynomial:
    """∂line_at/∂by_where for a line and one of its operands, deltas left standing where they carry the result."""
    if line.expression.op in _RULES and line.expression.children[0] == by:
        return simplify(_RULES[line.expression.op](line, at, by, where))
    whole = lower(line.expression, at)
    return simplify(_in_terms_of_value(differentiate(whole, by.name, where), whole, line, at))


def differentiate(polynomial: Polynomial, name: str, where: Indices) -> Polynomial:
    """The derivative by the entry `where` of the tensor `name`: the product rule, term by term."""
    result: list[Term] = []
    for term in polynomial:
        for at, (single, exponent) in enumerate(term.factors):
            inner = _atom_derivative(single, name, where)
            if not inner:
                continue
            others = term.factors[:at] + term.factors[at + 1 :]
            lowered = ((single, exponent - 1),) if exponent != 1 else ()
            rest = Term(term.coefficient * exponent, others + lowered, term.sums)
            result.extend(distribute(rest, inner))
    return tuple(result)


def _atom_derivative(single: Atom, name: str, where: Indices) -> Polynomial:
    if isinstance(single, Entry) and single.tensor.op == "name" and single.tensor.name == name:
        pairs = zip(single.indices, where, strict=True)
        deltas = tuple((Delta(index, other), ONE) for index, other in pairs if index is not None and other is not None)
        return (Term(ONE, deltas),)
    if isinstance(single, Group):
        return differentiate(single.inner, name, where)
    if isinstance(single, Apply):
        result: Polynomial = ()
        for argument, operand in enumerate(single.arguments):
            inner = differentiate(operand, name, where)
            outer = _function_derivative(single, argument) if inner else ()
            if outer:
                result += distribute(single_term(outer), inner)
        return result
    return ()


def _function_derivative(applied: Apply, argument: int) -> Polynomial:
    written = _derivative(applied.function, argument)
    values = dict(zip(("x", "y"), applied.arguments, strict=False))
    return substitute_entries(written, {**values, "a": atom(applied)})


@lru_cache(maxsize=512)
def _derivative(rule: Function, argument: int) -> Polynomial:
    """f′ in x, y and the value a, from the table of functions."""
    text = derivative_text(rule, argument)
    return lower(read(f"d = {text}", {"x": (), "y": (), "a": ()}).result.expression, ())


def _in_terms_of_value(derivative: Polynomial, whole: Polynomial, line: Line, at: Indices) -> Polynomial:
    """With the line's own name where its whole right side occurs: a (1 − a), and 1/(2a) for a square root."""
    if len(whole) != 1 or whole[0].sums or whole[0].coefficient != 1 or len(whole[0].factors) != 1:
        return derivative
    single, exponent = whole[0].factors[0]
    own = Entry(line.value, at)
    if exponent == 1:
        return replace_atom(derivative, single, own) if isinstance(single, Apply) else derivative
    if exponent.denominator == 1:
        return derivative
    result = []
    for term in simplify(derivative):
        factors = [
            (own, old / exponent) if other == single and (old / exponent).denominator == 1 else (other, old)
            for other, old in term.factors
        ]
        result.append(Term(term.coefficient, tuple(factors), term.sums))
    return tuple(result)


def _deltas(at: Indices, where: Indices, axes: list[bool]) -> Polynomial:
    """Π δ over the axes that are marked."""
    pairs = [(i, j) for i, j, marked in zip(at, where, axes, strict=True) if marked]
    return (Term(ONE, tuple((Delta(i, j), ONE) for i, j in pairs if i is not None and j is not None)),)


def _kept_axes(line: Line) -> list[bool]:
    """Which axes of the operand a softmax or reduction does not run along."""
    axis = line.expression.data[0]
    rank = len(line.expression.children[0].shape)
    return [axis is not None and number != axis % rank for number in range(rank)]


def _reduced(line: Line, at: Indices, where: Indices) -> tuple[Polynomial, Indices]:
    """The deltas that tie the axes which a reduction keeps."""
    kept = _kept_axes(line)
    rest = list(at)
    padded: list[object] = []
    for keep in kept:
        padded.append(rest.pop(0) if keep or line.expression.data[1] else None)
    aligned = tuple(index if keep else None for index, keep in zip(padded, kept, strict=True))
    return _deltas(aligned, where, kept), where  # type: ignore[arg-type]


def _softmax_rule(line: Line, at: Indices, by: Node, where: Indices) -> Polynomial:
    """∂a_k/∂z_j = a_k (δ_kj − a_j)."""
    kept = _kept_axes(line)
    own = atom(Entry(line.value, at))
    other = atom(Entry(line.value, tuple(i if keep else j for i, j, keep in zip(at, where, kept, strict=True))))
    diagonal = product(own, _deltas(at, where, [True] * len(at)))
    return diagonal + scaled(product(product(own, other), _deltas(at, where, kept)), Fraction(-1))


def _logsumexp_rule(line: Line, at: Indices, by: Node, where: Indices) -> Polynomial:
    """∂l/∂z_j = exp(z_j − l)."""
    deltas, _ = _reduced(line, at, where)
    exponent = atom(Entry(by, where)) + scaled(atom(Entry(line.value, at)), Fraction(-1))
    return product(atom(Apply(function("exp"), (exponent,))), deltas)


def _norm_rule(line: Line, at: Indices, by: Node, where: Indices) -> Polynomial:
    """∂‖x‖/∂x_j = x_j / ‖x‖."""
    deltas, _ = _reduced(line, at, where)
    return product(product(atom(Entry(by, where)), power(atom(Entry(line.value, at)), Fraction(-1))), deltas)


_RULES = {"softmax": _softmax_rule, "logsumexp": _logsumexp_rule, "norm": _norm_rule}
