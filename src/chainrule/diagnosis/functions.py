"""The functions that people put into networks, right and wrong ones: activations, output maps and losses.

The right activations are those of `chainrule.rules`; beside them stand forms that are met in students' code.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import numpy as np

from chainrule import rules
from chainrule.diagnosis.agreement import Array

_TINY = 1e-300


@dataclass(frozen=True)
class Function:
    """An elementwise function of the logits: value(z), and derivative(z, a) where a = value(z)."""

    name: str
    value: Callable[[Array], Array]
    derivative: Callable[[Array, Array], Array]
    plain: str = ""
    """f′ as one writes it, with {Z} and {A}."""


@dataclass(frozen=True)
class Map:
    """The output map A = g(Z), rows are samples; pull(A, G, Z) = ∂L/∂Z for G = ∂L/∂A. `fault` where nobody means it."""

    name: str
    value: Callable[[Array], Array]
    pull: Callable[[Array, Array, Array], Array]
    fault: str = ""


@dataclass(frozen=True)
class Loss:
    """A loss of one sample, summed over the outputs; `losses` (m,) and `gradient` (m, K) by A."""

    name: str
    losses: Callable[[Array, Array], Array]
    gradient: Callable[[Array, Array], Array]


_PLAIN = {
    "identity": "1",
    "sigmoid": "{A} ∘ (1 − {A})",
    "tanh": "(1 − {A}²)",
    "relu": "1[{Z} > 0]",
    "softplus": "σ({Z})",
}


@cache
def activations() -> tuple[Function, ...]:
    """All that a forward pass is compared with, the common ones first."""
    named = [
        "relu",
        "sigmoid",
        "tanh",
        "leaky_relu",
        *(f"leaky_relu({s})" for s in ("0.1", "0.2", "0.05", "0.3", "0.001")),
    ]
    named += ["elu", "softplus", "swish", "identity", "gelu"]
    found = []
    for spec in named:
        rule = rules.activation(spec)
        plain = _PLAIN.get(rule.name, f"{rule.name.partition('(')[0]}′({{Z}})")
        found.append(Function(_words(rule.name), rule.value, rule.derivative, plain))
    return (*found, *_others())


def _words(name: str) -> str:
    short, _, setting = name.partition("(")
    value = setting.rstrip(")").partition("=")[2]
    common = {"leaky_relu": "leaky ReLU", "relu": "ReLU", "elu": "ELU", "gelu": "GELU"}
    return common.get(short, short) + (f" ({value})" if short == "leaky_relu" else "")


def _others() -> list[Function]:
    k = float(np.sqrt(2 / np.pi))

    def gelu_tanh(z: Array) -> Array:
        return np.asarray(0.5 * z * (1 + np.tanh(k * (z + 0.044715 * z**3))))

    def gelu_tanh_derivative(z: Array, a: Array) -> Array:
        t = np.tanh(k * (z + 0.044715 * z**3))
        return np.asarray(0.5 * (1 + t) + 0.5 * z * (1 - t * t) * k * (1 + 3 * 0.044715 * z * z))

    return [
        Function("GELU (tanh form)", gelu_tanh, gelu_tanh_derivative, "gelu′({Z})"),
        Function("softsign", lambda z: z / (1 + np.abs(z)), lambda z, a: 1 / (1 + np.abs(z)) ** 2, "1/(1 + |{Z}|)²"),
        Function(
            "scaled tanh",
            lambda z: 1.7159 * np.tanh(2 / 3 * z),
            lambda z, a: 1.7159 * 2 / 3 * (1 - np.tanh(2 / 3 * z) ** 2),
            "scaled tanh′({Z})",
        ),
        Function("sine", np.sin, lambda z, a: np.cos(z), "cos({Z})"),
        Function("square", lambda z: z * z, lambda z, a: 2 * z, "2{Z}"),
    ]


def _logistic(z: Array) -> Array:
    return np.asarray(rules.activation("sigmoid").value(z))


@cache
def output_maps() -> tuple[Map, ...]:
    softmax = rules.output("softmax").value

    def stable(z: Array) -> Array:
        return np.asarray(softmax(z))

    return (
        Map("softmax", stable, lambda A, G, Z: A * (G - (G * A).sum(axis=1, keepdims=True))),
        Map("sigmoid", _logistic, lambda A, G, Z: G * A * (1 - A)),
        Map("identity", lambda z: z, lambda A, G, Z: G),
        Map("tanh", np.tanh, lambda A, G, Z: G * (1 - A * A)),
        Map("ReLU", lambda z: np.maximum(z, 0), lambda A, G, Z: G * (Z > 0)),
        Map("log-softmax", lambda z: np.log(stable(z)), lambda A, G, Z: G - stable(Z) * G.sum(axis=1, keepdims=True)),
        *(
            Map("softmax", _softmax(axis, shift), _pulled(axis, shift), fault)
            for axis, fault in _FAULTS
            for shift in (0, 1)
        ),
    )


_FAULTS: list[tuple[int | None, str]] = [(0, "samples"), (None, "all"), (-1, "unnormalised")]


def _softmax(axis: int | None, shift: int) -> Callable[[Array], Array]:
    """Softmax normalised over the wrong axis, -1 for none; with `shift`, the greatest of each sample is taken off."""

    def value(z: Array) -> Array:
        e = np.exp(z - z.max(axis=1, keepdims=True) if shift else z)
        return e if axis == -1 else np.asarray(e / e.sum(axis=axis, keepdims=True))

    return value


def _pulled(axis: int | None, shift: int) -> Callable[[Array, Array, Array], Array]:
    def pull(A: Array, G: Array, Z: Array) -> Array:
        back = G * A if axis == -1 else A * (G - (G * A).sum(axis=axis, keepdims=True))
        if not shift:
            return np.asarray(back)
        greatest = Z.max(axis=1, keepdims=True) == Z
        return np.asarray(back - greatest * back.sum(axis=1, keepdims=True))

    return pull


@cache
def losses() -> tuple[Loss, ...]:
    def ratio(t: Array, a: Array) -> Array:
        return np.divide(t, a, out=np.zeros_like(a), where=t != 0)

    def log(a: Array) -> Array:
        return np.log(np.maximum(a, _TINY))

    def entropy(A: Array, T: Array) -> Array:
        return np.asarray(-(T * log(A)).sum(axis=1))

    return (
        Loss("cross-entropy", entropy, lambda A, T: -ratio(T, A)),
        Loss(
            "binary cross-entropy",
            lambda A, T: entropy(A, T) + entropy(1 - A, 1 - T),
            lambda A, T: ratio(1 - T, 1 - A) - ratio(T, A),
        ),
        Loss("squared error", lambda A, T: 0.5 * ((A - T) ** 2).sum(axis=1), lambda A, T: A - T),
        Loss("absolute error", lambda A, T: np.abs(A - T).sum(axis=1), lambda A, T: np.sign(A - T)),
    )


MATCHED = {
    "softmax": "cross-entropy",
    "sigmoid": "binary cross-entropy",
    "identity": "squared error",
    "tanh": "squared error",
    "ReLU": "squared error",
}
"""The loss that belongs to each output map; of the first three ∂ℓ/∂Z is A − T."""
