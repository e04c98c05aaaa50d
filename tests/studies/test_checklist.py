"""The checklist is complete in both directions: what the reports hold, and what the studies say that they answer."""

import re
from collections import Counter
from pathlib import Path

import pytest

from chainrule.studies.checklist import ENTRIES, as_markdown
from chainrule.studies.registry import NAMES, studies

NUMBERED = {  # counted in the documents, one by one
    "000 figure": 4,
    "000 table": 2,
    "000 number": 2,
    "001 table": 1,
    "001 number": 8,
    "002 number": 2,
    "003 figure": 47,
    "004 figure": 8,
    "004 table": 3,
    "004 number": 9,
}


def test_every_key_stands_once():
    assert [key for key, count in Counter(entry.key for entry in ENTRIES).items() if count > 1] == []


@pytest.mark.parametrize("kind", NUMBERED)
def test_numbers_have_no_gap_and_end_where_the_document_ends(kind):
    numbers = sorted(int(entry.key.split()[2]) for entry in ENTRIES if entry.key.startswith(f"{kind} "))
    assert numbers == list(range(1, NUMBERED[kind] + 1))


def test_claims_are_numbered_without_gaps():
    claims: dict[str, list[int]] = {}
    for entry in ENTRIES:
        if " claim " in entry.key:
            claims.setdefault(entry.report, []).append(int(entry.key.split()[2]))
    assert claims
    assert all(sorted(own) == list(range(1, len(own) + 1)) for own in claims.values())


def test_every_report_with_a_derivation_has_it_listed():
    assert {"000 equations", "001 equations", "002 equations", "003 figure 2", "004 equations"} <= {
        entry.key for entry in ENTRIES
    }


def test_keys_are_those_of_the_five_reports():
    assert all(re.fullmatch(r"00[0-4] [a-z]+( \d+)?", entry.key) for entry in ENTRIES)
    assert {entry.report for entry in ENTRIES} == {"000", "001", "002", "003", "004"}


def test_every_entry_is_answered_by_an_item_of_a_registered_study():
    declared = {(study.name, item.id) for study in studies() for item in study.items}
    assert {entry.study for entry in ENTRIES} <= set(NAMES)
    assert [entry for entry in ENTRIES if (entry.study, entry.item) not in declared] == []


def test_what_the_items_say_that_they_answer_is_what_the_checklist_says():
    claimed = {(key, study.name, item.id) for study in studies() for item in study.items for key in item.answers}
    listed = {(entry.key, entry.study, entry.item) for entry in ENTRIES}
    assert claimed == listed


def test_every_study_is_declared_with_plain_and_different_ids():
    for study in studies():
        ids = [item.id for item in study.items]
        assert len(set(ids)) == len(ids)
        assert all(re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", name) for name in ids)


def test_the_documentation_has_the_checklist_and_every_study():
    page = (Path(__file__).parents[2] / "docs" / "studies.md").read_text(encoding="utf-8")
    assert page.endswith(f"{as_markdown()}\n")
    assert [name for name in NAMES if f"| `{name}` |" not in page.split("## The checklist")[0]] == []
