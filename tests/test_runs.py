"""A run is a folder of plain files; nothing that was written is lost, and nothing is done twice."""

import errno
import json
import os
import re
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest

import chainrule as cr
from chainrule import storage
from chainrule.errors import DivergedError, RunError, StorageError
from chainrule.runs import RunConfig, execute, resume
from chainrule.runs.config import DataSettings, NetworkSettings, TrainingSettings
from chainrule.runs.folder import Run

EXECUTE = sys.modules["chainrule.runs.execute"]


def small(**training):
    """Settings of a run that takes no time."""
    return RunConfig(
        data=DataSettings(source="moons", samples=90),
        network=NetworkSettings(hidden=(5,), activation=("tanh",)),
        training=TrainingSettings(**{"epochs": 4, "optimizer": "adam", **training}),
    )


def test_a_finished_run_holds_the_files_of_the_design(digits_run):
    files = {str(path.relative_to(digits_run.path)) for path in digits_run.path.rglob("*") if path.is_file()}
    assert files >= {
        "config.json",
        "environment.json",
        "data.json",
        "history.jsonl",
        "timings.jsonl",
        "model.safetensors",
        "evaluation.json",
        "figures/curves.svg",
        "figures/curves.png",
        "figures/confusion.png",
        "figures/network.png",
    }
    assert not (digits_run.path / "checkpoint").exists()
    assert not [name for name in files if name.endswith(".part")]
    assert re.fullmatch(r"digits-[0-9a-f]{10}", digits_run.path.name)
    assert digits_run.path.name.endswith(digits_run.config().identity())


def test_the_folder_can_be_read_without_this_program(digits_run):
    """Every file is JSON to the letter, a picture or safetensors."""

    def refuse(text):
        raise AssertionError(f"{text} is no JSON")

    for name in ("config", "environment", "data", "evaluation"):
        json.loads((digits_run.path / f"{name}.json").read_text("utf-8"), parse_constant=refuse)
    assert (digits_run.figures / "curves.png").read_bytes().startswith(b"\x89PNG")
    assert "</svg>" in (digits_run.figures / "curves.svg").read_text("utf-8")


def test_history_has_one_line_an_epoch_and_seconds_lie_apart(digits_run):
    rows = [json.loads(line) for line in (digits_run.path / "history.jsonl").read_text().splitlines()]
    assert [row["epoch"] for row in rows] == [1, 2, 3, 4]
    assert set(rows[0]) == {
        "epoch",
        "learning_rate",
        "train_loss",
        "train_accuracy",
        "validation_loss",
        "validation_accuracy",
    }
    assert rows[-1]["train_loss"] < rows[0]["train_loss"]
    timings = [json.loads(line) for line in (digits_run.path / "timings.jsonl").read_text().splitlines()]
    assert [row["epoch"] for row in timings] == [1, 2, 3, 4]
    assert all(row["seconds"] > 0 for row in timings)
    for name in ("config.json", "evaluation.json", "data.json", "history.jsonl"):
        assert "seconds" not in (digits_run.path / name).read_text()


def test_the_evaluation_is_that_of_the_model_on_every_part(digits_run):
    stored = json.loads((digits_run.path / "evaluation.json").read_text())
    data, net = cr.load_data("digits"), cr.load(digits_run.path)
    assert stored["epochs"] == 4
    assert stored["stopped"] == "epochs"
    assert stored["test_opened"] == 1
    for name, part in data.parts.items():
        result = stored[name]
        accuracy = float((net.predict(part.x) == part.y).mean())
        assert result["accuracy"] == pytest.approx(accuracy)
        assert np.trace(result["confusion"]) == round(accuracy * len(part))
        assert result["loss"] == pytest.approx(net.loss(part.x, part.y))
        assert result["baseline"]["loss"] == pytest.approx(np.log(10), abs=0.01)
        assert "macro avg" in result["report"]
    last = digits_run.history()[-1]
    assert last["train_loss"] == stored["train"]["loss"]
    assert last["validation_accuracy"] == stored["validation"]["accuracy"]


def test_a_finished_run_is_reported_and_not_repeated_unless_forced(tmp_path, undrawn, monkeypatch, results_of):
    first = execute(small(), runs_dir=tmp_path)
    assert not first.found
    before = results_of(first.run.path)
    stamps = {path.name: path.stat().st_mtime_ns for path in first.run.path.iterdir()}
    again = execute(small(), runs_dir=tmp_path)
    assert again.found
    assert again.stopped == "epochs"
    assert {path.name: path.stat().st_mtime_ns for path in first.run.path.iterdir()} == stamps
    assert resume(first.run).found
    trained = []
    monkeypatch.setattr(EXECUTE, "train", lambda *a, _train=EXECUTE.train, **k: trained.append(1) or _train(*a, **k))
    forced = execute(small(), runs_dir=tmp_path, force=True)
    assert (forced.found, len(trained)) == (False, 1)
    assert results_of(forced.run.path) == before


def test_other_settings_make_another_folder(tmp_path, undrawn):
    folders = {execute(small(l2=l2), runs_dir=tmp_path).run.path for l2 in (0.0, 0.01)}
    assert len(folders) == 2
    assert execute(replace(small(), name="ein Name"), runs_dir=tmp_path).run.path.name.startswith("ein Name-")


def test_batch_losses_are_kept_on_request(tmp_path, undrawn):
    run = execute(small(record_batches=True, batch_size=20), runs_dir=tmp_path).run
    losses = np.load(run.path / "batch_losses.npy", allow_pickle=False)
    assert losses.shape == (4, -(-len(cr.load_data("moons", samples=90).train) // 20))
    assert np.isfinite(losses).all()


def test_a_run_without_curves_has_results_all_the_same(tmp_path):
    run = execute(small(curves=False), runs_dir=tmp_path).run
    assert set(run.history()[0]) == {"epoch", "learning_rate"}
    assert run.evaluations()["test"].accuracy is not None
    assert not (run.figures / "curves.png").exists()
    assert (run.figures / "confusion.png").exists()


def write_table(path, shift=0.0):
    rng = np.random.default_rng(3)
    rows = [f"{a + shift:.3f},{b:.3f},{'up' if b > a else 'down'}" for a, b in rng.normal(size=(80, 2))]
    path.write_text("a,b,way\n" + "\n".join(rows) + "\n")


def test_data_that_changed_since_the_run_are_refused(tmp_path, undrawn, command, monkeypatch):
    path = tmp_path / "table.csv"
    write_table(path)
    assert command("train", path, "--epochs", 2).code == 0
    (folder,) = (tmp_path / "runs").iterdir()
    assert command("verify", folder).code == 0
    write_table(path, shift=0.001)
    answer = command("verify", folder)
    assert answer.code == 2
    assert "fingerprint" in answer.err
    assert "Restore the original data" in answer.err
    (folder / "evaluation.json").unlink()
    answer = command("train", "--resume", folder)
    assert answer.code == 2
    assert "fingerprint" in answer.err
    write_table(path)
    assert command("train", "--resume", folder).code == 0
    assert command("verify", folder).code == 0


def test_data_that_moved_but_did_not_change_are_the_same_run(tmp_path, undrawn, command):
    write_table(tmp_path / "table.csv")
    assert command("train", "table.csv", "--epochs", 2).code == 0
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "table.csv").rename(tmp_path / "elsewhere" / "table.csv")
    assert "was finished before" in command("train", "elsewhere/table.csv", "--epochs", 2).out


def test_a_run_of_ones_own_table_can_be_verified_from_any_folder(tmp_path, undrawn, command, monkeypatch):
    write_table(tmp_path / "table.csv")
    assert command("train", "table.csv", "--epochs", 2).code == 0
    (folder,) = (tmp_path / "runs").iterdir()
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    answer = command("verify", folder)
    assert answer.code == 0, answer.err


@pytest.mark.skipif(not os.path.isdir("/proc/self"), reason="there is no /proc, where even root cannot make a folder")
def test_a_folder_that_cannot_be_made_is_exit_2_in_words(command, undrawn):
    answer = command("train", "xor", "--samples", 60, "--runs-dir", "/proc/nowhere")
    assert answer.code == 2
    assert "/proc/nowhere" in answer.err
    assert "cannot be written" in answer.err
    assert "Traceback" not in answer.text


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_without_permission_is_exit_2_in_words(command, undrawn, tmp_path):
    (tmp_path / "runs").mkdir(mode=0o500)
    answer = command("train", "xor", "--samples", 60)
    assert answer.code == 2
    assert "cannot be written" in answer.err


def test_a_name_too_long_for_a_folder_is_exit_2_in_words(command, undrawn):
    answer = command("train", "xor", "--samples", 60, "--name", "n" * 300)
    assert answer.code == 2
    assert "Traceback" not in answer.text


def test_a_full_disk_while_a_checkpoint_is_written_keeps_the_last_one(
    tmp_path, undrawn, monkeypatch, refused, results_of
):
    whole = execute(small(epochs=6), runs_dir=tmp_path / "whole").run
    original, written = storage.write_bytes, []

    def nearly_full(path, content):
        if path.name == "state.safetensors":
            written.append(path)
            if len(written) == 4:
                monkeypatch.setattr(os, "fsync", full)
        original(path, content)

    def full(_):
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(storage, "write_bytes", nearly_full)
        with refused("no space left", "state.safetensors", "intact", error=StorageError):
            execute(small(epochs=6), runs_dir=tmp_path / "full", checkpoint_seconds=0)
    monkeypatch.undo()
    monkeypatch.setattr(EXECUTE, "draw", lambda *_: None)
    (folder,) = (tmp_path / "full").iterdir()
    assert [path.name for path in (folder / "checkpoint").iterdir()] == ["state.safetensors"]
    assert Run(folder).read_checkpoint().epoch == 3
    said = []
    assert resume(Run(folder), announce=said.append).stopped == "epochs"
    assert "Going on after epoch 3 of 6." in said
    assert results_of(folder) == results_of(whole.path)


FULL = """
import functools, resource, sys
import chainrule.cli.train as room
from chainrule.cli import main
from chainrule.runs import execute
from chainrule.runs.folder import Run
room.execute = functools.partial(execute, checkpoint_seconds=0)
original = Run.write_checkpoint
def limited(run, state):
    if state.epoch == 3:
        resource.setrlimit(resource.RLIMIT_FSIZE, (2000, resource.RLIM_INFINITY))
    original(run, state)
Run.write_checkpoint = limited
sys.exit(main(sys.argv[1:]))
"""


def test_a_limit_of_the_system_on_a_checkpoint_is_exit_2_and_the_run_goes_on_later(
    tmp_path, command, undrawn, results_of
):
    flags = ["train", "xor", "--samples", "80", "--epochs", "5", "--optimizer", "adam", "--hidden", "64"]
    done = subprocess.run(
        [sys.executable, "-c", FULL, *flags], cwd=tmp_path, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 2, done.stderr
    assert "no space left to write" in done.stderr
    assert "Traceback" not in done.stderr
    (folder,) = (tmp_path / "runs").iterdir()
    assert Run(folder).read_checkpoint().epoch == 2
    assert [path.name for path in (folder / "checkpoint").iterdir()] == ["state.safetensors"]
    answer = command("train", "--resume", folder)
    assert answer.code == 0, answer.err
    assert "Going on after epoch 2 of 5" in answer.out
    assert command(*flags, "--runs-dir", "whole").code == 0
    assert results_of(folder) == results_of(tmp_path / "whole" / folder.name)


HOLDING = """
import pathlib, sys, time
from chainrule.runs.folder import Run
with Run(pathlib.Path(sys.argv[1])).locked():
    print("locked", flush=True)
    time.sleep(60)
"""


def test_a_second_process_on_the_same_folder_is_refused(tmp_path, command, undrawn):
    flags = ("train", "xor", "--samples", 80, "--epochs", 3)
    assert command(*flags).code == 0
    (folder,) = (tmp_path / "runs").iterdir()
    (folder / "evaluation.json").unlink()
    before = {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}
    first = subprocess.Popen([sys.executable, "-c", HOLDING, folder], stdout=subprocess.PIPE, text=True)
    try:
        assert first.stdout.readline() == "locked\n"
        for second in (flags, (*flags, "--force"), ("train", "--resume", folder)):
            answer = command(*second)
            assert answer.code == 2
            assert "another process is writing" in answer.err
        assert {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()} == before
    finally:
        first.kill()
        first.wait()
        first.stdout.close()
    assert command("train", "--resume", folder).code == 0  # the lock ended with the process


def test_a_diverged_run_keeps_the_last_good_weights(tmp_path, undrawn):
    config = replace(small(optimizer="sgd", learning_rate=1e30), network=NetworkSettings(hidden=(5,)))
    with pytest.raises(DivergedError) as caught:
        execute(config, runs_dir=tmp_path)
    (folder,) = tmp_path.iterdir()
    assert str(folder / "model.safetensors") in str(caught.value)
    net = cr.load(folder)
    assert all(np.isfinite(P).all() for P in net.parameters().values())
    assert len(Run(folder).history()) == len(caught.value.history)
    assert not Run(folder).finished()


def test_a_regression_that_overflows_only_in_its_loss_is_a_divergence_too(tmp_path, undrawn):
    """Activations of 1e20 are finite in float32, their squares are not."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(60, 2))
    np.savez(tmp_path / "numbers.npz", x=x, y=1e3 * x[:, 0] + 0.5)
    config = RunConfig(
        data=DataSettings(source=str(tmp_path / "numbers.npz"), task="regression"),
        network=NetworkSettings(hidden=()),
        training=TrainingSettings(batch_size="full", learning_rate=8.0, epochs=200),
    )
    with pytest.raises(DivergedError):
        execute(config, runs_dir=tmp_path / "runs")


def test_a_validation_sample_out_of_all_measure_is_told_in_words(tmp_path, undrawn):
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(60, 2)).astype(np.float32), np.arange(60) % 2
    x_val = x.copy()
    x_val[3] = 3e38
    with pytest.raises(cr.errors.ChainruleError):
        cr.train(cr.Network([2, 3, 2]), (x, y), validation=(x_val, y), epochs=1)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("evaluation.json", b"{}"),
        ("evaluation.json", b"[]"),
        ("evaluation.json", b"{"),
        ("evaluation.json", b'{"stopped": "epochs", "train": 3}'),
        ("evaluation.json", b'{"stopped": "epochs", "train": {"loss": 1}}'),
        ("evaluation.json", b'{"stopped": "epochs", "epochs": 4}'),
    ],
)
def test_a_damaged_finished_run_is_reported_in_words(command, copied_run, name, content):
    (copied_run.path / name).write_bytes(content)
    for arguments in (("train", "--resume", copied_run.path), ("verify", copied_run.path)):
        answer = command(*arguments)
        assert answer.code == 2
        assert name in answer.err
        assert "Traceback" not in answer.text


def test_a_folder_that_is_no_run_is_refused(tmp_path, refused):
    for path in (tmp_path, tmp_path / "nowhere"):
        with refused("is no run", error=RunError):
            resume(Run(path))


def test_a_damaged_line_within_the_history_is_refused(copied_run, refused):
    path = copied_run.path / "history.jsonl"
    lines = path.read_text().splitlines()
    path.write_text("\n".join([lines[0], lines[1][:20], *lines[2:]]) + "\n")
    with refused("history.jsonl is damaged", error=RunError):
        copied_run.history()


def test_the_environment_names_what_a_result_may_depend_on(digits_run):
    stored = json.loads((digits_run.path / "environment.json").read_text())
    assert stored["numpy"] == np.__version__
    assert stored["chainrule"] == cr.__version__
    assert stored["python"] == ".".join(map(str, sys.version_info[:3]))
    assert {"system", "machine", "processor", "cores"} <= set(stored)


def test_the_provenance_of_the_data_is_kept(digits_run):
    stored = json.loads((digits_run.path / "data.json").read_text())
    assert stored["counts"] == {"train": 1257, "validation": 270, "test": 270}
    assert stored["sha256"] == digits_run.config().data.sha256
