"""What a worker does, wherever it runs: one point, from plain data to plain data."""

import time
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Lock
from typing import Any

from threadpoolctl import threadpool_limits

from chainrule.errors import ChainruleError, RunError, StorageError
from chainrule.runs import RunConfig, execute
from chainrule.runs.config import from_mapping
from chainrule.sweeps.shared import shared

PATIENCE = 60.0  # seconds to wait for whoever else trains the same point: one that the last coordinator left behind
LOOK_SECONDS = 0.2

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
        return {
            "state": "failed",
            "run": None,
            "seconds": time.perf_counter() - began,
            "error": described(error),
        }


def described(error: BaseException) -> dict[str, str]:
    """An error as plain data: kind, problem and remedy, and for what was not foreseen where it happened."""
    kind = type(error).__name__
    if isinstance(error, ChainruleError):
        full = isinstance(error, StorageError)
        return {"kind": "StorageError" if full else kind, "problem": error.problem, "remedy": error.remedy, "trace": ""}
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


_lock, _users = Lock(), 0
_limits: Any = None


@contextmanager
def _threads(count: int) -> Iterator[None]:
    """Matrix products and kernels on `count` threads while anybody in this process trains."""
    global _users, _limits
    with _lock:
        _users += 1
        if _users == 1:
            _limits = threadpool_limits(count, user_api="blas")
    try:
        yield
    finally:
        with _lock:
            _users -= 1
            if not _users:
                _limits.restore_original_limits()
