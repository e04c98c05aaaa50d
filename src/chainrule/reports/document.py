"""A report is data: sections of figures, tables, formulas and words, written as one page that needs nothing else."""

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any

from chainrule import __version__, storage
from chainrule.errors import InputError, shown

if TYPE_CHECKING:
    from matplotlib.figure import Figure as Drawing

    from chainrule.reports.pictures import Picture

_NAME = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
_NUMBER = re.compile(r"[−+-]?[\d.,\s]*\d[\d.,]*(e[−+-]?\d+)?(\s?[%±×–<>/\[].*|\s?(s|min|h|ms|MB|kB|nats))?|–|—|≤.*|<.*")


@dataclass(frozen=True)
class Link:
    """A cell of a table that leads somewhere: `#anchor` within the page, or a file beside it."""

    text: str
    address: str


Cell = str | int | float | Link | None


@dataclass(frozen=True)
class Figure:
    """A picture: a matplotlib figure, or the text of an SVG element. `alt` stands for it where it cannot be seen."""

    id: str
    title: str
    figure: "Drawing | str"
    alt: str = ""
    caption: str = ""


@dataclass(frozen=True)
class Table:
    """Rows under a head; the first cell of a row names it. None is an empty cell, numbers are written to 4 digits.

    below: for every row words of some length, such as what explains its numbers; they stand under it, across the table.
    """

    id: str
    title: str
    head: Sequence[str]
    rows: Sequence[Sequence[Cell]]
    caption: str = ""
    below: Sequence[str] = ()


@dataclass(frozen=True)
class Text:
    """Words whose spacing matters, such as a classification report."""

    id: str
    title: str
    text: str
    caption: str = ""


@dataclass(frozen=True)
class Formula:
    """HTML of our own making, which is not escaped: MathML from `chainrule.algebra`."""

    id: str
    title: str
    html: str
    caption: str = ""


@dataclass(frozen=True)
class Prose:
    """Paragraphs. With an id and a title they are an item that others can refer to."""

    paragraphs: Sequence[str]
    id: str = ""
    title: str = ""
    caption: str = ""


Item = Figure | Table | Text | Formula | Prose


@dataclass(frozen=True)
class Section:
    """Items under a heading; the id is made of the title where none is given."""

    title: str
    items: Sequence[Item]
    intro: str = ""
    id: str = ""

    @property
    def anchor(self) -> str:
        return self.id or "section-" + ("-".join(re.findall(r"[a-z0-9]+", self.title.lower())) or "0")


@dataclass(frozen=True)
class Report:
    """A page: what it says in short, its sections, and notes that a reader must see first (what is missing, `--quick`).

    Ids are unique in a report; they are the anchors of the page and the names of the files of figures.
    """

    title: str
    summary: str | Sequence[str]
    sections: Sequence[Section]
    notes: Sequence[str] = ()

    @property
    def items(self) -> list[Item]:
        return [item for section in self.sections for item in section.items]


@dataclass(frozen=True)
class _Numbered:
    """An item with what the page calls it, such as "Figure 3"."""

    item: Item
    kind: str
    label: str
    picture: "Picture | None" = None


def write(report: Report, folder: Path | str) -> Path:
    """Write `report.html`, and `figures/<id>.svg` and `.png` of every figure, into `folder`; returns the page's path.

    The same report gives the same bytes. A picture of SVG text has no `.png`.
    Raises InputError where ids clash or are no plain names, StorageError where the folder cannot be written.
    """
    from chainrule.reports.pictures import Picture

    folder = Path(folder)
    pictures = {item.id: Picture.of(item) for item in _checked(report).items if isinstance(item, Figure)}
    for name, picture in pictures.items():
        storage.write_text(folder / "figures" / f"{name}.svg", picture.svg_file)
        if picture.png is not None:
            storage.write_bytes(folder / "figures" / f"{name}.png", picture.png)
    path = folder / "report.html"
    storage.write_text(path, _composed(report, pictures))
    return path


def page(report: Report) -> str:
    """The page as text."""
    from chainrule.reports.pictures import Picture

    return _composed(report, {item.id: Picture.of(item) for item in _checked(report).items if isinstance(item, Figure)})


def _checked(report: Report) -> Report:
    names = [item.id for item in report.items if item.id or not isinstance(item, Prose)]
    names += [section.anchor for section in report.sections]
    for name, count in Counter(names).items():
        if not _NAME.fullmatch(name):
            raise InputError(f"{shown(name)} cannot be the id of an item", "Use small letters, digits and hyphens.")
        if count > 1:
            raise InputError(f"the report has {count} items or sections {name!r}", "Give each an id of its own.")
    for item in report.items:
        if isinstance(item, Table) and any(len(row) != len(item.head) for row in item.rows):
            raise InputError(f"a row of the table {item.id!r} is not as long as its head", "Fill cells with None.")
        if isinstance(item, Table) and item.below and len(item.below) != len(item.rows):
            raise InputError(
                f"the table {item.id!r} has {len(item.rows)} rows and words below {len(item.below)}",
                "Give every row its own.",
            )
    return report


def _composed(report: Report, pictures: Mapping[str, "Picture"]) -> str:
    """The page, with every picture in it as small as the whole needs."""
    from jinja2 import Environment, StrictUndefined
    from markupsafe import Markup

    from chainrule.reports.pictures import placed

    room = resources.files("chainrule.reports")
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    environment.filters |= {"cell": written, "numeric": _numeric}
    template = environment.from_string((room / "page.html").read_text(encoding="utf-8"))

    def rendered(inside: Mapping[str, str], letters: str) -> str:
        return template.render(
            report=report,
            summary=[report.summary] if isinstance(report.summary, str) else report.summary,
            sections=[(section, list(numbered)) for section, numbered in _numbered(report)],
            style=Markup((room / "style.css").read_text(encoding="utf-8")),
            pictures={name: Markup(text) for name, text in inside.items()},
            letters=Markup(letters),
            markup=Markup,
            version=__version__,
        )

    words = len(rendered(dict.fromkeys(pictures, ""), "").encode())
    return rendered(*placed(pictures, words))


def _numbered(report: Report) -> Iterator[tuple[Section, Iterator[_Numbered]]]:
    counts: Counter[str] = Counter()

    def of(section: Section) -> Iterator[_Numbered]:
        for item in section.items:
            kind = type(item).__name__.lower()
            counts[kind] += 1
            yield _Numbered(item, kind, f"{type(item).__name__} {counts[kind]}")

    for section in report.sections:
        yield section, of(section)


def written(cell: Any) -> str:
    """A cell as the page shows it: numbers to four digits with a true minus, nothing for None."""
    if cell is None:
        return ""
    if isinstance(cell, bool):
        return "yes" if cell else "no"
    if isinstance(cell, int):
        return f"{cell:,}".replace("-", "−")
    if isinstance(cell, float):
        return f"{cell:.4g}".replace("-", "−")
    return str(cell.text) if isinstance(cell, Link) else str(cell)


def _numeric(table: Table) -> list[bool]:
    """For each column whether numbers stand in it, which are set flush to the right."""
    columns = zip(*([written(cell) for cell in row] for row in table.rows), strict=True)
    flags = [any(column) and all(not text or _NUMBER.fullmatch(text) for text in column) for column in columns]
    return flags or [False] * len(table.head)
