"""Verifying computes a run's results again; whatever was edited since is named."""

import json
import os
import shutil
import subprocess

import numpy as np
import pytest

import chainrule as cr
from chainrule.runs import verify
from chainrule.runs.folder import Run


@pytest.fixture
def edit(copied_run):
    """`edit("evaluation.json", change)`: the file, changed in place by `change`, in a copy of the finished run."""

    def apply(name, change):
        path = copied_run.path / name
        content = json.loads(path.read_text())
        change(content)
        path.write_text(json.dumps(content, indent=2))

    return apply


def snapshot(folder):
    return {path.relative_to(folder): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_an_untouched_run_is_verified_with_both_reports_side_by_side(command, copied_run):
    before = snapshot(copied_run.path)
    answer = command("verify", copied_run.path)
    assert answer.code == 0, answer.text
    assert "The run is verified: equal in every number" in answer.out
    for line in ("stored", "computed now", "macro avg", "train part, n = 1257", "test part, n = 270"):
        assert line in answer.out
    (averages,) = [line for line in answer.out.splitlines() if "macro avg" in line]
    left, right = averages.split("│")
    assert left.split() == right.split()
    assert snapshot(copied_run.path) == before


def test_a_copied_run_is_verified_too(tmp_path, copied_run):
    copy = Run(shutil.copytree(copied_run.path, tmp_path / "backup" / copied_run.path.name))
    assert verify(copy).ok


EVALUATION = {
    "accuracy": (lambda e: e["test"].update(accuracy=0.99), "test accuracy: stored 0.99"),
    "accuracy by one ulp": (
        lambda e: e["train"].update(accuracy=float(np.nextafter(e["train"]["accuracy"], 1))),
        "train accuracy",
    ),
    "loss": (lambda e: e["validation"].update(loss=e["validation"]["loss"] * 0.9), "validation loss"),
    "last digit of the loss": (
        lambda e: e["test"].update(loss=float(np.nextafter(e["test"]["loss"], 0))),
        "test loss",
    ),
    "one cell of the confusion matrix": (
        lambda e: e["test"]["confusion"][0].__setitem__(0, e["test"]["confusion"][0][0] + 1),
        "test confusion",
    ),
    "one sample moved in the confusion matrix": (
        lambda e: e["test"]["confusion"][3].__setitem__(slice(3, 5), [e["test"]["confusion"][3][3] - 1, 99]),
        "test confusion",
    ),
    "confusion matrix taken away": (lambda e: e["test"].update(confusion=None), "test confusion"),
    "baseline": (lambda e: e["train"]["baseline"].update(accuracy=0.5), "train baseline"),
    "samples": (lambda e: e["test"].update(samples=271), "test samples"),
    "report": (lambda e: e["test"].update(report=e["test"]["report"].replace("0", "1")), "test classification report"),
    "scores": (lambda e: e["test"]["scores"]["3"].update(recall=1.0), "test classification report"),
    "classes": (lambda e: e["test"].update(classes=list("9876543210")), "test classes"),
    "epochs": (lambda e: e.update(epochs=5), "epochs"),
    "part taken away": (lambda e: e.pop("test"), "test"),
    "all parts taken away": (lambda e: [e.pop(part) for part in ("train", "validation", "test")], "evaluation.json"),
}


@pytest.mark.parametrize("name", EVALUATION)
def test_edited_results_are_named(command, copied_run, edit, name):
    change, words = EVALUATION[name]
    edit("evaluation.json", change)
    answer = command("verify", copied_run.path)
    assert answer.code in (1, 2), answer.text
    assert "is verified" not in answer.out
    assert "Traceback" not in answer.text
    told = answer.out.partition("NOT verified")[2] + answer.err
    assert words in told, told


WRONG_TYPES = {
    "loss of text": lambda e: e["test"].update(loss="small"),
    "accuracy of text": lambda e: e["test"].update(accuracy="high"),
    "baseline of text": lambda e: e["test"].update(baseline="low"),
    "report of numbers": lambda e: e["test"].update(report=3),
    "confusion of text": lambda e: e["test"].update(confusion="full"),
    "confusion ragged": lambda e: e["test"].update(confusion=[[1, 2], [3]]),
    "confusion with fractions": lambda e: e["test"]["confusion"][0].__setitem__(0, e["test"]["confusion"][0][0] + 0.5),
    "classes none": lambda e: e["test"].update(classes=None),
    "samples of text": lambda e: e["test"].update(samples="many"),
    "part of text": lambda e: e.update(test="good"),
    "unknown key": lambda e: e["test"].update(colour="red"),
    "key taken away": lambda e: e["test"].pop("loss"),
    "null loss": lambda e: e["test"].update(loss=None),
}


@pytest.mark.parametrize("name", WRONG_TYPES)
def test_results_of_a_wrong_type_are_refused_in_words(command, copied_run, edit, name):
    edit("evaluation.json", WRONG_TYPES[name])
    answer = command("verify", copied_run.path)
    assert answer.code in (1, 2)
    assert "is verified" not in answer.out
    assert "Traceback" not in answer.text


def test_an_edited_model_is_refused_by_its_probe(command, copied_run):
    content = bytearray(copied_run.model.read_bytes())
    content[-3] ^= 0x41
    copied_run.model.write_bytes(bytes(content))
    answer = command("verify", copied_run.path)
    assert answer.code == 2
    assert "model.safetensors" in answer.err


def test_a_model_that_was_trained_on_and_saved_again_is_noticed(command, copied_run):
    net = cr.load(copied_run.path)
    cr.train(net, cr.load_data("digits"), epochs=1)
    cr.save(net, copied_run.model)
    answer = command("verify", copied_run.path)
    assert answer.code == 1
    assert "NOT verified" in answer.out
    for words in ("train loss: stored", "test confusion matrix", "samples are decided otherwise"):
        assert words in answer.out


@pytest.mark.parametrize(
    "change",
    [
        lambda c: c["training"].update(learning_rate=0.2),
        lambda c: c["training"].update(epochs=3),
        lambda c: c["network"].update(hidden=[13]),
        lambda c: c["data"].update(split_seed=1),
        lambda c: c["data"].update(sha256="0" * 64),
        lambda c: c["data"].update(source="circles"),
        lambda c: c["data"].update(preprocessing="none"),
        lambda c: c["network"].update(colour="red"),
        lambda c: c.pop("network"),
    ],
)
def test_edited_settings_are_noticed(command, copied_run, edit, change):
    edit("config.json", change)
    answer = command("verify", copied_run.path)
    assert answer.code in (1, 2), answer.text
    assert "config.json" in answer.text or "fingerprint" in answer.text


HISTORY = {
    "a loss in the last line": (3, "train_loss"),
    "a loss in a line between": (1, "validation_loss"),
    "an accuracy": (2, "train_accuracy"),
    "a rate": (0, "learning_rate"),
}


@pytest.mark.parametrize("name", HISTORY)
def test_an_edited_history_is_noticed(command, copied_run, name):
    number, key = HISTORY[name]
    path = copied_run.path / "history.jsonl"
    rows = [json.loads(line) for line in path.read_text().splitlines()]
    rows[number][key] *= 0.5
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    answer = command("verify", copied_run.path)
    assert answer.code in (1, 2), answer.text
    assert "history.jsonl" in answer.text


def test_a_history_with_a_line_less_is_noticed(command, copied_run):
    path = copied_run.path / "history.jsonl"
    path.write_text("".join(path.read_text().splitlines(keepends=True)[:-1]))
    answer = command("verify", copied_run.path)
    assert answer.code == 1
    assert "history.jsonl" in answer.out.partition("NOT verified")[2]


@pytest.mark.parametrize("name", ["config.json", "environment.json", "model.safetensors", "history.jsonl"])
def test_a_missing_file_is_named(command, copied_run, name):
    (copied_run.path / name).unlink()
    answer = command("verify", copied_run.path)
    assert answer.code in (1, 2)
    assert name in answer.text


def test_an_unfinished_run_is_refused_with_the_way_on(command, copied_run):
    (copied_run.path / "evaluation.json").unlink()
    answer = command("verify", copied_run.path)
    assert answer.code == 2
    assert "is not finished" in answer.err
    assert f"chainrule train --resume {copied_run.path}" in answer.err


def test_a_folder_that_is_no_run_is_refused(command, tmp_path):
    for path in (tmp_path, tmp_path / "nowhere"):
        answer = command("verify", path)
        assert answer.code == 2
        assert "is no run" in answer.err


def elsewhere(environment):
    environment["numpy"] = "1.0"


def test_on_another_machine_losses_may_differ_in_the_last_digits(command, copied_run, edit):
    edit("environment.json", elsewhere)
    edit("evaluation.json", lambda e: e["test"].update(loss=e["test"]["loss"] * (1 + 5e-6)))
    answer = command("verify", copied_run.path)
    assert answer.code == 0, answer.text
    assert "losses to 1e-5 (other machine" in answer.out


@pytest.mark.parametrize("name", ["accuracy", "loss", "one cell of the confusion matrix", "report"])
def test_on_another_machine_other_decisions_and_losses_are_noticed_too(command, copied_run, edit, name):
    edit("environment.json", elsewhere)
    edit("evaluation.json", EVALUATION[name][0])
    answer = command("verify", copied_run.path)
    assert answer.code == 1, answer.text


@pytest.mark.skipif((os.cpu_count() or 1) < 2, reason="one core runs one thread")
def test_another_number_of_threads_is_no_difference(command, program, undrawn, tmp_path):
    """Matrix products add up in another order on two threads than on one; the data are wide enough to show it."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(3000, 784)).astype(np.float32)
    np.savez(tmp_path / "wide.npz", x=x, y=(x[:, 0] > 0).astype(np.int64))
    assert command("train", "wide.npz", "--epochs", 1, "--hidden", 100, "--batch-size", 500).code == 0
    (folder,) = (tmp_path / "runs").iterdir()
    for threads in ("1", "2"):
        environment = {**os.environ, "OPENBLAS_NUM_THREADS": threads, "OMP_NUM_THREADS": threads}
        done = subprocess.run(
            [*program, "verify", folder], cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=120
        )
        assert done.returncode == 0, done.stdout[-600:] + done.stderr


@pytest.mark.parametrize(
    ("source", "flags"),
    [
        ("circles", ("--output", "sigmoid")),
        ("blobs", ("--batch-norm", "True", "--dropout", "0.3", "--dtype", "float64")),
        ("spirals", ("--early-stopping", "1", "--learning-rate", "3")),
    ],
)
def test_runs_of_all_kinds_are_verified(command, undrawn, tmp_path, source, flags):
    assert command("train", source, "--samples", 90, "--epochs", 5, *flags).code == 0
    (folder,) = (tmp_path / "runs").iterdir()
    answer = command("verify", folder)
    assert answer.code == 0, answer.text


def numbers(tmp_path, target):
    rng = np.random.default_rng(2)
    x = rng.normal(size=(120, 3))
    np.savez(tmp_path / "numbers.npz", x=x, y=target(x))
    return tmp_path / "numbers.npz"


def test_a_regression_is_verified(command, undrawn, tmp_path):
    path = numbers(tmp_path, lambda x: x @ [0.5, -1.0, 0.25] + 0.1)
    assert command("train", path, "--epochs", 3).code == 0
    (folder,) = (tmp_path / "runs").iterdir()
    answer = command("verify", folder)
    assert answer.code == 0, answer.text
    assert "R²" in answer.out


def test_a_regression_whose_targets_are_all_the_same_is_verified_too(command, undrawn, tmp_path):
    """R² is undefined there, which is no difference."""
    path = numbers(tmp_path, lambda x: np.full(len(x), 0.5))
    assert command("train", path, "--epochs", 1).code == 0
    (folder,) = (tmp_path / "runs").iterdir()
    answer = command("verify", folder)
    assert answer.code == 0, answer.text
    assert "NaN" not in (folder / "evaluation.json").read_text(), "JSON knows no NaN"


def test_on_another_machine_a_baseline_may_differ_in_its_last_digit(command, copied_run, edit):
    edit("environment.json", lambda e: e.update(numpy="0.0.1"))
    edit("evaluation.json", lambda e: e["test"]["baseline"].update(loss=np.nextafter(e["test"]["baseline"]["loss"], 9)))
    answer = command("verify", copied_run.path)
    assert answer.code == 0, answer.text


def test_a_table_with_a_renamed_class_is_another_run(command, undrawn, table, tmp_path):
    assert command("train", table, "--epochs", 1).code == 0
    table.write_text(table.read_text().replace("tall", "high"))
    answer = command("train", table, "--epochs", 1)
    assert "finished before" not in answer.text
    assert "high" in answer.out
    assert len(list((tmp_path / "runs").iterdir())) == 2
