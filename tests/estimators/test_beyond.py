"""What scikit-learn's MLP does not have: rules and dropout a layer, hidden activations, class weights, callbacks."""

from typing import Any

import numpy as np
import pytest
from scipy.special import expit
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

from chainrule import rules
from chainrule.estimators import MLPClassifier, MLPRegressor

from .problems import BATCH, PROBLEMS, WEIGHT, Problem

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
X, Y = PROBLEMS["multiclass"].X, PROBLEMS["multiclass"].y
SMALL: dict[str, Any] = {"hidden_layer_sizes": (6, 5), "batch_size": BATCH, "random_state": 0, "max_iter": 8}
classification = pytest.mark.parametrize("problem", [PROBLEMS["binary"], PROBLEMS["multiclass"]], ids=lambda p: p.name)


def test_transform_gives_the_activations_of_each_hidden_layer_under_its_own_rule() -> None:
    mlp = MLPClassifier(**SMALL, activation=["logistic", "leaky_relu(0.2)"]).fit(X, Y)
    first = expit(X @ mlp.coefs_[0] + mlp.intercepts_[0])
    second = first @ mlp.coefs_[1] + mlp.intercepts_[1]
    second = np.where(second > 0, second, 0.2 * second)
    for layer, expected in ((1, first), (-2, first), (2, second), (-1, second)):
        np.testing.assert_allclose(mlp.transform(X, layer=layer), expected, rtol=1e-12, atol=1e-14)
    np.testing.assert_array_equal(mlp.transform(X), mlp.transform(X, layer=2))
    assert list(mlp.get_feature_names_out()) == [f"mlpclassifier{k}" for k in range(5)]
    for layer in (0, 3, -3, 1.0, True):
        with pytest.raises(ValueError, match="none of the 2 hidden layers"):
            mlp.transform(X, layer=layer)


@pytest.mark.parametrize("estimator", [MLPClassifier, MLPRegressor])
def test_a_network_is_a_step_of_a_pipeline(estimator: Any) -> None:
    pipeline = make_pipeline(estimator(**SMALL), LogisticRegression()).fit(X, Y)
    by_hand = estimator(**SMALL).fit(X, Y)
    np.testing.assert_array_equal(
        pipeline.predict(X), LogisticRegression().fit(by_hand.transform(X), Y).predict(by_hand.transform(X))
    )


def test_scikit_learn_s_name_and_ours_mean_the_same_rule() -> None:
    by_name = MLPClassifier(**SMALL, activation="logistic").fit(X, Y)
    for same in ("sigmoid", ["sigmoid", "logistic"], rules.activation("sigmoid")):
        np.testing.assert_array_equal(MLPClassifier(**SMALL, activation=same).fit(X, Y).coefs_[0], by_name.coefs_[0])
    mixed = MLPClassifier(**SMALL, activation=("tanh", "logistic")).fit(X, Y)
    assert not np.allclose(mixed.coefs_[0], by_name.coefs_[0])


def test_dropout_changes_training_reproducibly_and_prediction_uses_all_units() -> None:
    plain, dropped = MLPClassifier(**SMALL).fit(X, Y), MLPClassifier(**SMALL, dropout=[0.5, 0.0]).fit(X, Y)
    assert not np.allclose(plain.coefs_[0], dropped.coefs_[0])
    np.testing.assert_array_equal(dropped.coefs_[0], MLPClassifier(**SMALL, dropout=(0.5, 0)).fit(X, Y).coefs_[0])
    assert not np.allclose(dropped.coefs_[0], MLPClassifier(**SMALL, dropout=[0.0, 0.5]).fit(X, Y).coefs_[0])
    np.testing.assert_array_equal(dropped.predict_proba(X), dropped.predict_proba(X))
    np.testing.assert_array_equal(plain.coefs_[0], MLPClassifier(**SMALL, dropout=0).fit(X, Y).coefs_[0])


def test_partial_fit_draws_new_masks_in_every_call() -> None:
    mlp = MLPClassifier(hidden_layer_sizes=(50,), dropout=0.5, random_state=0, learning_rate_init=1e-12, shuffle=False)
    for _ in range(5):
        mlp.partial_fit(X, Y, classes=np.unique(Y))  # at this rate the weights stand still; only masks move the loss
    assert len(set(np.round(mlp.loss_curve_, 6))) == 5


@classification
@pytest.mark.parametrize("solver", ["adam", "lbfgs"])
def test_class_weights_are_the_corresponding_sample_weights(problem: Problem, solver: str) -> None:
    labels, counts = np.unique(problem.y, return_counts=True)
    chosen = dict(zip(labels.tolist(), np.arange(1.0, len(labels) + 1), strict=True))
    balanced = dict(zip(labels.tolist(), len(problem.y) / (len(labels) * counts), strict=True))
    settings = SMALL | {"solver": solver}
    for given, by_class in ((chosen, chosen), ("balanced", balanced)):
        weight = np.array([by_class[label] for label in problem.y.tolist()])
        ours = problem.ours(**settings, class_weight=given).fit(problem.X, problem.y)
        np.testing.assert_array_equal(
            ours.coefs_[0], problem.ours(**settings).fit(problem.X, problem.y, weight).coefs_[0]
        )
        both = problem.ours(**settings, class_weight=given).fit(problem.X, problem.y, sample_weight=WEIGHT)
        product = problem.ours(**settings).fit(problem.X, problem.y, weight * WEIGHT)
        np.testing.assert_array_equal(both.coefs_[0], product.coefs_[0])


def test_class_weights_as_a_dictionary_serve_partial_fit() -> None:
    weights = {0: 1.0, 10: 2.0, 20: 3.0, 30: 4.0}
    by_class = MLPClassifier(**SMALL, class_weight=weights).partial_fit(X, Y, classes=list(weights))
    weight = np.array([weights[label] for label in Y.tolist()])
    by_sample = MLPClassifier(**SMALL).partial_fit(X, Y, sample_weight=weight, classes=list(weights))
    np.testing.assert_array_equal(by_class.coefs_[0], by_sample.coefs_[0])


@pytest.mark.parametrize("solver", ["adam", "sgd", "lbfgs"])
def test_callbacks_see_each_epoch_and_end_the_fit(solver: str) -> None:
    seen: list[tuple[int, float, float]] = []

    def watch(mlp: Any) -> bool:
        seen.append((mlp.n_iter_, mlp.loss_, mlp.score(X, Y)))
        return mlp.n_iter_ == 4

    mlp = MLPClassifier(**SMALL, solver=solver, callbacks=[lambda mlp: None, watch]).fit(X, Y)
    assert [epoch for epoch, _, _ in seen] == [1, 2, 3, 4]
    assert mlp.n_iter_ == 4
    assert seen[-1] == (4, mlp.loss_, mlp.score(X, Y))
    if solver != "lbfgs":
        assert [loss for _, loss, _ in seen] == mlp.loss_curve_


def test_a_callback_s_number_is_no_order_to_stop() -> None:
    assert MLPClassifier(**SMALL, callbacks=lambda mlp: 1).fit(X, Y).n_iter_ == SMALL["max_iter"]


@pytest.mark.parametrize("solver", ["momentum", "nesterov", "rmsprop", "rmsprop(decay=0.8)", "adamw(weight_decay=0.1)"])
def test_our_solvers_learn(solver: str) -> None:
    mlp = MLPClassifier(hidden_layer_sizes=(12,), solver=solver, learning_rate_init=0.02, random_state=0).fit(X, Y)
    assert mlp.loss_ < 0.5 * mlp.loss_curve_[0]


def test_the_estimator_s_settings_reach_our_solvers_unless_the_parentheses_say_otherwise() -> None:
    fits = {
        (solver, momentum): MLPClassifier(**SMALL, solver=solver, momentum=momentum).fit(X, Y).loss_
        for solver in ("nesterov", "nesterov(momentum=0.5)", "sgd")
        for momentum in (0.5, 0.9)
    }
    assert fits["nesterov", 0.5] == fits["sgd", 0.5] == fits["nesterov(momentum=0.5)", 0.9]
    assert fits["nesterov", 0.5] != fits["nesterov", 0.9]


def test_log_probabilities_stay_finite_where_probabilities_have_become_zero() -> None:
    for problem in (PROBLEMS["binary"], PROBLEMS["multiclass"], PROBLEMS["multilabel"]):
        mlp = problem.ours(**SMALL).fit(problem.X, problem.y)
        np.testing.assert_allclose(mlp.predict_log_proba(problem.X), np.log(mlp.predict_proba(problem.X)))
        far = 1e5 * problem.X
        assert np.isfinite(mlp.predict_log_proba(far)).all()
        assert (mlp.predict_proba(far) == 0).any()
