"""Somebody's initialiser called twice, and their update called once, apart from any training."""

import random
from typing import Any

import numpy as np

from chainrule.diagnosis import binding as bound
from chainrule.diagnosis.binding import RATE
from chainrule.diagnosis.evaluating import Run, Trial, _Evaluation
from chainrule.diagnosis.homes import Subject
from chainrule.diagnosis.observation import Array, Point, Start, Step
from chainrule.diagnosis.parameters import discover, fetch, from_code
from chainrule.diagnosis.recognition import Function, ranked
from chainrule.diagnosis.training_watch import seeds_noted
from chainrule.diagnosis.watching import as_array

SIZES = (240, 90, 60, 40)  # large enough for the scale of a start to be seen, and far from each other


def start(trial: Trial) -> Start | None:
    """What the file's initialiser draws; None where there is none, or it cannot be called."""
    subject, plan, home = trial.subject, trial.plan, trial.home
    function = home.initialise
    if function is None:
        return None
    sizes = home.sizes if home.fixed else (*SIZES[: len(home.sizes) - 1], home.sizes[-1])
    arguments = bound.sized(
        subject.found, function, plan.owner or function.name, sizes, subject.evaluate, {"rate": RATE}
    )
    if arguments is None:
        return None
    np.random.seed(2)  # noqa: NPY002
    random.seed(2)
    made: list[dict[str, Array]] = []
    with seeds_noted(subject) as seeds:
        for _ in range(2):
            try:
                root = subject.run(lambda: subject.namespace[plan.owner or function.name](**arguments), 0.5)
            except Exception:
                return None
            drawn = _parameters(trial, root, sizes)
            if drawn is None:
                return None
            made.append(drawn)
    return Start(_where(subject, function), sizes, made[0], made[1], tuple(seeds))


def _parameters(trial: Trial, root: Any, sizes: tuple[int, ...]) -> dict[str, Array] | None:
    if trial.home.kind == "arguments" and isinstance(root, tuple | list):
        root = dict(zip(trial.home.template, root, strict=False))
    slots = discover(root, sizes, trial.subject.own) or discover(root, None, trial.subject.own)
    try:
        found: dict[str, Array] = {}
        for slot in slots:
            found |= from_code(slot, fetch(root, slot.path))
    except (KeyError, IndexError, TypeError, AttributeError, ValueError):
        return None
    return found or None


def _where(subject: Subject, function: Function) -> tuple[str, int]:
    """The method in which an object's weights are drawn, where that is not the constructor itself."""
    if function.owner:
        inner = ranked(subject.found.classes[function.owner].values(), "initialise")
        if inner:
            return inner[0].qualified, inner[0].line
    return function.qualified, function.line


def step(trial: Trial, point: Point) -> Step | None:
    """One call of the file's own update after one backward; None where backward updates itself, or there is none."""
    function = trial.plan.update
    if function is None or trial.gradient_source == "in place":
        return None
    run = Run()
    evaluation = _Evaluation(trial, point, run)
    try:
        return trial.subject.run(lambda: _step(trial, evaluation, function, point))  # type: ignore[no-any-return]
    except Exception:
        return None


def _step(trial: Trial, evaluation: Any, function: Function, point: Point) -> Step | None:
    evaluation.passes(True, False)
    run = evaluation.run
    gradients: dict[str, Array] = {}
    for slot in trial.home.slots:
        if slot.name not in run.gradients:
            return None
        gradients |= from_code(slot, run.gradients[slot.name].value)
    result = evaluation.returned
    evaluation.values.roles["grads"] = result
    evaluation.values.named.update(
        zip(trial.plan.backward.returned, result, strict=False) if isinstance(result, tuple) else ()
    )
    for binding in evaluation.bound(function, "update")[:3]:
        try:
            updated = evaluation.call(function, binding)
        except Exception:
            continue
        after = _after(trial, evaluation, updated)
        if after is not None:
            has_rate = ("role", "rate") in binding.values() or evaluation._has_rate()
            before = {name: value for name, value in point.parameters.items() if name in after}
            return Step((function.qualified, function.line), before, gradients, RATE if has_rate else 1.0, after)
    return None


def _after(trial: Trial, evaluation: Any, updated: Any) -> dict[str, Array] | None:
    for root in (*evaluation._returned_roots(updated), _by_name(trial, updated), evaluation.root):
        if root is None:
            continue
        try:
            found: dict[str, Array] = {}
            for slot in trial.home.slots:
                value = fetch(root, slot.path)
                if as_array(value) is None:
                    raise KeyError(slot.name)
                found |= from_code(slot, value)
            return found
        except (KeyError, IndexError, TypeError, AttributeError, ValueError):
            continue
    return None


def _by_name(trial: Trial, updated: Any) -> Any:
    """A tuple `W1, b1, W2, b2` that the update returns, as a dict."""
    if trial.home.kind == "arguments" and isinstance(updated, tuple) and trial.plan.update is not None:
        names = trial.plan.update.returned
        return dict(zip(names, updated, strict=True)) if len(names) == len(updated) else None
    return None
