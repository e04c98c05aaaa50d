"""The five studies of report 003's third task hold what they declare, and compare like with like."""

from dataclasses import dataclass

import pytest

from chainrule.studies import (
    mnist_architectures,
    mnist_epochs,
    mnist_learning_rates,
    mnist_mean_subtraction,
    mnist_task,
)
from chainrule.studies.mnist_task import (
    BATCH,
    EFFECTIVE_RATE,
    MEAN,
    PRINTED_RATE,
    UNIFORM,
    config,
    differences,
    long_run,
    paired,
    up_to,
)
from chainrule.studies.registry import study
from chainrule.studies.running import refuse_incomplete

from .in_process import LabInProcess, write_small_mnist

NAMES = ("mnist-mean-subtraction", "mnist-embeddings", "mnist-learning-rates", "mnist-architectures")
OTHERS = {"mnist-mean-subtraction": ["89 %", "10–11 %, a flat loss"], "mnist-architectures": ["93.19 %"]}


@pytest.fixture
def lab(tmp_path, monkeypatch):
    monkeypatch.setattr(mnist_task, "VALIDATION", 50)
    write_small_mnist(tmp_path / "data")
    return LabInProcess(tmp_path / "study", quick=True, seeds=1, data_dir=tmp_path / "data", runs=tmp_path / "runs")


@pytest.mark.parametrize("name", NAMES)
def test_a_study_holds_what_it_declares(name, lab):
    report = study(name).run(lab)
    refuse_incomplete(study(name), report)
    assert report.summary
    assert [row.published for row in lab.published] == OTHERS.get(name, [])


def test_the_networks_of_two_studies_that_ask_for_the_same_are_trained_once(lab):
    first = lab.train(long_run(lab, learning_rate=PRINTED_RATE))
    before = first.model.stat().st_mtime_ns
    refuse_incomplete(study("mnist-epochs"), study("mnist-epochs").run(lab))
    assert first.model.stat().st_mtime_ns == before


def test_the_report_s_rate_is_divided_by_its_batch_size_once_more():
    assert PRINTED_RATE / BATCH == EFFECTIVE_RATE == 0.001


def test_full_runs_have_the_settings_of_the_report(tmp_path):
    full = long_run(LabInProcess(tmp_path), learning_rate=PRINTED_RATE)
    assert (full.training.epochs, full.training.snapshots) == (2000, (100, 500, 1000))
    assert (full.training.batch_size, full.network.hidden, full.network.activation) == (100, (128, 64), ("sigmoid",))
    assert all(epochs % full.training.curve_every == 0 for epochs in (100, 500, 1000, 2000))


def test_differences_of_pairs_have_their_interval():
    assert paired([1.0, 2.0, 3.0]) == ("+2.00", "−0.48 to +4.48", 3)  # 2 ± 4.303 · 1 / √3
    assert paired([-1.5]) == ("−1.50", "–", 1)


@dataclass
class Seeded:
    """A run of a seed with a test accuracy."""

    seed: int
    accuracy: float

    def config(self):
        return self

    def evaluations(self):
        return {"test": self}


def test_pairs_are_of_the_same_seed_even_where_one_point_failed():
    less = [Seeded(seed, accuracy) for seed, accuracy in ((0, 0.1), (1, 0.2), (2, 0.4))]
    runs = [Seeded(2, 0.9), Seeded(0, 0.3)]
    assert differences(runs, less) == pytest.approx([50, 20])


def test_all_seeds_and_settings_share_one_split():
    assert {config("a", start=UNIFORM).data.split_seed, config("b", preprocessing=MEAN).data.split_seed} == {0}


def test_settings_of_mean_subtraction_are_every_combination_once():
    assert len(set(mnist_mean_subtraction.SETTINGS)) == 8
    assert len({one.label for one in mnist_mean_subtraction.SETTINGS}) == 8


def test_the_beginning_of_a_history_ends_at_its_epoch():
    rows = [{"epoch": epoch} for epoch in (4, 8, 12)]
    assert [row["epoch"] for row in up_to(rows, 8)] == [4, 8]


def test_looks_are_the_snapshots_and_the_end(lab):
    run = lab.train(long_run(lab, learning_rate=PRINTED_RATE, marks=(1, 3)))
    found = mnist_epochs.looks(run)
    assert list(found) == [1, 3]
    assert found[3]["test"].loss == run.evaluations()["test"].loss != found[1]["test"].loss


def test_epochs_to_a_goal_are_told_only_where_every_seed_reaches_it():
    rows = [{"epoch": 1, "validation_accuracy": 0.4}, {"epoch": 2, "validation_accuracy": 0.8}]
    assert mnist_learning_rates._epochs_to(rows, 0.8) == 2
    assert mnist_learning_rates._epochs_to(rows, 0.9) is None
    assert mnist_learning_rates._in_words([2, 4]) == "3"
    assert mnist_learning_rates._in_words([2, None]) == "–"


def test_saturation_counts_units_at_their_ends(lab):
    """Weights from U[0, 1) on pixels that are never negative leave no unit with a slope."""
    run = lab.train(long_run(lab, learning_rate=EFFECTIVE_RATE, start=UNIFORM, preprocessing="scale", marks=(1,)))
    shares = mnist_mean_subtraction._shares(lab, run)
    assert min(shares["first"]) > 0.99
    symmetric = lab.train(long_run(lab, learning_rate=EFFECTIVE_RATE, marks=(1,)))
    assert max(mnist_mean_subtraction._shares(lab, symmetric)["first"]) < 0.01


def test_depths_differ_in_depth_alone():
    assert [len(hidden) for hidden in mnist_architectures.DEPTHS] == [0, 1, 2, 3, 4]
    assert {width for hidden in mnist_architectures.DEPTHS for width in hidden} == {64}
