"""Points of the plane by class, each class with a colour and a shape of its own."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from numpy.typing import ArrayLike, NDArray

from chainrule.errors import InputError
from chainrule.figures.checks import as_classes, as_labels, as_numbers
from chainrule.figures.lettering import clean, fit
from chainrule.figures.page import finish_flowing
from chainrule.figures.style import PAGE_WIDTH, SMALL, colour, house_style, marker

_MOST_NAMED = 40
_NAMES_IN_A_COLUMN = 20
_MOST_VECTORS = 2000  # points; beyond, they are stored as one picture inside SVG and PDF
_LONGEST_NAME = 1.1  # inches


@house_style()
def scatter_by_class(
    points: ArrayLike,
    labels: ArrayLike,
    classes: Sequence[str],
    *,
    title: str = "",
    axes: tuple[str, str] = ("x1", "x2"),
) -> Figure:
    """(m, 2) `points` with (m,) class numbers `labels`; one unit is as long on both axes.

    Many points are drawn smaller and fainter. The footer states their number and how many are left out because they
    are not finite. The legend names the classes that have points, 40 at most.

    Raises InputError where shapes disagree, no point is finite, or a label is none of the classes.
    """
    names = as_classes(classes)
    places = as_numbers(points, "points")
    if places.ndim != 2 or places.shape[1] != 2:
        raise InputError(f"points has shape {places.shape}", "Give two columns: (m, 2).")
    numbers = as_labels(labels, len(places), len(names))
    finite = np.isfinite(places).all(axis=1)
    shown, of_class = places[finite], numbers[finite]
    if not len(shown):
        raise InputError(f"none of {len(places)} points is finite", "There is nothing to draw.")

    present = [int(k) for k in np.unique(of_class)]
    figure = Figure(figsize=_size(shown, len(present)))
    panel = figure.add_subplot(aspect="equal", adjustable="datalim")
    panel.set_xlabel(clean(axes[0]))
    panel.set_ylabel(clean(axes[1]))
    for k in present:
        _draw_class(panel, shown[of_class == k], k, len(shown))
    _name_classes(panel, names, present)
    omitted = len(places) - len(shown)
    footer = f"m = {len(shown):,} sample{'' if len(shown) == 1 else 's'}" + (
        f" · not finite and left out: {omitted:,}" if omitted else ""
    )
    return finish_flowing(figure, title, [footer], f"{len(shown)} points of {len(present)} classes in the plane")


def _size(points: NDArray[np.float64], classes: int) -> tuple[float, float]:
    """Width and height of the figure: as flat as the data, and tall enough for the names of the classes."""
    spans = np.ptp(points, axis=0)
    flatness = float(spans[1] / spans[0]) if spans[0] > 0 else 1.0
    names = 0.4 + 0.15 * min(classes, _NAMES_IN_A_COLUMN + 1)
    return PAGE_WIDTH if _columns(classes) > 1 else 5.6, max(names, 4.2 * min(max(flatness, 0.45), 1.0))


def _columns(classes: int) -> int:
    """Columns of the legend."""
    return -(-min(classes, _MOST_NAMED) // _NAMES_IN_A_COLUMN)


def _draw_class(panel: Axes, points: NDArray[np.float64], k: int, total: int) -> None:
    """The points of class `k`, the fainter and smaller the more there are of all classes."""
    crowd = max(1.0, total / 300)
    panel.scatter(
        points[:, 0],
        points[:, 1],
        s=max(3.0, 20 * crowd**-0.5),
        color=colour(k),
        marker=marker(k),
        alpha=max(0.15, 0.85 * crowd**-0.35),
        linewidths=0,
        rasterized=total > _MOST_VECTORS,
    )


def _name_classes(panel: Axes, names: list[str], present: list[int]) -> None:
    named = present[:_MOST_NAMED]
    handles = [
        Line2D(
            [],
            [],
            linestyle="none",
            color=colour(k),
            marker=marker(k),
            label=fit(clean(names[k]), _LONGEST_NAME, SMALL),
        )
        for k in named
    ]
    if len(present) > len(named):
        handles.append(Line2D([], [], linestyle="none", label=f"and {len(present) - len(named)} more"))
    panel.legend(
        handles=handles,
        loc="upper left",
        bbox_to_anchor=(1.02, 1),
        borderaxespad=0,
        ncols=_columns(len(present)),
        title="class",
        title_fontsize=SMALL,
        alignment="left",
    )
