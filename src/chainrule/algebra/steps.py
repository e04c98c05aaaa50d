"""A derivation as a person would write it: steps in their order, each with its rule, its equations and its shape."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from chainrule.algebra import functions
from chainrule.algebra.entries import Letters, entry, show_polynomial
from chainrule.algebra.formulas import (
    BESIDE,
    EQUALS,
    PLUS,
    Formula,
    Name,
    Script,
    Sum,
    letter,
    note,
    numeral,
    partial,
    row,
)
from chainrule.algebra.gradients import Adjoint, Backward, Edge
from chainrule.algebra.indices import simplify
from chainrule.algebra.latex import latex
from chainrule.algebra.lowering import indices_for, lower
from chainrule.algebra.matrices import Names, show
from chainrule.algebra.plain import plain
from chainrule.algebra.program import Line, Program
from chainrule.algebra.sizes import Shape, shape_text
from chainrule.algebra.source import source
from chainrule.algebra.tree import Node, substitute

LONGEST_CLOSED_FORM = 24  # operations


@dataclass(frozen=True)
class Equation:
    """left = right, or left ← right for an update."""

    left: Formula
    right: Formula
    sign: Formula = EQUALS

    @property
    def formula(self) -> Formula:
        return row(self.left, self.sign, self.right)


@dataclass(frozen=True)
class Step:
    """One step.

    rule       its name: "equation", "local derivative", "chain rule", "substitution", "contraction", "matrix form", …
    words      what a person would say
    equations  what a person would write; none where words are all there is
    shape      of what stands on the left, None where there is no one thing
    of         the name it is about
    section    under which heading it stands
    """

    rule: str
    words: str
    equations: tuple[Equation, ...] = ()
    shape: Shape | None = None
    of: str = ""
    section: str = field(default="", compare=False)

    @property
    def latex(self) -> str:
        """The equations in LaTeX, one under the other."""
        return r" \\ ".join(latex(equation.formula) for equation in self.equations)

    @property
    def text(self) -> str:
        """Words and equations in plain Unicode."""
        return "\n".join([self.words, *(plain(equation.formula) for equation in self.equations)])

    def to_json(self) -> dict[str, Any]:
        shape = shape_text(self.shape) if self.shape is not None else None
        equations = [plain(equation.formula) for equation in self.equations]
        return {
            "section": self.section, "rule": self.rule, "of": self.of, "words": self.words, "equations": equations,
            "latex": self.latex, "shape": shape,
        }  # fmt: skip


def derivation_steps(program: Program, found: Backward, wrt: list[str], closed: Mapping[str, Node]) -> list[Step]:
    """All steps from the equations to the gradients by `wrt`, and their `closed` forms; the check is added later."""
    names = Names({adjoint.name: adjoint.of.name for adjoint in found.adjoints.values()}, found.sign)
    taken = {*program.shapes, *program.symbols}
    adjoints = [adjoint for adjoint in found.adjoints.values() if adjoint.edges]
    steps = [_forward(line, names, taken) for line in program.lines]
    steps += _graph(program, adjoints)
    steps += [_local(edge, names, taken) for adjoint in adjoints for edge in adjoint.edges]
    steps += _kinks(program)
    for adjoint in adjoints:
        steps += _chain(found, adjoint, names, taken)
    for name in wrt:
        steps += _result(found, name, closed.get(name), names, taken)
    return steps


def _forward(line: Line, names: Names, taken: set[str]) -> Step:
    """The line in matrices and, where it sums or multiplies, entry by entry."""
    equations = [Equation(Name(line.name), show(line.expression, names))]
    letters, at = Letters(taken), indices_for(line.shape)
    letters.name(*at)
    indexed = show_polynomial(simplify(lower(line.expression, at)), letters, names)
    if any(at) or any(isinstance(part, Sum) for part in getattr(indexed, "parts", ())):
        equations.append(Equation(entry(Name(line.name), at, letters), indexed))
    return Step(
        "equation", f"{line.name} is {shape_text(line.shape)}", tuple(equations), line.shape, line.name, "Forward"
    )


def _graph(program: Program, adjoints: list[Adjoint]) -> list[Step]:
    if not adjoints:
        return []
    users = {adjoint.of.name: ", ".join(edge.target.name for edge in adjoint.edges) for adjoint in adjoints}
    arrows = [f"{name} → {users[name]}" for name in program.shapes if name in users]
    words = f"On the way to {program.result.name}: " + "; ".join(arrows) + "."
    return [Step("graph", words, section="Graph")]


def _local(edge: Edge, names: Names, taken: set[str]) -> Step:
    letters = Letters(taken)
    letters.name(*edge.at, *edge.where)
    left = partial(entry(Name(edge.target.name), edge.at, letters), entry(Name(edge.source.name), edge.where, letters))
    equation = Equation(left, show_polynomial(edge.local, letters, names))
    shape = edge.target.shape + edge.source.shape
    words = f"∂{edge.target.name}/∂{edge.source.name} is {shape_text(shape)}"
    return Step(
        "local derivative", words, (equation,), shape, f"{edge.target.name}/{edge.source.name}", "Local derivatives"
    )


def _kinks(program: Program) -> list[Step]:
    """Where a function has no derivative, and what is taken there."""
    steps: dict[str, Step] = {}
    for line in program.lines:
        for node in line.expression.walk():
            if node.op == "apply" and node.data.kinks:
                words = _kink_words(node, line.name)
                steps.setdefault(words, Step("kink", words, section="Local derivatives"))
    return list(steps.values())


def _kink_words(node: Node, name: str) -> str:
    rule = node.data
    operands = [source(child) for child in node.children]
    if rule.arity == 2:
        where = f"{operands[0]} = {operands[1]}"
    else:
        where = " or ".join(f"{operands[0]} = {kink:g}" for kink in rule.kinks)
    sign = functions.COMPARISONS.get(rule.name)
    shown = f"{operands[0]} {sign} {operands[1]}" if sign else f"{rule.name}({', '.join(operands)})"
    return f"{name}: {shown} is not differentiable where an entry of {where}; there the formula takes one side."


def _chain(found: Backward, adjoint: Adjoint, names: Names, taken: set[str]) -> list[Step]:
    """The chain rule, the local derivatives inserted, deltas contracted, and the matrix form."""
    result = found.program.result.name
    letters = Letters(taken)
    letters.name(*adjoint.outer, *adjoint.where)
    of = adjoint.of.name
    top = entry(Name(result), adjoint.outer, letters)
    left = partial(top, entry(Name(of), adjoint.where, letters))
    shape = adjoint.of.shape if not adjoint.outer else found.program.result.shape + adjoint.of.shape

    def make(rule: str, words: str, right: Formula) -> Step:
        return Step(rule, words, (Equation(left, right),), shape, of, "Chain rule")

    paths = len(adjoint.edges)
    along = ", ".join(edge.target.name for edge in adjoint.edges)
    words = f"{of} acts through {along}" + ("; the paths are added" if paths > 1 else "")
    written = _chain_rule(adjoint, top, letters, result)
    steps = [make("chain rule", words, written)] if written != left else []
    inserted = show_polynomial(tuple(term for part in adjoint.inserted for term in part), letters, names)
    before = adjoint.contracted if adjoint.unassumed is None else adjoint.unassumed
    contracted = show_polynomial(before, letters, names)
    steps.append(make("substitution", "the local derivatives inserted", inserted))
    if inserted != contracted:
        steps.append(make("contraction", "sums with δ carried out, equal factors brought together", contracted))
    if adjoint.unassumed is not None:
        held = " and ".join(found.program.probabilities)
        final = show_polynomial(adjoint.contracted, letters, names)
        steps.append(make("probabilities", f"the probabilities {held} of a sample sum to one", final))
    if adjoint.formula is not None and not (adjoint.inlined and not adjoint.outer and not adjoint.of.shape):
        equation = Equation(_gradient_symbol(adjoint, result, names), show(adjoint.formula, names))
        steps.append(Step("matrix form", "in matrices", (equation,), shape, of, "Chain rule"))
    return steps


def _gradient_symbol(adjoint: Adjoint, result: str, names: Names) -> Formula:
    if adjoint.outer:
        return partial(Name(result), Name(adjoint.of.name))
    return names.formula(adjoint.name)


def _chain_rule(adjoint: Adjoint, top: Formula, letters: Letters, result: str) -> Formula:
    parts: list[Formula] = []
    for edge in adjoint.edges:
        own = entry(Name(edge.target.name), edge.at, letters)
        below = entry(Name(adjoint.of.name), adjoint.where, letters)
        sums = [letter(letters[index]) for index in edge.at if index is not None]
        if parts:
            parts.append(PLUS)
        if sums:
            parts.append(Sum(row(*sums)))
        if edge.target.name != result or adjoint.outer:
            parts += [partial(top, own), BESIDE]
        direct = edge.target.name == result and len(adjoint.edges) > 1 and not adjoint.outer
        parts.append(Script(partial(own, below), sub=note("direct")) if direct else partial(own, below))
    return row(*parts)


def closed_forms(found: Backward) -> dict[str, Node]:
    """By variable, the gradients without other gradients in them, where these are short enough to be read.

    What is inserted only grows: a gradient that uses one that is too long is too long as well.
    """
    of = {adjoint.name: adjoint for adjoint in found.adjoints.values()}
    written: dict[str, Node] = {}
    closed: dict[str, Node] = {}
    for line in found.lines([*found.adjoints]):
        used = [name for name in line.expression.names if name in of]
        if any(name not in written for name in used):
            continue
        whole = substitute(line.expression, {name: written[name] for name in used})
        if whole.operations > LONGEST_CLOSED_FORM:
            continue
        written[line.name] = whole
        if whole != line.expression:
            closed[of[line.name].of.name] = whole
    return closed


def _result(found: Backward, name: str, closed: Node | None, names: Names, taken: set[str]) -> list[Step]:
    result = found.program.result
    left = partial(Name(result.name), Name(name))
    shape = found.program.shapes[name]
    if name in found.independent:
        words = f"{result.name} does not depend on {name}: the derivative is zero."
        return [Step("no dependence", words, (Equation(left, numeral("0")),), shape, name, "Result")]
    adjoint = found.adjoints[name]
    if not adjoint.edges:
        words = f"{name} is the result itself."
        return [Step("identity", words, (), shape, name, "Result")]
    if adjoint.formula is None:
        letters = Letters(taken)
        letters.name(*adjoint.outer, *adjoint.where)
        indexed = partial(entry(Name(result.name), adjoint.outer, letters), entry(Name(name), adjoint.where, letters))
        shape = result.shape + shape
        words = f"∂{result.name}/∂{name} has {len(shape)} axes, {shape_text(shape)}, and is no matrix; entry by entry"
        equation = Equation(indexed, show_polynomial(adjoint.contracted, letters, names))
        return [Step("result", words, (equation,), shape, name, "Result")]
    equations = [Equation(left, show(adjoint.formula, names))]
    if closed is not None:
        equations.append(Equation(left, show(closed, names)))
    whole = adjoint.formula.shape
    return [Step("result", f"∂{result.name}/∂{name} is {shape_text(whole)}", tuple(equations), whole, name, "Result")]
