"""Where somebody's code keeps its weights and biases, and how to put ours there.

A slot is one place in any nesting of dicts, lists and objects. Matrices of (fan_in, fan_out) are found in either
orientation, a bias as (h,), (1, h) or (h, 1), or as one more row or column of the matrix.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

from chainrule.diagnosis import vocabulary
from chainrule.diagnosis.observation import Array
from chainrule.diagnosis.watching import as_array, shape_of

Step = tuple[str, Any]  # ("key", "W1"), ("index", 0) or ("attribute", "W1")
Path = tuple[Step, ...]
Parameters = dict[str, Array]


@dataclass(frozen=True)
class Slot:
    """The place of one parameter.

    name       ours: "W1", "b1"; a weight with an extra row or column holds both
    path       from the root
    flipped    the code keeps a weight as (fan_out, fan_in)
    form       of a bias: "(h,)", "(1, h)", "(h, 1)"; of a weight: "", or "extra row", "extra column" that is the bias
    listed     the code keeps it as lists of numbers
    shape      the code's
    first      of a weight with an extra row: whether the bias is the first row and not the last
    label      the user's name where the path has none, as in a tuple
    """

    name: str
    path: Path
    flipped: bool = False
    form: str = ""
    listed: bool = False
    shape: tuple[int, ...] = ()
    first: bool = False
    label: str = ""

    @property
    def words(self) -> str:
        return self.label or words(self.path)

    @property
    def word(self) -> str:
        """The innermost name: `layers[0].W` → "W"."""
        return self.label or last_name(self.path)


def words(path: Path) -> str:
    """A path as it is written in Python."""
    text = ""
    for kind, key in path:
        if kind == "attribute":
            text += f".{key}" if text else str(key)
        elif kind == "name":
            text += str(key)
        else:
            text += f'["{key}"]' if isinstance(key, str) else f"[{key}]"
    return text


def leaves(root: Any, own: tuple[type, ...] = (), depth: int = 5) -> Iterator[tuple[Path, Any]]:
    """The arrays (and lists of numbers) within `root`; of objects, those of the classes `own`."""
    yield from _leaves(root, own, depth, (), set())


def _leaves(value: Any, own: tuple[type, ...], depth: int, path: Path, seen: set[int]) -> Iterator[tuple[Path, Any]]:
    array = as_array(value)
    if array is not None:
        if array.ndim:
            yield path, value
        return
    if not depth or id(value) in seen:
        return
    seen = seen | {id(value)}
    if isinstance(value, dict):
        children: Iterator[tuple[Step, Any]] = ((("key", key), each) for key, each in list(value.items())[:200])
    elif isinstance(value, list | tuple):
        children = ((("index", place), each) for place, each in enumerate(value[:100]))
    elif own and isinstance(value, own):
        children = ((("attribute", name), each) for name, each in list(vars(value).items())[:200])
    else:
        return
    for step, child in children:
        yield from _leaves(child, own, depth - 1, (*path, step), seen)


def discover(root: Any, sizes: Sequence[int] | None, own: tuple[type, ...] = ()) -> list[Slot]:
    """The slots of a network of `sizes` (d, h1, …, K) within `root`, in our order; [] where a weight is missing.

    Without sizes, those of the arrays named like weights.
    """
    found = [(path, value, shape_of(value)) for path, value in leaves(root, own)]
    found = [each for each in found if not _no_parameter(each[0])]
    if sizes is None:
        sizes = infer_sizes(found)
        if sizes is None:
            return []
    for flipped in (False, True, None):
        slots = _oriented(found, sizes, flipped)
        if slots and not _left(found, slots):
            return slots
    return []


def _left(found: Sequence[Any], slots: list[Slot]) -> bool:
    """Whether a matrix besides the slots could be a weight: then the network has more layers than these."""
    taken = {slot.path for slot in slots}
    rest = [(path, shape) for path, _, shape in found if path not in taken and len(shape) == 2 and min(shape) > 1]
    return any(not last_name(path) or vocabulary.is_weight(last_name(path)) for path, _ in rest)


def _oriented(found: Sequence[Any], sizes: Sequence[int], flipped: bool | None) -> list[Slot]:
    """The slots where all matrices have one orientation, or (None) each its own; [] where one is missing."""
    slots: list[Slot] = []
    for l in range(1, len(sizes)):
        weight = _weight(found, sizes[l - 1], sizes[l], l, flipped, {slot.path for slot in slots})
        if weight is None:
            return []
        slots.append(weight)
        if weight.form.startswith("extra"):
            continue
        bias = _bias(found, sizes[l], l, {slot.path for slot in slots})
        if bias is not None:
            slots.append(bias)
    return slots


def _no_parameter(path: Path) -> bool:
    name = last_name(path)
    return bool(vocabulary.gradient_of(name)) or vocabulary.is_state(name)


def last_name(path: Path) -> str:
    """The innermost name of a path: `self.layers[0].W` → "W", `weights[1]` → "weights"."""
    return next((str(key) for kind, key in reversed(path) if isinstance(key, str)), "")


def infer_sizes(found: Sequence[tuple[Path, Any, tuple[int, ...]]]) -> tuple[int, ...] | None:
    """(d, h1, …, K) of a chain of matrices, in the order in which they are found."""
    matrices = [
        shape
        for path, _, shape in found
        if len(shape) == 2 and min(shape) > 1 and not vocabulary.is_bias(last_name(path))
    ]
    named = [
        shape
        for path, _, shape in found
        if len(shape) == 2 and not vocabulary.is_bias(last_name(path)) and vocabulary.is_weight(last_name(path))
    ]
    for chain in (named, matrices):
        if chain:
            if all(a[1] == b[0] for a, b in pairwise(chain)):
                return (chain[0][0], *(shape[1] for shape in chain))
            if all(a[0] == b[1] for a, b in pairwise(chain)):
                return (chain[0][1], *(shape[0] for shape in chain))
    return None


def _weight(
    found: Sequence[Any], fan_in: int, fan_out: int, l: int, turned: bool | None, taken: set[Path]
) -> Slot | None:
    shapes: dict[tuple[int, int], tuple[bool, str]] = {}
    if not turned:
        shapes |= {(fan_in + 1, fan_out): (False, "extra row"), (fan_in, fan_out): (False, "")}
    if turned is not False:
        shapes = {(fan_out, fan_in + 1): (True, "extra column"), (fan_out, fan_in): (True, "")} | shapes
    found = [each for each in found if each[0] not in taken]
    candidates = [each for each in found if each[2] in shapes and not vocabulary.is_bias(last_name(each[0]))]
    if fan_out == 1:  # a single output's weights are often (h,)
        candidates = candidates or [
            each for each in found if each[2] == (fan_in,) and vocabulary.is_weight(last_name(each[0]))
        ]
        if candidates and candidates[0][2] == (fan_in,):
            path, value, shape = candidates[0]
            return Slot(f"W{l}", path, False, "vector", isinstance(value, list), shape)
    if not candidates:
        return None
    path, value, shape = min(candidates, key=lambda each: _misfit(each[0], l, vocabulary.is_weight))
    flipped, form = shapes[shape]
    return Slot(f"W{l}", path, flipped, form, isinstance(value, list), shape)


def _bias(found: Sequence[Any], width: int, l: int, taken: set[Path]) -> Slot | None:
    forms = {(width,): "(h,)", (1, width): "(1, h)", (width, 1): "(h, 1)"}
    candidates = [each for each in found if each[2] in forms and each[0] not in taken]
    named = [each for each in candidates if vocabulary.is_bias(last_name(each[0]))]
    if not named:  # (W, b) in a tuple
        named = [each for each in candidates if not last_name(each[0])]
    if not named:
        return None
    path, value, shape = min(named, key=lambda each: _misfit(each[0], l, vocabulary.is_bias))
    return Slot(f"b{l}", path, False, forms[shape], isinstance(value, list), shape)


def _misfit(path: Path, l: int, suits: Any) -> tuple[bool, bool, int, int]:
    name = last_name(path)
    digits = re.findall(r"\d+", words(path))
    return (not suits(name), bool(digits) and str(l) not in digits and str(l - 1) not in digits, len(path), len(name))


def to_code(slot: Slot, parameters: Parameters) -> Any:
    """Our parameter in the code's shape (a fresh copy)."""
    value = parameters[slot.name]
    if slot.name.startswith("b"):
        form = {"(h,)": (-1,), "(1, h)": (1, -1), "(h, 1)": (-1, 1)}[slot.form]
        value = value.reshape(form).copy()
    elif slot.form == "vector":
        value = value[:, 0].copy()
    else:
        if slot.form.startswith("extra"):
            bias = parameters[f"b{slot.name[1:]}"]
            value = np.vstack([bias, value] if slot.first else [value, bias])
        value = value.T.copy() if slot.flipped else value.copy()
    return value.tolist() if slot.listed else value


def from_code(slot: Slot, value: Any) -> Parameters:
    """The code's parameter in our shape; two where it holds the bias too. Raises ValueError if it does not fit."""
    array = as_array(value)
    if array is None or (array.shape != slot.shape and array.size != int(np.prod(slot.shape))):
        raise ValueError(f"{slot.words} is no longer an array of shape {slot.shape}")
    array = array.reshape(slot.shape)
    if slot.name.startswith("b"):
        return {slot.name: array.reshape(-1)}
    if slot.form == "vector":
        return {slot.name: array.reshape(-1, 1)}
    array = array.T if slot.flipped else array
    if slot.form.startswith("extra"):
        weight, bias = (array[1:], array[0]) if slot.first else (array[:-1], array[-1])
        return {slot.name: weight.copy(), f"b{slot.name[1:]}": bias.copy()}
    return {slot.name: array.copy()}


def split(slot: Slot, value: Array) -> Parameters:
    """A gradient as the code has it, by our names, in its orientation; the bias apart where it is an extra row."""
    if slot.form.startswith("extra") and value.shape == slot.shape[::-1] != slot.shape:
        return {name: each.T for name, each in split(slot, value.T).items()}
    if slot.form.startswith("extra") and value.shape == slot.shape:
        array = value.T if slot.flipped else value
        weight, bias = (array[1:], array[0]) if slot.first else (array[:-1], array[-1])
        return {slot.name: weight.T.copy() if slot.flipped else weight.copy(), f"b{slot.name[1:]}": bias.copy()}
    return {slot.name: value}


def fetch(root: Any, path: Path) -> Any:
    for kind, key in path:
        root = getattr(root, key) if kind == "attribute" else root[key]
    return root


def placed(root: Any, path: Path, value: Any) -> Any:
    """`root` with `value` at `path`: changed in place where it can be, a new tuple where it cannot."""
    if not path:
        return value
    (kind, key), rest = path[0], path[1:]
    if kind == "attribute":
        setattr(root, key, placed(getattr(root, key), rest, value) if rest else value)
        return root
    inner = placed(root[key], rest, value) if rest else value
    if isinstance(root, tuple):
        entries = [inner if place == key else each for place, each in enumerate(root)]
        return type(root)(*entries) if hasattr(root, "_fields") else tuple(entries)
    root[key] = inner
    return root
