"""What the update, the training loop and the start do wrong, as they were watched.

Grave are mistakes that make training compute something else than it says; the others leave every gradient right, and
are told beside the verdict.
"""

from collections.abc import Mapping, Sequence

import numpy as np

from chainrule.diagnosis.agreement import Array, close
from chainrule.diagnosis.findings import Finding
from chainrule.diagnosis.forward import Network, passed
from chainrule.diagnosis.objective import Objective, power_of, truth
from chainrule.diagnosis.observation import Intake, Loop, Point, Start, Step

NEAR_PRIOR = 0.01  # share of the prior's entropy by which a loss that learns nothing may be off
SPREAD = 4.0  # standard errors by which the variance of a start may be off what it is drawn with


def loop_findings(intake: Intake, network: Network | None = None, loss: Objective | None = None) -> list[Finding]:
    """The mistakes beyond a single pass, the gravest first; `network` and `loss` where the passes were found right."""
    found: list[Finding] = []
    if intake.step is not None:
        found += _ascends(intake.step)
    if intake.loop is not None:
        loop = intake.loop
        found += found if found else _climbs(loop)
        found += _validation(loop)
        if network is not None and loss is not None:
            found += _accumulates(loop, network, loss)
        found += _order(loop)
        found += _prior(loop)
    if intake.start is not None:
        found += _start(intake.start)
    seeds = [*(intake.loop.seeds if intake.loop else ()), *(intake.start.seeds if intake.start else ())]
    found += _seeded([(seed.function, seed.line) for seed in seeds if seed.function])
    kinds: dict[str, Finding] = {}
    for finding in found:
        kinds.setdefault(finding.kind, finding)
    return list(kinds.values())


def _beside(kind: str, where: str, sentence: str, right: str, line: int | None, *, grave: bool = False) -> Finding:
    return Finding(kind, where, where, sentence, right, line=line, function=where, grave=grave)


def ascending(step: Step) -> dict[str, bool]:
    """By parameter, whether the update moved it along its gradient."""
    found = {}
    for name, G in step.gradients.items():
        if name in step.after and step.after[name].shape == step.before[name].shape == G.shape and np.abs(G).max() > 0:
            found[name] = float(np.vdot(step.after[name] - step.before[name], G)) > 0
    return found


def _ascends(step: Step) -> list[Finding]:
    names = [name for name, up in ascending(step).items() if up]
    if not names:
        return []
    function, line = step.function
    words = f"{function} adds the rate times the gradient to {', '.join(names)}: the loss rises"
    right = f"{names[0]} = {names[0]} − η d{names[0]}"
    return [_beside("ascends", function, words, right, line, grave=True)]


def _climbs(loop: Loop) -> list[Finding]:
    """The same, of the first change within the loop, beside the gradients before it; later ones may have momentum."""
    total: dict[str, Array] = {}
    for event in loop.events:
        if event.role == "backward":
            for name, G in event.gradients.items():
                total[name] = total[name] + G if name in total and total[name].shape == G.shape else G
        if not event.change or not total:
            continue
        known = {name: _shaped(total[name], change.shape) for name, change in event.change.items() if name in total}
        up = [name for name, G in known.items() if G is not None and float(np.vdot(event.change[name], G)) > 0]
        if up:
            function = event.caller or loop.function[0]
            words = f"{function} moves {', '.join(up)} along the gradient: the loss rises"
            right = f"{up[0]} = {up[0]} − η d{up[0]}"
            return [_beside("ascends", loop.function[0], words, right, event.line, grave=True)]
        return []
    return []


def _shaped(G: Array, shape: tuple[int, ...]) -> Array | None:
    """A gradient of the user's own shape in ours."""
    if G.shape == shape:
        return G
    if G.shape == shape[::-1]:
        return G.T
    return G.reshape(shape) if G.size == int(np.prod(shape)) and len(shape) == 1 else None


def _validation(loop: Loop) -> list[Finding]:
    part = None
    for event in loop.events:
        part = event.part or part
        if event.change and part == "validation":
            words = f"{event.caller or loop.function[0]} changes the weights while it goes through the validation data"
            right = "validation data pass forward only"
            return [_beside("trains-on-validation", loop.function[0], words, right, event.line, grave=True)]
    return []


def _accumulates(loop: Loop, network: Network, loss: Objective) -> list[Finding]:
    """Whether the weights move along the sum of all gradients so far, not along that of the samples since the last."""
    X, T = loop.train
    power, c = power_of(loss.scale, network.m)
    total: dict[str, Array] = {}
    rows: list[int] = []
    steps = 0
    for event in loop.events:
        if event.role in ("backward", "forward") and event.part == "train" and event.role == "backward":
            rows += list(event.rows)
        if not event.change or not event.parameters or not rows:
            continue
        point = Point(X[rows], T[rows], event.parameters)
        try:
            here = passed([point], network.hidden, network.output, {})
        except (KeyError, ValueError):
            return []
        own = Objective(
            loss.loss, network.output, (c * float(len(rows)) ** power,), (loss.lam[0],), (loss.mu[0],), free=loss.free
        )
        G = {name: value[0] for name, value in truth(here, own).items() if name in event.change}
        total = {name: total.get(name, 0 * g) + g for name, g in G.items()}
        rows, steps = [], steps + 1
        if steps >= 2 and not _along(event.change, G) and _along(event.change, total):
            function, line = loop.function
            words = "the gradients of earlier samples are still in the sums when the weights are updated"
            right = "set the sums to zero after every update"
            return [_beside("accumulators-carry-over", function, words, right, event.line or line, grave=True)]
        if steps >= 4:
            break
    return []


def _along(change: Mapping[str, Array], G: Mapping[str, Array]) -> bool:
    """Whether the change is one multiple of G."""
    a = np.concatenate([change[name].ravel() for name in G])
    b = np.concatenate([G[name].ravel() for name in G])
    square = float(b @ b)
    return square > 0 and close((a,), (b * float(a @ b) / square,), 1e-5)


def _order(loop: Loop) -> list[Finding]:
    """Samples in the same order in every epoch, and samples that no epoch uses."""
    n = len(loop.train[0])
    epochs: dict[int, list[int]] = {}
    passes: dict[int, int] = {}
    for event in loop.events:
        if event.role == "backward" and event.part == "train" and event.epoch is not None and event.rows:
            epochs.setdefault(event.epoch, []).extend(event.rows)
            passes[event.epoch] = passes.get(event.epoch, 0) + 1
    whole = [rows for epoch, rows in sorted(epochs.items()) if passes[epoch] > 1]
    if len(whole) < 2 or len(whole) < len(epochs):
        return []
    function, line = loop.function
    found = []
    once = all(len(rows) == len(set(rows)) for rows in whole)
    if once and all(n / 2 < len(rows) < n for rows in whole):
        words = f"an epoch uses {len(whole[0])} of the {n} samples"
        found.append(
            _beside("samples-dropped", function, words, "go through all samples, the last ones included", line)
        )
    if once and all(rows == whole[0] for rows in whole):
        words = f"{function} goes through the samples in the same order in every epoch"
        found.append(_beside("never-reshuffled", function, words, "draw a new order for each epoch", line))
    return found


def _prior(loop: Loop) -> list[Finding]:
    T = loop.train[1]
    if len(loop.losses) < 3 or T.ndim != 2 or T.shape[1] < 2 or not np.allclose(T.sum(axis=1), 1):
        return []
    p = T.mean(axis=0)
    prior = float(-(p[p > 0] * np.log(p[p > 0])).sum())
    if prior > 0 and all(abs(loss / prior - 1) < NEAR_PRIOR for loss in loop.losses):
        words = f"the loss stays at {prior:.4f}, the entropy of the class prior: nothing is learnt from the inputs"
        return [_beside("prior-entropy", loop.function[0], words, "", loop.function[1])]
    return []


def _seeded(seeds: Sequence[tuple[str, int | None]]) -> list[Finding]:
    if not seeds:
        return []
    function, line = seeds[0]
    words = f"{function} fixes the seed, so that every run starts and goes alike"
    return [_beside("seed-fixed", function, words, "one generator for all runs, seeded once outside", line)]


def _start(start: Start) -> list[Finding]:
    """Whether the variance of W1 is 1 or 2 over the units out, and not over the units in, and the others fit either."""
    by_in, by_out = [], []
    for name, W in start.first.items():
        if name[0] != "W" or W.ndim != 2 or W.shape[0] == W.shape[1]:
            continue
        values = np.concatenate([W.ravel(), start.second[name].ravel()]) if name in start.second else W.ravel()
        error = SPREAD * float(np.sqrt(2 / W.size))
        variance = float(np.mean(values**2))
        by_in.append(_fits(variance * W.shape[0], error))
        by_out.append(_fits(variance * W.shape[1], error))
    known = [one or other for one, other in zip(by_in, by_out, strict=True)]
    if known and all(known) and by_out[0] and not by_in[0]:
        function, line = start.function
        words = f"{function} scales the first weights by the number of units out of the layer"
        return [_beside("fan-out", function, words, "scale by 1/√(units in)", line)]
    return []


def _fits(scaled: float, error: float) -> bool:
    return any(abs(scaled / c - 1) < min(error, 0.3) for c in (1.0, 2.0))
