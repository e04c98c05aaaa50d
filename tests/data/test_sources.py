"""load_data: names, paths, defaults and options, and where files are looked for."""

import gzip

import numpy as np
import pytest

from chainrule.data import load_data, source_names, sources
from chainrule.errors import UnknownNameError


def test_digits_are_scaled_to_one_and_split_three_ways():
    data = load_data("digits")
    assert [len(part) for part in data.parts.values()] == [1257, 270, 270]
    assert (data.train.x.min(), data.train.x.max()) == (0, 1)
    assert (data.image_shape, data.classes) == ((8, 8), tuple("0123456789"))
    from sklearn.datasets import load_digits

    bunch = load_digits()
    rows = {tuple(row) for row in (bunch.data / 16).astype(np.float32).tolist()}
    assert {tuple(row) for row in data.test.x.tolist()} <= rows


@pytest.fixture
def small_mnist(tmp_path, to_idx):
    """MNIST's four files with 30 and 10 images; the pixels of an image are its label."""
    folder = tmp_path / "mnist"
    folder.mkdir()
    for part, count in (("train", 30), ("t10k", 10)):
        labels = (np.arange(count) % 10).astype(np.uint8)
        images = np.repeat(labels, 28 * 28).reshape(count, 28, 28)
        (folder / f"{part}-images-idx3-ubyte.gz").write_bytes(gzip.compress(to_idx(images), mtime=0))
        (folder / f"{part}-labels-idx1-ubyte").write_bytes(to_idx(labels))
    return tmp_path


def test_mnist_is_found_gzipped_or_not_and_its_origin_is_recorded(small_mnist, monkeypatch):
    monkeypatch.setenv("CHAINRULE_DATA", str(small_mnist))
    data = load_data("mnist", validation=10)
    assert data.validation.y.tolist() == list(range(10))
    np.testing.assert_allclose(data.test.x[:, 0] * 255, data.test.y, rtol=1e-6)
    assert [file["name"] for file in data.provenance["files"]][:2] == [
        "train-images-idx3-ubyte.gz",
        "train-labels-idx1-ubyte",
    ]
    assert "their SHA-256 is not the published one: train-images" in data.provenance["notes"][0]


def test_the_files_may_lie_straight_in_the_folder_or_be_of_fashion(small_mnist):
    assert len(load_data("mnist", validation=0, data_dir=small_mnist / "mnist").train) == 30
    (small_mnist / "mnist").rename(small_mnist / "fashion-mnist")
    fashion = load_data("fashion-mnist", validation=0, data_dir=small_mnist)
    assert fashion.classes[9] == "Ankle boot"


def test_other_labels_than_digits_are_refused(small_mnist, to_idx, refused):
    labels = np.full(10, 10, np.uint8)
    (small_mnist / "mnist" / "t10k-labels-idx1-ubyte").write_bytes(to_idx(labels))
    with refused("test y: the label '10' of sample 0 is none of the 10 classes"):
        load_data("mnist", data_dir=small_mnist, validation=0)


@pytest.mark.parametrize(
    ("source", "options", "words"),
    [
        ("mnist", {"label": "x"}, "label= does not apply to mnist"),
        ("mnist", {"test": 0.1}, "test= does not apply to mnist"),
        ("digits", {"data_dir": "x"}, "data_dir= does not apply to digits"),
        ("digits", {"samples": 3}, "samples= does not apply to digits"),
        ("circles", {"header": True}, "header= does not apply to circles"),
    ],
)
def test_options_that_do_not_apply_are_refused_by_name(refused, source, options, words):
    with refused(words, "Options of "):
        load_data(source, **options)


def test_an_unknown_name_comes_with_the_nearest(refused):
    with refused("unknown data set 'minst'", "Did you mean 'mnist'?", error=UnknownNameError):
        load_data("minst")
    with refused("unknown preprocessing 'scaled'", "'scale'", error=UnknownNameError):
        load_data("digits", preprocessing="scaled")


def test_a_path_that_does_not_exist_is_said_to_be_one(tmp_path, refused):
    (tmp_path / "flowers.csv").write_text("1,2,0\n")
    with refused("flower.csv does not exist", "Did you mean", "flowers.csv?"):
        load_data(tmp_path / "flower.csv")
    with refused("nowhere/at/all does not exist"):
        load_data("nowhere/at/all")


def test_a_file_of_another_kind_is_refused(tmp_path, refused):
    (tmp_path / "notes.txt").write_text("hello")
    with refused("notes.txt is no kind of data this program reads", "*.csv"):
        load_data(tmp_path / "notes.txt")


def test_every_named_source_is_described():
    assert set(source_names()) < set(sources())
    shapes = {"circles", "moons", "blobs", "spirals", "xor"}
    assert {"digits", "mnist", "fashion-mnist", "cifar10", "synth"} | shapes == set(source_names())
    assert all("\n" not in line and line for line in sources().values())


def test_importing_data_imports_no_large_library():
    import subprocess
    import sys

    large = ("sklearn", "pooch", "PIL", "requests", "rich", "scipy")
    code = f"import sys, chainrule.data; print([name for name in {large} if name in sys.modules])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"
