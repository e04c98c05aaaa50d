"""scikit-learn: MLPClassifier's own epochs, by warm starts.

It shuffles by itself, so its order is not ours, and it gives two classes one logistic output: less work, and a loss of
its own, because of two outputs that begin alike each takes half of the step.
"""

import warnings

import numpy as np
from sklearn import config_context
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPClassifier as Classifier
from works import Array, Work


class Peer:
    def __init__(self, work: Work, X: Array, y: Array, start: dict[str, Array], threads: int) -> None:
        self.work, self.X, self.y, self.start = work, X, y, start
        self.binary = work.widths[-1] == 2
        self.mlp = Classifier(
            work.widths[1:-1],
            activation={"sigmoid": "logistic"}.get(work.activation, work.activation),
            solver="sgd",
            momentum=0,
            alpha=0,
            batch_size=1,
            learning_rate_init=work.rate,
            n_iter_no_change=10**9,
            shuffle=not work.full,
            warm_start=True,
        )
        rows = np.unique(y, return_index=True)[1]
        self.mlp.partial_fit(X[rows], y[rows], classes=range(work.widths[-1]))  # makes its arrays
        self.mlp.set_params(batch_size=work.batch)

    def reset(self) -> None:
        last = len(self.mlp.coefs_)
        for l, (W, b) in enumerate(zip(self.mlp.coefs_, self.mlp.intercepts_, strict=True), 1):
            for array, first in ((W, self.start[f"W{l}"]), (b, self.start[f"b{l}"])):
                array[...] = first[..., 1:] - first[..., :1] if l == last and self.binary else first

    def train(self, epochs: int, seed: int, part: float) -> None:
        m = round(part * self.work.m)
        self.mlp.set_params(max_iter=epochs, random_state=seed)
        with config_context(assume_finite=True), warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)  # the number of epochs is the work
            self.mlp.fit(self.X[:m], self.y[:m])

    def parameters(self) -> dict[str, Array]:
        pairs = enumerate(zip(self.mlp.coefs_, self.mlp.intercepts_, strict=True), 1)
        P = {f"{kind}{l}": array for l, pair in pairs for kind, array in zip("Wb", pair, strict=True)}
        if self.binary:  # the logit of the first class is 0
            P |= {name: np.concatenate([0 * P[name], P[name]], -1) for name in list(P)[-2:]}
        return P

    def predict(self) -> Array:
        with config_context(assume_finite=True):
            return self.mlp.predict(self.X)

    def predict_one(self, x: Array) -> Array:
        with config_context(assume_finite=True):
            return self.mlp.predict(x)
