"""Epochs as scikit-learn counts them: the losses of moving weights, patience, early stopping, and an end in time."""

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import r2_score
from sklearn.model_selection import train_test_split

from chainrule.data import Batches
from chainrule.errors import InputError, NotFiniteError
from chainrule.estimators.descent import Descent
from chainrule.estimators.objective import data_loss, loss_share
from chainrule.network import Network, correct
from chainrule.training.engines import Engine, choose, epochs_at_once, make, numpy_seconds

Array = NDArray[Any]
Rows = NDArray[np.intp]

AUTO_BATCH = 200
NOT_FINITE = (
    "Solver produced non-finite parameter weights. The input data may contain large values and need to be preprocessed."
)
NOT_FINITE_REMEDY = "Scale the input and the targets, or lower learning_rate_init."


def fit_epochs(
    mlp: Any,
    net: Network,
    X: Array,
    T: Array,
    weight: Array | None,
    draws: np.random.RandomState,
    after: Callable[[], bool],
    *,
    incremental: bool,
) -> None:
    """Train `net` for up to `max_iter` epochs, for one if `incremental`; `after` is asked after each to stop.

    What happens is kept in the attributes of `mlp`. X (m, d) is not copied or shuffled, only the numbers of its rows.
    """
    _begin_curves(mlp, net)
    if not incremental or getattr(mlp, "_optimizer", None) is None or mlp._optimizer.solver != mlp.solver:
        mlp._optimizer = Descent(mlp)
    descent: Descent = mlp._optimizer
    rows, held_out = _split(mlp, T, draws) if mlp.early_stopping else (np.arange(len(X)), None)
    validation = None if held_out is None else (X[held_out], T[held_out], None if weight is None else weight[held_out])
    for part in (rows, held_out):
        if part is not None and weight is not None and not weight[part].any():
            raise InputError("all samples drawn for training or for validation have weight zero", "Change the split.")
    size = _rows_a_batch(mlp.batch_size, len(rows))
    most = 1 if incremental else mlp.max_iter
    seconds = numpy_seconds(net, len(rows), -(-len(rows) // size))
    name = choose("auto", net, descent.optimizer, most * seconds, every_batch=False)
    engine = make(name, net, X, T, descent.optimizer, sample_weight=weight)
    looked_at = mlp.early_stopping or mlp.verbose or mlp.callbacks or descent.schedule == "invscaling"
    at_once = 1 if looked_at or name == "reference" else epochs_at_once(seconds, len(rows))
    order = rows
    mlp.n_iter_ = 0
    try:
        while True:
            # Patience can end only with the last of so many epochs.
            patience = max(1, int(min(mlp.n_iter_no_change, most)) + 1 - mlp._no_improvement_count)
            orders = []
            for _ in range(min(at_once, most - mlp.n_iter_, patience)):
                order = order[draws.permutation(len(order))] if mlp.shuffle else order
                orders.append(order)
            for loss in _losses(mlp, engine, descent, orders, size, weight):
                mlp.n_iter_ += 1
                mlp.t_ += len(rows)
                mlp.loss_ = loss
                mlp.loss_curve_.append(loss)
                if mlp.verbose:
                    print(f"Iteration {mlp.n_iter_}, loss = {loss:.8f}")
                _count_patience(mlp, net, validation)
            descent.epoch_ends(mlp.t_)
            stuck = mlp._no_improvement_count > mlp.n_iter_no_change
            over = stuck and descent.gives_up(_reason(mlp), mlp.verbose)
            if stuck and not over:
                mlp._no_improvement_count = 0
            if after() or over or incremental:
                break
            if not np.isfinite(loss) and mlp.early_stopping:
                warnings.warn(
                    f"Training diverged in epoch {mlp.n_iter_}; the weights of the best epoch are kept.",
                    ConvergenceWarning,
                    stacklevel=4,
                )
                break
            if mlp.n_iter_ == mlp.max_iter:
                warnings.warn(
                    f"Stochastic Optimizer: Maximum iterations ({mlp.max_iter}) reached and the optimization hasn't "
                    "converged yet.",
                    ConvergenceWarning,
                    stacklevel=4,
                )
                break
    except KeyboardInterrupt:
        warnings.warn("Training interrupted by user.", stacklevel=4)
    if mlp.early_stopping:
        _restore(net, mlp._best)


def _losses(
    mlp: Any, engine: Engine, descent: Descent, orders: list[Rows], size: int, weight: Array | None
) -> list[float]:
    """Epochs with their samples in these orders; the loss of each: the mean over the samples of what each batch lost,
    L2 included, before its own step.

    A batch whose samples weigh nothing is left out. NaN where training diverged under early stopping.
    """
    epochs, weights = zip(*(_batches(order, size, weight) for order in orders), strict=True)
    batches, totals = Batches.joined(epochs), np.concatenate(weights)
    ends = np.cumsum([len(epoch) for epoch in epochs])
    try:
        with np.errstate(all="ignore"):
            lost, penalties = engine.run(
                batches, descent.rates(len(batches)), mlp.alpha / totals, mlp._masks, record=True
            )
    except NotFiniteError as error:
        if mlp.early_stopping:
            return [float("nan")]
        epoch = int(np.searchsorted(ends, error.batch, side="right"))
        batch = error.batch - ends[epoch] + len(epochs[epoch])
        where = f"epoch {mlp.n_iter_ + epoch + 1}, batch {batch + 1}"
        raise InputError(f"{where}: {NOT_FINITE}", NOT_FINITE_REMEDY) from None
    net = engine.net
    lost = lost * loss_share(net.output, net.layers[-1]) + penalties
    parts = zip(np.split(lost, ends[:-1]), epochs, strict=True)
    return [float(np.average(part, weights=epoch.stops - epoch.starts)) for part, epoch in parts]


def _batches(order: Rows, size: int, weight: Array | None) -> tuple[Batches, Array]:
    """The batches of an epoch that weigh something, and what each weighs."""
    batches = Batches.cut(order, size)
    if weight is None:
        return batches, (batches.stops - batches.starts).astype(np.float64)
    totals = np.array([float(weight[batch].sum(dtype=np.float64)) for batch in batches])
    kept = totals > 0
    return Batches(batches.order, batches.starts[kept], batches.stops[kept]), totals[kept]


def _begin_curves(mlp: Any, net: Network) -> None:
    """Empty curves before the first epoch; a warm start goes on with those of the fit before."""
    early = bool(mlp.early_stopping)
    if hasattr(mlp, "loss_curve_") and (getattr(mlp, "validation_scores_", None) is not None) == early:
        return
    mlp.loss_curve_ = []
    mlp.validation_scores_, mlp.validation_loss_curve_ = ([], []) if early else (None, None)
    mlp.best_validation_score_ = -np.inf if early else None
    mlp.best_loss_ = None if early else np.inf
    mlp._no_improvement_count = 0
    mlp._best = _copies(net) if early else None


def _split(mlp: Any, T: Array, draws: np.random.RandomState) -> tuple[Rows, Rows]:
    """Row numbers for training and validation, drawn as scikit-learn draws them: stratified for two classes only."""
    two_classes = mlp.out_activation_ == "logistic" and mlp.n_outputs_ == 1
    rows, held_out = train_test_split(
        np.arange(len(T)),
        random_state=draws,
        test_size=mlp.validation_fraction,
        stratify=T > 0 if two_classes else None,
    )
    if len(held_out) < 2:
        raise InputError(
            f"The validation set is too small: validation_fraction={mlp.validation_fraction} of {len(T)} samples",
            "Increase 'validation_fraction' or the size of your dataset.",
        )
    return rows, held_out


def _rows_a_batch(batch_size: int | str, m: int) -> int:
    if isinstance(batch_size, str):
        return min(AUTO_BATCH, m)
    if batch_size > m:
        warnings.warn(
            "Got `batch_size` less than 1 or larger than sample size. It is going to be clipped", stacklevel=5
        )
    return min(int(batch_size), m)


def _count_patience(mlp: Any, net: Network, validation: tuple[Array, Array, Array | None] | None) -> None:
    """Count the epochs in a row that did not better the best loss, or validation score, by `tol`."""
    if validation is None:
        improved = mlp.loss_ <= mlp.best_loss_ - mlp.tol
        mlp.best_loss_ = min(mlp.best_loss_, mlp.loss_)
    else:
        X, T, weight = validation
        Z = net.logits(X)
        score = _score(net, Z, T, weight)
        mlp.validation_scores_.append(score)
        mlp.validation_loss_curve_.append(data_loss(net.output, Z, T, weight))
        if mlp.verbose:
            print(f"Validation score: {score:f}")
        improved = not score < mlp.best_validation_score_ + mlp.tol
        if score > mlp.best_validation_score_:
            mlp.best_validation_score_, mlp._best = score, _copies(net)
    mlp._no_improvement_count = 0 if improved else mlp._no_improvement_count + 1


def _score(net: Network, Z: Array, T: Array, weight: Array | None) -> float:
    """Accuracy or R² of logits Z (m, K); NaN where they are not finite."""
    A = net.output.value(Z)
    if not np.isfinite(A).all():
        return float("nan")
    if net.output.task == "regression":
        return float(r2_score(T, A, sample_weight=weight))
    return float(np.average(correct(net.output, A, T), weights=weight))


def _reason(mlp: Any) -> str:
    what = "Validation score" if mlp.early_stopping else "Training loss"
    return f"{what} did not improve more than tol={mlp.tol:f} for {mlp.n_iter_no_change} consecutive epochs."


def _copies(net: Network) -> dict[str, Array]:
    return {name: array.copy() for name, array in net.parameters().items()}


def _restore(net: Network, best: dict[str, Array]) -> None:
    for name, array in net.parameters().items():
        array[...] = best[name]
