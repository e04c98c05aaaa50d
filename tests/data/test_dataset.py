"""DataSet.from_arrays: what it makes of good arrays, and what it says of bad ones."""

import hashlib
import json

import numpy as np
import pytest

from chainrule.data import DataSet
from chainrule.errors import UnknownNameError


def flowers(m=30, d=4):
    return np.random.default_rng(3).normal(size=(m, d)), np.arange(m) % 3


def test_three_parts_hold_every_sample_once():
    x, y = flowers()
    data = DataSet.from_arrays(x, y, validation=6, test=0.2)
    rows = np.concatenate([part.x for part in data.parts.values()])
    assert {name: len(part) for name, part in data.parts.items()} == {"train": 18, "validation": 6, "test": 6}
    assert sorted(map(tuple, rows)) == sorted(map(tuple, x))


def test_samples_keep_their_labels():
    y = np.arange(90) % 3
    data = DataSet.from_arrays(np.column_stack([y, y]).astype(float), y, validation=0.3, test=0.3)
    for part in data.parts.values():
        np.testing.assert_array_equal(part.x[:, 0], part.y)


def test_parts_are_read_only_contiguous_and_the_users_arrays_stay_writable():
    x, y = flowers()
    before = x.copy()
    data = DataSet.from_arrays(x, y, validation=0.2, test=(x[:5], y[:5]))
    for part in data.parts.values():
        for array in (part.x, part.y):
            assert not array.flags.writeable
            assert array.flags.c_contiguous
    assert x.flags.writeable
    np.testing.assert_array_equal(x, before)


@pytest.mark.parametrize(
    ("given", "kept"),
    [("f4", "f4"), ("f8", "f8"), ("f2", "f4"), ("i4", "f4"), ("u1", "f4"), ("?", "f4"), (">f8", "f8")],
)
def test_untouched_floats_keep_their_dtype_and_all_else_is_float32(given, kept):
    x = np.array([[0, 1], [1, 0], [1, 1]]).astype(given)
    assert DataSet.from_arrays(x, [0, 1, 0]).train.x.dtype == np.dtype(kept)
    assert DataSet.from_arrays(x, [0, 1, 0], preprocessing="scale").train.x.dtype == np.float32


def test_a_memory_map_is_neither_copied_nor_written(tmp_path):
    x, y = flowers()
    np.save(tmp_path / "x.npy", x)
    mapped = np.load(tmp_path / "x.npy", mmap_mode="r")
    assert np.shares_memory(DataSet.from_arrays(mapped, y).train.x, mapped)


def test_the_last_rows_of_large_arrays_are_not_copied():
    x, y = flowers()
    assert np.shares_memory(DataSet.from_arrays(x, y, validation=6, split="last").train.x, x)


def test_labels_become_places_among_the_sorted_names():
    data = DataSet.from_arrays(np.eye(4), ["dog", "cat", "emu", "cat"])
    assert data.classes == ("cat", "dog", "emu")
    assert data.train.y.tolist() == [1, 0, 2, 0]
    assert data.train.y.dtype == np.int64


def test_integer_labels_with_gaps_are_named_by_their_numbers_in_order():
    data = DataSet.from_arrays(np.eye(4), [10, 2, 10, 7])
    assert (data.classes, data.train.y.tolist()) == (("2", "7", "10"), [2, 0, 2, 1])


def test_named_classes_make_integers_places_and_words_names():
    assert DataSet.from_arrays(np.eye(3), [0, 2, 0], classes=("a", "b", "c")).train.y.tolist() == [0, 2, 0]
    assert DataSet.from_arrays(np.eye(3), ["c", "a", "c"], classes=("a", "b", "c")).train.y.tolist() == [2, 0, 2]


def test_whole_floats_are_classes_and_others_are_targets():
    assert DataSet.from_arrays(np.eye(3), [0.0, 1.0, 0.0]).classes == ("0", "1")
    regression = DataSet.from_arrays(np.eye(3), [0.5, 1.0, 0.0])
    assert (regression.spec.task, regression.classes) == ("regression", ())
    assert regression.train.y.tolist() == [0.5, 1.0, 0.0]
    assert DataSet.from_arrays(np.eye(3), [0, 1, 0], task="regression").train.y.dtype.kind == "f"


def test_a_regression_may_have_several_targets_and_is_split_at_random():
    x, _ = flowers(20)
    data = DataSet.from_arrays(x, x[:, :2] / 3, validation=0.25, test=0.25)
    assert data.train.y.shape == (10, 2)
    assert data.provenance["split"].startswith("random")


def test_images_are_flattened_and_their_shape_is_kept():
    x = np.zeros((4, 5, 3), np.uint8)
    data = DataSet.from_arrays(x, [0, 1, 0, 1], preprocessing="scale")
    assert (data.train.x.shape, data.image_shape, data.spec.kind) == ((4, 15), (5, 3), "image")
    flat = DataSet.from_arrays(x.reshape(4, 15), [0, 1, 0, 1], image_shape=(5, 3))
    assert flat.image_shape == (5, 3)


def test_the_fingerprint_is_sha256_over_the_form_and_the_raw_arrays():
    x, y = np.eye(2), np.array([0, 1])
    data = DataSet.from_arrays(x, y)
    form = repr(("table", "classification", ("0", "1"), None, (), "")).encode()
    expected = hashlib.sha256(
        form + b"train.x <f8 (2, 2)\n" + x.tobytes() + b"train.y <i8 (2,)\n" + y.astype(np.int64).tobytes()
    )
    assert data.provenance["sha256"] == expected.hexdigest()
    same = DataSet.from_arrays(x, y, preprocessing="standardise")
    assert same.provenance["sha256"] == expected.hexdigest(), "preprocessing is no part of it"
    others = [(x.astype("f4"), y), (x + 1, y), (x, 1 - y)]
    prints = {DataSet.from_arrays(*other).provenance["sha256"] for other in others}
    renamed = [{"classes": ("no", "yes")}, {"columns": ("a", "b")}, {"label": "kind"}]
    prints |= {DataSet.from_arrays(x, y, **names).provenance["sha256"] for names in renamed}
    assert len(prints | {expected.hexdigest()}) == 7, "a class or column of another name is other data"


def test_the_provenance_is_json_and_says_what_was_done():
    x, y = flowers()
    data = DataSet.from_arrays(
        x, y, validation=0.2, test=(x, y), seed=4, preprocessing="scale", provenance={"source": "a meadow"}
    )
    told = json.loads(json.dumps(data.provenance))
    assert told["source"] == "a meadow"
    assert told["counts"] == {"train": 24, "validation": 6, "test": 30}
    assert told["split"] == "stratified: validation 0.2 (seed 4); given: test"
    assert told["preprocessing"] == "scale"


def test_a_class_that_a_part_lacks_is_noted():
    x, _ = flowers(6)
    data = DataSet.from_arrays(x, list("aabbcc"), validation=2, split="last")
    assert data.provenance["notes"] == [
        "the train part has no sample of class c",
        "the validation part has no sample of class a, b",
    ]


def test_it_shows_itself_in_one_line_and_escapes_names_in_html():
    x, y = flowers()
    data = DataSet.from_arrays(x, y, validation=0.2, name="<script>")
    assert repr(data) == ("DataSet('<script>': train 24, validation 6; 4 features, 3 classes, preprocessing none)")
    assert "<script>" not in data._repr_html_()
    assert "&lt;script&gt;" in data._repr_html_()


@pytest.mark.parametrize(
    ("x", "y", "words"),
    [
        (np.eye(3), [0, 1], "3 samples but 2 labels"),
        (np.eye(3), 1, "3 samples but 0 labels"),
        (np.zeros((0, 3)), [], "x is empty"),
        (np.zeros((3, 0)), [0, 1, 0], "x is empty"),
        (np.arange(3.0), [0, 1, 0], "rows are samples"),
        (np.array([["a"], ["b"]]), [0, 1], "holds no real numbers"),
        (np.array([[1j], [2]]), [0, 1], "holds no real numbers"),
        ([[1, 2], [3]], [0, 1], "x is no array"),
        ([[0, 1], [np.nan, 2]], [0, 1], "sample 1, column 0 is nan"),
        ([[0, 1], [3, -np.inf]], [0, 1], "sample 1, column 1 is -inf"),
        ([[0, 1], [3, 1e300]], [0, 1], "sample 1, column 1 is 1e+300"),
        (np.eye(3), [2, 2, 2], "all 3 training samples are of one class, '2'"),
        (np.eye(3), [0.0, np.nan, 1.0], "sample 1 is nan"),
        (np.eye(3), np.eye(3), "looks one-hot"),
        (np.eye(2), [[0, 3], [1, 2]], None),
        (np.eye(3), [None, 1, 2], "dtype object"),
    ],
)
def test_bad_arrays_are_refused_in_words(refused, x, y, words):
    if words is None:
        DataSet.from_arrays(x, y)  # two whole targets a sample: a regression
        return
    with refused(words):
        DataSet.from_arrays(x, y)


def test_nan_is_named_with_its_column(refused):
    with refused("sample 1, column 1 (width) is nan"):
        DataSet.from_arrays([[1, 2], [3, np.nan]], [0, 1], columns=("height", "width"))


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"test": (np.eye(2), [0, 1])}, "samples of the test part have shape (2,), those for training (3,)"),
        ({"test": (np.eye(3), [0, 1])}, "3 samples but 2 labels (test y)"),
        ({"validation": (np.eye(3), [0, 1, 9])}, "validation y: the label '9' of sample 2 is none of the 2 classes"),
        ({"classes": ("a",)}, "the label '1' of sample 1 is none of the 1 classes"),
        ({"classes": ("a", "a")}, "hold a name twice"),
        ({"columns": ("a",)}, "1 column names for 3 features"),
        ({"image_shape": (2, 2)}, "does not fit samples of shape (3,)"),
        ({"image_shape": (3,)}, "image shape (3,) is none"),
        ({"kind": "image"}, "does not go with"),
        ({"task": "ranking"}, "unknown task 'ranking'"),
        ({"validation": 0.5, "test": 0.5}, "leave none of 3"),
    ],
)
def test_settings_that_do_not_fit_are_refused(refused, options, words):
    with refused(words):
        DataSet.from_arrays(np.eye(3), [0, 1, 0], **options)


def test_unknown_split_and_kind_come_with_the_nearest(refused):
    with refused("unknown split 'stratifed'", "'stratified'", error=UnknownNameError):
        DataSet.from_arrays(np.eye(3), [0, 1, 0], split="stratifed", validation=1)
    with refused("unknown kind of data 'tables'", "'table'", error=UnknownNameError):
        DataSet.from_arrays(np.eye(3), [0, 1, 0], kind="tables")
