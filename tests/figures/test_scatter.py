"""Every finite point stands at its place in the look of its class."""

import numpy as np
import pytest
from matplotlib.collections import PathCollection

from chainrule.errors import InputError
from chainrule.figures import scatter_by_class

from .drawing import flaws, words


def clouds(figure) -> list[PathCollection]:
    return [c for c in figure.axes[0].collections if isinstance(c, PathCollection)]


def cloud(classes: int, m: int) -> tuple[np.ndarray, np.ndarray]:
    generator = np.random.default_rng(m)
    return generator.normal(size=(m, 2)), generator.integers(0, classes, m)


def test_points_of_each_class_are_drawn_at_their_places() -> None:
    points, labels = cloud(3, 50)
    drawn = clouds(scatter_by_class(points, labels, ["a", "b", "c"]))
    for k in range(3):
        np.testing.assert_array_equal(drawn[k].get_offsets(), points[labels == k])


def test_classes_differ_in_colour_and_in_shape() -> None:
    drawn = clouds(scatter_by_class(*cloud(7, 400), list("abcdefg")))
    assert len({tuple(c.get_facecolor()[0]) for c in drawn}) == 7
    assert len({c.get_paths()[0].vertices.tobytes() for c in drawn}) == 7


def test_one_unit_is_as_long_on_both_axes_and_axes_are_named() -> None:
    axes = scatter_by_class(*cloud(2, 30), ["a", "b"], axes=("length (cm)", "$w_1$")).axes[0]
    assert axes.get_aspect() == 1
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("length (cm)", "$w_1$")


def test_many_points_are_fainter_than_few() -> None:
    few, many = (clouds(scatter_by_class(*cloud(1, m), ["a"]))[0].get_alpha() for m in (10, 20_000))
    assert many < few


def test_points_that_are_not_finite_are_counted() -> None:
    figure = scatter_by_class([[0, np.nan], [1, 2], [np.inf, 1]], [0, 1, 0], ["a", "b"])
    assert "m = 1 sample · not finite and left out: 2" in words(figure)


@pytest.mark.parametrize("classes", [1, 2, 10, 21, 40, 100])
def test_no_text_overlaps_or_is_clipped(classes: int) -> None:
    names = [f"a long name, $x_{k}$" for k in range(classes)]
    figure = scatter_by_class(*cloud(classes, 1000), names, title="a long title " * 15)
    assert not flaws(figure)


@pytest.mark.parametrize("flat", [1e-3, 1, 1e3])
def test_flat_and_tall_data_keep_their_texts_apart(flat: float) -> None:
    points, labels = cloud(2, 100)
    figure = scatter_by_class(points * [1, flat], labels, ["a", "b"], title="t")
    assert not flaws(figure)


@pytest.mark.parametrize(
    ("points", "labels", "words_of_error"),
    [
        (np.zeros((3, 3)), [0, 0, 0], r"shape \(3, 3\)"),
        (np.zeros((3, 2)), [0, 0], "there are 3 samples"),
        (np.zeros((2, 2)), [0, 5], "label 5 of sample 1 is none of the 2 classes"),
        (np.zeros((2, 2)), [0, 0.5], "label 0.5 of sample 1"),
        (np.full((2, 2), np.nan), [0, 1], "none of 2 points is finite"),
        (np.zeros((0, 2)), [], "none of 0 points"),
        ([["x", "y"]], [0], "numbers only"),
    ],
)
def test_bad_input_is_refused_in_words(points, labels, words_of_error) -> None:
    with pytest.raises(InputError, match=words_of_error):
        scatter_by_class(points, labels, ["a", "b"])
