"""A graph drawn by matplotlib in our own layout, so that it becomes a file of any kind, the same on every machine."""

from typing import Any

from matplotlib.figure import Figure
from matplotlib.patches import FancyArrowPatch, FancyBboxPatch
from matplotlib.path import Path

from chainrule.figures.style import FAMILY, house_style
from chainrule.graphs import Graph
from chainrule.graphs.dot import BACK, INK, QUIET, VALUE
from chainrule.graphs.layout import Place
from chainrule.graphs.structure import Node
from chainrule.graphs.svg import BESIDE, LINE, MARGIN, SIZE, Point, placed, routes, shortened

_UNIT = 1 / 96  # inches of a unit of the layout


@house_style()
def graph_figure(graph: Graph, *, backward: bool = False) -> Figure:
    """The picture that `graph.svg(engine="own")` gives, as a matplotlib figure."""
    layout = placed(graph, backward)
    width, height = layout.width + 2 * MARGIN + (BESIDE if backward else 0), layout.height + 2 * MARGIN
    figure = Figure(figsize=(width * _UNIT, height * _UNIT))
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set_xlim(-MARGIN, width - MARGIN)
    axes.set_ylim(height - MARGIN, -MARGIN)
    axes.axis("off")
    letters: dict[str, Any] = {"size": SIZE * 72 * _UNIT, "va": "center", "family": FAMILY}
    for edge, way, points in zip(graph.edges, layout.ways, routes(layout), strict=True):
        axes.add_patch(_arrow(points, QUIET, "-"))
        if backward and not edge.constant:
            axes.add_patch(_arrow([(x + BESIDE, y) for x, y in reversed(points)], BACK, "--"))
            label = next((place for place in way[1:-1] if place.labelled), None)
            if label is not None:
                x = label.x - label.width / 2 + BESIDE + 9
                axes.text(x, label.y, shortened(edge.local), color=BACK, ha="left", **letters)
    for node in graph.nodes:
        place = layout.places[node.key]
        axes.add_patch(_box(node, place))
        lines = list(map(shortened, node.lines))
        for number, line in enumerate(lines):
            y = place.y + (number - (len(lines) - 1) / 2) * LINE
            axes.text(place.x, y, line, color=INK, ha="center", **letters)
    figure.set_label(graph.title or "graph of a computation")
    return figure


def _box(node: Node, place: Place) -> FancyBboxPatch:
    corner = place.height / 2 - 0.01 if node.operation else 3.0
    return FancyBboxPatch(
        (place.x - place.width / 2, place.y - place.height / 2),
        place.width,
        place.height,
        boxstyle=f"round,pad=0,rounding_size={corner}",
        facecolor="white" if node.operation else VALUE,
        edgecolor=QUIET,
        linewidth=0.75,
    )


def _arrow(points: list[Point], colour: str, line: str) -> FancyArrowPatch:
    """Straight down where a layer is passed, bent where the place changes between two layers."""
    (x, y), *rest = points
    corners, codes = [(x, y)], [Path.MOVETO]
    for nx, ny in rest:
        if abs(nx - x) < 0.05:
            corners.append((nx, ny))
            codes.append(Path.LINETO)
        else:
            corners += [(x, (y + ny) / 2), (nx, (y + ny) / 2), (nx, ny)]
            codes += [Path.CURVE4] * 3
        x, y = nx, ny
    return FancyArrowPatch(
        path=Path(corners, codes),
        arrowstyle="-|>,head_length=3,head_width=1.4",
        mutation_scale=1,
        color=colour,
        linestyle=line,
        linewidth=0.7,
        shrinkA=0,
        shrinkB=0,
    )
