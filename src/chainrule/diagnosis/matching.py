"""Which array that somebody's backward pass gives is the gradient of which parameter: by name, place, then shape."""

import re
from collections.abc import Sequence
from typing import Any

from chainrule.diagnosis import vocabulary
from chainrule.diagnosis.parameters import Path, Slot, last_name, words
from chainrule.diagnosis.vocabulary import gradient_of, plain
from chainrule.diagnosis.watching import as_array, shape_of

Named = tuple[str, Any]


def matched(
    slots: Sequence[Slot], result: Any, names: Sequence[str], own: tuple[type, ...] = (), attributes: bool = False
) -> dict[str, Named]:
    """Our name of the parameter → (the gradient's name, the gradient) for those that are found in `result`.

    `names` are those of the entries of `result` where it is a tuple or list. Of `attributes`, only what is named as a
    gradient counts; of what was returned, also what is named as the parameter itself, and at last what has its shape.
    """
    if result is None:
        return {}
    entries = [(path, value) for path, value in _entries(result, own) if path or not attributes]
    labels = {path: _label(path, names) for path, _ in entries}
    found: dict[str, Named] = {}
    used: set[Path] = set()
    for suits in (_same_place, _same_name, _same_kind):
        for slot in slots:
            if slot.name in found:
                continue
            fitting = [
                (path, value)
                for path, value in entries
                if path not in used and suits(slot, path, labels[path], attributes, names)
            ]
            if fitting:
                path, value = min(fitting, key=lambda each: (shape_of(each[1]) != slot.shape, len(each[0])))
                found[slot.name] = (labels[path], value)
                used.add(path)
    _listed_numbers(slots, entries, labels, found, used)
    _reversed(slots, found)
    if not attributes:
        _by_shape(slots, entries, labels, found, used)
    return found


def _entries(result: Any, own: tuple[type, ...]) -> list[tuple[Path, Any]]:
    """Like `leaves`, with numbers as well: a bias's gradient may have been collapsed to one."""
    collected: list[tuple[Path, Any]] = []

    def visit(value: Any, path: Path, depth: int, seen: frozenset[int]) -> None:
        if as_array(value) is not None:
            collected.append((path, value))
        elif depth and id(value) not in seen:
            inner = seen | {id(value)}
            if isinstance(value, dict):
                for key, each in list(value.items())[:200]:
                    visit(each, (*path, ("key", key)), depth - 1, inner)
            elif isinstance(value, list | tuple):
                for place, each in enumerate(value[:100]):
                    visit(each, (*path, ("index", place)), depth - 1, inner)
            elif own and isinstance(value, own):
                for name, each in list(vars(value).items())[:200]:
                    visit(each, (*path, ("attribute", name)), depth - 1, inner)

    visit(result, (), 5, frozenset())
    return collected


def _label(path: Path, names: Sequence[str]) -> str:
    """A name to show: `grads["dW1"]`, `dW1`, `self.layers[0].dW`."""
    if path and path[0][0] == "index" and path[0][1] < len(names) and names[path[0][1]]:
        return names[path[0][1]] + words(path[1:])
    if path and path[0][0] == "attribute":
        return f"self.{words(path)}"
    return words(path) if path and path[0][0] != "key" else f"grads{words(path)}" if path else ""


def _word(path: Path, label: str) -> str:
    """The innermost name that says what it is."""
    name = last_name(path)
    return name or re.split(r"\[", label)[0].rsplit(".", 1)[-1]


def _index(path: Path) -> list[int]:
    return [key for kind, key in path if kind == "index" or (kind == "key" and isinstance(key, int))]


def _same_place(slot: Slot, path: Path, label: str, attributes: bool, names: Sequence[str]) -> bool:
    """`layers[0].dW` beside `layers[0].W`."""
    if len(path) != len(slot.path) or path[:-1] != slot.path[:-1]:
        return False
    return bool(slot.word) and gradient_of(_word(path, label)) == plain(slot.word)


def _same_name(slot: Slot, path: Path, label: str, attributes: bool, names: Sequence[str]) -> bool:
    """`dW1`, `grad_W1` or, of what was returned, `W1`; of lists, the entry of the same place."""
    word = _word(path, label)
    theirs = plain(slot.word)
    base = gradient_of(word) or ("" if attributes else plain(word))
    if not base or not theirs:
        return False
    ours = _index(path)[len([1 for _ in range(1)]) if names and path and path[0][0] == "index" else 0 :]
    index = _index(slot.path)
    if base == theirs or base.rstrip("s") == theirs.rstrip("s"):
        return not index or not ours or ours[-1] == index[-1]
    return False


def _same_kind(slot: Slot, path: Path, label: str, attributes: bool, names: Sequence[str]) -> bool:
    """A weight's gradient for a weight where number or place agree: `dW[0]` for `weights[0]`, `grad_w2` for `W_2`."""
    word = _word(path, label)
    base = gradient_of(word) or ("" if attributes else plain(word))
    if not base:
        return False
    weight = slot.name.startswith("W")
    if (vocabulary.is_weight(base) != weight) or (vocabulary.is_bias(base) == weight):
        return False
    number = re.findall(r"\d+", base)
    theirs = re.findall(r"\d+", plain(slot.word)) or [slot.name[1:]]
    if number:
        return bool(number[-1] == theirs[-1])
    ours = _index(path)[1 if names and path and path[0][0] == "index" else 0 :]
    if ours:
        index = _index(slot.path)
        return ours[-1] in (index[-1] if index else -1, int(slot.name[1:]) - 1)
    return False


def _listed_numbers(
    slots: Sequence[Slot],
    entries: list[tuple[Path, Any]],
    labels: dict[Path, str],
    found: dict[str, Named],
    used: set[Path],
) -> None:
    """`grad_b = [0.3, 0.1]`: gradients of all biases in a list, each collapsed to a number."""
    biases = [slot for slot in slots if slot.name.startswith("b")]
    if any(slot.name in found for slot in biases):
        return
    for path, value in entries:
        base = gradient_of(_word(path, labels[path]))
        if isinstance(value, list) and shape_of(value) == (len(biases),) and vocabulary.is_bias(base or "-"):
            for place, slot in enumerate(biases):
                found[slot.name] = (f"{labels[path]}[{place}]", value[place])
            used.add(path)
            return


def _reversed(slots: Sequence[Slot], found: dict[str, Named]) -> None:
    """Lists that start with the last layer are turned round, where all shapes then fit and some did not before."""
    for kind in "Wb":
        mine = [
            slot for slot in slots if slot.name.startswith(kind) and slot.name in found and "[" in found[slot.name][0]
        ]
        if len(mine) < 2:
            continue
        shapes = [shape_of(found[slot.name][1]) for slot in mine]
        wanted = [slot.shape for slot in mine]
        if shapes != wanted and shapes[::-1] == wanted:
            turned = [found[slot.name] for slot in mine][::-1]
            found.update({slot.name: each for slot, each in zip(mine, turned, strict=True)})


def _by_shape(
    slots: Sequence[Slot],
    entries: list[tuple[Path, Any]],
    labels: dict[Path, str],
    found: dict[str, Named],
    used: set[Path],
) -> None:
    for slot in slots:
        if slot.name in found:
            continue
        fitting = [each for each in entries if each[0] not in used and shape_of(each[1]) == slot.shape]
        fitting = [each for each in fitting if not _of_another(labels[each[0]], slot, slots)]
        if len(fitting) == 1:
            path, value = fitting[0]
            found[slot.name] = (labels[path], value)
            used.add(path)
    rest = [slot for slot in slots if slot.name not in found]
    left = [each for each in entries if each[0] not in used]
    if rest and len(rest) == len(left) and len(entries) == len(slots):
        for slot, (path, value) in zip(rest, left, strict=True):
            found[slot.name] = (labels[path], value)


def _of_another(label: str, slot: Slot, slots: Sequence[Slot]) -> bool:
    base = gradient_of(label.rsplit(".", 1)[-1])
    return bool(base) and any(base == plain(each.word) for each in slots if each is not slot)
