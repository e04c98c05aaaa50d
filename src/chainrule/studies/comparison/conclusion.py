"""One sentence about a comparison that says what its intervals support, and no more."""

from collections.abc import Mapping

from chainrule.statistics import Interval

WORDS = {1: "higher", -1: "lower"}


def conclude(first: str, second: str, difference: Mapping[str, Interval], runs: int, samples: int) -> str:
    """The conclusion from the intervals of accuracy(second) − accuracy(first), by what was held equal.

    "Higher" and "lower" are said only where the whole interval lies on that side of 0; elsewhere, that no difference
    was seen, and what the interval leaves open. That it depends on what is held equal is said only where the intervals
    lie on opposite sides: one that excludes 0 beside one that does not shows no such thing.
    """
    sides = {found.side for found in difference.values()}
    extent = f"{runs} pairs of runs on {samples:,} test images"
    if sides == {0}:
        left = " and ".join(f"{_limits(found)} points at equal {held}" for held, found in difference.items())
        return (
            f"In {extent} no difference was seen between training on the {first} and on the {second} features; "
            f"the 95 % intervals leave open {left}."
        )
    joined = ", but " if {1, -1} <= sides else ", " if 0 in sides else " and "
    told = joined.join(_clause(held, found) for held, found in difference.items())
    depends = "what is held equal decides: " if {1, -1} <= sides else ""
    subject = f"trained on the {second} instead of the {first} features, the network's test accuracy is"
    return f"In {extent}, {depends}{subject} {told}."


def points(share: float) -> str:
    """A difference of shares in percentage points, with its sign."""
    return f"{share * 100:+.2f}".replace("-", "−")


def _clause(held: str, found: Interval) -> str:
    if not found.side:
        return f"not seen to differ at equal {held} (95 % interval {_limits(found)})"
    amount = f"{abs(found.estimate) * 100:.2f} points {WORDS[found.side]}"
    return f"{amount} at equal {held} (95 % interval {_limits(found)})"


def _limits(found: Interval) -> str:
    return f"{points(found.low)} to {points(found.high)}"
