"""Whatever disturbs a sweep, afterwards it is byte for byte the one that nothing disturbed."""

import os
import random
import shlex
import signal
import subprocess
import sys
import time

import pytest

from chainrule.sweeps import read_sweep, run_sweep
from chainrule.sweeps.folder import SweepFolder
from sweeps.small import assert_same, begun, children, contents, finished, lives, long, small, until

pytestmark = [
    pytest.mark.skipif(os.name == "nt", reason="signals are others there"),
    pytest.mark.xdist_group("disturbed"),  # one worker trains the long sweep that all are compared with
]

SWEEP = """
import resource, sys
from chainrule.cli import main
if sys.argv[1] != "0":
    resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[1]), int(sys.argv[1])))
sys.exit(main(sys.argv[2:]))
"""


def start(tmp_path, sweep, *flags, limit=0):
    """The command in a process of its own, in `tmp_path`, on the folder `sweep`."""
    (tmp_path / "plan.toml").write_text(sweep.to_toml())
    command = [sys.executable, "-c", SWEEP, str(limit), "sweep", "plan.toml", "--folder", "sweep", *flags]
    return subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def test_sigkill_of_workers_loses_their_points_alone_and_changes_no_byte(tmp_path, undisturbed_long):
    """Each worker is killed in the middle of its training; the points are tried again."""
    process = start(tmp_path, long(), "--workers", "2")
    until(lambda: begun(tmp_path / "sweep") > 20, process)
    for pid in children(process.pid):
        os.kill(pid, signal.SIGKILL)
    out, errors = process.communicate(timeout=60)
    assert process.returncode == 0, errors
    assert out.count("is tried again: WorkerDiedError") >= 1
    assert "SIGKILL" in out
    assert_same(tmp_path / "sweep", undisturbed_long)


def test_a_point_whose_workers_die_every_time_is_lost_alone(tmp_path, undisturbed):
    """What kills its worker twice is listed with its error; the others are finished."""
    sweep, folder = small(), tmp_path / "sweep"
    killer = tmp_path / "sitecustomize.py"  # a worker that begins with this point dies, as one without memory does
    killer.write_text(
        "import os, chainrule.sweeps.worker as worker\n"
        "real = worker.execute\n"
        "def execute(config, **settings):\n"
        "    if config.name.startswith('001'):\n"
        "        os.kill(os.getpid(), 9)\n"
        "    return real(config, **settings)\n"
        "worker.execute = execute\n"
    )
    from chainrule.sweeps import processes

    command = processes.COMMAND.replace("serve()", f"exec(open({str(killer)!r}).read())\nserve()", 1)
    lines = []
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(processes, "COMMAND", command.replace("import serve", "import serve", 1))
        result = run_sweep(sweep, folder, workers=2, announce=lines.append)
    (failed,) = result.failed
    assert failed.point.index == 1
    assert "SIGKILL" in failed.error
    assert len(result.runs) == 3
    assert sum("tried again" in line for line in lines) == 1
    assert not run_sweep(sweep, folder, workers=1).failed
    assert_same(folder, undisturbed)


def test_sigkill_of_the_coordinator_again_and_again_changes_no_byte(tmp_path, undisturbed_long):
    moments = random.Random(time.time_ns())  # new moments at every run of the tests
    for epochs in (5, 900):
        process = start(tmp_path, long(), "--workers", "2")
        until(lambda epochs=epochs: begun(tmp_path / "sweep") > epochs, process)
        time.sleep(moments.random() * 0.2)
        workers = children(process.pid)
        process.kill()
        process.communicate()
        until(lambda workers=workers: not any(lives(pid) for pid in workers), seconds=10)
    assert read_sweep(tmp_path / "sweep").interrupted
    process = start(tmp_path, long(), "--resume")
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 0, errors
    assert_same(tmp_path / "sweep", undisturbed_long)


def test_death_while_the_plan_is_written_leaves_a_folder_that_begins_anew(tmp_path, undisturbed):
    """sweep.toml comes first, and all files of points come at once."""
    sweep, folder = small(), tmp_path / "sweep"
    (folder / ".points.part").mkdir(parents=True)
    (folder / ".points.part" / "000.toml").write_text("half a po")
    SweepFolder(folder).begin(sweep)
    (folder / "points").rename(folder / ".points.part")
    SweepFolder(folder).begin(sweep)
    assert set(contents(folder)) == {n for n in contents(undisturbed) if n.startswith(("sweep", "points"))}


def test_a_full_disk_in_the_middle_is_told_once_and_resuming_changes_no_byte(tmp_path):
    """A limit on the size of files lets the small networks be written and the large ones not."""
    from chainrule.sweeps import Sweep
    from sweeps.small import base

    sweep = Sweep(base(learning_rate=1e-4), {"network.hidden": [[4], [5], [1500], [6]]})
    process = start(tmp_path, sweep, "--workers", "1", limit=20_000)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 2, errors
    assert "no space left to write" in errors
    assert "Traceback" not in errors
    assert 2 <= finished(tmp_path / "sweep") <= 3, "another may have been under way"
    told = errors[errors.index("chainrule sweep --resume") :].splitlines()[0]
    again = [sys.executable, "-c", SWEEP, "0", *shlex.split(told)[1:]]
    done = subprocess.run(again, cwd=tmp_path, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    run_sweep(sweep, tmp_path / "whole", workers=1)
    assert_same(tmp_path / "sweep", tmp_path / "whole")


@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM"])
def test_an_interrupt_stops_cleanly_and_says_how_to_go_on(tmp_path, undisturbed_long, name):
    process = start(tmp_path, long(), "--workers", "2")
    until(lambda: finished(tmp_path / "sweep") >= 1, process)
    workers = children(process.pid)
    process.send_signal(getattr(signal, name))
    _, errors = process.communicate(timeout=30)
    assert process.returncode == 130, errors
    assert "Traceback" not in errors
    assert not any(lives(pid) for pid in workers)
    assert not (tmp_path / "sweep" / "data").exists()
    told = errors[errors.index("chainrule sweep --resume") :].splitlines()[0]
    done = subprocess.run(
        [sys.executable, "-c", SWEEP, "0", *shlex.split(told)[1:]], cwd=tmp_path, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert_same(tmp_path / "sweep", undisturbed_long)


def test_a_dask_worker_that_is_killed_loses_nothing(tmp_path, undisturbed_long, scheduler):
    """Its scheduler gives what it had to the other one."""
    address, workers = scheduler
    ended = []

    def kill_one(line):
        ended.append(line)
        workers[0].kill()

    result = run_sweep(long(), tmp_path / "sweep", on=address, announce=kill_one)
    assert not result.failed
    assert len(ended) == 6
    assert_same(tmp_path / "sweep", undisturbed_long)
