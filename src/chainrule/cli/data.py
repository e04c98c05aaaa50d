"""`chainrule data`: which data sets there are, fetching them, and looking at them."""

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import tyro
from tyro.conf import OmitArgPrefixes, Positional, arg

from chainrule import figures
from chainrule.data import PUBLISHED, DataSet, data_folder, fetch, sources
from chainrule.errors import InputError
from chainrule.runs.config import DataSettings, RunConfig
from chainrule.runs.execute import load

DRAWS = 4  # epochs that are shown of a transform


@dataclass(frozen=True)
class List:
    """Every data set that has a name, and every form of one's own data."""


@dataclass(frozen=True)
class Fetch:
    """Download a published data set, mirrors in turn, checked by its fingerprint.

    example:
      chainrule data fetch mnist
    """

    name: Annotated[Positional[str], arg(metavar="NAME")]
    """the data set"""
    data_dir: Path | None = None
    """folder to keep it in; CHAINRULE_DATA or the user's cache folder by default"""


@dataclass(frozen=True)
class Show:
    """Tell what a data set holds, and draw it: a sheet of samples by class, the points, or the columns.

    examples:
      chainrule data show digits
      chainrule data show circles --output circles.svg
      chainrule data show table.csv --label species
      chainrule data show cifar10 --transform rotation
      chainrule data show mnist --transform "affine+elastic"
    """

    source: Annotated[Positional[str], arg(metavar="SOURCE")]
    """data set, file or folder of images"""
    output: Path | None = None
    """picture to write (.png, .svg, .pdf); NAME-samples.png by default"""
    per_class: int = 12
    """images a class"""
    transform: str | None = None
    """images: show one of each class, and below what this transform draws for it: rotation, "crop(4)+flip", …"""
    data_dir: Path | None = None
    """folder of the data sets; CHAINRULE_DATA or the user's cache folder by default"""
    seed: int = 0
    """seed of the split and of synthetic data"""
    data: OmitArgPrefixes[DataSettings] = field(default_factory=DataSettings)


def main(arguments: list[str]) -> int:
    command: List | Fetch | Show = tyro.extras.subcommand_cli_from_dict(
        {"list": List, "fetch": Fetch, "show": Show}, prog="chainrule data", args=arguments
    )
    if isinstance(command, List):
        for name, text in sources().items():
            print(f"{name:<14} {text}")
    elif isinstance(command, Fetch):
        if command.name in sources() and command.name not in PUBLISHED:
            print(f"{command.name} needs no download.")
            return 0
        for path in fetch(command.name, command.data_dir, progress=True):
            print(path)
        print(f"Data folder: {data_folder(command.data_dir)}")
    else:
        _show(command)
    return 0


def _show(command: Show) -> None:
    from dataclasses import replace

    if command.per_class < 1:
        raise InputError(f"--per-class is {command.per_class}", "Show at least one image a class.")
    if command.data.features is not None:
        raise InputError("--features does not apply: the images themselves are shown", "Leave it out.")
    settings = replace(command.data, source=command.source)
    data = load(RunConfig(data=settings, seed=command.seed), command.data_dir, progress=True)
    print(data)
    for note in data.provenance["notes"]:
        print(f"Note: {note}")
    for name, part in data.parts.items():
        counts = np.bincount(part.y, minlength=len(data.classes)).tolist() if data.classes else []
        told = ", ".join(f"{label} {count}" for label, count in zip(data.classes, counts, strict=False))
        print(f"{name:<10} {len(part):>7} samples  {told}")
    if command.transform is not None:
        what, figure = "-".join(re.findall("[a-z]+", command.transform)), _transformed(data, command)
    else:
        what, figure = "samples", _sheet(data, command.per_class)
    output = command.output or Path(f"{Path(data.name).stem}-{what}.png")
    figures.save(figure, output, description=f"{what.capitalize()} of {data.name}")
    print(f"Picture: {output}")


def _transformed(data: DataSet, command: Show) -> Any:
    """One image of each class, at most 12, and below it the same in DRAWS epochs."""
    from chainrule.images.transforms import apply, draw, transform

    rule = transform(str(command.transform))
    raw, y = data.train.raw, data.train.y
    if raw is None or not data.classes:
        raise InputError(f"{data.name} holds no images by class", "Leave out --transform, or show cifar10 or mnist.")
    labels = np.unique(y)[:12]
    rows = np.array([np.flatnonzero(y == k)[0] for k in labels])
    shape = (*raw.shape[1:3], raw.shape[3] if raw.ndim == 4 else 1)
    sheet = {"original": raw[rows]}
    for epoch in range(DRAWS):
        drawn = draw(rule, shape, rows, seed=command.seed, epoch=epoch)
        sheet[f"epoch {epoch + 1}"] = apply(rule, raw[rows], drawn)
    shown = ", ".join(data.classes[k] for k in labels)
    title = f"{data.name}: {command.transform}"
    note = f"Seed {command.seed}. From left to right: {shown}."
    return figures.sample_sheet([list(images) for images in sheet.values()], list(sheet), title=title, note=note)


def _sheet(data: DataSet, per_class: int) -> Any:
    x, y, names = data.train.x, data.train.y, data.spec.preprocessing.names
    prepared = "" if names == "none" else f", {names}"
    title = f"{data.name}, training part, n = {len(data.train)}{prepared}"
    if data.image_shape is not None and data.classes:
        rows = [np.flatnonzero(y == k)[:per_class] for k in range(len(data.classes))]
        by_class = [list(x[chosen].reshape(-1, *data.image_shape)) for chosen in rows]
        return figures.sample_sheet(by_class, data.classes, title=title)
    x = np.asarray(x)
    if x.shape[1] == 2 and data.classes:
        axes = data.spec.columns or ("x1", "x2")
        return figures.scatter_by_class(x, y, data.classes, title=title, axes=(axes[0], axes[1]))
    headings = data.spec.columns or tuple(f"x{j + 1}" for j in range(x.shape[1]))
    columns = {heading: x[:, j] for j, heading in enumerate(headings)}
    return figures.table_histograms(columns, y if data.classes else None, data.classes, title=title)
