"""Rules are found by name, and a rule of one's own joins them with one call.

cr.rules.register(Activation("cube", value=lambda z: z**3, derivative=lambda z, a: 3 * z**2,
                             latex="z^3", derivative_latex="3 z^2"))
cr.Network([2, 8, 2], activation="cube")
"""

from collections.abc import Callable
from typing import Any, TypeVar

import numpy as np

from chainrule import differences
from chainrule.errors import InputError, shown, unknown_name
from chainrule.rules import activations, initializers, outputs
from chainrule.rules.activations import Activation
from chainrule.rules.initializers import Initializer
from chainrule.rules.outputs import Output
from chainrule.specs import parse

Rule = TypeVar("Rule", Activation, Output, Initializer)

ACTIVATIONS: dict[str, Callable[..., Activation]] = {
    rule.__name__: rule
    for rule in (
        activations.identity,
        activations.sigmoid,
        activations.tanh,
        activations.relu,
        activations.leaky_relu,
        activations.elu,
        activations.swish,
        activations.gelu,
        activations.softplus,
    )
}
OUTPUTS: dict[str, Callable[..., Output]] = {
    rule.__name__: rule for rule in (outputs.softmax, outputs.sigmoid, outputs.identity)
}
INITIALIZERS: dict[str, Callable[..., Initializer]] = {
    rule.__name__: rule
    for rule in (
        initializers.zeros,
        initializers.normal,
        initializers.uniform,
        initializers.xavier,
        initializers.xavier_normal,
        initializers.he,
        initializers.he_uniform,
        initializers.fan_out,
        initializers.orthogonal,
    )
}


def activation(rule: str | Activation) -> Activation:
    """The activation of that name, `"leaky_relu(0.2)"` for one with settings; a rule itself is handed back."""
    return rule if isinstance(rule, Activation) else _find("activation", ACTIVATIONS, rule)


def output(rule: str | Output) -> Output:
    """The output/loss pair of that name: softmax, sigmoid, identity, or one's own."""
    return rule if isinstance(rule, Output) else _find("output", OUTPUTS, rule)


def initializer(rule: str | Initializer) -> Initializer:
    """The initialiser of that name, `"normal(0.1)"` for one with settings."""
    return rule if isinstance(rule, Initializer) else _find("initialiser", INITIALIZERS, rule)


def register(rule: Activation | Output | Initializer) -> None:
    """Make `rule` known by its name everywhere.

    The derivative of an activation and the delta of an output are first compared with central differences; a rule
    that disagrees is refused with the place and both numbers. A built-in or other rule of the same name is refused.
    """
    if isinstance(rule, Activation):
        _check_activation(rule)
        _add("activation", ACTIVATIONS, rule)
    elif isinstance(rule, Output):
        _check_output(rule)
        _add("output", OUTPUTS, rule)
    elif isinstance(rule, Initializer):
        _add("initialiser", INITIALIZERS, rule)
    else:
        raise InputError(f"{shown(rule)} is no rule", "Give an Activation, an Output or an Initializer.")


def _find(kind: str, table: dict[str, Callable[..., Rule]], text: str) -> Rule:
    spec = parse(text)
    if spec.name not in table:
        raise unknown_name(kind, spec.name, table)
    try:
        return table[spec.name](*spec.args, **spec.kwargs)
    except InputError as error:
        raise InputError(f"{kind} {spec.name}: {error.problem}", error.remedy) from None
    except TypeError:
        raise InputError(
            f"{kind} {spec.name} does not take the settings in {text!r}", _signature(table[spec.name])
        ) from None


def _signature(factory: Callable[..., Any]) -> str:
    from inspect import signature

    settings = [f"{p.name}={p.default!r}" for p in signature(factory).parameters.values()]
    return f"Its settings: {', '.join(settings)}." if settings else "It has no settings."


def _add(kind: str, table: dict[str, Callable[..., Rule]], rule: Rule) -> None:
    if not rule.name.isidentifier():
        raise InputError(f"{rule.name!r} cannot name a rule", "Use letters, digits and underscores.")
    if rule.name in table:
        raise InputError(f"there is an {kind} {rule.name!r} already", "Choose another name.")
    table[rule.name] = lambda: rule


def _check_activation(rule: Activation) -> None:
    grid = np.linspace(-4, 4, 81)
    z = np.concatenate([grid + 0.00317, grid - 0.02113])  # off the round numbers, where kinks like to be, and twice
    numeric = differences.elementwise(rule.value, z, kinks=rule.kinks)
    analytic = np.broadcast_to(rule.derivative(z, rule.value(z)), z.shape)
    _compare(f"activation {rule.name}: the derivative", analytic, numeric.values, ~numeric.kinked, z)


def _check_output(rule: Output) -> None:
    rng = np.random.default_rng(0)
    Z = rng.normal(size=(4, 3))
    T = rule.encode(rule.decide(rule.value(rng.normal(size=(4, 3)))), 3)
    numeric = differences.gradient(lambda Z: float(rule.losses(Z, T).sum()), Z)
    analytic = rule.delta(rule.value(Z), T)
    _compare(f"output {rule.name}: delta", analytic, numeric.values, ~numeric.kinked, Z)


def _compare(what: str, analytic: Any, numeric: Any, judged: Any, at: Any) -> None:
    gap = np.where(judged, np.abs(analytic - numeric), 0)
    worst = np.unravel_index(int(np.nan_to_num(gap, nan=np.inf).argmax()), gap.shape)
    if not gap[worst] <= 1e-6 * max(1.0, float(np.abs(numeric[worst]))):
        raise InputError(
            f"{what} is {analytic[worst]:.6g} at z = {at[worst]:.4g}, "
            f"but central differences give {numeric[worst]:.6g}",
            "Mend the derivative; a point where the rule is not smooth belongs in `kinks`.",
        )
