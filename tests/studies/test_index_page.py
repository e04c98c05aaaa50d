"""The index page is made of what finished studies left, and of the checklist."""

import pytest

from chainrule import storage
from chainrule.studies.checklist import ENTRIES
from chainrule.studies.index_page import index_report, write_index
from chainrule.studies.study import Declared, Study

STUDIES = tuple(
    Study(name, f"Title of {name}", "report 004", "", (Declared("published", "numbers"),), run=lambda lab: None)
    for name in ("scalar-pass", "synthetic-sgd", "mnist-sgd")
)
ROW = {
    "report": "004",
    "where": "Q2",
    "what": "loss of one pass",
    "published": "0.693",
    "ours": "0.6931",
    "difference": "0.0001",
    "explanation": "rounding <b>",
}


@pytest.fixture
def folder(tmp_path):
    storage.write_json(tmp_path / "scalar-pass" / "findings.json", {"quick": False, "published": [ROW]})
    storage.write_json(tmp_path / "scalar-pass" / "timings.json", {"seconds": 12.4})
    storage.write_json(tmp_path / "mnist-sgd" / "study.json", {})
    return tmp_path


def rows(report, table):
    return list(named(report, table).rows)


def named(report, table):
    return next(item for section in report.sections for item in section.items if item.id == table)


def test_states_and_times_are_those_of_the_folders(folder):
    found = rows(index_report(STUDIES, folder), "studies")
    assert [(row[3], row[4]) for row in found] == [("finished", 12), ("not begun", None), ("unfinished", None)]


def test_published_numbers_stand_under_their_report_and_lead_to_the_study(folder):
    table = named(index_report(STUDIES, folder), "published-004")
    (row,) = table.rows
    assert row[:-1] == ["Q2", "loss of one pass", "0.693", "0.6931", "0.0001"]
    assert table.below == ["Explanation: rounding <b>"]
    assert row[-1].address == "scalar-pass/report.html#published"


def test_every_entry_of_the_checklist_is_on_the_page(folder):
    report = index_report(STUDIES, folder)
    assert sum(len(rows(report, f"checklist-00{n}")) for n in range(5)) == len(ENTRIES)


def test_only_finished_studies_are_linked(folder):
    cells = [row[-1] for row in rows(index_report(STUDIES, folder), "checklist-004")]
    assert {getattr(cell, "address", "").split("/")[0] for cell in cells} == {"scalar-pass", ""}


def test_damaged_findings_count_as_unfinished(folder):
    (folder / "scalar-pass" / "findings.json").write_text("{")
    report = index_report(STUDIES, folder)
    assert rows(report, "studies")[0][3] == "not begun"
    assert "Published numbers" not in [section.title for section in report.sections]


def test_quick_results_are_named_on_top(folder):
    storage.write_json(folder / "scalar-pass" / "findings.json", {"quick": True, "published": []})
    assert "scalar-pass" in index_report(STUDIES, folder).notes[0]


def test_the_page_is_written_with_words_escaped_and_the_same_twice(folder):
    path = write_index(STUDIES, folder)
    first = path.read_bytes()
    assert path.name == "index.html"
    assert b"rounding &lt;b&gt;" in first
    assert write_index(STUDIES, folder).read_bytes() == first
