"""`chainrule study`: what there is, what a study contains; what cannot be done is said before anything is trained."""

import pytest

import chainrule.cli.study
from chainrule.studies import registry
from chainrule.studies.registry import NAMES


def fails(answer, *words):
    assert answer.code == 2
    assert [word for word in words if word not in answer.words] == []
    assert "Traceback" not in answer.text


def test_every_study_is_listed_with_its_source(command):
    answer = command("study", "list")
    assert answer.code == 0
    assert [line.split()[0] for line in answer.out.splitlines()] == list(NAMES)
    assert "report 003, task 2" in answer.out


def test_a_study_shows_what_its_page_holds(command):
    answer = command("study", "show", "scalar-pass")
    assert answer.code == 0
    for word in ("report 004, Q1–Q2", "forward", "the backward pass beside table 2", "published"):
        assert word in answer.out


def test_a_study_is_run_and_its_page_is_named(command, tmp_path):
    answer = command("study", "run", "graph-derivation", "--folder", "mine")
    assert answer.code == 0, answer.err
    assert "mine/graph-derivation/report.html" in answer.out
    names = {path.name for path in (tmp_path / "mine" / "graph-derivation").iterdir()}
    assert {"report.html", "findings.json", "figures"} <= names


def test_the_same_command_gives_the_same_bytes(command, tmp_path):
    pages = []
    for folder in ("first", "second"):
        assert command("study", "run", "graph-derivation", "--quick", "--quiet", "--folder", folder).code == 0
        place = tmp_path / folder / "quick" / "graph-derivation"
        pages.append([(place / name).read_bytes() for name in ("report.html", "findings.json")])
    assert pages[0] == pages[1]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("run", "circle-activations"), ("unknown study 'circle-activations'", "Did you mean 'circles-activations'?")),
        (("show", "mnist-sdg"), ("unknown study", "'mnist-sgd'")),
        (("run",), ("names no study", "scalar-pass")),
        (("show",), ("names no study",)),
        (("run", "scalar-pass", "--all"), ("--all",)),
        (("show", "--all"), ("--all",)),
        (("run", "circles-activations", "--seeds", 0), ("--seeds is 0", "at least 1")),
        (("run", "circles-activations", "--seeds", "many"), ("--seeds",)),
        (("go", "scalar-pass"), ("list", "show", "run")),
    ],
    ids=str,
)
def test_what_cannot_be_meant_is_refused_in_words(command, tmp_path, arguments, words):
    fails(command("study", *arguments), *words)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_written_is_refused_before_hours_are_spent(command, tmp_path):
    (tmp_path / "file").write_text("")
    for folder in ("/proc/nowhere", "file"):
        fails(command("study", "run", "mnist-sgd", "--folder", folder), folder, "may write")


def test_without_mnist_it_is_said_where_it_comes_from_before_anything_is_trained(command, tmp_path, monkeypatch):
    for name in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
    (tmp_path / "empty").mkdir()
    answer = command("study", "run", "mnist-sgd", "--quick", "--data-dir", "empty")
    fails(answer, "could not be downloaded", "train-images-idx3-ubyte", "--data-dir", "CHAINRULE_DATA")
    assert not list(tmp_path.rglob("runs"))


def test_one_study_that_fails_does_not_keep_the_others_from_their_page(command, tmp_path, monkeypatch):
    names = ("mnist-sgd", "graph-derivation")
    monkeypatch.setattr(chainrule.cli.study, "NAMES", names)
    monkeypatch.setattr(registry, "NAMES", names)
    for name in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    (tmp_path / "empty").mkdir()
    answer = command("study", "run", "--all", "--quick", "--data-dir", "empty")
    assert answer.code == 1
    assert "mnist-sgd" in answer.err
    assert (tmp_path / "studies" / "quick" / "graph-derivation" / "report.html").is_file()
    assert "index:" in answer.out
