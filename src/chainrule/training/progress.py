"""One line that lives while training runs: epoch, loss, accuracy, time left. Silent where nobody watches a terminal."""

import sys
import time
from types import TracebackType
from typing import Any

from chainrule.training.history import Row

REFRESH_SECONDS = 0.1


class ProgressLine:
    """A progress bar over `epochs`; a context manager. Without a terminal, or with show=False, it does nothing."""

    def __init__(self, epochs: int, done: int, show: bool) -> None:
        self._bar: Any = None
        self._last = 0.0
        self._done = done
        if show and sys.stderr.isatty():
            from rich.console import Console
            from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

            self._bar = Progress(
                TextColumn("epoch {task.fields[epoch]}/{task.total:.0f}"),
                BarColumn(bar_width=12),
                TextColumn("{task.fields[figures]}"),
                TimeRemainingColumn(elapsed_when_finished=True),
                console=Console(stderr=True),
            )
            self._task = self._bar.add_task("", total=epochs, completed=done, epoch=done, figures="")

    def batch(self, share: float) -> None:
        """`share` of the current epoch is done."""
        if self._bar is not None and time.monotonic() - self._last > REFRESH_SECONDS:
            self._last = time.monotonic()
            self._bar.update(self._task, completed=self._done + share, epoch=self._done + 1)

    def epoch(self, row: Row) -> None:
        """An epoch is over; `row` is its line of the history."""
        self._done = row["epoch"]
        if self._bar is not None:
            self._bar.update(self._task, completed=self._done, epoch=self._done, figures=_figures(row))

    def __enter__(self) -> "ProgressLine":
        if self._bar is not None:
            self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bar is not None:
            self._bar.stop()


def _figures(row: Row) -> str:
    """Training beside validation: "loss 0.1218 | 0.1182  acc 96.5 | 96.7 %"."""
    words = []
    for label, key, scale, form, unit in (("loss", "loss", 1, ".4f", ""), ("acc", "accuracy", 100, ".1f", " %")):
        values = [row[f"{part}_{key}"] for part in ("train", "validation") if f"{part}_{key}" in row]
        if values:
            words.append(f"{label} {' | '.join(format(scale * value, form) for value in values)}{unit}")
    return "  ".join(words)
