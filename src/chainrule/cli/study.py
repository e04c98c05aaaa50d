"""`chainrule study`: list the reports' experiments, tell what one contains, and do them again."""

import os
import signal
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import tyro
from tyro.conf import Positional, arg

from chainrule import storage
from chainrule.errors import ChainruleError, InputError, StorageError
from chainrule.specs import whole
from chainrule.studies.registry import NAMES, study


@dataclass(frozen=True)
class Command:
    """Do again, with several seeds, what the five reports did once; each study leaves a page that one could hand in.

    A study that was stopped goes on where it was; a finished one is drawn again from what it kept.

    examples:
      chainrule study list
      chainrule study show circles-activations
      chainrule study run circles-activations --quick
      chainrule study run --all --folder studies
    """

    action: Annotated[Positional[Literal["list", "show", "run"]], arg(metavar="ACTION")]
    """list, show or run"""
    name: Annotated[Positional[str | None], arg(metavar="NAME")] = None
    """name of a study"""
    all: bool = False
    """run every study and write the index page"""
    quick: bool = False
    """fewer epochs, seeds and samples: less than a minute a study, in a folder quick/ of its own"""
    seeds: int | None = None
    """number of seeds, in place of the study's own"""
    folder: Path = Path("studies")
    """folder in which each study has its folder"""
    data_dir: Path | None = None
    """folder of the data sets; CHAINRULE_DATA or the user's cache folder by default"""
    workers: int | None = None
    """processes of a sweep; as many as there are cores by default"""
    quiet: bool = False
    """no progress, only errors"""


def main(arguments: list[str]) -> int:
    command: Command = tyro.cli(Command, prog="chainrule study", args=arguments)
    if command.action == "list":
        return _list()
    names = _chosen(command)
    if command.action == "show":
        return _show(names[0])
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # a polite kill is an interrupt
    return _run(command, names)


def _chosen(command: Command) -> tuple[str, ...]:
    """The studies that are meant; raises InputError where that is none, or both one and all."""
    if command.all and command.name is None and command.action == "run":
        return NAMES
    if command.all:
        raise InputError("--all goes with `run` alone, and takes no name", "chainrule study run --all")
    if command.name is None:
        raise InputError(f"`chainrule study {command.action}` names no study", f"Valid: {', '.join(NAMES)}.")
    return (study(command.name).name,)


def _list() -> int:
    for name in NAMES:
        found = study(name)
        print(f"{name:<24}{found.source:<26}{found.title}")
    return 0


def _show(name: str) -> int:
    found = study(name)
    print(f"{found.title} ({found.source})\n\n{found.summary}\n\nIts page holds:")
    for item in found.items:
        print(f"  {item.id:<24}{item.what}")
    return 0


def _run(command: Command, names: tuple[str, ...]) -> int:
    """Run the studies one after the other; one that fails is told, and the others go on."""
    from chainrule.studies.lab import Lab
    from chainrule.studies.running import place, run_study

    if command.seeds is not None:
        whole("--seeds", command.seeds, 1)
    _refuse_unwritable(command.folder)
    failed = []
    for name in names:
        folder = place(command.folder, name, quick=command.quick)
        lab = Lab(
            folder,
            quick=command.quick,
            seeds=command.seeds,
            data_dir=command.data_dir,
            workers=command.workers,
            progress=not command.quiet and sys.stderr.isatty(),
            runs=folder.parent / "runs",
            announce=(lambda line: None) if command.quiet else print,
        )
        try:
            page = run_study(study(name), lab)
        except KeyboardInterrupt:
            print(f"Interrupted; the same command goes on where {name} was.", file=sys.stderr)
            return 130
        except ChainruleError as error:
            if len(names) == 1:
                raise
            failed.append(name)
            print(f"chainrule: {name}: {error}", file=sys.stderr)
        else:
            print(f"{name}: {page}")
    if command.all:
        print(f"index: {_index(command)}")
    return 1 if failed else 0


def _index(command: Command) -> Path:
    from chainrule.studies.index_page import write_index
    from chainrule.studies.registry import studies

    return write_index(studies(), command.folder / "quick" if command.quick else command.folder)


def _refuse_unwritable(folder: Path) -> None:
    """Before hours are spent: whether the folder can be made and written to."""
    with storage.storage_errors(folder):
        folder.mkdir(parents=True, exist_ok=True)
        if not os.access(folder, os.W_OK):
            raise StorageError(f"{folder} cannot be written", "Choose a folder that you may write to.")
