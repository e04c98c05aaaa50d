"""`chainrule images augment`: the augmented set of a data set's training images, written once."""

import signal
import time
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Annotated

import tyro
from tyro.conf import OmitArgPrefixes, Positional, arg

from chainrule.data import PUBLISHED
from chainrule.errors import InputError
from chainrule.images.augmented import augmented_set
from chainrule.images.transforms import ASSIGNMENT, transform
from chainrule.runs.config import DataSettings, RunConfig
from chainrule.runs.execute import load


@dataclass(frozen=True)
class Augment:
    """Write the augmented set: the training images as they are, and a transformed copy of each.

    The folder holds images.npy (originals first), labels.npy, and for each copy the transform and its parameters.
    One that is there is used again.

    examples:
      chainrule images augment cifar10
      chainrule images augment mnist --transform "affine|elastic"
    """

    source: Annotated[Positional[str], arg(metavar="SOURCE")]
    """data set, array file or folder of images"""
    transform: str = ASSIGNMENT
    """what makes the copies: options joined by |, of which one is drawn for each image; steps joined by +"""
    cache: Path | None = None
    """folder to keep it in; CHAINRULE_CACHE or the user's cache folder by default"""
    data_dir: Path | None = None
    """folder of the data sets; CHAINRULE_DATA or the user's cache folder by default"""
    seed: int = 0
    """of the draws, and of the split"""
    data: OmitArgPrefixes[DataSettings] = field(default_factory=DataSettings)


def main(arguments: list[str]) -> int:
    command = tyro.cli(Augment, prog="chainrule images augment", args=arguments)
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # a polite kill is an interrupt
    transform(command.transform)  # a wrong name is refused before anything is read
    if command.data.features is not None:
        raise InputError("--features does not apply: the images themselves are transformed", "Leave it out.")
    settings = replace(command.data, source=command.source)
    if settings.validation is None and command.source in PUBLISHED:  # the assignment's set is of all training images
        settings = replace(settings, validation=0)
    data = load(RunConfig(data=settings, seed=command.seed), command.data_dir, progress=True)
    if data.train.raw is None:
        raise InputError(f"{data.name} holds no images", "Name a set of images: cifar10, mnist, a folder of pictures.")
    began = time.perf_counter()
    found = augmented_set(
        data.train.raw, data.train.y, command.transform, seed=command.seed, cache=command.cache, progress=True
    )
    print(data)
    for name, count in found.counts.items():
        print(f"{name:<16} {count:>7} copies")
    print(f"{len(found.images):,} images in {time.perf_counter() - began:.1f} s: {found.folder}")
    return 0
