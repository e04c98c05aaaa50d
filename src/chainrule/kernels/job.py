"""All that the kernels work on, as one record that every thread reads: addresses of arrays, and numbers."""

from typing import Any

import numpy as np

ADDRESSES = {
    "layers": "a record of each layer (plan.py)",
    "program": "the stages of a piece and their layers (epochs.py)",
    "P": "parameters",
    "G": "gradients of the batch, then those of each chunk of a piece",
    "M": "the optimiser's memory",
    "S": "its second memory",
    "ws": "workspace: what a pass computes",
    "statistics": "mean and variance of the batch",
    "running": "running mean and variance",
    "x": "the data",
    "shift": "of each feature, taken from the data as they are read",
    "scale": "of each feature, by which they are multiplied then",
    "inputs": "rows of the data that were read so",
    "columns": "the inputs of a piece feature after feature (narrow.py)",
    "margins": "three numbers of each sample of a piece (narrow.py)",
    "T": "targets, a row of each sample; 0 where there are labels",
    "labels": "the class of each sample; 0 where there are none",
    "sample_weights": "of each sample; 0 where all weigh the same",
    "order": "row numbers of the data",
    "starts": "where each batch begins in the order",
    "stops": "and where it ends",
    "rates": "the learning rate of each batch",
    "l2": "its λ",
    "masks": "uniform numbers for dropout",
    "losses": "of each batch, where they are recorded",
    "penalties": "likewise",
    "row_losses": "of each row of a piece",
    "sums": "room of each layer for Σ‖W‖²",
    "answers": "what a prediction gives",
    "iota": "0, 1, 2, …",
    "ones": "a row of them",
    "zeros": "a row of them",
    "nonzero": "the places of the inputs of a single sample that are not zero",
    "spoiled": "of each thread, the batch with a logit that is not finite",
    "barrier": "where the threads wait for each other",
    "give_way": "the system's function that lets another thread run",
}
COUNTS = {
    "itemsize": "bytes of a number",
    "panel": "columns of a whole panel of weights",
    "depth": "layers",
    "parameters": "their numbers, padding included",
    "features": "columns of the data",
    "outputs": "units of the last layer",
    "output": "its rule (plan.OUTPUTS)",
    "method": "the optimiser's (plan.METHODS)",
    "batches": "of this call",
    "stages": "of the program",
    "piece": "the greatest number of rows that go through the network at a time",
    "threads": "that share the job",
    "raw": "of which type the data are, see RAW",
    "row_step": "numbers between two rows of the data",
    "rows": "of the data, in a prediction",
    "dropped": "uniform numbers a sample",
    "taken": "steps before this call",
    "margin": "numbers in each of the three margins",
    "recorded": "whether losses are",
    "single": "whether one sample is one step without a gradient matrix (single.py)",
    "chunked": "whether gradients are summed chunk by chunk (epochs.py)",
    "narrow": "whether samples lie side by side (narrow.py)",
    "predicting": "whether this is a prediction",
    "wants_values": "of the output, instead of its logits",
}
SETTINGS = {
    "clip": "the greatest norm of the gradients; 0 for none",
    "first": "momentum, decay or β₁",
    "second": "β₂",
    "epsilon": "ε",
    "weight_decay": "of AdamW",
}

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
