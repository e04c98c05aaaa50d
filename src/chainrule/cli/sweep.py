"""`chainrule sweep`: many runs from one plan, resumable."""

import shlex
import signal
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro
from tyro.conf import Positional, UseAppendAction, arg

from chainrule.errors import InputError, StorageError
from chainrule.runs.config import DataSettings, RunConfig
from chainrule.sweeps import Sweep, SweepResult, read_sweep_file, run_sweep
from chainrule.sweeps.settings import parsed

SETTINGS = (".toml", ".json")


@dataclass(frozen=True)
class Command:
    """Train every combination of settings with every seed, and leave a folder that tells it all.

    CONFIG holds the settings that all runs share, and may hold the sweep itself in a table [sweep]; flags come on top.
    The same command goes on with what is missing. Every point is a file that `chainrule train` runs by itself.

    examples:
      chainrule sweep settings.toml --grid training.learning_rate=0.1,0.01 --seeds 5
      chainrule sweep digits --grid "network.hidden=[16],[32],[32,16]" --grid training.optimizer=sgd,adam --workers 2
      chainrule sweep sweep.toml --on tcp://host:8786
      chainrule sweep --resume --folder sweeps/settings
    """

    config: Annotated[Positional[str | None], arg(metavar="CONFIG")] = None
    """settings.toml, sweep.toml, config.json of a run, or a data set to be trained with the default settings"""
    grid: UseAppendAction[tuple[str, ...]] = ()
    """KEY=VALUE,VALUE,…: a setting and its values; given several times, every combination"""
    seeds: str | None = None
    """a number of seeds, or a list: 5, or 0,7,11, or pairs of start and order: 0:0,0:1"""
    workers: int | None = None
    """processes on this machine; as many as cores by default"""
    on: str | None = None
    """address of a Dask scheduler, tcp://host:port, whose workers see the same folder"""
    folder: Path | None = None
    """folder of the sweep; sweeps/NAME by default"""
    resume: bool = False
    """go on with a sweep that is there, and begin none"""
    retry: int = 1
    """how often a point that failed is tried again"""
    data_dir: Path | None = None
    """folder of the data sets; CHAINRULE_DATA or the user's cache folder by default"""
    quiet: bool = False
    """no progress, only errors"""


def main(arguments: list[str]) -> int:
    command = tyro.cli(Command, prog="chainrule sweep", args=arguments)
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # a polite kill is an interrupt
    say: Callable[[str], None] = (lambda line: None) if command.quiet else _print
    folder, sweep = _asked(command)
    points = sweep.points()
    if len(points) == 1:
        raise InputError(
            "there is nothing to vary: the sweep has one point",
            "Give --grid KEY=VALUE,VALUE or --seeds 5; `chainrule train` trains a single run.",
        )
    say(f"{len(points)} points in {folder}")
    try:
        result = run_sweep(
            sweep,
            folder,
            data_dir=command.data_dir,
            workers=command.workers,
            on=command.on,
            retry=command.retry,
            progress=not command.quiet,
            announce=say,
        )
    except StorageError as error:
        raise StorageError(error.problem, f"{error.remedy}\nGo on with: {_again(command, folder)}") from error
    return _told(result, say, _again(command, folder))


def _asked(command: Command) -> tuple[Path, Sweep]:
    """The folder and the sweep that the command names."""
    if command.config is None:
        return _there(command)
    path = Path(command.config)
    if command.config.endswith(SETTINGS):
        sweep, name = read_sweep_file(path), path.stem
    else:
        sweep, name = Sweep(RunConfig(DataSettings(source=command.config))), path.stem
    grid = dict(sweep.grid)
    given: set[str] = set()
    for text in command.grid:
        key, values = parsed(text)
        if key in given:
            raise InputError(f"--grid names {key} twice", "Give all its values at once: KEY=VALUE,VALUE")
        given.add(key)
        grid[key] = values
    seeds = sweep.seeds if command.seeds is None else _seeds(command.seeds)
    sweep = Sweep(sweep.base, grid, sweep.changes, seeds, sweep.name)
    folder = command.folder or Path("sweeps") / (sweep.name or name)
    if command.resume and not (folder / "sweep.toml").exists():
        raise InputError(f"there is no sweep to resume in {folder}", "Leave out --resume, or name its folder: --folder")
    return folder, sweep


def _there(command: Command) -> tuple[Path, Sweep]:
    """A sweep that goes on from its folder alone."""
    if not command.resume or command.folder is None:
        raise InputError("no settings are named", "Name a settings file, or go on with: --resume --folder FOLDER")
    if command.grid or command.seeds is not None:
        raise InputError("--resume goes on with the sweep as it is", "Leave out --grid and --seeds.")
    return command.folder, read_sweep_file(command.folder / "sweep.toml")


def _seeds(text: str) -> int | list[int | tuple[int, int]]:
    """5, or 0,7,11, or 0:0,0:1."""
    try:
        if "," not in text and ":" not in text:
            return int(text)
        pairs = [tuple(int(number) for number in part.split(":")) for part in text.split(",") if part]
        return [pair[0] if len(pair) == 1 else pair for pair in pairs]  # type: ignore[misc]
    except ValueError:
        raise InputError(f"--seeds {text} is no number and no list", "Write 5, or 0,7,11, or 0:0,0:1") from None


def _again(command: Command, folder: Path) -> str:
    """The command that goes on, as a person would copy it."""
    words = ["chainrule", "sweep", "--resume", "--folder", str(folder)]
    for flag, value in (("--workers", command.workers), ("--on", command.on), ("--data-dir", command.data_dir)):
        words += [] if value is None else [flag, str(value)]
    return shlex.join(words)


def _told(result: SweepResult, say: Callable[[str], None], again: str) -> int:
    for failed in result.failed:
        print(f"{failed.point.name} failed: {failed.error}", file=sys.stderr)
    if result.interrupted:
        print(
            f"Interrupted; {len(result.runs)} of {len(result.points)} points are finished, and those that had begun "
            f"keep their epochs. Go on with: {again}",
            file=sys.stderr,
        )
        return 130
    say(f"{len(result.runs)} of {len(result.points)} points are finished. The sweep lies in {result.folder}")
    say(f"Compare them: {shlex.join(['chainrule', 'runs', 'compare', str(result.folder)])}")
    return 1 if result.failed else 0


def _print(line: str) -> None:
    print(line, flush=True)
