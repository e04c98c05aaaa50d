"""What networks of different size reach: accuracy against the number of hidden units."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FixedLocator, FuncFormatter, MaxNLocator, NullLocator
from numpy.typing import NDArray

from chainrule.errors import InputError
from chainrule.figures.checks import as_numbers
from chainrule.figures.lettering import clean, fit, number
from chainrule.figures.page import finish_flowing
from chainrule.figures.style import PAGE_WIDTH, QUIET, SMALL, colour, house_style, marker

_LONGEST_NAME = 1.3  # inches
_CLOSEST = 0.06  # of the axis, between two of its numbers
_FARTHEST = 2.0  # spans of the results; a baseline farther below would flatten them
_LOOK: dict[str, Any] = {"capsize": 2, "linewidth": 1.1, "markersize": 4}


@house_style()
def width_curve(
    series: Mapping[str, Sequence[tuple[int, Sequence[float]]]],
    *,
    title: str = "",
    measure: str = "accuracy",
    baseline: float | None = None,
    note: str = "",
) -> Figure:
    """For each of the `series` a line over (number of hidden units, results of its runs), on a logarithmic axis.

    The mark is the mean, the whisker one standard deviation (n − 1) to either side, the dots are the runs. `baseline`:
    what guessing reaches.

    Raises InputError where there is nothing to draw, a number of units is not positive or a result not finite.
    """
    lines = {name: _checked(name, points) for name, points in series.items()}
    if not any(lines.values()):
        raise InputError("there are no results to draw", "Give at least one number of units with one result.")
    figure = Figure(figsize=(PAGE_WIDTH * 0.8, 3.1))
    axes = figure.add_subplot()
    keys, told = [], []
    count = len(lines)
    for place, (name, points) in enumerate(lines.items()):
        shift = 1.02 ** (place - (count - 1) / 2)  # whiskers of several series stand beside each other
        units = np.array([u for u, _ in points]) * shift
        means = np.array([values.mean() for _, values in points])
        deviations = np.array([values.std(ddof=1) if len(values) > 1 else 0.0 for _, values in points])
        for at, (_, values) in zip(units, points, strict=True):
            axes.plot(np.full(len(values), at), values, ".", markersize=3, color=colour(place), alpha=0.35)
        axes.errorbar(units, means, yerr=deviations, color=colour(place), marker=marker(place), **_LOOK)
        keys.append(
            Line2D([], [], color=colour(place), marker=marker(place), label=fit(clean(name), _LONGEST_NAME, SMALL))
        )
        told += [f"{name}, {u} units: {mean:.4f}" for (u, _), mean in zip(points, means, strict=True)]
    results = np.concatenate([values for points in lines.values() for _, values in points])
    near = baseline is not None and results.min() - baseline < _FARTHEST * max(float(np.ptp(results)), 0.01)
    if baseline is not None and near:
        axes.axhline(baseline, color=QUIET, linewidth=0.9, linestyle=(0, (1, 1.5)))
    axes.set_xscale("log")
    everything = sorted({u for points in lines.values() for u, _ in points})
    axes.set_xlim(everything[0] / 1.25, everything[-1] * 1.25)
    axes.xaxis.set_major_locator(FixedLocator(_apart(everything)))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(FuncFormatter(lambda units, _: f"{units:,.0f}"))
    axes.yaxis.set_major_locator(MaxNLocator(6))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: number(value)))
    axes.set_xlabel("hidden units (logarithmic)")
    axes.set_ylabel("accuracy (share of samples)" if measure == "accuracy" else clean(measure))
    axes.grid(axis="y")
    axes.set_axisbelow(True)
    several = any(len(values) > 1 for points in lines.values() for _, values in points)
    words = "mark: mean; whisker: ± 1 standard deviation; dots: runs" if several else ""
    line = "dotted: guessing" if near else "guessing, below the axis:"
    dotted = "" if baseline is None else f"{line} {number(baseline)}"
    notes = [" · ".join(text for text in (words, dotted, note) if text)]
    return finish_flowing(figure, title, notes, f"{measure} against hidden units; {'; '.join(told)}", keys)


def _checked(name: str, points: Sequence[tuple[int, Sequence[float]]]) -> list[tuple[int, NDArray[np.float64]]]:
    found = []
    for units, results in points:
        values = as_numbers(results, f"the results of {name!r}").ravel()
        if units < 1 or not np.isfinite(values).all():
            raise InputError(
                f"{name!r} has {units} units or a result that is not finite", "Give 1 or more, and finite results."
            )
        if len(values):
            found.append((int(units), values))
    return sorted(found, key=lambda point: point[0])


def _apart(units: list[int]) -> list[int]:
    """Numbers of units that have room beside each other on a logarithmic axis: the last, and what fits before it."""
    span = np.log(units[-1] * 1.25**2 / units[0])
    kept = [units[-1]]
    for u in reversed(units[:-1]):
        if np.log(kept[-1] / u) > _CLOSEST * span:
            kept.append(u)
    return kept[::-1]
