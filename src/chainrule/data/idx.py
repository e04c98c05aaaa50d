"""IDX, the format of MNIST: four magic bytes, big-endian sizes, then the numbers; gzipped or not.

Magic: two zero bytes, one for the dtype, one for the number of axes. The reader believes no header: memory
stays within twice the size of the file plus 64 MiB, whatever the file says.
"""

import gzip
import math
import zlib
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from chainrule.data.files import ALLOWANCE, opened
from chainrule.errors import DataError

DTYPES = {0x08: "u1", 0x09: "i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}
MOST_AXES = 8
CHUNK = 1 << 20
WORKING_MEMORY = 16 << 20  # of the allowance: the spare end of the growing buffer, chunks, the decompressor
AGAIN = "Fetch the file again."


def read_idx(path: str | Path) -> NDArray[Any]:
    """The array of an IDX file, in native byte order; whether it is gzipped is seen from its content.

    Raises DataError, with a message of its own for each: missing, empty, neither gzip nor IDX, unknown dtype or axes,
    no data, truncated, bytes beyond the end, damaged gzip data, and gzip content larger than a reader may hold.
    """
    path = Path(path)
    with opened(path) as file:
        start = file.read(2)
        file.seek(0)
        size = path.stat().st_size
        if start == b"\x1f\x8b":
            return _read_gzip(file, path, 2 * size + ALLOWANCE - WORKING_MEMORY)
        if start != b"\0\0" and path.suffix == ".gz":
            raise DataError(
                f"{path} is named .gz but is no gzip file: it begins with {start.hex(' ')}",
                "Often a web page was saved in its place. " + AGAIN,
            )
        return _read(file, path, size)


def read_pair(images: str | Path, labels: str | Path) -> tuple[NDArray[Any], NDArray[Any]]:
    """Images (m, h, w) and their labels (m,) from two IDX files that must be of one length."""
    x, y = read_idx(images), read_idx(labels)
    if x.ndim != 3 or y.ndim != 1:
        wrong, wanted, found = (images, 3, x.ndim) if x.ndim != 3 else (labels, 1, y.ndim)
        raise DataError(
            f"{wrong} has {found} axes, not {wanted}",
            "Images have three (samples, height, width), labels one; are the two files swapped?",
        )
    if len(x) != len(y):
        raise DataError(
            f"{Path(images).name} holds {len(x):,} images but {Path(labels).name} {len(y):,} labels",
            "The two files do not belong together, or one is incomplete. " + AGAIN,
        )
    return x, y


def _read_gzip(file: IO[bytes], path: Path, limit: int) -> NDArray[Any]:
    try:
        with gzip.GzipFile(fileobj=file) as content:
            return _read(content, path, limit, compressed=True)
    except EOFError:
        raise DataError(f"{path} is truncated: its gzip data end too early", AGAIN) from None
    except (gzip.BadGzipFile, zlib.error) as error:
        raise DataError(f"{path} is damaged: {error}", AGAIN) from None


def _read(content: IO[bytes] | gzip.GzipFile, path: Path, limit: int, compressed: bool = False) -> NDArray[Any]:
    dtype, shape = _header(content, path)
    wanted = math.prod(shape) * dtype.itemsize
    if compressed and wanted > limit:
        raise DataError(
            f"{path} says it holds {wanted:,} bytes, too many for a gzip file of its size",
            "If that is true, unpack it with gunzip and read the plain file.",
        )
    # The buffer grows with what is really there. np.frombuffer looks into it, so there is no second copy.
    buffer = bytearray()
    while len(buffer) < wanted and (chunk := content.read(min(CHUNK, wanted - len(buffer)))):
        buffer += chunk
    if len(buffer) < wanted:
        raise DataError(
            f"{path} is truncated: {_in_words(shape)} need {wanted:,} bytes, {len(buffer):,} are there", AGAIN
        )
    if content.read(1):
        raise DataError(
            f"{path} has bytes beyond the {wanted:,} of its {_in_words(shape)} numbers",
            "Its header or its end is damaged. " + AGAIN,
        )
    array = np.frombuffer(buffer, dtype)
    if not dtype.isnative:
        array = array.byteswap(inplace=True).view(dtype.newbyteorder("="))
    return array.reshape(shape)


def _header(content: IO[bytes] | gzip.GzipFile, path: Path) -> tuple[np.dtype[Any], tuple[int, ...]]:
    magic = content.read(4)
    if len(magic) < 4:
        raise DataError(f"{path} is truncated: {len(magic)} bytes are no IDX header", AGAIN)
    if magic[:2] != b"\0\0":
        raise DataError(
            f"{path} is no IDX file: it begins with {magic.hex(' ')}",
            "An IDX file begins with 00 00 08 03 (images) or 00 00 08 01 (labels).",
        )
    if magic[2] not in DTYPES:
        known = ", ".join(f"{code:02x}" for code in DTYPES)
        raise DataError(f"{path} has the unknown IDX dtype {magic[2]:02x}", f"Known: {known}.")
    if not 1 <= magic[3] <= MOST_AXES:
        raise DataError(f"{path} says it has {magic[3]} axes", f"An IDX array has 1 to {MOST_AXES}.")
    sizes = content.read(4 * magic[3])
    if len(sizes) < 4 * magic[3]:
        raise DataError(f"{path} is truncated within its header", AGAIN)
    shape = tuple(int(n) for n in np.frombuffer(sizes, ">u4"))
    if 0 in shape:
        raise DataError(f"{path} holds no data: its sizes are {_in_words(shape)}", AGAIN)
    return np.dtype(DTYPES[magic[2]]), shape


def _in_words(shape: tuple[int, ...]) -> str:
    return " × ".join(f"{n:,}" for n in shape)
