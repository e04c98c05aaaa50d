"""`chainrule derive`: the derivative of a text or a network step by step, or somebody's formula put to the test."""

import json
import re
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

import tyro
from tyro.conf import Positional, arg

from chainrule import storage
from chainrule.algebra import Derivation, UnverifiedError, check_claim, derivation, derive
from chainrule.algebra.language import LONGEST
from chainrule.cli import complain
from chainrule.cli.output import write
from chainrule.cli.subject import SETTINGS, from_run, from_widths, one_or_each
from chainrule.errors import DataError, InputError, shown
from chainrule.network import Network
from chainrule.runs import Run, load

Format = Literal["text", "markdown", "latex", "html", "json", "dot", "svg"]
ENDINGS: dict[str, Format] = {
    ".md": "markdown", ".tex": "latex", ".html": "html", ".htm": "html", ".json": "json", ".dot": "dot", ".gv": "dot",
    ".svg": "svg",
}  # fmt: skip


@dataclass(frozen=True)
class Derive:
    """Differentiate step by step; nothing is printed that central differences did not confirm.

    FILE is a text of equations, of which the last is differentiated:

      x: N
      W: K,N
      z = W @ x
      E = sum(tanh(z)**2) / 2

    - is standard input, and what has an equals sign is a text itself. The folder of a run, a settings file, a model
    file or widths stand for a network, which is differentiated by all its parameters.

    Exits 1 where verification refuses a derivation, or rejects the formula of --claim.

    examples:
      chainrule derive examples/derive/residual.txt --wrt x
      chainrule derive examples/derive/residual.txt --wrt x W1 W2 --output gradients.html
      chainrule derive "E = sum((W @ x - y)**2)" --shapes W:K,N x:N y:K --wrt W
      chainrule derive examples/derive/residual.txt --wrt x --claim "W1.T @ W2.T @ (y - s)"
      chainrule derive 784-300-10 --activation sigmoid --layout column --format latex --output network.tex
      chainrule derive runs/digits-0123456789 --format markdown
    """

    file: Annotated[Positional[str], arg(metavar="FILE")]
    """what to differentiate"""
    wrt: tuple[str, ...] = ()
    """names to differentiate by; a network: all its parameters"""
    of: str | None = None
    """a line above the last one that is to be differentiated"""
    shapes: tuple[str, ...] = ()
    """shapes that the text does not declare: x:N W:K,N rate:()"""
    probabilities: tuple[str, ...] = ()
    """inputs whose entries sum to one along an axis: T:1; softmax and cross-entropy give A − T then"""
    claim: str | None = None
    """a formula for the derivative, or a file with one, to be held against central differences"""
    format: Format | None = None
    """of what is written; by default that of the ending of --output, else text"""
    output: Path | None = None
    """file to write to instead of the terminal"""
    backward: bool = False
    """dot and svg: with arrows back that have the local derivatives"""
    layout: Literal["row", "column"] | None = None
    """networks: row (Z = A W + b) by default, or column (Z = W A + b)"""
    l2: float | None = None
    """networks: λ of the penalty λ/2 Σ‖W‖²; that of a run by default"""
    activation: tuple[str, ...] = ("relu",)
    """widths: of all hidden layers, or one each"""
    loss: str = "softmax"
    """widths: softmax, sigmoid or identity, each with its loss"""
    dropout: tuple[float, ...] = (0.0,)
    """widths: of all hidden layers, or one each"""
    batch_norm: tuple[bool, ...] = (False,)
    """widths: of all hidden layers, or one each"""
    data_dir: Path | None = None
    """settings files: folder of the data sets; CHAINRULE_DATA or the user's cache folder by default"""


def main(arguments: list[str]) -> int:
    command = tyro.cli(Derive, prog="chainrule derive", args=arguments)
    form = command.format or ENDINGS.get(command.output.suffix.lower() if command.output else "", "text")
    try:
        network = _network(command)
        if network is not None:
            _write(_of_network(command, *network), command, form)
            return 0
        text = _text(command.file)
        if command.claim is not None:
            return _tried(command, text, command.claim, form)
        _write(_of_text(command, text), command, form)
    except UnverifiedError as error:
        complain(error.problem, error.remedy)
        return 1
    return 0


def _network(command: Derive) -> tuple[Network, float] | None:
    """The network that FILE stands for, with its λ; None where it is a text."""
    if command.file == "-" or _is_equation(command.file):
        return None
    path, exists = Path(command.file), _exists(command.file)
    if exists and path.is_dir():
        return load(path), Run(path).config().training.l2
    if path.suffix in SETTINGS:
        subject = from_run(path, 1, "train", command.data_dir)
        return subject.net, subject.l2
    if path.suffix == ".safetensors":
        return load(path), 0.0
    if exists or re.fullmatch(r"\d+(-\d+)+", command.file) is None:
        return None
    settings = {
        "activation": one_or_each(command.activation),
        "output": command.loss,
        "dropout": one_or_each(command.dropout),
        "batch_norm": one_or_each(command.batch_norm),
    }
    return from_widths(command.file, settings, 1, 0).net, 0.0


def _of_network(command: Derive, net: Network, l2: float) -> Derivation:
    given = ("wrt", "of", "shapes", "probabilities", "claim")
    for name in (name for name in given if getattr(command, name)):
        raise InputError(f"--{name} is for texts, and {command.file} is a network", "Leave it out, or write a text.")
    return derivation(net, layout=command.layout or "row", l2=l2 if command.l2 is None else command.l2)


def _of_text(command: Derive, text: str) -> Derivation:
    if command.layout is not None or command.l2 is not None:
        raise InputError(
            "--layout and --l2 are for networks", "A text says itself what is a row; add the penalty to it."
        )
    if not command.wrt:
        raise InputError("--wrt names nothing", "Name what to differentiate by: --wrt x, or several: --wrt x W1.")
    wrt = command.wrt if len(command.wrt) > 1 else command.wrt[0]
    return derive(text, wrt, _pairs("shapes", command.shapes), of=command.of, probabilities=_axes(command))


def _tried(command: Derive, text: str, claim: str, form: Format) -> int:
    if len(command.wrt) != 1 or command.of is not None:
        raise InputError(
            "a claim is about one name: --wrt x", "Leave out --of, and cut the text after the line instead."
        )
    if form not in ("text", "html", "json"):
        raise InputError(f"a claim is not answered in {form}", "Take --format text, html or json.")
    formula = _read(Path(claim)) if _exists(claim) else claim
    shapes = _pairs("shapes", command.shapes)
    found = check_claim(text, command.wrt[0], formula, shapes, probabilities=_axes(command))
    write(found, f"A formula for ∂{found.of}/∂{found.by}", form, command.output)
    return 0 if found.ok else 1


def _write(found: Derivation, command: Derive, form: Format) -> None:
    written = _written(found, form, command.backward)
    if command.output is not None:
        storage.write_text(command.output, written)
    else:
        sys.stdout.write(written)


def _written(found: Derivation, form: Format, backward: bool) -> str:
    if form == "json":
        return json.dumps(found.to_json(), indent=1, ensure_ascii=False) + "\n"
    if form == "dot":
        return found.graph().dot(backward=backward)
    if form == "svg":
        return found.graph().svg(backward=backward)
    pages = {"text": found.text, "markdown": found.markdown, "latex": found.latex, "html": found.html}
    return pages[form]()


def _text(file: str) -> str:
    """The text that FILE names or is."""
    if file == "-":
        try:
            return sys.stdin.read(LONGEST + 1)
        except UnicodeDecodeError:
            raise DataError("standard input is no text", "Give equations in UTF-8.") from None
    if _exists(file):
        return _read(Path(file))
    if _is_equation(file):
        return file
    raise InputError(
        f"there is no file {shown(file)}, and it is no equation either",
        'Name a file, a run or the widths of a network, or write an equation: "E = sum((W @ x - y)**2)".',
    )


def _is_equation(text: str) -> bool:
    return ("=" in text or "\n" in text) and not _exists(text)


def _exists(text: str) -> bool:
    try:
        return Path(text).exists()
    except (OSError, ValueError):  # too long, or with a zero in it, as no name of a file is
        return False


def _read(path: Path) -> str:
    """A text of at most LONGEST characters; raises DataError where there is more, or no text."""
    try:
        with path.open("rb") as file:
            content = file.read(4 * LONGEST + 1)
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise DataError(f"{path} is no text", "Give a file of equations in UTF-8.") from None
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror}", "Check the name and the permissions.") from None
    if len(text) > LONGEST:
        raise DataError(f"{path} has more than {LONGEST:,} characters", "Name parts and split it.")
    return text


def _pairs(flag: str, given: tuple[str, ...]) -> dict[str, Any]:
    """Name and what stands after the colon."""
    pairs: dict[str, Any] = {}
    for text in given:
        name, colon, rest = text.partition(":")
        if not colon or not name or name in pairs:
            raise InputError(f"--{flag} has {shown(text)}", "Write each name once, with a colon: x:N W:K,N T:1.")
        pairs[name] = rest
    return pairs


def _axes(command: Derive) -> dict[str, int]:
    axes = _pairs("probabilities", command.probabilities)
    for name, axis in axes.items():
        if axis not in ("0", "1"):
            raise InputError(f"--probabilities has axis {shown(axis)} for {name}", "Axes count from 0: T:1.")
    return {name: int(axis) for name, axis in axes.items()}
