"""What the backward pass makes of one hidden layer where it goes wrong: dA from the layer above, and dZ from dA."""

from collections.abc import Callable, Iterator

import numpy as np

from chainrule.diagnosis.agreement import Array, Both
from chainrule.diagnosis.forward import Network
from chainrule.diagnosis.functions import activations
from chainrule.diagnosis.kinds import Mistake


def below_mistakes(
    network: Network, l: int, D: Both, above: Both | None, gradient: Both | None
) -> Iterator[tuple[Both, Mistake]]:
    """Wrong forms of dA of layer l, where D is dZ of the layer above, `above` its dA, and `gradient` its dW."""
    W, q = network.W[l + 1], f"dA{l}"
    if gradient is not None:
        yield (
            tuple(d @ g.T for d, g in zip(D, gradient, strict=True)),
            Mistake("wrong-operand", q, f"{{{q}}} has {{dW{l + 1}}} where {{W{l + 1}}} belongs"),
        )
    if above is not None:
        yield (
            tuple(a @ w.T for a, w in zip(above, W, strict=True)),
            Mistake("wrong-operand", q, f"{{{q}}} has {{dA{l + 1}}} where {{dZ{l + 1}}} belongs"),
        )
    for values, name in ((network.A[l + 1], f"A{l + 1}"), (network.Z[l + 1], f"Z{l + 1}")):
        yield (
            tuple(v @ w.T for v, w in zip(values, W, strict=True)),
            Mistake("wrong-operand", q, f"{{{q}}} has {{{name}}} where {{dZ{l + 1}}} belongs"),
        )
    if network.width(l) == network.width(l + 1):
        same: list[tuple[Both | None, str]] = [(D, f"dZ{l + 1}"), (above, f"dA{l + 1}")]
        for values_above, name in same:
            if values_above is not None:
                words = f"{{{name}}} stands where {{{q}}} belongs, without {{W{l + 1}}}"
                yield values_above, Mistake("wrong-operand", q, words)
    b = network.b[l + 1]
    with_bias = (
        tuple(np.vstack([c, w[:-1]]) for w, c in zip(W, b, strict=True)),
        tuple(np.vstack([w[1:], c]) for w, c in zip(W, b, strict=True)),
    )
    for rows in with_bias:
        yield (
            tuple(d @ w.T for d, w in zip(D, rows, strict=True)),
            Mistake("wrong-operand", q, f"{{{q}}} has the row of the biases among the weights {{W{l + 1}}}"),
        )
    for part, words in ((slice(-1, None), "last"), (slice(0, 1), "first"), (slice(0, -1), ""), (slice(1, None), "")):
        what = f"takes the {words} unit above it alone" if words else "leaves out a unit above it"
        yield (
            tuple(d[:, part] @ w[:, part].T for d, w in zip(D, W, strict=True)),
            Mistake("missing-term", q, f"{{{q}}} {what} instead of summing over all"),
        )
    if all(w.shape[0] == w.shape[1] for w in W):
        yield (
            tuple(d @ w for d, w in zip(D, W, strict=True)),
            Mistake("transposed", q, f"{{{q}}} has {{W{l + 1}}} where its transpose belongs"),
        )
    yield (
        tuple(
            np.broadcast_to(d.sum(axis=1, keepdims=True) * w.sum(axis=1), (len(d), len(w)))
            for d, w in zip(D, W, strict=True)
        ),
        Mistake("elementwise-for-product", q, f"{{{q}}} multiplies sums where a matrix product belongs"),
    )


def updated(network: Network, l: int, D: Both, gradient: Both) -> Both:
    """What dA of layer l loses for each unit of the learning rate where W of the layer above was updated already."""
    return tuple(-(d @ g.T) for d, g in zip(D, gradient, strict=True))


def slope_mistakes(network: Network, l: int, dA: Both) -> Iterator[tuple[Both, Mistake]]:
    """Wrong forms of what stands where f′(Z) of layer l belongs."""
    q, Zl, Al, f = f"dZ{l}", f"Z{l}", f"A{l}", network.hidden[l - 1]
    Z, A = network.Z[l], network.A[l]

    def says(kind: str, sentence: str, **parameter: object) -> Mistake:
        return Mistake(kind, q, sentence, parameter=parameter)

    with np.errstate(all="ignore"):
        yield (
            tuple(np.ones_like(z) for z in Z),
            says("mask-missing", f"the derivative of {f.name} is missing in {{{q}}}: it is {{dA{l}}} itself"),
        )
        yield (
            tuple(f.derivative(d, f.value(d)) for d in dA),
            says("mask-of-gradient", f"{{{q}}} takes the derivative of {f.name} at {{dA{l}}} instead of {{{Zl}}}"),
        )
        if f.name not in ("ReLU",):
            yield (
                tuple(f.derivative(d, d) for d in dA),
                says("mask-of-gradient", f"{{{q}}} takes the derivative of {f.name} at {{dA{l}}} instead of {{{Zl}}}"),
            )
        yield (
            tuple(f.derivative(a, f.value(a)) for a in A),
            says(
                "derivative-of-activation", f"{{{q}}} takes the derivative of {f.name} at {{{Al}}} instead of {{{Zl}}}"
            ),
        )
        yield (
            tuple(f.derivative(-z, f.value(-z)) for z in Z),
            says("wrong-derivative", f"{{{q}}} takes the derivative of {f.name} at −{{{Zl}}} instead of {{{Zl}}}"),
        )
        yield (
            tuple(f.derivative(z, z) for z in Z),
            says("wrong-operand", f"the derivative of {f.name} in {{{q}}} has {{{Zl}}} where {{{Al}}} belongs"),
        )
        for other in activations():
            if other.name not in (f.name, "identity"):
                words = says(
                    "wrong-derivative",
                    f"{{{q}}} takes the derivative of {other.name}, but the layer's activation is {f.name}",
                    derivative=other.name,
                    activation=f.name,
                )
                if f.name == "identity":
                    words = Mistake(
                        "forward-activation",
                        Al,
                        f"layer {l + 1} goes on with {{{Zl}}} itself, but {{{q}}} takes the derivative of {other.name}",
                        parameter={"activation": other.name},
                    )
                yield tuple(other.derivative(z, other.value(z)) for z in Z), words
                yield tuple(other.derivative(z, a) for z, a in zip(Z, A, strict=True)), words
        for k in range(1, network.depth):
            if k != l and network.width(k) == network.width(l):
                yield (
                    network.slope(k),
                    says("mask-wrong-layer", f"{{{q}}} takes the derivative of layer {k} instead of layer {l}"),
                )
        for k in range(1, network.depth + 1):
            if k != l and network.width(k) == network.width(l):
                for values, name in ((network.Z[k], f"Z{k}"), (network.A[k], f"A{k}")):
                    words = says(
                        "wrong-operand", f"the derivative of {f.name} in {{{q}}} has {{{name}}} where {{{Al}}} belongs"
                    )
                    yield tuple(f.derivative(v, v) for v in values), words
                    yield tuple(f.derivative(v, f.value(v)) for v in values), words
        slope = network.slope(l)
        for form, text in _FORMS:
            yield (
                tuple(np.asarray(form(z, a, s), dtype=np.float64) for z, a, s in zip(Z, A, slope, strict=True)),
                says(
                    "wrong-derivative",
                    f"{{{q}}} takes {text.format(A='{' + Al + '}', Z='{' + Zl + '}')} for the derivative of {f.name}",
                ),
            )


def _positive(x: Array) -> Array:
    return np.asarray((x > 0) * 1.0)


_FORMS: list[tuple[Callable[[Array, Array, Array], Array], str]] = [
    (lambda z, a, s: 1 - a, "1 − {A}"),
    (lambda z, a, s: 1 + a, "1 + {A}"),
    (lambda z, a, s: a, "{A} itself"),
    (lambda z, a, s: z, "{Z} itself"),
    (lambda z, a, s: 1 + a * a, "1 + {A}²"),
    (lambda z, a, s: a * a, "{A}²"),
    (lambda z, a, s: a * (1 + a), "{A} ∘ (1 + {A})"),
    (lambda z, a, s: a * (1 - a), "{A} ∘ (1 − {A})"),
    (lambda z, a, s: 1 - a * a, "1 − {A}²"),
    (lambda z, a, s: 1 - np.abs(a), "1 − |{A}|"),
    (lambda z, a, s: 1 - _positive(z), "1[{Z} ≤ 0]"),
    (lambda z, a, s: _positive(a - 0.5), "1[{A} > ½]"),
    (lambda z, a, s: np.sign(z), "the sign of {Z}"),
    (lambda z, a, s: s * s, "the square of f′({Z})"),
    (lambda z, a, s: 1 - s, "1 − f′({Z})"),
    (lambda z, a, s: np.sqrt(np.abs(s)), "the root of f′({Z})"),
    (lambda z, a, s: s * a, "f′({Z}) ∘ {A}"),
    (lambda z, a, s: s * z, "f′({Z}) ∘ {Z}"),
    (lambda z, a, s: np.exp(-z), "e to −{Z}"),
    (lambda z, a, s: np.exp(z), "e to {Z}"),
    (lambda z, a, s: a / (1 + np.exp(-z)), "{A} ∘ σ({Z})"),
    (lambda z, a, s: 1 - np.tanh(z), "1 − tanh {Z}"),
    (lambda z, a, s: np.tanh(z) ** 2, "tanh² {Z}"),
]
