"""Loss and accuracy against epochs over several seeds: mean, standard deviation as a band, every run faint behind."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from numpy.typing import NDArray

from chainrule.errors import InputError, unknown_name
from chainrule.figures.curves import make_logarithmic, name_axes
from chainrule.figures.lettering import clean, fit
from chainrule.figures.page import finish_flowing
from chainrule.figures.parts import PARTS
from chainrule.figures.style import PAGE_WIDTH, QUIET, SMALL, LineStyle, colour, house_style, marker

History = Sequence[Mapping[str, Any]]

_MOST_POINTS = 400  # of a line
_MARKS = 6  # of a line that bears some
_COLUMNS = 3  # of panels beside each other
_LONGEST = (3.4, 2.6, 1.9)  # inches of a name over one, two or three columns


@dataclass(frozen=True)
class Runs:
    """One quantity of several runs: values (runs, epochs), NaN where a run has none."""

    epochs: NDArray[np.int64]
    values: NDArray[np.float64]

    @property
    def mean(self) -> NDArray[np.float64]:
        """Over the runs, where all of them have a value."""
        means: NDArray[np.float64] = self.values.mean(axis=0)
        return means

    @property
    def sd(self) -> NDArray[np.float64]:
        spread: NDArray[np.float64] = self.values.std(axis=0, ddof=1)
        return spread


@house_style()
def seed_curves(
    runs: Mapping[str, Sequence[History]],
    *,
    parts: Sequence[str] = ("train", "validation"),
    together: bool = False,
    title: str = "",
    note: str = "",
    baseline: Mapping[str, float | None] | None = None,
    loss_name: str = "cross-entropy",
    log_loss: bool = False,
    validation_name: str = "validation",
) -> Figure:
    """Loss above accuracy against epochs for each entry of `runs`, one column of panels an entry; with `together` loss
    beside accuracy, and in both all entries, each with a colour and a mark of its own.

    A history is one mapping for each measured epoch, with `epoch` and what there is of train_loss, train_accuracy,
    validation_loss, …, test_accuracy; the histories of one entry are one a seed. The line is their mean where all of
    them have a value, the band one standard deviation (n − 1) to either side; with `log_loss`, which makes the axes of
    the losses logarithmic, their bands go from the lowest to the highest run.
    `parts` are drawn as far as they were measured. `baseline`: loss and accuracy of guessing.

    Raises InputError where there is nothing to draw, UnknownNameError for a part that is none.
    """
    for part in parts:
        if part not in PARTS:
            raise unknown_name("part", part, PARTS)
    if not runs or not all(len(histories) and all(map(len, histories)) for histories in runs.values()):
        raise InputError("there are no curves to draw", "Give at least one history of at least one epoch a panel.")
    measured = {
        kind: {
            (name, part): found
            for name, histories in runs.items()
            for part in parts
            if (found := _collected(histories, f"{part}_{kind}")) is not None
        }
        for kind in ("loss", "accuracy")
    }
    kinds = [kind for kind, found in measured.items() if found]
    if not kinds:
        raise InputError(f"no history holds a loss or an accuracy of {' or '.join(parts)}", "Train with curves.")
    seeds = {name: f"{name} ({len(each)} seed{'s' if len(each) > 1 else ''})" for name, each in runs.items()}
    if together:
        figure = Figure(figsize=(PAGE_WIDTH if len(kinds) == 2 else 4.6, 2.8))
        for axes, kind in zip(figure.subplots(1, len(kinds), squeeze=False)[0], kinds, strict=True):
            looks = {name: (colour(k), marker(k)) for k, name in enumerate(runs)}
            for (name, part), found in measured[kind].items():
                _draw(axes, found, looks[name][0], PARTS[part].line, looks[name][1], whole=kind == "loss" and log_loss)
            _finish(axes, kind, measured[kind], (baseline or {}).get(kind), loss_name)
            axes.set_xlabel("epoch")
    else:
        columns = min(len(runs), _COLUMNS)
        blocks = -(-len(runs) // columns)
        figure = Figure(figsize=(PAGE_WIDTH if len(runs) > 1 else 4.6, 2.2 * len(kinds) * blocks))
        panels = figure.subplots(len(kinds) * blocks, columns, squeeze=False)
        for place, name in enumerate(runs):
            block, column = divmod(place, columns)
            for row, kind in enumerate(kinds):
                axes = panels[block * len(kinds) + row, column]
                if place:
                    axes.sharey(panels[row, 0])
                own = {key: found for key, found in measured[kind].items() if key[0] == name}
                for (_, part), found in own.items():
                    _draw(axes, found, PARTS[part].colour, PARTS[part].line, whole=kind == "loss" and log_loss)
                _finish(axes, kind, own, (baseline or {}).get(kind), loss_name)
                if column:
                    axes.set_ylabel("")
            panels[block * len(kinds), column].set_title(fit(clean(seeds[name]), _LONGEST[columns - 1], 8.5))
            panels[(block + 1) * len(kinds) - 1, column].set_xlabel("epoch")
        for empty in panels.reshape(blocks, len(kinds), columns).swapaxes(1, 2).reshape(-1, len(kinds))[len(runs) :]:
            for axes in empty:
                axes.remove()
    if log_loss and "loss" in kinds:  # after all are drawn, because panels share their scale
        losses = np.concatenate([found.values.ravel() for found in measured["loss"].values()])
        for axes in figure.axes:
            if axes.get_label() == "loss":
                make_logarithmic(axes, losses)
    names = {name: part.curve for name, part in PARTS.items()} | {"validation": validation_name}
    drawn = [part for part in parts if any(part == key[1] for found in measured.values() for key in found)]
    keys = [_key(names[part], QUIET if together else PARTS[part].colour, PARTS[part].line) for part in drawn]
    if together:
        entries = [_key(name, colour(k), "-", marker(k)) for k, name in enumerate(runs)]
        keys = entries + (keys if len(keys) > 1 else [])
    ranges = log_loss and "loss" in kinds
    notes = [" · ".join(text for text in (_legend(runs, together, ranges), _guess(baseline, kinds), note) if text)]
    return finish_flowing(figure, title, notes, _description(measured, names), keys)


def _collected(histories: Sequence[History], name: str) -> Runs | None:
    """One column of all histories at every epoch where one of them has it; None where none has."""
    found = [
        {int(row["epoch"]): float(row[name]) for row in history if row.get(name) is not None} for history in histories
    ]
    epochs = sorted(set().union(*found))
    if not epochs:
        return None
    values = np.array([[each.get(epoch, np.nan) for epoch in epochs] for each in found])
    return Runs(np.array(epochs), np.where(np.isfinite(values), values, np.nan))


def _draw(axes: Axes, found: Runs, colour: str, line: LineStyle, shape: str = "", *, whole: bool) -> None:
    """Mean and band, which is the `whole` range or ± 1 sd; every run behind them, unless the mean bears marks."""
    if not shape:
        few = _spread(len(found.epochs), max(100, _MOST_POINTS * 5 // len(found.values)))
        for run in found.values[:, few]:
            there = np.isfinite(run)
            axes.plot(found.epochs[few][there], run[there], color=colour, linewidth=0.4, alpha=0.35)
    kept = _spread(len(found.epochs), _MOST_POINTS)
    found = Runs(found.epochs[kept], found.values[:, kept])
    if len(found.values) > 1:
        limits = found.values.min(axis=0), found.values.max(axis=0)
        low, high = limits if whole else (found.mean - found.sd, found.mean + found.sd)
        axes.fill_between(found.epochs, low, high, color=colour, alpha=0.12 if shape else 0.2, linewidth=0)
    alone = "o" if len(found.epochs) == 1 else None
    marked = max(1, len(found.epochs) // _MARKS)
    axes.plot(
        found.epochs, found.mean, color=colour, linestyle=line, marker=shape or alone, markersize=3, markevery=marked
    )


def _finish(
    axes: Axes,
    kind: str,
    measured: Mapping[tuple[str, str], Runs],
    baseline: float | None,
    loss_name: str,
) -> None:
    """Name and divide the axes of a panel that shows the values `measured` of one kind."""
    if baseline is not None and np.isfinite(baseline):
        axes.axhline(baseline, color=QUIET, linewidth=0.7, linestyle=(0, (1, 1.5)))
    if not measured:
        return
    epochs = np.concatenate([found.epochs for found in measured.values()])
    name_axes(axes, kind, np.array([epochs.min(), epochs.max()]) if np.ptp(epochs) else epochs[:1], loss_name)
    axes.set_xlabel("")
    axes.set_label(kind)


def _spread(count: int, most: int) -> NDArray[np.intp]:
    """At most `most` places among `count`, both ends included."""
    return np.unique(np.linspace(0, count - 1, min(count, most)).round().astype(np.intp))


def _key(label: str, colour: str, line: LineStyle, shape: str = "") -> Line2D:
    return Line2D([], [], color=colour, linestyle=line, marker=shape, label=fit(clean(label), 1.8, SMALL))


def _legend(runs: Mapping[str, Sequence[History]], together: bool, ranges: bool) -> str:
    """What lines and bands are, of as many runs as there are."""
    counts = sorted({len(each) for each in runs.values()})
    if counts == [1]:
        return "one seed each" if together else ""
    seeds = f"{counts[0]} seeds each" if len(counts) == 1 else f"{counts[0]} to {counts[-1]} seeds each"
    band = "± 1 standard deviation" + (", of the loss lowest to highest" if ranges else "")
    return f"line: mean; band: {band}; {seeds if together else 'faint: each run'}"


def _guess(baseline: Mapping[str, float | None] | None, kinds: Sequence[str]) -> str:
    known = {kind: value for kind, value in (baseline or {}).items() if kind in kinds and value is not None}
    words = ", ".join(f"{kind} {value:.4g}" for kind, value in known.items())
    return f"dotted: guessing ({words})" if words else ""


def _description(measured: Mapping[str, Mapping[tuple[str, str], Runs]], names: Mapping[str, str]) -> str:
    kind = "accuracy" if measured["accuracy"] else "loss"
    ends = [
        f"{name}, {names[part]} {kind} ends at {np.nanmean(found.values[:, -1]):.4g}"
        for (name, part), found in measured[kind].items()
        if np.isfinite(found.values[:, -1]).any()
    ]
    kinds = " and ".join(kind for kind, found in measured.items() if found)
    return "; ".join([f"{kinds} against epochs over several seeds", *ends])
