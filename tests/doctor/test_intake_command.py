"""`chainrule check FILE` says what was recognised, then the verdict, and leaves with 0, 1 or 2."""

import json

import pytest

from doctor.test_intake_child import SOUND

WRONG = SOUND.replace("dZ2 = (P - Y) / len(Y)", "dZ2 = P - Y")


@pytest.fixture
def file(tmp_path):
    def write(text: str, name: str = "code.py"):
        path = tmp_path / name
        path.write_text(text)
        return path

    return write


def test_right_code_leaves_with_0_and_what_was_recognised_stands_first(command, file):
    answer = command("check", file(SOUND))
    assert answer.code == 0
    lines = answer.out.splitlines()
    recognised = next(i for i, line in enumerate(lines) if line.startswith("forward"))
    verdict = next(i for i, line in enumerate(lines) if "RIGHT" in line)
    assert recognised < verdict


def test_wrong_code_leaves_with_1_and_the_mistake_is_named_with_its_line(command, file):
    answer = command("check", file(WRONG))
    assert answer.code == 1
    assert "missing-mean" in answer.out
    assert f"line {WRONG[: WRONG.index('dZ2 = P - Y')].count(chr(10)) + 1}" in answer.out


def test_code_that_cannot_run_leaves_with_2_and_the_way_to_an_adapter(command, file):
    answer = command("check", file("def mangle(a):\n    return a\n"))
    assert answer.code == 2
    assert "No forward and backward pass was recognised" in answer.words
    assert "--adapter" in answer.err


def test_the_adapter_is_written_to_the_terminal_or_a_file(command, file, tmp_path):
    path = file("def mangle(a):\n    return a\n")
    answer = command("check", path, "--adapter")
    assert answer.code == 0
    assert "def initialise(d, h, K)" in answer.out
    assert command("check", path, "--adapter", "--output", tmp_path / "adapter.py").code == 0
    assert (tmp_path / "adapter.py").read_text() == answer.out


def test_hints_withhold_and_json_tells_all(command, file):
    path = file(WRONG)
    answer = command("check", path, "--hints", "verdict")
    assert answer.code == 1
    assert "WRONG" in answer.out
    assert "missing-mean" not in answer.out
    found = json.loads(command("check", path, "--format", "json").out)
    assert found["verdict"] == "wrong"
    assert found["findings"][0]["kind"] == "missing-mean"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [(("none.py",), "there is no file none.py"), (("code.py", "--time-limit", "0"), "--time-limit is 0")],
)
def test_what_is_no_file_or_no_time_is_refused_in_two_lines(command, file, arguments, words):
    file(SOUND)
    answer = command("check", *arguments)
    assert answer.code == 2
    assert words in answer.err
    assert len(answer.err.strip().splitlines()) == 2
