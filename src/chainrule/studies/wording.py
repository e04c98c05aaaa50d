"""Numbers as the pages of the studies write them."""

from collections.abc import Sequence

import numpy as np


def mean_sd(values: Sequence[float], places: int = 2) -> str:
    """Mean ± standard deviation (n − 1); the value alone where there is one, a dash where there is none."""
    if not len(values):
        return "–"
    mean = f"{np.mean(values):.{places}f}"
    return f"{mean} ± {np.std(values, ddof=1):.{places}f}" if len(values) > 1 else mean


def difference(ours: float, theirs: float, places: int = 2) -> str:
    """Ours minus theirs, with its sign."""
    return f"{ours - theirs:+.{places}f}".replace("-", "−")


def counted(epochs: int) -> str:
    """So many epochs."""
    return f"{epochs:,} epoch{'s' * (epochs != 1)}"
