"""The sentence says what the intervals support, in all cases, and never more."""

import pytest

from chainrule.statistics import Interval
from chainrule.studies.comparison.conclusion import conclude

ABOVE, BELOW = Interval(0.012, 0.008, 0.016), Interval(-0.02, -0.03, -0.01)
AROUND = Interval(0.002, -0.001, 0.005)


def said(epochs: Interval, updates: Interval) -> str:
    return conclude("original", "augmented", {"epochs": epochs, "updates": updates}, 5, 10_000)


def test_better_at_both():
    assert said(ABOVE, ABOVE) == (
        "In 5 pairs of runs on 10,000 test images, trained on the augmented instead of the original features, the "
        "network's test accuracy is 1.20 points higher at equal epochs (95 % interval +0.80 to +1.60) and "
        "1.20 points higher at equal updates (95 % interval +0.80 to +1.60)."
    )


def test_worse_at_both():
    sentence = said(BELOW, BELOW)
    assert sentence.count("2.00 points lower") == 2
    assert "−3.00 to −1.00" in sentence
    assert "higher" not in sentence


def test_no_difference_seen_is_not_called_equal_and_says_what_is_left_open():
    sentence = said(AROUND, AROUND)
    assert "no difference was seen" in sentence
    assert "leave open −0.10 to +0.50 points at equal epochs and −0.10 to +0.50 points at equal updates" in sentence
    assert [word for word in ("higher", "lower", "equal accuracy", "no effect") if word in sentence] == []


def test_opposite_sides_depend_on_what_is_held_equal():
    sentence = said(ABOVE, BELOW)
    assert "what is held equal decides" in sentence
    assert "1.20 points higher at equal epochs" in sentence
    assert ", but 2.00 points lower at equal updates" in sentence


@pytest.mark.parametrize(("side", "word"), [(ABOVE, "higher"), (BELOW, "lower")])
def test_one_side_and_none_is_no_proof_that_it_depends(side, word):
    """An interval with 0 in it does not differ from one without, if they overlap or not."""
    for epochs, updates, seen, unseen in ((side, AROUND, "epochs", "updates"), (AROUND, side, "updates", "epochs")):
        sentence = said(epochs, updates)
        assert f"{word} at equal {seen}" in sentence
        assert f"not seen to differ at equal {unseen} (95 % interval −0.10 to +0.50)" in sentence
        assert "decides" not in sentence


def test_an_interval_that_ends_at_0_supports_nothing():
    assert "no difference was seen" in said(Interval(0.01, 0.0, 0.02), Interval(-0.01, -0.02, 0.0))


@pytest.mark.parametrize("epochs", [ABOVE, BELOW, AROUND])
@pytest.mark.parametrize("updates", [ABOVE, BELOW, AROUND])
def test_it_is_one_sentence(epochs, updates):
    sentence = said(epochs, updates)
    assert sentence.endswith(".")
    assert ". " not in sentence
