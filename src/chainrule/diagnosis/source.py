"""Somebody's code as text: a Python file as it is, a notebook as the code of its cells."""

import ast
import io
import json
import re
import tokenize
from dataclasses import dataclass
from pathlib import Path
from typing import Any

LARGEST = 2_000_000  # bytes; the code of a course's exercise has some thousand, a notebook with figures some million
LARGEST_NOTEBOOK = 40_000_000


class UnreadableError(Exception):
    """The file holds no code that could be run; the message is a sentence."""


@dataclass(frozen=True)
class Source:
    """The code of a file: `text`; of a notebook also (first line in text, number of the cell) per code cell.

    `remarks` are sentences on what was left out.
    """

    path: Path
    text: str
    cells: tuple[tuple[int, int], ...] = ()
    remarks: tuple[str, ...] = ()

    def tree(self) -> ast.Module:
        """Raises UnreadableError where the text is no Python."""
        return parsed(self.text, self.path.name)


def read_source(path: Path) -> Source:
    """Raises UnreadableError where there is no file, or it holds no text, or too much of it."""
    limit = LARGEST_NOTEBOOK if path.suffix == ".ipynb" else LARGEST
    try:
        if not path.is_file():
            raise UnreadableError(f"There is no file {path}.")
        if path.stat().st_size > limit:
            raise UnreadableError(f"{path.name} has {path.stat().st_size:,} bytes; code has fewer than {limit:,}.")
        content = path.read_bytes()
    except OSError as error:
        raise UnreadableError(f"{path.name} cannot be read: {error.strerror}.") from None
    text = _decoded(content, path.name)
    if not text.strip():
        raise UnreadableError(f"{path.name} is empty.")
    return _notebook(path, text) if path.suffix == ".ipynb" else Source(path, text)


def parsed(text: str, name: str) -> ast.Module:
    """The syntax tree. Raises UnreadableError with the line where the text is no Python."""
    try:
        return ast.parse(text)
    except SyntaxError as error:
        line = f" in line {error.lineno}" if error.lineno else ""
        old = " It may be Python 2." if "print" in str(error.msg) or "exec" in str(error.msg) else ""
        raise UnreadableError(f"{name} is not Python{line}: {error.msg}.{old}") from None
    except (RecursionError, MemoryError):
        raise UnreadableError(f"{name} nests expressions too deeply to be read.") from None
    except ValueError as error:
        raise UnreadableError(f"{name} is not Python: {error}.") from None


def _decoded(content: bytes, name: str) -> str:
    if b"\0" in content:
        raise UnreadableError(f"{name} holds no text.")
    try:
        encoding, _ = tokenize.detect_encoding(io.BytesIO(content).readline)
        return content.decode(encoding)
    except (SyntaxError, LookupError, UnicodeDecodeError):
        pass
    text = content.decode("latin-1")  # every byte is a letter there; comments of older files are often written so
    if sum(not (letter.isprintable() or letter.isspace()) for letter in text) > len(text) // 50:
        raise UnreadableError(f"{name} holds no text.")
    return text


def _notebook(path: Path, text: str) -> Source:
    try:
        content = json.loads(text)
        cells = [_code(cell) for cell in content["cells"]]
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise UnreadableError(f"{path.name} is no notebook that can be read (format 4).") from None
    lines: list[str] = []
    places: list[tuple[int, int]] = []
    remarks: list[str] = []
    for number, code in enumerate(cells, 1):
        if code is None:
            continue
        code = _without_magics(code)
        try:
            parsed(code, f"cell {number}")
        except UnreadableError as error:
            remarks.append(f"Left out: {error}")
            continue
        places.append((len(lines) + 1, number))
        lines.extend([*code.split("\n"), ""])
    if not places:
        raise UnreadableError(f"{path.name} has no cell with code that can be read. {' '.join(remarks)}".strip())
    return Source(path, "\n".join(lines), tuple(places), tuple(remarks))


def _code(cell: Any) -> str | None:
    if cell.get("cell_type") != "code":
        return None
    source = cell["source"]
    return source if isinstance(source, str) else "".join(source)


_MAGIC = re.compile(r"^\s*(%|!|\?)|^[\w.]+\?\??\s*$")
_CELLS_OF_PYTHON = ("%%time", "%%timeit", "%%capture", "%%prun")


def _without_magics(code: str) -> str:
    """The cell's Python; lines keep their numbers."""
    lines = code.split("\n")
    first = next((line.strip() for line in lines if line.strip()), "")
    if first.startswith("%%") and not first.startswith(_CELLS_OF_PYTHON):
        return "\n".join("" for _ in lines)
    return "\n".join("pass".rjust(len(line) - len(line.lstrip()) + 4) if _MAGIC.match(line) else line for line in lines)
