"""Where a study works: its folder, how much it may do, and the three ways to do it that survive a kill."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from chainrule import storage
from chainrule.data import PUBLISHED, DataSet, load_data
from chainrule.errors import InputError, RunError
from chainrule.runs import Run, RunConfig, execute
from chainrule.specs import whole
from chainrule.studies.study import Published

if TYPE_CHECKING:
    from chainrule.sweeps import Sweep, SweepResult

Choice = TypeVar("Choice")
Name = TypeVar("Name")
Announce = Callable[[str], None]


@dataclass
class Lab:
    """The place of one study.

    folder     of this study: sweeps/, kept/ and, at the end, findings.json, report.html and figures/
    quick      fewer epochs, seeds and samples, so that it takes less than a minute
    seeds      asked for by the reader; None leaves it to the study
    data_dir   folder of the data sets
    workers    processes of a sweep; None for the cores there are
    progress   live lines on the terminal
    runs       folder of the single runs, which studies share; folder/runs by default
    announce   is handed what the study is about to do
    published  the numbers that were published beside ours, as `publish` was handed them
    reduced    whether `choose` took a setting that is not the full one
    notes      what the reader of the page must know beyond the study's own words, such as points that failed
    """

    folder: Path
    quick: bool = False
    seeds: int | None = None
    data_dir: Path | None = None
    workers: int | None = None
    progress: bool = False
    runs: Path | None = None
    announce: Announce = lambda line: None
    published: list[Published] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    reduced: bool = False

    def __post_init__(self) -> None:
        if self.seeds is not None:
            whole("seeds", self.seeds, 1)

    def choose(self, *, full: Choice, quick: Choice) -> Choice:
        """A setting by how much may be done."""
        self.reduced |= self.quick and quick != full
        return quick if self.quick else full

    def seed_count(self, *, full: int, quick: int) -> int:
        """How many seeds: what the reader asked for, else the study's own number."""
        return self.choose(full=full, quick=quick) if self.seeds is None else self.seeds

    def data(self, source: str, **options: Any) -> DataSet:
        """`load_data` from the lab's folder of data; raises DataError, in words, before anything is trained."""
        return load_data(source, data_dir=self._data_dir(source), progress=self.progress, **options)

    def _data_dir(self, source: str) -> Path | None:
        """The folder of data sets, for those that lie in one; points that are drawn have no folder."""
        return self.data_dir if source in PUBLISHED else None

    def sweep(self, sweep: "Sweep") -> "SweepResult":
        """Train all points of a named sweep, or go on where it was, in sweeps/<name>-<identity>/.

        A point that fails is noted on the page. Raises KeyboardInterrupt where the reader stopped it.
        """
        from chainrule.sweeps import run_sweep

        if not sweep.name:
            raise InputError("a sweep of a study has no name", "Give it one: it names its folder.")
        self.announce(f"sweep {sweep.name}")
        result = run_sweep(
            sweep,
            self.folder / "sweeps" / f"{sweep.name}-{sweep.identity()}",
            data_dir=self._data_dir(sweep.base.data.source),
            workers=self.workers,
            progress=self.progress,
            announce=self.announce,
        )
        if result.interrupted:
            raise KeyboardInterrupt
        for point in result.failed:
            self.notes.append(f"Sweep {sweep.name}, point {point.point.name}, has no result: {point.error}")
        return result

    def train(self, config: RunConfig) -> Run:
        """One run in `runs`, or the finished one of the same settings."""
        self.announce(f"run {config.name}")
        outcome = execute(
            config,
            runs_dir=self.runs or self.folder / "runs",
            data_dir=self._data_dir(config.data.source),
            progress=self.progress,
            announce=self.announce,
            draw=not self.quick,  # the page of the study has its own
        )
        if outcome.stopped == "interrupted":
            raise KeyboardInterrupt
        return outcome.run

    def keep(self, name: str, identity: Any, compute: Callable[[], Any]) -> Any:
        """What `compute()` gives, as JSON; computed once, and found again in kept/ by its name and `identity`.

        identity: all that the result depends on, as JSON. A damaged file is computed again.
        """
        text = json.dumps(identity, sort_keys=True)
        path = self.folder / "kept" / f"{name}-{sha256(text.encode()).hexdigest()[:10]}.json"
        if path.exists():
            try:
                stored = storage.read_json(path)
            except RunError:
                stored = None
            if isinstance(stored, dict) and stored.get("identity") == json.loads(text) and "result" in stored:
                return stored["result"]
        self.announce(name)
        result = json.loads(json.dumps(compute()))
        storage.write_json(path, {"identity": identity, "result": result})
        return result

    def publish(self, *rows: Published) -> None:
        """Set published numbers beside ours; they stand on the page, in findings.json and on the index page."""
        self.published += rows


def by_variant(result: "SweepResult", names: Sequence[Name]) -> dict[Name, list[Run]]:
    """The finished runs of a sweep by what its variants stand for, in their order; one without a run is refused."""
    found = {names[variant.number]: list(variant.runs.values()) for variant in result.groups()}
    without = [str(name) for name in names if not found.get(name)]
    if without:
        raise RunError(
            f"no run of {', '.join(without)} came to its end in {result.folder}",
            "The errors of its points are in that folder; the same command trains again what can be.",
        )
    return {name: found[name] for name in names}
