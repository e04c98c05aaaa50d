"""The network as a picture, a table, a derivation and a graph."""

from pathlib import Path

from chainrule import algebra, figures
from chainrule.graphs import Graph
from chainrule.network import Network
from chainrule.reports.document import Figure, Formula, Table
from chainrule.reports.graphs import graph_figure
from chainrule.runs import Run
from chainrule.runs import load as load_model


def network(id: str, of: Run | Network | Path, *, title: str = "The network") -> Figure:
    """Columns of units with the table of layers."""
    net = as_network(of)
    table = net.table()
    return Figure(id, title, figures.network_diagram(table, total=sum(row["count"] for row in table)))


def layers_table(id: str, of: Run | Network | Path, *, title: str = "Layers") -> Table:
    """Width, rule, and the shape of every parameter by layer."""
    rows = []
    for number, row in enumerate(as_network(of).table()):
        shapes = ", ".join(f"{name} {'×'.join(map(str, shape))}" for name, shape in (row["parameters"] or {}).items())
        name = row.get("name") or (f"layer {number}" if number else "input")
        rows.append([name, row["width"], row.get("activation") or "", shapes, row["count"], row.get("notes") or ""])
    rows.append(["all", None, "", "", sum(row[4] for row in rows), ""])
    return Table(id, title, ["layer", "units", "activation", "parameters", "numbers", "notes"], rows)


def derivation(
    id: str,
    of: Run | Network | Path | algebra.Derivation,
    *,
    layout: str = "row",
    title: str = "Derivation of the gradients",
    caption: str = "",
) -> Formula:
    """Every gradient and update step by step, in MathML; what is shown was compared with central differences."""
    if not isinstance(of, algebra.Derivation):
        net = as_network(of)
        of = algebra.derivation(net, layout=layout, l2=_penalty(of))
    return Formula(id, title, of.fragment(heading=4), caption)


def graph(
    id: str,
    of: Run | Network | Path | algebra.Derivation | Graph,
    *,
    backward: bool = True,
    title: str = "The graph of the computation",
    caption: str = "",
) -> Figure:
    """Values as boxes, operations as circles; dashed the way back, with the local derivatives."""
    if isinstance(of, algebra.Derivation):
        of = of.graph()
    if not isinstance(of, Graph):
        of = algebra.derivation(as_network(of)).graph()
    words = f"graph of {sum(not node.operation for node in of.nodes)} values and {len(of.edges)} edges"
    return Figure(id, title, graph_figure(of, backward=backward), of.title or words, caption)


def as_network(of: Run | Network | Path | object) -> Network:
    """The network itself, or that of a run or a model file."""
    if isinstance(of, Network):
        return of
    return load_model(of.model if isinstance(of, Run) else Path(str(of)))


def _penalty(of: object) -> float:
    return of.config().training.l2 if isinstance(of, Run) else 0.0
