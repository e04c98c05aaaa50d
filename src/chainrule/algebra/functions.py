"""The elementwise functions of the language: value, derivative written in the language itself, and kinks.

In a derivative `x` is the argument (`x` and `y` where there are two) and `a` the value, so that what is printed is what
a person would write: the derivative of `a = sigmoid(x)` is `a * (1 - a)`. The values and the kinks of activations are
those of `chainrule.rules`; a test holds each derivative here equal to the rule's own.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from chainrule import rules
from chainrule.errors import InputError
from chainrule.specs import parse

Array = NDArray[Any]


@dataclass(frozen=True)
class Function:
    """`name(x)` or `name(x, y)` entry by entry; `settings` are numbers that follow the arguments.

    derivatives  by each argument, in the language; None where only its value is known
    kinks        places of x (of x − y for two arguments) where the function or a derivative jumps
    """

    name: str
    settings: tuple[float, ...] = ()
    arity: int = 1
    value: Callable[..., Array] = field(default=np.positive, compare=False, repr=False)
    derivatives: tuple[str, ...] | None = field(default=None, compare=False, repr=False)
    kinks: tuple[float, ...] = field(default=(), compare=False, repr=False)


_ELEMENTARY: dict[str, tuple[Callable[..., Array], tuple[str, ...], tuple[float, ...]]] = {
    "exp": (np.exp, ("a",), ()),
    "expm1": (np.expm1, ("a + 1",), ()),
    "log": (np.log, ("1 / x",), ()),
    "log1p": (np.log1p, ("1 / (1 + x)",), ()),
    "sqrt": (np.sqrt, ("1 / (2 * a)",), ()),
    "square": (np.square, ("2 * x",), ()),
    "abs": (np.abs, ("sign(x)",), (0.0,)),
    "sign": (np.sign, ("0",), (0.0,)),
    "sin": (np.sin, ("cos(x)",), ()),
    "cos": (np.cos, ("-sin(x)",), ()),
    "sinh": (np.sinh, ("cosh(x)",), ()),
    "cosh": (np.cosh, ("sinh(x)",), ()),
    "ndtr": (lambda x: _ndtr(x), ("exp(-x**2 / 2) / sqrt(2 * pi)",), ()),
    "power": (np.power, ("y * x**(y - 1)", "a * log(x)"), ()),
    "maximum": (np.maximum, ("x > y", "x <= y"), (0.0,)),
    "minimum": (np.minimum, ("x < y", "x >= y"), (0.0,)),
    "greater": (lambda x, y: (x > y).astype(np.float64), ("0", "0"), (0.0,)),
    "greater_equal": (lambda x, y: (x >= y).astype(np.float64), ("0", "0"), (0.0,)),
    "less": (lambda x, y: (x < y).astype(np.float64), ("0", "0"), (0.0,)),
    "less_equal": (lambda x, y: (x <= y).astype(np.float64), ("0", "0"), (0.0,)),
}

COMPARISONS = {"greater": ">", "greater_equal": ">=", "less": "<", "less_equal": "<="}

_ACTIVATIONS = {
    "identity": "1",
    "sigmoid": "a * (1 - a)",
    "tanh": "1 - a**2",
    "relu": "x > 0",
    "leaky_relu": "(x > 0) + {0} * (x <= 0)",
    "elu": "(x > 0) + (a + {0}) * (x <= 0)",
    "swish": "{0} * a + sigmoid({0} * x) * (1 - {0} * a)",
    "gelu": "ndtr(x) + x * exp(-x**2 / 2) / sqrt(2 * pi)",
    "softplus": "sigmoid(x)",
}

ALIASES = {"absolute": "abs", "expit": "sigmoid"}  # NumPy's and SciPy's second names


def _ndtr(x: Array) -> Array:
    from scipy.special import ndtr

    return np.asarray(ndtr(x))


def names() -> list[str]:
    """Every name that can be called entry by entry."""
    return sorted({*_ELEMENTARY, *rules.ACTIVATIONS, *ALIASES})


def is_activation(name: str) -> bool:
    return ALIASES.get(name, name) in rules.ACTIVATIONS


def function(name: str, settings: tuple[float, ...] = ()) -> Function:
    """The elementwise function of that name; `cube.derivative` is the derivative of a rule that the user registered.

    Raises InputError for settings that the rule does not take.
    """
    name = ALIASES.get(name, name)
    if name in _ELEMENTARY and not is_activation(name):
        return _elementary(name)
    base, _, derived = name.partition(".")
    rule = rules.activation(f"{base}({', '.join(map(repr, settings))})" if settings else base)
    if derived:
        return _opaque_derivative(rule, settings)
    return of_rule(rule)


@lru_cache(maxsize=256)
def _elementary(name: str) -> Function:
    value, derivatives, kinks = _ELEMENTARY[name]
    return Function(name, (), len(derivatives), value, derivatives, kinks)


def of_rule(rule: rules.Activation) -> Function:
    """The activation `rule` as a function of the language; one that the user made has an opaque derivative."""
    spec = parse(rule.name)
    settings = tuple(float(value) for value in (*spec.args, *spec.kwargs.values()))
    if spec.name not in _ACTIVATIONS:
        return Function(rule.name, (), 1, rule.value, (f"{rule.name}.derivative(x)",), rule.kinks)
    text = _ACTIVATIONS[spec.name].format(*map(repr, settings))
    return Function(spec.name, settings, 1, rule.value, (text,), rule.kinks)


def _opaque_derivative(rule: rules.Activation, settings: tuple[float, ...]) -> Function:
    return Function(
        f"{rule.name}.derivative", settings, 1, lambda z: rule.derivative(z, rule.value(z)), None, rule.kinks
    )


def derivative_text(rule: Function, argument: int) -> str:
    """The derivative by one argument in the language; raises InputError where it is not known."""
    if rule.derivatives is None:
        raise InputError(
            f"the derivative of {rule.name} is not known",
            "A registered rule has a first derivative and no second one; write the function out instead.",
        )
    return rule.derivatives[argument]
