"""What the gradient of a weight matrix is where its own line is wrong, dZ of its layer being given."""

from collections.abc import Callable, Iterator, Mapping

import numpy as np

from chainrule.diagnosis.agreement import Array, Both
from chainrule.diagnosis.forward import Network
from chainrule.diagnosis.kinds import Mistake


def weight_mistakes(network: Network, l: int, D: Both, near: Mapping[str, Both]) -> Iterator[tuple[Both, Mistake]]:
    """Wrong forms of the part Aᵀ dZ of dW of layer l, where D is dZ and `near` what may stand for it."""
    q, below, here = f"dW{l}", f"A{l - 1}", f"dZ{l}"
    A = network.A[l - 1]

    def product(left: Both, right: Both) -> Both:
        return tuple(a.T @ b for a, b in zip(left, right, strict=True))

    def operand(name: str, belongs: str) -> Mistake:
        return Mistake(
            "wrong-operand", q, f"{{{q}}} has {{{name}}} where {{{belongs}}} belongs", parameter={"operand": name}
        )

    if l > 1:
        yield product(network.Z[l - 1], D), operand(f"Z{l - 1}", below)
        with np.errstate(all="ignore"):
            slope = network.slope(l - 1)
            yield (
                product(slope, D),
                Mistake("wrong-operand", q, f"{{{q}}} has the derivative f′({{Z{l - 1}}}) where {{{below}}} belongs"),
            )
            yield (
                product(tuple(np.asarray((z > 0) * 1.0) for z in network.Z[l - 1]), D),
                Mistake("wrong-operand", q, f"{{{q}}} has the mask 1[{{Z{l - 1}}} > 0] where {{{below}}} belongs"),
            )
            yield (
                product(tuple(a * s for a, s in zip(A, slope, strict=True)), D),
                Mistake("wrong-operand", q, f"{{{q}}} has {{{below}}} ∘ f′({{Z{l - 1}}}) where {{{below}}} belongs"),
            )
            function = network.hidden[l - 2]
            yield (
                product(tuple(function.value(a) for a in A), D),
                Mistake("wrong-operand", q, f"{{{q}}} has {{{below}}} passed through {function.name} once more"),
            )
    for name, values in near.items():
        yield product(A, values), operand(name, here)
    for values, name in ((network.A[l], f"A{l}"), (network.Z[l], f"Z{l}")):
        yield product(A, values), operand(name, here)
    if l == network.depth:
        yield product(A, network.T), operand("T", here)
    for k in range(1, network.depth + 1):
        if k != l and network.width(k - 1) == network.width(l - 1):
            yield product(network.A[k - 1], D), operand(f"A{k - 1}", below)
    for k in range(1, network.depth + 1):
        if k != l - 1 and network.width(k) == network.width(l - 1):
            yield product(network.Z[k], D), operand(f"Z{k}", below)
            if k == network.depth:
                yield product(network.A[k], D), operand(f"A{k}", below)
    R = product(A, D)
    if all(r.shape[0] == r.shape[1] for r in R):
        yield tuple(r.T for r in R), Mistake("transposed", q, f"{{{q}}} is transposed")
    reread = f"the entries of {{{below}}} are reshaped where they should be transposed in {{{q}}}"
    for again in (tuple(a.T.reshape(a.shape) for a in A), tuple(a.reshape(a.shape[::-1]).T for a in A)):
        yield product(again, D), Mistake("permuted-rows", q, reread)
    for order, words in _ORDERS:
        yield tuple(order(r) for r in R), Mistake("permuted-rows", q, f"the {words} of {{{q}}} are in another order")
        yield (
            product(tuple(order(a) for a in A), D),
            Mistake(
                "permuted-rows",
                q,
                f"the {words.replace('rows', 'samples')} of {{{below}}} are in another order in {{{q}}}",
            ),
        )
    for part, words in PARTS:
        yield (
            product(tuple(a[part] for a in A), tuple(d[part] for d in D)),
            Mistake("missing-term", q, f"{{{q}}} sums over {words} instead of all samples"),
        )
    apart = f"{{{q}}} multiplies the sums over the samples instead of summing the products"
    for count in (1, 0):  # sums, or a mean and a sum
        parts = zip(A, D, strict=True)
        values = tuple(np.outer(a.sum(axis=0), d.sum(axis=0)) / len(a) ** (1 - count) for a, d in parts)
        yield values, Mistake("elementwise-for-product", q, apart)
    yield tuple(np.zeros_like(r) for r in R), Mistake("missing-term", q, f"{{{q}}} is zero: it is never computed")


def misshapen_mistakes(network: Network, l: int, D: Both) -> Iterator[tuple[Both, Mistake]]:
    """Wrong forms of dW whose shape is not even that of the weights."""
    q, below = f"dW{l}", f"A{l - 1}"
    operands = [(network.A[k], f"A{k}") for k in range(network.depth + 1) if k != l - 1]
    operands += [(network.Z[k], f"Z{k}") for k in range(1, network.depth + 1)]
    for values, name in operands:
        R = tuple(a.T @ d for a, d in zip(values, D, strict=True))
        mistake = Mistake(
            "wrong-operand", q, f"{{{q}}} has {{{name}}} where {{{below}}} belongs", parameter={"operand": name}
        )
        yield R, mistake
        yield tuple(r.T for r in R), mistake


def permuted(observed: Both, right: Both) -> bool:
    """Whether the rows, or the columns, of `observed` are those of `right` in one other order at all points."""
    return _reordered(observed, right) or _reordered(tuple(o.T for o in observed), tuple(r.T for r in right))


def _reordered(observed: Both, right: Both) -> bool:
    order = None
    for o, r in zip(observed, right, strict=True):
        if o.shape != r.shape or len(o) < 2:
            return False
        gaps = np.abs(o[:, None, :] - r[None, :, :]).max(axis=2)
        nearest = gaps.argmin(axis=1)
        if gaps.min(axis=1).max() > 1e-6 * max(float(np.abs(r).max()), 1e-12) or len(set(nearest)) < len(nearest):
            return False
        if order is not None and not np.array_equal(order, nearest):
            return False
        order = nearest
    return True


_ORDERS: list[tuple[Callable[[Array], Array], str]] = [
    (lambda x: x[::-1], "rows"),
    (lambda x: x[:, ::-1], "columns"),
    (lambda x: np.roll(x, 1, axis=0), "rows"),
    (lambda x: np.roll(x, -1, axis=0), "rows"),
]

PARTS = [
    (slice(-1, None), "the last sample alone"),
    (slice(0, 1), "the first sample alone"),
    (slice(0, -1), "all samples but the last"),
    (slice(1, None), "all samples but the first"),
]
"""Parts of the samples that a sum may run over by mistake."""
