"""A graph as an SVG element: Graphviz's picture, or our own drawing of our own layout."""

import unicodedata
from collections.abc import Sequence
from html import escape
from itertools import count, pairwise

from chainrule.errors import InputError, unknown_name
from chainrule.graphs.dot import BACK, FONT, INK, QUIET, VALUE, drawn, program
from chainrule.graphs.layout import Layout, Place, layered
from chainrule.graphs.structure import MOST_DRAWN, Graph, Node

ENGINES = ("auto", "graphviz", "own")
SIZE, LINE, PAD, MARGIN = 10.0, 13.0, 7.0, 10.0
LONGEST = 40  # signs of a line; longer ones lose their middle
BESIDE = 7.0  # from a forward line to the backward line beside it

Point = tuple[float, float]


def to_svg(graph: Graph, backward: bool, engine: str) -> str:
    """The picture; raises UnknownNameError for another engine, InputError where there is too much to draw."""
    if engine not in ENGINES:
        raise unknown_name("graph engine", engine, ENGINES)
    if not graph.nodes:
        raise InputError("the graph has no nodes", "Give something that was computed.")
    if len(graph.nodes) > MOST_DRAWN:
        raise InputError(
            f"the graph has {len(graph.nodes):,} nodes, and a picture of more than {MOST_DRAWN:,} shows nothing",
            "Draw a smaller part, or print .tree().",
        )
    if engine == "graphviz" and program() is None:
        raise InputError("Graphviz is not installed: there is no program `dot`", "Install it, or take engine='own'.")
    title = escape(shortened(graph.title or "graph of a computation"))
    picture = None if engine == "own" else drawn(graph, backward)
    if picture is None:
        return _own(graph, backward, title)
    return picture.replace("<svg", f'<svg role="img" aria-label="{title}"', 1)


def placed(graph: Graph, backward: bool) -> Layout:
    """Our own layout of the graph."""
    sizes = {node.key: _size(node) for node in graph.ordered()}
    edges = [(edge.source, edge.target) for edge in graph.edges]
    labels = [_label_width(edge.local) if backward and edge.local else 0.0 for edge in graph.edges]
    return layered(sizes, edges, labels)


def routes(layout: Layout) -> list[list[Point]]:
    """The points of every edge from its source to its target; straight down beside boxes, bent between the layers."""
    leaving: dict[int, list[int]] = {}
    entering: dict[int, list[int]] = {}
    for number, way in enumerate(layout.ways):
        leaving.setdefault(id(way[0]), []).append(number)
        entering.setdefault(id(way[-1]), []).append(number)
    starts, ends = {}, {}
    for number, way in enumerate(layout.ways):
        out = sorted(leaving[id(way[0])], key=lambda n: layout.ways[n][1].line)
        into = sorted(entering[id(way[-1])], key=lambda n: layout.ways[n][-2].line)
        starts[number] = _port(way[0], out.index(number), len(out))
        ends[number] = _port(way[-1], into.index(number), len(into))
    points = []
    for number, way in enumerate(layout.ways):
        start, end = starts[number], ends[number]
        lines = [(start, way[0]), *((place.line, place) for place in way[1:-1]), (end, way[-1])]
        bands = [(x, place.y + side * place.band / 2) for x, place in lines for side in (-1, 1)]
        top, bottom = way[0].y + way[0].height / 2, way[-1].y - way[-1].height / 2
        corners = [(start, top), *bands[1:-1], (end, bottom)]
        points.append([a for a, b in pairwise(corners) if a != b] + corners[-1:])  # no arrow ends in a single point
    return points


def _own(graph: Graph, backward: bool, title: str) -> str:
    layout = placed(graph, backward)
    mark = next(_MARKS)
    parts = []
    for edge, way, points in zip(graph.edges, layout.ways, routes(layout), strict=True):
        parts.append(_path(points, QUIET, f"forward-{mark}"))
        if backward and not edge.constant:
            parts.append(_path([(x + BESIDE, y) for x, y in reversed(points)], BACK, f"backward-{mark}", dashed=True))
            label = next((place for place in way[1:-1] if place.labelled), None)
            if label is not None:
                x = label.x - label.width / 2 + BESIDE + 9
                parts.append(_text(x, label.y + SIZE * 0.35, edge.local, BACK, "start"))
    parts += [part for node in graph.nodes for part in _node(node, layout.places[node.key])]
    heads = "".join(_head(f"{name}-{mark}", colour) for name, colour in (("forward", QUIET), ("backward", BACK)))
    body = "\n".join(parts)
    width, height = layout.width + 2 * MARGIN + (BESIDE if backward else 0), layout.height + 2 * MARGIN
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" role="img" aria-label="{title}"'
            f' width="{width:.0f}" height="{height:.0f}"'
            f' viewBox="{-MARGIN:.0f} {-MARGIN:.0f} {width:.1f} {height:.1f}"'
            f' style="max-width: 100%; height: auto; background: #fff"'
            f' font-family="{FONT}, Verdana, sans-serif" font-size="{SIZE:g}">',
            f"<title>{title}</title>",
            f"<defs>{heads}</defs>",
            body,
            "</svg>",
            "",
        ]
    )


_MARKS = count(1)  # so that arrowheads of several pictures on a page have ids of their own


def _node(node: Node, place: Place) -> list[str]:
    left, top = place.x - place.width / 2, place.y - place.height / 2
    lines = list(map(shortened, node.lines))
    corner, fill = (place.height / 2, "#fff") if node.operation else (3.0, VALUE)
    shape = (
        f'<rect x="{left:.1f}" y="{top:.1f}" width="{place.width:.1f}" height="{place.height:.1f}"'
        f' rx="{corner:.1f}" fill="{fill}" stroke="{QUIET}"/>'
    )
    first = place.y - (len(lines) - 1) * LINE / 2 + SIZE * 0.35
    return [shape, *(_text(place.x, first + i * LINE, line, INK, "middle") for i, line in enumerate(lines))]


def _path(points: Sequence[Point], colour: str, head: str, dashed: bool = False) -> str:
    """Straight down where a layer is passed, bent where the place changes between two layers."""
    (x, y), *rest = points
    steps = [f"M{x:.1f},{y:.1f}"]
    for following in rest:
        nx, ny = following
        bend = f"C{x:.1f},{(y + ny) / 2:.1f} {nx:.1f},{(y + ny) / 2:.1f} {nx:.1f},{ny:.1f}"
        steps.append(f"L{nx:.1f},{ny:.1f}" if abs(nx - x) < 0.05 else bend)
        x, y = following
    style = ' stroke-dasharray="4 3"' if dashed else ""
    return (
        f'<path d="{" ".join(steps)}" fill="none" stroke="{colour}" stroke-width="0.9"{style}'
        f' marker-end="url(#{head})"/>'
    )


def _head(name: str, colour: str) -> str:
    return (
        f'<marker id="{name}" viewBox="0 0 8 8" refX="8" refY="4" markerWidth="7" markerHeight="7" orient="auto">'
        f'<path d="M0,0.8 L8,4 L0,7.2 z" fill="{colour}"/></marker>'
    )


def _text(x: float, y: float, text: str, colour: str, anchor: str) -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" fill="{colour}" text-anchor="{anchor}">{escape(shortened(text))}</text>'


def _port(place: Place, number: int, count: int) -> float:
    """Where the edge `number` of `count` leaves or enters: evenly along the straight part of the border."""
    straight = place.width - place.height if place.height >= place.width - 6 else place.width - 8
    straight = max(straight, 0.5 * place.width)
    return place.x - straight / 2 + straight * (number + 0.5) / count


def _size(node: Node) -> tuple[float, float]:
    lines = list(map(shortened, node.lines))
    width = max(map(_width, lines)) + 2 * PAD
    height = LINE * len(lines) + PAD
    return (max(width, height), height) if node.operation else (max(width, 34.0), height)


def _label_width(text: str) -> float:
    return _width(shortened(text)) + BESIDE + 13


def _width(text: str) -> float:
    """A width that the text does not exceed in the usual faces, which are not at hand here to be measured."""
    wide = sum(unicodedata.east_asian_width(sign) in "WF" for sign in text)
    return SIZE * (0.66 * (len(text) - wide) + 1.1 * wide)


def shortened(text: str) -> str:
    """One line of at most LONGEST signs."""
    clean = "".join(sign if sign.isprintable() else " " for sign in text)
    return clean if len(clean) <= LONGEST else f"{clean[: LONGEST // 2]}…{clean[-LONGEST // 2 + 1 :]}"
