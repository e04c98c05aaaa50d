"""A printed table: columns as wide as their content, long cells in several lines, rules above and below."""

from collections.abc import Sequence
from dataclasses import dataclass

from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from chainrule.figures.lettering import ascent, height_of, widest, wrap
from chainrule.figures.page import MARGIN, write_at
from chainrule.figures.style import INK, PAGE_WIDTH, QUIET, SMALL

_GUTTER = 0.18  # inches between columns
_ROW_GAP = 0.05  # inches between rows
_NARROWEST = 0.7  # inches of a column whose cells are broken into lines


@dataclass(frozen=True)
class Column:
    """A heading, one cell a row, and whether numbers stand flush to the right."""

    heading: str
    cells: Sequence[str]
    numeric: bool = False


@dataclass(frozen=True)
class Table:
    """Cells broken into lines for columns of the given widths (inches), ready to be written; the last row is a sum."""

    columns: list[Column]
    widths: list[float]
    rows: list[list[list[str]]]

    @property
    def height(self) -> float:
        return sum(self._height_of_row(number) for number in range(len(self.rows)))

    def write(self, figure: Figure, top: float) -> None:
        """Write the table with its upper edge `top` inches from the upper edge of the page."""
        for number, row in enumerate(self.rows):
            if self._is_ruled(number):
                _rule(figure, top)
            self._write_row(figure, top + self._lead(number), row, INK if number else QUIET)
            top += self._height_of_row(number)

    def _write_row(self, figure: Figure, top: float, row: list[list[str]], colour: str) -> None:
        left = MARGIN
        for column, width, lines in zip(self.columns, self.widths, row, strict=True):
            place, side = (left + width, "right") if column.numeric else (left, "left")
            for number, line in enumerate(lines):
                baseline = top + height_of(number, SMALL) + ascent(SMALL)
                write_at(figure, place, baseline, line, size=SMALL, color=colour, ha=side)
            left += width + _GUTTER

    def _is_ruled(self, number: int) -> bool:
        return number in (0, 1, len(self.rows) - 1)

    def _lead(self, number: int) -> float:
        return _ROW_GAP if self._is_ruled(number) else 0.0

    def _height_of_row(self, number: int) -> float:
        lines = max(len(lines) for lines in self.rows[number])
        return self._lead(number) + height_of(lines, SMALL) + _ROW_GAP


def set_table(columns: Sequence[Column]) -> Table:
    """Fit the columns that have any content into the page; columns of text give way where it is too narrow."""
    used = [column for column in columns if any(column.cells)]
    natural = [widest([column.heading, *column.cells], SMALL) for column in used]
    space = PAGE_WIDTH - 2 * MARGIN - _GUTTER * (len(used) - 1)
    fixed = sum(width for column, width in zip(used, natural, strict=True) if column.numeric)
    widths = _share(natural, [column.numeric for column in used], space - fixed)
    rows = [
        [wrap(cell, width + 0.01, SMALL) for cell, width in zip(row, widths, strict=True)]
        for row in zip(*([column.heading, *column.cells] for column in used), strict=True)
    ]
    return Table(used, widths, rows)


def _share(natural: list[float], fixed: list[bool], space: float) -> list[float]:
    """Widths of which the flexible ones fill at most `space`: short columns keep theirs, long ones share the rest."""
    widths = list(natural)
    open_columns = sorted((k for k, held in enumerate(fixed) if not held), key=lambda k: natural[k])
    for done, k in enumerate(open_columns):
        widths[k] = min(natural[k], max(_NARROWEST, space / (len(open_columns) - done)))
        space -= widths[k]
    return widths


def _rule(figure: Figure, top: float) -> None:
    width, height = figure.get_size_inches()
    y = 1 - top / height
    figure.add_artist(Line2D([MARGIN / width, 1 - MARGIN / width], [y, y], color=QUIET, linewidth=0.6))
