"""CIFAR-10 in its Python edition: six pickled batches and the names of the classes, in a folder or in its archive.

A batch holds under b"data" the images (n, 3072), for each the 1,024 reds, greens and blues row by row, and under
b"labels" their classes; Krizhevsky, Learning Multiple Layers of Features from Tiny Images, 2009.
"""

import gzip
import hashlib
import tarfile
import zlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
from numpy.typing import NDArray

from chainrule.data.files import opened
from chainrule.data.pickles import read_pickle
from chainrule.errors import DataError, shown

FOLDER = "cifar-10-batches-py"
SIDE, COLOURS = 32, 3
PIXELS = COLOURS * SIDE * SIDE
CLASSES = 10
TRAINING = tuple(f"data_batch_{n}" for n in range(1, 6))
META, TEST = "batches.meta", "test_batch"
# MD5 of the files of the original archive, as torchvision prints them.
ORIGINALS = {
    "data_batch_1": "c99cafc152244af753f735de768cd75f",
    "data_batch_2": "d4bba439e000b95fd0a9bffe97cbabec",
    "data_batch_3": "54ebc095f3ab1f0389bbae665268c751",
    "data_batch_4": "634d18415352ddfa80567beed471001a",
    "data_batch_5": "482c414d41f54cd18b22e5b47cb7c3cb",
    TEST: "40351d587109b95175f43aff81a1287e",
    META: "5ff9c542aee3614f3951f8cda6e48888",
}
LARGEST_FILE = 40 << 20  # bytes; a batch has 31 million
MOST_MEMBERS = 100
AGAIN = "Fetch the archive again."

Pixels = NDArray[np.uint8]
Labels = NDArray[np.int64]


@dataclass(frozen=True)
class Cifar10:
    """x (50,000, 32, 32, 3) and y for training, x_test (10,000, 32, 32, 3) and y_test, the names of the classes.

    files: name, bytes and SHA-256 of what was read. other: names of files that are not those of the original archive.
    """

    x: Pixels
    y: Labels
    x_test: Pixels
    y_test: Labels
    classes: tuple[str, ...]
    files: list[dict[str, Any]]
    other: list[str]


@dataclass(frozen=True)
class _File:
    """A file that was read: what it holds, and the fingerprints of its bytes."""

    content: Any
    origin: dict[str, Any]
    md5: str


def read_cifar10(path: str | Path, sha256: str = "") -> Cifar10:
    """Read the folder `cifar-10-batches-py`, or the archive `cifar-10-python.tar.gz` or `.tar`, which stays packed.

    sha256: the published one of the archive. Nothing in the files is run: see `pickles`.
    Raises DataError for missing, truncated and damaged files; for members of an archive that lead out of its folder,
    are links or are too large; for pickles with anything that the originals do not contain; for images of another size.
    """
    path = Path(path)
    with ThreadPoolExecutor(2) as pool:  # hashing, unpacking and copying all let other threads run
        whole = None if path.is_dir() else pool.submit(_sha256, path)
        contents = _in_folder(path) if whole is None else _in_archive(path)
        reading = {name: pool.submit(_read, name, content) for name, content in contents}
        files = {name: future.result() for name, future in reading.items()}
        archive = None if whole is None else whole.result()
    missing = [name for name in ORIGINALS if name not in files]
    if missing:
        raise DataError(f"{path} lacks {', '.join(missing)}", "Fetch CIFAR-10 again, whole.")
    classes = _classes(files[META].content)
    x, y = _joined([files[name].content for name in TRAINING])
    x_test, y_test = files[TEST].content
    if archive is not None:
        origins = [{"name": path.name, "bytes": path.stat().st_size, "sha256": archive}]
        other = [] if archive == sha256 else [path.name]
    else:
        origins = [files[name].origin for name in ORIGINALS]
        other = [name for name, md5 in ORIGINALS.items() if files[name].md5 != md5]
    return Cifar10(x, y, x_test, y_test, classes, origins, other)


def _sha256(path: Path) -> str:
    with opened(path) as file:
        return hashlib.file_digest(file, "sha256").hexdigest()  # type: ignore[arg-type]


def _in_folder(folder: Path) -> Iterator[tuple[str, bytes]]:
    for name in ORIGINALS:
        path = folder / name
        with opened(path) as file:
            if path.stat().st_size > LARGEST_FILE:
                raise DataError(f"{path} has {path.stat().st_size:,} bytes", "A batch of CIFAR-10 has 31 million.")
            yield name, file.read()


def _in_archive(path: Path) -> Iterator[tuple[str, bytes]]:
    """The files of the archive one by one, each refused before it is read where it has no business there."""
    with opened(path) as file:
        packed = file.read(2) == b"\x1f\x8b"
        file.seek(0)
        try:
            content = _Sober(gzip.GzipFile(fileobj=file) if packed else file, path)
            with tarfile.open(fileobj=content, mode="r:") as archive:  # type: ignore[call-overload]
                for count, member in enumerate(archive):
                    if count >= MOST_MEMBERS:
                        raise DataError(f"{path} holds more than {MOST_MEMBERS} files", AGAIN)
                    name = _checked(member, path)
                    if name is not None:
                        held = archive.extractfile(member)
                        assert held is not None
                        yield name, held.read()
            if len(content.read(LARGEST_FILE)) == LARGEST_FILE:  # to its end, where gzip's own checksum stands
                raise DataError(f"{path} goes on beyond its files", AGAIN)
        except EOFError:
            raise DataError(f"{path} is truncated: its gzip data end too early", AGAIN) from None
        except (tarfile.TarError, gzip.BadGzipFile, zlib.error, ValueError, OverflowError) as error:
            if isinstance(error, DataError):
                raise
            truncated = "end of data" in str(error)
            raise DataError(f"{path} is {'truncated' if truncated else 'damaged'}: {error}", AGAIN) from None


class _Sober:
    """A file of which nobody reads more at once than the largest honest file has, whatever a header says."""

    def __init__(self, file: Any, path: Path) -> None:
        self._file, self._path = file, path
        self.seek, self.tell = file.seek, file.tell

    def read(self, size: int) -> bytes:
        if not 0 <= size <= LARGEST_FILE:
            raise DataError(f"{self._path} announces a part of {size:,} bytes", AGAIN)
        content: bytes = self._file.read(size)
        return content


def _checked(member: tarfile.TarInfo, path: Path) -> str | None:
    """The name of a file to be read; None for one to be passed over."""
    place = PurePosixPath(member.name)
    what = f"{path} holds {shown(member.name)}"
    if place.is_absolute() or ".." in place.parts or "\\" in member.name:
        raise DataError(f"{what}, which leads out of its folder", "This is not the original archive; do not unpack it.")
    if not (member.isfile() or member.isdir()):
        raise DataError(f"{what}, which is a link or a device", "This is not the original archive; do not unpack it.")
    if member.size > LARGEST_FILE:
        raise DataError(f"{what} of {member.size:,} bytes", "A batch of CIFAR-10 has 31 million.")
    wanted = member.isfile() and place.name in ORIGINALS and place.parent == PurePosixPath(FOLDER)
    return place.name if wanted else None


def _read(name: str, content: bytes) -> _File:
    """What a file holds: images and labels, or for `batches.meta` its dictionary."""
    origin = {"name": name, "bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}
    md5 = hashlib.md5(content, usedforsecurity=False).hexdigest()
    entries = read_pickle(content, name)
    return _File(entries if name == META else _batch(entries, name), origin, md5)


def _batch(entries: Any, name: str) -> tuple[Pixels, Labels]:
    """Images (n, 32, 32, 3) and labels (n,) of a batch."""
    data = entries.get(b"data") if isinstance(entries, dict) else None
    labels = entries.get(b"labels") if isinstance(entries, dict) else None
    if not isinstance(data, np.ndarray) or not isinstance(labels, list):
        raise DataError(f"{name} holds no images and labels", "A batch has b'data' and b'labels'. " + AGAIN)
    if data.ndim != 2 or data.shape[1] != PIXELS or not len(data):
        raise DataError(
            f"{name}: its images have shape {data.shape}",
            f"Those of CIFAR-10 are (n, {PIXELS}): {COLOURS} colours of {SIDE} × {SIDE} pixels.",
        )
    if len(labels) != len(data):
        raise DataError(f"{name} holds {len(data):,} images but {len(labels):,} labels", AGAIN)
    if not all(type(label) is int and 0 <= label < CLASSES for label in labels):
        wrong = next(i for i, label in enumerate(labels) if type(label) is not int or not 0 <= label < CLASSES)
        raise DataError(
            f"{name}: the label of image {wrong} is {shown(labels[wrong])}", f"Labels are 0 to {CLASSES - 1}."
        )
    planes = data.reshape(-1, COLOURS, SIDE, SIDE)
    images = np.empty((len(data), SIDE, SIDE, COLOURS), np.uint8)
    for c in range(COLOURS):
        images[..., c] = planes[:, c]
    return images, np.array(labels, np.int64)


def _joined(batches: list[tuple[Pixels, Labels]]) -> tuple[Pixels, Labels]:
    return np.concatenate([x for x, _ in batches]), np.concatenate([y for _, y in batches])


def _classes(meta: Any) -> tuple[str, ...]:
    found = meta.get(b"label_names") if isinstance(meta, dict) else None
    names = [n.decode("utf-8", "replace") for n in found if isinstance(n, bytes)] if isinstance(found, list) else []
    if len(set(names)) != CLASSES:
        raise DataError(f"{META} names {len(set(names))} classes", f"CIFAR-10 has {CLASSES}. " + AGAIN)
    return tuple(names)
