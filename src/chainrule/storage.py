"""Files are written whole or not at all: temporary file, fsync, rename."""

import errno
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from chainrule.errors import RunError, StorageError


def write_bytes(path: Path, content: bytes) -> None:
    """Replace `path` by `content` in one step: after a crash the old or the new file is there, never half.

    Raises StorageError where the folder cannot be written or the disk is full; the old file stays then.
    """
    with storage_errors(path):
        if path.is_dir() or not path.name:
            raise StorageError(f"{path} is a folder", "Name a file to write to.")
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_name(f".{path.name}.part")
        try:
            with part.open("wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            os.replace(part, path)
        except BaseException:
            with suppress(OSError):
                part.unlink()
            raise
        _sync_folder(path.parent)


def write_text(path: Path, content: str) -> None:
    write_bytes(path, content.encode())


def write_json(path: Path, content: Any) -> None:
    write_text(path, json.dumps(content, indent=2, ensure_ascii=False) + "\n")


def append_line(path: Path, line: str) -> None:
    """Append one line; a crash can leave a torn last line, which `read_lines` drops."""
    with storage_errors(path), path.open("ab") as file:
        file.write(line.encode() + b"\n")
        file.flush()


def read_lines(path: Path) -> list[str]:
    """The whole lines of an appended file; a torn last line is left out."""
    if not path.exists():
        return []
    return path.read_bytes().decode(errors="replace").split("\n")[:-1]


def read_json(path: Path) -> Any:
    """The content of a JSON file; raises RunError where it is missing or damaged."""
    try:
        return json.loads(path.read_bytes())
    except FileNotFoundError:
        raise RunError(f"{path} is missing", "The folder is incomplete; train again, or restore the file.") from None
    except OSError as error:
        raise RunError(f"{path} cannot be read: {error.strerror}", "Restore the file, or train again.") from None
    except (ValueError, RecursionError) as error:
        raise RunError(f"{path} is not readable as JSON: {error}", "The file was damaged or edited.") from None


@contextmanager
def storage_errors(path: Path) -> Iterator[None]:
    """Say in words why `path` could not be written."""
    try:
        yield
    except StorageError:
        raise
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
            raise StorageError(
                f"no space left to write {path}",
                "What was written before is intact. Free some space and go on.",
            ) from error
        raise StorageError(
            f"{path} cannot be written: {error.strerror or error}",
            "Choose a folder that you may write to, or change its permissions.",
        ) from error


def _sync_folder(folder: Path) -> None:
    if hasattr(os, "O_DIRECTORY"):
        handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
