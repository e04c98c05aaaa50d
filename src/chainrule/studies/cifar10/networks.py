"""The networks of the CIFAR-10 study: trained once each, looked at after as many epochs as the reports trained."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from chainrule import statistics
from chainrule.evaluation import Evaluation, evaluate
from chainrule.runs import Run, RunConfig
from chainrule.runs import load as load_model
from chainrule.runs.config import DataSettings, NetworkSettings, TrainingSettings
from chainrule.studies.cifar10.material import SETS, Material
from chainrule.studies.lab import Lab, by_variant

RATES = (0.01, 0.008)
RATE = RATES[0]
BATCH = 500
MARKS = (120, 400, 800, 3000)  # epochs of the reports; the last with one seed and one rate
QUICK_MARKS = (4, 8, 12, 26)


@dataclass(frozen=True, eq=False)
class Look:
    """A network after some epochs: its results, and its scores of the test images."""

    model: Path
    parts: Mapping[str, Evaluation]
    material: Material

    @cached_property
    def hits(self) -> NDArray[np.bool_]:
        """(n,) whether each test image is decided rightly."""
        right: NDArray[np.bool_] = load_model(self.model).predict(self.material.x) == self.material.y
        return right

    @cached_property
    def few(self) -> Evaluation:
        """Results on the 600 test images."""
        rows = self.material.few
        return evaluate(load_model(self.model), (self.material.x[rows], self.material.y[rows]))


@dataclass(frozen=True, eq=False)
class Found:
    """All runs: up to the third mark by training set and rate, in several seeds, and the long ones by training set."""

    marks: Sequence[int]
    runs: Mapping[tuple[str, float], Sequence[Run]]
    longest: Mapping[str, Run]
    material: Material
    _looks: dict[tuple[Path, int], Look] = field(default_factory=dict, repr=False)

    def looks(self, name: str, rate: float, epochs: int) -> list[Look]:
        """The networks trained on `name` at `rate` after so many epochs, one a seed."""
        runs = [self.longest[name]] if epochs > self.marks[2] else self.runs[name, rate]
        return [self._look(run, epochs) for run in runs]

    def _look(self, run: Run, epochs: int) -> Look:
        key = (run.path, epochs)
        if key not in self._looks:
            self._looks[key] = self._new_look(run, epochs)
        return self._looks[key]

    def _new_look(self, run: Run, epochs: int) -> Look:
        if epochs == run.config().training.epochs:
            return Look(run.model, run.evaluations(), self.material)
        return Look(run.snapshots()[epochs], run.snapshot_evaluations()[epochs], self.material)

    @property
    def seeds(self) -> int:
        return len(self.runs[SETS[0], RATE])


def trained(lab: Lab, made: Material) -> Found:
    """The networks; every one is also kept at half of each mark, where the augmented set has had as many updates."""
    from chainrule.sweeps import Sweep

    marks = lab.choose(full=MARKS, quick=QUICK_MARKS)
    places = [(name, rate) for name in SETS for rate in RATES]

    def changes(name: str, rate: float) -> dict[str, Any]:
        return {"training.learning_rate": rate, "data.source": str(made.files[name].resolve())}

    several = Sweep(
        _config(marks[:3]),
        changes=[changes(*place) for place in places],
        seeds=lab.seed_count(full=5, quick=2),
        name="networks",
    )
    long = Sweep(_config(marks), changes=[changes(name, RATE) for name in SETS], name="long")
    runs = by_variant(lab.sweep(several), places)
    longest = {name: own[0] for name, own in by_variant(lab.sweep(long), SETS).items()}
    return Found(marks, runs, longest, made)


def _config(marks: Sequence[int]) -> RunConfig:
    kept = sorted({*marks, *(mark // 2 for mark in marks)})
    return RunConfig(
        data=DataSettings(preprocessing="none"),
        network=NetworkSettings(hidden=(64,), activation=("relu",)),
        training=TrainingSettings(
            epochs=marks[-1],
            batch_size=BATCH,
            learning_rate=RATE,
            curve_samples=10_000,
            curve_every=max(1, marks[-1] // 300),
            snapshots=tuple(kept[:-1]),
        ),
    )


def interval(first: Sequence[Look], second: Sequence[Look], images: Any) -> statistics.Interval:
    """Test accuracy of `second` minus that of `first` on some test images, pair by pair."""
    d = np.stack([b.hits[images] * 1.0 - a.hits[images] for a, b in zip(first, second, strict=True)])
    return statistics.crossed_interval(d) if len(d) > 1 else statistics.mean_interval(d[0])
