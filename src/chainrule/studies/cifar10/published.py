"""What reports 000 to 002 print of CIFAR-10, and ours beside it."""

from collections.abc import Mapping, Sequence

import numpy as np

from chainrule.evaluation import Evaluation
from chainrule.reports import Table
from chainrule.reports.document import Cell
from chainrule.reports.items.results import spread
from chainrule.statistics import Interval
from chainrule.studies.cifar10.material import SETS
from chainrule.studies.cifar10.networks import RATE, Found, interval
from chainrule.studies.comparison.conclusion import points
from chainrule.studies.study import OTHER_SOLUTION, Published

# Report 000: precision, recall and F1 of the ten classes on its 600 test images.
PRINTED_SUPPORT = (54, 72, 56, 60, 50, 69, 55, 45, 69, 70)
PRINTED_ACCURACY = {"original": 0.69, "augmented": 0.62}
PRINTED = {
    "augmented": (
        (0.59, 0.76, 0.67),
        (0.69, 0.71, 0.70),
        (0.50, 0.52, 0.51),
        (0.50, 0.43, 0.46),
        (0.65, 0.48, 0.55),
        (0.63, 0.62, 0.63),
        (0.59, 0.75, 0.66),
        (0.54, 0.67, 0.59),
        (0.70, 0.57, 0.62),
        (0.75, 0.66, 0.70),
    ),
    "original": (
        (0.63, 0.74, 0.68),
        (0.83, 0.82, 0.83),
        (0.61, 0.59, 0.60),
        (0.48, 0.58, 0.53),
        (0.60, 0.64, 0.62),
        (0.67, 0.57, 0.61),
        (0.72, 0.84, 0.77),
        (0.71, 0.56, 0.63),
        (0.84, 0.67, 0.74),
        (0.78, 0.83, 0.81),
    ),
}
PRINTED_MEANS = {
    "augmented": {"macro avg": (0.61, 0.62, 0.61), "weighted avg": (0.62, 0.62, 0.61)},
    "original": {"macro avg": (0.69, 0.68, 0.68), "weighted avg": (0.70, 0.69, 0.69)},
}

_OTHER_FEATURES = "other features: the report's come from a ResNet-18 trained on ImageNet"


def published_rows(found: Found) -> list[Published]:
    short, middle, long, last = found.marks
    rows = []
    for name in reversed(SETS):
        ours = [look.few.accuracy or 0.0 for look in found.looks(name, RATE, last)]
        rows.append(
            _row(
                "000",
                "classification reports",
                f"test accuracy, 600 images, {name}, 3,000 epochs, rate 0.01",
                100 * PRINTED_ACCURACY[name],
                [100 * value for value in ours],
                f"{_OTHER_FEATURES}; 600 images leave ± 3.8 points by themselves",
                "%",
            )
        )
    table = {"original": (0.47, 84.9, 0.60, 79.8), "augmented": (0.56, 79.78, 0.59, 80.2)}
    for name, printed in table.items():
        looks = found.looks(name, RATE, short)
        for value, (part, kind) in zip(
            printed, (("train", "loss"), ("train", "accuracy"), ("test", "loss"), ("test", "accuracy")), strict=True
        ):
            own = [getattr(look.parts[part], kind) * (1 if kind == "loss" else 100) for look in looks]
            what = f"{'training' if part == 'train' else 'test'} {kind}, {name}, 120 epochs, rate 0.01"
            rows.append(_row("001", "results table", what, value, own, _OTHER_FEATURES, "" if kind == "loss" else "%"))
    for name, rate, value in (("augmented", 0.01, 79.6), ("original", 0.008, 77.5)):
        for epochs in (middle, long):
            own = [100 * (look.parts["test"].accuracy or 0.0) for look in found.looks(name, rate, epochs)]
            what = f"test accuracy, {name}, rate {rate:g}, {epochs:,} epochs (the report says both 400 and 800)"
            rows.append(_row("002", "text", what, value, own, _OTHER_FEATURES, "%"))
    return [*rows, *_published_differences(found), *_not_comparable()]


def _row(
    report: str, where: str, what: str, printed: float, ours: Sequence[float], explanation: str, unit: str
) -> Published:
    places = 1 if unit else 3
    unit = f" {unit}" if unit else ""
    gap = f"{np.mean(ours) - printed:+.{places}f}".replace("-", "−")
    return Published(report, where, what, f"{printed:g}{unit}", spread(ours, places) + unit, gap, explanation)


def _published_differences(found: Found) -> list[Published]:
    """The reports' answers: augmented minus original."""
    short, _, long, last = found.marks
    few = found.material.few
    told = (
        ("000", _ANSWER, "augmented − original, 600 images, 3,000 epochs", -7.0, last, few, (RATE, RATE), _WHY_000),
        ("001", _ANSWER, "augmented − original, 120 epochs", 0.4, short, slice(None), (RATE, RATE), ""),
        (
            "002",
            _ANSWER,
            "augmented − original, 800 epochs, rates 0.01 and 0.008",
            2.1,
            long,
            slice(None),
            (0.008, RATE),
            _WHY_002,
        ),
        (
            OTHER_SOLUTION,
            _BATCH_1,
            f"augmented − original, test, 20 epochs of batches of 1 at 0.001, beside {short} of 500",
            1.07,
            short,
            slice(None),
            (RATE, RATE),
            _WHY_OTHERS,
        ),
        (
            OTHER_SOLUTION,
            _BATCH_128,
            f"augmented − original, 1,000 epochs of batches of 128, beside {long} of 500",
            2.9,
            long,
            slice(None),
            (RATE, RATE),
            _WHY_OTHERS,
        ),
    )
    rows = []
    for report, where, what, printed, epochs, images, (first_rate, second_rate), why in told:
        first, second = found.looks("original", first_rate, epochs), found.looks("augmented", second_rate, epochs)
        one = interval(first, second, images)
        ours = f"{points(one.estimate)} ({points(one.low)} to {points(one.high)}) points"
        gap = points(one.estimate - printed / 100)
        explanation = why or why_apart(one, printed / 100)
        rows.append(Published(report, where, what, f"{points(printed / 100)} points", ours, gap, explanation))
    return rows


def why_apart(ours: Interval, published: float) -> str:
    """What explains a published difference of the same settings: chance, where our interval holds it."""
    if ours.low <= published <= ours.high:
        return "none needed: our interval holds the published difference"
    return (
        "cause unknown: our interval does not hold the published difference; "
        "one run of the report leaves about ± 1 point by itself"
    )


_ANSWER = "conclusion"
_BATCH_1 = "gurbaaz27/CS776A-Assignments"
_BATCH_128 = "rahuls321/CS776-Deep-Learning-for-CV"
_TWO_LAYERS = "AllanRK/CS776A-Deep-Learning-for-Computer-Vision"
_OTHERS = (
    (_BATCH_1, "original, training accuracy, batches of 1, rate 0.001, 20 epochs", "83.26 %"),
    (_BATCH_1, "original, test accuracy, batches of 1, rate 0.001, 20 epochs", "79.03 %"),
    (_BATCH_1, "augmented, test accuracy, batches of 1, rate 0.001, 10 epochs", "78.36 %"),
    (_BATCH_1, "augmented, test accuracy, batches of 1, rate 0.001, 20 epochs", "80.1 %"),
    (_BATCH_128, "original, accuracy, batches of 128, rate 0.01, 1,000 epochs", "61.5 %"),
    (_BATCH_128, "augmented, accuracy, batches of 128, rate 0.01, 1,000 epochs", "64.4 %"),
    (_TWO_LAYERS, "original, accuracy, two hidden layers, batches of 128", "78.67 %"),
    (_TWO_LAYERS, "original, accuracy, logistic regression on the features alone", "78.65 %"),
)


def _not_comparable() -> list[Published]:
    """Accuracies of other public solutions, of whose settings none is here."""
    why = "not comparable: none of ours has these settings, and its features are others"
    return [Published(OTHER_SOLUTION, where, what, printed, "–", "–", why) for where, what, printed in _OTHERS]


_WHY_OTHERS = "cause unknown: batches, number of updates and features differ, and the solution tells no spread"
_WHY_000 = (
    "cause unknown: one run, other features, other 600 images; the difference alone is uncertain by some 5 points"
)
_WHY_002 = "rate and epochs differ along with the data (F12): the rows on the rate alone say how much of it is theirs"


def report_beside(name: str, ours: Evaluation) -> Table:
    """The classification report of report 000 and ours, number beside number."""
    rows: list[list[Cell]] = [
        _beside(label, printed, ours.scores[label], support)
        for label, printed, support in zip(ours.classes, PRINTED[name], PRINTED_SUPPORT, strict=True)
    ]
    for label, printed in PRINTED_MEANS[name].items():
        rows.append(_beside(label, printed, ours.scores[label], sum(PRINTED_SUPPORT)))
    accuracy = (f"{PRINTED_ACCURACY[name]:.2f}", f"{ours.accuracy or 0:.2f}")
    rows.append(["accuracy", None, None, None, None, *accuracy, sum(PRINTED_SUPPORT), ours.samples])
    head = ["class", *(words for kind in ("precision", "recall", "F1", "images") for words in (kind, "ours"))]
    caption = (
        "Beside every number of report 000 ours. Its 600 images are not known: ours are another draw; and its features "
        "are other ones."
    )
    return Table(f"report-600-{name}", f"{ours.samples} test images, trained on the {name} set", head, rows, caption)


def _beside(label: str, printed: Sequence[float], scores: Mapping[str, float], support: int) -> list[Cell]:
    cells: list[Cell] = [label]
    for kind, value in zip(("precision", "recall", "f1-score"), printed, strict=True):
        cells += [f"{value:.2f}", f"{scores[kind]:.2f}"]
    return [*cells, support, int(scores["support"])]
