"""A sweep is data: a base configuration, a grid or a list of changes, and seeds; its points follow from it."""

import hashlib
import itertools
import json
import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from chainrule.errors import InputError, shown
from chainrule.runs.config import RunConfig, from_mapping
from chainrule.specs import whole
from chainrule.sweeps.settings import (
    changed,
    checked_key,
    flattened,
    setting,
    settings_toml,
    toml,
)

Seeds = int | Sequence[int | tuple[int, int]]
SEED_KEYS = ("seed", "network.init_seed", "training.order_seed")
LONGEST_NAME = 80


@dataclass(frozen=True)
class Point:
    """One training of a sweep.

    name      of the point and of its run: number, changes, seeds
    variant   number of the changes, from 0: points of one variant differ in their seeds alone
    changes   dotted keys with the values that this variant has in place of the base's
    seeds     (start, order): the seeds of the first weights and of the order of the samples
    config    the whole configuration
    """

    index: int
    name: str
    variant: int
    changes: dict[str, Any]
    seeds: tuple[int, int]
    config: RunConfig


@dataclass(frozen=True)
class Sweep:
    """Many runs that differ in what is asked about.

    base      what all have in common
    grid      {"training.learning_rate": [0.1, 0.01], …}: every combination is a variant
    changes   a list of variants that are not a grid, each {key: value}; with a grid, every one is combined with it
    seeds     a number n for the seeds 0 … n−1, or a list of seeds s, or of pairs (start, order). A seed s is the
              run's seed, which split, start and order follow unless the base gives them seeds of their own; a pair
              leaves the split alone. Every variant is trained with every seed, so variants are compared in pairs
    name      of the sweep; nothing depends on it

    Raises InputError for keys that are none, values of the wrong type, a key without values, a key that is given
    twice, seeds that clash, and for points that are the same.
    """

    base: RunConfig
    grid: Mapping[str, Sequence[Any]] = field(default_factory=dict)
    changes: Sequence[Mapping[str, Any]] = ()
    seeds: Seeds = 1
    name: str | None = None

    def __post_init__(self) -> None:
        _check_grid(self.grid)
        _check_changes(self.changes, self.grid)
        self.points()

    def points(self) -> tuple[Point, ...]:
        """All trainings, the seeds of a variant one after the other."""
        return self._points

    @cached_property
    def _points(self) -> tuple[Point, ...]:
        seeds = _checked_seeds(self.seeds, self.base)
        variants = [
            dict(change) | dict(zip(self.grid, values, strict=True))
            for change in self.changes or ({},)
            for values in itertools.product(*self.grid.values())
        ]
        digits = max(3, len(str(len(variants) * len(seeds) - 1)))
        points: list[Point] = []
        for number, changes in enumerate(variants):
            config = changed(_frugal(self.base), changes)
            told = {key: value for key, value in changes.items() if len(self.grid.get(key, (1, 2))) > 1}
            for seed in seeds:
                name = _name(len(points), digits, told, seed, many=len(seeds) > 1)
                own = replace(_seeded(config, seed), name=name)
                full = own.with_seeds()
                pair = (full.network.init_seed or 0, full.training.order_seed or 0)
                points.append(Point(len(points), name, number, changes, pair, own))
        _refuse_twins(points)
        return tuple(points)

    def to_toml(self) -> str:
        """The sweep as a file that `read_sweep_file` and `chainrule sweep` read."""
        seeds: Any = self.seeds
        if not isinstance(seeds, int):
            seeds = [seed if isinstance(seed, int) else list(seed) for seed in seeds]
        plan: dict[str, Any] = {} if self.name is None else {"name": self.name}
        plan |= {"seeds": seeds, "grid": {key: list(values) for key, values in self.grid.items()}}
        plan |= {"changes": [dict(change) for change in self.changes]} if self.changes else {}
        return toml({**settings_toml(self.base), "sweep": plan})

    def identity(self) -> str:
        """A hash of what the points are; names are left out."""
        content = [replace(point.config, name=None).to_json() for point in self.points()]
        return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:10]


def read_sweep_file(path: Path) -> Sweep:
    """A sweep from TOML: the settings of a run, and a table [sweep] with grid, changes, seeds and name.

    A file without [sweep] is a base with nothing to vary. Raises InputError in words for anything wrong.
    """
    try:
        content = json.loads(path.read_bytes()) if path.suffix == ".json" else tomllib.loads(path.read_bytes().decode())
    except FileNotFoundError:
        raise InputError(f"there is no settings file {path}", "Check the path.") from None
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}", "Check the path.") from None
    except (ValueError, RecursionError) as error:
        raise InputError(f"{path} cannot be read: {str(error)[:200]}", "Mend the line it names.") from None
    try:
        return _from_content(content, saved=path.suffix == ".json")
    except InputError as error:
        raise type(error)(f"{path}: {error.problem}", error.remedy) from None


@dataclass(frozen=True)
class _Plan:
    """The table [sweep] of a file."""

    name: str | None = None


def _from_content(content: Any, saved: bool) -> Sweep:
    plan = content.pop("sweep", {}) if isinstance(content, dict) else {}
    base = from_mapping(RunConfig, content)
    if saved:  # the settings of a run, whose seeds were filled in
        base = replace(base.with_open_seeds(), name=None, data=replace(base.data, sha256=None))
    if not isinstance(plan, dict):
        raise InputError(f"[sweep] is {shown(plan)}, not a table", "Write [sweep] and seeds = 5.")
    grid, changes, seeds = (plan.pop(name, default) for name, default in (("grid", {}), ("changes", []), ("seeds", 1)))
    if not isinstance(grid, dict) or not isinstance(changes, list) or not all(isinstance(c, dict) for c in changes):
        raise InputError(
            "[sweep.grid] is no table, or [[sweep.changes]] no list of tables",
            'Write [sweep.grid] and "training.learning_rate" = [0.1, 0.01].',
        )
    if isinstance(seeds, list):
        seeds = [tuple(seed) if isinstance(seed, list) else seed for seed in seeds]
    name = from_mapping(_Plan, plan, "sweep").name
    return Sweep(base, flattened(grid), [flattened(change) for change in changes], seeds, name)


def _check_grid(grid: Mapping[str, Sequence[Any]]) -> None:
    for key, values in grid.items():
        _checked_own_key(key)
        if isinstance(values, str) or not isinstance(values, Sequence):
            raise InputError(f"the values of {key} are {shown(values)}, no list", f"Write {key}: [first, second].")
        if not values:
            raise InputError(f"the grid has no value for {key}", "Give at least one, or leave the key out.")


def _check_changes(changes: Sequence[Mapping[str, Any]], grid: Mapping[str, Any]) -> None:
    for key in itertools.chain.from_iterable(changes):
        _checked_own_key(key)
        if key in grid:
            raise InputError(f"{key} is in the grid and in the changes", "Give it in one of them.")


def _checked_own_key(key: object) -> None:
    if checked_key(key) in SEED_KEYS:
        raise InputError(
            f"{key} is what the seeds of a sweep set",
            "Give them as seeds: a number, a list, or pairs (start, order); data.split_seed may be varied.",
        )


def _checked_seeds(seeds: Seeds, base: RunConfig) -> list[int | tuple[int, int]]:
    """Seeds s, or pairs (start, order)."""
    if isinstance(seeds, int) and not isinstance(seeds, bool):
        return list(range(whole("seeds", seeds, 1)))
    try:
        found = [_checked_seed(seed) for seed in seeds]  # type: ignore[union-attr]
    except TypeError:
        raise InputError(
            f"seeds is {shown(seeds)}", "Give a number, a list of seeds, or pairs (start, order)."
        ) from None
    if not found:
        raise InputError("the list of seeds is empty", "Give at least one, or leave it out.")
    if len({type(seed) for seed in found}) > 1:
        raise InputError(f"seeds {shown(seeds)} mix seeds and pairs", "Give the one or the other.")
    twice = [seed for place, seed in enumerate(found) if seed in found[:place]]
    if twice:
        raise InputError(f"seed {twice[0]} is given twice", "The same run twice is no second observation.")
    if isinstance(found[0], tuple):
        for key in SEED_KEYS[1:]:
            if setting(base, key) is not None:
                raise InputError(
                    f"the base sets {key} to {setting(base, key)}, and so do the pairs of seeds", "Leave one out."
                )
    return found


def _checked_seed(seed: Any) -> int | tuple[int, int]:
    if isinstance(seed, Sequence) and not isinstance(seed, str):
        if len(seed) != 2:
            raise InputError(f"{shown(seed)} is no pair of seeds", "Give (start, order).")
        return whole("start", seed[0]), whole("order", seed[1])
    return whole("seed", seed)


def _seeded(config: RunConfig, seed: int | tuple[int, int]) -> RunConfig:
    if isinstance(seed, int):
        return replace(config, seed=seed)
    return replace(
        config,
        network=replace(config.network, init_seed=seed[0]),
        training=replace(config.training, order_seed=seed[1]),
    )


def _frugal(base: RunConfig) -> RunConfig:
    """The base without the samples that a single run keeps to be shown, unless it asks for them."""
    if base.training.record_samples is not None:
        return base
    return replace(base, training=replace(base.training, record_samples=0))


def _name(index: int, digits: int, changes: Mapping[str, Any], seed: int | tuple[int, int], many: bool) -> str:
    """`007-learning_rate=0.1-s3`: a name of a file that tells a person which point it is."""
    words = [f"{key.rpartition('.')[2]}={_in_short(value)}" for key, value in changes.items()]
    if isinstance(seed, tuple):
        words.append(f"s{seed[0]}-o{seed[1]}")
    elif many:
        words.append(f"s{seed}")
    label = re.sub(r"[^A-Za-z0-9.=_+]+", "-", "-".join(words)).strip("-.")
    return f"{index:0{digits}}-{label}"[:LONGEST_NAME].rstrip("-.") if label else f"{index:0{digits}}"


def _in_short(value: Any) -> str:
    return "-".join(map(str, value)) if isinstance(value, list | tuple) else str(value)


def _refuse_twins(points: list[Point]) -> None:
    seen: dict[str, Point] = {}
    for point in points:
        content = asdict(replace(point.config.with_seeds(), name=None))
        del content["seed"]
        twin = seen.setdefault(json.dumps(content, sort_keys=True), point)
        if twin is not point:
            raise InputError(
                f"points {twin.name} and {point.name} are the same run",
                "A value stands twice, or the base fixes what the seeds should change.",
            )
