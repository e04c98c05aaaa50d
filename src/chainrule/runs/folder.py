"""A run is a folder of plain files that can be read without this program: what was asked, what happened, what came out.

config.json        every setting, resolved; its hash is the run's identity and part of the folder's name
environment.json   versions and machine
data.json          provenance of the data: counts, files, fingerprint
history.jsonl      one line an epoch, or one for each that was measured
timings.jsonl      seconds of each
batch_losses.npy   on request, the loss of every batch
snapshots/         on request, the model after earlier epochs
model.safetensors  the model
samples.safetensors  samples of the last part with what the model says of them
evaluation.json    results; it is written last, so a run that has it is finished
checkpoint/        the state to resume from, while the run is unfinished
figures/           curves, confusion matrix, diagram
"""

import hashlib
import json
import os
import platform
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_info, threadpool_limits

from chainrule import storage
from chainrule.errors import ModelFileError, RunError
from chainrule.evaluation import Evaluation
from chainrule.runs.config import RunConfig, read_config
from chainrule.runs.samples import Samples, read_samples
from chainrule.runs.tensors import read_tensors, write_tensors
from chainrule.training import TrainingState

PARTS = ("train", "validation", "test")
CLEARED = (
    "evaluation.json",
    "history.jsonl",
    "timings.jsonl",
    "batch_losses.npy",
    "samples.safetensors",
    "model.safetensors",
)


@dataclass(frozen=True)
class Run:
    """The folder of one run."""

    path: Path

    @property
    def model(self) -> Path:
        return self.path / "model.safetensors"

    @property
    def figures(self) -> Path:
        return self.path / "figures"

    def snapshots(self) -> dict[int, Path]:
        """The model files of earlier epochs, by epoch."""
        files = self.path.glob("snapshots/epoch-*.safetensors")
        epochs = {file.stem.removeprefix("epoch-"): file for file in files}
        return dict(sorted((int(epoch), file) for epoch, file in epochs.items() if epoch.isdecimal()))

    def snapshot(self, epoch: int) -> Path:
        """Where the model after `epoch` is kept."""
        return self.path / "snapshots" / f"epoch-{epoch:06}.safetensors"

    @property
    def _checkpoint(self) -> Path:
        return self.path / "checkpoint" / "state.safetensors"

    def finished(self) -> bool:
        """Whether the run came to its end, evaluation included."""
        return (self.path / "evaluation.json").exists()

    def config(self) -> RunConfig:
        """The settings; raises RunError where the folder is none of a run."""
        file = self.path / "config.json"
        if not file.exists():
            raise RunError(
                f"{self.path} is no run: it has no config.json", "Name a folder that `chainrule train` wrote."
            )
        return read_config(file)

    def history(self) -> list[dict[str, Any]]:
        """The rows of the history; a torn last line is left out."""
        lines = storage.read_lines(self.path / "history.jsonl")
        try:
            return [json.loads(line) for line in lines]
        except ValueError as error:
            raise RunError(f"{self.path / 'history.jsonl'} is damaged: {error}", "Train again with --force.") from None

    def epochs(self) -> int:
        """The last epoch of the history; 0 where there is none."""
        rows = self.history()
        return int(rows[-1]["epoch"]) if rows else 0

    def evaluations(self) -> dict[str, Evaluation]:
        """The stored results by part."""
        return self._read_evaluations(self.results())

    def snapshot_evaluations(self) -> dict[int, dict[str, Evaluation]]:
        """The stored results of the snapshots, by epoch and part."""
        stored = self.results().get("snapshots", {})
        try:
            return {int(epoch): self._read_evaluations(results) for epoch, results in stored.items()}
        except (AttributeError, ValueError) as error:
            raise RunError(f"{self.path / 'evaluation.json'} is damaged: {error!r}", "Train again.") from None

    def _read_evaluations(self, stored: Mapping[str, Any]) -> dict[str, Evaluation]:
        try:
            return {part: Evaluation.from_json(stored[part]) for part in PARTS if part in stored}
        except (KeyError, TypeError, ValueError) as error:
            raise RunError(f"{self.path / 'evaluation.json'} is damaged: {error!r}", "Train again.") from None

    def batch_losses(self) -> NDArray[np.float64] | None:
        """The loss of every batch before its update, (epochs, batches); None where they were not recorded."""
        file = self.path / "batch_losses.npy"
        if not file.exists():
            return None
        try:
            losses: NDArray[np.float64] = np.load(file, allow_pickle=False)
        except (OSError, ValueError, EOFError) as error:
            raise RunError(f"{file} is damaged: {error}", "Restore it, or train again with --force.") from None
        return losses

    def samples(self) -> Samples | None:
        """Samples with what the model says of them; None where none were recorded."""
        file = self.path / "samples.safetensors"
        return read_samples(file) if file.exists() else None

    def history_digest(self) -> str:
        """SHA-256 of history.jsonl; raises RunError where it is missing."""
        file = self.path / "history.jsonl"
        if not file.is_file():
            raise RunError(f"{file} is missing", "Restore it, or train again with --force.")
        return hashlib.sha256(file.read_bytes()).hexdigest()

    def results(self) -> dict[str, Any]:
        """All of evaluation.json."""
        stored = storage.read_json(self.path / "evaluation.json")
        if not isinstance(stored, dict) or not {"stopped", "epochs", "train"} <= stored.keys():
            raise RunError(f"{self.path / 'evaluation.json'} is not whole", "It was edited; train again with --force.")
        return stored

    def write_start(self, config: RunConfig, provenance: dict[str, Any]) -> None:
        """Begin the folder, or find it begun."""
        storage.write_json(self.path / "config.json", config.to_json())
        storage.write_json(self.path / "environment.json", environment())
        storage.write_json(self.path / "data.json", provenance)

    def own_threads(self) -> threadpool_limits:
        """A context in which matrix products run on as many threads as when the run began: others give other bits."""
        return threadpool_limits(int(self.environment().get("threads", 1)), user_api="blas")

    def environment(self) -> dict[str, Any]:
        """Versions and machine of the run."""
        stored = storage.read_json(self.path / "environment.json")
        if not isinstance(stored, dict):
            raise RunError(f"{self.path / 'environment.json'} is not whole", "It was edited; train again with --force.")
        return stored

    def has_checkpoint(self) -> bool:
        return self._checkpoint.exists()

    def append_epoch(self, row: dict[str, Any], seconds: float) -> None:
        storage.append_line(self.path / "history.jsonl", json.dumps(row))
        storage.append_line(self.path / "timings.jsonl", json.dumps({"epoch": row["epoch"], "seconds": seconds}))

    def rewrite_epochs(self, rows: Iterable[dict[str, Any]], seconds: Iterable[float]) -> None:
        """Bring both appended files to exactly these epochs."""
        rows = list(rows)
        timings = [{"epoch": row["epoch"], "seconds": s} for row, s in zip(rows, seconds, strict=True)]
        for name, entries in (("history", rows), ("timings", timings)):
            storage.write_text(self.path / f"{name}.jsonl", "".join(json.dumps(entry) + "\n" for entry in entries))

    def write_checkpoint(self, state: TrainingState) -> None:
        write_tensors(self._checkpoint, "checkpoint", state.arrays, {"epoch": state.epoch, **state.numbers})

    def read_checkpoint(self) -> TrainingState | None:
        """The last checkpoint; None where there is none yet."""
        if not self.has_checkpoint():
            return None
        try:
            arrays, numbers, intact = read_tensors(self._checkpoint, "checkpoint")
            if intact:
                return TrainingState(numbers["epoch"], arrays, numbers)
            problem = f"{self._checkpoint} was changed after it was written"
        except ModelFileError as error:
            problem = error.problem
        raise RunError(problem, f"Begin anew: chainrule train {self.path / 'config.json'} --force")

    def clear(self) -> None:
        """Remove what an earlier training left, so that the folder can begin again; the settings stay."""
        for file in (*(self.path / name for name in CLEARED), *self.snapshots().values()):
            file.unlink(missing_ok=True)
        self.drop_checkpoint()

    def drop_checkpoint(self) -> None:
        self._checkpoint.unlink(missing_ok=True)
        if self._checkpoint.parent.is_dir():
            self._checkpoint.parent.rmdir()

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Keep a second process from writing into the same folder; the lock ends with the process, however it ends."""
        file = self.path / ".lock"
        with storage.storage_errors(file):
            self.path.mkdir(parents=True, exist_ok=True)
            handle = os.open(file, os.O_RDWR | os.O_CREAT)
        try:
            _lock(handle, self.path)
            yield
        finally:
            os.close(handle)


def environment() -> dict[str, Any]:
    """Versions and machine: what a result may depend on besides the configuration."""
    return {
        "python": platform.python_version(),
        **_versions(),
        "system": platform.system(),
        "machine": platform.machine(),
        "processor": _processor(),
        "cores": os.cpu_count(),
        "threads": _blas_threads(),
    }


@cache
def _versions() -> dict[str, str]:
    packages = ("chainrule", "numpy", "scipy", "scikit-learn", "safetensors", "numba", "llvmlite")
    return {name: version(name) for name in packages}


@cache
def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        return next(line.split(":", 1)[1].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor()


def _blas_threads() -> int:
    """Threads of NumPy's matrix products, whose number can change the last bits."""
    return max((pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"), default=1)


def _lock(handle: int, path: Path) -> None:
    if sys.platform == "win32":
        return  # no advisory locks of this kind there; two writers at once are the user's own doing
    import fcntl

    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        raise RunError(f"another process is writing {path}", "Wait for it, or end it.") from None
