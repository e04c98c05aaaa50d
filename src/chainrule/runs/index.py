"""The index of many runs: one table of settings and results, made from the folders and at any time made again.

Whoever coordinates the runs writes it, whole, and nobody else does; whoever reads it looks into the folders for what
is newer. Any program that knows SQLite can ask it:

    SELECT run, results ->> '$.validation.accuracy' FROM runs WHERE settings ->> '$.training.learning_rate' = 0.1
"""

import json
import os
import sqlite3
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from chainrule import storage
from chainrule.errors import RunError

NAME = "index.sqlite"
VERSION = 1
TABLE = """
CREATE TABLE runs (
  run TEXT PRIMARY KEY,      -- the folder, seen from that of the index
  state TEXT NOT NULL,       -- finished, unfinished, or damaged
  stamp INTEGER NOT NULL,    -- when its results, or else its settings, were written: nanoseconds
  epochs INTEGER NOT NULL,
  seconds REAL,              -- of all epochs
  settings TEXT NOT NULL,    -- config.json
  results TEXT NOT NULL      -- evaluation.json, by part: loss, accuracy, r2, baseline, samples; and the rest
)
"""
LEFT_OUT = ("confusion", "report", "scores", "classes")


@dataclass(frozen=True)
class Entry:
    """One run: its folder, seen from that of the index, and what it was asked and what came out."""

    run: str
    state: str
    stamp: int
    epochs: int
    seconds: float | None
    settings: dict[str, Any]
    results: dict[str, Any]


def entries(folder: Path) -> list[Entry]:
    """All runs in `folder`, or in its folder runs/: from the index where that is still true, from their folders else.

    Raises RunError where there is none. A run whose settings or results cannot be read has the state "damaged".
    """
    known = _read(folder / NAME)
    found = []
    for path in _folders(folder):
        name = path.relative_to(folder).as_posix()
        entry, stamp = known.get(name), _stamp(path)
        if stamp is not None:
            found.append(entry if entry is not None and entry.stamp == stamp[1] else _entry(path, name, *stamp))
    return _some(found, folder)


def entry_of(run: Path) -> Entry:
    """One run by its folder; raises RunError where it is none."""
    stamp = _stamp(run)
    if stamp is None:
        raise RunError(f"{run} is no run", "Name a folder that `chainrule train` wrote.")
    return _entry(run, run.as_posix(), *stamp)


def write_index(folder: Path) -> int:
    """Make the index of `folder` from the runs in it; the number of runs. The file is replaced whole.

    Raises RunError where there is no run, StorageError where there is no room.
    """
    fresh = _some(
        [_entry(path, path.relative_to(folder).as_posix(), *stamp) for path, stamp in _stamped(folder)], folder
    )
    with sqlite3.connect(":memory:") as connection:
        connection.execute(TABLE)
        connection.execute(f"PRAGMA user_version = {VERSION}")
        connection.executemany("INSERT INTO runs VALUES (?, ?, ?, ?, ?, ?, ?)", [_row(entry) for entry in fresh])
        connection.commit()
        content = connection.serialize()
    connection.close()
    storage.write_bytes(folder / NAME, content)
    return len(fresh)


def _some(found: list[Entry], folder: Path) -> list[Entry]:
    if not found:
        raise RunError(f"there is no run in {folder}", "Name a folder of runs, or of a sweep.")
    return found


def _stamped(folder: Path) -> Iterator[tuple[Path, tuple[str, int]]]:
    for path in _folders(folder):
        stamp = _stamp(path)
        if stamp is not None:
            yield path, stamp


def _folders(folder: Path) -> list[Path]:
    """Folders that may be runs, in the order of their names: those in runs/ of a sweep, and those in `folder`."""
    places = [place for place in (folder, folder / "runs") if place.is_dir()]
    return [
        Path(entry.path)
        for place in places
        for entry in sorted(os.scandir(place), key=lambda entry: entry.name)
        if entry.is_dir()
    ]


def _stamp(path: Path) -> tuple[str, int] | None:
    """The state of a run and when it came to it; None where the folder is no run."""
    for name, state in (("evaluation.json", "finished"), ("config.json", "unfinished")):
        try:
            return state, os.stat(path / name).st_mtime_ns
        except OSError:
            continue
    return None


def _entry(path: Path, name: str, state: str, stamp: int) -> Entry:
    try:
        settings = _mapping(path / "config.json")
        results = _mapping(path / "evaluation.json") if state == "finished" else {}
    except RunError:
        return Entry(name, "damaged", stamp, 0, None, {}, {})
    seconds = _seconds(path)
    return Entry(name, state, stamp, results.get("epochs", len(seconds)), sum(seconds), settings, _in_short(results))


def _mapping(path: Path) -> dict[str, Any]:
    content = storage.read_json(path)
    if not isinstance(content, dict):
        raise RunError(f"{path} is not whole", "It was edited; restore it, or train again.")
    return content


def _seconds(path: Path) -> list[float]:
    try:
        return [json.loads(line)["seconds"] for line in storage.read_lines(path / "timings.jsonl")]
    except (ValueError, KeyError, TypeError):
        return []  # times decide nothing


def _in_short(results: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: _in_short(value) if isinstance(value, Mapping) else value
        for name, value in results.items()
        if name not in LEFT_OUT
    }


def _row(entry: Entry) -> tuple[Any, ...]:
    texts = (json.dumps(entry.settings), json.dumps(entry.results))
    return entry.run, entry.state, entry.stamp, entry.epochs, entry.seconds, *texts


def _read(path: Path) -> dict[str, Entry]:
    """What the index knows; nothing where it is missing, damaged or of another version: the folders know it all."""
    if not path.is_file():
        return {}
    try:
        connection = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro&immutable=1", uri=True)
        try:
            if connection.execute("PRAGMA user_version").fetchone() != (VERSION,):
                return {}
            rows = connection.execute("SELECT run, state, stamp, epochs, seconds, settings, results FROM runs")
            return {
                run: Entry(run, state, stamp, epochs, seconds, json.loads(settings), json.loads(results))
                for run, state, stamp, epochs, seconds, settings, results in rows
            }
        finally:
            connection.close()
    except (sqlite3.Error, ValueError):
        return {}
