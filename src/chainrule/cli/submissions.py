"""`chainrule check --all`: a folder of submissions, each in processes of its own, in one table."""

import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro
from tyro.conf import arg

from chainrule.cli.check import Hints, checked_time_limit
from chainrule.diagnosis.rubric import read_rubric
from chainrule.diagnosis.submissions import (
    Result,
    exit_code,
    find_submissions,
    judge_all,
    table,
    write_result,
    write_summary,
)


@dataclass(frozen=True)
class All:
    """Judge a folder of submissions: Python files and notebooks, or a folder for each student.

    Of several files in a student's folder the one with a backward pass is taken. What hangs, crashes or is no such code
    leaves the others alone. Exits 1 where one is wrong, else 2 where one could not be run, else 0.

    examples:
      chainrule check --all submissions/ --json results/
      chainrule check --all submissions/ --json results/ --rubric rubric.toml --hints where
    """

    all: Annotated[Path, arg(metavar="FOLDER")]
    """folder with the submissions"""
    json: Annotated[Path | None, arg(metavar="FOLDER")] = None
    """folder for NAME.json of each submission and summary.json"""
    rubric: Path | None = None
    """TOML file with the points for each quantity"""
    hints: Hints | None = None
    """how much the JSON files tell: verdict, where, what or how; that of the rubric by default, else how"""
    time_limit: float = 10.0
    """seconds that the code of a submission may run"""
    jobs: int | None = None
    """processes at a time; one a core by default"""


def main(arguments: list[str]) -> int:
    asked = {"-h", "--help"} & set(arguments)
    command = tyro.cli(All, prog="chainrule check --all", args=["--help"] if asked else arguments)
    checked_time_limit(command.time_limit)
    rubric = read_rubric(command.rubric) if command.rubric is not None else None
    hints = command.hints or (rubric.hints if rubric is not None else "how")
    submissions = find_submissions(command.all)
    coming = judge_all(submissions, rubric=rubric, hints=hints, jobs=command.jobs, time_limit=command.time_limit)
    results = []
    for result in _counted(coming, len(submissions)):
        results.append(result)
        if command.json is not None:
            write_result(command.json, result)
    if command.json is not None:
        write_summary(command.json, results)
    print(table(results))
    return exit_code(results)


def _counted(results: Iterable[Result], number: int) -> Iterator[Result]:
    """The results, with a count of them in a terminal."""
    shown = sys.stderr.isatty()
    for done, result in enumerate(results, 1):
        if shown:
            print(f"\r{done} of {number}", end="" if done < number else "\n", file=sys.stderr, flush=True)
        yield result
