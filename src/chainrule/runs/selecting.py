"""Choosing among many runs: conditions on settings and results, an order, a number; and what they differ in."""

import operator
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from chainrule.errors import InputError, shown, unknown_name
from chainrule.runs.index import Entry

OPERATORS: dict[str, Callable[[Any, Any], bool]] = {
    "<=": operator.le,
    ">=": operator.ge,
    "!=": operator.ne,
    "=": operator.eq,
    "<": operator.lt,
    ">": operator.gt,
}
CONDITION = re.compile(r"([\w.]+)\s*(<=|>=|!=|==|=|<|>)\s*(.*)", re.DOTALL)
SEEDS = ("seed", "data.split_seed", "network.init_seed", "training.order_seed")


@dataclass(frozen=True)
class Condition:
    """`key operator value`: validation.accuracy>0.9, training.optimizer=adam."""

    key: str
    operator: str
    value: Any

    def holds(self, facts: Mapping[str, Any]) -> bool:
        """A run that has no such value meets no condition but !=."""
        found = facts.get(self.key)
        if found is None and self.value is not None:
            return self.operator == "!="
        try:
            return OPERATORS[self.operator](_plain(found), self.value)
        except TypeError:
            return False


def condition(text: str) -> Condition:
    """The condition that `text` states; raises InputError where it states none."""
    match = CONDITION.fullmatch(text.strip())
    if match is None:
        raise InputError(
            f"{shown(text)} is no condition",
            'Write --where training.learning_rate=0.1 --where "validation.accuracy>0.9"',
        )
    key, sign, value = match.groups()
    return Condition(key, "=" if sign == "==" else sign, _value(value.strip()))


def facts(entry: Entry) -> dict[str, Any]:
    """All that is known of a run by dotted keys: run, state, epochs, seconds; training.…; validation.accuracy, …"""
    own = {"run": entry.run, "state": entry.state, "epochs": entry.epochs, "seconds": entry.seconds}
    return {**_flat(entry.settings), **_flat(entry.results), **own}


def select(
    entries: Iterable[Entry],
    conditions: Sequence[Condition] = (),
    sort: str | None = None,
    descending: bool = False,
    limit: int | None = None,
) -> list[dict[str, Any]]:
    """The facts of the runs that meet all `conditions`, by the value of `sort`, at most `limit`.

    Runs without a value of `sort` come last. Raises UnknownNameError for a key that no run has, and InputError for a
    word that is to be less or more than numbers.
    """
    every = [facts(entry) for entry in entries]
    known = {key for one in every for key in one}
    for key in (*(c.key for c in conditions), *(() if sort is None else (sort,))):
        if key not in known:
            raise unknown_name("setting or result", key, known)
    for one in conditions:
        _refuse_words_for_numbers(one, [fact[one.key] for fact in every if fact.get(one.key) is not None])
    chosen = [one for one in every if all(c.holds(one) for c in conditions)]
    if sort is not None:
        having = [one for one in chosen if one.get(sort) is not None]
        having.sort(key=lambda one: _sortable(one[sort]), reverse=descending)
        chosen = having + [one for one in chosen if one.get(sort) is None]
    return chosen if limit is None else chosen[:limit]


def _refuse_words_for_numbers(asked: Condition, found: Sequence[Any]) -> None:
    numbers = found and all(isinstance(value, int | float) and not isinstance(value, bool) for value in found)
    if numbers and isinstance(asked.value, str) and asked.operator in ("<", ">", "<=", ">="):
        raise InputError(
            f"{asked.key} is a number, and {shown(asked.value)} is none",
            f'Write --where "{asked.key}{asked.operator}{found[0]:g}"',
        )


def differing(chosen: Sequence[Mapping[str, Any]], among: Iterable[str]) -> list[str]:
    """The keys of `among` whose values are not the same in all."""
    return [key for key in among if len({repr(one.get(key)) for one in chosen}) > 1]


def _flat(content: Mapping[str, Any], section: str = "") -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in content.items():
        where = f"{section}.{name}" if section else name
        found |= _flat(value, where) if isinstance(value, Mapping) else {where: value}
    return found


def _plain(value: Any) -> Any:
    """A list of one as that one; a longer one as text: [300, 100]."""
    if isinstance(value, list):
        return value[0] if len(value) == 1 else str(value)
    return value


def _value(text: str) -> Any:
    words = {"true": True, "false": False, "none": None}
    if text.lower() in words:
        return words[text.lower()]
    try:
        return float(text)
    except ValueError:
        return re.sub(r"\s*,\s*", ", ", text) if text.startswith("[") else text.strip("\"'")


def _sortable(value: Any) -> tuple[bool, Any]:
    return (isinstance(value, str | list), str(value) if isinstance(value, str | list) else value)
