"""A graph for the terminal: a result, below it what it was computed from, and so on; what came before is only named."""

from chainrule.graphs.structure import Edge, Graph, Node


def to_tree(graph: Graph, backward: bool, most_lines: int) -> str:
    """One line a value or operation; a node that is used again is not opened again. Nothing here recurses."""
    by_key, used, users = {node.key: node for node in graph.nodes}, graph.used(), graph.users()
    roots = [node for node in graph.nodes if not users[node.key]]
    stack: list[tuple[Node, Edge | None, str, str]] = [(root, None, "", "") for root in reversed(roots)]
    opened: set[str] = set()
    lines: list[str] = []
    while stack:
        node, edge, lead, below = stack.pop()
        if len(lines) >= most_lines:
            lines.append("…")
            break
        text = f"({node.name})" if node.operation else "  ".join(node.lines)
        local = f"  ← {edge.local}" if backward and edge is not None and edge.local else ""
        inputs = used[node.key]
        again = node.key in opened and bool(inputs)
        lines.append(f"{lead}{text}{local}{'  (above)' if again else ''}")
        if again:
            continue
        opened.add(node.key)
        for last, inner in zip([True] + [False] * len(inputs), reversed(inputs), strict=False):
            branch, deeper = ("└─ ", "   ") if last else ("├─ ", "│  ")
            stack.append((by_key[inner.source], inner, below + branch, below + deeper))
    return "\n".join(line[:500] for line in lines)
