"""The page over all studies: what is done and how long it took, published numbers beside ours, and the checklist."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from chainrule import storage
from chainrule.errors import RunError
from chainrule.studies.checklist import ENTRIES, Entry
from chainrule.studies.study import Study

if TYPE_CHECKING:
    from chainrule.reports.document import Cell, Report, Table

Findings = dict[str, Any]


def write_index(studies: Sequence[Study], folder: Path) -> Path:
    """Write `index.html` over the studies that lie in `folder`, and return its path.

    It is made of what they left (findings.json, timings.json): nothing is trained or computed.
    Raises StorageError where the folder cannot be written.
    """
    from chainrule.reports.document import page

    path = folder / "index.html"
    storage.write_text(path, page(index_report(studies, folder)))
    return path


def index_report(studies: Sequence[Study], folder: Path) -> "Report":
    """What the page says."""
    from chainrule.reports.document import Report, Section

    found = {study.name: _read(folder / study.name / "findings.json") for study in studies}
    finished = sum(findings is not None for findings in found.values())
    published = _published_tables(found)
    return Report(
        "Studies of the five reports",
        f"{finished} of {len(found)} studies are finished. Each was done again with corrected programs, and "
        "every published number stands beside ours.",
        [
            Section("Studies", [_studies_table(studies, found, folder)]),
            *([Section("Published numbers", published, intro=_DIFFERENCE)] if published else []),
            Section("Checklist", _checklist_tables(found), intro=_CHECKLIST),
        ],
        notes=_quick_note(found),
    )


_DIFFERENCE = (
    "The difference is ours minus published. An explanation says what was shown to be the cause; where nothing was "
    "shown, the cause is unknown."
)
_CHECKLIST = (
    "Every figure, table, number and claim of the reports, and the item that answers it. Documents that number "
    "nothing are counted from their beginning."
)


def _read(path: Path) -> Findings | None:
    """Findings of a finished study; None where there are none, or they are damaged."""
    try:
        stored = storage.read_json(path)
    except RunError:
        return None
    return stored if isinstance(stored, dict) and isinstance(stored.get("published"), list) else None


def _quick_note(found: Mapping[str, Findings | None]) -> tuple[str, ...]:
    quick = [name for name, findings in found.items() if findings is not None and findings.get("quick")]
    return (f"quick, not the settings of the reports: {', '.join(quick)}",) if quick else ()


def _studies_table(studies: Sequence[Study], found: Mapping[str, Findings | None], folder: Path) -> "Table":
    from chainrule.reports.document import Link, Table

    rows: list[list[Cell]] = [
        [
            study.name if found[study.name] is None else Link(study.name, f"{study.name}/report.html"),
            study.source,
            study.title,
            _state(found[study.name], folder / study.name),
            _seconds(folder / study.name / "timings.json"),
            len(study.items),
            len((found[study.name] or {"published": ()})["published"]),
        ]
        for study in studies
    ]
    head = ["study", "from", "title", "state", "seconds", "items", "published numbers"]
    caption = "Seconds are those of the last call: what was kept from an earlier one is not in them."
    return Table("studies", "All studies", head, rows, caption=caption)


def _state(findings: Findings | None, folder: Path) -> str:
    if findings is None:
        return "unfinished" if (folder / "study.json").exists() else "not begun"
    return "finished, quick" if findings.get("quick") else "finished"


def _seconds(path: Path) -> int | None:
    try:
        return round(float(storage.read_json(path)["seconds"]))
    except (RunError, KeyError, TypeError, ValueError):
        return None


def _published_tables(found: Mapping[str, Findings | None]) -> list["Table"]:
    """One table a report, its rows in the order of the studies."""
    from chainrule.reports.document import Link, Table

    rows: dict[str, list[list[Cell]]] = {}
    explanations: dict[str, list[str]] = {}
    for name, findings in found.items():
        for row in (findings or {"published": ()})["published"]:
            link = Link(name, f"{name}/report.html#published")
            cells = [row[key] for key in ("where", "what", "published", "ours", "difference")]
            rows.setdefault(row["report"], []).append([*cells, link])
            explanations.setdefault(row["report"], []).append(f"Explanation: {row['explanation']}")
    head = ["where", "what", "published", "ours", "difference", "study"]
    return [
        Table(f"published-{_anchor(report)}", _named(report), head, own, below=explanations[report])
        for report, own in sorted(rows.items())
    ]


def _checklist_tables(found: Mapping[str, Findings | None]) -> list["Table"]:
    from chainrule.reports.document import Link, Table

    def cell(entry: Entry) -> "Cell":
        words = f"{entry.study}: {entry.item}"
        return Link(words, f"{entry.study}/report.html#{entry.item}") if found.get(entry.study) else words

    tables = []
    for report in _in_order(entry.report for entry in ENTRIES):
        own = [entry for entry in ENTRIES if entry.report == report]
        rows = [[entry.key.removeprefix(f"{report} "), entry.what, cell(entry)] for entry in own]
        head = ["in the report", "what it shows", "answered by"]
        tables.append(Table(f"checklist-{report}", f"Report {report}", head, rows))
    return tables


def _in_order(values: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(values))


def _named(report: str) -> str:
    return f"Report {report}" if report.isdecimal() else report


def _anchor(report: str) -> str:
    return "-".join("".join(sign if sign.isalnum() else " " for sign in report.lower()).split())
