"""Measured text stays inside its width, whatever the words."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chainrule.figures.lettering import clean, fit, width_of, wrap

TEXT = st.text(st.characters(min_codepoint=33, max_codepoint=0x2FF, categories=["L", "N", "P", "S"]), max_size=40)


@settings(max_examples=50, deadline=None)
@given(st.lists(TEXT, max_size=6), st.floats(0.4, 3))
def test_wrapped_lines_fit_and_lose_nothing(words: list[str], width: float) -> None:
    text = clean(" ".join(words))
    lines = wrap(text, width, 8)
    assert all(width_of(line, 8) <= width for line in lines)
    assert "".join(lines).replace(" ", "") == text.replace(" ", "")


@settings(max_examples=50, deadline=None)
@given(TEXT, st.floats(0.3, 2))
def test_fitted_text_fits_and_short_text_is_kept(text: str, width: float) -> None:
    text = clean(text)
    fitted = fit(text, width, 8)
    assert width_of(fitted, 8) <= width
    assert fitted == text or width_of(text, 8) > width


def test_both_ends_of_a_long_name_stay() -> None:
    fitted = fit("aquarium fish number 1234", 1.0, 8)
    assert fitted.startswith("aqua")
    assert fitted.endswith("1234")


@pytest.mark.parametrize(
    ("given_text", "shown"),
    [("a\n b\t\x00c", "a b U+0000c"), ("猫", "U+732B"), ("x_1 $y$ é Ω", "x_1 $y$ é Ω"), (7, "7")],
)
def test_clean_text_is_one_line_that_can_be_drawn(given_text: object, shown: str) -> None:
    assert clean(given_text) == shown
