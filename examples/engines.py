"""What a sample costs one number at a time, in arrays and in compiled loops: python examples/engines.py

Stochastic gradient descent, one update a sample, by the same equations on the same weights in float64.
"""

import argparse
from collections.abc import Callable, Sequence
from time import perf_counter

import numpy as np

import chainrule as cr
from chainrule.scalar import MLP, stochastic_descent

NETWORKS = {"2–3–2": [2, 3, 2], "64–32–10": [64, 32, 10]}
ENGINES = ("scalar", "reference", "compiled")
NAMES = {"scalar": "one number at a time", "reference": "arrays", "compiled": "compiled"}


def samples_per_second(engine: str, layers: Sequence[int], least_seconds: float = 0.5) -> float:
    """The fastest epoch over random samples, of at least three in at least so many seconds, after one to warm up."""
    rng = np.random.default_rng(0)
    m = {"scalar": 2000 // max(layers), "reference": 2000, "compiled": 20_000}[engine]
    x, y = rng.normal(size=(m, layers[0])), rng.integers(layers[-1], size=m)
    epoch = _epoch(engine, layers, x, y)
    epoch()
    times: list[float] = []
    while sum(times) < least_seconds or len(times) < 3:
        start = perf_counter()
        epoch()
        times.append(perf_counter() - start)
    return float(m / min(times))


def _epoch(engine: str, layers: Sequence[int], x: np.ndarray, y: np.ndarray) -> Callable[[], object]:
    net = cr.Network(layers, activation="sigmoid", dtype="float64", seed=0)
    if engine == "scalar":
        model, rows, targets = MLP.of(net), x.tolist(), np.eye(layers[-1])[y].tolist()
        return lambda: stochastic_descent(model, rows, targets, 0.01)
    return lambda: cr.train(
        net, (x, y), engine=engine, optimizer="sgd", learning_rate=0.01, batch_size=1, epochs=1, curves=False
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=0.5, help="least time to measure each engine")
    parser.add_argument("--engines", nargs="+", choices=ENGINES, default=ENGINES)
    given = parser.parse_args()
    print(f"{'samples a second':<22}" + "".join(f"{name:>16}" for name in NETWORKS))
    rates = {
        engine: [samples_per_second(engine, layers, given.seconds) for layers in NETWORKS.values()]
        for engine in given.engines
    }
    for engine in rates:
        print(f"{NAMES[engine]:<22}" + "".join(f"{rate:>16,.0f}" for rate in rates[engine]))
    for engine in ENGINES[1:]:
        if not {"scalar", engine} <= rates.keys():
            continue
        ratios = [fast / slow for fast, slow in zip(rates[engine], rates["scalar"], strict=True)]
        print(f"{NAMES[engine] + ' ÷ scalar':<22}" + "".join(f"{ratio:>15,.1f}×" for ratio in ratios))


if __name__ == "__main__":
    main()
