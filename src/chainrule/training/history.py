"""What happened in training, as plain data: one dictionary an epoch."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from html import escape
from typing import Any

import numpy as np
from numpy.typing import NDArray

from chainrule.errors import unknown_name

Row = dict[str, Any]


@dataclass
class History:
    """The course of one training.

    rows          one dictionary an epoch: epoch (from 1), learning_rate (of the last step), and, measured at the fixed
                  weights of the epoch's end, train_loss, train_accuracy, validation_loss, validation_accuracy as far
                  as they were asked for; losses are means over the samples, without the L2 term
    seconds       time of each epoch, measuring included; the mean of a block where several ran in one go
    batch_losses  on request, for each epoch the loss of every batch before its update
    engine        which engine ran
    stopped       why training ended: "epochs", "early stopping", "callback", "interrupted", "diverged"
    best_epoch    the epoch whose weights the network has, where early stopping restored them
    """

    engine: str = "reference"
    rows: list[Row] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)
    batch_losses: list[NDArray[np.float64]] = field(default_factory=list)
    stopped: str = ""
    best_epoch: int | None = None

    def append(self, row: Row, seconds: float, losses: NDArray[np.float64] | None) -> None:
        """Add the next epoch."""
        self.rows.append({"epoch": len(self) + 1, **row})
        self.seconds.append(seconds)
        if losses is not None:
            self.batch_losses.append(losses)

    def cut(self, epochs: int) -> None:
        """Keep the first `epochs` alone."""
        del self.rows[epochs:], self.seconds[epochs:], self.batch_losses[epochs:]

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, name: str) -> NDArray[np.float64]:
        """One column over the epochs, such as history["validation_loss"]."""
        if not self.rows or name not in self.rows[0]:
            raise unknown_name("column of the history", name, self.rows[0] if self.rows else ())
        return np.array([row[name] for row in self.rows], dtype=np.float64)

    def __repr__(self) -> str:
        last = ", ".join(_cell(key, value) for key, value in self.rows[-1].items()) if self.rows else "no epoch"
        return f"History({len(self)} epochs, {self.engine} engine, ended by {self.stopped or 'nothing yet'}; {last})"

    def _repr_html_(self) -> str:
        if not self.rows:
            return f"<p>{escape(repr(self))}</p>"
        first, last = (self.rows, []) if len(self) <= 20 else (self.rows[:10], self.rows[-10:])
        gap = f"<tr><td colspan={len(self.rows[0])}>… {len(self) - 20} epochs …</td></tr>" if last else ""
        head = "".join(f"<th>{escape(key.replace('_', ' '))}</th>" for key in self.rows[0])
        body = gap.join("".join(_html_row(row.values()) for row in rows) for rows in (first, last))
        return f"<table><caption>{escape(repr(self))}</caption><tr>{head}</tr>{body}</table>"


def _html_row(values: Iterable[Any]) -> str:
    return "<tr>" + "".join(f"<td>{value:.5g}</td>" for value in values) + "</tr>"


def _cell(key: str, value: float) -> str:
    return f"{key.replace('_', ' ')} {value:.4g}"
