"""`MLPClassifier`: labels, or several labels a sample, from a softmax or logistic output."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import log_expit, log_softmax
from sklearn.base import ClassifierMixin
from sklearn.preprocessing import LabelBinarizer
from sklearn.utils import column_or_1d, compute_sample_weight
from sklearn.utils.multiclass import _check_partial_fit_first_call, type_of_target, unique_labels

from chainrule import rules
from chainrule.errors import InputError, shown
from chainrule.estimators.perceptron import Perceptron, with_batches
from chainrule.rules import Activation, Output

Array = NDArray[Any]


class MLPClassifier(ClassifierMixin, Perceptron):  # type: ignore[misc]
    """A multilayer perceptron that classifies; scikit-learn's arguments and attributes, with its defaults and meanings.

    Beyond scikit-learn:

    activation    "logistic" or any rule of `chainrule.rules` ("gelu", "leaky_relu(0.2)"), or one per hidden layer
    solver        also "momentum", "nesterov", "rmsprop", "adamw(weight_decay=0.1)"
    class_weight  None, "balanced" or {class: weight}; multiplies `sample_weight`
    dropout       share of hidden units left out in training; one value or one per hidden layer
    callbacks     functions of the estimator, called after each epoch; one that returns True ends the fit

    `validation_loss_curve_` is the loss on the held-out part after each epoch (early_stopping=True; without L2), and
    `transform(X, layer=-1)` gives hidden activations.
    """

    class_weight: str | Mapping[Any, float] | None
    classes_: Array

    def __init__(
        self,
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
        class_weight: str | Mapping[Any, float] | None = None,
        dropout: float | Sequence[float] = 0.0,
        callbacks: Callable[[Any], Any] | Sequence[Callable[[Any], Any]] | None = None,
    ) -> None:
        self._keep(locals())

    @with_batches  # type: ignore[untyped-decorator]
    def partial_fit(
        self, X: ArrayLike, y: ArrayLike, sample_weight: ArrayLike | None = None, classes: ArrayLike | None = None
    ) -> Self:
        """One epoch over X (m, d) and y, from the weights as they are; the first call needs all `classes`."""
        if _check_partial_fit_first_call(self, classes):
            self._binarizer = LabelBinarizer().fit(y if type_of_target(y).startswith("multilabel") else classes)
        return self._fit(X, y, sample_weight, incremental=True)

    def _targets(self, X: Array, y: Any, incremental: bool) -> Array:
        if y.ndim == 2 and y.shape[1] == 1:
            y = column_or_1d(y, warn=True)
        if not hasattr(self, "classes_") or not (self.warm_start or incremental):
            self._binarizer = LabelBinarizer().fit(y)
            self.classes_ = self._binarizer.classes_
            return np.asarray(self._binarizer.transform(y))
        classes = unique_labels(y)
        present, known = set(classes.tolist()), set(self.classes_.tolist())
        if self.warm_start and present != known:
            raise InputError(
                "warm_start can only be used where `y` has the same classes as in the previous call to fit. "
                f"Previously got {self.classes_}, `y` has {classes}",
                "Fit anew with warm_start=False.",
            )
        if present - known:
            raise InputError(
                f"`y` has classes not in `self.classes_`. `self.classes_` has {self.classes_}. 'y' has {classes}.",
                "Name all classes in the first call of partial_fit.",
            )
        return np.asarray(self._binarizer.transform(y))

    def _class_weights(self, y: Any, incremental: bool) -> Array | None:
        if self.class_weight is None:
            return None
        if incremental and isinstance(self.class_weight, str):
            raise InputError(
                f"class_weight {shown(self.class_weight)} needs all samples at once, and partial_fit sees some",
                "Give the weights: sklearn.utils.class_weight.compute_class_weight(...) as a dictionary.",
            )
        return np.asarray(compute_sample_weight(self.class_weight, y))

    def _output(self) -> tuple[Output, str]:
        if self._binarizer.y_type_ == "multiclass":
            return rules.output("softmax"), "softmax"
        return rules.output("sigmoid"), "logistic"

    def predict(self, X: ArrayLike) -> Array:
        """The class (m,) of each row of X (m, d), or the indicators (m, K) of several labels."""
        A = self._probabilities(X)
        labels: Array = self._binarizer.inverse_transform(A.ravel() if A.shape[1] == 1 else A)
        return labels

    def predict_proba(self, X: ArrayLike) -> Array:
        """Probabilities (m, number of classes), columns as in `classes_`; of each label by itself for several."""
        A = self._probabilities(X)
        return np.hstack([1 - A, A]) if A.shape[1] == 1 else A

    def predict_log_proba(self, X: ArrayLike) -> Array:
        """Logarithms of `predict_proba`, computed from the logits: finite where a probability has become 0."""
        Z = self._logits(X)
        if self.out_activation_ == "softmax":
            return np.asarray(log_softmax(Z, axis=1))
        return np.asarray(log_expit(np.hstack([-Z, Z]) if Z.shape[1] == 1 else Z))

    def _probabilities(self, X: ArrayLike) -> Array:
        Z = self._logits(X)
        return self._output()[0].value(Z)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_label = True
        return tags
