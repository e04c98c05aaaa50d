"""Getting the kernels, from the cache on disk or by a compilation that says that it takes place, and running them."""

import hashlib
import sys
from functools import cache
from pathlib import Path
from threading import Lock, Timer
from typing import Any

import llvmlite
import numba
import numpy as np
from numba.core import config

from chainrule.kernels.epochs import ALIGNED, make_run
from chainrule.kernels.maths import FUSED
from chainrule.kernels.memory import Memory
from chainrule.kernels.threads import together
from chainrule.kernels.tiles import VECTOR_BYTES

SILENT_SECONDS = 1.5  # loading from the cache takes less
WORTH_A_THREAD = 30_000  # multiplications of a batch's forward pass below which another thread only costs
_lock = Lock()


def run_job(memory: Memory) -> int:
    """Do what the memory's job says on its threads; −1, or the number of the batch whose logits are not finite."""
    run = load(memory.plan.dtype)
    memory["barrier"][:], memory["spoiled"][:] = 0, np.iinfo(np.int64).max

    def work(t: int) -> int:
        return int(run(memory.address, memory.one, t))  # a thread keeps the memory that it works on

    return int(together(work, memory.threads, lambda n: memory.set(threads=n)))


def threads_for(rows: int, multiplications: int) -> int:
    """How many threads a batch of so many rows and multiplications in its forward pass is worth.

    At most as many as Numba is allowed, which NUMBA_NUM_THREADS in the environment sets.
    """
    worth = min(1 + multiplications // WORTH_A_THREAD, -(-rows // ALIGNED))
    return max(1, min(int(config.NUMBA_NUM_THREADS), worth))


def load(dtype: np.dtype[Any]) -> Any:
    """The compiled `run` for networks of `dtype`; see epochs.py.

    The first call for a dtype on a machine compiles it, which takes seconds and is said on standard error; the code is
    kept on disk.
    """
    with _lock:
        return _compiled(dtype)


@cache
def _compiled(dtype: np.dtype[Any]) -> Any:
    signature = (numba.int64, numba.from_dtype(dtype), numba.int64)
    speaking = Timer(SILENT_SECONDS, _say, [f"compiling the kernels for {dtype}, once on this machine (some 10 s) …"])
    speaking.daemon = True
    speaking.start()
    try:
        run = make_run(_digest())
        run.compile(signature)
    except (OSError, RuntimeError) as error:  # no folder that can be written, or no room in it
        _say(f"compiling the kernels for {dtype}, which cannot be kept on disk: {error}")
        run = make_run(_digest(), cache=False)
        run.compile(signature)
    finally:
        speaking.cancel()
    return run


@cache
def _digest() -> str:
    """What the code of the kernels is told from other versions by."""
    folder = Path(__file__).parent
    texts = [path.read_bytes() for path in sorted([*folder.glob("*.py"), *folder.parent.glob("network/*.py")])]
    made_by = f"{VECTOR_BYTES} {FUSED} {numba.__version__} {llvmlite.__version__}"  # what Numba's own key leaves out
    return hashlib.sha256(b"".join([*texts, made_by.encode()])).hexdigest()


def _say(what: str) -> None:
    print(f"chainrule: {what}", file=sys.stderr, flush=True)
