"""A data set in files that many processes map: it is prepared once, and nobody copies or reads it again.

x-train.npy, y-train.npy, …   the arrays of the parts
raw-train.npy, …              images as they were read, where X is not of them anyhow
spec.safetensors              the form of a sample, with its preprocessing
dataset.json                  name and provenance; it is written last, so a folder that has it is whole
"""

import hashlib
import json
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from chainrule import storage
from chainrule.data import DataSet, DataSpec, Part, Prepared
from chainrule.errors import RunError
from chainrule.runs.tensors import read_tensors, write_tensors

Array = NDArray[Any]


def digest(data: DataSet) -> str:
    """What tells a prepared data set from others."""
    return hashlib.sha256(json.dumps([data.name, data.provenance], sort_keys=True).encode()).hexdigest()[:16]


def share(data: DataSet, folder: Path) -> None:
    """Write `data` into `folder`; raises StorageError where there is no room."""
    with storage.storage_errors(folder):
        folder.mkdir(parents=True, exist_ok=True)
        for name, part in data.parts.items():
            x = part.x.raw if isinstance(part.x, Prepared) else part.x
            np.save(folder / f"x-{name}.npy", x)
            np.save(folder / f"y-{name}.npy", part.y)
            if part.raw is not None and not np.shares_memory(part.raw, x):
                np.save(folder / f"raw-{name}.npy", part.raw)
    settings, arrays = data.spec.to_state()
    write_tensors(folder / "spec.safetensors", "data", arrays, settings)
    part = data.train
    content = {
        "name": data.name,
        "parts": list(data.parts),
        "prepared": str(part.x.dtype) if isinstance(part.x, Prepared) else None,
        "raw": None if part.raw is None else list(part.raw.shape[1:]),
        "provenance": data.provenance,
    }
    storage.write_json(folder / "dataset.json", content)


@lru_cache(maxsize=2)
def shared(folder: Path) -> DataSet:
    """The data set that `share` wrote, its arrays mapped read-only; kept for the next who asks in this process."""
    if not (folder / "dataset.json").exists():
        raise RunError(
            f"the data in {folder} are not to be seen from here",
            "All workers need the folder of the sweep under the same path; on other machines, put it on a shared disk.",
        )
    content = storage.read_json(folder / "dataset.json")
    arrays, settings, _ = read_tensors(folder / "spec.safetensors", "data")
    spec = DataSpec.from_state(settings, arrays)
    parts = {name: _part(folder, name, spec, content["prepared"], content["raw"]) for name in content["parts"]}
    return DataSet(
        content["name"], parts["train"], parts.get("validation"), parts.get("test"), spec, content["provenance"]
    )


def _part(folder: Path, name: str, spec: DataSpec, prepared: str | None, shape: list[int] | None) -> Part:
    mapped = _mapped(folder / f"x-{name}.npy")
    x = mapped if prepared is None else Prepared(mapped, spec.preprocessing, dtype=prepared)
    raw = None
    if shape is not None:
        own = folder / f"raw-{name}.npy"
        raw = (_mapped(own) if own.exists() else mapped).reshape(-1, *shape)
    return Part(x, _mapped(folder / f"y-{name}.npy"), raw)


def _mapped(path: Path) -> Array:
    return np.asarray(np.load(path, mmap_mode="r"))
