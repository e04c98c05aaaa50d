"""Predictions for many rows through the kernels."""

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from chainrule.data import Prepared
from chainrule.kernels.loading import run_job, threads_for
from chainrule.kernels.memory import PIECE, Memory
from chainrule.kernels.plan import lower_padding, make_plan, pack, running_statistics
from chainrule.network import Network

Array = NDArray[Any]


def predict(net: Network, X: Array | Prepared, values: bool) -> tuple[Array, bool]:
    """ZL (m, K) of inputs X in inference mode, or the output's values AL; and whether X is surely finite."""
    structure = net.structure
    layers = tuple(replace(layer, dropout=0.0) for layer in structure.layers)
    rows = min(len(X), PIECE)
    plan = make_plan(replace(structure, layers=layers), rows, net.dtype)
    memory = Memory(plan, rows, threads_for(rows, rows * sum(layer.fan_in * layer.width for layer in layers)))
    memory.put_samples(X)
    memory.put("order", np.arange(len(X)))
    pack(plan, net.parameters(), memory["P"])
    lower_padding(plan, memory["P"])
    for name, view in running_statistics(plan, memory["running"]):
        view[:] = net.statistics()[name]
    answers: Array = np.empty((len(X), net.layers[-1]), net.dtype)
    memory.put("answers", answers)
    memory.set(predicting=1, wants_values=values, rows=len(X))
    return answers, run_job(memory) < 0
