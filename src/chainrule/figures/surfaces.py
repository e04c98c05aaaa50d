"""What a classifier decides in every place of the plane, and the points that it was asked about."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator
from numpy.typing import ArrayLike, NDArray

from chainrule.errors import InputError
from chainrule.figures.checks import as_classes, as_labels, as_numbers
from chainrule.figures.lettering import number
from chainrule.figures.panels import class_colour, class_keys, square_panels
from chainrule.figures.style import INK, MARKERS, house_style

_STRENGTH = 0.45  # of a class colour where its probability is 1


@dataclass(frozen=True, eq=False)
class Surface:
    """One classifier on a grid of the plane.

    name    of the panel
    x, y    (a,) and (b,) places of the grid, rising
    values  (b, a, K) probabilities, or (b, a) class numbers, or (b, a) probabilities of the second of two classes
            where they are no whole numbers
    points  (n, 2) samples, may be empty
    labels  (n,) their class numbers
    """

    name: str
    x: ArrayLike
    y: ArrayLike
    values: ArrayLike
    points: ArrayLike = ()
    labels: ArrayLike = ()


@dataclass(frozen=True, eq=False)
class _Checked:
    x: NDArray[np.float64]
    y: NDArray[np.float64]
    shares: NDArray[np.float64]
    points: NDArray[np.float64]
    labels: NDArray[np.intp]


@house_style()
def decision_surfaces(
    panels: Sequence[Surface],
    classes: Sequence[str],
    *,
    title: str = "",
    axes: tuple[str, str] = ("x1", "x2"),
    note: str = "",
) -> Figure:
    """A panel for each surface: the colour of the likeliest classes, the stronger the surer, the line where the
    decision turns, and the points by class.

    Raises InputError where there is no panel, or shapes, grids or labels do not fit.
    """
    names = as_classes(classes)
    if not panels:
        raise InputError("there are no surfaces to draw", "Give at least one.")
    checked = [_checked(panel, len(names)) for panel in panels]
    present = sorted({int(k) for panel in checked for k in np.unique(panel.labels)})
    right = [f"{panel.name}: {len(surface.points)} points" for panel, surface in zip(panels, checked, strict=True)]
    figure, drawn = square_panels(
        [panel.name for panel in panels],
        title=title,
        notes=[
            " · ".join(
                text for text in ("colour: class, the stronger the surer; line: where the decision turns", note) if text
            )
        ],
        keys=class_keys(names, present or range(len(names)), MARKERS),
        description=f"decisions between {len(names)} classes in the plane; {'; '.join(right)}",
        axis_names=axes,
    )
    for place, surface in zip(drawn, checked, strict=True):
        _draw(place, surface)
    return figure


def _checked(panel: Surface, classes: int) -> _Checked:
    what = f"surface {panel.name!r}"
    x, y = (as_numbers(axis, f"the grid of {what}") for axis in (panel.x, panel.y))
    values = as_numbers(panel.values, what)
    if x.ndim != 1 or y.ndim != 1 or min(len(x), len(y)) < 2 or (np.diff(x) <= 0).any() or (np.diff(y) <= 0).any():
        raise InputError(f"the grid of {what} does not rise", "Give places (a,) and (b,) in rising order.")
    if values.shape not in ((len(y), len(x)), (len(y), len(x), classes)) or not np.isfinite(values).all():
        raise InputError(
            f"{what} has values of shape {values.shape} on a grid of {len(y)} × {len(x)}",
            f"Give finite numbers, (b, a) class numbers or (b, a, {classes}) probabilities.",
        )
    points = as_numbers(panel.points, f"the points of {what}").reshape(-1, 2)
    labels = as_labels(np.ravel(panel.labels), len(points), classes)
    if values.ndim == 2 and classes == 2:
        values = np.stack([1 - values, values], axis=2)
    elif values.ndim == 2:
        values = (values[:, :, None] == np.arange(classes)).astype(np.float64)
    return _Checked(x, y, values, points, labels)


def _draw(axes: Axes, surface: _Checked) -> None:
    x, y, shares = surface.x, surface.y, surface.shares
    colours = np.array([to_rgb(class_colour(k)) for k in range(shares.shape[2])])
    faint = 1 - _STRENGTH * (1 - colours)
    half = [(axis[-1] - axis[0]) / (len(axis) - 1) / 2 for axis in (x, y)]
    extent = (x[0] - half[0], x[-1] + half[0], y[0] - half[1], y[-1] + half[1])
    axes.imshow(np.clip(shares @ faint, 0, 1), origin="lower", extent=extent, aspect="auto", interpolation="nearest")
    for k in range(shares.shape[2] if shares.shape[2] > 2 else 1):
        others = np.delete(shares, k, axis=2).max(axis=2)
        margin = shares[:, :, k] - others
        if margin.min() < 0 < margin.max():
            axes.contour(x, y, margin, levels=[0.0], colors=[INK], linewidths=0.8)
    size = float(np.clip(2500 / max(len(surface.points), 1), 4, 16))
    for k in np.unique(surface.labels):
        own = surface.points[surface.labels == k]
        axes.scatter(
            own[:, 0],
            own[:, 1],
            s=size,
            color=class_colour(int(k)),
            marker=MARKERS[int(k) % len(MARKERS)],
            edgecolors="white",
            linewidths=0.3,
        )
    axes.set_xlim(extent[0], extent[1])
    axes.set_ylim(extent[2], extent[3])
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_locator(MaxNLocator(4))
        axis.set_major_formatter(FuncFormatter(lambda value, _: number(value)))
