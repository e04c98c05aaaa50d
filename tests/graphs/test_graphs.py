"""Graphs: what they hold, that their pictures keep boxes and edges apart, and that text stays text."""

import re
import xml.etree.ElementTree as ET
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import chainrule as cr
from chainrule.figures.lettering import width_of
from chainrule.graphs import Edge, Graph, Node, dot, graph
from chainrule.scalar import MLP, Value, exp, tanh
from refusals import refusal

SVG = "{http://www.w3.org/2000/svg}"
needs_graphviz = pytest.mark.skipif(dot.program() is None, reason="Graphviz is not installed")


def diamond():
    a = Value(3.0, "a")
    b = a + a
    b.name = "b"
    c = b * a
    c.name = "c"
    c.backward()
    return c


def course_network():
    model = MLP({"W1": [[1, 1, 1], [-1] * 3], "b1": [0] * 3, "W2": [[1, 1], [-1, -1], [-1, -1]], "b2": [0, 0]})
    loss = model.loss([[1, -1]], [[1, 0]])
    loss.backward()
    return loss


def network(**settings):
    net = cr.Network([4, 5, 3], activation="tanh", dtype="float64", **settings)
    rng = np.random.default_rng(0)
    return net, rng.normal(size=(7, 4)), rng.integers(3, size=7)


# What a graph holds


def test_a_value_has_boxes_circles_and_local_derivatives():
    """c = (a + a) a at a = 3: ∂c/∂b = 3, ∂c/∂a = b + 2 · 3 = 12."""
    found = graph(diamond())
    boxes = {node.name: (node.number, node.gradient) for node in found.nodes if not node.operation}
    assert boxes == {"a": ("3", "12"), "b": ("6", "3"), "c": ("18", "1")}
    assert sorted(node.name for node in found.nodes if node.operation) == ["+", "×"]
    names = {node.key: node.name for node in found.nodes}
    edges = {(names[edge.source], names[edge.target]): edge.local for edge in found.edges}
    assert edges == {("a", "+"): "1 + 1", ("+", "b"): "", ("b", "×"): "3", ("a", "×"): "6", ("×", "c"): ""}


def test_a_value_before_its_backward_pass_has_no_gradients():
    assert all(node.gradient == "" for node in graph(Value(2.0, "x") * 3.0).nodes)


@pytest.mark.parametrize("batch_norm", [False, True])
@pytest.mark.parametrize("dropout", [0, 0.4])
def test_a_network_has_every_parameter_and_every_value_with_its_shape(batch_norm, dropout):
    net, x, y = network(batch_norm=batch_norm, dropout=dropout)
    found = {node.name: node for node in graph(net, x, y).nodes if not node.operation}
    for name, P in net.parameters().items():
        assert found[name].shape == "×".join(map(str, P.shape))
    for name, A in net.forward(x, training=True, generator=np.random.default_rng(0)).items():
        if not name.startswith(("M", "mean", "variance")):
            assert found[name].shape == "×".join(map(str, A.shape))
    gradients = net.backward(net.forward(x), y, wrt_input=True)
    for name, G in {**gradients, **gradients.deltas}.items():
        assert found[name].gradient == f"‖{np.linalg.norm(G):.4g}‖"
    assert found["loss"].number == f"{net.loss(x, y):.4g}"
    bare = {node.name: node for node in graph(net).nodes}
    assert bare["A0"].shape == "m×4"
    assert bare["loss"].number == bare["W1"].gradient == ""


def test_what_a_network_needs_comes_before_it():
    net, _, _ = network()
    order = [node.key for node in graph(net).ordered()]
    for edge in graph(net).edges:
        assert order.index(edge.source) < order.index(edge.target)


def test_anything_with_a_graph_of_its_own_is_drawn():
    class Expression:
        def graph(self):
            return Graph([Node("x", "x")], [])

    assert graph(Expression()).nodes[0].name == "x"
    assert graph(graph(Expression())).nodes[0].name == "x"


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: graph("text"), ("'text'",)),
        (lambda: graph(cr.Network([2, 2]), np.ones((1, 2))), ("only one of x and y",)),
        (lambda: graph(cr.Network([2, 2]), np.ones((1, 3)), [0]), ("(1, 3)",)),
        (lambda: Graph([Node("a", "a"), Node("a", "b")], []), ("same key",)),
        (lambda: Graph([Node("a", "a")], [Edge("a", "b")]), ("'b'",)),
        (
            lambda: Graph([Node("a", "f"), Node("b", "g")], [Edge("a", "b"), Edge("b", "a")]),
            ("f is needed to compute itself",),
        ),
        (lambda: Graph([], []).svg(), ("no nodes",)),
        (lambda: graph(diamond()).svg(engine="ownn"), ("'ownn'", "'own'")),
        (lambda: Graph([Node(str(i), "") for i in range(1001)], []).svg(), ("1,001 nodes",)),
    ],
)
def test_what_cannot_be_drawn_is_refused(call, words):
    message = refusal(call)
    assert [word for word in words if word not in message] == []


def test_graphviz_that_is_not_there_is_told_or_done_without(monkeypatch):
    monkeypatch.setattr("shutil.which", lambda name: None)
    assert "Graphviz is not installed" in refusal(graph(diamond()).svg, engine="graphviz")
    assert graph(diamond()).svg().startswith("<svg")


def test_graphviz_that_fails_is_done_without(monkeypatch, tmp_path):
    broken = tmp_path / "dot"
    broken.write_text("#!/bin/sh\nexit 3\n")
    broken.chmod(0o755)
    monkeypatch.setattr("shutil.which", lambda name: str(broken))
    assert "<rect" in graph(diamond()).svg()


# Our own layout, measured in the picture that it makes


def boxes_of(picture):
    root = ET.fromstring(picture)
    return [tuple(float(rect.get(a)) for a in ("x", "y", "width", "height")) for rect in root.iter(f"{SVG}rect")]


def points_of(path):
    """Points along a path of M, L and C, near enough to see it enter a box."""
    points = []
    for command, numbers in re.findall(r"([MLC])([^MLC]*)", path):
        values = [float(v) for v in re.findall(r"-?[\d.]+", numbers)]
        corners = list(zip(values[::2], values[1::2], strict=True))
        if command == "M":
            points.append(corners[0])
            continue
        start = points[-1]
        control = [start, *corners] if command == "C" else [start, start, corners[0], corners[0]]
        t = np.linspace(0, 1, 60)[:, None]
        p = [np.array(c) for c in control]
        curve = (1 - t) ** 3 * p[0] + 3 * t * (1 - t) ** 2 * p[1] + 3 * t**2 * (1 - t) * p[2] + t**3 * p[3]
        points += [tuple(point) for point in curve]
    return points


def flaws(picture):
    """Boxes that overlap, edges through boxes, and text that leaves its box or runs into another."""
    boxes, found = boxes_of(picture), []
    for (x, y, w, h), (a, b, c, d) in combinations(boxes, 2):
        if min(x + w, a + c) - max(x, a) > 0.1 and min(y + h, b + d) - max(y, b) > 0.1:
            found.append(f"boxes overlap at {x, y} and {a, b}")
    root = ET.fromstring(picture)
    for path in root.findall(f"{SVG}path"):
        for px, py in points_of(path.get("d")):
            for x, y, w, h in boxes:
                if x + 0.5 < px < x + w - 0.5 and y + 0.5 < py < y + h - 0.5:
                    found.append(f"an edge at {px:.1f}, {py:.1f} crosses the box at {x, y}")
    written = []
    for text in root.findall(f"{SVG}text"):
        width = width_of(text.text or "", 10) * 72
        x, y = float(text.get("x")), float(text.get("y"))
        left = x - width / 2 if text.get("text-anchor") == "middle" else x
        inside = [b for b in boxes if b[0] < x < b[0] + b[2] and b[1] < y - 3 < b[1] + b[3]]
        if text.get("text-anchor") == "middle":
            if len(inside) != 1 or left < inside[0][0] or left + width > inside[0][0] + inside[0][2]:
                found.append(f"{text.text!r} does not fit its box")
        else:
            written.append((left, y - 8, width, 10, text.text))
    for x, y, w, h, label in written:
        for a, b, c, d in boxes:
            if min(x + w, a + c) - max(x, a) > 0.1 and min(y + h, b + d) - max(y, b) > 0.1:
                found.append(f"the label {label!r} runs into the box at {a, b}")
    for one, two in combinations(written, 2):
        if min(one[0] + one[2], two[0] + two[2]) > max(one[0], two[0]) and abs(one[1] - two[1]) < 9:
            found.append(f"the labels {one[4]!r} and {two[4]!r} overlap")
    left, top, width, height = map(float, root.get("viewBox").split())
    for x, y, w, h in boxes:
        if x < left or y < top or x + w > left + width or y + h > top + height:
            found.append(f"the box at {x, y} leaves the picture")
    return found


def shown_value():
    x, y = Value(0.5, "x"), Value(-1.2, "y")
    f = tanh(x * y + exp(x)) / (1 + y * y)
    f.name = "f"
    f.backward()
    return f


PICTURES = {
    "diamond": lambda: graph(diamond()),
    "expression": lambda: graph(shown_value()),
    "network": lambda: graph(*network()),
    "normalised": lambda: graph(network(batch_norm=True, dropout=0.3)[0]),
    "deep": lambda: graph(cr.Network([4, 5, 6, 7, 8, 3])),
    "course": lambda: graph(course_network()),
}


@pytest.mark.parametrize("backward", [False, True])
@pytest.mark.parametrize("name", PICTURES)
def test_our_own_layout_keeps_boxes_edges_and_labels_apart(name, backward):
    assert flaws(PICTURES[name]().svg(engine="own", backward=backward)) == []


@st.composite
def graphs(draw):
    """Up to 25 nodes of any kind and size, each used by some later ones."""
    n = draw(st.integers(1, 25))
    text = st.text("abW1×Σ[],.0123456789 ", max_size=20)
    nodes = [
        Node(str(i), draw(text), draw(st.sampled_from(["", "7×3"])), draw(text), draw(text), draw(st.booleans()))
        for i in range(n)
    ]
    pairs = st.tuples(st.integers(0, n - 1), st.integers(0, n - 1)).filter(lambda pair: pair[0] < pair[1])
    chosen = draw(st.lists(pairs, max_size=40, unique=True)) if n > 1 else []
    return Graph(nodes, [Edge(str(a), str(b), draw(text), draw(st.booleans())) for a, b in chosen])


@settings(deadline=None, max_examples=100)
@given(graphs(), st.booleans())
def test_our_own_layout_keeps_any_graph_of_25_nodes_apart(found, backward):
    assert flaws(found.svg(engine="own", backward=backward)) == []


def test_the_measure_of_flaws_sees_them():
    good = graph(diamond()).svg(engine="own")
    x, y, w, h = boxes_of(good)[0]
    shifted = good.replace("</svg>", f'<rect x="{x + 3}" y="{y + 3}" width="{w}" height="{h}"/></svg>')
    assert any("overlap" in flaw for flaw in flaws(shifted))
    crossed = good.replace("</svg>", f'<path d="M{x - 5},{y + 5} L{x + w + 5},{y + 5}"/></svg>')
    assert any("crosses" in flaw for flaw in flaws(crossed))
    assert any("does not fit" in flaw for flaw in flaws(re.sub(r">a<", ">a name much longer than its box<", good)))


def test_a_long_chain_is_drawn_straight():
    x = Value(1.0, "x")
    y = x
    for _ in range(8):
        y = tanh(y)
    middles = {round(x + w / 2, 1) for x, _, w, _ in boxes_of(graph(y).svg(engine="own"))}
    assert len(middles) == 1


@pytest.mark.parametrize("name", PICTURES)
def test_every_arrow_comes_in_from_above_or_below(name):
    """A last piece of no length would leave the direction of the arrowhead open."""
    root = ET.fromstring(PICTURES[name]().svg(engine="own", backward=True))
    for path in root.findall(f"{SVG}path"):
        (_, before), (_, end) = points_of(path.get("d"))[-2:]
        assert (before > end + 1e-4) if path.get("stroke-dasharray") else (before < end - 1e-4)


def test_backward_arrows_go_back_and_none_goes_to_the_targets():
    net, x, y = network()
    found = graph(net, x, y)
    root = ET.fromstring(found.svg(engine="own", backward=True))
    dashed = [path for path in root.findall(f"{SVG}path") if path.get("stroke-dasharray")]
    assert len(dashed) == len(found.edges) - 1
    for path in dashed:
        points = points_of(path.get("d"))
        assert points[0][1] > points[-1][1], "from the result up to what it was computed from"
    assert "∘ tanh′(Z1)" in "".join(root.itertext())
    assert "∘ tanh′(Z1)" not in found.svg(engine="own")


# Graphviz


@needs_graphviz
@pytest.mark.parametrize("backward", [False, True])
@pytest.mark.parametrize("name", PICTURES)
def test_graphviz_draws_every_node_and_edge(name, backward):
    found = PICTURES[name]()
    root = ET.fromstring(found.svg(engine="graphviz", backward=backward))
    classes = [group.get("class") for group in root.iter(f"{SVG}g")]
    assert classes.count("node") == len(found.nodes)
    back = sum(not edge.constant for edge in found.edges) if backward else 0
    assert classes.count("edge") == len(found.edges) + back
    words = "".join(root.itertext())
    assert all(line in words for node in found.nodes for line in node.lines if line.strip())


HOSTILE = [
    '<script>alert("1")</script>',
    '"]; evil [label="',
    "a\\nb\\N",
    "&lt;b&gt;",
    "]]>",
    "\x00\x1b[31m",
    "<b>html</b>",
    "тест 名前 🙂",
]


@pytest.mark.parametrize("text", HOSTILE)
@pytest.mark.parametrize("engine", ["own", pytest.param("graphviz", marks=needs_graphviz)])
def test_text_stays_text(text, engine):
    found = Graph([Node("1", text, text, text, text), Node("2", text, operation=True)], [Edge("1", "2", text)], text)
    picture = found.svg(engine=engine, backward=True)
    root = ET.fromstring(picture)
    assert {element.tag.removeprefix(SVG) for element in root.iter()} <= {
        *("svg", "g", "title", "a", "ellipse", "polygon", "text", "path", "rect", "defs", "marker"),
        *("polyline", "linearGradient", "stop"),
    }
    visible = "".join(sign if sign.isprintable() else " " for sign in text)
    assert visible.strip() in "".join(root.itertext()).replace("\xa0", " ")


@needs_graphviz
def test_dot_text_is_read_by_graphviz_and_has_one_line_a_node():
    text = graph(diamond()).dot(backward=True)
    assert text.startswith("digraph computation {")
    assert text.count("shape=box") == 3
    assert text.count("shape=ellipse") == 2
    assert text.count("dir=back") == 5
    assert graph(diamond()).dot().count("->") == 5


# The terminal


def test_the_tree_opens_every_value_once():
    lines = graph(diamond()).tree(backward=True).splitlines()
    assert lines == [
        "c  = 18  ∂ 1",
        "└─ (×)",
        "   ├─ b  = 6  ∂ 3  ← 3",
        "   │  └─ (+)",
        "   │     └─ a  = 3  ∂ 12  ← 1 + 1",
        "   └─ a  = 3  ∂ 12  ← 6",
    ]
    x = Value(2.0, "x")
    s = x * x
    s.name = "s"
    shared = graph(s + s * 3.0).tree()
    assert shared.count("s  = 4") == 2
    assert shared.count("(above)") == 1
    assert str(graph(s)) == graph(s).tree()


def test_a_graph_of_100_000_values_becomes_a_shortened_tree_and_no_picture():
    x = Value(0.5, "x")
    for _ in range(50_000):
        x = x + 1.0
    found = graph(x)
    lines = found.tree().splitlines()
    assert len(lines) == 201
    assert lines[-1] == "…"
    assert max(map(len, lines)) <= 500
    assert "<pre>" in found._repr_html_()


def test_a_notebook_shows_the_picture():
    assert graph(diamond())._repr_html_().startswith("<svg")
