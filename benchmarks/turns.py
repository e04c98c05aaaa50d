"""One peer at a time: each lives in a process of its own and is asked in turn, so that noise meets all alike."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
PAUSE = 0.2  # seconds before a turn: threads that spin after their work (OpenBLAS, OpenMP) have fallen asleep by then
VARIABLES = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMBA_NUM_THREADS")

Answer = dict[str, Any]


class LeftOutError(Exception):
    """A peer that cannot answer, and why."""


class Process:
    """A peer and the requests to it."""

    def __init__(self, name: str, threads: int, kernel: str | None = None) -> None:
        environment = {key: value for key, value in os.environ.items() if key != "OPENBLAS_CORETYPE"}
        environment |= dict.fromkeys(VARIABLES, str(threads)) | {"JAX_PLATFORMS": "cpu"}
        if kernel:
            environment["OPENBLAS_CORETYPE"] = kernel
        self.name = name
        self._running = subprocess.Popen(
            [sys.executable, str(HERE / "worker.py"), name, str(threads)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=environment,
        )

    def ask(self, do: str, **request: Any) -> Answer:
        """Raises LeftOutError where the peer is not installed, fails or dies."""
        try:
            print(json.dumps({"do": do, **request}), file=self._running.stdin, flush=True)
            line = self._running.stdout.readline()
        except BrokenPipeError:
            line = ""
        if not line:
            raise LeftOutError(f"its process ended with code {self._running.wait()}")
        answer: Answer = json.loads(line)
        if "error" in answer:
            raise LeftOutError("not installed" if answer["missing"] else answer["error"])
        return answer

    def busy(self) -> float:
        """Processor seconds that all its threads have used; NaN where the system does not say."""
        try:
            fields = Path(f"/proc/{self._running.pid}/stat").read_text().rpartition(")")[2].split()
        except OSError:
            return float("nan")
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def close(self) -> None:
        with suppress(BrokenPipeError):  # it may have died with a request on its way
            self._running.stdin.close()
        self._running.wait()


def prepared(
    processes: list[Process], prepare: Callable[[Process], Answer]
) -> tuple[dict[str, Answer], dict[str, str]]:
    """The answers of those that could prepare themselves, by name, and why the others could not."""
    answers, left_out = {}, {}
    for process in processes:
        try:
            answers[process.name] = prepare(process)
        except LeftOutError as reason:
            left_out[process.name] = str(reason)
    return answers, left_out


def in_turn(
    processes: list[Process], rounds: int, turn: Callable[[Process, int], Answer]
) -> tuple[dict[str, list[Answer]], dict[str, str], float]:
    """The answers of every process to turn(process, round), who failed and why, and what the waiting ones used.

    The last is a share of one processor. Each round begins with another process, so that nobody always follows the
    same one.
    """
    answers: dict[str, list[Answer]] = {process.name: [] for process in processes}
    failed: dict[str, str] = {}
    waiting = whole = 0.0
    for number in range(rounds):
        first = number % len(processes)
        for process in processes[first:] + processes[:first]:
            if process.name in failed:
                continue
            time.sleep(PAUSE)
            others = [other for other in processes if other is not process and other.name not in failed]
            before, began = [other.busy() for other in others], time.perf_counter()
            try:
                answers[process.name].append(turn(process, number))
            except LeftOutError as reason:
                failed[process.name] = str(reason)
            whole += time.perf_counter() - began
            waiting += sum(other.busy() for other in others) - sum(before)
    return {name: given for name, given in answers.items() if name not in failed}, failed, waiting / whole


def columns(answers: list[Answer]) -> Mapping[str, list[Any]]:
    """[{a: 1}, {a: 2}] → {a: [1, 2]}."""
    return {name: [answer[name] for answer in answers] for name in answers[0]}
