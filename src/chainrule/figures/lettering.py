"""Text is measured before it is set, so that names of any length stay inside their place."""

import functools
from bisect import bisect_right

from matplotlib.font_manager import FontProperties, findfont, get_font
from matplotlib.textpath import text_to_path

from chainrule.figures.style import FAMILY

LINE_HEIGHT = 1.35  # baseline to baseline, in font sizes
LONGEST = 400  # signs; no figure has room for more


def clean(text: object) -> str:
    """`text` as one line that the shipped font can draw: other signs appear by number, as U+732B."""
    known = _drawable()
    line = " ".join(str(text)[:LONGEST].split())
    return "".join(sign if ord(sign) in known else f"U+{ord(sign):04X}" for sign in line)


def number(value: float) -> str:
    """`value` as axes and notes show it: short, with a true minus."""
    return f"{value:.5g}".replace("-", "−")


@functools.lru_cache(maxsize=4096)
def width_of(text: str, size: float, weight: str = "normal") -> float:
    """Width in inches of `text` set in `size` points."""
    font = FontProperties(family=[FAMILY], size=size, weight=weight)
    return float(text_to_path.get_text_width_height_descent(text, font, ismath=False)[0]) / 72


def widest(texts: list[str], size: float, weight: str = "normal") -> float:
    return max((width_of(text, size, weight) for text in texts), default=0.0)


def height_of(lines: int, size: float) -> float:
    """Height in inches of so many lines of `size` points."""
    return lines * size * LINE_HEIGHT / 72


def ascent(size: float) -> float:
    """Inches from the upper edge of a line of `size` points to its baseline."""
    return size * (LINE_HEIGHT + 0.7) / 2 / 72


def fit(text: str, width: float, size: float, weight: str = "normal") -> str:
    """`text` with its middle left out until it is at most `width` inches wide; both ends tell names apart."""
    if width_of(text, size, weight) <= width:
        return text
    kept = bisect_right(range(1, len(text)), width, key=lambda kept: width_of(_shortened(text, kept), size, weight))
    return _shortened(text, kept)


def _shortened(text: str, kept: int) -> str:
    """The first and last signs of `text`, `kept` of them, around an ellipsis."""
    return text[: (kept + 1) // 2] + "…" + text[len(text) - kept // 2 :]


def wrap(text: str, width: float, size: float, weight: str = "normal") -> list[str]:
    """`text` in lines of at most `width` inches, broken at spaces (no-break spaces hold) or, in need, in words."""
    lines = [""]
    for word in text.split(" "):
        longer = f"{lines[-1]} {word}" if lines[-1] else word
        if width_of(longer, size, weight) <= width:
            lines[-1] = longer
            continue
        if lines[-1]:
            lines.append("")
        *whole, lines[-1] = _broken(word, width, size, weight)
        lines[-1:-1] = whole
    return lines


def _broken(word: str, width: float, size: float, weight: str) -> list[str]:
    pieces = [""]
    for sign in word:
        if pieces[-1] and width_of(pieces[-1] + sign, size, weight) > width:
            pieces.append("")
        pieces[-1] += sign
    return pieces


@functools.cache
def _drawable() -> frozenset[int]:
    return frozenset(get_font(findfont(FontProperties(family=[FAMILY]))).get_charmap())
