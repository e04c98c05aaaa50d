"""From stored scores to numbers with intervals: the only place where test labels are looked at, once for all models."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np
from numpy.typing import NDArray

from chainrule.statistics import (
    LEVEL,
    combined_p,
    crossed_interval,
    mcnemar,
    mean_interval,
    share_interval,
)
from chainrule.studies.comparison.trained import Trained

Array = NDArray[Any]
Labels = NDArray[np.int64]
Found = dict[str, Any]

TOP = 5
HELD_EQUAL = ("epochs", "updates")


def judge_networks(models: Sequence[Trained], tests: Mapping[str, Labels], classes: int) -> Found:
    """Results of one network in all seeds: each run's, and means with intervals.

    `gaps` are training minus test accuracy: on the rows it was trained on, and on those of the first set, which are
    the same for all.

    Every interval is Student's over the seeds, for these images; `accuracy_anywhere` also allows for other test images.
    """
    runs = [_run(model, tests) for model in models]
    decisive = next(iter(tests))
    first = models[0].facts
    return {
        **{key: first[key] for key in ("method", "trained_on", "epochs", "updates")},
        "runs": runs,
        "means": {
            name: asdict(mean_interval([run[name] for run in runs]))
            for name in ("train_loss", "train_accuracy", "first_accuracy", "development_loss", "development_accuracy")
        },
        "gaps": {
            part: asdict(mean_interval([run[f"{part}_accuracy"] - run["tests"][decisive]["accuracy"] for run in runs]))
            for part in ("train", "first")
        },
        "tests": {
            test: {
                **{
                    name: asdict(mean_interval([run["tests"][test][name] for run in runs]))
                    for name in ("accuracy", "loss", "top5")
                },
                "accuracy_anywhere": asdict(crossed_interval([hits(model.scores[test], y) for model in models])),
                "confusion": np.sum([confusion(model.scores[test], y, classes) for model in models], axis=0).tolist(),
                "report": class_report([confusion(model.scores[test], y, classes) for model in models]),
            }
            for test, y in tests.items()
        },
    }


def judge_difference(
    first: Sequence[Trained], second: Sequence[Trained], tests: Mapping[str, Labels], classes: int
) -> Found:
    """Second minus first, seed by seed on the same test images."""
    return {
        test: _difference([m.scores[test] for m in first], [m.scores[test] for m in second], y, classes)
        for test, y in tests.items()
    }


def judge_baseline(model: Trained, tests: Mapping[str, Labels]) -> Found:
    """Results of one fit; intervals are Wilson's, for other test images."""
    return {
        **model.facts,
        "tests": {
            test: {
                "accuracy": asdict(share_interval(int(hits(model.scores[test], y).sum()), len(y))),
                "top5": float(top(model.scores[test], y).mean()),
            }
            for test, y in tests.items()
        },
    }


def judge_baseline_difference(first: Trained, second: Trained, tests: Mapping[str, Labels]) -> Found:
    """Second minus first on the same test images; the interval is for other test images."""
    found = {}
    for test, y in tests.items():
        a, b = hits(first.scores[test], y), hits(second.scores[test], y)
        found[test] = {"accuracy": asdict(mean_interval(b.astype(float) - a)), "mcnemar": _mcnemar(a, b)}
    return found


def hits(scores: Array, y: Labels) -> NDArray[np.bool_]:
    """(n,) whether the greatest score, the first of equals, is that of the label."""
    right: NDArray[np.bool_] = scores.argmax(axis=1) == y
    return right


def top(scores: Array, y: Labels, places: int = TOP) -> NDArray[np.float64]:
    """(n,) whether the label is among the `places` greatest scores.

    Where scores are equal it is the share of the orders of these in which it is, so that no class gains by its number.
    """
    own = scores[np.arange(len(y)), y][:, None]
    above, equal = (scores > own).sum(axis=1), (scores == own).sum(axis=1)
    chance: NDArray[np.float64] = np.clip((places - above) / equal, 0.0, 1.0)
    return chance


def cross_entropy(logits: Array, y: Labels) -> float:
    """Mean of −log softmax(z)_y, in float64."""
    z = logits.astype(np.float64)
    z -= z.max(axis=1, keepdims=True)
    return float((np.log(np.exp(z).sum(axis=1)) - z[np.arange(len(y)), y]).mean())


def confusion(scores: Array, y: Labels, classes: int) -> NDArray[np.int64]:
    """(K, K) counts, rows true and columns predicted."""
    pairs = np.bincount(y * classes + scores.argmax(axis=1), minlength=classes * classes)
    return pairs.reshape(classes, classes).astype(np.int64)


def class_report(tables: Sequence[NDArray[np.int64]]) -> list[Found]:
    """Precision, recall and F1 of each class: mean and standard deviation over the runs' confusion matrices.

    What is divided by nothing counts as 0, as in scikit-learn's report.
    """
    counts = np.stack(tables).astype(np.float64)
    right = np.diagonal(counts, axis1=1, axis2=2)
    support, predicted = counts.sum(axis=2), counts.sum(axis=1)
    measured = {
        "precision": right / np.maximum(predicted, 1),
        "recall": right / np.maximum(support, 1),
        "f1": 2 * right / np.maximum(support + predicted, 1),
    }
    return [
        {
            **{name: float(values[:, k].mean()) for name, values in measured.items()},
            **{f"{name}_sd": float(values[:, k].std(ddof=1)) for name, values in measured.items()},
            "support": int(support[0, k]),
        }
        for k in range(counts.shape[1])
    ]


def _run(model: Trained, tests: Mapping[str, Labels]) -> Found:
    facts = {name: value for name, value in model.facts.items() if name not in ("history", "tests")}
    return {
        **facts,
        "tests": {
            test: {
                "accuracy": float(hits(model.scores[test], y).mean()),
                "loss": cross_entropy(model.scores[test], y),
                "top5": float(top(model.scores[test], y).mean()),
            }
            for test, y in tests.items()
        },
    }


def _difference(first: Sequence[Array], second: Sequence[Array], y: Labels, classes: int) -> Found:
    a, b = (np.stack([hits(scores, y) for scores in side]) for side in (first, second))
    d = b.astype(np.float64) - a  # (s, n)
    losses = [cross_entropy(after, y) - cross_entropy(before, y) for before, after in zip(first, second, strict=True)]
    tests = [_mcnemar(*pair) for pair in zip(a, b, strict=True)]
    present = [k for k in range(classes) if (y == k).sum() >= 2]
    together = 1 - (1 - LEVEL) / max(1, len(present))  # Bonferroni: all intervals hold at once with LEVEL
    return {
        "by_seed": d.mean(axis=1).tolist(),
        "seeds": asdict(mean_interval(d.mean(axis=1))),
        "anywhere": asdict(crossed_interval(d)),
        "loss": asdict(mean_interval(losses)),
        "mcnemar": tests,
        "mcnemar_combined": combined_p([test["p"] for test in tests]),
        "classes": {
            str(k): {
                "own": asdict(crossed_interval(d[:, y == k])),
                "together": asdict(crossed_interval(d[:, y == k], together)),
            }
            for k in present
        },
    }


def _mcnemar(a: NDArray[np.bool_], b: NDArray[np.bool_]) -> Found:
    only_first, only_second = int((a & ~b).sum()), int((b & ~a).sum())
    return {"only_first": only_first, "only_second": only_second, "p": mcnemar(only_first, only_second)}
