"""When a value stops being finite: which one, where, and what probably drove it there."""

from collections.abc import Mapping
from string import ascii_letters
from typing import Any

import numpy as np
from numpy.typing import NDArray

from chainrule.errors import DivergedError
from chainrule.network import Network, forward_pass

Array = NDArray[Any]


def diverged(net: Network, X: Array, T: Array, epoch: int, batch: int, batches: int, rate: float) -> DivergedError:
    """The error for a batch (X, T) on which `net` gives something that is not finite; epoch and batch count from 1."""
    values = forward_pass(net.structure, net.parameters(), net.statistics(), X)
    what = _first_bad({**net.parameters(), **values})
    return DivergedError(
        f"{what} is no longer finite in epoch {epoch}, batch {batch} of {batches}",
        f"{_cause(X, T, net, rate)} The weights of {'the start' if epoch == 1 else f'epoch {epoch - 1}'} are kept.",
    )


def _first_bad(quantities: Mapping[str, Array]) -> str:
    """The non-finite quantity nearest to the input, a parameter before the values that it spoiled; else the loss."""
    bad = [name for name, value in quantities.items() if not np.isfinite(value).all()]
    if not bad:
        return "the loss"
    layer, first = min((int(name.lstrip(ascii_letters)), place, name) for place, name in enumerate(bad))[::2]
    return f"layer {layer}: {first}"


def _cause(X: Array, T: Array, net: Network, rate: float) -> str:
    reach = float(np.abs(X).max())
    if reach > 50:
        return f"The input reaches {reach:.3g}: scale it (preprocessing scale or standardise)."
    reach = float(np.abs(T).max())
    if net.output.task == "regression" and reach > 50:
        return f"The targets reach {reach:.3g}: scale them to about 1."
    return f"The learning rate {rate:g} is probably too high: try {rate / 10:g}, or clip the gradients."
