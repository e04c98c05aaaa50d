"""A lab computes once what it keeps, and a study's page holds what the study declares, quick ones labelled."""

import json

import pytest

from chainrule.errors import InputError, RunError
from chainrule.reports import Prose, Report, Section
from chainrule.runs import RunConfig
from chainrule.runs.config import DataSettings, NetworkSettings, TrainingSettings
from chainrule.studies.lab import Lab, by_variant
from chainrule.studies.registry import NAMES, studies, study
from chainrule.studies.running import place, run_study
from chainrule.studies.study import Declared, Published, Study
from chainrule.sweeps import PointResult, Sweep, SweepResult, run_sweep
from refusals import refused


def row(what):
    return Published("004", "Q2", what, "1", "1", "0", "equal")


def small(name="small"):
    return RunConfig(
        DataSettings(source="circles", samples=60),
        NetworkSettings(hidden=(3,), output="sigmoid"),
        TrainingSettings(epochs=2, batch_size="full"),
        name,
    )


def made(run, ids=("first",)):
    return Study("made", "Made", "nowhere", "…", tuple(Declared(name, name) for name in ids), run)


def page(*ids):
    return Report("Made", "…", [Section("All", [Prose(["…"], id=name, title=name) for name in ids])])


@pytest.fixture
def lab(tmp_path):
    return Lab(tmp_path / "made")


def test_what_is_kept_is_computed_once(lab):
    calls = []
    for _ in range(2):
        assert lab.keep("sum", {"n": 3}, lambda: calls.append(1) or {"sum": [1, 2]}) == {"sum": [1, 2]}
    assert lab.keep("sum", {"n": 4}, lambda: calls.append(1) or 7) == 7
    assert calls == [1, 1]


def test_a_folder_of_data_sets_is_no_hindrance_where_points_are_drawn(tmp_path):
    lab = Lab(tmp_path / "made", data_dir=tmp_path / "data", workers=1)
    assert lab.train(small()).evaluations()
    assert not lab.sweep(Sweep(small("drawn"), seeds=2, name="drawn")).failed
    assert len(lab.data("circles", samples=60).train) == 42


def test_what_is_kept_comes_back_as_it_was_first_given(lab):
    first = lab.keep("pair", {}, lambda: (1, 2))
    assert first == lab.keep("pair", {}, lambda: 1 / 0) == [1, 2]


@pytest.mark.parametrize("damage", [b"", b"{", b'{"identity": {"n": 9}, "result": 0}', b"[]"])
def test_a_damaged_file_is_computed_again(lab, damage):
    lab.keep("sum", {"n": 3}, lambda: 3)
    (path,) = (lab.folder / "kept").iterdir()
    path.write_bytes(damage)
    assert lab.keep("sum", {"n": 3}, lambda: 3) == 3
    assert json.loads(path.read_bytes())["result"] == 3


def test_an_interrupted_computation_leaves_nothing_that_counts(lab):
    def stopped():
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        lab.keep("sum", {}, stopped)
    assert lab.keep("sum", {}, lambda: 3) == 3


def test_seeds_are_the_reader_s_or_the_study_s(tmp_path):
    assert Lab(tmp_path).seed_count(full=20, quick=3) == 20
    assert Lab(tmp_path, quick=True).seed_count(full=20, quick=3) == 3
    assert Lab(tmp_path, quick=True, seeds=5).seed_count(full=20, quick=3) == 5
    with refused("seeds is 0", "at least 1", error=InputError):
        Lab(tmp_path, seeds=0)


def test_a_run_is_trained_once_for_all_studies_of_a_folder(tmp_path):
    one, other = (Lab(tmp_path / name, runs=tmp_path / "runs") for name in ("one", "other"))
    before = one.train(small()).model.stat().st_mtime_ns
    assert other.train(small()).model.stat().st_mtime_ns == before
    assert not (tmp_path / "one" / "runs").exists()


def test_a_sweep_needs_a_name_for_its_folder(lab):
    with refused("no name", error=InputError):
        lab.sweep(Sweep(small()))


def test_another_number_of_seeds_is_another_sweep(lab, monkeypatch):
    folders = []

    def pretend(sweep, folder, **_):
        folders.append(folder)
        return SweepResult(folder, sweep, ())

    monkeypatch.setattr("chainrule.sweeps.run_sweep", pretend)
    for seeds in (1, 2):
        lab.sweep(Sweep(small(None), seeds=seeds, name="seeds"))
    assert len(set(folders)) == 2
    assert all(folder.name.startswith("seeds-") for folder in folders)


def test_points_that_fail_stand_on_the_page_and_an_interrupt_ends_the_study(lab, monkeypatch):
    sweep = Sweep(small(None), seeds=2, name="seeds")
    failed, open_point = (
        PointResult(point, None, error) for point, error in zip(sweep.points(), ("too high", None), strict=True)
    )
    results = iter([(failed,), (failed, open_point)])
    monkeypatch.setattr("chainrule.sweeps.run_sweep", lambda s, folder, **_: SweepResult(folder, s, next(results)))
    lab.sweep(sweep)
    assert "too high" in lab.notes[0]
    with pytest.raises(KeyboardInterrupt):
        lab.sweep(sweep)


def test_variants_come_by_what_they_stand_for_and_none_may_be_without_a_run(tmp_path):
    sweep = Sweep(small(None), {"training.learning_rate": [0.1, 0.2]}, seeds=2, name="rates")
    result = run_sweep(sweep, tmp_path / "rates", workers=1)
    found = by_variant(result, ("low", "high"))
    assert [run.config().training.learning_rate for run in found["high"]] == [0.2, 0.2]
    assert [run.config().seed for run in found["low"]] == [0, 1]
    lost = SweepResult(result.folder, sweep, (*result.points[:2], PointResult(result.points[2].point, None, "no")))
    with refused("high", error=RunError):
        by_variant(lost, ("low", "high"))


def test_a_page_that_lacks_an_item_or_has_another_is_refused(lab):
    for ids in (("first",), ("first", "second", "third")):
        with pytest.raises(AssertionError, match="second" if len(ids) == 1 else "third"):
            run_study(made(lambda lab, ids=ids: page(*ids), ("first", "second")), lab)
    assert not (lab.folder / "report.html").exists()


def test_findings_say_what_the_page_says(lab):
    def run(lab):
        lab.publish(row("a"), row("b"))
        lab.notes.append("one point is missing")
        return page("first")

    html = run_study(made(run), lab).read_text(encoding="utf-8")
    found = json.loads((lab.folder / "findings.json").read_text(encoding="utf-8"))
    assert [entry["what"] for entry in found["published"]] == ["a", "b"]
    assert found["items"] == [{"id": "first", "title": "first"}]
    assert found["notes"] == ["one point is missing"]
    assert "one point is missing" in html
    assert not found["quick"]
    assert json.loads((lab.folder / "timings.json").read_text())["seconds"] >= 0


@pytest.mark.parametrize(
    ("options", "choose", "words"),
    [
        ({"quick": True}, (50, 5), "quick: not the settings of the report"),
        ({"quick": True}, (50, 50), "quick: nothing is left out here"),
        ({"seeds": 2}, (50, 5), "asked for with 2 seeds"),
    ],
)
def test_a_page_tells_when_its_settings_are_not_the_full_ones(tmp_path, options, choose, words):
    lab = Lab(tmp_path, **options)

    def run(lab):
        lab.choose(full=choose[0], quick=choose[1])
        return page("first")

    assert words in run_study(made(run), lab).read_text(encoding="utf-8")


def test_quick_studies_lie_apart_from_full_ones(tmp_path):
    assert place(tmp_path, "made", quick=False) == tmp_path / "made"
    assert place(tmp_path, "made", quick=True) == tmp_path / "quick" / "made"


def test_the_registry_knows_every_study_by_its_own_name():
    assert tuple(one.name for one in studies()) == NAMES
    with refused("unknown study 'circles'", "'circles-activations'"):
        study("circles")
