"""Files are written whole or not at all, whatever stops the writing."""

import errno
import os
import subprocess
import sys

import pytest

from chainrule import storage
from chainrule.errors import RunError, StorageError


def full_disk(*_):
    raise OSError(errno.ENOSPC, "No space left on device")


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_a_file_is_replaced_whole_and_its_folders_are_made(tmp_path):
    path = tmp_path / "über all" / "deep" / "file.bin"
    storage.write_bytes(path, b"old content that is longer")
    storage.write_bytes(path, b"new")
    assert path.read_bytes() == b"new"
    assert names(path.parent) == ["file.bin"]


@pytest.mark.parametrize("moment", ["fsync", "replace"])
def test_a_full_disk_leaves_the_old_file_and_nothing_half_written(tmp_path, monkeypatch, refused, moment):
    path = tmp_path / "file.json"
    storage.write_bytes(path, b"old")
    monkeypatch.setattr(os, moment, full_disk)
    with refused("no space left", str(path), "intact", error=StorageError):
        storage.write_bytes(path, b"new")
    assert path.read_bytes() == b"old"
    assert names(tmp_path) == ["file.json"]


def test_an_interrupt_while_writing_leaves_the_old_file_and_nothing_half_written(tmp_path, monkeypatch):
    def interrupted(*_):
        raise KeyboardInterrupt

    path = tmp_path / "file.json"
    storage.write_bytes(path, b"old")
    monkeypatch.setattr(os, "fsync", interrupted)
    with pytest.raises(KeyboardInterrupt):
        storage.write_bytes(path, b"new")
    assert path.read_bytes() == b"old"
    assert names(tmp_path) == ["file.json"]


LIMITED = """
import resource, sys
from pathlib import Path
from chainrule import storage
from chainrule.errors import StorageError
resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, 10_000))
path = Path(sys.argv[1])
storage.write_bytes(path, b"o" * 9_000)
try:
    storage.write_bytes(path, b"n" * 11_000)
except StorageError as error:
    print(error)
"""


def test_the_systems_own_limit_on_a_files_size_is_told_in_words_and_the_old_file_stays(tmp_path):
    path = tmp_path / "file.bin"
    done = subprocess.run([sys.executable, "-c", LIMITED, path], capture_output=True, text=True, timeout=60)
    assert "no space left to write" in done.stdout, done.stderr
    assert path.read_bytes() == b"o" * 9_000
    assert names(tmp_path) == ["file.bin"]


@pytest.mark.skipif(not os.path.isdir("/proc/self"), reason="there is no /proc, where even root cannot make a folder")
def test_a_folder_that_nobody_can_make_is_told_in_words(refused):
    from pathlib import Path

    with refused("/proc/nowhere/file", "cannot be written", "folder that you may write to", error=StorageError):
        storage.write_bytes(Path("/proc/nowhere/file"), b"x")


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_without_permission_is_told_in_words(tmp_path, refused):
    tmp_path.chmod(0o500)
    try:
        with refused("cannot be written", error=StorageError):
            storage.write_bytes(tmp_path / "file", b"x")
    finally:
        tmp_path.chmod(0o700)


def test_a_file_where_a_folder_should_be_is_told_in_words(tmp_path, refused):
    (tmp_path / "taken").write_text("a file")
    with refused("cannot be written", error=StorageError):
        storage.write_bytes(tmp_path / "taken" / "file", b"x")


def test_appended_lines_are_read_back_and_a_torn_last_one_is_dropped(tmp_path):
    path = tmp_path / "lines.jsonl"
    for line in ("one", "zwei ü", "three"):
        storage.append_line(path, line)
    assert storage.read_lines(path) == ["one", "zwei ü", "three"]
    whole = path.read_bytes()
    for cut in range(len(whole) - len("three\n"), len(whole)):
        path.write_bytes(whole[:cut])
        assert storage.read_lines(path) == ["one", "zwei ü"]
    path.write_bytes(b"")
    assert storage.read_lines(path) == []
    assert storage.read_lines(tmp_path / "none") == []


def test_a_line_that_finds_no_space_is_told_in_words(refused):
    from pathlib import Path

    if not Path("/dev/full").exists():
        pytest.skip("there is no /dev/full")
    with refused("no space left to write /dev/full", error=StorageError):
        storage.append_line(Path("/dev/full"), "x" * 10)


def test_json_is_read_back_as_it_was_written(tmp_path):
    content = {"ä": [1, 0.1, None, True], "loss": 2.302585092994046}
    storage.write_json(tmp_path / "a.json", content)
    assert storage.read_json(tmp_path / "a.json") == content
    assert (tmp_path / "a.json").read_text().endswith("}\n")


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (None, "is missing"),
        (b"", "not readable as JSON"),
        (b'{"a": ', "not readable as JSON"),
        (b"\xff\xfe\x00", "not readable as JSON"),
        (b"[" * 100_000, "not readable as JSON"),
        (b"1" * 5000, "not readable as JSON"),
    ],
)
def test_json_that_is_missing_or_damaged_is_refused(tmp_path, refused, content, words):
    path = tmp_path / "a.json"
    if content is not None:
        path.write_bytes(content)
    with refused(str(path), words, error=RunError):
        storage.read_json(path)


def test_a_folder_where_json_should_be_is_refused(tmp_path, refused):
    (tmp_path / "a.json").mkdir()
    with refused("a.json", error=RunError):
        storage.read_json(tmp_path / "a.json")
