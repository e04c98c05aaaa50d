"""A study: what a report did once, done again, with everything named that its page must hold."""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from chainrule.reports.document import Report
    from chainrule.studies.lab import Lab


@dataclass(frozen=True)
class Declared:
    """One item that the page of a study holds.

    id       its anchor on the page
    what     what it shows, in a few words
    answers  keys of the checklist's entries that it answers: "003 figure 3", "004 table 1"
    """

    id: str
    what: str
    answers: tuple[str, ...] = ()


OTHER_SOLUTION = "another public solution"  # in the place of a report


@dataclass(frozen=True)
class Published:
    """One number that was published, beside ours.

    report       which document, such as "004", or `OTHER_SOLUTION`
    where        place in it, such as "Q5 (d), text"
    what         the quantity and its setting, in words
    published    as printed
    ours         with its spread and n where there are several runs
    difference   ours minus published, in the unit of both; "–" where there is none to take
    explanation  why they differ, as far as that was shown; "cause unknown" is an answer
    """

    report: str
    where: str
    what: str
    published: str
    ours: str
    difference: str
    explanation: str

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True)
class Study:
    """One experiment of the reports.

    name     of the command `chainrule study run NAME`
    title    heading of the page
    source   report and question: "report 004, Q4–Q5"
    summary  what is asked and how it is answered, in one or two sentences
    items    what its page must hold; `run_study` refuses a report that lacks one
    run      does it: everything trained and kept goes through the `Lab`, so that it goes on after a kill
    """

    name: str
    title: str
    source: str
    summary: str
    items: tuple[Declared, ...]
    run: "Callable[[Lab], Report]"
