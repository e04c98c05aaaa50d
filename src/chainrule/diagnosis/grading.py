"""Points for a diagnosis by a rubric, and both in the form that Gradescope reads."""

from dataclasses import dataclass
from html import escape
from typing import Any

from chainrule.diagnosis.report import Diagnosis
from chainrule.diagnosis.rubric import Rubric

TRAINING = ("trains-on-validation", "accumulators-carry-over", "samples-dropped", "prior-entropy", "ascends")
"""Kinds of mistakes of the training loop, not of a single pass."""


@dataclass(frozen=True)
class Mark:
    """The points for one quantity, and in words why."""

    quantity: str
    points: float
    out_of: float
    words: str


@dataclass(frozen=True)
class Grade:
    """The marks by all quantities of a rubric."""

    marks: tuple[Mark, ...]

    @property
    def points(self) -> float:
        return sum(mark.points for mark in self.marks)

    @property
    def out_of(self) -> float:
        return sum(mark.out_of for mark in self.marks)

    def __str__(self) -> str:
        rows = [(mark.quantity, f"{mark.points:g}/{mark.out_of:g}", mark.words) for mark in self.marks]
        rows.append(("points", f"{self.points:g}/{self.out_of:g}", ""))
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        lines = ("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in rows)
        return "\n".join(line.rstrip() for line in lines)

    def _repr_html_(self) -> str:
        return f"<pre>{escape(str(self))}</pre>"

    def to_json(self) -> dict[str, Any]:
        marks = [{"quantity": m.quantity, "points": m.points, "out_of": m.out_of, "words": m.words} for m in self.marks]
        return {"points": self.points, "out_of": self.out_of, "marks": marks}


def grade(diagnosis: Diagnosis, rubric: Rubric) -> Grade:
    """What the rubric gives for a diagnosis; nothing at all where the file could not be run."""
    marks = []
    for quantity, most in rubric.points.items():
        share, words = _share(diagnosis, rubric, quantity)
        marks.append(Mark(quantity, round(share * most, 6), most, words))
    return Grade(tuple(marks))


def _share(diagnosis: Diagnosis, rubric: Rubric, quantity: str) -> tuple[float, str]:
    """The share of its points that a quantity earns, and why."""
    if diagnosis.verdict == "not run":
        return 0.0, "could not be run"
    if quantity == "right":
        return float(diagnosis.ok), "right" if diagnosis.ok else "there is a mistake"
    grave = [finding for finding in diagnosis.findings if finding.grave]
    if quantity == "forward":
        return _unless(any(f.quantity[0] in "AZ" or f.quantity == "forward" for f in grave))
    if quantity == "loss":
        if not any(o.loss is not None for o in diagnosis.intake.observations):
            return 0.0, "the file has no loss"
        return _unless(any(f.quantity == "loss" for f in grave))
    if quantity == "training":
        if diagnosis.intake.loop is None:
            return 0.0, "no training loop was found"
        return _unless(any(f.kind in TRAINING for f in grave))
    return _gradient(diagnosis, rubric, quantity)


def _unless(wrong: bool) -> tuple[float, str]:
    return (0.0, "wrong") if wrong else (1.0, "right")


def _gradient(diagnosis: Diagnosis, rubric: Rubric, quantity: str) -> tuple[float, str]:
    status = next((row.status for row in diagnosis.table if row.quantity == quantity), None)
    if status is None:
        return 0.0, f"there is no {quantity}"
    if status == "consequence":
        return rubric.consequence, "wrong because of an earlier mistake"
    if status != "right":
        return 0.0, "wrong"
    if diagnosis.verdict == "right up to scale":
        return rubric.up_to_scale, "right up to a constant factor"
    return 1.0, "right"


def gradescope(diagnosis: Diagnosis, given: Grade | None, hints: str, seconds: float) -> dict[str, Any]:
    """The content of Gradescope's results.json: a test a quantity, or one for the verdict where no points are given.

    The format is that of gradescope-autograders.readthedocs.io/en/latest/specs.
    """
    marks = given.marks if given is not None else (Mark("gradients", float(diagnosis.ok), 1.0, diagnosis.verdict),)
    tests = [
        {
            "name": mark.quantity,
            "number": str(number),
            "score": mark.points,
            "max_score": mark.out_of,
            "status": "passed" if mark.points >= mark.out_of else "failed",
            "output": mark.words,
        }
        for number, mark in enumerate(marks, 1)
    ]
    return {
        "score": sum(mark.points for mark in marks),
        "execution_time": round(seconds, 2),
        "output": diagnosis.text(hints),
        "output_format": "text",
        "visibility": "visible",
        "stdout_visibility": "hidden",
        "extra_data": {"verdict": diagnosis.verdict, "kinds": [finding.kind for finding in diagnosis.findings]},
        "tests": tests,
    }
