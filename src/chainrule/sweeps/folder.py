"""The folder of a sweep: what was planned, what came of it, readable from its files alone.

sweep.toml         the sweep itself
points/007-….toml  every point by itself, for `chainrule train` or anybody's batch system
runs/007-…-<id>/   the run of a point, as `chainrule train` leaves it
failed/007-….json  the error of a point that failed
data.json          fingerprints of the data that the points were trained on
index.sqlite       settings and results of all runs, for questions; made from the folders
data/              prepared data that the workers map, while the sweep runs
"""

import os
import re
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from chainrule import storage
from chainrule.errors import RunError, StorageError
from chainrule.runs.folder import Run
from chainrule.sweeps.settings import settings_toml, toml
from chainrule.sweeps.sweep import Point, Sweep, read_sweep_file

LOCK_SECONDS = 30.0  # to wait for the workers of a coordinator that died
RUN_NAME = re.compile(r"(.+)-[0-9a-f]{10}")


@dataclass(frozen=True)
class SweepFolder:
    """The folder of one sweep."""

    path: Path

    @property
    def runs(self) -> Path:
        return self.path / "runs"

    @property
    def data(self) -> Path:
        return self.path / "data"

    def sweep(self) -> Sweep:
        """What was planned; raises RunError where the folder is none of a sweep."""
        file = self.path / "sweep.toml"
        if not file.exists():
            raise RunError(
                f"{self.path} is no sweep: it has no sweep.toml", "Name a folder that `chainrule sweep` wrote."
            )
        return read_sweep_file(file)

    def begin(self, sweep: Sweep) -> None:
        """Write the plan, or find it written; raises RunError where there are runs of another, or something else."""
        file = self.path / "sweep.toml"
        if not file.exists():
            self._refuse_strangers()
            storage.write_text(file, sweep.to_toml())
        elif self.sweep().identity() != sweep.identity():
            self._forget(sweep)
            storage.write_text(file, sweep.to_toml())
        self._write_points(sweep)
        shutil.rmtree(self.data, ignore_errors=True)
        with storage.storage_errors(self.path):
            self.runs.mkdir(exist_ok=True)

    def _refuse_strangers(self) -> None:
        others = sorted(path.name for path in self.path.iterdir() if path.name not in (".lock", ".points.part"))
        if others:
            raise RunError(
                f"{self.path} is no folder of a sweep: it holds {', '.join(others[:3])}",
                "Name an empty folder, or one that does not exist yet.",
            )

    def _forget(self, wanted: Sweep) -> None:
        """Remove the plan that is there if no run of it has begun: it failed at once, and is mended now."""
        if self.found():
            raise RunError(
                f"{self.path} holds another sweep: {_difference(self.sweep(), wanted)}",
                "Name another folder with --folder, or go on with the sweep that is there.",
            )
        for name in ("points", "failed"):
            shutil.rmtree(self.path / name, ignore_errors=True)
        (self.path / "data.json").unlink(missing_ok=True)

    def _write_points(self, sweep: Sweep) -> None:
        """All files of points at once: the folder is renamed when it is whole."""
        final, part = self.path / "points", self.path / ".points.part"
        if final.exists():
            return
        with storage.storage_errors(final):
            shutil.rmtree(part, ignore_errors=True)
            part.mkdir()
            for point in sweep.points():
                (part / f"{point.name}.toml").write_text(toml(settings_toml(point.config)), encoding="utf-8")
            os.rename(part, final)

    def found(self) -> dict[str, Run]:
        """The runs there are by the names of their points; of two, one that is finished."""
        runs: dict[str, Run] = {}
        if self.runs.is_dir():
            for entry in sorted(os.scandir(self.runs), key=lambda entry: entry.name):
                match = RUN_NAME.fullmatch(entry.name)
                if match and (match[1] not in runs or not runs[match[1]].finished()):
                    runs[match[1]] = Run(self.runs / entry.name)
        return runs

    def run_of(self, point: Point) -> Run | None:
        """The run of a point, as far as it has begun."""
        folders = sorted(self.runs.glob(f"{point.name}-??????????"))
        return next((Run(path) for path in folders if (path / "evaluation.json").exists()), None) or (
            Run(folders[-1]) if folders else None
        )

    def failure(self, point: Point) -> dict[str, Any] | None:
        """What `record_failure` wrote of a point."""
        file = self.path / "failed" / f"{point.name}.json"
        if not file.exists():
            return None
        stored = storage.read_json(file)
        if not isinstance(stored, dict) or not {"kind", "problem", "remedy"} <= stored.keys():
            raise RunError(f"{file} is not whole", "It was edited; delete it, and go on with the sweep.")
        return stored

    def record_failure(self, point: Point, error: dict[str, str], attempts: int) -> None:
        with suppress(StorageError):  # on a full disk the point is unfinished, which is as true
            storage.write_json(self.path / "failed" / f"{point.name}.json", {**error, "attempts": attempts})

    def forget_failure(self, point: Point) -> None:
        file = self.path / "failed" / f"{point.name}.json"
        file.unlink(missing_ok=True)
        with suppress(OSError):
            file.parent.rmdir()

    def check_fingerprint(self, key: str, sha256: str) -> None:
        """Refuse data that are others than those the sweep began with; `key` names the settings they come from."""
        file = self.path / "data.json"
        known = storage.read_json(file) if file.exists() else {}
        if known.get(key, sha256) != sha256:
            raise RunError(
                "the data are not those that the sweep began with: "
                f"fingerprint {sha256[:12]}…, not {str(known[key])[:12]}…",
                "Restore the original data, or begin a new sweep in another folder.",
            )
        if key not in known:
            storage.write_json(file, known | {key: sha256})

    @contextmanager
    def locked(self) -> Iterator[int]:
        """Keep a second coordinator out. The lock is handed on to the workers, by the number given here, and so lasts
        until the last of them has ended, however their coordinator did."""
        file = self.path / ".lock"
        with storage.storage_errors(file):
            self.path.mkdir(parents=True, exist_ok=True)
            handle = os.open(file, os.O_RDWR | os.O_CREAT)
        try:
            _wait_for_lock(handle, self.path)
            yield handle
        finally:
            os.close(handle)


def _wait_for_lock(handle: int, path: Path) -> None:
    if os.name == "nt":
        return  # no advisory locks of this kind there
    import fcntl

    end = time.monotonic() + LOCK_SECONDS
    while True:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        except OSError:
            if time.monotonic() > end:
                raise RunError(f"another process is working on {path}", "Wait for it, or end it.") from None
            time.sleep(0.1)


def _difference(found: Sweep, wanted: Sweep) -> str:
    """Where two sweeps part, in words."""
    if list(found.grid) != list(wanted.grid):
        return f"its grid has {', '.join(found.grid) or 'no key'}, not {', '.join(wanted.grid) or 'none'}"
    for key, values in found.grid.items():
        if list(values) != list(wanted.grid[key]):
            return f"its {key} is {list(values)}, not {list(wanted.grid[key])}"
    if found.seeds != wanted.seeds:
        return f"its seeds are {found.seeds}, not {wanted.seeds}"
    if [dict(change) for change in found.changes] != [dict(change) for change in wanted.changes]:
        return "it has other changes"
    return "its base has other settings"
