"""Loss and accuracy against epochs, training beside validation, each with what guessing would reach."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullLocator
from numpy.typing import NDArray

from chainrule.errors import InputError
from chainrule.figures.lettering import number
from chainrule.figures.page import finish_flowing
from chainrule.figures.parts import PARTS, PartLook
from chainrule.figures.style import PAGE_WIDTH, QUIET, house_style

MOST_POINTS = 600  # of a line; more cannot be told apart at page width
_MOST_MARKERS = 25
_NARROW = 0.05  # decades
_MEASURED = tuple(f"{part}_{kind}" for part in PARTS for kind in ("loss", "accuracy"))
_GUESS = {"loss": "class prior", "accuracy": "majority share"}


@dataclass(frozen=True)
class Curve:
    """One quantity at the epochs where it was measured; values that are not finite are gaps (NaN)."""

    epochs: NDArray[np.int64]
    values: NDArray[np.float64]

    def at(self, epoch: int) -> float:
        found = self.values[self.epochs == epoch]
        return float(found[0]) if len(found) else np.nan


@dataclass(frozen=True)
class Best:
    """The epoch that validation prefers, and the quantity by which it does."""

    epoch: int
    kind: str


@house_style()
def learning_curves(
    rows: Sequence[Mapping[str, Any]],
    *,
    title: str = "",
    baseline: Mapping[str, float | None] | None = None,
    n: int | None = None,
    seed: int | None = None,
    loss_name: str = "cross-entropy",
    log_loss: bool = False,
) -> Figure:
    """Loss and accuracy of training and validation data against epochs, and of test data where they were monitored.

    `rows` is a history: one mapping an epoch with `epoch` (from 1, rising) and whatever was measured of
    `train_loss`, `train_accuracy`, `validation_loss`, …, `test_accuracy`, `learning_rate`; None counts as not
    measured. Without any accuracy there is one panel. A value that is not finite leaves a gap; the footer counts them.
    `baseline` holds the `loss` and `accuracy` of guessing (entropy of the class prior, share of the majority).
    The epoch of the lowest validation loss is marked (of the highest validation accuracy where there is no loss).
    `n` is the number of training samples; it, `seed` and the learning rate stand in the footer.

    A line of more than `MOST_POINTS` points is thinned for the size of the file: of each stretch of epochs its
    lowest, its highest and its first gap stay, so that no spike and no gap is lost, and both ends stay.

    Raises InputError where there are no rows, nothing was measured in them, epochs do not rise from 1, a value is
    no number, or a logarithmic axis is asked for losses of which none is positive.
    """
    epochs = _epochs(rows)
    curves = {name: _curve(rows, epochs, name) for name in _MEASURED}
    kinds = [kind for kind in _GUESS if any(len(curves[f"{part}_{kind}"].epochs) for part in PARTS)]
    if not kinds:
        raise InputError("no row holds a loss or an accuracy", f"Keys that are drawn: {', '.join(_MEASURED)}.")
    best = _best(curves)

    figure = Figure(figsize=(PAGE_WIDTH if len(kinds) == 2 else 4.6, 2.8))
    for axes, kind in zip(figure.subplots(1, len(kinds), squeeze=False)[0], kinds, strict=True):
        shown = {part: curves[f"{part}_{kind}"] for part in PARTS}
        for (part, look), shape in zip(PARTS.items(), "os^", strict=True):
            _draw_curve(axes, shown[part], look, shape)
        _draw_baseline(axes, kind, (baseline or {}).get(kind), classes="accuracy" in kinds)
        if best:
            _draw_best(axes, kind, shown["validation"], best)
        name_axes(axes, kind, epochs, loss_name)
        axes.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=2, borderaxespad=0.2, columnspacing=1.2)
        if kind == "loss" and log_loss:
            make_logarithmic(axes, np.concatenate([curve.values for curve in shown.values()]))
    return finish_flowing(figure, title, [_footer(rows, curves, n, seed)], _description(kinds, epochs, best, curves))


def thin(curve: Curve, most: int = MOST_POINTS) -> Curve:
    """At most `most` + 2 points of `curve`: both ends and, of each stretch, its extremes and its first gap."""
    count = len(curve.epochs)
    if count <= most:
        return curve
    kept = {0, count - 1}
    for stretch in np.array_split(np.arange(count), most // 3):
        values = curve.values[stretch]
        gaps = np.isnan(values)
        if gaps.any():
            kept.add(int(stretch[np.argmax(gaps)]))
        if not gaps.all():
            kept |= {int(stretch[np.nanargmin(values)]), int(stretch[np.nanargmax(values)])}
    order = sorted(kept)
    return Curve(curve.epochs[order], curve.values[order])


def _epochs(rows: Sequence[Mapping[str, Any]]) -> NDArray[np.int64]:
    if not len(rows):
        raise InputError("the history has no rows", "Train for at least one epoch before drawing curves.")
    epochs = [row.get("epoch") for row in rows]
    previous = 0
    for i, epoch in enumerate(epochs):
        if not isinstance(epoch, int | np.integer) or epoch <= previous:
            raise InputError(
                f"row {i} of the history has epoch {epoch!r} after {previous}",
                "Epochs are whole numbers from 1 that rise from row to row.",
            )
        previous = int(epoch)
    return np.asarray(epochs, dtype=np.int64)


def _curve(rows: Sequence[Mapping[str, Any]], epochs: NDArray[np.int64], name: str) -> Curve:
    measured = [i for i, row in enumerate(rows) if row.get(name) is not None]
    try:
        values = np.array([float(rows[i][name]) for i in measured])
    except (TypeError, ValueError):
        raise InputError(f"{name} of the history is not a number in every row", "Give numbers or None.") from None
    return Curve(epochs[measured], np.where(np.isfinite(values), values, np.nan))


def _best(curves: Mapping[str, Curve]) -> Best | None:
    loss, accuracy = curves["validation_loss"], curves["validation_accuracy"]
    if np.isfinite(loss.values).any():
        return Best(int(loss.epochs[np.nanargmin(loss.values)]), "loss")
    if np.isfinite(accuracy.values).any():
        return Best(int(accuracy.epochs[np.nanargmax(accuracy.values)]), "accuracy")
    return None


def _draw_curve(axes: Axes, curve: Curve, look: PartLook, shape: str) -> None:
    drawn = thin(curve)
    if len(drawn.epochs):
        axes.plot(
            drawn.epochs,
            drawn.values,
            color=look.colour,
            linestyle=look.line,
            marker=shape,
            markersize=3,
            markevery=_marked(drawn.values),
            label=look.curve,
        )


def _marked(values: NDArray[np.float64]) -> list[int]:
    """Indices of points that bear a marker: all of a short curve, else those that no line would touch."""
    finite = np.isfinite(values)
    if len(values) <= _MOST_MARKERS:
        return np.flatnonzero(finite).tolist()
    fenced = np.concatenate([[False], finite, [False]])
    return np.flatnonzero(finite & ~fenced[:-2] & ~fenced[2:]).tolist()


def _draw_baseline(axes: Axes, kind: str, value: float | None, *, classes: bool) -> None:
    if value is not None and np.isfinite(value):
        name = _GUESS[kind] if classes else "baseline"
        axes.axhline(float(value), color=QUIET, linewidth=0.7, linestyle=(0, (1, 1.5)), label=f"{name}: {value:.4g}")


def _draw_best(axes: Axes, kind: str, validation: Curve, best: Best) -> None:
    value = validation.at(best.epoch)
    if not np.isfinite(value):
        return
    extreme = ("lowest at " if kind == "loss" else "highest at ") if kind == best.kind else ""
    axes.plot(
        [best.epoch],
        [value],
        linestyle="none",
        marker="D",
        markersize=6,
        markerfacecolor="none",
        markeredgecolor="black",
        markeredgewidth=0.9,
        label=f"{extreme}epoch {best.epoch:,}: {value:.4g}",
    )


def name_axes(axes: Axes, kind: str, epochs: NDArray[np.int64], loss_name: str) -> None:
    unit = ", nats" if "entropy" in loss_name else ""
    axes.set_ylabel(f"loss ({loss_name}{unit})" if kind == "loss" else "accuracy (share of samples)")
    axes.set_xlabel("epoch")
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: number(value)))
    axes.grid(axis="y")
    axes.set_axisbelow(True)
    if len(epochs) == 1:
        axes.set_xlim(epochs[0] - 0.5, epochs[0] + 0.5)
        axes.set_xticks([int(epochs[0])])
    else:
        axes.xaxis.set_major_locator(MaxNLocator(nbins=6, integer=True))
        pad = 0.03 * float(epochs[-1] - epochs[0])
        axes.set_xlim(max(epochs[0] - pad, 0.5), epochs[-1] + pad)
        axes.xaxis.set_major_formatter(FuncFormatter(lambda epoch, _: f"{epoch:,.0f}"))


def make_logarithmic(axes: Axes, losses: NDArray[np.float64]) -> None:
    positive = losses[losses > 0]
    if not len(positive):
        raise InputError("no loss is positive, so that none has a logarithm", "Draw them with log_loss=False.")
    decades = np.log10(positive.max() / positive.min())
    axes.set_yscale("log", nonpositive="mask")
    if decades < _NARROW:
        axes.set_ylim(positive.min() / 1.5, positive.max() * 1.5)  # matplotlib would show two decades
    axes.yaxis.set_major_locator(
        LogLocator() if decades > 3 else LogLocator(subs=(1, 2, 5)) if decades > 1 else MaxNLocator(6)
    )
    axes.yaxis.set_minor_locator(NullLocator())
    axes.yaxis.set_major_formatter(FuncFormatter(lambda loss, _: number(loss)))


def _footer(rows: Sequence[Mapping[str, Any]], curves: Mapping[str, Curve], n: int | None, seed: int | None) -> str:
    rates = [float(row["learning_rate"]) for row in rows if row.get("learning_rate") is not None]
    gaps = sum(int(np.isnan(curve.values).sum()) for curve in curves.values())
    parts = [
        "" if n is None else f"n = {n:,} training samples",
        "" if seed is None else f"seed {seed}",
        "" if not rates else f"learning rate {rates[0]:.4g}" + ("" if len(set(rates)) == 1 else f" to {rates[-1]:.4g}"),
        "" if not gaps else f"not finite and left out: {gaps} value{'s' if gaps > 1 else ''}",
    ]
    return " · ".join(part for part in parts if part)


def _description(kinds: list[str], epochs: NDArray[np.int64], best: Best | None, curves: Mapping[str, Curve]) -> str:
    parts = [f"{' and '.join(kinds)} against epochs {epochs[0]} to {epochs[-1]}"]
    for name, curve in curves.items():
        if len(curve.values):
            parts.append(f"{name.replace('_', ' ')} ends at {curve.values[-1]:.4g}")
    if best:
        parts.append(f"best validation {best.kind} at epoch {best.epoch}")
    return "; ".join(parts)
