"""Which engine trains: what was asked for, or the one that the amount of work is worth, and never without a word."""

import json
import subprocess
import warnings

import numpy as np
import pytest

import chainrule as cr
from chainrule.errors import InputError
from chainrule.estimators import MLPClassifier
from chainrule.optimizers import SGD
from chainrule.runs import RunConfig, execute, resume
from chainrule.runs.config import DataSettings, TrainingSettings
from chainrule.runs.folder import Run
from chainrule.training.engines import WORTH_COMPILING, numpy_seconds
from kernels.problems import CUBE, network, samples
from refusals import refused

pytestmark = pytest.mark.xdist_group("kernels")

LARGE = 1_000_000  # epochs


class Signs(SGD):
    """P ← P − η sign G: a method of one's own."""

    def move(self, name, P, G, *slots):
        P -= self.learning_rate * np.sign(G)


def history_of(net=None, m=60, **settings):
    """The history of a training that is stopped after its first epoch."""
    net = network([4, 9, 3]) if net is None else net
    callbacks = {"epoch_end": lambda at: at.stop(), **settings.pop("callbacks", {})}
    settings = {"batch_size": 16, "curves": False, **settings}
    history = cr.train(net, samples(net, m), callbacks=callbacks, **settings)
    assert len(history) == 1
    return history


def test_small_work_stays_in_numpy_and_large_work_goes_to_the_kernels():
    assert history_of(epochs=2).engine == "reference"
    assert history_of(epochs=LARGE).engine == "compiled"
    assert history_of(epochs=LARGE, engine="reference").engine == "reference"
    assert history_of(epochs=2, engine="compiled").engine == "compiled"


@pytest.mark.parametrize("batch_size", [1, 16, "full"])
@pytest.mark.parametrize("layers", [[4, 3], [4, 9, 3], [4, 200, 100, 3]])
def test_the_turn_comes_where_the_work_would_take_numpy_two_tenths_of_a_second(layers, batch_size):
    net = network(layers)
    steps = {1: 60, 16: 4, "full": 1}[batch_size]
    epochs = int(np.ceil(WORTH_COMPILING / numpy_seconds(net, 60, steps)))
    assert WORTH_COMPILING == 0.2
    assert history_of(net, epochs=epochs - 1, batch_size=batch_size).engine == "reference"
    assert history_of(net, epochs=epochs, batch_size=batch_size).engine == "compiled"


def test_the_estimate_of_numpys_time_grows_with_all_that_makes_work():
    """3 · 2 · m · Σ d h operations an epoch, and some overhead for each layer of each batch."""
    net = network([100, 50, 10])
    assert numpy_seconds(net, 2000, 20) == pytest.approx(2 * numpy_seconds(net, 1000, 10))
    assert numpy_seconds(net, 1000, 20) > numpy_seconds(net, 1000, 10)
    assert numpy_seconds(network([100, 60, 10]), 1000, 10) > numpy_seconds(net, 1000, 10)
    assert numpy_seconds(network([100, 50, 50, 10]), 1000, 10) > numpy_seconds(net, 1000, 10)
    assert 0.01 < numpy_seconds(network([512, 64, 10]), 50_000, 100) < 1


def test_the_settings_alone_decide_and_neither_the_data_nor_the_clock_do(monkeypatch):
    from chainrule.training import loop

    now = iter(range(0, 10**9, 1000))
    monkeypatch.setattr(loop.time, "perf_counter", lambda: float(next(now)))
    for epochs, engine in ((2, "reference"), (LARGE, "compiled")):
        for seed in range(3):
            net = network([4, 9, 3], seed=seed)
            X, y = samples(net, 60, seed=seed, zeros=seed / 2)
            stop = {"epoch_end": lambda at: at.stop()}
            history = cr.train(net, (X * 10**seed, y), batch_size=16, epochs=epochs, callbacks=stop, seed=seed)
            assert history.engine == engine


OWN = {
    "an activation of one's own": ({"net": lambda: network([4, 9, 3], activation=CUBE)}, "cube of layer 1"),
    "a method of one's own": ({"optimizer": Signs}, "the optimizer Signs"),
    "a callback at every batch": ({"callbacks": lambda: {"batch_end": lambda at: None}}, "does not stop at batches"),
}


@pytest.mark.parametrize("name", OWN)
def test_large_work_that_the_kernels_cannot_do_is_done_by_the_reference_and_says_so_once(name):
    parts, reason = OWN[name]
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        history = history_of(epochs=LARGE, **{key: make() for key, make in parts.items()})
    assert history.engine == "reference"
    (warning,) = caught
    assert reason in str(warning.message)
    assert "reference engine trains, because" in str(warning.message)


@pytest.mark.parametrize("name", OWN)
def test_small_work_that_the_kernels_cannot_do_is_no_matter_for_a_warning(name):
    """Warnings are errors in these tests."""
    parts, _ = OWN[name]
    assert history_of(epochs=2, **{key: make() for key, make in parts.items()}).engine == "reference"


@pytest.mark.parametrize("name", OWN)
def test_the_compiled_engine_refuses_what_it_cannot_do_and_changes_nothing(name):
    parts, reason = OWN[name]
    made = {key: make() for key, make in parts.items()}
    net = made.setdefault("net", network([4, 9, 3]))
    before = {key: P.copy() for key, P in net.parameters().items()}
    with refused(reason, 'engine="reference"', error=InputError):
        history_of(epochs=2, engine="compiled", **made)
    assert all(np.array_equal(P, before[key]) for key, P in net.parameters().items())


def test_a_network_predicts_with_the_engine_that_trained_it_last():
    net = network([4, 9, 3])
    assert net.fast_predict is None
    history_of(net, epochs=2, engine="compiled")
    assert net.fast_predict is not None
    history_of(net, epochs=2, engine="reference")
    assert net.fast_predict is None


@pytest.mark.parametrize(("max_iter", "compiled"), [(2, False), (LARGE, True)])
def test_an_estimator_chooses_by_the_work_too(max_iter, compiled):
    X, y = samples(network([4, 9, 3]), 60)
    mlp = MLPClassifier((9,), max_iter=max_iter, tol=1e9, n_iter_no_change=1, random_state=0)
    if compiled:
        mlp.fit(X, y)  # ends by its patience
    else:
        with pytest.warns(UserWarning, match="Maximum iterations"):
            mlp.fit(X, y)
    assert (mlp._net.fast_predict is not None) == compiled


# --- whole runs with their folders


@pytest.mark.parametrize(
    ("flags", "engine"),
    [
        (("--epochs", 3), "reference"),
        (("--epochs", 3, "--engine", "compiled"), "compiled"),
        (("--epochs", 120), "compiled"),
        (("--epochs", 120, "--engine", "reference", "--batch-size", "full"), "reference"),
    ],
)
def test_the_folder_of_a_run_says_which_engine_ran(command, undrawn, tmp_path, flags, engine):
    assert command("train", "digits", "--hidden", 8, *flags).code == 0
    (folder,) = (tmp_path / "runs").iterdir()
    assert json.loads((folder / "config.json").read_text())["training"]["engine"] == engine
    assert json.loads((folder / "evaluation.json").read_text())["engine"] == engine


def test_a_compiled_run_is_verified_in_another_process_to_the_last_digit(command, program, undrawn, tmp_path):
    """The training part has 1257 · 64 · 74 multiplications and goes through the kernels; the smaller ones do not."""
    settings = ("--hidden", 64, "--epochs", 3, "--engine", "compiled", "--batch-norm", "True", "--dropout", 0.2)
    assert command("train", "digits", *settings).code == 0
    (folder,) = (tmp_path / "runs").iterdir()
    done = subprocess.run([*program, "verify", folder], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "The run is verified: equal in every number" in done.stdout


def test_a_compiled_run_that_was_killed_goes_on_to_the_same_bytes(monkeypatch, undrawn, results_of, tmp_path):
    training = TrainingSettings(epochs=5, batch_size=16, optimizer="adam", engine="compiled")
    config = RunConfig(data=DataSettings(source="spirals", samples=90), training=training)
    whole = execute(config, runs_dir=tmp_path / "whole").run
    append = Run.append_epoch

    def dying(run, row, seconds):
        append(run, row, seconds)
        if row["epoch"] == 3:
            raise SystemExit

    monkeypatch.setattr(Run, "append_epoch", dying)
    with pytest.raises(SystemExit):
        execute(config, runs_dir=tmp_path / "killed", checkpoint_seconds=0)
    monkeypatch.setattr(Run, "append_epoch", append)
    folder = tmp_path / "killed" / whole.path.name
    assert not (folder / "evaluation.json").exists()
    resume(Run(folder))
    assert results_of(folder) == results_of(whole.path)
