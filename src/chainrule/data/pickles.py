"""The few opcodes with which Python 2 pickled CIFAR-10, read into plain data: nothing is imported, called or built.

A pickle is a program for a small stack machine, and one that may call whatever it names. This reader is such a machine
without calls: the names of NumPy's array are known to it as words, an array stays the record of its shape and bytes,
and every other name and opcode is refused when it is met. Memory stays within that of the file, since large byte
strings are views of it.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from chainrule.errors import DataError

NAMES = {
    b"numpy.core.multiarray _reconstruct": "reconstruct",
    b"numpy ndarray": "ndarray",
    b"numpy dtype": "dtype",
}
VIEWED = 1 << 16  # bytes from which a string is a view
REMEDY = "Fetch CIFAR-10 from a place that you trust; nothing of this file was run."
_MARK = object()


@dataclass(frozen=True)
class _Name:
    """A name of NumPy's that the originals contain."""

    name: str


@dataclass
class _Record:
    """What a call of NumPy's would have made: "ndarray" or "dtype", and the state it was to get."""

    kind: str
    state: Any = None


def read_pickle(content: bytes, what: str) -> Any:
    """The dictionary, list, numbers, byte strings and uint8 arrays in `content`; texts come as byte strings too.

    `what` names the file in messages. Raises DataError for every other opcode or name, an array of another dtype, and
    for what is truncated or malformed.
    """
    machine = _Machine(content, what)
    try:
        return machine.run()
    except DataError:  # a ValueError as well, and said already
        raise
    except (IndexError, KeyError, TypeError, ValueError, AttributeError) as error:
        raise DataError(
            f"{what} is no pickle of CIFAR-10: it is malformed at byte {machine.at:,}", f"({error!r}) {REMEDY}"
        ) from None


class _Machine:
    def __init__(self, content: bytes, what: str) -> None:
        self.content, self.view, self.what, self.at = content, memoryview(content), what, 0
        self.stack: list[Any] = []
        self.memo: dict[int, Any] = {}

    def run(self) -> Any:
        content, steps = self.content, _STEPS
        while True:
            if self.at >= len(content):
                raise DataError(f"{self.what} is truncated: its pickle has no end", "Fetch the file again.")
            code = content[self.at]
            self.at += 1
            if code == 0x2E:  # STOP
                (result,) = self.stack
                return result
            step = steps.get(code)
            if step is None:
                raise DataError(f"{self.what} contains {_opcode(code)}, which CIFAR-10 does not", REMEDY)
            step(self)

    def number(self, size: int, signed: bool = False) -> int:
        return int.from_bytes(self.taken(size), "little", signed=signed)

    def taken(self, size: int) -> bytes | memoryview:
        """The next bytes of the file."""
        start, self.at = self.at, self.at + size
        if self.at > len(self.content):
            raise DataError(
                f"{self.what} is truncated: {size:,} bytes are announced, {len(self.content) - start:,} are there",
                "Fetch the file again.",
            )
        return self.view[start : self.at] if size >= VIEWED else self.content[start : self.at]

    def line(self) -> bytes:
        end = self.content.index(b"\n", self.at)
        start, self.at = self.at, end + 1
        return self.content[start:end]

    def since_mark(self) -> list[Any]:
        stack = self.stack
        place = len(stack) - 1
        while stack[place] is not _MARK:
            place -= 1
            if place < 0:
                raise ValueError("no mark")
        items = stack[place + 1 :]
        del stack[place:]
        return items

    def tuple(self, count: int) -> None:
        items = tuple(self.stack[-count:])
        del self.stack[-count:]
        self.stack.append(items)

    def put(self, place: int) -> None:
        self.memo[place] = self.stack[-1]

    def named(self) -> None:
        name = self.line() + b" " + self.line()
        if name not in NAMES:
            shown = name.decode("utf-8", "replace").replace(" ", ".")[:80]
            raise DataError(f"{self.what} wants to call {shown!r}, which CIFAR-10 does not", REMEDY)
        self.stack.append(_Name(NAMES[name]))

    def reduced(self) -> None:
        """The two calls that make an empty array and a dtype, as records."""
        arguments, function = self.stack.pop(), self.stack.pop()
        called = (function.name, *(getattr(value, "name", value) for value in arguments))
        if called == ("reconstruct", "ndarray", (0,), b"b"):
            self.stack.append(_Record("ndarray"))
        elif called[:2] == ("dtype", b"u1") and len(called) <= 4:
            self.stack.append(_Record("dtype"))
        else:
            raise DataError(f"{self.what} holds an array of another kind than bytes", REMEDY)

    def built(self) -> None:
        """State for the record below it; an array becomes one when all of it is known."""
        state, record = self.stack.pop(), self.stack[-1]
        if not isinstance(record, _Record):
            raise TypeError("state for what is no array")
        record.state = _array(state, self.what) if record.kind == "ndarray" else state

    def added(self, items: list[Any]) -> None:
        target = self.stack[-1]
        if type(target) is not list:
            raise TypeError("items for what is no list")
        target.extend(items)

    def entered(self, items: list[Any]) -> None:
        target = self.stack[-1]
        if type(target) is not dict:
            raise TypeError("entries for what is no dictionary")
        for key, value in zip(items[::2], items[1::2], strict=True):
            target[key] = value.state if isinstance(value, _Record) else value


def _array(state: Any, what: str) -> NDArray[np.uint8]:
    """The array of NumPy's state (version, shape, dtype, Fortran order, bytes)."""
    _, shape, dtype, fortran, content = state
    if getattr(dtype, "kind", "") != "dtype" or fortran or not isinstance(content, bytes | memoryview):
        raise TypeError("another array than one of bytes")
    if not all(type(n) is int and n >= 0 for n in shape):
        raise TypeError("a shape of no numbers")
    count = 1
    for n in shape:
        count *= n
    if count != len(content):
        raise DataError(f"{what}: an array of shape {shape} has {len(content):,} bytes", "Fetch the file again.")
    return np.frombuffer(content, np.uint8).reshape(shape)


def _opcode(code: int) -> str:
    import pickletools

    known = {op.code: op for op in pickletools.opcodes}.get(chr(code))
    return f"the pickle opcode {known.name}" if known else f"the byte {code:#04x} where a pickle opcode belongs"


def _protocol(machine: _Machine) -> None:
    protocol = machine.number(1)
    if protocol != 2:
        raise DataError(f"{machine.what} is a pickle of protocol {protocol}; those of CIFAR-10 are of 2", REMEDY)


_STEPS: dict[int, Callable[[_Machine], Any]] = {
    ord(code): step
    for code, step in {
        "\x80": _protocol,
        "(": lambda m: m.stack.append(_MARK),
        "}": lambda m: m.stack.append({}),
        "]": lambda m: m.stack.append([]),
        ")": lambda m: m.stack.append(()),
        "N": lambda m: m.stack.append(None),
        "\x88": lambda m: m.stack.append(True),
        "\x89": lambda m: m.stack.append(False),
        "K": lambda m: m.stack.append(m.number(1)),
        "M": lambda m: m.stack.append(m.number(2)),
        "J": lambda m: m.stack.append(m.number(4, signed=True)),
        "U": lambda m: m.stack.append(m.taken(m.number(1))),
        "T": lambda m: m.stack.append(m.taken(m.number(4))),
        "X": lambda m: m.stack.append(m.taken(m.number(4))),
        "q": lambda m: m.put(m.number(1)),
        "r": lambda m: m.put(m.number(4)),
        "h": lambda m: m.stack.append(m.memo[m.number(1)]),
        "j": lambda m: m.stack.append(m.memo[m.number(4)]),
        "a": lambda m: m.added([m.stack.pop()]),
        "e": lambda m: m.added(m.since_mark()),
        "s": lambda m: m.entered([m.stack.pop(-2), m.stack.pop()]),
        "u": lambda m: m.entered(m.since_mark()),
        "t": lambda m: m.stack.append(tuple(m.since_mark())),
        "\x85": lambda m: m.tuple(1),
        "\x86": lambda m: m.tuple(2),
        "\x87": lambda m: m.tuple(3),
        "c": _Machine.named,
        "R": _Machine.reduced,
        "b": _Machine.built,
    }.items()
}
