"""From a trial that runs to its record: two points, watched, with central differences of the file's own loss."""

import time
from dataclasses import replace
from typing import Any

import numpy as np

from chainrule.diagnosis.binding import PENALTY, RATE
from chainrule.diagnosis.evaluating import Run, Trial
from chainrule.diagnosis.homes import path_names
from chainrule.diagnosis.observation import Array, Change, Interface, Observation, Point, Variable
from chainrule.diagnosis.parameters import Slot, split
from chainrule.diagnosis.stated import stated
from chainrule.diagnosis.trying import points
from chainrule.diagnosis.vocabulary import plain
from chainrule.diagnosis.watching import as_array

TIME = 1.2  # seconds of central differences at one point
_STEP = 2e-5  # truncation h² f‴/6 and rounding ε f/h are then both near 1e-11
_STEP_SINGLE = 5e-3  # of code that computes in float32
_EPS = float(np.finfo(np.float64).eps)


def observe(trial: Trial) -> tuple[Observation, ...]:
    """Both points."""
    return tuple(_observed(trial, each) for each in points(trial.home, trial.convention.samples))


def _observed(trial: Trial, point: Point) -> Observation:
    run = trial.run(point, watch=True, again=True)
    trial.gradient_source = run.source
    settings = {"learning_rate": RATE} if run.source == "in place" else {}
    if trial.penalty:
        settings["l2"] = PENALTY
    point = replace(point, settings=settings)
    loss = run.loss if run.loss is not None and not _rounded(run.loss) else None
    numerical, rounding = differences(trial, point) if loss is not None and np.isfinite(loss) else ({}, {})
    forward = run.forward.variables() if run.forward is not None else {}
    backward = run.backward.variables() if run.backward is not None else {}
    again = run.again
    return Observation(
        point,
        run.output,
        loss,
        numerical,
        rounding,
        _gradients(trial, run, backward),
        forward,
        backward,
        tuple(Change(*each) for each in run.written),
        dict(run.failed),
        again.output if again is not None else None,
        _gradients(trial, again, {}) if again is not None else {},
    )


def _rounded(loss: float) -> bool:
    """Whether a loss was rounded to a few digits for print: its differences are then those of the rounding."""
    return loss != 0 and loss == round(loss, 5)


def _gradients(trial: Trial, run: Run, backward: dict[str, Variable]) -> dict[str, Variable]:
    found: dict[str, Variable] = {}
    for slot in trial.home.slots:
        gradient = run.gradients.get(slot.name)
        array = as_array(gradient.value) if gradient is not None else None
        if gradient is None or array is None:
            continue
        source = _assigned(gradient.name, array, backward, run.source, slot)
        for name, value in split(slot, array).items():
            shown = path_names(trial.home)[slot.name] if run.source == "in place" else gradient.name
            line = source.line if source else None
            function = source.function if source else trial.plan.backward.qualified
            found[name] = Variable(shown or f"d{slot.name}", value, line, function, 0, source.time if source else 0)
    return found


def _assigned(name: str, value: Array, backward: dict[str, Variable], source: str, slot: Slot) -> Variable | None:
    """Where the gradient was assigned: the variable of its name, or one of its value."""
    if source == "in place":
        same = [each for key, each in backward.items() if key.endswith(slot.words) and each.line]
        return same[-1] if same else None
    equal = [
        each
        for each in backward.values()
        if each.line and each.value.shape == value.shape and np.array_equal(each.value, value)
    ]
    if equal:  # `dW1 = …` comes before `grads = {"dW1": dW1}`
        return min(equal, key=lambda each: (plain(each.name) != plain(name), each.time))
    return next((each for each in backward.values() if each.name == name and each.line), None)


def differences(trial: Trial, point: Point) -> tuple[dict[str, Array], dict[str, float]]:
    """The central differences of the file's own loss by every parameter, and how much they may be off.

    Where there are too many entries for the time, a share of them; the others are NaN.
    """
    started = time.process_time()
    first = trial.run(point, backward=False)
    base, single = float("nan") if first.loss is None else first.loss, first.single
    cost = max(time.process_time() - started, 1e-5)
    total = sum(value.size for value in point.parameters.values())
    share = min(1.0, TIME / (2 * cost * total))
    rng = np.random.default_rng(0)
    numerical: dict[str, Array] = {}
    rounding: dict[str, float] = {}
    for name, value in point.parameters.items():
        count = value.size if share == 1.0 else max(4, int(share * value.size))
        entries = np.arange(value.size) if count >= value.size else rng.choice(value.size, count, replace=False)
        numerical[name], rounding[name] = _by(trial, point, name, entries, base, single)
        if time.process_time() - started > 2 * TIME:
            break
    return numerical, rounding


def _by(trial: Trial, point: Point, name: str, entries: Any, base: float, single: bool) -> tuple[Array, float]:
    original = point.parameters[name]
    eps = float(np.finfo(np.float32).eps) if single else _EPS
    result = np.full(original.size, np.nan)
    worst = 0.0
    for index in entries:
        step = (_STEP_SINGLE if single else _STEP) * max(1.0, abs(float(original.reshape(-1)[index])))
        right, left = (_nudged(trial, point, name, index, way * step) for way in (1.0, -1.0))
        result[index] = slope = (right - left) / (2 * step)
        bend = abs(right - 2 * base + left) / step  # h f″, unless there is a kink: then the jump of the slope
        worst = max(worst, 16 * eps * abs(base) / step, bend if bend > 1e-2 * (abs(slope) + 1) else 0.0)
    return result.reshape(original.shape), float(worst + 1e-9) if np.isfinite(worst) else float("inf")


def _nudged(trial: Trial, point: Point, name: str, index: int, change: float) -> float:
    value = point.parameters[name].copy()
    value.reshape(-1)[index] += change
    return _loss(trial, point, {name: value})


def _loss(trial: Trial, point: Point, changed: dict[str, Array]) -> float:
    run = trial.run(replace(point, parameters=point.parameters | changed), backward=False)
    return float("nan") if run.loss is None else run.loss


def interface(trial: Trial, remarks: tuple[str, ...]) -> Interface:
    """What was recognised."""
    slots, plan, convention = trial.home.slots, trial.plan, trial.convention
    forms = [slot.form for slot in slots if slot.name.startswith("b") or slot.form.startswith("extra")]
    functions: dict[str, tuple[str, int]] = {}
    for role, function in (
        ("forward", plan.forward),
        ("loss", trial.loss),
        ("backward", plan.backward),
        ("update", plan.update),
    ):
        if function is not None:
            functions[role] = (function.qualified, function.line)
    names = path_names(trial.home)
    for argument, (kind, key) in trial.chosen.get(
        f"forward:{plan.forward.qualified}" if plan.forward else "", {}
    ).items():
        if kind == "role" and key == "X":
            names["X"] = argument
    for argument, (kind, key) in next(
        (b for n, b in trial.chosen.items() if n.startswith(("backward", "train"))), {}
    ).items():
        if kind == "role" and key == "Y":
            names["targets"] = argument
    return Interface(
        style=plan.style,
        layout="column" if convention.layout == "column" else "row",
        targets=convention.targets,
        bias=forms[0] if forms else "none",
        samples="one" if convention.samples == "one" else "batch",
        weights="(out, in)" if any(slot.flipped for slot in slots) else "(in, out)",
        update={"stored": "stored", "in place": "in place"}.get(trial.gradient_source, "returned"),  # type: ignore[arg-type]
        names=names,
        shapes=_shapes(slots),
        functions=functions,
        stated=stated(trial),
        remarks=(*remarks, *_doubts(trial)),
    )


def _doubts(trial: Trial) -> list[str]:
    """What of the code makes the numbers coarse."""
    run = trial.run(points(trial.home, trial.convention.samples)[0])
    doubts = []
    if run.loss is not None and _rounded(run.loss):
        doubts.append("The loss is rounded to a few digits, so it was left aside")
    if run.single:
        doubts.append("The code computes in float32, whose rounding a right gradient shows too")
    return doubts


def _shapes(slots: list[Slot]) -> dict[str, tuple[int, ...]]:
    shapes: dict[str, tuple[int, ...]] = {}
    for slot in slots:
        for name, value in split(slot, np.zeros(slot.shape)).items():
            shapes[name] = value.shape
    return shapes
