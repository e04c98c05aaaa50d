"""Training beside validation and test as bars, a group for each entry, with the spread over the runs."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from matplotlib.ticker import FuncFormatter
from numpy.typing import NDArray

from chainrule.errors import InputError, unknown_name
from chainrule.figures.checks import as_numbers
from chainrule.figures.lettering import clean, fit, height_of, number, widest
from chainrule.figures.page import MARGIN, axes_at, describe, note_lines, title_lines, write_at, write_lines
from chainrule.figures.parts import PARTS
from chainrule.figures.style import INK, PAGE_WIDTH, QUIET, SMALL, house_style

_BAR = 0.16  # inches
_FAINT = 0.55  # so that the dots are seen on the bars
_GAP = 0.12  # inches between entries
_LONGEST_NAME = 2.0  # inches


@house_style()
def part_bars(
    results: Mapping[str, Mapping[str, Sequence[float]]],
    *,
    title: str = "",
    measure: str = "accuracy",
    baseline: float | None = None,
    note: str = "",
) -> Figure:
    """For each entry of `results` a bar a part ("train", "validation", "test"), which is the mean over its runs.

    The whisker is one standard deviation (n − 1) to either side, the dots are the runs; mean, deviation and number of
    runs stand beside the bar. Bars begin at 0. `baseline` is what guessing reaches, a dotted line.

    Raises InputError where there is nothing to draw, or a value is not finite; UnknownNameError for another part.
    """
    entries = [(clean(name), _checked(name, parts)) for name, parts in results.items()]
    if not any(parts for _, parts in entries):
        raise InputError("there are no results to draw", "Give at least one value of one part.")
    present = [part for part in PARTS if any(part in parts for _, parts in entries)]
    names = [fit(name, _LONGEST_NAME, SMALL) for name, _ in entries]
    told = {(row, part): _told(values) for row, (_, parts) in enumerate(entries) for part, values in parts.items()}
    left = MARGIN + widest(names, SMALL) + 0.08
    right = widest(list(told.values()), SMALL) + 0.16 + MARGIN
    heights = [max(1, len(parts)) * _BAR for _, parts in entries]
    height = sum(heights) + _GAP * len(entries)

    heading = title_lines(title)
    dotted = f"dotted: guessing ({number(baseline)})" if baseline is not None else ""
    several = any(len(values) > 1 for _, parts in entries for values in parts.values())
    whisker = "bar: mean; whisker: ± 1 standard deviation; dots: runs" if several else ""
    footer = note_lines([" · ".join(text for text in (whisker, dotted, note) if text)])
    top = MARGIN + heading.height + height_of(1, SMALL) + 0.12
    bottom = top + height + 0.45
    figure = Figure(figsize=(PAGE_WIDTH, bottom + footer.height + MARGIN))
    write_lines(figure, MARGIN, heading)
    write_lines(figure, bottom, footer)
    axes = axes_at(figure, left, top, PAGE_WIDTH - left - right, height)
    end = 1.0 if measure == "accuracy" else 1.05 * max(max(each) for _, parts in entries for each in parts.values())
    axes.set_xlim(0, end if end > 0 else 1)
    axes.set_ylim(height, 0)
    edge = _GAP / 2
    for row, ((_, parts), name) in enumerate(zip(entries, names, strict=True)):
        middle = edge + heights[row] / 2
        write_at(figure, left - 0.08, top + middle + 0.035, name, size=SMALL, ha="right")
        for place, part in enumerate(part for part in present if part in parts):
            y = edge + (place + 0.5) * _BAR
            _bar(axes, y, parts[part], PARTS[part].colour)
            write_at(figure, PAGE_WIDTH - right + 0.1, top + y + 0.035, told[row, part], size=SMALL, color=INK)
        edge += heights[row] + _GAP
    if baseline is not None and np.isfinite(baseline):
        axes.axvline(baseline, color=QUIET, linewidth=0.9, linestyle=(0, (1, 1.5)))
    axes.set_yticks([])
    axes.set_xlabel("accuracy (share of samples)" if measure == "accuracy" else clean(measure))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: number(value)))
    axes.grid(axis="x")
    axes.set_axisbelow(True)
    keys = [Patch(color=PARTS[part].colour, alpha=_FAINT, label=PARTS[part].result) for part in present]
    axes.legend(handles=keys, loc="lower left", bbox_to_anchor=(0, 1), ncols=3, borderaxespad=0.2)
    words = [
        f"{name}, {PARTS[part].result}: {told[row, part]}"
        for row, (name, parts) in enumerate(entries)
        for part in parts
    ]
    return describe(figure, title, f"{measure} as bars; {'; '.join(words)}")


def _checked(name: str, parts: Mapping[str, Sequence[float]]) -> dict[str, NDArray[np.float64]]:
    found = {}
    for part, values in parts.items():
        if part not in PARTS:
            raise unknown_name("part", part, PARTS)
        numbers = as_numbers(values, f"{part} of {name!r}").ravel()
        if not np.isfinite(numbers).all():
            raise InputError(f"{part} of {name!r} holds a value that is not finite", "Leave out runs without a result.")
        if len(numbers):
            found[part] = numbers
    return found


def _bar(axes: Axes, y: float, values: NDArray[np.float64], colour: str) -> None:
    axes.barh(y, values.mean(), height=0.8 * _BAR, color=colour, alpha=_FAINT, linewidth=0)
    if len(values) > 1:
        axes.errorbar(values.mean(), y, xerr=values.std(ddof=1), color=INK, linewidth=0.9, capsize=2, capthick=0.9)
        spread = np.linspace(-0.25, 0.25, len(values)) * _BAR
        axes.plot(values, y + spread, linestyle="none", marker="o", markersize=1.8, color=INK, markeredgewidth=0)


def _told(values: NDArray[np.float64]) -> str:
    if len(values) == 1:
        return f"{values[0]:.4f}"
    return f"{values.mean():.4f} ± {values.std(ddof=1):.4f} (n = {len(values)})"
