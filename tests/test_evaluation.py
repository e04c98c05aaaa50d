"""Evaluation against scikit-learn's own figures, its baselines in closed form, and that looking changes nothing."""

import json
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics

import chainrule as cr
from chainrule import Network, evaluate
from chainrule.errors import InputError
from chainrule.evaluation import Evaluation, baseline, measure
from chainrule.rules import output


def reader(output_: str, width: int, **parts) -> Network:
    """A network whose logits are its inputs, so that any prediction can be had."""
    return Network([width, width], output=output_, init={"W1": np.eye(width)}, dtype="float64", **parts)


def classification(m: int = 200, width: int = 5, seed: int = 0):
    rng = np.random.default_rng(seed)
    return rng.normal(size=(m, width)), rng.integers(width, size=m)


def test_loss_accuracy_confusion_and_report_are_those_of_scikit_learn():
    logits, y = classification()
    net = reader("softmax", 5)
    found, P, predicted = evaluate(net, (logits, y)), net.predict_proba(logits), logits.argmax(axis=1)
    assert found.samples == 200
    assert found.loss == pytest.approx(metrics.log_loss(y, P), rel=1e-12)
    assert found.accuracy == pytest.approx(metrics.accuracy_score(y, predicted), rel=1e-15)
    assert np.array_equal(found.confusion, metrics.confusion_matrix(y, predicted))
    assert found.report == metrics.classification_report(y, predicted)
    assert found.scores == metrics.classification_report(y, predicted, output_dict=True)
    assert found.classes == ("0", "1", "2", "3", "4")
    assert (found.r2, found.loss_name) == (None, "cross-entropy")


def test_rows_of_the_confusion_matrix_are_true_and_columns_predicted():
    net = reader("softmax", 3)
    found = evaluate(net, (np.eye(3)[[1, 1, 2]], [0, 1, 2]))
    assert found.confusion.tolist() == [[0, 1, 0], [0, 1, 0], [0, 0, 1]]


@settings(deadline=None, max_examples=25)
@given(st.integers(2, 6), st.integers(1, 40), st.integers(0, 10**6))
def test_accuracy_is_the_trace_of_the_confusion_and_its_rows_count_the_classes(width, m, seed):
    logits, y = classification(m, width, seed)
    found = evaluate(reader("softmax", width), (logits, y))
    assert found.confusion.sum() == m
    assert np.trace(found.confusion) / m == pytest.approx(found.accuracy)
    assert found.confusion.sum(axis=1).tolist() == np.bincount(y, minlength=width).tolist()
    assert found.baseline["accuracy"] == pytest.approx(np.bincount(y).max() / m)


def test_classes_that_do_not_occur_keep_their_place():
    found = evaluate(reader("softmax", 4), (np.eye(4)[[0, 0, 2]], [0, 2, 2]))
    assert found.confusion.shape == (4, 4)
    assert found.scores["3"]["support"] == 0
    assert found.confusion[3].sum() == 0


def test_one_sigmoid_unit_is_a_classification_of_two_classes():
    rng = np.random.default_rng(1)
    logits, y = rng.normal(size=(100, 1)), rng.integers(2, size=100)
    found = evaluate(reader("sigmoid", 1), (logits, y))
    predicted = (logits[:, 0] > 0).astype(int)
    assert found.loss == pytest.approx(metrics.log_loss(y, 1 / (1 + np.exp(-logits[:, 0]))), rel=1e-12)
    assert found.accuracy == metrics.accuracy_score(y, predicted)
    assert np.array_equal(found.confusion, metrics.confusion_matrix(y, predicted))
    assert found.report == metrics.classification_report(y, predicted)
    share = y.mean()
    entropy = -share * math.log(share) - (1 - share) * math.log(1 - share)
    assert found.baseline == pytest.approx({"loss": entropy, "accuracy": max(share, 1 - share)})


def test_several_labels_a_sample_are_counted_by_whole_rows_and_reported_by_label():
    rng = np.random.default_rng(2)
    logits, y = rng.normal(size=(100, 3)), rng.integers(2, size=(100, 3))
    found = evaluate(reader("sigmoid", 3), (logits, y))
    predicted = (logits > 0).astype(int)
    P = 1 / (1 + np.exp(-logits))
    assert found.confusion is None
    assert found.accuracy == metrics.accuracy_score(y, predicted)
    assert found.report == metrics.classification_report(y, predicted, target_names=["0", "1", "2"], zero_division=0)
    assert found.loss == pytest.approx(sum(metrics.log_loss(y[:, k], P[:, k]) for k in range(3)), rel=1e-12)
    assert found.scores["1"]["recall"] == pytest.approx(metrics.recall_score(y[:, 1], predicted[:, 1]))
    rows, counts = np.unique(y, axis=0, return_counts=True)
    assert found.baseline["accuracy"] == counts.max() / 100
    assert len(rows) == 8


@pytest.mark.parametrize("width", [1, 3])
def test_a_regression_has_r2_and_no_accuracy(width):
    rng = np.random.default_rng(3)
    predicted, y = rng.normal(size=(50, width)), rng.normal(size=(50, width))
    found = evaluate(reader("identity", width), (predicted, y[:, 0] if width == 1 else y))
    assert found.loss == pytest.approx(0.5 * width * metrics.mean_squared_error(y, predicted), rel=1e-12)
    assert found.r2 == pytest.approx(metrics.r2_score(y, predicted, multioutput="variance_weighted"), rel=1e-12)
    assert (found.accuracy, found.confusion, found.report, found.scores) == (None, None, "", {})
    assert found.baseline == pytest.approx({"loss": 0.5 * y.var(axis=0).sum()})
    assert found.classes == ()


# --- baselines


def test_the_baseline_is_the_entropy_of_the_prior_and_the_share_of_the_majority():
    softmax = output("softmax")
    T = softmax.targets([0, 0, 0, 1], 3, "float64")
    expected = -0.75 * math.log(0.75) - 0.25 * math.log(0.25)
    assert baseline(softmax, T) == pytest.approx({"loss": expected, "accuracy": 0.75})
    uniform = softmax.targets(np.arange(30) % 10, 10, "float32")
    assert baseline(softmax, uniform) == pytest.approx({"loss": math.log(10), "accuracy": 0.1}, rel=1e-7)
    alone = baseline(softmax, softmax.targets([1, 1], 2, "float64"))
    assert alone == {"loss": 0, "accuracy": 1}


@pytest.mark.parametrize("name", ["softmax", "sigmoid", "identity"])
def test_the_baseline_is_reached_by_the_best_constant_and_by_no_other(name):
    """A network without weights whose biases are the logits of the mean target; any other bias does worse."""
    rng = np.random.default_rng(4)
    y = {
        "softmax": rng.choice(3, p=[0.5, 0.3, 0.2], size=60),
        "sigmoid": (rng.random((60, 3)) < [0.2, 0.5, 0.7]).astype(int),
        "identity": rng.normal(size=(60, 3)),
    }[name]
    T = output(name).targets(y, 3, "float64")
    mean = T.mean(axis=0)
    link = {"softmax": np.log, "sigmoid": lambda p: np.log(p / (1 - p)), "identity": lambda p: p}[name]
    bias = link(mean)
    losses = []
    for change in (0, 0.05, -0.05):
        start = {"W1": np.zeros((2, 3)), "b1": bias + np.array([change, 0, 0])}
        net = Network([2, 3], output=name, init=start, dtype="float64")
        losses.append(evaluate(net, (rng.normal(size=(60, 2)), y)))
    assert losses[0].loss == pytest.approx(losses[0].baseline["loss"], rel=1e-12)
    assert min(losses[1].loss, losses[2].loss) > losses[0].loss


def test_soft_targets_have_the_entropy_of_their_mean_as_baseline():
    T = np.array([[0.5, 0.5, 0], [0, 0.5, 0.5]])
    found = evaluate(reader("softmax", 3), (np.zeros((2, 3)), T))
    assert found.baseline["loss"] == pytest.approx(0.5 * math.log(4) + 0.5 * math.log(2))
    assert found.loss == pytest.approx(math.log(3))


# --- stored and shown


@pytest.mark.parametrize("kind", ["softmax", "sigmoid", "several labels", "identity", "soft"])
def test_an_evaluation_survives_json(kind):
    rng = np.random.default_rng(5)
    name, width = {"softmax": ("softmax", 3), "soft": ("softmax", 3), "sigmoid": ("sigmoid", 1)}.get(kind, (kind, 2))
    name = "sigmoid" if kind == "several labels" else name
    y = {
        "softmax": lambda: rng.integers(3, size=40),
        "soft": lambda: rng.dirichlet(np.ones(3), size=40),
        "sigmoid": lambda: rng.integers(2, size=40),
        "several labels": lambda: rng.integers(2, size=(40, 2)),
        "identity": lambda: rng.normal(size=(40, 2)),
    }[kind]()
    found = evaluate(reader(name, width), (rng.normal(size=(40, width)), y))
    text = json.dumps(found.to_json(), allow_nan=False)
    back = Evaluation.from_json(json.loads(text))
    for field in Evaluation.__dataclass_fields__:
        mine, theirs = getattr(found, field), getattr(back, field)
        assert np.array_equal(mine, theirs) if field == "confusion" and mine is not None else mine == theirs, field
    assert type(back.classes) is tuple
    assert back.confusion is None or back.confusion.dtype == np.int64
    assert json.dumps(back.to_json()) == text


def test_an_r2_that_does_not_exist_survives_strict_json():
    found = evaluate(reader("identity", 1), (np.ones((3, 1)), [2.0, 2.0, 2.0]))
    assert found.r2 is None or math.isnan(found.r2)
    Evaluation.from_json(json.loads(json.dumps(found.to_json(), allow_nan=False)))


def test_the_summary_names_every_figure_beside_its_baseline_and_n():
    logits, y = classification()
    found = evaluate(reader("softmax", 5), (logits, y))
    line = found.summary()
    for piece in (
        f"loss {found.loss:.4f}",
        f"baseline {found.baseline['loss']:.4f}",
        f"accuracy {found.accuracy:.2%}",
        f"majority {found.baseline['accuracy']:.2%}",
        "n = 200",
    ):
        assert piece in line
    assert line in found._repr_html_()
    regression = evaluate(reader("identity", 1), (np.ones((3, 1)), [1.0, 2.0, 3.0])).summary()
    assert "R² 0" in regression or "R² -" in regression
    assert "accuracy" not in regression


def test_the_names_of_the_classes_are_shown_and_escaped_in_html():
    x, y = classification(90, 3)
    data = cr.DataSet.from_arrays(x, y, classes=["<cat>", "dog", "eel"], test=0.3)
    net = Network([3, 3])
    cr.train(net, data, epochs=1)
    found = evaluate(net, data.test)
    assert found.classes == ("<cat>", "dog", "eel")
    assert "dog" in found.report
    assert "&lt;cat&gt;" in found._repr_html_()
    assert "<cat>" not in found._repr_html_()


# --- looking changes nothing


def test_evaluation_changes_neither_parameters_nor_statistics_nor_data():
    x, y = classification(60, 5)
    net = Network([5, 6, 5], batch_norm=True, dropout=0.5)
    cr.train(net, (x, y), epochs=2, batch_size=10)
    arrays = {**net.parameters(), **net.statistics(), "x": x, "y": y}
    before = {name: array.tobytes() for name, array in arrays.items()}
    first, second = evaluate(net, (x, y)), evaluate(net, (x, y))
    assert {name: array.tobytes() for name, array in arrays.items()} == before
    assert first.to_json() == second.to_json()


def test_measure_is_the_loss_and_accuracy_of_evaluate():
    x, y = classification(60, 5)
    net = Network([5, 6, 5], batch_norm=True, dropout=0.5)
    found = evaluate(net, (x, y))
    assert measure(net, net.inputs(x), net.targets(y, 60)) == (found.loss, found.accuracy)
    numbers = Network([5, 1], output="identity")
    assert measure(numbers, net.inputs(x), numbers.targets(x[:, 0], 60))[1] is None


def test_the_loss_has_no_l2_in_it_and_is_one_mean_over_all_blocks_of_rows():
    logits, y = classification(9001, 3)
    found = evaluate(reader("softmax", 3), (logits, y))
    assert found.loss == pytest.approx(metrics.log_loss(y, np.exp(logits) / np.exp(logits).sum(axis=1)[:, None]))


@pytest.mark.parametrize(
    ("x", "y", "words"),
    [
        (np.zeros((2, 4)), [0, 1], "(2, 4)"),
        (np.zeros((2, 3)), [0, 3], "label 3"),
        (np.zeros((2, 3)), [0], "2 samples but 1 targets"),
        (np.zeros((0, 3)), [], "(0, 3)"),
    ],
)
def test_data_that_do_not_fit_are_refused_in_words(x, y, words):
    with pytest.raises(InputError) as caught:
        evaluate(Network([3, 3]), (x, y))
    assert words in str(caught.value)
    assert "\n" in str(caught.value)


def test_inputs_that_are_not_finite_are_refused_and_give_no_figures():
    with pytest.raises(InputError, match="sample 1, column 2"):
        evaluate(Network([3, 3]), (np.array([[0, 0, 0], [0, 0, np.nan]]), [0, 1]))


def test_what_is_no_pair_is_refused_in_words():
    data = cr.load_data("xor", samples=80)
    net = Network([2, 2])
    with pytest.raises(InputError, match=r"data\.test"):
        evaluate(net, data)
    for wrong in (data.test.x, "xor", None):
        with pytest.raises(InputError, match="no pair"):
            evaluate(net, wrong)
        with pytest.raises(InputError, match="no pair"):
            cr.train(net, wrong)
