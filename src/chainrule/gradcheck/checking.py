"""Gradient checks: of a network with its own backward pass, and of any pair of a function and its claimed gradient."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from chainrule.errors import InputError, shown
from chainrule.gradcheck.judging import EPSILON, judged, noise_of
from chainrule.gradcheck.numerical import pattern
from chainrule.gradcheck.report import GradientReport, Row
from chainrule.network import Network, Trace, penalty, refuse_non_finite
from chainrule.randomness import generator
from chainrule.specs import number, whole

Floats = NDArray[np.float64]
Parameters = dict[str, Floats]


def check_gradients(
    net: Network, x: ArrayLike, y: Any, *, l2: float = 0.0, wrt_input: bool = False, seed: int = 0
) -> GradientReport:
    """Hold what `net.backward` gives for the loss of (x, y) against central differences of that loss.

    A network that drops units out or normalises batches is checked in both modes: in inference with its running
    statistics, and in training with masks that stay the same and with the statistics of this batch. Everything is
    computed by a copy in float64; `net` is left as it was. With `wrt_input` the gradient by the input, A0, joins.

    Raises InputError where x or y do not fit the network, or where they, its parameters or its loss are not finite.
    """
    l2, seed = number("l2", l2, 0.0), whole("seed", seed)
    twin, X, T = in_float64(net, x, y)
    special = any(layer.dropout or layer.batch_norm for layer in twin.structure.layers)
    rows: list[Row] = []
    counter = _Counter()
    with np.errstate(all="ignore"):
        for training in (False, True) if special else (False,):
            mode = ("training" if training else "inference") if special else ""
            rows += _drowned(_network_rows(twin, X, T, l2, training, wrt_input, seed, mode, counter))
    return GradientReport(rows, (), counter.count)


def in_float64(net: Network, x: ArrayLike, y: Any) -> tuple[Network, Floats, Floats]:
    """A copy of `net`, x (m, d) and the targets (m, K) in float64; raises InputError for anything not finite."""
    if not isinstance(net, Network):
        raise InputError(f"{shown(net)} is no network", "Give a chainrule.Network; for functions, see check_function.")
    twin = net.copy("float64")
    for name, P in {**twin.parameters(), **twin.statistics()}.items():
        if not np.isfinite(P).all():
            raise InputError(f"{name} of the network holds a number that is not finite", "Train it from a new start.")
    X = np.array(twin.inputs(x))
    refuse_non_finite(X)
    return twin, X, twin.targets(y, len(X))


def check_function(
    loss: Callable[[Any], Any],
    gradient: Callable[[Any], Any],
    parameters: Mapping[str, ArrayLike] | ArrayLike,
    *,
    pieces: Callable[[Any], NDArray[Any]] | None = None,
    seed: int = 0,
) -> GradientReport:
    """Hold `gradient(parameters)` against central differences of `loss(parameters)`, a single number.

    `parameters` is a mapping of arrays, and then `gradient` gives a mapping with the same keys; or one array, and then
    it gives one. Both functions get float64 arrays. `pieces(parameters)`, where given, is an array that tells on which
    smooth piece of the loss the parameters lie, such as the ReLUs that are on.

    A gradient that lacks a parameter or has another shape, that changes the parameters or what it gave before, and a
    loss that gives different values for the same parameters are problems of the report. Raises InputError where the
    parameters are no finite numbers or the loss is no finite number.
    """
    for role, function in (("loss", loss), ("gradient", gradient)):
        if not callable(function):
            raise InputError(f"the {role} is {shown(function)}, no function", "Give a function of the parameters.")
    single = not isinstance(parameters, Mapping)
    P, originals = _as_parameters(parameters), _as_parameters(parameters)
    handed: dict[str, Any] = {}  # what the functions get, filled anew for each call
    counter = _Counter()

    def given() -> Any:
        handed.clear()
        handed.update(P)
        return P["x"] if single else handed

    def changed(who: str) -> list[str]:
        return _changed(who, handed, P, originals)

    def evaluate() -> tuple[float, NDArray[Any] | None]:
        counter.count += 1
        return _number(loss(given())), np.asarray(pieces(given())) if pieces is not None else None

    problems = []
    first = evaluate()[0]
    refuse_infinite(first)
    problems += changed("the loss")
    if not _same(first, evaluate()[0]):
        problems.append("the loss gives another value when it is called again: it keeps something between calls")
    G = _copied(gradient(given()), single)
    problems += changed("the gradient")
    again = _copied(gradient(given()), single)
    changed("the gradient")
    if any(not _equal(G[name], again[name]) for name in G.keys() & again.keys()):
        problems.append("the gradient gives other values when it is called again: it keeps something between calls")
    if not _same(first, evaluate()[0]):
        problems.append("the loss gives another value after the gradient was computed: it changes something it needs")
    problems += [f"the gradient names {name!r}, which is no parameter" for name in G.keys() - P.keys()]
    rng = generator(seed, "subset")
    measured = noise_of(evaluate, list(P.values()), rng)

    def noise() -> float:
        """Where pieces are not known, a kink looks like noise: none is believed that float64 does not explain."""
        return measured() if pieces is not None else min(measured(), 4 * EPSILON * max(1.0, abs(first)))

    with np.errstate(all="ignore"):
        rows = [
            judged(name, "", P[name], G[name], evaluate, rng, noise)
            if name in G
            else Row(name, "", P[name].shape, note="the gradient lacks it")
            for name in P
        ]
        if not all(row.right for row in rows) and measured() > ROUGH * abs(first):
            problems.append(
                f"the loss jumps by about {measured():.0e} between close points: there is a kink, or float32 in it"
            )
    return GradientReport(_drowned(rows), problems, counter.count)


class _Counter:
    count = 0


def _network_rows(
    net: Network,
    X: Floats,
    T: Floats,
    l2: float,
    training: bool,
    wrt_input: bool,
    seed: int,
    mode: str,
    counter: _Counter,
) -> list[Row]:
    last = f"Z{len(net.structure.layers)}"

    def trace() -> Trace:
        return net.forward(X, training=training, generator=np.random.default_rng(seed))

    def evaluate() -> tuple[float, NDArray[Any] | None]:
        counter.count += 1
        values = trace()
        loss = float(net.output.losses(values[last], T).mean()) + penalty(net, l2)
        return loss, pattern(net, values)

    refuse_infinite(evaluate()[0])
    rng = generator(seed, "subset")
    noise = noise_of(evaluate, [*net.parameters().values(), X], rng, least_noise(net))
    gradients = net.backward(trace(), T, l2=l2, wrt_input=wrt_input)
    rows = [
        judged(name, mode, P, gradients[name], evaluate, rng, noise)
        if name in gradients
        else Row(name, mode, P.shape, note="the gradient lacks it")
        for name, P in net.parameters().items()
    ]
    if wrt_input:
        rows.append(judged("A0", mode, X, gradients.deltas["A0"], evaluate, rng, noise))
    return rows


def least_noise(net: Network) -> float:
    """A − T is a difference of numbers of order 1 for classes: their rounding is in the gradient too."""
    return EPSILON if net.output.task == "classification" else 0.0


def _drowned(rows: list[Row]) -> list[Row]:
    """The rows, where a gradient that the rounding of the loss hides from sight is told, unless all others dwarf it."""
    negligible = NEGLIGIBLE * max((row.greatest for row in rows), default=0.0)
    return [
        replace(row, unjudged=DROWNED)
        if negligible and row.unseen > max(row.greatest / 2, negligible) and row.right and not row.unjudged
        else row
        for row in rows
    ]


def refuse_infinite(loss: float) -> None:
    """Raise InputError unless the loss is a finite number."""
    if not np.isfinite(loss):
        raise InputError(f"the loss is {loss} at these parameters", "Check where it is a finite number.")


ROUGH = 1e-12  # noise beside the loss that float64 does not explain
NEGLIGIBLE = 1e-6  # of the greatest gradient of all: what is below it need not be seen
DROWNED = "its gradient is so small beside the loss that rounding hides it; check at other values"


def _as_parameters(parameters: Mapping[str, ArrayLike] | ArrayLike) -> Parameters:
    named = parameters if isinstance(parameters, Mapping) else {"x": parameters}
    if not named:
        raise InputError("there are no parameters to check", "Give at least one array.")
    for name in named:
        if not isinstance(name, str):
            raise InputError(f"a parameter is called {shown(name)}", "Name parameters in words, such as 'W1'.")
    return {name: _as_numbers(name, array) for name, array in named.items()}


def _as_numbers(name: str, array: ArrayLike) -> Floats:
    try:
        if array is None:
            raise TypeError
        numbers = np.array(array, dtype=np.float64, order="C")
    except (TypeError, ValueError):
        raise InputError(f"{name} is {shown(array)}, no array of numbers", "Give arrays of finite numbers.") from None
    if not np.isfinite(numbers).all() or not numbers.size:
        what = "holds no number" if not numbers.size else "holds a number that is not finite"
        raise InputError(f"{name} {what}", "Give arrays of finite numbers.")
    return numbers


def _number(value: Any) -> float:
    array = np.asarray(value)
    if array.dtype in (np.float16, np.float32):
        raise InputError(
            f"the loss is of type {array.dtype}, whose differences have hardly a digit",
            "Compute it in float64: the parameters that it is given are.",
        )
    if array.size != 1 or array.dtype.kind not in "iuf":
        raise InputError(
            f"the loss is {shown(value)} of shape {array.shape}, not a single number",
            "Let it return one number, such as the mean over the samples.",
        )
    return float(array.reshape(()))


def _copied(gradient: Any, single: bool) -> dict[str, Any]:
    if not single and not isinstance(gradient, Mapping):
        raise InputError(
            f"the gradient is {shown(gradient)}, no mapping from names to arrays",
            "Let it return one array by the name of each parameter.",
        )
    named = {"x": gradient} if single else gradient
    return {name if isinstance(name, str) else repr(name): _as_array(G) for name, G in named.items()}


def _as_array(G: Any) -> NDArray[Any]:
    """A copy; what is no array at all, such as rows of different lengths, is judged as the object that it is."""
    try:
        return np.array(G)
    except ValueError:
        return np.array(None)


def _changed(who: str, handed: dict[str, Any], P: Parameters, originals: Parameters) -> list[str]:
    """A sentence for each parameter that a call has changed in what it was `handed`; P is put back."""
    problems = []
    for name, original in originals.items():
        if handed.get(name) is not P[name] or not np.array_equal(P[name], original):
            problems.append(f"{who} changes the parameter {name} that it is given")
            P[name] = original.copy()
    return problems + [f"{who} adds {name!r} to the parameters that it is given" for name in handed.keys() - P.keys()]


def _equal(a: NDArray[Any], b: NDArray[Any]) -> bool:
    return np.array_equal(a, b, equal_nan=a.dtype.kind == b.dtype.kind == "f")


def _same(a: float, b: float) -> bool:
    return abs(a - b) <= 1e-12 * max(abs(a), abs(b))
