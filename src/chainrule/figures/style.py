"""One look for every figure: colours that colour-blind readers tell apart, and the same settings on every machine."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal

from matplotlib import style

FAMILY = "DejaVu Sans"  # shipped with matplotlib
PAGE_WIDTH = 7.0  # inches, the text width of a printed page
SMALL = 7.0  # points; what a reader still reads in print

INK = "#222222"
QUIET = "#595959"  # still 7:1 against white
FAINT = "#b5b5b5"

# Okabe and Ito's palette without its yellow, which vanishes on white paper.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00", "#000000")
LineStyle = Literal["-", "--", "-.", ":"] | tuple[float, tuple[float, ...]]
LINE_STYLES: tuple[LineStyle, ...] = ("-", "--", "-.", ":", (0, (5, 1, 1, 1, 1, 1)))
# As many as share no divisor with the number of colours, so that pairs repeat as late as possible.
MARKERS = ("o", "s", "^", "D", "v", "P", "X", "<", "p", ">", "*")

_SETTINGS = {
    "font.family": [FAMILY],
    "font.size": 8.0,
    "text.color": INK,
    "text.parse_math": False,  # "$" and "_" in names are signs, not TeX
    "axes.edgecolor": QUIET,
    "axes.labelcolor": INK,
    "axes.labelsize": 8.0,
    "axes.titlesize": 8.5,
    "axes.linewidth": 0.6,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.formatter.useoffset": False,
    "axes.grid": False,
    "grid.color": "#dddddd",
    "grid.linewidth": 0.5,
    "xtick.color": QUIET,
    "xtick.labelcolor": INK,
    "xtick.labelsize": SMALL,
    "xtick.major.width": 0.6,
    "ytick.color": QUIET,
    "ytick.labelcolor": INK,
    "ytick.labelsize": SMALL,
    "ytick.major.width": 0.6,
    "legend.fontsize": SMALL,
    "legend.frameon": False,
    "lines.linewidth": 1.3,
    "lines.markersize": 4.0,
    "savefig.dpi": 200,
    "svg.fonttype": "path",
    "svg.hashsalt": "chainrule",
    "pdf.fonttype": 42,
}


@contextmanager
def house_style() -> Iterator[None]:
    """matplotlib's own defaults and ours inside, the caller's settings again afterwards; also a decorator."""
    with style.context(["default", _SETTINGS]):
        yield


def colour(index: int) -> str:
    return COLOURS[index % len(COLOURS)]


def marker(index: int) -> str:
    return MARKERS[index % len(MARKERS)]
