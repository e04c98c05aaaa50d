"""Several confusion matrices side by side as shares of the true class, for the eye to compare."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import PowerNorm
from matplotlib.figure import Figure
from numpy.typing import ArrayLike, NDArray

from chainrule.errors import InputError
from chainrule.figures.checks import as_classes, as_numbers
from chainrule.figures.lettering import clean, fit, height_of, widest, wrap
from chainrule.figures.page import MARGIN, axes_at, describe, note_lines, title_lines, write_at, write_lines
from chainrule.figures.style import FAINT, INK, PAGE_WIDTH, SMALL, house_style

MOST_MATRICES = 3
MOST_CLASSES = 12
_LONGEST_NAME = 0.8  # inches
_GAP = 0.12  # inches between matrices
_LARGEST_CELL = 0.4  # inches


@house_style()
def confusion_panels(matrices: Mapping[str, ArrayLike], classes: Sequence[str], *, title: str = "") -> Figure:
    """(K, K) counts by name, rows the true class and columns the predicted one, drawn in whole percent of the row.

    Raises InputError for more matrices or classes than a page holds readably, and for what is no table of counts.
    """
    names = as_classes(classes)
    shares = {name: _shares(matrix, name, len(names)) for name, matrix in matrices.items()}
    if not 1 <= len(shares) <= MOST_MATRICES or len(names) > MOST_CLASSES:
        raise InputError(
            f"{len(shares)} matrices of {len(names)} classes do not fit side by side",
            f"Give 1 to {MOST_MATRICES} of at most {MOST_CLASSES} classes, or draw each with confusion_matrix.",
        )
    drawn = [fit(clean(name), _LONGEST_NAME, SMALL) for name in names]
    name_width = widest(drawn, SMALL)
    left = MARGIN + 0.28 + name_width
    room = (PAGE_WIDTH - left - MARGIN - _GAP * (len(shares) - 1)) / len(shares)
    cell = min(_LARGEST_CELL, room / len(names))
    side = cell * len(names)
    headings = [wrap(clean(name), side, SMALL) for name in shares]
    heading, notes = title_lines(title), note_lines(["Numbers: % of the true class, which is the row."])
    above = height_of(max(map(len, headings)), SMALL) + 0.06
    top = MARGIN + heading.height + above
    below = name_width + 0.27
    figure = Figure(figsize=(PAGE_WIDTH, top + side + below + notes.height + MARGIN))
    write_lines(figure, MARGIN, heading)
    write_lines(figure, top + side + below, notes)
    for place, (lines, matrix) in enumerate(zip(headings, shares.values(), strict=True)):
        x = left + place * (side + _GAP)
        for number, line in enumerate(lines):
            write_at(figure, x, top - 0.06 - height_of(len(lines) - 1 - number, SMALL), line, size=SMALL)
        _draw(axes_at(figure, x, top, side, side), matrix, drawn, cell, first=not place)
    means = "; ".join(f"{name}: mean recall {np.diag(matrix).mean():.4f}" for name, matrix in shares.items())
    return describe(figure, title, f"confusion matrices of {len(names)} classes side by side; {means}")


def _shares(matrix: ArrayLike, name: str, classes: int) -> NDArray[np.float64]:
    counts = as_numbers(matrix, f"the confusion matrix {name!r}")
    if counts.shape != (classes, classes) or not (counts >= 0).all():
        raise InputError(
            f"the confusion matrix {name!r} is no table of counts for {classes} classes: {counts.shape}",
            "Rows and columns are the same classes, cells are counts: (K, K).",
        )
    shares: NDArray[np.float64] = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    return shares


def _draw(axes: Axes, shares: NDArray[np.float64], names: list[str], cell: float, *, first: bool) -> None:
    axes.imshow(shares, cmap="Blues", norm=PowerNorm(0.5, 0, 1), interpolation="nearest")
    axes.spines[["top", "right"]].set_visible(True)
    size = min(SMALL, 0.42 * cell * 72)
    for (i, j), share in np.ndenumerate(shares):
        percent = f"{100 * share:.0f}"
        colour = FAINT if percent == "0" else "white" if share > 0.36 else INK
        axes.text(j, i, percent, size=size, color=colour, ha="center", va="center")
    axes.set_xticks(range(len(names)), names, size=SMALL, rotation=90)
    axes.set_yticks(range(len(names)), names if first else [""] * len(names), size=SMALL)
    axes.tick_params(length=0, pad=2)
    axes.set_xlabel("predicted class")
    if first:
        axes.set_ylabel("true class")
