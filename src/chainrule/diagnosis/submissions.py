"""A folder of submissions: which file of each is judged, what was found in it, and all of them in one table."""

import re
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from chainrule import storage
from chainrule.diagnosis import diagnose_file
from chainrule.diagnosis.grading import grade
from chainrule.diagnosis.many import Lost, side_by_side
from chainrule.diagnosis.rubric import Rubric
from chainrule.errors import DataError

ENDINGS = (".py", ".ipynb")
VERSION = 1
_SKIPPED = {"__MACOSX", "__pycache__", "node_modules", "site-packages", "venv", "env"}
_BACKWARD = re.compile(rb"def \w*(back|grad|bprop|train|fit|loss)", re.IGNORECASE)
_BACK = re.compile(rb"def \w*back", re.IGNORECASE)


@dataclass(frozen=True)
class Submission:
    """What one student handed in: the file to judge (None where there is none), and the files beside it."""

    name: str
    path: Path | None
    others: tuple[Path, ...] = ()


@dataclass(frozen=True)
class Result:
    """What became of a submission; `data` is what its JSON file holds.

    mistakes   kind and quantity of each; `beside` are the kinds of what makes no gradient wrong
    """

    submission: Submission
    verdict: str
    mistakes: tuple[tuple[str, str], ...]
    beside: tuple[str, ...]
    points: float | None
    out_of: float | None
    seconds: float
    data: dict[str, Any]


def find_submissions(folder: Path) -> list[Submission]:
    """Each Python file or notebook in `folder`, and each folder in it with the file that looks most like the work.

    Raises DataError where it is no folder, or nothing is in it.
    """
    if not folder.is_dir():
        raise DataError(f"{folder} is no folder", "Name the folder with the submissions: files, or a folder a student.")
    entries = sorted(entry for entry in folder.iterdir() if not _hidden(entry))
    files = [entry for entry in entries if entry.is_file() and entry.suffix in ENDINGS]
    taken = Counter([entry.stem for entry in files] + [entry.name for entry in entries if entry.is_dir()])
    found = [Submission(entry.stem if taken[entry.stem] == 1 else entry.name, entry) for entry in files]
    found += [chosen(entry) for entry in entries if entry.is_dir()]
    if not found:
        raise DataError(f"{folder} holds no submission", "It needs .py or .ipynb files, or a folder for each student.")
    return sorted(found, key=lambda submission: submission.name)


def _hidden(entry: Path) -> bool:
    return entry.name.startswith(".") or entry.name in _SKIPPED


def chosen(folder: Path) -> Submission:
    """What a student handed in as a folder: the file with a backward pass in it, the least nested one of several."""
    files = sorted(_files(folder), key=lambda path: (-_likeness(path), len(path.parts), path.name))
    return Submission(folder.name, files[0], tuple(files[1:])) if files else Submission(folder.name, None)


def _files(folder: Path) -> Iterator[Path]:
    for entry in sorted(folder.iterdir()):
        if _hidden(entry) or entry.is_symlink():
            continue
        if entry.is_dir():
            yield from _files(entry)
        elif entry.suffix in ENDINGS:
            yield entry


def _likeness(path: Path) -> int:
    try:
        content = path.read_bytes()[:1_000_000]
    except OSError:
        return 0
    return 2 * bool(_BACK.search(content)) + bool(_BACKWARD.search(content))


@dataclass(frozen=True)
class _Task:
    submission: Submission
    rubric: Rubric | None
    hints: str
    time_limit: float


def judge_all(
    submissions: Sequence[Submission],
    *,
    rubric: Rubric | None = None,
    hints: str = "how",
    jobs: int | None = None,
    time_limit: float = 10.0,
) -> Iterator[Result]:
    """The results as they come, each judged in a process of its own that is ended where it takes too long."""
    present = [submission for submission in submissions if submission.path is not None]
    for submission in submissions:
        if submission.path is None:
            yield _not_run(submission, "there is no Python file and no notebook in it", rubric)
    tasks = [_Task(submission, rubric, hints, time_limit) for submission in present]
    for number, result in side_by_side(_judge, tasks, jobs, deadline=3 * time_limit + 60):
        yield _not_run(present[number], result.reason, rubric) if isinstance(result, Lost) else result


def _judge(task: _Task) -> Result:
    began = time.monotonic()
    submission = task.submission
    assert submission.path is not None
    diagnosis = diagnose_file(submission.path, time_limit=task.time_limit)
    given = grade(diagnosis, task.rubric) if task.rubric is not None else None
    seconds = round(time.monotonic() - began, 2)
    data = {
        **_head(submission, seconds),
        **diagnosis.to_json(task.hints),
        "report": diagnosis.text(task.hints),
        **({"grade": given.to_json()} if given is not None else {}),
    }
    mistakes = tuple((finding.kind, finding.quantity) for finding in diagnosis.findings if finding.grave)
    beside = tuple(finding.kind for finding in diagnosis.findings if not finding.grave)
    points, out_of = (given.points, given.out_of) if given is not None else (None, None)
    return Result(submission, diagnosis.verdict, mistakes, beside, points, out_of, seconds, data)


def _not_run(submission: Submission, reason: str, rubric: Rubric | None) -> Result:
    data = {**_head(submission, 0.0), "verdict": "not run", "ok": False, "summary": f"NOT RUN: {reason}"}
    points, out_of = (0.0, sum(rubric.points.values())) if rubric is not None else (None, None)
    return Result(submission, "not run", (), (), points, out_of, 0.0, data)


def _head(submission: Submission, seconds: float) -> dict[str, Any]:
    return {
        "submission": submission.name,
        "file": str(submission.path) if submission.path is not None else None,
        "not_judged": [str(path) for path in submission.others],
        "seconds": seconds,
    }


def table(results: Iterable[Result]) -> str:
    """One line a submission, and below them how many are right, and the most frequent mistakes."""
    ordered = sorted(results, key=lambda result: result.submission.name)
    graded = any(result.points is not None for result in ordered)
    rows = [("submission", "verdict", *(("points",) if graded else ()), "mistakes")]
    for result in ordered:
        points = (f"{result.points:g}/{result.out_of:g}" if result.points is not None else "–",) if graded else ()
        rows.append((result.submission.name, result.verdict, *points, _mistakes(result)))
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    verdicts = Counter(result.verdict for result in ordered)
    kinds = Counter(kind for result in ordered for kind in {kind for kind, _ in result.mistakes})
    lines += ["", ", ".join(f"{count} {verdict}" for verdict, count in sorted(verdicts.items()))]
    if kinds:
        lines.append("mistakes: " + ", ".join(f"{kind} in {count}" for kind, count in kinds.most_common()))
    return "\n".join(lines)


def _mistakes(result: Result) -> str:
    if result.verdict == "not run":
        return str(result.data["summary"]).removeprefix("NOT RUN: ").splitlines()[0]
    found = [f"{kind} ({quantity})" for kind, quantity in result.mistakes]
    if result.verdict == "wrong" and not found:
        found = ["cause not recognised"]
    return ", ".join(found + [f"besides {kind}" for kind in result.beside])


def write_result(folder: Path, result: Result) -> None:
    """`NAME.json` of a submission; raises StorageError where that cannot be written."""
    name = result.submission.name
    storage.write_json(folder / f"{name}_.json" if name == "summary" else folder / f"{name}.json", result.data)


def write_summary(folder: Path, results: Iterable[Result]) -> None:
    """`summary.json`: a row for each submission, and how many have each verdict and each kind of mistake."""
    ordered = sorted(results, key=lambda result: result.submission.name)
    rows = [
        {
            "submission": result.submission.name,
            "file": result.data["file"],
            "verdict": result.verdict,
            "mistakes": [{"kind": kind, "quantity": quantity} for kind, quantity in result.mistakes],
            "beside": list(result.beside),
            "points": result.points,
            "out_of": result.out_of,
            "seconds": result.seconds,
        }
        for result in ordered
    ]
    verdicts = Counter(result.verdict for result in ordered)
    kinds = Counter(kind for result in ordered for kind in {kind for kind, _ in result.mistakes})
    summary = {"version": VERSION, "verdicts": dict(verdicts), "kinds": dict(kinds.most_common()), "submissions": rows}
    storage.write_json(folder / "summary.json", summary)


def exit_code(results: Iterable[Result]) -> int:
    """1 where one is wrong, else 2 where one could not be run, else 0."""
    verdicts = {result.verdict for result in results}
    return 1 if "wrong" in verdicts else 2 if "not run" in verdicts else 0
