"""Threads that run one function together and meet at barriers, a fraction of a microsecond each.

A thread that comes to a barrier early watches for the others; when they are long, because something else has the
processor, it gives its own away.
"""

import ctypes
import sys
from collections.abc import Callable
from threading import Event, Thread
from typing import Any

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from chainrule.kernels.parts import kernel

LINE = 128  # bytes between what two threads write: two cache lines, since processors fetch them in pairs
PATIENCE = 20_000  # looks at a barrier before the processor is given away


def _yield_address() -> int:
    """The address of the system's `int f(void)` that lets another thread run."""
    if sys.platform == "win32":
        function = ctypes.WinDLL("kernel32").SwitchToThread
    else:
        function = ctypes.CDLL(None).sched_yield
    return ctypes.cast(function, ctypes.c_void_p).value or 0


YIELD = _yield_address()


def together(function: Callable[[int], Any], threads: int, begin: Callable[[int], None]) -> Any:
    """function(t) for every t below `threads` at the same time; what it gave for t = 0.

    Where the system gives fewer threads, there are fewer; `begin` is told how many before any of them begins. The
    caller's thread only waits: an interrupt, which may come at any of its lines, cannot keep one from a barrier.
    """
    gate, running, results = Event(), False, {}

    def work(t: int) -> None:
        gate.wait()
        if running:
            results[t] = function(t)

    workers: list[Thread] = []
    try:
        for t in range(threads if threads > 1 else 0):
            worker = Thread(target=work, args=(t,), daemon=True)
            try:
                worker.start()
            except RuntimeError:
                break
            workers.append(worker)
        begin(max(1, len(workers)))
        running = True
    finally:
        gate.set()
        _join(workers)
    return results[0] if workers else function(0)


def _join(workers: list[Thread]) -> None:
    """Wait for threads that are about to end, whatever happens: they use memory that would be freed."""
    interrupt = None
    while True:
        try:
            for worker in workers:
                worker.join()
            break
        except KeyboardInterrupt as caught:
            interrupt = caught
    if interrupt is not None:
        raise interrupt


def _integer_at(builder: Any, address: Any) -> Any:
    return builder.inttoptr(address, ir.IntType(64).as_pointer())


@intrinsic
def _add(typing: Any, address: Any, number: Any) -> Any:
    """Add to the integer at an address, seen by all threads at once; what it was before."""

    def emit(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.atomic_rmw("add", _integer_at(builder, arguments[0]), arguments[1], "seq_cst")

    return types.int64(types.int64, types.int64), emit


@intrinsic
def _look(typing: Any, address: Any) -> Any:
    """The integer at an address as the other threads have left it."""

    def emit(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.load_atomic(_integer_at(builder, arguments[0]), "acquire", 8)

    return types.int64(types.int64), emit


@intrinsic
def _call(typing: Any, address: Any) -> Any:
    """Call the function `int f(void)` at an address."""

    def emit(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        function = ir.FunctionType(ir.IntType(32), []).as_pointer()
        builder.call(builder.inttoptr(arguments[0], function), [])
        return context.get_dummy_value()

    return types.void(types.int64), emit


@kernel
def wait(barrier, threads, give_way):
    """Go on when all threads have come here. An integer at `barrier`, 0 at first, counts arrivals."""
    if threads > 1:
        goal = (_add(barrier, 1) // threads + 1) * threads
        looks = 0
        while _look(barrier) < goal:
            looks += 1
            if looks > PATIENCE:
                _call(give_way)
