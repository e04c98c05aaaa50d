"""Runs laid side by side: in which settings they differ, which differ in their seeds alone, what each setting does."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from chainrule.reports.wording import PATHS, told_apart
from chainrule.runs import Run, RunConfig
from chainrule.statistics import Interval, mean_interval
from chainrule.sweeps.settings import flattened

SEEDS = ("data.split_seed", "network.init_seed", "training.order_seed")
RECORDINGS = (
    *("curves", "curve_samples", "curve_every", "monitor_test", "snapshots"),
    *("record_batches", "record_layers", "record_samples"),
)
# What follows from other settings, or only decides what is kept.
ASIDE = ("name", "seed", "data.sha256", "network.start_sha256", *SEEDS, *(f"training.{name}" for name in RECORDINGS))
LONGEST_LABEL = 60  # signs; beyond, variants are numbered
WHOLE = "variant"  # in the place of a setting where variants do not differ in one setting at a time


@dataclass(frozen=True)
class Case:
    """A run with the settings in which it differs from the others, as they are written, and its seeds.

    label   of its variant, which all cases with the same settings share
    """

    run: Run
    settings: Mapping[str, str]
    seeds: tuple[int, ...]
    label: str


@dataclass(frozen=True)
class Measure:
    """What is compared: a name with its unit, the part of the data, the number of a run, whether more is better."""

    name: str
    part: str
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
    chosen = [{key: _written(content[key]) for key in keys} for content in flat]
    for key in set(keys) & set(PATHS):
        names = told_apart(settings[key] for settings in chosen)
        for settings in chosen:
            settings[key] = names[settings[key]]
    labels = _labels(chosen)
    return [
        Case(run, settings, _seeds(config), labels[_in_words(settings)])
        for run, config, settings in zip(runs, configs, chosen, strict=True)
    ]


def _labels(chosen: Sequence[Mapping[str, str]]) -> dict[str, str]:
    """A label for each combination of settings: their words, or a number where these are long."""
    every = list(dict.fromkeys(map(_in_words, chosen)))
    if max(map(len, every)) <= LONGEST_LABEL:
        return {words: words for words in every}
    return {words: f"variant {number}" for number, words in enumerate(every, 1)}


def _in_words(settings: Mapping[str, str]) -> str:
    return ", ".join(f"{key.rpartition('.')[2]} = {value}" for key, value in settings.items()) or "all runs"


def grouped(found: Sequence[Case]) -> dict[str, list[Case]]:
    """Cases that differ in their seeds alone, by their label, in the order in which they come."""
    groups: dict[str, list[Case]] = {}
    for case in found:
        groups.setdefault(case.label, []).append(case)
    return groups


def measure(found: Sequence[Case]) -> Measure:
    """The accuracy (else the loss) of the validation part, by which one may choose; else of the training part."""
    results = [case.run.evaluations() for case in found]
    part = next(name for name in ("validation", "train") if all(name in result for result in results))
    if all(result[part].accuracy is not None for result in results):
        return Measure(f"{part} accuracy", part, lambda run: run.evaluations()[part].accuracy or 0.0, True)
    return Measure(f"{part} loss", part, lambda run: run.evaluations()[part].loss, False)


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
    if isinstance(value, float):
        return f"{value:g}"
    return value if isinstance(value, str) else json.dumps(value)
