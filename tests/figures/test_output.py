"""Files of figures are whole, the same every time, and speak to readers who cannot see them."""

import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib.figure import Figure
from PIL import Image

from chainrule.errors import InputError, StorageError
from chainrule.figures import (
    confusion_matrix,
    learning_curves,
    network_diagram,
    sample_sheet,
    save,
    scatter_by_class,
    table_histograms,
    to_svg,
)

ROWS = [{"epoch": 1, "train_loss": 2.0, "train_accuracy": 0.5}, {"epoch": 2, "train_loss": 1.0}]
FIGURES = {
    "curves": lambda: learning_curves(ROWS, title="fall of <loss> & “$gain$” -- 漢\x00"),
    "confusion": lambda: confusion_matrix([[1, 2], [3, 4]], ["<a>", "b & c"]),
    "samples": lambda: sample_sheet([[np.arange(64).reshape(8, 8)]], ["--> $x$"]),
    "scatter": lambda: scatter_by_class(np.arange(6000).reshape(-1, 2) % 7, np.arange(3000) % 2, ["a", "猫"]),
    "histograms": lambda: table_histograms({"x_1": [1.5, 2, 3]}, [0, 1, 0], ["a", "b"]),
    "diagram": lambda: network_diagram([{"width": 3}, {"width": 2, "count": 8}]),
}


@pytest.fixture(params=FIGURES)
def make(request):
    return FIGURES[request.param]


@pytest.mark.parametrize("suffix", [".png", ".svg", ".pdf"])
def test_the_same_figure_gives_the_same_bytes_without_a_date(make, suffix: str, tmp_path: Path) -> None:
    figure = make()
    for name in ("first", "again"):
        save(figure, tmp_path / (name + suffix))
    first = (tmp_path / f"first{suffix}").read_bytes()
    assert first == (tmp_path / f"again{suffix}").read_bytes()
    assert b"CreationDate" not in first
    assert b"<dc:date>" not in first
    assert mpl.__version__.encode() not in first


def test_bytes_do_not_depend_on_the_callers_settings(make, tmp_path: Path) -> None:
    save(make(), tmp_path / "plain.svg")
    with mpl.rc_context({"font.size": 30, "text.usetex": True, "svg.fonttype": "none", "savefig.bbox": "tight"}):
        save(make(), tmp_path / "other.svg")
    assert (tmp_path / "plain.svg").read_bytes() == (tmp_path / "other.svg").read_bytes()


def test_the_callers_settings_stay_as_they_are(make) -> None:
    before = dict(mpl.rcParams)
    to_svg(make())
    assert dict(mpl.rcParams) == before


def test_png_is_readable_at_page_width_and_described(tmp_path: Path) -> None:
    save(learning_curves(ROWS), tmp_path / "a.png", description="Loss falls.")
    with Image.open(tmp_path / "a.png") as image:
        assert image.width == 1400
        assert image.info["Description"] == "Loss falls."


def test_without_description_the_figures_own_is_stored(tmp_path: Path) -> None:
    save(confusion_matrix([[1, 0], [1, 2]], ["a", "b"]), tmp_path / "a.png")
    with Image.open(tmp_path / "a.png") as image:
        assert image.info["Description"] == "confusion matrix of 2 classes, 3 of 4 samples right, accuracy 0.7500"


def test_svg_files_are_well_formed(make, tmp_path: Path) -> None:
    save(make(), tmp_path / "a.svg", description="<&>")
    ElementTree.fromstring((tmp_path / "a.svg").read_bytes())


def test_inline_svg_stands_in_html(make) -> None:
    svg = to_svg(make())
    assert svg.startswith("<svg ")
    root = ElementTree.fromstring(svg)
    assert root.get("role") == "img"
    title = root.find("{http://www.w3.org/2000/svg}title")
    assert title is not None
    assert root.get("aria-label") == title.text
    assert title.text


def test_every_reference_inside_an_inline_svg_has_its_target(make) -> None:
    root = ElementTree.fromstring(to_svg(make()))
    ids = [element.get("id") for element in root.iter() if element.get("id")]
    assert len(ids) == len(set(ids))
    for element in root.iter():
        for value in element.attrib.values():
            if value.startswith("#"):
                assert value[1:] in ids
            if "url(#" in value:
                assert value.split("url(#")[1].split(")")[0] in ids


def test_two_inline_svgs_share_no_id() -> None:
    first, second = (
        {e.get("id") for e in ElementTree.fromstring(to_svg(FIGURES[name]())).iter()} - {None}
        for name in ("curves", "confusion")
    )
    assert not first & second


def test_figures_without_a_label_can_be_shown() -> None:
    assert 'aria-label="figure"' in to_svg(Figure())


def test_the_suffix_may_be_in_capitals(tmp_path: Path) -> None:
    save(Figure(), tmp_path / "A.PNG")
    assert (tmp_path / "A.PNG").read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize("name", ["a.jpg", "a", "a.svgz"])
def test_unknown_suffix_is_refused_with_the_valid_ones(name: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"Valid: \.pdf, \.png, \.svg"):
        save(Figure(), tmp_path / name)
    assert not list(tmp_path.iterdir())


def test_a_place_that_cannot_be_written_is_said_so(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageError, match="cannot be written"):
        save(Figure(), tmp_path / "file" / "a.png")


def test_pyplot_is_never_imported() -> None:
    code = "import sys, chainrule.figures; sys.exit('matplotlib.pyplot' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
