"""A thing with settings is written as one would call it: `normal(scale=0.01)`, `leaky_relu(0.2)`, `cosine`.

The same text serves in Python, in TOML and as a flag. It is read from its syntax tree and never evaluated.
"""

import ast
from dataclasses import dataclass, field

from chainrule.errors import InputError

Number = bool | int | float | str


@dataclass(frozen=True)
class Spec:
    """`name(*args, **kwargs)` with numbers, booleans and strings as arguments."""

    name: str
    args: tuple[Number, ...] = ()
    kwargs: dict[str, Number] = field(default_factory=dict)


def parse(text: str) -> Spec:
    """Read `name` or `name(1, key=2)`; raise InputError for anything else."""
    try:
        if len(text) > 1000:
            raise ValueError
        node = ast.parse(text.strip(), mode="eval").body
        if isinstance(node, ast.Name):
            return Spec(node.id)
        if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Name)):
            raise ValueError
        args = tuple(_literal(value) for value in node.args)
        kwargs = {k.arg: _literal(k.value) for k in node.keywords if k.arg is not None}
        if len(kwargs) != len(node.keywords):
            raise ValueError
        return Spec(node.func.id, args, kwargs)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        raise InputError(
            f"{text[:60]!r} cannot be read as a name with settings",
            "Write a name, or a name with its settings in parentheses: cosine, normal(0.01), step(every=10).",
        ) from None


def _literal(node: ast.expr) -> Number:
    value = ast.literal_eval(node)
    if not isinstance(value, bool | int | float | str):
        raise ValueError
    return value
