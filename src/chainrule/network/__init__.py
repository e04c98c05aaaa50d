"""The network: its passes in matrices, its parameters, and what one asks of it."""

from chainrule.network.model import Gradients, Network, Trace, correct, count, penalty, refuse_non_finite
from chainrule.network.passes import Layer, Structure, backward_pass, forward_pass

__all__ = [
    "Gradients",
    "Layer",
    "Network",
    "Structure",
    "Trace",
    "backward_pass",
    "correct",
    "count",
    "forward_pass",
    "penalty",
    "refuse_non_finite",
]
