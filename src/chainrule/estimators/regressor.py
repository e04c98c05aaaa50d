"""`MLPRegressor`: numbers from an identity output, or counts from an exponential one."""

from collections.abc import Callable, Sequence
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import RegressorMixin
from sklearn.utils import column_or_1d

from chainrule import rules
from chainrule.errors import InputError, shown, unknown_name
from chainrule.estimators.perceptron import Perceptron, with_batches
from chainrule.estimators.poisson import poisson
from chainrule.rules import Activation, Output

Array = NDArray[Any]

OUTPUTS = {"squared_error": "identity", "poisson": "exp"}  # loss: scikit-learn's name of the output's activation


class MLPRegressor(RegressorMixin, Perceptron):  # type: ignore[misc]
    """A multilayer perceptron that predicts numbers; scikit-learn's arguments and attributes, with its defaults and
    meanings.

    Beyond scikit-learn:

    activation  "logistic" or any rule of `chainrule.rules` ("gelu", "leaky_relu(0.2)"), or one per hidden layer
    solver      also "momentum", "nesterov", "rmsprop", "adamw(weight_decay=0.1)"
    dropout     share of hidden units left out in training; one value or one per hidden layer
    callbacks   functions of the estimator, called after each epoch; one that returns True ends the fit

    `validation_loss_curve_` is the loss on the held-out part after each epoch (early_stopping=True; without L2), and
    `transform(X, layer=-1)` gives hidden activations.
    """

    loss: str

    def __init__(
        self,
        loss: str = "squared_error",
        hidden_layer_sizes: int | Sequence[int] = (100,),
        activation: str | Activation | Sequence[str | Activation] = "relu",
        *,
        solver: str = "adam",
        alpha: float = 0.0001,
        batch_size: int | str = "auto",
        learning_rate: str = "constant",
        learning_rate_init: float = 0.001,
        power_t: float = 0.5,
        max_iter: int = 200,
        shuffle: bool = True,
        random_state: int | np.random.RandomState | None = None,
        tol: float = 1e-4,
        verbose: bool | int = False,
        warm_start: bool = False,
        momentum: float = 0.9,
        nesterovs_momentum: bool = True,
        early_stopping: bool = False,
        validation_fraction: float = 0.1,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-8,
        n_iter_no_change: float = 10,
        max_fun: int = 15000,
        dropout: float | Sequence[float] = 0.0,
        callbacks: Callable[[Any], Any] | Sequence[Callable[[Any], Any]] | None = None,
    ) -> None:
        self._keep(locals())

    @with_batches  # type: ignore[untyped-decorator]
    def partial_fit(self, X: ArrayLike, y: ArrayLike, sample_weight: ArrayLike | None = None) -> Self:
        """One epoch over X (m, d) and y, from the weights as they are."""
        return self._fit(X, y, sample_weight, incremental=True)

    def _targets(self, X: Array, y: Any, incremental: bool) -> Array:
        if not isinstance(self.loss, str) or self.loss not in OUTPUTS:
            raise unknown_name("loss", self.loss, OUTPUTS)
        if self.loss == "poisson" and (y < 0).any():
            raise InputError(
                f"loss='poisson' is for counts, but a target is {shown(y.min())}",
                "Give targets that are not negative, or take loss='squared_error'.",
            )
        if y.ndim == 2 and y.shape[1] == 1:
            y = column_or_1d(y, warn=True)
        return np.reshape(y, (len(y), -1))

    def _output(self) -> tuple[Output, str]:
        return (poisson() if self.loss == "poisson" else rules.output("identity")), OUTPUTS[self.loss]

    def predict(self, X: ArrayLike) -> Array:
        """The numbers (m,) or (m, K) for the rows of X (m, d)."""
        A: Array = self._output()[0].value(self._logits(X))
        return A.ravel() if A.shape[1] == 1 else A

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        return tags
