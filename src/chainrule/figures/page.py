"""A figure as a page: places in inches from its upper left corner, a title above and notes below."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from chainrule.figures.lettering import ascent, clean, height_of, wrap
from chainrule.figures.style import INK, PAGE_WIDTH, QUIET, SMALL

MARGIN = 0.12  # inches of white at every edge
_TITLE = 10.0  # points
_KEYS_ABREAST = 3
_LEGEND_GAP = 0.08  # inches between the title and the legend


@dataclass(frozen=True)
class Lines:
    """Text broken into lines that fit the page, with the height they need."""

    lines: list[str]
    size: float
    weight: str = "normal"

    @property
    def height(self) -> float:
        return height_of(len(self.lines), self.size)


def title_lines(title: str, width: float = PAGE_WIDTH) -> Lines:
    return _lines([title], width, _TITLE, "bold")


def note_lines(notes: list[str], width: float = PAGE_WIDTH) -> Lines:
    return _lines(notes, width, SMALL, "normal")


def axes_at(figure: Figure, left: float, top: float, width: float, height: float) -> Axes:
    page_width, page_height = figure.get_size_inches()
    bottom = page_height - top - height
    return figure.add_axes((left / page_width, bottom / page_height, width / page_width, height / page_height))


def write_at(figure: Figure, left: float, baseline: float, text: str, **look: Any) -> None:
    """One line of text; measured to the baseline, on which neighbours stand level whatever their letters."""
    page_width, page_height = figure.get_size_inches()
    figure.text(left / page_width, 1 - baseline / page_height, text, va="baseline", **look)


def write_lines(figure: Figure, top: float, text: Lines) -> None:
    """Set title or notes at the left margin, the first line starting at `top`."""
    colour = INK if text.weight == "bold" else QUIET
    for number, line in enumerate(text.lines):
        baseline = top + height_of(number, text.size) + ascent(text.size)
        write_at(figure, MARGIN, baseline, line, size=text.size, weight=text.weight, color=colour)


def finish_flowing(
    figure: Figure, title: str, notes: list[str], description: str, keys: Sequence[Artist] = ()
) -> Figure:
    """Give a figure whose panels matplotlib arranges its title, its legend and its notes, and hold it still.

    The page grows by what they need, so that the panels keep their size. It is held still because every further
    drawing would otherwise shift the panels by a hair, and files would differ.
    """
    width, height = (float(size) for size in figure.get_size_inches())
    heading, footer = title_lines(title, width), note_lines(notes, width)
    legend = height_of(-(-len(keys) // _KEYS_ABREAST), SMALL) + 0.05 + _LEGEND_GAP if keys else 0.0
    above = MARGIN + heading.height + legend
    below = MARGIN + footer.height
    page = above + height + below
    figure.set_size_inches(width, page)
    write_lines(figure, MARGIN, heading)
    write_lines(figure, above + height, footer)
    if keys:
        figure.legend(
            handles=list(keys),
            loc="upper left",
            bbox_to_anchor=(MARGIN / width, 1 - (MARGIN + heading.height + _LEGEND_GAP) / page),
            ncols=_KEYS_ABREAST,
            borderpad=0,
            borderaxespad=0,
        )
    figure.set_layout_engine("constrained", rect=(0, below / page, 1, height / page), w_pad=0.08, h_pad=0.06)
    figure.draw_without_rendering()
    figure.set_layout_engine("none")
    return describe(figure, title, description)


def describe(figure: Figure, title: str, description: str) -> Figure:
    """Leave on the figure, as its label, the sentence that stands for it where it cannot be seen."""
    figure.set_label(clean(f"{title}: {description}" if title else description))
    return figure


def _lines(texts: list[str], width: float, size: float, weight: str) -> Lines:
    inner = width - 2 * MARGIN
    return Lines(
        [line for text in texts if text for line in wrap(clean(text), inner, size, weight)],
        size,
        weight,
    )
