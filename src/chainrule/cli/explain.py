"""`chainrule explain`: the chain of products behind one gradient, with its numbers."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro
from tyro.conf import Positional, arg

from chainrule.cli.check import refuse_test
from chainrule.cli.output import Format, write
from chainrule.cli.subject import from_run
from chainrule.errors import InputError
from chainrule.gradcheck import explain


@dataclass(frozen=True)
class Explain:
    """Print what one gradient is made of: the products of the chain rule, symbols above and numbers below, for one
    sample and for all of them, their mean, and the finite difference beside it; exits 1 where these disagree.

    examples:
      chainrule explain runs/digits-0123456789 --of "W1[3,5]" --sample 0
      chainrule explain runs/digits-0123456789 --of "b2[7]" --format html --output b2.html
      chainrule explain examples/digits.toml --of "A0[20]" --sample 4
    """

    run: Annotated[Positional[Path], arg(metavar="RUN")]
    """the folder of a run, or a settings file (its network before training)"""
    of: str
    """a parameter W1[3,5] or b1[3], an input A0[3], a hidden unit Z1[3] or A1[3]"""
    sample: int = 0
    """the sample whose chain is written out"""
    samples: int = 16
    """number of samples that the loss is the mean of"""
    part: str = "train"
    """part of the data: train or validation"""
    format: Format = "text"
    """of what is written"""
    output: Path | None = None
    """file to write to instead of the terminal"""
    data_dir: Path | None = None
    """folder of the data sets; CHAINRULE_DATA or the user's cache folder by default"""


def main(arguments: list[str]) -> int:
    command = tyro.cli(Explain, prog="chainrule explain", args=arguments)
    if not 0 <= command.sample < command.samples:
        raise InputError(
            f"--sample is {command.sample} but the loss is the mean of samples 0 to {command.samples - 1}",
            "Choose one of these, or take more: --samples 100.",
        )
    subject = from_run(command.run, command.samples, refuse_test(command.part), command.data_dir)
    found = explain(subject.net, subject.x, subject.y, command.of, command.sample, l2=subject.l2)
    write(found, f"{found.of} in {subject.words}", command.format, command.output)
    return 0 if found.ok else 1
