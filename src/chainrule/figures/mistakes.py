"""Wrong predictions worth seeing: the sample, what it is, what it was taken for, and how surely."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import ArrayLike, NDArray

from chainrule.errors import InputError
from chainrule.figures.checks import as_classes, as_labels, as_numbers
from chainrule.figures.lettering import clean, fit, height_of
from chainrule.figures.page import MARGIN, axes_at, describe, note_lines, title_lines, write_at, write_lines
from chainrule.figures.style import COLOURS, INK, PAGE_WIDTH, QUIET, SMALL, house_style

_COLUMNS = 6
_GAP = 0.1  # inches between samples
_NARROWEST = 4.0  # inches of a page
_LINES = 3  # of text below a sample


@house_style()
def mistakes_sheet(
    samples: ArrayLike,
    true: ArrayLike,
    predicted: ArrayLike,
    confidence: ArrayLike,
    classes: Sequence[str],
    *,
    title: str = "",
    note: str = "",
) -> Figure:
    """Samples in their order, six a row, with the names of the true and the predicted class below.

    samples     images (n, h, w) or (n, h, w, 3), bytes or numbers; or (n, d) numbers, drawn as bars in their order
    true        (n,) class numbers, as are those `predicted`
    confidence  (n,) probability of the predicted class

    Raises InputError where there are none, or shapes or labels do not fit.
    """
    names = as_classes(classes)
    x = np.asarray(samples)
    if x.dtype.kind not in "buif" or x.ndim not in (2, 3, 4) or (x.ndim == 4 and x.shape[3] != 3) or not x.size:
        raise InputError(f"samples are {x.dtype} of shape {x.shape}", "Give (n, h, w), (n, h, w, 3) or (n, d) numbers.")
    labels = [as_labels(given, len(x), len(names)) for given in (true, predicted)]
    shares = as_numbers(confidence, "confidence")
    if shares.shape != (len(x),):
        raise InputError(f"confidence has shape {shares.shape} for {len(x)} samples", "Give one a sample.")
    rows = -(-len(x) // _COLUMNS)
    side = (PAGE_WIDTH - 2 * MARGIN - (_COLUMNS - 1) * _GAP) / _COLUMNS
    tall = 0.6 * side if x.ndim == 2 else min(side * x.shape[1] / x.shape[2], 2 * side)
    cell = tall + height_of(_LINES, SMALL) + 0.12
    page = max(_NARROWEST, 2 * MARGIN + min(len(x), _COLUMNS) * (side + _GAP) - _GAP)
    heading, footer = title_lines(title, page), note_lines([note], page)
    top = MARGIN + heading.height + (0.06 if title else 0)
    bottom = top + rows * cell
    figure = Figure(figsize=(page, bottom + footer.height + MARGIN))
    write_lines(figure, MARGIN, heading)
    write_lines(figure, bottom, footer)
    limits = _limits(x)
    for place in range(len(x)):
        row, column = divmod(place, _COLUMNS)
        left, upper = MARGIN + column * (side + _GAP), top + row * cell
        _draw(axes_at(figure, left, upper, side, tall), x[place], limits)
        is_, taken = (clean(names[k[place]]) for k in labels)
        lines = ((f"is {is_}", INK), (f"taken for {taken}", COLOURS[1]), (f"p = {shares[place]:.4f}", QUIET))
        for line, (text, colour) in enumerate(lines):
            baseline = upper + tall + 0.04 + height_of(line, SMALL) + 0.09
            write_at(figure, left, baseline, fit(text, side, SMALL), size=SMALL, color=colour)
    told = "; ".join(
        f"{names[a]} taken for {names[b]} with p = {p:.3f}" for a, b, p in zip(*labels, shares, strict=True)
    )
    return describe(figure, title, f"{len(x)} wrong predictions; {told}")


def _limits(x: NDArray[np.generic]) -> tuple[float, float]:
    """The values of black and white, or of the ends of the bars."""
    if x.dtype == np.uint8:
        return 0.0, 255.0
    finite = x[np.isfinite(x)].astype(np.float64)
    low, high = (float(finite.min()), float(finite.max())) if finite.size else (0.0, 1.0)
    return (low, high) if high > low else (low - 1, high + 1)


def _draw(axes: Axes, sample: NDArray[np.generic], limits: tuple[float, float]) -> None:
    low, high = limits
    axes.set_xticks([])
    axes.set_yticks([])
    axes.spines[:].set_visible(True)
    axes.spines[:].set_linewidth(0.3)
    if sample.ndim == 1:
        axes.bar(np.arange(len(sample)), sample.astype(np.float64), width=0.8, color=COLOURS[0], linewidth=0)
        axes.axhline(0, color=QUIET, linewidth=0.5)
        axes.set_ylim(min(low, 0), max(high, 0))
        return
    grey = np.clip((sample.astype(np.float64) - low) / (high - low), 0, 1)
    axes.imshow(grey, cmap="gray", vmin=0, vmax=1, interpolation="nearest", aspect="auto")
