"""What report 004's points give where an accumulator is left unreset: each in turn, file order and other orders."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from chainrule.randomness import generator
from chainrule.studies.lab import Lab

if TYPE_CHECKING:
    from chainrule.reports import Section
    from chainrule.reports.document import Cell

RATE = 0.01
START: dict[str, Any] = {  # the report's table 3; V and c are W2 and b2 here
    "W1": [[2.8684894, -7.6767074, 6.6785715], [-1.6898393, -2.0112816, -7.7109503]],
    "b1": [0.0, 0.0, 0.0],
    "W2": [[-7.2348454, 1.1665972], [1.9808355, -7.8209344], [5.7780672, -8.5619845]],
    "b2": [0.0, 0.0],
}
PLANTED = {
    "none": (False, False, False),
    "k1": (True, False, False),
    "k2": (False, True, False),
    "dh": (False, False, True),
    "k1 and k2": (True, True, False),
    "k1 and dh": (True, False, True),
    "all three": (True, True, True),
}
PRINTED = {"train": (0.70169, 0.69044), "test": (0.71046, 0.69043)}  # after the first and after the last epoch
SAMPLES, HELD_OUT = 60_000, 10_000
STRETCHES = ((1, 200), (201, 1_000), (1_001, 10_000), (10_001, 60_000))  # instances of the first epoch


def planted_descents(lab: Lab, name: str, epochs: int) -> dict[str, Any]:
    """Losses by epoch with the accumulators `name` unreset: file order first, then ten orders of their own.

    {"train": [[mean of the instances as they are met, by epoch], …], "validation": [[at the epoch's end], …],
     "alone": [[the same as "train" where the 10,000 points alone are trained on]], "stretches": …}
    """
    orders = lab.choose(full=10, quick=2)
    identity = {
        "planted": PLANTED[name], "epochs": epochs, "orders": orders, "rate": RATE, "start": START,
        "samples": (SAMPLES, HELD_OUT),
    }  # fmt: skip
    found = lab.keep(f"unreset {name}".replace(" ", "-"), identity, lambda: _descents(PLANTED[name], epochs, orders))
    assert isinstance(found, dict)
    return found


def _descents(planted: tuple[bool, bool, bool], epochs: int, orders: int) -> dict[str, Any]:
    from chainrule.data import load_data

    data = load_data("synth", edition=2020, samples=SAMPLES, validation=HELD_OUT, seed=0)
    assert data.validation is not None
    train, validation = ((np.asarray(part.x, np.float64), part.y) for part in (data.train, data.validation))
    found: dict[str, Any] = {"train": [], "validation": [], "alone": []}
    for order in (None, *range(orders)):
        running, after, first = _descent(planted, train, validation, epochs, order)
        found["train"].append(running)
        found["validation"].append(after)
        found["alone"].append(_descent(planted, validation, validation, epochs, order)[0])
        if order is None:
            found["stretches"] = by_stretch(first)
    return found


def _descent(planted: tuple[bool, bool, bool], train: Any, held_out: Any, epochs: int, order: int | None) -> Any:
    """Mean loss of the instances as they are met and loss of the held-out points after it, by epoch; first losses."""
    from chainrule.studies.accumulators import Unreset, descend

    unreset = Unreset(*planted)
    state = [np.array(START[name], np.float64) for name in ("W1", "b1", "W2", "b2")]
    state += [np.zeros(3), np.zeros(2), np.zeros(3)]
    draw = None if order is None else generator(order, "shuffle")
    losses, others = np.empty(len(train[1])), np.empty(len(held_out[1]))
    running: list[float] = []
    after: list[float] = []
    for epoch in range(epochs):
        rows = np.arange(len(losses)) if draw is None else draw.permutation(len(losses))
        descend(*state, *train, rows, RATE, unreset, losses)
        if epoch == 0:
            first = losses.copy()
        running.append(float(losses.mean()))
        aside = [array.copy() for array in state]
        descend(*aside, *held_out, np.arange(len(others)), 0.0, unreset, others)
        after.append(float(others.mean()))
    return running, after, first


def accumulator_section(planted: Mapping[str, Mapping[str, Any]], epochs: int) -> "Section":
    """F19: tables and curves of the planted mistakes, next to the right ones."""
    from chainrule import figures
    from chainrule.reports import Figure, Section, Table

    rows: list[list[Cell]] = []
    for name, found in planted.items():
        ends = [run[-1] for run in found["train"][1:]]
        rows.append(
            [
                name,
                *(f"{found[part][0][at]:.5g}" for part in ("train", "validation", "alone") for at in (0, -1)),
                f"{min(ends):.4g}–{max(ends):.4g}",
                f"{_gap(found):.4f}" if name != "none" else "–",
            ]
        )
    table = Table(
        "accumulators",
        "Accumulators left unreset, file order",
        [
            "unreset",
            "training: first",
            "last",
            "validation: first",
            "last",
            "10,000 alone: first",
            "last",
            "last, other orders",
            "gap",
        ],
        rows,
        "Mean losses of the first and of the last epoch. Training: of the instances as they are met, as the report's "
        "code adds them up. Validation: after the epoch, with the accumulators as they then are. The printed function "
        "trains on any points that it is handed: the third pair is what it gives for the 10,000 held-out points alone. "
        "Other orders: range of the training loss over reshuffled runs. Gap: from the printed plateau, the greater of "
        f"training and test. Printed: training {PRINTED['train'][0]} → {PRINTED['train'][1]}, test "
        f"{PRINTED['test'][0]} → {PRINTED['test'][1]}; entropy of the prior 0.68948 and 0.68950.",
    )
    drawn = {
        ("correct" if name == "none" else f"{name} unreset"): [
            [
                {"epoch": epoch + 1, "train_loss": training, "validation_loss": after}
                for epoch, (training, after) in enumerate(zip(*pair, strict=True))
            ]
            for pair in zip(found["train"], found["validation"], strict=True)
        ]
        for name, found in planted.items()
        if not name.startswith(("k2", "k1 and k2", "all"))
    }
    printed = [
        [
            {"epoch": 1, "train_loss": PRINTED["train"][0], "validation_loss": PRINTED["test"][0]},
            {"epoch": epochs, "train_loss": PRINTED["train"][1], "validation_loss": PRINTED["test"][1]},
        ]
    ]
    figure = figures.seed_curves({**drawn, "as printed": printed}, baseline={"loss": 0.68948, "accuracy": None})
    curves = Figure(
        "accumulators-curves",
        "Accumulators left unreset, next to the right curve",
        figure,
        caption="File order and other orders of the points. Those with k2 unreset are left out: their losses run to "
        "hundreds and more. As printed: the four numbers of the report, joined.",
    )
    return Section("An accumulator left unreset (F19)", [table, curves], verdict(planted))


def _gap(found: Mapping[str, Any]) -> float:
    """How far the last losses in file order are from the printed ones: the greater of the two distances."""
    training, test = PRINTED["train"][1], PRINTED["test"][1]
    apart = min(abs(found[part][0][-1] - test) for part in ("validation", "alone"))
    return float(max(abs(found["train"][0][-1] - training), apart))


def nearest(planted: Mapping[str, Mapping[str, Any]]) -> str:
    return min((name for name in planted if name != "none"), key=lambda name: _gap(planted[name]))


def verdict(planted: Mapping[str, Mapping[str, Any]]) -> str:
    name = nearest(planted)
    found = planted[name]
    return (
        f"Nearest to the printed plateau comes {name} left unreset: {found['train'][0][-1]:.5f} on training data, a "
        f"gap of {_gap(found):.4f}; but it begins at {found['train'][0][0]:.4f}, where 0.70169 is printed. The printed "
        "training and test losses agree to 1e-5, as those of one and the same constant prediction do on these two "
        "sets: the printed network had learned hardly more than the class prior. A mistake of this kind does that; "
        "that it was this one is not shown: cause unknown."
    )


def by_stretch(losses: Any) -> list[float]:
    """Mean losses of the stretches that there are instances for."""
    return [float(losses[low - 1 : high].mean()) for low, high in STRETCHES if low <= len(losses)]
