"""A figure becomes a file or a piece of HTML, with the same bytes every time."""

import hashlib
import io
import re
from html import escape
from pathlib import Path

from matplotlib.figure import Figure

from chainrule.errors import unknown_name
from chainrule.figures.lettering import clean
from chainrule.figures.style import house_style
from chainrule.storage import write_bytes

# What matplotlib would write by itself, and what changes with the clock or the version.
_SILENCE: dict[str, dict[str, str | None]] = {
    ".png": {"Software": None},
    ".svg": {"Date": None, "Creator": None, "Format": None, "Type": None},
    ".pdf": {"CreationDate": None, "Creator": None, "Producer": None},
}
_DESCRIPTION = {".png": "Description", ".svg": "Description", ".pdf": "Subject"}


def save(figure: Figure, path: Path, *, description: str = "") -> None:
    """Write `figure` as PNG (200 dpi), SVG or PDF by the suffix of `path`, whole or not at all.

    The same figure gives the same bytes. `description` is stored in the file for readers who cannot see it;
    without one, the figure's own. Raises InputError for another suffix, StorageError where nothing can be written.
    """
    path = Path(path)
    suffix = path.suffix.lower()
    if suffix not in _SILENCE:
        raise unknown_name("figure format", suffix, _SILENCE)
    write_bytes(path, _described(figure, suffix, description))


def to_png(figure: Figure, *, description: str = "") -> bytes:
    """What `save` writes into a PNG file."""
    return _described(figure, ".png", description)


def to_svg(figure: Figure) -> str:
    """The figure as an SVG element to stand inside HTML: no prolog, a spoken title, as wide as its place allows.

    Its ids begin with a hash of its content, so that several figures share one page without mixing.
    """
    content = _rendered(figure, ".svg", _SILENCE[".svg"]).decode()
    body = re.sub(r"\s*<metadata>.*?</metadata>", "", content[content.index("<svg") :], flags=re.DOTALL)
    mark = "f" + hashlib.sha256(body.encode()).hexdigest()[:10]
    body = re.sub(r'(\bid="|xlink:href="#|url\(#)', rf"\g<1>{mark}-", body)
    body = body.replace('<style type="text/css">*{', f'<style type="text/css">#{mark} *{{', 1)
    spoken = escape(_description(figure, "") or "figure")
    opening = (
        f'<svg id="{mark}" role="img" aria-label="{spoken}" style="max-width: 100%; height: auto; background: #fff"'
    )
    return re.sub(
        r"<svg([^>]*)>",
        lambda match: f"{opening}{match[1]}>\n <title>{spoken}</title>",
        body,
        count=1,
    )


def _described(figure: Figure, suffix: str, description: str) -> bytes:
    metadata = _SILENCE[suffix] | {_DESCRIPTION[suffix]: _description(figure, description) or None}
    return _rendered(figure, suffix, metadata)


@house_style()
def _rendered(figure: Figure, suffix: str, metadata: dict[str, str | None]) -> bytes:
    buffer = io.BytesIO()
    figure.savefig(buffer, format=suffix[1:], metadata=metadata)
    return buffer.getvalue()


def _description(figure: Figure, description: str) -> str:
    return clean(description or figure.get_label())
