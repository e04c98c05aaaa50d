"""Getting the kernels, from the cache on disk or by a compilation that says that it takes place, and running them."""

import hashlib
import sys
from functools import cache
from pathlib import Path
from threading import Lock, Timer
from typing import Any

import numba
import numpy as np
from numba.core import config

from chainrule.kernels.epochs import make_run
from chainrule.kernels.memory import Memory
from chainrule.kernels.threads import together

SILENT_SECONDS = 1.5  # loading from the cache takes less
WORTH_A_THREAD = 30_000  # multiplications of a batch's forward pass below which another thread only costs
_lock = Lock()


def run_job(memory: Memory) -> int:
    """Do what the memory's job says on its threads; −1, or the number of the batch whose logits are not finite."""
    memory["barrier"][:], memory["fine"][:] = 0, 1
    return int(together(load(memory.plan.dtype), memory.address, memory.one, threads=memory.threads))


def threads_for(multiplications: int) -> int:
    """How many threads a batch of so many multiplications in its forward pass is worth."""
    return int(config.NUMBA_NUM_THREADS) if multiplications > WORTH_A_THREAD else 1


def load(dtype: np.dtype[Any]) -> Any:
    """The compiled `run` for networks of `dtype`; see epochs.py.

    The first call for a dtype on a machine compiles it, which takes seconds and is said on standard error; the code is
    kept on disk.
    """
    with _lock:
        return _compiled(dtype)


@cache
def _compiled(dtype: np.dtype[Any]) -> Any:
    speaking = Timer(SILENT_SECONDS, _say, [dtype])
    speaking.daemon = True
    speaking.start()
    try:
        run = make_run(_digest())
        run.compile((numba.int64, numba.from_dtype(dtype), numba.int64))
    finally:
        speaking.cancel()
    return run


@cache
def _digest() -> str:
    """What the code of the kernels is told from other versions by."""
    folder = Path(__file__).parent
    texts = [path.read_bytes() for path in sorted([*folder.glob("*.py"), *folder.parent.glob("network/*.py")])]
    return hashlib.sha256(b"".join(texts)).hexdigest()


def _say(dtype: np.dtype[Any]) -> None:
    print(
        f"chainrule: compiling the kernels for {dtype}, once on this machine (some 10 s) …", file=sys.stderr, flush=True
    )
