"""Places for the nodes of a graph, in layers from top to bottom: no box overlaps another, and no edge crosses one.

Every node stands one layer below the last one that it uses. An edge that passes a layer gets a place of its own there,
as narrow as a line, or as wide as its label in the middle of its way; so between two layers edges have nothing in their
way. The order within layers follows the neighbours (Sugiyama, Tagawa, Toda 1981), and the places come as near to the
mean of the neighbours as the widths let them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

GAP = 26.0  # between two layers
APART = 14.0  # between neighbours of a layer
NARROW = 4.0  # of an edge that passes a layer
SWEEPS = 24


@dataclass
class Place:
    """A rectangle: its middle and its size. One that an edge is `passing` is as narrow as a line, or has its label.

    `band` is the height of its whole layer, on which edges run straight down: higher neighbours may stand beside.
    """

    width: float
    height: float
    passing: bool = False
    layer: int = 0
    band: float = 0.0
    x: float = 0.0
    y: float = 0.0

    @property
    def labelled(self) -> bool:
        return self.passing and self.width > NARROW

    @property
    def line(self) -> float:
        """Where edges come and go: in the middle, but left of a label."""
        return self.x - self.width / 2 + 2 if self.labelled else self.x


@dataclass(frozen=True)
class Layout:
    """Places by node key, for each edge the places on its way, and the size of the whole."""

    places: dict[str, Place]
    ways: list[list[Place]]
    width: float
    height: float


@dataclass
class _Layers:
    rows: list[list[Place]]
    above: dict[int, list[Place]] = field(default_factory=dict)
    below: dict[int, list[Place]] = field(default_factory=dict)

    def join(self, upper: Place, lower: Place) -> None:
        self.below.setdefault(id(upper), []).append(lower)
        self.above.setdefault(id(lower), []).append(upper)


def layered(
    sizes: Mapping[str, tuple[float, float]], edges: Sequence[tuple[str, str]], labels: Sequence[float]
) -> Layout:
    """Lay out nodes of the given sizes (width, height), in an order in which each comes after those that it uses.

    `labels` are the widths of what is written beside the edges, 0 where there is nothing.
    """
    step = 2 if any(labels) else 1  # with labels every second layer is theirs
    places = {key: Place(width, height) for key, (width, height) in sizes.items()}
    users: dict[str, list[str]] = {key: [] for key in sizes}
    for source, target in edges:
        users[source].append(target)
    for key in sizes:
        for target in users[key]:
            places[target].layer = max(places[target].layer, places[key].layer + step)
    for key in reversed(list(sizes)):  # what nothing is computed from stands just above what uses it
        if users[key] and not any(target == key for _, target in edges):
            places[key].layer = min(places[target].layer for target in users[key]) - step
    rows: list[list[Place]] = [[] for _ in range(max((place.layer for place in places.values()), default=0) + 1)]
    for place in places.values():
        rows[place.layer].append(place)
    layers = _Layers(rows)
    ways = [_way(places[s], places[t], label, layers) for (s, t), label in zip(edges, labels, strict=True)]
    _order(layers)
    width = _spread(layers)
    return Layout(places, ways, width, _stack(rows))


def _way(upper: Place, lower: Place, label: float, layers: _Layers) -> list[Place]:
    """The places of one edge, ends included; the label takes the one in the middle."""
    passed = [Place(NARROW, 0.0, passing=True, layer=layer) for layer in range(upper.layer + 1, lower.layer)]
    if label:
        middle = passed[len(passed) // 2]
        middle.width, middle.height = label, 14.0
    for place in passed:
        layers.rows[place.layer].append(place)
    way = [upper, *passed, lower]
    for a, b in pairwise(way):
        layers.join(a, b)
    return way


def _order(layers: _Layers) -> None:
    """Sort layers by the mean place of their neighbours, down and up in turn; the order with fewest crossings stays."""
    rows = layers.rows
    best, fewest = [list(row) for row in rows], _crossings(layers)
    for sweep in range(SWEEPS):
        downwards = sweep % 2 == 0
        neighbours = layers.above if downwards else layers.below
        for row in rows if downwards else reversed(rows):
            place_of = _ranks(rows)
            row.sort(key=lambda p: _mean([place_of[id(q)] for q in neighbours.get(id(p), [])], place_of[id(p)]))
        crossings = _crossings(layers)
        if crossings < fewest:
            best, fewest = [list(row) for row in rows], crossings
    rows[:] = best


def _ranks(rows: list[list[Place]]) -> dict[int, float]:
    """Where each place stands in its row, from 0 to 1."""
    return {id(place): (i + 0.5) / len(row) for row in rows for i, place in enumerate(row)}


def _crossings(layers: _Layers) -> int:
    count = 0
    for row, following in pairwise(layers.rows):
        rank = {id(place): i for i, place in enumerate(following)}
        ends = [end for place in row for end in sorted(rank[id(lower)] for lower in layers.below.get(id(place), []))]
        count += sum(a > b for i, a in enumerate(ends) for b in ends[i + 1 :])
    return count


def _spread(layers: _Layers) -> float:
    """Give every place its x; the width of the whole."""
    for row in layers.rows:
        edge = 0.0
        for place in row:
            place.x = edge + place.width / 2
            edge += place.width + APART
    for sweep in range(SWEEPS):
        downwards = sweep % 2 == 0
        both = sweep >= SWEEPS - 4
        for row in layers.rows if downwards else reversed(layers.rows):
            wanted = [_wanted(place, layers, downwards, both) for place in row]
            for place, x in zip(row, _nearest(wanted, [place.width for place in row]), strict=True):
                place.x = x
    places = [place for row in layers.rows for place in row]
    left = min((place.x - place.width / 2 for place in places), default=0.0)
    for place in places:
        place.x -= left
    return max((place.x + place.width / 2 for place in places), default=0.0)


def _wanted(place: Place, layers: _Layers, downwards: bool, both: bool) -> float:
    above, below = layers.above.get(id(place), []), layers.below.get(id(place), [])
    neighbours = above + below if both else (above if downwards else below)
    return _mean([q.line for q in neighbours], place.line) + place.x - place.line


def _nearest(wanted: list[float], widths: list[float]) -> list[float]:
    """Places in order, no nearer to each other than their widths and APART, with the least sum of squares to `wanted`.

    After taking off what stands between, that is isotonic regression: neighbours that want to pass share their mean.
    """
    offsets = [0.0]
    for a, b in pairwise(widths):
        offsets.append(offsets[-1] + (a + b) / 2 + APART)
    blocks: list[tuple[float, int]] = []
    for want, offset in zip(wanted, offsets, strict=False):
        block = (want - offset, 1)
        while blocks and blocks[-1][0] > block[0]:
            mean, count = blocks.pop()
            block = ((mean * count + block[0] * block[1]) / (count + block[1]), count + block[1])
        blocks.append(block)
    flat = [mean for mean, count in blocks for _ in range(count)]
    return [x + offset for x, offset in zip(flat, offsets, strict=False)]


def _stack(rows: list[list[Place]]) -> float:
    """Give every place its y; the height of the whole."""
    top = 0.0
    for row in rows:
        height = max((place.height for place in row), default=0.0)
        for place in row:
            place.y, place.band = top + height / 2, height
        top += height + GAP
    return max(top - GAP, 0.0)


def _mean(values: list[float], otherwise: float) -> float:
    return sum(values) / len(values) if values else otherwise
