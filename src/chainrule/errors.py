"""Every complaint is two lines: what is wrong, with the values, and how to mend it."""

import difflib
from collections.abc import Iterable
from typing import Any


class ChainruleError(Exception):
    """Base of all errors that are meant to be read by a person.

    `problem` says what is wrong, in the reader's words and with the values; `remedy` says how to mend it.
    """

    def __init__(self, problem: str, remedy: str = "") -> None:
        super().__init__(problem, remedy)
        self.problem = problem
        self.remedy = remedy

    def __str__(self) -> str:
        return f"{self.problem}\n{self.remedy}" if self.remedy else self.problem


class InputError(ChainruleError, ValueError):
    """An argument, setting or array that cannot be used as it is."""


class UnknownNameError(InputError):
    """A name that is none of the valid ones."""


class DataError(InputError):
    """A data set, file of data or label that cannot be read or used."""


class ModelFileError(InputError):
    """A model file that is damaged, foreign, edited or from a newer version."""


class RunError(InputError):
    """A run folder that cannot be used as it is."""


class DivergedError(ChainruleError, ArithmeticError):
    """Training met a value that is not finite; `history` is that of the whole epochs before."""

    history: object = None


class NotFiniteError(ArithmeticError):
    """What an engine raises when the outputs of a batch stop being finite; training finds out which value began it."""

    def __init__(self, batch: int, rows: Any) -> None:
        super().__init__(batch, rows)
        self.batch = batch
        self.rows = rows


class StorageError(ChainruleError, OSError):
    """A file or folder that could not be written."""


def shown(value: object) -> str:
    """`value` as it may stand in a message: short, whatever a file holds."""
    try:
        text = repr(value.item() if hasattr(value, "item") and getattr(value, "ndim", 1) == 0 else value)
    except ValueError:  # Python refuses to write whole numbers of thousands of digits
        text = "a number of thousands of digits"
    return text if len(text) <= 80 else f"{text[:60]}… ({len(text):,} characters)"


def unknown_name(kind: str, name: object, valid: Iterable[str]) -> UnknownNameError:
    """The refusal of `name` as a `kind`, with the nearest valid name first."""
    names = sorted(valid)
    near = difflib.get_close_matches(str(name)[:80], names, n=1, cutoff=0.5)
    suggestion = f"Did you mean {near[0]!r}? " if near else ""
    return UnknownNameError(f"unknown {kind} {shown(name)}", f"{suggestion}Valid: {', '.join(names)}.")
