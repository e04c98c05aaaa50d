"""The curves of a history show its numbers, all of them, beside what guessing would reach."""

import math

import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from chainrule.errors import InputError
from chainrule.figures import learning_curves, save
from chainrule.figures.curves import MOST_POINTS, Curve, thin

from .drawing import flaws, words

BASELINE = {"loss": 2.302, "accuracy": 0.112}


def history(epochs: int, *, accuracy: bool = True, validation: bool = True) -> list[dict[str, float]]:
    rows = []
    for epoch in range(1, epochs + 1):
        t = 10 * epoch / epochs
        row: dict[str, float] = {"epoch": epoch, "train_loss": 2 / (1 + t) + 0.01 * math.sin(epoch)}
        if validation:
            row["validation_loss"] = 2.1 / (1 + t) + 0.004 * t**2
        if accuracy:
            row["train_accuracy"] = 1 - 0.9 * math.exp(-t)
        if accuracy and validation:
            row["validation_accuracy"] = 0.97 - 0.9 * math.exp(-t)
        rows.append(row | {"learning_rate": 0.1, "seconds": 1.0})
    return rows


def line(axes: Axes, label: str) -> np.ndarray:
    [found] = [line for line in axes.lines if str(line.get_label()).startswith(label)]
    return np.asarray(found.get_xydata(), dtype=float)


def panels(figure: Figure) -> list[Axes]:
    return figure.axes


def test_lines_are_the_rows() -> None:
    rows = history(7)
    loss, accuracy = panels(learning_curves(rows))
    for axes, kind in ((loss, "loss"), (accuracy, "accuracy")):
        for part, label in (("train", "training"), ("validation", "validation")):
            expected = [(row["epoch"], row[f"{part}_{kind}"]) for row in rows]
            np.testing.assert_array_equal(line(axes, label), expected)


def test_training_and_validation_differ_without_colour() -> None:
    for axes in panels(learning_curves(history(3))):
        training, validation = axes.lines[:2]
        assert training.get_linestyle() != validation.get_linestyle()
        assert training.get_marker() != validation.get_marker()


def test_baseline_is_drawn_at_its_value_and_named() -> None:
    loss, accuracy = panels(learning_curves(history(3), baseline=BASELINE))
    np.testing.assert_array_equal(line(loss, "class prior: 2.302")[:, 1], [2.302, 2.302])
    np.testing.assert_array_equal(line(accuracy, "majority share: 0.112")[:, 1], [0.112, 0.112])
    low, high = loss.get_ylim()
    assert low < 2.302 < high


def test_epoch_of_lowest_validation_loss_is_marked_in_both_panels() -> None:
    rows = history(20)
    best = min(rows, key=lambda row: row["validation_loss"])
    loss, accuracy = panels(learning_curves(rows))
    np.testing.assert_array_equal(line(loss, "lowest at"), [[best["epoch"], best["validation_loss"]]])
    np.testing.assert_array_equal(line(accuracy, "epoch"), [[best["epoch"], best["validation_accuracy"]]])


def test_without_validation_loss_the_highest_accuracy_is_marked() -> None:
    rows = [{"epoch": e, "validation_accuracy": a} for e, a in ((1, 0.5), (2, 0.9), (3, 0.9), (4, 0.8))]
    [axes] = panels(learning_curves(rows))
    np.testing.assert_array_equal(line(axes, "highest at"), [[2, 0.9]])


def test_regression_has_one_panel_and_no_class_prior() -> None:
    figure = learning_curves(history(4, accuracy=False), baseline={"loss": 3.0}, loss_name="squared error")
    [axes] = panels(figure)
    assert axes.get_ylabel() == "loss (squared error)"
    assert "baseline: 3" in words(figure)


def test_axes_are_named_with_units_and_footer_states_n_and_seed() -> None:
    figure = learning_curves(history(3), n=55_000, seed=7)
    loss, accuracy = panels(figure)
    assert (loss.get_xlabel(), loss.get_ylabel()) == ("epoch", "loss (cross-entropy, nats)")
    assert (accuracy.get_xlabel(), accuracy.get_ylabel()) == ("epoch", "accuracy (share of samples)")
    assert "n = 55,000 training samples · seed 7 · learning rate 0.1" in words(figure)


def test_seed_zero_is_stated() -> None:
    assert "seed 0" in " ".join(words(learning_curves(history(3), seed=0)))


def test_one_epoch_shows_a_marker() -> None:
    for axes in panels(learning_curves(history(1))):
        for drawn in axes.lines[:2]:
            assert drawn.get_marker() not in ("", "None", None)
            assert list(drawn.get_markevery()) == [0]
        assert axes.get_xticks().tolist() == [1]


def test_epoch_zero_is_not_shown() -> None:
    for epochs in (2, 40, 10_000):
        assert "0" not in [
            t.get_text()
            for t in learning_curves(history(epochs)).axes[0].get_xticklabels()
            if t.get_position()[0] >= 0.5
        ]
        assert learning_curves(history(epochs)).axes[0].get_xlim()[0] > 0


def test_values_that_are_not_finite_leave_gaps_and_are_counted() -> None:
    rows = history(40, accuracy=False)
    rows[10]["train_loss"] = math.nan
    rows[20]["validation_loss"] = math.inf
    rows[22]["validation_loss"] = math.nan
    figure = learning_curves(rows)
    [axes] = panels(figure)
    assert np.flatnonzero(np.isnan(line(axes, "validation")[:, 1])).tolist() == [20, 22]
    assert list(axes.lines[1].get_markevery()) == [21]  # alone between two gaps, no line touches it
    assert "not finite and left out: 3 values" in " ".join(words(figure))


def test_validation_measured_now_and_then_is_one_line() -> None:
    rows = history(10, accuracy=False)
    for row in rows:
        if row["epoch"] % 5:
            row["validation_loss"] = None  # type: ignore[assignment]
    np.testing.assert_array_equal(line(panels(learning_curves(rows))[0], "validation")[:, 0], [5, 10])


def test_long_curves_keep_spikes_gaps_and_ends() -> None:
    values = np.linspace(2, 1, 10_000)
    values[[1234, 7777]] = 9, -9
    values[5000] = np.nan
    kept = thin(Curve(np.arange(1, 10_001), values))
    assert len(kept.epochs) <= MOST_POINTS + 2
    assert {1, 1235, 5001, 7778, 10_000} <= set(kept.epochs.tolist())
    np.testing.assert_array_equal(kept.values, values[kept.epochs - 1])
    assert (np.diff(kept.epochs) > 0).all()


def test_ten_thousand_epochs_stay_small(tmp_path) -> None:
    save(learning_curves(history(10_000), baseline=BASELINE, n=1, seed=0), tmp_path / "curves.svg")
    assert (tmp_path / "curves.svg").stat().st_size < 150_000


@pytest.mark.parametrize("decades", [0.2, 2, 6])
def test_logarithmic_axis_has_labels_in_plain_figures(decades: float) -> None:
    rows = [{"epoch": e, "train_loss": 10 ** (-decades * e / 20)} for e in range(1, 21)]
    figure = learning_curves(rows, log_loss=True)
    [axes] = panels(figure)
    assert axes.get_yscale() == "log"
    low, high = axes.get_ylim()
    shown = [t.get_text() for t in axes.get_yticklabels() if low <= t.get_position()[1] <= high]
    assert len(shown) >= 2
    assert not any("$" in text for text in shown)
    assert not flaws(figure)


def test_logarithmic_axis_needs_a_positive_loss() -> None:
    with pytest.raises(InputError, match="no loss is positive"):
        learning_curves([{"epoch": 1, "train_loss": 0.0}], log_loss=True)


@pytest.mark.parametrize("epochs", [1, 2, 30, 10_000])
def test_no_text_overlaps_or_is_clipped(epochs: int) -> None:
    figure = learning_curves(
        history(epochs), title="a title of $many_words$ " * 9, baseline=BASELINE, n=55_000, seed=123_456
    )
    assert not flaws(figure)


@pytest.mark.parametrize(
    ("rows", "words_of_error"),
    [
        ([], "no rows"),
        ([{"epoch": 1}], "no row holds a loss"),
        ([{"train_loss": 1.0}], "epoch None"),
        ([{"epoch": 0, "train_loss": 1.0}], "epoch 0"),
        ([{"epoch": 1, "train_loss": 1.0}, {"epoch": 1, "train_loss": 1.0}], "row 1"),
        ([{"epoch": 1.5, "train_loss": 1.0}], "epoch 1.5"),
        ([{"epoch": 1, "train_loss": "low"}], "train_loss"),
    ],
)
def test_bad_rows_are_refused_in_words(rows, words_of_error) -> None:
    with pytest.raises(InputError, match=words_of_error):
        learning_curves(rows)
