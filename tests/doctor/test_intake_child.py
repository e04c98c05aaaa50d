"""Whatever a file does while it runs, what comes back is a record or a sentence, and nothing is left running."""

import json
import time
from pathlib import Path

import numpy as np
import pytest

from chainrule.diagnosis import child, record
from chainrule.diagnosis.child import take_in
from chainrule.diagnosis.observation import Intake

SOUND = """
import numpy as np

def forward(X, W1, b1, W2, b2):
    A1 = np.tanh(X @ W1 + b1)
    Z2 = A1 @ W2 + b2
    E = np.exp(Z2)
    return E / E.sum(axis=1, keepdims=True), A1

def loss(P, Y):
    return -np.sum(Y * np.log(P)) / len(Y)

def backward(X, Y, P, A1, W2):
    dZ2 = (P - Y) / len(Y)
    dZ1 = dZ2 @ W2.T * (1 - A1**2)
    return X.T @ dZ1, dZ1.sum(axis=0), A1.T @ dZ2, dZ2.sum(axis=0)
"""


@pytest.fixture
def taken(tmp_path):
    def take(text: str | bytes, name: str = "code.py", seconds: float = 3.0) -> Intake:
        path = tmp_path / name
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return take_in(path, seconds)

    return take


def refused(intake: Intake, *words: str) -> None:
    """The file could not be run, for a reason with these words, and that is one line a person can read."""
    assert intake.observations == ()
    assert intake.failure, "no reason"
    assert "\n" not in intake.failure
    assert "Traceback" not in intake.failure
    for word in words:
        assert word in intake.failure, intake.failure


def run_through(intake: Intake) -> None:
    """The two points were evaluated, and the gradients are those of the loss."""
    assert intake.failure is None
    first, second = intake.observations
    assert len(first.point.X) != len(second.point.X)
    for seen in (first, second):
        for name, numerical in seen.numerical.items():
            np.testing.assert_allclose(seen.gradients[name].value, numerical, rtol=0, atol=1e-8)
        assert sorted(seen.gradients) == ["W1", "W2", "b1", "b2"]


def test_a_sound_file_is_run_at_two_points(taken):
    run_through(taken(SOUND))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("def forward(X:\n", ["not Python in line 1"]),
        ("print 'loss', 3\n", ["not Python in line 1", "Python 2"]),
        ("", ["empty"]),
        (b"\x00\x01\x02PK\x03\x04", ["holds no text"]),
        (bytes(range(1, 256)) * 20, ["code.py"]),
        ("x = " + "(" * 5000 + ")" * 5000, ["code.py"]),
        ("x = 1\n" * 400_000, ["2,400,000 bytes"]),
        ("import numpy as np\nx = np.ones(3)\n", ["No forward and backward pass", "no functions"]),
        ("def add(a, b):\n    return a + b\n", ["No forward and backward pass", "It has add"]),
    ],
    ids=["syntax", "python 2", "empty", "binary", "bytes", "nested", "huge", "no functions", "no passes"],
)
def test_a_file_that_holds_no_passes_is_refused_with_the_reason(taken, text, words):
    refused(taken(text), *words)


def test_a_missing_file_is_refused(tmp_path):
    refused(take_in(tmp_path / "none.py"), "There is no file")


def test_a_notebook_is_read_cell_by_cell_without_its_magics(taken):
    head, tail = SOUND.split("def loss")
    cells = [
        {"cell_type": "markdown", "source": ["# Network"]},
        {"cell_type": "code", "source": ["%matplotlib inline\n", "!ls\n", *head.splitlines(keepends=True)]},
        {"cell_type": "code", "source": "%%bash\nrm nothing"},
        {"cell_type": "code", "source": ["def unfinished(:\n"]},
        {"cell_type": "code", "source": "def loss" + tail},
    ]
    intake = taken(json.dumps({"cells": cells, "nbformat": 4}), "work.ipynb")
    run_through(intake)
    assert [number for _, number in intake.cells] == [2, 3, 5]
    assert any("cell 4" in remark for remark in intake.interface.remarks)


@pytest.mark.parametrize("text", ["{}", "[1]", "{", '{"cells": [1]}', '{"cells": [{"cell_type": "code"}]}'])
def test_what_is_no_notebook_is_refused(taken, text):
    refused(taken(text, "work.ipynb"), "notebook")


FAILING = {
    "raise RuntimeError('no')": "RuntimeError: no",
    "name = input('name: ')": "waits for input",
    "import sys; sys.exit(3)": "exit",
    "exit()": "exit",
    "data = np.load('mnist.npz')": "mnist.npz",
    "from keras.datasets import mnist; (x, y), _ = mnist.load_data()": "keras",
    "import not_installed_anywhere as nia; data = nia.load()": "not_installed_anywhere",
    "import socket; socket.socket().connect(('localhost', 80))": "network is switched off",
    "import urllib.request; urllib.request.urlopen('http://localhost:1/data')": "network is switched off",
    "import os; os.fork()": "os.fork is switched off",
    "import os; os.abort()": "os.abort is switched off",
    "import os; [os.system('sleep 100 &') for _ in range(10)]": "os.system is switched off",
    "import subprocess; subprocess.run(['sleep', '100'])": "starting processes is switched off",
    "x = np.ones((10**6, 10**6))": "memory",
    "def deeper(n): return deeper(n + 1)\ndeeper(0)": "calls itself without end",
    "open('/proc/self/mem/none', 'w')": "line",
}


def test_statements_that_fail_cost_only_themselves_and_are_said(taken):
    intake = taken(SOUND + "\n" + "\n".join(FAILING) + "\n", seconds=6.0)
    run_through(intake)
    remarks = intake.interface.remarks
    assert len(remarks) == len(FAILING)
    for remark, words in zip(remarks, FAILING.values(), strict=True):
        assert words in remark
        assert "line " in remark


@pytest.mark.parametrize(
    "line",
    [
        "while True: pass",
        "for i in range(10**9): print('loss', i)",
        "try:\n    while True: pass\nexcept Exception:\n    pass",
        "import threading; threading.Thread(target=lambda: __import__('time').sleep(1000)).start()",
        "import matplotlib.pyplot as plt; fig, ax = plt.subplots(); ax.plot([1]); plt.show()",
        "open('left.txt', 'w').write('x')",
    ],
)
def test_a_statement_does_not_hold_up_the_rest(taken, tmp_path, line):
    before = time.monotonic()
    run_through(taken(SOUND + "\n" + line + "\n", seconds=6.0))
    assert time.monotonic() - before < 8
    assert not (tmp_path / "left.txt").exists()


def test_what_did_not_run_is_said_with_its_line(taken):
    intake = taken("import numpy as np\ndata = np.load('mnist.npz')\n" + SOUND)
    assert any("line 2" in remark and "mnist.npz" in remark for remark in intake.interface.remarks)


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ("    while True: pass\n", ["running"]),
        ("    raise ValueError('shapes differ')\n", ["shapes differ", "line 5"]),
        ("    return forward(X, W1, b1, W2, b2)\n", ["calls itself without end"]),
        ("    input()\n", ["input"]),
        ("    import sys; sys.exit()\n", ["exit"]),
        ("    return np.ones((10**6, 10**6))\n", ["memory"]),
        ("    import os; os._exit(7)\n", ["code 7"]),
        ("    import os, signal; signal.raise_signal(signal.SIGSEGV)\n", ["SIGSEGV"]),
        ("    import ctypes; ctypes.string_at(0)\n", ["SIGSEGV"]),
        ("    return None\n", ["forward"]),
        ("    return 'softmax'\n", ["forward"]),
    ],
)
def test_a_forward_pass_that_cannot_run_is_told_in_a_sentence(taken, body, words):
    head, tail = SOUND.split("    A1 = np.tanh", 1)
    intake = taken(head + body + "def loss" + tail.split("def loss", 1)[1])
    refused(intake, *words)


def test_code_that_swallows_every_interrupt_is_stopped_from_outside(taken):
    text = SOUND.replace(
        "    A1 = np.tanh",
        "    import signal\n    signal.signal(signal.SIGALRM, signal.SIG_IGN)\n    while True: pass\n    A1 = np.tanh",
    )
    before = time.monotonic()
    refused(taken(text, seconds=2.0), "stopped")
    assert time.monotonic() - before < 5


def test_memory_that_is_taken_bit_by_bit_ends_in_a_sentence(taken):
    text = SOUND.replace(
        "    A1 = np.tanh", "    kept = []\n    while True: kept.append(np.ones(10**7))\n    A1 = np.tanh"
    )
    refused(taken(text, seconds=6.0), "")


def test_a_backward_pass_that_raises_is_recorded_up_to_there(taken):
    text = SOUND.replace("    return X.T @ dZ1, ", "    dW2 = A1.T @ dZ2\n    return X @ dZ1, ")
    intake = taken(text)
    assert intake.failure is None
    for seen in intake.observations:
        assert "line 17" in seen.failed["backward"]
        assert "dZ1" in seen.backward
        np.testing.assert_allclose(seen.gradients["W2"].value, seen.numerical["W2"], atol=1e-8)


def test_what_is_printed_is_kept_apart_and_cut(taken, capfd):
    text = SOUND.replace("    A1 = np.tanh", "    print('x' * 1000)\n    A1 = np.tanh")
    intake = taken(text)
    run_through(intake)
    assert len(intake.output) < 21_000
    assert "letters more" in intake.output
    assert capfd.readouterr() == ("", "")


def test_no_process_and_no_folder_is_left(taken, tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "scratch"))
    (tmp_path / "scratch").mkdir()
    before = children()
    taken("import time\ntime.sleep(100)\n" + SOUND, seconds=1.0)
    assert list((tmp_path / "scratch").iterdir()) == []
    assert children() <= before


def children():
    """Processes that this one has started, those that are dead and not yet asked for among them."""
    return {pid for task in Path("/proc/self/task").iterdir() for pid in (task / "children").read_text().split()}


def test_the_environment_of_the_caller_is_not_handed_on(taken, monkeypatch):
    monkeypatch.setenv("SECRET", "token")
    intake = taken(SOUND + "\nimport os\nprint(sorted(os.environ))\n")
    assert "SECRET" not in intake.output
    assert "MPLBACKEND" in intake.output


def test_modules_beside_the_file_can_be_imported(taken, tmp_path):
    (tmp_path / "steps.py").write_text("def activation(z):\n    import numpy as np\n    return np.tanh(z)\n")
    run_through(taken("from steps import activation\n" + SOUND.replace("np.tanh(", "activation(")))


def test_a_record_survives_the_way_between_processes(taken):
    intake = taken(SOUND)
    again = record.from_bytes(record.to_bytes(intake))
    assert again.interface == intake.interface
    assert again.observations[0].point.X.tobytes() == intake.observations[0].point.X.tobytes()
    assert again.observations[1].backward.keys() == intake.observations[1].backward.keys()


def test_a_damaged_record_says_nothing_wrong(taken, monkeypatch):
    whole = record.to_bytes(taken(SOUND))
    rng = np.random.default_rng(0)
    for cut in (0, 10, len(whole) // 2, len(whole) - 1):
        with pytest.raises(record.DamagedRecordError):
            record.from_bytes(whole[:cut])
    for _ in range(20):
        damaged = bytearray(whole)
        for place in rng.integers(0, len(whole), 30):
            damaged[place] ^= 0xFF
        with pytest.raises(record.DamagedRecordError):
            record.from_bytes(bytes(damaged))


def test_a_file_without_a_word_is_not_run(tmp_path, monkeypatch):
    path = tmp_path / "code.py"
    path.write_text(SOUND)
    monkeypatch.setattr(child, "_START", "pass")
    refused(take_in(Path(path)), "without a word")


@pytest.mark.parametrize(
    "line",
    [
        "from __future__ import braces",
        "return 3",
        "np.array = lambda *given: 3",
        "raise KeyboardInterrupt",
        "np.zeros = None",
        "import builtins; builtins.len = None",
    ],
)
def test_code_that_spoils_what_it_runs_in_ends_in_a_record_or_a_sentence(taken, line):
    intake = taken(SOUND + "\n" + line + "\n")
    if intake.failure is None:
        run_through(intake)
    else:
        refused(intake)
        assert "could not be" in intake.failure or "takes away what Python itself needs" in intake.failure


@pytest.mark.parametrize(
    "line",
    [
        "from numba import njit; forward = njit(forward); loss = njit(cache=True)(loss)",
        "import argparse; args = argparse.ArgumentParser().parse_args()",
        "from tqdm import tqdm; total = sum(tqdm(range(5)))",
        "import torch.nn as nn; import sklearn.datasets; from sklearn.model_selection import train_test_split",
        "import pandas as pd; kind = pd.DataFrame",
    ],
)
def test_libraries_that_the_passes_do_not_need_cost_nothing(taken, line):
    intake = taken(SOUND + "\n" + line + "\n")
    run_through(intake)
    assert intake.interface.remarks == ()
