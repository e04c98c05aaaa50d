"""The first weights as scikit-learn draws them, so that one `random_state` gives both libraries the same start."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from chainrule import rules
from chainrule.rules import Activation

Array = NDArray[Any]


def first_weights(
    widths: Sequence[int], activations: Sequence[str | Activation], dtype: np.dtype[Any], draws: np.random.RandomState
) -> tuple[list[Array], list[Array]]:
    """W (d, h) and b (h,) of each layer, uniform on ±√(6 / (d + h)), or ±√(2 / (d + h)) beside the logistic function.

    Glorot, Bengio 2010, equation 16; the biases are drawn too. The output layer goes with the last hidden one.
    """
    weights, biases = [], []
    for l, (d, h) in enumerate(pairwise(widths)):
        beside = rules.activation(activations[min(l, len(activations) - 1)]).name if activations else ""
        bound = np.sqrt((2 if beside == "sigmoid" else 6) / (d + h))
        weights.append(draws.uniform(-bound, bound, (d, h)).astype(dtype, copy=False))
        biases.append(draws.uniform(-bound, bound, h).astype(dtype, copy=False))
    return weights, biases
