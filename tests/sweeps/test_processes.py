"""The pool of processes: it answers like any executor, and the death of a process is the loss of its own work only."""

import json
import os
import signal
import subprocess
import sys
import time
from concurrent.futures import CancelledError, wait
from pathlib import Path

import pytest

from chainrule.sweeps.processes import LocalProcesses, WorkerDiedError
from sweeps.small import begin_and_sleep, children, lives, until

pytestmark = pytest.mark.skipif(os.name == "nt", reason="signals and /proc are not there")


@pytest.fixture
def pool():
    with LocalProcesses(2) as processes:
        yield processes


def test_it_returns_what_the_function_returns(pool):
    futures = [pool.submit(json.dumps, [k, "ü\n"]) for k in range(20)]
    assert [future.result(30) for future in futures] == [json.dumps([k, "ü\n"]) for k in range(20)]


def test_it_carries_an_exception_home_and_goes_on(pool):
    bad = pool.submit(json.loads, "{")
    with pytest.raises(RuntimeError, match="JSONDecodeError"):
        bad.result(30)
    assert pool.submit(json.loads, "3").result(30) == 3


def test_what_is_printed_is_no_answer(pool):
    assert pool.submit(os.write, 1, "x") is not None
    assert pool.submit(sys.stdout.write, "words\n").exception(30) is not None  # a bound method has no name in a module
    assert pool.submit(os.getpid).result(30) in pool.pids


def test_each_process_has_its_threads_limited_before_numpy_is_loaded():
    with LocalProcesses(1, threads=3) as pool:
        assert pool.submit(os.getenv, "OPENBLAS_NUM_THREADS").result(30) == "3"
        assert pool.submit(os.getenv, "NUMBA_NUM_THREADS").result(30) == "3"
    assert os.environ.get("OPENBLAS_NUM_THREADS") != "3"


def test_a_process_that_ends_loses_its_own_work_and_no_other(pool):
    others = [pool.submit(time.sleep, 0.05) for _ in range(4)]
    dying = pool.submit(os._exit, 7)
    later = [pool.submit(json.loads, "1") for _ in range(6)]
    with pytest.raises(WorkerDiedError, match="exit code 7"):
        dying.result(30)
    assert [future.result(30) for future in (*others, *later)] == [None] * 4 + [1] * 6


def test_a_process_that_is_killed_says_by_what(pool, tmp_path):
    sleeping = pool.submit(begin_and_sleep, str(tmp_path / "begun"))
    until((tmp_path / "begun").exists)
    for pid in pool.pids:
        os.kill(pid, signal.SIGKILL)
    with pytest.raises(WorkerDiedError, match="SIGKILL"):
        sleeping.result(30)
    assert pool.submit(json.loads, "2").result(30) == 2


def test_a_process_that_is_killed_while_it_has_nothing_to_do_costs_nothing(pool):
    wait([pool.submit(os.getpid) for _ in range(4)])
    for pid in pool.pids:
        os.kill(pid, signal.SIGKILL)
        until(lambda pid=pid: not lives(pid))
    assert [pool.submit(json.loads, "2").result(30) for _ in range(4)] == [2] * 4


def test_the_last_words_of_a_process_are_told(pool):
    with pytest.raises(WorkerDiedError, match="No module named 'nowhere'"):
        pool.submit(os.execv, sys.executable, [sys.executable, "-c", "import nowhere"]).result(30)


def test_shutting_down_ends_the_processes():
    pool = LocalProcesses(2)
    wait([pool.submit(os.getpid) for _ in range(4)])
    pids = pool.pids
    pool.shutdown()
    assert not any(lives(pid) for pid in pids)
    with pytest.raises(RuntimeError, match="shut down"):
        pool.submit(os.getpid)


def test_shutting_down_at_once_cancels_what_has_not_begun(tmp_path):
    pool = LocalProcesses(1)
    running, waiting = pool.submit(begin_and_sleep, str(tmp_path / "begun")), pool.submit(time.sleep, 60)
    until((tmp_path / "begun").exists)
    began = time.monotonic()
    pool.shutdown(cancel_futures=True)
    assert time.monotonic() - began < 10
    assert isinstance(running.exception(), WorkerDiedError)
    with pytest.raises(CancelledError):
        waiting.result(1)


PARENT = """
import sys, time
from chainrule.sweeps.processes import LocalProcesses
sys.path.insert(0, sys.argv[1])
from sweeps.small import begin_and_sleep
pool = LocalProcesses(2)
for name in sys.argv[2:]:
    pool.submit(begin_and_sleep, name)
time.sleep(600)
"""


def test_the_processes_end_with_the_one_who_started_them_however_it_ended(tmp_path):
    begun = [tmp_path / "one", tmp_path / "two"]
    parent = subprocess.Popen([sys.executable, "-c", PARENT, Path(__file__).parents[1], *begun])
    until(lambda: all(file.exists() for file in begun), parent)
    workers = children(parent.pid)
    assert len(workers) == 2
    parent.kill()
    parent.wait()
    until(lambda: not any(lives(pid) for pid in workers), seconds=10)


def test_a_script_without_a_guard_is_not_run_again_by_its_workers(tmp_path):
    """What `multiprocessing` asks of every script, `if __name__ == "__main__"`, is not needed."""
    script = tmp_path / "script.py"
    script.write_text(
        "import os\nfrom chainrule.sweeps.processes import LocalProcesses\nprint('run')\n"
        "with LocalProcesses(2) as pool:\n    pool.submit(os.getpid).result()\n"
    )
    done = subprocess.run([sys.executable, script], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout == "run\n"
