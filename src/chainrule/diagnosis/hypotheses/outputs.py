"""What ∂L/∂Z of the output layer is where it was derived wrongly: another loss, another Jacobian, another operand."""

from collections.abc import Callable, Iterator

import numpy as np

from chainrule.diagnosis.agreement import Array, Both
from chainrule.diagnosis.forward import Network
from chainrule.diagnosis.functions import MATCHED, activations, losses
from chainrule.diagnosis.kinds import Mistake
from chainrule.diagnosis.objective import Objective

Form = Callable[[Array, Array, Array], Array]


def output_mistakes(network: Network, objective: Objective) -> Iterator[tuple[Both, Mistake]]:
    """Wrong forms of dZ of the output layer, the more likely first; each is also looked for times a number."""
    L = network.depth
    q, A, Z, T = f"dZ{L}", f"A{L}", f"Z{L}", "T"
    with np.errstate(all="ignore"):
        same = objective.output is network.output
        a = network.A[L] if same else tuple(objective.output.value(z) for z in network.Z[L])
        values = list(zip(objective.scale, a, network.Z[L], network.T, strict=True))

        def each(form: Form) -> Both:
            return tuple(np.asarray(s * form(x, z, t)) for s, x, z, t in values)

        def says(kind: str, sentence: str, **parameter: object) -> Mistake:
            return Mistake(kind, q, sentence, parameter=parameter)

        def mean(form: Form) -> Both:
            return tuple(np.asarray(form(x, z, t) / len(t)) for _, x, z, t in values)

        pull, name = objective.output.pull, objective.output.name
        G = objective.loss.gradient
        derivative = f"the derivative of {name}"
        matched = MATCHED.get(name, "")
        usual = objective.loss.name == matched
        if name == "softmax" and usual:
            yield from _softmax(each, says, objective, q, A, T)
        for other in losses():
            if other.name != objective.loss.name:
                form = _through(pull, other.gradient)
                words = f"the loss is the {objective.loss.name}, but {{{q}}} is the derivative of the {other.name}"
                mistake = says("other-loss", words, loss=objective.loss.name, gradient=other.name)
                yield mean(form), mistake
                yield each(form), mistake
        matched = MATCHED.get(name, "")
        words = (
            f"the loss is the {objective.loss.name}, but {{{q}}} = {{{A}}} − {{{T}}} belongs to the {matched} of {name}"
        )
        mistake = says("other-loss", words, loss=objective.loss.name, gradient=matched)
        yield mean(lambda x, z, t: x - t), mistake
        yield each(lambda x, z, t: x - t), mistake
        if name == "softmax" and not usual:
            yield from _softmax(each, says, objective, q, A, T)
        if name in ("tanh", "ReLU"):
            yield (
                each(lambda x, z, t: G(x, t)),
                Mistake(
                    "forward-activation",
                    A,
                    f"{{{A}}} is {name} of {{{Z}}}, but {{{q}}} belongs to an output without an activation",
                ),
            )
        yield each(lambda x, z, t: G(x, t)), says("mask-missing", f"{{{q}}} is ∂L/∂{{{A}}}: {derivative} is missing")
        for form, words in _DERIVATIVES:
            yield (
                each(lambda x, z, t, form=form: (x - t) * form(x, z)),
                says(
                    "wrong-derivative",
                    f"{{{q}}} is multiplied by {words.format(A=_b(A), Z=_b(Z))}, which does not belong there",
                ),
            )
            yield (
                each(lambda x, z, t, form=form: G(x, t) * form(x, z)),
                says("wrong-derivative", f"{{{q}}} takes {words.format(A=_b(A), Z=_b(Z))} for {derivative}"),
            )
        yield (
            each(lambda x, z, t: G(x, t) * _logistic_slope(x)),
            says("derivative-of-activation", f"{{{q}}} takes {derivative} at {{{A}}} instead of {{{Z}}}"),
        )
        for function in activations()[:3]:
            yield (
                each(lambda x, z, t, function=function: (x - t) * function.derivative(z, function.value(z))),
                says(
                    "wrong-derivative",
                    f"{{{q}}} is multiplied by the derivative of {function.name} at {{{Z}}}, which is not its place",
                ),
            )
        yield each(lambda x, z, t: x - z), says("wrong-operand", f"{{{q}}} has {{{Z}}} where {{{T}}} belongs")
        yield (
            each(lambda x, z, t: pull(x, G(z, t), z)),
            says("wrong-operand", f"{{{q}}} has {{{Z}}} where {{{A}}} belongs"),
        )
        yield each(lambda x, z, t: z - t), says("wrong-operand", f"{{{q}}} has {{{Z}}} where {{{A}}} belongs")
        yield each(lambda x, z, t: x + t), says("wrong-operand", f"{{{q}}} adds {{{T}}} instead of subtracting it")
        yield each(lambda x, z, t: x), says("missing-term", f"{{{q}}} is {{{A}}} alone: {{{T}}} is never subtracted")
        yield each(lambda x, z, t: -t), says("missing-term", f"{{{q}}} is −{{{T}}} alone: {{{A}}} is missing")
        yield (
            each(lambda x, z, t: t * (x - t)),
            says("missing-term", f"{{{q}}} has only the entries where {{{T}}} is not 0"),
        )
        yield (
            each(lambda x, z, t: (1 - t) * (x - t)),
            says("missing-term", f"{{{q}}} lacks the entries where {{{T}}} is 1"),
        )
        yield (
            each(lambda x, z, t: -t * (1 - x)),
            says("missing-term", f"{{{q}}} has only the term −{{{T}}}(1 − {{{A}}}); (1 − {{{T}}}){{{A}}} is missing"),
        )
        yield (
            each(lambda x, z, t: x * x.shape[1] - 1),
            says("missing-term", f"the factor {{{T}}} is missing in {{{q}}}"),
        )
        yield (
            each(lambda x, z, t: -t * (1 - x) - (1 - t) * x),
            says("sign", f"the second term of {{{q}}} has the opposite sign"),
        )
        yield (
            each(lambda x, z, t: x - _columns(t)),
            says("wrong-operand", f"{{{q}}} subtracts 1 in whole columns instead of one entry a sample"),
        )
        yield each(lambda x, z, t: (x - t) ** 2), says("wrong-derivative", f"{{{q}}} squares {{{A}}} − {{{T}}}")
        yield each(lambda x, z, t: np.abs(x - t)), says("wrong-derivative", f"{{{q}}} takes |{{{A}}} − {{{T}}}|")
        for order, words in _ORDERS:
            yield (
                each(lambda x, z, t, order=order: pull(x, G(x, order(t)), z)),
                says("permuted-rows", f"the samples of {{{T}}} are {words} in {{{q}}}"),
            )


def _softmax(
    each: Callable[[Form], Both], says: Callable[..., Mistake], objective: Objective, q: str, A: str, T: str
) -> Iterator[tuple[Both, Mistake]]:
    """Softmax without the entries of its Jacobian beside the diagonal, or with a derivative too many."""
    G = objective.loss.gradient
    yield (
        each(lambda x, z, t: G(x, t) * x * (1 - x)),
        says(
            "softmax-diagonal",
            f"{{{q}}} uses only the diagonal a(1 − a) of softmax's Jacobian; the entries −aₖaⱼ beside it are missing",
        ),
    )
    yield (
        each(lambda x, z, t: x * (G(x, t) - (G(x, t) * x).sum(axis=0))),
        says("wrong-derivative", f"{{{q}}} sums over the samples in softmax's Jacobian instead of the classes"),
    )
    if MATCHED["softmax"] == objective.loss.name:
        yield (
            each(lambda x, z, t: (x - t) * x * (1 - x)),
            says(
                "wrong-derivative",
                f"{{{q}}} is multiplied by {{{A}}}(1 − {{{A}}}), but {{{A}}} − {{{T}}} has softmax's derivative in it",
            ),
        )


def _through(pull: Form, gradient: Callable[[Array, Array], Array]) -> Form:
    return lambda x, z, t: pull(x, gradient(x, t), z)


def _b(name: str) -> str:
    return "{" + name + "}"


def _logistic_slope(x: Array) -> Array:
    s = 1 / (1 + np.exp(-x))
    return np.asarray(s * (1 - s))


def _columns(t: Array) -> Array:
    return np.broadcast_to((t > 0.5).any(axis=0).astype(float), t.shape)


_DERIVATIVES: list[tuple[Callable[[Array, Array], Array], str]] = [
    (lambda a, z: a * (1 - a), "{A} ∘ (1 − {A})"),
    (lambda a, z: 1 - a * a, "1 − {A}²"),
    (lambda a, z: a, "{A}"),
    (lambda a, z: a * (1 + a), "{A} ∘ (1 + {A})"),
    (lambda a, z: 1 - a, "1 − {A}"),
    (lambda a, z: (z > 0) * 1.0, "1[{Z} > 0]"),
    (lambda a, z: z * (1 - z), "{Z} ∘ (1 − {Z})"),
    (lambda a, z: 1 - z * z, "1 − {Z}²"),
]

_ORDERS: list[tuple[Callable[[Array], Array], str]] = [
    (lambda t: t[::-1], "in reverse order"),
    (lambda t: np.roll(t, 1, axis=0), "shifted by one"),
    (lambda t: np.roll(t, -1, axis=0), "shifted by one"),
]
