"""What the tests of whole runs share: the command in this process, a finished run to copy, refusals read in words."""

import os
import shutil
import signal
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import chainrule.runs
import refusals
from chainrule.cli import main
from chainrule.runs import Run

# In the background of a shell Ctrl-C is ignored, and the processes that tests start would inherit that.
signal.signal(signal.SIGINT, signal.default_int_handler)

EXECUTE = sys.modules["chainrule.runs.execute"]  # the room; the package has a function of the same name
RESULTS = ("model.safetensors", "history.jsonl", "evaluation.json")
RECORDED = ("batch_losses.npy", "samples.safetensors", "snapshots/*")


@dataclass(frozen=True)
class Answer:
    """What one call of the command left: exit code, standard output, standard error."""

    code: int
    out: str
    err: str

    @property
    def text(self) -> str:
        return self.out + self.err

    @property
    def words(self) -> str:
        """All text in one line without the frame that the reader of flags draws, so that words stay together."""
        return " ".join(self.text.translate(str.maketrans("│╭╮╰╯─", "      ")).split())


Command = Callable[..., Answer]


def called(arguments: tuple[Any, ...]) -> int:
    """The exit code of the command; the reader of flags leaves by SystemExit."""
    before = signal.getsignal(signal.SIGTERM)
    try:
        return main([str(argument) for argument in arguments])
    except SystemExit as leaving:
        return leaving.code if isinstance(leaving.code, int) else 1
    finally:
        signal.signal(signal.SIGTERM, before)


@pytest.fixture
def command(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Command:
    """`command("train", "digits")` in this process, in an empty folder; anything but an exit code escapes."""
    monkeypatch.chdir(tmp_path)

    def call(*arguments: Any) -> Answer:
        capsys.readouterr()
        code = called(arguments)
        return Answer(code, *capsys.readouterr())

    return call


@pytest.fixture
def undrawn(monkeypatch: pytest.MonkeyPatch) -> None:
    """Runs without their figures, which cost a second each."""
    monkeypatch.setattr(EXECUTE, "draw", lambda *_: None)


@pytest.fixture(scope="session")
def program() -> list[str]:
    """The installed command, for tests that need a process of its own."""
    return [str(Path(sys.executable).with_name("chainrule"))]


@pytest.fixture(scope="session")
def digits_run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A finished run, figures included; not to be changed."""
    runs = tmp_path_factory.mktemp("finished") / "runs"
    assert called(("train", "digits", "--epochs", 4, "--hidden", 12, "--quiet", "--runs-dir", runs)) == 0
    (folder,) = runs.iterdir()
    return Run(folder)


@pytest.fixture
def copied_run(digits_run: Run, tmp_path: Path) -> Run:
    """A copy of the finished run to be changed at will."""
    return Run(shutil.copytree(digits_run.path, tmp_path / "copied" / digits_run.path.name))


@pytest.fixture
def results_of() -> Callable[[Path], dict[str, bytes]]:
    """The bytes that must be the same wherever and however often a run was interrupted."""

    def read(folder: Path) -> dict[str, bytes]:
        recorded = (str(path.relative_to(folder)) for pattern in RECORDED for path in folder.glob(pattern))
        return {name: (folder / name).read_bytes() for name in (*RESULTS, *recorded)}

    return read


@pytest.fixture
def refused() -> Callable[..., AbstractContextManager[None]]:
    """`with refused("words", …):` the block raises one of our errors, which says all of them."""
    return refusals.refused


@pytest.fixture
def table(tmp_path: Path) -> Path:
    """A table of two measures and a species that follows from them."""
    rng = np.random.default_rng(5)
    path = tmp_path / "tåble of flowers.csv"
    rows = ["width,height,species"]
    for width, height in rng.normal(size=(90, 2)):
        rows.append(f"{width:.4f},{height:.4f},{'tall' if height > width else 'wide'}")
    path.write_text("\n".join(rows) + "\n")
    return path


@pytest.fixture
def real_data() -> Path:
    folder = Path(os.environ.get("CHAINRULE_DATA", ""))
    if not os.environ.get("CHAINRULE_DATA") or not (folder / "mnist").is_dir():
        pytest.skip("CHAINRULE_DATA names no folder with the real MNIST")
    return folder


assert chainrule.runs.execute is not EXECUTE
