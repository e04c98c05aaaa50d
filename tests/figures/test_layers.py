"""A panel for each quantity that was recorded, a line for each layer."""

import numpy as np
import pytest

from chainrule.figures import layer_sizes, save
from refusals import refused

from .drawing import flaws, words


def record(epoch, layers, share="saturated"):
    found = {}
    for l in range(1, layers + 1):
        if l < layers:
            found[f"A{l}"] = {"mean": 0.1 * l, "sd": 0.05, **({share: 0.01 * l} if share else {})}
        found[f"dZ{l}"] = 10.0**-l / epoch
        found[f"W{l}"] = {"weights": 0.5 * l, "gradient": 0.1 / epoch, "update": 0.01 * l / epoch}
    return found


def rows(epochs, layers, share="saturated", every=1):
    return [
        {"epoch": e} | ({"layers": record(e, layers, share)} if e % every == 0 else {}) for e in range(1, epochs + 1)
    ]


def panels(figure):
    return {axes.get_title(loc="left").split(",")[0].split(" (")[0]: axes for axes in figure.axes}


def test_the_lines_are_what_was_recorded_where_it_was():
    drawn = panels(layer_sizes(rows(20, 3, every=5)))
    assert list(drawn) == [
        "activations A: mean",
        "saturated values",
        "deltas dZ of a sample",
        "gradients dW",
        "weights W",
        "step / weights",
    ]
    for l, line in enumerate(drawn["deltas dZ of a sample"].lines, 1):
        np.testing.assert_array_equal(line.get_xdata(), [5, 10, 15, 20])
        np.testing.assert_allclose(line.get_ydata(), [10.0**-l / e for e in (5, 10, 15, 20)])
    for line in drawn["step / weights"].lines:
        np.testing.assert_allclose(line.get_ydata(), [0.02 / e for e in (5, 10, 15, 20)])
    assert len(drawn["activations A: mean"].lines) == 2, "the output layer has no activation of its own"


def test_quantities_that_no_layer_has_get_no_panel():
    assert "dead units" in panels(layer_sizes(rows(3, 3, "dead")))
    assert not {"dead units", "saturated values"} & panels(layer_sizes(rows(3, 3, None))).keys()
    assert "activations A: mean" not in panels(layer_sizes(rows(3, 1)))


def test_a_size_that_was_not_finite_is_a_gap():
    found = rows(4, 2)
    found[1]["layers"]["dZ1"] = None
    found[2]["layers"]["W1"]["update"] = None
    drawn = panels(layer_sizes(found))
    assert np.isnan(drawn["deltas dZ of a sample"].lines[0].get_ydata()).tolist() == [False, True, False, False]
    assert np.isnan(drawn["step / weights"].lines[0].get_ydata()).tolist() == [False, False, True, False]


@pytest.mark.parametrize(("epochs", "layers"), [(1, 1), (1, 3), (200, 3), (30, 12)])
def test_nothing_collides_or_leaves_the_page(epochs, layers):
    figure = layer_sizes(rows(epochs, layers), title="Sizes " * 30, note="sigmoid")
    assert flaws(figure) == []
    assert f"layer {layers}" in words(figure)


def test_the_same_rows_give_the_same_bytes(tmp_path):
    for name in ("a", "b"):
        save(layer_sizes(rows(200, 4)), tmp_path / f"{name}.svg")
    assert (tmp_path / "a.svg").read_bytes() == (tmp_path / "b.svg").read_bytes()


def test_rows_without_sizes_are_refused():
    with refused("no row", "record_layers"):
        layer_sizes([{"epoch": 1, "train_loss": 1.0}])
