"""A lab whose sweeps train in this process, and a small data set in MNIST's files, so that studies run in seconds."""

import gzip
import struct
from pathlib import Path

import numpy as np

from chainrule.runs import execute
from chainrule.studies.lab import Lab
from chainrule.sweeps import PointResult, Sweep, SweepResult

FILES = {
    "train": ("train-images-idx3-ubyte.gz", "train-labels-idx1-ubyte.gz"),
    "t10k": ("t10k-images-idx3-ubyte.gz", "t10k-labels-idx1-ubyte.gz"),
}


class LabInProcess(Lab):
    """A point is trained as `execute` does it, one after the other."""

    def sweep(self, sweep: Sweep) -> SweepResult:
        folder = self.folder / "sweeps" / str(sweep.name)
        runs = [
            execute(point.config, runs_dir=folder / "runs", data_dir=self.data_dir, draw=False).run
            for point in sweep.points()
        ]
        results = (PointResult(point, run, None) for point, run in zip(sweep.points(), runs, strict=True))
        return SweepResult(folder, sweep, tuple(results))


def write_small_mnist(folder: Path, train: int = 300, test: int = 100) -> None:
    """Images of 28 × 28 with a bright bar where their class says, as IDX files in `folder`/mnist."""
    generator = np.random.default_rng(0)
    (folder / "mnist").mkdir(parents=True)
    for part, count in (("train", train), ("t10k", test)):
        y = np.arange(count, dtype=np.uint8) % 10
        x = generator.integers(0, 120, (count, 28, 28), dtype=np.uint8)
        for image, label in zip(x, y, strict=True):
            image[2 * label : 2 * label + 4] += 130
        images, labels = (folder / "mnist" / name for name in FILES[part])
        images.write_bytes(gzip.compress(struct.pack(">IIII", 0x803, count, 28, 28) + x.tobytes(), 1))
        labels.write_bytes(gzip.compress(struct.pack(">II", 0x801, count) + y.tobytes(), 1))
