"""A CSV file is read one line at a time into lists of fields; nothing of it is kept here."""

import csv
import re
from collections.abc import Iterator
from pathlib import Path

from chainrule.data.files import opened
from chainrule.errors import DataError

LONGEST_LINE = 1 << 20  # bytes; split into fields, such a line still fits well within a reader's allowance

Record = tuple[int, list[str]]  # the number of the line, from 1, and its fields without blanks around them


def records(path: Path) -> Iterator[Record]:
    """The lines of a CSV file that are not blank, all with as many fields as the first.

    The delimiter is the first of tab, semicolon and comma that stands in the first line outside quotes. Fields may be
    quoted; they end on their line. A byte order mark is skipped. Raises DataError, with the line, for
    ragged lines, NUL bytes, text that is not UTF-8, quotes that do not close, and lines beyond LONGEST_LINE.
    """
    delimiter, width, first = "", 0, 0
    for number, line in _lines(path):
        if not delimiter:
            delimiter = _delimiter(line)
        try:
            reader = csv.reader((line,), delimiter=delimiter, strict=True, skipinitialspace=True)
            fields = [field.strip() for field in next(reader)]
        except csv.Error as error:
            raise DataError(
                f"{path}, line {number} cannot be read: {error}",
                "Check its quotes; a quoted field must close on its own line.",
            ) from None
        if not width:
            width, first = len(fields), number
        if len(fields) != width:
            raise DataError(
                f"{path}, line {number} has {len(fields)} fields, line {first} has {width}",
                f"Every line needs the same number; quote fields that contain the delimiter {_shown(delimiter)}.",
            )
        yield number, fields


def _lines(path: Path) -> Iterator[tuple[int, str]]:
    with opened(path) as file:
        number = 0
        while line := file.readline(LONGEST_LINE + 1):
            number += 1
            if len(line) > LONGEST_LINE:
                raise DataError(
                    f"{path}, line {number} is longer than {LONGEST_LINE:,} bytes",
                    "This is hardly a table of numbers; .npy and .npz hold very wide ones.",
                )
            try:
                text = line.decode("utf-8-sig" if number == 1 else "utf-8")
            except UnicodeDecodeError as error:
                raise DataError(
                    f"{path}, line {number} is not UTF-8: byte {line[error.start]:02x} at position {error.start + 1}",
                    "Save the table as CSV with the encoding UTF-8.",
                ) from None
            if "\0" in text:
                raise DataError(f"{path}, line {number} contains a NUL byte", "It is no text file, or damaged.")
            text = text.rstrip("\r\n")
            if text and not text.isspace():
                yield number, text


def _delimiter(line: str) -> str:
    bare = re.sub(r'"[^"]*"', "", line)
    return next((mark for mark in "\t;" if mark in bare), ",")


def _shown(delimiter: str) -> str:
    return "(tab)" if delimiter == "\t" else f"({delimiter})"
