"""The loss of every batch, or of every instance, in the order of the updates, and their running mean."""

from itertools import pairwise

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import FuncFormatter, MaxNLocator
from numpy.typing import ArrayLike, NDArray

from chainrule.errors import InputError
from chainrule.figures.checks import as_numbers
from chainrule.figures.curves import MOST_POINTS, Curve, make_logarithmic, thin
from chainrule.figures.lettering import number
from chainrule.figures.page import finish_flowing
from chainrule.figures.style import COLOURS, PAGE_WIDTH, QUIET, house_style

_MOST_DOTS = 3000  # beyond, a range for each stretch of updates takes the place of single losses
_MOST_EPOCHS = 30  # whose ends are marked
_WINDOWS = 50  # that the running mean divides a training into


@house_style()
def batch_losses(
    losses: ArrayLike,
    *,
    title: str = "",
    window: int | None = None,
    loss_name: str = "cross-entropy",
    baseline: float | None = None,
    batch_size: int | None = None,
    log_loss: bool = False,
    note: str = "",
) -> Figure:
    """(epochs, batches) `losses`, each before its update, against the number of the update.

    Up to 3,000 are dots; more are drawn as the range from the lowest to the highest of each stretch and, darker, that
    of the middle 80 %. The line is the mean over `window` updates around each; a fiftieth of them by default.
    Values that are not finite are gaps; the note counts them. `batch_size` 1 calls the batches instances.

    Raises InputError where there is nothing to draw, or `window` is none.
    """
    table = as_numbers(losses, "losses")
    if table.ndim != 2 or not np.isfinite(table).any():
        raise InputError(f"there are no losses to draw in shape {table.shape}", "Give (epochs, batches) numbers.")
    values = np.where(np.isfinite(table), table, np.nan).ravel()
    width = max(1, round(len(values) / _WINDOWS)) if window is None else window
    if not 1 <= width <= len(values):
        raise InputError(f"window is {width}", f"Give 1 to {len(values)} updates.")
    what = "instance" if batch_size == 1 else "batch"
    figure = Figure(figsize=(PAGE_WIDTH, 2.6))
    axes = figure.add_subplot()
    keys = _draw_dots(axes, values, what) if len(values) <= _MOST_DOTS else _draw_ranges(axes, values, what)
    mean = thin(_running_mean(values, width))
    if width > 1:
        axes.plot(mean.epochs, mean.values, color=COLOURS[1], linewidth=1.2)
        keys.append(Line2D([], [], color=COLOURS[1], label=f"mean over {width:,} {_plural(what)}"))
    if baseline is not None and np.isfinite(baseline):
        axes.axhline(baseline, color=QUIET, linewidth=0.9, linestyle=(0, (1, 1.5)))
        keys.append(Line2D([], [], color=QUIET, linestyle=(0, (1, 1.5)), label=f"class prior: {number(baseline)}"))
    epochs, each = table.shape
    if 1 < epochs <= _MOST_EPOCHS:
        for epoch in range(1, epochs):
            axes.axvline(epoch * each + 0.5, color="#dddddd", linewidth=0.6, zorder=0)
    axes.set_xlim(0, len(values) + 1)
    axes.set_xlabel(f"update ({what})" + ("; light lines: ends of epochs" if 1 < epochs <= _MOST_EPOCHS else ""))
    unit = ", nats" if "entropy" in loss_name else ""
    axes.set_ylabel(f"loss ({loss_name}{unit})")
    axes.xaxis.set_major_locator(MaxNLocator(nbins=7, integer=True))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda update, _: f"{update:,.0f}"))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: number(value)))
    if log_loss:
        make_logarithmic(axes, values)
    gaps = int(np.isnan(values).sum())
    words = [
        f"{epochs:,} epoch{'' if epochs == 1 else 's'} of {each:,} {what if each == 1 else _plural(what)}",
        f"not finite and left out: {gaps:,}" if gaps else "",
        note,
    ]
    told = f"its running mean begins at {mean.values[0]:.4g} and ends at {mean.values[-1]:.4g}"
    description = f"loss of {len(values):,} updates, one {what} each; {told}"
    return finish_flowing(figure, title, [" · ".join(filter(None, words))], description, keys)


def _plural(what: str) -> str:
    return f"{what}es" if what.endswith("ch") else f"{what}s"


def _draw_dots(axes: Axes, values: NDArray[np.float64], what: str) -> list[Artist]:
    updates = np.arange(1, len(values) + 1)
    size = float(np.clip(60 / np.sqrt(len(values)), 1.6, 4))
    axes.plot(updates, values, "o", color=COLOURS[0], markersize=size, markeredgewidth=0, alpha=0.35)
    return [Line2D([], [], linestyle="none", marker="o", color=COLOURS[0], markersize=3, label=f"each {what}")]


def _draw_ranges(axes: Axes, values: NDArray[np.float64], what: str) -> list[Artist]:
    ends = np.linspace(0, len(values), MOST_POINTS // 2 + 1).round().astype(int)
    stretches = [values[a:b][np.isfinite(values[a:b])] for a, b in pairwise(ends)]
    middles = (ends[:-1] + ends[1:] + 1) / 2
    limits = np.array([np.quantile(each, (0, 0.1, 0.9, 1)) if len(each) else [np.nan] * 4 for each in stretches])
    axes.fill_between(middles, limits[:, 0], limits[:, 3], color=COLOURS[0], alpha=0.15, linewidth=0)
    axes.fill_between(middles, limits[:, 1], limits[:, 2], color=COLOURS[0], alpha=0.35, linewidth=0)
    return [
        Patch(color=COLOURS[0], alpha=0.15, label=f"lowest to highest {what}"),
        Patch(color=COLOURS[0], alpha=0.5, label="middle 80 %"),
    ]


def _running_mean(values: NDArray[np.float64], width: int) -> Curve:
    """The mean of each `width` updates in a row, at the middle one; gaps count for nothing."""
    there = np.isfinite(values)
    sums = np.concatenate([[0.0], np.cumsum(np.where(there, values, 0.0))])
    counts = np.concatenate([[0], np.cumsum(there)])
    total, count = sums[width:] - sums[:-width], counts[width:] - counts[:-width]
    means = np.where(count > 0, total / np.maximum(count, 1), np.nan)
    return Curve(np.arange(len(means)) + (width + 1) // 2, means)
