"""Array files: .npy and .npz as they are commonly written, and never a pickle."""

import os
import pickle

import numpy as np
import pytest

from chainrule.data import load_data, read_array

X, Y = np.random.default_rng(0).normal(size=(40, 3)), np.arange(40) % 2


def test_npz_with_x_and_y_is_split(tmp_path):
    np.savez(tmp_path / "a.npz", X=X, Y=Y)
    data = load_data(tmp_path / "a.npz")
    assert [len(part) for part in data.parts.values()] == [28, 6, 6]
    assert data.spec.preprocessing.names == "standardise"


def test_npz_keeps_the_parts_it_brings(tmp_path):
    np.savez(tmp_path / "a.npz", x_train=X, y_train=Y, x_val=X[:4], y_val=Y[:4], x_test=X[:6], y_test=Y[:6])
    data = load_data(tmp_path / "a.npz", preprocessing="none")
    assert [len(part) for part in data.parts.values()] == [40, 4, 6]
    np.testing.assert_array_equal(data.test.x, X[:6])


def test_images_in_npz_are_scaled_by_255(tmp_path):
    images = np.full((20, 4, 5), 51, np.uint8)
    np.savez_compressed(tmp_path / "a.npz", x=images, y=np.arange(20) % 2)
    data = load_data(tmp_path / "a.npz", test=0)
    assert (data.image_shape, len(data.parts)) == ((4, 5), 2)
    np.testing.assert_allclose(data.train.x, 0.2, rtol=1e-6)


@pytest.mark.parametrize("label", [0, "0", -4])
def test_npy_has_its_labels_in_a_column(tmp_path, label):
    np.save(tmp_path / "a.npy", np.column_stack([Y, X]))
    data = load_data(tmp_path / "a.npy", label=label, validation=0, test=0, preprocessing="none")
    np.testing.assert_array_equal(data.train.x, X)
    np.testing.assert_array_equal(data.train.y, Y)
    assert data.spec.label == "0"


def test_arrays_to_predict_with_and_without_labels(tmp_path):
    np.save(tmp_path / "a.npy", np.column_stack([X, Y]))
    spec = load_data(tmp_path / "a.npy").spec
    for raw, y in (
        read_array(tmp_path / "a.npy", spec),
        read_array(_saved(tmp_path / "b.npz", x=X, y=Y), spec),
        read_array(_saved(tmp_path / "c.npz", x_test=X, y_test=Y), spec),
    ):
        np.testing.assert_array_equal(raw, X)
        np.testing.assert_array_equal(y, Y)
    np.save(tmp_path / "x.npy", X)
    assert read_array(tmp_path / "x.npy", spec)[1] is None
    assert read_array(_saved(tmp_path / "d.npz", x=X), spec)[1] is None


def test_targets_to_predict_are_numbers(tmp_path):
    spec = load_data(_saved(tmp_path / "a.npz", x=X, y=X[:, 0])).spec
    assert spec.task == "regression"
    np.testing.assert_array_equal(read_array(tmp_path / "a.npz", spec)[1], X[:, 0])


def test_labels_outside_the_classes_are_refused(tmp_path, refused):
    spec = load_data(_saved(tmp_path / "a.npz", x=X, y=Y)).spec
    with refused("the label '7' of sample 0 is none of the 2 classes"):
        read_array(_saved(tmp_path / "b.npz", x=X, y=Y + 7), spec)


class Attack:
    def __reduce__(self):
        return os.mkdir, ("attacked",)


@pytest.mark.parametrize("name", ["a.npy", "a.npz"])
def test_a_pickle_is_refused_and_not_run(tmp_path, monkeypatch, refused, name):
    monkeypatch.chdir(tmp_path)
    evil = np.array([Attack()], dtype=object)
    if name.endswith("npz"):
        np.savez(tmp_path / name, x=evil, y=evil)
    else:
        np.save(tmp_path / name, evil)
    with refused(name, "it holds Python objects"):
        load_data(tmp_path / name)
    assert not (tmp_path / "attacked").exists()


@pytest.mark.parametrize("name", ["a.npy", "a.npz"])
def test_a_bare_pickle_under_the_name_of_an_array_is_not_run(tmp_path, monkeypatch, refused, name):
    monkeypatch.chdir(tmp_path)
    (tmp_path / name).write_bytes(pickle.dumps(Attack()))
    with refused(name, "cannot be read as"):
        load_data(tmp_path / name)
    assert not (tmp_path / "attacked").exists()


@pytest.mark.parametrize(
    ("content", "words"),
    [(b"", "is empty"), (b"text", "cannot be read as"), (b"\x93NUMPY\x01\x00", "cannot be read as")],
)
@pytest.mark.parametrize("name", ["a.npy", "a.npz"])
def test_damaged_array_files_are_refused(tmp_path, refused, name, content, words):
    (tmp_path / name).write_bytes(content)
    with refused(words, name):
        load_data(tmp_path / name)


@pytest.mark.parametrize("name", ["a.npy", "a.npz"])
def test_truncated_array_files_are_refused(tmp_path, refused, name):
    np.save(tmp_path / "a.npy", X)
    np.savez(tmp_path / "a.npz", x=X, y=Y)
    content = (tmp_path / name).read_bytes()
    for size in range(1, len(content), 37):
        (tmp_path / name).write_bytes(content[:size])
        with refused(name):
            load_data(tmp_path / name)


@pytest.mark.parametrize(
    ("arrays", "words"),
    [
        ({"u": X}, "has no arrays x and y; it has u"),
        ({"x": X}, "has x but no y"),
        ({"x": X, "y": Y[1:]}, "40 samples but 39 labels"),
        ({"x_train": X, "y_train": Y, "x_test": X[:, 1:], "y_test": Y}, "samples of the test part have shape (2,)"),
        ({"x": X, "y": Y * 0}, "of one class"),
    ],
)
def test_npz_files_without_what_is_needed_are_refused(tmp_path, refused, arrays, words):
    with refused(words):
        load_data(_saved(tmp_path / "a.npz", **arrays))


def test_options_that_do_not_apply_are_refused(tmp_path, refused):
    path = _saved(tmp_path / "a.npz", x_train=X, y_train=Y, x_test=X, y_test=Y)
    with refused("label= does not apply"):
        load_data(path, label=0)
    with refused("test= does not apply", "has a test part of its own"):
        load_data(path, test=0.2)


@pytest.mark.parametrize(
    ("array", "label", "words"),
    [
        (np.arange(5), None, "has shape (5,)"),
        (X, 3, "has 3 columns, none at position 3"),
        (X, "kind", "has no column names"),
    ],
)
def test_npy_files_without_a_label_column_are_refused(tmp_path, refused, array, label, words):
    np.save(tmp_path / "a.npy", array)
    with refused(words):
        load_data(tmp_path / "a.npy", label=label)


def _saved(path, **arrays):
    np.savez(path, **arrays)
    return path
