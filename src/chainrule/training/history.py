"""What happened in training, as plain data: one dictionary for each epoch that was looked at."""

from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass, field
from html import escape
from operator import itemgetter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from chainrule.errors import unknown_name

Row = dict[str, Any]


@dataclass
class History:
    """The course of one training.

    rows          one dictionary an epoch, or one every `curve_every` epochs and one for the last: epoch (from 1),
                  learning_rate (of the last step), and, measured at the fixed weights of the epoch's end, loss and
                  accuracy of the parts, as far as they were asked for: train_loss, train_accuracy, validation_loss, …,
                  test_accuracy; losses are means over the samples, without the L2 term. With `record_layers` some rows
                  have "layers", see `training.layers.sizes`
    seconds       for each row the time since the row before, measuring included; the mean of a block where several
                  epochs with rows ran in one go
    batch_losses  on request, for each epoch the loss of every batch before its update
    engine        which engine ran
    stopped       why training ended: "epochs", "early stopping", "callback", "interrupted", "diverged"
    best_epoch    the epoch whose weights the network has, where early stopping restored them
    epochs        how many were trained; also `len(history)`
    """

    engine: str = "reference"
    rows: list[Row] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)
    batch_losses: list[NDArray[np.float64]] = field(default_factory=list)
    stopped: str = ""
    best_epoch: int | None = None
    epochs: int = 0

    def append(self, row: Row, seconds: float) -> None:
        """Add the row of the epoch that was trained last."""
        self.rows.append({"epoch": self.epochs, **row})
        self.seconds.append(seconds)

    def rows_until(self, epoch: int) -> int:
        """How many rows there are up to `epoch`."""
        return bisect_right(self.rows, epoch, key=itemgetter("epoch"))

    def cut(self, epochs: int) -> None:
        """Keep the first `epochs` alone."""
        rows = self.rows_until(epochs)
        del self.rows[rows:], self.seconds[rows:], self.batch_losses[epochs:]
        self.epochs = epochs

    def __len__(self) -> int:
        return self.epochs

    def __getitem__(self, name: str) -> NDArray[np.float64]:
        """One column over the rows, such as history["validation_loss"]."""
        columns = self._columns()
        if name not in columns:
            raise unknown_name("column of the history", name, columns)
        return np.array([row[name] for row in self.rows], dtype=np.float64)

    def __repr__(self) -> str:
        last = ", ".join(_cell(key, self.rows[-1][key]) for key in self._columns()) if self.rows else "no epoch"
        return f"History({len(self)} epochs, {self.engine} engine, ended by {self.stopped or 'nothing yet'}; {last})"

    def _repr_html_(self) -> str:
        if not self.rows:
            return f"<p>{escape(repr(self))}</p>"
        rows, columns = [[row[key] for key in self._columns()] for row in self.rows], self._columns()
        first, last = (rows, []) if len(rows) <= 20 else (rows[:10], rows[-10:])
        gap = f"<tr><td colspan={len(columns)}>… {len(rows) - 20} rows …</td></tr>" if last else ""
        head = "".join(f"<th>{escape(key.replace('_', ' '))}</th>" for key in columns)
        body = gap.join("".join(map(_html_row, part)) for part in (first, last))
        return f"<table><caption>{escape(repr(self))}</caption><tr>{head}</tr>{body}</table>"

    def _columns(self) -> list[str]:
        """The numbers of every row."""
        return [key for key in self.rows[0] if key != "layers"] if self.rows else []


def _html_row(values: Iterable[Any]) -> str:
    return "<tr>" + "".join(f"<td>{value:.5g}</td>" for value in values) + "</tr>"


def _cell(key: str, value: float) -> str:
    return f"{key.replace('_', ' ')} {value:.4g}"
