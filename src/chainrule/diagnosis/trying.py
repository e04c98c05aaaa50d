"""Which of the proposals runs: plans, homes and conventions are tried at a small point until one gives everything.

The first complete one wins; where none is complete, as with a backward pass that raises an error, the one that came
furthest.
"""

import ast
import itertools
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from chainrule.diagnosis import vocabulary
from chainrule.diagnosis.assembling import assembled
from chainrule.diagnosis.binding import RATE
from chainrule.diagnosis.evaluating import Convention, Run, Trial
from chainrule.diagnosis.homes import OUTPUTS, SAMPLES, Home, Subject, homes, own_outputs
from chainrule.diagnosis.inlined import inlined
from chainrule.diagnosis.observation import Array, Point
from chainrule.diagnosis.parameters import Slot
from chainrule.diagnosis.recognition import Function, Plan, one_sample_calls, plans
from chainrule.diagnosis.vocabulary import plain
from chainrule.diagnosis.watching import as_array

TIME = 1.2  # seconds of trying
_ENOUGH = 10_000


@dataclass
class Attempt:
    """A trial and how far it came."""

    score: int
    trial: Trial
    run: Run


def points(home: Home, samples: str) -> tuple[Point, Point]:
    """Two points of different m; all biases not zero, no pre-activation near a kink, no unit dead at every sample."""
    with_bias = any(slot.name.startswith("b") or slot.form.startswith("extra") for slot in home.slots)
    first, second = (1, 1) if samples == "one" else SAMPLES
    return point(home.sizes, first, 0, with_bias), point(home.sizes, second, 1, with_bias)


def point(sizes: Sequence[int], m: int, number: int, with_bias: bool = True) -> Point:
    for seed in range(400):
        rng = np.random.default_rng([7, number, seed])
        parameters: dict[str, Array] = {}
        for l in range(1, len(sizes)):
            parameters[f"W{l}"] = rng.normal(size=(sizes[l - 1], sizes[l])) * 1.4 / np.sqrt(sizes[l - 1])
            if with_bias:
                signs = rng.choice((-1.0, 1.0), sizes[l])
                parameters[f"b{l}"] = rng.uniform(0.1, 0.5, sizes[l]) * signs
        X = rng.normal(size=(m, sizes[0]))
        targets = _targets(m, sizes[-1], rng)
        if _clear(X, parameters, len(sizes) - 1):
            break
    return Point(X, targets, parameters)


def _targets(m: int, K: int, rng: np.random.Generator) -> Array:
    if K == 1:
        return np.array([[float(i % 3 != 1)] for i in range(m)])
    labels = np.array([(0, K - 1, 0, 1, K - 1, 0, 1 % K, K - 1)[i % 8] for i in range(m)])
    if m == 1:
        labels = rng.integers(0, K, 1)
    return np.asarray(np.eye(K)[labels])


def _clear(X: Array, parameters: dict[str, Array], depth: int) -> bool:
    """Whether no Z is near 0 and no hidden unit off everywhere, whatever the activation is."""
    for activation in (lambda z: np.maximum(z, 0), np.tanh, lambda z: 1 / (1 + np.exp(-z))):
        A = X
        for l in range(1, depth + 1):
            Z = A @ parameters[f"W{l}"] + parameters.get(f"b{l}", 0.0)
            if np.abs(Z).min() < 2e-3 and Z.size < 5000:
                return False
            if (
                l == 1 < depth
                and len(X) > 1
                and Z.shape[1] < 50
                and not ((Z > 0).any(axis=0) & (Z < 0).any(axis=0)).all()
            ):
                return False
            A = activation(Z)
    return True


def understand(
    subject: Subject,
    allowance: float = TIME,
    proposals: Sequence[Plan] | None = None,
    given: Sequence[Home] | None = None,
) -> Attempt | None:
    """The best trial; None where not even a forward or backward pass was found.

    `proposals` and `given` stand in for the plans and homes that the names of the file propose.
    """
    end = time.process_time() + allowance
    best: Attempt | None = None
    for plan in (_proposals(subject) if proposals is None else proposals)[:10]:
        for outputs in _outputs(subject, plan) if given is None else (0,):
            candidates = given if given is not None else homes(subject, plan, outputs, {"rate": RATE, "seed": 0})
            attempt = _best_of(subject, plan, candidates, end, best)
            if attempt is not None and (best is None or attempt.score > best.score):
                best = attempt
            if best is not None and (best.score >= _ENOUGH or time.process_time() > end):
                return _with_bias_in_place(best)
            if attempt is not None and attempt.run.endless:
                return attempt
            if attempt is not None and attempt.run.output is not None and attempt.run.loss is not None:
                break  # with another number of outputs a mistake could hide
    return best and _with_bias_in_place(best)


def _proposals(subject: Subject) -> list[Plan]:
    """The file's own passes; where it has none, those that can be made of its layers or cut out of its training."""
    own = plans(subject.found)
    if any(plan.style != "training function" for plan in own):
        return own
    return [*assembled(subject), *inlined(subject), *own]


def _with_bias_in_place(best: Attempt) -> Attempt:
    """Whether the extra row is the first or the last: at X = 0 the output does not depend on the other rows."""
    trial = best.trial
    if not any(slot.form.startswith("extra") for slot in trial.home.slots) or best.run.output is None:
        return best
    at = points(trial.home, trial.convention.samples)[0]
    for first in (True, False):
        slots = [replace(slot, first=first) for slot in trial.home.slots]
        trial.home.slots[:] = slots
        outputs = []
        for factor in (1.0, 0.5):
            changed = at.parameters | {"W1": factor * at.parameters["W1"]}
            outputs.append(trial.run(replace(at, X=0 * at.X, parameters=changed)).output)
        if (
            outputs[0] is not None
            and outputs[1] is not None
            and np.allclose(outputs[0], outputs[1], rtol=0, atol=1e-12)
        ):
            break
    return best


def _best_of(
    subject: Subject, plan: Plan, candidates: Iterable[Home], end: float, best: Attempt | None
) -> Attempt | None:
    """Stops at the first home in which forward runs: another one, with fewer layers, would hide mistakes."""
    for home in itertools.islice(candidates, 40):
        runs = False
        for convention in _conventions(subject, plan, home):
            trial = Trial(subject, plan, home, convention)
            trial.penalty = takes_penalty(trial)
            at = points(home, convention.samples)[0]
            run = trial.run(at)
            score = _score(trial, run)
            if best is None or score > best.score:
                best = Attempt(score, trial, run)
            runs = runs or run.output is not None
            if score >= _ENOUGH or time.process_time() > end or run.endless:
                return best
        if runs and home.theirs is None:
            return best
    return best


def _outputs(subject: Subject, plan: Plan) -> tuple[int, ...]:
    """How many outputs to ask for: one where the file's own call or data has one, else three, then one."""
    for name in (
        plan.owner,
        *(f.name for f in subject.found.functions.values() if vocabulary.role_of_function(f.name, "initialise")),
    ):
        if name:
            number = own_outputs(subject, name)
            if number is not None:
                return (1, OUTPUTS) if number == 1 else (OUTPUTS, 1)
    for name, value in subject.namespace.items():
        if (
            (vocabulary.TARGET.match(plain(name)) or plain(name) == "y")
            and isinstance(value, np.ndarray)
            and value.ndim == 2
        ):
            return (1, OUTPUTS) if 1 in value.shape else (OUTPUTS, 1)
    return (OUTPUTS, 1)


def _conventions(subject: Subject, plan: Plan, home: Home) -> Iterator[Convention]:
    listed = any(slot.listed for slot in home.slots)
    target_kinds = ("one-hot", "integer", "column") if home.sizes[-1] > 1 else ("one-hot", "flat", "integer", "column")
    for samples in _samples(subject, plan):
        for lists in (listed, False) if listed else (False,):
            if samples == "one":
                for vector, targets in itertools.product(("(d,)", "(1, d)", "(d, 1)"), target_kinds[:2]):
                    layout = "column" if vector == "(d, 1)" else "row"
                    yield Convention(layout, targets, "one", vector, lists)
            else:
                for layout, targets in itertools.product(_layouts(home.slots), target_kinds):
                    yield Convention(layout, targets, "batch", "", lists)


def _layouts(slots: Sequence[Slot]) -> tuple[str, str]:
    forms = {slot.form for slot in slots if slot.name.startswith("b")}
    flipped = any(slot.flipped for slot in slots)
    column = "(h, 1)" in forms or (flipped and "(1, h)" not in forms)
    return ("column", "row") if column else ("row", "column")


def _samples(subject: Subject, plan: Plan) -> tuple[str, ...]:
    if plan.style == "layers":
        backwards = [each["backward"] for each in subject.found.classes.values() if "backward" in each]
        return ("batch",) if any(_speaks_of_batches(each) for each in backwards) else ("batch", "one")
    for function in (plan.forward, plan.backward):
        if function is not None:
            single = one_sample_calls(subject.found, function)
            if single is not None:
                return ("one", "batch") if single else ("batch",)
    return ("batch",) if _speaks_of_batches(plan.backward) else ("batch", "one")


def _speaks_of_batches(function: Function) -> bool:
    """Whether a backward pass sums over or divides by samples."""
    for node in ast.walk(function.node):
        if isinstance(node, ast.keyword) and node.arg in ("axis", "keepdims"):
            return True
        if isinstance(node, ast.Attribute) and node.attr in ("shape", "size"):
            return True
        if isinstance(node, ast.Name) and plain(node.id) in ("m", "n", "batchsize", "nsamples", "numsamples"):
            return True
    return False


def takes_penalty(trial: Trial) -> bool:
    """Whether both the loss and the backward pass are handed λ; one alone would make two functions of them."""
    functions = [each for each in (trial.plan.backward, *trial.plan.losses[:1]) if each is not None]
    return bool(functions) and all(
        any(vocabulary.PENALTY.match(plain(name)) for name in each.arguments) for each in functions
    )


def _score(trial: Trial, run: Run) -> int:
    """How far a run came; `_ENOUGH` where it has all that the file promises."""
    slots = trial.home.slots
    score = 1000 * (run.output is not None)
    score += 200 * (run.loss is not None) + 300 * ("backward" not in run.failed)
    fitting = 0
    for slot in slots:
        gradient = run.gradients.get(slot.name)
        if gradient is not None:
            array = as_array(gradient.value)
            if array is not None and _fits(slot, array, trial):
                fitting += 1
                score += 240 // len(slots)
            else:
                score += 40 // len(slots)
    score -= 2 * trial.home.fixed
    promised = bool(trial.plan.losses)
    if run.output is not None and not run.failed and fitting == len(slots) and (run.loss is not None or not promised):
        return _ENOUGH
    return score


def _fits(slot: Slot, gradient: Array, trial: Trial) -> bool:
    if gradient.shape == slot.shape:
        return True
    if slot.name.startswith("b"):
        return gradient.size == int(np.prod(slot.shape)) and gradient.size > 1 and gradient.ndim < 3
    return (
        trial.convention.samples == "one"
        and gradient.size == int(np.prod(slot.shape))
        and gradient.shape[::-1] != slot.shape
    )
