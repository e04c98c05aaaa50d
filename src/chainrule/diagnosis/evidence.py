"""What is known of one file at all points, in our layout: its gradients, and the variables of its passes."""

from collections.abc import Sequence
from dataclasses import dataclass

from chainrule.diagnosis.agreement import Both, close
from chainrule.diagnosis.layout import Held, as_bias, as_samples, as_weights
from chainrule.diagnosis.observation import Interface, Observation, Variable


@dataclass(frozen=True)
class Gradient:
    """The file's gradient by one parameter; `value` in our shape where it has one, `fault` as in layout.Held."""

    parameter: str
    value: Both | None
    raw: Both
    fault: str
    variable: Variable


@dataclass(frozen=True)
class Local:
    """A variable that has a row a sample, in our layout; `variable` as it was at the first point."""

    value: Both
    variable: Variable


def gradients(observations: Sequence[Observation], interface: Interface) -> dict[str, Gradient]:
    """By parameter; what is not there at every point is left out."""
    found = {}
    for name, parameter in observations[0].point.parameters.items():
        variables = [observation.gradients.get(name) for observation in observations]
        given = [variable for variable in variables if variable is not None]
        if len(given) < len(variables):
            continue
        held = [
            _held(name, v, parameter.shape, len(o.point.X), interface) for v, o in zip(given, observations, strict=True)
        ]
        values = tuple(h.value for h in held if h.value is not None)
        fault = next((h.fault for h in held if h.fault), "")
        value = values if len(values) == len(held) else None
        found[name] = Gradient(name, value, tuple(h.raw for h in held), fault, given[0])
    return found


def locals_of(observations: Sequence[Observation], role: str, width: int, layout: str) -> list[Local]:
    """The variables of the `role`, "forward" or "backward", with a row of `width` numbers a sample at every point."""
    found = []
    for name, variable in getattr(observations[0], role).items():
        values = []
        for observation in observations:
            other = getattr(observation, role).get(name)
            array = None if other is None else as_samples(other.value, len(observation.point.X), width, layout)
            if array is None:
                break
            values.append(array)
        if len(values) == len(observations):
            found.append(Local(tuple(values), variable))
    return found


def named(value: Both, among: Sequence[Local]) -> Variable | None:
    """The variable that holds `value`."""
    return next((local.variable for local in among if close(local.value, value)), None)


def _held(name: str, variable: Variable, shape: tuple[int, ...], m: int, interface: Interface) -> Held:
    if name[0] == "W":
        return as_weights(name, variable.value, shape, interface)
    return as_bias(name, variable.value, shape[0], m, interface)
