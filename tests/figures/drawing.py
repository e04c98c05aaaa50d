"""Questions that several tests of figures ask: which texts are drawn, whether they collide or leave the page."""

from itertools import combinations
from typing import Any
from unittest.mock import patch

from matplotlib.figure import Figure
from matplotlib.text import Text
from matplotlib.transforms import Bbox


def drawn_texts(figure: Figure) -> list[tuple[str, Bbox]]:
    """Every text that a drawing really draws, with its place in pixels, 200 an inch."""
    found: list[tuple[str, Bbox]] = []
    draw = Text.draw

    def recorded(text: Text, renderer: Any) -> None:
        if text.get_visible() and text.get_text().strip():
            found.append((text.get_text(), text.get_window_extent(renderer)))
        draw(text, renderer)

    figure.set_dpi(200)
    with patch.object(Text, "draw", recorded):
        figure.draw_without_rendering()
    return found


def flaws(figure: Figure) -> list[str]:
    """Every pair of texts of which one covers more than a pixel of the other, and every text that leaves the page."""
    texts = drawn_texts(figure)
    page = figure.bbox
    found = [
        f"{text!r} leaves the page"
        for text, box in texts
        if box.x0 < -1 or box.y0 < -1 or box.x1 > page.x1 + 1 or box.y1 > page.y1 + 1
    ]
    for (first, a), (second, b) in combinations(texts, 2):
        width = min(a.x1, b.x1) - max(a.x0, b.x0)
        height = min(a.y1, b.y1) - max(a.y0, b.y0)
        if width > 1 and height > 1:
            found.append(f"{first!r} covers {second!r}")
    return found


def words(figure: Figure) -> list[str]:
    return [text for text, _ in drawn_texts(figure)]
