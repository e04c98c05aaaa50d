"""How a network lies in memory for the kernels: one flat array of parameters, one of workspace, and a table of offsets.

Widths, depth and activations are numbers in this table, so that one compilation serves every architecture. A weight
matrix (d, h) lies in panels of `panel` columns, panel after panel, each (d, panel) row by row and padded with zeros to
whole vectors; a tile then reads it from end to end.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from chainrule.kernels.tiles import VECTORS, lanes
from chainrule.network import Structure

Array = NDArray[Any]

# Columns of the table of layers: sizes, kinds, offsets of parameters, offsets in the workspace.
(
    FAN_IN,
    WIDTH,
    PADDED,
    ACTIVATION,
    NORMALISED,
    DROPPED,
    WEIGHTS,
    BIAS,
    SCALE,
    Z,
    A,
    D,
    DELTA,
    N,
    MEAN,
    VARIANCE,
    TRANSPOSED,
) = range(17)

ACTIVATIONS = ("identity", "sigmoid", "tanh", "relu", "leaky_relu", "elu", "swish", "gelu", "softplus")
OUTPUTS = ("softmax", "sigmoid", "identity")


@dataclass(frozen=True)
class Plan:
    """layers: (L, 17) int64, see the columns above; settings: (L, 2), the activation's setting and 1/(1 − dropout)."""

    layers: NDArray[np.int64]
    settings: Array
    rates: Array
    output: int
    panel: int
    parameters: int
    workspace: int
    statistics: int


def make_plan(structure: Structure, rows: int, dtype: np.dtype[Any]) -> Plan:
    """The plan for batches of up to `rows` samples."""
    width = lanes(dtype.itemsize)
    layers = np.zeros((len(structure.layers), 17), np.int64)
    settings = np.zeros((len(structure.layers), 2), dtype)
    parameters = workspace = statistics = 0
    for row, setting, layer in zip(layers, settings, structure.layers, strict=True):
        padded = -(-layer.width // width) * width
        row[[FAN_IN, WIDTH, PADDED]] = layer.fan_in, layer.width, padded
        row[NORMALISED], row[DROPPED] = layer.batch_norm, layer.dropout > 0
        if layer.activation is not None:
            row[ACTIVATION], setting[0] = _activation(layer.activation.name)
        setting[1] = 1 / (1 - layer.dropout)
        row[WEIGHTS], row[BIAS] = parameters, parameters + layer.fan_in * padded
        row[SCALE] = row[BIAS] + padded
        parameters = row[SCALE] + padded * layer.batch_norm
        for column in (Z, A, D, DELTA, N):
            row[column] = workspace
            workspace += rows * padded
        row[TRANSPOSED] = workspace
        workspace += layer.width * (-(-layer.fan_in // width) * width)
        row[MEAN], row[VARIANCE] = statistics, statistics + padded
        statistics += 2 * padded * layer.batch_norm
    rates = np.array([layer.dropout for layer in structure.layers], np.float32)
    output = OUTPUTS.index(structure.output.name)
    return Plan(
        layers, settings, rates, output, VECTORS * width, int(parameters), int(workspace), max(1, int(statistics))
    )


def refusal(structure: Structure) -> str:
    """Why the kernels cannot run this network; "" where they can."""
    for layer in structure.layers:
        if layer.activation is not None and layer.activation.name.split("(")[0] not in ACTIVATIONS:
            return f"the activation {layer.activation.name} of layer {layer.index} is not compiled"
    if structure.output.name not in OUTPUTS:
        return f"the output {structure.output.name} is not compiled"
    return ""


def pack(plan: Plan, arrays: dict[str, Array], flat: Array) -> None:
    """Lay arrays named like parameters (W1, b1, …) into `flat`."""
    for l, row in enumerate(plan.layers, start=1):
        W = arrays[f"W{l}"]
        for start, view in _panels(plan, row, flat):
            view[:, : W.shape[1] - start] = W[:, start : start + view.shape[1]]
        for name, view in _vectors(row, l, flat):
            view[:] = arrays[name]


def unpack(plan: Plan, flat: Array, arrays: dict[str, Array]) -> None:
    """Read `flat` back into the arrays, in place."""
    for l, row in enumerate(plan.layers, start=1):
        W = arrays[f"W{l}"]
        for start, view in _panels(plan, row, flat):
            W[:, start : start + view.shape[1]] = view[:, : W.shape[1] - start]
        for name, view in _vectors(row, l, flat):
            arrays[name][:] = view


def pack_transposed(plan: Plan, arrays: dict[str, Array], workspace: Array) -> None:
    """Lay the transposed weights of layers 2 … L into the workspace, in panels like the weights."""
    for l, row in enumerate(plan.layers[1:], start=2):
        W, offset = arrays[f"W{l}"], int(row[TRANSPOSED])
        fan_in, width = int(row[FAN_IN]), int(row[WIDTH])
        padded = -(-fan_in // lanes(workspace.itemsize)) * lanes(workspace.itemsize)
        for start in range(0, padded, plan.panel):
            wide = min(plan.panel, padded - start)
            view = workspace[offset + start * width :][: wide * width].reshape(width, wide)
            view[:, : fan_in - start] = W[start : start + wide].T


def _panels(plan: Plan, row: Array, flat: Array) -> Any:
    fan_in, padded = int(row[FAN_IN]), int(row[PADDED])
    for start in range(0, padded, plan.panel):
        wide = min(plan.panel, padded - start)
        yield start, flat[int(row[WEIGHTS]) + start * fan_in :][: wide * fan_in].reshape(fan_in, wide)


def _vectors(row: Array, l: int, flat: Array) -> Any:
    width = int(row[WIDTH])
    yield f"beta{l}" if row[NORMALISED] else f"b{l}", flat[int(row[BIAS]) :][:width]
    if row[NORMALISED]:
        yield f"gamma{l}", flat[int(row[SCALE]) :][:width]


def _activation(name: str) -> tuple[int, float]:
    kind, _, setting = name.rstrip(")").partition("(")
    return ACTIVATIONS.index(kind), float(setting.partition("=")[2] or 0)
