"""Tables of one's own: CSV with or without a header, numbers in every column but the label."""

import difflib
import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from chainrule.data.columns import Labels, Numbers, TooManyClassesError, number
from chainrule.data.records import Record, records
from chainrule.data.spec import DataSpec
from chainrule.errors import DataError

LONGEST_LABEL = 1000


@dataclass(frozen=True)
class Table:
    """x: (m, d) float32 where that is exact, else float64. y: (m,) labels, or floats (m,) or (m, t) for a regression.

    classes: names in label order, () for a regression. columns: names of the features, () without a header.
    label: name of the label column (its position without a header), several joined by ",".
    """

    x: NDArray[Any]
    y: NDArray[Any]
    classes: tuple[str, ...]
    columns: tuple[str, ...]
    label: str


@dataclass(frozen=True)
class _Layout:
    names: tuple[str, ...]  # of all columns; () without a header
    features: tuple[int, ...]
    labels: tuple[int, ...]

    def called(self, column: int) -> str:
        return repr(self.names[column]) if self.names else str(column)


def read_labelled_table(
    path: str | Path, label: str | int | None = None, header: bool | None = None, task: str | None = None
) -> Table:
    """Read a CSV file to learn from.

    label: name or position of the label column (negative from the end), several joined by "," for a regression of
    several targets; the last column where nothing is said. header: whether the first line names the columns;
    where nothing is said it does if one of its fields is no number while the field below it is one.
    Memory: four bytes a number, eight where float32 does not hold the numbers of the table exactly.

    Raises DataError naming line, column and value for text, NaN, infinity or nothing where a number should be,
    ragged lines, a label column that is missing, and whatever `records` refuses.
    """
    path = Path(path)
    try:
        return _read_labelled(path, label, header, task)
    except TooManyClassesError:
        # One number a row, most of them different: what is to be predicted is a number, read as such from the start.
        return _read_labelled(path, label, header, "regression")


def _read_labelled(path: Path, label: str | int | None, header: bool | None, task: str | None) -> Table:
    rows, names, width = _open(path, header)
    if width < 2:
        raise DataError(
            f"{path} has one column only",
            "A table needs a feature and a label; fields are separated by comma, semicolon or tab.",
        )
    labels = _label_columns(path, label, names, width)
    layout = _Layout(names, tuple(j for j in range(width) if j not in labels), labels)
    if not layout.features:
        raise DataError(f"{path}: every column is a label", "Leave at least one column as a feature.")
    x = Numbers(len(layout.features))
    y: Labels | Numbers = Numbers(len(labels)) if task == "regression" or len(labels) > 1 else Labels()
    for line, fields in rows:
        _add_features(x, path, line, fields, layout)
        if isinstance(y, Numbers):
            if not y.add([fields[j] for j in labels]):
                raise _no_number(path, line, fields, layout, labels)
        else:
            _add_label(y, path, line, fields[labels[0]], task)
    targets, classes = (y.finish(), ()) if isinstance(y, Numbers) else y.finish()
    if isinstance(y, Numbers):
        targets = targets.astype(np.float64)[:, 0] if len(labels) == 1 else targets
    elif task == "classification" and not classes:
        raise DataError(
            f"{path}: the label column {layout.called(labels[0])} holds numbers that are not whole",
            'Classes are words or whole numbers; a regression needs task="regression".',
        )
    return Table(
        x.finish(),
        targets,
        classes,
        tuple(names[j] for j in layout.features) if names else (),
        ",".join(names[j] if names else str(j) for j in labels),
    )


def read_table(path: str | Path, spec: DataSpec) -> tuple[NDArray[Any], NDArray[Any] | None]:
    """Read a CSV file to predict: raw (m, d) in the order of the spec's columns, and y where the label is there.

    With a header the columns are found by name, in any order, and others are left out; without one they stand as
    they did in training. y: (m,) int64 labels, or floats for a regression, or None.
    Raises DataError as `read_labelled_table` does, and with line and value for a label outside the classes.
    """
    path = Path(path)
    rows, names, width = _open(path, None, spec.columns)
    layout = _layout_of(path, spec, names, width)
    x = Numbers(spec.features)
    y = Numbers(len(layout.labels)) if layout.labels else None
    places = {name: place for place, name in enumerate(spec.classes)}
    for line, fields in rows:
        _add_features(x, path, line, fields, layout)
        if y is None:
            continue
        found = [fields[j] for j in layout.labels]
        if spec.classes:
            found = [str(_place(path, line, found[0], places))]
        if not y.add(found):
            raise _no_number(path, line, fields, layout, layout.labels)
    if y is None:
        return x.finish(), None
    targets = y.finish()
    if spec.classes:
        return x.finish(), targets[:, 0].astype(np.int64)
    return x.finish(), targets.astype(np.float64)[:, 0] if len(layout.labels) == 1 else targets


def _open(path: Path, header: bool | None, wanted: Sequence[str] = ()) -> tuple[Iterator[Record], tuple[str, ...], int]:
    """The lines of samples, the names of all columns (() without a header) and their number."""
    rows = records(path)
    start = list(itertools.islice(rows, 2))
    if not start:
        raise DataError(f"{path} holds nothing but blank lines", "Write one sample a line.")
    first = start[0][1]
    if header is None:
        header = (bool(wanted) and set(first) >= set(wanted)) or _is_header(start)
    if not header:
        return itertools.chain(start, rows), (), len(first)
    if len(start) < 2:
        raise DataError(f"{path} holds a header but no samples", "Add one line for every sample.")
    twice = next((name for name in first if first.count(name) > 1), None)
    if twice is not None:
        raise DataError(
            f"{path}: two columns are called {twice!r}", "Give every column a name of its own, or say header=False."
        )
    return itertools.chain(start[1:], rows), tuple(first), len(first)


def _is_header(start: list[Record]) -> bool:
    first = [number(field) is None for field in start[0][1]]
    if len(start) < 2:
        return all(first)
    second = [number(field) is None for field in start[1][1]]
    return any(word and not below for word, below in zip(first, second, strict=True))


def _label_columns(path: Path, label: str | int | None, names: tuple[str, ...], width: int) -> tuple[int, ...]:
    if label is None:
        return (width - 1,)
    if label in names or isinstance(label, int):
        return (_label_column(path, label, names, width),)
    columns = tuple(_label_column(path, part.strip(), names, width) for part in label.split(","))
    if len(set(columns)) < len(columns):
        raise DataError(f"label {label!r} names a column twice", "Name every column once.")
    return columns


def _label_column(path: Path, label: str | int, names: tuple[str, ...], width: int) -> int:
    if label in names:
        return names.index(str(label))
    try:
        position = int(label)
    except ValueError:
        raise _missing_column(path, str(label), names, "label column") from None
    if not -width <= position < width:
        raise DataError(
            f"{path} has {width} columns, none at position {position}",
            f"Positions run from 0 to {width - 1}, or from -1 backwards.",
        )
    return position % width


def _missing_column(path: Path, name: str, names: Sequence[str], what: str) -> DataError:
    if not names:
        return DataError(
            f"{path} has no header, so the {what} {name!r} cannot be found by name",
            "Give its position (label=-1 is the last), or say header=True.",
        )
    near = difflib.get_close_matches(name, names, n=1, cutoff=0.5)
    shown = ", ".join(names[:20]) + (", …" if len(names) > 20 else "")
    return DataError(
        f"{path} has no {what} {name!r}", (f"Did you mean {near[0]!r}? " if near else "") + f"Columns: {shown}."
    )


def _layout_of(path: Path, spec: DataSpec, names: tuple[str, ...], width: int) -> _Layout:
    """Where the features and the label of a spec stand in a table to predict."""
    if names and spec.columns:
        missing = next((name for name in spec.columns if name not in names), None)
        if missing is not None:
            raise _missing_column(path, missing, names, "column")
        labels = [spec.label] if spec.label in names else spec.label.split(",")
        here = tuple(names.index(name) for name in labels if name in names)
        return _Layout(names, tuple(names.index(n) for n in spec.columns), here if len(here) == len(labels) else ())
    if width == spec.features:
        return _Layout(names, tuple(range(width)), ())
    positions = tuple(int(part) for part in spec.label.split(",") if part.isascii() and part.isdecimal())
    if not spec.columns and positions and width == spec.features + len(positions) and max(positions) < width:
        return _Layout(names, tuple(j for j in range(width) if j not in positions), positions)
    raise DataError(
        f"{path} has {width} columns, but the model was trained on {spec.features} features",
        "Give the features alone and in their order"
        + (", or name the columns in a header." if spec.columns else ", with or without the label column."),
    )


def _add_features(x: Numbers, path: Path, line: int, fields: list[str], layout: _Layout) -> None:
    if not x.add([fields[j] for j in layout.features]):
        raise _no_number(path, line, fields, layout, layout.features)


def _no_number(path: Path, line: int, fields: list[str], layout: _Layout, columns: tuple[int, ...]) -> DataError:
    column = next(j for j in columns if number(fields[j]) is None)
    text = fields[column]
    where = f"{path}, line {line}, column {layout.called(column)}"
    if not text:
        return DataError(f"{where} is empty", "Leave the line out, or fill in a number.")
    try:
        float(text)
    except ValueError:
        comma = "Write decimals with a point. " if number(text.replace(",", ".")) is not None else ""
        return DataError(
            f"{where}: {text[:60]!r} is no number",
            f"{comma}Every column but the label must be numeric; label= names the label column.",
        )
    if "_" in text:
        return DataError(f"{where}: {text[:60]!r} is no number", "Write it without underscores.")
    return DataError(f"{where} is {text[:60]}, which is no finite number", "Leave the line out, or fill in a number.")


def _add_label(y: Labels, path: Path, line: int, text: str, task: str | None) -> None:
    if not text or text.lower() in ("nan", "inf", "-inf"):
        raise DataError(
            f"{path}, line {line}: the label is {text or 'empty'}", "Leave the line out, or fill in the label."
        )
    if len(text) > LONGEST_LABEL:
        raise DataError(f"{path}, line {line}: a label of {len(text):,} characters", "Check which column is the label.")
    try:
        y.add(text)
    except TooManyClassesError:
        if y.fractional and task is None:
            raise
        raise DataError(
            f"{path}, line {line}: the label column holds more than {len(y.places) - 1:,} different values",
            'Check which column is the label; numbers to be predicted as numbers need task="regression".',
        ) from None


def _place(path: Path, line: int, text: str, places: dict[str, int]) -> int:
    value = number(text)
    whole = str(int(value)) if value is not None and value.is_integer() else text
    place = places.get(text, places.get(whole))
    if place is None:
        shown = ", ".join(itertools.islice(places, 12)) + (", …" if len(places) > 12 else "")
        raise DataError(
            f"{path}, line {line}: the label {text[:60]!r} is none of the model's {len(places)} classes",
            f"Classes: {shown}. Correct the label, or leave the label column out.",
        )
    return place
