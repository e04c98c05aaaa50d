"""An optimiser together with its rate as scikit-learn moves it: from step to step, from epoch to epoch, and when the
loss no longer falls."""

from inspect import signature
from typing import Any

import numpy as np
from numpy.typing import NDArray

from chainrule import optimizers
from chainrule.errors import InputError, unknown_name
from chainrule.optimizers import METHODS, SGD, Adam, Momentum, Nesterov, Optimizer
from chainrule.specs import parse

Floats = NDArray[np.float64]

LBFGS = "lbfgs"
SMALLEST_RATE = 1e-6  # below it "adaptive" gives up instead of dividing the rate once more
LONG_AGO = 10**15  # steps after which Adam's own bias correction is 1 to the last bit


def check_solver(solver: Any) -> None:
    """Raise InputError unless `solver` is "lbfgs" or a method of descent, settings in parentheses allowed."""
    if solver != LBFGS and parse(solver).name not in METHODS:
        raise unknown_name("solver", parse(solver).name, [*METHODS, LBFGS])


class Descent:
    """The optimiser of `mlp`, the rate of its next epoch and scikit-learn's schedule of it.

    "sgd" and "adam" are scikit-learn's; every other solver is one of `chainrule.optimizers`, which takes momentum,
    betas and epsilon from the estimator unless they stand in its parentheses. Schedules move every rate but Adam's.
    """

    def __init__(self, mlp: Any) -> None:
        self.solver = mlp.solver
        self.optimizer = _method(mlp)
        self.schedule = "constant" if mlp.solver == "adam" else mlp.learning_rate
        self.first_rate = self.learning_rate = float(mlp.learning_rate_init)
        self.power_t = float(mlp.power_t)
        self.steps = 0
        if mlp.solver == "adam":
            self.optimizer.steps = LONG_AGO

    def rates(self, count: int) -> Floats:
        """The rates of the next `count` steps.

        scikit-learn's Adam is the form of Kingma, Ba 2015, section 2, last lines: ε is added before the bias
        correction, P ← P − ηₜ M / (√S + ε) with ηₜ = η √(1 − β₂ᵗ) / (1 − β₁ᵗ). That is our Adam long after its start,
        where its correction is over, at the rates ηₜ.
        """
        t = self.steps + np.arange(1.0, count + 1)
        self.steps += count
        if self.solver != "adam" or not isinstance(self.optimizer, Adam):
            return np.full(count, self.learning_rate)
        rates: Floats = self.learning_rate * np.sqrt(1 - self.optimizer.beta2**t) / (1 - self.optimizer.beta1**t)
        return rates

    def epoch_ends(self, samples: int) -> None:
        """Move the rate after an epoch; `samples` have been seen since the start of training."""
        if self.schedule == "invscaling":
            self._move_to(self.first_rate / (samples + 1) ** self.power_t)

    def gives_up(self, reason: str, verbose: Any) -> bool:
        """Whether training ends now that it no longer gets better; "adaptive" first divides the rate by 5."""
        if self.schedule == "adaptive" and self.learning_rate > SMALLEST_RATE:
            self._move_to(self.learning_rate / 5)
            if verbose:
                print(f"{reason} Setting learning rate to {self.learning_rate:f}")
            return False
        if verbose:
            print(f"{reason} {'Learning rate too small. ' * (self.schedule == 'adaptive')}Stopping.")
        return True

    def _move_to(self, rate: float) -> None:
        """Change the rate. scikit-learn's velocity holds the rates of its past, ours (V ← μV + G) does not: what is
        remembered is scaled so that past gradients keep the rates of their time."""
        for velocity in self.optimizer.memory.get("velocity", {}).values():
            velocity *= self.learning_rate / rate
        self.learning_rate = rate


def _method(mlp: Any) -> Optimizer:
    rate = mlp.learning_rate_init
    if mlp.solver == "sgd":
        if not mlp.momentum:
            return SGD(rate)
        return (Nesterov if mlp.nesterovs_momentum else Momentum)(rate, mlp.momentum)
    if mlp.solver == "adam":
        return Adam(rate, mlp.beta_1, mlp.beta_2, mlp.epsilon)
    spec = parse(mlp.solver)
    if spec.args or "learning_rate" in spec.kwargs:
        raise InputError(
            f"solver {mlp.solver!r} names a rate or a setting without its name",
            'Give the rate as learning_rate_init, and settings by name: "adamw(weight_decay=0.1)".',
        )
    ours = {"momentum": mlp.momentum, "beta1": mlp.beta_1, "beta2": mlp.beta_2, "epsilon": mlp.epsilon}
    takes = signature(METHODS[spec.name]).parameters
    settings = {name: float(value) for name, value in ours.items() if name in takes} | spec.kwargs
    text = ", ".join(f"{name}={value!r}" for name, value in settings.items())
    return optimizers.optimizer(f"{spec.name}({text})", rate)
