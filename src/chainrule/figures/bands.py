"""Loss and accuracy against epochs over several seeds: mean, standard deviation as a band, every run faint behind."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter, MaxNLocator
from numpy.typing import NDArray

from chainrule.errors import InputError
from chainrule.figures.lettering import clean, fit, number
from chainrule.figures.page import finish_flowing
from chainrule.figures.style import COLOURS, PAGE_WIDTH, LineStyle, house_style

History = Sequence[Mapping[str, Any]]

TRAINING, DEVELOPMENT = COLOURS[1], COLOURS[0]  # red and blue
_PARTS: tuple[tuple[str, str, str, LineStyle], ...] = (
    ("train", "training", TRAINING, "-"),
    ("validation", "development", DEVELOPMENT, "--"),
)
_KINDS = (("loss", "loss (cross-entropy, nats)"), ("accuracy", "accuracy (share of samples)"))
_MOST_POINTS = 400  # of a line
_LONGEST_NAME = 2.6  # inches


@house_style()
def seed_curves(runs: Mapping[str, Sequence[History]], *, title: str = "", note: str = "") -> Figure:
    """One column of panels for each entry of `runs`, loss above accuracy, the same scale in a row of panels.

    A history is one mapping an epoch, with epoch, train_loss, train_accuracy, validation_loss, validation_accuracy;
    the histories of one entry, one a seed, have the same epochs. The line is their mean, the band one standard
    deviation (n − 1) to either side.

    Raises InputError where there is nothing to draw, or histories of one entry differ in length.
    """
    if not runs or not all(len(histories) and len(histories[0]) for histories in runs.values()):
        raise InputError("there are no curves to draw", "Give at least one history of at least one epoch a panel.")
    for name, histories in runs.items():
        if len({len(history) for history in histories}) > 1:
            raise InputError(f"the histories of {name!r} differ in length", "Give as many epochs for each seed.")
    figure = Figure(figsize=(PAGE_WIDTH if len(runs) > 1 else 4.2, 4.4))
    panels = figure.subplots(2, len(runs), squeeze=False, sharey="row")
    for column, (name, histories) in enumerate(runs.items()):
        for row, (kind, label) in enumerate(_KINDS):
            axes = panels[row, column]
            for part, _, colour, line in _PARTS:
                _draw(axes, histories, f"{part}_{kind}", colour, line)
            axes.grid(axis="y")
            axes.set_axisbelow(True)
            axes.xaxis.set_major_locator(MaxNLocator(nbins=5, integer=True))
            axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: number(value)))
            if not column:
                axes.set_ylabel(label)
        seeds = f"{len(histories)} seed{'s' if len(histories) > 1 else ''}"
        panels[0, column].set_title(fit(clean(f"{name} ({seeds})"), _LONGEST_NAME, 8.5))
        panels[1, column].set_xlabel("epoch")
    keys = [Line2D([], [], color=colour, linestyle=line, label=label) for _, label, colour, line in _PARTS]
    notes = [" · ".join(text for text in ("line: mean; band: ± 1 standard deviation; faint: each run", note) if text)]
    return finish_flowing(figure, title, notes, _description(runs), keys)


def _draw(axes: Axes, histories: Sequence[History], name: str, colour: str, line: LineStyle) -> None:
    values = np.array([[float(row[name]) for row in history] for history in histories])
    epochs = np.array([row["epoch"] for row in histories[0]])
    kept = _spread(len(epochs))
    epochs, values = epochs[kept], values[:, kept]
    mean = values.mean(axis=0)
    for run in values:
        axes.plot(epochs, run, color=colour, linewidth=0.4, alpha=0.35)
    if len(values) > 1:
        sd = values.std(axis=0, ddof=1)
        axes.fill_between(epochs, mean - sd, mean + sd, color=colour, alpha=0.2, linewidth=0)
    axes.plot(epochs, mean, color=colour, linestyle=line, label=name)


def _spread(count: int) -> NDArray[np.intp]:
    """At most `_MOST_POINTS` places among `count`, both ends included."""
    return np.unique(np.linspace(0, count - 1, min(count, _MOST_POINTS)).round().astype(np.intp))


def _description(runs: Mapping[str, Sequence[History]]) -> str:
    ends = []
    for name, histories in runs.items():
        for part, label, _, _ in _PARTS:
            last = np.mean([history[-1][f"{part}_accuracy"] for history in histories])
            ends.append(f"{name}, {label} accuracy ends at {last:.4g}")
    return "loss and accuracy against epochs over several seeds; " + "; ".join(ends)
