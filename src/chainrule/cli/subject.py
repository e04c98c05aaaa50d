"""The network that a command is about, with samples to look at it by: of a run, a settings file, a model or widths."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from chainrule.data import Part
from chainrule.errors import InputError, shown
from chainrule.network import Network
from chainrule.randomness import generator
from chainrule.runs import Run, RunConfig, load, read_config
from chainrule.runs.execute import build, resolved
from chainrule.runs.execute import load as load_data

SETTINGS = (".toml", ".json")


@dataclass(frozen=True)
class Subject:
    """A network, inputs x (n, d), targets y, λ of its training, and in words where all that comes from."""

    net: Network
    x: Any
    y: Any
    l2: float
    words: str


def from_run(target: Path, samples: int, part: str, data_dir: Path | None) -> Subject:
    """The trained network of a run folder, or the start that a settings file describes, with the first samples."""
    if target.suffix in SETTINGS and not target.is_dir():
        config = read_config(target)
        words, data = f"{target}, before training", load_data(config, data_dir)
        config = resolved(config, data)
        net = build(config, data)
    else:
        config = Run(target).config()
        words, data = str(target), load_data(config, data_dir)
        net = load(target)
    held: Part | None = data.parts.get(part)
    if held is None:
        raise InputError(f"{data.name} has no {part} part", f"It has {', '.join(data.parts)}.")
    return _subject(net, held, samples, config, f"{words}, {part} part")


def from_widths(text: str, settings: dict[str, Any], samples: int, seed: int) -> Subject:
    """A new network of widths such as 784-300-10 with random inputs and targets."""
    if re.fullmatch(r"\d{1,9}(-\d{1,9})+", text) is None:
        raise InputError(
            f"there is no run, settings file or model {shown(text)}, and it is no network either",
            "Name a folder or file that exists, or the widths of a network, such as 784-300-10.",
        )
    net = Network([int(width) for width in text.split("-")], seed=seed, **settings)
    return _at_random(net, samples, seed, f"network {text}")


def from_model(path: Path, samples: int, seed: int) -> Subject:
    """The network in a model file, whose data are not at hand, with random inputs and targets."""
    return _at_random(load(path), samples, seed, str(path))


def _subject(net: Network, part: Part, samples: int, config: RunConfig, words: str) -> Subject:
    n = min(samples, len(part))
    told = f"{words}, samples 0 to {n - 1}" if n > 1 else f"{words}, sample 0"
    return Subject(net, part.x[:n], part.y[:n], config.training.l2, told)


def _at_random(net: Network, samples: int, seed: int, words: str) -> Subject:
    draw = generator(seed, "synthesis")
    x, K = draw.normal(size=(samples, net.layers[0])), net.layers[-1]
    targets = {
        "softmax": lambda: draw.integers(K, size=samples),
        "sigmoid": lambda: draw.integers(2, size=(samples, K)),
    }
    y = targets.get(net.output.name, lambda: draw.normal(size=(samples, K)))()
    return Subject(net, np.asarray(x), y, 0.0, f"{words}, {samples} random samples")


def one_or_each(values: tuple[object, ...]) -> object:
    """A setting of all layers where one value was given, else those of each."""
    return values[0] if len(values) == 1 else values
