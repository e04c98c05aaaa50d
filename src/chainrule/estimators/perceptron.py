"""What both estimators share: arguments, checks of data, the two ways of fitting, and the network behind `coefs_`."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.sparse import issparse
from sklearn.base import BaseEstimator, ClassNamePrefixFeaturesOutMixin, TransformerMixin, is_regressor
from sklearn.utils import check_random_state
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import _check_sample_weight, check_is_fitted, validate_data

from chainrule.errors import InputError, shown
from chainrule.estimators.descent import LBFGS, check_solver
from chainrule.estimators.lbfgs import fit_lbfgs
from chainrule.estimators.settings import callbacks, check_settings, hidden_rules, hidden_widths
from chainrule.estimators.start import first_weights
from chainrule.estimators.stochastic import NOT_FINITE, NOT_FINITE_REMEDY, fit_epochs
from chainrule.network import Network, Structure, forward_pass
from chainrule.network.model import ROWS_AT_ONCE
from chainrule.rules import Activation, Output

Array = NDArray[Any]
FLOATS = (np.float64, np.float32)


def stochastic(mlp: Any) -> bool:
    """Whether the solver goes from batch to batch, so that `partial_fit` exists; says why where it does not."""
    if mlp.solver == LBFGS:
        raise AttributeError(
            f"partial_fit is only available for stochastic optimizers. {mlp.solver} is not stochastic."
        )
    return True


class Perceptron(ClassNamePrefixFeaturesOutMixin, TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """An estimator around a network; its heirs say what the targets are and which output belongs to them.

    The weights are those of `coefs_` and `intercepts_`, whoever put them there; the network is built from them when it
    is needed and is no part of a pickle.
    """

    hidden_layer_sizes: int | Sequence[int]
    activation: str | Activation | Sequence[str | Activation]
    solver: str
    alpha: float
    batch_size: int | str
    learning_rate: str
    learning_rate_init: float
    power_t: float
    max_iter: int
    shuffle: bool
    random_state: int | np.random.RandomState | None
    tol: float
    verbose: bool | int
    warm_start: bool
    momentum: float
    nesterovs_momentum: bool
    early_stopping: bool
    validation_fraction: float
    beta_1: float
    beta_2: float
    epsilon: float
    n_iter_no_change: float
    max_fun: int
    dropout: float | Sequence[float]
    callbacks: Callable[[Any], Any] | Sequence[Callable[[Any], Any]] | None

    coefs_: list[Array]
    intercepts_: list[Array]

    def _keep(self, arguments: Mapping[str, Any]) -> None:
        """Store the arguments of `__init__` untouched, as scikit-learn asks."""
        for name in self._get_param_names():
            setattr(self, name, arguments[name])

    # What an heir provides.

    def _targets(self, X: Array, y: Any, incremental: bool) -> Array:
        """y as the matrix T (m, K) of the loss, after a check that it fits."""
        raise NotImplementedError

    def _output(self) -> tuple[Output, str]:
        """The output pair of the network and scikit-learn's name of its activation."""
        raise NotImplementedError

    def _class_weights(self, y: Any, incremental: bool) -> Array | None:
        """The weight (m,) that each sample has through its class."""
        return None

    def fit(self, X: ArrayLike, y: ArrayLike, sample_weight: ArrayLike | None = None) -> Self:
        """Fit to X (m, d) and y: (m,), or (m, K) for several targets; `sample_weight` is (m,)."""
        return self._fit(X, y, sample_weight, incremental=False)

    def _fit(self, X: Any, y: Any, sample_weight: Any, *, incremental: bool) -> Self:
        check_settings(self)
        check_solver(self.solver)
        if self.early_stopping and incremental:
            raise InputError("partial_fit does not support early_stopping=True", "It sees one batch of data at a time.")
        widths = hidden_widths(self.hidden_layer_sizes)
        self._rules = hidden_rules(self.activation, len(widths))
        first = not hasattr(self, "coefs_") or not (self.warm_start or incremental)
        X, y = validate_data(
            self,
            X,
            y,
            accept_sparse="csr",
            dtype=FLOATS if first else self.coefs_[0].dtype,
            order="C",
            multi_output=True,
            y_numeric=is_regressor(self),
            reset=first,
        )
        X = X.toarray() if issparse(X) else X
        weight = self._weights(X, y, sample_weight, incremental)
        T = np.ascontiguousarray(self._targets(X, y, incremental), dtype=X.dtype)
        draws = check_random_state(self.random_state)
        if first:
            self._begin([X.shape[1], *widths, T.shape[1]], X.dtype, draws)
        if first or not hasattr(self, "_masks"):
            # Seeded by a draw only where there is dropout: without it all draws stay those of scikit-learn.
            dropping = np.any(np.asarray(self.dropout, dtype=object) != 0)
            self._masks = np.random.default_rng(draws.randint(2**31) if dropping else 0)
        self._check_unchanged([X.shape[1], *widths, T.shape[1]])
        net = self._built()
        after = self._after_epoch(incremental)
        if self.solver == LBFGS:
            fit_lbfgs(self, net, X, T, weight, after)
        else:
            fit_epochs(self, net, X, T, weight, draws, after, incremental=incremental)
        if not all(np.isfinite(array).all() for array in (*self.coefs_, *self.intercepts_)):
            raise InputError(NOT_FINITE, NOT_FINITE_REMEDY)
        return self

    def _weights(self, X: Array, y: Any, sample_weight: Any, incremental: bool) -> Array | None:
        """What each sample weighs, by itself times by its class; None where all weigh the same."""
        by_class = self._class_weights(y, incremental)
        if sample_weight is None and by_class is None:
            return None
        own = _check_sample_weight(sample_weight, X, dtype=X.dtype, ensure_non_negative=True)
        weight: Array = own if by_class is None else own * by_class.astype(X.dtype)
        if not weight.any():
            raise InputError("every sample has weight zero", "Give at least one sample a weight above 0.")
        return weight

    def _begin(self, widths: list[int], dtype: Any, draws: np.random.RandomState) -> None:
        """Forget what an earlier fit left, and draw the first weights."""
        for name in ("loss_curve_", "_optimizer"):
            if hasattr(self, name):
                delattr(self, name)
        self.n_iter_ = self.t_ = 0
        self.n_layers_, self.n_outputs_ = len(widths), widths[-1]
        self.out_activation_ = self._output()[1]
        self.coefs_, self.intercepts_ = first_weights(widths, self._rules, dtype, draws)

    def _check_unchanged(self, widths: list[int]) -> None:
        had = [len(self.coefs_[0]), *(len(b) for b in self.intercepts_)]
        if widths != had:
            raise InputError(
                f"the fitted layers are {shown(had)}, but now {shown(widths)} are asked for",
                "Keep hidden_layer_sizes and targets as they were, or fit anew with warm_start=False.",
            )

    def _after_epoch(self, incremental: bool) -> Callable[[], bool]:
        functions = callbacks(self.callbacks)

        def after() -> bool:
            answers = [function(self) for function in functions]  # every one is called
            return any(answer is True for answer in answers)

        return after

    @property
    def _n_features_out(self) -> int:
        return int(self.coefs_[-1].shape[0])

    # The network and what is asked of it.

    def _built(self) -> Network:
        """A new network with copies of `coefs_` and `intercepts_`, which from now on are its arrays."""
        net = Network(
            [len(self.coefs_[0]), *(len(b) for b in self.intercepts_)],
            activation=self._rules if hasattr(self, "_rules") else hidden_rules(self.activation, len(self.coefs_) - 1),
            output=self._output()[0],
            dropout=self.dropout,
            init={f"{kind}{l}": array for kind, l, array in self._arrays()},
            dtype=self.coefs_[0].dtype.name,
        )
        P = net.parameters()
        self.coefs_ = [P[f"W{l}"] for l in range(1, self.n_layers_)]
        self.intercepts_ = [P[f"b{l}"] for l in range(1, self.n_layers_)]
        self._net = net
        return net

    def _arrays(self) -> Iterator[tuple[str, int, Array]]:
        for l, (W, b) in enumerate(zip(self.coefs_, self.intercepts_, strict=True), 1):
            yield "W", l, W
            yield "b", l, b

    def _network(self) -> Network:
        """The network of the fitted weights; a new one where somebody has put other arrays in their place."""
        net: Network | None = getattr(self, "_net", None)
        if net is None or any(net.parameters()[f"{kind}{l}"] is not array for kind, l, array in self._arrays()):
            return self._built()
        return net

    def _blocks(self, X: Any) -> tuple[Network, Iterator[Array]]:
        """The network, and X (m, d) after its check: whole where it is dense, else a dense block of rows at a time."""
        check_is_fitted(self, "coefs_")
        X = validate_data(self, X, accept_sparse="csr", reset=False)
        net = self._network()
        if not issparse(X):
            return net, iter([net.inputs(X)])
        starts = range(0, X.shape[0], ROWS_AT_ONCE)
        return net, (net.inputs(X[start : start + ROWS_AT_ONCE].toarray()) for start in starts)

    def _logits(self, X: Any) -> Array:
        net, blocks = self._blocks(X)
        return _joined([net.logits(block) for block in blocks])

    def transform(self, X: ArrayLike, layer: int = -1) -> Array:
        """The activations (m, h) of a hidden layer: 1 is the first, -1 the last.

        Raises ValueError where there is no such layer.
        """
        net, blocks = self._blocks(X)
        hidden = net.structure.layers[:-1]
        number = layer + len(hidden) + 1 if isinstance(layer, int | np.integer) and layer < 0 else layer
        if not isinstance(number, int | np.integer) or isinstance(number, bool) or not 1 <= number <= len(hidden):
            raise InputError(
                f"layer {shown(layer)} is none of the {len(hidden)} hidden layers",
                "Count from 1, or from -1 backwards; predict_proba and predict give the output layer.",
            )
        below = Structure(hidden[:number], net.output)
        parts = (part[start : start + ROWS_AT_ONCE] for part in blocks for start in range(0, len(part), ROWS_AT_ONCE))
        return _joined([forward_pass(below, net.parameters(), {}, part)[f"A{number}"] for part in parts])

    def __getstate__(self) -> dict[str, Any]:
        state: dict[str, Any] = dict(super().__getstate__())
        state.pop("_net", None)  # its rules hold functions, which pickle refuses; its arrays are in coefs_ anyway
        return state

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags


def _joined(parts: list[Array]) -> Array:
    return parts[0] if len(parts) == 1 else np.concatenate(parts)


with_batches = available_if(stochastic)
