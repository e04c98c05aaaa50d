"""The same points in every panel, coloured by class."""

import numpy as np
import pytest

from chainrule.figures import embedding_panels, save
from refusals import refused

from .drawing import flaws, words


def points(n=60, classes=3, seed=0):
    g = np.random.default_rng(seed)
    labels = np.arange(n) % classes
    return g.normal(size=(classes, 2))[labels] * 10 + g.normal(size=(n, 2)), labels


def names(classes):
    return [f"class {k}" for k in range(classes)]


def test_every_panel_shows_every_point_where_it_is():
    x, labels = points()
    figure = embedding_panels({"input": x, "layer 1": 2 * x}, labels, names(3))
    for axes, places in zip(figure.axes, (x, 2 * x), strict=True):
        drawn = [collection.get_offsets() for collection in axes.collections]
        for k, offsets in enumerate(drawn):
            np.testing.assert_array_equal(offsets, places[labels == k])
        low, high = axes.get_xlim(), axes.get_ylim()
        assert high[1] - high[0] == pytest.approx(low[1] - low[0]), "one unit is as long on both axes"


def test_points_that_are_not_finite_are_counted():
    x, labels = points()
    x[4] = np.nan
    figure = embedding_panels({"input": x}, labels, names(3), note="t-SNE, seed 0")
    said = "n = 60 points, the same in every panel · not finite and left out: 1 · t-SNE, seed 0"
    assert said in " ".join(words(figure))


@pytest.mark.parametrize("classes", [1, 3, 10, 40])
@pytest.mark.parametrize("panels", [1, 2, 5])
def test_nothing_collides_or_leaves_the_page(classes, panels):
    labels = np.arange(80) % classes
    angle = 2 * np.pi * labels / classes
    x = 50 * np.stack([np.cos(angle), np.sin(angle)], axis=1) + np.random.default_rng(0).normal(size=(80, 2))
    given = {f"layer {k}: 128 units, tanh, with dropout and batch normalisation": x for k in range(panels)}
    figure = embedding_panels(given, labels, names(classes), title="What the layers see, " * 5, note="t-SNE " * 40)
    assert flaws(figure) == []


def test_ten_classes_have_ten_colours():
    x, labels = points(50, 10)
    [axes] = embedding_panels({"input": x}, labels, [str(k) for k in range(10)]).axes
    assert len({tuple(collection.get_facecolor()[0]) for collection in axes.collections}) == 10


def test_one_point_and_equal_points_are_drawn():
    assert flaws(embedding_panels({"input": np.zeros((1, 2))}, [0], ["only"])) == []
    assert flaws(embedding_panels({"input": np.ones((9, 2))}, [0] * 9, ["only"])) == []


def test_the_same_points_give_the_same_bytes(tmp_path):
    x, labels = points(1500, 10)
    for name in ("a", "b"):
        save(embedding_panels({"input": x}, labels, names(10)), tmp_path / f"{name}.svg")
    assert (tmp_path / "a.svg").read_bytes() == (tmp_path / "b.svg").read_bytes()
    assert (tmp_path / "a.svg").stat().st_size < 300_000


def test_what_is_no_embedding_is_refused():
    x, labels = points()
    with refused("no panels"):
        embedding_panels({}, labels, names(3))
    with refused("'layer 1'", "(59, 2)", "60 points"):
        embedding_panels({"input": x, "layer 1": x[1:]}, labels, names(3))
    with refused("no point that is finite"):
        embedding_panels({"input": x * np.nan}, labels, names(3))
    with refused("label 2"):
        embedding_panels({"input": x}, labels, names(2))
