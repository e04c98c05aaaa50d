"""What the process that runs somebody's code may not do: take all memory, use the network, start processes.

This guards against accidents in code that its owner runs anyway. It is no sandbox: code that means harm finds a way.
"""

import builtins
import io
import os
import sys
from typing import Any

MEMORY = 3 << 30  # bytes of address space; NumPy alone reserves a quarter of one
FILE = 64 << 20  # bytes of a file that is written
PRINTED = 20_000  # letters that are kept of what is printed


class Kept(io.TextIOBase):
    """A text stream that keeps the first letters and counts the others."""

    def __init__(self) -> None:
        super().__init__()
        self.parts: list[str] = []
        self.left = PRINTED
        self.lost = 0

    def writable(self) -> bool:
        return True

    def write(self, text: str) -> int:
        kept = text[: self.left]
        if kept:
            self.parts.append(kept)
            self.left -= len(kept)
        self.lost += len(text) - len(kept)
        return len(text)

    def text(self) -> str:
        more = f"\n… and {self.lost:,} letters more" if self.lost else ""
        return "".join(self.parts) + more


def confine(seconds: float) -> Kept:
    """Confine this process from now on; returns what its code prints."""
    _limits(seconds)
    _no_network()
    _no_processes()
    printed = Kept()
    sys.stdout = sys.stderr = printed
    sys.setrecursionlimit(2000)
    return printed


def _limits(seconds: float) -> None:
    try:
        import resource
    except ImportError:  # a system without limits
        return
    wanted = {
        resource.RLIMIT_AS: MEMORY,
        resource.RLIMIT_FSIZE: FILE,
        resource.RLIMIT_CORE: 0,
        resource.RLIMIT_CPU: int(seconds) + 2,
    }
    for what, limit in wanted.items():
        _, hard = resource.getrlimit(what)
        limit = limit if hard == resource.RLIM_INFINITY else min(limit, hard)
        resource.setrlimit(what, (limit, hard))


def _refused(what: str) -> Any:
    def refuse(*arguments: Any, **named: Any) -> Any:
        raise PermissionError(f"{what} is switched off while the code is checked")

    return refuse


def _no_network() -> None:
    import socket

    class Refused(socket.socket):
        def __init__(self, *arguments: Any, **named: Any) -> None:
            raise PermissionError("the network is switched off while the code is checked")

    socket.socket = Refused  # type: ignore[misc]
    for name in ("create_connection", "getaddrinfo", "gethostbyname", "socketpair", "create_server"):
        setattr(socket, name, _refused("the network"))


def _no_processes() -> None:
    for name in ("fork", "forkpty", "posix_spawn", "posix_spawnp", "system", "popen", "kill", "killpg", "abort"):
        if hasattr(os, name):
            setattr(os, name, _refused(f"os.{name}"))
    for name in [each for each in dir(os) if each.startswith(("exec", "spawn"))]:
        setattr(os, name, _refused(f"os.{name}"))
    try:
        import _posixsubprocess
    except ImportError:
        return
    _posixsubprocess.fork_exec = _refused("starting processes")
    builtins.breakpoint = _refused("the debugger")
