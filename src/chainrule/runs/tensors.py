"""Arrays and JSON in one safetensors file, which holds no code and is written whole."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from chainrule import storage
from chainrule.errors import ModelFileError

Array = NDArray[Any]
FORMAT_VERSION = 1


def write_tensors(path: Path, kind: str, arrays: Mapping[str, Array], settings: Mapping[str, Any]) -> None:
    """Write `arrays` and JSON `settings` as a file of that `kind` ("model", "checkpoint")."""
    from safetensors.numpy import save

    metadata = {
        "format": f"chainrule-{kind}",
        "version": str(FORMAT_VERSION),
        "settings": json.dumps(settings, ensure_ascii=False),
    }
    contiguous = {name: np.ascontiguousarray(array) for name, array in arrays.items()}
    storage.write_bytes(path, save(contiguous, metadata))


def read_tensors(path: Path, kind: str) -> tuple[dict[str, Array], dict[str, Any]]:
    """The arrays and settings of a file of that `kind`.

    Raises ModelFileError where it is missing, truncated, damaged, of another program or from a newer version.
    """
    from safetensors import SafetensorError, safe_open

    if not path.is_file():
        raise ModelFileError(f"there is no {kind} file {path}", "Check the path; a run keeps its model.safetensors.")
    try:
        with safe_open(path, framework="np") as file:
            metadata = file.metadata() or {}
            _check_origin(path, kind, metadata)
            settings = json.loads(metadata["settings"])
            arrays = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except ModelFileError:
        raise
    except (SafetensorError, KeyError, ValueError, TypeError, AttributeError, OSError, RecursionError) as error:
        raise ModelFileError(
            f"{path} cannot be read as a {kind}: {str(error)[:200]}",
            "The file is damaged or truncated; restore it, or train again.",
        ) from None
    if not isinstance(settings, dict):
        raise ModelFileError(f"{path}: its settings are no mapping", "The file was edited.")
    return arrays, settings


def _check_origin(path: Path, kind: str, metadata: Mapping[str, str]) -> None:
    if metadata.get("format") != f"chainrule-{kind}":
        raise ModelFileError(
            f"{path} is a safetensors file but no chainrule {kind} (format {str(metadata.get('format'))[:60]!r})",
            "It was written by another program, or for another purpose.",
        )
    version = int(metadata["version"])
    if version > FORMAT_VERSION:
        raise ModelFileError(
            f"{path} has format version {version}, this chainrule reads up to {FORMAT_VERSION}",
            "It was written by a newer version: upgrade chainrule.",
        )
