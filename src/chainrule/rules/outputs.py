"""Each output with the loss that belongs to it: softmax and cross-entropy, sigmoid and binary cross-entropy,
identity and squared error.

In a matched pair the derivative of the loss by the logits is A − T, whatever the pair. Both ways to it stand here:
`delta`, the fused form, and `delta_through_jacobian`, the long way through ∂A/∂Z, which a test holds equal.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from chainrule.errors import InputError
from chainrule.rules.activations import logistic
from chainrule.rules.one_hot import OneHot

Array = NDArray[Any]


@dataclass(frozen=True)
class Output:
    """An output rule A = g(Z) with its loss ℓ(A, T); Z, A, T are (m, K) of one floating dtype, a row a sample.

    value(Z)             → A
    losses(Z, T)         → (m,): ℓ of each sample, computed from the logits and therefore stable
    delta(A, T)          → (m, K): ∂ℓ/∂Z of each sample, the fused form
    loss_gradient(A, T)  → (m, K): ∂ℓ/∂A of each sample
    jacobian(A)          → (m, K, K): entry (k, j) is ∂a_k/∂z_j
    encode(y, K)         → (m, K) targets T from labels or values as a person gives them; raises InputError
    decide(A)            → predictions in the form in which `encode` takes them
    task                 "classification" or "regression"
    """

    name: str
    loss_name: str
    task: str
    value: Callable[[Array], Array]
    losses: Callable[[Array, Array], Array]
    delta: Callable[[Array, Array], Array]
    loss_gradient: Callable[[Array, Array], Array]
    jacobian: Callable[[Array], Array]
    encode: Callable[[Any, int], Array]
    decide: Callable[[Array], Array]
    latex: str
    loss_latex: str

    def delta_through_jacobian(self, A: Array, T: Array) -> Array:
        """∂ℓ/∂z_j = Σ_k (∂ℓ/∂a_k)(∂a_k/∂z_j): the chain rule as it is written, before anything cancels."""
        delta: Array = np.einsum("mk,mkj->mj", self.loss_gradient(A, T), self.jacobian(A))
        return delta

    def targets(self, y: Any, width: int, dtype: DTypeLike) -> Array:
        """T (m, K) in `dtype` for K = `width` units; raises InputError for targets that do not fit."""
        encoded = self.encode(y, width)
        with np.errstate(over="ignore"):
            T = np.ascontiguousarray(encoded, dtype=dtype)
        if not np.isfinite(T).all():
            i = int(np.argmin(np.isfinite(T).all(axis=1)))
            raise InputError(
                f"sample {i}: the target {encoded[i].tolist()} is too great for {np.dtype(dtype)}", "Scale the targets."
            )
        return T

    def compact_targets(self, y: Any, width: int, dtype: DTypeLike) -> Array | OneHot:
        """Like `targets`, but labels of classes stay labels: `OneHot`."""
        if self.encode is _encode_classes and np.ndim(y) == 1:
            return OneHot(_class_labels(np.asarray(y), width), width, dtype)
        return self.targets(y, width, dtype)


def softmax() -> Output:
    """a_k = e^{z_k} / Σ_j e^{z_j} with ℓ = −Σ_k t_k ln a_k. Targets: labels 0…K−1, one-hot or probability rows."""
    return Output(
        name="softmax",
        loss_name="cross-entropy",
        task="classification",
        value=_softmax,
        losses=_cross_entropy,
        delta=lambda A, T: A - T,
        loss_gradient=_negative_ratio,
        jacobian=lambda A: A[:, :, None] * (np.eye(A.shape[1], dtype=A.dtype) - A[:, None, :]),
        encode=_encode_classes,
        decide=lambda A: A.argmax(axis=1),
        latex=r"a_k = \frac{e^{z_k}}{\sum_j e^{z_j}}",
        loss_latex=r"\ell = -\sum_k t_k \ln a_k",
    )


def sigmoid() -> Output:
    """a_k = σ(z_k) with ℓ = −Σ_k [t_k ln a_k + (1 − t_k) ln(1 − a_k)]. Targets in [0, 1]: (m, K), or (m,) for K = 1."""
    return Output(
        name="sigmoid",
        loss_name="binary cross-entropy",
        task="classification",
        value=logistic,
        losses=lambda Z, T: (np.maximum(Z, 0) - Z * T + np.log1p(np.exp(-np.abs(Z)))).sum(axis=1),
        delta=lambda A, T: A - T,
        loss_gradient=lambda A, T: _negative_ratio(A, T) - _negative_ratio(1 - A, 1 - T),
        jacobian=lambda A: (A * (1 - A))[:, :, None] * np.eye(A.shape[1], dtype=A.dtype),
        encode=_encode_shares,
        decide=lambda A: _squeeze_single((A > 0.5).astype(np.int64)),
        latex=r"a_k = \frac{1}{1 + e^{-z_k}}",
        loss_latex=r"\ell = -\sum_k \left[ t_k \ln a_k + (1 - t_k) \ln(1 - a_k) \right]",
    )


def identity() -> Output:
    """a_k = z_k with ℓ = ½ ‖a − t‖². Targets: numbers, (m, K), or (m,) for K = 1."""
    return Output(
        name="identity",
        loss_name="squared error",
        task="regression",
        value=lambda Z: Z,
        losses=lambda Z, T: 0.5 * ((Z - T) ** 2).sum(axis=1),
        delta=lambda A, T: A - T,
        loss_gradient=lambda A, T: A - T,
        jacobian=lambda A: np.broadcast_to(np.eye(A.shape[1], dtype=A.dtype), (*A.shape, A.shape[1])),
        encode=_encode_numbers,
        decide=lambda A: _squeeze_single(A),
        latex=r"a_k = z_k",
        loss_latex=r"\ell = \tfrac{1}{2} \sum_k (a_k - t_k)^2",
    )


def _softmax(Z: Array) -> Array:
    e: Array = np.exp(Z - Z.max(axis=1, keepdims=True))
    e /= e.sum(axis=1, keepdims=True)
    return e


def _cross_entropy(Z: Array, T: Array) -> Array:
    """−Σ t_k ln a_k from the logits; what all logits of a row share is taken off first, where it costs no digits."""
    S = Z - Z.max(axis=1, keepdims=True)
    losses: Array = (T * (np.log(np.exp(S).sum(axis=1, keepdims=True)) - S)).sum(axis=1)
    return losses


def _negative_ratio(A: Array, T: Array) -> Array:
    """−t/a, which is 0 where t is 0 even if a has underflowed to 0."""
    return -np.divide(T, A, out=np.zeros_like(A), where=T != 0)


def _squeeze_single(P: Array) -> Array:
    return P[:, 0] if P.shape[1] == 1 else P


def _encode_classes(y: Any, width: int) -> Array:
    labels = np.asarray(y)
    if labels.ndim == 2:
        return _probability_rows(labels, width)
    T = np.zeros((len(labels) if labels.ndim else 0, width))
    T[np.arange(len(T)), _class_labels(labels, width)] = 1
    return T


def _class_labels(labels: Array, width: int) -> NDArray[np.int64]:
    """Labels as int64, after a check that each is a whole number from 0 to width − 1."""
    if labels.ndim != 1 or labels.dtype.kind not in "iufb":
        raise InputError(
            f"targets of shape {labels.shape} and type {labels.dtype} are no class labels",
            f"Give whole numbers 0 to {width - 1} of shape (m,), or rows of {width} probabilities.",
        )
    whole = (labels >= 0) & (labels < width)
    if labels.dtype.kind == "f":
        whole &= labels == np.floor(labels)
    if not whole.all():
        i = int(np.argmin(whole))
        raise InputError(
            f"sample {i}: label {labels[i]!s} is none of the classes 0 to {width - 1}",
            f"The output layer has {width} units; widen it, or number the classes from 0.",
        )
    return labels.astype(np.int64, copy=False)


def _probability_rows(rows: Array, width: int) -> Array:
    rows = _numbers(rows, width)
    bad = (rows < 0).any(axis=1) | (np.abs(rows.sum(axis=1, dtype=np.float64) - 1) > 1e-4)
    if bad.any():
        i = int(np.argmax(bad))
        raise InputError(
            f"sample {i}: target row {rows[i].tolist()} is no probability distribution",
            "Each row of soft or one-hot targets must be at least 0 everywhere and sum to 1.",
        )
    return rows


def _encode_shares(y: Any, width: int) -> Array:
    T = _numbers(np.asarray(y), width)
    if T.size and not (T.min() >= 0 and T.max() <= 1):
        i = int(np.argmax(((T < 0) | (T > 1)).any(axis=1)))
        raise InputError(
            f"sample {i}: target {T[i].tolist()} lies outside [0, 1]",
            "A sigmoid output takes 0, 1 or a probability between them.",
        )
    return T


def _encode_numbers(y: Any, width: int) -> Array:
    return _numbers(np.asarray(y), width)


def _numbers(values: Array, width: int) -> Array:
    """`values` as (m, width), finite; (m,) is taken where width is 1."""
    if values.dtype.kind not in "iufb":
        raise InputError(f"targets of type {values.dtype} are no numbers", "Give an array of numbers.")
    if values.ndim == 1 and width == 1:
        values = values[:, None]
    if values.ndim != 2 or values.shape[1] != width:
        raise InputError(
            f"targets have shape {values.shape} but the output layer has {width} units",
            f"Give targets of shape (m, {width}){' or (m,)' if width == 1 else ''}.",
        )
    if not np.isfinite(values).all():
        i = int(np.argmin(np.isfinite(values).all(axis=1)))
        raise InputError(f"sample {i}: the target is {values[i].tolist()}", "Leave out samples without a target.")
    return values
