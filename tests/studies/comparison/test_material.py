"""Both sets lack the same images, copies included; what cannot be compared is refused in words."""

import numpy as np
import pytest

from chainrule.studies.comparison.material import prepare
from refusals import refused

from .features import held_out, rows, sets


def prepared(training=None, tests=None, **settings):
    defaults = {"classes": None, "development": 0.1, "scale": "none", "split_seed": 0}
    return prepare(training or sets(), tests or held_out(), **{**defaults, **settings})


def as_rows(x):
    return {row.tobytes() for row in x}


def test_development_images_and_their_copies_are_in_no_training_set():
    given = sets()
    x, copies = given["original"][0], given["augmented"][0][240:]
    found = prepared(given)
    held = as_rows(found.development[0])
    left_out = [i for i in range(240) if x[i].tobytes() in held]
    assert len(left_out) == len(found.development[0]) == 24
    for trained, _ in found.training.values():
        assert not as_rows(trained) & held
        assert not as_rows(trained) & as_rows(copies[left_out])
    assert len(found.training["original"][0]) == 216
    assert len(found.training["augmented"][0]) == 432


def test_sources_say_what_to_leave_out_whatever_the_order():
    given = sets()
    x, y = given["augmented"]
    order = np.random.default_rng(4).permutation(480)
    shuffled = {**given, "augmented": (x[order], y[order], order % 240)}
    plain, found = prepared(given), prepared(shuffled)
    assert as_rows(found.training["augmented"][0]) == as_rows(plain.training["augmented"][0])
    assert as_rows(found.development[0]) == as_rows(plain.development[0])


def test_every_class_has_its_share_of_the_development_images():
    found = prepared(development=0.2)
    assert np.bincount(found.development[1]).tolist() == [16, 16, 16]


def test_another_split_seed_leaves_out_others():
    assert as_rows(prepared().development[0]) != as_rows(prepared(split_seed=1).development[0])


def test_all_is_scaled_by_the_training_rows_of_the_first_set_alone():
    plain, found = prepared(), prepared(scale="standardise")
    x = plain.training["original"][0]
    for raw, scaled in [
        (plain.training["augmented"][0], found.training["augmented"][0]),
        (plain.development[0], found.development[0]),
        (plain.tests["augmented"][0], found.tests["augmented"][0]),
    ]:
        np.testing.assert_allclose(scaled, (raw - x.mean(axis=0)) / x.std(axis=0), atol=2e-6)


def test_read_only_memory_maps_do(tmp_path):
    x, y = sets()["augmented"]
    np.save(tmp_path / "x.npy", x)
    mapped = np.load(tmp_path / "x.npy", mmap_mode="r")
    assert prepared({"original": sets()["original"], "augmented": (mapped, y)}).fingerprints == prepared().fingerprints


def replaced(name, x=None, y=None, *more):
    given = sets()
    old = given[name]
    given[name] = (old[0] if x is None else x, old[1] if y is None else y, *more)
    return given


def test_a_single_training_set_is_refused():
    with refused("1 training sets", '"augmented"'):
        prepared({"original": rows(30, 0)})


def test_no_test_set_is_refused():
    with refused("no test set"):
        prepare(sets(), {}, classes=None, development=0.1, scale="none", split_seed=0)


def test_other_widths_are_refused():
    x, y = sets()["augmented"]
    with refused("'original' has 5 features a sample but 'augmented' has 4", "same extractor"):
        prepared(replaced("augmented", x[:, :4], y))


def test_ragged_and_wordy_features_are_refused():
    with refused("the rows of test set 'original' differ in length"):
        prepared(tests={"original": ([[1, 2], [3]], [0, 1])})
    with refused("the features of test set 'original' are <U3"):
        prepared(tests={"original": ([["red", "one"]], [0])})
    with refused("test set 'original' is no pair"):
        prepared(tests={"original": 3})


def test_missing_labels_are_refused():
    x, _ = sets()["original"]
    with refused("training set 'original' has no labels"):
        prepared({**sets(), "original": (x, None)})
    with refused("240 samples but labels of shape (239,)"):
        prepared(replaced("original", y=np.zeros(239, int)))
    with refused("float64", "whole numbers"):
        prepared(replaced("original", y=np.zeros(240)))
    with refused("from -1"):
        prepared(replaced("original", y=np.full(240, -1)))


def test_a_value_that_is_not_finite_is_refused_with_its_place():
    x, y = rows(150, 1)
    x[7, 2] = np.nan
    with refused("test set 'original'", "sample 7, column 2", "nan"):
        prepared(tests={"original": (x, y)})


def test_unknown_origin_of_the_copies_is_refused():
    x, y = sets()["augmented"]
    with refused("not known from which row", "sources"):
        prepared(replaced("augmented", x[::-1].copy(), y[::-1].copy()))
    with refused("not known from which row"):
        prepared(replaced("augmented", x[:400], y[:400]))


def test_sources_that_do_not_fit_are_refused():
    x, y = sets()["augmented"]
    with refused("the sources of 'augmented'", "0 … 239"):
        prepared(replaced("augmented", x, y, np.arange(480)))
    with refused("another label"):
        prepared(replaced("augmented", x, y, (np.arange(480) + 1) % 240))


def test_test_rows_that_were_trained_on_are_refused():
    x, y = sets()["augmented"]
    with refused("30 of the 150 rows of test set 'original'", "in a training set"):
        given, labels = rows(150, 1)
        prepared(tests={"original": (np.concatenate([given[30:], x[-30:]]), np.concatenate([labels[30:], y[-30:]]))})


def test_a_single_shared_row_is_counted_and_not_refused():
    x, y = rows(150, 1)
    x[3] = sets()["original"][0][3]
    assert prepared(tests={"original": (x, y)}).shared == {"original": 1}


def test_a_class_without_training_rows_is_refused():
    x, y = rows(150, 1, classes=4)
    with refused("no sample of class '3'"):
        prepared(tests={"original": (x, y)})


def test_names_that_are_too_few_are_refused():
    with refused("2 class names but a label is 2"):
        prepared(classes=["cat", "dog"])


@pytest.mark.parametrize("share", [0, 1, -0.1, "half"])
def test_a_share_that_is_none_is_refused(share):
    with refused("development is"):
        prepared(development=share)
