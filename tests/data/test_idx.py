"""IDX files: every dtype, gzipped or not, and a message of its own for everything that is wrong."""

import gzip
import struct
import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from chainrule.data import load_data, read_idx
from chainrule.data.idx import read_pair

IMAGES = np.random.default_rng(0).integers(0, 256, (5, 4, 3), np.uint8)


@settings(deadline=None)
@given(
    st.sampled_from(["u1", "i1", "i2", "i4", "f4", "f8"]).flatmap(
        lambda code: arrays(np.dtype(code), array_shapes(max_dims=4, max_side=4))
    ),
    st.booleans(),
)
def test_what_was_written_is_read(tmp_path_factory, array, gzipped):
    from .conftest import idx_bytes

    path = tmp_path_factory.mktemp("idx") / "array"
    path.write_bytes(gzip.compress(idx_bytes(array), mtime=0) if gzipped else idx_bytes(array))
    read = read_idx(path)
    assert read.dtype == array.dtype
    assert read.dtype.isnative
    np.testing.assert_array_equal(read, array)


def test_gzip_is_seen_from_the_content_and_not_from_the_name(tmp_path, to_idx):
    (tmp_path / "plain.gz").write_bytes(to_idx(IMAGES))
    (tmp_path / "zipped").write_bytes(gzip.compress(to_idx(IMAGES), mtime=0))
    for name in ("plain.gz", "zipped"):
        np.testing.assert_array_equal(read_idx(tmp_path / name), IMAGES)


GOOD = b"\0\0\x08\x02" + struct.pack(">2I", 2, 3) + bytes(6)


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("empty", b"", "is empty"),
        ("short", GOOD[:3], "is truncated: 3 bytes are no IDX header"),
        ("header", GOOD[:9], "is truncated within its header"),
        ("data", GOOD[:-1], "is truncated: 2 × 3 need 6 bytes, 5 are there"),
        ("more", GOOD + b"\0", "has bytes beyond the 6 of its 2 × 3 numbers"),
        ("magic", b"\x89PNG" + GOOD, "is no IDX file: it begins with 89 50 4e 47"),
        ("page.gz", b"<html>", "is named .gz but is no gzip file: it begins with 3c 68"),
        ("dtype", b"\0\0\x0a\x01" + GOOD[4:], "has the unknown IDX dtype 0a"),
        ("axes", b"\0\0\x08\x00" + GOOD[4:], "says it has 0 axes"),
        ("many", b"\0\0\x08\xff" + GOOD[4:], "says it has 255 axes"),
        ("none", b"\0\0\x08\x02" + struct.pack(">2I", 0, 3), "holds no data: its sizes are 0 × 3"),
        ("lying", b"\0\0\x08\x03" + b"\xff" * 12 + bytes(9), "is truncated"),
        ("cut.gz", gzip.compress(GOOD, mtime=0)[:-9], "is truncated: its gzip data end too early"),
        ("crc.gz", gzip.compress(GOOD, mtime=0)[:-8] + bytes(8), "is damaged: CRC check failed"),
        ("zlib.gz", gzip.compress(GOOD, mtime=0)[:10] + b"\xff" * 30, "is damaged"),
        ("inner.gz", gzip.compress(GOOD[:-1], mtime=0), "is truncated: 2 × 3 need 6 bytes"),
        ("long.gz", gzip.compress(GOOD + b"\0", mtime=0), "has bytes beyond"),
        ("liar.gz", gzip.compress(b"\0\0\x08\x03" + b"\xff" * 12, mtime=0), "too many for a gzip file of its size"),
    ],
)
def test_every_fault_has_its_own_words(tmp_path, refused, name, content, words):
    (tmp_path / name).write_bytes(content)
    with refused(words, name):
        read_idx(tmp_path / name)


def test_missing_files_and_folders_are_said_to_be_that(tmp_path, refused):
    with refused("nowhere does not exist"):
        read_idx(tmp_path / "nowhere")
    with refused("is a folder"):
        read_idx(tmp_path)


@pytest.mark.parametrize(
    ("images", "labels", "words"),
    [
        (IMAGES, np.zeros(4, np.uint8), "images holds 5 images but labels 4 labels"),
        (IMAGES[:, 0], np.zeros(5, np.uint8), "images has 2 axes, not 3"),
        (IMAGES, IMAGES, "labels has 3 axes, not 1"),
    ],
)
def test_images_and_labels_must_belong_together(tmp_path, to_idx, refused, images, labels, words):
    (tmp_path / "images").write_bytes(to_idx(images))
    (tmp_path / "labels").write_bytes(to_idx(labels))
    with refused(words):
        read_pair(tmp_path / "images", tmp_path / "labels")


@pytest.mark.parametrize("declared", [10, 1 << 31])
def test_a_gzip_bomb_takes_no_memory(tmp_path, refused, declared):
    header = b"\0\0\x08\x02" + struct.pack(">2I", 1, declared)
    path = tmp_path / "bomb.gz"
    path.write_bytes(gzip.compress(header + bytes(100 << 20), mtime=0))
    tracemalloc.start()
    try:
        with refused("bomb.gz"):
            read_idx(path)
        assert tracemalloc.get_traced_memory()[1] < 2 * path.stat().st_size + (64 << 20)
    finally:
        tracemalloc.stop()


def test_reading_holds_the_content_once(tmp_path, to_idx):
    path = tmp_path / "large.gz"
    path.write_bytes(gzip.compress(to_idx(np.zeros((40, 1000, 1000), np.uint8)), 1))
    tracemalloc.start()
    try:
        read_idx(path)
        assert tracemalloc.get_traced_memory()[1] < 2 * path.stat().st_size + (64 << 20)
    finally:
        tracemalloc.stop()


@pytest.mark.realdata
def test_the_real_mnist_is_read_whole(real_data):
    import hashlib

    data = load_data("mnist", data_dir=real_data)
    assert {name: len(part) for name, part in data.parts.items()} == {
        "train": 55_000,
        "validation": 5_000,
        "test": 10_000,
    }
    assert data.train.y[:10].tolist() == [5, 0, 4, 1, 9, 2, 1, 3, 1, 4]
    assert (data.train.x.min(), data.train.x.max()) == (0, 1)
    name = "train-images-idx3-ubyte"
    path = next(p for p in (real_data / "mnist" / f"{name}.gz", real_data / "mnist" / name) if p.exists())
    tracemalloc.start()
    try:
        images = read_idx(path)
        assert tracemalloc.get_traced_memory()[1] < 2 * path.stat().st_size + (64 << 20)
    finally:
        tracemalloc.stop()
    content = hashlib.md5(b"\0\0\x08\x03" + struct.pack(">3I", *images.shape) + images.tobytes())
    assert content.hexdigest() == "6bbc9ace898e44ae57da46a324031adb"
    np.testing.assert_array_equal(data.validation.x[-1], np.float32(images[-1].ravel().astype(float) * (1 / 255.0)))
