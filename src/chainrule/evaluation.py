"""How good a network is on given data, always beside what one reaches without looking at the input."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from html import escape
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from chainrule.data import DataSet, Part, Prepared
from chainrule.errors import InputError, shown
from chainrule.network import Network, correct, refuse_non_finite
from chainrule.network.model import NUMBERS_AT_ONCE
from chainrule.rules import OneHot, Output

Array = NDArray[Any]


@dataclass(frozen=True)
class Evaluation:
    """Results of one network on one part of the data, at fixed weights.

    samples    number of rows
    loss       mean loss over the samples, without L2
    accuracy   share decided rightly; None for regression
    r2         coefficient of determination; None for classification, and where the targets are all the same
    baseline   what a constant prediction reaches on the same data: {"loss": entropy of the class prior (or half the
               variance), "accuracy": majority share}
    confusion  (K, K) counts, rows true and columns predicted; None where each sample has several labels or none
    report     scikit-learn's classification report: precision, recall, f1, support by class; empty for regression
    scores     the same as a dictionary
    classes    names of the classes
    loss_name  of the loss
    """

    samples: int
    loss: float
    accuracy: float | None
    r2: float | None
    baseline: dict[str, float]
    confusion: NDArray[np.int64] | None
    report: str = field(repr=False)
    scores: dict[str, Any] = field(repr=False)
    classes: tuple[str, ...]
    loss_name: str

    def summary(self) -> str:
        """One line: loss and accuracy with their baselines and the number of samples."""
        line = f"loss {self.loss:.4f} (baseline {self.baseline.get('loss', float('nan')):.4f})"
        if self.accuracy is not None:
            line += f", accuracy {self.accuracy:.2%} (majority {self.baseline.get('accuracy', float('nan')):.2%})"
        if self.r2 is not None:
            line += f", R² {self.r2:.4f}"
        return f"{line}, n = {self.samples}"

    def to_json(self) -> dict[str, Any]:
        confusion = None if self.confusion is None else self.confusion.tolist()
        return {**self.__dict__, "confusion": confusion, "classes": list(self.classes)}

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> "Evaluation":
        """What `to_json` gave; raises ValueError, TypeError or KeyError for anything else."""
        for name, kinds in _STORED.items():
            if not isinstance(stored[name], kinds) or isinstance(stored[name], bool):
                raise ValueError(f"{name} is {shown(stored[name])}")
        if not all(isinstance(value, float) for value in stored["baseline"].values()):
            raise ValueError(f"baseline is {shown(stored['baseline'])}")
        confusion = None if stored["confusion"] is None else np.array(stored["confusion"])
        if confusion is not None and (confusion.dtype.kind != "i" or confusion.ndim != 2):
            raise ValueError("confusion is no table of counts")
        return cls(**{**stored, "confusion": confusion, "classes": tuple(stored["classes"])})

    def _repr_html_(self) -> str:
        return f"<p>{escape(self.summary())}</p><pre>{escape(self.report)}</pre>"


_STORED: dict[str, Any] = {
    "samples": int,
    "loss": float,
    "accuracy": (float, type(None)),
    "r2": (float, type(None)),
    "baseline": dict,
    "confusion": (list, type(None)),
    "report": str,
    "scores": dict,
    "classes": list,
    "loss_name": str,
}


def evaluate(net: Network, data: Part | tuple[ArrayLike, Any]) -> Evaluation:
    """Evaluate `net` on a part of a data set or a pair (x, y); changes nothing.

    Raises InputError where the data do not fit the network.
    """
    x, y = as_pair(data)
    X = net.samples(x)
    refuse_non_finite(X)
    Z = net.logits(X)
    T = net.targets(y, len(Z))
    A = net.output.value(Z)
    loss = float(net.output.losses(Z, T).mean(dtype=np.float64))
    names = _class_names(net, A.shape[1])
    regression = net.output.task == "regression"
    predicted, true = net.output.decide(A), net.output.decide(T)
    one_label = not regression and predicted.ndim == 1
    return Evaluation(
        samples=len(T),
        loss=loss,
        accuracy=None if regression else float(correct(net.output, A, T).mean()),
        r2=_r2(net, x, y) if regression else None,
        baseline=baseline(net.output, T),
        confusion=_confusion(true, predicted, len(names)) if one_label else None,
        report="" if regression else _report(true, predicted, names, output_dict=False),
        scores={} if regression else _report(true, predicted, names, output_dict=True),
        classes=names,
        loss_name=net.output.loss_name,
    )


def as_pair(data: Any) -> tuple[Any, Any]:
    """(x, y) of a part or a pair; raises InputError in words for anything else."""
    if isinstance(data, Part):
        return data.x, data.y
    if isinstance(data, tuple | list) and len(data) == 2:
        return data[0], data[1]
    remedy = "Name one: data.test, data.validation or data.train." if isinstance(data, DataSet) else ""
    raise InputError(f"{type(data).__name__} is no pair (x, y)", remedy or "Give inputs and targets: (x, y).")


def measure(net: Network, X: Array | Prepared, T: Array | OneHot) -> tuple[float, float | None]:
    """Mean loss and accuracy (None for regression) of inputs X for targets T, at the present weights.

    A block of rows at a time, so that memory does not grow with the data.
    """
    loss, hits = 0.0, 0
    rows = max(1, NUMBERS_AT_ONCE // max(X.shape[1], T.shape[1]))
    for start in range(0, len(X), rows):
        Z, targets = net.logits(X[start : start + rows]), T[start : start + rows]
        loss += float(net.output.losses(Z, targets).sum(dtype=np.float64))
        if net.output.task == "classification":
            hits += int(correct(net.output, net.output.value(Z), targets).sum())
    return loss / len(X), hits / len(X) if net.output.task == "classification" else None


def baseline(output: Output, T: Array) -> dict[str, float]:
    """Loss and accuracy of the best constant prediction on targets T (m, K); empty for a pair of one's own."""
    prior = T.mean(axis=0, dtype=np.float64)
    if output.name == "identity":
        return {"loss": float(0.5 * np.square(T - prior).sum(axis=1).mean())}
    _, counts = np.unique(np.asarray(output.decide(T)).reshape(len(T), -1), axis=0, return_counts=True)
    majority = float(counts.max() / len(T))
    if output.name == "softmax":
        return {"loss": _entropy(prior), "accuracy": majority}
    if output.name == "sigmoid":
        return {"loss": _entropy(prior) + _entropy(1 - prior), "accuracy": majority}
    return {"accuracy": majority}


def _entropy(p: Array) -> float:
    shares = np.clip(p, 0, 1)  # rounding may have left a share just outside
    return float(-(shares * np.log(np.where(shares > 0, shares, 1))).sum())


def _r2(net: Network, x: ArrayLike, y: Any) -> float | None:
    score = net.score(x, y)
    return score if np.isfinite(score) else None


def _class_names(net: Network, width: int) -> tuple[str, ...]:
    if net.output.task == "regression":
        return ()
    known = net.spec.classes if net.spec is not None else ()
    number = 2 if net.output.name == "sigmoid" and width == 1 else width
    return tuple(known) if len(known) == number else tuple(str(k) for k in range(number))


def _confusion(true: Array, predicted: Array, classes: int) -> NDArray[np.int64]:
    counts = np.zeros((classes, classes), np.int64)
    np.add.at(counts, (true, predicted), 1)
    return counts


def _report(true: Array, predicted: Array, names: tuple[str, ...], *, output_dict: bool) -> Any:
    from sklearn.metrics import classification_report

    labels = range(len(names))
    return classification_report(
        true, predicted, labels=labels, target_names=names, output_dict=output_dict, zero_division=0
    )
