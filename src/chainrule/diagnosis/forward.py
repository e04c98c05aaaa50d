"""Which forward pass the file computes: ours, with every activation, output map and known mistake, is tried."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import product

import numpy as np

from chainrule.diagnosis.agreement import Array, Both, close
from chainrule.diagnosis.evidence import locals_of
from chainrule.diagnosis.functions import Function, Map, activations, output_maps
from chainrule.diagnosis.layout import as_samples
from chainrule.diagnosis.observation import Observation, Point

MOST = 6000  # forward passes that are tried


@dataclass(frozen=True)
class Network:
    """One forward pass at every point that was observed.

    W, b     by layer from 1; b is 0 where the code has none
    Z, A     by layer; A[0] is X
    hidden   functions of layers 1 … L − 1; `output` the map of layer L
    fault    "" or how it differs from what is meant: "bias-missing", "sign", "softmax-axis", "forward-activation",
             "wrong-operand" (the layer takes the activations of the layer before the one below)
    where    the layer of that mistake, 0 where it is in all of them
    """

    T: Both
    W: dict[int, Both]
    b: dict[int, Both]
    Z: dict[int, Both]
    A: dict[int, Both]
    hidden: tuple[Function, ...]
    output: Map
    fault: str = ""
    where: int = 0

    @property
    def depth(self) -> int:
        return len(self.W)

    @property
    def m(self) -> tuple[int, ...]:
        return tuple(len(X) for X in self.A[0])

    def width(self, l: int) -> int:
        return int(self.A[l][0].shape[1])

    def slope(self, l: int) -> Both:
        """f′ at the hidden layer l."""
        f = self.hidden[l - 1]
        return tuple(f.derivative(z, a) for z, a in zip(self.Z[l], self.A[l], strict=True))

    def meant(self, l: int, function: Function) -> "Network":
        """The same with A[l] as `function` gives it, where the file goes on without an activation."""
        hidden = tuple(function if k == l else f for k, f in enumerate(self.hidden, 1))
        A = {**self.A, l: tuple(function.value(z) for z in self.Z[l])}
        return replace(self, hidden=hidden, A=A, fault="forward-activation", where=l)


def recognise(observations: Sequence[Observation], layout: str) -> Network | None:
    """The forward pass whose output is the file's at every point; None where our list has none."""
    for known in _outputs(observations, layout):
        found = _recognised(observations, known, layout)
        if found is not None:
            return found
    return None


def _recognised(observations: Sequence[Observation], known: Both, layout: str) -> Network | None:
    points = [observation.point for observation in observations]
    seen = _seen(observations[0], layout)
    variants = list(_variants(points[0]))
    for wide, maps, biases in [*((False, *v) for v in variants), *((True, *v) for v in variants[:2])]:
        for choices in _choices(points[0], biases, seen, wide=wide):
            found = _match(points, known, choices, maps, biases, seen)
            if found is not None:
                return found
    return None


def user_output(observation: Observation, layout: str) -> Array | None:
    """The output as (m, K)."""
    if observation.output is None:
        return None
    point = observation.point
    return as_samples(observation.output, len(point.X), point.sizes[-1], layout)


def _outputs(observations: Sequence[Observation], layout: str) -> Iterator[Both]:
    """The file's output; where it gives none, each variable that may be it."""
    outputs = [user_output(observation, layout) for observation in observations]
    known = tuple(output for output in outputs if output is not None)
    if known and len(known) == len(outputs):
        yield known
        return
    width = observations[0].point.sizes[-1]
    for role in ("forward", "backward"):
        yield from (local.value for local in locals_of(observations, role, width, layout))


def passed(points: Sequence[Point], hidden: Sequence[Function], output: Map, biases: "Biases") -> Network:
    """The forward pass through `hidden` and `output` at all points."""
    depth = _depth(points[0])
    W = {l: tuple(point.parameters[f"W{l}"] for point in points) for l in range(1, depth + 1)}
    b = {l: tuple(_bias(point, l) for point in points) for l in range(1, depth + 1)}
    A: dict[int, Both] = {0: tuple(point.X for point in points)}
    Z: dict[int, Both] = {}
    for l in range(1, depth + 1):
        below = A[l - 2] if biases.get(l) == SKIPS else A[l - 1]
        sign = min(biases.get(l, 1), 1)
        Z[l] = tuple(a @ w + sign * c for a, w, c in zip(below, W[l], b[l], strict=True))
        value = hidden[l - 1].value if l < depth else output.value
        A[l] = tuple(value(z) for z in Z[l])
    where, sign = next(iter(biases.items()), (depth, 1))
    where = 0 if len(biases) == depth > 1 else where
    fault = {0: "bias-missing", -1: "sign", SKIPS: "wrong-operand"}.get(sign, "softmax-axis" if output.fault else "")
    T = tuple(point.targets for point in points)
    return Network(T, W, b, Z, A, tuple(hidden), output, fault, where)


Biases = dict[int, int]
"""Layers that are not computed as they should be: bias left out (0) or subtracted (−1), or the layer below skipped."""
SKIPS = 2


def _variants(point: Point) -> Iterator[tuple[list[Map], Biases]]:
    depth, sizes = _depth(point), point.sizes
    right = [g for g in output_maps() if not g.fault]
    yield right, {}
    yield [g for g in output_maps() if g.fault], {}
    yield right, dict.fromkeys(range(1, depth + 1), 0)
    for l in range(1, depth + 1):
        yield right, {l: 0}
        yield right, {l: -1}
        if l > 1 and sizes[l - 1] == sizes[l - 2]:
            yield right, {l: SKIPS}


def _choices(point: Point, biases: Biases, seen: list[Array], *, wide: bool) -> Iterator[list[tuple[Function, ...]]]:
    """Functions to try per hidden layer: what the file's variables show, then one for all; any, where `wide`."""
    depth, every = _depth(point), activations()
    if wide:
        if len(every) ** (depth - 1) <= MOST and depth > 2:
            yield [every] * (depth - 1)
        return
    shown: list[tuple[Function, ...]] = []
    fronts = [point.X]
    for l in range(1, depth):
        Z = [A @ point.parameters[f"W{l}"] + min(biases.get(l, 1), 1) * _bias(point, l) for A in fronts[:4]]
        identity = [f for f in every if f.name == "identity"]
        others = (f for f in every if f.name != "identity")
        fitting = [next((f for f in others if any(_among(f.value(z), seen) for z in Z)), None)]
        shown.append(tuple(f for f in (*fitting, *identity) if f is not None))
        fronts = [f.value(z) for f in shown[-1] for z in Z]
    if all(len(functions) > 1 for functions in shown):
        yield shown
    for function in every:
        yield [(function,)] * (depth - 1)


def _match(
    points: Sequence[Point],
    known: Both,
    choices: list[tuple[Function, ...]],
    maps: list[Map],
    biases: Biases,
    seen: list[Array],
) -> Network | None:
    """The forward pass among the choices that gives the known outputs; of several, what shows in `seen` most."""
    found: list[Network] = []
    for hidden in product(*choices):
        with np.errstate(all="ignore"):
            first = passed(points[:1], hidden, maps[0], biases)
            Z = first.Z[first.depth][0]
            for output in maps:
                A = output.value(Z)
                if close((A,), known[:1]):
                    network = passed(points, hidden, output, biases)
                    if close(network.A[network.depth], known):
                        found.append(network)
    if not found:
        return None
    return max(found, key=lambda network: sum(_among(network.A[l][0], seen) for l in range(1, network.depth)))


def _seen(observation: Observation, layout: str) -> list[Array]:
    """The variables of the forward pass that have a row a sample."""
    m, widths = len(observation.point.X), set(observation.point.sizes[1:-1])
    arrays = [as_samples(v.value, m, width, layout) for v in observation.forward.values() for width in widths]
    return [array for array in arrays if array is not None]


def _among(value: Array, seen: list[Array]) -> bool:
    return any(close((value,), (other,)) for other in seen if other.shape == value.shape)


def _bias(point: Point, l: int) -> Array:
    return point.parameters.get(f"b{l}", np.zeros(point.parameters[f"W{l}"].shape[1]))


def _depth(point: Point) -> int:
    return sum(name.startswith("W") for name in point.parameters)
