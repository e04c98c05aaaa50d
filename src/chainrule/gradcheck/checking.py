"""Gradient checks: of a network with its own backward pass, and of any pair of a function and its claimed gradient."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from chainrule.errors import InputError, shown
from chainrule.gradcheck.judging import judged
from chainrule.gradcheck.numerical import pattern
from chainrule.gradcheck.report import GradientReport, Row
from chainrule.network import Network, Trace, penalty, refuse_non_finite
from chainrule.randomness import generator

Floats = NDArray[np.float64]
Parameters = dict[str, Floats]


def check_gradients(
    net: Network, x: ArrayLike, y: Any, *, l2: float = 0.0, wrt_input: bool = False, seed: int = 0
) -> GradientReport:
    """Hold what `net.backward` gives for the loss of (x, y) against central differences of that loss.

    A network that drops units out or normalises batches is checked in both modes: in inference with its running
    statistics, and in training with masks that stay the same and with the statistics of this batch. Everything is
    computed by a copy in float64; `net` is left as it was. With `wrt_input` the gradient by the input, A0, joins.

    Raises InputError where x or y do not fit the network or are not finite.
    """
    twin = net.copy("float64")
    X = np.array(twin.inputs(x))
    refuse_non_finite(X)
    T = twin.targets(y, len(X))
    special = any(layer.dropout or layer.batch_norm for layer in twin.structure.layers)
    rows: list[Row] = []
    counter = _Counter()
    for training in (False, True) if special else (False,):
        mode = ("training" if training else "inference") if special else ""
        rows += _network_rows(twin, X, T, l2, training, wrt_input, seed, mode, counter)
    return GradientReport(rows, (), counter.count)


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
    single = not isinstance(parameters, Mapping)
    P = _as_parameters(parameters)
    given: Callable[[], Any] = (lambda: P["x"]) if single else (lambda: P)
    counter = _Counter()

    def evaluate() -> tuple[float, NDArray[Any] | None]:
        counter.count += 1
        return _number(loss(given())), np.asarray(pieces(given())) if pieces is not None else None

    problems = []
    first = evaluate()[0]
    if not np.isfinite(first):
        raise InputError(f"the loss is {first} at these parameters", "Check where it is a finite number.")
    problems += _changed("the loss", P, parameters)
    if not _same(first, evaluate()[0]):
        problems.append("the loss gives another value when it is called again: it keeps something between calls")
    G = _copied(gradient(given()), single)
    problems += _changed("the gradient", P, parameters)
    again = _copied(gradient(given()), single)
    _changed("the gradient", P, parameters)
    if any(not np.array_equal(G[name], again[name], equal_nan=True) for name in G.keys() & again.keys()):
        problems.append("the gradient gives other values when it is called again: it keeps something between calls")
    if not _same(first, evaluate()[0]):
        problems.append("the loss gives another value after the gradient was computed: it changes something it needs")
    problems += [f"the gradient names {name!r}, which is no parameter" for name in G.keys() - P.keys()]
    rng = generator(seed, "subset")
    with np.errstate(all="ignore"):
        rows = [
            judged(name, "", P[name], G[name], evaluate, rng)
            if name in G
            else Row(name, "", P[name].shape, note="the gradient lacks it")
            for name in P
        ]
    return GradientReport(rows, problems, counter.count)


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

    rng = generator(seed, "subset")
    gradients = net.backward(trace(), T, l2=l2, wrt_input=wrt_input)
    rows = [
        judged(name, mode, P, gradients[name], evaluate, rng)
        if name in gradients
        else Row(name, mode, P.shape, note="the gradient lacks it")
        for name, P in net.parameters().items()
    ]
    if wrt_input:
        rows.append(judged("A0", mode, X, gradients.deltas["A0"], evaluate, rng))
    return rows


def _as_parameters(parameters: Mapping[str, ArrayLike] | ArrayLike) -> Parameters:
    named = parameters if isinstance(parameters, Mapping) else {"x": parameters}
    if not named:
        raise InputError("there are no parameters to check", "Give at least one array.")
    return {str(name): _as_numbers(str(name), array) for name, array in named.items()}


def _as_numbers(name: str, array: ArrayLike) -> Floats:
    try:
        numbers = np.array(array, dtype=np.float64, order="C")
    except (TypeError, ValueError):
        raise InputError(f"{name} is {shown(array)}, no array of numbers", "Give arrays of finite numbers.") from None
    if not np.isfinite(numbers).all() or not numbers.size:
        what = "holds no number" if not numbers.size else "holds a number that is not finite"
        raise InputError(f"{name} {what}", "Give arrays of finite numbers.")
    return numbers


def _number(value: Any) -> float:
    array = np.asarray(value)
    if array.size != 1 or array.dtype.kind not in "iuf":
        raise InputError(
            f"the loss is {shown(value)} of shape {array.shape}, not a single number",
            "Let it return one number, such as the mean over the samples.",
        )
    return float(array.reshape(()))


def _copied(gradient: Any, single: bool) -> dict[str, Any]:
    if single:
        return {"x": np.array(gradient)}
    if not isinstance(gradient, Mapping):
        raise InputError(
            f"the gradient is {shown(gradient)}, no mapping from names to arrays",
            "Let it return one array by the name of each parameter.",
        )
    return {str(name): np.array(array) for name, array in gradient.items()}


def _changed(who: str, P: Parameters, parameters: Mapping[str, ArrayLike] | ArrayLike) -> list[str]:
    """A sentence for each parameter that a call has changed; they are put back."""
    problems = []
    for name, original in _as_parameters(parameters).items():
        if P[name].shape != original.shape or not np.array_equal(P[name], original):
            problems.append(f"{who} changes the parameter {name} that it is given")
            P[name] = original
    return problems


def _same(a: float, b: float) -> bool:
    return abs(a - b) <= 1e-12 * max(abs(a), abs(b))
