"""Each wrong prediction with what it is, what it was taken for, and how surely."""

import numpy as np
import pytest

from chainrule.figures import mistakes_sheet, save
from refusals import refused

from .drawing import flaws, words

G = np.random.default_rng(0)
CLASSES = ["frog", "horse", "an animal of which the name is long"]


def sheet(samples, **given):
    n = len(samples)
    true = np.arange(n) % 3
    return mistakes_sheet(samples, true, (true + 1) % 3, np.linspace(0.999, 0.5, n), CLASSES, **given)


def test_it_says_what_each_is_and_what_it_was_taken_for():
    figure = sheet(G.integers(0, 256, (2, 8, 8)).astype(np.uint8))
    assert {"is frog", "taken for horse", "p = 0.9990", "is horse", "p = 0.5000"} <= set(words(figure))
    assert "frog taken for horse with p = 0.999" in figure.get_label()


def test_images_are_drawn_as_they_are():
    samples = np.zeros((1, 2, 3), np.uint8)
    samples[0, 1, 2] = 255
    [image] = sheet(samples).axes[0].images
    np.testing.assert_array_equal(image.get_array(), samples[0] / 255)
    grey = sheet(samples[:, :, :, None].repeat(3, axis=3)).axes[0].images[0].get_array()
    np.testing.assert_array_equal(grey[:, :, 0], samples[0] / 255)


def test_numbers_of_a_table_are_bars_on_one_scale():
    x = np.array([[1.0, -2.0, 0.5], [0.1, 0.2, 0.3]])
    figure = sheet(x)
    assert [bar.get_height() for bar in figure.axes[0].patches] == x[0].tolist()
    assert figure.axes[0].get_ylim() == figure.axes[1].get_ylim()


@pytest.mark.parametrize("shape", [(1, 8, 8), (24, 28, 28), (7, 32, 32, 3), (5, 10, 90), (5, 90, 10), (7, 13), (3, 1)])
@pytest.mark.parametrize("kind", [np.uint8, np.float64])
def test_nothing_collides_or_leaves_the_page(shape, kind):
    samples = (255 * G.random(shape)).astype(kind)
    assert flaws(sheet(samples, title="Wrong predictions " * 8, note="of the test part")) == []


def test_the_same_samples_give_the_same_bytes(tmp_path):
    samples = G.random((6, 8, 8))
    for name in ("a", "b"):
        save(sheet(samples), tmp_path / f"{name}.svg")
    assert (tmp_path / "a.svg").read_bytes() == (tmp_path / "b.svg").read_bytes()


def test_what_cannot_be_shown_is_refused():
    with refused("(0, 8, 8)"):
        sheet(np.zeros((0, 8, 8)))
    with refused("confidence has shape (1,) for 2"):
        mistakes_sheet(np.zeros((2, 4)), [0, 1], [1, 0], [0.5], CLASSES)
    with refused("label 3"):
        mistakes_sheet(np.zeros((2, 4)), [0, 3], [1, 0], [0.5, 0.5], CLASSES)
