"""Small sweeps, and what must be the same however they were trained."""

import os
import shutil
import time
from pathlib import Path

import pytest

from chainrule.runs import RunConfig
from chainrule.runs.config import DataSettings, NetworkSettings, TrainingSettings
from chainrule.sweeps import Sweep

# Seconds stand in timings.jsonl and, added up, in the index; the lock is empty.
EXEMPT = ("timings.jsonl", "index.sqlite", ".lock")


# A regression, because the reports of classifications cost every new process a second for scikit-learn. `conftest.py`
# writes the table.
TABLE = Path()


def base(epochs=3, hidden=(5,), **training):
    return RunConfig(
        data=DataSettings(source=str(TABLE)),
        network=NetworkSettings(hidden=hidden),
        training=TrainingSettings(epochs=epochs, batch_size=16, engine="reference", **training),
    )


def small(epochs=3, seeds=2, rates=(0.1, 0.01), **settings):
    return Sweep(base(epochs, **settings), {"training.learning_rate": list(rates)}, seeds=seeds)


def contents(folder):
    """Every file of a sweep by its path, but those that hold seconds."""
    files = (path for path in sorted(Path(folder).rglob("*")) if path.is_file() and path.name not in EXEMPT)
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


def assert_same(folder, other):
    """Two sweeps have the same files with the same bytes; where not, the first that differs is shown."""
    one, two = contents(folder), contents(other)
    assert one.keys() == two.keys()
    for name, content in one.items():
        assert content == two[name], name


def finished(folder):
    return len(list(Path(folder).glob("runs/*/evaluation.json")))


def begun(folder):
    """Epochs that the points of a sweep have written so far."""
    return sum(path.read_bytes().count(b"\n") for path in Path(folder).glob("runs/*/history.jsonl"))


def until(condition, process=None, seconds=60):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it takes too long"
        assert process is None or process.poll() is None, process.communicate()
        time.sleep(0.01)


def begin_and_sleep(path):
    """What a worker does that is to be killed in the middle of it."""
    Path(path).touch()
    time.sleep(60)


def children(pid):
    """The processes that `pid` has started and that live."""
    if not os.path.isdir("/proc/self"):
        pytest.skip("there is no /proc to find the workers in")
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                state, parent = (entry / "stat").read_text().rpartition(")")[2].split()[:2]
            except OSError:
                continue
            if int(parent) == pid and state != "Z":
                found.append(int(entry.name))
    return found


def lives(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def copied(folder, to):
    return Path(shutil.copytree(folder, to))


def long():
    """Six points, each of some tenths of a second."""
    return small(epochs=400, seeds=2, rates=(0.1, 0.05, 0.01))
