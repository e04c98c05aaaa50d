"""What runs reached, each number beside its baseline: tables, bars, confusion matrices, classification reports."""

import itertools
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Protocol

import numpy as np

from chainrule import figures
from chainrule.errors import RunError
from chainrule.evaluation import Evaluation
from chainrule.reports.document import Cell, Figure, Item, Table, Text
from chainrule.reports.items.curves import Runs
from chainrule.reports.items.missing import missing, setting
from chainrule.runs import Run, Verification

PART_NAMES = {"train": "training", "validation": "validation", "test": "test"}
LONGEST_CLASSES = 30  # classes of a classification report that a page shows


class PublishedRow(Protocol):
    """A published number beside ours, as `chainrule.studies` keeps it."""

    @property
    def report(self) -> str: ...
    @property
    def where(self) -> str: ...
    @property
    def what(self) -> str: ...
    @property
    def published(self) -> Any: ...
    @property
    def ours(self) -> Any: ...
    @property
    def difference(self) -> Any: ...
    @property
    def explanation(self) -> str: ...


def results_table(
    id: str,
    runs: Runs,
    *,
    parts: Sequence[str] = ("train", "validation", "test"),
    title: str = "Results",
    caption: str = "",
) -> Table:
    """Loss and accuracy (R² for regression) of each entry and part: mean ± sd (n − 1), n runs, beside the baselines."""
    rows: list[list[Cell]] = []
    regression = False
    for label, group in runs.items():
        results = [run.evaluations() for run in group]
        for part in parts:
            found = [result[part] for result in results if part in result]
            if found:
                regression = regression or found[0].accuracy is None
                rows.append([label, PART_NAMES[part], len(found), found[0].samples, *_measures(found)])
    names = ["loss", "baseline loss", *(["R²", "of the mean"] if regression else ["accuracy, %", "majority, %"])]
    words = "Mean ± standard deviation (n − 1) over n runs." if any(row[2] != 1 for row in rows) else ""
    baselines = "Baseline loss: of the best constant prediction" + (
        "." if regression else " (entropy of the class prior); majority: share of the most frequent class."
    )
    head = ["", "part", "n", "samples", *names]
    return Table(id, title, head, rows, " ".join(text for text in (caption, words, baselines) if text))


def snapshots_table(id: str, run: Run, *, title: str = "Results at earlier epochs", caption: str = "") -> Item:
    """Loss and accuracy of every part at every epoch of which the run kept the model, all evaluated at the end."""
    rows: list[list[Cell]] = [
        [f"{epoch:,}", PART_NAMES[part], result.samples, *_measures([result])]
        for epoch, results in run.snapshot_evaluations().items()
        for part, result in results.items()
    ]
    if not rows:
        return missing(
            id, title, f"The run kept no snapshots. {setting('training.snapshots', 100)} does after epoch 100."
        )
    head = ["epoch", "part", "samples", "loss", "baseline loss", "accuracy, %", "majority, %"]
    return Table(id, title, head, rows, caption)


def _measures(found: Sequence[Evaluation]) -> list[Cell]:
    """Loss, its baseline, accuracy in % or R², its baseline."""
    loss = spread([result.loss for result in found], 4)
    prior = spread([result.baseline["loss"] for result in found], 4) if "loss" in found[0].baseline else None
    if found[0].accuracy is None:
        return [loss, prior, spread([result.r2 for result in found if result.r2 is not None], 4), "0"]
    majority = spread([100 * result.baseline["accuracy"] for result in found], 2)
    return [
        loss,
        prior,
        spread([100 * result.accuracy for result in found if result.accuracy is not None], 2),
        majority,
    ]


def spread(values: Sequence[float], places: int) -> str:
    """Mean ± standard deviation (n − 1) to so many decimal places; the value alone where all are the same one.

    Numbers of many digits are written to four of them.
    """
    if not len(values):
        return "–"
    form = f".{places}f" if max(map(abs, values)) < 1000 else ".4g"
    mean = f"{np.mean(values):{form}}"
    text = mean if len(set(values)) == 1 else f"{mean} ± {np.std(values, ddof=1):{form}}"
    return text.replace("-", "−")


def part_bars(
    id: str,
    runs: Runs,
    *,
    parts: Sequence[str] = ("train", "validation", "test"),
    title: str = "Accuracy on training, validation and test data",
    caption: str = "",
) -> Item:
    """Accuracy of the parts side by side, with bars of ± one standard deviation and the majority share as a line."""
    found: dict[str, dict[str, list[float]]] = {}
    majority: list[float] = []
    for label, group in runs.items():
        for run in group:
            for part, result in run.evaluations().items():
                if part in parts and result.accuracy is not None:
                    found.setdefault(label, {}).setdefault(part, []).append(result.accuracy)
                    majority.append(result.baseline["accuracy"])
    if not found:
        return missing(id, title, "There is no accuracy to draw: the task is a regression.")
    figure = figures.part_bars(found, baseline=float(np.mean(majority)))
    return Figure(id, title, figure, caption=caption)


def confusions(
    id: str, run: Run, parts: Sequence[str] = ("train", "validation", "test"), *, title: str = "Confusion matrices"
) -> Item:
    """The confusion matrices of a run, all parts side by side where they fit, else that of the last part."""
    results = {part: result for part, result in run.evaluations().items() if part in parts}
    matrices = {part: result.confusion for part, result in results.items() if result.confusion is not None}
    if not matrices:
        return missing(id, title, "There is no confusion matrix: samples have no single class each.")
    last = list(matrices)[-1]
    classes = results[last].classes
    if len(classes) <= figures.confusions.MOST_CLASSES:
        named = {
            f"{PART_NAMES[part]}, {100 * (results[part].accuracy or 0):.2f} % right": matrix
            for part, matrix in matrices.items()
        }
        return Figure(id, title, figures.confusion_panels(named, classes), caption="Rows: true class.")
    figure = figures.confusion_matrix(matrices[last], classes)
    return Figure(
        id, title, figure, caption=f"Of the {PART_NAMES[last]} part; there are too many classes for all three."
    )


def classification(
    id: str,
    run: Run,
    part: str | None = None,
    *,
    verified: Verification | None = None,
    title: str = "",
) -> Item:
    """The stored classification report of `part` (the last one) beside one computed now.

    `verified` (`chainrule.runs.verify`) is inference done again on the data. Without it, the report is computed from
    the stored confusion matrix, which shows whether the two belong together.
    """
    results = run.evaluations()
    part = part or list(results)[-1]
    title = title or f"Classification report, {PART_NAMES[part]} part"
    if part not in results:
        raise RunError(f"{run.path} has no results of the part {part!r}", f"It has {', '.join(results)}.")
    stored = results[part]
    if not stored.report:
        return missing(id, title, "There is no classification report: the task is a regression.")
    if verified is not None:
        now = verified.computed[part].report
        caption = "Right: the stored model applied to the data again."
    elif stored.confusion is not None:
        now = report_from(stored.confusion, stored.classes)
        caption = "Right: computed from the stored confusion matrix."
    else:
        return Text(id, title, stored.report, "As stored.")
    if len(stored.classes) > LONGEST_CLASSES:
        return missing(id, title, f"A report of {len(stored.classes)} classes is in evaluation.json.")
    same = "Both are equal." if stored.report == now else "They DIFFER: one of them was edited, or computed elsewhere."
    return Text(id, title, side_by_side(stored.report, now), f"{caption} {same}")


def report_from(confusion: Any, classes: Sequence[str]) -> str:
    """scikit-learn's classification report of the labels that a (K, K) confusion matrix counts."""
    from sklearn.metrics import classification_report

    counts = np.asarray(confusion)
    true, predicted = (np.repeat(labels.ravel(), counts.ravel()) for labels in np.indices(counts.shape))
    report: str = classification_report(
        true, predicted, labels=range(len(classes)), target_names=list(classes), zero_division=0
    )
    return report


def side_by_side(stored: str, now: str) -> str:
    """Two texts, line beside line."""
    left, right = ["stored", "", *stored.splitlines()], ["computed now", "", *now.splitlines()]
    width = max(map(len, left))
    return "\n".join(f"{a:<{width}}  │  {b}".rstrip() for a, b in itertools.zip_longest(left, right, fillvalue=""))


def published(
    id: str, rows: Iterable[PublishedRow], *, title: str = "Published numbers beside ours", caption: str = ""
) -> Item:
    """For each published number ours, the difference, and below them what explains it."""
    rows = list(rows)
    cells: list[list[Cell]] = [
        [
            f"{'report ' * row.report.isdecimal()}{row.report}, {row.where}",
            row.what,
            row.published,
            row.ours,
            row.difference,
        ]
        for row in rows
    ]
    if not rows:
        return missing(id, title, "No number was published for this.")
    head = ["where", "what", "published", "ours", "difference"]
    return Table(id, title, head, cells, caption, [f"Explanation: {row.explanation}" for row in rows])


def mapping_table(id: str, title: str, head: tuple[str, str], values: Mapping[str, Cell], caption: str = "") -> Table:
    """Names and values in two columns."""
    return Table(id, title, head, [[name, value] for name, value in values.items()], caption)
