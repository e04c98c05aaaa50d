"""Items are made from runs: the numbers in them are those that one computes by hand, and what is missing is told."""

import json
import re
from dataclasses import dataclass, replace

import numpy as np
import pytest

import chainrule as cr
from chainrule.evaluation import evaluate
from chainrule.reports import Figure, Prose, Report, Section, Table, items, page
from chainrule.reports.items import inside
from chainrule.reports.items.missing import setting
from chainrule.reports.items.results import report_from, spread
from chainrule.reports.wording import told_apart, without_folders
from chainrule.runs import execute
from chainrule.runs.config import RunConfig, from_mapping
from reports.markup import flaws


@dataclass
class Row:
    report: str
    where: str
    what: str
    published: str
    ours: str
    difference: str
    explanation: str


@pytest.fixture(scope="module")
def regression_run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("regression")
    rng = np.random.default_rng(0)
    lines = [f"{a:.3f},{b:.3f},{2 * a - b:.3f}" for a, b in rng.normal(size=(60, 2))]
    (folder / "table.csv").write_text("a,b,y\n" + "\n".join(lines) + "\n")
    content = {
        "data": {"source": str(folder / "table.csv"), "label": "y", "task": "regression"},
        "network": {"hidden": [4]},
        "training": {"epochs": 2, "learning_rate": 0.01},
    }
    return execute(from_mapping(RunConfig, content), runs_dir=folder, draw=False).run


def test_a_spread_is_the_mean_and_the_standard_deviation_of_a_sample():
    assert spread([1.0, 2.0, 4.0], 3) == "2.333 ± 1.528"  # √(7/3), not √(14/9)
    assert spread([0.5, 0.5], 2) == "0.50"
    assert spread([-1.0], 1) == "−1.0"
    assert spread([123456.0, 1.0], 2) == "6.173e+04 ± 8.73e+04"
    assert spread([], 2) == "–"


def test_results_are_over_the_runs_of_an_entry_and_stand_beside_their_baselines(sweep):
    runs = [result.run for result in sweep.points if result.point.variant == 0]
    table = items.results_table("results", {"a": runs}, parts=["test"])
    stored = [json.loads((run.path / "evaluation.json").read_text())["test"] for run in runs]
    accuracy = np.array([100 * result["accuracy"] for result in stored])
    (row,) = table.rows
    assert row[:4] == ["a", "test", 3, 270]
    assert row[6] == f"{accuracy.mean():.2f} ± {accuracy.std(ddof=1):.2f}"
    assert row[7] == "10.37"


def test_a_regression_has_r2_beside_that_of_the_mean_and_no_classes(regression_run):
    table = items.results_table("results", {"a": [regression_run]})
    assert list(table.head[-2:]) == ["R²", "of the mean"]
    assert {row[-1] for row in table.rows} == {"0"}
    for build in (items.confusions, items.classification, items.mistakes, items.embeddings):
        assert isinstance(build("x", regression_run), Prose)
    assert isinstance(items.part_bars("x", {"a": [regression_run]}), Prose)
    from chainrule.reports.of_run import report_of_run

    report = report_of_run(regression_run)
    assert flaws(page(report)) == []
    assert {item.id for item in report.items}.isdisjoint({"confusion-matrices", "mistakes", "embeddings"})


def test_a_page_names_the_file_of_the_data_and_not_the_folders_of_the_machine(regression_run):
    from chainrule.reports.of_run import report_of_run

    folder = regression_run.path.parent
    assert str(folder / "table.csv") in (regression_run.path / "config.json").read_text()
    text = page(report_of_run(regression_run))
    assert "table.csv" in text
    assert str(folder) not in text


def test_folders_are_left_out_and_equal_names_are_numbered():
    assert without_folders("onnx:/models/net.onnx#/layer4/out") == "onnx:net.onnx#/layer4/out"
    assert [without_folders(text) for text in ("digits", "photos/", ".")] == ["digits", "photos", "."]
    assert list(told_apart(["a/x.csv", "b/x.csv", "a/x.csv", "y.csv"]).values()) == ["x.csv (1)", "x.csv (2)", "y.csv"]


def test_the_report_of_a_confusion_matrix_is_that_of_its_labels():
    net, rng = cr.Network([3, 4, 3], seed=1), np.random.default_rng(2)
    x, y = rng.normal(size=(50, 3)), rng.integers(0, 3, 50)
    result = evaluate(net, (x, y))
    assert report_from(result.confusion, result.classes) == result.report
    assert report_from(result.confusion.T, result.classes) != result.report


def test_snapshots_have_a_row_for_each_epoch_and_part(full_run):
    table = items.snapshots_table("snapshots", full_run)
    stored = json.loads((full_run.path / "evaluation.json").read_text())["snapshots"]
    assert [row[:2] for row in table.rows] == [[e, p] for e in ("1", "2") for p in ("training", "validation", "test")]
    assert table.rows[2][5] == f"{100 * stored['1']['test']['accuracy']:.2f}"


def test_layers_of_snapshots_are_embedded_with_the_same_samples(full_run, monkeypatch):
    seen = []
    original = inside.embed
    monkeypatch.setattr(inside, "embed", lambda values: seen.append(np.array(values)) or original(values))
    models = {f"epoch {epoch}": path for epoch, path in full_run.snapshots().items()}
    item = items.embeddings("embeddings", full_run, models=models, layers=[2])
    drawn = full_run.samples().drawn
    for values, path in zip(seen, models.values(), strict=True):
        net = cr.load(path)
        assert values == pytest.approx(net.forward(drawn.inputs(net))["A2"])
    assert isinstance(item, Figure)
    with pytest.raises(cr.errors.UnknownNameError, match="hidden layer"):
        items.embeddings("embeddings", full_run, layers=[3])


def test_curves_are_of_all_parts_that_were_measured_or_of_those_that_are_asked_for(full_run, bare_run):
    every = items.curves("curves", {"a": [full_run]})
    assert "test" in every.figure.get_label()
    two = items.curves("curves", {"a": [full_run]}, parts=["train", "validation"])
    assert "test" not in two.figure.get_label()
    assert isinstance(items.curves("curves", {"a": [bare_run]}), Prose)


def test_published_numbers_stand_beside_ours():
    row = Row("004", "question 2", "loss", "0.693", "0.6931", "0.0001", "rounding")
    table = items.published("published", [row])
    assert list(table.rows[0]) == ["report 004, question 2", "loss", "0.693", "0.6931", "0.0001"]
    assert list(table.below) == ["Explanation: rounding"]
    other = items.published("published", [replace(row, report="another public solution", where="someone")])
    assert other.rows[0][0] == "another public solution, someone"
    assert isinstance(items.published("published", []), Prose)


def test_a_setting_is_named_as_one_gives_it():
    assert setting("training.curves") == "curves = true under [training], or --curves,"
    assert setting("training.record_samples", 500) == "record_samples = 500 under [training], or --record-samples 500,"


def test_the_graph_of_matplotlib_has_every_name_of_the_graph_and_arrows_both_ways():
    found = cr.derivation(cr.Network([3, 4, 2]))
    figure = items.graph("graph", found).figure
    texts = {text.get_text() for text in figure.axes[0].texts}
    assert {line for node in found.graph().nodes for line in node.lines} <= texts
    arrows = [patch for patch in figure.axes[0].patches if type(patch).__name__ == "FancyArrowPatch"]
    constant = sum(edge.constant for edge in found.graph().edges)
    assert len(arrows) == 2 * len(found.graph().edges) - constant
    assert len(items.graph("graph", found, backward=False).figure.axes[0].patches) < len(figure.axes[0].patches)


def test_a_derivation_stands_in_a_page_below_its_heading(bare_run):
    item = items.derivation("derivation", bare_run)
    assert re.findall(r"<(h\d)>", item.html)[0] == "h4"
    assert "<svg" not in item.html
    text = page(Report("A", "B", [Section("C", [item])]))
    assert flaws(text) == []
    assert text.count("<math") > 20


def test_tables_of_a_network_count_its_parameters():
    table = items.layers_table("layers", cr.Network([5, 4, 3]))
    assert isinstance(table, Table)
    assert [row[4] for row in table.rows] == [0, 24, 15, 39]
