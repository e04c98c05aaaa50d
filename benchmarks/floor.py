"""The least time of an epoch: its multiplications and additions at the machine's ceiling, its input read once."""

from itertools import pairwise

from works import Work

FORWARD, WEIGHT_GRADIENT, INPUT_GRADIENT = 1, 1, 1  # passes of a layer, each a product of 2·m·d·h operations


def operations(work: Work, nonzero: float = 1.0) -> float:
    """Floating-point operations of an epoch; the first layer passes nothing back.

    nonzero  share of the inputs that are not zero: with one sample at a time the others need neither be multiplied
             nor be updated
    """
    share = nonzero if work.batch == 1 else 1.0
    first, *others = (2.0 * work.m * d * h for d, h in pairwise(work.widths))
    return first * share * (FORWARD + WEIGHT_GRADIENT) + sum(others) * (FORWARD + WEIGHT_GRADIENT + INPUT_GRADIENT)


def input_bytes(work: Work) -> int:
    """Bytes of X (m, d) in float32."""
    return 4 * work.m * work.widths[0]


def seconds(work: Work, gflops: float, gbytes: float, nonzero: float = 1.0) -> tuple[float, float]:
    """What the operations take at `gflops` GFLOP/s and what the bytes take at `gbytes` GB/s; the floor is the greater.

    Activations, the loss, the update and the drawing of the order are not counted.
    """
    return operations(work, nonzero) / gflops / 1e9, input_bytes(work) / gbytes / 1e9
