"""What the tests of the kernels share: networks none of whose numbers is zero, an epoch on either engine, and how far
two epochs lie apart."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

import chainrule as cr
from chainrule.data import Batches
from chainrule.kernels.engine import CompiledEngine
from chainrule.optimizers import optimizer
from chainrule.rules import Activation
from chainrule.training.reference import ReferenceEngine

Array = NDArray[Any]
Arrays = dict[str, Array]

ENGINES = {"reference": ReferenceEngine, "compiled": CompiledEngine}
ACTIVATIONS = ("identity", "sigmoid", "tanh", "relu", "leaky_relu(0.1)", "elu(0.7)", "swish(1.3)", "gelu", "softplus")
CUBE = Activation("cube", lambda z: z**3, lambda z, a: 3 * z**2, "z^3", "3 z^2")  # a rule of one's own


def network(layers: list[int], *, seed: int = 0, **rules: Any) -> cr.Network:
    """A network whose biases, γ, β and running statistics are numbers like any others."""
    rng = np.random.default_rng(seed)
    net = cr.Network(layers, seed=seed, **rules)
    for array in (*net.parameters().values(), *net.statistics().values()):
        array += rng.uniform(-0.1, 0.1, array.shape).astype(array.dtype)
    return net


def samples(net: cr.Network, m: int, *, seed: int = 0, zeros: float = 0.0) -> tuple[Array, Array]:
    """X (m, d) in the network's dtype, of which about a share `zeros` is zero, and targets y that its output takes."""
    rng = np.random.default_rng(seed)
    X = (rng.normal(size=(m, net.layers[0])) * (rng.random((m, net.layers[0])) >= zeros)).astype(net.dtype)
    K = net.layers[-1]
    y = {
        "softmax": rng.integers(0, K, m),
        "sigmoid": rng.integers(0, 2, (m, K)),
        "identity": rng.normal(size=(m, K)),
    }[net.output.name]
    return X, y


def epoch(
    engine: str,
    net: cr.Network,
    X: Any,
    T: Any,
    batches: Batches,
    *,
    method: str = "sgd",
    l2: float = 0.0,
    clip: float | None = None,
    weight: Array | None = None,
    **own: Any,
) -> Arrays:
    """What the batches make of `net`, which is changed, with another rate and another λ for each: all its arrays, those
    of the optimiser, and what was recorded, by name."""
    made, count = optimizer(method), np.arange(1, len(batches) + 1)
    runner = ENGINES[engine](net, X, T, made, clip=clip, sample_weight=weight, **own)
    losses, penalties = runner.run(batches, 0.02 / count**0.5, l2 * count, np.random.default_rng(9), record=True)
    slots = {f"{slot} {name}": array for slot, kept in made.memory.items() for name, array in kept.items()}
    arrays = {**net.parameters(), **net.statistics(), **slots, "losses": losses, "penalties": penalties}
    return {name: array.copy() for name, array in arrays.items()} | {"steps": np.array(made.steps)}


def shuffled(m: int, size: int, epochs: int = 1) -> Batches:
    """Batches of some epochs, each in an order of its own."""
    rng = np.random.default_rng(m)
    return Batches.joined([Batches.cut(rng.permutation(m), size) for _ in range(epochs)])


def gaps(ours: Arrays, theirs: Arrays, limit: float) -> dict[str, float]:
    """The arrays that lie further apart than `limit` times the greatest number in each, and how far; {} for none."""
    assert ours.keys() == theirs.keys()
    found = {}
    for name, right in theirs.items():
        assert ours[name].shape == right.shape
        if right.size:
            scale = max(float(np.abs(right).max()), 1e-3)
            found[name] = float(np.abs(ours[name].astype(np.float64) - right).max()) / scale
    return {name: gap for name, gap in found.items() if not gap <= limit}


def differing(a: Arrays, b: Arrays) -> list[str]:
    """Names of the arrays whose bits are not the same."""
    assert a.keys() == b.keys()
    return [name for name in a if a[name].tobytes() != b[name].tobytes()]


def weights(net: cr.Network) -> Arrays:
    """Copies of all arrays of a network by name."""
    return {name: array.copy() for name, array in {**net.parameters(), **net.statistics()}.items()}
