"""What the gradient of a bias is where its own line is wrong, dZ of its layer being given."""

from collections.abc import Iterator, Mapping

import numpy as np

from chainrule.diagnosis.agreement import Array, Both
from chainrule.diagnosis.forward import Network
from chainrule.diagnosis.hypotheses.weights import PARTS
from chainrule.diagnosis.kinds import Mistake


def bias_mistakes(network: Network, l: int, D: Both, near: Mapping[str, Both]) -> Iterator[tuple[Both, Mistake]]:
    """Wrong forms of the sum of D over the samples, of the shape (fan_out,) or of the shape that the mistake gives."""
    q, here = f"db{l}", f"dZ{l}"

    def total(values: Both) -> Both:
        return tuple(v.sum(axis=0) for v in values)

    def operand(name: str) -> Mistake:
        return Mistake(
            "wrong-operand", q, f"{{{q}}} sums {{{name}}} where {{{here}}} belongs", parameter={"operand": name}
        )

    for name, values in near.items():
        yield total(values), operand(name)
    for values, name in ((network.A[l], f"A{l}"), (network.Z[l], f"Z{l}")):
        yield total(values), operand(name)
    if l == network.depth:
        yield total(network.T), operand("T")
    R = total(D)
    single = all(m == 1 for m in network.m)
    if l == network.depth:
        zero = ", which always gives 0" if network.output.name == "softmax" else ""
        across = Mistake("summed-over-classes", q, f"{{{q}}} is summed over the classes instead of the samples{zero}")
    else:
        across = Mistake(
            "wrong-axis", q, f"{{{q}}} is summed over the units of each sample instead of over the samples"
        )
    collapsed = Mistake(
        "collapsed-scalar", q, f"{{{q}}} is a single number, the sum of {{{here}}} over all its entries"
    )
    yield tuple(np.full_like(r, r.sum()) for r in R), collapsed
    yield tuple(np.full_like(r, r.mean()) for r in R), collapsed
    yield tuple(np.full_like(r, d.mean()) for r, d in zip(R, D, strict=True)), collapsed
    yield tuple(r.mean().reshape(()) for r in R), collapsed
    yield tuple(d.mean().reshape(()) for d in D), collapsed
    # With one sample a sum over the classes is a single number too, and in the output layer it was meant as that.
    yield tuple(r.sum().reshape(()) for r in R), across if single and l == network.depth else collapsed
    if not single:
        unsummed = Mistake("wrong-axis", q, f"{{{q}}} is not summed over the samples: it has an entry for each of them")
        for late in (D, tuple(len(d) * d for d in D)):  # before the 1/m of the mean that comes with the sum
            yield tuple(d.sum(axis=1) for d in late), across
            yield tuple(d.mean(axis=1) for d in late), across
            yield late, unsummed
            yield tuple(d.T for d in late), unsummed
    yield tuple(r[::-1] for r in R), Mistake("permuted-rows", q, f"the entries of {{{q}}} are in reverse order")
    yield tuple(np.roll(r, 1) for r in R), Mistake("permuted-rows", q, f"the entries of {{{q}}} are shifted by one")
    if not single:
        for part, words in PARTS:
            yield (
                total(tuple(d[part] for d in D)),
                Mistake("missing-term", q, f"{{{q}}} sums over {words} instead of all samples"),
            )
            yield (
                total(tuple(len(d) * d[part] for d in D)),
                Mistake("missing-term", q, f"{{{q}}} sums over {words} instead of all samples, without the 1/m"),
            )
        yield (
            tuple(d.max(axis=0) for d in D),
            Mistake("wrong-operand", q, f"{{{q}}} takes the maximum where the sum belongs"),
        )
    yield tuple(np.zeros_like(r) for r in R), Mistake("missing-term", q, f"{{{q}}} is zero: it is never computed")


def as_found(raw: Both) -> Both:
    """The gradient of a bias in the shape in which the wrong forms above come: no axes of length 1."""
    return tuple(_squeezed(array) for array in raw)


def _squeezed(array: Array) -> Array:
    return array.reshape([n for n in array.shape if n != 1])
