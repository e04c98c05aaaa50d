"""Every source of data by its name or its path, with the options that apply to it."""

import difflib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from chainrule.data.arrays import read_labelled_arrays
from chainrule.data.cifar10 import read_cifar10
from chainrule.data.dataset import DataSet, Pair
from chainrule.data.downloads import PUBLISHED, fetch
from chainrule.data.files import origin
from chainrule.data.folders import read_class_folders
from chainrule.data.idx import read_pair
from chainrule.data.synthetic import SHAPES, synth
from chainrule.data.tables import read_labelled_table
from chainrule.errors import DataError, unknown_name
from chainrule.images.features import Extractor, Recipe, recipe

DIGITS = tuple(str(digit) for digit in range(10))
FASHION = ("T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot")
COMMON = frozenset({"validation", "split", "preprocessing"})


@dataclass(frozen=True)
class Request:
    """What was asked of a source; None where nothing was said."""

    source: str
    seed: int = 0
    progress: bool = False
    validation: float | None = None
    test: float | None = None
    split: str | None = None
    preprocessing: str | None = None
    data_dir: str | Path | None = None
    label: str | int | None = None
    header: bool | None = None
    task: str | None = None
    image_size: tuple[int, int] | None = None
    grey: bool | None = None
    samples: int | None = None
    noise: float | None = None
    edition: int | None = None

    def options(self) -> set[str]:
        """The options that were given."""
        always = ("source", "seed", "progress")
        return {name for name, value in vars(self).items() if value is not None and name not in always}


@dataclass(frozen=True)
class Source:
    """A kind of data: what it is in one line, which options apply, and how it is loaded."""

    description: str
    options: frozenset[str]
    load: Callable[[Request], DataSet]


def load_data(
    source: str | Path,
    *,
    validation: float | None = None,
    test: float | None = None,
    split: str | None = None,
    preprocessing: str | None = None,
    seed: int = 0,
    data_dir: str | Path | None = None,
    label: str | int | None = None,
    header: bool | None = None,
    task: str | None = None,
    image_size: tuple[int, int] | None = None,
    grey: bool | None = None,
    samples: int | None = None,
    noise: float | None = None,
    edition: int | None = None,
    features: str | Recipe | Extractor | None = None,
    cache: str | Path | None = None,
    progress: bool = False,
) -> DataSet:
    """Load a data set by its name (see `sources`) or the path of a table, an array file or a folder of classes.

    What is None is the source's own default. validation, test: a fraction below 1 or a number of samples. split,
    preprocessing: see `DataSet.from_arrays`; one's own data are split 70/15/15, stratified, and standardised,
    except that images and other 8-bit data are scaled to [0, 1].

    data_dir       mnist, fashion-mnist, cifar10: where the files lie or are put, see `data_folder`
    label, header  tables: the label column by name or position, whether the first line names the columns
    task           tables and arrays: "classification" or "regression"
    image_size     class folders: (h, w) to resize to
    grey           class folders: make all images grey (True) or colour (False)
    samples        synthetic points: how many; synth: how many to train on
    noise          synthetic points but synth: see their functions
    edition        synth: 2020 or 2021
    features       images: "patches-512", … in place of the pixels; `preprocessing` is then theirs, "standardise" where
                   nothing is said; see `DataSet.with_features`
    cache          folder in which the features are kept

    Raises UnknownNameError for an unknown name, DataError for an option that does not apply to the source and for
    all that is wrong with the data.
    """
    if isinstance(features, str):
        features = recipe(features)  # before anything is read or fetched
    request = Request(
        str(source),
        seed=seed,
        progress=progress,
        validation=validation,
        test=test,
        split=split,
        preprocessing=preprocessing if features is None else None,
        data_dir=data_dir,
        label=label,
        header=header,
        task=task,
        image_size=image_size,
        grey=grey,
        samples=samples,
        noise=noise,
        edition=edition,
    )
    found = _source(request.source)
    for option in sorted(request.options() - found.options):
        raise DataError(
            f"{option}= does not apply to {request.source}",
            f"Options of {request.source}: {', '.join(sorted(found.options))}.",
        )
    data = found.load(request)
    if features is None:
        return data
    return data.with_features(features, preprocessing=preprocessing or "standardise", cache=cache, progress=progress)


def source_names() -> tuple[str, ...]:
    """The data sets that have a name."""
    return tuple(SOURCES)


def sources() -> dict[str, str]:
    """Every named data set and every form of one's own, with one line about it."""
    named = {name: source.description for name, source in SOURCES.items()}
    return named | {form: source.description for form, source in FORMS.items()}


def _source(name: str) -> Source:
    if name in SOURCES:
        return SOURCES[name]
    path = Path(name).expanduser()
    form = "folder" if path.is_dir() else f"*{path.suffix.lower()}"
    if path.exists() and form in FORMS:
        return FORMS[form]
    if path.exists():
        raise DataError(f"{name} is no kind of data this program reads", f"It reads {', '.join(FORMS)}.")
    if path.suffix or len(path.parts) > 1:
        near = difflib.get_close_matches(path.name, _neighbours(path), n=1)
        hint = f"Did you mean {path.with_name(near[0])}?" if near else "Check the path."
        raise DataError(f"{name} does not exist", f"{hint} Named data sets: {', '.join(SOURCES)}.")
    raise unknown_name("data set", name, SOURCES)


def _neighbours(path: Path) -> list[str]:
    try:
        return [other.name for other in path.parent.iterdir()]
    except OSError:
        return []


def _given(request: Request, **defaults: Any) -> dict[str, Any]:
    """Split and preprocessing as asked for, else as the source has them."""
    asked = {name: getattr(request, name) for name in ("validation", "test", "split", "preprocessing")}
    chosen = {name: defaults.get(name) if value is None else value for name, value in asked.items()}
    return {name: value for name, value in chosen.items() if value is not None} | {"seed": request.seed}


def _digits(request: Request) -> DataSet:
    from sklearn.datasets import load_digits

    bunch = load_digits()
    return DataSet.from_arrays(
        bunch.images.astype(np.float32),
        bunch.target,
        classes=DIGITS,
        name="digits",
        provenance={"source": "sklearn.datasets.load_digits"},
        **_given(request, validation=0.15, test=0.15, preprocessing="scale"),
    )


def _published(request: Request) -> DataSet:
    paths = fetch(request.source, request.data_dir, request.progress)
    x, y = read_pair(paths[0], paths[1])
    x_test, y_test = read_pair(paths[2], paths[3])
    files = [origin(path) for path in paths]
    other = [
        file["name"]
        for file, sha256 in zip(files, PUBLISHED[request.source].files.values(), strict=True)
        if file["sha256"] != sha256
    ]
    given = _given(request, validation=5000, split="last", preprocessing="scale")
    return DataSet.from_arrays(
        x,
        y,
        classes=FASHION if request.source == "fashion-mnist" else DIGITS,
        name=request.source,
        provenance={"source": request.source, "files": files, "notes": _not_published("SHA-256", other)},
        **given | {"test": (x_test, y_test)},
    )


def _cifar10(request: Request) -> DataSet:
    (path,) = fetch("cifar10", request.data_dir, request.progress)
    read = read_cifar10(path, *PUBLISHED["cifar10"].files.values())
    given = _given(request, validation=5000, split="last", preprocessing="scale")
    return DataSet.from_arrays(
        read.x,
        read.y,
        classes=read.classes,
        name="cifar10",
        as_read=True,
        provenance={"source": "cifar10", "files": read.files, "notes": _not_published("checksum", read.other)},
        **given | {"test": (read.x_test, read.y_test)},
    )


def _not_published(what: str, names: list[str]) -> list[str]:
    """The note on files that are not those of the publisher."""
    return [f"read as they are, though their {what} is not the published one: {', '.join(names)}"] if names else []


def _synth(request: Request) -> DataSet:
    edition = 2020 if request.edition is None else request.edition
    sizes = [
        _count(name, default if asked is None else asked, least)
        for name, asked, default, least in (
            ("samples", request.samples, 60_000, 1),
            ("validation", request.validation, 10_000, 0),
            ("test", request.test, 0, 0),
        )
    ]
    x, y = synth(edition, sum(sizes), request.seed)
    ends = np.cumsum(sizes)[:-1]
    train, validation, test = zip(np.split(x, ends), np.split(y, ends), strict=True)
    return DataSet.from_arrays(
        *train,
        validation=validation if sizes[1] else None,
        test=test if sizes[2] else None,
        preprocessing=request.preprocessing or "none",
        classes=("0", "1"),
        columns=("x1", "x2"),
        kind="points",
        name="synth",
        seed=request.seed,
        provenance={"source": f"synth, edition {edition}, seed {request.seed}"},
    )


def _points(request: Request) -> DataSet:
    draw, own_noise = SHAPES[request.source]
    noise = own_noise if request.noise is None else request.noise
    if not 0 <= noise < np.inf:
        raise DataError(f"noise={noise} is no spread", "Give a number from 0 upwards.")
    samples = _count("samples", 1000 if request.samples is None else request.samples, 1)
    x, y = draw(samples, noise, request.seed)
    return DataSet.from_arrays(
        x,
        y,
        columns=("x1", "x2"),
        kind="points",
        name=request.source,
        provenance={"source": f"{request.source}, {samples} samples, noise {noise}, seed {request.seed}"},
        **_given(request, validation=0.15, test=0.15),
    )


def _count(name: str, value: float, least: int) -> int:
    if isinstance(value, bool) or int(value) != value or value < least:
        raise DataError(f"{name}={value} is no number of samples", f"Give a whole number from {least} upwards.")
    return int(value)


def _table(request: Request) -> DataSet:
    path = Path(request.source).expanduser()
    table = read_labelled_table(path, request.label, request.header, request.task)
    return DataSet.from_arrays(
        table.x,
        table.y,
        classes=table.classes or None,
        columns=table.columns,
        label=table.label,
        task="classification" if table.classes else "regression",
        name=path.name,
        provenance={"source": str(path), "files": [origin(path)]},
        **_given(request, validation=0.15, test=0.15, preprocessing="standardise"),
    )


def _arrays(request: Request) -> DataSet:
    path = Path(request.source).expanduser()
    parts, column = read_labelled_arrays(path, request.label)
    x, y = parts["train"]
    given = _with_own_parts(request, parts, "scale" if x.dtype == np.uint8 or x.ndim > 2 else "standardise")
    return DataSet.from_arrays(
        x,
        y,
        label="" if column is None else str(column),
        task=request.task,
        name=path.name,
        provenance={"source": str(path), "files": [origin(path)]},
        **given,
    )


def _folder(request: Request) -> DataSet:
    path = Path(request.source).expanduser()
    parts, classes, notes = read_class_folders(path, request.image_size, request.grey)
    x, y = parts["train"]
    return DataSet.from_arrays(
        x,
        y,
        classes=classes,
        name=path.name,
        provenance={"source": str(path), "notes": notes},
        **_with_own_parts(request, parts, "scale"),
    )


def _with_own_parts(request: Request, parts: dict[str, Any], preprocessing: str) -> dict[str, Any]:
    """Shares to be drawn, and the parts that the source brings with it; a part cannot be both."""
    own: dict[str, Pair] = {name: pair for name, pair in parts.items() if name != "train"}
    for name in own:
        if getattr(request, name) is not None:
            raise DataError(
                f"{name}= does not apply: {request.source} has a {name} part of its own",
                f"Leave {name}= out, or take that part away from the source.",
            )
    return _given(request, validation=0.15, test=0.15, preprocessing=preprocessing) | own


SOURCES = {
    "digits": Source("1,797 handwritten digits, 8 × 8, of scikit-learn; needs no files", COMMON | {"test"}, _digits),
    "mnist": Source("70,000 handwritten digits, 28 × 28; 60,000 + 10,000", COMMON | {"data_dir"}, _published),
    "fashion-mnist": Source("70,000 pieces of clothing, 28 × 28; 60,000 + 10,000", COMMON | {"data_dir"}, _published),
    "cifar10": Source("60,000 photographs of ten things, 32 × 32; 50,000 + 10,000", COMMON | {"data_dir"}, _cifar10),
    "synth": Source(
        "70,000 points, one class within a hyperbola (edition 2020) or outside an ellipse (2021)",
        frozenset({"preprocessing", "validation", "test", "samples", "edition"}),
        _synth,
    ),
    **{
        name: Source(description, COMMON | {"test", "samples", "noise"}, _points)
        for name, description in (
            ("circles", "one circle of points within another"),
            ("moons", "two half circles that reach into each other"),
            ("blobs", "three clouds"),
            ("spirals", "three arms of a spiral"),
            ("xor", "a square whose opposite quarters belong together"),
        )
    },
}

_TABLE = Source("a table with a label column", COMMON | {"test", "label", "header", "task"}, _table)
_ARRAYS = Source("x and y, or x_train, y_train, x_test, …", COMMON | {"test", "task"}, _arrays)

FORMS = {
    "*.csv": _TABLE,
    "*.tsv": _TABLE,
    "*.npy": Source("samples with a label column", COMMON | {"test", "label", "task"}, _arrays),
    "*.npz": _ARRAYS,
    "folder": Source(
        "class folders of PNG or JPEG images, in train/ and test/ or to be split",
        COMMON | {"test", "image_size", "grey"},
        _folder,
    ),
}
