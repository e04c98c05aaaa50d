"""Runs laid side by side: in which settings they differ, which differ in their seeds alone, what each setting does."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from chainrule.runs import Run, RunConfig
from chainrule.statistics import Interval, mean_interval
from chainrule.sweeps.settings import flattened

SEEDS = ("data.split_seed", "network.init_seed", "training.order_seed")
# What follows from other settings, or decides nothing about results.
ASIDE = ("name", "seed", "data.sha256", "network.start_sha256", "training.record_samples", *SEEDS)
WHOLE = "variant"  # in the place of a setting where variants do not differ in one setting at a time


@dataclass(frozen=True)
class Case:
    """A run with the settings in which it differs from the others, as they are written, and its seeds."""

    run: Run
    settings: Mapping[str, str]
    seeds: tuple[int, ...]

    @property
    def label(self) -> str:
        words = (f"{key.rpartition('.')[2]} = {value}" for key, value in self.settings.items())
        return ", ".join(words) or "all runs"


@dataclass(frozen=True)
class Measure:
    """What is compared: a name with its unit, the number of a run, and whether more of it is better."""

    name: str
    of: Callable[[Run], float]
    higher_is_better: bool


@dataclass(frozen=True)
class Effect:
    """What one value of a setting goes with.

    by_seed     for each seed the mean over all combinations of the other settings that have every value of this one
    difference  by_seed less that of the first value of the setting; empty for the first value itself
    """

    setting: str
    value: str
    by_seed: tuple[float, ...]
    difference: tuple[float, ...]


def cases(runs: Sequence[Run]) -> list[Case]:
    """The runs as cases, in their order; raises RunError where one has no readable config.json."""
    configs = [run.config().with_seeds() for run in runs]
    flat = [flattened(config.to_json()) for config in configs]
    keys = [key for key in flat[0] if key not in ASIDE and len({_written(content[key]) for content in flat}) > 1]
    return [
        Case(run, {key: _written(content[key]) for key in keys}, _seeds(config))
        for run, config, content in zip(runs, configs, flat, strict=True)
    ]


def grouped(found: Sequence[Case]) -> dict[str, list[Case]]:
    """Cases that differ in their seeds alone, by their label, in the order in which they come."""
    groups: dict[str, list[Case]] = {}
    for case in found:
        groups.setdefault(case.label, []).append(case)
    return groups


def measure(found: Sequence[Case]) -> Measure:
    """The accuracy (else the loss) of the validation part, by which one may choose; of another where there is none."""
    results = [case.run.evaluations() for case in found]
    part = next(name for name in ("validation", "test", "train") if all(name in result for result in results))
    if all(result[part].accuracy is not None for result in results):
        return Measure(f"{part} accuracy, %", lambda run: 100 * (run.evaluations()[part].accuracy or 0.0), True)
    return Measure(f"{part} loss", lambda run: run.evaluations()[part].loss, False)


def effects(found: Sequence[Case], values: Sequence[float]) -> list[Effect]:
    """For each setting with several values what each of them goes with; `values` are the numbers of `found`.

    Compared is like with like: the same seed and the same other settings. Where that is nowhere so, each combination of
    settings is a value of one setting of its own.
    """
    table = [(case.settings, case.seeds, values[place]) for place, case in enumerate(found)]
    keys = list(found[0].settings)
    effects = [effect for key in keys for effect in _of_setting(key, table)]
    if effects or not keys:
        return effects
    merged = [({WHOLE: case.label}, seeds, value) for case, (_, seeds, value) in zip(found, table, strict=True)]
    return list(_of_setting(WHOLE, merged))


Row = tuple[Mapping[str, str], tuple[int, ...], float]


def _of_setting(key: str, table: Sequence[Row]) -> Iterator[Effect]:
    cells: dict[tuple[Any, ...], dict[str, float]] = {}
    for settings, seeds, value in table:
        others = tuple(other for name, other in settings.items() if name != key)
        cells.setdefault((seeds, others), {})[settings[key]] = value
    levels = list(dict.fromkeys(settings[key] for settings, _, _ in table))
    whole = {place: cell for place, cell in cells.items() if len(cell) == len(levels)}
    whole_seeds = list(dict.fromkeys(place[0] for place in whole))
    if not whole_seeds:
        return
    means = {
        level: np.array([np.mean([c[level] for place, c in whole.items() if place[0] == s]) for s in whole_seeds])
        for level in levels
    }
    for level in levels:
        gaps = [] if level == levels[0] else (means[level] - means[levels[0]]).tolist()
        yield Effect(key, level, tuple(means[level].tolist()), tuple(gaps))


def interval(values: Sequence[float]) -> Interval | None:
    """The mean with its 95 % interval; None for a single value, which has none."""
    return mean_interval(values) if len(values) > 1 else None


def _seeds(config: RunConfig) -> tuple[int, ...]:
    return (config.data.split_seed or 0, config.network.init_seed or 0, config.training.order_seed or 0)


def _written(value: Any) -> str:
    if isinstance(value, list):
        return "–".join(map(_written, value)) or "none"
    if value is None:
        return "default"
    return value if isinstance(value, str) else json.dumps(value)
