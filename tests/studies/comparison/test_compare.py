"""The comparison trains what it says, keeps what is finished, and gives the same bytes however it was interrupted."""

import csv
import json
import re
from pathlib import Path

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier
from sklearn.svm import LinearSVC

import chainrule as cr
from chainrule.errors import RunError, StorageError
from chainrule.studies import Comparison, compare
from chainrule.studies.comparison import comparing
from chainrule.studies.comparison.baselines import BASELINES, fit_baseline, linear_svm, nearest_neighbours
from chainrule.studies.comparison.material import prepare
from chainrule.studies.comparison.trained import NetworkSettings, train_network
from refusals import refused

from .features import SMALL, held_out, rows, sets


def compared(**changes) -> Comparison:
    return compare(sets(), test=held_out(), **{**SMALL, "baselines": (), **changes})


@pytest.fixture(scope="module")
def whole() -> Comparison:
    """All methods, two test sets."""
    return compare(sets(), test=held_out(), **SMALL, classes=["red", "green", "blue"], notes=["Drawn at random."])


@pytest.fixture(scope="module")
def material():
    return prepare(sets(), held_out(), classes=None, development=0.1, scale="standardise", split_seed=0)


SETTINGS = NetworkSettings((8,), 0.1, 30, 6, 10_000)


def test_the_network_is_that_of_train_alone(material):
    [found] = train_network(material, "original", (3, 4), SETTINGS, progress=False)
    net = cr.Network([5, 8, 3], seed=3)
    cr.train(net, material.training["original"], epochs=6, batch_size=30, learning_rate=0.1, seed=4)
    assert np.array_equal(found.scores["augmented"], net.logits(material.tests["augmented"][0]))
    measured = cr.evaluate(net, material.development)
    assert found.facts["development_accuracy"] == measured.accuracy
    assert found.facts["train_accuracy"] == cr.evaluate(net, material.training["original"]).accuracy


def test_equal_updates_is_a_point_of_the_training_at_equal_epochs_and_a_training_of_its_own(material):
    """216 rows make 8 batches and 432 make 15: 6 epochs of the one are 48 updates, 3 of the other 45."""
    early, late = train_network(material, "augmented", (0, 1), SETTINGS, progress=False)
    assert [(one.facts["epochs"], one.facts["updates"]) for one in (early, late)] == [(3, 45), (6, 90)]
    alone = cr.Network([5, 8, 3], seed=0)
    cr.train(alone, material.training["augmented"], epochs=3, batch_size=30, learning_rate=0.1, seed=1)
    assert np.array_equal(early.scores["original"], alone.logits(material.tests["original"][0]))


def test_accuracy_on_the_first_rows_is_measured_for_both(material):
    late = train_network(material, "augmented", (0, 1), SETTINGS, progress=False)[-1]
    net = cr.Network([5, 8, 3], seed=0)
    cr.train(net, material.training["augmented"], epochs=6, batch_size=30, learning_rate=0.1, seed=1)
    assert late.facts["first_accuracy"] == cr.evaluate(net, material.training["original"]).accuracy


def test_pairs_share_start_and_order_and_each_seed_has_its_own(whole):
    for role in ("reference", "epochs", "updates"):
        runs = whole.found["networks"][role]["runs"]
        assert [(run["start"], run["order"]) for run in runs] == [(0, 0), (1, 1), (2, 2)]
    accuracies = [run["tests"]["original"]["loss"] for run in whole.found["networks"]["reference"]["runs"]]
    assert len(set(accuracies)) == 3


def test_differences_are_those_of_the_runs(whole):
    networks = whole.found["networks"]
    for held in ("epochs", "updates"):
        for test in ("original", "augmented"):
            pairs = zip(networks["reference"]["runs"], networks[held]["runs"], strict=True)
            expected = [b["tests"][test]["accuracy"] - a["tests"][test]["accuracy"] for a, b in pairs]
            assert whole.found["differences"][held][test]["by_seed"] == pytest.approx(expected, abs=1e-12)


def test_the_conclusion_is_of_the_first_test_set(whole):
    found = whole.found["differences"]["epochs"]["original"]["anywhere"]
    low, high = (f"{100 * found[end]:+.2f}".replace("-", "−") for end in ("low", "high"))
    assert f"{low} to {high}" in whole.conclusion


def test_a_training_set_without_its_signal_is_found_worse_and_better_the_other_way_round():
    """Copies of features far from their class teach what is wrong."""
    x, y = rows(600, 0)
    spoilt = (np.concatenate([x, np.roll(x, 1, axis=0)]), np.concatenate([y, y]), np.tile(np.arange(600), 2))
    settings = {**SMALL, "test": {"plain": rows(600, 1)}, "baselines": (), "epochs": 12}
    worse = compare({"plain": (x, y), "spoilt": spoilt}, **settings)
    assert worse.conclusion.count("lower") == 2
    better = compare({"spoilt": (np.roll(x, 1, axis=0), y), "mended": (x, y, np.arange(600))}, **settings)
    assert better.conclusion.count("higher") == 2


def test_training_on_the_same_rows_twice_shows_no_difference_at_equal_updates():
    x, y = rows(240, 0)
    twice = (np.concatenate([x, x]), np.concatenate([y, y]))
    found = compare(
        {"once": (x, y), "twice": twice}, test={"new": rows(900, 1)}, **{**SMALL, "batch_size": 8}, baselines=()
    )
    assert found.found["networks"]["updates"]["epochs"] == 3
    assert "not seen to differ at equal updates" in found.conclusion or "no difference was seen" in found.conclusion


def test_a_resumed_comparison_gives_the_same_bytes(whole, tmp_path, monkeypatch):
    """Stopped twice, each time before the third training since, and gone on with."""
    train, calls, settings = comparing.train_network, [], {**SMALL, "keep": tmp_path / "kept"}

    def stop_at(number):
        def stopped(*arguments, **settings):
            calls.append(arguments)
            if len(calls) == number:
                raise KeyboardInterrupt
            return train(*arguments, **settings)

        return stopped

    names = {"classes": ["red", "green", "blue"], "notes": ["Drawn at random."]}
    for _ in range(2):
        calls.clear()
        monkeypatch.setattr(comparing, "train_network", stop_at(3))
        with pytest.raises(KeyboardInterrupt):
            compare(sets(), test=held_out(), **settings, **names)
    calls.clear()
    monkeypatch.setattr(comparing, "train_network", stop_at(0))
    found = compare(sets(), test=held_out(), **settings, **names)
    assert len(calls) == 2  # of six, two were finished before each stop
    assert found == whole
    for comparison, folder in ((found, "resumed"), (whole, "at once")):
        comparison.save(tmp_path / folder)
    stored = {name: (tmp_path / "at once" / name).read_bytes() for name in files(tmp_path / "at once")}
    assert {name: (tmp_path / "resumed" / name).read_bytes() for name in files(tmp_path / "resumed")} == stored
    assert set(json.loads((tmp_path / "resumed" / "timings.json").read_text())) == set(whole.seconds)


def files(folder: Path) -> list[str]:
    return sorted(
        str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file() and path.name != "timings.json"
    )


def test_more_seeds_keep_those_that_are_finished(tmp_path, monkeypatch):
    compared(keep=tmp_path, seeds=2)
    train, trained = comparing.train_network, []
    monkeypatch.setattr(comparing, "train_network", lambda *a, **k: trained.append(a[2]) or train(*a, **k))
    more = compared(keep=tmp_path, seeds=3)
    assert trained == [(2, 2), (2, 2)]
    assert more == compared(seeds=3)


@pytest.mark.parametrize("change", [{"epochs": 7}, {"learning_rate": 0.2}, {"hidden": (9,)}, {"development": 0.2}])
def test_nothing_kept_is_used_for_other_settings(tmp_path, change):
    compared(keep=tmp_path)
    assert compared(keep=tmp_path, **change) == compared(**change)


def test_nothing_kept_is_used_when_the_sets_change_places(tmp_path):
    """The scale of all features is that of the first."""
    x, y = rows(240, 0)
    moved = (3 * x + 1, y, np.arange(240))
    forward, backward = {"plain": (x, y), "moved": moved}, {"moved": moved[:2], "plain": (x, y, np.arange(240))}
    settings = {**SMALL, "test": {"new": rows(150, 1)}, "baselines": ("logistic",)}
    compare(forward, **settings, keep=tmp_path)
    assert compare(backward, **settings, keep=tmp_path) == compare(backward, **settings)


def test_a_damaged_kept_file_is_computed_again(tmp_path):
    first = compared(keep=tmp_path)
    victim, other = sorted(tmp_path.glob("network*"))[:2]
    victim.write_bytes(victim.read_bytes()[:200])
    other.write_bytes(other.read_bytes()[:-4] + b"\0\1\2\3")
    assert compared(keep=tmp_path) == first


def test_what_is_saved_is_loaded_and_holds_every_table_and_figure(whole, tmp_path):
    whole.save(tmp_path / "out")
    tables = {"baselines", "classes", "confusion", "curves", "differences", "reports", "runs"}
    drawn = {f"figures/{name}.svg" for name in ("classes", "confusion", "curves", "differences")}
    assert set(files(tmp_path / "out")) == {"result.json", "result.txt", *drawn, *(f"{name}.csv" for name in tables)}
    assert Comparison.load(tmp_path / "out") == whole
    with (tmp_path / "out" / "runs.csv").open() as file:
        stored = list(csv.DictReader(file))
    assert len(stored) == 9
    expected = whole.found["networks"]["reference"]["runs"][0]["tests"]["original"]["accuracy"]
    assert float(stored[0]["test_original_accuracy"]) == expected


def test_a_save_that_fails_leaves_the_earlier_result(whole, tmp_path, monkeypatch):
    whole.save(tmp_path / "out")
    before = (tmp_path / "out" / "result.json").read_bytes()
    monkeypatch.setattr(Comparison, "figures", lambda self: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        Comparison({**whole.found, "conclusion": "other"}).save(tmp_path / "out")
    assert (tmp_path / "out" / "result.json").read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_a_folder_with_something_else_is_not_replaced(whole, tmp_path):
    (tmp_path / "thesis.tex").write_text("precious")
    with refused("holds something else", error=StorageError):
        whole.save(tmp_path)
    with refused("is missing", error=RunError):
        Comparison.load(tmp_path)


def test_the_text_says_what_was_done_and_how_sure_it_is(whole):
    text = str(whole)
    for words in (
        "5–8–3, ReLU, softmax; batch 30, rate 0.1, 6 epochs; 3 pairs of runs",
        "original 216, augmented 432; development 24",
        "opened once",
        "is one draw",
        "Drawn at random.",
        "Student's t over the seeds",
        "twice the median p",
        "Bonferroni",
        "CLASSIFICATION REPORTS side by side",
        "logistic regression",
        "converged in",
        whole.conclusion,
    ):
        assert words in text, words
    assert max(map(len, text.splitlines()[:-1])) <= 140


def test_printed_numbers_are_those_of_the_runs(whole):
    accuracies = [run["tests"]["original"]["accuracy"] for run in whole.found["networks"]["reference"]["runs"]]
    mean, sd = 100 * np.mean(accuracies), 100 * np.std(accuracies, ddof=1)
    [line] = [line for line in str(whole).splitlines() if line.startswith("test accuracy, original")]
    assert re.search(rf"images +{mean:.2f} ± {sd:.2f} ", line)


def test_a_baseline_is_chosen_by_development_data_alone(material):
    x, y = material.training["original"]
    reached = [LogisticRegression(C=C, max_iter=1000).fit(x, y).score(*material.development) for C in (0.01, 0.1, 1)]
    [found] = fit_baseline(material, "original", "logistic")
    assert list(found.facts["tried"].values()) == reached
    assert found.facts["setting"] == f"C = {(0.01, 0.1, 1)[int(np.argmax(reached))]:g}"


def test_nearest_neighbours_are_those_of_scikit_learn_for_every_k():
    x, y = rows(200, 6, noise=1.5)
    new = rows(50, 7, noise=1.5)[0]
    for (scores, _), k in zip(nearest_neighbours(x, y, 3, (5, 15)), (5, 15), strict=True):
        theirs = KNeighborsClassifier(k).fit(x, y)
        for asked in (new, x, new):
            np.testing.assert_allclose(scores(asked), theirs.predict_proba(asked))


def test_the_linear_svm_is_that_of_scikit_learn():
    x, y = rows(300, 5, classes=4, noise=1.5)
    for (scores, remark), C in zip(linear_svm(x, y, 4, (0.001, 0.1)), (0.001, 0.1), strict=True):
        theirs = LinearSVC(C=C, dual=False, tol=1e-8).fit(x, y).decision_function(x)
        assert remark.startswith("converged")
        np.testing.assert_allclose(scores(x), theirs, atol=5e-3 * np.abs(theirs).max())


@pytest.mark.parametrize("key", BASELINES)
def test_every_baseline_learns_what_there_is(material, key):
    [found] = fit_baseline(material, "augmented", key)
    _, y = material.tests["original"]
    assert found.scores["original"].shape == (len(y), 3)
    assert (found.scores["original"].argmax(axis=1) == y).mean() > 0.7


def test_baselines_tell_two_classes_apart():
    two = {name: (x[y < 2], y[y < 2]) for name, (x, y) in sets().items()}
    found = compare(two, test={"new": (lambda x, y: (x[y < 2], y[y < 2]))(*rows(150, 1))}, **SMALL)
    assert min(one["tests"]["new"]["accuracy"]["estimate"] for one in found.found["baselines"]) > 0.8


@pytest.mark.parametrize("seeds", [1, [(0, 0)], 0])
def test_one_seed_is_refused(seeds):
    with refused("shows no spread", "at least 2"):
        compared(seeds=seeds)


def test_the_same_seeds_twice_are_refused():
    with refused("two pairs of seeds are the same"):
        compared(seeds=[(0, 1), (0, 1)])


def test_start_and_order_can_be_varied_apart():
    found = compared(seeds=[(0, 0), (0, 1)])
    losses = [run["tests"]["original"]["loss"] for run in found.found["networks"]["reference"]["runs"]]
    assert losses[0] != losses[1]


def test_an_unknown_baseline_is_refused_with_the_nearest():
    with refused("unknown baseline 'tre'", "'tree'"):
        compared(baselines=["tre"])


def test_progress_tells_each_training_and_the_time_left(capsys):
    compared(progress=True)
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 6
    assert re.fullmatch(r"6 of 6: network augmented 2-2, \d+\.\d s; about 0 s left", lines[-1])
