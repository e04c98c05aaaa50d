"""`derive`: an equation in, its derivative out, step by step, and nothing that central differences did not confirm."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from chainrule.algebra import documents
from chainrule.algebra.evaluate import evaluate, run
from chainrule.algebra.gradients import Adjoint, Backward, backward
from chainrule.algebra.graph import graph as draw
from chainrule.algebra.language import normal, read
from chainrule.algebra.latex import latex
from chainrule.algebra.numbers import Tensors
from chainrule.algebra.numbers import evaluate as evaluate_indices
from chainrule.algebra.plain import plain
from chainrule.algebra.points import NotDifferentiableError
from chainrule.algebra.program import Line, Program
from chainrule.algebra.sizes import Shape, shape_text, symbols
from chainrule.algebra.source import program_source, source
from chainrule.algebra.steps import Step, closed_forms, derivation_steps
from chainrule.algebra.tree import Node, cuts
from chainrule.algebra.unfolding import unfold
from chainrule.algebra.verify import Check, verify
from chainrule.errors import InputError, shown, unknown_name
from chainrule.graphs import Graph

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Gradient:
    """One derivative: ∂of/∂by.

    expression  the tree, in the names of the program and of other gradients; None where it is no matrix
    closed      the same without the names of other gradients, where that is short
    shape       of the derivative
    """

    of: str
    by: str
    shape: Shape
    expression: Node | None
    closed: Node | None
    formula: str
    latex: str

    def __str__(self) -> str:
        return self.formula

    @property
    def source(self) -> str:
        """In Python's syntax; raises InputError where the derivative is no matrix."""
        if self.expression is None:
            raise InputError(
                f"∂{self.of}/∂{self.by} has the shape {shape_text(self.shape)} and is no matrix",
                "Its formula entry by entry is printed by .text().",
            )
        return source(self.closed or self.expression)


class Derivation:
    """The derivative of one equation by one or several names, with all its steps; made by `derive`.

    steps     the steps in their order
    result    a Gradient; by name where `derive` was asked for several
    checks    what was compared with central differences, each with its sizes and its greatest gap
    verified  True: a derivation that fails a check is never made
    """

    def __init__(self, program: Program, unfolded: Program, found: Backward, wrt: list[str], several: bool) -> None:
        self.preface = _PREFACE.format(sign=found.sign)
        self.title = f"{program.result.name} differentiated by {', '.join(wrt)}"
        closed = closed_forms(found)
        self.checks: list[Check] = verify(program, unfolded, found, wrt, closed=closed)
        self.program, self.unfolded, self.found, self.wrt = program, unfolded, found, tuple(wrt)
        self._several = several
        self.steps = (*derivation_steps(unfolded, found, wrt, closed), _verified(self.checks))
        self.results = {name: self._gradient(name, closed.get(name)) for name in wrt}

    @property
    def result(self) -> Any:
        """The Gradient; a mapping of them where `wrt` was a list."""
        return self.results if self._several else self.results[self.wrt[0]]

    @property
    def verified(self) -> bool:
        return bool(self.checks)

    @cached_property
    def source(self) -> str:
        """Declarations, equations and gradients as a text that `derive` reads, to go on from."""
        return program_source(self.unfolded, self.lines)

    @property
    def lines(self) -> tuple[Line, ...]:
        """The equations of the gradients, in the order in which they are computed."""
        return self.found.lines(list(self.wrt))

    @property
    def local_derivatives(self) -> dict[tuple[str, str], Step]:
        """By (Y, V), the step that says what ∂Y/∂V is."""
        steps = [step for step in self.steps if step.rule == "local derivative"]
        return {(y, v): step for step in steps for y, _, v in [step.of.partition("/")]}

    def evaluate(self, values: Mapping[str, ArrayLike]) -> Any:
        """The derivative at arrays for all inputs, by name; a mapping of derivatives where `wrt` was a list.

        Raises InputError where an array is missing, unknown, or of a shape that does not fit.
        """
        inputs, sizes = bind(self.program, values)
        every = run(self.unfolded, inputs, sizes)
        for line in self.lines:
            every[line.name] = evaluate(line.expression, every, sizes)
        gradients = {name: self._value(name, every, sizes) for name in self.wrt}
        return gradients if self._several else gradients[self.wrt[0]]

    def values(self, values: Mapping[str, ArrayLike]) -> dict[str, Floats]:
        """The value of every name of the program, and of every gradient as dV, at arrays for all inputs."""
        inputs, sizes = bind(self.program, values)
        every = run(self.unfolded, inputs, sizes)
        for line in self.found.lines([*self.found.adjoints, *self.found.independent]):
            every[line.name] = evaluate(line.expression, every, sizes)
        return every

    def graph(self, values: Mapping[str, ArrayLike] | None = None) -> Graph:
        """The equations as a graph, with the local derivatives on the way back (`.svg(backward=True)`).

        At arrays for all inputs, where `values` has them, numbers and Euclidean norms stand in it.
        """
        return draw(self, self.values(values) if values is not None else None)

    def _value(self, name: str, every: dict[str, Floats], sizes: dict[str, int]) -> Floats:
        shape = tuple(size.at(sizes) for size in self.results[name].shape)
        if name in self.found.independent:
            return np.zeros(shape)
        adjoint = self.found.adjoints[name]
        if adjoint.formula is not None and not adjoint.outer:
            return evaluate(adjoint.formula, every, sizes)
        free = tuple(index for index in (*adjoint.outer, *adjoint.where) if index is not None)
        return evaluate_indices(adjoint.contracted, free, Tensors(every, sizes)).reshape(shape)

    def _gradient(self, name: str, closed: Node | None) -> Gradient:
        result = self.program.result
        shape = self.program.shapes.get(name, ())
        if name in self.found.independent:
            zero = self.found.zero(name)
            return Gradient(result.name, name, result.shape + shape, zero, zero, "0", "0")
        adjoint: Adjoint = self.found.adjoints[name]
        shape = (result.shape if adjoint.outer else ()) + shape
        step = next(step for step in self.steps if step.section == "Result" and step.of == name)
        last = step.equations[-1].right if step.equations else None
        text, formula = (plain(last), latex(last)) if last is not None else ("1", "1")
        return Gradient(result.name, name, shape, adjoint.formula, closed, text, formula)

    def _document(self) -> documents.Document:
        return documents.document(self.title, self.preface, self.steps, self.graph())

    def text(self) -> str:
        """Plain text in Unicode."""
        return documents.to_text(self._document())

    def markdown(self) -> str:
        """Markdown with formulas in LaTeX between dollar signs."""
        return documents.to_markdown(self._document())

    def latex(self) -> str:
        """A LaTeX document that compiles by itself."""
        return documents.to_latex(self._document())

    def html(self) -> str:
        """An HTML page with formulas in MathML."""
        return documents.to_html(self._document())

    def fragment(self, *, heading: int = 4) -> str:
        """HTML for a place within another page, without the graph; the title is a heading of level `heading`."""
        return documents.html_fragment(self._document(), heading=heading, graph=False)

    def to_json(self) -> dict[str, Any]:
        """Title, equations, gradients, steps and checks as plain data."""
        return {
            "title": self.title,
            "equations": {line.name: source(line.expression) for line in self.unfolded.lines},
            "gradients": {line.name: source(line.expression) for line in self.lines},
            "results": {
                name: {"shape": shape_text(found.shape), "formula": found.formula, "latex": found.latex}
                for name, found in self.results.items()
            },
            "steps": [step.to_json() for step in self.steps],
            "checks": [vars(check) for check in self.checks],
        }

    def _repr_html_(self) -> str:
        return documents.html_fragment(self._document())

    def __str__(self) -> str:
        return self.text()

    def __repr__(self) -> str:
        return f"Derivation({self.title}; {len(self.steps)} steps, {len(self.checks)} checks passed)"


_PREFACE = (
    "Juxtaposition is the matrix product, ∘ the product entry by entry; vectors and numbers are stretched as in NumPy. "
    "{sign}V is short for the derivative of the result by V and has the shape of V."
)


def derive(
    expression: "str | Derivation",
    wrt: str | Sequence[str],
    shapes: Mapping[str, Any] | None = None,
    *,
    of: str | None = None,
    probabilities: Mapping[str, int] | None = None,
) -> Derivation:
    """Differentiate the last line of `expression` (or the line `of`) by `wrt`, one name or several.

    expression  lines in Python's syntax (see `chainrule.algebra.language`), or a Derivation: then its gradient is
                differentiated again
    shapes      of the inputs: {"x": "N", "W": "K,N", "rate": ()}; declarations in the text do as well
    probabilities  inputs whose entries sum to one along an axis, {"T": 1}: then softmax and cross-entropy give A − T

    Raises ExpressionError for what is not in the language, with its place; UnverifiedError, with a report, where
    central differences contradict a derivative: then nothing is returned.
    """
    if isinstance(expression, Derivation):
        if len(expression.wrt) > 1:
            raise InputError(
                f"the derivation has {len(expression.wrt)} gradients: {', '.join(expression.wrt)}",
                "Derive by one name first, or go on from .source.",
            )
        expression = expression.source
    program = read(expression, shapes)
    if of is not None:
        if of not in {line.name for line in program.lines}:
            raise unknown_name("line", of, {line.name for line in program.lines})
        program = program.up_to(of)
    names = _wanted(program, wrt)
    unused = {name: program.declared[name] for name in names if name not in program.shapes}
    program = replace(program, inputs={**program.inputs, **unused})
    program = replace(program, probabilities=probability_axes(program, probabilities or {}, names))
    unfolded = unfold(program)
    try:
        return Derivation(program, unfolded, backward(unfolded, names), names, not isinstance(wrt, str))
    except ZeroDivisionError:
        raise NotDifferentiableError(
            f"{program.result.name} divides by zero whatever the values are", "Look for a denominator that is 0."
        ) from None


def probability_axes(program: Program, probabilities: Mapping[str, int], wrt: list[str]) -> dict[str, int]:
    """The axes along which inputs sum to one; raises InputError for what is no input, or no axis of it."""
    probabilities = {normal(name): axis for name, axis in probabilities.items()}
    for name, axis in probabilities.items():
        if name not in program.inputs:
            raise unknown_name("input", name, program.inputs)
        if axis not in range(len(program.inputs[name])) or name in wrt:
            raise InputError(
                f"probabilities of {name} along axis {shown(axis)} make no sense",
                "Name an axis of an input that is not differentiated by.",
            )
    return dict(probabilities)


def _wanted(program: Program, wrt: str | Sequence[str]) -> list[str]:
    names = [normal(name) for name in ([wrt] if isinstance(wrt, str) else wrt)]
    if not names:
        raise InputError("wrt names nothing", 'Name what to differentiate by: wrt="x", or several in a list.')
    declared = {**program.declared, **program.shapes}
    for name in names:
        if name not in declared:
            raise unknown_name("variable", name, declared)
    if program.result.name in names:
        raise InputError(f"{program.result.name} is the result itself", "Differentiate it by something it is made of.")
    return list(dict.fromkeys(names))


def _verified(checks: list[Check]) -> Step:
    """What was compared, in words."""
    sizes = list(dict.fromkeys(tuple(check.sizes.items()) for check in checks))
    at = " and at ".join(", ".join(f"{name} = {n}" for name, n in one) or "the given sizes" for one in sizes)
    entries = sum(check.entries for check in checks)
    gap = max((check.gap for check in checks), default=0.0)
    words = (
        "Every derivative above, local ones included, agrees with central differences in float64 at two random "
        f"points, at {at}: {entries} entries compared, relative gaps below {power_of_ten(gap)}."
    )
    return Step("verification", words, section="Verified")


def power_of_ten(gap: float) -> str:
    """The next power of ten above a gap; gaps themselves differ from machine to machine."""
    return f"1e{int(np.floor(np.log10(max(gap, 1e-16)))) + 1}"


def bind(program: Program, values: Mapping[str, ArrayLike]) -> tuple[dict[str, Floats], dict[str, int]]:
    """The arrays as float64 and the numbers that the symbols of the sizes take; raises InputError where they clash."""
    values = {normal(name): value for name, value in values.items()}
    for name in values:
        if name not in program.inputs and name not in program.declared:
            raise unknown_name("input", name, program.inputs)
    arrays: dict[str, Floats] = {}
    sizes: dict[str, int] = {}
    for name, shape in program.inputs.items():
        if name not in values:
            raise InputError(f"no value for {name}", f"Give an array of shape {shape_text(shape)}.")
        arrays[name] = _array(name, values[name])
        if arrays[name].ndim != len(shape):
            raise _misfit(name, arrays[name], shape, sizes)
        for size, length in zip(shape, arrays[name].shape, strict=True):
            if size.is_simple and size.terms:
                sizes.setdefault(size.terms[0][0], length)
    for name in set(values) & set(program.declared) - set(arrays):  # an input that is not used can still give a size
        for size, length in zip(program.declared[name], np.shape(values[name]), strict=False):
            if size.is_simple and size.terms:
                sizes.setdefault(size.terms[0][0], length)
    for symbol in _used_symbols(program):
        if symbol not in sizes:
            sizes[symbol] = _solved(symbol, program, arrays)
    for name, shape in program.inputs.items():
        if tuple(size.at(sizes) for size in shape) != arrays[name].shape:
            raise _misfit(name, arrays[name], shape, sizes)
    _refuse_cuts(program, sizes)
    for name, axis in program.probabilities.items():
        if not np.allclose(arrays[name].sum(axis=axis), 1, atol=1e-6):
            raise InputError(f"the entries of {name} do not sum to one along axis {axis}", "Give probabilities.")
    return arrays, sizes


def _refuse_cuts(program: Program, sizes: dict[str, int]) -> None:
    for line in program.lines:
        for part in line.expression.walk():
            for start, stop, size in cuts(part):
                first, last, length = start.at(sizes), stop.at(sizes), size.at(sizes)
                if not 0 <= first < last <= length:
                    raise InputError(
                        f"{line.name}: {source(part)} takes {first} to {last} of an axis of size {length}",
                        "Give larger arrays, or another slice.",
                    )


def _used_symbols(program: Program) -> list[str]:
    inside = [part.shape for line in program.lines for part in line.expression.walk()]
    numbers = [(part.data,) for line in program.lines for part in line.expression.walk() if part.op == "size"]
    return symbols([*program.inputs.values(), *inside, *numbers])


def _array(name: str, value: ArrayLike) -> Floats:
    try:
        return np.array(value, dtype=np.float64)
    except (ValueError, TypeError):
        raise InputError(f"{name} is {shown(value)}", "Give an array of numbers.") from None


def _solved(symbol: str, program: Program, arrays: dict[str, Floats]) -> int:
    """The number for a symbol that stands in no shape alone, such as N in (N + 1,)."""
    for name, shape in program.inputs.items():
        for size, length in zip(shape, arrays[name].shape, strict=True):
            if len(size.terms) == 1 and size.terms[0][0] == symbol:
                return int((length - size.constant) // size.terms[0][1])
    raise InputError(f"the size {symbol} does not follow from the arrays", "Declare one input with this size alone.")


def _misfit(name: str, array: Floats, shape: Shape, sizes: dict[str, int]) -> InputError:
    known = ", ".join(f"{symbol} = {length}" for symbol, length in sizes.items())
    return InputError(
        f"{name} has the shape {array.shape} but is declared {shape_text(shape)}{f' with {known}' if known else ''}",
        "Give arrays whose shapes agree.",
    )
