"""The augmented set: every image as it is and a transformed copy of it, written once and read as memory maps."""

import hashlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from chainrule import storage
from chainrule.errors import DataError, RunError
from chainrule.images.features.cache import images_hash
from chainrule.images.places import alone, cache_folder
from chainrule.images.progress import counted
from chainrule.images.transforms import ASSIGNMENT, OneOf, apply, draw, transform
from chainrule.images.transforms.applying import checked

FORMAT = 1  # to be raised when the same settings would give other images
BLOCK_BYTES = 16 << 20

Pixels = NDArray[np.uint8]


@dataclass(frozen=True, eq=False)
class AugmentedSet:
    """The 2m images, read-only memory maps: first the m originals in their order, then a copy of each.

    images: (2m, h, w, c) or (2m, h, w) uint8. labels: (2m,). columns, parameters: the names, and for the copy of image
    i the row i, (m, columns) float64; NaN where a copy was made by another transform.
    transform, seed: what was drawn. folder: where it lies.
    """

    images: Pixels
    labels: NDArray[Any]
    parameters: NDArray[np.float64]
    columns: tuple[str, ...]
    transform: str
    seed: int
    folder: Path

    @property
    def counts(self) -> dict[str, int]:
        """How many copies each transform made."""
        rule = transform(self.transform)
        if not isinstance(rule, OneOf):
            return {self.transform: len(self.parameters)}
        chosen = np.bincount(self.parameters[:, 0].astype(np.int64), minlength=len(rule.names))
        return dict(zip(rule.names, chosen.tolist(), strict=True))


def augmented_set(
    images: NDArray[Any],
    labels: NDArray[Any],
    text: str = ASSIGNMENT,
    *,
    seed: int = 0,
    cache: str | Path | None = None,
    progress: bool = False,
) -> AugmentedSet:
    """The augmented set of images (m, h, w, c) or (m, h, w) with labels (m,), from the cache folder or written there.

    text: what makes the copies, see `transforms.transform`; a OneOf draws one for each image. The stream "augmentation"
    of `seed` decides. A folder is used only where its last file, written when all others are on the disk, says that it
    is of these images and settings; what was left half written is written anew.
    Raises DataError for other arrays than images of bytes, StorageError where the disk is full: what was there stays.
    """
    checked(images)
    if len(labels) != len(images):
        raise DataError(f"{len(images)} images but {len(labels)} labels", "Give one label for each image.")
    rule, text = transform(text), text.strip()
    settings = {
        "format": FORMAT,
        "images": images_hash(images),
        "labels": images_hash(np.asarray(labels)),
        "transform": text,
        "columns": list(rule.columns),
        "seed": seed,
    }
    folder = cache_folder(cache) / "augmented" / _name(settings)
    with storage.storage_errors(folder):
        folder.mkdir(parents=True, exist_ok=True)
    with alone(folder):
        found = _whole(folder, settings)
        if found is None:
            (folder / "about.json").unlink(missing_ok=True)
            _write(folder, images, np.asarray(labels), text, seed, progress)
            storage.write_json(folder / "about.json", settings)
            found = _whole(folder, settings)
        assert found is not None
        return found


def _name(settings: dict[str, Any]) -> str:
    return hashlib.sha256(repr(sorted(settings.items())).encode()).hexdigest()[:24]


def _whole(folder: Path, settings: dict[str, Any]) -> AugmentedSet | None:
    """The finished set; None where there is none, or a file is cut: its header says how long it must be."""
    try:
        if storage.read_json(folder / "about.json") != settings:
            return None
        images, labels, parameters = (
            np.load(folder / f"{name}.npy", mmap_mode="r", allow_pickle=False)
            for name in ("images", "labels", "parameters")
        )
    except (RunError, OSError, ValueError, EOFError):
        return None
    columns = tuple(settings["columns"])
    return AugmentedSet(images, labels, parameters, columns, settings["transform"], settings["seed"], folder)


def _write(folder: Path, images: Pixels, labels: NDArray[Any], text: str, seed: int, progress: bool) -> None:
    rule, m = transform(text), len(images)
    shape = (*images.shape[1:3], images.shape[3] if images.ndim == 4 else 1)
    parameters = draw(rule, shape, np.arange(m), seed=seed)
    size = max(1, BLOCK_BYTES // images[:1].nbytes)
    blocks = [slice(start, start + size) for start in range(0, m, size)]
    with counted("augmenting", 2 * m, progress) as tick:

        def content() -> Iterator[Pixels]:
            for block in blocks:
                yield np.ascontiguousarray(images[block])
                tick(len(images[block]))
            for block in blocks:
                yield apply(rule, images[block], parameters[block])
                tick(len(images[block]))

        _save(folder / "images.npy", (2 * m, *images.shape[1:]), np.dtype(np.uint8), content())
    _save(folder / "labels.npy", (2 * m,), labels.dtype, iter([labels, labels]))
    _save(folder / "parameters.npy", parameters.shape, parameters.dtype, iter([parameters]))


def _save(path: Path, shape: tuple[int, ...], dtype: np.dtype[Any], blocks: Iterator[NDArray[Any]]) -> None:
    """An array file of blocks that come one by one; visible under its name only when it is whole."""
    part = path.with_name(f".{path.name}.part")
    header = {"descr": np.lib.format.dtype_to_descr(dtype), "fortran_order": False, "shape": shape}
    with storage.storage_errors(path):
        try:
            with part.open("wb") as file:
                np.lib.format.write_array_header_1_0(file, header)
                for block in blocks:
                    file.write(np.ascontiguousarray(block).data)
                file.flush()
                os.fsync(file.fileno())
            os.replace(part, path)
        except BaseException:
            part.unlink(missing_ok=True)
            raise
