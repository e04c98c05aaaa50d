"""What is trained: data, networks and settings as plain data, the same for every peer."""

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import chainrule as cr
from chainrule.data.idx import read_pair
from chainrule.randomness import generator

Array = NDArray[Any]
NONZERO = 0.19  # share of the inputs of MNIST that are not zero


@dataclass(frozen=True)
class Work:
    """Softmax and cross-entropy, float32, a constant rate, no L2; plain gradient descent unless it is fitted by Adam.

    batch   divides m but where classifiers are fitted, which take what is left
    epochs  that one reading takes, all of them in one call
    source  normal: X normal and its labels drawn from the first columns; rings; digits; mnist
    parts   the share of an epoch, its first steps, that is timed for a peer that would take too long
    """

    name: str
    title: str
    m: int
    widths: tuple[int, ...]
    batch: int
    rate: float
    activation: str = "relu"
    epochs: int = 1
    source: str = "normal"
    parts: Mapping[str, float] = field(default_factory=dict)

    @property
    def full(self) -> bool:
        return self.batch == self.m

    def quick(self) -> "Work":
        """The same with fewer samples and epochs, to try the programs out."""
        batch = self.m // 10 if self.full else self.batch
        m = max(batch, self.m // (100 if batch == 1 else 10) // batch * batch)
        return replace(self, m=m, batch=batch, epochs=-(-self.epochs // 10), parts={})


SLOW = {"NumPy": 1 / 6, "NumPy, best kernel": 1 / 6, "PyTorch": 1 / 6, "torch.compile": 1 / 6, "scikit-learn": 1 / 30}

TRAININGS = (
    Work("mini-batch", "50,000 × 512, 512–64–10 relu, batch 500", 50_000, (512, 64, 10), 500, 0.1, epochs=20),
    Work("deep", "50,000 × 512, 512–512–256–10 relu, batch 500", 50_000, (512, 512, 256, 10), 500, 0.03, epochs=2),
    Work(
        "mnist",
        "MNIST 60,000 × 784, 784–300–10 sigmoid, batch 1",
        60_000,
        (784, 300, 10),
        1,
        0.03,
        "sigmoid",
        source="mnist",
        parts=SLOW,
    ),
    Work(
        "full-batch",
        "1,000 × 2, 2–16–2 tanh, full batch",
        1_000,
        (2, 16, 2),
        1_000,
        0.5,
        "tanh",
        epochs=3_000,
        source="rings",
    ),
)

ADAM = 200  # samples of a batch, where classifiers are fitted
FITS = (
    Work("fit-digits", "digits 1,797 × 64, 64–100–10", 1_797, (64, 100, 10), ADAM, 0.001, epochs=200, source="digits"),
    Work("fit-mnist", "MNIST 60,000 × 784, 784–100–10", 60_000, (784, 100, 10), ADAM, 0.001, epochs=3, source="mnist"),
    Work("fit-normal", "50,000 × 512, 512–64–10", 50_000, (512, 64, 10), ADAM, 0.001, epochs=3),
)

SCALING = {
    "samples": ("samples", tuple(4**k for k in range(4, 9))),
    "width": ("units of each hidden layer", tuple(2**k for k in range(4, 11))),
    "depth": ("hidden layers", (1, 2, 4, 8, 16)),
    "batch": ("samples of a batch", tuple(2**k for k in range(0, 14, 2))),
}


def scaled(axis: str, value: int) -> Work:
    """One point of the scaling row: 8,192 × 128, 128–128–128–10 relu, batch 128, but for one of them."""
    chosen = {"samples": 8_192, "width": 128, "depth": 2, "batch": 128} | {axis: value}
    widths = (128, *[chosen["width"]] * chosen["depth"], 10)
    return Work(f"{axis}-{value}", "", chosen["samples"], widths, chosen["batch"], 0.01)


def data(work: Work) -> tuple[Array, Array]:
    """X (m, d) float32 and labels y (m,), the same in every process."""
    draw, d = generator(0, "synthesis"), work.widths[0]
    if work.source == "mnist" and real_mnist():
        images, labels = read_pair(*real_mnist())
        X = images[: work.m].reshape(-1, d).astype(np.float32) / np.float32(255)
        return X, labels[: work.m].astype(np.int64)
    if work.source == "digits":
        from sklearn.datasets import load_digits

        X, y = load_digits(return_X_y=True)
        return (X[: work.m] / 16).astype(np.float32), y[: work.m]
    if work.source == "mnist":
        X = draw.random((work.m, d), dtype=np.float32)
        X *= draw.random((work.m, d), dtype=np.float32) < NONZERO
    else:
        X = draw.standard_normal((work.m, d), dtype=np.float32)
    if work.source == "rings":
        return X, (np.square(X).sum(axis=1) > 1.4).astype(np.int64)
    K = work.widths[-1]
    return X, np.argmax(X[:, -K:] + draw.gumbel(scale=0.5, size=(work.m, K)), axis=1)


def real_mnist() -> tuple[Path, Path] | None:
    """Its training images and labels, where CHAINRULE_DATA has them."""
    folder = Path(os.environ.get("CHAINRULE_DATA", "")) / "mnist"
    found = tuple(folder / f"train-{name}-ubyte.gz" for name in ("images-idx3", "labels-idx1"))
    return found if all(path.exists() for path in found) else None


def network(work: Work) -> cr.Network:
    """The network that every peer starts from."""
    return cr.Network(work.widths, activation=work.activation, seed=0)


def orders(work: Work, epochs: int, seed: int, part: float = 1.0) -> Iterator[Array]:
    """The order of the samples in each epoch, as `cr.train` draws it; drawing it is part of an epoch for everybody."""
    draw = generator(seed, "shuffle")
    return (draw.permutation(work.m)[: round(part * work.m)] for _ in range(epochs))
