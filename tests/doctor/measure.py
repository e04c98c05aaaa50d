"""Measures the doctor on its corpus: every case is judged through the public door, and the table says what came of it.

PYTHONPATH=tests python -m doctor.measure --docs docs/doctor.md     all of it (`make doctor`)
PYTHONPATH=tests python -m doctor.measure lists --failures          the cases whose name has "lists" in it
PYTHONPATH=tests python -m doctor.measure --write cases/            the cases as files
"""

import argparse
import tempfile
import time
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from chainrule.diagnosis import diagnose_file
from chainrule.diagnosis.kinds import KINDS
from chainrule.diagnosis.many import Lost, side_by_side
from chainrule.storage import write_text
from doctor.corpus import Case, pairs, singles

PLACES = ("kinds", "results")
BEGIN, END = "<!-- {}, written by make doctor -->", "<!-- end of {} -->"


@dataclass(frozen=True)
class Answer:
    """What the doctor says of a file: for each finding its kind, with the kinds that it says give the same numbers.

    `beside` are the kinds of what makes no gradient wrong, such as a fixed seed, and is true of much right code.
    """

    verdict: str
    kinds: tuple[tuple[str, ...], ...]
    beside: tuple[str, ...]
    words: str


@dataclass(frozen=True)
class Outcome:
    """`named`: every planted fault, and nothing else; `other`: a finding that is none of them."""

    case: Case
    answer: Answer
    named: bool
    other: bool


def ask(path: Path) -> Answer:
    diagnosis = diagnose_file(path)
    kinds = tuple((finding.kind, *finding.also) for finding in diagnosis.findings if finding.grave)
    beside = tuple(finding.kind for finding in diagnosis.findings if not finding.grave)
    return Answer(diagnosis.verdict, kinds, beside, diagnosis.text())


def outcomes(cases: Sequence[Case], jobs: int | None = None) -> list[Outcome]:
    with tempfile.TemporaryDirectory() as folder:
        paths = [case.write(Path(folder)) for case in cases]
        answers = dict(side_by_side(ask, paths, jobs))
    return [judged(case, answers[number]) for number, case in enumerate(cases)]


def judged(case: Case, answer: Answer | Lost) -> Outcome:
    if isinstance(answer, Lost):
        return Outcome(case, Answer("lost", (), (), answer.reason), False, False)
    left = list(answer.kinds)
    unnamed = []
    for fault in case.faults:
        match = next((kinds for kinds in left if set(kinds) & set(fault.kinds)), None)
        if match is not None:
            left.remove(match)
        elif not set(fault.kinds) & set(answer.beside):
            unnamed.append(fault)
    planted = {kind for fault in case.faults for kind in fault.kinds}
    strange = [kinds for kinds in left if not planted & set(kinds)]  # one edit may show in two quantities
    harmless = all(fault.harmless for fault in case.faults)
    return Outcome(case, answer, not harmless and not unnamed and not strange, bool(strange))


def missed(outcome: Outcome) -> bool:
    """Wrong code that is called right."""
    wrong = any(not fault.harmless for fault in outcome.case.faults)
    return wrong and outcome.answer.verdict.startswith("right") and not outcome.named


def accused(outcome: Outcome) -> bool:
    """Right code that is called wrong, or not found to be right."""
    harmless = all(fault.harmless for fault in outcome.case.faults)
    scaled = any(fault.kinds[0] == "up to scale" for fault in outcome.case.faults)
    return harmless and outcome.answer.verdict != ("right up to scale" if scaled else "right")


def table(found: Iterable[Outcome]) -> str:
    groups: dict[str, list[Outcome]] = {}
    for outcome in found:
        groups.setdefault(_group(outcome.case), []).append(outcome)
    names = sorted(groups, key=lambda name: (name == "two faults", name != "right code", name))
    head = "| kind | cases | kind named | not recognised | another kind named | not run | called right |"
    rows = [head, "|---|---|---|---|---|---|---|"]
    rows += [_row(name, groups[name]) for name in names]
    single = [o for name in names if name not in ("right code", "two faults") for o in groups[name]]
    rows.append(_row("**all single faults**", single))
    return "\n".join(rows)


def _group(case: Case) -> str:
    if all(fault.harmless for fault in case.faults):
        return "right code"
    return "two faults" if len(case.faults) > 1 else case.faults[0].kinds[0]


def _row(name: str, outcomes: Sequence[Outcome]) -> str:
    verdicts = Counter(outcome.answer.verdict for outcome in outcomes)
    right = sum(count for verdict, count in verdicts.items() if verdict.startswith("right"))
    wrong = [o for o in outcomes if o.answer.verdict == "wrong"]
    counts = (
        len(outcomes),
        sum(o.named for o in outcomes),
        sum(not o.named and not o.other for o in wrong),
        sum(o.other for o in outcomes),
        verdicts["not run"] + verdicts["lost"],
        right - sum(o.named for o in outcomes if o.answer.verdict.startswith("right")),
    )
    return f"| {name} | " + " | ".join(str(count or "·") for count in counts) + " |"


def summary(found: Sequence[Outcome]) -> str:
    single = [o for o in found if len(o.case.faults) == 1 and not o.case.faults[0].harmless]
    double = [o for o in found if len(o.case.faults) == 2]
    right = [o for o in found if all(fault.harmless for fault in o.case.faults)]
    lines = [
        f"{len(found)} files. Wrong code called right: {sum(map(missed, found))} of {len(single) + len(double)}.",
        f"Right code not called right: {sum(map(accused, found))} of {len(right)}.",
        f"All faults named: {_share([o.named for o in single])} of single faults, "
        f"{_share([o.named for o in double])} of pairs.",
        f"A kind named that is not there: {_share([o.other for o in single])} of single faults, "
        f"{_share([o.other for o in double])} of pairs.",
    ]
    return "\n".join(lines)


def _share(hits: Sequence[bool]) -> str:
    return f"{sum(hits)} of {len(hits)} ({100 * sum(hits) / max(1, len(hits)):.1f} %)"


def failures(found: Iterable[Outcome]) -> str:
    lines = []
    for outcome in found:
        right = _group(outcome.case) == "right code"
        if not accused(outcome) if right else outcome.named and not outcome.other:
            continue
        words = (
            "MISSED" if missed(outcome) else "ACCUSED" if accused(outcome) else "OTHER" if outcome.other else "unnamed"
        )
        kinds = ", ".join("|".join(kinds) for kinds in outcome.answer.kinds)
        lines.append(f"{words}  {outcome.case.name}: {outcome.answer.verdict}; {kinds or '–'}")
        lines += [f"    {fault}" for fault in outcome.case.faults]
        if outcome.answer.verdict in ("not run", "lost"):
            lines.append(f"    {outcome.answer.words.strip().splitlines()[-1][:200]}")
    return "\n".join(lines)


def vocabulary() -> str:
    return "\n".join(
        ["| kind | what it is |", "|---|---|", *(f"| `{kind}` | {words} |" for kind, words in KINDS.items())]
    )


def write_docs(path: Path, results: str) -> None:
    """Put the vocabulary and the results into their places in the page."""
    page = path.read_text(encoding="utf-8")
    for place, text in zip(PLACES, (vocabulary(), results), strict=True):
        begin, end = BEGIN.format(place), END.format(place)
        before, found, rest = page.partition(begin)
        _, closed, after = rest.partition(end)
        if not found or not closed:
            raise SystemExit(f"{path} has no place for the {place}: {begin} … {end}")
        page = f"{before}{begin}\n\n{text}\n\n{end}{after}"
    write_text(path, page)


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("names", nargs="*", help="measure the cases whose names contain one of these")
    parser.add_argument("--write", type=Path, help="only write the cases into this folder")
    parser.add_argument("--docs", type=Path, help="page to write the table into")
    parser.add_argument("--failures", action="store_true", help="list every case that is not as it should be")
    parser.add_argument("--jobs", type=int)
    given = parser.parse_args()
    cases = [case for case in singles() + pairs() if not given.names or any(name in case.name for name in given.names)]
    if given.write:
        given.write.mkdir(parents=True, exist_ok=True)
        for case in cases:
            case.write(given.write)
        return 0
    began = time.monotonic()
    found = outcomes(cases, given.jobs)
    seconds = time.monotonic() - began
    if given.failures:
        print(failures(found), end="\n\n")
    words = f"{summary(found)}\n\n{table(found)}"
    print(f"{words}\n\n{seconds:.0f} s, {seconds / len(found):.2f} s a file")
    if given.docs:
        write_docs(given.docs, words)
    return 1 if any(missed(o) or accused(o) for o in found) else 0


if __name__ == "__main__":
    raise SystemExit(main())
