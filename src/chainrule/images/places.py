"""Where work on images that is worth keeping lies: the cache folder, and how one process at a time writes there."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from chainrule import storage


def cache_folder(cache: str | Path | None = None) -> Path:
    """`cache`, else the environment's CHAINRULE_CACHE, else the user's cache folder."""
    if cache is not None:
        return Path(cache).expanduser()
    if os.environ.get("CHAINRULE_CACHE"):
        return Path(os.environ["CHAINRULE_CACHE"]).expanduser()
    import pooch

    return Path(pooch.os_cache("chainrule"))


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """One process at a time computes a folder; a second waits, and finds it finished."""
    if sys.platform == "win32":
        yield  # no advisory locks of this kind there
        return
    import fcntl

    with storage.storage_errors(folder), (folder / ".lock").open("wb") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
