"""What other methods reach with the same features, each with its setting chosen on development data."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from chainrule.studies.comparison.material import Material
from chainrule.studies.comparison.trained import Trained

Array = NDArray[Any]
Scores = Callable[[Array], Array]

TRAIN_ROWS = 5000  # on which the training accuracy is measured; all of them would take k-NN longer than all the rest
MOST_ITERATIONS = 1000


@dataclass(frozen=True)
class Baseline:
    """A method, the values that are tried for its one setting, and how it is fitted.

    fit  of (X, y, K, values) → for each value its scores, a function (n, d) → (n, K), and a remark on convergence
    """

    name: str
    setting: str
    values: tuple[float, ...]
    fit: Callable[[Array, Array, int, Sequence[float]], list[tuple[Scores, str]]]


def logistic_regression(X: Array, y: Array, classes: int, values: Sequence[float]) -> list[tuple[Scores, str]]:
    """Multinomial, L2, by L-BFGS."""
    from sklearn.linear_model import LogisticRegression

    fitted = [LogisticRegression(C=C, max_iter=MOST_ITERATIONS).fit(X, y) for C in values]
    return [(_margins(model), _convergence(model)) for model in fitted]


def linear_svm(X: Array, y: Array, classes: int, values: Sequence[float]) -> list[tuple[Scores, str]]:
    """One against the rest, squared hinge, L2: scikit-learn's LinearSVC, minimised for all classes at once.

    J(W) = ½‖W‖² + C Σ max(0, 1 − t z)² with z = [x, 1] W and t = 1 for the class of x, −1 for others. LIBLINEAR, which
    LinearSVC calls, takes a quarter of an hour for 90,000 × 512 numbers; products of matrices take seconds.
    """
    from scipy.optimize import minimize

    inputs = np.concatenate([X, np.ones((len(X), 1), X.dtype)], axis=1)
    T = np.where(y[:, None] == np.arange(classes), 1, -1).astype(X.dtype)
    W = np.zeros((inputs.shape[1], classes))

    def objective(w: Array, C: float) -> tuple[float, Array]:
        """J / (C m) and its gradient."""
        M = np.maximum(0, 1 - T * (inputs @ w.reshape(W.shape).astype(X.dtype)))
        ridge, m = 1 / (C * len(X)), len(X)
        value = float(np.einsum("ij,ij->", M, M, dtype=np.float64)) / m + ridge / 2 * float(w @ w)
        return value, ridge * w - (2 / m) * (inputs.T @ (T * M)).astype(np.float64).ravel()

    found = []
    for C in values:
        end = minimize(
            objective, W.ravel(), (C,), "L-BFGS-B", jac=True, options={"maxiter": MOST_ITERATIONS, "ftol": 1e-7}
        )
        W = end.x.reshape(W.shape)  # where the next one begins
        remark = f"converged in {end.nit} iterations" if end.success else f"NOT converged: {end.message}"
        found.append((_linear(W.astype(X.dtype)), remark))
    return found


def nearest_neighbours(X: Array, y: Array, classes: int, values: Sequence[float]) -> list[tuple[Scores, str]]:
    """Votes of the k nearest by Euclidean distance, found by brute force."""
    from sklearn.neighbors import NearestNeighbors

    search = NearestNeighbors(n_neighbors=min(int(max(values)), len(X)), algorithm="brute").fit(X)
    last: list[tuple[Array, Array]] = []  # rows and the labels of their neighbours, the nearest first

    def neighbours(rows: Array) -> Array:
        """Found once where the same rows are asked for with one k after the other."""
        if not last or last[0][0] is not rows:
            last[:] = [(rows, y[search.kneighbors(rows, return_distance=False)])]
        return last[0][1]

    def share(rows: Array, k: int) -> Array:
        nearest = neighbours(rows)[:, :k]
        return np.stack([(nearest == label).mean(axis=1) for label in range(classes)], axis=1)

    return [(partial(share, k=int(k)), "nothing to converge") for k in values]


def decision_tree(X: Array, y: Array, classes: int, values: Sequence[float]) -> list[tuple[Scores, str]]:
    """CART with Gini impurity."""
    from sklearn.tree import DecisionTreeClassifier

    fitted = [DecisionTreeClassifier(min_samples_leaf=int(least), random_state=0).fit(X, y) for least in values]
    return [(model.predict_proba, "nothing to converge") for model in fitted]


BASELINES = {
    "logistic": Baseline("logistic regression", "C", (0.01, 0.1, 1.0), logistic_regression),
    "svm": Baseline("linear SVM", "C", (0.001, 0.01, 0.1), linear_svm),
    "knn": Baseline("k nearest neighbours", "k", (5, 15, 50), nearest_neighbours),
    "tree": Baseline("decision tree", "samples a leaf", (5, 20, 60), decision_tree),
}


def fit_baseline(material: Material, name: str, key: str) -> list[Trained]:
    """Fit every value on the set `name`, keep the one with the best development accuracy (the first of equals)."""
    baseline = BASELINES[key]
    x, y = material.training[name]
    held, labels = material.development
    tried = baseline.fit(x, y, len(material.classes), baseline.values)
    reached = [float((scores(held).argmax(axis=1) == labels).mean()) for scores, _ in tried]
    best = int(np.argmax(reached))
    scores, remark = tried[best]
    rows = np.linspace(0, len(x) - 1, min(TRAIN_ROWS, len(x))).astype(np.intp)
    facts = {
        "method": baseline.name,
        "trained_on": name,
        "setting": f"{baseline.setting} = {baseline.values[best]:g}",
        "tried": {f"{value:g}": share for value, share in zip(baseline.values, reached, strict=True)},
        "convergence": remark,
        "train_accuracy": float((scores(x[rows]).argmax(axis=1) == y[rows]).mean()),
        "development_accuracy": reached[best],
    }
    return [Trained(facts, {test: scores(rows).astype(np.float32) for test, (rows, _) in material.tests.items()})]


def _linear(W: Array) -> Scores:
    return lambda rows: rows @ W[:-1] + W[-1]


def _margins(model: Any) -> Scores:
    """The decision values; of two classes scikit-learn gives those of the second alone."""

    def margins(rows: Array) -> Array:
        found = np.asarray(model.decision_function(rows))
        return found if found.ndim == 2 else np.stack([-found, found], axis=1)

    return margins


def _convergence(model: Any) -> str:
    steps = int(np.max(model.n_iter_))
    return f"converged in {steps} iterations" if steps < MOST_ITERATIONS else f"NOT converged in {steps} iterations"
