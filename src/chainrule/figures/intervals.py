"""Estimates with their intervals, one line each, against the line of no difference."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter

from chainrule.errors import InputError
from chainrule.figures.lettering import clean, fit, number
from chainrule.figures.page import finish_flowing
from chainrule.figures.style import COLOURS, MARKERS, PAGE_WIDTH, QUIET, SMALL, house_style

Limits = tuple[float, float, float] | None

_LONGEST_NAME = 1.8  # inches


@house_style()
def interval_chart(
    names: Sequence[str],
    series: Mapping[str, Sequence[Limits]],
    *,
    axis: str,
    title: str = "",
    notes: Sequence[str] = (),
) -> Figure:
    """For each name a row, for each of the series in it an (estimate, low, high); None leaves it out.

    An interval that excludes 0 has a filled mark, one that does not an empty one. `axis` names what is measured, with
    its unit.

    Raises InputError where there is nothing to draw, or a series has another length than the names.
    """
    if not names or not any(limits is not None for rows in series.values() for limits in rows):
        raise InputError("there are no intervals to draw", "Give at least one name with one interval.")
    for label, rows in series.items():
        if len(rows) != len(names):
            raise InputError(f"{label!r} has {len(rows)} intervals for {len(names)} names", "Give one each, or None.")
    figure = Figure(figsize=(PAGE_WIDTH * 0.85, max(1.2, 0.35 + 0.16 * (1 + len(series)) * len(names))))
    axes = figure.add_subplot()
    axes.axvline(0, color=QUIET, linewidth=0.7)
    offsets = np.linspace(-0.16, 0.16, len(series)) if len(series) > 1 else [0.0]
    for place, (offset, rows) in enumerate(zip(offsets, series.values(), strict=True)):
        colour, shape = COLOURS[place % len(COLOURS)], MARKERS[place % len(MARKERS)]
        for row, limits in enumerate(rows):
            if limits is not None:
                estimate, low, high = limits
                decided = low > 0 or high < 0
                axes.plot([low, high], [row + offset] * 2, color=colour, linewidth=1.1)
                face = colour if decided else "white"
                axes.plot(
                    [estimate], [row + offset], marker=shape, color=colour, markerfacecolor=face, linestyle="none"
                )
    axes.set_yticks(range(len(names)), [fit(clean(name), _LONGEST_NAME, SMALL) for name in names])
    axes.set_ylim(len(names) - 0.4, -0.6)
    axes.tick_params(axis="y", length=0)
    axes.set_xlabel(clean(axis))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: number(value)))
    axes.grid(axis="x")
    axes.set_axisbelow(True)
    keys = [
        Line2D(
            [],
            [],
            color=COLOURS[i % len(COLOURS)],
            marker=MARKERS[i % len(MARKERS)],
            label=fit(clean(label), 2.2, SMALL),
        )
        for i, label in enumerate(series)
    ]
    told = "; ".join(
        f"{name}, {label}: {limits[0]:.4g} ({limits[1]:.4g} to {limits[2]:.4g})"
        for label, rows in series.items()
        for name, limits in zip(names, rows, strict=True)
        if limits is not None
    )
    filled = "filled mark: the interval excludes 0"
    return finish_flowing(figure, title, [filled, *notes], f"intervals; {told}", keys if len(series) > 1 else ())
