"""What the hidden layers see: t-SNE of each, for two and for three of them, and what is taken for what at the end."""

from typing import TYPE_CHECKING

from chainrule.runs import Run
from chainrule.studies.lab import Lab
from chainrule.studies.mnist_task import SOURCE, long_run, percent
from chainrule.studies.study import Declared, Study

if TYPE_CHECKING:
    from chainrule.reports.document import Report

RATE = 0.01
TWO, THREE = (128, 64), (128, 64, 32)


def _run(lab: Lab) -> "Report":
    from chainrule.reports import Report, Section, items

    marks = lab.choose(full=(1000, 2000), quick=(2, 4))
    two = lab.train(long_run(lab, learning_rate=RATE, hidden=TWO, marks=marks))
    three = lab.train(long_run(lab, learning_rate=RATE, hidden=THREE, marks=marks[:1]))
    at_mark = {f"{marks[0]:,} epochs": two.snapshots()[marks[0]]}
    return Report(
        STUDY.title,
        _answer(two, three, marks),
        [
            Section("What was done", [items.settings_table("settings", two), items.data_table("data", two)]),
            Section(
                f"Hidden layers after {marks[0]:,} epochs",
                [
                    items.embeddings("two-hidden", two, models=at_mark, title="Two hidden layers"),
                    items.embeddings("three-hidden", three, title="Three hidden layers"),
                ],
                intro="The same test images in every panel, a fixed draw that holds every class.",
            ),
            Section(
                f"Confusion after {marks[1]:,} epochs",
                [items.confusions("confusions", two), items.classification("classification", two)],
            ),
            Section(
                "How far the networks came",
                [
                    items.curves("curves", {"two hidden layers": [two], "three hidden layers": [three]}),
                    items.results_table("results", {"two hidden layers": [two], "three hidden layers": [three]}),
                ],
                intro=f"Two hidden layers after {marks[1]:,} epochs, three after {marks[0]:,}.",
            ),
        ],
    )


def _answer(two: Run, three: Run, marks: tuple[int, int]) -> str:
    early = two.snapshot_evaluations()[marks[0]]["test"].accuracy or 0.0
    late, deep = (run.evaluations()["test"].accuracy or 0.0 for run in (two, three))
    return (
        f"Rate {RATE:g}, test accuracy after {marks[0]:,} epochs: two hidden layers {percent(early)} %, three "
        f"{percent(deep)} %; two after {marks[1]:,} epochs {percent(late)} %. One run each."
    )


STUDY = Study(
    name="mnist-embeddings",
    title="What the hidden layers see",
    source=SOURCE,
    summary="t-SNE of every hidden layer of 784–128–64–10 and 784–128–64–32–10 after 1,000 epochs at rate 0.01, and "
    "the confusion matrices of training, validation and test set after 2,000.",
    items=(
        Declared("settings", "settings of the longer run"),
        Declared("data", "counts, split and provenance"),
        Declared("two-hidden", "t-SNE of both hidden layers", ("003 figure 21", "003 figure 22")),
        Declared("three-hidden", "t-SNE of all three", ("003 figure 23", "003 figure 24", "003 figure 25")),
        Declared("confusions", "three confusion matrices", ("003 figure 18", "003 figure 19", "003 figure 20")),
        Declared("classification", "classification report of the test set"),
        Declared("curves", "loss and accuracy by epoch"),
        Declared("results", "loss and accuracy of every part"),
    ),
    run=_run,
)
