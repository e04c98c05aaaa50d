"""Each image is a column of W1, red where it is positive, on one scale for all."""

import numpy as np
import pytest

from chainrule.figures import save, weight_images
from refusals import refused

from .drawing import flaws, words

G = np.random.default_rng(0)


def images(figure):
    return [np.asarray(axes.images[0].get_array()).astype(int) for axes in figure.axes if axes.images]


def test_positive_is_red_negative_is_blue_and_0_is_white():
    W = np.zeros((6, 1))
    W[0], W[5] = 1, -1
    image = images(weight_images(W, (2, 3)))[0]
    assert image.shape == (2, 3, 3)
    assert image[0, 0, 0] > image[0, 0, 2]
    assert image[1, 2, 2] > image[1, 2, 0]
    assert (image[0, 1] > 240).all()


def test_one_scale_serves_all_units():
    W = G.normal(size=(16, 2))
    W[:, 1] = W[:, 0] / 10
    strong, faint = images(weight_images(W, (4, 4)))[:2]
    assert (255 - faint.min(axis=2)).max() < (255 - strong.min(axis=2)).max() / 2


def test_of_many_units_those_with_the_largest_weights_are_shown_in_their_order():
    W = 0.1 * G.normal(size=(16, 30))
    W[:, [4, 20, 11]] *= 50
    figure = weight_images(W, (4, 4), most=3)
    assert [text.get_text() for text in figure.texts if text.get_text().isdigit()] == ["5", "12", "21"]
    assert "the 3 of 30 units with the largest weights" in words(figure)


@pytest.mark.parametrize(
    ("units", "shape"), [(1, (8, 8)), (64, (28, 28)), (300, (28, 28)), (5, (6, 20)), (12, (20, 6)), (7, (8, 8, 3))]
)
def test_nothing_collides_or_leaves_the_page(units, shape):
    figure = weight_images(G.normal(size=(np.prod(shape), units)), shape, title="Weights " * 15, note="seed 0")
    assert flaws(figure) == []
    assert len(images(figure)) >= min(units, 64)


def test_weights_that_are_all_0_are_drawn():
    assert flaws(weight_images(np.zeros((64, 2)), (8, 8))) == []


def test_the_same_weights_give_the_same_bytes(tmp_path):
    W = G.normal(size=(784, 64))
    for name in ("a", "b"):
        save(weight_images(W, (28, 28)), tmp_path / f"{name}.svg")
    assert (tmp_path / "a.svg").read_bytes() == (tmp_path / "b.svg").read_bytes()


def test_what_are_no_images_is_refused():
    with refused("(10, 3)", "4 × 4"):
        weight_images(np.zeros((10, 3)), (4, 4))
    with refused("not all finite"):
        weight_images(np.full((16, 3), np.nan), (4, 4))
