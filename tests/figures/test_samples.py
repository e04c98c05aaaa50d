"""A sheet of samples shows the pixels it was given, a row a class."""

import numpy as np
import pytest

from chainrule.errors import InputError
from chainrule.figures import sample_sheet

from .drawing import flaws, words

RIM = 2  # of images of 32 pixels


def sheet(figure) -> np.ndarray:
    return np.asarray(figure.axes[0].images[0].get_array())


def image(generator: np.random.Generator, *shape: int) -> np.ndarray:
    return generator.integers(0, 256, shape, dtype=np.uint8)


def test_bytes_are_shown_as_they_are_in_the_row_of_their_class() -> None:
    generator = np.random.default_rng(0)
    images = [[image(generator, 32, 32) for _ in range(3)] for _ in range(2)]
    canvas = sheet(sample_sheet(images, ["a", "b"]))
    side = 32 + 2 * RIM
    for k, row in enumerate(images):
        for i, expected in enumerate(row):
            tile = canvas[k * side + RIM :, i * side + RIM :][:32, :32]
            np.testing.assert_array_equal(tile, np.repeat(expected[:, :, None], 3, axis=2))


def test_colour_and_unit_floats_are_shown_as_they_are() -> None:
    expected = np.random.default_rng(1).integers(0, 256, (32, 32, 3), dtype=np.uint8)
    canvas = sheet(sample_sheet([[expected / 255]], ["a"]))
    np.testing.assert_array_equal(canvas[RIM:-RIM, RIM:-RIM], expected)


def test_other_numbers_are_stretched_and_the_note_says_so() -> None:
    values = np.linspace(-2, 6, 32 * 32).reshape(32, 32)
    figure = sample_sheet([[values]], ["a"], note="first of each class")
    assert sheet(figure)[RIM, RIM, 0] == 0
    assert sheet(figure)[-RIM - 1, -RIM - 1, 0] == 255
    assert "first of each class" in words(figure)
    assert "Values are stretched: −2 is black, 6 is white." in words(figure)
    assert not any("stretched" in text for text in words(sample_sheet([[np.ones((4, 4))]], ["a"])))


def test_missing_samples_leave_gaps() -> None:
    black = np.zeros((32, 32), np.uint8)
    canvas = sheet(sample_sheet([[black, black], [black], []], ["a", "b", "c"]))
    side = 32 + 2 * RIM
    assert canvas.shape == (3 * side, 2 * side, 3)
    assert (canvas[side : 2 * side, side:] == canvas[0, 0]).all()
    assert (canvas[2 * side :] == canvas[0, 0]).all()


def test_constant_images_do_not_divide_by_zero() -> None:
    assert (sheet(sample_sheet([[np.full((32, 32), 7.0)]], ["a"]))[RIM:-RIM, RIM:-RIM] == 0).all()


def test_large_images_are_averaged_and_keep_their_mean() -> None:
    checks = np.indices((300, 301)).sum(axis=0) % 2 * 200
    canvas = sheet(sample_sheet([[checks.astype(np.uint8)]], ["a"]))
    assert max(canvas.shape[:2]) < 130
    assert abs(int(canvas[50, 50, 0]) - 100) <= 15


def test_the_given_arrays_stay_as_they_are() -> None:
    given = np.random.default_rng(2).normal(size=(9, 8))
    before = given.copy()
    given.setflags(write=False)
    sample_sheet([[given]], ["a"])
    np.testing.assert_array_equal(given, before)


@pytest.mark.parametrize("classes", [1, 10, 26, 100])
@pytest.mark.parametrize("shape", [(8, 8), (32, 32, 3), (10, 40)])
def test_every_class_is_named_and_no_text_overlaps(classes: int, shape: tuple[int, ...]) -> None:
    generator = np.random.default_rng(classes)
    images = [[image(generator, *shape) for _ in range(1 + k % 9)] for k in range(classes)]
    names = [f"$kind_{k}$" for k in range(classes)]
    figure = sample_sheet(images, names, title="sheet " * 30, note="note " * 40)
    assert set(names) <= set(words(figure))
    assert not flaws(figure)
    assert figure.get_size_inches()[0] <= 7


@pytest.mark.parametrize(
    ("images", "classes", "words_of_error"),
    [
        ([[np.zeros((2, 2))]], ["a", "b"], "images of 1 classes but 2 class names"),
        ([[], []], ["a", "b"], "no class has an image"),
        ([[np.zeros(4)]], ["a"], r"image 0 of class 'a' is float64 of shape \(4,\)"),
        ([[np.zeros((2, 2, 4))]], ["a"], r"\(2, 2, 4\)"),
        ([[np.zeros((0, 2))]], ["a"], r"\(0, 2\)"),
        ([[np.array([["x"]])]], ["a"], "image 0"),
        ([[np.full((2, 2), np.nan)]], ["a"], "not finite"),
    ],
)
def test_bad_input_is_refused_in_words(images, classes, words_of_error) -> None:
    with pytest.raises(InputError, match=words_of_error):
        sample_sheet(images, classes)
