"""The multilayer perceptron of `chainrule.network` one number at a time, held equal to it by tests."""

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any

from chainrule.errors import InputError, shown, unknown_name
from chainrule.scalar.engine import Value
from chainrule.scalar.rules import OUTPUTS, total
from chainrule.scalar.rules import activation as rule_named

if TYPE_CHECKING:
    from chainrule.network import Network


class MLP:
    """A perceptron of `Value`s; layers count from 1, `W1[j][k]` leads from unit j below to unit k of layer 1.

    parameters   {"W1": rows of numbers, "b1": numbers, "W2": …}; kept as values of the same nesting in `.parameters`
    activation   the name of a rule, with its setting in parentheses: "leaky_relu(0.2)"; or one per hidden layer
    output       softmax, sigmoid or identity, each with its loss
    """

    def __init__(
        self, parameters: dict[str, Any], activation: str | Sequence[str] = "sigmoid", output: str = "softmax"
    ):
        self.parameters: dict[str, Any] = {name: _named(name, numbers) for name, numbers in parameters.items()}
        self.depth = sum(name[0] == "W" for name in parameters)
        names = [activation] * (self.depth - 1) if isinstance(activation, str) else list(activation)
        self.activations = [rule_named(name) for name in names]
        if output not in OUTPUTS:
            raise unknown_name("output", output, OUTPUTS)
        self.output, self.loss_of_sample = OUTPUTS[output]
        self.normalisation: dict[int, tuple[list[float], list[float]]] = {}  # layer: means, and 1/√(variance + ε)
        self._refuse_unfit()

    @classmethod
    def of(cls, net: "Network") -> "MLP":
        """The network `net` in inference mode: its weights, its rules, its running statistics."""
        from chainrule.network.passes import EPSILON

        layers = net.structure.layers
        rules = [layer.activation.name for layer in layers if layer.activation]
        model = cls({name: P.tolist() for name, P in net.parameters().items()}, rules, net.output.name)
        S = {name: statistic.tolist() for name, statistic in net.statistics().items()}
        for l in (layer.index for layer in layers if layer.batch_norm):
            model.normalisation[l] = S[f"mean{l}"], [(v + EPSILON) ** -0.5 for v in S[f"variance{l}"]]
        return model

    def logits(self, x: Sequence[float], sample: int = 0) -> list[Value]:
        """The last Z of one sample, all values on the way named as in a trace: A0[0,1], Z1[0,2], …"""
        P = self.parameters
        if len(x) != len(P["W1"]):
            raise InputError(
                f"a sample of {len(x)} numbers but layer 1 takes {len(P['W1'])}", "Give one an input unit."
            )
        a = _named("A0", list(x), f"{sample},")
        for l in range(1, self.depth + 1):
            W = P[f"W{l}"]
            into = [[aj * W[j][k] for j, aj in enumerate(a)] for k in range(len(W[0]))]
            if l in self.normalisation:
                z = _name([total(terms) for terms in into], f"Z{l}", sample)
                n = [(zk - mean) * scale for zk, mean, scale in zip(z, *self.normalisation[l], strict=True)]
                z = [g * nk + b for g, nk, b in zip(P[f"gamma{l}"], n, P[f"beta{l}"], strict=True)]
                _name(z, f"U{l}", sample)
            else:
                z = _name([total([*terms, b]) for terms, b in zip(into, P[f"b{l}"], strict=True)], f"Z{l}", sample)
            if l < self.depth:
                a = _name([self.activations[l - 1](zk) for zk in z], f"A{l}", sample)
        return z

    def predict(self, x: Sequence[float]) -> list[float]:
        """The outputs of one sample."""
        return [a.number for a in self.output(self.logits(x))]

    def loss(self, rows: Sequence[Sequence[float]], targets: Sequence[Sequence[float]], l2: float = 0.0) -> Value:
        """Mean loss over samples, plus λ/2 Σ‖W‖² for λ = `l2`; a row of targets a sample, one-hot for a class."""
        if len(rows) != len(targets) or not rows:
            raise InputError(f"{len(rows)} samples but {len(targets)} rows of targets", "Give as many, at least one.")
        for i, t in enumerate(targets):
            if not isinstance(t, Sequence) or len(t) != self.width:
                told = shown(t) if not isinstance(t, Sequence) else f"{len(t)} numbers"
                raise InputError(
                    f"the target of sample {i} is {told} for {self.width} outputs",
                    "Give a row, one number an output: [1, 0] for class 0 of two.",
                )
        losses = [self.loss_of_sample(self.logits(x, i), t) for i, (x, t) in enumerate(zip(rows, targets, strict=True))]
        mean = total(losses) / len(losses) if len(losses) > 1 else losses[0]
        if l2:
            weights = [w for name, W in self.parameters.items() if name[0] == "W" for w in leaves(W)]
            mean = mean + l2 / 2 * total(w * w for w in weights)
        mean.name = "loss"
        return mean

    def gradients(self) -> dict[str, Any]:
        """The gradients collected so far, nested like the parameters."""
        return {name: _map(P, lambda v: v.gradient) for name, P in self.parameters.items()}

    def descend(self, learning_rate: float) -> None:
        """v ← v − η ∂loss/∂v for every parameter v; the gradients are 0 again."""
        for v in leaves(list(self.parameters.values())):
            v.number -= learning_rate * v.gradient
            v.gradient = 0.0

    def _refuse_unfit(self) -> None:
        """Raise InputError where the shapes do not lead from layer to layer."""
        width = None
        for l in range(1, self.depth + 1):
            W = self.parameters.get(f"W{l}", [[]])
            widths = {len(row) for row in W}
            rows, columns = len(W), widths.pop()
            if widths or not columns or rows != (width or rows):
                raise InputError(
                    f"W{l} has {rows} rows of {columns} numbers but layer {l} gets {width or rows}",
                    "Give one row a unit below, all of one length.",
                )
            if f"b{l}" not in self.parameters and f"gamma{l}" not in self.parameters:
                raise InputError(f"layer {l} has no b{l}", "Give one number a unit.")
            for name in ("b", "gamma", "beta"):
                held = self.parameters.get(f"{name}{l}")
                if held is not None and len(held) != columns:
                    raise InputError(f"{name}{l} has {len(held)} numbers for {columns} units", "Give one a unit.")
            width = columns
        self.width = width or 0
        if len(self.activations) != max(self.depth - 1, 0) or not self.depth:
            raise InputError(f"{len(self.activations)} activations for {self.depth} layers", "Give one a hidden layer.")


def stochastic_descent(
    model: MLP, rows: Iterable[Sequence[float]], targets: Iterable[Sequence[float]], learning_rate: float
) -> list[float]:
    """One epoch, an update a sample, in the order given; the loss of every instance as it was met."""
    losses = []
    rows, targets = list(rows), list(targets)
    if len(rows) != len(targets):
        raise InputError(f"{len(rows)} samples but {len(targets)} rows of targets", "Give as many.")
    for x, t in zip(rows, targets, strict=True):
        loss = model.loss([x], [t])
        loss.backward()
        model.descend(learning_rate)
        losses.append(loss.number)
    return losses


def leaves(nested: Any) -> list[Value]:
    """All values of nested lists, in order."""
    return [nested] if isinstance(nested, Value) else [v for part in nested for v in leaves(part)]


def _named(name: str, numbers: Any, index: str = "") -> Any:
    """Nested lists of numbers as values named after their place: W1[0,2]."""
    if isinstance(numbers, list | tuple):
        return [_named(name, part, f"{index}{i},") for i, part in enumerate(numbers)]
    return Value(numbers, f"{name}[{index[:-1]}]")


def _name(values: list[Value], name: str, sample: int) -> list[Value]:
    for k, v in enumerate(values):
        v.name = f"{name}[{sample},{k}]"
    return values


def _map(nested: Any, function: Callable[[Value], float]) -> Any:
    return function(nested) if isinstance(nested, Value) else [_map(part, function) for part in nested]
