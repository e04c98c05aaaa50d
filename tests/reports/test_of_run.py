"""The report of a run shows what the folder holds, and says of the rest which setting would have recorded it."""

import json
import re
from functools import cache

import numpy as np
import pytest

from chainrule.reports import Figure, Formula, Prose, Table, Text, page
from chainrule.reports.embedding import Embedding
from chainrule.reports.items import inside
from chainrule.reports.of_run import report_of_run
from chainrule.runs import Run, verify
from reports.markup import flaws

FULL = {
    "settings": Table,
    "data": Table,
    "environment": Table,
    "results": Table,
    "snapshots": Table,
    "accuracy-by-part": Figure,
    "confusion-matrices": Figure,
    "classification-train": Text,
    "classification-validation": Text,
    "classification-test": Text,
    "mistakes": Figure,
    "loss-and-accuracy": Figure,
    "batch-losses": Figure,
    "layer-sizes": Figure,
    "network": Figure,
    "layers": Table,
    "weights": Figure,
    "embeddings": Figure,
    "graph": Figure,
    "derivation": Formula,
}


@cache
def reported(run: Run):
    return report_of_run(run)


def items(report):
    return {item.id: item for item in report.items}


def cells(table: Table) -> dict[str, list[str]]:
    return {str(row[0]): [str(cell) for cell in row[1:]] for row in table.rows}


def test_a_run_with_every_recording_shows_every_kind_of_content(full_run, full_page):
    report = reported(full_run)
    assert {name: type(item) for name, item in items(report).items()} == FULL
    assert report.notes == []
    assert flaws(full_page) == []


def test_what_a_run_did_not_record_is_named_with_the_setting_that_does(bare_run):
    found = items(reported(bare_run))
    for name, flag in {
        "loss-and-accuracy": "--curves",
        "batch-losses": "--record-batches",
        "layer-sizes": "--record-layers",
        "embeddings": "--record-samples 500",
        "mistakes": "--record-samples 500",
    }.items():
        assert isinstance(found[name], Prose)
        assert flag in found[name].paragraphs[0]
    assert "snapshots" not in found


def test_the_flags_that_a_report_names_are_flags_of_train(bare_run, command):
    words = " ".join(item.paragraphs[0] for item in reported(bare_run).items if isinstance(item, Prose))
    named = set(re.findall(r"--[a-z-]+", words))
    help_text = command("train", "--help").words
    assert named
    assert all(flag in help_text for flag in named)


def test_data_of_two_columns_have_a_decision_surface_and_no_images_of_weights(plane_run):
    found = items(reported(plane_run))
    assert isinstance(found["surface"], Figure)
    assert "weights" not in found
    assert isinstance(found["embeddings"], Figure)


def test_the_numbers_are_those_of_the_files(full_run):
    stored = json.loads((full_run.path / "evaluation.json").read_text())
    rows = {row[1]: row for row in items(reported(full_run))["results"].rows}
    for part, name in (("train", "training"), ("validation", "validation"), ("test", "test")):
        result = stored[part]
        assert rows[name][3:] == [
            result["samples"],
            f"{result['loss']:.4f}",
            f"{result['baseline']['loss']:.4f}",
            f"{100 * result['accuracy']:.2f}",
            f"{100 * result['baseline']['accuracy']:.2f}",
        ]
    settings = cells(items(reported(full_run))["settings"])
    assert settings["training.epochs"] == ["3"]
    assert settings["network.init_seed"] == settings["seed"] == ["0"]
    data = cells(items(reported(full_run))["data"])
    assert data["samples, train"] == ["1257"]
    assert data["fingerprint (SHA-256)"] == [json.loads((full_run.path / "data.json").read_text())["sha256"]]
    assert "The test part was evaluated 4 times: its curve was monitored" in reported(full_run).summary[0]


def test_the_stored_and_the_recomputed_report_stand_side_by_side(full_run):
    item = items(reported(full_run))["classification-test"]
    stored = json.loads((full_run.path / "evaluation.json").read_text())["test"]["report"].splitlines()
    lines = item.text.splitlines()[2:]
    assert [line.partition("│")[0].rstrip() for line in lines] == [line.rstrip() for line in stored]
    assert [line.partition("│")[2].strip() for line in lines] == [line.strip() for line in stored]
    assert "Both are equal" in item.caption


def test_inference_done_again_stands_beside_the_stored_report(bare_run):
    found = items(report_of_run(bare_run, verified=verify(bare_run)))
    assert "the stored model applied to the data again. Both are equal" in found["classification-test"].caption


def test_a_report_that_was_edited_is_said_to_differ(changed_bare_run):
    path = changed_bare_run.path / "evaluation.json"
    stored = json.loads(path.read_text())
    stored["test"]["report"] = stored["test"]["report"].replace("0.", "1.")
    path.write_text(json.dumps(stored))
    report = report_of_run(changed_bare_run)
    assert "They DIFFER" in items(report)["classification-test"].caption
    assert any("classification report is not that of its confusion matrix" in note for note in report.notes)


@pytest.mark.parametrize(
    ("name", "lost"),
    [
        ("config.json", {"settings", "derivation"}),
        ("environment.json", {"environment"}),
        ("data.json", {"data"}),
        ("history.jsonl", {"loss-and-accuracy", "layer-sizes"}),
        ("model.safetensors", {"network", "layers", "weights", "embeddings", "mistakes", "graph", "derivation"}),
        ("evaluation.json", {"results", "accuracy-by-part", "confusion-matrices"}),
        ("samples.safetensors", {"embeddings", "mistakes"}),
    ],
)
def test_a_missing_file_takes_its_own_items_with_it_and_no_others(changed_run, name, lost, monkeypatch):
    monkeypatch.setattr(inside, "embed", lambda values: Embedding(np.asarray(values)[:, :2], 12.0))  # t-SNE takes time
    (changed_run.path / name).unlink()
    report = report_of_run(changed_run)
    found = items(report)
    assert {key for key, item in found.items() if isinstance(item, Prose)} >= lost
    kept = FULL.keys() - lost - {"snapshots", "surface"} - {k for k in FULL if k.startswith("classification")}
    also = {"batch-losses"} if name in ("config.json", "evaluation.json") else set()
    assert {key for key in kept - also if isinstance(found[key], Prose)} == set()
    assert name == "samples.safetensors" or any(name in note for note in report.notes)


def test_the_report_of_a_run_is_the_same_every_time(full_run, full_page):
    assert page(reported(full_run)) == full_page
    assert len(full_page.encode()) < 3_000_000


def test_the_same_samples_are_embedded_in_every_panel(full_run):
    item = items(reported(full_run))["embeddings"]
    assert "the same 60 samples of the test part in every panel" in item.caption
    assert "perplexity 12" in item.caption
    panels = item.figure.axes
    assert len(panels) >= 2
    counts = [sum(len(c.get_offsets()) for c in panel.collections) for panel in panels[:2]]
    assert counts[0] == counts[1] == len(np.unique(full_run.samples().drawn.rows))
