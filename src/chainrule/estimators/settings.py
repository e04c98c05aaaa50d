"""What the arguments of an estimator may be: each is checked once, when a fit begins, and refused in words."""

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from chainrule import rules
from chainrule.errors import InputError, UnknownNameError, shown, unknown_name
from chainrule.rules import Activation
from chainrule.specs import number, whole

SCHEDULES = ("constant", "invscaling", "adaptive")
LEARNED_NAMES = {"logistic": "sigmoid"}  # scikit-learn's names of rules that have another one here
FLAGS = ("shuffle", "warm_start", "nesterovs_momentum", "early_stopping")
NUMBERS: dict[str, dict[str, float]] = {
    "alpha": {"least": 0},
    "learning_rate_init": {"above": 0},
    "power_t": {"least": 0},
    "tol": {"least": 0},
    "momentum": {"least": 0, "below": 1},
    "validation_fraction": {"least": 0, "below": 1},
    "beta_1": {"least": 0, "below": 1},
    "beta_2": {"least": 0, "below": 1},
    "epsilon": {"above": 0},
}


def check_settings(mlp: Any) -> None:
    """Raise InputError for the first argument of `mlp` that cannot be used; widths and rules are checked apart."""
    for name, bounds in NUMBERS.items():
        number(name, getattr(mlp, name), **bounds)
    for name in ("max_iter", "max_fun"):
        whole(name, getattr(mlp, name), 1)
    if mlp.n_iter_no_change != math.inf:
        whole("n_iter_no_change", mlp.n_iter_no_change, 1)
    if not (isinstance(mlp.batch_size, str) and mlp.batch_size == "auto"):
        whole('batch_size, if not "auto",', mlp.batch_size, 1)
    for name in FLAGS:
        if not isinstance(getattr(mlp, name), bool | np.bool_):
            raise InputError(f"{name} is {shown(getattr(mlp, name))}", "Give True or False.")
    if not isinstance(mlp.verbose, bool | np.bool_):
        whole("verbose, if neither True nor False,", mlp.verbose)
    if mlp.learning_rate not in SCHEDULES:
        raise unknown_name("learning_rate", mlp.learning_rate, SCHEDULES)
    callbacks(mlp.callbacks)


def hidden_widths(sizes: Any) -> list[int]:
    """The widths of the hidden layers; one number stands for one layer, an empty sequence for none."""
    widths = list(sizes) if isinstance(sizes, Sequence | np.ndarray) and not isinstance(sizes, str) else [sizes]
    for width in widths:
        if not isinstance(width, int | np.integer) or isinstance(width, bool) or width < 1:
            raise InputError(
                f"hidden_layer_sizes must be > 0, got {shown(sizes)}",
                "Give the number of units of each hidden layer, (100, 50), or one number for one layer.",
            )
    return [int(width) for width in widths]


def hidden_rules(activation: Any, hidden: int) -> list[str | Activation]:
    """The activation of each of the `hidden` layers, from one value or one a layer, by either library's names.

    What was given by name stays a name, which can be pickled where a rule with its functions cannot.
    """
    single = isinstance(activation, str | Activation) or not isinstance(activation, Sequence | np.ndarray)
    entries = [activation] * hidden if single else list(activation)
    if len(entries) != hidden:
        raise InputError(f"activation has {len(entries)} entries for {hidden} hidden layers", "Give one, or one each.")
    known = [LEARNED_NAMES.get(entry, entry) if isinstance(entry, str) else entry for entry in entries]
    for rule in known:
        try:
            rules.activation(rule)
        except UnknownNameError:
            raise unknown_name("activation", rule, [*rules.ACTIVATIONS, *LEARNED_NAMES]) from None
    return known


def callbacks(given: Any) -> list[Callable[[Any], Any]]:
    """The functions to call after each epoch, from None, one function or several."""
    functions = [] if given is None else [given] if callable(given) else given
    if not isinstance(functions, Sequence) or not all(callable(function) for function in functions):
        raise InputError(f"callbacks is {shown(given)}", "Give a function of the estimator, or a list of them.")
    return list(functions)
