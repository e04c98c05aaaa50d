"""`chainrule report`: a run, several runs, a sweep; bad input is refused in words and leaves nothing behind."""

import shutil

import pytest


def test_a_run_is_reported_into_its_own_folder(changed_bare_run, command):
    answer = command("report", changed_bare_run.path)
    assert answer.code == 0
    assert (changed_bare_run.path / "report.html").is_file()
    assert (changed_bare_run.path / "figures" / "network.png").is_file()
    assert "report.html" in answer.out
    assert "Note" not in answer.out


def test_what_is_wrong_with_a_run_is_said_on_the_terminal_too(changed_bare_run, command, tmp_path):
    (changed_bare_run.path / "history.jsonl").write_text("")
    answer = command("report", changed_bare_run.path, "--output", tmp_path / "elsewhere")
    assert answer.code == 0
    assert "Note: history.jsonl was edited or cut" in answer.out
    assert (tmp_path / "elsewhere" / "report.html").is_file()
    assert not (changed_bare_run.path / "report.html").exists()


def test_several_runs_are_compared(sweep, command, tmp_path):
    answer = command("report", *(run.path for run in sweep.runs[:2]))
    assert answer.code == 0
    assert "Comparison of 2 runs" in (tmp_path / "comparison" / "report.html").read_text()


def test_a_sweep_is_reported_from_its_folder_alone(sweep, command, tmp_path):
    folder = shutil.copytree(sweep.folder, tmp_path / "moved")
    answer = command("report", folder)
    assert answer.code == 0
    assert "<title>Sweep small</title>" in (folder / "report.html").read_text()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "no run is named"),
        (["nowhere"], "there is no folder nowhere"),
        (["."], "is no run: it has none of its files"),
        (["SWEEP", "SWEEP/runs"], "is a sweep, and a report is about one sweep or about runs"),
        (["SWEEP", "--verify"], "--verify is for the report of one run"),
    ],
)
def test_bad_input_is_refused_in_words(arguments, words, sweep, command, tmp_path):
    given = [text.replace("SWEEP", str(sweep.folder)) for text in arguments]
    answer = command("report", *given)
    assert answer.code == 2
    assert words in answer.words
    assert list(tmp_path.rglob("*.html")) == []
