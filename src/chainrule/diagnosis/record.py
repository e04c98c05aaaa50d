"""An `Intake` as one file between two processes: an npz archive of arrays and one JSON text; nothing is pickled."""

import dataclasses
import io
import json
import types
import typing
import zipfile
import zlib
from pathlib import Path
from typing import Any

import numpy as np

from chainrule.diagnosis import observation
from chainrule.diagnosis.observation import Intake

_TEXT = "record"
_DAMAGES = (
    OSError,
    ValueError,
    KeyError,
    TypeError,
    AttributeError,
    EOFError,
    IndexError,
    NotImplementedError,
    MemoryError,
    zipfile.BadZipFile,
    zlib.error,
)


class DamagedRecordError(Exception):
    """The file is no whole record."""


def to_bytes(intake: Intake) -> bytes:
    arrays: dict[str, Any] = {}
    text = json.dumps(_plain(intake, arrays))
    file = io.BytesIO()
    arrays[_TEXT] = np.frombuffer(text.encode(), dtype=np.uint8)
    np.savez(file, **arrays)
    return file.getvalue()


def from_bytes(content: bytes) -> Intake:
    """Raises DamagedRecordError where anything does not fit."""
    try:
        with np.load(io.BytesIO(content), allow_pickle=False) as archive:
            arrays = {name: archive[name] for name in archive.files}
        text = json.loads(arrays.pop(_TEXT).tobytes().decode())
        intake = _typed(text, Intake, arrays)
    except _DAMAGES as error:
        raise DamagedRecordError(str(error)) from None
    assert isinstance(intake, Intake)
    return intake


def _plain(value: Any, arrays: dict[str, Any]) -> Any:
    if dataclasses.is_dataclass(value):
        return {field.name: _plain(getattr(value, field.name), arrays) for field in dataclasses.fields(value)}
    if isinstance(value, np.ndarray):
        name = f"a{len(arrays)}"
        arrays[name] = np.asarray(value, dtype=np.float64)
        return name
    if isinstance(value, dict):
        return {str(key): _plain(each, arrays) for key, each in value.items()}
    if isinstance(value, tuple | list):
        return [_plain(each, arrays) for each in value]
    if isinstance(value, Path):
        return str(value)
    if isinstance(value, np.generic):
        return value.item()
    return value


def _typed(value: Any, kind: Any, arrays: dict[str, Any]) -> Any:
    """The plain `value` as an object of the annotated type `kind`."""
    origin, inner = typing.get_origin(kind), typing.get_args(kind)
    if origin in (types.UnionType, typing.Union):
        return None if value is None else _typed(value, next(each for each in inner if each is not type(None)), arrays)
    if origin is np.ndarray:
        return arrays[value]
    if origin is dict:
        return {key: _typed(each, inner[1], arrays) for key, each in value.items()}
    if origin is list:
        return [_typed(each, inner[0], arrays) for each in value]
    if origin is tuple:
        kinds = [inner[0]] * len(value) if len(inner) == 2 and inner[1] is Ellipsis else inner
        return tuple(_typed(each, one, arrays) for each, one in zip(value, kinds, strict=True))
    if dataclasses.is_dataclass(kind):
        hints = typing.get_type_hints(kind, vars(observation))
        assert isinstance(kind, type)
        return kind(**{name: _typed(each, hints[name], arrays) for name, each in value.items()})
    if kind is Path:
        return Path(value)
    return value
