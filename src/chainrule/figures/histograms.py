"""How the values of each feature of a table are spread, class beside class."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter, MaxNLocator
from numpy.typing import ArrayLike, NDArray

from chainrule.errors import InputError
from chainrule.figures.checks import as_classes, as_labels, as_numbers
from chainrule.figures.lettering import clean, fit, number, width_of
from chainrule.figures.page import finish_flowing
from chainrule.figures.style import FAINT, LINE_STYLES, PAGE_WIDTH, SMALL, LineStyle, colour, house_style

MOST_COLUMNS = 12
_MOST_CLASSES = 5  # as many as there are line styles; further classes share one grey line
_MOST_BINS = 30
_LONGEST_NAME = 0.95  # inches
_PAGE_WIDTHS = {1: 4.6, 2: 5.4, 3: PAGE_WIDTH}  # inches, by panels abreast; three keys of the legend fit
_STEPS = (1, 2, 5, 10)


@dataclass(frozen=True)
class Group:
    """Samples that share one outline in every panel."""

    name: str
    members: NDArray[np.bool_]  # (m,)
    colour: str
    line: LineStyle


@house_style()
def table_histograms(
    columns: Mapping[str, ArrayLike], labels: ArrayLike | None, classes: Sequence[str], *, title: str = ""
) -> Figure:
    """The distribution of every feature: one panel a column of the table, one outline a class.

    `columns` maps names to (m,) numbers; `labels` are (m,) class numbers, or None for a table without classes.
    Heights are shares of the class, so that small classes are as visible as large ones; bins are the same for all
    classes. The first 12 columns are drawn and the footer says how many more there are; of more than 5 classes the
    4 largest have outlines of their own. Values that are not finite are left out and counted above their panel.

    Raises InputError where there is no column or no row, lengths differ, or a column holds text.
    """
    if not columns:
        raise InputError("the table has no columns", "Give at least one feature.")
    shown = list(columns)[:MOST_COLUMNS]
    values = {name: as_numbers(columns[name], f"column {name!r}") for name in shown}
    samples = values[shown[0]].size
    for name, column in values.items():
        if column.shape != (samples,) or not samples:
            raise InputError(
                f"column {name!r} has shape {column.shape}, not ({samples},)",
                "Every column needs one number a sample, and at least one sample.",
            )
    groups = _groups(labels, samples, classes)

    across = 2 if len(shown) in (2, 4) else min(3, len(shown))
    down = -(-len(shown) // across)
    figure = Figure(figsize=(_PAGE_WIDTHS[across], max(2.0, 1.45 * down)))
    panels = figure.subplots(down, across, squeeze=False).ravel()
    for panel, name in zip(panels, shown, strict=False):
        _draw_column(panel, values[name], name, groups)
    for panel in panels[len(shown) :]:
        panel.remove()
    keys = [Line2D([], [], color=group.colour, linestyle=group.line, label=group.name) for group in groups]
    more = len(columns) - len(shown)
    footer = f"m = {samples:,} samples" + (f" · {more:,} more columns are not shown" if more else "")
    return finish_flowing(
        figure,
        title,
        [footer],
        f"distribution of {len(shown)} of {len(columns)} features by class",
        keys if len(groups) > 1 else (),
    )


def _groups(labels: ArrayLike | None, samples: int, classes: Sequence[str]) -> list[Group]:
    if labels is None:
        return [Group("all", np.ones(samples, dtype=bool), colour(0), "-")]
    names = as_classes(classes)
    numbers = as_labels(labels, samples, len(names))
    sizes = np.bincount(numbers, minlength=len(names))
    present = np.flatnonzero(sizes)
    own = present
    if len(present) > _MOST_CLASSES:
        largest = np.argsort(-sizes, kind="stable")[: _MOST_CLASSES - 1]
        own = np.sort(largest)
    groups = [
        Group(fit(clean(names[k]), _LONGEST_NAME, SMALL), numbers == k, colour(i), LINE_STYLES[i])
        for i, k in enumerate(own)
    ]
    if len(own) < len(present):
        rest = ~np.isin(numbers, own)
        groups.insert(
            0, Group(f"{len(present) - len(own)} other classes", rest, FAINT, "-")
        )  # first, so that it lies below
    return groups


def _draw_column(panel: Axes, values: NDArray[np.float64], name: str, groups: list[Group]) -> None:
    finite = np.isfinite(values)
    edges = _edges(values[finite])
    for group in groups:
        counts = np.histogram(values[finite & group.members], edges)[0]
        panel.stairs(counts / max(1, counts.sum()), edges, color=group.colour, linestyle=group.line, linewidth=1.1)
    missing = int((~finite).sum())
    remark = f" ({missing:,} missing)" if missing else ""
    panel.set_xlabel(fit(clean(name), 1.75 - width_of(remark, 8.0), 8.0) + remark)
    panel.set_ylabel("share")
    panel.set_ylim(bottom=0)
    whole = edges[0] % 1 == 0.5
    panel.xaxis.set_major_locator(MaxNLocator(3, integer=whole, steps=_STEPS))
    panel.yaxis.set_major_locator(MaxNLocator(3, steps=_STEPS))
    panel.xaxis.set_major_formatter(FuncFormatter(lambda value, _: number(value)))


def _edges(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Edges of equal bins over finite `values`; few whole numbers stand in the middle of a bin each."""
    if not len(values):
        return np.array([0.0, 1.0])
    low, high = float(values.min()), float(values.max())
    if high - low < _MOST_BINS and abs(low) < 1e9 and (values == np.floor(values)).all():
        return np.arange(low - 0.5, high + 1)
    if low == high:
        pad = max(abs(low), 1e-9) / 2
        return np.array([low - pad, low + pad])
    bins = int(np.clip(np.sqrt(len(values)), 5, _MOST_BINS))
    return np.linspace(low, high, bins + 1)
