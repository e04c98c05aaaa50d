"""`chainrule predict`: labels and probabilities for raw input, prepared as the model was trained."""

import csv
import io
import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
import tyro
from numpy.typing import NDArray
from tyro.conf import Positional, arg

from chainrule import storage
from chainrule.data import DataSpec, read_array, read_images, read_table
from chainrule.errors import InputError
from chainrule.evaluation import evaluate
from chainrule.network import Network
from chainrule.runs import load

Array = NDArray[Any]


@dataclass(frozen=True)
class Predict:
    """Predict for a table (.csv, .tsv), arrays (.npy, .npz), an image or a folder of images.

    Input is prepared as in training; images are resized and made grey or colour as the model needs, which is said.
    Where the input has labels, the accuracy is told too.

    examples:
      chainrule predict runs/digits-0123456789 three.png --invert
      chainrule predict model.safetensors table.csv --format csv --output predictions.csv
    """

    model: Annotated[Positional[Path], arg(metavar="MODEL")]
    """folder of a run, or a model file"""
    input: Annotated[Positional[Path], arg(metavar="INPUT")]
    """what to predict"""
    format: Literal["text", "csv", "json"] = "text"
    """of what is written"""
    output: Path | None = None
    """file to write to instead of the terminal"""
    invert: bool = False
    """exchange dark and light of images: for dark ink on white where the model was trained on light on black"""


@dataclass(frozen=True)
class Predictions:
    """One row a sample: its name, what is predicted, and the outputs by class name (or target)."""

    names: Sequence[str]
    labels: Sequence[Any]
    outputs: Array
    columns: Sequence[str]


def main(arguments: list[str]) -> int:
    command = tyro.cli(Predict, prog="chainrule predict", args=arguments)
    net = load(command.model)
    if net.spec is None:
        raise InputError(
            f"{command.model} does not say how raw input becomes a row of X",
            "It was saved without data; predict in Python with net.predict(x).",
        )
    raw, y, names, notes = _read(command.input, net.spec, command.invert)
    for note in notes:
        print(note, file=sys.stderr)
    x = net.spec.prepare(raw)
    text = WRITERS[command.format](_predictions(net, x, names or [str(i) for i in range(len(x))]))
    if command.output is not None:
        storage.write_text(command.output, text)
    else:
        sys.stdout.write(text)
    if y is not None:
        print(evaluate(net, (x, y)).summary(), file=sys.stderr)
    return 0


def _read(path: Path, spec: DataSpec, invert: bool) -> tuple[Array, Array | None, Sequence[str], Sequence[str]]:
    if path.suffix.lower() in (".csv", ".tsv", ".npy", ".npz"):
        reader = read_table if path.suffix.lower() in (".csv", ".tsv") else read_array
        raw, y = reader(path, spec)
        return raw, y, (), ()
    raw, names, notes = read_images(path, spec, invert)
    return raw, None, names, notes


def _predictions(net: Network, x: Array, names: Sequence[str]) -> Predictions:
    outputs, labels = net.predict_proba(x), net.predict(x)
    classes = net.spec.classes
    if net.output.task == "regression":
        named = net.spec.label.split(",")
        columns = named if len(named) == outputs.shape[1] else [f"y{k}" for k in range(outputs.shape[1])]
        return Predictions(names, labels.tolist(), outputs, columns)
    if outputs.shape[1] == 1 and len(classes) == 2:
        outputs = np.hstack([1 - outputs, outputs])
    return Predictions(names, [classes[k] for k in labels], outputs, classes)


def _as_text(found: Predictions) -> str:
    width = max(len("sample"), *map(len, found.names))
    lines = [f"{'sample':<{width}}  prediction"]
    for name, label, row in zip(found.names, found.labels, found.outputs, strict=True):
        if isinstance(label, str):
            likeliest = np.argsort(-row, kind="stable")[:3]
            shares = ", ".join(f"{found.columns[k]} {row[k]:.1%}" for k in likeliest)
            lines.append(f"{name:<{width}}  {label}  ({shares})")
        else:
            lines.append(f"{name:<{width}}  " + "  ".join(f"{value:.6g}" for value in row))
    return "\n".join(lines) + "\n"


def _as_csv(found: Predictions) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    classes = isinstance(found.labels[0], str)
    writer.writerow(["sample", *(["label"] if classes else []), *found.columns])
    for name, label, row in zip(found.names, found.labels, found.outputs.tolist(), strict=True):
        writer.writerow([name, *([label] if classes else []), *row])
    return text.getvalue()


def _as_json(found: Predictions) -> str:
    rows = [
        {"sample": name, "prediction": label, "outputs": dict(zip(found.columns, row, strict=True))}
        for name, label, row in zip(found.names, found.labels, found.outputs.tolist(), strict=True)
    ]
    return json.dumps(rows, indent=1, ensure_ascii=False) + "\n"


WRITERS = {"text": _as_text, "csv": _as_csv, "json": _as_json}
