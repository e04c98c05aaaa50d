"""Every loss is seen, single or in a range, and the line is their running mean."""

import numpy as np
import pytest

from chainrule.figures import batch_losses, save
from refusals import refused

from .drawing import flaws, words


def falling(epochs, batches):
    count = epochs * batches
    return (np.exp(-np.arange(count) / count) + 0.2 * np.random.default_rng(0).random(count)).reshape(epochs, batches)


def mean_line(figure):
    [line] = [line for line in figure.axes[0].lines if len(line.get_xdata()) > 2 and line.get_marker() == "None"]
    return np.asarray(line.get_xdata()), np.asarray(line.get_ydata())


def test_each_loss_is_a_dot_at_its_update():
    losses = falling(3, 20)
    [dots] = [line for line in batch_losses(losses).axes[0].lines if line.get_marker() == "o"]
    np.testing.assert_array_equal(dots.get_xdata(), np.arange(1, 61))
    np.testing.assert_array_equal(dots.get_ydata(), losses.ravel())


@pytest.mark.parametrize("window", [2, 5, 60])
def test_the_line_is_the_mean_of_the_window_around_each_update(window):
    losses = falling(3, 20)
    x, y = mean_line(batch_losses(losses, window=window)) if window < 59 else (None, None)
    if window == 60:
        figure = batch_losses(losses, window=60)
        assert f"begins at {losses.mean():.4g} and ends at {losses.mean():.4g}" in figure.get_label()
        return
    expected = np.convolve(losses.ravel(), np.ones(window) / window, mode="valid")
    np.testing.assert_allclose(y, expected)
    np.testing.assert_allclose(x, np.arange(1, 61)[(window - 1) // 2 :][: len(expected)], atol=1)


def test_of_many_losses_the_highest_and_the_lowest_are_still_seen():
    losses = falling(5, 48_000)
    losses[2, 777], losses[3, 5] = 25.0, -3.0
    axes = batch_losses(losses, batch_size=1).axes[0]
    heights = axes.collections[0].get_paths()[0].vertices[:, 1]
    assert (heights.max(), heights.min()) == (25.0, -3.0)


def test_it_says_what_is_drawn():
    losses = falling(50, 20)
    losses[3] = np.nan
    figure = batch_losses(losses, batch_size=1, baseline=0.6931, title="Instances", note="seed 0")
    said = " ".join(words(figure))
    for text in ("each instance", "mean over 20 instances", "class prior: 0.6931", "50 epochs of 20 instances"):
        assert text in said
    assert "not finite and left out: 20 · seed 0" in said
    assert "batch" not in said
    assert flaws(figure) == []


@pytest.mark.parametrize("shape", [(1, 1), (1, 5), (2000, 1), (2, 1501), (40, 500)])
@pytest.mark.parametrize("log_loss", [False, True])
def test_few_and_many_are_drawn_without_a_flaw(shape, log_loss):
    figure = batch_losses(falling(*shape), log_loss=log_loss, title="Losses " * 20, baseline=1.0)
    assert flaws(figure) == []


def test_many_losses_make_a_small_file_with_the_same_bytes(tmp_path):
    losses = falling(5, 48_000)
    for name in ("a", "b"):
        save(batch_losses(losses), tmp_path / f"{name}.svg")
    assert (tmp_path / "a.svg").stat().st_size < 150_000
    assert (tmp_path / "a.svg").read_bytes() == (tmp_path / "b.svg").read_bytes()


def test_what_are_no_losses_is_refused():
    for nothing in ([], [[]], [[np.nan]], [1.0, 2.0]):
        with refused("no losses"):
            batch_losses(nothing)
    with refused("window is 7", "1 to 6"):
        batch_losses(falling(2, 3), window=7)
