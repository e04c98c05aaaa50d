"""The rules of the game, each once: activations, output/loss pairs, initialisers."""

from chainrule.rules.activations import Activation
from chainrule.rules.initializers import Initializer
from chainrule.rules.one_hot import OneHot
from chainrule.rules.outputs import Output
from chainrule.rules.registry import (
    ACTIVATIONS,
    INITIALIZERS,
    OUTPUTS,
    activation,
    initializer,
    output,
    register,
)

__all__ = [
    "ACTIVATIONS",
    "INITIALIZERS",
    "OUTPUTS",
    "Activation",
    "Initializer",
    "OneHot",
    "Output",
    "activation",
    "initializer",
    "output",
    "register",
]
