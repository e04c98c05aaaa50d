"""`chainrule images features`: features of the images of a data set, kept on disk for what trains on them."""

import signal
import sys
import time
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Annotated

import tyro
from tyro.conf import OmitArgPrefixes, Positional, arg

from chainrule.errors import InputError
from chainrule.images.features import features_folder
from chainrule.runs.config import DataSettings, RunConfig
from chainrule.runs.execute import load


@dataclass(frozen=True)
class Features:
    """Compute features of the images of a data set and keep them, so that `train --features` finds them.

    They are learned on the training part alone. An interrupted computation goes on where it was.

    examples:
      chainrule images features cifar10 --features patches-512
      chainrule images features cifar10 --features "patches(atoms=400, dictionary=sampled)"
      chainrule images features cifar10 --features onnx:net.onnx#pool
    """

    source: Annotated[Positional[str], arg(metavar="SOURCE")]
    """data set, array file or folder of images"""
    cache: Path | None = None
    """folder to keep them in; CHAINRULE_CACHE or the user's cache folder by default"""
    data_dir: Path | None = None
    """folder of the data sets; CHAINRULE_DATA or the user's cache folder by default"""
    seed: int = 0
    """seed of the split"""
    data: OmitArgPrefixes[DataSettings] = field(default_factory=DataSettings)


def main(arguments: list[str]) -> int:
    command = tyro.cli(Features, prog="chainrule images features", args=arguments)
    if command.data.features is None:
        raise InputError("no features are named", "Say --features patches-512, or another; --help shows some.")
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # a polite kill is an interrupt
    settings = replace(command.data, source=command.source)
    began = time.perf_counter()
    try:
        data = load(RunConfig(data=settings, seed=command.seed), command.data_dir, progress=True, cache=command.cache)
    except KeyboardInterrupt:
        print("Interrupted; finished blocks are kept, and the same command goes on.", file=sys.stderr)
        return 130
    print(data)
    for name, part in data.parts.items():
        assert part.raw is not None
        assert data.spec.extractor is not None
        folder = features_folder(part.raw, data.spec.extractor, command.cache)
        print(f"{name:<10} {len(part):>7} images  {folder / 'features.npy'}")
    print(f"{time.perf_counter() - began:.1f} s")
    return 0
