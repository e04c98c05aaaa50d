"""Is the mean image worth subtracting? With and without, from two starts, at both readings of the rate."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import product
from typing import TYPE_CHECKING, Any

import numpy as np

from chainrule.runs import Run, RunConfig
from chainrule.studies.lab import Lab, by_variant
from chainrule.studies.mnist_task import (
    AS_READ,
    EFFECTIVE_RATE,
    MARKS,
    MEAN,
    PRINTED_RATE,
    SOURCE,
    SYMMETRIC,
    TWO_READINGS,
    UNIFORM,
    config,
    differences,
    long_run,
    paired,
    percent,
)
from chainrule.studies.study import OTHER_SOLUTION, Declared, Published, Study
from chainrule.studies.wording import counted, mean_sd

if TYPE_CHECKING:
    from chainrule.reports.document import Cell, Item, Report, Table

PREPARED = {MEAN: "mean image subtracted", AS_READ: "as read"}
IN_SHORT = {MEAN: "subtracted", AS_READ: "as read"}
STARTS = {UNIFORM: "U[0, 1)", SYMMETRIC: "symmetric"}
RATES = {PRINTED_RATE: "rate 0.1", EFFECTIVE_RATE: "rate 0.001"}
_STARTS_IN_IDS = {UNIFORM: "uniform", SYMMETRIC: "symmetric"}
_RATES_IN_IDS = {PRINTED_RATE: "0-1", EFFECTIVE_RATE: "0-001"}
_SAMPLES = 2000  # on which the hidden units are looked at
_CLOSE = 0.01  # to 0 or 1: a sigmoid whose slope is below a 25th of its greatest


@dataclass(frozen=True, order=True)
class Setting:
    """One of the eight networks."""

    start: str
    learning_rate: float
    preprocessing: str

    @property
    def label(self) -> str:
        return f"{STARTS[self.start]}, {self.learning_rate:g}, {IN_SHORT[self.preprocessing]}"


SETTINGS = tuple(Setting(*values) for values in product(STARTS, RATES, PREPARED))
_PLACES = tuple(product(STARTS, RATES))


def _curve_id(kind: str, start: str, rate: float) -> str:
    return f"{kind}-{_STARTS_IN_IDS[start]}-{_RATES_IN_IDS[rate]}"


def _run(lab: Lab) -> "Report":
    from chainrule.reports import Report, Section, items

    longest = {one: lab.train(_long(lab, one)) for one in SETTINGS}
    seeded = _seeded(lab)
    epochs = next(iter(longest.values())).config().training.epochs
    short = next(iter(seeded.values()))[0].config().training.epochs
    seeds = len(next(iter(seeded.values())))
    printed = longest[Setting(UNIFORM, EFFECTIVE_RATE, MEAN)]
    _publish(lab, seeded, short)
    return Report(
        STUDY.title,
        [_answer(longest, epochs), _seeded_answer(seeded, short, seeds)],
        [
            Section("What was done", [items.settings_table("settings", printed), items.data_table("data", printed)]),
            Section(
                f"{epochs:,} epochs, one seed",
                [*_curves("curves", {one: [run] for one, run in longest.items()}), _bars("bars", longest, epochs)],
                intro=TWO_READINGS,
            ),
            Section(
                "The same in a table",
                [items.results_table("results", {one.label: [run] for one, run in longest.items()}, caption=_NAMES)],
            ),
            Section(
                f"{short:,} epochs, {seeds} seeds",
                [
                    *_curves("seeds", seeded),
                    items.results_table(
                        "seeds-results", {one.label: runs for one, runs in seeded.items()}, caption=_NAMES
                    ),
                    _differences(seeded),
                ],
                intro="Every seed has its own start and order of the samples; with and without share both.",
            ),
            Section("Why", [_saturation(lab, longest)], intro=_WHY),
            Section("Published beside ours", [items.published("published", lab.published)]),
        ],
    )


_NAMES = "Names say start, rate, and what is done with the mean image."
_WHY = (
    "Weights from U[0, 1) are all positive: a hidden unit sums some hundred positive numbers, its sigmoid is 1 for "
    "every image, and its slope is 0. Subtracting the mean image makes the sums of the first layer positive and "
    "negative, so that this layer says something; the second layer still has positive inputs and positive weights. "
    "From a symmetric start no unit begins at its end, with or without the mean image."
)


def _long(lab: Lab, one: Setting) -> RunConfig:
    marks = lab.choose(full=MARKS, quick=(3,))
    return long_run(lab, learning_rate=one.learning_rate, start=one.start, preprocessing=one.preprocessing, marks=marks)


def _seeded(lab: Lab) -> dict[Setting, list[Run]]:
    """Short runs of every setting, by seed."""
    from chainrule.sweeps import Sweep

    base = config("mean-subtraction", epochs=lab.choose(full=100, quick=1))
    keys = ("network.init", "training.learning_rate", "data.preprocessing")
    changes = [dict(zip(keys, (one.start, one.learning_rate, one.preprocessing), strict=True)) for one in SETTINGS]
    seeds = lab.seed_count(full=5, quick=2)
    return by_variant(lab.sweep(Sweep(base, changes=changes, seeds=seeds, name="seeds")), SETTINGS)


def _curves(kind: str, runs: Mapping[Setting, Sequence[Run]]) -> list["Item"]:
    """A figure for each start and rate, with and without the mean image side by side."""
    from chainrule.reports import items

    return [
        items.curves(
            _curve_id(kind, start, rate),
            {name: runs[Setting(start, rate, preprocessing)] for preprocessing, name in PREPARED.items()},
            title=f"Start {STARTS[start]}, {RATES[rate]}",
            caption=_CAPTIONS.get((start, rate), ""),
        )
        for start, rate in _PLACES
    ]


_CAPTIONS = {
    (UNIFORM, EFFECTIVE_RATE): "The start and the steps of the report's own program: its figures 12 to 15.",
    (UNIFORM, PRINTED_RATE): "The report's start at the rate that it prints.",
}


def _bars(id: str, runs: Mapping[Setting, Run], epochs: int) -> "Item":
    from chainrule.reports import items

    return items.part_bars(
        id,
        {one.label: [run] for one, run in runs.items()},
        parts=("train", "test"),
        title=f"Training against test accuracy after {epochs:,} epochs",
        caption=_NAMES,
    )


def _differences(runs: Mapping[Setting, Sequence[Run]]) -> "Table":
    """What the mean image is worth on the test set, seed by seed."""
    from chainrule.reports import Table

    rows: list[list[Cell]] = []
    for start, rate in _PLACES:
        with_mean, without = (runs[Setting(start, rate, preprocessing)] for preprocessing in (MEAN, AS_READ))
        rows.append([f"{STARTS[start]}, {RATES[rate]}", *paired(differences(with_mean, without))])
    head = ["start, rate", "test accuracy: with − without, points", "95 % interval", "pairs"]
    return Table("differences", "What the mean image is worth", head, rows, "Student's t over the pairs of runs.")


def _saturation(lab: Lab, runs: Mapping[Setting, Run]) -> "Table":
    from chainrule.reports import Table

    rows: list[list[Cell]] = []
    for one, run in runs.items():
        if one.learning_rate == EFFECTIVE_RATE:
            identity = {"run": run.path.name, "samples": _SAMPLES}
            shares = lab.keep("saturation", identity, partial(_shares, lab, run))
            for moment, by_layer in shares.items():
                label = f"{STARTS[one.start]}, {PREPARED[one.preprocessing]}"
                rows.append([label, moment, *(percent(share) for share in by_layer)])
    caption = (
        f"Share, in %, of the activations of {_SAMPLES:,} validation images that are within {_CLOSE} of 0 or 1, where "
        "the sigmoid's slope is less than 0.01 and hardly any gradient passes."
    )
    head = ["start", "weights", "hidden layer 1", "hidden layer 2"]
    return Table("saturation", "Units at their ends", head, rows, caption)


def _shares(lab: Lab, run: Run) -> dict[str, list[float]]:
    """By moment the share of saturated activations in each hidden layer."""
    from chainrule import load
    from chainrule.runs.execute import build
    from chainrule.runs.execute import load as load_of

    settings = run.config()
    data = load_of(settings, lab.data_dir)
    assert data.validation is not None
    x = data.validation.x[:_SAMPLES]

    def shares(net: Any) -> list[float]:
        trace = net.forward(x)
        hidden = (trace[f"A{layer}"] for layer in range(1, len(net.layers) - 1))
        return [float(((a < _CLOSE) | (a > 1 - _CLOSE)).mean()) for a in hidden]

    return {"first": shares(build(settings, data)), "trained": shares(load(run.model))}


def _answer(runs: Mapping[Setting, Run], epochs: int) -> str:
    def reached(start: str, rate: float) -> str:
        with_mean, without = (
            percent(runs[Setting(start, rate, preprocessing)].evaluations()["test"].accuracy or 0.0)
            for preprocessing in (MEAN, AS_READ)
        )
        return f"{with_mean} % with and {without} % without at {RATES[rate]}"

    told = "; ".join(f"from {STARTS[start]} {reached(start, rate)}" for start, rate in _PLACES)
    return f"Test accuracy after {epochs:,} epochs, one run each: {told}."


def _seeded_answer(runs: Mapping[Setting, Sequence[Run]], epochs: int, seeds: int) -> str:
    def worth(start: str, rate: float) -> str:
        points = differences(*(runs[Setting(start, rate, preprocessing)] for preprocessing in (MEAN, AS_READ)))
        return f"{np.mean(points):+.1f} points from {STARTS[start]} at {RATES[rate]}".replace("-", "−")

    told = ", ".join(worth(start, rate) for start, rate in _PLACES)
    return f"After {epochs:,} epochs, mean of {seeds} seeds, subtracting the mean image is worth {told}."


def _publish(lab: Lab, runs: Mapping[Setting, Sequence[Run]], epochs: int) -> None:
    """Both accuracies of another public solution, which lie between our two rates; the report prints none."""
    for preprocessing, printed in ((MEAN, "89 %"), (AS_READ, "10–11 %, a flat loss")):
        ours = {rate: runs[Setting(UNIFORM, rate, preprocessing)] for rate in RATES}
        accuracies = {rate: [run.evaluations()["test"].accuracy or 0.0 for run in own] for rate, own in ours.items()}
        lab.publish(
            Published(
                OTHER_SOLUTION,
                "mmuneeburahman/bscs-dl",
                f"test accuracy, {PREPARED[preprocessing]}, start U[0, 1), rate 0.01, 150 epochs",
                printed,
                "; ".join(
                    f"{mean_sd([100 * a for a in own])} % at {RATES[rate]}, {counted(epochs)} (n = {len(own)})"
                    for rate, own in accuracies.items()
                ),
                "–",
                "not comparable: its rate lies between ours, and it trains longer; the start is the same, see the "
                "units at their ends",
            )
        )


_FIGURES = tuple(f"003 figure {n}" for n in range(12, 16))

STUDY = Study(
    name="mnist-mean-subtraction",
    title="Subtracting the mean image, and the start it rescues",
    source=SOURCE,
    summary="784–128–64–10 with and without the mean image, from U[0, 1) and from a symmetric start, at the printed "
    "rate and at the one that the report's program steps with: 2,000 epochs with one seed, 100 epochs with five.",
    items=(
        Declared("settings", "settings of one run"),
        Declared("data", "counts, split and provenance"),
        *(
            Declared(
                _curve_id("curves", start, rate),
                f"loss and accuracy by epoch, start {STARTS[start]}, {RATES[rate]}",
                _FIGURES if (start, rate) == (UNIFORM, EFFECTIVE_RATE) else (),
            )
            for start, rate in _PLACES
        ),
        Declared("bars", "training against test accuracy", ("003 figure 16", "003 figure 17")),
        Declared("results", "loss and accuracy of every part"),
        *(
            Declared(_curve_id("seeds", start, rate), f"the same over seeds, start {STARTS[start]}, {RATES[rate]}")
            for start, rate in _PLACES
        ),
        Declared("seeds-results", "loss and accuracy, mean and standard deviation"),
        Declared("differences", "with minus without, in pairs of runs"),
        Declared("saturation", "share of hidden units at their ends", ("003 claim 6",)),
        Declared("published", "another public solution's numbers beside ours"),
    ),
    run=_run,
)
