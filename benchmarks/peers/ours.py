"""chainrule: the compiled engine, as a user calls it. A call checks its data before its first epoch, which is timed."""

from typing import Any

from works import Array, Work, network

import chainrule as cr
from chainrule.estimators import MLPClassifier as Classifier  # noqa: F401


class Peer:
    def __init__(self, work: Work, X: Array, y: Array, start: dict[str, Array], threads: int) -> None:
        self.work, self.X, self.y, self.start = work, X, y, start
        self.net = cr.kernels.accelerate(network(work))
        self.details: dict[str, Any] = {}

    def reset(self) -> None:
        for name, P in self.net.parameters().items():
            P[...] = self.start[name]

    def train(self, epochs: int, seed: int, part: float) -> None:
        size = "full" if self.work.full else self.work.batch
        settings = {"batch_size": size, "learning_rate": self.work.rate, "epochs": epochs, "seed": seed}
        history = cr.train(self.net, (self.X, self.y), **settings, engine="compiled", curves=False)
        self.details = {"engine": history.engine, "seconds_of_epochs": sum(history.seconds)}

    def parameters(self) -> dict[str, Array]:
        return self.net.parameters()

    def predict(self) -> Array:
        return self.net.predict(self.X)

    def predict_one(self, x: Array) -> Array:
        return self.net.predict(x)
