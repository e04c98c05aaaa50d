"""The page on the glass box says what the program prints: its blocks are run, and what follows them is compared."""

import contextlib
import io
import math
import re
import xml.etree.ElementTree as ET
from pathlib import Path

import numpy as np

import chainrule as cr

DOCS = Path(__file__).parents[1] / "docs"
BLOCKS = re.compile(r"```python\n(.*?)```(?:\n```text\n(.*?)```)?", re.DOTALL)


def same(printed, shown):
    """Whether both read the same; numbers may differ by rounding, which also decides which right entry is the worst."""
    a, b = (re.sub(r"(?m)^(ok +\S+ +\S+).*", r"\1", text).split() for text in (printed, shown))
    return len(a) == len(b) and all(
        x == y or close(x.strip("(),;"), y.strip("(),;")) for x, y in zip(a, b, strict=True)
    )


def close(x, y):
    try:
        return math.isclose(float(x), float(y), rel_tol=1e-5, abs_tol=1e-8)
    except ValueError:
        return False


def test_the_blocks_print_what_stands_below_them():
    names = {}
    blocks = BLOCKS.findall((DOCS / "glassbox.md").read_text())
    assert len(blocks) >= 5
    for code, shown in blocks:
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed):
            exec(code, names)
        assert same(printed.getvalue(), shown), f"{code}\nprints\n{printed.getvalue()}\nbut the page shows\n{shown}"


def test_a_page_that_shows_something_else_would_be_noticed():
    assert same("W1 = 0.25  1e-12", "W1 = 0.25000001 3e-13")
    assert not same("W1 = 0.25", "W1 = 0.26")
    assert not same("W1 = 0.25", "W2 = 0.25")


def test_the_picture_of_the_page_is_the_one_that_is_drawn():
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(7, 4)), rng.integers(3, size=7)
    drawn = cr.graph(cr.Network([4, 5, 3], activation="tanh", seed=0), x, y).svg(backward=True, engine="own")
    stored = (DOCS / "graph.svg").read_text()
    assert same("".join(ET.fromstring(drawn).itertext()), "".join(ET.fromstring(stored).itertext()))
