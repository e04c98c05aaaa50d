"""A report becomes one page that is whole, names everything, needs nothing else, and is the same every time."""

import os
import re
import subprocess
import sys
import xml.etree.ElementTree as ET
from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from chainrule import figures, graphs
from chainrule.errors import InputError
from chainrule.reports import Figure, Formula, Link, Prose, Report, Section, Table, Text, page, pictures, write
from reports.markup import flaws

HOSTILE = "<script>alert(\"1\")</script> & 'more'"


def curves(seed=0):
    rng = np.random.default_rng(seed)
    rows = [{"epoch": e, "train_loss": 1 / e + rng.random() / 9, "train_accuracy": 1 - 0.5 / e} for e in range(1, 30)]
    return figures.seed_curves({"one": [rows], "two": [rows, rows]}, parts=["train"])


def cloud(count, seed=0):
    rng = np.random.default_rng(seed)
    return figures.scatter_by_class(rng.normal(size=(count, 2)), rng.integers(0, 3, count), ["a", "b", "c"])


def small_graph():
    nodes = [graphs.Node("x", "x", "2"), graphs.Node("f", "relu", operation=True), graphs.Node("y", "y", "2")]
    return graphs.Graph(nodes, [graphs.Edge("x", "f"), graphs.Edge("f", "y", local="1[x > 0]")], title="a graph")


def report(*items, **changes):
    plain = Report("A title", "A summary.", [Section("First", items, intro="An intro.")])
    return replace(plain, **changes)


def everything():
    table = Table(
        "table", "A table", ["of", "loss", "accuracy"], [["a", 0.5, "98.1 ± 0.2"], [Link("b", "#curves"), None, 3]]
    )
    items = (
        Figure("curves", "Curves", curves(), "curves of two", "A caption."),
        Figure("again", "The same curves", curves()),
        Figure("graph", "Graph", small_graph().svg(backward=True, engine="own"), "a small graph"),
        Figure("graph-again", "Graph", small_graph().svg(backward=True, engine="own"), "a small graph"),
        table,
        Text("text", "Text", "a  b\nc <d>"),
        Formula("formula", "Formula", "<math><mi>x</mi></math>"),
        Prose(["Words.", "More words."]),
        Prose(["Named words."], id="prose", title="Prose"),
    )
    return report(*items, notes=("a note",))


@cache
def whole():
    return page(everything())


def test_a_page_with_every_kind_of_item_has_no_flaw():
    assert flaws(whole()) == []


def test_words_below_a_row_stand_in_a_row_of_their_own_across_the_table():
    table = Table("table", "A table", ["of", "loss"], [["a", 1], ["b", 2]], below=["why & a", "why b"])
    text = page(report(table))
    assert flaws(text) == []
    rows = [re.sub("<[^>]+>", "", row) for row in re.findall("<tr.*?</tr>", text, re.DOTALL)]
    assert [row.split() for row in rows[2::2]] == [["why", "&amp;", "a"], ["why", "b"]]
    assert text.count('colspan="2"') == 2
    with pytest.raises(InputError, match="2 rows and words below 1"):
        page(report(replace(table, below=["why a"])))


def test_the_look_for_flaws_finds_each_kind():
    text = whole()
    cases = {
        'alt=""': text.replace("</main>", '<img src="data:," alt=""></main>'),
        "without a name": text.replace('role="img" aria-label="curves of two"', "", 1),
        "is there twice": text.replace('id="prose"', 'id="text"'),
        "nothing has the id": text.replace('id="curves"', ""),
        "follows h": text.replace("<h2>Contents</h2>", "").replace("h2 ", "h4 ").replace("</h2>", "</h4>"),
        "leads to": text.replace("</main>", '<a href="https://example.org">x</a></main>'),
        "without scope": text.replace(' scope="row"', "", 1),
        "closes": text.replace("</figure>", "", 1),
        "a <script>": text.replace("</main>", "<script></script></main>"),
    }
    for what, broken in cases.items():
        assert broken != text, what
        assert any(("without alt" if what.startswith("alt") else what) in flaw for flaw in flaws(broken)), what


def test_words_of_others_are_never_markup():
    hostile = Report(
        HOSTILE,
        HOSTILE,
        [
            Section(
                HOSTILE,
                [
                    Figure("figure", HOSTILE, curves(), HOSTILE, HOSTILE),
                    Table("table", HOSTILE, [HOSTILE], [[HOSTILE], [Link(HOSTILE, "#figure")]], HOSTILE),
                    Text("text", HOSTILE, HOSTILE, HOSTILE),
                    Prose([HOSTILE], id="prose", title=HOSTILE, caption=HOSTILE),
                ],
                intro=HOSTILE,
            )
        ],
        notes=(HOSTILE,),
    )
    text = page(hostile)
    assert "<script" not in text
    assert flaws(text) == []


def test_the_same_report_gives_the_same_bytes_in_this_process_and_in_another(tmp_path):
    first, second = write(everything(), tmp_path / "a"), write(everything(), tmp_path / "b")
    code = (
        "import sys; sys.path[:0] = sys.argv[1:2]\n"
        "from pathlib import Path; from reports.test_document import everything; from chainrule.reports import write\n"
        "write(everything(), Path(sys.argv[2]))"
    )
    tests = os.path.dirname(os.path.dirname(__file__))
    other = {**os.environ, "PYTHONHASHSEED": "12345"}
    subprocess.run([sys.executable, "-c", code, tests, str(tmp_path / "c")], check=True, timeout=120, env=other)
    names = sorted(p.relative_to(tmp_path / "a") for p in (tmp_path / "a").rglob("*") if p.is_file())
    assert len(names) == 1 + 2 * 2 + 2  # two matplotlib figures as SVG and PNG, two graphs as SVG alone
    for other_folder in ("b", "c"):
        for name in names:
            assert (tmp_path / "a" / name).read_bytes() == (tmp_path / other_folder / name).read_bytes(), name
    assert first.name == second.name == "report.html"


def test_figures_lie_beside_the_page_as_svg_that_is_whole_and_as_png(tmp_path):
    write(everything(), tmp_path)
    for name in ("curves", "graph"):
        root = ET.fromstring((tmp_path / "figures" / f"{name}.svg").read_text())
        assert root.tag == "{http://www.w3.org/2000/svg}svg"
        ids = {element.get("id") for element in root.iter()} - {None}
        used = {value[1:] for e in root.iter() for key, value in e.attrib.items() if key.endswith("href")}
        used |= set(re.findall(r"url\(#([^)]+)\)", (tmp_path / "figures" / f"{name}.svg").read_text()))
        assert used == ids, "ids that nothing uses are dropped, and those in use are there"
        assert ids
    assert (tmp_path / "figures" / "curves.png").read_bytes().startswith(b"\x89PNG")


def test_a_picture_of_the_page_draws_what_matplotlib_drew():
    drawn = pictures.Picture.of(Figure("x", "x", curves()))
    numbers = re.findall(r"-?\d+\.\d+", figures.to_svg(curves()))
    kept = {round(float(n), 2) for n in re.findall(r"-?\d+(?:\.\d+)?", drawn.svg)}
    strayed = [n for n in numbers if round(float(n), 2) not in kept and abs(float(n)) > 0.02]
    assert len(strayed) <= 0.01 * len(numbers), strayed[
        :10
    ]  # what is halfway between two hundredths can fall otherwise


def test_letters_are_on_the_page_once():
    letters = re.findall(r'id="(letter-[^"]+)"', whole())
    assert len(letters) > 10
    assert len(letters) == len(set(letters))
    assert 'xlink:href="#letter-' in whole()


def test_a_picture_that_is_smaller_as_png_is_one():
    text = page(report(Figure("few", "Few", cloud(50)), Figure("many", "Many", cloud(1900))))
    few, many = re.findall(r'<div class="plot".*?</div>', text, re.DOTALL)
    assert "<svg" in few
    assert "data:image/png" in many
    assert 'alt="1900 points of 3 classes in the plane"' in many
    assert flaws(text) == []


def test_where_pictures_are_too_large_together_the_largest_become_coarser(monkeypatch):
    items = [Figure("a", "Cloud", cloud(1500)), Figure("b", "Cloud", cloud(1500, 1)), Figure("c", "Cloud", cloud(20))]
    plain = page(report(*items))
    most = len(plain.encode()) - 1
    monkeypatch.setattr(pictures, "LARGEST_PAGE", most)
    text = page(report(*items))
    assert len(text.encode()) <= most
    assert text.count("<svg style") == plain.count("<svg style") - 1, "no more than need be"


def test_the_largest_page_is_below_three_megabytes():
    assert pictures.LARGEST_PAGE < 3_000_000


@pytest.mark.parametrize(
    ("items", "words"),
    [
        ([Text("a", "A", ""), Text("a", "A", "")], "2 items or sections 'a'"),
        ([Text("A b", "A", "")], "'A b' cannot be the id"),
        ([Text("", "A", "")], "'' cannot be the id"),
        ([Text("section-first", "A", "")], "2 items or sections 'section-first'"),
        ([Table("a", "A", ["x", "y"], [[1, 2], [1]])], "a row of the table 'a'"),
    ],
)
def test_ids_that_clash_and_rows_that_do_not_fit_are_refused(items, words, tmp_path, refused):
    with refused(words):
        write(report(*items), tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_numbers_of_a_table_are_short_have_true_signs_and_stand_to_the_right():
    cells = [["a", -0.123456, 12345, "98.1 ± 0.2"], ["b", None, -3, "97.0 ± 1.1"]]
    text = page(report(Table("t", "T", ["", "loss", "n", "accuracy, %"], cells)))
    assert "−0.1235" in text
    assert "12,345" in text
    assert "−3" in text
    assert text.count('<td class="number">') == 6


def test_a_figure_without_an_alternative_text_is_told_by_its_own_description():
    text = page(report(Figure("cloud", "Cloud", cloud(30))))
    assert 'aria-label="30 points of 3 classes in the plane"' in text
