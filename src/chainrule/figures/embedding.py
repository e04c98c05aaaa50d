"""The same points as every layer sees them: a panel a layer, colours by class."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patheffects import withStroke
from numpy.typing import ArrayLike, NDArray

from chainrule.errors import InputError
from chainrule.figures.checks import as_classes, as_labels, as_numbers
from chainrule.figures.lettering import clean, fit, height_of, width_of
from chainrule.figures.panels import class_colour, class_keys, square_panels
from chainrule.figures.style import INK, MARKERS, SMALL, house_style

_LONGEST_NAME = 0.7  # inches, on the points
_MOST_NAMED = 12  # classes there


@house_style()
def embedding_panels(
    panels: Mapping[str, ArrayLike],
    labels: ArrayLike,
    classes: Sequence[str],
    *,
    title: str = "",
    note: str = "",
) -> Figure:
    """(n, 2) places of the same n points in each of the `panels`, with their (n,) class numbers.

    The name of a class stands at the median of its points, where there are at most 12 and it has room. Axes have no
    numbers, because those of an embedding mean nothing. Points that are not finite in a panel are left out of it; the
    note counts them.

    Raises InputError where shapes disagree, there is no panel or no finite point, or a label is none of the classes.
    """
    names = as_classes(classes)
    if not panels:
        raise InputError("there are no panels to draw", "Give at least one.")
    places = {name: as_numbers(points, f"panel {name!r}") for name, points in panels.items()}
    count = len(next(iter(places.values())))
    for name, points in places.items():
        if points.shape != (count, 2):
            raise InputError(
                f"panel {name!r} has shape {points.shape}, the first has {count} points",
                "Every panel shows the same points in two columns: (n, 2).",
            )
    numbers = as_labels(labels, count, len(names))
    finite = {name: np.isfinite(points).all(axis=1) for name, points in places.items()}
    if not all(there.any() for there in finite.values()):
        raise InputError("a panel has no point that is finite", "Leave it out.")
    present = [int(k) for k in np.unique(numbers)]
    omitted = sum(int((~there).sum()) for there in finite.values())
    words = f"n = {count:,} point{'' if count == 1 else 's'}, the same in every panel"
    omission = f"not finite and left out: {omitted:,}" if omitted else ""
    figure, drawn = square_panels(
        list(places),
        title=title,
        notes=[" · ".join(text for text in (words, omission, note) if text)],
        keys=class_keys(names, present, MARKERS),
        description=f"{count} points of {len(present)} classes in {len(places)} panels: {', '.join(places)}",
    )
    for axes, name in zip(drawn, places, strict=True):
        _draw(axes, places[name][finite[name]], numbers[finite[name]], names)
    return figure


def _draw(axes: Axes, points: NDArray[np.float64], labels: NDArray[np.intp], names: list[str]) -> None:
    size = float(np.clip(1500 / len(points), 2.5, 14))
    present = [int(k) for k in np.unique(labels)]
    for k in present:
        own = points[labels == k]
        axes.scatter(
            own[:, 0],
            own[:, 1],
            s=size,
            color=class_colour(k),
            marker=MARKERS[k % len(MARKERS)],
            alpha=0.7,
            linewidths=0,
            rasterized=len(points) > 1000,
        )
    low, high = points.min(axis=0), points.max(axis=0)
    span = max(float((high - low).max()), 1e-12) * 1.08  # one unit is as long on both axes
    middle = (low + high) / 2
    axes.set_xlim(middle[0] - span / 2, middle[0] + span / 2)
    axes.set_ylim(middle[1] - span / 2, middle[1] + span / 2)
    if len(present) <= _MOST_NAMED:
        _name(axes, {names[k]: np.median(points[labels == k], axis=0) for k in present})


def _name(axes: Axes, places: Mapping[str, NDArray[np.float64]]) -> None:
    """Each name at its place, but inside the panel, and not where another stands."""
    figure = axes.get_figure(root=True)
    assert figure is not None
    side = axes.get_position().width * figure.get_size_inches()[0]  # inches, as are the centres
    halo = [withStroke(linewidth=2.5, foreground="white")]
    taken: list[tuple[NDArray[np.float64], float]] = []
    for name, place in places.items():
        text = fit(clean(name), _LONGEST_NAME, SMALL, "bold")
        width = width_of(text, SMALL, "bold")
        centre = (place - [axes.get_xlim()[0], axes.get_ylim()[0]]) / np.ptp(axes.get_xlim()) * side
        centre[0] = np.clip(centre[0], width / 2 + 0.03, side - width / 2 - 0.03)
        free = all(
            abs(centre[0] - other[0]) > (width + theirs) / 2 + 0.03 or abs(centre[1] - other[1]) > height_of(1, SMALL)
            for other, theirs in taken
        )
        if free:
            taken.append((centre, width))
            axes.text(
                centre[0] / side,
                centre[1] / side,
                text,
                transform=axes.transAxes,
                size=SMALL,
                weight="bold",
                color=INK,
                ha="center",
                va="center",
                path_effects=halo,
            )
