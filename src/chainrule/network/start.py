"""The first parameters of a network: drawn layer by layer from one stream, or given by the user."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from chainrule import rules
from chainrule.errors import InputError, shown
from chainrule.network.passes import Layer
from chainrule.randomness import generator as stream

Array = NDArray[Any]
Init = str | rules.Initializer | Mapping[str, ArrayLike] | Sequence[str | rules.Initializer | ArrayLike]


def first_parameters(layers: Sequence[Layer], init: Init, dtype: np.dtype[Any], seed: int) -> dict[str, Array]:
    """Parameters by name for `layers`; raises InputError where a given array has no place or another shape."""
    draws = stream(seed, "init")
    given: Mapping[str, ArrayLike] = init if isinstance(init, Mapping) else {}
    starts: Sequence[Any] = ["auto"] * len(layers) if isinstance(init, Mapping) else _starts(init, len(layers))
    parameters: dict[str, Array] = {}
    for layer, start in zip(layers, starts, strict=True):
        for name, shape in layer.shapes().items():
            if name in given:
                first = _numbers(name, given[name])
            elif name[0] == "W":
                first = _first_weights(layer, start, draws)
            else:
                first = np.full(shape, 1.0 if name.startswith("gamma") else 0.0)
            if first.shape != shape:
                raise InputError(
                    f"layer {layer.index}: {name} is given as {first.shape} but must be {shape}",
                    "Weights are (units below, units of the layer); biases are (units,).",
                )
            parameters[name] = np.array(first, dtype=dtype, order="C")
    for name in given:
        if name not in parameters:
            raise InputError(f"init names {name!r}, which is no parameter", f"There are {', '.join(parameters)}.")
    return parameters


def _first_weights(layer: Layer, start: Any, draws: np.random.Generator) -> Array:
    if not isinstance(start, str | rules.Initializer):
        return _numbers(f"W{layer.index}", start)
    if start == "auto":
        relatives = ("relu", "leaky_relu", "elu", "swish", "gelu", "softplus")
        name = layer.activation.name.split("(")[0] if layer.activation else ""
        start = "he" if name in relatives else "xavier"
    return rules.initializer(start).draw(draws, layer.fan_in, layer.width)


def _numbers(name: str, values: ArrayLike) -> Array:
    array = np.asarray(values)
    if array.dtype.kind not in "iuf" or not np.isfinite(array).all():
        raise InputError(f"{name} is given as {shown(values)}", "Give an array of finite numbers.")
    return array


def _starts(init: Any, depth: int) -> Sequence[Any]:
    if isinstance(init, str | rules.Initializer):
        return [init] * depth
    if not isinstance(init, Sequence | np.ndarray):
        raise InputError(f"init is {shown(init)}", 'Give a name such as "xavier", one entry a layer, or {"W1": array}.')
    if len(init) != depth:
        raise InputError(f"init has {len(init)} entries for {depth} layers", "Give one, or one a layer.")
    return list(init)
