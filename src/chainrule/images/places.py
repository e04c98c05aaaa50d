"""Where work on images that is worth keeping lies: the cache folder."""

import os
from pathlib import Path


def cache_folder(cache: str | Path | None = None) -> Path:
    """`cache`, else the environment's CHAINRULE_CACHE, else the user's cache folder."""
    if cache is not None:
        return Path(cache).expanduser()
    if os.environ.get("CHAINRULE_CACHE"):
        return Path(os.environ["CHAINRULE_CACHE"]).expanduser()
    import pooch

    return Path(pooch.os_cache("chainrule"))
