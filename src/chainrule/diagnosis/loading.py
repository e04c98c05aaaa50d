"""Somebody's file is run from top to bottom, one statement after the other, so that one that fails costs only itself.

Definitions and imports always run. Everything else, such as loading data or training at once, has one short time for
all of it; what does not fit in is interrupted and named. `if __name__ == "__main__"` is not entered.
"""

import ast
import signal
import sys
import time
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import FrameType
from typing import Any

NAME = "student"  # of the module, so that `if __name__ == "__main__"` is not entered
TIME = 1.0  # seconds for all statements that are no definitions
_DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Import, ast.ImportFrom)


class OutOfTime(BaseException):  # not an Exception: no `except Exception` is to stop it
    """A piece of somebody's code took longer than it may."""


@dataclass
class Loaded:
    """What a file left behind: its names, and sentences on the statements that did not run to their end."""

    namespace: dict[str, Any]
    remarks: list[str] = field(default_factory=list)


def load(tree: ast.Module, filename: str, allowance: float = TIME) -> Loaded:
    """Run the statements of `tree` as the module `filename`."""
    namespace: dict[str, Any] = {"__name__": NAME, "__file__": filename, "__builtins__": __builtins__}
    loaded = Loaded(namespace)
    end = time.monotonic() + allowance
    for statement in tree.body:
        definition = isinstance(statement, _DEFINITIONS) or _constant(statement)
        left = 2.0 if definition else end - time.monotonic()
        if left <= 0:
            loaded.remarks.append(f"Line {statement.lineno} was not run: the lines before it took {allowance:g} s.")
            continue
        module = ast.Module([statement], [])
        failure = attempt(lambda m=module: exec(compile(m, filename, "exec"), namespace), left, filename)[1]
        if failure:
            loaded.remarks.append(f"Left out: {failure}")
    return loaded


class InDouble(ast.NodeTransformer):
    """float32 and float16 of the code become float64: whether a gradient is right is not seen in half the digits."""

    def visit_Attribute(self, node: ast.Attribute) -> ast.AST:
        self.generic_visit(node)
        if node.attr in _COARSE:
            node.attr = "float64"
        return node

    def visit_Constant(self, node: ast.Constant) -> ast.AST:
        if isinstance(node.value, str) and node.value in ("float32", "float16"):
            node.value = "float64"
        return node


_COARSE = ("float32", "float16", "single", "half")


def attempt(run: Any, seconds: float, filename: str) -> tuple[Any, str]:
    """(what `run()` returned, "") or (None, why it failed in a sentence), after at most `seconds`."""
    try:
        with time_limit(seconds):
            return run(), ""
    except OutOfTime:
        return None, f"{_place(filename)}still running after {seconds:.1f} s."
    except BaseException as error:  # KeyboardInterrupt too: no keyboard reaches the process that this runs in
        return None, sentence(error, filename)


def sentence(error: BaseException, filename: str) -> str:
    """What went wrong, with the innermost line of `filename` that was running."""
    place = _place(filename, error)
    if isinstance(error, SystemExit):
        return f"{place}the code ends the program (exit)."
    if isinstance(error, RecursionError):
        return f"{place}a function calls itself without end."
    if isinstance(error, EOFError):
        return f"{place}the code waits for input, and there is none."
    if isinstance(error, MemoryError):
        return f"{place}the code asks for more memory than it may have."
    if isinstance(error, SyntaxError):
        return f"line {error.lineno}: {error.msg}."
    text = " ".join(str(error).split())
    text = text if len(text) <= 200 else f"{text[:200]}…"
    return f"{place}{type(error).__name__}{': ' if text else ''}{text}."


def _place(filename: str, error: BaseException | None = None) -> str:
    error = error or sys.exc_info()[1]
    lines = [] if error is None else traceback.walk_tb(error.__traceback__)
    found = [line for frame, line in lines if frame.f_code.co_filename == filename]
    return f"line {found[-1]}: " if found else ""


def _constant(statement: ast.stmt) -> bool:
    """An assignment that calls nothing."""
    kinds = (ast.Call, ast.For, ast.While, ast.Await, ast.ListComp, ast.DictComp, ast.GeneratorExp)
    return isinstance(statement, ast.Assign | ast.AnnAssign | ast.AugAssign) and not any(
        isinstance(node, kinds) for node in ast.walk(statement)
    )


@contextmanager
def time_limit(seconds: float | None) -> Iterator[None]:
    """Raises OutOfTime in the code within after `seconds`, and again and again if it is caught there.

    None is no limit. Only the main thread can be interrupted; elsewhere there is no limit either.
    """
    if seconds is None:
        yield
        return

    def ring(number: int, frame: FrameType | None) -> None:
        raise OutOfTime

    try:
        before = signal.signal(signal.SIGALRM, ring)
    except (ValueError, AttributeError):  # another thread, or a system without alarms
        yield
        return
    try:
        signal.setitimer(signal.ITIMER_REAL, max(seconds, 0.01), 0.1)
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
