"""Files of data are opened in one way: what is missing, unreadable or empty is said in words."""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

from chainrule.errors import DataError

ALLOWANCE = 64 << 20  # bytes a reader may use beyond twice the size of its file


@contextmanager
def opened(path: Path) -> Iterator[BinaryIO]:
    """The file, open for reading bytes; DataError where it is missing, a folder, forbidden, unreadable or empty."""
    try:
        with path.open("rb") as file:
            if not file.read(1):
                raise DataError(f"{path} is empty", "Fetch or write the file again.")
            file.seek(0)
            yield file
    except FileNotFoundError:
        raise DataError(f"{path} does not exist", "Check the path.") from None
    except IsADirectoryError:
        raise DataError(f"{path} is a folder", "Name a file in it.") from None
    except OSError as error:
        raise DataError(
            f"{path} cannot be read: {error.strerror or error}", "Check the file and your permission to read it."
        ) from error


def origin(path: Path) -> dict[str, Any]:
    """Name, size in bytes and SHA-256 of a file, for the provenance."""
    with opened(path) as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()  # type: ignore[arg-type]
        return {"name": path.name, "bytes": path.stat().st_size, "sha256": digest}
