"""`chainrule train`: from a data set, a settings file or an unfinished run to a finished run folder."""

import shlex
import signal
import sys
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Annotated

import tyro
from tyro.conf import OmitArgPrefixes, Positional, arg

from chainrule.errors import InputError
from chainrule.runs import Outcome, RunConfig, execute, read_config, resume
from chainrule.runs.config import DataSettings, NetworkSettings, TrainingSettings
from chainrule.runs.folder import Run

SETTINGS = (".toml", ".json")


@dataclass(frozen=True)
class Train:
    """Train a network on DATA, evaluate it, and leave a run folder.

    Settings come from the defaults, then a TOML file, then flags. A finished run of the same settings is reported,
    not repeated; an unfinished one goes on where it was.

    examples:
      chainrule train digits
      chainrule train mnist --hidden 300 --activation sigmoid --batch-size 1 --learning-rate 0.03 --epochs 5
      chainrule train table.csv --label species --hidden 16 8 --activation tanh --optimizer adam
      chainrule train settings.toml --epochs 50
      chainrule train --resume runs/digits-0123456789
    """

    target: Annotated[Positional[str | None], arg(metavar="DATA")] = None
    """data set, file, folder of images, settings.toml, or config.json of a run"""
    resume: Path | None = None
    """go on with this unfinished run"""
    runs_dir: Path = Path("runs")
    """folder in which the run's folder is made"""
    data_dir: Path | None = None
    """folder of the data sets; CHAINRULE_DATA or the user's cache folder by default"""
    force: bool = False
    """train again even if a finished run of the same settings is there"""
    quiet: bool = False
    """no progress, only errors"""
    name: str | None = None
    """name of the run; that of the data by default"""
    seed: int = 0
    """seed of everything that has none of its own"""
    data: OmitArgPrefixes[DataSettings] = field(default_factory=DataSettings)
    network: OmitArgPrefixes[NetworkSettings] = field(default_factory=NetworkSettings)
    training: OmitArgPrefixes[TrainingSettings] = field(default_factory=TrainingSettings)


def main(arguments: list[str]) -> int:
    command = _parsed(arguments)
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # a polite kill is an interrupt
    say: Callable[[str], None] = (lambda line: None) if command.quiet else print
    if command.resume is not None:
        _refuse_settings_beside_resume(command)
        outcome = resume(Run(command.resume), data_dir=command.data_dir, progress=not command.quiet, announce=say)
    else:
        outcome = execute(
            _config(command),
            runs_dir=command.runs_dir,
            data_dir=command.data_dir,
            force=command.force,
            progress=not command.quiet,
            announce=say,
        )
    return _told(outcome, say, command.data_dir)


def _parsed(arguments: list[str]) -> Train:
    """The command; where its target is a settings file, the flags are read once more on top of that."""
    command: Train = tyro.cli(Train, prog="chainrule train", args=arguments)
    if command.target is None or not command.target.endswith(SETTINGS):
        return command
    base = read_config(Path(command.target))
    if command.target.endswith(".json"):  # the saved settings of a run, whose seeds were filled in
        base = base.with_open_seeds()
    default = Train(name=base.name, seed=base.seed, data=base.data, network=base.network, training=base.training)
    command = tyro.cli(Train, prog="chainrule train", args=arguments, default=default)
    if (command.data, command.seed) != (base.data, base.seed):  # other data have another fingerprint
        command = replace(command, data=replace(command.data, sha256=None))
    if command.network.start != base.network.start:  # and other first weights, too
        command = replace(command, network=replace(command.network, start_sha256=None))
    return command


def _refuse_settings_beside_resume(command: Train) -> None:
    """A run goes on with the settings that it has."""
    plain = Train()
    given = ["data set"] if command.target is not None else []
    given += [name for name in ("name", "seed", "force") if getattr(command, name) != getattr(plain, name)]
    for section in ("data", "network", "training"):
        now, default = vars(getattr(command, section)), vars(getattr(plain, section))
        given += [name for name in now if now[name] != default[name]]
    if given:
        raise InputError(
            f"--resume goes on with {command.resume} as it is; it takes no {', '.join(given)}",
            "Leave them out, or train a new run.",
        )


def _config(command: Train) -> RunConfig:
    data, target = command.data, command.target
    if target is not None and not target.endswith(SETTINGS):
        data = replace(data, source=target, sha256=None)
    return RunConfig(data, command.network, command.training, command.name, command.seed)


def _told(outcome: Outcome, say: Callable[[str], None], data_dir: Path | None) -> int:
    run = outcome.run
    if outcome.stopped == "interrupted":
        where = ["--data-dir", str(data_dir)] if data_dir is not None else []
        again = shlex.join(["chainrule", "train", "--resume", str(run.path), *where])
        print(f"Interrupted; {run.epochs()} whole epochs are kept. Go on with: {again}", file=sys.stderr)
        return 130
    if outcome.found:
        say("This run was finished before; --force trains it again.")
    for part, result in run.evaluations().items():
        say(f"{part:<10} {result.summary()}")
    last = list(run.evaluations().values())[-1]
    if last.report:
        say(f"\n{last.report}")
    if last.loss >= last.baseline.get("loss", float("inf")):
        say("This is worse than a constant guess: the rate is probably too high, or the input not scaled.")
    best = run.results()["best_epoch"]
    weights = f"; the weights are those of epoch {best}" if best else ""
    say(f"Ended by {outcome.stopped}{weights}. The run lies in {run.path}")
    curves = run.figures / "curves.png"
    if curves.exists():
        say(f"Curves: {curves}")
    return 0
