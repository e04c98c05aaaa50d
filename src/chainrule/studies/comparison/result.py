"""`Comparison`: all that a comparison found, as plain data; printed, drawn and stored from these alone."""

import csv
import io
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from html import escape
from pathlib import Path
from typing import Any

from chainrule import storage
from chainrule.errors import RunError, StorageError
from chainrule.studies.comparison import tables


@dataclass(frozen=True)
class Comparison:
    """The result of `compare`.

    found    plain JSON: settings, seeds, data, networks, differences, curves, baselines, conclusion
    seconds  of each training; no part of the result, for it changes from run to run
    """

    found: dict[str, Any]
    seconds: dict[str, float] = field(default_factory=dict, compare=False)

    @property
    def conclusion(self) -> str:
        """One sentence that the intervals support."""
        return str(self.found["conclusion"])

    def __str__(self) -> str:
        return tables.text(self.found)

    def _repr_html_(self) -> str:
        return f"<pre>{escape(str(self))}</pre>"

    def to_json(self) -> dict[str, Any]:
        return self.found

    @classmethod
    def load(cls, folder: str | Path) -> "Comparison":
        """What `save` stored; raises RunError where it is missing or damaged."""
        path = Path(folder) / "result.json"
        found = storage.read_json(path)
        if not isinstance(found, dict) or not {"networks", "differences", "conclusion"} <= found.keys():
            raise RunError(f"{path} is no stored comparison", "Name a folder that `Comparison.save` wrote.")
        return cls(found, storage.read_json(Path(folder) / "timings.json"))

    def save(self, folder: str | Path) -> None:
        """Write result.json, result.txt, timings.json, one CSV a table, figures as SVG: the whole folder, or none.

        A comparison stored there before is replaced. The same result gives the same bytes, timings.json apart.
        Raises StorageError for a folder that holds anything else, or cannot be written.
        """
        target = Path(folder)
        if target.exists() and not (target / "result.json").is_file() and (target.is_file() or any(target.iterdir())):
            raise StorageError(f"{target} holds something else", "Name a new folder, or one with an earlier result.")
        part, old = (target.with_name(f".{target.name}.{end}") for end in ("part", "old"))
        try:
            with storage.storage_errors(target):
                if old.exists() and not target.exists():  # the last time was stopped between the two renamings
                    old.rename(target)
                for leftover in (part, old):
                    shutil.rmtree(leftover, ignore_errors=True)
                self._write(part)
                if target.exists():
                    target.rename(old)
                part.rename(target)
                shutil.rmtree(old, ignore_errors=True)
        except BaseException:
            shutil.rmtree(part, ignore_errors=True)
            raise

    def figures(self) -> dict[str, Any]:
        """The figures by name: curves, confusion, classes, differences."""
        from chainrule.studies.comparison.drawing import figures

        return figures(self.found)

    def _write(self, folder: Path) -> None:
        from chainrule.figures import save

        storage.write_json(folder / "result.json", self.found)
        storage.write_json(folder / "timings.json", self.seconds)
        storage.write_text(folder / "result.txt", f"{self}\n")
        for name, rows in tables.csv_tables(self.found).items():
            storage.write_text(folder / f"{name}.csv", _as_csv(rows))
        for name, figure in self.figures().items():
            save(figure, folder / "figures" / f"{name}.svg")


def _as_csv(rows: Sequence[Mapping[str, Any]]) -> str:
    text = io.StringIO()
    writer = csv.DictWriter(text, list(dict.fromkeys(key for row in rows for key in row)), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()
