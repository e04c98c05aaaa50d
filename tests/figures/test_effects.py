"""Values of a setting stand under its name, each with its mean and interval where they lie."""

import numpy as np
import pytest

from chainrule.figures import Effect, save, setting_effects
from refusals import refused

from .drawing import flaws, words

EFFECTS = [
    Effect("learning rate", "0.1", 0.9, 0.88, 0.92, 3, (0.89, 0.9, 0.91)),
    Effect("hidden", "128 64", 0.95, None, None, 1),
    Effect("learning rate", "0.01", 0.8, 0.7, 0.9, 3),
]


def lines(figure):
    return figure.axes[0].lines


def test_means_intervals_and_runs_are_drawn_where_they_lie():
    drawn = lines(setting_effects(EFFECTS))
    marks = [float(line.get_xdata()[0]) for line in drawn if line.get_marker() == "D"]
    assert marks == [0.9, 0.8, 0.95], "the values of a setting stand together"
    bars = [tuple(line.get_xdata()) for line in drawn if line.get_marker() == "None"]
    assert bars == [(0.88, 0.92), (0.7, 0.9)]
    assert [tuple(line.get_xdata()) for line in drawn if line.get_marker() == "o"] == [(0.89, 0.9, 0.91)]


def test_the_numbers_stand_beside_and_in_the_spoken_text():
    figure = setting_effects(EFFECTS, title="Effects", measure="loss (nats)", note="95 %")
    assert {"0.9000 (0.8800 to 0.9200), n = 3", "0.9500, n = 1", "learning rate", "hidden", "loss (nats)"} <= set(
        words(figure)
    )
    assert "hidden = 128 64: 0.9500, n = 1" in figure.get_label()


@pytest.mark.parametrize(
    "effects",
    [
        EFFECTS[1:2],
        [Effect("a setting with a name that is long " * 4, "a value with many words " * 4, -1.5, -2, 3, 5)],
        [Effect(f"setting {s}", str(v), v / 10, v / 10 - 0.01, v / 10, 9) for s in range(6) for v in range(4)],
    ],
    ids=["one", "long", "many"],
)
def test_nothing_collides_or_leaves_the_page(effects):
    assert flaws(setting_effects(effects, title="Effects of settings " * 6, note="note " * 40)) == []


def test_the_same_effects_give_the_same_bytes(tmp_path):
    for name in ("a", "b"):
        save(setting_effects(EFFECTS), tmp_path / f"{name}.svg")
    assert (tmp_path / "a.svg").read_bytes() == (tmp_path / "b.svg").read_bytes()


def test_no_effects_and_results_that_are_not_finite_are_refused():
    with refused("no effects"):
        setting_effects([])
    with refused("rate = 1", "not finite"):
        setting_effects([Effect("rate", "1", np.nan, None, None, 1)])
