"""Square panels of equal size on a page, each under its name, with one legend of classes for all."""

from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from chainrule.figures.lettering import clean, fit, height_of, widest
from chainrule.figures.page import MARGIN, axes_at, describe, note_lines, title_lines, write_at, write_lines
from chainrule.figures.style import PAGE_WIDTH, SMALL

MOST_NAMED = 24  # classes in a legend
_COLUMNS = 3
_GAP = 0.12  # inches between panels
_LARGEST = 3.2  # inches
_NARROWEST = 4.0  # inches of a page
_KEY = 0.32  # inches of a mark in the legend, and of the gap behind its name
_LONGEST_NAME = 1.2  # inches, in the legend

# Ten that differ for colour-blind readers too: Okabe and Ito's, and a grey, a brown and a wine red.
CLASS_COLOURS = (
    "#0072B2",
    "#D55E00",
    "#009E73",
    "#CC79A7",
    "#56B4E9",
    "#E69F00",
    "#000000",
    "#8a8a8a",
    "#7a4b1e",
    "#882255",
)


def class_colour(label: int) -> str:
    return CLASS_COLOURS[label % len(CLASS_COLOURS)]


def square_panels(
    names: Sequence[str],
    *,
    title: str,
    notes: list[str],
    keys: Sequence[Line2D],
    description: str,
    axis_names: tuple[str, str] | None = None,
) -> tuple[Figure, list[Axes]]:
    """A figure with a panel for each of `names`; the panels have room for ticks where there are `axis_names`."""
    columns = min(len(names), _COLUMNS)
    rows = -(-len(names) // columns)
    ticks = 0.6 if axis_names else 0.0
    below = 0.36 if axis_names else 0.0
    room = (PAGE_WIDTH - 2 * MARGIN - (columns - 1) * _GAP) / columns
    side = min(_LARGEST, room - ticks)
    room = side + ticks
    page = max(_NARROWEST, 2 * MARGIN + columns * room + (columns - 1) * _GAP)
    heading, footer = title_lines(title, page), note_lines(notes, page)
    abreast = max(1, int((page - 2 * MARGIN) / (widest([str(key.get_label()) for key in keys], SMALL) + _KEY)))
    legend = height_of(-(-len(keys) // abreast), SMALL) + 0.1 if keys else 0.0
    above = height_of(1, 8.5) + 0.06
    top = MARGIN + heading.height + legend
    bottom = top + rows * (above + side + below) + (rows - 1) * _GAP
    figure = Figure(figsize=(page, bottom + 0.08 + footer.height + MARGIN))
    write_lines(figure, MARGIN, heading)
    write_lines(figure, bottom + 0.08, footer)
    if keys:
        width, height = figure.get_size_inches()
        figure.legend(
            handles=list(keys),
            loc="upper left",
            bbox_to_anchor=(MARGIN / width, 1 - (MARGIN + heading.height + 0.04) / height),
            ncols=abreast,
            borderpad=0,
            borderaxespad=0,
            handletextpad=0.3,
            columnspacing=1.0,
        )
    panels = []
    for place, name in enumerate(names):
        row, column = divmod(place, columns)
        left = MARGIN + column * (room + _GAP) + ticks
        y = top + row * (above + side + below + _GAP) + above
        write_at(figure, left, y - 0.06, fit(clean(name), side, 8.5), size=8.5)
        axes = axes_at(figure, left, y, side, side)
        axes.spines[["top", "right"]].set_visible(True)
        if axis_names is None:
            axes.set_xticks([])
            axes.set_yticks([])
        else:
            axes.set_xlabel(fit(clean(axis_names[0]), side, 8.0), labelpad=1)
            if not column:
                axes.set_ylabel(fit(clean(axis_names[1]), side, 8.0), labelpad=1)
        panels.append(axes)
    describe(figure, title, description)
    return figure, panels


def class_keys(classes: Sequence[str], present: Sequence[int], shapes: Sequence[str]) -> list[Line2D]:
    """The legend of the classes that have points."""
    keys = [
        Line2D(
            [],
            [],
            linestyle="none",
            color=class_colour(k),
            marker=shapes[k % len(shapes)],
            label=fit(clean(classes[k]), _LONGEST_NAME, SMALL),
        )
        for k in present[:MOST_NAMED]
    ]
    if len(present) > MOST_NAMED:
        keys.append(Line2D([], [], linestyle="none", label=f"and {len(present) - MOST_NAMED} more"))
    return keys
