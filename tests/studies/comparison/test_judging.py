"""Scores become numbers as a person would count them, and as scikit-learn does."""

import numpy as np
import pytest
from scipy.special import log_softmax
from sklearn import metrics

from chainrule.studies.comparison.judging import class_report, confusion, cross_entropy, hits, judge_difference, top
from chainrule.studies.comparison.trained import Trained


def scored(m=300, classes=7, seed=0):
    g = np.random.default_rng(seed)
    return g.normal(size=(m, classes)).astype(np.float32), g.integers(classes, size=m)


def test_accuracy_top_five_loss_and_confusion_are_those_of_scikit_learn_and_scipy():
    scores, y = scored()
    predicted = scores.argmax(axis=1)
    assert hits(scores, y).mean() == metrics.accuracy_score(y, predicted)
    assert top(scores, y).mean() == metrics.top_k_accuracy_score(y, scores, k=5)
    assert cross_entropy(scores, y) == pytest.approx(
        -log_softmax(scores.astype(float), axis=1)[np.arange(300), y].mean()
    )
    assert np.array_equal(confusion(scores, y, 7), metrics.confusion_matrix(y, predicted))


def test_the_report_is_the_mean_of_scikit_learns_over_the_runs():
    y, runs = scored()[1], [scored(seed=seed)[0] for seed in (1, 2, 3)]
    found = class_report([confusion(scores, y, 7) for scores in runs])
    theirs = [metrics.precision_recall_fscore_support(y, scores.argmax(axis=1)) for scores in runs]
    for k in range(7):
        for i, kind in enumerate(("precision", "recall", "f1")):
            values = [report[i][k] for report in theirs]
            assert found[k][kind] == pytest.approx(np.mean(values))
            assert found[k][f"{kind}_sd"] == pytest.approx(np.std(values, ddof=1))
        assert found[k]["support"] == theirs[0][3][k]


def test_equal_scores_count_by_chance_and_not_by_the_number_of_the_class():
    """Votes 0.6, 0.4 and eight times 0: the last three of five places are drawn among eight."""
    votes = np.array([[0.6, 0.4] + [0.0] * 8])
    assert [float(top(votes, np.array([k]))[0]) for k in range(10)] == [1.0, 1.0] + [3 / 8] * 8


def test_a_class_that_is_never_predicted_has_precision_0():
    found = class_report([np.array([[5, 0], [3, 0]]), np.array([[5, 0], [3, 0]])])
    assert (found[1]["precision"], found[1]["recall"], found[1]["f1"]) == (0, 0, 0)
    assert found[0]["precision"] == 5 / 8


def with_scores(predictions, classes=3):
    return Trained({}, {"t": np.eye(classes, dtype=np.float32)[predictions]})


def test_a_difference_counted_by_hand():
    """Eight images of two classes; the second network mends two of class 1 and spoils one of class 0 in both seeds."""
    y = np.array([0, 0, 0, 0, 1, 1, 1, 1])
    before = [0, 0, 0, 0, 0, 0, 1, 1]
    after = [[1, 0, 0, 0, 1, 1, 1, 1], [0, 2, 0, 0, 1, 1, 1, 1]]
    found = judge_difference([with_scores(before)] * 2, [with_scores(p) for p in after], {"t": y}, 3)["t"]
    assert found["by_seed"] == [1 / 8, 1 / 8]
    assert found["seeds"]["estimate"] == found["anywhere"]["estimate"] == 1 / 8
    assert (found["seeds"]["low"], found["seeds"]["high"]) == (1 / 8, 1 / 8)
    assert found["anywhere"]["low"] < 0 < found["anywhere"]["high"]
    assert found["mcnemar"] == [{"only_first": 1, "only_second": 2, "p": 1.0}] * 2
    assert {k: one["own"]["estimate"] for k, one in found["classes"].items()} == {"0": -1 / 4, "1": 1 / 2}


def test_intervals_of_all_classes_together_are_wider_than_each_by_itself():
    y = scored()[1]
    runs = [Trained({}, {"t": scored(seed=seed)[0]}) for seed in range(6)]
    for one in judge_difference(runs[:3], runs[3:], {"t": y}, 7)["t"]["classes"].values():
        assert one["together"]["low"] < one["own"]["low"]
        assert one["together"]["high"] > one["own"]["high"]
        assert one["together"]["level"] == pytest.approx(1 - 0.05 / 7)
