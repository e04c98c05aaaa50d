"""Splits: disjoint, complete, reproducible, and stratified to within one sample."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chainrule.data.splits import part_size, shares, split_rows

class_counts = st.lists(st.integers(1, 60), min_size=2, max_size=12)


@settings(deadline=None)
@given(class_counts, st.data())
def test_stratified_shares_are_within_one_sample_in_every_part_and_all_sums_are_kept(counts, data):
    m = sum(counts)
    validation = data.draw(st.integers(0, m))
    sizes = (m - validation, data.draw(st.integers(0, validation)))
    sizes = (*sizes, m - sum(sizes))
    table = shares(np.array(counts), sizes)
    assert table.sum(axis=1).tolist() == counts
    assert tuple(table.sum(axis=0).tolist()) == sizes
    assert (np.abs(table - np.outer(counts, sizes) / m) < 1).all()


@settings(deadline=None)
@given(
    st.integers(2, 5),
    st.integers(0, 20),
    st.integers(0, 20),
    st.sampled_from(["stratified", "random", "last"]),
    st.integers(0, 99),
)
def test_parts_are_disjoint_complete_ascending_and_the_same_again(classes, validation, test, how, seed):
    validation, test = (n if n >= classes else 0 for n in (validation, test))
    labels = np.arange(101) % classes
    names = tuple(map(str, range(classes)))
    parts = split_rows(101, validation, test, how, seed, labels, names)
    assert [len(part) for part in parts] == [101 - validation - test, validation, test]
    assert sorted(np.concatenate(parts).tolist()) == list(range(101))
    assert all((np.diff(part) > 0).all() for part in parts)
    again = split_rows(101, validation, test, how, seed, labels, names)
    assert all(np.array_equal(one, other) for one, other in zip(parts, again, strict=True))


def test_splits_are_stratified_within_one_sample():
    labels = np.repeat([0, 1, 2], [70, 20, 11])
    for part in split_rows(101, 15, 15, "stratified", 0, labels, ("a", "b", "c")):
        exact = np.array([70, 20, 11]) * len(part) / 101
        assert (np.abs(np.bincount(labels[part]) - exact) < 1).all()


def test_random_splits_depend_on_the_seed_and_last_does_not():
    def rows(how, seed):
        return split_rows(100, 20, 0, how, seed, np.arange(100) % 2, ("0", "1"))[1].tolist()

    for how in ("stratified", "random"):
        assert rows(how, 0) != rows(how, 1)
    assert rows("last", 0) == rows("last", 1) == list(range(80, 100))


def test_last_takes_the_test_part_from_the_very_end_and_validation_before_it():
    train, validation, test = split_rows(10, 3, 2, "last", 0, None, ())
    assert (train.tolist(), validation.tolist(), test.tolist()) == ([0, 1, 2, 3, 4], [5, 6, 7], [8, 9])


@pytest.mark.parametrize(("share", "size"), [(0.15, 15), (0, 0), (0.0, 0), (7, 7), (0.005, 1), (np.int64(3), 3)])
def test_a_share_is_a_fraction_or_a_number(share, size):
    assert part_size(share, 100, "test") == size


@pytest.mark.parametrize(
    ("share", "words"),
    [
        (1.0, "no fraction in [0, 1)"),
        (-0.1, "no fraction in [0, 1)"),
        (float("nan"), "no fraction in [0, 1)"),
        (True, "no share of the data"),
        ("half", "no share of the data"),
        (100, "cannot be taken from 100 samples"),
        (-1, "cannot be taken from 100 samples"),
        (0.001, "leaves the test part empty"),
    ],
)
def test_impossible_shares_are_refused(refused, share, words):
    with refused(words):
        part_size(share, 100, "test")


def test_a_split_that_leaves_nothing_to_train_on_is_refused(refused):
    with refused("5 validation and 5 test samples leave none of 10"):
        split_rows(10, 5, 5, "random", 0, None, ())


def test_a_stratified_part_must_have_room_for_every_class(refused):
    labels = np.arange(40) % 10
    with refused("validation part of 3 samples cannot hold 10 classes", "random"):
        split_rows(40, 3, 0, "stratified", 0, labels, tuple("abcdefghij"))


def test_a_class_too_small_to_keep_one_for_training_is_named(refused):
    # one sample of "rare"; with nearly everything held out, its share of the training part rounds to nothing
    labels = np.array([0] * 20 + [1] * 20 + [2])
    with refused("class 'rare' has only 1 samples"):
        split_rows(41, 19, 20, "stratified", 0, labels, ("a", "b", "rare"))
