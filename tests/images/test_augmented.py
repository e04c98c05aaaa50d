"""The augmented set on disk: originals and copies, what was drawn, and never a half of it used as if it were whole."""

import errno
import json
import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

from chainrule.errors import DataError, StorageError
from chainrule.images import augmented
from chainrule.images.augmented import augmented_set
from chainrule.images.transforms import ASSIGNMENT, apply, draw, transform

FILES = ("images.npy", "labels.npy", "parameters.npy", "about.json")


@pytest.fixture
def images():
    return np.random.default_rng(0).integers(0, 256, (60, 32, 32, 3), np.uint8)


LABELS = np.arange(60) % 10


def test_originals_come_first_and_copies_are_made_of_the_recorded_parameters(images, tmp_path):
    found = augmented_set(images, LABELS, seed=3, cache=tmp_path)
    assert found.images.shape == (120, 32, 32, 3)
    assert isinstance(found.images, np.memmap)
    assert not found.images.flags.writeable
    assert np.array_equal(found.images[:60], images)
    assert np.array_equal(found.labels, [*LABELS, *LABELS])
    rule = transform(ASSIGNMENT)
    np.testing.assert_array_equal(found.parameters, draw(rule, (32, 32, 3), np.arange(60), seed=3))
    assert np.array_equal(found.images[60:], apply(rule, images, found.parameters))
    assert found.columns[:2] == ("transform", "rotation.angle")
    assert sum(found.counts.values()) == 60
    assert list(found.counts) == ["rotation", "cutout", "crop", "contrast_flip"]


def test_a_set_that_is_there_is_used_and_another_image_seed_label_or_transform_makes_another(images, tmp_path):
    first = augmented_set(images, LABELS, cache=tmp_path)
    written = (first.folder / "images.npy").stat().st_mtime_ns
    assert augmented_set(images.copy(), LABELS, cache=tmp_path).folder == first.folder
    assert (first.folder / "images.npy").stat().st_mtime_ns == written
    changed = images.copy()
    changed[7, 3, 3, 0] ^= 1
    others = [
        augmented_set(changed, LABELS, cache=tmp_path),
        augmented_set(images, LABELS[::-1], cache=tmp_path),
        augmented_set(images, LABELS, "flip", cache=tmp_path),
        augmented_set(images, LABELS, seed=1, cache=tmp_path),
    ]
    assert len({first.folder, *(other.folder for other in others)}) == 5
    assert others[2].counts == {"flip": 60}


def test_grey_images_keep_their_two_axes(tmp_path):
    grey = np.random.default_rng(0).integers(0, 256, (10, 28, 28), np.uint8)
    found = augmented_set(grey, np.arange(10), "shift(2)|elastic", cache=tmp_path)
    assert found.images.shape == (20, 28, 28)


def test_blocks_change_nothing(images, tmp_path, monkeypatch):
    whole = augmented_set(images, LABELS, cache=tmp_path / "a")
    monkeypatch.setattr(augmented, "BLOCK_BYTES", 7 * 3072)
    assert np.array_equal(augmented_set(images, LABELS, cache=tmp_path / "b").images, whole.images)


@pytest.mark.parametrize("lost", FILES)
@pytest.mark.parametrize("way", ["missing", "cut", "empty"])
def test_what_is_half_written_is_written_anew(images, tmp_path, lost, way):
    whole = augmented_set(images, LABELS, cache=tmp_path)
    content = {name: (whole.folder / name).read_bytes() for name in FILES}
    path = whole.folder / lost
    path.unlink()
    if way != "missing":
        path.write_bytes(content[lost][: len(content[lost]) // 2 if way == "cut" else 0])
    augmented_set(images, LABELS, cache=tmp_path)
    assert {name: (whole.folder / name).read_bytes() for name in FILES} == content


def test_a_marker_of_other_settings_is_not_believed(images, tmp_path):
    whole = augmented_set(images, LABELS, cache=tmp_path)
    about = whole.folder / "about.json"
    about.write_text(json.dumps(json.loads(about.read_text()) | {"seed": 8}))
    np.save(whole.folder / "images.npy", np.zeros((120, 32, 32, 3), np.uint8))
    assert np.array_equal(augmented_set(images, LABELS, cache=tmp_path).images[:60], images)


@pytest.mark.parametrize("file", ["images", "labels", "parameters"])
def test_a_full_disk_is_said_and_leaves_nothing_that_looks_whole(images, tmp_path, monkeypatch, refused, file):
    kept = augmented_set(images, LABELS, seed=1, cache=tmp_path)
    before = kept.images.copy()
    real = os.replace

    def full(source, target):
        if os.path.basename(target) == f"{file}.npy":
            raise OSError(errno.ENOSPC, "No space left on device")
        real(source, target)

    with monkeypatch.context() as patch:
        patch.setattr(os, "replace", full)
        with refused("no space left to write", f"{file}.npy", error=StorageError):
            augmented_set(images, LABELS, seed=2, cache=tmp_path)
    assert not list(tmp_path.rglob("*.part"))
    assert len(list(tmp_path.rglob("about.json"))) == 1, "only the first is whole"
    assert np.array_equal(augmented_set(images, LABELS, seed=1, cache=tmp_path).images, before)
    assert len(augmented_set(images, LABELS, seed=2, cache=tmp_path).images) == 120


def test_a_killed_writer_leaves_what_the_next_one_writes_anew(tmp_path):
    """Killed while its second half is written, at a moment that the file itself shows."""
    code = (
        "import sys, time, numpy as np\n"
        "from chainrule.images import augmented\n"
        "def slow(*a, **k):\n"
        "    time.sleep(30)\n"
        "augmented.apply = slow\n"
        "x = np.arange(40 * 3072, dtype=np.uint32).astype(np.uint8).reshape(40, 32, 32, 3)\n"
        "augmented.augmented_set(x, np.arange(40), 'crop', cache=sys.argv[1])\n"
    )
    process = subprocess.Popen([sys.executable, "-c", code, str(tmp_path)])
    try:
        until = time.monotonic() + 30
        while not list(tmp_path.rglob(".images.npy.part")) and time.monotonic() < until:
            time.sleep(0.02)
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()
    assert list(tmp_path.rglob(".images.npy.part")), "killed in the middle"
    x = np.arange(40 * 3072, dtype=np.uint32).astype(np.uint8).reshape(40, 32, 32, 3)
    found = augmented_set(x, np.arange(40), "crop", cache=tmp_path)
    assert np.array_equal(found.images[40:], apply(transform("crop"), x, found.parameters))
    assert not list(tmp_path.rglob("*.part"))


def test_other_arrays_than_images_of_bytes_with_their_labels_are_refused(images, tmp_path, refused):
    with refused("type float64", error=DataError):
        augmented_set(images / 255, LABELS, cache=tmp_path)
    with refused("60 images but 59 labels", error=DataError):
        augmented_set(images, LABELS[:59], cache=tmp_path)
    with refused("unknown transform 'rotate'"):
        augmented_set(images, LABELS, "rotate", cache=tmp_path)
    assert not list(tmp_path.iterdir())


def test_the_command_writes_the_set_and_says_where(command, tmp_path, images):
    np.savez(tmp_path / "photos.npz", x=images, y=LABELS)
    arguments = ("images", "augment", "photos.npz", "--cache", tmp_path / "cache", "--validation", 10, "--test", 10)
    answer = command(*arguments)
    assert answer.code == 0, answer.text
    assert "80 images in" in answer.out
    assert "rotation" in answer.out
    folder = answer.out.strip().rpartition(": ")[2]
    assert sorted(os.listdir(folder)) == sorted([".lock", *FILES])
    refused = command(*arguments, "--transform", "rotatoin")
    assert (refused.code, "Did you mean 'rotation'?" in refused.words) == (2, True)
    assert "--features does not apply" in command(*arguments, "--features", "pixels").words
    assert command("images", "augment", "circles").words.startswith("chainrule: circles holds no images")
    assert "Did you mean augment?" in command("images", "augmen").words
