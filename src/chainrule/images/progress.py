"""A line that lives while images are worked through: how many, and the time left. Silent where nobody watches."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def counted(title: str, total: int | None, wanted: bool, done: int = 0) -> Iterator[Callable[[int], None]]:
    """A bar over `total` images (None: of unknown length); what is given is called with how many more are done."""
    if not (wanted and sys.stderr.isatty()):
        yield lambda more: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    count = (MofNCompleteColumn(), TextColumn("images")) if total is not None else ()
    left = TimeRemainingColumn(elapsed_when_finished=True)
    with Progress(TextColumn(title), BarColumn(), *count, left, console=Console(stderr=True)) as bar:
        task = bar.add_task("", total=total, completed=done)
        yield lambda more: bar.advance(task, more)
