"""What is told of a mistake: where, what, the right form, and the numbers that prove it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from chainrule.diagnosis.kinds import KINDS

HINTS = ("verdict", "where", "what", "how")
"""How much is told, each level with all before: the verdict; quantity and line; what is wrong; the right form."""

__all__ = ["HINTS", "KINDS", "Finding"]


@dataclass(frozen=True)
class Finding:
    """One mistake that was found.

    kind       a key of KINDS
    quantity   in our names: "dW2", "dZ1", "loss", "A2", "update", "training"
    name       what the user calls it
    sentence   what is wrong, in the user's own names
    equation   the right form, in the user's names and layout; "" where there is none
    parameter  numbers and names that belong to the kind, such as {"factor": "m"}
    line       where the user's code assigns it; None where that was not found. `function` is where that is
    evidence   one entry a point: its m; which gradient is "shown"; how far it is from the right one relative to its
               greatest entry ("before"), and from the right one with the mistakes put into it ("after")
    also       other kinds that would give the same numbers
    grave      False where the gradients and what training does with them are right all the same
    """

    kind: str
    quantity: str
    name: str
    sentence: str
    equation: str = ""
    parameter: Mapping[str, Any] = field(default_factory=dict)
    line: int | None = None
    function: str = ""
    evidence: tuple[Mapping[str, float], ...] = ()
    also: tuple[str, ...] = ()
    grave: bool = True

    def to_json(self, hints: str = "how") -> dict[str, Any]:
        """Plain data; what the hint level does not tell is left out."""
        level = HINTS.index(hints)
        data: dict[str, Any] = {}
        if level >= 1:
            data |= {"quantity": self.quantity, "name": self.name, "line": self.line, "function": self.function}
        if level >= 2:
            data |= {
                "kind": self.kind,
                "sentence": self.sentence,
                "parameter": dict(self.parameter),
                "evidence": [dict(entry) for entry in self.evidence],
                "also": list(self.also),
                "grave": self.grave,
            }
        if level >= 3:
            data |= {"equation": self.equation}
        return data
