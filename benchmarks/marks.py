"""What chainrule is held to, and whether a row of readings reaches it."""

from dataclasses import dataclass
from statistics import median
from typing import Any

FLOOR, ONE_SAMPLE, BEST = "the floor", "one sample", "the best peer"


@dataclass(frozen=True)
class Mark:
    """chainrule must be `bound` times as fast as `against`, within `bound` times the floor, or take `bound` µs."""

    row: str
    against: str
    bound: float

    def __str__(self) -> str:
        if self.against == ONE_SAMPLE:
            return f"≤ {self.bound:g} µs"
        return f"≤ {self.bound:g} × {FLOOR}" if self.against == FLOOR else f"≥ {self.bound:g} × {self.against}"


MARKS = (
    Mark("mini-batch", "PyTorch", 4),
    Mark("mini-batch", "scikit-learn", 4),
    Mark("mini-batch", "JAX", 3),
    Mark("mini-batch", "NumPy, best kernel", 2.2),
    Mark("mini-batch", FLOOR, 1.6),
    Mark("deep", BEST, 1.3),
    Mark("deep", FLOOR, 1.5),
    Mark("mnist", "PyTorch", 15),
    Mark("mnist", "scikit-learn", 60),
    Mark("mnist", "JAX", 3),
    Mark("full-batch", "PyTorch", 10),
    Mark("full-batch", "scikit-learn", 10),
    Mark("full-batch", "JAX", 1.5),
    Mark("fit-digits", "scikit-learn", 3),
    Mark("fit-mnist", "scikit-learn", 3),
    Mark("fit-normal", "scikit-learn", 3),
    Mark("predict", BEST, 1.5),
    Mark("predict-one", ONE_SAMPLE, 20),
)


def best_peer(medians: dict[str, float]) -> str | None:
    """The fastest besides chainrule."""
    return min((name for name in medians if name != "chainrule"), key=medians.__getitem__, default=None)


def medians(row: dict[str, Any]) -> dict[str, float]:
    """Seconds by peer."""
    return {name: median(peer["seconds"]) for name, peer in row["peers"].items()}


def judge(mark: Mark, row: dict[str, Any], floor: float = 0.0) -> tuple[str, bool | None]:
    """What was reached, and whether it suffices; None where it was not measured. `floor` is in seconds.

    A mark that its rounded words would hide is judged by the unrounded number.
    """
    seconds = medians(row)
    ours = seconds.get("chainrule")
    against = best_peer(seconds) if mark.against == BEST else mark.against
    if ours is None:
        return "chainrule was left out", None
    if mark.against == ONE_SAMPLE:
        return f"{ours * 1e6:.3g} µs", ours * 1e6 <= mark.bound
    if mark.against == FLOOR:
        return f"{ours / floor:.3g} ×", ours / floor <= mark.bound
    if against not in seconds:
        return f"{against or 'every peer'} was left out", None
    words = f"{seconds[against] / ours:.3g} ×" + (f" {against}" if mark.against == BEST else "")
    return words, seconds[against] / ours >= mark.bound
