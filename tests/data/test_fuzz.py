"""Mutated files: a reader gives an array or says in words what is wrong, and keeps within its memory.

CHAINRULE_FUZZ is the number of mutations for each reader; `make fuzz` sets 10,000.
"""

import gzip
import io
import os
import random
import resource
import struct
import tracemalloc

import numpy as np
import pytest
from PIL import Image

from chainrule.data import DataSet, read_idx, read_images, read_table
from chainrule.data.arrays import read_labelled_arrays
from chainrule.data.cifar10 import read_cifar10
from chainrule.data.pickles import read_pickle
from chainrule.data.tables import read_labelled_table
from chainrule.errors import DataError

from .conftest import idx_bytes
from .test_cifar10 import archived, batch, whole

pytestmark = pytest.mark.fuzz

MUTATIONS = int(os.environ.get("CHAINRULE_FUZZ", "300"))
MEASURED = 10  # every so many mutations memory is traced, which is slow
ALLOWANCE = 64 << 20

draw = np.random.default_rng(0)
IDX = idx_bytes(draw.integers(0, 256, (20, 7, 5), np.uint8))
FLOATS = idx_bytes(draw.normal(size=(20, 5)))
CSV = b"height,width,kind\n" + b"".join(
    f"{a:.3f},{b:.4g},{kind}\n".encode()
    for (a, b), kind in zip(draw.normal(size=(40, 2)), ["rose", "lily"] * 20, strict=True)
)
QUOTED = b"\xef\xbb\xbf" + CSV.replace(b"rose", b'"a ""rose"""').replace(b",", b";")
NUMBERS = b"".join(b"%d,%d,%d\r\n" % (i, i * i, i % 3) for i in range(50))


def saved(save, *args, **arrays):
    file = io.BytesIO()
    save(file, *args, **arrays)
    return file.getvalue()


NPY = saved(np.save, np.column_stack([draw.normal(size=(9, 3)), np.arange(9) % 2]))
NPZ = saved(np.savez_compressed, x=draw.normal(size=(9, 3)), y=np.arange(9) % 2)
PNG = saved(lambda file: Image.fromarray(draw.integers(0, 255, (9, 7, 3), np.uint8)).save(file, "PNG"))
JPEG = saved(lambda file: Image.fromarray(draw.integers(0, 255, (9, 7, 3), np.uint8)).save(file, "JPEG"))

BATCH, CIFAR = batch(1, count=3), archived(whole())

TABLE = DataSet.from_arrays(np.eye(2), ["rose", "lily"], columns=("height", "width"), label="kind").spec
IMAGE = DataSet.from_arrays(np.zeros((2, 4, 4), np.uint8), [0, 1]).spec

INTERESTING = [
    b"\0",
    b"\xff" * 4,
    b"\x80\0\0\0",
    b"\n",
    b'"',
    b",,,",
    b"nan",
    b"1e999",
    b"-",
    b"\xef\xbb\xbf",
    b"_",
    b";",
]


def mutated(content: bytes, rng: random.Random) -> bytes:
    data = bytearray(content)
    for _ in range(rng.choice((1, 1, 1, 2, 5))):
        at = rng.randrange(len(data) + 1)
        size = rng.choice((1, 2, 4, 16, len(data)))
        match rng.randrange(8):
            case 0:
                del data[at:]
            case 1:
                del data[at : at + size]
            case 2:
                data[at:at] = rng.randbytes(rng.choice((1, 4, 100)))
            case 3:
                data[at:at] = rng.choice(INTERESTING) * rng.choice((1, 3, 1000))
            case 4:
                data[at:at] = data[at : at + size] * rng.choice((1, 2, 30))
            case 5 if data:
                data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
            case 6:  # the header, where the sizes are
                data[: min(20, len(data))] = bytes(b ^ (rng.random() < 0.1) * rng.randrange(256) for b in data[:20])
            case 7:  # a size that lies
                data[4:8] = struct.pack(">I", rng.choice((0, 1, 21, 1 << 16, 1 << 31, (1 << 32) - 1)))
    return bytes(data)


def regzipped(content: bytes, rng: random.Random) -> bytes:
    """Damage within the gzip data, or damaged content that is gzipped soundly."""
    if rng.random() < 0.5:
        return mutated(gzip.compress(content, mtime=0), rng)
    return gzip.compress(mutated(content, rng), 1, mtime=0) + rng.choice((b"", b"", bytes(9), b"tail"))


def read_rows(path):
    read = read_labelled_table(path)
    assert np.isfinite(read.x).all()
    assert len(read.x) == len(read.y)
    if read.classes:
        assert set(np.unique(read.y)) == set(range(len(read.classes)))


def read_all_images(path):
    raw, names, _ = read_images(path, IMAGE)
    assert (raw.shape, len(names)) == ((1, 4, 4), 1)


READERS = {
    "idx": (read_idx, [IDX, FLOATS], mutated, "a.idx"),
    "idx-gz": (read_idx, [IDX, FLOATS], regzipped, "a.gz"),
    "csv": (read_rows, [CSV, QUOTED, NUMBERS], mutated, "a.csv"),
    "csv-predict": (lambda path: read_table(path, TABLE), [CSV, QUOTED], mutated, "a.csv"),
    "npy": (read_labelled_arrays, [NPY], mutated, "a.npy"),
    "npz": (read_labelled_arrays, [NPZ], mutated, "a.npz"),
    "pickle": (lambda path: read_pickle(path.read_bytes(), path.name), [BATCH], mutated, "data_batch_1"),
    "cifar-10": (read_cifar10, [CIFAR], mutated, "cifar.tar.gz"),
    "images": (read_all_images, [PNG, JPEG], mutated, "a.png"),
}


@pytest.mark.parametrize("reader", READERS)
def test_mutated_files_give_data_errors_and_nothing_else(reader, tmp_path):
    read, contents, mutate, name = READERS[reader]
    path = tmp_path / name
    read_whole = 0
    for i in range(MUTATIONS):
        rng = random.Random(i)
        content = mutate(rng.choice(contents), rng)
        path.write_bytes(content)
        measured = i % MEASURED == 0
        if measured:
            tracemalloc.start()
        try:
            read(path)
            read_whole += 1
        except DataError:
            pass
        except Exception as error:
            raise AssertionError(f"{reader}: mutation {i} ({content[:60]!r}) let {error!r} through") from error
        finally:
            if measured:
                peak = tracemalloc.get_traced_memory()[1]
                tracemalloc.stop()
                assert peak <= 2 * len(content) + ALLOWANCE, f"{reader}: mutation {i} took {peak:,} bytes"
    assert 0 < read_whole < MUTATIONS, "mutations must be of both kinds, or the test shows nothing"


@pytest.mark.parametrize("reader", ["idx", "idx-gz", "csv"])
def test_hostile_files_keep_the_process_small(reader, tmp_path):
    """Outside tracemalloc: what the decompressor and the file buffers take is seen in the process as a whole."""
    hostile = {
        "idx": b"\0\0\x0e\x08" + b"\xff" * 32 + bytes(1 << 16),
        "idx-gz": gzip.compress(b"\0\0\x08\x03" + struct.pack(">3I", 1 << 10, 1 << 10, 1 << 10) + bytes(1 << 28), 9),
        "csv": b'"' + b"," * (1 << 24),
    }[reader]
    path = tmp_path / READERS[reader][3]
    path.write_bytes(hostile)
    size = len(hostile)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(DataError):
        READERS[reader][0](path)
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024
    assert grown <= 2 * size + ALLOWANCE
