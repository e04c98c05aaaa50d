"""What a training loop, an update, a start and state between passes do wrong, from records made by hand."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from chainrule.diagnosis.diagnosing import diagnose_intake
from chainrule.diagnosis.loop import loop_findings
from chainrule.diagnosis.observation import Change, Event, Intake, Interface, Loop, Seeding, Start, Step
from doctor.by_hand import taken_in

RATE = 0.1


def softmax_gradient(X: Any, T: Any, P: Any) -> dict[str, Any]:
    e = np.exp(X @ P["W1"] + P["b1"])
    D = (e / e.sum(axis=1, keepdims=True) - T) / len(X)
    return {"W1": X.T @ D, "b1": D.sum(axis=0)}


def watched(
    *,
    epochs: int = 3,
    orders: Sequence[Sequence[int]] | None = None,
    direction: float = -1.0,
    carries_over: bool = False,
    validates: str = "forward",
    losses: tuple[float, ...] = (),
) -> Intake:
    """Stochastic gradient descent on 8 samples with a softmax of one layer, recorded as it goes."""
    rng = np.random.default_rng(0)
    X, T = rng.normal(size=(8, 8)), np.eye(3)[rng.integers(3, size=8)]
    P = {"W1": rng.normal(size=(8, 3)), "b1": rng.normal(size=3)}
    start = {name: array.copy() for name, array in P.items()}
    events: list[Event] = []
    total = {name: 0 * array for name, array in P.items()}

    def moved(epoch: int) -> Iterator[Event]:
        change = {name: direction * RATE * G for name, G in total.items()}
        yield Event("update", "update", 12, epoch, parameters={n: a.copy() for n, a in P.items()}, change=change)
        for name in P:
            P[name] += change[name]

    for epoch in range(epochs):
        order = list(rng.permutation(8)) if orders is None else orders[epoch]
        for i in order:
            G = softmax_gradient(X[[i]], T[[i]], P)
            total = {name: total[name] + G[name] for name in G} if carries_over else G
            events.append(Event("forward", "forward", 10, epoch, "train", (int(i),)))
            events.append(Event("backward", "backward", 11, epoch, "train", (int(i),), gradients=G))
            events += moved(epoch)
        events.append(Event("forward", "forward", 14, epoch, "validation", (0,)))
        if validates == "update":
            events += moved(epoch)
    loop = Loop(("train", 5), (X, T), (X, T), epochs, 1, RATE, start, tuple(events), losses)
    return Intake(None, taken_in(depth=1).interface, taken_in(depth=1).observations, loop=loop)


def kinds(intake: Intake) -> dict[str, bool]:
    """The kinds that are found, and whether they are grave."""
    return {finding.kind: finding.grave for finding in diagnose_intake(intake).findings}


def test_a_right_loop_has_no_findings() -> None:
    diagnosis = diagnose_intake(watched())
    assert diagnosis.verdict == "right"
    assert not diagnosis.findings


def test_weights_that_change_on_validation_data_are_wrong() -> None:
    diagnosis = diagnose_intake(watched(validates="update"))
    assert diagnosis.verdict == "wrong"
    assert diagnosis.exit_code == 1
    assert [f.kind for f in diagnosis.findings] == ["trains-on-validation"]
    assert "validation" in diagnosis.findings[0].sentence


def test_sums_that_carry_over_are_wrong() -> None:
    assert kinds(watched(carries_over=True)) == {"accumulators-carry-over": True}


def test_steps_along_the_gradient_are_wrong() -> None:
    assert kinds(watched(direction=1.0)) == {"ascends": True}


def test_the_same_order_in_every_epoch_is_told_and_leaves_the_gradients_right() -> None:
    intake = watched(orders=[range(8)] * 3)
    assert kinds(intake) == {"never-reshuffled": False}
    assert diagnose_intake(intake).verdict == "right"


def test_samples_that_no_epoch_uses_are_told() -> None:
    assert kinds(watched(orders=[[3, 1, 0, 2, 5, 4, 6], [0, 6, 1, 5, 2, 4, 3], range(7)])) == {"samples-dropped": False}


def test_one_batch_an_epoch_has_no_order() -> None:
    intake = watched()
    assert intake.loop is not None
    events = tuple(replace(event, rows=tuple(range(8))) for event in intake.loop.events[:3])
    later = tuple(replace(event, epoch=1) for event in events)
    assert not loop_findings(replace(intake, loop=replace(intake.loop, events=events + later)))


def test_a_loss_at_the_entropy_of_the_prior_is_told() -> None:
    intake = watched()
    assert intake.loop is not None
    p = intake.loop.train[1].mean(axis=0)
    entropy = float(-(p[p > 0] * np.log(p[p > 0])).sum())
    stuck = replace(intake, loop=replace(intake.loop, losses=(1.001 * entropy, entropy, 0.999 * entropy)))
    assert "prior-entropy" in kinds(stuck)
    learns = replace(intake, loop=replace(intake.loop, losses=(entropy, 0.8 * entropy, 0.6 * entropy)))
    assert "prior-entropy" not in kinds(learns)


def stepped(direction: float, sign: float = 1.0) -> Intake:
    """An update that adds `direction` times the gradients, and gradients of which `sign` times is right."""
    changes = {"dZ2": lambda v: sign * (v["A2"] - v["T"]) / v["m"]}
    intake = taken_in(changes)
    G = {name: variable.value for name, variable in intake.observations[0].gradients.items()}
    before = {name: np.ones_like(value) for name, value in G.items()}
    after = {name: before[name] + direction * RATE * value for name, value in G.items()}
    return replace(intake, step=Step(("update", 30), before, G, RATE, after))


def test_an_update_that_adds_the_gradient_ascends() -> None:
    assert kinds(stepped(-1.0)) == {}
    diagnosis = diagnose_intake(stepped(1.0))
    assert diagnosis.verdict == "wrong"
    assert [f.kind for f in diagnosis.findings] == ["ascends"]


def test_negative_gradients_that_are_added_are_the_same_as_right_ones() -> None:
    diagnosis = diagnose_intake(stepped(1.0, sign=-1.0))
    assert diagnosis.verdict == "right"
    assert any("opposite sign" in remark for remark in diagnosis.remarks)
    assert kinds(stepped(-1.0, sign=-1.0)) == {"sign": True}


def started(scale: Any, sizes: tuple[int, int, int] = (240, 90, 10)) -> Intake:
    rng = np.random.default_rng(2)
    shapes = {f"W{l}": (sizes[l - 1], sizes[l]) for l in (1, 2)}
    draws = [{name: scale(*shape) * rng.normal(size=shape) for name, shape in shapes.items()} for _ in range(2)]
    return replace(taken_in(), start=Start(("initialise", 4), sizes, *draws))


@pytest.mark.parametrize("power", [1.0, 2.0])
def test_a_start_scaled_by_the_units_out_is_told(power: float) -> None:
    assert kinds(started(lambda d, h: np.sqrt(power / h))) == {"fan-out": False}
    assert kinds(started(lambda d, h: np.sqrt(power / d))) == {}
    assert kinds(started(lambda d, h: np.sqrt(2 / (d + h)))) == {}
    assert kinds(started(lambda d, h: 0.01)) == {}
    assert kinds(started(lambda d, h: 1.0)) == {}


def test_a_seed_within_a_function_is_told_and_one_outside_is_not() -> None:
    start = started(lambda d, h: 1.0).start
    assert start is not None
    inside = replace(taken_in(), start=replace(start, seeds=(Seeding("initialise", 5, 2),)))
    outside = replace(taken_in(), start=replace(start, seeds=(Seeding("", 1, 2),)))
    assert kinds(inside) == {"seed-fixed": False}
    assert kinds(outside) == {}


def again(intake: Intake, **changes: Any) -> Intake:
    return replace(intake, observations=tuple(replace(o, **changes) for o in intake.observations))


def test_a_second_forward_pass_with_another_output_is_stale_state() -> None:
    intake = taken_in()
    twice = tuple(replace(o, output_again=2 * np.asarray(o.output)) for o in intake.observations)
    diagnosis = diagnose_intake(replace(intake, observations=twice))
    assert diagnosis.verdict == "wrong"
    assert [f.kind for f in diagnosis.findings] == ["stale-state"]


def test_gradients_that_grow_are_stale_state_unless_the_file_sets_them_to_zero() -> None:
    intake = taken_in()
    grown = []
    for o in intake.observations:
        twice = {name: replace(v, value=2 * v.value) for name, v in o.gradients.items()}
        sums = tuple(Change("cache", v.name, "backward", 0 * v.value, v.value) for v in o.gradients.values())
        grown.append(replace(o, output_again=o.output, gradients_again=twice, changed=sums))
    intake = replace(intake, observations=tuple(grown))
    assert kinds(intake) == {"stale-state": True}
    assert kinds(replace(intake, source="b = np.zeros(3)")) == {"stale-state": True}
    assert kinds(replace(intake, source="def zero_grad(self): ...")) == {}


def test_gradients_that_depend_on_the_pass_before_are_a_stale_cache() -> None:
    intake = taken_in()
    other = []
    for o in intake.observations:
        again = {name: replace(v, value=v.value + 1) if name == "W1" else v for name, v in o.gradients.items()}
        other.append(replace(o, output_again=o.output, gradients_again=again))
    assert kinds(replace(intake, observations=tuple(other))) == {"stale-cache": True}


def test_a_value_of_the_forward_pass_that_backward_writes_into_is_told() -> None:
    intake = taken_in()
    A2 = [o.forward["A2"].value for o in intake.observations]
    changed = [Change("cache", 'cache["A2"]', "backward", A, A - 1) for A in A2]
    seen = tuple(replace(o, changed=(c,)) for o, c in zip(intake.observations, changed, strict=True))
    assert kinds(replace(intake, observations=seen)) == {"overwritten-cache": False}
    other = tuple(replace(o, changed=(replace(c, before=0 * c.before),)) for o, c in zip(seen, changed, strict=True))
    assert kinds(replace(intake, observations=other)) == {}


def test_nothing_to_judge_is_not_run_and_says_why() -> None:
    nothing = diagnose_intake(Intake(None, failure="It has no functions."))
    assert (nothing.verdict, nothing.exit_code, nothing.ok) == ("not run", 2, False)
    assert "It has no functions." in str(nothing)
    failed = again(taken_in(), gradients={}, failed={"backward": "line 7: operands could not be broadcast"})
    assert "line 7" in str(diagnose_intake(failed))


def test_a_weight_that_was_overlooked_is_never_right() -> None:
    intake = taken_in(depth=1)
    extra = {"W2": replace(intake.observations[0].forward["Z1"], name="W2"), "W1": intake.observations[0].forward["Z1"]}
    assert diagnose_intake(again(intake, forward=extra)).verdict == "not run"
    assert diagnose_intake(intake).verdict == "right"


def test_the_interface_is_said_first() -> None:
    intake = taken_in()
    assert isinstance(intake.interface, Interface)
    assert str(diagnose_intake(intake)).startswith(intake.interface.words().splitlines()[0])
