"""`chainrule runs`: a list of many runs, comparisons among them, and their index."""

import csv
import io
import json
import statistics
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

import tyro
from tyro.conf import Positional, UseAppendAction, arg

from chainrule import storage
from chainrule.errors import InputError
from chainrule.runs.index import Entry, entries, entry_of, write_index
from chainrule.runs.selecting import SEEDS, condition, differing, select

Facts = Mapping[str, Any]
MEASURES = ("accuracy", "r2", "loss")
PARTS = ("train", "validation", "test")
UNTOLD = ("name", "data.sha256", *SEEDS)


@dataclass(frozen=True)
class Shown:
    """Which runs are shown, and how."""

    where: UseAppendAction[tuple[str, ...]] = ()
    """a condition on a setting or a result: training.learning_rate=0.1, "validation.accuracy>0.9"; all must hold"""
    sort: str | None = None
    """key to sort by, such as validation.accuracy"""
    descending: bool = False
    """the greatest first"""
    limit: int | None = None
    """show so many at most"""
    format: Literal["text", "csv", "json"] = "text"
    """text has what differs; csv and json have every setting and result"""
    output: Path | None = None
    """file to write in place of the terminal"""


@dataclass(frozen=True)
class List(Shown):
    """The runs in a folder, or of a sweep, one a line.

    examples:
      chainrule runs list
      chainrule runs list sweeps/rates --where "validation.accuracy>0.9" --sort validation.accuracy --descending
      chainrule runs list runs --where training.optimizer=adam --format csv --output runs.csv
    """

    folder: Annotated[Positional[Path], arg(metavar="FOLDER")] = Path("runs")
    """folder of runs, or of a sweep"""


@dataclass(frozen=True)
class Compare(Shown):
    """Runs beside each other: those that differ in their seeds alone make one line, with mean and standard deviation.

    examples:
      chainrule runs compare runs/digits-0123456789 runs/digits-9876543210
      chainrule runs compare sweeps/rates --sort validation.accuracy --descending
    """

    runs: Annotated[Positional[tuple[Path, ...]], arg(metavar="RUN")] = ()
    """run folders, folders of runs, or of sweeps"""


@dataclass(frozen=True)
class Index:
    """Make the index of a folder of runs again: index.sqlite, from which `list` is quick, and that SQL can ask.

    example:
      chainrule runs index runs
    """

    folder: Annotated[Positional[Path], arg(metavar="FOLDER")] = Path("runs")
    """folder of runs, or of a sweep"""


def main(arguments: list[str]) -> int:
    command = tyro.extras.subcommand_cli_from_dict(
        {"list": List, "compare": Compare, "index": Index}, prog="chainrule runs", args=arguments
    )
    if isinstance(command, Index):
        print(f"{write_index(command.folder)} runs are in {command.folder / 'index.sqlite'}")
    elif isinstance(command, List):
        _list(command)
    else:
        _compare(command)
    return 0


def _list(command: List) -> None:
    chosen = _chosen(entries(command.folder), command)
    settings = _settings(chosen)
    heads = ["run", "state", "epochs", "seconds", *settings, *_measures(chosen)]
    rows = [[_cell(one.get(head)) for head in heads] for one in chosen]
    _show(command, chosen, _table(heads, rows, f"{len(chosen)} runs"))


def _compare(command: Compare) -> None:
    if not command.runs:
        raise InputError("no runs are named", "Name run folders, or the folder of a sweep.")
    found = [entry for path in command.runs for entry in _entries(path)]
    chosen = _chosen([entry for entry in found if entry.state == "finished"], command)
    if not chosen:
        raise InputError("there is no finished run to compare", "Loosen the conditions, or wait for the runs.")
    settings, measures = _settings(chosen), _measures(chosen)
    groups: dict[str, list[Facts]] = {}
    for one in chosen:
        groups.setdefault(json.dumps([one.get(key) for key in settings]), []).append(one)
    rows = [
        [*(_cell(group[0].get(key)) for key in settings), str(len(group)), *(_spread(group, key) for key in measures)]
        for group in groups.values()
    ]
    note = f"{len(chosen)} runs; mean ± standard deviation over runs that differ in their seeds alone, n of them"
    _show(command, chosen, _table([*settings, "n", *measures], rows, note))


def _entries(path: Path) -> list[Entry]:
    return [entry_of(path)] if (path / "config.json").exists() else entries(path)


def _chosen(found: Sequence[Entry], command: Shown) -> list[dict[str, Any]]:
    conditions = [condition(text) for text in command.where]
    if command.limit is not None and command.limit < 1:
        raise InputError(f"--limit is {command.limit}", "Give a whole number, at least 1.")
    return select(found, conditions, command.sort, command.descending, command.limit)


def _settings(chosen: Sequence[Facts]) -> list[str]:
    """The settings in which the runs differ, seeds left out."""
    sections = ("data.", "network.", "training.")
    keys = dict.fromkeys(key for one in chosen for key in one if key.startswith(sections) and key not in UNTOLD)
    return differing(chosen, keys)


def _measures(chosen: Sequence[Facts]) -> list[str]:
    """What was measured of each part: accuracy, else r2, else loss."""
    having = {key for one in chosen for key, value in one.items() if value is not None}
    found = (next((f"{part}.{name}" for name in MEASURES if f"{part}.{name}" in having), None) for part in PARTS)
    return [key for key in found if key is not None]


def _spread(group: Sequence[Facts], key: str) -> str:
    values = [one[key] for one in group if one.get(key) is not None]
    if not values:
        return "–"
    spread = f" ± {statistics.stdev(values):.4f}" if len(values) > 1 else ""
    return f"{statistics.fmean(values):.4f}{spread}"


def _cell(value: Any) -> str:
    if value is None:
        return "–"
    if isinstance(value, list):
        return " ".join(map(str, value))
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _table(heads: Sequence[str], rows: Sequence[Sequence[str]], note: str) -> str:
    """Columns under their heads."""
    columns = list(zip(heads, *rows, strict=True))
    widths = [max(map(len, column)) for column in columns]
    lines = [
        "  ".join(f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in (heads, *rows)
    ]
    return "\n".join([lines[0], "  ".join("─" * width for width in widths), *lines[1:], "", note]) + "\n"


def _show(command: Shown, chosen: Sequence[Facts], text: str) -> None:
    if command.format == "json":
        text = json.dumps(chosen, indent=1, ensure_ascii=False) + "\n"
    elif command.format == "csv":
        text = _csv(chosen)
    if command.output is None:
        sys.stdout.write(text)
    else:
        storage.write_text(command.output, text)


def _csv(chosen: Sequence[Facts]) -> str:
    heads = list(dict.fromkeys(key for one in chosen for key in one))
    buffer = io.StringIO()
    writer = csv.DictWriter(buffer, heads, lineterminator="\n")
    writer.writeheader()
    for one in chosen:
        writer.writerow({key: json.dumps(value) if isinstance(value, list) else value for key, value in one.items()})
    return buffer.getvalue()
