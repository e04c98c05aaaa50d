"""The corpus proves itself: its right code is right, planted edits make the gradients wrong, harmless ones do not."""

import types
from typing import Any

import numpy as np
import pytest

from doctor.corpus import Case, pairs, runnable, singles, styles
from doctor.drivers import DRIVERS, start

# Faults of the training loop, the start, or of what is left behind: one pass has right gradients.
BESIDE = {
    "ascends", "never-reshuffled", "samples-dropped", "trains-on-validation", "accumulators-carry-over", "seed-fixed",
    "fan-out", "overwritten-cache",
}  # fmt: skip


Arrays = dict[str, Any]


def module(text: str) -> Any:
    code = types.SimpleNamespace()
    space = vars(code)
    exec(compile(text, "corpus", "exec"), space)
    return code


def verdict(case: Case) -> str:
    return truth(case.style.name, runnable(case.style.source(*case.faults)))


def truth(style: str, text: str) -> str:
    """What central differences of the code's own loss say of its gradients: right, up to scale, wrong or fails."""
    code, run = module(text), DRIVERS[style]
    X, labels, T, P = start(style, np.random.default_rng(3))
    copied = {name: array.copy() for name, array in P.items()}
    ways = {name: np.random.default_rng(5).normal(size=(2, *array.shape)) for name, array in P.items()}
    with np.errstate(all="ignore"):
        try:
            _, found = run(code, X, labels, T, copied)
            if any(np.shape(found[name]) != P[name].shape for name in P):
                return "wrong"
            slopes = [along(lambda Q: run(code, X, labels, T, Q)[0], P, name, way) for name in P for way in ways[name]]
        except Exception:
            return "fails"
    claimed = np.array([np.vdot(found[name], way) for name in P for way in ways[name]])
    return judged(claimed, np.array(slopes))


def judged(claimed: Any, slopes: Any) -> str:
    """Of what gradients say the loss does along random directions, two for each parameter, and what it does."""
    if np.allclose(claimed, slopes, 1e-5, 1e-8):
        return "right"
    scale = claimed @ slopes / (slopes @ slopes) if slopes.any() else 0.0
    return "up to scale" if scale > 0 and np.allclose(claimed, scale * slopes, 1e-5, 1e-8) else "wrong"


def along(loss: Any, P: Arrays, name: str, way: Any, step: float = 1e-5) -> float:
    """The central difference of the loss where one parameter moves in one direction."""
    values = []
    for sign in (1, -1):
        Q = {key: array.copy() for key, array in P.items()}
        Q[name] += sign * step * way
        values.append(float(loss(Q)))
    return (values[0] - values[1]) / (2 * step)


@pytest.mark.parametrize("name", styles())
def test_what_each_file_says_of_its_edits_is_so(name: str) -> None:
    for case in (case for case in singles() if case.style.name == name):
        found = verdict(case)
        if not case.faults or case.faults[0].kinds[0] == "right":
            assert found == "right", f"{case.name}: {found}"
        elif case.faults[0].kinds[0] in BESIDE:
            assert found in ("right", "wrong"), f"{case.name}: {found}"
        elif case.faults[0].kinds[0] == "up to scale":
            assert found == "up to scale", f"{case.name}: {found}"
        else:
            assert found in ("wrong", "fails", "up to scale"), f"{case.faults[0]}: {found}"


def test_two_edits_together_are_wrong() -> None:
    for case in pairs():
        assert verdict(case) in ("wrong", "fails", "up to scale"), case.name


def test_the_corpus_has_the_size_that_it_claims() -> None:
    faults = [fault for style in styles().values() for fault in style.faults if not fault.harmless]
    assert len(styles()) >= 24
    assert len({name.rsplit("_", 1)[0] for name in styles()}) >= 12
    assert len(faults) >= 400
    assert len(pairs()) >= 60


def test_every_edit_changes_one_line() -> None:
    for case in singles() + pairs():
        changed = [i for i, line in enumerate(case.style.lines) if line != changed_line(case, i)]
        assert len(changed) == len(case.faults), case.name


def changed_line(case: Case, number: int) -> str:
    texts = {fault.line: fault.text for fault in case.faults}
    line = case.style.lines[number]
    return line[: len(line) - len(line.lstrip())] + texts[number] if number in texts else line
