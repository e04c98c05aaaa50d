"""What a sample costs one number at a time, in arrays and in compiled loops: the lesson in numbers.

Stochastic gradient descent, one update a sample, by the same equations on the same weights in float64.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from time import perf_counter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from chainrule.errors import InputError, unknown_name
from chainrule.network import Network
from chainrule.scalar import MLP, stochastic_descent
from chainrule.specs import number
from chainrule.training import train

ENGINES = {"scalar": "one number at a time", "reference": "arrays", "compiled": "compiled"}
EXAMPLES = ((2, 3, 2), (64, 32, 10))


@dataclass(frozen=True)
class Speeds:
    """Samples a second by engine (a key of ENGINES), one number a network; printable."""

    networks: tuple[tuple[int, ...], ...]
    rates: dict[str, tuple[float, ...]]

    def __str__(self) -> str:
        names = ["–".join(map(str, layers)) for layers in self.networks]
        lines = [f"{'samples a second':<22}" + "".join(f"{name:>16}" for name in names)]
        lines += [
            f"{ENGINES[engine]:<22}" + "".join(f"{rate:>16,.0f}" for rate in rates)
            for engine, rates in self.rates.items()
        ]
        for engine in self.rates:
            if engine == "scalar" or "scalar" not in self.rates:
                continue
            ratios = [fast / slow for fast, slow in zip(self.rates[engine], self.rates["scalar"], strict=True)]
            lines.append(f"{ENGINES[engine] + ' ÷ scalar':<22}" + "".join(f"{ratio:>15,.1f}×" for ratio in ratios))
        return "\n".join(lines)


def compare_engines(
    networks: Sequence[Sequence[int]] = EXAMPLES, *, engines: Sequence[str] = tuple(ENGINES), seconds: float = 0.5
) -> Speeds:
    """Measure each engine on new sigmoid networks of the given widths for at least so many seconds each.

    engines  of "scalar", "reference" (arrays) and "compiled"

    A rate is that of the fastest epoch of at least three, after one to warm up. Raises InputError for widths that make
    no network and UnknownNameError for an engine that is none.
    """
    number("seconds", seconds, 0.0)
    for engine in engines:
        if engine not in ENGINES:
            raise unknown_name("engine", engine, ENGINES)
    if not networks or not engines:
        raise InputError("there is nothing to measure", "Give at least one network and one engine.")
    rates = {engine: tuple(_rate(engine, layers, seconds) for layers in networks) for engine in engines}
    return Speeds(tuple(map(tuple, networks)), rates)


def _rate(engine: str, layers: Sequence[int], seconds: float) -> float:
    net = Network(layers, activation="sigmoid", dtype="float64", seed=0)
    rng = np.random.default_rng(0)
    m = {"scalar": max(1, 2000 // max(layers)), "reference": 2000, "compiled": 20_000}[engine]
    epoch = _epoch(engine, net, rng.normal(size=(m, layers[0])), rng.integers(layers[-1], size=m))
    epoch()
    times: list[float] = []
    while sum(times) < seconds or len(times) < 3:
        start = perf_counter()
        epoch()
        times.append(perf_counter() - start)
    return m / min(times)


def _epoch(engine: str, net: Network, x: NDArray[Any], y: NDArray[Any]) -> Callable[[], object]:
    if engine == "scalar":
        model, rows, targets = MLP.of(net), x.tolist(), np.eye(net.layers[-1])[y].tolist()
        return lambda: stochastic_descent(model, rows, targets, 0.01)
    return lambda: train(
        net, (x, y), engine=engine, optimizer="sgd", learning_rate=0.01, batch_size=1, epochs=1, curves=False
    )
