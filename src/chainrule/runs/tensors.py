"""Arrays and JSON in one safetensors file, which holds no code and is written whole."""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from chainrule import storage
from chainrule.errors import ModelFileError, shown

Array = NDArray[Any]
FORMAT_VERSION = 1


def write_tensors(path: Path, kind: str, arrays: Mapping[str, Array], settings: Mapping[str, Any]) -> None:
    """Write `arrays` and JSON `settings` as a file of that `kind` ("model", "checkpoint")."""
    from safetensors.numpy import save

    contiguous = {name: np.ascontiguousarray(array) for name, array in arrays.items()}
    header = {
        "format": f"chainrule-{kind}",
        "version": FORMAT_VERSION,
        "sha256": _digest(contiguous, settings),
        "settings": settings,
    }
    # One entry, because safetensors writes several in an order that changes from call to call.
    storage.write_bytes(path, save(contiguous, {"chainrule": json.dumps(header, ensure_ascii=False)}))


def read_tensors(path: Path, kind: str) -> tuple[dict[str, Array], dict[str, Any], bool]:
    """The arrays and settings of a file of that `kind`, and whether both are as they were written.

    Raises ModelFileError where it is missing, truncated, damaged, of another program or from a newer version.
    """
    from safetensors import SafetensorError, safe_open

    if not path.is_file():
        raise ModelFileError(f"there is no {kind} file {path}", "Check the path; a run keeps its model.safetensors.")
    try:
        with safe_open(path, framework="np") as file:
            header = json.loads((file.metadata() or {}).get("chainrule", "{}"))
            _check_origin(path, kind, header)
            arrays = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        settings = header["settings"]
        if not isinstance(settings, dict):
            raise ValueError("its settings are no mapping")
        return arrays, settings, header["sha256"] == _digest(arrays, settings)
    except ModelFileError:
        raise
    except (SafetensorError, KeyError, ValueError, TypeError, AttributeError, OSError, RecursionError) as error:
        raise ModelFileError(
            f"{path} cannot be read as a {kind}: {str(error)[:200]}",
            "The file is damaged or truncated; restore it, or train again.",
        ) from None


def _digest(arrays: Mapping[str, Array], settings: Mapping[str, Any]) -> str:
    digest = hashlib.sha256(json.dumps(settings, sort_keys=True).encode())
    for name in sorted(arrays):
        digest.update(f"{name} {arrays[name].dtype.str} {arrays[name].shape}\n".encode())
        digest.update(arrays[name].data)
    return digest.hexdigest()


def _check_origin(path: Path, kind: str, header: Any) -> None:
    found = header.get("format") if isinstance(header, dict) else None
    if found != f"chainrule-{kind}":
        raise ModelFileError(
            f"{path} is a safetensors file but no chainrule {kind} (format {shown(found)})",
            "It was written by another program, or for another purpose.",
        )
    version = header["version"]
    if not isinstance(version, int) or isinstance(version, bool) or version < 1:
        raise ModelFileError(f"{path} has format version {shown(version)}, which is none", "The file was edited.")
    if version > FORMAT_VERSION:
        raise ModelFileError(
            f"{path} has format version {shown(version)}, this chainrule reads up to {FORMAT_VERSION}",
            "It was written by a newer version: upgrade chainrule.",
        )
