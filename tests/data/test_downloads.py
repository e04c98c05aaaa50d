"""Downloads, from servers on 127.0.0.1: mirrors in turn, nothing trusted but the checksum."""

import hashlib
import threading
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from chainrule.data import data_folder, downloads, fetch, load_data
from chainrule.data.downloads import Published
from chainrule.errors import StorageError, UnknownNameError

CONTENT = {"a.gz": b"first file" * 1000, "b.gz": b"second file"}
HASHES = {name: hashlib.sha256(content).hexdigest() for name, content in CONTENT.items()}


class Mirror(BaseHTTPRequestHandler):
    """Answers in the way that its folder names, and notes what it was asked for."""

    def __init__(self, asked, *args):
        self.asked = asked
        super().__init__(*args)

    def do_GET(self):
        _, way, name = self.path.split("/")
        self.asked.append(f"{way}/{name}")
        content = CONTENT[name]
        self.send_response(404 if way == "missing" else 200)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if way == "truncated":
            self.wfile.write(content[: len(content) // 2])
        elif way == "corrupt":
            self.wfile.write(content[::-1])
        elif way == "good":
            self.wfile.write(content)

    def log_message(self, *_):
        pass


@pytest.fixture
def mirrors(monkeypatch, tmp_path):
    """`mirrors("corrupt", "good")` publishes a set on servers of those manners; `.asked` lists the requests."""
    asked = []
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Mirror, asked))
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    monkeypatch.setenv("CHAINRULE_DATA", str(tmp_path))

    def publish(*ways):
        urls = tuple(f"http://127.0.0.1:{server.server_port}/{way}/" for way in ways)
        monkeypatch.setattr(downloads, "PUBLISHED", {"set": Published(urls, HASHES)})

    publish.asked = asked
    yield publish
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.mark.parametrize("fault", ["missing", "corrupt", "truncated"])
def test_a_faulty_mirror_gives_way_to_the_next(mirrors, tmp_path, fault):
    mirrors(fault, "good")
    paths = fetch("set")
    assert [path.read_bytes() for path in paths] == list(CONTENT.values())
    assert sorted(path.name for path in (tmp_path / "set").iterdir()) == ["a.gz", "b.gz"]
    assert mirrors.asked == [f"{fault}/a.gz", "good/a.gz", "good/b.gz"], "the mirror that served comes first"


def test_files_that_are_there_are_not_fetched(mirrors, tmp_path):
    mirrors("good")
    fetch("set")
    mirrors.asked.clear()
    (tmp_path / "set" / "b.gz").rename(tmp_path / "set" / "b")  # unpacked by the user
    assert [path.name for path in fetch("set")] == ["a.gz", "b"]
    assert mirrors.asked == []


def test_where_no_mirror_serves_the_message_names_files_folder_reasons_and_digits(mirrors, tmp_path, refused):
    mirrors("missing", "corrupt", "truncated")
    reasons = ("answered 404", "wrong checksum", "the connection broke off")
    with refused("set is not on this machine", "a.gz, b.gz missing", str(tmp_path / "set"), "`digits`", *reasons):
        fetch("set")
    assert list((tmp_path / "set").iterdir()) == [], "no part of a file is left"


def test_offline_the_message_is_the_same(monkeypatch, tmp_path, refused):
    unreachable = "http://127.0.0.1:9/"  # nothing listens there
    monkeypatch.setitem(downloads.PUBLISHED, "mnist", Published((unreachable,), downloads.PUBLISHED["mnist"].files))
    with refused("mnist is not on this machine", "train-images-idx3-ubyte.gz", "no connection", "`digits`"):
        load_data("mnist", data_dir=tmp_path)


def test_only_the_missing_files_are_named(mirrors, tmp_path, refused):
    mirrors("good")
    fetch("set")
    (tmp_path / "set" / "b.gz").unlink()
    mirrors("missing")
    with refused("downloaded: b.gz missing"):
        fetch("set")


def test_a_folder_that_cannot_be_written_is_said_to_be_that(mirrors, tmp_path, refused):
    mirrors("good")
    (tmp_path / "file").write_text("in the way")
    with refused("cannot be written", error=StorageError):
        fetch("set", tmp_path / "file")


def test_an_unknown_set_is_refused(refused):
    with refused("unknown published data set 'mnits'", "'mnist'", error=UnknownNameError):
        fetch("mnits")


def test_the_argument_goes_before_the_environment_and_that_before_the_cache(monkeypatch, tmp_path):
    monkeypatch.setenv("CHAINRULE_DATA", str(tmp_path))
    assert data_folder("here").name == "here"
    assert data_folder() == tmp_path
    monkeypatch.delenv("CHAINRULE_DATA")
    assert "chainrule" in str(data_folder())


def test_a_bar_is_drawn_on_a_terminal_and_nothing_elsewhere(mirrors, monkeypatch, capsys):
    mirrors("good")
    fetch("set", progress=True)
    assert capsys.readouterr() == ("", "")


def test_the_bar_counts_the_bytes(mirrors, monkeypatch, tmp_path, capsys):
    mirrors("good")
    monkeypatch.setattr("sys.stderr.isatty", lambda: True, raising=False)
    fetch("set", tmp_path / "other", progress=True)
    assert "a.gz" in capsys.readouterr().err


def test_published_checksums_are_sha256_of_all_files_and_every_set_has_two_mirrors():
    for published in downloads.PUBLISHED.values():
        assert len(published.mirrors) >= 2
        assert len(published.files) == (1 if published.folder else 4)
        assert all(len(bytes.fromhex(sha256)) == 32 for sha256 in published.files.values())
