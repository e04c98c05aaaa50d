"""Which loss the file computes: a multiple of a known one, with a penalty or without, by its central differences."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from chainrule.diagnosis.agreement import TOLERANCE, Array, Both, same_number
from chainrule.diagnosis.forward import Network
from chainrule.diagnosis.functions import MATCHED, Loss, Map, losses, output_maps
from chainrule.diagnosis.observation import Observation

SAME = 1e-6  # to which the differences of a loss agree with its derivative
NEARLY = 1e-3  # and where the loss adds an ε inside a logarithm, or clips
OUTLIERS = 0.05  # share of entries that a kink beside them may spoil


@dataclass(frozen=True)
class Objective:
    """The loss Σᵢ scale · ℓ(aᵢ, tᵢ) + λ/2 Σ‖W‖² + μ/2 Σ‖b‖² at every point.

    free       layers whose weights are not in the penalty
    output     the map whose value ℓ takes: the network's, or softmax where the network gives logits
    stated     False where the file has no loss, and the mean of the matched one is assumed
    nearly     True where the file's loss agrees with it but for an ε, or was recognised by its values alone
    """

    loss: Loss
    output: Map
    scale: tuple[float, ...]
    lam: tuple[float, ...]
    mu: tuple[float, ...]
    stated: bool = True
    nearly: bool = False
    free: tuple[int, ...] = ()

    def delta(self, network: Network) -> Both:
        """∂L/∂Z of the output layer, through the map that the file computes."""
        L = network.depth
        A = network.A[L] if self.output is network.output else tuple(self.output.value(Z) for Z in network.Z[L])
        return tuple(
            s * self.output.pull(a, self.loss.gradient(a, T), Z)
            for s, a, T, Z in zip(self.scale, A, network.T, network.Z[L], strict=True)
        )

    def penalty(self, l: int) -> tuple[float, ...]:
        """λ of layer l at every point."""
        return tuple(0.0 for _ in self.lam) if l in self.free else self.lam

    def before_mean(self, r: Sequence[float], m: Sequence[int]) -> bool:
        """Whether r, one a point, is what a quantity is off by before the 1/m of the mean, or this scale, comes in."""
        mean = tuple(x / k for x, k in zip(r, m, strict=True))
        return same_number((1.0, *mean)) or same_number((1.0, *(x * s for x, s in zip(r, self.scale, strict=True))))

    def words(self, m: Sequence[int], width: int) -> str:
        """The loss in words, such as "mean cross-entropy + λ/2 Σ‖W‖² with λ = 0.1"."""
        power, c = power_of(self.scale, m)
        name = self.loss.name
        if name == "squared error":
            name, c = (f"½ {name}", c) if np.isclose(c, 1) else (name, c / 2)
        text = {-1: f"mean {name}", 0: f"sum of the {name}"}.get(power, f"m^{power} times the sum of the {name}")
        if not np.isclose(abs(c), 1):
            text = f"{multiple(abs(c), {'K': width})} times the {text}"
        text = f"minus the {text}" if c < 0 else text
        if any(self.lam):
            shown = f"λ = {self.lam[0]:.4g}" if same_number(self.lam) else f"λ = {self.lam[0] * m[0]:.4g}/m"
            text += f" + λ/2 Σ‖W‖² with {shown}"
        return text


def power_of(scale: Sequence[float], m: Sequence[int]) -> tuple[int, float]:
    """(a, c) with scale = c · mᵃ at every point; of the constants that fit the plainest."""
    fitting = []
    for a in (-1, 0, -2, 1, 2):
        constants = tuple(s / float(k) ** a for s, k in zip(scale, m, strict=True))
        if same_number(constants, 1e-5):
            fitting.append((a, constants[0]))
    plain = [(a, c) for a, c in fitting if np.isclose(abs(c), 1, rtol=1e-5)]
    return (plain or fitting or [(0, float(scale[0]))])[0]


def multiple(c: float, sizes: dict[str, int]) -> str:
    """c as a person writes it: 2, ½, 1/K, 0.3."""
    for name, size in sizes.items():
        if size > 2 and np.isclose(c, size, rtol=TOLERANCE):
            return name
        if size > 2 and np.isclose(c * size, 1, rtol=TOLERANCE):
            return f"1/{name}"
        for n in (2.0, 0.5):
            if size > 2 and np.isclose(c * size, n, rtol=TOLERANCE):
                return f"2/{name}" if n > 1 else f"1/(2{name})"
            if size > 2 and np.isclose(c / size, n, rtol=TOLERANCE):
                return f"2{name}" if n > 1 else f"{name}/2"
    for n, text in ((2, "½"), (3, "⅓"), (4, "¼")):
        if np.isclose(c * n, 1, rtol=TOLERANCE):
            return text
    for x, text in ((c, "{}"), (1 / c if c else 0.0, "1/{}")):
        nearest = round(x)
        if nearest and abs(x - nearest) <= TOLERANCE * abs(nearest):
            return text.format(nearest)
    return f"{c:.6g}"


def recognise(network: Network, observations: Sequence[Observation]) -> Objective | None:
    """The loss of the file; None where it is none of the known ones. Where it has none, the matched mean is assumed."""
    if any(o.loss is None for o in observations):
        return assumed(network)
    for limit in (SAME, NEARLY):
        for output, loss in _candidates(network):
            objective = _fitted(network, observations, output, loss, limit)
            if objective is not None:
                return objective
    return _by_value(network, observations)


def assumed(network: Network) -> Objective:
    """The mean of the loss that belongs to the network's output map."""
    name = MATCHED.get(network.output.name, "squared error")
    loss = next(loss for loss in losses() if loss.name == name)
    none = tuple(0.0 for _ in network.m)
    return Objective(loss, network.output, tuple(1 / m for m in network.m), none, none, stated=False)


def assumptions(network: Network) -> list[Objective]:
    """What a file without a loss may differentiate: the mean of the matched loss, or of the squared error."""
    first = assumed(network)
    squared = next(loss for loss in losses() if loss.name == "squared error")
    others = [] if first.loss is squared else [replace(first, loss=squared)]
    logits = network.output.name == "identity"
    softmax = next(g for g in output_maps() if g.name == "softmax" and not g.fault)
    entropy = next(loss for loss in losses() if loss.name == "cross-entropy")
    return [first, *others, *([replace(first, output=softmax, loss=entropy)] if logits else [])]


def truth(network: Network, objective: Objective) -> dict[str, Both]:
    """The gradient of the objective by every parameter: the chain rule through the network as the file computes it."""
    found: dict[str, Both] = {}
    D = objective.delta(network)
    for l in range(network.depth, 0, -1):
        A, W = network.A[l - 1], network.W[l]
        data = tuple(a.T @ d for a, d in zip(A, D, strict=True))
        found[f"W{l}"] = tuple(g + lam * w for g, lam, w in zip(data, objective.penalty(l), W, strict=True))
        sign = {"bias-missing": 0.0, "sign": -1.0}.get(network.fault, 1.0) if network.where in (l, 0) else 1.0
        found[f"b{l}"] = tuple(
            sign * d.sum(axis=0) + mu * b for d, mu, b in zip(D, objective.mu, network.b[l], strict=True)
        )
        if l > 1:
            D = tuple(d @ w.T * f for d, w, f in zip(D, W, network.slope(l - 1), strict=True))
    return found if network.fault != "wrong-operand" else _around(network, objective)


def _around(network: Network, objective: Objective) -> dict[str, Both]:
    """The same where layer `network.where` takes its input from two layers below: what lies between has no effect."""
    found: dict[str, Both] = {}
    D, l = objective.delta(network), network.depth
    none = tuple(0.0 for _ in network.m)
    while l > 0:
        skips = l == network.where
        A = network.A[l - 2] if skips else network.A[l - 1]
        found[f"W{l}"] = tuple(
            a.T @ d + k * w for a, d, k, w in zip(A, D, objective.penalty(l), network.W[l], strict=True)
        )
        found[f"b{l}"] = tuple(d.sum(axis=0) for d in D)
        if skips:
            found[f"W{l - 1}"] = tuple(k * w for k, w in zip(objective.penalty(l - 1), network.W[l - 1], strict=True))
            found[f"b{l - 1}"] = tuple(n * b for n, b in zip(none, network.b[l - 1], strict=True))
        below = l - 2 if skips else l - 1
        if below > 0:
            D = tuple(d @ w.T * f for d, w, f in zip(D, network.W[l], network.slope(below), strict=True))
        l = below
    return found


def _candidates(network: Network) -> list[tuple[Map, Loss]]:
    """Pairs of an output map and a loss, the matched one first; logits may still pass a map inside the loss."""
    maps = [network.output]
    if network.output.name in ("identity", "log-softmax"):
        maps += [g for g in output_maps() if g.name in ("softmax", "sigmoid")]
    pairs = [(g, loss) for g in maps for loss in losses()]
    return sorted(pairs, key=lambda pair: (bool(pair[0].fault), MATCHED.get(pair[0].name) != pair[1].name))


def _fitted(
    network: Network, observations: Sequence[Observation], output: Map, loss: Loss, limit: float
) -> Objective | None:
    """The objective with `loss` whose gradient is that of the file's own loss; None where none is."""
    nothing = tuple(0.0 for _ in observations)
    unit = Objective(loss, output, tuple(1.0 for _ in observations), nothing, nothing)
    with np.errstate(all="ignore"):
        gradients = truth(network, unit)
    L = network.depth
    spared = (
        [()] if limit > SAME else [(), *(tuple(k for k in range(1, L + 1) if k != l) for l in range(1, L + 1) if L > 1)]
    )
    for free in spared:
        found = [_fit(network, gradients, o, i, limit, free) for i, o in enumerate(observations)]
        fits = [fit for fit in found if fit is not None]
        if len(fits) == len(found):
            scale, lam, mu = zip(*fits, strict=True)
            plain = _plain(scale, network, 10 * limit)
            return Objective(loss, output, plain, tuple(lam), tuple(mu), nearly=limit > SAME, free=free)
    return None


def _plain(scale: Sequence[float], network: Network, tolerance: float) -> tuple[float, ...]:
    """The scale without the rounding of the differences, where it is a plain number times a power of m."""
    K = network.width(network.depth)
    for power in (-1, 0, -2):
        for c in (1.0, 2.0, 0.5, 1 / K, 2 / K, 0.5 / K):
            for sign in (1, -1):
                plain = tuple(sign * c * float(m) ** power for m in network.m)
                if all(abs(s - p) <= tolerance * abs(p) for s, p in zip(scale, plain, strict=True)):
                    return plain
    return tuple(scale)


def _fit(
    network: Network, gradients: dict[str, Both], observation: Observation, i: int, limit: float, free: tuple[int, ...]
) -> tuple[float, float, float] | None:
    """(scale, λ, μ) at point i by least squares over all entries that were nudged."""
    numerical = observation.numerical
    if not numerical:
        return None
    kept = [name for name in gradients if name in numerical]
    y = np.concatenate([numerical[name].ravel() for name in kept])
    held = [name for name in kept if name[0] == "W" and int(name[1:]) not in free]
    weights = [network.W[int(name[1:])][i] if name in held else gradients[name][i] * 0 for name in kept]
    biases = [network.b[int(name[1:])][i] if name[0] == "b" else gradients[name][i] * 0 for name in kept]
    columns = [
        np.concatenate([array.ravel() for array in part])
        for part in (
            [gradients[name][i] for name in kept],
            weights,
            biases,
        )
    ]
    M = np.stack(columns, axis=1)
    use = np.isfinite(y) & np.isfinite(M).all(axis=1)
    if use.sum() < 4 or not np.abs(y[use]).max() > 0:
        return None
    M, y = M[use], y[use]
    allowed = limit * float(np.abs(y).max()) + min(max(observation.rounding.values(), default=0.0), NEARLY)
    terms = (1, 2, 3) if limit == SAME else (1,)
    for count in terms:  # as few as will do
        solution = _robust(M[:, :count], y, allowed)
        if solution is not None and abs(solution[0]) > 1e-9:
            padded = [*solution, 0.0, 0.0][:3]
            return float(padded[0]), float(padded[1]), float(padded[2])
    return None


def _robust(M: Array, y: Array, limit: float) -> Array | None:
    solution = np.linalg.lstsq(M, y, rcond=None)[0]
    gaps = np.abs(M @ solution - y)
    if gaps.max() <= limit:
        return np.asarray(solution)
    kept = np.argsort(gaps)[: max(4, int(np.ceil(len(y) * (1 - OUTLIERS))))]
    solution = np.linalg.lstsq(M[kept], y[kept], rcond=None)[0]
    gaps = np.abs(M @ solution - y)
    return np.asarray(solution) if np.quantile(gaps, 1 - OUTLIERS) <= limit else None


def _by_value(network: Network, observations: Sequence[Observation]) -> Objective | None:
    """From the values alone, for a loss whose differences say nothing: it rounds to float32, or keeps something."""
    nothing = tuple(0.0 for _ in observations)
    for output, loss in _candidates(network):
        Z = network.Z[network.depth]
        sums = [float(loss.losses(output.value(z), T).sum()) for z, T in zip(Z, network.T, strict=True)]
        if not all(np.isfinite(sums)) or not all(sums):
            continue
        scale = tuple(float(o.loss or 0.0) / total for o, total in zip(observations, sums, strict=True))
        a, c = power_of(scale, network.m)
        fitting = all(np.isclose(s, c * float(m) ** a, rtol=1e-5) for s, m in zip(scale, network.m, strict=True))
        if len(observations) > 1 and fitting and np.isclose(abs(c), (1, 0.5, 2), rtol=1e-5).any():
            exact = tuple(c * float(m) ** a for m in network.m)
            return Objective(loss, output, exact, nothing, nothing, nearly=True)
    return None
