"""A model in one file: weights, structure, preprocessing, and a probe that proves it still computes what it did."""

import hashlib
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from chainrule.data import DataSpec
from chainrule.errors import InputError, ModelFileError
from chainrule.network import Network
from chainrule.randomness import generator
from chainrule.runs.tensors import read_tensors, write_tensors

Array = NDArray[Any]

PROBE_ROWS = 4
PROBE_TOLERANCE = 1e-5


def save(net: Network, path: str | Path, *, examples: ArrayLike | None = None) -> None:
    """Write `net`, with what it knows of its data, as a safetensors file.

    `examples` (n, d) are inputs for the probe; random ones join them, so that no weight stays unasked.
    Raises StorageError where the file cannot be written.
    """
    probe = generator(0, "subset").normal(size=(PROBE_ROWS, net.layers[0]))
    if examples is not None:
        probe = np.concatenate([probe, net.inputs(examples)[:PROBE_ROWS]])
    probe = probe.astype(net.dtype)
    arrays = {f"network/{name}": array for name, array in {**net.parameters(), **net.statistics()}.items()}
    arrays |= {"probe/x": probe, "probe/z": net.logits(probe)}
    settings: dict[str, Any] = {"network": net.to_config(), "data": None}
    if net.spec is not None:
        settings["data"], described = net.spec.to_state()
        arrays |= {f"data/{name}": array for name, array in described.items()}
    write_tensors(Path(path), "model", arrays, settings)


def fingerprint(net: Network) -> str:
    """SHA-256 over all parameters and running statistics."""
    digest = hashlib.sha256()
    for name, array in {**net.parameters(), **net.statistics()}.items():
        digest.update(f"{name} {array.dtype.str} {array.shape}\n".encode())
        digest.update(np.ascontiguousarray(array).data)
    return digest.hexdigest()


def load(path: str | Path) -> Network:
    """The network in a model file or in a run folder; `net.spec` describes its data and prepares raw input.

    Raises ModelFileError where the file is damaged, edited, of another program or from a newer version.
    """
    path = Path(path)
    if path.is_dir():
        path = path / "model.safetensors"
    arrays, settings, intact = read_tensors(path, "model")
    try:
        net = Network.from_config(settings["network"], _group(arrays, "network"))
        if settings["data"] is not None:
            net.spec = DataSpec.from_state(settings["data"], _group(arrays, "data"))
            _check_agreement(net)
        _replay(net, arrays["probe/x"], arrays["probe/z"])
    except ModelFileError as error:
        raise ModelFileError(f"{path}: {error.problem}", error.remedy) from None
    except InputError as error:
        raise ModelFileError(f"{path} holds no usable model: {error.problem}", error.remedy) from None
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError, MemoryError) as error:
        raise ModelFileError(f"{path} holds no usable model: {error!r}"[:300], "The file was edited.") from None
    if not intact:
        raise ModelFileError(f"{path} was changed after it was saved", "Restore the file, or train again.")
    return net


def _group(arrays: dict[str, Array], kind: str) -> dict[str, Array]:
    return {name.removeprefix(f"{kind}/"): array for name, array in arrays.items() if name.startswith(f"{kind}/")}


def _check_agreement(net: Network) -> None:
    """Refuse a model whose description of its data does not fit its layers."""
    spec, width = net.spec, net.layers[-1]
    fits = spec.features == net.layers[0] and spec.task == net.output.task
    if spec.classes:
        fits = fits and (len(spec.classes) == width or (len(spec.classes) == 2 and width == 1))
    if not fits:
        raise ModelFileError(
            f"data of {spec.features} features and {len(spec.classes)} classes do not go with layers {net.layers}",
            "The file was edited.",
        )


def _replay(net: Network, x: Array, z: Array) -> None:
    """Refuse a model that does not compute the logits that it computed when it was saved."""
    if len(x) > 2 * PROBE_ROWS:
        raise ModelFileError(f"the probe has {len(x)} rows, not {2 * PROBE_ROWS} at most", "The file was edited.")
    with np.errstate(all="ignore"):
        now = net.logits(x)
        agree = now.shape == z.shape and _agree(now, z)
    if not agree:
        raise ModelFileError(
            "the model does not compute what it computed when it was saved: its probe disagrees",
            "Its weights or settings were edited. Restore the file, or train again.",
        )


def _agree(now: Array, z: Array) -> bool:
    """Whether the rows of both are the same but for rounding; infinity and NaN, which huge weights give, exactly."""
    finite = np.isfinite(z) & np.isfinite(now)
    near = PROBE_TOLERANCE * np.maximum(1, np.where(finite, np.abs(z), 0).max(axis=1, keepdims=True))
    same = (now == z) | (np.isnan(now) & np.isnan(z))
    return bool(np.where(finite, np.abs(now - z) <= near, same).all())
