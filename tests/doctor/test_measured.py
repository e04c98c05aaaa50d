"""A fixed sample of the corpus through the public door: no wrong code is called right, no right code wrong."""

from pathlib import Path

import pytest

from doctor.corpus import Case, pairs, singles
from doctor.measure import Answer, Outcome, accused, ask, judged, missed, summary, table

SAMPLE = [
    *(case for case in singles() if not case.faults),
    *[case for case in singles() if case.faults][::90],
    *pairs()[::60],
]


@pytest.mark.parametrize("case", SAMPLE, ids=lambda case: case.name)
def test_the_doctor_is_right_about_a_sample(case: Case, tmp_path: Path) -> None:
    answer = ask(case.write(tmp_path))
    found = judged(case, answer)
    assert not missed(found), answer.words
    assert not accused(found), answer.words
    assert not found.other, answer.words


def test_the_measure_counts_what_it_says() -> None:
    named = next(case for case in singles() if case.faults and case.faults[0].kinds[0] == "sign")
    right = next(case for case in singles() if not case.faults)

    def outcome(case: Case, verdict: str, *kinds: str) -> Outcome:
        return judged(case, Answer(verdict, tuple((kind,) for kind in kinds), (), ""))

    assert outcome(named, "wrong", "sign").named
    assert not outcome(named, "wrong", "sign", "transposed").named
    assert outcome(named, "wrong", "sign", "transposed").other
    assert outcome(named, "wrong", "transposed").other
    assert not outcome(named, "wrong").other
    assert missed(outcome(named, "right"))
    assert missed(outcome(named, "right up to scale"))
    assert accused(outcome(right, "wrong", "sign"))
    assert accused(outcome(right, "not run"))
    assert not accused(outcome(right, "right"))
    found = [outcome(named, "wrong", "sign"), outcome(named, "right"), outcome(right, "right")]
    assert "| sign | 2 | 1 | · | · | · | 1 |" in table(found)
    assert "Wrong code called right: 1 of 2." in summary(found)
    assert "1 of 2 (50.0 %) of single faults" in summary(found)
