"""What a trained model leaves for the comparison: its scores for every test sample, no test label looked at."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from chainrule import storage
from chainrule.errors import ModelFileError
from chainrule.evaluation import measure
from chainrule.network import Network
from chainrule.runs.tensors import read_tensors, write_tensors
from chainrule.studies.comparison.material import Material, Pair
from chainrule.training import Moment, train


@dataclass(frozen=True, eq=False)
class Trained:
    """One model of one training.

    facts   plain JSON: method, trained_on, and whatever was set and measured on training and development data
    scores  by test set, (n, K) float32: the greater, the likelier the class; logits where it is a network
    """

    facts: dict[str, Any]
    scores: dict[str, NDArray[np.float32]] = field(repr=False)


@dataclass(frozen=True)
class NetworkSettings:
    """Of the networks; all but the training set is the same for all."""

    hidden: tuple[int, ...]
    learning_rate: float
    batch_size: int
    epochs: int
    curve_samples: int

    def updates(self, rows: int, epochs: int) -> int:
        """Steps of gradient descent in so many epochs over so many rows."""
        return epochs * -(-rows // self.batch_size)

    def equal_epochs(self, rows: int, first_rows: int) -> int:
        """Epochs over `rows` with as many updates as `epochs` over `first_rows`, to within half an epoch."""
        return max(1, round(self.updates(first_rows, self.epochs) / self.updates(rows, 1)))


def train_network(
    material: Material, name: str, seed: tuple[int, int], settings: NetworkSettings, *, progress: bool
) -> list[Trained]:
    """Train on the set `name` and keep the network after as many epochs, and after as many updates, as the first set's.

    The two are points of one training, since the rate is constant. `seed` is (start, order).
    Raises DivergedError where a value stops being finite.
    """
    first = next(iter(material.training))
    x, y = material.training[name]
    kept = sorted({settings.epochs, settings.equal_epochs(len(x), len(material.training[first][0]))})
    found: list[Trained] = []
    net = Network([x.shape[1], *settings.hidden, len(material.classes)], seed=seed[0])

    def keep(moment: Moment) -> None:
        if moment.epoch in kept:
            facts = {
                "method": "network",
                "trained_on": name,
                "start": seed[0],
                "order": seed[1],
                "epochs": moment.epoch,
                "updates": settings.updates(len(x), moment.epoch),
                **_measured(net, "train", (x, y)),
                **_measured(net, "first", material.training[first]),
                **_measured(net, "development", material.development),
            }
            frozen = net.copy()
            found.append(Trained(facts, {test: frozen.logits(rows) for test, (rows, _) in material.tests.items()}))

    history = train(
        net,
        (x, y),
        validation=material.development,
        epochs=kept[-1],
        batch_size=settings.batch_size,
        learning_rate=settings.learning_rate,
        curve_samples=settings.curve_samples,
        callbacks={"epoch_end": keep},
        seed=seed[1],
        progress=progress,
    )
    if history.stopped == "interrupted":
        raise KeyboardInterrupt
    found[-1].facts["history"] = history.rows
    return found


def _measured(net: Network, part: str, pair: Pair) -> dict[str, float | None]:
    loss, accuracy = measure(net, net.samples(pair[0]), net.compact_targets(pair[1], len(pair[1])))
    return {f"{part}_loss": loss, f"{part}_accuracy": accuracy}


@dataclass(frozen=True)
class Keep:
    """A folder of finished trainings, each found again by all that its result depends on; without a folder, nothing."""

    folder: Path | None

    def get(self, name: str, identity: Mapping[str, Any]) -> list[Trained] | None:
        """What was stored under `identity`; None where there is nothing, or where the file is damaged."""
        path = self._path(name, identity)
        if path is None or not path.exists():
            return None
        try:
            arrays, stored, intact = read_tensors(path, "trained")
        except ModelFileError:
            return None
        if not intact or stored["identity"] != json.loads(json.dumps(identity)):
            return None
        return [
            Trained(facts, {test: arrays[f"{i} {test}"] for test in facts["tests"]})
            for i, facts in enumerate(stored["models"])
        ]

    def put(self, name: str, identity: Mapping[str, Any], models: list[Trained], seconds: float) -> None:
        """Store what a training gave, whole or not at all; raises StorageError where that fails.

        Its time stands in a file of its own, for the rest is the same whenever it is computed.
        """
        path = self._path(name, identity)
        if path is not None and self.folder is not None:
            arrays = {f"{i} {test}": scores for i, model in enumerate(models) for test, scores in model.scores.items()}
            facts = [{**model.facts, "tests": list(model.scores)} for model in models]
            write_tensors(path, "trained", arrays, {"identity": identity, "models": facts})
            storage.append_line(self.folder / "timings.jsonl", json.dumps({"name": name, "seconds": seconds}))

    def seconds(self) -> dict[str, float]:
        """How long the trainings took that are kept here, the last of each name."""
        lines = [] if self.folder is None else storage.read_lines(self.folder / "timings.jsonl")
        return {entry["name"]: entry["seconds"] for entry in map(json.loads, lines)}

    def _path(self, name: str, identity: Mapping[str, Any]) -> Path | None:
        digest = sha256(json.dumps(identity, sort_keys=True).encode()).hexdigest()[:10]
        safe = "".join(sign if sign.isalnum() else "-" for sign in name)
        return None if self.folder is None else self.folder / f"{safe}-{digest}.safetensors"
