"""The page on the doctor is true: its vocabulary, its example, its rubric, and what it says of hints and flags."""

import re
import runpy
from pathlib import Path
from typing import Any

import numpy as np

import chainrule as cr
from chainrule.diagnosis.findings import HINTS
from chainrule.diagnosis.kinds import KINDS
from doctor.measure import BEGIN, END, PLACES

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "doctor.md").read_text(encoding="utf-8")


def test_the_vocabulary_stands_in_the_page() -> None:
    rows = dict(re.findall(r"(?m)^\| `([a-z0-9-]+)` \| (.+) \|$", section("The kinds of mistakes")))
    assert rows == KINDS


def test_the_levels_of_hints_stand_in_the_page() -> None:
    assert tuple(re.findall(r"(?m)^\| `(\w+)` \|", section("For teachers"))) == HINTS


def test_the_example_prints_what_the_page_shows(command: Any, monkeypatch: Any) -> None:
    shown = re.search(r"```\n\$ chainrule (check \S+)\n(.*?)```", PAGE, re.DOTALL)
    assert shown is not None
    monkeypatch.chdir(ROOT)
    answer = command(*shown[1].split()[:1], ROOT / shown[1].split()[1])
    assert answer.code == 1
    rough = re.compile(r"\d+e-1\d")  # what is left of rounding differs between machines
    assert rough.sub("tiny", answer.out.strip()) == rough.sub("tiny", shown[2].strip())


def test_the_cell_for_a_notebook_runs() -> None:
    cell = next(block for block in re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL) if "cross_entropy" in block)
    names = runpy.run_path(str(ROOT / "examples" / "doctor" / "network.py"))
    names |= {"cross_entropy": names["loss"], "params": {"W1": np.ones((4, 3)), "b1": np.ones(3)}}
    names["params"] |= {"W2": np.ones((3, 2)), "b2": np.ones(2)}
    found = eval(cell.replace("import chainrule as cr", "").strip(), {**names, "cr": cr})
    assert found.verdict == "right"
    assert "<table>" in found._repr_html_()


def test_the_readme_shows_parts_of_what_is_printed(command: Any) -> None:
    shown = re.search(r"```\n\$ chainrule check (\S+)\n…\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    assert shown is not None
    out = command("check", ROOT / shown[1]).out
    for part in shown[2].split("…\n"):
        assert part.strip() in out


def test_the_rubric_of_the_page_is_the_example() -> None:
    assert (ROOT / "examples" / "doctor" / "rubric.toml").read_text().split("\n\n", 1)[1].strip() in PAGE


def test_there_are_places_for_what_is_written() -> None:
    for place in PLACES:
        assert PAGE.index(BEGIN.format(place)) < PAGE.index(END.format(place))


def section(title: str) -> str:
    return PAGE.split(f"\n## {title}\n", 1)[1].split("\n## ", 1)[0]
