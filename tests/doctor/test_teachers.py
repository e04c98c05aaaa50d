"""For teachers: points by quantity, Gradescope's file, a folder of submissions, a fixture for pytest."""

import json
import os
import signal
import subprocess
import sys
import time
import tomllib
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from chainrule.diagnosis.findings import HINTS, Finding
from chainrule.diagnosis.grading import TRAINING, Grade, grade, gradescope
from chainrule.diagnosis.kinds import KINDS
from chainrule.diagnosis.many import Lost, side_by_side
from chainrule.diagnosis.observation import Intake, Observation, Point
from chainrule.diagnosis.report import Diagnosis, Quantity
from chainrule.diagnosis.rubric import Rubric, read_rubric
from chainrule.diagnosis.submissions import find_submissions
from chainrule.errors import InputError
from doctor.corpus import singles, styles
from refusals import refused

ROOT = Path(__file__).parents[2]
RUBRIC = ROOT / "examples" / "doctor" / "rubric.toml"


# Many at once


def behaved(task: str) -> str:
    """What the name of the task says."""
    if task == "dies":
        os._exit(7)
    if task == "crashes":
        os.kill(os.getpid(), signal.SIGSEGV)
    if task == "hangs":
        time.sleep(1000)
    if task == "raises":
        raise ValueError("no")
    return task.upper()


def test_what_hangs_or_dies_leaves_the_others_alone() -> None:
    tasks = ["a", "dies", "b", "hangs", "crashes", "raises", "c"]
    began = time.monotonic()
    found = dict(side_by_side(behaved, tasks, jobs=2, deadline=6.0))
    assert time.monotonic() - began < 30
    assert [found[i] for i in (0, 2, 6)] == ["A", "B", "C"]
    assert found[1] == Lost("its process died (exit code 7)")
    assert found[3] == Lost("it was ended after 6 seconds")
    assert found[4] == Lost("its process died (SIGSEGV)")
    assert found[5] == Lost("ValueError: no")


def test_no_task_needs_no_process() -> None:
    assert list(side_by_side(behaved, [])) == []


# Rubrics


def test_the_example_of_a_rubric_can_be_read() -> None:
    rubric = read_rubric(RUBRIC)
    assert rubric.points == tomllib.loads(RUBRIC.read_text())["points"]
    assert rubric.hints in HINTS


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", ("gives no points", "[points]")),
        ("[points]\ndW0 = 1", ("'dW0'", "dW1")),
        ("[points]\nforwards = 1", ("'forwards'", "Did you mean 'forward'?")),
        ("[points]\ndW1 = -1", ("points of dW1", "-1", "from 0 on")),
        ("[points]\ndW1 = inf", ("points of dW1", "inf")),
        ("[points]\ndW1 = true", ("points of dW1", "True")),
        ("[points]\ndW1 = '3'", ("points of dW1", "'3'")),
        ("points = 3", ("points", "3", "Write a table")),
        ("[points]\ndW1 = 1\n[share]\nconsequence = 2", ("share consequence", "2", "from 0 to 1")),
        ("[points]\ndW1 = 1\n[share]\nscale = 1", ("'scale'", "up-to-scale")),
        ("[points]\ndW1 = 1\n[shares]\nscale = 1", ("'shares'", "Did you mean 'share'?")),
        ("hints = 'all'\n[points]\ndW1 = 1", ("'all'", "how, verdict, what, where")),
        ("[points\n", ("no TOML", "[points]")),
        ("\x00", ("no TOML",)),
    ],
)
def test_a_rubric_that_cannot_be_meant_is_refused(text: str, words: tuple[str, ...], tmp_path: Path) -> None:
    path = tmp_path / "rubric.toml"
    path.write_text(text)
    with refused(*words):
        read_rubric(path)


def test_a_rubric_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with refused("cannot be read", "table [points]"):
        read_rubric(tmp_path / "no.toml")


# Points

ROWS = ("dZ2", "dW2", "db2", "dZ1", "dW1", "db1")


def diagnosis(verdict: str, wrong: str = "", kinds: dict[str, str] | None = None, **parts: Any) -> Diagnosis:
    """One with these findings (quantity: kind); `wrong` are the quantities that follow from them."""
    status = dict.fromkeys(wrong.split(), "consequence") | dict.fromkeys(kinds or {}, "wrong")
    table = tuple(Quantity(name, name, status.get(name, "right")) for name in ROWS)
    findings = tuple(Finding(kind, quantity, quantity, "…") for quantity, kind in (kinds or {}).items())
    return Diagnosis(intake(**parts), verdict, findings, table=table)  # type: ignore[arg-type]


def intake(loss: float | None = 1.0, loop: Any = None) -> Intake:
    seen = Observation(Point(np.zeros((1, 1)), np.zeros((1, 1)), {}), output=None, loss=loss)
    return Intake(Path("x.py"), observations=(seen, seen), loop=loop)


def points(found: Diagnosis, rubric: Rubric) -> list[float]:
    return [mark.points for mark in grade(found, rubric).marks]


GRADIENTS = Rubric({"dW2": 3, "db2": 1, "dW1": 4, "db1": 2}, consequence=0.5, up_to_scale=0.25)


def test_points_are_given_by_quantity() -> None:
    assert points(diagnosis("right"), GRADIENTS) == [3, 1, 4, 2]
    assert points(diagnosis("wrong", kinds={"dW1": "sign"}), GRADIENTS) == [3, 1, 0, 2]
    assert points(diagnosis("wrong", "dW2 db2 dW1 db1", {"dZ2": "missing-mean"}), GRADIENTS) == [1.5, 0.5, 2, 1]
    assert points(diagnosis("right up to scale"), GRADIENTS) == [0.75, 0.25, 1, 0.5]
    assert points(diagnosis("not run"), GRADIENTS) == [0, 0, 0, 0]
    assert points(diagnosis("right"), Rubric({"dW3": 2})) == [0]


def test_points_for_the_parts() -> None:
    rubric = Rubric({"forward": 1, "loss": 2, "training": 3, "right": 4})
    loop = object()  # only that there is one counts
    assert points(diagnosis("right", loop=loop), rubric) == [1, 2, 3, 4]
    assert points(diagnosis("wrong", kinds={"A2": "softmax-axis"}, loop=loop), rubric) == [0, 2, 3, 0]
    assert points(diagnosis("wrong", kinds={"loss": "loss-sign"}, loop=loop), rubric) == [1, 0, 3, 0]
    assert points(diagnosis("wrong", kinds={"training": "ascends"}, loop=loop), rubric) == [1, 2, 0, 0]
    assert points(diagnosis("right up to scale", loss=None), rubric) == [1, 0, 0, 4]


def test_the_kinds_of_training_are_in_the_vocabulary() -> None:
    assert set(TRAINING) <= set(KINDS)


def test_the_file_for_gradescope_has_the_form_that_it_asks_for() -> None:
    found = diagnosis("wrong", kinds={"dW1": "sign"})
    data = json.loads(json.dumps(gradescope(found, grade(found, GRADIENTS), "verdict", 1.2345)))
    assert data["score"] == 6
    assert data["execution_time"] == 1.23
    assert data["output"] == found.text("verdict")
    assert "sign" not in data["output"]
    assert [test["score"] for test in data["tests"]] == [3, 1, 0, 2]
    assert [test["max_score"] for test in data["tests"]] == [3, 1, 4, 2]
    assert [test["status"] for test in data["tests"]] == ["passed", "passed", "failed", "passed"]
    assert {key for test in data["tests"] for key in test} <= {
        "score", "max_score", "status", "name", "name_format", "number", "output", "output_format", "tags",
        "visibility", "extra_data",
    }  # fmt: skip
    assert set(data) <= {
        "score", "execution_time", "output", "output_format", "test_output_format", "test_name_format", "visibility",
        "stdout_visibility", "extra_data", "tests", "leaderboard",
    }  # fmt: skip


def test_without_a_rubric_gradescope_gets_one_point_for_right() -> None:
    assert gradescope(diagnosis("right"), None, "how", 1.0)["score"] == 1
    assert gradescope(diagnosis("wrong"), None, "how", 1.0)["score"] == 0
    assert Grade(()).out_of == 0


# Folders


def test_the_file_with_a_backward_pass_is_taken_of_several(tmp_path: Path) -> None:
    for name in ("anna/data.py", "anna/src/network.py", "anna/.venv/x.py", "anna/__MACOSX/network.py"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("def backward(x):\n    pass\n" if "network" in name else "x = 1\n")
    (tmp_path / "bert.ipynb").write_text("{}")
    (tmp_path / "anna.py").write_text("")
    (tmp_path / "carl").mkdir()
    (tmp_path / "notes.txt").write_text("")
    found = {submission.name: submission for submission in find_submissions(tmp_path)}
    assert list(found) == ["anna", "anna.py", "bert", "carl"]
    assert found["anna"].path == tmp_path / "anna/src/network.py"
    assert found["anna"].others == (tmp_path / "anna/data.py",)
    assert found["carl"].path is None


def test_folders_without_submissions_are_refused(tmp_path: Path) -> None:
    with refused("holds no submission", ".ipynb"):
        find_submissions(tmp_path)
    with pytest.raises(InputError):
        find_submissions(tmp_path / "none")


@pytest.fixture(scope="module")
def submissions(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("submissions")
    cases = {case.name: case for case in singles()}
    (folder / "anna").mkdir()
    styles()["propagation_row"].write(folder / "anna", "network")
    for name, place in (("notebook_row-sign-1", "bert"), ("class_params_column-missing-mean-1", "summary")):
        cases[name].style.write(folder, place, *cases[name].faults)
    (folder / "carl.py").write_text("while True:\n    pass\n")
    (folder / "dora.py").write_text("import os\nos._exit(3)\n")
    (folder / "emil").mkdir()
    (folder / "fritz.py").write_text("def f(:\n")
    return folder


def test_a_class_is_judged_in_one_go(submissions: Path, tmp_path: Path, command: Any) -> None:
    rubric = ("--rubric", RUBRIC, "--hints", "where")
    answer = command("check", "--all", submissions, "--json", tmp_path / "results", *rubric, "--time-limit", 3)
    assert answer.code == 1, answer.text
    rows = {line.split()[0]: line for line in answer.out.splitlines() if line}
    assert rows["anna"].split()[1] == "right"
    assert "sign (dZ2)" in rows["bert"]
    assert "missing-mean (dZ3)" in rows["summary"]
    for name in ("carl", "dora", "emil", "fritz"):
        assert rows[name].split()[1:3] == ["not", "run"]
        assert " 0/" in rows[name]
    stored = {path.stem: json.loads(path.read_text()) for path in (tmp_path / "results").iterdir()}
    assert set(stored) == {"anna", "bert", "carl", "dora", "emil", "fritz", "summary_", "summary"}
    assert stored["summary"]["verdicts"] == {"right": 1, "wrong": 2, "not run": 4}
    assert stored["summary"]["kinds"] == {"sign": 1, "missing-mean": 1}
    assert stored["bert"]["findings"][0]["quantity"] == "dZ2"
    assert "kind" not in stored["bert"]["findings"][0]
    assert "sign" not in stored["bert"]["report"]
    assert stored["anna"]["grade"]["points"] == stored["anna"]["grade"]["out_of"]


def test_one_submission_for_gradescope(submissions: Path, tmp_path: Path, command: Any) -> None:
    results = tmp_path / "results.json"
    answer = command(
        "check", submissions / "bert.ipynb", "--rubric", RUBRIC, "--gradescope", results, "--hints", "what"
    )
    assert answer.code == 1
    assert "points" in answer.out
    data = json.loads(results.read_text())
    assert 0 < data["score"] < sum(read_rubric(RUBRIC).points.values())
    assert "opposite sign" in data["output"]


def test_gradescope_gets_a_file_where_nothing_was_handed_in(tmp_path: Path, command: Any) -> None:
    results = tmp_path / "results.json"
    for missing in (tmp_path, tmp_path / "network.py"):
        assert command("check", missing, "--rubric", RUBRIC, "--gradescope", results).code == 2
        assert json.loads(results.read_text())["score"] == 0
        results.unlink()


def test_flags_of_all_are_refused_in_words(tmp_path: Path, command: Any) -> None:
    assert "--rubrics" in command("check", "--all", tmp_path, "--rubrics", "x").words
    assert command("check", "--all", tmp_path / "none").code == 2
    assert "time-limit" in command("check", "--all", tmp_path, "--time-limit", "0").words
    assert "--json" in command("check", "--all", "--help").words


# The fixture


def test_the_fixture_fails_a_test_with_the_diagnosis(submissions: Path, tmp_path: Path) -> None:
    example = (ROOT / "examples" / "doctor" / "test_network.py").read_text()
    (tmp_path / "test_network.py").write_text(example)
    styles()["propagation_row"].write(tmp_path, "network")
    run = pytest_in(tmp_path)
    assert run.returncode == 0, run.stdout
    cases = {case.name: case for case in singles()}
    cases["propagation_row-sign-1"].style.write(tmp_path, "network", *cases["propagation_row-sign-1"].faults)
    run = pytest_in(tmp_path)
    assert run.returncode == 1, run.stdout + run.stderr
    assert "has the opposite sign" in run.stdout
    assert "plugin.py" not in run.stdout  # the reader sees the diagnosis, and nothing of ours


def pytest_in(folder: Path) -> subprocess.CompletedProcess[str]:
    """Pytest in a process of its own, with the plugin that an installed chainrule brings."""
    command = [sys.executable, "-m", "pytest", "-q", "-p", "chainrule.diagnosis.plugin", "-p", "no:cacheprovider"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "src"), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=120)


def test_an_installed_chainrule_brings_the_plugin() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert project["entry-points"]["pytest11"] == {"chainrule": "chainrule.diagnosis.plugin"}
