"""A thing with settings is written as one would call it: `normal(scale=0.01)`, `leaky_relu(0.2)`, `cosine`.

The same text serves in Python, in TOML and as a flag. It is read from its syntax tree and never evaluated.
"""

import ast
import math
import warnings
from contextlib import suppress
from dataclasses import dataclass, field

import numpy as np

from chainrule.errors import InputError, shown

Number = bool | int | float | str


@dataclass(frozen=True)
class Spec:
    """`name(*args, **kwargs)` with numbers, booleans and strings as arguments; `key=word` needs no quotes."""

    name: str
    args: tuple[Number, ...] = ()
    kwargs: dict[str, Number] = field(default_factory=dict)


def parse(text: str) -> Spec:
    """Read `name` or `name(1, key=2)`; raise InputError for anything else."""
    try:
        if not isinstance(text, str) or len(text) > 1000:
            raise ValueError
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Python's opinion of a backslash is no news to the reader
            node = ast.parse(text.strip(), mode="eval").body
        if isinstance(node, ast.Name):
            return Spec(node.id)
        if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Name)):
            raise ValueError
        args = tuple(_literal(value) for value in node.args)
        kwargs = {k.arg: _word_or_literal(k.value) for k in node.keywords if k.arg is not None}
        if len(kwargs) != len(node.keywords):
            raise ValueError
        return Spec(node.func.id, args, kwargs)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        raise InputError(
            f"{shown(text)} cannot be read as a name with settings",
            "Write a name, or a name with its settings in parentheses: cosine, normal(0.01), step(every=10).",
        ) from None


def number(
    name: str, value: object, least: float = -math.inf, *, above: float = -math.inf, below: float = math.inf
) -> float:
    """`value` as a finite float within its range; raises InputError that names it otherwise."""
    if isinstance(value, int | float | np.integer | np.floating) and not isinstance(value, bool):
        with suppress(OverflowError):  # a whole number of hundreds of digits is no float
            if least <= float(value) < below and above < float(value):
                return float(value)
    bounds = [(least, f"at least {least:g}"), (above, f"above {above:g}"), (below, f"below {below:g}")]
    words = " and ".join(text for bound, text in bounds if math.isfinite(bound))
    raise InputError(f"{name} is {shown(value)}", f"Give a number{f' {words}' if words else ''}.")


def whole(name: str, value: object, least: int = 0) -> int:
    """`value` as an int from `least` up; raises InputError that names it otherwise."""
    if isinstance(value, int | np.integer) and not isinstance(value, bool) and value >= least:
        return int(value)
    raise InputError(f"{name} is {shown(value)}", f"Give a whole number, at least {least}.")


def _word_or_literal(node: ast.expr) -> Number:
    return node.id if isinstance(node, ast.Name) else _literal(node)


def _literal(node: ast.expr) -> Number:
    value = ast.literal_eval(node)
    if not isinstance(value, bool | int | float | str):
        raise ValueError
    return value
