"""Features are kept on disk under a hash of the images and of what computes them, and grow there block by block.

features.part   finished blocks, one after the other, of float32
blocks          a line a finished block: its CRC-32, written after the block
features.npy    all of them, renamed to only when the last block is on the disk: what has this name is whole
about.json      what they are
"""

import hashlib
import io
import json
import os
import zipfile
import zlib
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from chainrule import storage
from chainrule.errors import ChainruleError
from chainrule.images.features.extractors import Extractor, Recipe, fingerprint_of, from_state, recipe
from chainrule.images.places import alone, cache_folder
from chainrule.images.progress import counted

Floats = NDArray[np.float32]

BLOCK_BYTES = 32 << 20  # of features computed between two writes, and at most lost by an interrupt
MOST_IMAGES = 1024  # in a block


def learned(
    what: str | Recipe | Extractor, images: NDArray[Any], *, cache: str | Path | None = None, progress: bool = False
) -> Extractor:
    """The extractor that `what` (a recipe, or its text) learns from training images; kept, and not learned twice.

    An extractor is given back as it is.
    """
    chosen = recipe(what) if isinstance(what, str) else what
    if not isinstance(chosen, Recipe):
        return chosen
    key = _hash(images_hash(images), repr(chosen))
    file = cache_folder(cache) / "features" / f"learned-{key[:16]}.npz"
    kept = _read_state(file)
    if kept is not None:
        return kept
    with counted(f"learning {chosen.name}", None, progress):
        found = chosen.fit(images)
    settings, arrays = found.to_state()
    if not arrays:  # nothing was learned that takes time
        return found
    buffer = io.BytesIO()
    np.savez(buffer, settings=np.array(json.dumps(settings)), **arrays)  # type: ignore[arg-type]
    storage.write_bytes(file, buffer.getvalue())
    return found


def features_of(
    images: NDArray[Any], extractor: Extractor, *, cache: str | Path | None = None, progress: bool = False
) -> Floats:
    """(m, n) features of images, a read-only memory map; computed where the cache folder does not have them.

    Work that was interrupted goes on after its last whole block, to the same bytes. Raises StorageError where the disk
    is full; what was finished before stays.
    """
    folder = features_folder(images, extractor, cache)
    with storage.storage_errors(folder):
        folder.mkdir(parents=True, exist_ok=True)
    with alone(folder):
        whole = _whole(folder, (len(images), extractor.width))
        if whole is not None:
            return whole
        about = {"features": extractor.name, "images": images_hash(images), "shape": [len(images), extractor.width]}
        storage.write_json(folder / "about.json", {**about, "extractor": fingerprint_of(extractor)})
        _grow(folder, extractor, images, progress)
        whole = _whole(folder, (len(images), extractor.width))
        assert whole is not None
        return whole


def features_folder(images: NDArray[Any], extractor: Extractor, cache: str | Path | None = None) -> Path:
    """Where the features of these images lie, or will."""
    key = _hash(images_hash(images), fingerprint_of(extractor))
    return cache_folder(cache) / "features" / key[:24]


def images_hash(images: NDArray[Any]) -> str:
    """SHA-256 of type, shape and bytes."""
    digest = hashlib.sha256(f"{images.dtype.str} {images.shape}\n".encode())
    for start in range(0, len(images), MOST_IMAGES):
        digest.update(np.ascontiguousarray(images[start : start + MOST_IMAGES]).data)
    return digest.hexdigest()


def _grow(folder: Path, extractor: Extractor, images: NDArray[Any], progress: bool) -> None:
    """Compute the blocks that are missing, and rename the file when it is whole."""
    rows = max(1, min(MOST_IMAGES, BLOCK_BYTES // (4 * extractor.width)))
    header = _header((len(images), extractor.width))
    part, log = folder / "features.part", folder / "blocks"
    done = _finished(
        part, log, header, [min(rows, len(images) - s) * 4 * extractor.width for s in _starts(images, rows)]
    )
    storage.write_text(log, "".join(f"{crc:08x}\n" for crc in done))
    with storage.storage_errors(part), part.open("r+b" if done else "wb") as file:
        _place(file, header, done, rows * 4 * extractor.width)
        with counted(extractor.name, len(images), progress, done=len(done) * rows) as tick:
            for start in _starts(images, rows)[len(done) :]:
                block = extractor(images[start : start + rows])
                _append(file, log, block)
                tick(len(block))
        os.replace(part, folder / "features.npy")
    log.unlink(missing_ok=True)


def _append(file: BinaryIO, log: Path, block: Floats) -> None:
    """The block, and only when it is on the disk the line that says so."""
    content = np.ascontiguousarray(block, "<f4").data.cast("B")
    file.write(content)
    file.flush()
    os.fsync(file.fileno())
    storage.append_line(log, f"{zlib.crc32(content):08x}")


def _finished(part: Path, log: Path, header: bytes, sizes: list[int]) -> list[int]:
    """The checksums of the leading blocks that are whole and are what was written."""
    found: list[int] = []
    if not part.is_file():
        return found
    lines = storage.read_lines(log)
    with part.open("rb") as file:
        if file.read(len(header)) != header:
            return found
        for line, size in zip(lines, sizes, strict=False):
            content = file.read(size)
            if len(content) < size or f"{zlib.crc32(content):08x}" != line:
                break
            found.append(int(line, 16))
    return found


def _place(file: BinaryIO, header: bytes, done: list[int], block: int) -> None:
    """Go to the end of the finished blocks and drop what lies behind it."""
    if not done:
        file.write(header)
    file.seek(len(header) + len(done) * block)
    file.truncate()


def _starts(images: NDArray[Any], rows: int) -> range:
    return range(0, len(images), rows)


def _header(shape: tuple[int, int]) -> bytes:
    """What stands before the numbers in an .npy file."""
    buffer = io.BytesIO()
    np.lib.format.write_array_header_1_0(buffer, {"descr": "<f4", "fortran_order": False, "shape": shape})
    return buffer.getvalue()


def _whole(folder: Path, shape: tuple[int, int]) -> Floats | None:
    """The finished features; None where there are none, or the file is not what it should be."""
    try:
        found = np.load(folder / "features.npy", mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError, EOFError):
        return None
    return found if isinstance(found, np.ndarray) and found.shape == shape and found.dtype == np.float32 else None


def _read_state(file: Path) -> Extractor | None:
    """What `learned` kept; None where there is none, or it is damaged."""
    try:
        with np.load(io.BytesIO(file.read_bytes()), allow_pickle=False) as content:
            arrays = {name: content[name] for name in content.files if name != "settings"}
            return from_state(json.loads(str(content["settings"])), arrays)
    except (OSError, ValueError, KeyError, EOFError, zlib.error, zipfile.BadZipFile, ChainruleError):
        return None


def _hash(*parts: str) -> str:
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()
