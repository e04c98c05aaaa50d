"""What came of a sweep: every point with its run or its error, and the variants with their runs by seed."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from chainrule.runs.folder import Run
from chainrule.sweeps.folder import SweepFolder
from chainrule.sweeps.sweep import Point, Sweep


@dataclass(frozen=True)
class PointResult:
    """A point with its finished run; or with the error it failed with; or, where it is unfinished, with neither."""

    point: Point
    run: Run | None
    error: str | None


@dataclass(frozen=True)
class Variant:
    """The runs that differ in their seeds alone.

    runs   by (start, order) seeds, as far as they are finished
    """

    number: int
    changes: dict[str, Any]
    runs: dict[tuple[int, int], Run]

    @property
    def label(self) -> str:
        """The changes in short: "learning_rate = 0.1, hidden = (300,)"."""
        words = (f"{key.rpartition('.')[2]} = {value}" for key, value in self.changes.items())
        return ", ".join(words) or "as the base"


@dataclass(frozen=True)
class SweepResult:
    """A sweep and what there is of it."""

    folder: Path
    sweep: Sweep
    points: tuple[PointResult, ...]

    @property
    def failed(self) -> tuple[PointResult, ...]:
        """The points that ended with an error."""
        return tuple(result for result in self.points if result.error is not None)

    @property
    def unfinished(self) -> tuple[PointResult, ...]:
        """The points that have neither results nor an error."""
        return tuple(result for result in self.points if result.run is None and result.error is None)

    @property
    def interrupted(self) -> bool:
        """Whether there are points to go on with."""
        return bool(self.unfinished)

    @property
    def runs(self) -> tuple[Run, ...]:
        """The finished runs in the order of the points."""
        return tuple(result.run for result in self.points if result.run is not None)

    def groups(self) -> tuple[Variant, ...]:
        """The variants in their order, each with its finished runs by seed."""
        variants: dict[int, Variant] = {}
        for result in self.points:
            point = result.point
            variant = variants.setdefault(point.variant, Variant(point.variant, point.changes, {}))
            if result.run is not None:
                variant.runs[point.seeds] = result.run
        return tuple(variants.values())

    def __repr__(self) -> str:
        counts = f"{len(self.runs)} of {len(self.points)} points finished"
        failed = f", {len(self.failed)} failed" if self.failed else ""
        return f"SweepResult({str(self.folder)!r}: {counts}{failed})"


def read_sweep(folder: str | Path) -> SweepResult:
    """A sweep from its folder alone; raises RunError where it is none, or is damaged."""
    place = SweepFolder(Path(folder))
    sweep = place.sweep()
    found = place.found()
    return SweepResult(
        place.path, sweep, tuple(_result(place, point, found.get(point.name)) for point in sweep.points())
    )


def _result(place: SweepFolder, point: Point, run: Run | None) -> PointResult:
    if run is not None and run.finished():
        return PointResult(point, run, None)
    failure = place.failure(point)
    return PointResult(point, None, None if failure is None else in_words(failure))


def in_words(failure: dict[str, Any]) -> str:
    """The error of a failed point, as `str` of one of our errors has it."""
    return "\n".join(line for line in (failure["problem"], failure["remedy"]) if line)
