"""What is told while a sweep runs: a line for every point that ends, and a bar over the epochs of all points."""

import sys
from collections.abc import Callable, Iterable, Sequence
from types import TracebackType
from typing import Any

from chainrule.errors import RunError
from chainrule.runs.folder import Run
from chainrule.sweeps.folder import SweepFolder
from chainrule.sweeps.result import SweepResult
from chainrule.sweeps.sweep import Point

BAR_COLUMNS = 52  # of the terminal, for all but the best so far
MEASURES = (
    ("validation", "accuracy", 1),
    ("validation", "loss", -1),
    ("train", "accuracy", 1),
    ("train", "loss", -1),
)


class Watch:
    """The progress of a sweep; a context manager. Without a terminal, or with show=False, there is no bar."""

    def __init__(
        self,
        place: SweepFolder,
        before: SweepResult,
        todo: Sequence[Point],
        show: bool,
        announce: Callable[[str], None],
    ) -> None:
        self._place, self._announce = place, announce
        self._count, self._done = len(before.points), len(before.points) - len(todo)
        self._epochs = {r.point.name: r.point.config.training.epochs for r in before.points}
        self._ended = self._epochs.keys() - {point.name for point in todo}
        self._best: tuple[float, str] | None = None
        for run in before.runs:
            self._compare(run)
        self._bar: Any = None
        if show and sys.stderr.isatty():
            self._bar = _bar()
            self._task = self._bar.add_task("", total=sum(self._epochs.values()), points="", best="")
            self._tell(0)

    def finished(self, point: Point, run: Run, seconds: float) -> None:
        self._compare(run)
        self._end(point, f"{_summary(run)} ({seconds:.1f} s)")

    def failed(self, point: Point, error: str) -> None:
        self._end(point, f"failed: {error.splitlines()[0]}")

    def again(self, point: Point, error: str) -> None:
        self._announce(f"{point.name} is tried again: {error.splitlines()[0]}")

    def look(self, running: Iterable[Point]) -> None:
        """See in the files how far the running points are."""
        if self._bar is not None:
            self._tell(sum(min(_epochs_of(self._place, p), self._epochs[p.name]) for p in running))

    def _end(self, point: Point, what: str) -> None:
        self._done += 1
        self._ended.add(point.name)
        self._announce(f"[{self._done}/{self._count}] {point.name}  {what}")

    def _tell(self, under_way: int) -> None:
        completed = sum(self._epochs[name] for name in self._ended) + under_way
        best = f"best {self._best[1]}" if self._best else ""
        best = best[: max(0, self._bar.console.width - BAR_COLUMNS)]
        self._bar.update(self._task, completed=completed, points=f"{self._done}/{self._count} points", best=best)

    def _compare(self, run: Run) -> None:
        """Keep the best run so far: by validation accuracy, else by what there is."""
        results = run.results()
        for part, measure, sign in MEASURES:
            value = results.get(part, {}).get(measure)
            if value is not None:
                if self._best is None or sign * value > self._best[0]:
                    name = run.path.name.rpartition("-")[0]
                    self._best = sign * value, f"{part} {measure} {value:.4g}: {name}"
                return

    def __enter__(self) -> "Watch":
        if self._bar is not None:
            self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bar is not None:
            self._bar.stop()


def _bar() -> Any:
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    return Progress(
        TextColumn("{task.fields[points]}"),
        BarColumn(bar_width=16),
        TextColumn("{task.percentage:.0f} %"),
        TimeRemainingColumn(elapsed_when_finished=True),
        TextColumn("{task.fields[best]}"),
        console=Console(stderr=True),
        speed_estimate_period=600,
    )


def _epochs_of(place: SweepFolder, point: Point) -> int:
    run = place.run_of(point)
    try:
        return 0 if run is None else run.epochs()
    except (OSError, RunError):
        return 0


def _summary(run: Run) -> str:
    words = []
    for part, result in run.evaluations().items():
        measured = f"loss {result.loss:.4g}" if result.accuracy is None else f"{result.accuracy:.2%}"
        words.append(f"{part} {measured}")
    return ", ".join(words)
