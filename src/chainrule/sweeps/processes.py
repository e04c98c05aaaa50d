"""Local processes as an executor: each lives long and works alone, so that with one that dies only its work is lost.

`ProcessPoolExecutor` and loky declare the whole pool broken when one of their processes dies, and all that was
submitted lost. Here every process has a pipe and a thread that feeds it; a dead one is replaced. A process is started
by a command line, not forked, and reads functions by name and arguments as JSON: no pickle, no second run of the
caller's script, and its threads are limited before NumPy is loaded.
"""

import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable
from concurrent.futures import Executor, Future
from contextlib import suppress
from importlib import import_module
from queue import SimpleQueue
from typing import Any, TypeVar

Result = TypeVar("Result")

THREADS = (
    "OPENBLAS_NUM_THREADS",
    "OMP_NUM_THREADS",
    "MKL_NUM_THREADS",
    "BLIS_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
    "NUMBA_NUM_THREADS",
)
COMMAND = (
    "import json, sys; sys.path[:] = json.loads(sys.argv[1]); from chainrule.sweeps.processes import serve; serve()"
)
START_TRIES = 3
CLOSING_SECONDS = 5.0  # between the end of a process's pipe and its own
TAKEN = b"taken\n"
GRACE_SECONDS = 20.0  # for a process that was asked to stop: it ends its epoch and writes a checkpoint


class WorkerDiedError(RuntimeError):
    """A process ended without an answer."""


class LocalProcesses(Executor):
    """`workers` processes of this machine, each with `threads` threads for matrix products and kernels.

    `submit` takes a function that a module holds by name, and arguments and results that JSON can write.
    """

    def __init__(self, workers: int, threads: int = 1, keep_open: tuple[int, ...] = ()) -> None:
        self._threads, self._keep_open = threads, keep_open
        self._work: SimpleQueue[tuple[Future[Any], bytes] | None] = SimpleQueue()
        self._workers = [_Worker(self._work, self._start) for _ in range(workers)]
        self._closed = False

    def submit(self, function: Callable[..., Result], /, *args: Any, **kwargs: Any) -> "Future[Result]":
        if self._closed:
            raise RuntimeError("the processes were shut down")
        future: Future[Result] = Future()
        order = {"function": f"{function.__module__}:{function.__qualname__}", "args": args, "kwargs": kwargs}
        self._work.put((future, json.dumps(order).encode() + b"\n"))
        return future

    def interrupt(self) -> None:
        """Ask the processes to stop what they do, as Ctrl-C would; what they answer still comes."""
        for worker in self._workers:
            worker.interrupt()

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """End the processes: after all that was submitted, or, with `cancel_futures`, at once."""
        self._closed = True
        if cancel_futures:
            while not self._work.empty():
                with suppress(Exception):
                    item = self._work.get_nowait()
                    if item is not None:
                        item[0].cancel()
            for worker in self._workers:
                worker.kill()
        for _ in self._workers:
            self._work.put(None)
        if wait:
            for worker in self._workers:
                worker.thread.join()

    @property
    def pids(self) -> list[int]:
        """The processes that live."""
        return [worker.process.pid for worker in self._workers if worker.process is not None]

    def _start(self, errors: Any) -> "subprocess.Popen[bytes]":
        return subprocess.Popen(
            [sys.executable, "-c", COMMAND, json.dumps(sys.path)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            env=os.environ | dict.fromkeys(THREADS, str(self._threads)),
            pass_fds=self._keep_open,
            start_new_session=True,  # Ctrl-C in the terminal is the coordinator's, who decides what becomes of them
        )


class _Worker:
    """One process and the thread that feeds it."""

    def __init__(self, work: Any, start: Callable[[Any], "subprocess.Popen[bytes]"]) -> None:
        self._work, self._start = work, start
        self.process: subprocess.Popen[bytes] | None = None
        self.thread = threading.Thread(target=self._feed, daemon=True)
        self.thread.start()

    def interrupt(self) -> None:
        if self.process is not None:
            with suppress(OSError):
                self.process.send_signal(signal.SIGINT)

    def kill(self) -> None:
        if self.process is not None:
            with suppress(OSError):
                self.process.kill()

    def _feed(self) -> None:
        with tempfile.TemporaryFile() as errors:
            with suppress(OSError):  # what is wrong is told with the first work
                self.process = self._start(errors)
            while (item := self._work.get()) is not None:
                future, order = item
                if future.set_running_or_notify_cancel():
                    self._do(future, order, errors)
            self._end()

    def _do(self, future: "Future[Any]", order: bytes, errors: Any) -> None:
        try:
            answer = self._answer(order, errors)
        except WorkerDiedError as error:
            future.set_exception(error)
            return
        result = json.loads(answer)
        if "raised" in result:
            future.set_exception(RuntimeError(result["raised"]))
        else:
            future.set_result(result["returned"])

    def _answer(self, order: bytes, errors: Any) -> bytes:
        """The answer to an order; a process that was dead before it took the order is replaced, and no harm is done."""
        for _ in range(START_TRIES):
            try:
                if self.process is None:
                    errors.truncate(0)
                    self.process = self._start(errors)
                assert self.process.stdin is not None
                assert self.process.stdout is not None
                self.process.stdin.write(order)
                self.process.stdin.flush()
                if self.process.stdout.readline() == TAKEN:
                    break
            except OSError:
                pass
            why = self._died(errors)
        else:
            raise why
        answer = self.process.stdout.readline()
        if not answer.endswith(b"\n"):
            raise self._died(errors)
        return answer

    def _died(self, errors: Any) -> WorkerDiedError:
        """Why the process is gone; the next work gets a new one."""
        process, self.process = self.process, None
        if process is None:
            return WorkerDiedError("a worker's process could not be started")
        _close(process)
        try:
            code = process.wait(CLOSING_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            code = process.wait()
        how = f"by {signal.Signals(-code).name}" if code < 0 else f"with exit code {code}"
        errors.seek(0)
        lines = errors.read().decode(errors="replace").strip().splitlines()
        last = f"; its last words: {lines[-1][:200]}" if lines else ""
        return WorkerDiedError(f"the worker's process {process.pid} ended {how}{last}")

    def _end(self) -> None:
        if self.process is None:
            return
        assert self.process.stdin is not None
        with suppress(OSError):
            self.process.stdin.close()  # its sign to end
        try:
            self.process.wait(GRACE_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        _close(self.process)
        self.process = None


def _close(process: "subprocess.Popen[bytes]") -> None:
    for stream in (process.stdin, process.stdout):
        if stream is not None:
            with suppress(OSError):
                stream.close()


def serve() -> None:
    """The life of a process: a line with an order comes in, a line with the answer goes out, until nobody writes more.

    When the one who gives orders dies, the process ends at once, in the middle of its work.
    """
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what is printed by the way is no answer
    orders: SimpleQueue[bytes] = SimpleQueue()
    signal.signal(signal.SIGINT, signal.SIG_IGN)

    def listen() -> None:
        for line in sys.stdin.buffer:
            orders.put(line)
        os._exit(0)

    threading.Thread(target=listen, daemon=True).start()
    while True:
        order = json.loads(orders.get())
        answers.write(TAKEN)
        answers.flush()
        result = _done(order)
        answers.write(json.dumps(result).encode() + b"\n")
        answers.flush()


def _done(order: dict[str, Any]) -> dict[str, Any]:
    module, _, name = order["function"].partition(":")
    try:
        signal.signal(signal.SIGINT, signal.default_int_handler)
        try:
            return {"returned": getattr(import_module(module), name)(*order["args"], **order["kwargs"])}
        finally:
            signal.signal(signal.SIGINT, signal.SIG_IGN)
    except BaseException as error:
        return {"raised": f"{type(error).__name__}: {error}"}
