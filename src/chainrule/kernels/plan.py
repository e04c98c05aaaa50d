"""How a network lies in memory for the kernels: flat arrays of parameters and of workspace, and a table of places.

Widths, depth and activations are numbers in this table, so that one compilation serves every architecture. A weight
matrix (d, h) lies in panels of `panel` columns, panel after panel, each (d, panel) row by row and padded with zeros to
whole vectors; a tile then reads it from end to end.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from chainrule import optimizers, rules
from chainrule.errors import InputError
from chainrule.kernels.tiles import VECTORS, lanes, rounded_up
from chainrule.network import Network, Structure
from chainrule.optimizers import Optimizer
from chainrule.rules import Activation

Array = NDArray[Any]

# A layer of the network. weights, bias (β with batch normalisation), gamma (γ): where they begin in the parameters, and
# their gradients in the gradients; z, a, d, delta, n: where the rows of these values begin in the workspace, and
# transposed: where Wᵀ does; nonzero: the places of the inputs of a single sample that are not zero; mean,
# variance: of the batch; low: what stands behind the bias of the layer.
LAYER = np.dtype(
    [
        *((name, np.int64) for name in ("fan_in", "width", "padded", "activation", "normalised", "dropped")),
        *((name, np.int64) for name in ("weights", "bias", "gamma", "z", "a", "d", "delta", "n", "transposed")),
        *((name, np.int64) for name in ("nonzero", "mean", "variance", "dropped_below")),
        *((name, np.float64) for name in ("setting", "kept", "low")),
        ("rate", np.float32),
    ],
    align=True,
)

ACTIVATIONS = ("identity", "sigmoid", "tanh", "relu", "leaky_relu", "elu", "swish", "gelu", "softplus")
OUTPUTS = ("softmax", "sigmoid", "identity")
NARROW = 16  # units of a layer up to which samples may lie side by side
FEATURES = 64
METHODS = ("SGD", "Momentum", "Nesterov", "RMSprop", "Adam", "AdamW")


@dataclass(frozen=True)
class Plan:
    """layers: (L,) of LAYER; rows: samples that fit; the others but `output` are lengths in numbers."""

    layers: Array
    rows: int
    dtype: np.dtype[Any]
    output: int
    panel: int
    parameters: int
    workspace: int
    statistics: int
    dropped: int
    inputs: int


def make_plan(structure: Structure, rows: int, dtype: np.dtype[Any]) -> Plan:
    """The plan for up to `rows` samples at a time, of which whole vectors fit."""
    width = lanes(dtype.itemsize)
    rows = rounded_up.py_func(rows, width)
    layers = np.zeros(len(structure.layers), LAYER)
    parameters = workspace = statistics = dropped = inputs = 0
    for place, layer in zip(layers, structure.layers, strict=True):
        padded = rounded_up.py_func(layer.width, width)
        place["fan_in"], place["width"], place["padded"] = layer.fan_in, layer.width, padded
        place["normalised"], place["dropped"] = layer.batch_norm, layer.dropout > 0
        if layer.activation is not None:
            place["activation"], place["setting"] = _activation(layer.activation.name)
        place["kept"], place["rate"] = 1 / (1 - layer.dropout), layer.dropout
        place["weights"] = parameters
        place["bias"] = parameters + layer.fan_in * padded
        place["gamma"] = place["bias"] + padded
        parameters = int(place["gamma"]) + padded * layer.batch_norm
        for name in ("z", "a", "d", "delta", "n"):
            needed = {"d": layer.dropout > 0, "n": layer.batch_norm}.get(name, True)
            place[name] = workspace
            workspace += rows * padded * needed
        place["transposed"] = workspace
        workspace += layer.width * rounded_up.py_func(layer.fan_in, width) * (layer.index > 1)
        place["nonzero"], inputs = inputs, inputs + layer.fan_in + 1
        place["mean"], place["variance"] = statistics, statistics + padded
        statistics += 2 * padded * layer.batch_norm
        place["dropped_below"], dropped = dropped, dropped + layer.width * (layer.dropout > 0)
    output = OUTPUTS.index(structure.output.name)
    if structure.output.name == "softmax":
        layers[-1]["low"] = np.finfo(dtype).min / 2
    return Plan(layers, rows, dtype, output, VECTORS * width, parameters, workspace, statistics, dropped, inputs)


def is_narrow(plan: Plan) -> bool:
    """Whether layers are of so few units that vectors are better filled by samples (narrow.py)."""
    layers = plan.layers
    few = (layers["width"] <= NARROW).all() and (layers["padded"] <= plan.panel).all()
    return bool(few and layers["fan_in"][0] <= FEATURES and not plan.statistics and not plan.dropped)


def refusal(structure: Structure) -> str:
    """Why the kernels cannot run this network; "" where they can."""
    for layer in structure.layers:
        if layer.activation is not None and not _built_in(layer.activation):
            return f"the activation {layer.activation.name} of layer {layer.index} is not compiled"
    if structure.output.name not in OUTPUTS or not _same_code(
        structure.output, rules.output(structure.output.name), ("value", "losses", "delta", "encode")
    ):
        return f"the output {structure.output.name} is not compiled"
    return ""


def _built_in(rule: Activation) -> bool:
    """Whether a rule is one of ours, by more than its name."""
    if rule.name.split("(")[0] not in ACTIVATIONS:
        return False
    try:
        ours = rules.activation(rule.name)
    except InputError:
        return False
    return _same_code(rule, ours, ("value", "derivative"))


def _same_code(rule: Any, ours: Any, names: tuple[str, ...]) -> bool:
    pairs = [(getattr(rule, name), getattr(ours, name)) for name in names]
    return all(f is g or getattr(f, "__code__", f) is getattr(g, "__code__", g) for f, g in pairs)


def not_compiled(net: Network, optimizer: Optimizer) -> str:
    """Why the kernels cannot train this; "" where they can."""
    method = type(optimizer)
    own = method not in optimizers.METHODS.values() or method.__name__ not in METHODS
    return refusal(net.structure) or (f"the optimizer {method.__name__} is not compiled" if own else "")


def pack(plan: Plan, arrays: dict[str, Array], flat: Array) -> None:
    """Lay arrays named like parameters (W1, b1, …) into `flat`."""
    for name, columns, view in _places(plan, flat):
        view[...] = arrays[name][..., columns]


def lower_padding(plan: Plan, flat: Array) -> None:
    """Give the units that softmax has only in the memory logits so low that they do not count."""
    last = plan.layers[-1]
    flat[int(last["bias"]) :][int(last["width"]) : int(last["padded"])] = last["low"]


def unpack(plan: Plan, flat: Array, arrays: dict[str, Array]) -> None:
    """Read `flat` back into the arrays, in place."""
    for name, columns, view in _places(plan, flat):
        arrays[name][..., columns] = view


def _places(plan: Plan, flat: Array) -> Iterator[tuple[str, slice, Array]]:
    """For each parameter, panel by panel: its name, the columns, and a view of where these lie in `flat`."""
    for l, layer in enumerate(plan.layers, start=1):
        fan_in, width, padded = int(layer["fan_in"]), int(layer["width"]), int(layer["padded"])
        weights, bias, gamma = int(layer["weights"]), int(layer["bias"]), int(layer["gamma"])
        for start in range(0, padded, plan.panel):
            wide = min(plan.panel, padded - start)
            used = min(wide, width - start)
            panel = flat[weights + start * fan_in :][: wide * fan_in].reshape(fan_in, wide)
            yield f"W{l}", slice(start, start + used), panel[:, :used]
        yield f"beta{l}" if layer["normalised"] else f"b{l}", slice(None), flat[bias:][:width]
        if layer["normalised"]:
            yield f"gamma{l}", slice(None), flat[gamma:][:width]


def running_statistics(plan: Plan, flat: Array) -> Iterator[tuple[str, Array]]:
    """Name and view of each running mean and variance in `flat`."""
    for l, layer in enumerate(plan.layers, start=1):
        if layer["normalised"]:
            for name in ("mean", "variance"):
                yield f"{name}{l}", flat[int(layer[name]) :][: int(layer["width"])]


def _activation(name: str) -> tuple[int, float]:
    kind, _, setting = name.rstrip(")").partition("(")
    return ACTIVATIONS.index(kind), float(setting.partition("=")[2] or 0)
