"""`chainrule check`: every gradient of a network held against central differences."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro
from tyro.conf import Positional, arg

from chainrule.cli.output import Format, write
from chainrule.cli.subject import SETTINGS, Subject, from_model, from_run, from_widths, one_or_each
from chainrule.errors import InputError
from chainrule.gradcheck import check_gradients


@dataclass(frozen=True)
class Check:
    """Hold the gradients of a network against central differences; exits 1 where one is wrong.

    NETWORK is the folder of a run, a settings file (its network before training), a model file, or widths.

    examples:
      chainrule check runs/digits-0123456789
      chainrule check examples/digits.toml --format html --output check.html
      chainrule check 784-300-10 --activation sigmoid
      chainrule check 6-5-4 --batch-norm True --dropout 0.3 --l2 0.1
    """

    network: Annotated[Positional[str], arg(metavar="NETWORK")]
    """what to check"""
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
    command = tyro.cli(Check, prog="chainrule check", args=arguments)
    if command.samples < 1:
        raise InputError(f"--samples is {command.samples}", "The loss needs at least one sample.")
    subject = _subject(command)
    l2 = subject.l2 if command.l2 is None else command.l2
    report = check_gradients(subject.net, subject.x, subject.y, l2=l2, wrt_input=True, seed=command.seed)
    write(report, f"Gradients of {subject.words}", command.format, command.output)
    return 0 if report.ok else 1


def _subject(command: Check) -> Subject:
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
