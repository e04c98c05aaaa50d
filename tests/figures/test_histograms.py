"""The histograms of a table hold every finite value, as shares of its class."""

import numpy as np
import pytest
from matplotlib.patches import StepPatch

from chainrule.errors import InputError
from chainrule.figures import table_histograms

from .drawing import flaws, words


def outlines(axes) -> list[StepPatch]:
    return [patch for patch in axes.patches if isinstance(patch, StepPatch)]


def test_outlines_are_shares_of_the_class() -> None:
    values = np.array([1, 1, 2, 3, 3, 3])
    [axes] = table_histograms({"k": values}, [0, 0, 0, 0, 1, 1], ["a", "b"]).axes
    first, second = outlines(axes)
    np.testing.assert_array_equal(first.get_data().edges, [0.5, 1.5, 2.5, 3.5])
    np.testing.assert_array_equal(first.get_data().values, [0.5, 0.25, 0.25])
    np.testing.assert_array_equal(second.get_data().values, [0, 0, 1])
    assert axes.get_xlabel() == "k"
    assert axes.get_ylabel() == "share"


def test_every_outline_sums_to_one() -> None:
    generator = np.random.default_rng(0)
    figure = table_histograms(
        {"x": generator.normal(size=300), "y": generator.exponential(size=300)}, np.arange(300) % 4, list("abcd")
    )
    for axes in figure.axes:
        assert len(outlines(axes)) == 4
        for outline in outlines(axes):
            assert outline.get_data().values.sum() == pytest.approx(1, abs=1e-12)


def test_classes_differ_without_colour() -> None:
    [axes] = table_histograms({"x": np.arange(50.0)}, np.arange(50) % 5, list("abcde")).axes
    assert len({str(outline.get_linestyle()) for outline in outlines(axes)}) == 5


def test_twelve_columns_are_shown_and_the_rest_counted() -> None:
    figure = table_histograms({f"x{j}": np.arange(9.0) for j in range(15)}, None, [])
    assert [axes.get_xlabel() for axes in figure.axes] == [f"x{j}" for j in range(12)]
    assert "m = 9 samples · 3 more columns are not shown" in words(figure)


def test_many_classes_share_one_outline_named_so() -> None:
    labels = np.repeat(np.arange(10), np.arange(11, 1, -1))
    figure = table_histograms({"x": np.arange(len(labels))}, labels, [f"c{k}" for k in range(10)])
    assert {"c0", "c1", "c2", "c3", "6 other classes"} <= set(words(figure))
    assert "c4" not in words(figure)


def test_missing_values_are_counted_at_their_column() -> None:
    figure = table_histograms({"x": [1, np.nan, 3], "y": [np.nan] * 3}, None, [])
    assert [axes.get_xlabel() for axes in figure.axes] == ["x (1 missing)", "y (3 missing)"]


@pytest.mark.parametrize("constant", [0.0, 3.3, -1e-12, 1e300, 7e17, -2.0])
def test_constant_columns_can_be_drawn(constant: float) -> None:
    [axes] = table_histograms({"x": np.full(5, constant)}, None, []).axes
    assert outlines(axes)[0].get_data().values.sum() == 1


@pytest.mark.parametrize("columns", [1, 2, 7])
@pytest.mark.parametrize("scale", [1e-7, 1, 3e4, 1e9])
def test_no_text_overlaps_or_is_clipped(columns: int, scale: float) -> None:
    values = np.random.default_rng(columns).normal(size=80) * scale
    values[0] = np.nan
    table = {f"length_of_the $petals$ in half-millimetres {j}": values for j in range(columns)}
    names = [f"a class with a long name {k}" for k in range(6)]
    figure = table_histograms(table, np.arange(80) % 6, names, title="title " * 20)
    assert not flaws(figure)


@pytest.mark.parametrize(
    ("columns", "labels", "words_of_error"),
    [
        ({}, [0], "no columns"),
        ({"x": []}, [], "at least one sample"),
        ({"x": [1, 2], "y": [1, 2, 3]}, [0, 1], r"column 'y' has shape \(3,\)"),
        ({"x": ["red", "blue"]}, [0, 1], "column 'x' does not hold numbers"),
        ({"x": [1, 2]}, [0, 2], "label 2 of sample 1"),
        ({"x": [1, 2]}, [0], "2 samples"),
    ],
)
def test_bad_input_is_refused_in_words(columns, labels, words_of_error) -> None:
    with pytest.raises(InputError, match=words_of_error):
        table_histograms(columns, labels, ["a", "b"])
