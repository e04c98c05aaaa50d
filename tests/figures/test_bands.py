"""Curves over seeds: the line is the mean, the band one standard deviation, nothing is hidden."""

import numpy as np
import pytest
from matplotlib.figure import Figure

from chainrule.figures import save, seed_curves
from chainrule.figures.parts import PARTS
from refusals import refused

from .drawing import flaws, words

TRAINING, DEVELOPMENT = PARTS["train"].colour, PARTS["validation"].colour


def histories(seeds: int, epochs: int = 12) -> list[list[dict[str, float]]]:
    g = np.random.default_rng(seeds)
    return [
        [
            {
                "epoch": epoch,
                "train_loss": 2 / epoch + 0.1 * g.random(),
                "validation_loss": 2.2 / epoch + 0.1 * g.random(),
                "train_accuracy": 1 - 0.8 / epoch + 0.01 * g.random(),
                "validation_accuracy": 0.9 - 0.7 / epoch + 0.01 * g.random(),
            }
            for epoch in range(1, epochs + 1)
        ]
        for _ in range(seeds)
    ]


def drawn(seeds: int = 4) -> tuple[Figure, list[list[dict[str, float]]]]:
    runs = histories(seeds)
    return seed_curves({"original": runs, "augmented": histories(3)}, title="Both", note="batch 500"), runs


def test_the_line_is_the_mean_and_the_faint_ones_are_the_runs():
    figure, runs = drawn()
    for axes, kind in ((figure.axes[0], "loss"), (figure.axes[2], "accuracy")):
        for part, colour in (("train", TRAINING), ("validation", DEVELOPMENT)):
            values = np.array([[row[f"{part}_{kind}"] for row in run] for run in runs])
            lines = [line for line in axes.lines if line.get_color() == colour]
            np.testing.assert_array_equal([line.get_ydata() for line in lines[:-1]], values)
            np.testing.assert_allclose(lines[-1].get_ydata(), values.mean(axis=0))


def test_the_band_is_one_standard_deviation_to_either_side():
    figure, runs = drawn()
    values = np.array([[row["train_loss"] for row in run] for run in runs])
    corners = figure.axes[0].collections[0].get_paths()[0].vertices
    for epoch, mean, sd in zip(range(1, 13), values.mean(axis=0), values.std(axis=0, ddof=1), strict=True):
        heights = corners[corners[:, 0] == epoch, 1]
        assert (heights.min(), heights.max()) == (np.float64(mean - sd), np.float64(mean + sd))


def test_training_is_red_and_development_blue():
    red, blue = (tuple(int(colour[i : i + 2], 16) for i in (1, 3, 5)) for colour in (TRAINING, DEVELOPMENT))
    assert red[0] == max(red)
    assert blue[2] == max(blue)


def test_both_columns_have_the_same_scale():
    figure, _ = drawn()
    assert figure.axes[0].get_ylim() == figure.axes[1].get_ylim()
    assert figure.axes[2].get_ylim() == figure.axes[3].get_ylim()


def test_it_says_how_many_seeds_and_what_the_band_is():
    figure, _ = drawn()
    text = " ".join(words(figure))
    for said in ("original (4 seeds)", "augmented (3 seeds)", "± 1 standard deviation", "batch 500", "nats", "epoch"):
        assert said in text
    assert flaws(figure) == []
    assert "original, training accuracy ends at" in figure.get_label()


def test_one_seed_one_epoch_and_one_panel_are_drawn_too():
    figure = seed_curves({"a name as long as no panel is wide, with more words in it": histories(1, 1)})
    assert flaws(figure) == []
    assert "(1 seed" in figure.get_label() or any("1 seed" in text or "…" in text for text in words(figure))


def test_thousands_of_epochs_make_a_small_file_with_the_same_bytes(tmp_path):
    runs = {"long": histories(2, 3000)}
    for name in ("a", "b"):
        save(seed_curves(runs), tmp_path / f"{name}.svg")
    assert (tmp_path / "a.svg").stat().st_size < 400_000
    assert (tmp_path / "a.svg").read_bytes() == (tmp_path / "b.svg").read_bytes()


def test_where_one_run_ends_earlier_the_mean_ends_and_the_others_go_on():
    runs = [*histories(1, 12), *histories(2, 8)[1:]]
    [axes, _] = seed_curves({"stopped early": runs}).axes
    longer, shorter, mean = (line for line in axes.lines if line.get_color() == TRAINING)
    assert (len(longer.get_xdata()), len(shorter.get_xdata())) == (12, 8)
    assert np.isfinite(mean.get_ydata()).sum() == 8


def test_the_test_part_is_drawn_where_it_is_asked_for_and_said_to_be_monitored():
    runs = [[row | {"test_loss": 1.5, "test_accuracy": 0.5} for row in run] for run in histories(3)]
    assert "test (monitored)" not in words(seed_curves({"a": runs}))
    figure = seed_curves({"a": runs}, parts=("train", "test"))
    assert "test (monitored)" in words(figure)
    assert "validation" not in words(figure)
    assert "a, test (monitored) accuracy ends at 0.5" in figure.get_label()


def test_together_all_entries_share_two_panels_and_no_two_look_alike():
    runs = {f"a rather long name of number {k}, which goes on": histories(3) for k in range(9)}
    figure = seed_curves(runs, together=True, title="Nine")
    loss, accuracy = figure.axes
    looks = {(line.get_color(), line.get_marker()) for line in loss.lines}
    assert len(looks) == 9
    assert len(loss.lines) == len(accuracy.lines) == 18  # training and validation
    assert flaws(figure) == []
    assert "3 seeds each" in " ".join(words(figure))


@pytest.mark.parametrize("entries", [2, 3, 4, 7])
def test_many_entries_fill_rows_of_three_columns_with_one_scale(entries):
    figure = seed_curves({f"entry {k}": histories(2) for k in range(entries)}, note="note")
    assert len(figure.axes) == 2 * entries
    losses = [axes for axes in figure.axes if axes.get_ylim()[1] > 1.5]
    assert len({axes.get_ylim() for axes in losses}) == 1
    assert flaws(figure) == []


def test_without_accuracies_and_with_values_that_are_not_finite_the_rest_is_drawn():
    rows = [{"epoch": epoch, "train_loss": 5 / epoch} for epoch in range(1, 9)]
    rows[3]["train_loss"] = float("nan")
    figure = seed_curves({"numbers": [rows]}, loss_name="squared error", log_loss=True, baseline={"loss": 2.5})
    [axes] = figure.axes
    assert axes.get_ylabel() == "loss (squared error)"
    assert axes.get_yscale() == "log"
    assert "guessing (loss 2.5)" in " ".join(words(figure))
    assert flaws(figure) == []


def test_nothing_to_draw_is_refused():
    with refused("no curves"):
        seed_curves({})
    with refused("no curves"):
        seed_curves({"original": []})
    with refused("no history holds", "test"):
        seed_curves({"original": histories(2)}, parts=("test",))
    with refused("'tset'", "test"):
        seed_curves({"original": histories(2)}, parts=("tset",))
