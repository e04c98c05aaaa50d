"""`chainrule check`: every gradient of a network, or of somebody's own code, held against central differences."""

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import tyro
from tyro.conf import Positional, arg

from chainrule import storage
from chainrule.cli.output import Format, write
from chainrule.errors import InputError

if TYPE_CHECKING:
    from chainrule.cli.subject import Subject
    from chainrule.diagnosis.report import Diagnosis

CODE = (".py", ".ipynb")
Hints = Literal["verdict", "where", "what", "how"]


@dataclass(frozen=True)
class Check:
    """Hold the gradients of a network against central differences; exits 1 where one is wrong, 2 where it cannot run.

    NETWORK is the folder of a run, a settings file (its network before training), a model file, or widths; or a Python
    file or notebook with a back-propagation of one's own, whose mistakes are named.

    examples:
      chainrule check my_code.py
      chainrule check my_code.py --rubric rubric.toml --hints where
      chainrule check --all submissions/ --json results/            # --all --help tells its options
      chainrule check runs/digits-0123456789
      chainrule check examples/digits.toml --format html --output check.html
      chainrule check 784-300-10 --activation sigmoid
      chainrule check 6-5-4 --batch-norm True --dropout 0.3 --l2 0.1
    """

    network: Annotated[Positional[str], arg(metavar="NETWORK")]
    """what to check"""
    hints: Hints | None = None
    """own code: how much is told: verdict, where it goes wrong, what the mistake is, or how it goes right"""
    rubric: Path | None = None
    """own code: TOML file with the points for each quantity"""
    gradescope: Path | None = None
    """own code: the results.json of Gradescope to write; FILE may be the folder of a submission then"""
    time_limit: float = 10.0
    """own code: seconds that it may run"""
    adapter: bool = False
    """own code: write the template of an adapter, for code that is not recognised, instead of checking"""
    samples: int = 16
    """number of samples that the loss is the mean of"""
    part: str = "train"
    """part of a run's data: train or validation"""
    format: Format = "text"
    """of what is written"""
    output: Path | None = None
    """file to write to instead of the terminal"""
    data_dir: Path | None = None
    """folder of the data sets; CHAINRULE_DATA or the user's cache folder by default"""
    seed: int = 0
    """of the directions, of dropout and, where NETWORK is a model or widths, of the samples"""
    l2: float | None = None
    """λ of the penalty λ/2 Σ‖W‖²; that of the run by default"""
    activation: tuple[str, ...] = ("relu",)
    """widths: of all hidden layers, or one each"""
    loss: str = "softmax"
    """widths: softmax, sigmoid or identity, each with its loss"""
    dropout: tuple[float, ...] = (0.0,)
    """widths: of all hidden layers, or one each"""
    batch_norm: tuple[bool, ...] = (False,)
    """widths: of all hidden layers, or one each"""


def main(arguments: list[str]) -> int:
    if any(argument.partition("=")[0] == "--all" for argument in arguments):
        from chainrule.cli.submissions import main as check_all

        return check_all(arguments)
    command = tyro.cli(Check, prog="chainrule check", args=arguments)
    path = Path(command.network)
    if command.rubric is not None or command.gradescope is not None:
        from chainrule.cli.grading import graded

        return graded(command, path)
    if path.suffix in CODE and not path.is_dir():
        return _own_code(command, path)
    return _network(command)


def _own_code(command: Check, path: Path) -> int:
    if not path.exists():
        raise InputError(f"there is no file {path}", "Name a Python file or a notebook.")
    checked_time_limit(command.time_limit)
    if command.adapter:
        return _adapter(command, path)
    from chainrule.diagnosis import diagnose_file

    found = diagnose_file(path, command.time_limit)
    write(Told(found, command.hints or "how"), f"Gradients of {path.name}", command.format, command.output)
    if found.verdict == "not run" and found.intake.adapter and command.format == "text":
        print(f"`chainrule check {path} --adapter` writes the template of an adapter.", file=sys.stderr)
    return found.exit_code


@dataclass(frozen=True)
class Told:
    """A diagnosis with as much of it as the hints allow."""

    diagnosis: "Diagnosis"
    hints: Hints

    def __str__(self) -> str:
        return self.diagnosis.text(self.hints)

    def _repr_html_(self) -> str:
        return self.diagnosis.html(self.hints)

    def to_json(self) -> dict[str, Any]:
        return self.diagnosis.to_json(self.hints)


def checked_time_limit(seconds: float) -> None:
    """Raise InputError unless code may run that long."""
    if not 0.1 <= seconds <= 3600:
        raise InputError(f"--time-limit is {seconds:g}", "Take from 0.1 to 3600 seconds.")


def _adapter(command: Check, path: Path) -> int:
    from chainrule.diagnosis.child import take_in

    intake = take_in(path, command.time_limit)
    if not intake.adapter:
        raise InputError(intake.failure or f"{path.name} needs no adapter", "Check it as it is.")
    if command.output is not None:
        storage.write_text(command.output, intake.adapter)
    else:
        sys.stdout.write(intake.adapter)
    return 0


def _network(command: Check) -> int:
    from chainrule.gradcheck import check_gradients

    if command.samples < 1:
        raise InputError(f"--samples is {command.samples}", "The loss needs at least one sample.")
    subject = _subject(command)
    l2 = subject.l2 if command.l2 is None else command.l2
    report = check_gradients(subject.net, subject.x, subject.y, l2=l2, wrt_input=True, seed=command.seed)
    write(report, f"Gradients of {subject.words}", command.format, command.output)
    return 0 if report.ok else 1


def _subject(command: Check) -> "Subject":
    from chainrule.cli.subject import SETTINGS, from_model, from_run, from_widths, one_or_each

    path = Path(command.network)
    if path.is_dir() or path.suffix in SETTINGS:
        return from_run(path, command.samples, refuse_test(command.part), command.data_dir)
    if path.exists() or path.suffix == ".safetensors":
        return from_model(path, command.samples, command.seed)
    settings = {
        "activation": one_or_each(command.activation),
        "output": command.loss,
        "dropout": one_or_each(command.dropout),
        "batch_norm": one_or_each(command.batch_norm),
    }
    return from_widths(command.network, settings, command.samples, command.seed)


def refuse_test(part: str) -> str:
    """The part, unless it is the test part, which is opened once, at the end of a run."""
    if part not in ("train", "validation"):
        raise InputError(f"--part is {part!r}", "Take train or validation; the test part is opened once, by the run.")
    return part
