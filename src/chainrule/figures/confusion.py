"""Which class is taken for which: counts in the cells, the share of the true class as their colour."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import PowerNorm
from matplotlib.figure import Figure
from matplotlib.image import AxesImage
from numpy.typing import ArrayLike, NDArray

from chainrule.errors import InputError
from chainrule.figures.checks import as_classes, as_numbers
from chainrule.figures.lettering import clean, fit, widest
from chainrule.figures.page import MARGIN, axes_at, describe, note_lines, title_lines, write_lines
from chainrule.figures.style import FAINT, INK, PAGE_WIDTH, SMALL, house_style

_LARGEST_CELL = 0.55  # inches
_LONGEST_NAME = 1.1  # inches
_SMALLEST_COUNT = 4.5  # points; smaller print is not read
_NAME_SIZE = 6.5  # points
_BAR = 0.75  # inches right of the matrix for the scale of colours
_SMALLEST_SIDE = 1.5  # inches; the scale of colours beside it needs them
_SHARES = (0, 0.01, 0.05, 0.1, 0.25, 0.5, 1)
_FEW_SHARES = (0, 0.05, 0.25, 0.5, 1)


@house_style()
def confusion_matrix(matrix: ArrayLike, classes: Sequence[str], *, title: str = "") -> Figure:
    """The (K, K) counts `matrix`, rows the true class and columns the predicted one, for any K ≥ 1.

    Counts stand in the cells, colour is the share of the row (spread by a square root, so that errors of 1 % show),
    the accuracy stands in the heading. Where cells are too small the counts give way to a note that names the
    three commonest confusions, and where names are too many every second, third, … is written, as the axis says.

    Raises InputError where `matrix` is not square, holds anything but counts, or does not fit `classes`.
    """
    counts, names = _checked(matrix, classes)
    drawn = [fit(clean(name), _LONGEST_NAME, _NAME_SIZE) for name in names]
    name_width = widest(drawn, _NAME_SIZE)
    left = MARGIN + 0.3 + name_width
    largest = max(_LARGEST_CELL, _SMALLEST_SIDE / len(names))
    cell = min(largest, (PAGE_WIDTH - left - _BAR) / len(names))
    side = cell * len(names)
    width = min(PAGE_WIDTH, max(left + side + _BAR, 4.2))
    count_size = _count_size(counts, cell)
    step = int(np.ceil(_NAME_SIZE * 1.15 / 72 / cell))
    upright = name_width <= cell * step * 0.92

    heading = title_lines(title, width)
    right = note_lines([_accuracy(counts)], width)
    notes = note_lines([] if count_size else [_without_counts(counts, names)], width)
    top = MARGIN + heading.height + right.height + 0.13
    below = (0.12 if upright else name_width) + 0.27
    figure = Figure(figsize=(width, top + side + below + notes.height + MARGIN))
    write_lines(figure, MARGIN, heading)
    write_lines(figure, MARGIN + heading.height + 0.03, right)
    write_lines(figure, top + side + below, notes)

    axes = axes_at(figure, left, top, side, side)
    image = _draw_shares(axes, counts)
    if count_size:
        _write_counts(axes, counts, count_size)
    _name_classes(axes, drawn, step, upright=upright)
    _draw_scale(axes_at(figure, left + side + 0.15, top, 0.12, side), image, len(names))
    return describe(figure, title, f"confusion matrix of {len(names)} classes, {_accuracy(counts)}")


def _checked(matrix: ArrayLike, classes: Sequence[str]) -> tuple[NDArray[np.int64], list[str]]:
    names = as_classes(classes)
    numbers = as_numbers(matrix, "the confusion matrix")
    if numbers.ndim != 2 or numbers.shape[0] != numbers.shape[1]:
        raise InputError(
            f"the confusion matrix has shape {numbers.shape}", "Rows and columns are the same classes: (K, K)."
        )
    if len(numbers) != len(names):
        raise InputError(
            f"the confusion matrix has {len(numbers)} rows but there are {len(names)} class names",
            "Give one name a class.",
        )
    wrong = ~((numbers >= 0) & (numbers == np.floor(numbers)) & np.isfinite(numbers))
    if wrong.any():
        i, j = np.argwhere(wrong)[0]
        raise InputError(
            f"the confusion matrix holds {numbers[i, j]:g} in row {i}, column {j}",
            "Its cells are counts of samples; shares are computed here.",
        )
    return numbers.astype(np.int64), names


def _accuracy(counts: NDArray[np.int64]) -> str:
    total = int(counts.sum())
    if not total:
        return "no samples"
    hits = int(np.trace(counts))
    return f"{hits:,} of {total:,} samples right, accuracy {hits / total:.4f}"


def _count_size(counts: NDArray[np.int64], cell: float) -> float:
    """Points in which the longest count fits a cell of so many inches; 0 where no size could be read."""
    at_one_point = widest([str(counts.max())], 100.0) / 100
    size = min(9.0, 0.5 * cell * 72, 0.86 * cell / at_one_point)
    return size if size >= _SMALLEST_COUNT else 0.0


def _without_counts(counts: NDArray[np.int64], names: list[str]) -> str:
    """The note in place of counts that would be too small to read."""
    errors = counts.copy()
    np.fill_diagonal(errors, 0)
    order = np.argsort(-errors, axis=None, kind="stable")[:3]
    pairs = [(int(k) // len(names), int(k) % len(names)) for k in order]
    worst = [f"{names[i]} → {names[j]} ({errors[i, j]:,})" for i, j in pairs if errors[i, j]]
    reason = f"Counts are left out: {len(names)} classes leave no room to read them."
    return f"{reason} Commonest confusions, true → predicted: {', '.join(worst)}." if worst else reason


def _draw_shares(axes: Axes, counts: NDArray[np.int64]) -> AxesImage:
    image = axes.imshow(_shares(counts), cmap="Blues", norm=PowerNorm(0.5, 0, 1), interpolation="nearest")
    axes.spines[["top", "right"]].set_visible(True)
    return image


def _shares(counts: NDArray[np.int64]) -> NDArray[np.float64]:
    shares: NDArray[np.float64] = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    return shares


def _write_counts(axes: Axes, counts: NDArray[np.int64], size: float) -> None:
    shares = _shares(counts)
    for (i, j), count in np.ndenumerate(counts):
        colour = FAINT if count == 0 else "white" if shares[i, j] > 0.36 else INK
        axes.text(j, i, str(count), size=size, color=colour, ha="center", va="center")


def _name_classes(axes: Axes, names: list[str], step: int, *, upright: bool) -> None:
    places = list(range(0, len(names), step))
    named = [names[k] for k in places]
    axes.set_xticks(places, named, size=_NAME_SIZE, rotation=0 if upright else 90)
    axes.set_yticks(places, named, size=_NAME_SIZE)
    axes.tick_params(length=0 if step == 1 else 2, pad=2)
    every = {1: "", 2: " (every 2nd is named)", 3: " (every 3rd is named)"}.get(step, f" (every {step}th is named)")
    axes.set_xlabel(f"predicted class{every}")
    axes.set_ylabel(f"true class{every}")


def _draw_scale(axes: Axes, image: AxesImage, classes: int) -> None:
    shares = _SHARES if classes > 5 else _FEW_SHARES
    bar = axes.figure.colorbar(image, cax=axes, ticks=shares)
    bar.ax.set_yticklabels([f"{share:g}" for share in shares], size=SMALL)
    bar.ax.minorticks_off()
    bar.set_label("share of the true class")
    bar.outline.set_linewidth(0.5)
