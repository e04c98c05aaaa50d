"""Where the points of a sweep are trained: processes of this machine, any executor of the user's, or a Dask cluster."""

import os
from collections.abc import Callable, Iterator
from concurrent.futures import Executor
from contextlib import contextmanager
from dataclasses import dataclass

from chainrule.errors import InputError
from chainrule.specs import whole
from chainrule.sweeps.processes import LocalProcesses


@dataclass(frozen=True)
class Pool:
    """An executor, and what the coordinator has to know of it.

    room       how many points may be submitted and not done: enough that nobody waits for work; None for all
    interrupt  asks running points to stop after their epoch; None where they cannot be asked
    lost       what is wrong with the whole of it, in words, or None
    """

    executor: Executor
    room: int | None
    interrupt: Callable[[], None] | None = None
    lost: Callable[[], str | None] = lambda: None


def cores() -> int:
    """Processors that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def threads_a_point(points: int) -> int:
    """One, unless there are more cores than points. It depends on nothing else: other threads can give other bits."""
    return max(1, cores() // points)


@contextmanager
def pool(
    executor: Executor | None, on: str | None, workers: int | None, points: int, threads: int, keep_open: int
) -> Iterator[Pool]:
    """The given executor, the cluster whose scheduler is at `on`, or local processes for so many points to be done."""
    if sum(choice is not None for choice in (executor, on, workers)) > 1:
        raise InputError("executor, on and workers exclude each other", "Give one of them, or none.")
    if executor is not None:
        yield Pool(executor, None)
    elif on is not None:
        from chainrule.sweeps.cluster import cluster

        with cluster(on) as found:
            yield found
    else:
        count = min(points, cores() if workers is None else whole("workers", workers, 1))
        processes = LocalProcesses(count, threads, () if os.name == "nt" else (keep_open,))
        try:
            yield Pool(processes, 2 * count, processes.interrupt)
            processes.shutdown()
        except BaseException:
            processes.shutdown(cancel_futures=True)
            raise
