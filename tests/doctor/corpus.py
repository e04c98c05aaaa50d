"""The corpus: right implementations as students write them, and edits of single lines that make each of them wrong.

A file under `styles/` is right code. A line `#! kinds quantity: text` in it is an edit: `text` takes the place of the
line of code above it. `kinds` are the names by which the edit may be diagnosed, with | between them; `right` says that
the edit does no harm, and `up to scale` that only the scale of all gradients changes and the file states no loss.
"""

import ast
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from chainrule.randomness import generator

FOLDER = Path(__file__).parent / "styles"
_MARK = re.compile(r"#! (?P<kinds>up to scale|[a-z0-9|-]+)(?: (?P<quantity>\w+))?: (?P<text>.+)")
HARMLESS = ("right", "up to scale")


@dataclass(frozen=True)
class Fault:
    """An edit of one line (counted from 0 in clean source), the kinds that name it, and the first wrong quantity."""

    style: str
    line: int
    kinds: tuple[str, ...]
    quantity: str
    text: str

    @property
    def harmless(self) -> bool:
        return self.kinds[0] in HARMLESS

    def __str__(self) -> str:
        return f"{self.style}: {'|'.join(self.kinds)} {self.quantity}: {self.text}"


@dataclass(frozen=True)
class Style:
    """Right code (a module, or a notebook whose cells begin with `# %%`) and the edits that it offers."""

    name: str
    lines: tuple[str, ...]
    faults: tuple[Fault, ...]

    @property
    def notebook(self) -> bool:
        return self.lines[0].startswith("# %%")

    @property
    def suffix(self) -> str:
        return ".ipynb" if self.notebook else ".py"

    def source(self, *faults: Fault) -> str:
        """The code with these edits, as it stands in the file."""
        lines = list(self.lines)
        for fault in faults:
            indent = re.match(r"\s*", lines[fault.line]).group()
            if lines[fault.line].endswith(":"):  # the head of a loop stays the head of a loop
                assert fault.text.endswith(":"), fault
            lines[fault.line] = indent + fault.text
        text = "\n".join(lines) + "\n"
        return as_notebook(text) if self.notebook else text

    def write(self, folder: Path, name: str, *faults: Fault) -> Path:
        path = folder / (name + self.suffix)
        path.write_text(self.source(*faults), encoding="utf-8")
        return path


@dataclass(frozen=True)
class Case:
    """A style with the edits that are planted in it: none, one, or a pair."""

    name: str
    style: Style
    faults: tuple[Fault, ...]

    def write(self, folder: Path) -> Path:
        return self.style.write(folder, self.name, *self.faults)


@cache
def styles() -> dict[str, Style]:
    return {path.stem: _read(path) for path in sorted(FOLDER.glob("*.py"))}


def _read(path: Path) -> Style:
    lines: list[str] = []
    faults: list[Fault] = []
    for line in path.read_text(encoding="utf-8").splitlines():
        if not line.lstrip().startswith("#!"):
            lines.append(line)
            continue
        mark = _MARK.fullmatch(line.strip())
        assert mark, f"{path.name}: {line}"
        kinds = tuple(mark["kinds"].split("|"))
        faults.append(Fault(path.stem, len(lines) - 1, kinds, mark["quantity"] or "", mark["text"]))
    return Style(path.stem, tuple(lines), tuple(faults))


def singles() -> list[Case]:
    """Every style as it is, and with each edit that it offers."""
    return [case for style in styles().values() for case in _singles(style)]


def _singles(style: Style) -> Iterator[Case]:
    yield Case(style.name, style, ())
    counts: dict[str, int] = {}
    for fault in style.faults:
        word = fault.kinds[0].replace(" ", "-")
        counts[word] = counts.get(word, 0) + 1
        yield Case(f"{style.name}-{word}-{counts[word]}", style, (fault,))


def pairs(each: int = 5) -> list[Case]:
    """For each style so many pairs of edits in different lines, drawn with a fixed seed."""
    found = []
    for seed, style in enumerate(styles().values()):
        draw = generator(seed, "subset")
        usable = [fault for fault in style.faults if not fault.harmless and fault.quantity]
        taken: set[tuple[int, int]] = set()
        while len(taken) < each:
            i, j = sorted(int(k) for k in draw.choice(len(usable), 2, replace=False))
            a, b = usable[i], usable[j]
            if a.line != b.line and a.kinds[0] != b.kinds[0] and not _cancel(a, b):
                taken.add((i, j))
        found += [
            Case(f"{style.name}-pair-{number}", style, (usable[i], usable[j]))
            for number, (i, j) in enumerate(sorted(taken), 1)
        ]
    return found


def _cancel(a: Fault, b: Fault) -> bool:
    """Whether a loss of another scale or sign may be just what a gradient of another scale or sign belongs to."""
    scales = {"sign", "missing-mean", "double-mean", "constant-factor"}
    return "loss" in (a.quantity, b.quantity) and bool(scales & {*a.kinds, *b.kinds})


def as_notebook(text: str) -> str:
    """The .ipynb of cells that begin with `# %%`."""
    cells = []
    for part in re.split(r"(?m)^# %%", text)[1:]:
        head, _, body = part.partition("\n")
        kind = "markdown" if "markdown" in head else "code"
        body = re.sub(r"(?m)^# ", "", body) if kind == "markdown" else body
        cell = {"cell_type": kind, "metadata": {}, "source": body.rstrip("\n").splitlines(keepends=True)}
        cells.append(cell | ({"execution_count": None, "outputs": []} if kind == "code" else {}))
    return json.dumps({"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}, indent=1)


def runnable(code: str) -> str:
    """The functions and classes of code (a module, or the JSON of a notebook), without what loads data or trains."""
    if code.startswith("{"):
        cells = json.loads(code)["cells"]
        code = "\n".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "code")
        code = re.sub(r"(?m)^[%!].*$", "", code)
    kept = (ast.FunctionDef, ast.ClassDef, ast.Import, ast.ImportFrom)
    body = [node for node in ast.parse(code).body if isinstance(node, kept) or _is_constant(node)]
    return ast.unparse(ast.Module([node for node in body if "matplotlib" not in ast.unparse(node)], []))


def _is_constant(node: ast.stmt) -> bool:
    return isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant | ast.Lambda)
