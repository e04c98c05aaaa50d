"""`chainrule report`: one self-contained HTML file about a run, several runs, or a sweep."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro
from tyro.conf import Positional, arg

from chainrule.errors import InputError, RunError
from chainrule.reports import Report, write
from chainrule.runs import Run, verify
from chainrule.sweeps import read_sweep

SWEEP_FILE = "sweep.toml"


@dataclass(frozen=True)
class Command:
    """Write report.html, and its figures as SVG and PNG files, about one run, several runs side by side, or a sweep.

    Everything is read from the folders; the page needs no network. A file that is missing or edited is named in it.

    examples:
      chainrule report runs/digits-0123456789
      chainrule report runs/mnist-* --output comparison
      chainrule report sweeps/rates
    """

    runs: Annotated[Positional[tuple[Path, ...]], arg(metavar="RUN")]
    """folders of runs, or the folder of one sweep"""
    output: Path | None = None
    """folder to write into; by default that of the run or the sweep, and `comparison` for several runs"""
    verify: bool = False
    """of one run: apply its model to its data again, and show these results beside the stored ones"""
    data_dir: Path | None = None
    """folder of the data sets, for --verify; CHAINRULE_DATA or the user's cache folder by default"""


def main(arguments: list[str]) -> int:
    command = tyro.cli(Command, prog="chainrule report", args=arguments)
    report, folder = composed(command)
    for note in report.notes:
        print(f"Note: {note}")
    path = write(report, command.output or folder)
    print(f"{path} ({path.stat().st_size / 1000:,.0f} kB)")
    return 0


def composed(command: Command) -> tuple[Report, Path]:
    """The report that `command` asks for, and the folder where it lies by default."""
    from chainrule.reports.of_run import report_of_run
    from chainrule.reports.of_runs import report_of_runs, report_of_sweep

    folders = command.runs
    if not folders:
        raise InputError("no run is named", "Name the folder of a run, several of them, or the folder of a sweep.")
    for folder in folders:
        if not folder.is_dir():
            raise RunError(f"there is no folder {folder}", "Name folders of runs, or that of a sweep.")
    sweeps = [folder for folder in folders if (folder / SWEEP_FILE).exists()]
    if command.verify and (sweeps or len(folders) > 1):
        raise InputError("--verify is for the report of one run", "Name one run, or leave --verify out.")
    if sweeps and len(folders) > 1:
        raise InputError(f"{sweeps[0]} is a sweep, and a report is about one sweep or about runs", "Name it alone.")
    if sweeps:
        return report_of_sweep(read_sweep(sweeps[0])), sweeps[0]
    if len(folders) == 1:
        run = Run(folders[0])
        verified = verify(run, data_dir=command.data_dir) if command.verify else None
        return report_of_run(run, verified=verified), folders[0]
    runs = [Run(folder) for folder in dict.fromkeys(folder.resolve() for folder in folders)]
    return report_of_runs(runs), Path("comparison")
