"""The table of each kind of row: medians, spreads, ratios to chainrule, and beside them the marks."""

from collections.abc import Iterable
from statistics import quantiles
from typing import Any

import floor
from marks import BEST, FLOOR, MARKS, ONE_SAMPLE, Mark, best_peer, judge, medians
from works import Work

Row = dict[str, Any]
OURS = "chainrule"
SAME_ORDER, OTHER_ORDER = 1e-3, 5e-2  # greatest relative difference of a loss from chainrule's


def judged(mark: Mark, row: Row) -> tuple[str, str]:
    """Whether the mark is reached, in words, and what was; where it is missed, what the floor itself would give."""
    least, seconds = _floor(row)[2] if "machine" in row else 0.0, medians(row)
    words, reached = judge(mark, row, least)
    against = best_peer(seconds) if mark.against == BEST else mark.against
    if reached is False and least and against in seconds:
        words += f"; the floor itself would give {_times(seconds[against] / least)}"
    return {True: "reached", False: "**missed**", None: "not measured"}[reached], words


def training(work: Work, row: Row) -> list[str]:
    """Epochs of every peer and the floor; `work` is what was measured, maybe a quick form."""
    seconds = medians(row)
    lines = ["| | an epoch | spread | chainrule is faster by | to reach | loss |", "|---|---|---|---|---|---|"]
    for name, peer in row["peers"].items():
        label = f"{name} ({peer['kernel']})" if "NumPy" in name else name
        marks = _marks(work.name, row, name)
        lines.append(f"| {label} | {_measured(row, name)} | {_ratio(seconds, name)} | {marks} | {_loss(row, name)} |")
    arithmetic, memory, least = _floor(row)
    share = f"chainrule takes {_times(seconds[OURS] / least)}" if OURS in seconds else ""
    operations = floor.operations(work, row["nonzero"]) / 1e9
    zeros = f" Of the inputs {row['nonzero']:.0%} are not zero; the others cost nothing in the first layer."
    return [
        *lines,
        f"| *the floor* | {_time(least)} | | {share} | {_marks(work.name, row, FLOOR)} | |",
        "",
        f"The floor: {operations:.3g} GFLOP at the ceiling of all threads take {_time(arithmetic)}; reading the "
        f"{floor.input_bytes(work) / 1e6:.3g} MB of input once takes {_time(memory)}.{zeros * (work.batch == 1)}",
        "",
        f"A reading is {_epochs(work.epochs)} in one call; the loss is that of all samples after the first reading.",
        *_parts(row),
        *_besides(work, row),
        *left_out(row),
    ]


def prediction(name: str, row: Row) -> list[str]:
    """Times of a call by every peer."""
    lines = ["| | time | spread | chainrule is faster by | to reach |", "|---|---|---|---|---|"]
    for peer in row["peers"]:
        marks = _marks(name, row, ONE_SAMPLE if peer == OURS else peer)
        lines.append(f"| {peer} | {_measured(row, peer)} | {_ratio(medians(row), peer)} | {marks} |")
    same = min((min(peer["agreement"]) for peer in row["peers"].values() if "agreement" in peer), default=1.0)
    if same < 1:
        lines += ["", f"**Not all find the same labels:** only {same:.1%} of the first 1,000 are those of all."]
    return lines + left_out(row)


def fits(works: Iterable[Work], rows: dict[str, Row]) -> list[str]:
    """Whole fits of the two libraries, one line a work."""
    head = "work", "epochs", OURS, "spread", "scikit-learn", "spread", "chainrule is faster by", "to reach", "losses"
    lines = [f"| {' | '.join(head)} |", "|---" * len(head) + "|"]
    for work in works:
        row = rows[work.name]
        known = [name for name in (OURS, "scikit-learn") if name in row["peers"]]
        both = [_measured(row, name) if name in known else "left out |" for name in (OURS, "scikit-learn")]
        numbers = [row["peers"][name]["loss"] for name in known]
        losses = ", ".join(f"{loss:.6f}" for loss in numbers)
        losses += ", which **differ**" * (max(numbers, default=0) > min(numbers, default=0) * (1 + SAME_ORDER))
        ratio, marks = _ratio(medians(row), "scikit-learn"), _marks(work.name, row, "scikit-learn")
        lines.append(f"| {work.title} | {row['work']['epochs']} | {' | '.join(both)} | {ratio} | {marks} | {losses} |")
    return lines


def left_out(row: Row) -> list[str]:
    gone = "; ".join(f"{name} ({why})" for name, why in row["left_out"].items())
    return ["", f"Left out: {gone}."] if gone else []


def quantile(values: list[float], quarter: int) -> float:
    return quantiles(values, n=4, method="inclusive")[quarter - 1]


def _floor(row: Row) -> tuple[float, float, float]:
    """Seconds of the arithmetic and of reading X, at the best that the machine showed in this row, and the greater."""
    rates = (max(row["machine"][name]) for name in ("gflops_all", "gbytes_all"))
    arithmetic, memory = floor.seconds(Work(**row["work"]), *rates, row["nonzero"])
    return arithmetic, memory, max(arithmetic, memory)


def _marks(row_name: str, row: Row, against: str) -> str:
    """The marks that belong beside one line of a table, and whether they are reached."""
    best = best_peer(medians(row))
    held = [
        mark
        for mark in MARKS
        if mark.row == row_name and (mark.against == against or (mark.against == BEST and against == best))
    ]
    return "; ".join(f"{mark}: {judged(mark, row)[0]}" for mark in held)


def _loss(row: Row, name: str) -> str:
    """The loss, and in words whether it is that of chainrule."""
    loss, ours = row["peers"][name]["loss"], row["peers"].get(OURS, {}).get("loss")
    if name == "scikit-learn" and row["work"]["widths"][-1] == 2:
        return f"{loss:.5f}, of one logistic output"
    if ours is None or name == OURS:
        return f"{loss:.5f}"
    bound = OTHER_ORDER if name == "scikit-learn" and not row["full"] else SAME_ORDER
    difference = abs(loss / ours - 1)
    if difference <= bound:
        return f"{loss:.5f}, the same to {difference:.0e}"
    return f"{loss:.5f}, **differs** by {difference:.0e}, more than {bound:g}"


def _parts(row: Row) -> list[str]:
    """Of whom less than an epoch is timed."""
    lines = []
    for part in sorted({peer["part"] for peer in row["peers"].values()} - {1.0}):
        names = [name for name, peer in row["peers"].items() if peer["part"] == part]
        listed = " and ".join([*filter(None, [", ".join(names[:-1])]), names[-1]])
        lines.append(f"Of {listed} the first 1/{1 / part:.0f} of an epoch's steps is timed, and the time multiplied.")
    return lines


def _besides(work: Work, row: Row) -> list[str]:
    """What a call of `cr.train` costs besides its epochs."""
    inside = row["peers"].get(OURS, {}).get("seconds_of_epochs")
    if not inside:
        return []
    besides = max(0.0, work.epochs * medians(row)[OURS] - quantile(inside, 2))
    return [
        f"Besides its epochs a call of `cr.train` takes {_time(besides)}: it checks its input and makes ready. "
        "That is counted, divided by the epochs of the call."
    ]


def _measured(row: Row, name: str) -> str:
    """Two cells: the median and the quartiles."""
    values = row["peers"][name]["seconds"]
    return f"{_time(quantile(values, 2))} | {_time(quantile(values, 1))} – {_time(quantile(values, 3))}"


def _ratio(seconds: dict[str, float], name: str) -> str:
    return _times(seconds[name] / seconds[OURS]) if OURS in seconds and name in seconds and name != OURS else ""


def _time(seconds: float) -> str:
    unit, size = next(((u, s) for u, s in (("s", 1.0), ("ms", 1e-3)) if seconds >= s), ("µs", 1e-6))
    return f"{_digits(seconds / size)} {unit}"


def _times(ratio: float) -> str:
    return f"{_digits(ratio)} ×"


def _digits(number: float) -> str:
    """Three significant digits, never as a power of ten."""
    return f"{number:,.0f}" if number >= 100 else f"{number:.3g}"


def _epochs(count: int) -> str:
    return "one epoch" if count == 1 else f"{count:,} epochs"
