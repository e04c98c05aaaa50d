"""All that the kernels work on, in one tuple."""

from typing import Any, NamedTuple


class Job(NamedTuple):
    """layers … iota: the network, its memory and the data; see plan.py. order … l2: what is to be done; batch b is the
    rows order[bounds[b]] … order[bounds[b + 1] − 1] of the data.

    factors, row_losses: weight and loss of each row of the batch; fine: one cache line a thread, 0 where a logit is not
    finite; now: settings of the present step, see update.py.
    """

    layers: Any
    settings: Any
    drop: Any
    program: Any
    P: Any
    G: Any
    M: Any
    S: Any
    ws: Any
    statistics: Any
    running: Any
    x: Any
    T: Any
    weights: Any
    iota: Any
    order: Any
    bounds: Any
    masks: Any
    rates: Any
    l2: Any
    hyper: Any
    losses: Any
    penalties: Any
    factors: Any
    row_losses: Any
    fine: Any
    now: Any
    output: Any
    method: Any
    taken: Any
    threads: Any
    clip: Any
    recorded: Any
