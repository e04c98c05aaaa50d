"""Ways to fit: in parts, from where the last fit ended, stopped early, with weights; and what is refused, in words."""

import warnings
from typing import Any

import numpy as np
import pytest
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import train_test_split

from chainrule.errors import ChainruleError
from chainrule.estimators import MLPClassifier, MLPRegressor

from .problems import BATCH, PROBLEMS, Problem

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
every_problem = pytest.mark.parametrize("problem", PROBLEMS.values(), ids=PROBLEMS.keys())
X, Y = PROBLEMS["multiclass"].X, PROBLEMS["multiclass"].y
SMALL: dict[str, Any] = {"hidden_layer_sizes": (6,), "batch_size": BATCH, "random_state": 0, "max_iter": 8}


def classes(problem: Problem) -> dict[str, Any]:
    if problem.estimator == "MLPRegressor":
        return {}
    return {"classes": np.arange(3) if problem.y.ndim == 2 else np.unique(problem.y)}


@pytest.mark.parametrize("solver", ["sgd", "adam", "nesterov", "rmsprop", "adamw"])
@every_problem
def test_calls_of_partial_fit_add_up_to_one_fit(problem: Problem, solver: str) -> None:
    settings = SMALL | {"solver": solver, "shuffle": False}
    whole = problem.ours(**settings).fit(problem.X, problem.y)
    parts = problem.ours(**settings)
    for _ in range(8):
        parts.partial_fit(problem.X, problem.y, **classes(problem))
    np.testing.assert_array_equal(parts.loss_curve_, whole.loss_curve_)
    np.testing.assert_array_equal(parts.coefs_[0], whole.coefs_[0])
    assert parts.t_ == whole.t_ == 8 * len(problem.X)


def test_partial_fit_knows_classes_that_come_later_and_refuses_others() -> None:
    mlp = MLPClassifier(random_state=0).partial_fit(X[:5], np.zeros(5, int), classes=[0, 10, 20, 30])
    assert mlp.predict_proba(X).shape == (len(X), 4)
    mlp.partial_fit(X, Y)
    with pytest.raises(ValueError, match=r"`y` has classes not in"):
        mlp.partial_fit(X, Y + 1)


def test_partial_fit_exists_for_solvers_that_go_from_batch_to_batch() -> None:
    for estimator in (MLPClassifier, MLPRegressor):
        assert hasattr(estimator(solver="adamw"), "partial_fit")
        assert not hasattr(estimator(solver="lbfgs"), "partial_fit")


def test_a_warm_start_goes_on_where_the_last_fit_ended_and_a_cold_one_does_not() -> None:
    settings = SMALL | {"solver": "sgd", "momentum": 0.0, "shuffle": False, "max_iter": 4}
    twice = MLPClassifier(**settings, warm_start=True).fit(X, Y).fit(X, Y)
    np.testing.assert_allclose(twice.loss_curve_, MLPClassifier(**settings | {"max_iter": 8}).fit(X, Y).loss_curve_)
    assert (twice.n_iter_, twice.t_) == (4, 8 * len(X))
    again = MLPClassifier(**settings).fit(X, Y).fit(X, Y)
    np.testing.assert_array_equal(again.loss_curve_, MLPClassifier(**settings).fit(X, Y).loss_curve_)


def test_a_warm_start_may_change_the_solver_but_not_the_layers() -> None:
    mlp = MLPClassifier(**SMALL, solver="lbfgs", warm_start=True).fit(X, Y)
    loss = mlp.loss_
    mlp.set_params(solver="adam").fit(X, Y)
    assert mlp.loss_curve_[0] < 1.1 * loss
    with pytest.raises(ValueError, match=r"fitted layers are \[7, 6, 4\], but now \[7, 9, 4\]"):
        mlp.set_params(hidden_layer_sizes=(9,)).fit(X, Y)


def test_a_fit_does_not_change_arrays_that_were_put_in_as_weights() -> None:
    mlp = MLPClassifier(**SMALL, warm_start=True).fit(X, Y)
    W = np.full_like(mlp.coefs_[0], 0.1)
    W.flags.writeable = False
    mlp.coefs_[0] = W
    mlp.fit(X, Y)
    assert (W == 0.1).all()
    assert not (mlp.coefs_[0] == 0.1).any()


def test_weights_put_in_by_hand_are_those_that_predict() -> None:
    mlp = MLPRegressor(hidden_layer_sizes=(), max_iter=1).fit(X, Y)
    mlp.coefs_ = [np.arange(7.0)[:, None]]
    mlp.intercepts_[0] = np.array([2.0])
    np.testing.assert_allclose(mlp.predict(X), X @ np.arange(7.0) + 2)
    mlp.coefs_[0][:] = 0
    np.testing.assert_allclose(mlp.predict(X), 2.0)


def test_early_stopping_keeps_the_weights_of_the_best_score_on_the_part_it_held_out() -> None:
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(120, 8)), rng.integers(0, 2, 120)  # noise: the best epoch is never the last
    mlp = MLPClassifier((30,), early_stopping=True, learning_rate_init=0.03, random_state=5, validation_fraction=0.25)
    mlp.fit(X, y)
    scores = mlp.validation_scores_
    assert scores is not None
    assert mlp.best_validation_score_ == max(scores) > scores[-1]
    assert len(scores) == len(mlp.validation_loss_curve_) == mlp.n_iter_ < 200
    replay = np.random.RandomState(5)
    for size in ((8, 30), 30, (30, 1), 1):  # the draws of the first weights come before the split
        replay.uniform(size=size)
    held_out = train_test_split(np.arange(120), test_size=0.25, random_state=replay, stratify=y)[1]
    assert mlp.score(X[held_out], y[held_out]) == pytest.approx(mlp.best_validation_score_)


def test_the_validation_loss_is_that_of_the_held_out_part_at_the_weights_after_the_epoch() -> None:
    seen: list[float] = []
    problem = PROBLEMS["two targets"]
    replay = np.random.RandomState(3)
    for size in ((7, 6), 6, (6, 2), 2):
        replay.uniform(size=size)
    part = train_test_split(np.arange(len(problem.X)), test_size=0.3, random_state=replay)[1]

    def measure(mlp: Any) -> None:
        seen.append(0.5 * float(np.square(mlp.predict(problem.X[part]) - problem.y[part]).mean()))

    settings = SMALL | {"random_state": 3, "alpha": 5.0}  # the L2 term is no part of it
    mlp = problem.ours(**settings, early_stopping=True, validation_fraction=0.3, callbacks=measure)
    mlp.fit(problem.X, problem.y)
    np.testing.assert_allclose(mlp.validation_loss_curve_, seen)
    assert problem.ours(**settings).fit(problem.X, problem.y).validation_loss_curve_ is None


@every_problem
@pytest.mark.parametrize("solver", ["sgd", "adam", "lbfgs"])
def test_whole_weights_count_as_so_many_copies_and_weight_zero_as_absence(problem: Problem, solver: str) -> None:
    copies = np.random.default_rng(0).integers(0, 4, len(problem.X))
    settings = {"hidden_layer_sizes": (5,), "solver": solver, "activation": "tanh", "alpha": 0.1, "random_state": 0}
    weighted = problem.ours(**settings, max_iter=20).fit(problem.X, problem.y, sample_weight=copies)
    rows = np.repeat(np.arange(len(copies)), copies)
    repeated = problem.ours(**settings, max_iter=20).fit(problem.X[rows], problem.y[rows])
    np.testing.assert_allclose(weighted.loss_, repeated.loss_, rtol=1e-6)
    np.testing.assert_allclose(weighted.coefs_[0], repeated.coefs_[0], rtol=1e-4, atol=1e-7)


def test_a_batch_that_weighs_nothing_is_left_out() -> None:
    weight = np.ones(len(X))
    weight[BATCH : 2 * BATCH] = 0
    settings = SMALL | {"shuffle": False}
    kept = weight > 0
    without = MLPClassifier(**settings).fit(X[kept], Y[kept])
    np.testing.assert_allclose(MLPClassifier(**settings).fit(X, Y, weight).loss_curve_, without.loss_curve_)


def test_divergence_is_refused_in_words_or_stopped_early() -> None:
    problem = PROBLEMS["regression"]
    settings = SMALL | {"solver": "sgd", "activation": "identity", "learning_rate_init": 1e3, "max_iter": 200}
    with pytest.raises(ValueError, match=r"epoch \d+, batch \d+: Solver produced non-finite parameter weights"):
        problem.ours(**settings).fit(problem.X, problem.y)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        mlp = problem.ours(**settings, early_stopping=True, n_iter_no_change=300).fit(problem.X, problem.y)
    assert np.isfinite(mlp.predict(problem.X)).all()
    assert not np.isfinite(mlp.loss_)


def test_ctrl_c_keeps_the_weights_and_says_so() -> None:
    def interrupt(mlp: Any) -> None:
        if mlp.n_iter_ == 3:
            raise KeyboardInterrupt

    mlp = MLPClassifier(**SMALL, callbacks=interrupt)
    with pytest.warns(UserWarning, match="interrupted by user"):
        mlp.fit(X, Y)
    assert mlp.n_iter_ == 3
    assert mlp.predict(X).shape == Y.shape


def test_fitting_leaves_its_input_alone() -> None:
    arrays = [X.copy(), Y.copy(), np.ones(len(X))]
    for array in arrays:
        array.flags.writeable = False
    MLPClassifier(**SMALL, class_weight="balanced").fit(*arrays)


REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"hidden_layer_sizes": (4, 0)}, r"hidden_layer_sizes must be > 0, got \(4, 0\)"),
    ({"hidden_layer_sizes": -1}, "hidden_layer_sizes"),
    ({"hidden_layer_sizes": "100"}, "hidden_layer_sizes"),
    ({"hidden_layer_sizes": (2.5,)}, "hidden_layer_sizes"),
    ({"activation": "logstic"}, "Did you mean"),
    ({"activation": ["tanh"]}, "1 entries for 2 hidden layers"),
    ({"solver": "addam"}, "Did you mean 'adam'"),
    ({"solver": "rmsprop(0.1)"}, "learning_rate_init"),
    ({"solver": "rmsprop(learning_rate=0.1)"}, "learning_rate_init"),
    ({"solver": "adamw(weight=0.1)"}, "does not take the settings"),
    ({"learning_rate": "adapt"}, "Did you mean 'adaptive'"),
    ({"learning_rate_init": 0}, "learning_rate_init is 0"),
    ({"alpha": -1}, "alpha is -1"),
    ({"alpha": float("nan")}, "alpha is nan"),
    ({"batch_size": 0}, "batch_size"),
    ({"batch_size": "all"}, "batch_size"),
    ({"max_iter": 0}, "max_iter is 0"),
    ({"max_iter": 2.5}, "max_iter is 2.5"),
    ({"momentum": 1.0}, "momentum is 1.0"),
    ({"beta_1": 1}, "beta_1 is 1"),
    ({"epsilon": 0}, "epsilon is 0"),
    ({"tol": -1e-3}, "tol is"),
    ({"shuffle": "yes"}, "shuffle is 'yes'"),
    ({"validation_fraction": 1}, "validation_fraction is 1"),
    ({"n_iter_no_change": 0}, "n_iter_no_change"),
    ({"dropout": 1.0}, "dropout 1.0 is outside"),
    ({"dropout": [0.1]}, "dropout has 1 entries for 2 hidden layers"),
    ({"dropout": 0.1, "solver": "lbfgs"}, "dropout draws new masks"),
    ({"callbacks": 3}, "callbacks is 3"),
    ({"class_weight": "even"}, "class_weight"),
    ({"early_stopping": True, "validation_fraction": 0.01}, "validation set is too small"),
]


@pytest.mark.parametrize(("settings", "words"), REFUSED, ids=[str(settings) for settings, _ in REFUSED])
def test_what_cannot_be_used_is_refused_in_words_when_a_fit_begins(settings: dict[str, Any], words: str) -> None:
    mlp = MLPClassifier(**{"hidden_layer_sizes": (5, 4), **settings})
    with pytest.raises(ValueError, match=words):
        mlp.fit(X, Y)


def test_what_does_not_fit_the_data_is_refused_in_words() -> None:
    with pytest.raises(ValueError, match="a target is -1"):
        MLPRegressor(loss="poisson").fit(X, np.full(len(X), -1.0))
    with pytest.raises(ChainruleError, match="unknown loss 'absolute'"):
        MLPRegressor(loss="absolute").fit(X, Y)
    with pytest.raises(ValueError, match=r"at least one non-zero|weight zero"):
        MLPClassifier().fit(X, Y, sample_weight=np.zeros(len(X)))
    with pytest.raises(ValueError, match="weight zero"):
        MLPClassifier(class_weight=dict.fromkeys(np.unique(Y).tolist(), 0.0)).fit(X, Y)
    with pytest.raises(ValueError, match=r"[Nn]egative"):
        MLPClassifier().fit(X, Y, sample_weight=-np.ones(len(X)))
    with pytest.raises(ValueError, match="partial_fit does not support early_stopping"):
        MLPClassifier(early_stopping=True).partial_fit(X, Y, classes=np.unique(Y))
    with pytest.raises(ValueError, match="needs all samples at once"):
        MLPClassifier(class_weight="balanced").partial_fit(X, Y, classes=np.unique(Y))
    with pytest.raises(NotFittedError):
        MLPClassifier().predict(X)


def test_a_part_that_weighs_nothing_is_refused_in_words() -> None:
    weight = np.zeros(len(X))
    weight[0] = 1
    with pytest.raises(ValueError, match="weight zero"):
        MLPClassifier(**SMALL, early_stopping=True).fit(X, Y, weight)
