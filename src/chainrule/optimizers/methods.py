"""Each method of descent in the line or two of its publication: parameters and their gradients in, a step taken.

    optimizer = cr.optimizers.SGD(0.1)
    optimizer.step(net.parameters(), gradients)      # changes the parameters in place

`learning_rate` may be changed between steps. What a method remembers lies in `memory`, by slot and parameter.
"""

from collections.abc import Mapping
from inspect import signature
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from chainrule.errors import InputError, unknown_name
from chainrule.specs import number, parse

Array = NDArray[Any]


class Optimizer:
    """What the methods share: the rate η, the number of steps t taken, and zeroed memory on first use."""

    slots: ClassVar[tuple[str, ...]] = ()

    def __init__(self, learning_rate: float) -> None:
        self.learning_rate = _rate(learning_rate)
        self.steps = 0
        self.memory: dict[str, dict[str, Array]] = {slot: {} for slot in self.slots}

    def step(self, parameters: Mapping[str, Array], gradients: Mapping[str, Array]) -> None:
        """Move every parameter, in place, against its gradient; both mappings have the same keys and shapes."""
        self.steps += 1
        for name, P in parameters.items():
            for remembered in self.memory.values():
                if name not in remembered:
                    remembered[name] = np.zeros_like(P)
            self.move(name, P, gradients[name], *(self.memory[slot][name] for slot in self.slots))

    def move(self, name: str, P: Array, G: Array, *slots: Array) -> None:
        """Change P, and the memory in `slots`, by gradient G."""
        raise NotImplementedError


class SGD(Optimizer):
    """P ← P − η G."""

    def __init__(self, learning_rate: float = 0.1) -> None:
        super().__init__(learning_rate)

    def move(self, name: str, P: Array, G: Array, *slots: Array) -> None:
        P -= self.learning_rate * G


class Momentum(Optimizer):
    """V ← μ V + G,  P ← P − η V; Polyak 1964."""

    slots = ("velocity",)

    def __init__(self, learning_rate: float = 0.01, momentum: float = 0.9) -> None:
        super().__init__(learning_rate)
        self.momentum = _share("momentum", momentum)

    def move(self, name: str, P: Array, G: Array, *slots: Array) -> None:
        (V,) = slots
        V *= self.momentum
        V += G
        P -= self.learning_rate * V


class Nesterov(Momentum):
    """V ← μ V + G,  P ← P − η (G + μ V); Nesterov 1983 in the form of Sutskever et al. 2013."""

    def move(self, name: str, P: Array, G: Array, *slots: Array) -> None:
        (V,) = slots
        V *= self.momentum
        V += G
        P -= self.learning_rate * (G + self.momentum * V)


class RMSprop(Optimizer):
    """S ← ρ S + (1 − ρ) G²,  P ← P − η G / (√S + ε); Tieleman, Hinton 2012."""

    slots = ("square",)

    def __init__(self, learning_rate: float = 0.001, decay: float = 0.9, epsilon: float = 1e-8) -> None:
        super().__init__(learning_rate)
        self.decay = _share("decay", decay)
        self.epsilon = number("epsilon", epsilon, least=0)

    def move(self, name: str, P: Array, G: Array, *slots: Array) -> None:
        (S,) = slots
        S *= self.decay
        S += (1 - self.decay) * np.square(G)
        P -= self.learning_rate * G / (np.sqrt(S) + self.epsilon)


class Adam(Optimizer):
    """M ← β₁ M + (1 − β₁) G,  S ← β₂ S + (1 − β₂) G²,  P ← P − η M̂ / (√Ŝ + ε) with M̂ = M/(1 − β₁ᵗ),
    Ŝ = S/(1 − β₂ᵗ); Kingma, Ba 2015, algorithm 1."""

    slots = ("mean", "square")

    def __init__(
        self, learning_rate: float = 0.001, beta1: float = 0.9, beta2: float = 0.999, epsilon: float = 1e-8
    ) -> None:
        super().__init__(learning_rate)
        self.beta1 = _share("beta1", beta1)
        self.beta2 = _share("beta2", beta2)
        self.epsilon = number("epsilon", epsilon, least=0)

    def move(self, name: str, P: Array, G: Array, *slots: Array) -> None:
        M, S = slots
        M *= self.beta1
        M += (1 - self.beta1) * G
        S *= self.beta2
        S += (1 - self.beta2) * np.square(G)
        unbiased_root = np.sqrt(S / (1 - self.beta2**self.steps))
        P -= (self.learning_rate / (1 - self.beta1**self.steps)) * M / (unbiased_root + self.epsilon)


class AdamW(Adam):
    """Adam after W ← W − η λ W on the weights alone; Loshchilov, Hutter 2019."""

    def __init__(
        self,
        learning_rate: float = 0.001,
        beta1: float = 0.9,
        beta2: float = 0.999,
        epsilon: float = 1e-8,
        weight_decay: float = 0.01,
    ) -> None:
        super().__init__(learning_rate, beta1, beta2, epsilon)
        self.weight_decay = number("weight_decay", weight_decay, least=0)

    def move(self, name: str, P: Array, G: Array, *slots: Array) -> None:
        if name[0] == "W":
            P -= self.learning_rate * self.weight_decay * P
        super().move(name, P, G, *slots)


METHODS: dict[str, type[Optimizer]] = {
    "sgd": SGD,
    "momentum": Momentum,
    "nesterov": Nesterov,
    "rmsprop": RMSprop,
    "adam": Adam,
    "adamw": AdamW,
}


def optimizer(method: str | Optimizer, learning_rate: float | None = None) -> Optimizer:
    """The method of that name, `"momentum(momentum=0.95)"` for one with settings; an Optimizer is handed back.

    `learning_rate` comes before a rate among the settings, `"sgd(0.5)"`, and that before the method's own default.
    """
    if isinstance(method, Optimizer):
        if learning_rate is not None:
            method.learning_rate = _rate(learning_rate)
        return method
    spec = parse(method)
    if spec.name not in METHODS:
        raise unknown_name("optimizer", spec.name, METHODS)
    try:
        settings = signature(METHODS[spec.name]).bind_partial(*spec.args, **spec.kwargs).arguments
        if learning_rate is not None:
            settings["learning_rate"] = learning_rate
        return METHODS[spec.name](**settings)
    except InputError as error:
        raise InputError(f"optimizer {spec.name}: {error.problem}", error.remedy) from None
    except TypeError:
        raise InputError(
            f"optimizer {spec.name} does not take the settings in {method!r}",
            "Name them: momentum(momentum=0.9), adam(beta1=0.9, beta2=0.999).",
        ) from None


def clip_by_norm(gradients: Mapping[str, Array], limit: float) -> dict[str, Array]:
    """The gradients, scaled down together where their common Euclidean norm exceeds `limit`; Pascanu et al. 2013."""
    limit = number("limit", limit, above=0)
    norm = float(np.sqrt(sum(float(np.square(G, dtype=np.float64).sum()) for G in gradients.values())))
    scale = limit / norm if norm > limit else 1.0
    return {name: scale * G for name, G in gradients.items()}


def _share(name: str, value: float) -> float:
    if isinstance(value, str) or not 0 <= value < 1:
        raise InputError(f"{name} {value} is outside [0, 1)", "Give a share from 0 up to, but without, 1.")
    return float(value)


def _rate(value: float) -> float:
    if isinstance(value, str) or not (value > 0 and np.isfinite(value)):
        raise InputError(f"learning rate {value} is not possible", "Give a number above 0.")
    return float(value)
