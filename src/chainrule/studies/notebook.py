"""A notebook that loads stored models, features and reports, infers again, and shows both side by side.

Its folder holds all that it reads: a model file for each network, test.npz, reports.json. It is written as plain JSON
in the form nbformat 4.5, its outputs those of its own cells.
"""

import contextlib
import io
import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from chainrule import storage

NAME = "inference.ipynb"

_LOAD = """\
import json

import numpy as np

import chainrule as cr

with np.load("test.npz", allow_pickle=False) as stored:
    x, y = stored["x"], stored["y"]
with open("reports.json", encoding="utf-8") as file:
    reports = json.load(file)
print(f"{len(y):,} test images, {x.shape[1]} features each; networks: {', '.join(reports)}")"""

_SHOW = '''\
def side_by_side(stored, now):
    """The stored classification report beside the one of the inference just done."""
    left, right = stored.splitlines(), now.splitlines()
    width = max(map(len, left))
    print(f"{'stored':<{width}} | computed now")
    for a, b in zip(left, right, strict=True):
        print(f"{a:<{width}} | {b}")
    print("equal" if stored == now else "DIFFERENT")


def infer(name):
    """Load a network, infer on all test images, and compare."""
    evaluation = cr.evaluate(cr.load(f"{name}.safetensors"), (x, y))
    print(f"{name}: {evaluation.summary()}\\n")
    side_by_side(reports[name], evaluation.report)'''


def write_notebook(
    folder: Path,
    title: str,
    words: str,
    models: Mapping[str, Path],
    x: NDArray[Any],
    y: NDArray[np.int64],
    reports: Mapping[str, str],
) -> Path:
    """Write the notebook and what it reads into `folder`, and return its path.

    models    model files by the name of their network
    x, y      the test set: X (m, d) as the networks take it, y (m,) labels
    reports   the stored classification report of each network

    Raises StorageError where the folder cannot be written. The same content gives the same bytes.
    """
    for name, path in models.items():
        storage.write_bytes(folder / f"{name}.safetensors", path.read_bytes())
    buffer = io.BytesIO()
    np.savez_compressed(buffer, x=x, y=y)
    storage.write_bytes(folder / "test.npz", buffer.getvalue())
    storage.write_json(folder / "reports.json", dict(reports))
    cells = [
        _words(f"# {title}\n\n{words}"),
        *_code([_LOAD, _SHOW, *(f'infer("{name}")' for name in models)], folder),
    ]
    notebook = {
        "cells": [{"id": f"cell-{number}", **cell} for number, cell in enumerate(cells)],
        "metadata": {
            "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
            "language_info": {"name": "python"},
        },
        "nbformat": 4,
        "nbformat_minor": 5,
    }
    path = folder / NAME
    storage.write_text(path, json.dumps(notebook, indent=1, ensure_ascii=False) + "\n")
    return path


def run_cells(sources: Sequence[str], folder: Path) -> list[str]:
    """What each piece of code prints when they run one after the other in `folder`; raises what they raise."""
    names: dict[str, Any] = {}
    printed = []
    with contextlib.chdir(os.fspath(folder)):
        for source in sources:
            output = io.StringIO()
            with contextlib.redirect_stdout(output):
                exec(compile(source, "<cell>", "exec"), names)  # the cells above, and no other
            printed.append(output.getvalue())
    return printed


def _words(text: str) -> dict[str, Any]:
    return {"cell_type": "markdown", "metadata": {}, "source": _lines(text)}


def _code(sources: Sequence[str], folder: Path) -> list[dict[str, Any]]:
    """The cells with the outputs that they give."""
    return [
        {
            "cell_type": "code",
            "execution_count": number,
            "metadata": {},
            "outputs": [{"name": "stdout", "output_type": "stream", "text": _lines(text)}] if text else [],
            "source": _lines(source),
        }
        for number, (source, text) in enumerate(zip(sources, run_cells(sources, folder), strict=True), start=1)
    ]


def _lines(text: str) -> list[str]:
    return text.splitlines(keepends=True)
