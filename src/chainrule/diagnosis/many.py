"""One function over many files, in processes of their own: what hangs or dies over one leaves the others alone."""

import multiprocessing
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from typing import Any, TypeVar

from chainrule.specs import whole

T = TypeVar("T")
R = TypeVar("R")


@dataclass(frozen=True)
class Lost:
    """A task without a result, and why in words: its process died, or took too long and was ended."""

    reason: str


def side_by_side(
    function: Callable[[T], R], tasks: Sequence[T], jobs: int | None = None, deadline: float = 120.0
) -> Iterator[tuple[int, R | Lost]]:
    """`function(task)` for every task, as they come to an end: (number of the task, its result).

    At most `jobs` processes (by default one a core that this process may use) take tasks in turn. A task that is not
    done after `deadline` seconds is ended together with its process; then, and where a process dies, a new one goes on
    with the next task. `function`, tasks and results must be picklable; what `function` raises is a Lost.

    Raises InputError where `jobs` is no positive whole number.
    """
    jobs = min(len(tasks), whole("jobs", jobs, 1) if jobs is not None else cores())
    waiting = iter(enumerate(tasks))
    crew: list[_Worker] = []
    try:
        for _ in range(jobs):
            crew.append(_Worker(function))
            crew[-1].take(next(waiting))
        while any(worker.number is not None for worker in crew):
            for place, worker in enumerate(crew):
                if worker.number is None or not worker.done(deadline):
                    continue
                number, result, alive = worker.number, *worker.result(deadline)
                task = next(waiting, None)
                worker.number = None
                if not alive:
                    worker.end()
                    crew[place] = worker = _Worker(function) if task else worker
                if task:
                    worker.take(task)
                yield number, result
            _sleep_until_something_happens(crew, deadline)
    finally:
        for worker in crew:
            worker.end()


def cores() -> int:
    """How many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


class _Worker:
    """A process that takes one task after the other; `number` is that of its present task."""

    def __init__(self, function: Callable[[Any], Any]) -> None:
        context = multiprocessing.get_context("spawn")
        self.pipe, theirs = context.Pipe()
        self.process = context.Process(target=_work, args=(function, theirs), daemon=False)
        self.process.start()
        theirs.close()
        self.number: int | None = None
        self.began = 0.0

    def take(self, task: tuple[int, Any]) -> None:
        self.number, self.began = task[0], time.monotonic()
        with suppress(OSError):  # it is dead already, which `done` sees
            self.pipe.send(task[1])

    def done(self, deadline: float) -> bool:
        return self.pipe.poll() or not self.process.is_alive() or self.overdue(deadline) <= 0

    def overdue(self, deadline: float) -> float:
        """Seconds that the present task has left."""
        return self.began + deadline - time.monotonic()

    def result(self, deadline: float) -> tuple[Any, bool]:
        """The result of the task, and whether the process can take another one."""
        with suppress(EOFError, OSError):  # the pipe of a process that died
            if self.pipe.poll():
                return self.pipe.recv(), True
        if self.process.is_alive() and self.overdue(deadline) <= 0:
            return Lost(f"it was ended after {deadline:.0f} seconds"), False
        self.process.join(1)
        return Lost(f"its process died ({_words(self.process.exitcode)})"), False

    def end(self) -> None:
        """Let the process end what it started, then end it by force if it has to be."""
        self.process.terminate()
        self.process.join(5)
        if self.process.is_alive():
            self.process.kill()
            self.process.join()
        self.pipe.close()


def _sleep_until_something_happens(crew: list[_Worker], deadline: float) -> None:
    busy = [worker for worker in crew if worker.number is not None]
    if busy:
        left = min(worker.overdue(deadline) for worker in busy)
        wait([x for worker in busy for x in (worker.pipe, worker.process.sentinel)], timeout=max(0.0, left))


def _work(function: Callable[[Any], Any], pipe: Connection) -> None:
    """Results for tasks until the pipe closes."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent is interrupted, and ends its workers
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that what is open here is closed, children included
    while True:
        try:
            task = pipe.recv()
        except EOFError:
            return
        try:
            result = function(task)
        except MemoryError:
            result = Lost("it needed more memory than there is")
        except Exception as error:
            result = Lost(f"{type(error).__name__}: {error}")
        pipe.send(result)


def _words(exitcode: int | None) -> str:
    if exitcode is not None and exitcode < 0:
        return signal.Signals(-exitcode).name
    return f"exit code {exitcode}"
