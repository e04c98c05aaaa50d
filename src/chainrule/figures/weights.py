"""What each unit of the first layer looks for: its weights as an image."""

from collections.abc import Sequence

import numpy as np
from matplotlib import colormaps
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter
from numpy.typing import ArrayLike, NDArray

from chainrule.errors import InputError
from chainrule.figures.checks import as_numbers
from chainrule.figures.lettering import height_of
from chainrule.figures.page import MARGIN, axes_at, describe, note_lines, title_lines, write_at, write_lines
from chainrule.figures.style import PAGE_WIDTH, QUIET, SMALL, house_style

_COLUMNS = 10
_LARGEST = 1.0  # inches
_GAP = 0.05  # inches between images
_NARROWEST = 4.0  # inches of a page


@house_style()
def weight_images(
    weights: ArrayLike, image_shape: Sequence[int], *, title: str = "", most: int = 64, note: str = ""
) -> Figure:
    """The columns of W1 (d, h) as images of `image_shape`, (height, width) or (height, width, 3), with d numbers each.

    Blue is negative, white 0, red positive; weights of colours are drawn as these colours around a middle grey. One
    scale serves all: its end is the 99.5th percentile of the sizes, and what is larger has the colour of the end. Of
    more than `most` units those with the largest weights are shown, in their order; their numbers stand below.

    Raises InputError where shapes do not fit, or weights are not finite.
    """
    W = as_numbers(weights, "weights")
    shape = tuple(int(side) for side in image_shape)
    if len(shape) not in (2, 3) or shape[2:] not in ((), (3,)) or W.ndim != 2 or W.shape[0] != np.prod(shape):
        raise InputError(
            f"weights of shape {W.shape} are no images of {' × '.join(map(str, shape))}",
            "Give W1 (d, h) and (height, width) or (height, width, 3) with d numbers.",
        )
    if not np.isfinite(W).all() or not W.size:
        raise InputError("the weights are not all finite, or there are none", "Draw them before training diverges.")
    norms = np.linalg.norm(W, axis=0)
    units = np.sort(np.argsort(-norms, kind="stable")[:most])
    end = float(np.quantile(np.abs(W[:, units]), 0.995)) or 1.0
    columns = min(_COLUMNS, len(units))
    rows = -(-len(units) // columns)
    side = min(_LARGEST, (PAGE_WIDTH - 2 * MARGIN - (columns - 1) * _GAP) / columns)
    tall = side * shape[0] / shape[1]
    cell = tall + height_of(1, SMALL) + 0.03
    page = max(_NARROWEST, 2 * MARGIN + columns * (side + _GAP) - _GAP)

    heading = title_lines(title, page)
    chosen = f"the {len(units)} of {W.shape[1]} units with the largest weights" if len(units) < W.shape[1] else ""
    scale = f"grey: 0; colours: weights of the colours up to ± {end:.2g}" if len(shape) == 3 else ""
    footer = note_lines([" · ".join(text for text in (chosen, scale, note) if text)], page)
    top = MARGIN + heading.height + (0.06 if title else 0)
    bar = 0.0 if len(shape) == 3 else 0.42
    bottom = top + rows * cell + bar
    figure = Figure(figsize=(page, bottom + 0.04 + footer.height + MARGIN))
    write_lines(figure, MARGIN, heading)
    write_lines(figure, bottom + 0.04, footer)
    for place, unit in enumerate(units):
        row, column = divmod(place, columns)
        left = MARGIN + column * (side + _GAP)
        axes = axes_at(figure, left, top + row * cell, side, tall)
        axes.imshow(_coloured(W[:, unit].reshape(shape), end), interpolation="nearest", aspect="auto")
        axes.set_xticks([])
        axes.set_yticks([])
        axes.spines[:].set_visible(True)
        axes.spines[:].set_linewidth(0.3)
        baseline = top + row * cell + tall + 0.11
        write_at(figure, left + side / 2, baseline, f"{unit + 1}", size=SMALL, color=QUIET, ha="center")
    if bar:
        _scale(figure, bottom - 0.32, end)
    return describe(
        figure,
        title,
        f"first-layer weights of {len(units)} of {W.shape[1]} units as images of {' × '.join(map(str, shape))}",
    )


def _coloured(image: NDArray[np.float64], end: float) -> NDArray[np.uint8]:
    """The image in bytes (h, w, 3): between the two ends of the scale."""
    share = np.clip(0.5 + image / (2 * end), 0, 1)
    colours = share if image.ndim == 3 else colormaps["RdBu_r"](share)[:, :, :3]
    return (255 * np.asarray(colours)).round().astype(np.uint8)


def _scale(figure: Figure, top: float, end: float) -> None:
    """The colours of the numbers from −end to end."""
    axes = axes_at(figure, MARGIN + 0.15, top, 2.0, 0.09)
    ramp = np.linspace(-end, end, 101)[None]
    axes.imshow(_coloured(ramp, end), extent=(-end, end, 0, 1), aspect="auto", interpolation="nearest")
    axes.set_yticks([])
    axes.set_xticks([-end, 0, end])
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:.2g}".replace("-", "−")))
    axes.spines[:].set_visible(False)
