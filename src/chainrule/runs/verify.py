"""Compute a run's results again from its model and its data, and hold them against what was stored."""

import itertools
import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from chainrule.data import Part
from chainrule.errors import RunError
from chainrule.evaluation import Evaluation, evaluate
from chainrule.kernels import accelerate
from chainrule.network import Network
from chainrule.runs.execute import load as load_run_data
from chainrule.runs.folder import Run, environment
from chainrule.runs.models import load as load_model

LOSS_TOLERANCE = 1e-5
MARGIN = 1e-5


@dataclass(frozen=True)
class Verification:
    """Stored and new results by part, and every difference in words; `ok` where there is none."""

    stored: dict[str, Evaluation]
    computed: dict[str, Evaluation]
    differences: list[str]
    exact: bool

    @property
    def ok(self) -> bool:
        return not self.differences

    def side_by_side(self, part: str) -> str:
        """Stored and new classification report of `part`, line beside line."""
        left = _text(self.stored[part]).splitlines()
        right = _text(self.computed[part]).splitlines()
        width = max(map(len, [*left, "stored"]))
        lines = itertools.zip_longest(["stored", "", *left], ["computed now", "", *right], fillvalue="")
        return "\n".join(f"{a:<{width}}  │  {b}".rstrip() for a, b in lines)


def verify(run: Run, *, data_dir: Path | None = None) -> Verification:
    """Evaluate the model of a finished `run` again on its own data; writes nothing.

    On the machine and versions of the run every number must be equal. Elsewhere the decisions must be equal
    on all samples whose two greatest outputs differ by more than 1e-5, and losses to 1e-5 relative.
    Raises RunError where the run is unfinished or incomplete, ModelFileError where its model is damaged or edited.
    """
    config = run.config()
    if not run.finished():
        raise RunError(f"{run.path} is not finished", f"Go on with it: chainrule train --resume {run.path}")
    stored = run.evaluations()
    net = load_model(run.model)
    extractor = None if net.spec is None else net.spec.extractor
    parts = load_run_data(config, data_dir, extractor=extractor).parts
    if stored.keys() != parts.keys():
        raise RunError(
            f"evaluation.json has results of {', '.join(stored)}, but the data have the parts {', '.join(parts)}",
            "The file was edited, or the data are others.",
        )
    if run.results().get("engine") == "compiled":
        accelerate(net)
    with run.own_threads():
        computed = {part: evaluate(net, parts[part]) for part in stored}
        exact = run.environment() == environment()
    differences = []
    if config.identity() != run.results().get("identity"):
        differences.append(f"config.json: its settings ({config.identity()}) are not those that the run ended with")
    if run.history_digest() != run.results().get("history_sha256"):
        differences.append("history.jsonl: it is not the one that the run ended with")
    epochs = run.epochs()
    if epochs != run.results()["epochs"]:
        differences.append(f"history.jsonl has {epochs} epochs, evaluation.json says {run.results()['epochs']}")
    for part in stored:
        close_calls = 0 if exact else _close_calls(net, parts[part])
        differences += _compare(part, stored[part], computed[part], exact, close_calls)
    for epoch, results in run.snapshot_evaluations().items():
        earlier = load_model(run.snapshot(epoch))
        if net.fast_predict is not None:
            accelerate(earlier)
        for part, result in results.items():
            with run.own_threads():
                again = evaluate(earlier, parts[part])
            close_calls = 0 if exact else _close_calls(earlier, parts[part])
            differences += _compare(f"epoch {epoch}: {part}", result, again, exact, close_calls)
    return Verification(stored, computed, differences, exact)


def _compare(part: str, old: Evaluation, new: Evaluation, exact: bool, close_calls: int) -> list[str]:
    tolerance = 0.0 if exact else LOSS_TOLERANCE
    found = []
    for name in ("loss", "r2"):
        a, b = getattr(old, name), getattr(new, name)
        if (a is None) != (b is None) or (a is not None and not math.isclose(a, b, rel_tol=tolerance)):
            found.append(f"{part} {name}: stored {a!r}, now {b!r}")
    if old.baseline.keys() != new.baseline.keys() or not all(
        math.isclose(old.baseline[name], new.baseline[name], rel_tol=tolerance) for name in old.baseline
    ):
        found.append(f"{part} baseline: stored {old.baseline}, now {new.baseline}")
    for name in ("samples", "classes", "loss_name"):
        if getattr(old, name) != getattr(new, name):
            found.append(f"{part} {name}: stored {getattr(old, name)}, now {getattr(new, name)}")
    if old.confusion is not None and new.confusion is not None and old.confusion.shape == new.confusion.shape:
        moved = (int(np.abs(old.confusion - new.confusion).sum()) + 1) // 2
        if moved > close_calls:
            found.append(f"{part} confusion matrix: {moved} samples are decided otherwise than stored")
    elif (old.confusion is None) != (new.confusion is None) or old.confusion is not None:
        found.append(f"{part} confusion matrix: it has another shape than stored")
    if old.accuracy is not None and new.accuracy is not None:
        if abs(old.accuracy - new.accuracy) * new.samples > close_calls + 0.5 * (close_calls > 0):
            found.append(f"{part} accuracy: stored {old.accuracy!r}, now {new.accuracy!r}")
    elif old.accuracy != new.accuracy:
        found.append(f"{part} accuracy: stored {old.accuracy!r}, now {new.accuracy!r}")
    if close_calls == 0 and (old.report != new.report or old.scores != new.scores):
        found.append(f"{part} classification report: it differs from the stored one")
    return found


def _close_calls(net: Network, part: Part) -> int:
    """Samples whose decision another machine's rounding could turn."""
    A = net.predict_proba(part.x)
    if net.output.name == "sigmoid":
        margins = np.abs(2 * A - 1).min(axis=1)
    elif A.shape[1] > 1:
        top = np.partition(A, -2, axis=1)
        margins = top[:, -1] - top[:, -2]
    else:
        return 0
    return int((margins <= MARGIN).sum())


def _text(result: Evaluation) -> str:
    return result.report or result.summary()
