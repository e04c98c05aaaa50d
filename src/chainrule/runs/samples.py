"""Samples that a run keeps with what its model says of them, so that a report can show some without the data set."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from chainrule.data import DataSet, Part
from chainrule.errors import ModelFileError
from chainrule.network import Network
from chainrule.randomness import generator
from chainrule.runs.tensors import read_tensors, write_tensors

Array = NDArray[Any]

DEFAULT = 500  # samples of a run that says nothing of it
MISTAKES = 24  # at most
POINTS = 500  # of the plane, at most


@dataclass(frozen=True, eq=False)
class Drawn:
    """Some samples of one part.

    part           its name
    rows           (n,) row numbers in the part
    x              images as they were read, (n, h, w) or (n, h, w, 3); (n, d) as the network takes them otherwise
    y              (n,) labels, or (n,) or (n, t) numbers for a regression
    probabilities  (n, K) of the model: probabilities, or the predicted numbers
    """

    part: str
    rows: NDArray[np.int64]
    x: Array
    y: Array
    probabilities: Array

    def inputs(self, net: Network) -> Array:
        """The samples as the network of the run takes them, (n, d)."""
        prepared: Array = net.spec.prepare(self.x) if self.x.ndim > 2 else self.x
        return prepared

    def __len__(self) -> int:
        return len(self.rows)


@dataclass(frozen=True, eq=False)
class Samples:
    """What a run keeps of single samples.

    drawn     a fixed draw of the last part, every class with its share; the same for all runs on the same data
    mistakes  the wrong predictions of the last part with the greatest confidence, at most 24, surest first; n = 0 where
              there is none, or a sample has no label of its own
    points    up to 500 samples of the training part where there are two inputs, else None
    """

    drawn: Drawn
    mistakes: Drawn
    points: Drawn | None


def pick(net: Network, data: DataSet, count: int) -> Samples:
    """The samples of `data` that a run of `net` keeps, `count` of its last part; draws from no stream of a run."""
    name, part = list(data.parts.items())[-1]
    A = net.predict_proba(part.x)
    plane = data.train.x.shape[1] == 2
    return Samples(
        _taken(name, part, A, _stratified(part, count)),
        _taken(name, part, A, _surest_mistakes(net, part, A)),
        _taken("train", data.train, net.predict_proba(data.train.x), _stratified(data.train, POINTS))
        if plane
        else None,
    )


def write_samples(path: Path, samples: Samples) -> None:
    """Write `samples` as a safetensors file; raises StorageError where it cannot be."""
    groups = {name: group for name, group in vars(samples).items() if group is not None}
    arrays = {
        f"{name}/{key}": array for name, group in groups.items() for key, array in vars(group).items() if key != "part"
    }
    write_tensors(path, "samples", arrays, {"parts": {name: group.part for name, group in groups.items()}})


def read_samples(path: Path) -> Samples:
    """What `write_samples` wrote; raises ModelFileError for anything else."""
    arrays, settings, intact = read_tensors(path, "samples")
    if not intact:
        raise ModelFileError(f"{path} was changed after it was written", "Restore the file, or train again.")
    try:
        parts: Mapping[str, str] = settings["parts"]
        groups = {
            group: Drawn(part, *(arrays[f"{group}/{key}"] for key in ("rows", "x", "y", "probabilities")))
            for group, part in parts.items()
        }
        return Samples(groups["drawn"], groups["mistakes"], groups.get("points"))
    except (KeyError, TypeError, AttributeError) as error:
        raise ModelFileError(
            f"{path} holds no samples of a run: {error!r}", "Restore the file, or train again."
        ) from None


def _taken(name: str, part: Part, A: Array, rows: NDArray[np.int64]) -> Drawn:
    x = part.x[rows] if part.raw is None else part.raw[rows]
    return Drawn(name, rows, x, part.y[rows], A[rows])


def _stratified(part: Part, count: int) -> NDArray[np.int64]:
    """`count` rows at most, in file order, in which every class has its share to within one sample."""
    if count >= len(part):
        return np.arange(len(part))
    order = generator(0, "subset").permutation(len(part))
    if part.y.ndim == 1 and part.y.dtype.kind == "i":
        place = np.empty(len(part))  # of each sample within its class, from 0 to 1
        for label in np.unique(part.y):
            members = order[part.y[order] == label]
            place[members] = (np.arange(len(members)) + 0.5) / len(members)
        order = order[np.argsort(place[order], kind="stable")]
    return np.sort(order[:count])


def _surest_mistakes(net: Network, part: Part, A: Array) -> NDArray[np.int64]:
    if part.y.ndim != 1 or part.y.dtype.kind != "i":
        return np.zeros(0, np.int64)
    chosen = net.output.decide(A)
    confidence = A.max(axis=1) if A.shape[1] > 1 else np.abs(A[:, 0] - 0.5)
    wrong = np.flatnonzero(chosen != part.y)
    return wrong[np.argsort(-confidence[wrong], kind="stable")][:MISTAKES]
