"""A graph as text in the language of Graphviz, and its picture where Graphviz is installed."""

import shutil
import subprocess

from chainrule.graphs.structure import Graph

FONT = "DejaVu Sans"
INK, QUIET, VALUE, BACK = "#222222", "#595959", "#eef5fa", "#b34700"
SECONDS = 60.0


def to_dot(graph: Graph, backward: bool) -> str:
    """The graph from top to bottom; backward arrows are dashed and carry the local derivatives."""
    lines = [
        "digraph computation {",
        f'  graph [rankdir=TB, ranksep=0.35, nodesep=0.3, tooltip="{_text(graph.title)}"]',
        f'  node [fontname="{FONT}", fontsize=10, color="{QUIET}", fontcolor="{INK}", penwidth=0.8]',
        f'  edge [fontname="{FONT}", fontsize=9, color="{QUIET}", arrowsize=0.6, penwidth=0.8]',
    ]
    number = {node.key: f"n{i}" for i, node in enumerate(graph.nodes)}
    for node in graph.nodes:
        label = r"\n".join(map(_text, node.lines))
        look = "shape=ellipse, height=0.3, width=0.3, style=filled, fillcolor=white"
        if not node.operation:
            look = f'shape=box, height=0.3, style="filled,rounded", fillcolor="{VALUE}"'
        lines.append(f'  {number[node.key]} [label="{label}", tooltip="{label}", {look}]')
    for edge in graph.edges:
        source, target = number[edge.source], number[edge.target]
        lines.append(f"  {source} -> {target}")
        if backward and not edge.constant:
            look = f'style=dashed, color="{BACK}", fontcolor="{BACK}", dir=back'
            lines.append(f'  {source} -> {target} [label=" {_text(edge.local)} ", {look}]')
    return "\n".join([*lines, "}"]) + "\n"


def program() -> str | None:
    """Where Graphviz's `dot` is; None where it is not."""
    return shutil.which("dot")


def drawn(graph: Graph, backward: bool) -> str | None:
    """The SVG element that `dot` makes; None where it is not installed or fails."""
    found = program()
    if found is None:
        return None
    try:
        done = subprocess.run(
            [found, "-Tsvg"], input=to_dot(graph, backward).encode(), capture_output=True, timeout=SECONDS, check=True
        )
    except (OSError, subprocess.SubprocessError):
        return None
    text = done.stdout.decode()
    return text[text.index("<svg") :] if "<svg" in text else None


def _text(text: str) -> str:
    """As it may stand between quotes: Graphviz also reads entities and backslashes there."""
    one_line = "".join(sign if sign.isprintable() else " " for sign in text)
    return one_line.replace("&", "&amp;").replace("\\", r"\\").replace('"', "&quot;").replace("<", "&lt;")
