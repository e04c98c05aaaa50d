"""Runs and sweeps side by side: like is compared with like, and the numbers are those that one computes by hand."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from chainrule.reports import Figure, Table, page
from chainrule.reports.cases import Case, cases, effects, grouped
from chainrule.reports.of_runs import report_of_runs, report_of_sweep
from chainrule.runs import Run
from chainrule.sweeps import read_sweep
from reports.markup import flaws


def case(seed: int, **settings: str) -> Case:
    return Case(Run(Path("nowhere")), settings, (seed,), ", ".join(settings.values()))


def items(report):
    return {item.id: item for item in report.items if item.id}


def test_an_effect_is_the_mean_over_the_other_settings_of_the_same_seed():
    found = [case(s, rate=r, width=w) for r in ("0.1", "1") for w in ("4", "8") for s in (0, 1)]
    values = [0.1, 0.2, 0.3, 0.4, 0.5, 0.7, 0.9, 1.1]
    rate = [effect for effect in effects(found, values) if effect.setting == "rate"]
    assert [effect.value for effect in rate] == ["0.1", "1"]
    assert rate[0].by_seed == pytest.approx((0.2, 0.3))
    assert rate[1].by_seed == pytest.approx((0.7, 0.9))
    assert rate[0].difference == ()
    assert rate[1].difference == pytest.approx((0.5, 0.6))


def test_where_a_point_is_missing_what_it_would_be_compared_with_is_left_out_too():
    found = [case(s, rate=r, width=w) for r in ("0.1", "1") for w in ("4", "8") for s in (0, 1)][:-1]
    values = [0.1, 0.2, 0.3, 100.0, 0.5, 0.7, 0.9]  # rate 1, width 8, seed 1 failed: its partner is 100
    rate = [effect for effect in effects(found, values) if effect.setting == "rate"]
    assert rate[0].by_seed == pytest.approx((0.2, 0.2))
    assert rate[1].by_seed == pytest.approx((0.7, 0.7))


def test_variants_that_differ_in_several_settings_at_once_are_compared_as_wholes():
    found = [case(s, rate=r, width=w) for r, w in (("0.1", "4"), ("1", "8")) for s in (0, 1)]
    both = effects(found, [1.0, 2.0, 3.0, 5.0])
    assert [(effect.setting, effect.value) for effect in both] == [("variant", "0.1, 4"), ("variant", "1, 8")]
    assert both[1].difference == (2.0, 3.0)


def test_runs_without_a_seed_in_common_have_no_effect():
    assert effects([case(0, rate="1"), case(1, rate="2")], [1.0, 2.0]) == []


def test_the_report_of_a_sweep_has_the_effect_of_each_setting_with_its_interval(sweep):
    report = report_of_sweep(sweep)
    found = items(report)
    assert flaws(page(report)) == []
    assert isinstance(found["effects"], Figure)
    rows = {(row[0], row[1]): row for row in found["effects-table"].rows}
    assert set(rows) == {
        ("training.learning_rate", "0.1"),
        ("training.learning_rate", "0.001"),
        ("network.hidden", "8"),
        ("network.hidden", "4"),
    }
    accuracy: dict[str, dict[tuple[int, int], list[float]]] = {"0.1": {}, "0.001": {}}
    for result in sweep.points:
        stored = json.loads((result.run.path / "evaluation.json").read_text())
        rate = f"{result.point.changes['training.learning_rate']:g}"
        accuracy[rate].setdefault(result.point.seeds, []).append(stored["validation"]["accuracy"])
    high, low = ([np.mean(values) for values in accuracy[rate].values()] for rate in ("0.1", "0.001"))
    gap = np.subtract(low, high)
    limits = stats.t.interval(0.95, 2, gap.mean(), stats.sem(gap))
    told = f"{gap.mean():.4f} [{limits[0]:.4f}, {limits[1]:.4f}]".replace("-", "−")
    row = rows["training.learning_rate", "0.001"]
    assert row[2] == 3
    assert row[5] == told
    assert row[6] == ("no" if limits[0] < 0 < limits[1] else "yes")


def test_the_results_of_a_sweep_stand_above_what_guessing_reaches(sweep):
    table = items(report_of_sweep(sweep))["results"]
    assert isinstance(table, Table)
    assert len(table.rows) == 4 + 1
    assert [row[1] for row in table.rows] == [3, 3, 3, 3, None]
    assert table.rows[-1][0] == "guessing"
    assert float(table.rows[-1][4].split()[0]) < 11


def test_points_without_results_are_named(sweep, tmp_path):
    shutil.copytree(sweep.folder, tmp_path / "small")
    for path in sorted((tmp_path / "small" / "runs").iterdir())[:2]:
        shutil.rmtree(path)
    (tmp_path / "small" / "index.sqlite").unlink(missing_ok=True)
    report = report_of_sweep(read_sweep(tmp_path / "small"))
    assert any("2 of 12 points are not finished" in note for note in report.notes)


def test_a_run_of_a_sweep_that_was_edited_is_named_and_the_rest_is_compared(sweep, tmp_path):
    shutil.copytree(sweep.folder, tmp_path / "small")
    run = sorted((tmp_path / "small" / "runs").iterdir())[0]
    (run / "history.jsonl").write_text("")
    report = report_of_sweep(read_sweep(tmp_path / "small"))
    assert any(note.startswith(run.name) and "SHA-256 differs" in note for note in report.notes)
    assert isinstance(items(report)["effects"], Figure)


def test_runs_that_differ_in_their_seeds_and_recordings_alone_are_one_variant(sweep, full_run, bare_run):
    of_one = [result.run for result in sweep.points if result.point.variant == 0]
    assert list(grouped(cases(of_one))) == ["all runs"]
    assert list(grouped(cases([full_run, bare_run]))) == ["all runs"]


def test_a_comparison_shows_curves_together_and_what_differs(full_run, sweep):
    runs = [full_run, sweep.runs[0], sweep.runs[3]]
    report = report_of_runs(runs)
    found = items(report)
    assert flaws(page(report)) == []
    assert (
        found["runs"].head[:3] == ("run", "network.hidden", "training.epochs") or "network.hidden" in found["runs"].head
    )
    assert isinstance(found["loss-and-accuracy"], Figure)
    assert "In one run: the test part was evaluated 4 times" in " ".join(report.summary)


def test_a_run_that_cannot_be_compared_is_named_and_the_others_are_compared(sweep, tmp_path, refused):
    broken = Run(shutil.copytree(sweep.runs[0].path, tmp_path / "broken"))
    (broken.path / "config.json").unlink()
    report = report_of_runs([broken, sweep.runs[1], sweep.runs[4]])
    assert any(note.startswith("broken: config.json is missing") for note in report.notes)
    assert report.title == "Comparison of 2 runs"
    with refused("1 of 2 runs can be compared", "broken"):
        report_of_runs([broken, sweep.runs[1]])


def test_without_a_validation_part_the_training_part_chooses_and_never_the_test_part(tmp_path):
    from chainrule.reports.cases import measure
    from chainrule.runs import execute
    from chainrule.runs.config import RunConfig, from_mapping

    content = {"data": {"source": "xor", "validation": 0.0}, "training": {"epochs": 1}}
    run = execute(from_mapping(RunConfig, content), runs_dir=tmp_path, draw=False).run
    assert set(run.evaluations()) == {"train", "test"}
    assert measure(cases([run])).part == "train"
