"""CIFAR-10: the batches as Python 2 wrote them, in a folder or an archive, and everything else refused unread."""

import gzip
import io
import os
import pickle
import shutil
import tarfile
from pathlib import Path

import numpy as np
import pytest

from chainrule.data import Prepared, downloads, fetch, load_data
from chainrule.data.cifar10 import FOLDER, META, ORIGINALS, read_cifar10
from chainrule.data.pickles import read_pickle
from chainrule.errors import DataError

CLASSES = [b"airplane", b"automobile", b"bird", b"cat", b"deer", b"dog", b"frog", b"horse", b"ship", b"truck"]
ARCHIVE = "cifar-10-python.tar.gz"


class Python2Pickler(pickle._Pickler):
    """Byte strings and NumPy's names as Python 2 pickled them; the standard library's pickler writes all the rest."""

    dispatch = dict(pickle._Pickler.dispatch)  # noqa: RUF012  the base class has it so

    def save_bytes(self, value):
        size = len(value)
        short = size < 256
        self.write((b"U" + bytes([size]) if short else b"T" + size.to_bytes(4, "little")) + value)
        self.memoize(value)

    dispatch[bytes] = save_bytes

    def save_global(self, value, name=None):
        module = value.__module__.replace("numpy._core", "numpy.core")
        self.write(b"c" + f"{module}\n{value.__qualname__}\n".encode())
        self.memoize(value)

    for kind in (type, type(len), type(lambda: None)):
        dispatch[kind] = save_global


def pickled(entry):
    file = io.BytesIO()
    Python2Pickler(file, protocol=2).dump(entry)
    return file.getvalue()


def batch(part, count=20, **changes):
    """Images whose every pixel tells part, colour, row and column; labels 0 … 9 in turn."""
    c, i, j = np.indices((3, 32, 32))
    one = (50 * c + 3 * i + j + part).astype(np.uint8).reshape(-1)
    entry = {
        b"batch_label": b"training batch %d of 5" % part,
        b"labels": [int(k) for k in (np.arange(count) + part) % 10],
        b"data": np.tile(one, (count, 1)),
        b"filenames": [b"%d.png" % k for k in range(count)],
    }
    return pickled(entry | {name.encode(): value for name, value in changes.items()})


def contents(**changes):
    files = {name: batch(part) for part, name in enumerate(ORIGINALS)}
    files[META] = pickled({b"num_cases_per_batch": 20, b"label_names": CLASSES, b"num_vis": 3072})
    return files | changes


def folder(place, **changes):
    path = place / FOLDER
    path.mkdir(parents=True)
    for name, content in contents(**changes).items():
        (path / name).write_bytes(content)
    return path


def archive(path, members):
    path.write_bytes(archived(members))
    return path


def archived(members):
    """A tar.gz of (TarInfo or name, content)."""
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w:gz", compresslevel=1) as tar:
        for member, content in members:
            info = member if isinstance(member, tarfile.TarInfo) else tarfile.TarInfo(member)
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
    return file.getvalue()


def whole(**changes):
    return [(f"{FOLDER}/{name}", content) for name, content in contents(**changes).items()]


def test_a_pixel_stands_where_its_colour_row_and_column_say(tmp_path):
    read = read_cifar10(folder(tmp_path))
    assert (read.x.shape, read.x_test.shape, read.x.dtype) == ((100, 32, 32, 3), (20, 32, 32, 3), np.uint8)
    for n, part in ((0, 0), (99, 4)):
        for i, j, c in ((0, 0, 0), (5, 9, 1), (31, 30, 2)):
            assert read.x[n, i, j, c] == 50 * c + 3 * i + j + part
    assert read.y[:3].tolist() == [0, 1, 2]
    assert read.y[20:23].tolist() == [1, 2, 3], "the batches follow one another in their order"
    assert read.classes == tuple(name.decode() for name in CLASSES)


def test_folder_archive_and_plain_tar_hold_the_same(tmp_path):
    loose = read_cifar10(folder(tmp_path))
    packed = archive(tmp_path / ARCHIVE, [(f"{FOLDER}/readme.html", b"<p>"), *whole()])
    plain = tmp_path / "cifar-10-python.tar"
    plain.write_bytes(gzip.decompress(packed.read_bytes()))
    for path in (packed, plain):
        read = read_cifar10(path)
        assert np.array_equal(read.x, loose.x)
        assert np.array_equal(read.y_test, loose.y_test)


def test_load_data_keeps_bytes_and_gives_the_rows_that_an_array_would_have(tmp_path):
    folder(tmp_path)
    data = load_data("cifar10", data_dir=tmp_path, validation=10)
    assert [len(part) for part in data.parts.values()] == [90, 10, 20]
    assert data.image_shape == (32, 32, 3)
    assert data.classes[9] == "truck"
    assert isinstance(data.train.x, Prepared)
    assert data.train.raw.shape == (90, 32, 32, 3)
    assert not data.train.raw.flags.writeable
    assert np.array_equal(data.train.x[3:5], (data.train.raw[3:5].reshape(2, -1) / 255).astype(np.float32))
    note = data.provenance["notes"][0]
    assert "checksum is not the published one: data_batch_1" in note
    assert [file["name"] for file in data.provenance["files"]] == list(ORIGINALS)


def test_the_folder_is_found_beside_in_and_as_the_data_folder_and_before_the_archive(tmp_path):
    inner = folder(tmp_path / "cifar10")
    assert fetch("cifar10", tmp_path) == [inner]
    assert fetch("cifar10", tmp_path / "cifar10") == [inner]
    assert fetch("cifar10", inner) == [inner]
    shutil.rmtree(inner)
    packed = archive(tmp_path / ARCHIVE, whole())
    assert fetch("cifar10", tmp_path) == [packed]


def test_without_files_and_network_the_message_names_the_archive(tmp_path, monkeypatch, refused):
    none = downloads.Published(("http://127.0.0.1:9/",), downloads.PUBLISHED["cifar10"].files, FOLDER)
    monkeypatch.setitem(downloads.PUBLISHED, "cifar10", none)
    with refused("cifar10 is not on this machine", ARCHIVE, "no connection"):
        load_data("cifar10", data_dir=tmp_path)


class Evil:
    """Pickled by the standard library, it calls what it is told when it is loaded."""

    def __init__(self, function, *arguments):
        self.call = function, arguments

    def __reduce__(self):
        return self.call


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (pickle.dumps(Evil(os.system, "touch {}"), 2), "system"),
        (pickle.dumps(Evil(eval, "1"), 0), "eval"),
        (pickle.dumps(Evil(eval, "1"), 4), "protocol 4"),
        (pickle.dumps({"x": np.float64}, 2), "numpy.float64"),
        (b"\x80\x02cnumpy.core.multiarray\nscalar\n.", "numpy.core.multiarray.scalar"),
        (b"\x80\x02cnumpy\nndarray\nK\x01R.", "malformed"),
        (b"\x80\x02(cos\nsystem\nU\x02lso.", "os.system"),
        (b"\x80\x02U\x05a\nb c\x81.", "NEWOBJ"),
        (b"\x80\x02U\x01aQ.", "BINPERSID"),
        (b"\x80\x02}q\x00\xfd.", "0xfd"),
        (pickled({b"data": np.zeros(3, np.int64)}), "another kind than bytes"),
        (pickled({b"data": np.array([None])}), "another kind than bytes"),
        (b"\x80\x02T\xff\xff\xff\xff.", "truncated"),
        (b"\x80\x02}", "truncated"),
        (b"\x80\x02}]s.", "malformed"),
        (b"\x80\x02h\x07.", "malformed"),
        (b"\x80\x02u.", "malformed"),
        (b"\x80\x02]]K\x01s.", "malformed"),
        (b"", "truncated"),
    ],
)
def test_a_pickle_with_anything_else_is_refused_and_nothing_of_it_runs(tmp_path, refused, content, words):
    trace = tmp_path / "trace"
    content = content.replace(b"touch {}", b"touch %s" % str(trace).encode()) if b"{}" in content else content
    with pytest.raises(DataError) as caught:
        read_pickle(content, "test_batch")
    problem, remedy = str(caught.value).split("\n")
    assert words in problem
    assert "DataError" not in remedy, "said once"
    path = folder(tmp_path, test_batch=content or b"\x80")
    with pytest.raises(DataError):
        read_cifar10(path)
    assert not trace.exists()


def test_python_reads_our_batches_as_we_do():
    """The fixture is a pickle like any other."""
    content = batch(3)
    theirs = pickle.loads(content, encoding="bytes")
    ours = read_pickle(content, "data_batch_3")
    assert ours.keys() == theirs.keys()
    assert np.array_equal(ours[b"data"], theirs[b"data"])
    assert ours[b"labels"] == theirs[b"labels"]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"data": np.zeros((20, 28 * 28), np.uint8)}, ("shape (20, 784)", "(n, 3072)")),
        ({"data": np.zeros((20, 3072, 1), np.uint8)}, ("shape (20, 3072, 1)",)),
        ({"data": np.zeros((0, 3072), np.uint8), "labels": []}, ("shape (0, 3072)",)),
        ({"data": b"none"}, ("holds no images",)),
        ({"labels": [0] * 19}, ("20 images but 19 labels",)),
        ({"labels": [0] * 19 + [10]}, ("label of image 19 is 10",)),
        ({"labels": [0] * 19 + [b"cat"]}, ("label of image 19 is b'cat'",)),
    ],
)
def test_a_batch_of_other_images_or_labels_is_refused(tmp_path, refused, changes, words):
    path = folder(tmp_path, data_batch_2=batch(2, **changes))
    with refused("data_batch_2", *words):
        read_cifar10(path)


def test_missing_files_and_names_of_classes_are_told(tmp_path, refused):
    path = folder(tmp_path / "a", **{META: pickled({b"label_names": CLASSES[:9]})})
    with refused("batches.meta names 9 classes"):
        read_cifar10(path)
    (path / "test_batch").unlink()
    with refused("test_batch does not exist"):
        read_cifar10(path)
    packed = archive(tmp_path / ARCHIVE, whole()[:-2])
    with refused(f"{ARCHIVE} lacks test_batch, batches.meta"):
        read_cifar10(packed)


@pytest.mark.parametrize("name", [f"{FOLDER}/../../etc/passwd", "/etc/passwd", "..\\windows"])
def test_an_archive_that_leads_out_of_its_folder_is_refused(tmp_path, refused, name):
    with refused("leads out of its folder"):
        read_cifar10(archive(tmp_path / ARCHIVE, [*whole(), (name, b"x")]))


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.FIFOTYPE])
def test_links_and_devices_are_refused(tmp_path, refused, kind):
    link = tarfile.TarInfo(f"{FOLDER}/data_batch_1")
    link.type, link.linkname = kind, "/etc/passwd"
    with refused("is a link or a device"):
        read_cifar10(archive(tmp_path / ARCHIVE, [(link, b""), *whole()]))


def test_a_truncated_archive_is_refused_wherever_it_ends(tmp_path, refused):
    content = archive(tmp_path / ARCHIVE, whole()).read_bytes()
    cut = tmp_path / "cut.tar.gz"
    for end in (1, 20, len(content) // 3, len(content) // 2, len(content) - 10):
        cut.write_bytes(content[:end])
        with refused("cut.tar.gz is"):
            read_cifar10(cut)
    plain = gzip.decompress(content)
    cut.write_bytes(plain[: len(plain) // 2])
    with refused("cut.tar.gz is truncated"):
        read_cifar10(cut)


def test_sizes_that_headers_announce_are_not_believed(tmp_path, refused):
    """A member and a pax header of gigabytes are refused before they are read."""
    large = tarfile.TarInfo(f"{FOLDER}/test_batch")
    large.size = 1 << 33
    path = tmp_path / ARCHIVE
    path.write_bytes(gzip.compress(large.tobuf() + bytes(1 << 20)))
    with refused("test_batch' of 8,589,934,592 bytes"):
        read_cifar10(path)
    large.type = tarfile.XHDTYPE
    path.write_bytes(gzip.compress(large.tobuf(tarfile.GNU_FORMAT) + bytes(1 << 20)))
    with refused("announces a part of 8,589,934,592 bytes"):
        read_cifar10(path)


def test_other_checksums_are_noted_and_the_published_ones_are_not(tmp_path, monkeypatch):
    path = folder(tmp_path)
    assert read_cifar10(path).other == list(ORIGINALS)
    import hashlib

    own = {name: hashlib.md5((path / name).read_bytes()).hexdigest() for name in ORIGINALS}
    monkeypatch.setattr("chainrule.data.cifar10.ORIGINALS", own)
    assert read_cifar10(path).other == []
    packed = archive(tmp_path / ARCHIVE, whole())
    sha256 = hashlib.sha256(packed.read_bytes()).hexdigest()
    assert read_cifar10(packed, sha256).other == []
    assert read_cifar10(packed, "0" * 64).other == [ARCHIVE]


@pytest.fixture
def real_cifar10():
    place = Path(os.environ.get("CHAINRULE_DATA", ""))
    if not os.environ.get("CHAINRULE_DATA") or not (place / FOLDER).is_dir():
        pytest.skip("CHAINRULE_DATA names no folder with the real CIFAR-10")
    return place


@pytest.mark.realdata
def test_the_real_set_has_five_thousand_images_of_each_class(real_cifar10):
    data = load_data("cifar10", data_dir=real_cifar10, validation=0)
    assert (len(data.train), len(data.test)) == (50_000, 10_000)
    assert np.bincount(data.train.y).tolist() == [5000] * 10
    assert np.bincount(data.test.y).tolist() == [1000] * 10
    theirs = pickle.loads((real_cifar10 / FOLDER / "test_batch").read_bytes(), encoding="bytes")
    assert np.array_equal(data.test.raw, theirs[b"data"].reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1))
