"""The diagram of a network: circles for units, lines for weights, a table that adds up."""

from itertools import pairwise

import numpy as np
import pytest
from matplotlib.patches import PathPatch

from chainrule.errors import InputError, UnknownNameError
from chainrule.figures import network_diagram
from chainrule.figures.diagram import MOST_UNITS

from .drawing import flaws, words


def network(*widths: int, notes: str = "dropout 0.2, batch norm") -> list[dict]:
    layers: list[dict] = [{"name": "input", "width": widths[0]}]
    for number, (before, width) in enumerate(pairwise(widths), start=1):
        layers.append(
            {
                "name": f"layer {number}",
                "width": width,
                "activation": "leaky_relu",
                "parameters": {f"W{number}": (before, width), f"b{number}": (width,)},
                "count": (before + 1) * width,
                "notes": notes,
            }
        )
    return layers


def circles(figure) -> list[int]:
    """Circles of each column, from left to right."""
    lines = [line for line in figure.axes[0].lines if line.get_markersize() > 5]
    return [len(line.get_xdata()) for line in lines]


def strokes(figure) -> list[int]:
    patches = [patch for patch in figure.axes[0].patches if isinstance(patch, PathPatch)]
    return [len(patch.get_path().vertices) // 2 for patch in patches]


def test_narrow_layers_show_every_unit_and_every_weight() -> None:
    figure = network_diagram(network(2, 5, 12, 1))
    assert circles(figure) == [2, 5, 12, 1]
    assert strokes(figure) == [10, 60, 12]


def test_wide_layers_show_an_ellipsis_and_their_width() -> None:
    figure = network_diagram(network(784, 13, 10))
    assert circles(figure) == [10, 10, 10]
    dots = [line for line in figure.axes[0].lines if line.get_markersize() <= 5]
    assert [len(line.get_xdata()) for line in dots] == [3, 3]
    assert {"784 units", "13 units", "10 units"} <= set(words(figure))


def test_circles_of_a_layer_never_touch() -> None:
    figure = network_diagram(network(MOST_UNITS, MOST_UNITS + 1))
    for line in figure.axes[0].lines:
        if line.get_markersize() > 5:
            apart = np.abs(np.diff(line.get_ydata())).min() * 72
            assert apart > line.get_markersize() + line.get_markeredgewidth()


def test_table_states_shapes_counts_and_their_sum() -> None:
    seen = words(network_diagram(network(784, 300, 10)))
    assert "235,500" in seen
    assert "3,010" in seen
    assert "238,510" in seen
    assert "W1 (784, 300), b1 (300,)" in [text.replace("\N{NO-BREAK SPACE}", " ") for text in seen]
    assert seen.count("dropout 0.2, batch norm") == 2


def test_given_total_stands_in_the_last_line() -> None:
    assert "1,234,567" in words(network_diagram(network(3, 2), total=1_234_567))


def test_columns_without_content_are_left_out() -> None:
    assert "notes" not in words(network_diagram(network(3, 2, notes="")))
    assert "notes" in words(network_diagram(network(3, 2)))


def test_deep_networks_leave_out_the_middle_of_the_picture_but_not_of_the_table() -> None:
    figure = network_diagram(network(*range(1, 21)))
    assert len(circles(figure)) == 8
    assert "12 layers," in " ".join(words(figure))
    assert {f"layer {number}" for number in range(1, 20)} <= set(words(figure))


@pytest.mark.parametrize(
    "widths",
    [(1,), (1, 1), (784, 300, 10), (10_000,) * 9, (3, 2, 12, 13, 1, 1000, 7, 9_999, 4), (4,) * 30],
)
@pytest.mark.parametrize("notes", ["", "dropout 0.2, batch norm, $x_1$, and many more words than fit one line " * 2])
def test_no_text_overlaps_or_is_clipped(widths: tuple[int, ...], notes: str) -> None:
    figure = network_diagram(network(*widths, notes=notes), title="a network of $many_layers$ " * 5)
    assert not flaws(figure)


def test_long_names_and_many_parameters_stay_in_their_columns() -> None:
    layers = network(5, 7, 3)
    layers[1]["name"] = "a layer with an amazingly long $name$_of_its_own" * 3
    layers[1]["activation"] = "my_own_activation_with_quite_a_name"
    layers[1]["parameters"] |= {f"running_variance{k}": (7,) for k in range(9)}
    figure = network_diagram(layers)
    assert not flaws(figure)


def test_unknown_keys_are_refused_with_the_nearest() -> None:
    with pytest.raises(UnknownNameError, match="Did you mean 'activation'"):
        network_diagram([{"width": 3, "activaton": "relu"}])


@pytest.mark.parametrize("width", [0, -1, 2.5, None, "3"])
def test_widths_are_whole_numbers_from_one(width) -> None:
    with pytest.raises(InputError, match="input has width"):
        network_diagram([{"width": width}])


def test_a_network_has_a_layer() -> None:
    with pytest.raises(InputError, match="no layers"):
        network_diagram([])
