"""Real pages in a real browser: no error, no request beyond the page, every picture there, nothing overflows."""

import re
import shutil
from pathlib import Path

import pytest

from chainrule.reports import Report, Section, Table, page
from chainrule.reports.of_run import report_of_run
from chainrule.reports.of_runs import report_of_runs, report_of_sweep
from chainrule.runs import Run
from reports.browser import Browser

PAGES = ("run", "plane", "comparison", "sweep", "damaged", "published")

PUBLISHED = Report(
    "Published",
    "Numbers with long explanations.",
    [
        Section(
            "Numbers",
            [
                Table(
                    "published",
                    "Numbers",
                    ["where", "what", "published", "ours", "difference"],
                    [["report 004, question 5", "test accuracy", "84.61 %", "91.52 ± 0.31 %", "+6.91 points"]] * 40,
                    below=["why it is so, in many words; " * 12] * 40,
                )
            ],
        )
    ],
)

OVERFLOWING = """
[...document.querySelectorAll("body *")].filter(element => {
  const box = element.getBoundingClientRect();
  if (!box.width || (box.right <= innerWidth + 1 && box.left >= -1) || element.closest(".skip")) return false;
  for (let outer = element.parentElement; outer; outer = outer.parentElement) {
    const style = getComputedStyle(outer);
    const fits = outer.getBoundingClientRect().right <= innerWidth + 1;
    if (/auto|scroll|hidden/.test(style.overflowX) && fits) return false;
  }
  return true;
}).map(element => element.tagName + " " + element.id + " " + element.textContent.slice(0, 40))
"""

PICTURES = """
Promise.all([...document.querySelectorAll("img")].map(image => image.decode().then(
  () => image.naturalWidth > 0 ? "" : image.alt, () => "broken: " + image.alt)))
.then(found => [found.length, found.filter(Boolean)])
"""

EMPTY = """
[...document.querySelectorAll(".plot > svg, .plot > img")].filter(picture => {
  const box = picture.getBoundingClientRect();
  const drawn = picture.tagName === "IMG" || picture.querySelectorAll("path, use").length >= 5;
  return box.width < 100 || box.height < 40 || !drawn;
}).map(picture => picture.closest("figure").id)
"""

UNRESOLVED = """
[...document.querySelectorAll("use")].filter(use => {
  const name = use.getAttribute("xlink:href") || use.getAttribute("href");
  return !document.querySelector('[id="' + name.slice(1) + '"]');
}).length
"""

# Contrast by WCAG 2: letters against the nearest ground that is not transparent.
FAINT = """
(() => {
  const numbers = colour => colour.match(/[\\d.]+/g).map(Number);
  const linear = v => v <= .04045 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4;
  const light = ([r, g, b]) => .2126 * linear(r / 255) + .7152 * linear(g / 255) + .0722 * linear(b / 255);
  const ground = element => {
    for (let e = element; e; e = e.parentElement) {
      const colour = numbers(getComputedStyle(e).backgroundColor);
      if (colour.length < 4 || colour[3] > 0) return colour;
    }
    return [255, 255, 255];
  };
  const words = document.querySelectorAll("p, li, a, td, th, h1, h2, h3, h4, h5, pre, figcaption, strong, mtext, mi");
  return [...words].map(element => {
    const [a, b] = [light(numbers(getComputedStyle(element).color)), light(ground(element))];
    return [(Math.max(a, b) + .05) / (Math.min(a, b) + .05), element.tagName + ": " + element.textContent.slice(0, 30)];
  }).filter(([ratio]) => ratio < 4.5);
})()
"""

DARK = "getComputedStyle(document.body).backgroundColor.match(/\\d+/g).map(Number).every(v => v < 60)"


@pytest.fixture(scope="module")
def written(tmp_path_factory, full_run, full_page, bare_run, plane_run, sweep) -> dict[str, Path]:
    """A page of each kind."""
    folder = tmp_path_factory.mktemp("pages")
    damaged = Run(shutil.copytree(bare_run.path, folder / "damaged-run"))
    (damaged.path / "config.json").unlink()
    reports = {
        "plane": report_of_run(plane_run),
        "comparison": report_of_runs([full_run, sweep.runs[0], sweep.runs[3]]),
        "sweep": report_of_sweep(sweep),
        "damaged": report_of_run(damaged),
        "published": PUBLISHED,
    }
    texts = {"run": full_page, **{name: page(report) for name, report in reports.items()}}
    paths = {name: folder / f"{name}.html" for name in texts}
    for name, text in texts.items():
        paths[name].write_text(text, encoding="utf-8")  # without the files of its figures
    return paths


@pytest.mark.parametrize("width", [390, 1280])
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", PAGES)
def test_a_page_is_whole_quiet_and_readable(name, scheme, width, written, chromium: Browser):
    with chromium.opened(written[name], width=width, scheme=scheme) as tab:
        assert tab.value("innerWidth") == width
        assert tab.value(OVERFLOWING) == []
        assert tab.value("document.documentElement.scrollWidth") <= width
        images, broken = tab.value(PICTURES)
        assert broken == []
        assert tab.value(EMPTY) == []
        assert tab.value(UNRESOLVED) == 0
        assert tab.value(FAINT) == []
        assert tab.value(DARK) is (scheme == "dark")
        assert tab.value("document.images.length") == images
        assert tab.complaints == []
        own = written[name].resolve().as_uri()
        assert {address for address in tab.requests if not address.startswith("data:")} == {own}


@pytest.mark.parametrize("name", PAGES)
def test_a_page_is_printed_on_white_with_everything_on_the_paper(name, written, chromium: Browser):
    with chromium.opened(written[name], width=680, scheme="dark", media="print") as tab:
        assert tab.value(DARK) is False
        assert tab.value(OVERFLOWING) == []
        assert tab.value("getComputedStyle(document.querySelector('.skip')).display") == "none"
        assert tab.value(FAINT) == []
        printed = tab.pdf()
    assert printed.startswith(b"%PDF")
    assert len(re.findall(rb"/Type\s*/Page\b", printed)) >= 2


def test_the_keyboard_skips_to_the_content_and_reaches_every_region(written, chromium: Browser):
    with chromium.opened(written["run"], width=1280) as tab:
        tab.press("Tab")
        assert tab.value("document.activeElement.className") == "skip"
        assert tab.value("document.activeElement.getBoundingClientRect().left") >= 0
        tab.press("Enter")
        assert tab.value("document.activeElement.id") == "content--start"
        reached = set()
        for _ in range(200):
            tab.press("Tab")
            if tab.value("document.activeElement === document.body"):
                break
            reached.add(tab.value("(document.activeElement.closest('[id]') || {}).id"))
            outline = tab.value("parseFloat(getComputedStyle(document.activeElement).outlineWidth)")
            assert outline >= 2, "what has the focus is seen to have it"
        regions = tab.value("[...document.querySelectorAll('[tabindex=\"0\"]')].map(e => e.closest('[id]').id)")
        assert set(regions) <= reached
        assert len(regions) > 10


@pytest.mark.parametrize("width", [390, 1280])
def test_words_below_a_row_are_read_without_scrolling_in_few_lines(width, written, chromium: Browser):
    with chromium.opened(written["published"], width=width) as tab:
        assert tab.value("document.querySelector('.below div').getBoundingClientRect().right") <= width
        lines = tab.value(
            "(e => e.offsetHeight / parseFloat(getComputedStyle(e).lineHeight))(document.querySelector('.below div'))"
        )
        assert lines <= (5 if width == 1280 else 12)


def test_links_of_the_contents_lead_to_their_places(written, chromium: Browser):
    with chromium.opened(written["run"], width=390) as tab:
        tab.value("document.querySelector('nav a[href=\"#embeddings\"]').click()")
        assert abs(tab.value("document.getElementById('embeddings').getBoundingClientRect().top")) < 200


def test_the_looks_find_what_they_look_for(tmp_path, chromium: Browser):
    flawed = tmp_path / "flawed.html"
    flawed.write_text(
        "<!doctype html><title>flawed</title><body style='background: #fff'>"
        "<p style='width: 3000px; color: #ccc'>wide and faint</p>"
        "<img src='data:image/png;base64,AAAA' alt='no picture'>"
        "<svg><use href='#nothing'/></svg>"
        "<figure id='f'><div class='plot'><svg width=10 height=10></svg></div></figure>"
        "<script>console.error('an error'); fetch('http://127.0.0.1:9/away').catch(() => 0)</script></body>"
    )
    with chromium.opened(flawed) as tab:
        assert tab.value(OVERFLOWING) != []
        assert tab.value(PICTURES)[1] == ["broken: no picture"]
        assert tab.value(EMPTY) == ["f"]
        assert tab.value(UNRESOLVED) == 1
        assert tab.value(FAINT) != []
        assert "an error" in tab.complaints
        assert any("127.0.0.1" in address for address in tab.requests)
