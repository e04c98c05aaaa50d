"""What speaks for a run folder: which of its files are there, and whether they belong together."""

import math
import os
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import numpy as np

from chainrule import storage
from chainrule.errors import ChainruleError, RunError
from chainrule.evaluation import Evaluation
from chainrule.network import Network
from chainrule.reports.items.results import report_from
from chainrule.runs import Run, RunConfig
from chainrule.runs import load as load_model

FILES = ("config.json", "environment.json", "data.json", "history.jsonl", "timings.jsonl", "model.safetensors")
TOLERANCE = 1e-4  # relative, of numbers that were computed by two engines or on two machines


def problems(run: Run) -> list[str]:
    """Everything about the folder of `run` that a reader of its report must know, a sentence each.

    A file is missing or damaged, or was edited: it does not agree with another that was written with it. Nothing is
    computed from data; `chainrule verify` does that. Raises RunError where the folder is none of a run.
    """
    if not any((run.path / name).is_file() for name in (*FILES, "evaluation.json")):
        raise RunError(f"{run.path} is no run: it has none of its files", "Name a folder that `chainrule train` wrote.")
    found = [f"{name} is missing." for name in FILES if not (run.path / name).is_file()]
    if not run.finished():
        begun = "The run is not finished" if run.has_checkpoint() else "evaluation.json is missing"
        again = f" `chainrule train --resume {run.path.name}` goes on with it." * (run.path / "config.json").is_file()
        found.append(f"{begun}: there are no results.{again}")
    config, results = _attempt(run.config, found), _attempt(run.results, found)
    net = _attempt(partial(load_model, run.model), found)
    evaluations = _attempt(run.evaluations, found) if results is not None else None
    for check in (
        _of_history(run, results),
        _of_settings(run, config, net, results),
        _of_results(evaluations or {}),
        _of_last_epoch(run, results, evaluations or {}),
        _of_recordings(run, net, results),
    ):
        _attempt(partial(found.extend, check), found)
    return [text.replace(f"{run.path}{os.sep}", "") for text in dict.fromkeys(found)]


def _attempt(read: Callable[[], Any], found: list[str]) -> Any:
    """What `read` gives; None where that fails, with the reason added to `found` unless the file is simply missing."""
    try:
        return read()
    except ChainruleError as error:
        if "is missing" not in error.problem and "there is no" not in error.problem and "has no" not in error.problem:
            found.append(f"{error.problem}.")
    except (KeyError, TypeError, ValueError, IndexError) as error:
        found.append(f"A file of the run is not as it was written: {error!r}.")
    return None


def _of_history(run: Run, results: dict[str, Any] | None) -> Iterator[str]:
    if results is None:
        return
    if (run.path / "history.jsonl").is_file() and run.history_digest() != results.get("history_sha256"):
        yield "history.jsonl was edited or cut: it is not the one that the run ended with (its SHA-256 differs)."
    epochs = run.epochs()
    if (run.path / "history.jsonl").is_file() and epochs != results["epochs"]:
        yield f"history.jsonl ends at epoch {epochs}, but evaluation.json says {results['epochs']}."


def _of_settings(
    run: Run, config: RunConfig | None, net: Network | None, results: dict[str, Any] | None
) -> Iterator[str]:
    if config is None:
        return
    if results is not None and config.identity() != results.get("identity"):
        yield (
            f"config.json was edited: its settings ({config.identity()}) are not those that the run ended with "
            f"({results.get('identity')})."
        )
    if net is not None and net.layers[1:-1] != config.network.hidden:
        yield (
            f"model.safetensors is not of this run: its hidden layers are {list(net.layers[1:-1])}, "
            f"those of config.json {list(config.network.hidden)}."
        )
    if (run.path / "data.json").is_file():
        stored = storage.read_json(run.path / "data.json")
        if stored["sha256"] != config.data.sha256:
            yield "data.json was edited: its fingerprint of the data is not the one in config.json."


def _of_results(evaluations: dict[str, Evaluation]) -> Iterator[str]:
    for part, result in evaluations.items():
        if result.confusion is None:
            continue
        total, right = int(result.confusion.sum()), int(np.trace(result.confusion))
        counts = [
            (total == result.samples, f"its confusion matrix counts {total} samples, not {result.samples}"),
            (
                result.accuracy is not None and math.isclose(right, result.accuracy * result.samples, abs_tol=0.01),
                f"its accuracy is {result.accuracy}, but its confusion matrix has {right} of {total} right",
            ),
            (
                math.isclose(result.confusion.sum(axis=1).max() / max(total, 1), result.baseline.get("accuracy", -1)),
                "its majority share is not that of its confusion matrix",
            ),
            (
                report_from(result.confusion, result.classes) == result.report,
                "its classification report is not that of its confusion matrix",
            ),
        ]
        for agrees, what in counts:
            if not agrees:
                yield f"evaluation.json was edited: {what} ({part} part)."


def _of_last_epoch(run: Run, results: dict[str, Any] | None, evaluations: dict[str, Evaluation]) -> Iterator[str]:
    """The history and the evaluation measured the same weights on the same validation data."""
    if results is None or "validation" not in evaluations:
        return
    epoch = results.get("best_epoch") or results["epochs"]
    row = next((row for row in run.history() if row["epoch"] == epoch), {})
    for name in ("loss", "accuracy"):
        then, now = row.get(f"validation_{name}"), getattr(evaluations["validation"], name)
        if then is not None and now is not None and not math.isclose(then, now, rel_tol=TOLERANCE, abs_tol=TOLERANCE):
            yield (
                f"history.jsonl and evaluation.json disagree: the validation {name} of epoch {epoch} is {then:.6g} "
                f"in one and {now:.6g} in the other."
            )


def _of_recordings(run: Run, net: Network | None, results: dict[str, Any] | None) -> Iterator[str]:
    losses = run.batch_losses()
    if losses is not None and results is not None and len(losses) != results["epochs"]:
        yield f"batch_losses.npy has {len(losses)} epochs, but evaluation.json says {results['epochs']}."
    if results is not None:
        evaluated, kept = set(results.get("snapshots", {})), {str(epoch) for epoch in run.snapshots()}
        for epoch in sorted(evaluated - kept, key=int):
            yield f"The snapshot of epoch {epoch} is missing."
    samples = run.samples()
    if samples is None or net is None or not len(samples.drawn):
        return
    now = net.predict_proba(samples.drawn.inputs(net))
    stored = samples.drawn.probabilities
    if now.shape != stored.shape or not np.allclose(now, stored, rtol=1e-3, atol=TOLERANCE):
        yield "model.safetensors and samples.safetensors do not belong together: their predictions differ."
