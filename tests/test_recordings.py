"""What a run keeps besides its end, and that keeping it changes nothing: snapshots, sizes by layer, test curves."""

import json
import sys
from dataclasses import replace

import numpy as np
import pytest

import chainrule as cr
from chainrule.runs import Run, RunConfig, execute, verify
from chainrule.runs.config import DataSettings, NetworkSettings, TrainingSettings
from chainrule.runs.execute import build, load, resolved

EXECUTE = sys.modules["chainrule.runs.execute"]
RECORDED = {
    "record_layers": True,
    "monitor_test": True,
    "snapshots": (2, 5),
    "record_batches": True,
    "record_samples": 40,
}
NETWORKS = {
    "plain": {},
    "rich": {"hidden": (9, 7), "activation": ("relu", "tanh"), "dropout": (0.3, 0.0), "batch_norm": (False, True)},
}

# One worker compiles, as for tests/kernels.
ENGINES = ["reference", pytest.param("compiled", marks=pytest.mark.xdist_group("kernels"))]


def settings(network=None, seed=0, **training):
    return RunConfig(
        data=DataSettings(source="spirals", samples=120),
        network=NetworkSettings(**({"hidden": (6,), "activation": ("tanh",)} | (network or {}))),
        training=TrainingSettings(**{"epochs": 7, "batch_size": 16, **training}),
        seed=seed,
    )


def trained(folder, config, **how) -> Run:
    return execute(config, runs_dir=folder, draw=False, **how).run


def weights_of(path):
    net = cr.load(path)
    return {name: array.copy() for name, array in {**net.parameters(), **net.statistics()}.items()}


def assert_same_weights(a, b):
    assert a.keys() == b.keys()
    for name in a:
        np.testing.assert_array_equal(a[name], b[name])


# Recording changes nothing.


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("network", NETWORKS)
@pytest.mark.parametrize("every", [1, 3])
def test_what_is_recorded_does_not_change_a_bit_of_the_training(tmp_path, engine, network, every):
    method = {"engine": engine, "optimizer": "adam", "l2": 0.01, "clip": 1.0, "curve_every": every}
    alone = trained(tmp_path, settings(NETWORKS[network], **method, record_samples=0))
    recorded = trained(tmp_path, settings(NETWORKS[network], **method, **RECORDED))
    assert alone.path != recorded.path
    assert_same_weights(weights_of(alone.path), weights_of(recorded.path))
    columns = alone.history()[0].keys()
    assert [{name: row[name] for name in columns} for row in recorded.history()] == alone.history()
    for part, result in alone.evaluations().items():
        assert recorded.evaluations()[part].to_json() == result.to_json()


@pytest.mark.parametrize("engine", ENGINES)
def test_curves_of_fewer_epochs_are_some_of_the_rows_of_all_and_always_the_last(tmp_path, engine):
    config = settings(engine=engine, epochs=11, schedule="cosine", optimizer="momentum")
    whole = trained(tmp_path, config)
    fewer = trained(tmp_path, replace(config, training=replace(config.training, curve_every=4)))
    assert fewer.history() == [whole.history()[epoch - 1] for epoch in (4, 8, 11)]
    assert_same_weights(weights_of(whole.path), weights_of(fewer.path))
    assert (fewer.epochs(), fewer.results()["epochs"]) == (11, 11)
    timings = [json.loads(line) for line in (fewer.path / "timings.jsonl").read_text().splitlines()]
    assert [row["epoch"] for row in timings] == [4, 8, 11]


def test_between_two_rows_the_kernels_run_without_coming_back(tmp_path, monkeypatch):
    """Otherwise curves of fewer epochs would save nothing."""
    from chainrule.kernels.engine import CompiledEngine

    calls = []
    run = CompiledEngine.run
    monkeypatch.setattr(
        CompiledEngine, "run", lambda self, batches, *a, **k: calls.append(len(batches)) or run(self, batches, *a, **k)
    )
    trained(tmp_path, settings(engine="compiled", epochs=50, batch_size="full", curve_every=20, snapshots=(30,)))
    assert calls == [20, 10, 10, 10]


def test_settings_that_are_off_leave_the_identity_of_older_runs_as_it_was():
    """These hashes were computed before there were such settings."""
    assert RunConfig(data=DataSettings(source="digits", sha256="ab" * 32)).with_seeds().identity() == "87c26f459c"
    assert settings(optimizer="adam").with_seeds().identity() == "9f730bfb12"


# Snapshots.


def test_a_snapshot_is_the_network_of_a_run_that_ended_there(tmp_path):
    run = trained(tmp_path, settings(snapshots=(2, 5, 7), epochs=7))
    assert list(run.snapshots()) == [2, 5, 7]
    for epoch, path in run.snapshots().items():
        shorter = trained(tmp_path, settings(epochs=epoch))
        assert_same_weights(weights_of(path), weights_of(shorter.path))
        for part, result in shorter.evaluations().items():
            assert run.snapshot_evaluations()[epoch][part].to_json() == result.to_json()
    assert run.results()["test_opened"] == 1, "all are evaluated together"


def test_an_epoch_that_early_stopping_does_not_reach_has_no_snapshot(tmp_path):
    run = trained(tmp_path, settings(early_stopping=1, learning_rate=3.0, epochs=40, snapshots=(1, 40)))
    assert run.epochs() < 40
    assert list(run.snapshots()) == [1] == list(run.snapshot_evaluations())


def test_early_stopping_counts_epochs_where_only_some_are_measured(tmp_path):
    run = trained(tmp_path, settings(early_stopping=4, learning_rate=3.0, epochs=60, curve_every=2))
    losses = {row["epoch"]: row["validation_loss"] for row in run.history()}
    best = min(losses, key=losses.get)
    assert run.results()["best_epoch"] == best
    assert run.epochs() == best + 4


def test_verify_computes_snapshots_again(tmp_path):
    run = trained(tmp_path, settings(snapshots=(2,)))
    assert verify(run).ok
    stored = json.loads((run.path / "evaluation.json").read_text())
    stored["snapshots"]["2"]["test"]["loss"] += 0.5
    (run.path / "evaluation.json").write_text(json.dumps(stored))
    assert [line[:18] for line in verify(run).differences] == ["epoch 2: test loss"]


def test_beginning_anew_removes_what_was_recorded(tmp_path):
    run = trained(tmp_path, settings(**RECORDED))
    run.clear()
    left = {path.name for path in run.path.rglob("*") if path.is_file()}
    assert left == {"config.json", "environment.json", "data.json", ".lock"}


# The test part while training runs.


def test_a_monitored_test_part_is_counted_every_time(tmp_path):
    run = trained(tmp_path, settings(monitor_test=True, snapshots=(2,)))
    stored, rows = run.results(), run.history()
    assert stored["test_monitored"] is True
    assert stored["test_opened"] == 7 + 1
    assert rows[-1]["test_loss"] == pytest.approx(run.evaluations()["test"].loss, rel=1e-6)
    assert rows[-1]["test_accuracy"] == run.evaluations()["test"].accuracy
    alone = trained(tmp_path, settings()).results()
    assert alone["test_opened"] == 1
    assert "test_monitored" not in alone


def test_without_a_test_part_there_is_none_to_monitor(tmp_path, refused):
    x = np.random.default_rng(0).normal(size=(20, 2))
    net = cr.Network([2, 2])
    with refused("no test part"):
        cr.train(net, (x, x[:, 0] > 0), monitor_test=True)
    with refused("no test part"):
        cr.train(net, cr.DataSet.from_arrays(x, (x[:, 0] > 0).astype(int)), monitor_test=True)


# Losses of batches.


def test_batch_losses_have_a_row_an_epoch_whatever_is_measured(tmp_path):
    run = trained(tmp_path, settings(record_batches=True))
    assert run.batch_losses().shape == (7, 6)
    np.testing.assert_array_equal(
        trained(tmp_path, settings(record_batches=True, curve_every=3)).batch_losses(), run.batch_losses()
    )
    assert trained(tmp_path, settings()).batch_losses() is None


# The first weights from a file.


def test_a_run_begins_with_the_weights_of_a_file_wherever_it_lies(tmp_path):
    first = trained(tmp_path, settings(epochs=3, shuffle=False))
    (tmp_path / "copied.safetensors").write_bytes(first.model.read_bytes())
    begun = [
        trained(tmp_path / str(place), settings({"start": str(start)}, epochs=4, shuffle=False))
        for place, start in enumerate((first.path, first.model, tmp_path / "copied.safetensors"))
    ]
    assert len({run.path.name for run in begun}) == 1, "the identity counts the weights, not the path"
    at_once = trained(tmp_path, settings(epochs=7, shuffle=False))
    assert_same_weights(weights_of(begun[0].path), weights_of(at_once.path))
    assert begun[0].path.name != trained(tmp_path, settings(epochs=4, shuffle=False)).path.name


def test_running_statistics_are_begun_with_too(tmp_path):
    first = trained(tmp_path, settings(NETWORKS["rich"], epochs=3))
    config = settings({**NETWORKS["rich"], "start": str(first.path)})
    data = load(config, None)
    net = build(resolved(config, data), data)
    assert_same_weights({**net.parameters(), **net.statistics()}, weights_of(first.path))
    assert net.statistics()["mean2"].any()


def test_first_weights_of_other_layers_or_other_than_the_saved_ones_are_refused(tmp_path, refused):
    first = trained(tmp_path, settings())
    with refused("(2, 6, 3)", "(2, 9, 7, 3)"):
        trained(tmp_path / "new", settings({**NETWORKS["rich"], "start": str(first.path)}))
    with refused("no model file"):
        trained(tmp_path / "new", settings({"start": str(tmp_path / "nowhere")}))
    begun = trained(tmp_path, settings({"start": str(first.path)}, epochs=2))
    (first.path / "model.safetensors").write_bytes(begun.model.read_bytes())
    with refused("not those that the run began with"):
        trained(tmp_path / "new", begun.config())
    assert not (tmp_path / "new").exists()


# Settings that cannot be.


@pytest.mark.parametrize(
    ("bad", "words"),
    [
        ({"snapshots": (0,)}, ("snapshots is 0",)),
        ({"snapshots": (3, 8)}, ("epoch 8 of 7",)),
        ({"curve_every": 0}, ("curve_every is 0",)),
        ({"record_samples": -1}, ("record_samples is -1",)),
    ],
)
def test_what_cannot_be_recorded_is_refused_before_there_is_a_folder(tmp_path, refused, bad, words):
    with refused(*words):
        trained(tmp_path / "runs", settings(**bad))
    assert not (tmp_path / "runs").exists()


def test_the_command_has_a_flag_for_each(command, tmp_path):
    flags = ("--epochs", 6, "--snapshots", 4, 2, "--record-layers", "--monitor-test", "--curve-every", 2)
    answer = command("train", "xor", "--samples", 60, *flags, "--record-samples", 10, "--quiet")
    assert answer.code == 0, answer.err
    (folder,) = (tmp_path / "runs").iterdir()
    run = Run(folder)
    assert list(run.snapshots()) == [2, 4]
    assert [row["epoch"] for row in run.history()] == [2, 4, 6]
    assert all({"layers", "test_loss"} <= row.keys() for row in run.history())
    assert (run.figures / "curves.svg").exists()
    begun = command(
        "train", folder / "config.json", "--start", folder / "snapshots" / "epoch-000002.safetensors", "--quiet"
    )
    assert begun.code == 0, begun.err
    (second,) = set((tmp_path / "runs").iterdir()) - {folder}
    again = command("train", second / "config.json", "--start", folder, "--quiet")
    assert again.code == 0, again.err
    assert len(list((tmp_path / "runs").iterdir())) == 3


def test_figures_are_drawn_unless_nobody_wants_them(tmp_path):
    assert not trained(tmp_path, settings()).figures.exists()
    assert execute(settings(epochs=2), runs_dir=tmp_path).run.figures.is_dir()


def test_data_that_are_at_hand_are_not_loaded_again(tmp_path, monkeypatch):
    data = load(settings(), None)
    monkeypatch.setattr(EXECUTE, "load_data", None)
    assert trained(tmp_path, settings(), data=data).finished()
