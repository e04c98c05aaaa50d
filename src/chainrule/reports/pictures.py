"""Pictures inside a page and beside it: SVG whose letters the page holds once, or PNG where that is much smaller."""

import base64
import io
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from html import escape
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.figure import Figure as Drawing

    from chainrule.reports.document import Figure

LARGEST_PAGE = 2_900_000  # bytes
LARGEST_SVG = 160_000  # bytes of one picture; beyond, the smaller of SVG and PNG is taken
_PROLOG = '<?xml version="1.0" encoding="utf-8"?>\n'
_LETTER = re.compile(r'<path id="[^"]*?(DejaVu[^"]*)"([^>]*)/>')
_LONG = re.compile(r"-?\d+\.\d{3,}")
_PLACES = re.compile(r'(\b(?:d|x|y|width|height|x1|x2|y1|y2|points)="|translate\()([^")]*)')


@dataclass(frozen=True)
class Picture:
    """A figure's SVG element, whose ids begin with the name of the item, and its drawing where it is not mere text."""

    name: str
    svg: str
    alt: str
    drawing: "Drawing | None" = None

    @classmethod
    def of(cls, item: "Figure") -> "Picture":
        """Draw `item`; the alternative text is the figure's own where the item has none."""
        if isinstance(item.figure, str):
            alt = item.alt or item.title
            return cls(item.id, _own(item.figure, item.id, alt), alt)
        from chainrule.figures.output import to_svg

        alt = item.alt or str(item.figure.get_label()) or item.title
        return cls(item.id, _own(to_svg(item.figure), item.id, alt), alt, item.figure)

    @cached_property
    def png(self) -> bytes | None:
        """As a PNG file; None for SVG that came as text."""
        from chainrule.figures.output import to_png

        return None if self.drawing is None else to_png(self.drawing, description=self.alt)

    @property
    def svg_file(self) -> str:
        return _PROLOG + self.svg + "\n"

    @property
    def width(self) -> str:
        """The natural width of the picture, in units of CSS."""
        found = re.search(r'<svg[^>]*?\bwidth="([\d.]+)(pt|px|)"', self.svg)
        pixels = 640.0 if found is None else float(found[1]) * (4 / 3 if found[2] == "pt" else 1)
        return f"{pixels * 1.15:.0f}px"  # print sizes are small on a screen

    @cached_property
    def without_letters(self) -> tuple[str, dict[str, str]]:
        """The element with letters of the whole page, and these by name."""
        letters: dict[str, str] = {}

        def taken(found: re.Match[str]) -> str:
            letters[found[1]] = f'<path id="letter-{found[1]}"{found[2]}/>'
            return ""

        text = _LETTER.sub(taken, self.svg)
        text = re.sub(r'xlink:href="#[^"]*?(DejaVu[^"]*)"', r'xlink:href="#letter-\1"', text)
        return re.sub(r"<defs>\s*</defs>", "", text), letters

    @cached_property
    def inside_as_svg(self) -> str:
        return self.without_letters[0].replace("<svg ", f'<svg style="--width: {self.width}" ', 1)

    def inside_as_png(self, part: int = 1) -> str | None:
        """As an element with the picture's data in it, in at most 256 colours; with 1/`part` of the pixels a side."""
        if self.png is None:
            return None
        from PIL import Image

        with Image.open(io.BytesIO(self.png)) as opened:
            few = opened.convert("RGB").reduce(part).quantize(256, dither=Image.Dither.NONE)
        buffer = io.BytesIO()
        few.save(buffer, "PNG", optimize=True)
        data = base64.b64encode(buffer.getvalue()).decode()
        width, height = few.size
        return (
            f'<img src="data:image/png;base64,{data}" alt="{escape(self.alt)}" width="{width}" height="{height}"'
            f' style="--width: {self.width}">'
        )


def placed(pictures: Mapping[str, Picture], words: int) -> tuple[dict[str, str], str]:
    """Every picture's element by name, and the letters they share, on a page that has `words` bytes without them.

    A picture is SVG, or PNG where the SVG is large and PNG smaller. While the page has more than LARGEST_PAGE
    bytes, one after the other, the largest first, becomes PNG of half as many pixels a side where that is smaller.
    """
    inside = {name: _chosen(picture) for name, picture in pictures.items()}
    letters = {sign: path for picture in pictures.values() for sign, path in picture.without_letters[1].items()}
    drawn = "".join(path for _, path in sorted(letters.items()))
    place = 'width="0" height="0" style="position: absolute" aria-hidden="true"'
    hidden = f"<svg {place}><defs>{drawn}</defs></svg>" if letters else ""
    for name in sorted(inside, key=lambda name: -len(inside[name])):
        if words + len(hidden) + sum(len(text.encode()) for text in inside.values()) <= LARGEST_PAGE:
            break
        inside[name] = min(inside[name], pictures[name].inside_as_png(2) or inside[name], key=len)
    return inside, hidden


def _chosen(picture: Picture) -> str:
    svg = picture.inside_as_svg
    if len(svg) <= LARGEST_SVG:
        return svg
    return min(svg, picture.inside_as_png() or svg, key=len)


def _own(svg: str, name: str, alt: str) -> str:
    """The SVG element alone and small, with a spoken name; its ids begin with `name`."""
    text = svg[svg.index("<svg") :].strip()
    text = re.sub(r"<!--.*?-->", "", text, flags=re.DOTALL)
    text = re.sub(r">\s*\n\s*<", "><", text)
    text = re.sub(r"(?<=base64,)\s+", "", text)
    text = re.sub(r"\s*\n\s*", " ", text)
    text = re.sub(r"<title>.*?</title>", "", text, flags=re.DOTALL)
    text, styles = re.subn(r"(<defs>)?<style.*?</style>(</defs>)?", "", text, flags=re.DOTALL)
    text = _PLACES.sub(lambda found: found[1] + _LONG.sub(_rounded, found[2]), text)
    text = _with_own_ids(text, name)
    opening, rest = re.match(r"<svg([^>]*)>(.*)", text, flags=re.DOTALL).groups()  # type: ignore[union-attr]
    opening = re.sub(r'\s(?:role|aria-label|aria-labelledby|style|id)="[^"]*"', "", opening)
    joints = ' stroke-linejoin="round" stroke-linecap="butt"' if styles else ""  # what matplotlib's style sheet says
    return f'<svg role="img" aria-label="{escape(alt)}"{joints}{opening}>{rest}'


def _with_own_ids(text: str, name: str) -> str:
    """Ids that nothing refers to are dropped; the others count from 1, letters keep their names."""
    used = set(re.findall(r'(?:href="#|url\(#)([^")]+)', text))
    names: dict[str, str] = {}
    for found in re.findall(r'\bid="([^"]+)"', text):
        letter = re.search(r"DejaVu.*", found)
        if found in used:
            names[found] = f"{name}--{letter[0] if letter else len(names) + 1}"

    def own(found: re.Match[str]) -> str:
        return f' id="{names[found[1]]}"' if found[1] in names else ""

    text = re.sub(r'\sid="([^"]+)"', own, text)
    return re.sub(r'(href="#|url\(#)([^")]+)', lambda found: found[1] + names.get(found[2], found[2]), text)


def _rounded(found: re.Match[str]) -> str:
    """A number to a hundredth of a unit, which is less than a printer shows."""
    return f"{round(float(found[0]), 2) + 0.0:g}" if abs(float(found[0])) < 1000 else f"{float(found[0]):.2f}"
