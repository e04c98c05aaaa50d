"""Bars are the means, whiskers the deviations, dots the runs, and the numbers stand beside."""

import numpy as np
import pytest

from chainrule.figures import part_bars, save
from refusals import refused

from .drawing import flaws, words

RESULTS = {
    "sigmoid": {"train": [0.9, 0.8, 1.0], "test": [0.7, 0.8, 0.75]},
    "tanh": {"test": [0.6]},
}


def test_every_bar_begins_at_0_and_is_as_long_as_the_mean():
    [axes] = part_bars(RESULTS).axes
    assert [patch.get_x() for patch in axes.patches] == [0, 0, 0]
    np.testing.assert_allclose([patch.get_width() for patch in axes.patches], [0.9, 0.75, 0.6])


def test_mean_deviation_and_number_of_runs_are_said():
    figure = part_bars(RESULTS, title="Both", baseline=0.5, note="n = 750")
    text = words(figure)
    assert {"0.9000 ± 0.1000 (n = 3)", "0.7500 ± 0.0500 (n = 3)", "0.6000", "training", "test"} <= set(text)
    assert "validation" not in text
    assert "guessing (0.5) · n = 750" in " ".join(text)
    assert "sigmoid, test: 0.7500 ± 0.0500 (n = 3)" in figure.get_label()


def test_each_run_is_a_dot():
    [axes] = part_bars(RESULTS).axes
    dots = [sorted(map(float, line.get_xdata())) for line in axes.lines if line.get_marker() == "o"]
    assert dots == [[0.8, 0.9, 1.0], [0.7, 0.75, 0.8]]


@pytest.mark.parametrize(
    "results",
    [
        {"a name that is much longer than the place that there is for names at the left": RESULTS["sigmoid"]},
        {f"784–{width}–10": {part: [0.9, 0.91] for part in ("train", "validation", "test")} for width in range(14)},
        {"one": {"train": [1.0]}},
        {"猫 $x$ <b>": {"validation": list(np.linspace(0, 1, 20))}},
    ],
    ids=["long", "many", "one", "strange"],
)
def test_nothing_collides_or_leaves_the_page(results):
    assert flaws(part_bars(results, title="A title " * 20, baseline=0.5, note="a note " * 30)) == []


def test_losses_have_an_axis_of_their_own():
    [axes] = part_bars({"a": {"train": [2.5, 3.5]}}, measure="loss (nats)").axes
    assert axes.get_xlim()[1] > 3.5
    assert axes.get_xlabel() == "loss (nats)"


def test_the_same_results_give_the_same_bytes(tmp_path):
    for name in ("a", "b"):
        save(part_bars(RESULTS, title="t"), tmp_path / f"{name}.svg")
    assert (tmp_path / "a.svg").read_bytes() == (tmp_path / "b.svg").read_bytes()


def test_what_is_no_result_is_refused():
    for nothing in ({}, {"a": {}}, {"a": {"train": []}}):
        with refused("no results"):
            part_bars(nothing)
    with refused("'training'", "train"):
        part_bars({"a": {"training": [1]}})
    with refused("test of 'a'", "not finite"):
        part_bars({"a": {"test": [float("nan")]}})
