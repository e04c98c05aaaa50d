"""Ten lines by which anybody's code can be taken in: four functions of fixed names, filled with what was recognised.

An adapter is a file of its own beside the code. It is an interface like any other: `initialise(d, h, K)` gives the
parameters, `forward(X, params)` the output, `loss(output, Y)` a number, `backward(X, Y, params)` the gradients by the
names of the parameters.
"""

from chainrule.diagnosis.recognition import Function, Inventory
from chainrule.diagnosis.source import Source
from chainrule.diagnosis.trying import Attempt


def adapter(source: Source, found: Inventory, best: Attempt | None = None) -> str:
    """The template for this file, with its own functions where they were recognised and `...` where not."""
    module = source.path.stem if source.path.stem.isidentifier() else "my_code"
    plan = best.trial.plan if best is not None else None
    names = [function.qualified for function in found.all() if not function.name.startswith("_")][:6]
    forward = _call(plan.forward if plan else None, "the output of your forward pass, a row a sample")
    loss = _call(
        plan.losses[0] if plan and plan.losses else None, "one number; leave the function out if you have no loss"
    )
    backward = _call(plan.backward if plan else None, "what your backward pass gives, one entry a parameter")
    return f'''\
"""Adapter of {source.path.name} for `chainrule check`: fill in the dots, then check this file."""
import numpy as np
import {module} as mine  # has {", ".join(names) or "no functions"}

def initialise(d, h, K):  # rows of X are samples; W1 is (d, h), b1 (h,): use your own shapes
    return {{"W1": np.random.randn(d, h), "b1": np.zeros(h), "W2": np.random.randn(h, K), "b2": np.zeros(K)}}

def forward(X, params):
    return {forward}

def loss(output, Y):  # Y is one-hot, (m, K)
    return {loss}

def backward(X, Y, params):
    return {{"W1": ..., "b1": ..., "W2": ..., "b2": ...}}  # {backward}
'''


def _call(function: Function | None, what: str) -> str:
    if function is None:
        return f"...  # {what}"
    owner = f"{function.owner}." if function.owner else ""
    return f"mine.{owner}{function.name}({', '.join(function.arguments)})  # {what}"
