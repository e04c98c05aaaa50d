"""The small problems on which the estimators are compared: no size equals another, no batch divides the samples."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn import neural_network

from chainrule import estimators

Array = NDArray[Any]

M, D = 53, 7
BATCH = 10


@dataclass(frozen=True)
class Problem:
    """One task with the estimator of each library that solves it."""

    name: str
    estimator: str
    X: Array
    y: Array

    def theirs(self, **settings: Any) -> Any:
        return getattr(neural_network, self.estimator)(**settings)

    def ours(self, **settings: Any) -> Any:
        return getattr(estimators, self.estimator)(**settings)


def _problems() -> list[Problem]:
    rng = np.random.default_rng(0)
    X = rng.normal(size=(M, D))
    scores = X @ rng.normal(size=(D, 4)) + 0.3 * rng.normal(size=(M, 4))
    return [
        Problem("binary", "MLPClassifier", X, np.where(scores[:, 0] > 0, "yes", "no")),
        Problem("multiclass", "MLPClassifier", X, scores.argmax(axis=1) * 10),
        Problem("multilabel", "MLPClassifier", X, (scores[:, :3] > 0).astype(int)),
        Problem("regression", "MLPRegressor", X, scores[:, 0]),
        Problem("two targets", "MLPRegressor", X, scores[:, :2]),
    ]


PROBLEMS = {problem.name: problem for problem in _problems()}
WEIGHT = np.random.default_rng(1).uniform(0.1, 3, M)
