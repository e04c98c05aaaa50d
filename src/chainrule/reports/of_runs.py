"""The reports of several runs and of a sweep: in what they differ, what they reach, and what each setting does."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from chainrule import figures
from chainrule.errors import ChainruleError, RunError
from chainrule.evaluation import Evaluation
from chainrule.reports import items
from chainrule.reports.cases import Case, Effect, Measure, cases, effects, grouped, interval, measure
from chainrule.reports.document import Cell, Figure, Item, Prose, Report, Section, Table
from chainrule.reports.evidence import problems
from chainrule.reports.items.results import PART_NAMES, spread
from chainrule.reports.of_run import attempted, opened
from chainrule.runs import Run
from chainrule.runs.folder import PARTS
from chainrule.sweeps import SweepResult

MOST_CURVES = 6  # variants whose curves are drawn
MOST_CONFUSIONS = 3
MOST_BARS = 12
MOST_ROWS = 200  # of the list of runs


def report_of_runs(runs: Sequence[Run]) -> Report:
    """Runs side by side; those that differ in their seeds alone count as one variant.

    A run that has no results, or of which a file is missing or edited, is named in the notes; raises RunError where
    fewer than two can be compared.
    """
    notes, usable = _sorted_out(runs)
    if len(usable) < 2:
        raise RunError(
            f"{len(usable)} of {len(runs)} runs can be compared" + (f": {notes[0]}" if notes else ""),
            "Name at least two finished runs.",
        )
    title = f"Comparison of {len(usable)} runs"
    return _compared(title, usable, notes)


def report_of_sweep(result: SweepResult) -> Report:
    """A sweep: what each variant reaches and what each setting does, over its seeds; points without results are named.

    Raises RunError where no point is finished.
    """
    notes, usable = _sorted_out(result.runs)
    if not usable:
        raise RunError(f"no point of {result.folder} is finished", f"Go on with it: chainrule sweep {result.folder}")
    notes = [
        *(f"Point {point.point.name} failed: {' '.join(str(point.error).split())}" for point in result.failed),
        *([f"{len(result.unfinished)} of {len(result.points)} points are not finished."] if result.unfinished else []),
        *notes,
    ]
    title = f"Sweep {result.sweep.name or result.folder.resolve().name}"
    return _compared(title, usable, notes)


def _sorted_out(runs: Sequence[Run]) -> tuple[list[str], list[Run]]:
    """What is wrong with the runs, and those that have settings and results."""
    notes, usable = [], []
    for run in runs:
        notes += [f"{run.path.name}: {problem}" for problem in problems(run)]
        try:
            run.config()
            if run.evaluations():
                usable.append(run)
        except ChainruleError:
            continue  # it is named among the problems
    return notes, usable


def _compared(title: str, runs: Sequence[Run], notes: Sequence[str]) -> Report:
    found = cases(runs)
    by = measure(found)
    values = [by.of(case.run) for case in found]
    groups = grouped(found)
    means = {
        label: float(np.mean([v for case, v in zip(found, values, strict=True) if case.label == label]))
        for label in groups
    }
    order = sorted(groups, key=lambda label: means[label], reverse=by.higher_is_better)
    sections = [
        Section("Results", list(_results(groups, order, by))),
        Section("What each setting does", list(_effects(found, by, values))),
        Section("Training", list(_training(groups, order))),
        Section("What was done", list(_done(found))),
    ]
    return Report(title, _summary(found, groups, by, means, order), sections, notes)


def _summary(
    found: Sequence[Case], groups: Mapping[str, list[Case]], by: Measure, means: Mapping[str, float], order: list[str]
) -> list[str]:
    keys = ", ".join(found[0].settings) or "nothing but their seeds"
    counts = sorted({len(group) for group in groups.values()})
    each = f"{counts[0]}" if len(counts) == 1 else f"{counts[0]} to {counts[-1]}"
    text = f"{len(found)} runs that differ in {keys}: {len(groups)} variants of {each} run{'s' * (counts != [1])} each."
    if len(groups) > 1:
        best = order[0]
        text += f" By {by.name}, which chooses here, the best is {best}: {means[best]:.4g}."
    looked = Counter(opened(case.run.results()) for case in found)
    for words, count in looked.items():
        where = "each run" if count == len(found) else "one run" if count == 1 else f"{count} runs"
        text += f" In {where}: {words[0].lower()}{words[1:]}"
    return [text]


def _done(found: Sequence[Case]) -> Iterator[Item]:
    keys = list(found[0].settings)
    numbered = any(case.label.startswith("variant ") for case in found)
    rows: list[list[Cell]] = [
        [case.run.path.name, *([case.label] * numbered), *case.settings.values(), *map(str, case.seeds)]
        for case in found[:MOST_ROWS]
    ]
    head = ["run", *(["variant"] * numbered), *keys, "split seed", "start seed", "order seed"]
    caption = "Settings in which the runs differ." if keys else "The runs differ in their seeds alone."
    if len(found) > len(rows):
        caption += f" The first {len(rows)} of {len(found)}."
    yield Table("runs", "Runs", head, rows, caption)
    first = found[0].run
    yield attempted(
        lambda: items.settings_table("settings", first, title="Settings of the first run"), "settings", "Settings"
    )
    yield attempted(lambda: items.data_table("data", first), "data", "Data")
    yield attempted(lambda: items.environment_table("environment", first), "environment", "Versions, machine, time")


def _results(groups: Mapping[str, list[Case]], order: list[str], by: Measure) -> Iterator[Item]:
    runs = {label: [case.run for case in groups[label]] for label in groups}
    yield attempted(lambda: variants_table("results", runs, by.part), "results", "Results")
    shown = {label: runs[label] for label in runs if label in order[:MOST_BARS]}
    note = "" if len(shown) == len(runs) else f"The best {len(shown)} of {len(runs)} variants."
    yield attempted(
        lambda: items.part_bars("accuracy-by-part", shown, caption=note), "accuracy-by-part", "Accuracy by part"
    )
    few = {label: runs[label] for label in order[:MOST_CONFUSIONS]}
    yield attempted(lambda: _confusions("confusion-matrices", few), "confusion-matrices", "Confusion matrices")


def variants_table(id: str, runs: items.Runs, part: str, *, title: str = "Results", caption: str = "") -> Table:
    """One row a variant, mean ± sd over its runs: accuracy of every part and loss of `part`; guessing last.

    Of a regression the loss of every part.
    """
    results = {label: [run.evaluations() for run in group] for label, group in runs.items()}
    every = [result for group in results.values() for result in group]
    parts = [name for name in PARTS if any(name in result for result in every)]
    regression = any(value.accuracy is None for result in every for value in result.values())
    accuracies = [] if regression else parts
    losses = parts if regression else [part]

    def cells(group: Sequence[Mapping[str, Evaluation]], read: Callable[[Evaluation, str], float | None]) -> list[Cell]:
        def column(name: str, what: str, times: float, places: int) -> str:
            found = [read(result[name], what) for result in group if name in result]
            return spread([times * value for value in found if value is not None], places)

        return [*(column(name, "accuracy", 100, 2) for name in accuracies), *(column(n, "loss", 1, 4) for n in losses)]

    rows: list[list[Cell]] = [[label, len(group), *cells(group, getattr)] for label, group in results.items()]
    rows.append(["guessing", None, *cells(every, lambda result, what: result.baseline.get(what))])
    head = ["", "n", *(f"{PART_NAMES[name]} accuracy, %" for name in accuracies)]
    head += [f"{PART_NAMES[name]} loss" for name in losses]
    words = "Mean ± standard deviation (n − 1) over n runs. Guessing: majority share, and loss of the best constant."
    return Table(id, title, head, rows, " ".join(filter(None, (caption, words))))


def _confusions(id: str, runs: items.Runs) -> Item:
    """The confusion matrices of the last part, summed over the runs of a variant, side by side."""
    results = {label: [list(run.evaluations().items())[-1] for run in group] for label, group in runs.items()}
    part, first = next(iter(results.values()))[0]
    title = f"Confusion matrices, {PART_NAMES[part]} part"
    same = {result.classes for group in results.values() for _, result in group} == {first.classes}
    if first.confusion is None or not same or len(first.classes) > figures.confusions.MOST_CLASSES:
        return items.missing(id, title, "They are not drawn side by side: the classes are too many, or not the same.")
    summed = {
        label: np.sum([result.confusion for _, result in group if result.confusion is not None], axis=0)
        for label, group in results.items()
    }
    caption = "Summed over the runs of a variant; the best variants first."
    return Figure(id, title, figures.confusion_panels(summed, first.classes), caption=caption)


def _effects(found: Sequence[Case], by: Measure, values: Sequence[float]) -> Iterator[Item]:
    every = effects(found, values)
    if not every:
        why = "the runs do not differ in one" if not found[0].settings else "no seed was used with every value of one"
        yield Prose([f"There is no effect of a setting to show: {why}."])
        return
    seeds = max(len(effect.by_seed) for effect in every)
    words = (
        f"For each value of a setting the {by.name}, averaged over the other settings, "
        f"of {seeds} seed{'s' * (seeds != 1)}"
        + (", with 95 % intervals of Student's t over the seeds." if seeds > 1 else "; one seed has no interval.")
    )
    drawn = [_drawn(effect) for effect in every]
    yield attempted(
        lambda: Figure("effects", "Effect of each setting", figures.setting_effects(drawn, measure=by.name), "", words),
        "effects",
        "Effect of each setting",
    )
    yield effects_table("effects-table", every, by)


def _drawn(effect: Effect) -> Any:
    found = interval(effect.by_seed)
    mean = float(np.mean(effect.by_seed))
    low, high = (None, None) if found is None else (found.low, found.high)
    return figures.Effect(effect.setting, effect.value, mean, low, high, len(effect.by_seed), effect.by_seed)


def effects_table(id: str, every: Sequence[Effect], by: Measure) -> Table:
    """Mean and interval of each value, and its difference to the first value of its setting, paired by seed."""
    rows: list[list[Cell]] = []
    for effect in every:
        against = next(other.value for other in every if other.setting == effect.setting)
        cells = [_with_interval(values) for values in (effect.by_seed, effect.difference)]
        reference = "" if not effect.difference else f"less {against}"
        decided = interval(effect.difference) if len(effect.difference) > 1 else None
        verdict = "" if decided is None else ("yes" if decided.side else "no")
        rows.append([effect.setting, effect.value, len(effect.by_seed), cells[0], reference, cells[1], verdict])
    head = ["setting", "value", "seeds", by.name, "", "paired difference", "excludes 0"]
    caption = (
        "In brackets the 95 % interval over the seeds. Differences are taken seed by seed, with all other settings the "
        "same. Each interval stands for itself: of twenty, one excludes 0 by chance."
    )
    return Table(id, "Effects and paired differences", head, rows, caption)


def _with_interval(values: Sequence[float]) -> str:
    if not values:
        return ""
    found = interval(values)
    text = f"{np.mean(values):.4f}" if found is None else f"{found.estimate:.4f} [{found.low:.4f}, {found.high:.4f}]"
    return text.replace("-", "−")


def _training(groups: Mapping[str, list[Case]], order: list[str]) -> Iterator[Item]:
    shown = {label: [case.run for case in groups[label]] for label in order[:MOST_CURVES]}
    note = "" if len(shown) == len(groups) else f"The best {len(shown)} of {len(groups)} variants."
    yield attempted(
        lambda: items.curves("loss-and-accuracy", shown, together=len(shown) > 1, caption=note),
        "loss-and-accuracy",
        "Loss and accuracy by epoch",
    )
