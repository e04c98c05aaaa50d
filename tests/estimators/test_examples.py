"""The examples in scikit-learn's documentation of its MLP, made small: with the import replaced, the same results."""

from typing import Any

import numpy as np
import pytest
from sklearn import datasets, neural_network
from sklearn.inspection import DecisionBoundaryDisplay, partial_dependence
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler, QuantileTransformer, StandardScaler

from chainrule import estimators

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

LIBRARIES = (neural_network, estimators)
STRATEGIES: list[dict[str, Any]] = [  # plot_mlp_training_curves.py
    {"solver": "sgd", "learning_rate": "constant", "momentum": 0, "learning_rate_init": 0.2},
    {
        "solver": "sgd",
        "learning_rate": "constant",
        "momentum": 0.9,
        "nesterovs_momentum": False,
        "learning_rate_init": 0.2,
    },
    {
        "solver": "sgd",
        "learning_rate": "constant",
        "momentum": 0.9,
        "nesterovs_momentum": True,
        "learning_rate_init": 0.2,
    },
    {"solver": "sgd", "learning_rate": "invscaling", "momentum": 0, "learning_rate_init": 0.2},
    {
        "solver": "sgd",
        "learning_rate": "invscaling",
        "momentum": 0.9,
        "nesterovs_momentum": False,
        "learning_rate_init": 0.2,
    },
    {
        "solver": "sgd",
        "learning_rate": "invscaling",
        "momentum": 0.9,
        "nesterovs_momentum": True,
        "learning_rate_init": 0.2,
    },
    {"solver": "adam", "learning_rate_init": 0.01},
]


def test_user_guide_two_points() -> None:
    X, y = [[0.0, 0.0], [1.0, 1.0]], [0, 1]
    mlp = estimators.MLPClassifier(solver="lbfgs", alpha=1e-5, hidden_layer_sizes=(5, 2), random_state=1)
    mlp.fit(X, y)
    assert mlp.predict([[2.0, 2.0], [-1.0, -2.0]]).tolist() == [1, 0]
    assert [W.shape for W in mlp.coefs_] == [(2, 5), (5, 2), (2, 1)]
    mlp.fit(X, [[0, 1], [1, 1]])
    assert mlp.predict([[1.0, 2.0]]).tolist() == [[1, 1]]
    assert mlp.predict([[0.0, 0.0]]).tolist() == [[0, 1]]


def test_xor_needs_its_hidden_layer() -> None:
    X, y = [[0, 0], [0, 1], [1, 0], [1, 1]], [0, 1, 1, 0]
    settings: dict[str, Any] = {"activation": "tanh", "solver": "lbfgs", "random_state": 1, "max_iter": 500}
    assert estimators.MLPClassifier((4,), **settings).fit(X, y).score(X, y) == 1
    assert estimators.MLPClassifier((), **settings).fit(X, y).score(X, y) <= 0.75


@pytest.mark.parametrize("name", ["iris", "circles", "moons"])
@pytest.mark.parametrize("strategy", STRATEGIES, ids=[str(number) for number in range(len(STRATEGIES))])
def test_training_curves(name: str, strategy: dict[str, Any]) -> None:
    X, y = {
        "iris": lambda: datasets.load_iris(return_X_y=True),
        "circles": lambda: datasets.make_circles(noise=0.2, factor=0.5, random_state=1),
        "moons": lambda: datasets.make_moons(noise=0.3, random_state=0),
    }[name]()
    X = MinMaxScaler().fit_transform(X)
    theirs, ours = (m.MLPClassifier(random_state=0, max_iter=60, **strategy).fit(X, y) for m in LIBRARIES)
    np.testing.assert_allclose(ours.loss_curve_, theirs.loss_curve_, rtol=1e-6)
    assert ours.score(X, y) == theirs.score(X, y)


@pytest.mark.parametrize("alpha", np.logspace(-1, 1, 3))
def test_varying_alpha(alpha: float) -> None:
    X, y = datasets.make_moons(noise=0.3, random_state=0)
    X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=0.4, random_state=42)
    settings: dict[str, Any] = {
        "solver": "lbfgs",
        "alpha": alpha,
        "random_state": 1,
        "max_iter": 2000,
        "early_stopping": True,
        "hidden_layer_sizes": [10, 10],
    }
    theirs, ours = (
        make_pipeline(StandardScaler(), m.MLPClassifier(**settings)).fit(X_train, y_train) for m in LIBRARIES
    )
    assert ours.score(X_test, y_test) == pytest.approx(theirs.score(X_test, y_test), abs=0.05)
    assert ours[-1].loss_ == pytest.approx(theirs[-1].loss_, rel=0.02)
    grid = np.c_[np.mgrid[-2:3:9j, -1:2:9j].reshape(2, -1).T]
    assert ours.predict_proba(grid)[:, 1].shape == (81,)


def test_filters_of_digits(capsys: pytest.CaptureFixture[str]) -> None:  # plot_mnist_filters.py
    X, y = datasets.load_digits(return_X_y=True)
    X_train, X_test, y_train, y_test = train_test_split(X / 16, y, random_state=0, test_size=0.7)
    settings: dict[str, Any] = {
        "hidden_layer_sizes": (40,),
        "max_iter": 8,
        "alpha": 1e-4,
        "solver": "sgd",
        "verbose": 10,
        "random_state": 1,
        "learning_rate_init": 0.2,
    }
    told = []
    for library in LIBRARIES:
        mlp = library.MLPClassifier(**settings).fit(X_train, y_train)
        told.append((capsys.readouterr().out, mlp.score(X_test, y_test), mlp.coefs_[0].T.reshape(-1, 8, 8).shape))
    assert told[0] == told[1]
    assert "Iteration 8, loss = " in told[0][0]


def test_partial_dependence_of_a_regressor() -> None:
    X, y = datasets.load_diabetes(return_X_y=True)
    settings: dict[str, Any] = {
        "hidden_layer_sizes": (30, 15),
        "learning_rate_init": 0.01,
        "early_stopping": True,
        "random_state": 0,
    }
    curves = []
    for library in LIBRARIES:
        mlp = make_pipeline(QuantileTransformer(n_quantiles=50), library.MLPRegressor(**settings)).fit(X, y - y.mean())
        curves.append(partial_dependence(mlp, X, features=[2], grid_resolution=10)["average"])
    np.testing.assert_allclose(curves[1], curves[0], rtol=1e-6)


def test_decision_boundary_of_a_comparison_of_classifiers() -> None:
    pyplot = pytest.importorskip("matplotlib.pyplot", reason="matplotlib is not installed")
    X, y = datasets.make_classification(n_features=2, n_redundant=0, random_state=1, n_clusters_per_class=1)
    mlp = make_pipeline(StandardScaler(), estimators.MLPClassifier(alpha=1, max_iter=50, random_state=42)).fit(X, y)
    shown = DecisionBoundaryDisplay.from_estimator(mlp, X, grid_resolution=10)
    assert np.ptp(shown.response) > 0.5
    pyplot.close("all")
