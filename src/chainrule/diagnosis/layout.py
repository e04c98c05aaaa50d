"""From the user's own shapes to ours: rows are samples, W is (fan_in, fan_out), b is (fan_out,)."""

from dataclasses import dataclass

import numpy as np

from chainrule.diagnosis.agreement import Array
from chainrule.diagnosis.observation import Interface


@dataclass(frozen=True)
class Held:
    """A gradient as the user holds it.

    value   in our shape; None where it has another size than the parameter
    raw     as it came
    fault   "" or how its shape does not fit the parameter: "transposed", "collapsed" (a single number), "spread" (one
            a sample), "unsummed" (a row a sample), "shape" (anything else)
    """

    value: Array | None
    raw: Array
    fault: str = ""


def as_samples(value: Array, m: int, width: int, layout: str) -> Array | None:
    """`value` as (m, width), or None where its shape cannot be that."""
    if value.shape == (m, width) and not (m == width and layout == "column"):
        return value
    if value.shape == (width, m):
        return value.T
    if value.size == m * width and 1 in (m, width) and value.ndim <= 3:
        return value.reshape(m, width)
    return None


def as_weights(name: str, value: Array, shape: tuple[int, ...], interface: Interface) -> Held:
    """The gradient of a weight matrix of our `shape`."""
    turned = interface.weights == "(out, in)"
    if sorted(interface.shapes.get(name, ())) == sorted(shape) and shape[0] != shape[1]:
        turned = interface.shapes[name] != shape
    theirs = shape[::-1] if turned else shape
    if value.shape == theirs:
        return Held(value.T if turned else value, value)
    if value.shape == theirs[::-1]:
        return Held(value if turned else value.T, value, "transposed")
    if value.size == int(np.prod(shape)) and 1 in shape:
        return Held(value.reshape(shape), value)
    return Held(None, value, "collapsed" if value.size == 1 else "shape")


def as_bias(name: str, value: Array, width: int, m: int, interface: Interface) -> Held:
    """The gradient of a bias of `width` units."""
    theirs: tuple[int, ...] = {"(1, h)": (1, width), "(h, 1)": (width, 1)}.get(interface.bias, (width,))
    theirs = interface.shapes.get(name, theirs)
    if int(np.prod(theirs)) != width:  # an extra row or column of the weights
        theirs = (width,)
    if value.size == width:
        grown = int(np.prod(np.broadcast_shapes(theirs, value.shape)))
        return Held(value.reshape(width), value, "" if grown == width else "transposed")
    if value.size == 1:
        return Held(None, value, "collapsed")
    if value.size == m:
        return Held(None, value, "spread")
    if value.size == m * width:
        return Held(None, value, "unsummed")
    return Held(None, value, "shape")
