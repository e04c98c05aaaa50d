"""Somebody's file in a process of its own, with a time limit: whatever it does, what comes back is an `Intake`."""

import json
import os
import signal
import subprocess
import sys
import tempfile
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from chainrule.diagnosis.observation import Intake
from chainrule.diagnosis.record import DamagedRecordError, from_bytes

SECONDS = 10.0
_LARGEST = 200 << 20  # bytes of a record
_OUT_OF_MEMORY, _SPOILT = 97, 98  # as the worker says
_START = "import sys; sys.path.insert(0, sys.argv.pop(1)); from chainrule.diagnosis.worker import main; main()"


def take_in(path: Path, seconds: float = SECONDS) -> Intake:
    """Run the file and record what is seen, in at most about `seconds`.

    Nothing that the file does is raised: `failure` of the result says in a sentence why there is nothing to judge.
    """
    path = path.absolute()
    with tempfile.TemporaryDirectory(prefix="chainrule-", ignore_cleanup_errors=True) as folder:
        work, record = Path(folder, "work"), Path(folder, "record.npz")
        work.mkdir()
        ending = _run(
            {"path": str(path), "record": str(record), "seconds": seconds}, work, Path(folder, "errors"), seconds
        )
        try:
            content = record.read_bytes() if record.stat().st_size < _LARGEST else b""
            intake = from_bytes(content)
        except OSError:
            return Intake(path, failure=ending or f"{path.name} ended the process that ran it, without a word.")
        except DamagedRecordError:
            return Intake(
                path, failure=f"The record of what {path.name} does is damaged, so nothing can be said of it."
            )
    if ending and not intake.failure and intake.interface is not None:
        remarks = (*intake.interface.remarks, f"Training was not watched to its end: {ending}".removesuffix("."))
        return replace(intake, interface=replace(intake.interface, remarks=remarks))
    return intake


def _run(task: dict[str, object], work: Path, errors: Path, seconds: float) -> str:
    """Runs the worker; how it ended, in a sentence, where it did not end well."""
    name = Path(str(task["path"])).name
    root = str(Path(__file__).parents[2])
    with errors.open("wb") as stream:
        process = subprocess.Popen(
            [sys.executable, "-I", "-B", "-c", _START, root, json.dumps(task)],
            cwd=work,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=stream,
            env=_environment(work),
            start_new_session=True,
        )
        try:
            code = process.wait(timeout=seconds + 1.0)
        except subprocess.TimeoutExpired:
            return f"{name} was still running after {seconds:g} s and was stopped."
        finally:
            _end(process)
    if code == 0:
        return ""
    if code < 0:
        with suppress(ValueError):
            if -code == signal.SIGXCPU:
                return f"{name} was still computing after {seconds:g} s and was stopped."
            return f"{name} crashed the process that ran it ({signal.Signals(-code).name})."
    if code == _OUT_OF_MEMORY:
        return f"{name} needs more memory than it may have."
    if code == _SPOILT:
        return f"{name} takes away what Python itself needs, so that nothing can be said of it."
    return f"{name} ended the process that ran it with code {code}.{_last_line(errors)}"


def _end(process: "subprocess.Popen[bytes]") -> None:
    """The process and all that it started."""
    with suppress(OSError):
        os.killpg(process.pid, signal.SIGKILL)
    with suppress(OSError):
        process.kill()
    process.wait()


def _environment(work: Path) -> dict[str, str]:
    """Little of ours: no secrets reach the code, one thread for its products, no windows, no cache elsewhere."""
    kept = {
        name: os.environ[name]
        for name in ("PATH", "LANG", "LC_ALL", "SYSTEMROOT", "LD_LIBRARY_PATH")
        if name in os.environ
    }
    one = dict.fromkeys(("OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "OMP_NUM_THREADS"), "1")
    return kept | one | {"MPLBACKEND": "Agg", "HOME": str(work), "TMPDIR": str(work), "PYTHONHASHSEED": "0"}


def _last_line(errors: Path) -> str:
    lines = errors.read_text(errors="replace").strip().splitlines()
    return f" {lines[-1][:200]}" if lines else ""
