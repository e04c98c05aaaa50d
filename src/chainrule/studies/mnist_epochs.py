"""What more epochs bring: one run, looked at four times on its way."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from chainrule.evaluation import Evaluation
from chainrule.runs import Run
from chainrule.studies.lab import Lab
from chainrule.studies.mnist_task import (
    EFFECTIVE_RATE,
    MARKS,
    PRINTED_RATE,
    SOURCE,
    TWO_READINGS,
    long_run,
    percent,
    up_to,
)
from chainrule.studies.study import Declared, Study

if TYPE_CHECKING:
    from chainrule.reports.document import Cell, Item, Report, Table

LAYER = 2  # the hidden layer that the report shows


def _run(lab: Lab) -> "Report":
    from chainrule.reports import Report, Section, items

    printed, effective = (lab.train(long_run(lab, learning_rate=rate)) for rate in (PRINTED_RATE, EFFECTIVE_RATE))
    return Report(
        STUDY.title,
        [_answer(printed, PRINTED_RATE), _answer(effective, EFFECTIVE_RATE)],
        [
            Section("What was done", [items.settings_table("settings", printed), items.data_table("data", printed)]),
            Section(
                "The first epochs, and more of them",
                [*_curves(printed), _bars("bars", printed), _embeddings("embeddings", printed)],
                intro="Every figure shows the beginning of one run up to that epoch; the rate is 0.1.",
            ),
            Section("In numbers", [_table("table", printed)]),
            Section(
                "At the rate of the report's program",
                [
                    items.curves("effective-curves", {"rate 0.001": [effective]}, title="Rate 0.001"),
                    _bars("effective-bars", effective),
                    _table("effective-table", effective),
                    _embeddings("effective-embeddings", effective),
                ],
                intro=TWO_READINGS,
            ),
        ],
    )


def looks(run: Run) -> dict[int, Mapping[str, Evaluation]]:
    """The results by epoch: those of the snapshots and of the end, all evaluated together when training was over."""
    return {**run.snapshot_evaluations(), run.config().training.epochs: run.evaluations()}


def _curves(run: Run) -> list["Item"]:
    from chainrule.figures import learning_curves
    from chainrule.reports import Figure

    rows, found = run.history(), looks(run)
    return [
        Figure(
            f"curves-{mark}",
            f"The first {epochs:,} epochs",
            learning_curves(up_to(rows, epochs), baseline=found[epochs]["train"].baseline, log_loss=epochs > 200),
            caption="" if epochs <= 200 else "The loss has a logarithmic axis.",
        )
        for mark, epochs in zip(MARKS, found, strict=True)
    ]


def _bars(id: str, run: Run) -> "Item":
    from chainrule.figures import part_bars
    from chainrule.reports import Figure

    found = looks(run)
    results = {
        f"{epochs:,} epochs": {part: [parts[part].accuracy or 0.0] for part in ("train", "test")}
        for epochs, parts in found.items()
    }
    majority = next(iter(found.values()))["test"].baseline["accuracy"]
    return Figure(id, "Training against test accuracy", part_bars(results, baseline=majority))


def _embeddings(id: str, run: Run) -> "Item":
    from chainrule.reports import items

    models = {f"{epochs:,} epochs": path for epochs, path in {**run.snapshots(), _last(run): run.model}.items()}
    return items.embeddings(id, run, models=models, layers=[LAYER], title=f"t-SNE of hidden layer {LAYER}")


def _last(run: Run) -> int:
    return run.config().training.epochs


def _table(id: str, run: Run) -> "Table":
    from chainrule.reports import Table

    rows: list[list[Cell]] = []
    for epochs, parts in looks(run).items():
        cells: list[Any] = [f"{epochs:,}"]
        for part in ("train", "validation", "test"):
            cells += [f"{parts[part].loss:.4f}", percent(parts[part].accuracy or 0.0)]
        rows.append(cells)
    base = run.evaluations()["test"].baseline
    rows.append(["guessing", *(f"{base['loss']:.4f}", percent(base["accuracy"] or 0.0)) * 3])
    head = ["epochs", "training loss", "%", "validation loss", "%", "test loss", "%"]
    opened = run.results()["test_opened"]
    caption = (
        f"Accuracy in %. The test set was opened {opened} time{'s' if opened != 1 else ''}, when training was over."
    )
    return Table(id, "Loss and accuracy on the way", head, rows, caption)


def _answer(run: Run, rate: float) -> str:
    told = ", ".join(
        f"{epochs:,} epochs {percent(parts['test'].accuracy or 0.0)} %" for epochs, parts in looks(run).items()
    )
    lowest = min((row for row in run.history() if "validation_loss" in row), key=lambda row: row["validation_loss"])
    ending = " and rises from there" if lowest["epoch"] < 0.9 * _last(run) else ""
    return f"Rate {rate:g}, test accuracy: {told}. The validation loss is least at epoch {lowest['epoch']:,}{ending}."


def _answers(i: int, item: int) -> Sequence[str]:
    return (f"003 figure {26 + 4 * i + item}",)


STUDY = Study(
    name="mnist-epochs",
    title="100, 500, 1,000 and 2,000 epochs of one network",
    source=SOURCE,
    summary="784–128–64–10 is trained once for 2,000 epochs and kept after 100, 500 and 1,000: loss, accuracy, "
    "training against test accuracy and t-SNE of the second hidden layer at each, at both readings of the rate.",
    items=(
        Declared("settings", "settings of the run"),
        Declared("data", "counts, split and provenance"),
        *(
            Declared(
                f"curves-{epochs}",
                f"loss and accuracy up to epoch {epochs:,}",
                (*_answers(i, 0), *_answers(i, 1)),
            )
            for i, epochs in enumerate(MARKS)
        ),
        Declared("bars", "training against test accuracy", tuple(k for i in range(4) for k in _answers(i, 2))),
        Declared("embeddings", "t-SNE of hidden layer 2", tuple(k for i in range(4) for k in _answers(i, 3))),
        Declared("table", "loss and accuracy of every part", ("003 claim 7",)),
        Declared("effective-curves", "the same run at rate 0.001"),
        Declared("effective-bars", "training against test accuracy at rate 0.001"),
        Declared("effective-table", "loss and accuracy at rate 0.001"),
        Declared("effective-embeddings", "t-SNE of hidden layer 2 at rate 0.001"),
    ),
    run=_run,
)
