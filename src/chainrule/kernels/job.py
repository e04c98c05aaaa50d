"""All that the kernels work on, as one record that every thread reads: addresses of arrays, and numbers."""

from typing import Any

import numpy as np

# Addresses. P, G, M, S: parameters, gradients, the optimiser's memory; ws: workspace; x: the data, and shift, scale: of
# the affine map for which they are read, gathered into `inputs`; T or labels: targets; order, starts, stops: batch b is
# the rows order[starts[b]] … order[stops[b] − 1] of the data; masks: uniform numbers for dropout; row_losses: of each
# row; sums: room of each layer for Σ‖W‖²; unit, zeros: a one, and a row of zeros; spoiled: of each thread, the batch
# with a logit that is not finite.
ADDRESSES = (
    *("layers", "program", "P", "G", "M", "S", "ws", "statistics", "running", "x", "shift", "scale", "inputs", "T"),
    *(
        "labels",
        "sample_weights",
        "iota",
        "nonzero",
        "order",
        "starts",
        "stops",
        "masks",
        "rates",
        "l2",
        "losses",
        "penalties",
    ),
    *("row_losses", "sums", "unit", "zeros", "spoiled", "barrier", "give_way", "logits"),
)
# Numbers. raw: of which type the data are, see RAW; row_step: numbers between two rows of the data; piece: the greatest
# number of rows that is taken through the network at a time; single: one sample is one step without a gradient matrix;
# taken: steps before this call; chunked: gradients are summed chunk by chunk (epochs.py).
COUNTS = (
    *("itemsize", "panel", "depth", "batches", "stages", "piece", "threads", "raw", "row_step", "features", "outputs"),
    *("output", "method", "taken", "recorded", "single", "dropped", "predicting", "rows", "parameters", "chunked"),
)
SETTINGS = ("clip", "first", "second", "epsilon", "weight_decay")

RAW = {"": 0, "uint8": 1, "float32": 2, "float64": 3}  # "": the network's own type, read where it lies


def job_type(dtype: np.dtype[Any]) -> np.dtype[Any]:
    """The record for networks of `dtype`; its field `one` is the number 1 in that type."""
    return np.dtype(
        [
            *((name, np.int64) for name in (*ADDRESSES, *COUNTS)),
            *((name, np.float64) for name in SETTINGS),
            ("one", dtype),
        ],
        align=True,
    )
