"""Batches as numbers of rows: which samples, in which order, and where each batch ends."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chainrule.data import Batches


def lists(batches):
    return [rows.tolist() for rows in batches]


def test_batches_are_cut_from_the_order_and_the_last_takes_what_is_left():
    batches = Batches.cut(np.array([4, 2, 0, 1, 3]), 2)
    assert lists(batches) == [[4, 2], [0, 1], [3]]
    assert len(batches) == 3
    assert batches[1].tolist() == [0, 1]
    assert np.shares_memory(batches[1], batches.order), "a batch is a part of the order, not a copy"


@settings(deadline=None)
@given(st.integers(1, 60), st.integers(1, 70))
def test_every_sample_is_in_one_batch_in_its_place_whatever_the_size(m, size):
    order = np.random.default_rng(m).permutation(m)
    batches = Batches.cut(order, size)
    assert len(batches) == -(-m // size)
    assert [len(rows) for rows in batches] == [size] * (m // size) + [m % size] * (m % size > 0)
    np.testing.assert_array_equal(np.concatenate(list(batches)), order)
    assert (batches.starts[1:] == batches.stops[:-1]).all()


def test_batches_at_hand_one_by_one_are_the_same_batches_together():
    parts = [np.array([3, 1]), np.array([0]), np.array([2, 4, 5])]
    batches = Batches.of(parts)
    assert lists(batches) == [part.tolist() for part in parts]
    assert lists(Batches.of(parts[1:2])) == [[0]]
    for b, part in enumerate(parts):
        assert batches[b].tolist() == part.tolist()


def test_a_sample_may_be_in_several_batches_or_in_none():
    batches = Batches(np.array([5, 5, 2, 9]), np.array([0, 1, 0]), np.array([2, 3, 4]))
    assert lists(batches) == [[5, 5], [5, 2], [5, 5, 2, 9]]


@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(1, 20), st.integers(1, 9)), min_size=1, max_size=5))
def test_epochs_joined_are_their_batches_one_after_the_other(kinds):
    """Epochs of different length too."""
    rng = np.random.default_rng(0)
    epochs = [Batches.cut(rng.permutation(m), size) for m, size in kinds]
    joined = Batches.joined(epochs)
    assert lists(joined) == [rows for epoch in epochs for rows in lists(epoch)]
    assert len(joined) == sum(map(len, epochs))


@pytest.mark.parametrize("times", [1, 2, 5])
def test_batches_that_come_again_keep_their_order_once(times):
    order = np.array([2, 0, 1])
    repeated = Batches.cut(order, 2).repeated(times)
    assert repeated.order is order
    assert lists(repeated) == [[2, 0], [1]] * times


def test_batches_cannot_be_changed_by_accident():
    batches = Batches.cut(np.arange(4), 2)
    with pytest.raises(AttributeError):
        batches.order = np.arange(3)
