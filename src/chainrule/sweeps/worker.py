"""What a worker does, wherever it runs: one point, from plain data to plain data."""

import os
import sys
import time
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event, Lock, Thread
from typing import Any

from threadpoolctl import threadpool_info, threadpool_limits

from chainrule.errors import ChainruleError, RunError
from chainrule.runs import RunConfig, execute
from chainrule.runs.config import from_mapping
from chainrule.sweeps.shared import shared

PATIENCE = 60.0  # seconds to wait for whoever else trains the same point: one that the last coordinator left behind
LOOK_SECONDS = 0.2
NUMBA = "NUMBA_NUM_THREADS"

Order = dict[str, Any]
Answer = dict[str, Any]


def train_point(order: Order) -> Answer:
    """Train the point of `order`: {"config", "runs", "data", "threads"}, all plain JSON.

    The answer: {"state": "finished", "interrupted" or "failed", "run": name of its folder, "seconds", "error"}. Nothing
    is raised for what is wrong with the point alone, so that every kind of executor carries it home.
    """
    began = time.perf_counter()
    try:
        with _threads(order["threads"]):
            outcome = _patiently(order, began + PATIENCE)
        state = "interrupted" if outcome.stopped == "interrupted" else "finished"
        return {"state": state, "run": outcome.run.path.name, "seconds": time.perf_counter() - began, "error": None}
    except KeyboardInterrupt:
        return {"state": "interrupted", "run": None, "seconds": 0.0, "error": None}
    except Exception as error:
        seconds = time.perf_counter() - began
        return {"state": "failed", "run": None, "seconds": seconds, "error": described(error)}


def described(error: BaseException) -> dict[str, str]:
    """An error as plain data: kind, problem and remedy, and for what was not foreseen where it happened."""
    kind = type(error).__name__
    if isinstance(error, ChainruleError):
        return {"kind": kind, "problem": error.problem, "remedy": error.remedy, "trace": ""}
    trace = "".join(traceback.format_exception(error))
    return {"kind": kind, "problem": f"{kind}: {error}"[:500], "remedy": "", "trace": trace}


def _patiently(order: Order, deadline: float) -> Any:
    config = from_mapping(RunConfig, order["config"])
    data = shared(Path(order["data"]))
    while True:
        try:
            return execute(config, runs_dir=Path(order["runs"]), data=data, draw=False)
        except RunError as error:
            if "another process is writing" not in error.problem or time.perf_counter() > deadline:
                raise
            time.sleep(LOOK_SECONDS)


class _Limits:
    """Matrix products and kernels of this process on `count` threads, until they are restored.

    A thread of its own asks for it: threadpoolctl lets one thread alone decide on OpenBLAS until it has done, and those
    that train come and go.
    """

    def __init__(self, count: int) -> None:
        import scipy.linalg  # noqa: F401  # it brings a BLAS of its own, which could not be limited before it is loaded

        self._end, ready = Event(), Event()
        self._holder = Thread(target=self._hold, args=(count, ready), daemon=True)
        if any(pool["num_threads"] != count for pool in threadpool_info() if pool["user_api"] == "blas"):
            self._holder.start()
            ready.wait()
        self._before = os.environ.get(NUMBA)
        _allow_numba(str(count))

    def _hold(self, count: int, ready: Event) -> None:
        with threadpool_limits(count, user_api="blas"):
            ready.set()
            self._end.wait()

    def restore(self) -> None:
        self._end.set()
        if self._holder.is_alive():
            self._holder.join()
        _allow_numba(self._before)


def _allow_numba(count: str | None) -> None:
    """Numba looks into the environment when it is imported, and then into its own configuration; both are set."""
    if count is None:
        os.environ.pop(NUMBA, None)
    else:
        os.environ[NUMBA] = count
    if "numba" in sys.modules:
        config = sys.modules["numba"].core.config
        config.NUMBA_NUM_THREADS = int(count or config.NUMBA_DEFAULT_NUM_THREADS)


_lock = Lock()
_training: list[_Limits] = []  # one for every point that is trained in this process; the first is what holds


@contextmanager
def _threads(count: int) -> Iterator[None]:
    """Limits that last while anybody in this process trains: they are the process's, not a thread's."""
    with _lock:
        _training.append(_training[0] if _training else _Limits(count))
    try:
        yield
    finally:
        with _lock:
            last = _training.pop()
            if not _training:
                last.restore()
