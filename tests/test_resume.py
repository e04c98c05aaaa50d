"""A run that was killed at any moment and resumed ends with the same bytes as one that was never interrupted."""

import json
import random
import shlex
import signal
import subprocess
import sys
import time

import pytest

from chainrule.runs import RunConfig, execute, resume
from chainrule.runs.config import DataSettings, NetworkSettings, TrainingSettings
from chainrule.runs.folder import Run

EXECUTE = sys.modules["chainrule.runs.execute"]

# A process that trains with many checkpoints and no figures: `python -c TRAINING seconds arguments of the command`
TRAINING = """
import functools, sys
import chainrule.cli.train as room
from chainrule.cli import main
from chainrule.runs import execute
sys.modules["chainrule.runs.execute"].draw = lambda *_: None
room.execute = functools.partial(execute, checkpoint_seconds=float(sys.argv[1]))
sys.exit(main(sys.argv[2:]))
"""

RECORDED = {
    "record_layers": True,
    "record_batches": True,
    "monitor_test": True,
    "snapshots": (1, 3, 6),
    "record_samples": 10,
}
RICH = {
    "hidden": (24, 12),
    "activation": ("gelu", "tanh"),
    "dropout": (0.2, 0.1),
    "batch_norm": (True, False),
}


def settings(hidden=(6,), activation=("tanh",), dropout=(0.0,), batch_norm=(False,), start=None, **training):
    return RunConfig(
        data=DataSettings(source="spirals", samples=90),
        network=NetworkSettings(hidden, activation, dropout=dropout, batch_norm=batch_norm, start=start),
        training=TrainingSettings(**{"epochs": 6, "batch_size": 16, **training}),
    )


class KilledError(BaseException):
    """Death at a chosen moment, which nothing catches."""


METHODS = {
    "gradient descent": {},
    "file order": {"shuffle": False},
    "momentum": {"optimizer": "momentum", "schedule": "cosine(warmup=1)"},
    "nesterov": {"optimizer": "nesterov(momentum=0.8)", "learning_rate": 0.02, "clip": 0.5},
    "rmsprop": {"optimizer": "rmsprop", "schedule": "step(every=2, factor=0.5)"},
    "adamw": {"optimizer": "adamw", "l2": 0.01, "batch_size": "full"},
    "batches kept": {"record_batches": True, "curve_samples": 20},
    "everything": {"optimizer": "adam", "early_stopping": 3, **RICH},
    "all that is recorded": RECORDED,
    "recorded now and then": {**RECORDED, "curve_every": 2, "engine": "compiled", **RICH},
}


@pytest.mark.parametrize("name", METHODS)
def test_death_after_any_epoch_changes_no_byte(tmp_path, undrawn, monkeypatch, results_of, name):
    config = settings(**METHODS[name])
    whole = execute(config, runs_dir=tmp_path / "whole").run
    append = Run.append_epoch
    for last in [row["epoch"] for row in whole.history()]:
        monkeypatch.setattr(Run, "append_epoch", append)

        def dying(run, row, seconds, last=last):
            append(run, row, seconds)
            if row["epoch"] == last:
                raise KilledError

        monkeypatch.setattr(Run, "append_epoch", dying)
        folder = tmp_path / str(last) / whole.path.name
        try:
            execute(config, runs_dir=tmp_path / str(last), checkpoint_seconds=0)
        except KilledError:
            monkeypatch.setattr(Run, "append_epoch", append)
            resume(Run(folder))
        assert results_of(folder) == results_of(whole.path)


@pytest.mark.parametrize("moment", ["before", "after"])
@pytest.mark.parametrize("epoch", [1, 3, 6])
def test_death_around_the_writing_of_a_snapshot_changes_no_byte(
    tmp_path, undrawn, monkeypatch, results_of, epoch, moment
):
    config = settings(**RECORDED, curve_every=2)
    whole = execute(config, runs_dir=tmp_path / "whole").run
    save = EXECUTE.save

    def dying(net, path, **given):
        if moment == "after" or path.name != f"epoch-{epoch:06}.safetensors":
            save(net, path, **given)
        if path.name == f"epoch-{epoch:06}.safetensors":
            raise KilledError

    with monkeypatch.context() as patched:
        patched.setattr(EXECUTE, "save", dying)
        with pytest.raises(KilledError):
            execute(config, runs_dir=tmp_path / "killed", checkpoint_seconds=0)
    folder = tmp_path / "killed" / whole.path.name
    resume(Run(folder))
    assert results_of(folder) == results_of(whole.path)
    assert len(list((folder / "snapshots").iterdir())) == 3


@pytest.mark.parametrize("patience", [1, 2, 50])
def test_death_between_the_last_epoch_and_the_evaluation_changes_no_byte(
    tmp_path, undrawn, monkeypatch, results_of, patience
):
    """The checkpoint of the last epoch must remember that training was over, and why."""
    config = settings(early_stopping=patience, learning_rate=2.0, epochs=12)
    whole = execute(config, runs_dir=tmp_path / "whole").run

    def dying(*_):
        raise KilledError

    conclude = EXECUTE._conclude
    monkeypatch.setattr(EXECUTE, "_conclude", dying)
    with pytest.raises(KilledError):
        execute(config, runs_dir=tmp_path / "killed", checkpoint_seconds=0)
    monkeypatch.setattr(EXECUTE, "_conclude", conclude)
    folder = tmp_path / "killed" / whole.path.name
    assert resume(Run(folder)).stopped == ("epochs" if patience == 50 else "early stopping")
    assert results_of(folder) == results_of(whole.path)


def test_early_stopping_ends_early_and_keeps_the_best_weights(tmp_path, undrawn):
    """Without this the test above would prove nothing."""
    run = execute(settings(early_stopping=2, learning_rate=2.0, epochs=12), runs_dir=tmp_path).run
    stored, rows = run.results(), run.history()
    assert len(rows) < 12
    losses = [row["validation_loss"] for row in rows]
    assert stored["best_epoch"] == losses.index(min(losses)) + 1 == len(rows) - 2
    assert stored["validation"]["loss"] == min(losses)


def test_a_torn_last_line_is_healed(tmp_path, undrawn, monkeypatch, results_of):
    config = settings(optimizer="adam")
    whole = execute(config, runs_dir=tmp_path / "whole").run
    append = Run.append_epoch

    def tearing(run, row, seconds):
        append(run, row, seconds)
        if row["epoch"] == 4:
            for name in ("history.jsonl", "timings.jsonl"):
                content = (run.path / name).read_bytes()
                (run.path / name).write_bytes(content[:-15])
            raise KilledError

    monkeypatch.setattr(Run, "append_epoch", tearing)
    with pytest.raises(KilledError):
        execute(config, runs_dir=tmp_path / "torn", checkpoint_seconds=0)
    monkeypatch.setattr(Run, "append_epoch", append)
    torn = Run(tmp_path / "torn" / whole.path.name)
    assert len(torn.history()) == 3
    resume(torn)
    assert results_of(torn.path) == results_of(whole.path)
    timings = [json.loads(line) for line in (torn.path / "timings.jsonl").read_text().splitlines()]
    assert [row["epoch"] for row in timings] == [1, 2, 3, 4, 5, 6]


def test_a_run_killed_before_its_first_checkpoint_begins_anew(tmp_path, undrawn, monkeypatch, results_of):
    config = settings()
    whole = execute(config, runs_dir=tmp_path / "whole").run
    append = Run.append_epoch

    def dying(run, row, seconds):
        append(run, row, seconds)
        raise KilledError

    monkeypatch.setattr(Run, "append_epoch", dying)
    with pytest.raises(KilledError):
        execute(config, runs_dir=tmp_path / "killed")
    monkeypatch.setattr(Run, "append_epoch", append)
    folder = tmp_path / "killed" / whole.path.name
    assert not (folder / "checkpoint").exists()
    resume(Run(folder))
    assert results_of(folder) == results_of(whole.path)


def epochs_of(runs):
    """The last whole line's epoch of the only history under `runs`; 0 while there is none."""
    return max((Run(path.parent).epochs() for path in runs.glob("*/history.jsonl")), default=0)


def start(folder, flags, seconds="0.05"):
    return subprocess.Popen(
        [sys.executable, "-c", TRAINING, seconds, *flags],
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def wait_for_epochs(process, runs, number):
    end = time.monotonic() + 60
    while epochs_of(runs) < number and process.poll() is None:
        assert time.monotonic() < end, "the training makes no progress"
        time.sleep(0.01)


PLAIN = ["train", "digits", "--epochs", "60", "--hidden", "24", "--quiet"]
FULL = [
    *(*PLAIN, "--hidden", "24", "12", "--activation", "gelu", "tanh", "--dropout", "0.2", "0.1"),
    *("--batch-norm", "True", "False", "--optimizer", "adam", "--early-stopping", "50", "--batch-size", "33"),
]


KEPT = [*FULL, "--record-layers", "--monitor-test", "--record-batches", "--curve-every", "3", "--snapshots", "7", "40"]


@pytest.mark.parametrize("flags", [PLAIN, FULL, KEPT], ids=["plain", "everything", "everything recorded"])
def test_sigkill_at_random_moments_again_and_again_changes_no_byte(tmp_path, command, undrawn, results_of, flags):
    moments = random.Random(time.time_ns())  # new moments at every run of the tests
    (tmp_path / "killed").mkdir()
    runs, done, deaths = tmp_path / "killed" / "runs", 0, []
    for share in (0.2, 0.5, 0.8):
        process = start(tmp_path / "killed", flags)
        wait_for_epochs(process, runs, max(done + 1, int(60 * share)))
        time.sleep(moments.random() * 0.2)
        process.send_signal(signal.SIGKILL)
        process.communicate()
        done = epochs_of(runs)
        deaths.append((process.returncode, done))
        if process.returncode == 0:
            break  # a fast machine
    (folder,) = runs.iterdir()
    assert deaths[0][0] == -signal.SIGKILL
    unfinished = not Run(folder).finished()  # on a fast machine the last death may come after the end
    answer = command("train", "--resume", folder)
    assert answer.code == 0, answer.err
    if unfinished:
        assert "Going on after epoch" in answer.out, deaths
    assert command(*flags, "--runs-dir", "whole").code == 0
    assert results_of(folder) == results_of(tmp_path / "whole" / folder.name), deaths


@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM"])
def test_an_interrupt_says_how_to_resume_and_changes_no_byte(tmp_path, command, undrawn, results_of, name):
    long = [*PLAIN, "--epochs", "300", "--engine", "reference"]  # enough for the signal to come before the end
    process = start(tmp_path, [*long, "--runs-dir", "meine Läufe"], seconds="0.2")
    wait_for_epochs(process, tmp_path / "meine Läufe", 20)
    process.send_signal(getattr(signal, name))
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 130, errors
    assert "Traceback" not in errors
    (folder,) = (tmp_path / "meine Läufe").iterdir()
    assert (folder / "model.safetensors").exists()
    assert not (folder / "evaluation.json").exists()
    told = errors[errors.index("chainrule train --resume") :].splitlines()[0]
    arguments = shlex.split(told)[1:]  # as a person would copy it
    assert arguments == ["train", "--resume", str(folder.relative_to(tmp_path))]
    answer = command(*arguments)
    assert answer.code == 0, answer.err
    assert command(*long, "--runs-dir", "whole").code == 0
    assert results_of(folder) == results_of(tmp_path / "whole" / folder.name)


def test_the_model_of_an_interrupted_run_predicts(tmp_path, undrawn, monkeypatch):
    import chainrule as cr

    def interrupt(run, row, seconds):
        if row["epoch"] == 3:
            raise KeyboardInterrupt

    monkeypatch.setattr(Run, "append_epoch", interrupt)
    outcome = execute(settings(), runs_dir=tmp_path)
    assert outcome.stopped == "interrupted"
    data = cr.load_data("spirals", samples=90)
    assert cr.load(outcome.run.path).predict(data.test.x).shape == (len(data.test),)


def test_an_interrupt_during_the_evaluation_says_how_to_resume_too(command, tmp_path, monkeypatch):
    def interrupt(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(EXECUTE, "evaluate_parts", interrupt)
    answer = command("train", "xor", "--samples", 60, "--epochs", 2)
    assert answer.code == 130
    assert "chainrule train --resume" in answer.err


def test_a_run_that_has_a_checkpoint_needs_the_file_of_its_first_weights_no_more(
    tmp_path, undrawn, monkeypatch, results_of
):
    first = execute(settings(), runs_dir=tmp_path).run
    config = settings(start=str(first.path))
    whole = execute(config, runs_dir=tmp_path / "whole").run
    with monkeypatch.context() as patched:
        patched.setattr(EXECUTE, "_conclude", lambda *_: (_ for _ in ()).throw(KilledError))
        with pytest.raises(KilledError):
            execute(config, runs_dir=tmp_path / "killed", checkpoint_seconds=0)
    first.model.unlink()
    folder = tmp_path / "killed" / whole.path.name
    resume(Run(folder))
    assert results_of(folder) == results_of(whole.path)


def test_a_checkpoint_of_other_settings_is_refused(tmp_path, undrawn, monkeypatch, command):
    def dying(*_):
        raise KilledError

    with monkeypatch.context() as patched:
        patched.setattr(EXECUTE, "_conclude", dying)
        folders = []
        for hidden in (6, 7):
            with pytest.raises(KilledError):
                execute(settings(hidden=(hidden,)), runs_dir=tmp_path / "runs", checkpoint_seconds=0)
            folders.append(max((tmp_path / "runs").iterdir(), key=lambda path: path.stat().st_ctime_ns))
    state = "checkpoint/state.safetensors"
    (folders[0] / state).write_bytes((folders[1] / state).read_bytes())
    answer = command("train", "--resume", folders[0])
    assert answer.code == 2
    assert "does not fit" in answer.err


def test_a_damaged_checkpoint_is_refused_by_name(tmp_path, undrawn, monkeypatch, command):
    def dying(*_):
        raise KilledError

    with monkeypatch.context() as patched:
        patched.setattr(EXECUTE, "_conclude", dying)
        with pytest.raises(KilledError):
            execute(settings(), runs_dir=tmp_path / "runs", checkpoint_seconds=0)
    (folder,) = (tmp_path / "runs").iterdir()
    state = folder / "checkpoint" / "state.safetensors"
    state.write_bytes(state.read_bytes()[:-10])
    answer = command("train", "--resume", folder)
    assert answer.code == 2
    assert "state.safetensors" in answer.err
    assert "--force" in answer.err, "the way out of a damaged checkpoint is to begin anew"


def test_resuming_takes_no_data_set(command, digits_run):
    answer = command("train", "digits", "--resume", digits_run.path)
    assert answer.code == 2
    assert "takes no" in answer.err


def test_settings_beside_resume_are_not_silently_ignored(command, digits_run):
    answer = command("train", "--resume", digits_run.path, "--epochs", 99)
    assert answer.code == 2
    assert "epochs" in answer.err


def test_an_interrupt_keeps_the_last_whole_epoch_even_where_no_checkpoint_was_due(
    tmp_path, command, undrawn, monkeypatch
):
    def interrupt(run, row, seconds):
        if row["epoch"] == 5:
            raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(Run, "append_epoch", interrupt)
        outcome = execute(settings(), runs_dir=tmp_path)
    assert outcome.run.read_checkpoint().epoch == 4
    answer = command("train", "--resume", outcome.run.path)
    assert answer.code == 0, answer.err
    assert "Going on after epoch 4 of 6." in answer.out


def test_an_interrupt_between_a_row_and_its_checkpoint_does_not_keep_the_row_twice(
    tmp_path, undrawn, monkeypatch, results_of
):
    config = settings(curve_every=2, epochs=9)
    whole = execute(config, runs_dir=tmp_path / "whole").run
    append = Run.append_epoch

    def interrupt(run, row, seconds):
        append(run, row, seconds)
        if row["epoch"] == 6:
            raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(Run, "append_epoch", interrupt)
        run = execute(config, runs_dir=tmp_path / "interrupted").run
    assert run.read_checkpoint().epoch < 6
    resume(run)
    assert results_of(run.path) == results_of(whole.path)


def test_repeating_the_command_goes_on_with_the_threads_that_the_run_began_with(tmp_path, undrawn, monkeypatch):
    with monkeypatch.context() as patched:
        patched.setattr(EXECUTE, "_conclude", lambda *_: (_ for _ in ()).throw(KilledError))
        with pytest.raises(KilledError):
            execute(settings(), runs_dir=tmp_path, checkpoint_seconds=0)
    (folder,) = tmp_path.iterdir()
    environment = json.loads((folder / "environment.json").read_text())
    (folder / "environment.json").write_text(json.dumps(environment | {"threads": 7}))
    execute(settings(), runs_dir=tmp_path)
    assert Run(folder).environment()["threads"] == 7


@pytest.mark.parametrize(
    "bad", [{"epochs": 0}, {"batch_size": 5000}, {"schedule": "cosin"}, {"clip": 0}, {"early_stopping": 0}]
)
def test_what_cannot_be_trained_leaves_no_folder(tmp_path, bad, refused):
    with refused():
        execute(settings(**bad), runs_dir=tmp_path / "runs")
    assert not (tmp_path / "runs").exists()


@pytest.mark.parametrize("name", ["../outside", "a/b", "..", "."])
def test_a_name_does_not_lead_out_of_the_folder_of_runs(tmp_path, command, name):
    answer = command("train", "xor", "--samples", 60, "--epochs", 1, "--name", name)
    assert answer.code == 2
    assert "cannot name a run" in answer.err
    assert list(tmp_path.iterdir()) == []
