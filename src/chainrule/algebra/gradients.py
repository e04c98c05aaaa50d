"""Reverse accumulation, written down: for each value the local derivatives of those that use it, and their sum.

∂E/∂V = Σ over the users Y of V of ∂E/∂Y · ∂Y/∂V. Each sum is kept as it was inserted, with its deltas contracted,
and in matrices.
"""

from dataclasses import dataclass

from chainrule.algebra.calculus import local_derivative
from chainrule.algebra.indices import (
    ONE,
    Delta,
    Entry,
    Polynomial,
    Term,
    atom,
    distribute,
    entries,
    expand,
    fresh,
    product,
    rename,
    simplify,
    sum_to_one,
)
from chainrule.algebra.lowering import Indices, indices_for, total
from chainrule.algebra.program import Line, Program
from chainrule.algebra.raising import NoMatrixForm, raise_to_matrix
from chainrule.algebra.sizes import Shape
from chainrule.algebra.tree import Node, node, number, number_node, variable
from chainrule.errors import InputError

MOST_TERMS = 400


@dataclass(frozen=True)
class Edge:
    """V is an operand of the line Y: ∂Y_at/∂V_where as `local`."""

    source: Node
    target: Line
    at: Indices
    where: Indices
    local: Polynomial


@dataclass(frozen=True)
class Adjoint:
    """∂E/∂V at the indices `where`: as the chain rule inserts it, contracted, and in matrices.

    name      what the gradient is called: dV
    edges     one for each user of V on the way to E
    inserted  for each edge the product of ∂E/∂Y and the local derivative, summed over the indices of Y
    formula   in matrices; None where the derivative is no matrix and `contracted` is all there is
    inlined   whether it is a mere number, which later steps write in place of the name
    outer     for a derivative of something that is no scalar: the indices of E, which come first
    unassumed what `contracted` was before it was used that probabilities sum to one; None where that changes nothing
    """

    of: Node
    name: str
    edges: tuple[Edge, ...]
    inserted: tuple[Polynomial, ...]
    contracted: Polynomial
    where: Indices
    formula: Node | None
    inlined: bool
    outer: Indices = ()
    unassumed: Polynomial | None = None

    @property
    def value(self) -> Node:
        return variable(self.name, self.of.shape)


@dataclass(frozen=True)
class Backward:
    """The adjoints in the order in which they are found, the result's own first."""

    program: Program
    adjoints: dict[str, Adjoint]
    independent: tuple[str, ...]
    prefix: str

    @property
    def sign(self) -> str:
        """What is printed before V for the gradient by V: d, or ∇ where the program has a dV of its own."""
        return "d" if self.prefix == "d" else "∇"

    def zero(self, name: str) -> Node | None:
        """The derivative by a name on which the result does not depend, where it is a number, vector or matrix."""
        shape = self.program.result.shape + self.program.shapes[name]
        if len(shape) > 2:
            return None
        return node("zeros", data=shape) if shape else number_node(0)

    def lines(self, wanted: list[str]) -> tuple[Line, ...]:
        """The equations of the gradients that `wanted` need, in order."""
        names = {adjoint.name: adjoint for adjoint in self.adjoints.values()}
        needed: set[str] = set()
        for adjoint in reversed(list(self.adjoints.values())):
            if (adjoint.of.name in wanted or adjoint.name in needed) and adjoint.formula is not None:
                needed.update(name for name in adjoint.formula.names if name in names)
                needed.add(adjoint.name)
        found = [
            Line(adjoint.name, adjoint.formula)
            for adjoint in self.adjoints.values()
            if adjoint.name in needed and adjoint.formula is not None
        ]
        zeros = [(name, self.zero(name)) for name in self.independent if name in wanted]
        return (*found, *(Line(self.prefix + name, zero) for name, zero in zeros if zero is not None))


def backward(program: Program, wrt: list[str]) -> Backward:
    """All adjoints from the last line of an unfolded program down to the names in `wrt`."""
    shapes = program.shapes
    result = program.result
    reached = _on_the_way(program, wrt)
    prefix = _prefix(shapes, program.symbols)
    order = [line.value for line in reversed(program.lines)] + [variable(n, program.inputs[n]) for n in program.inputs]
    adjoints: dict[str, Adjoint] = {}
    independent = tuple(name for name in wrt if name not in reached and name != result.name)
    outer = indices_for(result.shape)
    for value in order:
        if value.name == result.name:
            adjoints[value.name] = _seed(value, prefix, outer)
        elif value.name in reached:
            users = [line for line in program.lines if line.name in adjoints and value.name in line.expression.names]
            adjoints[value.name] = _adjoint(value, users, adjoints, prefix, outer, program.probabilities)
    return Backward(program, adjoints, independent, prefix)


def _on_the_way(program: Program, wrt: list[str]) -> set[str]:
    """The names that depend on one in `wrt` and on which the result depends."""
    above = set(wrt)
    for line in program.lines:
        if above & set(line.expression.names):
            above.add(line.name)
    below = {program.result.name}
    for line in reversed(program.lines):
        if line.name in below:
            below.update(line.expression.names)
    return above & below


def _prefix(shapes: dict[str, Shape], symbols: list[str]) -> str:
    taken = {*shapes, *symbols}
    return next(
        prefix for prefix in ("d", "grad_", "gradient_of_") if not any(prefix + name in taken for name in taken)
    )


def _seed(value: Node, prefix: str, outer: Indices) -> Adjoint:
    where = indices_for(value.shape)
    pairs = zip(outer, where, strict=True)
    one: Polynomial = (Term(ONE, tuple((Delta(i, j), ONE) for i, j in pairs if i is not None and j is not None)),)
    formula = number(ONE) if not value.shape else None
    return Adjoint(value, prefix + value.name, (), (), one, where, formula, True, outer if value.shape else ())


def _adjoint(
    value: Node,
    users: list[Line],
    adjoints: dict[str, Adjoint],
    prefix: str,
    outer: Indices,
    probabilities: dict[str, int],
) -> Adjoint:
    where = indices_for(value.shape)
    jacobian = bool(outer)
    edges, inserted = [], []
    whole: list[Term] = []
    for user in users:
        at = indices_for(user.shape)
        edge = Edge(value, user, at, where, local_derivative(user, at, value, where))
        edges.append(edge)
        if jacobian:
            raw = part = _jacobian_part(edge, adjoints[user.name])
        else:
            raw, part = _part(edge, adjoints[user.name], probabilities)
        inserted.append(raw)
        whole.extend(part)
    if len(whole) > MOST_TERMS:
        raise InputError(
            f"the derivative by {value.name} has {len(whole)} terms in index notation",
            "Differentiate a scalar, such as the sum with a vector; its gradient is a matrix.",
        )
    contracted = _shortest(simplify(tuple(whole)), where) if not jacobian else simplify(tuple(whole))
    unassumed = contracted
    contracted = sum_to_one(contracted, probabilities) if probabilities else contracted
    formula = _formula(contracted, (*outer, *where) if jacobian else where)
    inlined = jacobian or (formula is not None and _is_plain(contracted))
    outer = outer if jacobian else ()
    return Adjoint(
        value,
        prefix + value.name,
        tuple(edges),
        tuple(inserted),
        contracted,
        where,
        formula,
        inlined,
        outer,
        unassumed if unassumed != contracted else None,
    )


def _is_plain(polynomial: Polynomial) -> bool:
    """Whether it is one number, or one number times sizes or scalars: nothing that deserves a name."""
    return len(polynomial) <= 1 and not any(True for _ in entries(polynomial))


def _formula(polynomial: Polynomial, where: Indices) -> Node | None:
    if len(where) > 2:
        where_left = [index for index in where if index is not None]
        if len(where_left) > 2:
            return None
    try:
        return raise_to_matrix(polynomial, where) if len(where) <= 2 else None
    except NoMatrixForm:
        return None


def _cost(polynomial: Polynomial, where: Indices) -> int:
    formula = _formula(polynomial, where)
    return formula.operations if formula is not None else 10_000


def _shortest(polynomial: Polynomial, where: Indices) -> Polynomial:
    """The polynomial, or its expansion where that is shorter to write."""
    expanded = expand(polynomial)
    if expanded is None or not _worth_expanding(polynomial):
        return polynomial
    return expanded if _cost(expanded, where) < _cost(polynomial, where) else polynomial


def _worth_expanding(polynomial: Polynomial) -> bool:
    return any(type(single).__name__ == "Group" for term in polynomial for single, _ in term.factors)


def _part(edge: Edge, user: Adjoint, probabilities: dict[str, int]) -> tuple[Polynomial, Polynomial]:
    """Σ ∂E/∂Y · ∂Y/∂V as it is inserted, and as it is shortest.

    ∂E/∂Y stands by its name, or what it stands for is written out where that is shorter: there it cancels.
    """
    adjoint = rename_adjoint(user, edge.at)
    written = _inserted(edge, adjoint)
    if user.inlined:
        return written, written
    named = _inserted(edge, atom(Entry(user.value, edge.at)))
    best, least = (named, named), _cost(simplify(named), edge.where)
    long = len(user.contracted) > 6 or user.formula is None or user.formula.operations > 14
    if long or any(term.sums for term in user.contracted):
        return best
    apart = tuple(part for term in edge.local for part in distribute(term, adjoint))
    for candidate in (simplify(written), simplify(total(apart, edge.at))):
        cost = _cost(sum_to_one(candidate, probabilities), edge.where)
        if cost <= least:
            best, least = (written, candidate), cost
        expanded = expand(candidate)
        if expanded is not None and _cost(expanded, edge.where) < least:
            best, least = (written, expanded), _cost(expanded, edge.where)
    return best


def rename_adjoint(adjoint: Adjoint, at: Indices) -> Polynomial:
    """The adjoint's polynomial at other indices."""
    names = {old: new for old, new in zip(adjoint.where, at, strict=True) if old is not None and new is not None}
    return rename(tuple(fresh(term) for term in adjoint.contracted), names)


def _inserted(edge: Edge, adjoint: Polynomial) -> Polynomial:
    result: list[Term] = []
    for term in edge.local:
        result.extend(total(product(adjoint, (fresh(term),)), edge.at))
    return tuple(result)


def _jacobian_part(edge: Edge, user: Adjoint) -> Polynomial:
    """The same with all products multiplied out, for a derivative with more than two indices."""
    adjoint = rename_adjoint(user, edge.at)
    result: list[Term] = []
    for term in adjoint:
        result.extend(distribute(term, edge.local))
        if len(result) > MOST_TERMS:
            raise InputError(
                "the derivative has too many terms in index notation",
                "Differentiate a scalar, such as the sum with a vector; its gradient is a matrix.",
            )
    return simplify(total(tuple(result), edge.at))
