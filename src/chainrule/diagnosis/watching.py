"""Every value that somebody's functions assign while they run, with the line that assigned it.

A trace function looks at each line of the file after it ran: the names, entries and attributes that the line assigns
are copied as they are then. So values that are overwritten later are seen, and the line is the one that was executed.
"""

import ast
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from types import CodeType, FrameType
from typing import Any

import numpy as np

from chainrule.diagnosis.observation import Array, Variable

MOST = 600  # variables of one pass; a pass through lists of numbers in loops would leave thousands
LARGEST = 2_000_000  # entries of one array
_INNER = ("<module>", "<listcomp>", "<setcomp>", "<dictcomp>", "<genexpr>", "<lambda>")


@dataclass
class Watched:
    """A name's value at one time, in one call."""

    name: str
    value: Array
    line: int | None
    function: str
    call: int
    time: int


@dataclass
class Finished:
    """A function that returned (or was left by an exception): its locals as they were then, not copied."""

    function: str
    call: int
    locals: dict[str, Any]
    result: Any
    caller: FrameType | None = None


@dataclass
class Watch:
    """A context in which the functions of some files are watched; `main` is the function whose names need no prefix.

    files   file name → what its lines assign (`assignments`)
    """

    files: dict[str, dict[int, list[ast.expr]]]
    main: str = ""
    seen: list[Watched] = field(default_factory=list)
    finished: list[Finished] = field(default_factory=list)
    _calls: dict[str, int] = field(default_factory=dict)
    _before: Any = None

    def __enter__(self) -> "Watch":
        self._before = sys.gettrace()
        sys.settrace(self._called)
        return self

    def __exit__(self, *error: Any) -> None:
        sys.settrace(self._before)

    def _called(self, frame: FrameType, event: str, argument: Any) -> Any:
        code = frame.f_code
        if code.co_filename not in self.files or code.co_name in _INNER:
            return None
        name = qualified(code)
        call = self._calls[name] = self._calls.get(name, -1) + 1
        return _Frame(self, name, call, self.files[code.co_filename]).traced

    def variables(self) -> dict[str, Variable]:
        """All that was seen, keyed by the names that `Observation` describes."""
        result: dict[str, Variable] = {}
        for key, values in self._by_key().items():
            for place, each in enumerate(values, 1):
                final = place == len(values)
                name = key if final else f"{key}@{place}"
                result[name] = Variable(each.name, each.value, each.line, each.function, each.call, each.time)
        return result

    def _by_key(self) -> dict[str, list[Watched]]:
        keyed: dict[str, list[Watched]] = {}
        for each in self.seen:
            prefix = "" if each.function == self.main and each.call == 0 else each.function
            prefix += f"[{each.call}]." if each.call and prefix else "." if prefix else ""
            values = keyed.setdefault(prefix + each.name, [])
            if not values or not _same(values[-1].value, each.value):
                values.append(each)
            elif values[-1].line is None:
                values[-1] = each
        return keyed


class _Frame:
    """The watch over one call."""

    def __init__(self, watch: Watch, function: str, call: int, assigned: dict[int, list[ast.expr]]) -> None:
        self.watch, self.function, self.call, self.assigned = watch, function, call, assigned
        self.line: int | None = None
        self.names: set[str] = set()

    def traced(self, frame: FrameType, event: str, argument: Any) -> Any:
        if event == "line":
            self._look(frame)
            self.line = frame.f_lineno
        elif event == "return":
            self._look(frame)
            self._leave(frame, argument)
        return self.traced

    def _look(self, frame: FrameType) -> None:
        """At what the line before this one assigned."""
        targets = self.assigned.get(self.line or 0)
        if targets:
            for target in targets:
                self._record(target, frame)

    def _record(self, target: ast.expr, frame: FrameType) -> None:
        try:
            name, value = _read(target, frame)
        except Exception:  # not bound yet, or a key that is gone
            return
        self._keep(name, value, self.line)

    def _keep(self, name: str, value: Any, line: int | None) -> None:
        for inner, array in flattened(name, value):
            if len(self.watch.seen) < MOST:
                time = len(self.watch.seen) + 1
                self.names.add(inner)
                self.watch.seen.append(Watched(inner, array, line, self.function, self.call, time))

    def _leave(self, frame: FrameType, result: Any) -> None:
        local = dict(frame.f_locals)
        self.watch.finished.append(Finished(self.function, self.call, local, result, frame.f_back))
        for name, value in local.items():
            if name != "self":
                for inner, array in flattened(name, value):
                    if inner not in self.names and len(self.watch.seen) < MOST:
                        self.watch.seen.append(Watched(inner, array, None, self.function, self.call, 0))


def qualified(code: CodeType) -> str:
    """`backward` or `Net.backward`."""
    return code.co_qualname.rsplit("<locals>.", 1)[-1]


def assignments(tree: ast.AST) -> dict[int, list[ast.expr]]:
    """line → what a statement on it assigns: names, attributes and entries."""
    found: dict[int, list[ast.expr]] = {}
    for node in ast.walk(tree):
        targets, lines = _targets(node)
        for target in targets:
            for line in lines:
                found.setdefault(line, []).append(target)
    return found


def _targets(node: ast.AST) -> tuple[list[ast.expr], Sequence[int]]:
    if isinstance(node, ast.Assign):
        targets = node.targets
    elif isinstance(node, ast.AugAssign | ast.AnnAssign | ast.NamedExpr | ast.For):
        targets = [node.target]
    else:
        return [], ()
    assert isinstance(node, ast.stmt | ast.expr)
    last = node.lineno if isinstance(node, ast.For) else node.end_lineno or node.lineno
    return [each for target in targets for each in _single(target)], range(node.lineno, last + 1)


def _single(target: ast.expr) -> Iterator[ast.expr]:
    if isinstance(target, ast.Tuple | ast.List):
        for each in target.elts:
            yield from _single(each)
    elif isinstance(target, ast.Starred):
        yield from _single(target.value)
    else:
        yield target


def _read(target: ast.expr, frame: FrameType) -> tuple[str, Any]:
    """The name and value of what was assigned; of an entry chosen by rows, `d[rows, y] -= 1`, the whole array."""
    if isinstance(target, ast.Name):
        local = frame.f_locals
        return target.id, local[target.id] if target.id in local else frame.f_globals[target.id]
    if isinstance(target, ast.Attribute):
        name, owner = _read(target.value, frame)
        return f"{name}.{target.attr}", getattr(owner, target.attr)
    if isinstance(target, ast.Subscript):
        name, owner = _read(target.value, frame)
        if isinstance(owner, dict | list | tuple):
            expression = compile(ast.Expression(target.slice), "<key>", "eval")
            key = eval(expression, frame.f_globals, frame.f_locals)
            if isinstance(owner, dict) or not _numbers(owner):
                return f"{name}[{_quoted(key)}]", owner[key]
        return name, owner
    raise LookupError


def _quoted(key: Any) -> str:
    return '"' + key + '"' if isinstance(key, str) else repr(key)


def flattened(name: str, value: Any, depth: int = 3) -> Iterator[tuple[str, Array]]:
    """The arrays within a value, copied as float64, each with its name, those in dicts, lists and tuples too."""
    array = as_array(value)
    if array is not None:
        yield name, array
    elif depth and isinstance(value, dict):
        for key, entry in list(value.items())[:100]:
            yield from flattened(f"{name}[{_quoted(key)}]", entry, depth - 1)
    elif depth and isinstance(value, list | tuple):
        for index, entry in enumerate(value[:100]):
            yield from flattened(f"{name}[{index}]", entry, depth - 1)


def as_array(value: Any) -> Array | None:
    """A float64 copy of a number, an array of numbers, or lists of numbers of equal length; None for all else."""
    if isinstance(value, bool | int | float | np.number | np.bool_):
        try:
            return np.array(value, dtype=np.float64)
        except (OverflowError, ValueError):
            return None
    if isinstance(value, np.ndarray):
        return value.astype(np.float64) if value.dtype.kind in "fiub" and value.size <= LARGEST else None
    if isinstance(value, list | tuple) and _numbers(value):
        try:
            return np.array(value, dtype=np.float64)
        except (ValueError, TypeError, OverflowError):
            return None
    return None


def shape_of(value: Any) -> tuple[int, ...]:
    """Of what `as_array` takes for an array; () for all else."""
    array = as_array(value)
    return () if array is None else array.shape


def _numbers(value: Any) -> bool:
    """Lists of numbers, or of such lists; not of arrays."""
    if not isinstance(value, list | tuple) or not value or len(value) > 100_000:
        return False
    first = value[0]
    if isinstance(first, list):
        return all(isinstance(each, list) and _numbers(each) for each in value)
    return all(isinstance(each, int | float | np.number) for each in value)


def _same(a: Array, b: Array) -> bool:
    return a.shape == b.shape and np.array_equal(a, b, equal_nan=True)
