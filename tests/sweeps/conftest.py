"""Sweeps that were not disturbed, to compare others with, and a real cluster."""

import json
import subprocess
import sys

import numpy as np
import pytest

import sweeps.small
from chainrule.sweeps import run_sweep
from sweeps.small import long, small, until


@pytest.fixture(scope="session", autouse=True)
def _table(tmp_path_factory):
    """What the small sweeps are trained on: y = sin x₁ + x₂²."""
    x = np.random.default_rng(2).normal(size=(90, 2))
    y = np.sin(x[:, 0]) + x[:, 1] ** 2
    rows = [f"{a:.6f},{b:.6f},{c:.6f}" for (a, b), c in zip(x, y, strict=True)]
    sweeps.small.TABLE = tmp_path_factory.mktemp("data") / "surface.csv"
    sweeps.small.TABLE.write_text("\n".join(["x1,x2,y", *rows]) + "\n")


@pytest.fixture(scope="session")
def undisturbed(tmp_path_factory):
    """A small sweep on one worker."""
    folder = tmp_path_factory.mktemp("undisturbed") / "sweep"
    run_sweep(small(), folder, workers=1)
    return folder


@pytest.fixture(scope="session")
def undisturbed_long(tmp_path_factory):
    """A sweep long enough to be disturbed."""
    folder = tmp_path_factory.mktemp("undisturbed") / "long"
    run_sweep(long(), folder, workers=2)
    return folder


@pytest.fixture(scope="session")
def scheduler(tmp_path_factory):
    """The address of a Dask scheduler, and its two workers: three processes of this machine."""
    distributed = pytest.importorskip("distributed", reason="Dask is not installed: pip install 'chainrule[dask]'")
    place = tmp_path_factory.mktemp("dask")
    file = place / "scheduler.json"
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "cwd": place}
    where = ["--scheduler-file", str(file)]
    local = ["--host", "127.0.0.1", "--no-dashboard"]
    command = [sys.executable, "-m", "distributed.cli.dask_scheduler", *where, *local, "--port", "0"]
    processes = [subprocess.Popen(command, **quiet)]
    try:
        until(lambda: file.exists() and file.read_text().endswith("}"))
        for k in range(2):
            command = [
                sys.executable,
                "-m",
                "distributed.cli.dask_worker",
                *where,
                *local,
                "--nthreads",
                "1",
                "--no-nanny",
            ]
            processes.append(subprocess.Popen([*command, "--local-directory", str(place / f"worker{k}")], **quiet))
        address = json.loads(file.read_text())["address"]
        with distributed.Client(address, set_as_default=False) as client:
            client.wait_for_workers(2, timeout=30)
        yield address, processes[1:]
    finally:
        for process in processes:
            process.kill()
            process.wait()
