"""A confusion matrix shows every count where it belongs, as long as it can be read."""

import re

import numpy as np
import pytest

from chainrule.errors import InputError
from chainrule.figures import confusion_matrix

from .drawing import flaws, words


def counts(classes: int, each: int = 100) -> np.ndarray:
    generator = np.random.default_rng(classes)
    rows = [np.where(np.arange(classes) == i, 9.0, 1.0) for i in range(classes)]
    return np.array([generator.multinomial(each, row / row.sum()) for row in rows])


def names(classes: int) -> list[str]:
    return [f"class_{i}" for i in range(classes)]


@pytest.mark.parametrize("classes", [1, 2, 3, 10, 20])
def test_cells_hold_the_counts_with_the_true_class_as_row(classes: int) -> None:
    matrix = counts(classes)
    axes = confusion_matrix(matrix, names(classes)).axes[0]
    cells = {(int(t.get_position()[1]), int(t.get_position()[0])): int(t.get_text()) for t in axes.texts}
    assert cells == {(i, j): matrix[i, j] for i in range(classes) for j in range(classes)}
    assert axes.get_xlabel() == "predicted class"
    assert axes.get_ylabel() == "true class"


def test_colour_is_the_share_of_the_row() -> None:
    image = confusion_matrix([[30, 10], [0, 0]], ["a", "b"]).axes[0].images[0]
    np.testing.assert_array_equal(image.get_array(), [[0.75, 0.25], [0, 0]])


def test_heading_states_the_accuracy() -> None:
    figure = confusion_matrix([[90, 10], [20, 80]], ["a", "b"])
    assert "170 of 200 samples right, accuracy 0.8500" in words(figure)
    assert "no samples" in words(confusion_matrix([[0, 0], [0, 0]], ["a", "b"]))


def luminance(rgb) -> float:
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in rgb[:3]]
    return float(np.dot([0.2126, 0.7152, 0.0722], linear))


def test_counts_contrast_with_their_cells() -> None:
    from matplotlib.colors import to_rgb

    for share in (0.02, 0.1, 0.2, 0.3, 0.35, 0.37, 0.4, 0.5, 0.8, 1):
        count = round(100 * share)
        axes = confusion_matrix([[count, 100 - count], [0, 1]], ["a", "b"]).axes[0]
        image, text = axes.images[0], axes.texts[0]
        cell, ink = luminance(image.to_rgba(share)), luminance(to_rgb(text.get_color()))
        assert (max(cell, ink) + 0.05) / (min(cell, ink) + 0.05) > 3, share


def test_zeros_are_fainter_than_counts() -> None:
    axes = confusion_matrix([[5, 0], [1, 5]], ["a", "b"]).axes[0]
    of = {t.get_text(): t.get_color() for t in axes.texts}
    assert of["0"] != of["1"]


def test_a_hundred_classes_give_up_counts_and_say_why() -> None:
    matrix = np.diag(np.full(100, 1000))
    matrix[3, 7] = 77
    figure = confusion_matrix(matrix, names(100))
    assert not figure.axes[0].texts
    note = " ".join(words(figure))
    assert "100 classes leave no room" in note
    assert "class_3 → class_7 (77)" in note
    assert re.search(r"predicted class \(every \d\w\w is named\)", note)


@pytest.mark.parametrize("classes", [1, 2, 25, 100])
@pytest.mark.parametrize("name", ["{}", "malignant, of the $second_kind$ number {}"])
def test_no_text_overlaps_or_is_clipped(classes: int, name: str) -> None:
    title = "a rather long title with $x_1$ that needs more than one line of the page to be written"
    figure = confusion_matrix(counts(classes, 12345), [name.format(i) for i in range(classes)], title=title)
    assert not flaws(figure)
    assert figure.get_size_inches()[0] <= 7


def test_dollar_and_underscore_are_no_formula() -> None:
    axes = confusion_matrix([[1, 0], [0, 1]], ["$a$", "b_c^d"]).axes[0]
    assert [t.get_text() for t in axes.get_xticklabels()] == ["$a$", "b_c^d"]
    assert not any(t.get_parse_math() for t in axes.get_xticklabels())


@pytest.mark.parametrize(
    ("matrix", "classes", "words_of_error"),
    [
        ([[1, 2, 3], [4, 5, 6]], ["a", "b"], r"shape \(2, 3\)"),
        ([1, 2], ["a", "b"], r"shape \(2,\)"),
        ([[1, 0], [0, 1]], ["a", "b", "c"], "2 rows but there are 3 class names"),
        ([[1, -1], [0, 1]], ["a", "b"], "-1 in row 0, column 1"),
        ([[0.5, 0], [0, 1]], ["a", "b"], "0.5 in row 0"),
        ([[float("nan"), 0], [0, 1]], ["a", "b"], "nan in row 0"),
        ([["x", "y"], ["z", "w"]], ["a", "b"], "numbers only"),
        ([[]], [], "classes is"),
        ([[1]], "a", "classes is 'a'"),
    ],
)
def test_bad_input_is_refused_in_words(matrix, classes, words_of_error) -> None:
    with pytest.raises(InputError, match=words_of_error):
        confusion_matrix(matrix, classes)
