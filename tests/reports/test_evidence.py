"""A run folder of which a file is missing or edited is found out, in words, from its files alone."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import chainrule as cr
from chainrule.reports.evidence import FILES, problems
from chainrule.runs import Run
from chainrule.runs.tensors import read_tensors, write_tensors


def edit(name: str, change: Callable[[Any], Any]) -> Callable[[Path], None]:
    """Replace a JSON file by what `change` makes of it."""

    def edited(folder: Path) -> None:
        content = json.loads((folder / name).read_text())
        content = change(content) or content
        (folder / name).write_text(json.dumps(content))

    return edited


def without_last_line(folder: Path) -> None:
    lines = (folder / "history.jsonl").read_text().splitlines(keepends=True)
    (folder / "history.jsonl").write_text("".join(lines[:-1]))


def better_history(folder: Path) -> None:
    """A curve made up, its digest with it."""
    import hashlib

    rows = [json.loads(line) for line in (folder / "history.jsonl").read_text().splitlines()]
    rows[-1]["validation_loss"] /= 2
    text = "".join(json.dumps(row) + "\n" for row in rows)
    (folder / "history.jsonl").write_text(text)
    digest = hashlib.sha256(text.encode()).hexdigest()
    edit("evaluation.json", lambda e: e.update(history_sha256=digest))(folder)


def one_right_more(evaluation: dict[str, Any]) -> None:
    row = evaluation["test"]["confusion"][0]
    row[0] += 1


def other_model(hidden: list[int], seed: int) -> Callable[[Path], None]:
    def replaced(folder: Path) -> None:
        net = cr.Network([64, *hidden, 10], seed=seed)
        net.spec = cr.load(folder).spec
        cr.save(net, folder / "model.safetensors")

    return replaced


def touched_samples(folder: Path) -> None:
    arrays, settings, _ = read_tensors(folder / "samples.safetensors", "samples")
    arrays["drawn/probabilities"] = np.roll(arrays["drawn/probabilities"], 1, axis=1)
    write_tensors(folder / "samples.safetensors", "samples", arrays, settings)


def shorter_losses(folder: Path) -> None:
    np.save(folder / "batch_losses.npy", np.load(folder / "batch_losses.npy")[:-1])


EDITS = {
    "history cut": (without_last_line, ["its SHA-256 differs", "ends at epoch 2, but evaluation.json says 3"]),
    "history better": (better_history, ["disagree: the validation loss of epoch 3"]),
    "rate": (edit("config.json", lambda c: c["training"].update(learning_rate=0.5)), ["config.json was edited"]),
    "accuracy": (
        edit("evaluation.json", lambda e: e["test"].update(accuracy=0.99)),
        ["its accuracy is 0.99", "test part"],
    ),
    "confusion": (edit("evaluation.json", one_right_more), ["counts 271 samples, not 270"]),
    "baseline": (
        edit("evaluation.json", lambda e: e["test"]["baseline"].update(accuracy=0.05)),
        ["majority share is not that of its confusion matrix"],
    ),
    "report": (
        edit("evaluation.json", lambda e: e["train"].update(report=e["train"]["report"].replace("0.9", "0.8", 1))),
        ["classification report is not that of its confusion matrix (train part)"],
    ),
    "validation loss": (
        edit("evaluation.json", lambda e: e["validation"].update(loss=0.01)),
        ["disagree: the validation loss of epoch 3"],
    ),
    "fingerprint": (edit("data.json", lambda d: d.update(sha256="0" * 64)), ["data.json was edited"]),
    "other weights": (other_model([12, 8], 5), ["do not belong together"]),
    "other layers": (other_model([9], 5), ["hidden layers are [9], those of config.json [12, 8]"]),
    "byte of the model": (
        lambda folder: (folder / "model.safetensors").write_bytes((folder / "model.safetensors").read_bytes()[:-40]),
        ["model.safetensors"],
    ),
    "samples": (touched_samples, ["do not belong together"]),
    "losses": (shorter_losses, ["batch_losses.npy has 2 epochs, but evaluation.json says 3"]),
    "snapshot": (
        lambda folder: (folder / "snapshots" / "epoch-000001.safetensors").unlink(),
        ["The snapshot of epoch 1 is missing"],
    ),
    "no number": (lambda folder: (folder / "evaluation.json").write_text("{"), ["evaluation.json"]),
    "a list": (lambda folder: (folder / "data.json").write_text("[]"), ["not as it was written"]),
}


def test_an_untouched_run_has_no_problem(full_run, bare_run, plane_run):
    assert [problems(run) for run in (full_run, bare_run, plane_run)] == [[], [], []]


@pytest.mark.parametrize("what", EDITS)
def test_what_was_edited_is_said(changed_run: Run, what: str):
    change, words = EDITS[what]
    change(changed_run.path)
    found = " ".join(problems(changed_run))
    for part in words:
        assert part in found


@pytest.mark.parametrize("name", [*FILES, "evaluation.json"])
def test_a_file_that_is_missing_is_named(changed_run: Run, name: str):
    (changed_run.path / name).unlink()
    assert any(sentence.startswith(f"{name} is missing") for sentence in problems(changed_run))


def test_an_unfinished_run_is_no_damaged_one(changed_run: Run):
    (changed_run.path / "evaluation.json").unlink()
    (changed_run.path / "checkpoint").mkdir()
    (changed_run.path / "checkpoint" / "state.safetensors").write_bytes(b"")
    assert "The run is not finished" in " ".join(problems(changed_run))


def test_a_folder_of_something_else_is_refused(tmp_path, refused):
    (tmp_path / "letter.txt").write_text("Dear")
    with refused("is no run: it has none of its files"):
        problems(Run(tmp_path))


def test_what_is_said_of_a_file_leaves_out_the_folders_of_the_machine(changed_run):
    (changed_run.path / "evaluation.json").write_text("{")
    (told,) = problems(changed_run)
    assert told.startswith("evaluation.json is not readable as JSON")
    assert str(changed_run.path) not in told


def test_a_run_without_settings_is_not_said_to_go_on(changed_run):
    (changed_run.path / "evaluation.json").unlink()
    assert any("--resume" in told for told in problems(changed_run))
    (changed_run.path / "config.json").unlink()
    assert not any("--resume" in told for told in problems(changed_run))
