"""Somebody's formula for a derivative, held against central differences: where sizes differ and where they are alike.

A formula that multiplies in the wrong order has no meaning where all sizes differ, and wrong numbers where they agree;
only both together show what is wrong with it.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from html import escape
from typing import Any

import numpy as np

from chainrule.algebra.deriving import probability_axes
from chainrule.algebra.evaluate import evaluate
from chainrule.algebra.language import normal, read
from chainrule.algebra.numeric import Path, numeric_gradient, numeric_jacobian
from chainrule.algebra.points import Point
from chainrule.algebra.program import Program
from chainrule.algebra.tree import ExpressionError
from chainrule.algebra.verify import Check, UnverifiedError, at_points, compare
from chainrule.errors import InputError, unknown_name


@dataclass(frozen=True)
class Trial:
    """What became of a claim at some sizes.

    sizes    in words
    verdict  "right", "wrong numbers", "no meaning" where its shapes do not fit, or "not tried" where the text's do not
    words    what was compared, or what is wrong and where
    """

    sizes: str
    verdict: str
    words: str

    @property
    def ok(self) -> bool:
        return self.verdict in ("right", "not tried")


@dataclass(frozen=True)
class Claim:
    """A formula for ∂of/∂by with its trials; `ok` where it stood all of them. Can be printed."""

    formula: str
    of: str
    by: str
    trials: tuple[Trial, ...]

    @property
    def ok(self) -> bool:
        return all(trial.ok for trial in self.trials)

    def __str__(self) -> str:
        formula = "\n".join(f"  {line}" for line in self.formula.splitlines())
        tried = [f"{trial.sizes}: {trial.verdict}\n  {trial.words}" for trial in self.trials]
        return "\n\n".join([f"claimed for ∂{self.of}/∂{self.by}:\n\n{formula}", *tried, self._verdict])

    @property
    def _verdict(self) -> str:
        return "The formula is right." if self.ok else "The formula is REJECTED."

    def _repr_html_(self) -> str:
        head = "<tr><th>sizes</th><th>verdict</th><th></th></tr>"
        cells = [map(escape, (trial.sizes, trial.verdict, trial.words)) for trial in self.trials]
        rows = "".join(f"<tr>{''.join(f'<td>{cell}</td>' for cell in row)}</tr>" for row in cells)
        return (
            f"<p>claimed for ∂{escape(self.of)}/∂{escape(self.by)}:</p><pre>{escape(self.formula)}</pre>"
            f"<table><thead>{head}</thead><tbody>{rows}</tbody></table><p><strong>{self._verdict}</strong></p>"
        )

    def to_json(self) -> dict[str, Any]:
        trials = [{"sizes": trial.sizes, "verdict": trial.verdict, "words": trial.words} for trial in self.trials]
        return {"ok": self.ok, "of": self.of, "by": self.by, "formula": self.formula, "trials": trials}


def check_claim(
    text: str,
    wrt: str,
    formula: str,
    shapes: Mapping[str, Any] | None = None,
    *,
    probabilities: Mapping[str, int] | None = None,
) -> Claim:
    """Try `formula` for the derivative of the last line of `text` by `wrt` where sizes differ and where they are alike.

    text, shapes, probabilities  as for `derive`
    formula                      may use all inputs and lines of the text, and have lines of its own above its last

    Raises InputError for a text that is not in the language, or a formula that is not for other reasons than shapes.
    """
    program = _declaring(read(text, shapes), normal(wrt))
    lines = [line.rstrip() for line in formula.splitlines()]
    formula = "\n".join(line for line in lines if line and not line.lstrip().startswith("#"))

    def check(alike: bool) -> list[Check]:
        return check_formula(text, wrt, formula, shapes, probabilities=probabilities, alike=alike)

    trials = [_trial("sizes pairwise different", lambda: check(alike=False))]
    if len(program.symbols) > 1:
        equal = " = ".join(program.symbols)
        try:
            read(text, shapes, alike=True)
            trials.append(_trial(f"{equal} > 1", lambda: check(alike=True)))
        except InputError as error:  # such as a slice that is empty where N = K
            trials.append(Trial(f"{equal} > 1", "not tried", error.problem))
    return Claim(formula, program.result.name, normal(wrt), tuple(trials))


def _trial(sizes: str, check: Callable[[], list[Check]]) -> Trial:
    try:
        checks = check()
    except UnverifiedError as error:
        return Trial(sizes, "no meaning" if error.report.get("entry", 0) is None else "wrong numbers", error.problem)
    except ExpressionError as error:
        if not error.of_shapes:
            raise
        return Trial(sizes, "no meaning", error.problem)
    entries = sum(check.entries for check in checks)
    at = " and at ".join(", ".join(f"{name} = {n}" for name, n in check.sizes.items()) for check in checks)
    return Trial(sizes, "right", f"agrees with central differences in {entries} entries at {at or 'the given sizes'}")


def check_formula(
    text: str,
    wrt: str,
    formula: str,
    shapes: Mapping[str, Any] | None = None,
    *,
    probabilities: Mapping[str, int] | None = None,
    alike: bool = False,
) -> list[Check]:
    """Compare somebody's `formula` for the derivative of the last line by `wrt` with central differences.

    The formula may use all inputs and lines. With `alike` all symbols of sizes stand for one size.

    Raises ExpressionError where its shapes have no meaning, UnverifiedError where its numbers are wrong.
    """
    wrt = normal(wrt)
    written = read(text, shapes)
    program = _declaring(read(text, shapes, alike=True) if alike else written, wrt)
    program = replace(program, probabilities=probability_axes(program, probabilities or {}, [wrt]))
    known = {**written.declared, **written.shapes}
    try:
        claim = read(formula, known, alike=alike)
    except ExpressionError as error:
        raise error.within("the formula") from None
    claimed, result = claim.result.expression, program.result.name

    def judge(point: Point) -> list[Check]:
        values = {**point.values}
        for line in claim.lines:
            values[line.name] = evaluate(line.expression, values, point.sizes)
        scale = float(np.abs(values[result]).max(initial=0))
        lines = program.above(wrt)
        if program.result.shape:
            numeric = numeric_jacobian(lines, result, wrt, point)
        else:
            numeric = numeric_gradient(Path(lines, result, wrt, point))
        analytic = evaluate(claimed, values, point.sizes)
        return [compare(f"∂{result}/∂{wrt}", analytic, numeric, point, scale)]

    return at_points(program, claim.lines, judge, 0)


def _declaring(program: Program, wrt: str) -> Program:
    """The program with `wrt` among its values, even where nothing depends on it."""
    if wrt == program.result.name:
        raise InputError(f"{wrt} is the result itself", "Differentiate it by something it is made of.")
    if wrt in program.shapes:
        return program
    if wrt not in program.declared:
        raise unknown_name("variable", wrt, {**program.declared, **program.shapes})
    return replace(program, inputs={**program.inputs, wrt: program.declared[wrt]})
