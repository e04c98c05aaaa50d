"""What must never happen: right gradients called wrong, and a kind named where something else is the matter."""

import numpy as np
import pytest

from chainrule.diagnosis.diagnosing import diagnose_intake
from doctor.by_hand import ACTIVATIONS, OUTPUTS, Line, taken_in


def _drawn(rng: np.random.Generator) -> dict[str, object]:
    return {
        "hidden": str(rng.choice(list(ACTIVATIONS))),
        "output": str(rng.choice(list(OUTPUTS))),
        "depth": int(rng.integers(1, 4)),
        "l2": float(rng.choice([0.0, 0.0, 0.001, 0.3])),
        "layout": str(rng.choice(["row", "column"])),
        "seen": bool(rng.integers(2)),
        "late": bool(rng.integers(2)),
        "stated": bool(rng.random() < 0.8),
        "seed": int(rng.integers(1 << 30)),
    }


@pytest.mark.parametrize("part", range(4))
def test_random_right_networks_are_never_called_wrong(part: int) -> None:
    rng = np.random.default_rng(part)
    for _ in range(50):
        drawn = _drawn(rng)
        drawn["l2"] = drawn["l2"] if drawn["stated"] else 0.0
        diagnosis = diagnose_intake(taken_in(**drawn))  # type: ignore[arg-type]
        assert diagnosis.verdict == "right", (drawn, str(diagnosis))
        assert not diagnosis.findings


@pytest.mark.parametrize("quantity", ["dZ2", "dA1", "dZ1", "dW1", "dW2", "db1", "db2"])
def test_a_random_linear_map_is_never_given_a_kind(quantity: str) -> None:
    rng = np.random.default_rng(7)
    for seed in range(8):
        drawn = _drawn(rng) | {"depth": 2, "stated": True, "seed": seed}
        n = {"1": 7, "2": 3}[quantity[-1]]
        M = np.eye(n) + 0.3 * rng.normal(size=(n, n))
        slope = ACTIVATIONS[str(drawn["hidden"])][1]
        plain: dict[str, Line] = {
            "dZ2": lambda v: (v["A2"] - v["T"]) / v["m"],
            "dA1": lambda v: v["dZ2"] @ v["W2"].T,
            "dZ1": lambda v, slope=slope: v["dA1"] * slope(v["Z1"]),
            "dW1": lambda v: v["A0"].T @ v["dZ1"],
            "dW2": lambda v: v["A1"].T @ v["dZ2"],
            "db1": lambda v: v["dZ1"].sum(axis=0),
            "db2": lambda v: v["dZ2"].sum(axis=0),
        }
        changed: dict[str, Line] = {quantity: lambda v, M=M, plain=plain: plain[quantity](v) @ M}
        drawn |= {"late": False, "l2": 0.0}
        diagnosis = diagnose_intake(taken_in(changed, **drawn))  # type: ignore[arg-type]
        assert diagnosis.verdict == "wrong"
        assert not diagnosis.findings, (drawn, str(diagnosis))
