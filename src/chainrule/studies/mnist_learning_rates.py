"""What the learning rate does in 100 epochs, and one so high that the loss rises."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from chainrule.runs import Run
from chainrule.studies.lab import Lab, by_variant
from chainrule.studies.mnist_task import BATCH, SOURCE, TWO_READINGS, config, percent
from chainrule.studies.study import Declared, Study

if TYPE_CHECKING:
    from chainrule.reports.document import Cell, Report, Table

PRINTED = (0.1, 0.01, 0.001)
EFFECTIVE = tuple(rate / BATCH for rate in PRINTED)
TOO_HIGH = 30.0
GOALS = (0.5, 0.8, 0.9)  # validation accuracies whose epochs are told

ByRate = Mapping[float, Sequence[Run]]


def _run(lab: Lab) -> "Report":
    from chainrule.reports import Report, Section, items

    runs = _trained(lab)
    first = runs[PRINTED[0]][0]
    epochs = first.config().training.epochs
    return Report(
        STUDY.title,
        [_answer(runs, epochs), _too_high(runs[TOO_HIGH])],
        [
            Section("What was done", [items.settings_table("settings", first), items.data_table("data", first)]),
            Section(
                "The printed rates",
                [
                    items.curves("curves", _named(runs, PRINTED), title=f"Rates 0.1, 0.01 and 0.001, {epochs} epochs"),
                    items.results_table("results", _named(runs, (TOO_HIGH, *PRINTED))),
                    _steadiness(runs),
                ],
            ),
            Section(
                "Too high a rate",
                [
                    items.curves(
                        "too-high",
                        _named(runs, (TOO_HIGH,)),
                        title=f"Rate {TOO_HIGH:g}",
                        caption=f"A network that has learned nothing has a loss of {np.log(10):.3f}.",
                    )
                ],
            ),
            Section(
                "The rates of the report's program",
                [
                    items.curves("effective-curves", _named(runs, EFFECTIVE), title="A hundredth of the printed rates"),
                    items.results_table("effective-results", _named(runs, EFFECTIVE)),
                ],
                intro=TWO_READINGS,
            ),
        ],
    )


def _trained(lab: Lab) -> dict[float, list[Run]]:
    """The runs by rate, every rate with the same starts and orders."""
    from chainrule.sweeps import Sweep

    rates = (TOO_HIGH, *PRINTED, *(rate for rate in EFFECTIVE if rate not in PRINTED))
    base = config("learning-rates", epochs=lab.choose(full=100, quick=3))
    seeds = lab.seed_count(full=3, quick=1)
    return by_variant(lab.sweep(Sweep(base, grid={"training.learning_rate": rates}, seeds=seeds, name="rates")), rates)


def _named(runs: ByRate, rates: Sequence[float]) -> dict[str, Sequence[Run]]:
    return {f"rate {rate:g}": runs[rate] for rate in rates}


def _steadiness(runs: ByRate) -> "Table":
    from chainrule.reports import Table

    rows: list[list[Cell]] = []
    for rate in (TOO_HIGH, *PRINTED):
        histories = [run.history() for run in runs[rate]]
        losses = [np.array([row["validation_loss"] for row in rows]) for rows in histories]
        rising = [100 * float((np.diff(values) > 0).mean()) for values in losses]
        greatest = [float(max(np.diff(values).max(), 0.0)) for values in losses]
        reached = [_in_words([_epochs_to(rows, goal) for rows in histories]) for goal in GOALS]
        rows.append([f"rate {rate:g}", *reached, f"{np.mean(rising):.0f}", f"{np.mean(greatest):.4f}"])
    head = [
        "",
        *(f"to {100 * goal:.0f} %" for goal in GOALS),
        "loss rose, %",
        "greatest rise",
    ]
    caption = (
        "Of the validation part, means over the seeds: epochs until that accuracy is reached (a dash: not by every "
        "seed), share of the epochs after which the loss was higher than before, and by how much at most."
    )
    return Table("steadiness", "Speed and steadiness", head, rows, caption)


def _epochs_to(rows: Sequence[Mapping[str, float]], goal: float) -> int | None:
    return next((int(row["epoch"]) for row in rows if row["validation_accuracy"] >= goal), None)


def _in_words(epochs: Sequence[int | None]) -> str:
    reached = [epoch for epoch in epochs if epoch is not None]
    return f"{np.mean(reached):.0f}" if len(reached) == len(epochs) else "–"


def _answer(runs: ByRate, epochs: int) -> str:
    def reached(rate: float) -> str:
        accuracies = [run.evaluations()["test"].accuracy or 0.0 for run in runs[rate]]
        return f"{percent(float(np.mean(accuracies)))} % at rate {rate:g}"

    seeds = len(runs[PRINTED[0]])
    told = ", ".join(map(reached, PRINTED))
    return f"Test accuracy after {epochs} epochs, mean of {seeds} seed{'s' if seeds > 1 else ''}: {told}."


def _too_high(runs: Sequence[Run]) -> str:
    losses = np.array([[row["train_loss"] for row in run.history()] for run in runs])
    above = 100 * float((losses > np.log(10)).mean())
    return (
        f"At rate {TOO_HIGH:g} the training loss is {losses[:, 0].mean():.2f} after the first epoch, above the "
        f"{np.log(10):.2f} of a network that has learned nothing, and above it after {above:.0f} % of all epochs."
    )


def _answers(*numbers: int) -> tuple[str, ...]:
    return tuple(f"003 figure {number}" for number in numbers)


STUDY = Study(
    name="mnist-learning-rates",
    title="Learning rates, and one that is too high",
    source=SOURCE,
    summary="784–128–64–10 at rates 0.1, 0.01 and 0.001 for 100 epochs, at a hundredth of each, with which the "
    "report's program stepped, and at one so high that the loss rises; three seeds each.",
    items=(
        Declared("settings", "settings of one run"),
        Declared("data", "counts, split and provenance"),
        Declared("curves", "loss and accuracy at 0.1, 0.01 and 0.001", _answers(42, 43, 44, 45, 46, 47)),
        Declared("results", "loss and accuracy of every part"),
        Declared("steadiness", "epochs needed, and how often the loss rises", ("003 claim 9",)),
        Declared("too-high", "a rate at which the loss rises", ("003 claim 8",)),
        Declared("effective-curves", "loss and accuracy at a hundredth of the rates"),
        Declared("effective-results", "loss and accuracy of every part at these"),
    ),
    run=_run,
)
