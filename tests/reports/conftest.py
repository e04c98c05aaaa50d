"""Runs with everything recorded, a page about each, and the browser that opens it."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from chainrule.reports import page
from chainrule.reports.of_run import report_of_run
from chainrule.runs import Run, execute
from chainrule.runs.config import RunConfig, from_mapping
from chainrule.sweeps import Sweep, SweepResult, run_sweep
from reports.browser import Browser, program

HERE = Path(__file__).parent
RECORDED = {
    "record_layers": True,
    "record_batches": True,
    "monitor_test": True,
    "snapshots": [1, 2],
    "record_samples": 60,
}


def settings(source: str, hidden: list[int], seed: int = 0, **training: object) -> RunConfig:
    content = {"data": {"source": source}, "network": {"hidden": hidden}, "training": {"epochs": 3, **training}}
    return from_mapping(RunConfig, {**content, "seed": seed})


@pytest.fixture(scope="session")
def full_run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Digits with every recording; not to be changed."""
    return execute(settings("digits", [12, 8], **RECORDED), runs_dir=tmp_path_factory.mktemp("full"), draw=False).run


@pytest.fixture(scope="session")
def full_page(full_run: Run) -> str:
    """The page about the full run."""
    return page(report_of_run(full_run))


@pytest.fixture(scope="session")
def bare_run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Digits with as little recorded as possible."""
    bare = settings("digits", [12, 8], record_samples=0, curves=False)
    return execute(bare, runs_dir=tmp_path_factory.mktemp("bare"), draw=False).run


@pytest.fixture(scope="session")
def plane_run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Two columns, two classes, one output unit."""
    config = from_mapping(
        RunConfig,
        {
            "data": {"source": "circles"},
            "network": {"hidden": [5], "output": "sigmoid"},
            "training": {"epochs": 40, "batch_size": "full", "learning_rate": 1.0, "record_samples": 60},
        },
    )
    return execute(config, runs_dir=tmp_path_factory.mktemp("plane"), draw=False).run


@pytest.fixture
def changed_run(full_run: Run, tmp_path: Path) -> Run:
    """A copy of the full run to be changed at will."""
    return Run(shutil.copytree(full_run.path, tmp_path / full_run.path.name))


@pytest.fixture
def changed_bare_run(bare_run: Run, tmp_path: Path) -> Run:
    """A copy of the bare run to be changed at will; it is reported quickly."""
    return Run(shutil.copytree(bare_run.path, tmp_path / bare_run.path.name))


@pytest.fixture(scope="session")
def sweep(tmp_path_factory: pytest.TempPathFactory) -> SweepResult:
    """Two rates and two widths with three seeds; not to be changed."""
    grid = {"training.learning_rate": [0.1, 0.001], "network.hidden": [[8], [4]]}
    planned = Sweep(settings("digits", [8], epochs=2), grid=grid, seeds=3, name="small")
    return run_sweep(planned, tmp_path_factory.mktemp("sweep") / "small", workers=1)


@pytest.fixture(scope="session")
def chromium(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """The browser; continuous integration may not do without."""
    if program() is None:
        if os.environ.get("CHAINRULE_CI"):
            pytest.fail("Chromium is missing, and CHAINRULE_CI says that it must not be")
        pytest.skip("Chromium is not installed; Debian's package is `chromium`")
    browser = Browser(tmp_path_factory.mktemp("chromium"))
    yield browser
    browser.close()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """One worker trains the shared runs, writes their pages and starts the browser."""
    shared = {"full_run", "bare_run", "plane_run", "sweep", "chromium"}
    for item in items:
        if item.path.is_relative_to(HERE) and isinstance(item, pytest.Function) and shared & set(item.fixturenames):
            item.add_marker(pytest.mark.xdist_group("reports"))
