"""The estimators against scikit-learn's: from equal weights, and from equal seeds, the same curves and weights."""

from typing import Any

import numpy as np
import pytest
from sklearn.datasets import load_digits
from sklearn.exceptions import ConvergenceWarning

from .problems import BATCH, PROBLEMS, WEIGHT, Array, Problem

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

STEPS = {
    "plain": {"momentum": 0.0},
    "momentum": {"momentum": 0.8, "nesterovs_momentum": False},
    "nesterov": {"momentum": 0.8, "nesterovs_momentum": True},
}
every_problem = pytest.mark.parametrize("problem", PROBLEMS.values(), ids=PROBLEMS.keys())


def arguments(weighted: bool) -> dict[str, Array]:
    return {"sample_weight": WEIGHT} if weighted else {}


def assert_same_weights(ours: Any, theirs: Any, rtol: float = 1e-6) -> None:
    for mine, other in zip(ours.coefs_ + ours.intercepts_, theirs.coefs_ + theirs.intercepts_, strict=True):
        np.testing.assert_allclose(mine, other, rtol=rtol, atol=1e-9)


@pytest.mark.parametrize("weighted", [False, True], ids=["equal weights", "sample_weight"])
@pytest.mark.parametrize("steps", STEPS.values(), ids=STEPS.keys())
@every_problem
def test_five_epochs_of_sgd_from_the_same_weights_have_the_same_losses(
    problem: Problem, steps: dict[str, Any], weighted: bool
) -> None:
    settings = dict(
        hidden_layer_sizes=(6, 4),
        activation="tanh",
        solver="sgd",
        alpha=0.3,
        learning_rate_init=0.05,
        batch_size=BATCH,
        shuffle=False,
        warm_start=True,
        **steps,
    )
    rng = np.random.default_rng(2)
    pair = [problem.theirs(max_iter=1, **settings), problem.ours(max_iter=1, **settings)]
    for mlp in pair:
        mlp.fit(problem.X, problem.y)
    weights = [rng.normal(scale=0.5, size=W.shape) for W in pair[0].coefs_]
    biases = [rng.normal(scale=0.5, size=b.shape) for b in pair[0].intercepts_]
    for mlp in pair:
        mlp.coefs_, mlp.intercepts_ = [W.copy() for W in weights], [b.copy() for b in biases]
        mlp.set_params(max_iter=5).fit(problem.X, problem.y, **arguments(weighted))
    theirs, ours = pair
    assert len(ours.loss_curve_) == 6
    np.testing.assert_allclose(ours.loss_curve_[1:], theirs.loss_curve_[1:], rtol=1e-9)
    assert_same_weights(ours, theirs)
    assert abs(ours.coefs_[0] - weights[0]).max() > 1e-3


SETTINGS: dict[str, dict[str, Any]] = {
    "defaults": {},
    "logistic": {"activation": "logistic"},
    "identity": {"activation": "identity"},
    "no hidden layer": {"hidden_layer_sizes": ()},
    "adam": {"beta_1": 0.7, "beta_2": 0.9, "epsilon": 1e-3, "learning_rate_init": 0.02},
    "invscaling": {"solver": "sgd", "learning_rate": "invscaling", "learning_rate_init": 0.02},
    "invscaling without momentum": {
        "solver": "sgd",
        "learning_rate": "invscaling",
        "momentum": 0,
        "power_t": 0.1,
    },
    "adaptive": {
        "solver": "sgd",
        "learning_rate": "adaptive",
        "learning_rate_init": 0.1,
        "tol": 0.05,
        "n_iter_no_change": 1,
    },
    "early stopping": {"early_stopping": True, "validation_fraction": 0.3, "learning_rate_init": 0.05},
    "patience": {"n_iter_no_change": 2, "tol": 1.0},
}


@pytest.mark.parametrize("weighted", [False, True], ids=["equal weights", "sample_weight"])
@pytest.mark.parametrize("settings", SETTINGS.values(), ids=SETTINGS.keys())
@every_problem
def test_the_same_random_state_gives_the_same_model(problem: Problem, settings: dict[str, Any], weighted: bool) -> None:
    settings = {"hidden_layer_sizes": (5,), "max_iter": 12, "batch_size": BATCH, "random_state": 4} | settings
    theirs = problem.theirs(**settings).fit(problem.X, problem.y, **arguments(weighted))
    ours = problem.ours(**settings).fit(problem.X, problem.y, **arguments(weighted))
    np.testing.assert_allclose(ours.loss_curve_, theirs.loss_curve_, rtol=1e-9)
    assert_same_weights(ours, theirs)
    for name in ("n_iter_", "t_", "n_layers_", "n_outputs_", "n_features_in_", "out_activation_"):
        assert getattr(ours, name) == getattr(theirs, name), name
    for name in ("loss_", "best_loss_", "best_validation_score_", "validation_scores_"):
        mine, other = getattr(ours, name), getattr(theirs, name)
        assert mine is other or np.allclose(mine, other), name
    np.testing.assert_array_equal(getattr(ours, "classes_", None), getattr(theirs, "classes_", None))
    assert ours.score(problem.X, problem.y) == pytest.approx(theirs.score(problem.X, problem.y))


def test_every_public_attribute_and_argument_of_theirs_is_here() -> None:
    for problem in PROBLEMS.values():
        for solver in ("adam", "lbfgs"):
            theirs = problem.theirs(max_iter=2, solver=solver).fit(problem.X, problem.y)
            ours = problem.ours(max_iter=2, solver=solver).fit(problem.X, problem.y)
            public = {name for name in vars(theirs) if name.endswith("_") and not name.startswith("_")}
            assert not public - vars(ours).keys()
            if solver == "adam":  # their regressor shows a partial_fit that lbfgs cannot have
                assert {name for name in dir(theirs) if name[0] != "_"} - {"loss"} <= set(dir(ours))
            defaults = {**theirs.get_params(), "max_iter": 2}
            assert {name: value for name, value in ours.get_params().items() if name in defaults} == defaults


@pytest.mark.parametrize("weighted", [False, True], ids=["equal weights", "sample_weight"])
@pytest.mark.parametrize("name", ["binary", "multiclass", "multilabel", "regression"])
def test_lbfgs_takes_the_same_way(name: str, weighted: bool) -> None:
    problem = PROBLEMS[name]
    settings = {
        "solver": "lbfgs",
        "hidden_layer_sizes": (5,),
        "activation": "tanh",
        "alpha": 0.5,
        "random_state": 1,
        "max_iter": 20,
    }
    theirs = problem.theirs(**settings).fit(problem.X, problem.y, **arguments(weighted))
    ours = problem.ours(**settings).fit(problem.X, problem.y, **arguments(weighted))
    assert ours.n_iter_ == theirs.n_iter_ > 5
    assert ours.loss_ == pytest.approx(theirs.loss_, rel=1e-6)
    assert_same_weights(ours, theirs, rtol=1e-4)


def test_lbfgs_on_two_targets_reaches_a_minimum_of_what_it_minimises() -> None:
    # scikit-learn hands SciPy a loss averaged and a gradient summed over the targets, and its line search stumbles.
    problem = PROBLEMS["two targets"]
    settings = {
        "solver": "lbfgs",
        "hidden_layer_sizes": (),
        "alpha": 0.0,
        "max_iter": 300,
        "max_fun": 10**6,
        "tol": 1e-8,
    }
    ours = problem.ours(**settings).fit(problem.X, problem.y)
    bordered = np.c_[problem.X, np.ones(len(problem.X))]
    residual = problem.y - bordered @ np.linalg.lstsq(bordered, problem.y, rcond=None)[0]
    assert ours.loss_ == pytest.approx(0.5 * np.square(residual).mean(), rel=1e-6)


def test_poisson_loss_gives_the_same_model() -> None:
    problem = PROBLEMS["two targets"]
    counts = np.random.default_rng(3).poisson(np.exp(0.5 * problem.y))
    for solver in ("adam", "sgd", "lbfgs"):
        settings = {"loss": "poisson", "solver": solver, "hidden_layer_sizes": (4,), "random_state": 0, "max_iter": 15}
        try:
            theirs = problem.theirs(**settings)
        except TypeError:
            pytest.skip("this scikit-learn has no loss='poisson'")
        theirs.fit(problem.X, counts)
        ours = problem.ours(**settings).fit(problem.X, counts)
        assert ours.loss_ == pytest.approx(theirs.loss_, rel=1e-7)
        np.testing.assert_allclose(ours.predict(problem.X), theirs.predict(problem.X), rtol=1e-4)
        assert ours.out_activation_ == "exp"


def test_float32_input_gives_float32_weights_and_the_same_model_to_its_precision() -> None:
    X, y = load_digits(return_X_y=True)
    X = (X / 16).astype(np.float32)
    settings = {"hidden_layer_sizes": (20,), "random_state": 0, "max_iter": 4}
    problem = PROBLEMS["multiclass"]
    theirs, ours = problem.theirs(**settings).fit(X, y), problem.ours(**settings).fit(X, y)
    assert {a.dtype for a in ours.coefs_ + ours.intercepts_} == {np.dtype(np.float32)}
    assert ours.predict_proba(X).dtype == np.float32
    np.testing.assert_allclose(ours.loss_curve_, theirs.loss_curve_, rtol=1e-4)


def test_a_fit_that_is_not_done_at_max_iter_warns() -> None:
    problem = PROBLEMS["binary"]
    for solver in ("adam", "lbfgs"):
        with pytest.warns(ConvergenceWarning):
            problem.ours(solver=solver, max_iter=3).fit(problem.X, problem.y)
