"""One submission with points: `chainrule check FILE --rubric`, and the results.json of Gradescope."""

import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from chainrule import storage
from chainrule.cli.check import Check, Hints, Told, checked_time_limit
from chainrule.cli.output import write
from chainrule.diagnosis import diagnose_file
from chainrule.diagnosis.grading import Grade, grade, gradescope
from chainrule.diagnosis.observation import Intake
from chainrule.diagnosis.report import Diagnosis
from chainrule.diagnosis.rubric import read_rubric
from chainrule.diagnosis.submissions import chosen


@dataclass(frozen=True)
class Graded:
    """A diagnosis and its points."""

    told: Told
    grade: Grade

    def __str__(self) -> str:
        return f"{self.told}\n\n{self.grade}"

    def _repr_html_(self) -> str:
        return self.told._repr_html_() + self.grade._repr_html_()

    def to_json(self) -> dict[str, Any]:
        return {**self.told.to_json(), "grade": self.grade.to_json()}


def graded(command: Check, path: Path) -> int:
    """Judge a file, or the file of a folder that has a backward pass; a missing one gets no points."""
    checked_time_limit(command.time_limit)
    rubric = read_rubric(command.rubric) if command.rubric is not None else None
    hints = cast(Hints, command.hints or (rubric.hints if rubric is not None else "how"))
    began = time.monotonic()
    found = _diagnosis(path, command.time_limit)
    given = grade(found, rubric) if rubric is not None else None
    if command.gradescope is not None:
        storage.write_json(command.gradescope, gradescope(found, given, hints, time.monotonic() - began))
    told = Told(found, hints)
    title = f"Gradients of {found.intake.path.name if found.intake.path is not None else path.name}"
    write(Graded(told, given) if given is not None else told, title, command.format, command.output)
    return found.exit_code


def _diagnosis(path: Path, time_limit: float) -> Diagnosis:
    file = chosen(path).path if path.is_dir() else path
    if file is not None and file.exists():
        return diagnose_file(file, time_limit)
    words = f"there is no Python file and no notebook in {path}" if file is None else f"there is no file {path}"
    return Diagnosis(Intake(path, failure=words), "not run", reason=words)
