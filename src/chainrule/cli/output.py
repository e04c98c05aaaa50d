"""What a command found, as a text, a page or data, in the terminal or in a file."""

import json
import sys
from collections.abc import Callable
from html import escape
from pathlib import Path
from typing import Any, Literal, Protocol

from chainrule import storage

Format = Literal["text", "html", "json"]

STYLE = """
body { font: 15px/1.5 "DejaVu Sans", Verdana, sans-serif; color: #222 }
body { max-width: 70em; margin: 2em auto; padding: 0 1em }
h1 { font-size: 1.5em; overflow-wrap: anywhere }
table { border-collapse: collapse; margin: 1em 0; font-variant-numeric: tabular-nums }
table { display: block; overflow-x: auto }
th, td { padding: 0.15em 0.7em; text-align: left; white-space: nowrap }
thead th { border-bottom: 1px solid #595959 }
table.chain td { text-align: center }
table.chain td[colspan] { text-align: left }
table.chain th { font-weight: normal }
""".strip()


class Finding(Protocol):
    """What can be shown in every format."""

    def __str__(self) -> str: ...
    def _repr_html_(self) -> str: ...
    def to_json(self) -> dict[str, Any]: ...


def write(found: Finding, title: str, form: Format, output: Path | None) -> None:
    """Show `found` under `title`; raises StorageError where the file cannot be written."""
    writers: dict[Format, Callable[[], str]] = {
        "text": lambda: f"{title}\n\n{found}\n",
        "html": lambda: page(title, found._repr_html_()),
        "json": lambda: json.dumps({"title": title, **found.to_json()}, indent=1, ensure_ascii=False) + "\n",
    }
    text = writers[form]()
    if output is not None:
        storage.write_text(output, text)
    else:
        sys.stdout.write(text)


def page(title: str, body: str) -> str:
    """A self-contained HTML document around `body`."""
    metadata = '<meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">'
    head = f"{metadata}<title>{escape(title)}</title><style>\n{STYLE}\n</style>"
    heading = f"<h1>{escape(title)}</h1>"
    return f'<!doctype html>\n<html lang="en"><head>{head}</head>\n<body>{heading}\n{body}\n</body></html>\n'
