"""The tables and figures of the CIFAR-10 study: what was reached, what the augmented set is worth, and by class."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from chainrule.evaluation import Evaluation
from chainrule.figures import confusion_panels
from chainrule.reports import Figure, Table, items
from chainrule.reports.document import Cell, Item
from chainrule.reports.items.results import spread
from chainrule.studies.cifar10.material import SETS
from chainrule.studies.cifar10.networks import RATE, RATES, Found, Look, interval
from chainrule.studies.cifar10.published import report_beside
from chainrule.studies.comparison.conclusion import points


def results(found: Found) -> Table:

    rows: list[list[Cell]] = []
    for epochs in found.marks:
        for rate in RATES if epochs < found.marks[-1] else (RATE,):
            for name in SETS:
                looks = found.looks(name, rate, epochs)
                rows.append(
                    [
                        name,
                        epochs,
                        rate,
                        len(looks),
                        _loss(looks, "train"),
                        _percent([look.parts["train"].accuracy for look in looks]),
                        _loss(looks, "test"),
                        _percent([look.parts["test"].accuracy for look in looks]),
                        _percent([look.few.accuracy for look in looks]),
                    ]
                )
    base = looks[0].parts["test"].baseline
    guess = _percent([base["accuracy"]])
    loss = f"{base['loss']:.2f}"
    rows.append(["guessing", None, None, None, loss, guess, loss, guess, guess])
    head = ["set", "epochs", "rate", "n", "training", "%", "test", "test %", f"{len(found.material.few)}, %"]
    caption = (
        "Training and test: loss. Mean ± standard deviation (n − 1) over n seeds. The last column is of "
        f"{len(found.material.few)} test images, the one before of all {len(found.material.y):,}."
    )
    return Table("results", "Losses and accuracies", head, rows, caption)


def _loss(looks: Sequence[Look], part: str) -> str:
    return spread([look.parts[part].loss for look in looks], 2)


def _percent(shares: Sequence[float | None]) -> str:
    return spread([100 * (share or 0.0) for share in shares], 1)


@dataclass(frozen=True)
class _Pair:
    """Two networks that are compared: each a training set, a rate and epochs."""

    words: str
    first: tuple[str, float, int]
    second: tuple[str, float, int]
    published: str = ""


def _pairs(marks: Sequence[int]) -> list[_Pair]:
    short, middle, long, last = marks
    reports = {short: "001: +0.4", last: "000: −7 (600 images)"}
    fair = [
        _Pair(
            f"equal {held}: {epochs:,} epochs{'' if held == 'epochs' else f' against {epochs // 2:,}'}, rate {rate:g}",
            ("original", rate, epochs),
            ("augmented", rate, epochs if held == "epochs" else epochs // 2),
            reports.get(epochs, "") if held == "epochs" and rate == RATE else "",
        )
        for epochs in marks
        for rate in (RATES if epochs < last else (RATE,))
        for held in ("epochs", "updates")
    ]
    confounded = [
        _Pair(
            f"report 002: rate 0.01, {more:,} epochs against rate 0.008, {fewer:,}",
            ("original", 0.008, fewer),
            ("augmented", 0.01, more),
            "002: +2.1",
        )
        for fewer, more in ((middle, middle), (middle, long), (long, long))
    ]
    rates = [
        _Pair(f"the rate alone, {name}, {long:,} epochs: 0.01 against 0.008", (name, 0.008, long), (name, 0.01, long))
        for name in SETS
    ]
    return [*fair, *confounded, *rates]


def differences(found: Found) -> Table:

    rows: list[list[Cell]] = []
    for pair in _pairs(found.marks):
        first, second = found.looks(*pair.first), found.looks(*pair.second)
        cells: list[Cell] = [pair.words, min(len(first), len(second))]
        for images in (slice(None), found.material.few):
            cells.append(_difference(first, second, images))
        rows.append([*cells, pair.published or None])
    head = [
        "augmented − original, points of test accuracy",
        "pairs",
        f"{len(found.material.y):,} images (95 %)",
        f"{len(found.material.few)} images (95 %)",
        "published",
    ]
    caption = (
        "Pairs of runs share start and order of the samples. Intervals are for other seeds and other test images; of "
        "one pair, for other test images alone. Report 002 changes rate and epochs together with the data, which the "
        "last rows take apart."
    )
    return Table("difference", "What the augmented set is worth", head, rows, caption)


def _difference(first: Sequence[Look], second: Sequence[Look], images: Any) -> str:
    one = interval(first, second, images)
    return f"{points(one.estimate)} ({points(one.low)} to {points(one.high)})"


def classes(found: Found) -> Table:
    """Recall by class of both networks at the last mark that has several seeds."""

    epochs, made = found.marks[2], found.material
    first, second = (found.looks(name, RATE, epochs) for name in SETS)
    recalls = np.array(
        [
            [np.mean([look.hits[made.y == k].mean() for look in looks]) for k in range(len(made.classes))]
            for looks in (first, second)
        ]
    )
    rows: list[list[Cell]] = [
        [name, *(f"{100 * recall:.1f}" for recall in recalls[:, k]), _difference(first, second, made.y == k)]
        for k, name in enumerate(made.classes)
    ]
    first_places, second_places = recalls.argsort(axis=1).argsort(axis=1)
    agreement = np.corrcoef(first_places, second_places)[0, 1]
    caption = (
        f"After {epochs:,} epochs at rate {RATE:g}, {len(first)} seeds. Rank correlation of the two columns: "
        f"{agreement:.2f} (1: both find the same classes hard)."
    )
    return Table("classes", "Recall by class, %", ["class", *SETS, "difference, points (95 %)"], rows, caption)


def by_class(found: Found) -> list[Item]:
    made, last = found.material, found.marks[-1]
    looks = {name: found.looks(name, RATE, last)[0] for name in SETS}

    def panels(results: Mapping[str, Evaluation]) -> Any:
        named = {
            f"{name}, {100 * (one.accuracy or 0):.1f} %": np.asarray(one.confusion) for name, one in results.items()
        }
        return confusion_panels(named, made.classes)

    few = {name: look.few for name, look in looks.items()}
    whole = {name: look.parts["test"] for name, look in looks.items()}
    return [
        Figure("confusion-600", f"Confusion on {len(made.few)} test images", panels(few)),
        Figure("confusion-10000", f"Confusion on all {len(made.y):,} test images", panels(whole)),
        *(report_beside(name, few[name]) for name in reversed(SETS)),
        *(
            items.classification(f"report-10000-{name}", run, title=f"All test images, trained on the {name} set")
            for name, run in found.longest.items()
        ),
    ]
