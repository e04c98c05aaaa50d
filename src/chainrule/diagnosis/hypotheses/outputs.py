"""What ∂L/∂Z of the output layer is where it was derived wrongly: another loss, another Jacobian, another operand."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from chainrule.diagnosis.agreement import Array, Both
from chainrule.diagnosis.forward import Network
from chainrule.diagnosis.functions import MATCHED, activations, losses
from chainrule.diagnosis.kinds import Mistake
from chainrule.diagnosis.objective import Objective

Form = Callable[[Array, Array, Array], Array]
"""Of A, Z and T of one point, before the scale of the loss."""


@dataclass(frozen=True)
class _Output:
    """The output layer of one file, in which the forms below are evaluated."""

    network: Network
    objective: Objective

    @property
    def layer(self) -> int:
        return self.network.depth

    @property
    def usual(self) -> bool:
        """Whether the loss is the one that belongs to the output map."""
        return MATCHED.get(self.objective.output.name) == self.objective.loss.name

    def at(self, form: Form, *, mean: bool = False) -> Both:
        """The form at every point, with the scale of the loss, or that of the plain mean."""
        L, network, objective = self.layer, self.network, self.objective
        own = objective.output is network.output
        A = network.A[L] if own else tuple(objective.output.value(Z) for Z in network.Z[L])
        scales = tuple(1 / m for m in network.m) if mean else objective.scale
        quantities = zip(scales, A, network.Z[L], network.T, strict=True)
        return tuple(np.asarray(s * form(x, z, t)) for s, x, z, t in quantities)

    def says(self, kind: str, sentence: str, where: str = "dZ", **parameter: object) -> Mistake:
        """The mistake in dZ, or `where`, of this layer; a name in braces without a number gets that of the layer."""
        l = self.layer
        numbered = sentence.replace("{dZ}", f"{{dZ{l}}}").replace("{A}", f"{{A{l}}}").replace("{Z}", f"{{Z{l}}}")
        return Mistake(kind, f"{where}{l}", numbered, parameter=parameter)


def output_mistakes(network: Network, objective: Objective) -> Iterator[tuple[Both, Mistake]]:
    """Wrong forms of dZ of the output layer, the more likely first; each is also looked for times a number."""
    output = _Output(network, objective)
    with np.errstate(all="ignore"):
        if objective.output.name == "softmax" and output.usual:
            yield from _softmax(output)
        yield from _other_losses(output)
        if objective.output.name == "softmax" and not output.usual:
            yield from _softmax(output)
        yield from _derivatives(output)
        for kind, form, sentence in _OPERANDS:
            yield output.at(form), output.says(kind, sentence)
        yield from _arguments(output)


def _softmax(output: _Output) -> Iterator[tuple[Both, Mistake]]:
    """Softmax without the entries of its Jacobian beside the diagonal, over the wrong axis, or with one too many."""
    G = output.objective.loss.gradient
    yield (
        output.at(lambda a, z, t: G(a, t) * a * (1 - a)),
        output.says(
            "softmax-diagonal",
            "{dZ} uses only the diagonal a(1 − a) of softmax's Jacobian; the entries −aₖaⱼ beside it are missing",
        ),
    )
    yield (
        output.at(lambda a, z, t: a * (G(a, t) - (G(a, t) * a).sum(axis=0))),
        output.says("wrong-derivative", "{dZ} sums over the samples in softmax's Jacobian instead of the classes"),
    )
    if output.usual:
        yield (
            output.at(lambda a, z, t: (a - t) * a * (1 - a)),
            output.says(
                "wrong-derivative", "{dZ} is multiplied by {A}(1 − {A}), but {A} − {T} has softmax's derivative in it"
            ),
        )


def _other_losses(output: _Output) -> Iterator[tuple[Both, Mistake]]:
    """The gradient of another loss than the file's: as its mean, or with the scale of the file's loss."""
    objective, loss = output.objective, output.objective.loss.name
    for other in losses():
        if other.name != loss:
            form = _through(objective, other.gradient)
            words = f"the loss is the {loss}, but {{dZ}} is the derivative of the {other.name}"
            for mean in (True, False):
                yield output.at(form, mean=mean), output.says("other-loss", words, loss=loss, gradient=other.name)
    name = objective.output.name
    matched = MATCHED.get(name, "")
    words = f"the loss is the {loss}, but {{dZ}} = {{A}} − {{T}} belongs to the {matched} of {name}"
    for mean in (True, False):
        yield output.at(_difference, mean=mean), output.says("other-loss", words, loss=loss, gradient=matched)


def _derivatives(output: _Output) -> Iterator[tuple[Both, Mistake]]:
    """The derivative of the output map left out, taken of another function, or there although A − T has it already."""
    objective, name = output.objective, output.objective.output.name
    G = objective.loss.gradient
    if name in ("tanh", "ReLU"):
        words = f"{{A}} is {name} of {{Z}}, but {{dZ}} belongs to an output without an activation"
        yield output.at(lambda a, z, t: G(a, t)), output.says("forward-activation", words, "A")
    yield (
        output.at(lambda a, z, t: G(a, t)),
        output.says("mask-missing", f"{{dZ}} is ∂L/∂{{A}}: the derivative of {name} is missing"),
    )
    for slope, text in _SLOPES:
        too_much = f"{{dZ}} is multiplied by {text}, which does not belong there"
        yield output.at(_product(_difference, slope)), output.says("wrong-derivative", too_much)
        instead = f"{{dZ}} takes {text} for the derivative of {name}"
        yield output.at(_product(_of(G), slope)), output.says("wrong-derivative", instead)
    yield (
        output.at(lambda a, z, t: G(a, t) * _logistic_slope(a)),
        output.says("derivative-of-activation", f"{{dZ}} takes the derivative of {name} at {{A}} instead of {{Z}}"),
    )
    for function in activations()[:3]:
        too_much = f"{{dZ}} is multiplied by the derivative of {function.name} at {{Z}}, which does not belong there"
        yield (
            output.at(_product(_difference, _slope_of(function.value, function.derivative))),
            output.says("wrong-derivative", too_much),
        )


def _arguments(output: _Output) -> Iterator[tuple[Both, Mistake]]:
    """The right derivative at other arguments: Z for A, or targets of other samples."""
    pull, G = output.objective.output.pull, output.objective.loss.gradient
    yield output.at(lambda a, z, t: pull(a, G(z, t), z)), output.says("wrong-operand", "{dZ} has {Z} where {A} belongs")
    orders = [(slice(None, None, -1), 0, "in reverse order"), (slice(None), 1, "shifted"), (slice(None), -1, "shifted")]
    for part, shift, words in orders:
        form = _reordered(output.objective, part, shift)
        yield output.at(form), output.says("permuted-rows", f"the samples of {{T}} are {words} in {{dZ}}")


def _difference(a: Array, z: Array, t: Array) -> Array:
    return a - t


def _of(gradient: Callable[[Array, Array], Array]) -> Form:
    return lambda a, z, t: gradient(a, t)


def _product(form: Form, slope: Callable[[Array, Array], Array]) -> Form:
    return lambda a, z, t: form(a, z, t) * slope(a, z)


def _slope_of(value: Callable[[Array], Array], derivative: Callable[[Array, Array], Array]) -> Callable[..., Array]:
    return lambda a, z: derivative(z, value(z))


def _through(objective: Objective, gradient: Callable[[Array, Array], Array]) -> Form:
    return lambda a, z, t: objective.output.pull(a, gradient(a, t), z)


def _reordered(objective: Objective, part: slice, shift: int) -> Form:
    G, pull = objective.loss.gradient, objective.output.pull
    return lambda a, z, t: pull(a, G(a, np.roll(t[part], shift, axis=0)), z)


def _logistic_slope(x: Array) -> Array:
    s = 1 / (1 + np.exp(-x))
    return np.asarray(s * (1 - s))


def _columns(t: Array) -> Array:
    """1 in the whole column of every class that occurs."""
    return np.broadcast_to(np.where((t > 0.5).any(axis=0), 1.0, 0.0), t.shape)


_SLOPES: list[tuple[Callable[[Array, Array], Array], str]] = [
    (lambda a, z: a * (1 - a), "{A} ∘ (1 − {A})"),
    (lambda a, z: 1 - a * a, "1 − {A}²"),
    (lambda a, z: a, "{A}"),
    (lambda a, z: a * (1 + a), "{A} ∘ (1 + {A})"),
    (lambda a, z: 1 - a, "1 − {A}"),
    (lambda a, z: np.where(z > 0, 1.0, 0.0), "1[{Z} > 0]"),
    (lambda a, z: z * (1 - z), "{Z} ∘ (1 − {Z})"),
    (lambda a, z: 1 - z * z, "1 − {Z}²"),
]

_OPERANDS: list[tuple[str, Form, str]] = [
    ("wrong-operand", lambda a, z, t: a - z, "{dZ} has {Z} where {T} belongs"),
    ("wrong-operand", lambda a, z, t: z - t, "{dZ} has {Z} where {A} belongs"),
    ("wrong-operand", lambda a, z, t: a + t, "{dZ} adds {T} instead of subtracting it"),
    ("missing-term", lambda a, z, t: a, "{dZ} is {A} alone: {T} is never subtracted"),
    ("missing-term", lambda a, z, t: -t, "{dZ} is −{T} alone: {A} is missing"),
    ("missing-term", lambda a, z, t: t * (a - t), "{dZ} has only the entries where {T} is not 0"),
    ("missing-term", lambda a, z, t: (1 - t) * (a - t), "{dZ} lacks the entries where {T} is 1"),
    (
        "missing-term",
        lambda a, z, t: -t * (1 - a),
        "{dZ} has only the term −{T}(1 − {A}); (1 − {T}){A} is missing",
    ),
    ("missing-term", lambda a, z, t: a * a.shape[1] - 1, "the factor {T} is missing in {dZ}"),
    ("sign", lambda a, z, t: -t * (1 - a) - (1 - t) * a, "the second term of {dZ} has the opposite sign"),
    (
        "wrong-operand",
        lambda a, z, t: a - _columns(t),
        "{dZ} subtracts 1 in whole columns instead of one entry a sample",
    ),
    ("wrong-derivative", lambda a, z, t: (a - t) ** 2, "{dZ} squares {A} − {T}"),
    ("wrong-derivative", lambda a, z, t: np.abs(a - t), "{dZ} takes |{A} − {T}|"),
]
