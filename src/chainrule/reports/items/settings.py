"""What was done: settings, data with their provenance, versions and machine."""

import json
from typing import Any

from chainrule import storage
from chainrule.reports.document import Cell, Table
from chainrule.reports.wording import PATHS, without_folders
from chainrule.runs import Run

_OFF: tuple[Any, ...] = (None, False, "", 0, [], [0.0], [False])
_ELSEWHERE = ("sha256", "start_sha256", "record_samples")


def settings_table(id: str, run: Run, *, title: str = "Settings") -> Table:
    """Every setting of the run that was made, its seeds included."""
    content = run.config().to_json()
    rows: list[list[Cell]] = []
    for section in ("data", "network", "training"):
        for name, value in content[section].items():
            if name not in _ELSEWHERE and (value not in _OFF or name.endswith("seed")):
                key = f"{section}.{name}"
                rows.append([key, without_folders(value) if key in PATHS else _in_words(value)])
    rows.append(["seed", str(content["seed"])])
    caption = (
        f"Identity of these settings: {run.config().identity()}. Settings that are off or left open are not listed."
    )
    return Table(id, title, ["setting", "value"], rows, caption)


def data_table(id: str, run: Run, *, title: str = "Data") -> Table:
    """Counts, split, preprocessing and provenance of the data."""
    stored = storage.read_json(run.path / "data.json")
    rows: list[list[Cell]] = [["source", without_folders(str(stored["source"]))]]
    rows += [[f"samples, {part}", int(count)] for part, count in stored["counts"].items()]
    rows += [["split", str(stored["split"])], ["preprocessing", str(stored["preprocessing"])]]
    if stored.get("features"):
        rows.append(["features", _in_words(stored["features"])])
    rows += [["fingerprint (SHA-256)", str(stored["sha256"])]]
    for file in stored["files"]:
        rows.append([f"file {file['name']}", f"{file['bytes']:,} bytes, SHA-256 {file['sha256']}"])
    rows += [["note", str(note)] for note in stored["notes"]]
    return Table(id, title, ["what", "value"], rows)


def environment_table(id: str, run: Run, *, title: str = "Versions, machine and time") -> Table:
    """Versions, machine, and the seconds that training took."""
    rows: list[list[Cell]] = [[name, str(value)] for name, value in run.environment().items()]
    seconds = [json.loads(line)["seconds"] for line in storage.read_lines(run.path / "timings.jsonl")]
    if seconds:
        rows.append(["time of training", f"{sum(seconds):,.1f} s in {len(seconds):,} epochs"])
    return Table(id, title, ["what", "value"], rows)


def _in_words(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(map(_in_words, value))
    if isinstance(value, dict):
        return ", ".join(f"{name} {_in_words(inner)}" for name, inner in value.items())
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(value)
