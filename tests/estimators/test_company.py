"""The estimators in company: cloned, searched, validated, stored, and fed with tables and sparse matrices."""

from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pytest
from scipy import sparse
from sklearn.base import clone
from sklearn.datasets import load_digits, make_circles
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from chainrule.estimators import MLPClassifier, MLPRegressor

from .problems import BATCH, PROBLEMS, Problem

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
X, Y = PROBLEMS["multiclass"].X, PROBLEMS["multiclass"].y
SMALL: dict[str, Any] = {"hidden_layer_sizes": (6, 5), "batch_size": BATCH, "random_state": 0, "max_iter": 5}
every_problem = pytest.mark.parametrize("problem", PROBLEMS.values(), ids=PROBLEMS.keys())


@every_problem
@pytest.mark.parametrize("solver", ["sgd", "adam", "lbfgs"])
def test_a_stored_model_predicts_the_same_and_trains_on_the_same(problem: Problem, solver: str, tmp_path: Path) -> None:
    mlp = problem.ours(**SMALL, solver=solver, activation=("gelu", "logistic"), warm_start=True)
    mlp.set_params(dropout=0.0 if solver == "lbfgs" else 0.2).fit(problem.X, problem.y)
    joblib.dump(mlp, tmp_path / "mlp.joblib")
    for mode in (None, "r"):
        loaded = joblib.load(tmp_path / "mlp.joblib", mmap_mode=mode)
        np.testing.assert_array_equal(loaded.predict(problem.X), mlp.predict(problem.X))
    loaded.fit(problem.X, problem.y)
    mlp.fit(problem.X, problem.y)
    np.testing.assert_array_equal(loaded.coefs_[0], mlp.coefs_[0])


def test_a_stored_model_goes_on_with_partial_fit(tmp_path: Path) -> None:
    mlp = MLPClassifier(**SMALL).fit(X, Y)
    joblib.dump(mlp, tmp_path / "mlp.joblib")
    loaded = joblib.load(tmp_path / "mlp.joblib")
    np.testing.assert_array_equal(loaded.partial_fit(X, Y).coefs_[0], mlp.partial_fit(X, Y).coefs_[0])


def test_a_clone_has_the_arguments_and_nothing_else() -> None:
    mlp = MLPClassifier(**SMALL, dropout=[0.1, 0.2], class_weight={0: 2.0}, callbacks=[print]).fit(X, Y)
    copy = clone(mlp)
    assert copy.get_params() == mlp.get_params()
    assert not hasattr(copy, "coefs_")


def test_grid_search_finds_the_depth_that_circles_need() -> None:
    x, y = make_circles(100, noise=0.05, factor=0.5, random_state=0)
    pipeline = make_pipeline(StandardScaler(), MLPClassifier(solver="lbfgs", max_iter=50, random_state=0))
    grid = {"mlpclassifier__hidden_layer_sizes": [(), (8,)], "mlpclassifier__activation": ["tanh", "gelu"]}
    search = GridSearchCV(pipeline, grid, cv=3, error_score="raise").fit(x, y)
    assert search.best_params_["mlpclassifier__hidden_layer_sizes"] == (8,)
    assert search.best_score_ > 0.95


def test_cross_validation_on_digits() -> None:
    x, y = load_digits(return_X_y=True)
    mlp = MLPClassifier((40,), max_iter=15, learning_rate_init=0.01, random_state=0)
    assert cross_val_score(mlp, x.astype(np.float32) / 16, y, cv=3, error_score="raise").min() > 0.85


def test_columns_of_a_table_are_remembered_and_asked_for_again() -> None:
    pandas = pytest.importorskip("pandas", reason="pandas is not installed")
    names = [f"column {j}" for j in range(X.shape[1])]
    table = pandas.DataFrame(X, columns=names)
    mlp = MLPClassifier(**SMALL).fit(table, pandas.Series(Y))
    assert list(mlp.feature_names_in_) == names
    np.testing.assert_array_equal(mlp.predict(table), MLPClassifier(**SMALL).fit(X, Y).predict(X))
    with pytest.raises(ValueError, match="feature names should match"):
        mlp.predict(table[names[::-1]])
    with pytest.warns(UserWarning, match="valid feature names"):
        mlp.predict(X)
    hidden = mlp.set_output(transform="pandas").transform(table)
    assert list(hidden.columns) == list(mlp.get_feature_names_out())


@pytest.mark.parametrize("form", [sparse.csr_array, sparse.csc_array, sparse.csr_matrix, sparse.coo_array])
@every_problem
def test_sparse_input_is_as_good_as_dense(problem: Problem, form: Any) -> None:
    dense = np.where(np.abs(problem.X) > 0.7, problem.X, 0)
    spread = problem.ours(**SMALL).fit(form(dense), problem.y)
    solid = problem.ours(**SMALL).fit(dense, problem.y)
    np.testing.assert_array_equal(spread.coefs_[0], solid.coefs_[0])
    np.testing.assert_array_equal(spread.predict(form(dense)), solid.predict(dense))
    np.testing.assert_array_equal(spread.transform(form(dense)), solid.transform(dense))


def test_more_rows_than_one_block_are_predicted_alike() -> None:
    many = np.random.default_rng(0).normal(size=(9001, 7))
    mlp = MLPRegressor(**SMALL).fit(X, Y)
    expected = np.concatenate([mlp.predict(part) for part in np.array_split(many, 7)])
    np.testing.assert_allclose(mlp.predict(many), expected)
    np.testing.assert_allclose(mlp.predict(sparse.csr_array(many)), expected)
    np.testing.assert_allclose(mlp.transform(sparse.csr_array(many)), mlp.transform(many))
    assert mlp.transform(many).shape == (9001, 5)


def test_sparse_indicators_of_labels_come_back_sparse() -> None:
    problem = PROBLEMS["multilabel"]
    mlp = MLPClassifier(**SMALL).fit(problem.X, sparse.csr_array(problem.y))
    predicted = mlp.predict(problem.X)
    assert sparse.issparse(predicted)
    np.testing.assert_array_equal(
        predicted.toarray(), MLPClassifier(**SMALL).fit(problem.X, problem.y).predict(problem.X)
    )
