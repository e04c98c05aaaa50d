"""The CIFAR-10 study compares what it says it compares, on features of a kind that need no photographs."""

from contextlib import contextmanager

import numpy as np
import pytest

from chainrule import storage
from chainrule.studies import cifar10_augmentation
from chainrule.studies.cifar10 import networks, published
from chainrule.studies.cifar10.material import FEW, Material
from chainrule.studies.cifar10.networks import RATE, interval, trained
from chainrule.studies.notebook import NAME
from chainrule.studies.running import refuse_incomplete
from chainrule.studies.study import OTHER_SOLUTION

from .in_process import LabInProcess

CLASSES = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")
MARKS = (2, 4, 6, 14)


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Rows around a corner a class; the copies are noisier."""
    generator, folder = np.random.default_rng(0), tmp_path_factory.mktemp("material")
    centres = generator.normal(size=(10, 12))

    def rows(count, noise):
        y = np.arange(count) % 10
        return (centres[y] + noise * generator.normal(size=(count, 12))).astype(np.float32), y

    names = np.array(CLASSES)
    (x, y), (x_validation, y_validation), (x_test, y_test) = rows(200, 1.0), rows(50, 1.0), rows(100, 1.0)
    copies = x + generator.normal(size=x.shape).astype(np.float32)
    training = {"original": (x, y), "augmented": (np.concatenate([x, copies]), np.concatenate([y, y]))}
    files = {}
    for name, (own_x, own_y) in training.items():
        files[name] = folder / f"{name}.npz"
        np.savez(
            files[name],
            x_train=own_x,
            y_train=names[own_y],
            x_validation=x_validation,
            y_validation=names[y_validation],
            x_test=x_test,
            y_test=names[y_test],
        )
    return Material(files, x_test, y_test, np.arange(0, 100, 3), CLASSES)


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    return LabInProcess(tmp_path_factory.mktemp("study"), quick=True)


@contextmanager
def small_settings():
    """Few epochs and small batches, for as long as something is trained."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(networks, "QUICK_MARKS", MARKS)
        patch.setattr(networks, "BATCH", 50)
        yield


@pytest.fixture(scope="module")
def found(made, lab):
    with small_settings():
        return trained(lab, made)


def test_the_page_holds_what_is_declared(found, made, lab, monkeypatch):
    monkeypatch.setattr(cifar10_augmentation, "material", lambda lab: made)
    with small_settings():
        report = cifar10_augmentation.STUDY.run(lab)
    refuse_incomplete(cifar10_augmentation.STUDY, report)
    assert (lab.folder / "notebook" / NAME).exists()
    counts = {report: sum(row.report == report for row in lab.published) for report in ("000", "001", "002")}
    assert counts == {"000": 3, "001": 9, "002": 5}  # the last of each is the difference between the two sets
    others = [row for row in lab.published if row.report == OTHER_SOLUTION]
    assert [row.published for row in others[:2]] == ["+1.07 points", "+2.90 points"]
    assert all(row.explanation.startswith("not comparable") for row in others[2:])
    assert len(others) == 10


def test_full_runs_have_the_settings_of_the_reports():
    training = networks._config(networks.MARKS).training
    assert (training.epochs, training.batch_size, networks.RATES) == (3000, 500, (0.01, 0.008))
    assert training.snapshots == (60, 120, 200, 400, 800, 1500)


def test_every_look_is_of_the_epochs_that_are_asked_for(found):
    for name in ("original", "augmented"):
        assert [look.model.name for look in found.looks(name, RATE, 2)] == ["epoch-000002.safetensors"] * found.seeds
        assert {look.model.name for look in found.looks(name, RATE, 6)} == {"model.safetensors"}
        assert len(found.looks(name, RATE, 7)) == len(found.looks(name, RATE, 14)) == 1


def test_equal_updates_are_half_the_epochs_on_twice_the_rows(found):
    first, second = (run.config().training for run in found.longest.values())
    assert first == second
    for epochs in found.marks:
        assert all(look.parts["train"].samples == 400 for look in found.looks("augmented", RATE, epochs // 2))
        assert all(look.parts["train"].samples == 200 for look in found.looks("original", RATE, epochs))


def test_pairs_share_start_and_order(found):
    for one, other in zip(found.runs["original", RATE], found.runs["augmented", RATE], strict=True):
        a, b = one.config(), other.config()
        assert (a.network.init_seed, a.training.order_seed) == (b.network.init_seed, b.training.order_seed)


def test_accuracies_by_image_are_those_of_the_evaluation(found, made):
    for look in found.looks("original", RATE, 6):
        assert look.hits.mean() == pytest.approx(look.parts["test"].accuracy, abs=1e-9)
        assert look.hits[made.few].mean() == pytest.approx(look.few.accuracy, abs=1e-9)


def test_a_difference_is_the_difference_of_the_accuracies(found):
    first, second = (found.looks(name, RATE, 4) for name in ("original", "augmented"))
    means = [np.mean([look.parts["test"].accuracy for look in looks]) for looks in (first, second)]
    assert interval(first, second, slice(None)).estimate == pytest.approx(means[1] - means[0], abs=1e-9)


def test_the_explanation_of_a_difference_says_whether_our_interval_holds_it(found):
    ours = interval(*(found.looks(name, RATE, 2) for name in ("original", "augmented")), slice(None))
    assert published.why_apart(ours, ours.low).startswith("none needed")
    for value in (ours.low - 1e-6, ours.high + 1e-6):
        assert published.why_apart(ours, value).startswith("cause unknown: our interval does not hold")
    (row,) = (row for row in published.published_rows(found) if row.what == "augmented − original, 120 epochs")
    assert row.explanation == published.why_apart(ours, 0.004)


def test_the_printed_reports_agree_with_themselves():
    """What was copied from the document: F1 follows from precision and recall, the mean of the recalls from these."""
    assert sum(published.PRINTED_SUPPORT) == FEW
    for name, rows in published.PRINTED.items():
        p, r, f1 = np.array(rows).T
        np.testing.assert_allclose(2 * p * r / (p + r), f1, atol=0.011)
        np.testing.assert_allclose(np.array(rows).mean(axis=0), published.PRINTED_MEANS[name]["macro avg"], atol=0.011)
        weighted = np.average(rows, axis=0, weights=published.PRINTED_SUPPORT)
        np.testing.assert_allclose(weighted, published.PRINTED_MEANS[name]["weighted avg"], atol=0.011)
        assert weighted[1] == pytest.approx(published.PRINTED_ACCURACY[name], abs=0.006)


def test_the_findings_are_plain_json(found, lab):
    storage.write_json(lab.folder / "rows.json", [row.to_json() for row in published.published_rows(found)])
    assert storage.read_json(lab.folder / "rows.json")
