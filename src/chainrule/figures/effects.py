"""What each value of each setting reached: runs, mean and interval, a block a setting."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator

from chainrule.errors import InputError
from chainrule.figures.lettering import clean, fit, number, widest
from chainrule.figures.page import MARGIN, axes_at, describe, note_lines, title_lines, write_at, write_lines
from chainrule.figures.style import COLOURS, INK, PAGE_WIDTH, SMALL, house_style

_ROW = 0.19  # inches
_LONGEST_NAME = 2.0  # inches


@dataclass(frozen=True)
class Effect:
    """What the runs with one value of one setting reached.

    setting, value  as a reader knows them
    mean, low, high  and the interval of the mean; None where there is none
    n               runs, or seeds, behind it
    values          single results, drawn as dots
    """

    setting: str
    value: str
    mean: float
    low: float | None
    high: float | None
    n: int
    values: Sequence[float] = ()


@house_style()
def setting_effects(effects: Sequence[Effect], *, title: str = "", measure: str = "accuracy", note: str = "") -> Figure:
    """A row for each value under the name of its setting, all on one axis; the numbers stand beside.

    Raises InputError where there are none, or a number is not finite.
    """
    if not effects:
        raise InputError("there are no effects to draw", "Give at least one value of one setting.")
    for effect in effects:
        numbers = [effect.mean, *(limit for limit in (effect.low, effect.high) if limit is not None), *effect.values]
        if not np.isfinite(numbers).all():
            raise InputError(
                f"{effect.setting} = {effect.value} has a result that is not finite", "Leave out runs without one."
            )
    settings = list(dict.fromkeys(effect.setting for effect in effects))
    lines: list[str | Effect] = []
    for setting in settings:
        lines += [setting, *(effect for effect in effects if effect.setting == setting)]
    told = {id(effect): _told(effect) for effect in effects}
    names = [fit(clean(effect.value), _LONGEST_NAME, SMALL) for effect in effects]
    left = MARGIN + 0.12 + widest(names, SMALL) + 0.08
    right = MARGIN + widest(list(told.values()), SMALL) + 0.1
    heading = title_lines(title)
    several = any(effect.low is not None for effect in effects)
    words = "mark: mean; bar: its interval; dots: runs" if several else "mark: result"
    footer = note_lines([" · ".join(text for text in (words, note) if text)])
    top = MARGIN + heading.height + 0.04
    height = len(lines) * _ROW
    bottom = top + height + 0.42
    figure = Figure(figsize=(PAGE_WIDTH, bottom + footer.height + MARGIN))
    write_lines(figure, MARGIN, heading)
    write_lines(figure, bottom, footer)
    axes = axes_at(figure, left, top, PAGE_WIDTH - left - right, height)
    axes.set_ylim(height, 0)
    for place, line in enumerate(lines):
        y = (place + 0.5) * _ROW
        if isinstance(line, str):
            room = PAGE_WIDTH - 2 * MARGIN
            name = fit(clean(line), room, SMALL, "bold")
            write_at(figure, MARGIN, top + y + 0.035, name, size=SMALL, weight="bold", color=INK)
            continue
        name = fit(clean(line.value), _LONGEST_NAME, SMALL)
        write_at(figure, left - 0.08, top + y + 0.035, name, size=SMALL, ha="right")
        write_at(figure, PAGE_WIDTH - right + 0.1, top + y + 0.035, told[id(line)], size=SMALL)
        _draw(axes, y, line)
    axes.margins(x=0.04)
    axes.spines["left"].set_visible(False)  # names of settings cross it
    axes.set_yticks([])
    axes.set_xlabel("accuracy (share of samples)" if measure == "accuracy" else clean(measure))
    axes.xaxis.set_major_locator(MaxNLocator(6))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: number(value)))
    axes.grid(axis="x")
    axes.set_axisbelow(True)
    spoken = "; ".join(f"{effect.setting} = {effect.value}: {told[id(effect)]}" for effect in effects)
    return describe(figure, title, f"{measure} by setting; {spoken}")


def _draw(axes: Axes, y: float, effect: Effect) -> None:
    if len(effect.values) > 1:
        axes.plot(
            effect.values,
            np.full(len(effect.values), y + 0.25 * _ROW),
            linestyle="none",
            marker="o",
            markersize=2.2,
            color=INK,
            alpha=0.35,
            markeredgewidth=0,
        )
    if effect.low is not None and effect.high is not None:
        axes.plot([effect.low, effect.high], [y, y], color=COLOURS[0], linewidth=1.4)
    axes.plot([effect.mean], [y], linestyle="none", marker="D", markersize=4, color=COLOURS[0])


def _told(effect: Effect) -> str:
    interval = "" if effect.low is None or effect.high is None else f" ({effect.low:.4f} to {effect.high:.4f})"
    return f"{effect.mean:.4f}{interval}, n = {effect.n}".replace("-", "−")
