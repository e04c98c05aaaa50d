"""Which argument of somebody's function gets what, by its name, by how the file calls it, or by elimination.

A binding maps each argument to a token; `Values` turns tokens into the values of one evaluation.
"""

import ast
import itertools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from chainrule.diagnosis import vocabulary as v
from chainrule.diagnosis.recognition import Function, Inventory, alias, callsite
from chainrule.diagnosis.vocabulary import plain

Token = tuple[str, Any]
Binding = dict[str, Token]

PENALTY = 0.5  # λ that is handed to code that takes one
RATE = 0.5  # large, so that weights that are used after they were changed show


@dataclass
class Values:
    """What the tokens of one evaluation stand for.

    roles    "X", "Y", "params", "output", "cache", "rate" …
    own      the parameters by the user's own names, where they are separate arguments
    named    what forward left: its locals and what it returned, by name
    """

    roles: dict[str, Any] = field(default_factory=dict)
    own: dict[str, Any] = field(default_factory=dict)
    named: dict[str, Any] = field(default_factory=dict)

    def of(self, token: Token) -> Any:
        kind, key = token
        if kind == "role":
            return self.roles[key]
        if kind == "own":
            return self.own[key]
        return self.named[key] if kind == "named" else key

    def arguments(self, binding: Binding) -> dict[str, Any]:
        return {argument: self.of(token) for argument, token in binding.items()}


# In the order in which they are asked; the roles that only some functions can have are left to `_ALLOWED`.
_ROLES: tuple[tuple[str, Any], ...] = (
    ("X", v.DATA),
    ("Y", v.TARGET),
    ("rate", v.RATE),
    ("l2", v.PENALTY),
    ("keep", v.KEEP),
    ("drop", v.DROP),
    ("training", v.TRAINING),
    ("epochs", v.EPOCHS),
    ("batch_size", v.BATCH_SIZE),
    ("output", v.OUTPUT),
    ("params", v.PARAMETERS),
    ("grads", v.GRADIENTS),
    ("cache", v.CACHE),
    ("m", v.SAMPLES),
    ("quiet", v.QUIET),
    ("seed", v.SEED),
)
_ALLOWED = {
    "forward": {"X", "Y", "params", "keep", "drop", "training", "m", "quiet", "batch_size"},
    "loss": {"X", "Y", "params", "output", "cache", "l2", "m", "quiet", "batch_size", "training"},
    "backward": {
        "X",
        "Y",
        "params",
        "output",
        "cache",
        "l2",
        "rate",
        "m",
        "keep",
        "drop",
        "training",
        "batch_size",
        "quiet",
        "epochs",
    },
    "update": {"params", "grads", "rate", "l2", "m", "batch_size", "X", "Y", "quiet"},
}
_ALLOWED["train"] = _ALLOWED["backward"] | {"seed"}
_ELIMINATION = {
    "forward": ("X", "params"),
    "loss": ("output", "Y"),
    "backward": ("Y", "output", "cache", "X", "params"),
    "update": ("params", "grads", "rate"),
    "train": ("X", "Y"),
}


def bindings(found: Inventory, function: Function, role: str, values: Values) -> list[Binding]:
    """The ways to call `function` in its `role`, the likeliest first; [] where nothing suits an argument."""
    binding: Binding = {}
    open_: list[str] = []
    for argument in function.arguments:
        token = _token(found, function, argument, role, values)
        if token is not None:
            binding[argument] = token
        elif argument not in function.optional:
            open_.append(argument)
    _settle_conflicts(binding, role, values, open_)
    optional = [{**binding}]
    if role == "loss":
        optional += _other_losses(binding)
    return [full for each in optional for full in _completed(each, open_, role, values)][:24]


def _token(found: Inventory, function: Function, argument: str, role: str, values: Values) -> Token | None:
    for name in (argument, alias(found, function, argument)):
        if name:
            token = _by_name(name, argument, function, role, values)
            if token is not None:
                return token
    if argument not in function.optional:
        return _literal(found, function, argument)
    return None


def _by_name(name: str, argument: str, function: Function, role: str, values: Values) -> Token | None:
    if name in values.own:
        return ("own", name)
    word = plain(name)
    allowed = _ALLOWED[role]
    if word == "y" and role != "update":
        return ("role", "Y") if role != "forward" or argument not in function.optional else None
    for kind, pattern in _ROLES:
        if kind in ("X", "Y") and kind in allowed and pattern.match(word):
            if role == "forward" and kind == "Y" and argument in function.optional:
                return None
            return ("role", kind)
    if role != "forward" and name in values.named:
        return ("named", name)
    for kind, pattern in _ROLES:
        if kind in allowed and kind in values.roles and pattern.match(word):
            if argument in function.optional and kind in ("m", "quiet", "seed", "batch_size", "training"):
                return ("role", kind) if kind in ("quiet", "batch_size") else None
            return ("role", kind)
    lower = {key.lower().replace("_", ""): key for key in values.named}
    if role != "forward" and word in lower:
        return ("named", lower[word])
    return None


def _literal(found: Inventory, function: Function, argument: str) -> Token | None:
    """A constant that the file's own call hands over, such as the name of an activation."""
    for call in found.calls.get(function.name, []):
        place = function.arguments.index(argument)
        value = next((each.value for each in call.keywords if each.arg == argument), None)
        if value is None and place < len(call.args):
            value = call.args[place]
        if isinstance(value, ast.Constant):
            return ("constant", value.value)
    return None


def _settle_conflicts(binding: Binding, role: str, values: Values, open_: list[str]) -> None:
    """Two arguments cannot both be the targets: `y` beside `t` or `Y` is then the output."""
    for kind in ("X", "Y"):
        twice = [argument for argument, token in binding.items() if token == ("role", kind)]
        while len(twice) > 1:
            weak = next((each for each in twice if each in ("y", "x")), twice[-1])
            twice.remove(weak)
            del binding[weak]
            if kind == "Y" and "output" in values.roles and ("role", "output") not in binding.values():
                binding[weak] = ("role", "output")
            elif weak in values.named and role != "forward":
                binding[weak] = ("named", weak)
            else:
                open_.append(weak)


def _other_losses(binding: Binding) -> list[Binding]:
    """`loss(x, y)` may be of the inputs or of the outputs, `loss(h, y)` of what forward calls h or of its output."""
    others: list[Binding] = []
    for argument, token in binding.items():
        loose = token in (("role", "X"), ("role", "cache"), ("role", "params")) or token[0] == "named"
        if loose and ("role", "output") not in binding.values():
            others.append({**binding, argument: ("role", "output")})
    pair = [argument for argument, token in binding.items() if token in (("role", "output"), ("role", "Y"))]
    if len(pair) == 2 and "y" in pair:
        first, second = pair
        others.append({**binding, first: binding[second], second: binding[first]})
    return others


def _completed(binding: Binding, open_: Sequence[str], role: str, values: Values) -> list[Binding]:
    if not open_:
        return [binding]
    used = {token[1] for token in binding.values() if token[0] == "role"}
    free = [kind for kind in _ELIMINATION[role] if kind in values.roles and kind not in used]
    if len(open_) > len(free):
        return []
    chosen = itertools.islice(itertools.permutations(free, len(open_)), 12)
    return [
        binding | {argument: ("role", kind) for argument, kind in zip(open_, kinds, strict=True)} for kinds in chosen
    ]


def sized(
    found: Inventory,
    function: Function,
    called: str,
    sizes: Sequence[int],
    evaluate: Callable[[ast.expr], Any],
    extra: Mapping[str, Any],
) -> dict[str, Any] | None:
    """Arguments for an initialiser or constructor of a network of `sizes`; None where one cannot be had.

    `called` is the name that the file calls it by; `evaluate` gives the value of an expression of such a call; `extra`
    are "X", "Y", "rate" … for those that take them.
    """
    call = callsite(found, called)
    arguments: dict[str, Any] = {}
    hidden = 0
    for place, argument in enumerate(function.arguments):
        node = _handed(call, argument, place)
        theirs = _value(node, evaluate)
        word = plain(argument)
        value, hidden = size_for(word, theirs, sizes, hidden)
        if value is None:
            value = _other(word, extra)
        if value is None and theirs is not None:
            value = theirs
        if value is None:
            if argument in function.optional:
                continue
            return None
        arguments[argument] = value
    return arguments


def _handed(call: ast.Call | None, argument: str, place: int) -> ast.expr | None:
    if call is None:
        return None
    named = next((each.value for each in call.keywords if each.arg == argument), None)
    return named if named is not None else call.args[place] if place < len(call.args) else None


def _value(node: ast.expr | None, evaluate: Callable[[ast.expr], Any]) -> Any:
    if node is None:
        return None
    try:
        return evaluate(node)
    except Exception:
        return None


def size_for(word: str, theirs: Any, sizes: Sequence[int], hidden: int) -> tuple[Any, int]:
    """(the size that an argument of this name is given, None for none; how many hidden sizes were given until then)."""
    listed = isinstance(theirs, list | tuple)
    if v.HIDDEN_SIZE.match(word) and (listed or (word.endswith(("sizes", "layers")) and not isinstance(theirs, int))):
        return list(sizes[1:-1]), len(sizes) - 2
    if isinstance(theirs, str | bool):
        return None, hidden
    if v.SIZES.match(word) and (listed or not isinstance(theirs, int | float)):
        return list(sizes), hidden
    if v.LAYER_COUNT.match(word) and isinstance(theirs, int | type(None)):
        return (len(sizes) - 2 if "hidden" in word else len(sizes) - 1), hidden
    if v.HIDDEN_SIZE.match(word) and not listed:
        hidden += 1
        return (sizes[hidden] if hidden < len(sizes) - 1 else None), hidden
    if v.INPUT_SIZE.match(word) and not listed:
        return sizes[0], hidden
    if v.OUTPUT_SIZE.match(word) and not listed:
        return sizes[-1], hidden
    return None, hidden


def _other(word: str, extra: Mapping[str, Any]) -> Any:
    for kind, pattern in _ROLES:
        if (kind in extra and pattern.match(word)) or (kind == "Y" and word == "y" and "Y" in extra):
            return extra[kind]
    return None
