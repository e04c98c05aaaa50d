"""Matrices side by side show shares of the true class, with names that fit."""

import numpy as np
import pytest

from chainrule.figures import confusion_panels
from refusals import refused

from .drawing import flaws, words

CLASSES = ["airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"]


def counts(seed: int, classes: int = 10) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 60, (classes, classes)) + np.diag([900] * classes)


def test_cells_are_whole_percent_of_the_row():
    matrix = [[30, 10], [1, 199]]
    figure = confusion_panels({"one": matrix}, ["no", "yes"])
    np.testing.assert_allclose(figure.axes[0].images[0].get_array(), [[0.75, 0.25], [0.005, 0.995]])
    assert [text.get_text() for text in figure.axes[0].texts] == ["75", "25", "0", "100"]


@pytest.mark.parametrize("number", [1, 2, 3])
def test_ten_classes_fit_the_page_one_to_three_times(number):
    names = ["original", "augmented, equal epochs", "augmented, equal updates"][:number]
    figure = confusion_panels({name: counts(i) for i, name in enumerate(names)}, CLASSES, title="Confusions")
    assert flaws(figure) == []
    assert set(names) <= set(words(figure))
    assert figure.get_size_inches()[0] == 7


def test_a_class_without_samples_has_shares_of_0():
    figure = confusion_panels({"one": [[0, 0], [3, 1]]}, ["a", "b"])
    np.testing.assert_allclose(figure.axes[0].images[0].get_array(), [[0, 0], [0.75, 0.25]])


def test_long_names_of_classes_and_matrices_stay_on_the_page():
    figure = confusion_panels(
        {"a matrix with a name that is far too long for the width of it": counts(0, 12), "b": counts(1, 12)},
        ["an uncommonly long name of a class " * 3] * 12,
    )
    assert flaws(figure) == []


def test_the_spoken_text_tells_the_recall():
    assert "one: mean recall 0.7500" in confusion_panels({"one": [[1, 1], [0, 5]]}, ["a", "b"]).get_label()


def test_what_is_no_table_of_counts_or_too_many_is_refused():
    with refused("'one' is no table of counts for 2 classes: (3, 3)"):
        confusion_panels({"one": np.eye(3)}, ["a", "b"])
    with refused("no table of counts"):
        confusion_panels({"one": -np.eye(2)}, ["a", "b"])
    with refused("4 matrices of 2 classes do not fit"):
        confusion_panels({str(i): np.eye(2) for i in range(4)}, ["a", "b"])
    with refused("1 matrices of 13 classes do not fit"):
        confusion_panels({"one": np.eye(13)}, ["a"] * 13)
