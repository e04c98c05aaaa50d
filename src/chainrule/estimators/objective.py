"""The loss of the data as scikit-learn reports it: its squared error is a mean over the outputs, ours is a sum."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from chainrule.rules import Output

Array = NDArray[Any]


def loss_share(output: Output, K: int) -> float:
    """What scikit-learn's loss of a sample is of ours: 1/K for the squared error of K outputs, else all of it."""
    return 1 / K if output.name == "identity" else 1.0


def data_loss(output: Output, Z: Array, T: Array, sample_weight: Array | None) -> float:
    """Weighted mean loss of logits Z (m, K) for targets T, in scikit-learn's scale and without the L2 term."""
    losses = output.losses(Z, T).astype(np.float64)
    return loss_share(output, T.shape[1]) * float(np.average(losses, weights=sample_weight))
