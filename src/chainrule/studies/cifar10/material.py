"""Features of CIFAR-10's images, and of these with transformed copies, as array files that a run can read."""

import hashlib
import io
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from chainrule import __version__, storage
from chainrule.data import Preprocessing
from chainrule.images.augmented import augmented_set
from chainrule.images.features import features_of, learned
from chainrule.images.transforms import ASSIGNMENT
from chainrule.randomness import generator
from chainrule.studies.lab import Lab

EXTRACTOR = "patches-512"
DEVELOPMENT = 5000
FEW = 600  # test images of report 000
SETS = ("original", "augmented")

Array = NDArray[Any]


@dataclass(frozen=True, eq=False)
class Material:
    """What the networks are trained on and tested with.

    files      by training set, an .npz with x_train, y_train, x_validation, y_validation, x_test, y_test; the features
               are scaled by the original training rows, the labels are names
    x, y       the test set, (n, 512) float32 and (n,) places in `classes`
    few        (600,) rows of it, a fixed draw
    classes    names in label order
    """

    files: dict[str, Path]
    x: Array
    y: NDArray[np.int64]
    few: NDArray[np.int64]
    classes: tuple[str, ...]


def material(lab: Lab) -> Material:
    """Read CIFAR-10, make the copies and the features; what is in the folder of the study is not made again.

    The development images are left out before copies are made, so that none of theirs is trained on. The extractor
    learns from the original training images, without labels.
    """
    data = lab.data("cifar10", validation=DEVELOPMENT, split="stratified")
    most = lab.choose(full=(None, None, None), quick=(4000, 1000, 2000))
    images, labels = {}, {}
    for (name, part), rows in zip(data.parts.items(), most, strict=True):
        assert part.raw is not None
        images[name], labels[name] = part.raw[:rows], part.y[:rows]
    folder = lab.folder / "material"
    identity = {
        "chainrule": __version__,
        "data": data.provenance["sha256"],
        "rows": {name: len(own) for name, own in labels.items()},
        "features": EXTRACTOR,
        "transform": ASSIGNMENT,
    }
    digest = hashlib.sha256(json.dumps(identity, sort_keys=True).encode()).hexdigest()[:10]
    files = {name: folder / f"{name}-{digest}.npz" for name in SETS}
    if not all(path.exists() for path in files.values()):
        _write(lab, files, images, labels, data.classes)
    with np.load(files["original"], allow_pickle=False) as stored:
        x = stored["x_test"]
    few = np.sort(generator(0, "subset").choice(len(x), min(FEW, len(x) // 2), replace=False))
    return Material(files, x, labels["test"], few, data.classes)


def _write(
    lab: Lab, files: dict[str, Path], images: dict[str, Array], labels: dict[str, Array], classes: tuple[str, ...]
) -> None:
    cache = lab.folder / "material"
    lab.announce(f"features {EXTRACTOR}")
    copies = augmented_set(images["train"], labels["train"], ASSIGNMENT, seed=0, cache=cache, progress=lab.progress)
    extractor = learned(EXTRACTOR, images["train"], cache=cache, progress=lab.progress)

    def features(of: Array) -> Array:
        return features_of(of, extractor, cache=cache, progress=lab.progress)

    found = {name: features(of) for name, of in images.items()}
    scale = Preprocessing.fit("standardise", found["train"])
    names = np.array(classes)
    common = {
        f"{letter}_{name}": array
        for name in ("validation", "test")
        for letter, array in (("x", scale(found[name])), ("y", names[labels[name]]))
    }
    training = {
        "original": (found["train"], labels["train"]),
        "augmented": (features(copies.images), copies.labels),
    }
    for name, (x, y) in training.items():
        buffer = io.BytesIO()
        np.savez(buffer, x_train=scale(x), y_train=names[y], **common)  # type: ignore[arg-type]
        storage.write_bytes(files[name], buffer.getvalue())
