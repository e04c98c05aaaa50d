"""Results against the number of hidden units, with the spread over the runs."""

import numpy as np
import pytest

from chainrule.figures import save, width_curve
from refusals import refused

from .drawing import flaws, words

SERIES = {"1 layer": [(64, [0.95, 0.97]), (8, [0.8])], "2 layers": [(16, [0.9, 0.92, 0.94])]}


def test_marks_are_the_means_in_the_order_of_the_units():
    axes = width_curve(SERIES).axes[0]
    line, other = (container.lines[0] for container in axes.containers)
    np.testing.assert_allclose(line.get_ydata(), [0.8, 0.96])
    np.testing.assert_allclose(line.get_xdata(), [8, 64], rtol=0.02)
    np.testing.assert_allclose(other.get_ydata(), [0.92])
    assert axes.get_xscale() == "log"


def test_whiskers_are_one_standard_deviation():
    axes = width_curve(SERIES).axes[0]
    segment = axes.containers[1].lines[2][0].get_segments()[0]
    np.testing.assert_allclose(segment[:, 1], [0.9, 0.94])


def test_guessing_is_a_line_where_it_is_near_and_a_number_where_it_is_far():
    near = width_curve({"a": [(4, [0.5]), (8, [0.9])]}, baseline=0.4)
    assert "dotted: guessing 0.4" in words(near)
    far = width_curve(SERIES, baseline=0.1)
    assert "guessing, below the axis: 0.1" in " ".join(words(far))
    assert far.axes[0].get_ylim()[0] > 0.5


@pytest.mark.parametrize(
    "series",
    [
        {"one": [(300, [0.9])]},
        {
            f"a series of networks with a long name, number {k}": [(u, [0.9, 0.8 + k / 99]) for u in (4, 8)]
            for k in range(8)
        },
        {"close": [(u, [u / 2000]) for u in (*range(10, 20), 500, 501, 1000)]},
    ],
    ids=["one", "long", "close"],
)
def test_nothing_collides_or_leaves_the_page(series):
    assert flaws(width_curve(series, title="Accuracy against units " * 5, note="note " * 40)) == []


def test_the_same_series_give_the_same_bytes(tmp_path):
    for name in ("a", "b"):
        save(width_curve(SERIES), tmp_path / f"{name}.svg")
    assert (tmp_path / "a.svg").read_bytes() == (tmp_path / "b.svg").read_bytes()


def test_what_is_no_series_is_refused():
    for nothing in ({}, {"a": []}, {"a": [(3, [])]}):
        with refused("no results"):
            width_curve(nothing)
    with refused("'a' has 0 units"):
        width_curve({"a": [(0, [0.5])]})
