"""The colour is the decision, the line is where it turns."""

import numpy as np
import pytest
from matplotlib.colors import to_rgb

from chainrule.figures import Surface, decision_surfaces, save
from chainrule.figures.panels import class_colour
from refusals import refused

from .drawing import flaws, words

GRID = np.linspace(-2, 2, 41)
X, Y = np.meshgrid(GRID, GRID)
RIGHT = (X > 0.05).astype(float)  # class 1 right of the middle


def nearest(colour):
    """The class whose colour, thinned with white, is the likest."""
    return min((0, 1, 2), key=lambda k: np.abs(1 - 0.45 * (1 - np.array(to_rgb(class_colour(k)))) - colour).sum())


@pytest.mark.parametrize(
    "values",
    [RIGHT, np.stack([1 - RIGHT, RIGHT], axis=2), 1 / (1 + np.exp(-20 * (X - 0.05)))],
    ids=["classes", "both", "one"],
)
def test_each_side_has_the_colour_of_its_class_and_the_line_lies_between(values):
    [axes] = decision_surfaces([Surface("net", GRID, GRID, values)], ["left", "right"]).axes
    image = np.asarray(axes.images[0].get_array())
    assert nearest(image[20, 3]) == 0
    assert nearest(image[20, 38]) == 1
    [line] = [c for c in axes.collections if c.get_paths() and len(c.get_offsets()) <= 1]
    turns = np.concatenate([path.vertices[:, 0] for path in line.get_paths()])
    assert np.abs(turns - 0.05).max() < 0.1
    assert axes.images[0].origin == "lower"


def test_the_first_axis_of_the_values_is_y():
    up = (Y > 0).astype(float)
    [axes] = decision_surfaces([Surface("net", GRID, GRID, up)], ["below", "above"]).axes
    image = np.asarray(axes.images[0].get_array())
    assert (nearest(image[2, 20]), nearest(image[38, 20])) == (0, 1)


def test_three_classes_by_number_and_by_probability_look_alike():
    numbers = np.digitize(X, [-0.7, 0.7])
    shares = (numbers[:, :, None] == np.arange(3)).astype(float)
    a, b = decision_surfaces([Surface("a", GRID, GRID, numbers), Surface("b", GRID, GRID, shares)], list("xyz")).axes
    np.testing.assert_array_equal(a.images[0].get_array(), b.images[0].get_array())
    assert [nearest(np.asarray(a.images[0].get_array())[20, column]) for column in (3, 20, 38)] == [0, 1, 2]


def test_points_are_drawn_where_they_are():
    points = np.array([[0.5, -1.0], [-1.5, 1.0], [1.0, 1.0]])
    figure = decision_surfaces([Surface("net", GRID, GRID, RIGHT, points, [1, 0, 1])], ["left", "right"])
    drawn = [np.asarray(c.get_offsets()) for c in figure.axes[0].collections if len(c.get_offsets()) in (1, 2)]
    assert any(np.array_equal(each, points[[0, 2]]) for each in drawn)
    assert "net: 3 points" in figure.get_label()


@pytest.mark.parametrize("panels", [1, 2, 3, 4, 7])
def test_nothing_collides_or_leaves_the_page(panels):
    given = [Surface(f"a network with a long name, rate {k}", GRID, 1e4 * GRID, RIGHT) for k in range(panels)]
    classes = ["a class of which the name is long", "another"]
    figure = decision_surfaces(
        given, classes, title="Decisions " * 12, axes=("petal length (cm)", "x" * 40), note="n " * 90
    )
    assert flaws(figure) == []
    assert "line: where the decision turns" in " ".join(words(figure))


def test_where_nothing_turns_there_is_no_line():
    figure = decision_surfaces([Surface("net", GRID, GRID, np.zeros((41, 41)))], ["left", "right"])
    assert figure.axes[0].collections[:] == []


def test_the_same_surface_gives_the_same_bytes(tmp_path):
    for name in ("a", "b"):
        save(decision_surfaces([Surface("net", GRID, GRID, RIGHT)], ["left", "right"]), tmp_path / f"{name}.svg")
    assert (tmp_path / "a.svg").read_bytes() == (tmp_path / "b.svg").read_bytes()


def test_what_is_no_surface_is_refused():
    with refused("no surfaces"):
        decision_surfaces([], ["a", "b"])
    with refused("(41, 40)", "41 × 41"):
        decision_surfaces([Surface("net", GRID, GRID, RIGHT[:, 1:])], ["a", "b"])
    with refused("does not rise"):
        decision_surfaces([Surface("net", GRID[::-1], GRID, RIGHT)], ["a", "b"])
    with refused("label 2"):
        decision_surfaces([Surface("net", GRID, GRID, RIGHT, [[0, 0]], [2])], ["a", "b"])
