"""Intervals are drawn where they lie, filled only where they exclude no difference."""

from matplotlib.axes import Axes

from chainrule.figures import interval_chart
from refusals import refused

from .drawing import flaws, words

NAMES = ["airplane", "automobile", "bird"]
SERIES = {
    "at equal epochs": [(1.0, 0.5, 1.5), (0.2, -0.4, 0.8), (-2.0, -3.0, -1.0)],
    "at equal updates": [(0.0, -1, 1), None, (1, 0, 2)],
}


def bars(axes: Axes) -> list[tuple[float, float]]:
    return [tuple(map(float, line.get_xdata())) for line in axes.lines if len(line.get_xdata()) == 2][1:]


def marks(axes: Axes) -> list[tuple[float, bool]]:
    lines = [line for line in axes.lines if line.get_marker() != "None"]
    return [(float(line.get_xdata()[0]), line.get_markerfacecolor() != "white") for line in lines]


def test_every_interval_is_drawn_and_what_is_missing_is_not():
    [axes] = interval_chart(NAMES, SERIES, axis="points").axes
    assert bars(axes) == [(0.5, 1.5), (-0.4, 0.8), (-3.0, -1.0), (-1.0, 1.0), (0.0, 2.0)]


def test_a_mark_is_filled_only_where_the_interval_excludes_0():
    [axes] = interval_chart(NAMES, SERIES, axis="points").axes
    assert marks(axes) == [(1.0, True), (0.2, False), (-2.0, True), (0.0, False), (1.0, False)]


def test_names_stand_from_top_to_bottom_and_nothing_collides():
    figure = interval_chart(NAMES, SERIES, axis="recall, percentage points", title="Classes", notes=["5 seeds"])
    [axes] = figure.axes
    assert [label.get_text() for label in axes.get_yticklabels()] == NAMES
    assert axes.get_ylim()[0] > axes.get_ylim()[1]
    assert flaws(figure) == []
    for said in ("at equal epochs", "recall, percentage points", "5 seeds", "filled mark: the interval excludes 0"):
        assert said in words(figure)


def test_the_spoken_text_holds_the_numbers():
    assert "bird, at equal epochs: -2 (-3 to -1)" in interval_chart(NAMES, SERIES, axis="points").get_label()


def test_long_names_stay_on_the_page():
    assert flaws(interval_chart(["a very long name " * 5] * 3, {"x" * 80: SERIES["at equal epochs"]}, axis="p")) == []


def test_nothing_to_draw_and_other_lengths_are_refused():
    with refused("no intervals"):
        interval_chart(["a"], {"x": [None]}, axis="points")
    with refused("'x' has 1 intervals for 3 names"):
        interval_chart(NAMES, {"x": [(0, -1, 1)]}, axis="points")
