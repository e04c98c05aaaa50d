"""Five studies in seconds: every declared item is there, published numbers stand beside ours, a kill loses nothing."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from chainrule.runs import Run
from chainrule.studies import (
    circles_activations,
    graph_derivation,
    mnist_mistakes,
    mnist_sgd,
    scalar_pass,
    synthetic_mistakes,
    synthetic_sgd,
)
from chainrule.studies.circles_activations import Outcome
from chainrule.studies.lab import Lab
from chainrule.studies.mnist_mistakes import PRINTED_FINAL, PRINTED_RATES, final_verdict, rates_verdict
from chainrule.studies.running import refuse_incomplete, run_study
from chainrule.studies.study import OTHER_SOLUTION
from chainrule.studies.synthetic_mistakes import PLANTED, PRINTED, nearest
from chainrule.studies.wording import counted, difference, mean_sd

from .in_process import LabInProcess, write_small_mnist


def texts(report, name):
    """All cells of the table `name`, row by row."""
    (table,) = (item for item in report.items if item.id == name)
    return [list(map(str, row)) for row in table.rows]


@pytest.mark.parametrize("study", [graph_derivation.STUDY, scalar_pass.STUDY], ids=lambda study: study.name)
def test_studies_without_training_hold_what_they_declare(study, tmp_path):
    report = study.run(Lab(tmp_path))
    refuse_incomplete(study, report)


def test_the_printed_derivative_is_rejected_and_the_right_one_is_not(tmp_path):
    report = graph_derivation.STUDY.run(Lab(tmp_path))
    by_id = {item.id: item for item in report.items}
    assert by_id["printed"].text.endswith("The formula is REJECTED.")
    assert by_id["right"].text.endswith("The formula is right.")


def test_the_scalar_pass_confirms_both_tables_and_the_loss(tmp_path):
    lab = Lab(tmp_path)
    report = scalar_pass.STUDY.run(lab)
    for name in ("forward", "backward"):
        assert all(float(row[-1]) < 1e-7 for row in texts(report, name))
    assert [row.ours for row in lab.published] == ["0.6931471805599453"]
    assert [row[0] for row in texts(report, "printed")] == ["F16", "F17", "F18", "F20"]


def test_circles_hold_what_they_declare(tmp_path, monkeypatch):
    monkeypatch.setattr(circles_activations, "EPOCHS", {"sigmoid": 30, "tanh": 20, "relu": 20})
    lab = LabInProcess(tmp_path, quick=True, seeds=1)
    report = circles_activations.STUDY.run(lab)
    refuse_incomplete(circles_activations.STUDY, report)
    sources = [row.report for row in lab.published]
    assert sources.count("003") == 3
    assert len(sources) == 6
    assert [row[0] for row in texts(report, "seeds")] == ["sigmoid", "tanh", "relu"]
    assert [row[:2] for row in texts(report, "rates")][:3] == [
        ["sigmoid", "1"],
        ["sigmoid", "0.1"],
        ["sigmoid", "0.01"],
    ]


def test_a_study_that_was_killed_goes_on_and_ends_with_the_same_page(tmp_path):
    def begin(name):
        command = [sys.executable, Path(__file__).with_name("small.py"), tmp_path / name]
        return subprocess.Popen(command, start_new_session=True)

    process, deadline = begin("killed"), time.monotonic() + 60
    while len(list((tmp_path / "killed").glob("sweeps/*/runs/*/evaluation.json"))) < 2:
        assert process.poll() is None, "it ended before it could be killed"
        assert time.monotonic() < deadline
        time.sleep(0.005)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    assert not (tmp_path / "killed" / "report.html").exists()
    done = (*(tmp_path / "killed").glob("sweeps/*/runs/*/evaluation.json"), *(tmp_path / "killed" / "kept").iterdir())
    before = {path: path.stat().st_mtime_ns for path in done}
    assert len(before) < 9, "nothing was left to do"
    assert [begin(name).wait() for name in ("killed", "whole")] == [0, 0]
    assert {path: path.stat().st_mtime_ns for path in before} == before
    for name in ("report.html", "findings.json"):
        assert (tmp_path / "killed" / name).read_bytes() == (tmp_path / "whole" / name).read_bytes()


def rows(*pairs):
    return [{"epoch": 10 * (i + 1), "train_loss": a, "validation_accuracy": b} for i, (a, b) in enumerate(pairs)]


class Finished:
    """A run as far as an outcome looks at it."""

    def __init__(self, history, accuracy):
        self._history, self._accuracy = history, accuracy

    def history(self):
        return self._history

    def evaluations(self):
        return {"test": type("Result", (), {"accuracy": self._accuracy})}


def test_an_outcome_counts_who_gets_there_when_and_how_smoothly():
    outcome = Outcome.of(
        [Finished(rows((3, 0.5), (2, 1), (1, 1)), 0.9), Finished(rows((3, 0.5), (4, 0.8), (3, 0.7)), 1.0)]
    )
    assert outcome.reached == (20, None)
    assert outcome.there == [20]
    assert outcome.share.estimate == 0.5
    assert outcome.rises == (0, 0.5)
    assert outcome.falls == (0, 0.5)
    assert outcome.tested == (0.9, 1.0)


@pytest.fixture
def small_points(monkeypatch):
    for module in (synthetic_mistakes, synthetic_sgd):
        monkeypatch.setattr(module, "SAMPLES", 400)
        monkeypatch.setattr(module, "HELD_OUT", 100)
    monkeypatch.setattr(synthetic_sgd, "BATCH_RATES", (0.1,))


def test_points_hold_what_they_declare_and_begin_where_the_report_did(tmp_path, small_points):
    lab = LabInProcess(tmp_path, quick=True, seeds=1)
    report = synthetic_sgd.STUDY.run(lab)
    refuse_incomplete(synthetic_sgd.STUDY, report)
    assert [row.published for row in lab.published] == ["0.70169", "0.69044", "0.71046", "0.69043"]
    assert [row[0] for row in texts(report, "accumulators")] == list(PLANTED)
    (run,) = (Run(path) for path in (tmp_path / "runs").iterdir())
    losses = run.batch_losses()
    assert losses is not None
    assert losses.shape == (5, 400)
    right = json.loads(next((tmp_path / "kept").glob("unreset-none-*")).read_text())["result"]["train"][0]
    np.testing.assert_allclose(losses.mean(axis=1), right, rtol=1e-4)  # the run trains in float32


def test_the_nearest_is_the_one_with_the_smallest_gap():
    def ends(training, test):
        return {"train": [[1.0, training]], "validation": [[1.0, test]], "alone": [[1.0, 9.0]]}

    found = {"none": ends(PRINTED["train"][1], PRINTED["test"][1]), "k1": ends(0.7, 0.69), "dh": ends(0.691, 0.69)}
    assert nearest(found) == "dh"


@pytest.fixture
def small_mnist(monkeypatch, tmp_path):
    for module in (mnist_mistakes, mnist_sgd):
        monkeypatch.setattr(module, "HELD_OUT", 50)
    write_small_mnist(tmp_path / "data")
    return LabInProcess(tmp_path / "study", quick=True, data_dir=tmp_path / "data", seeds=1)


def test_mnist_holds_what_it_declares(small_mnist):
    report = mnist_sgd.STUDY.run(small_mnist)
    refuse_incomplete(mnist_sgd.STUDY, report)
    printed = [row for row in small_mnist.published if row.report == "004"]
    assert [row.published for row in printed] == ["27.88 %", "83.25 %", "28.04 %", "84.61 %", "a lower one"]
    assert [row.explanation == "as above" for row in printed] == [False, True, True, True, False]
    others = [row.published for row in small_mnist.published if row.report == OTHER_SOLUTION]
    assert others[-4:] == ["97.1 %", "91.5 % (test)", "95.3 % (test)", "93.14 %"]
    assert len(others) == 8
    assert len(texts(report, "mistakes")) == len(texts(report, "mistakes-reading"))
    final = {row[0] for row in texts(report, "final-mistakes")}
    assert {"printed", "correct", "F25 held-out data trained on"} <= final
    only_validation_chose(small_mnist)


def only_validation_chose(lab):
    """Runs by rate hold out the end of the training images; what they reach on test data was not asked."""
    by_rate, final = (
        [Run(path) for path in (lab.folder / "sweeps" / name / "runs").iterdir()] for name in ("rates", "final")
    )
    best = max(by_rate, key=lambda run: run.evaluations()["validation"].accuracy).config().training.learning_rate
    assert {run.config().training.learning_rate for run in final} == {0.0001, best}
    assert all("test_loss" not in row for run in by_rate for row in run.history())
    assert all(run.results()["test_monitored"] for run in final)


def courses(accuracy, loss, fall=0.1):
    first = {"validation_accuracy": 0.1, "validation_loss": 1.0, "validation_binary": 1.0, "met_binary": loss + fall}
    last = {"validation_accuracy": accuracy, "validation_loss": loss, "validation_binary": loss, "met_binary": loss}
    return [[first, last]]


def test_a_mistake_explains_the_rates_only_where_the_lowest_is_best_and_something_is_learned():
    rising = {rate: courses(0.5 + rate, 1 - rate, fall=1 - rate) for rate in PRINTED_RATES}
    falling = {rate: courses(0.9 - rate, rate) for rate in PRINTED_RATES}
    lifeless = {rate: courses(0.1 - rate / 10, rate) for rate in PRINTED_RATES}
    assert "the cause is unknown" in rates_verdict({"F22": rising, "F21": lifeless})
    assert rates_verdict({"F22": falling, "F23": rising}).startswith("With F22 planted")


def test_a_final_run_that_gives_the_printed_numbers_is_called_the_likely_cause():
    def course(shift):
        return [
            {"train_accuracy": (a + shift) / 100, "validation_accuracy": (b + shift) / 100}
            for a, b in zip(*PRINTED_FINAL.values(), strict=True)
        ]

    assert "may be the cause" in final_verdict({"as printed": course(30), "other": course(1)})
    assert "the cause is unknown" in final_verdict({"as printed": course(30), "other": course(5)})


def test_numbers_in_words():
    assert mean_sd([1, 2, 3]) == "2.00 ± 1.00"
    assert mean_sd([1.5], 1) == "1.5"
    assert mean_sd([]) == "–"
    assert difference(1, 2.5, 1) == "−1.5"
    assert [counted(n) for n in (1, 2000)] == ["1 epoch", "2,000 epochs"]


def test_a_page_is_written_twice_with_the_same_bytes(tmp_path):
    pages = []
    for name in ("one", "other"):
        lab = Lab(tmp_path / name)
        pages.append(run_study(scalar_pass.STUDY, lab).read_bytes())
    assert pages[0] == pages[1]
