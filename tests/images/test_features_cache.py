"""Features on disk: computed once, in blocks; what was interrupted or damaged is finished to the same bytes."""

import errno
import os

import numpy as np
import pytest

from chainrule.errors import StorageError
from chainrule.images.features import cache, features_folder, features_of, learned, patches
from chainrule.images.features.patches import Patches

PIXELS = np.random.default_rng(2).integers(0, 256, (50, 9, 9, 3), dtype=np.uint8)
FITTED = Patches(atoms=3, size=3, samples=99).fit(PIXELS)


class Counting:
    """An extractor that counts its images and stops after so many."""

    name, width, image_shape, to_state = FITTED.name, FITTED.width, FITTED.image_shape, FITTED.to_state

    def __init__(self, stop=10**9, error=KeyboardInterrupt):
        self.seen, self.stop, self.error = 0, stop, error

    def __call__(self, images):
        if self.seen + len(images) > self.stop:
            raise self.error
        self.seen += len(images)
        return FITTED(images)


@pytest.fixture(autouse=True)
def small_blocks(monkeypatch):
    monkeypatch.setattr(cache, "MOST_IMAGES", 8)


def interrupted(folder, stop=30):
    with pytest.raises(KeyboardInterrupt):
        features_of(PIXELS, Counting(stop), cache=folder)
    return features_folder(PIXELS, FITTED, folder)


def test_features_are_computed_once_and_read_from_the_disk(tmp_path):
    first, second = Counting(), Counting()
    found = features_of(PIXELS, first, cache=tmp_path)
    assert isinstance(found, np.memmap)
    assert not found.flags.writeable
    assert np.array_equal(found, FITTED(PIXELS))
    assert np.array_equal(features_of(PIXELS, second, cache=tmp_path), found)
    assert (first.seen, second.seen) == (50, 0)
    assert sorted(p.name for p in features_folder(PIXELS, FITTED, tmp_path).iterdir()) == [
        ".lock",
        "about.json",
        "features.npy",
    ]


def test_what_was_interrupted_goes_on_and_ends_with_the_same_bytes(tmp_path):
    whole = features_folder(PIXELS, FITTED, tmp_path / "a")
    features_of(PIXELS, Counting(), cache=tmp_path / "a")
    folder = interrupted(tmp_path / "b")
    assert not (folder / "features.npy").exists()
    rest = Counting()
    features_of(PIXELS, rest, cache=tmp_path / "b")
    assert rest.seen == 50 - 24  # three blocks of eight were finished
    assert (folder / "features.npy").read_bytes() == (whole / "features.npy").read_bytes()


def test_the_size_of_a_block_changes_no_byte(tmp_path, monkeypatch):
    features_of(PIXELS, FITTED, cache=tmp_path / "a")
    monkeypatch.setattr(cache, "MOST_IMAGES", 1000)
    features_of(PIXELS, FITTED, cache=tmp_path / "b")
    a, b = (features_folder(PIXELS, FITTED, tmp_path / name) / "features.npy" for name in "ab")
    assert a.read_bytes() == b.read_bytes()


def torn(part):
    os.truncate(part, part.stat().st_size - 5)


def flipped(part):
    content = bytearray(part.read_bytes())
    content[-9] ^= 1
    part.write_bytes(content)


def zeroed(part):
    content = bytearray(part.read_bytes())
    content[-100:] = bytes(100)
    part.write_bytes(content)


def foreign(part):
    part.write_bytes(b"something else" * 99)


def removed_log(part):
    (part.parent / "blocks").unlink()


@pytest.mark.parametrize(("damage", "kept"), [(torn, 16), (flipped, 16), (zeroed, 16), (foreign, 0), (removed_log, 0)])
def test_damaged_blocks_are_computed_again(tmp_path, damage, kept):
    damage(interrupted(tmp_path) / "features.part")
    rest = Counting()
    assert np.array_equal(features_of(PIXELS, rest, cache=tmp_path), FITTED(PIXELS))
    assert rest.seen == 50 - kept


def test_a_finished_file_that_was_cut_is_not_used(tmp_path):
    features_of(PIXELS, FITTED, cache=tmp_path)
    file = features_folder(PIXELS, FITTED, tmp_path) / "features.npy"
    os.truncate(file, file.stat().st_size - 4)
    assert np.array_equal(features_of(PIXELS, FITTED, cache=tmp_path), FITTED(PIXELS))


def test_a_full_disk_is_told_and_loses_nothing_finished(tmp_path, monkeypatch):
    interrupted(tmp_path)

    def full(handle):
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(cache.os, "fsync", full)
        with pytest.raises(StorageError, match="no space left to write"):
            features_of(PIXELS, Counting(), cache=tmp_path)
    rest = Counting()
    assert np.array_equal(features_of(PIXELS, rest, cache=tmp_path), FITTED(PIXELS))
    assert rest.seen == 50 - 24


def test_other_images_and_other_extractors_have_other_folders(tmp_path):
    other = Patches(atoms=3, size=3, samples=99, alpha=0.5).fit(PIXELS)
    changed = PIXELS.copy()
    changed[-1, -1, -1, -1] ^= 1
    folders = {features_folder(*pair, tmp_path) for pair in ((PIXELS, FITTED), (PIXELS, other), (changed, FITTED))}
    assert len(folders) == 3


def test_what_was_learned_is_kept_and_a_damaged_file_learned_again(tmp_path, monkeypatch):
    text = "patches(atoms=4, size=3, samples=50)"
    first = learned(text, PIXELS, cache=tmp_path)
    with monkeypatch.context() as patch:
        patch.setattr(patches, "_whitening", None)  # what learns cannot run
        second = learned(text, PIXELS, cache=tmp_path)
    assert np.array_equal(first.matrix, second.matrix)
    (file,) = (tmp_path / "features").glob("learned-*.npz")
    file.write_bytes(file.read_bytes()[:-40])
    assert np.array_equal(learned(text, PIXELS, cache=tmp_path).matrix, first.matrix)
