"""A network as a picture: columns of units from left to right, and the table of its parameters below."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import PathPatch
from matplotlib.path import Path

from chainrule.errors import InputError, unknown_name
from chainrule.figures.lettering import clean, fit
from chainrule.figures.page import MARGIN, axes_at, describe, title_lines, write_lines
from chainrule.figures.style import COLOURS, FAINT, INK, PAGE_WIDTH, QUIET, SMALL, house_style
from chainrule.figures.table import Column, Table, set_table

MOST_UNITS = 12  # circles in a column
MOST_COLUMNS = 9  # of units; of deeper networks the middle is left to the table
_KEYS = ("name", "width", "activation", "parameters", "count", "notes")
_SLOT = 0.2  # inches from one circle to the next
_ABOVE, _BELOW = 0.24, 0.5  # inches for the names and for the widths
_GAP = -1  # in place of a layer: those that are left out


@dataclass(frozen=True)
class Layer:
    """One column of the picture and one row of the table."""

    name: str
    width: int
    activation: str
    parameters: str
    count: int
    notes: str

    @property
    def slots(self) -> list[float]:
        """Heights of the circles in slots around 0; in the middle of wide layers two are left to the ellipsis."""
        drawn = min(self.width, MOST_UNITS)
        heights = [(drawn - 1) / 2 - i for i in range(drawn)]
        if self.width > MOST_UNITS:
            del heights[MOST_UNITS // 2 - 1 : MOST_UNITS // 2 + 1]
        return heights


@house_style()
def network_diagram(layers: Sequence[Mapping[str, Any]], *, title: str = "", total: int | None = None) -> Figure:
    """Columns of units and a table with the shape of every parameter.

    `layers`, from the input on, are mappings with `width` and, where there is something to say, `name`,
    `activation`, `parameters` (name → shape), `count` (of their numbers) and `notes`. A layer has at most 12
    circles: wider ones show 10 and an ellipsis, with the width in figures below. Of more than 9 columns the picture
    leaves out the middle ones; the table has all. `total` stands in its last line, by default the sum of the counts.

    Raises InputError where there is no layer, a width is no whole number from 1, or a key is unknown.
    """
    rows = _checked(layers)
    parameters = sum(row.count for row in rows) if total is None else total
    heading = title_lines(title)
    table = _table(rows, parameters)
    picture = max(min(row.width, MOST_UNITS) for row in rows) * _SLOT + 0.1

    top = MARGIN + heading.height + _ABOVE
    table_top = top + picture + _BELOW
    figure = Figure(figsize=(PAGE_WIDTH, table_top + table.height + MARGIN))
    write_lines(figure, MARGIN, heading)
    _draw_picture(axes_at(figure, 0, top, PAGE_WIDTH, picture), rows, picture)
    table.write(figure, table_top)
    widths = ", ".join(str(row.width) for row in rows)
    return describe(figure, title, f"network with layers of {widths} units, {parameters:,} parameters")


def _checked(layers: Sequence[Mapping[str, Any]]) -> list[Layer]:
    if not len(layers):
        raise InputError("there are no layers to draw", "Give at least the input layer.")
    return [_layer(layer, number) for number, layer in enumerate(layers)]


def _layer(layer: Mapping[str, Any], number: int) -> Layer:
    for key in layer:
        if key not in _KEYS:
            raise unknown_name("key of a layer", key, _KEYS)
    name = clean(layer.get("name") or (f"layer {number}" if number else "input"))
    width = layer.get("width")
    if not isinstance(width, int | np.integer) or width < 1:
        raise InputError(f"{name} has width {width!r}", "A width is a whole number of units from 1.")
    shapes = layer.get("parameters") or {}
    return Layer(
        name,
        int(width),
        clean(layer.get("activation") or ""),
        ", ".join(_shape(key, shape) for key, shape in shapes.items()),
        int(layer.get("count") or 0),
        clean(layer.get("notes") or ""),
    )


def _shape(name: str, shape: Sequence[int]) -> str:
    """As "W1 (784, 300)", with no-break spaces, so that a line of the table never ends inside."""
    sizes = ",\N{NO-BREAK SPACE}".join(str(size) for size in shape)
    return f"{clean(name)}\N{NO-BREAK SPACE}({sizes}{',' if len(shape) == 1 else ''})"


def _table(rows: list[Layer], total: int) -> Table:
    return set_table(
        [
            Column("layer", [row.name for row in rows] + ["total"]),
            Column("units", [f"{row.width:,}" for row in rows] + [""], numeric=True),
            Column("activation", [row.activation for row in rows] + [""]),
            Column("shapes of parameters", [row.parameters for row in rows] + [""]),
            Column("parameters", [f"{row.count:,}" for row in rows] + [f"{total:,}"], numeric=True),
            Column("notes", [row.notes for row in rows] + [""]),
        ]
    )


def _columns(count: int) -> list[int]:
    """Which layers stand in the picture, from left to right; `_GAP` for those in the middle of deep networks."""
    if count <= MOST_COLUMNS:
        return list(range(count))
    side = MOST_COLUMNS // 2
    return [*range(side), _GAP, *range(count - side, count)]


def _draw_picture(axes: Axes, rows: list[Layer], height: float) -> None:
    """Circles, lines between neighbours and the names, in inches of the page around the picture's middle."""
    columns = _columns(len(rows))
    axes.set(xlim=(0, PAGE_WIDTH), ylim=(-height / 2, height / 2))
    axes.set_axis_off()
    pitch = (PAGE_WIDTH - 2 * MARGIN) / len(columns)
    places = [MARGIN + pitch * (k + 0.5) for k in range(len(columns))]
    for (left, here), (right, there) in zip(
        zip(places, columns, strict=True), zip(places[1:], columns[1:], strict=True), strict=False
    ):
        if _GAP not in (here, there):
            _connect(axes, left, rows[here].slots, right, rows[there].slots)
    for place, column in zip(places, columns, strict=True):
        if column == _GAP:
            _leave_out(axes, place, len(rows) - len(columns) + 1)
        else:
            _draw_layer(axes, place, rows[column], pitch, height, is_input=column == 0)


def _connect(axes: Axes, left: float, starts: list[float], right: float, ends: list[float]) -> None:
    """Every unit with every unit of the next layer, as one path."""
    points = [(x, y * _SLOT) for start in starts for end in ends for x, y in ((left, start), (right, end))]
    codes = [Path.MOVETO, Path.LINETO] * (len(points) // 2)
    axes.add_patch(PathPatch(Path(points, codes), fill=False, edgecolor=FAINT, linewidth=0.3, alpha=0.7, zorder=1))


def _draw_layer(axes: Axes, x: float, row: Layer, pitch: float, height: float, *, is_input: bool) -> None:
    axes.plot(
        [x] * len(row.slots),
        [slot * _SLOT for slot in row.slots],
        linestyle="none",
        marker="o",
        markersize=0.68 * _SLOT * 72,
        markerfacecolor="white" if is_input else "#cfe3f1",
        markeredgecolor=INK if is_input else COLOURS[0],
        markeredgewidth=0.8,
        zorder=2,
    )
    if row.width > MOST_UNITS:
        _dots(axes, [x] * 3, [-0.3 * _SLOT, 0.0, 0.3 * _SLOT])
    units = f"{row.width:,} unit{'' if row.width == 1 else 's'}"
    _caption(axes, x, height / 2 + 0.07, row.name, pitch, weight="bold")
    _caption(axes, x, -height / 2 - 0.12, units, pitch)
    _caption(axes, x, -height / 2 - 0.27, row.activation, pitch, color=QUIET)


def _caption(axes: Axes, x: float, baseline: float, text: str, pitch: float, **look: Any) -> None:
    fitted = fit(text, pitch * 0.94, SMALL, look.get("weight", "normal"))
    axes.text(x, baseline, fitted, size=SMALL, ha="center", va="baseline", **look)


def _leave_out(axes: Axes, x: float, count: int) -> None:
    _dots(axes, [x - 0.12, x, x + 0.12], [0.0] * 3)
    axes.text(x, -0.12, f"{count} layers,\nsee table", size=SMALL, color=QUIET, ha="center", va="top")


def _dots(axes: Axes, x: list[float], y: list[float]) -> None:
    axes.plot(x, y, linestyle="none", marker="o", markersize=2, color=QUIET)
