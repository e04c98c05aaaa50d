"""Where the mistakes are: the fewest known ones that make the right passes into what the file computes.

From the output down, every quantity is judged given the file's own inputs to it. A quantity in between need not be
seen for that: each hypothesis on dZ of a layer says what dW and db of that layer become, and these are known. What it
does to the layers below is their input, so that consequences are not counted as mistakes.

Certain are the gradients that the file gives. Evidence are its variables: a hypothesis that contradicts a variable of
that name costs more, and a variable whose own dW or db follows from it is the file's dZ even where nothing explains it.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from chainrule.diagnosis.agreement import Both, along, close, factors, is_zero, same_number
from chainrule.diagnosis.evidence import Gradient, Local
from chainrule.diagnosis.forward import Network
from chainrule.diagnosis.hypotheses import (
    below_mistakes,
    bias_mistakes,
    factor_mistakes,
    output_mistakes,
    slope_mistakes,
    weight_mistakes,
)
from chainrule.diagnosis.hypotheses.biases import as_found
from chainrule.diagnosis.hypotheses.hidden import updated
from chainrule.diagnosis.hypotheses.weights import misshapen_mistakes, permuted
from chainrule.diagnosis.kinds import Mistake
from chainrule.diagnosis.objective import Objective

BEAM = 12  # hypotheses on the layers above that are followed down
PAIRED = 4  # of these, for which two mistakes in one quantity are tried
HOPELESS = 3.5  # what a hypothesis may cost beyond the best before it is dropped
AGAIN = 0.3  # what the same mistake costs in another layer: it is one line of a loop
FLOWS = 0.05  # what a mistake in dZ costs beyond one in a leaf
UNKNOWN = 3.0  # a gradient that nothing explains
OWN = 2.2  # a dZ that is seen, and that nothing explains
CONTRADICTS = 0.4  # a variable called dZ2 that is not what the hypothesis says


@dataclass(frozen=True)
class Case:
    """One file under judgement: its passes as they are meant, its loss, and what it computed."""

    network: Network
    objective: Objective
    gradients: dict[str, Gradient]
    backward: dict[int, list[Local]]
    sizes: dict[str, int]
    parameters: frozenset[str]
    first: tuple[Mistake, ...] = ()

    @property
    def m(self) -> tuple[int, ...]:
        return self.network.m


@dataclass(frozen=True)
class Explanation:
    """Mistakes that make the right gradients into the file's.

    unknown   quantities that none of the known mistakes explains
    D, dA     dZ and dA of each layer as the file has them, if the explanation holds
    shown     the gradients that the explanation gives, by quantity
    also      kinds that would give the same numbers, by quantity
    """

    mistakes: tuple[Mistake, ...] = ()
    unknown: tuple[str, ...] = ()
    D: dict[int, Both] = field(default_factory=dict)
    dA: dict[int, Both] = field(default_factory=dict)  # noqa: N815 - the mathematics' name
    shown: dict[str, Both] = field(default_factory=dict)
    also: dict[str, tuple[str, ...]] = field(default_factory=dict)
    extra: float = 0.0

    @property
    def cost(self) -> float:
        total, roles = self.extra, set()
        for mistake in self.mistakes:
            total += AGAIN if mistake.role in roles else 1.0
            total += FLOWS if mistake.quantity[:2] in ("dZ", "dA") else 0.0
            roles.add(mistake.role)
        return total + sum(OWN if name[:2] == "dZ" else UNKNOWN for name in self.unknown)

    def joined(self, mistakes: Sequence[Mistake], unknown: Sequence[str] = (), **changes: Any) -> "Explanation":
        return replace(self, mistakes=(*self.mistakes, *mistakes), unknown=(*self.unknown, *unknown), **changes)


def explain(case: Case) -> Explanation:
    """The explanation with the fewest mistakes; single ones in each quantity first, then pairs."""
    best = _search(case, pairs=False)
    if best.unknown or best.cost >= 1.9:
        other = _search(case, pairs=True)
        best = min(best, other, key=lambda explanation: explanation.cost)
    return best


def _search(case: Case, *, pairs: bool) -> Explanation:
    L = case.network.depth
    beam = _kept(_with_leaves(case, L, Explanation(case.first), _output_candidates(case)))
    for l in range(L - 1, 0, -1):
        followed = []
        for rank, explanation in enumerate(beam):
            candidates = _hidden_candidates(case, l, explanation, pairs=pairs and rank < PAIRED)
            followed += _with_leaves(case, l, explanation, candidates)
        beam = _kept(followed)
    return beam[0]


@dataclass(frozen=True)
class _Candidate:
    """What dZ of a layer may be, and what dA was."""

    D: Both
    dA: Both | None  # noqa: N815 - the mathematics' name
    mistakes: tuple[Mistake, ...] = ()
    unknown: bool = False


def _with_leaves(case: Case, l: int, above: Explanation, candidates: Iterator[_Candidate]) -> list[Explanation]:
    found = []
    for candidate in candidates:
        near = _other_deltas(case, l, above, candidate)
        leaves = {f"dW{l}": _weights(case, l, candidate, near), f"db{l}": _bias(case, l, candidate, near)}
        unknown = [f"dZ{l}"] if candidate.unknown else []
        unknown += [name for name, leaf in leaves.items() if leaf is None]
        known = {name: leaf for name, leaf in leaves.items() if leaf is not None}
        mistakes = [*candidate.mistakes, *(mistake for leaf in known.values() for mistake in leaf.mistakes)]
        also = {**above.also, **{name: leaf.also for name, leaf in known.items() if leaf.also}}
        shown = {**above.shown, **{name: leaf.shown for name, leaf in known.items() if leaf.shown}}
        dA = above.dA if candidate.dA is None else {**above.dA, l: candidate.dA}
        extra = above.extra + (CONTRADICTS if _contradicted(case, l, candidate.D) else 0.0)
        found.append(
            above.joined(mistakes, unknown, D={**above.D, l: candidate.D}, dA=dA, shown=shown, also=also, extra=extra)
        )
    return found


def _kept(explanations: list[Explanation]) -> list[Explanation]:
    """The best, those that say the same of dZ put together; the kinds of the others are kept as `also`."""
    cheapest = min(explanation.cost for explanation in explanations)
    kept: dict[tuple[float, ...], Explanation] = {}
    for explanation in sorted(explanations, key=lambda e: e.cost):
        if explanation.cost > cheapest + HOPELESS:
            break
        key = _signature(explanation)
        if key not in kept:
            kept[key] = explanation
        elif explanation.cost < kept[key].cost + 0.01 and not explanation.unknown:
            also = dict(kept[key].also)
            known = {mistake.kind for mistake in kept[key].mistakes}
            for mistake in explanation.mistakes:
                if mistake.kind not in known:
                    also[mistake.quantity] = tuple(dict.fromkeys((*also.get(mistake.quantity, ()), mistake.kind)))
            kept[key] = replace(kept[key], also=also)
    return list(kept.values())[:BEAM]


def _signature(explanation: Explanation) -> tuple[float, ...]:
    """A few numbers that are the same where all dZ are."""
    found = []
    for both in explanation.D.values():
        for D in both:
            total = float(D.ravel() @ np.cos(np.arange(1, D.size + 1)))
            found.append(float(f"{total:.8g}"))
    return tuple(found)


def _output_candidates(case: Case) -> Iterator[_Candidate]:
    L, network = case.network.depth, case.network
    right = case.objective.delta(network)
    yield _Candidate(right, None)
    yield from _scaled(case, L, right, None, ())
    for value, mistake in output_mistakes(network, case.objective):
        if not _usable(value) or _nearly_right(case, value, right):
            continue
        yield from _scaled(case, L, value, None, (mistake,))
    yield from _own(case, L, None)


def _hidden_candidates(case: Case, l: int, above: Explanation, *, pairs: bool) -> Iterator[_Candidate]:
    network, D = case.network, above.D[l + 1]
    W, slope = network.W[l + 1], network.slope(l)
    gradient = case.gradients.get(f"W{l + 1}")
    dW = None if gradient is None else gradient.value
    dA = tuple(d @ w.T for d, w in zip(D, W, strict=True))
    right = _times(dA, slope)
    yield _Candidate(right, dA)
    yield from _scaled(case, l, right, dA, ())
    below = [(v, s) for v, s in below_mistakes(network, l, D, above.dA.get(l + 1), dW) if _usable(v)]
    if dW is not None:
        below += list(_updated(case, l, D, dW, dA, slope))
    for value, mistake in below:
        yield from _scaled(case, l, _times(value, slope), value, (mistake,))
    for incoming, first in [(dA, ()), *((v, (s,)) for v, s in below)] if pairs else [(dA, ())]:
        for value, mistake in slope_mistakes(network, l, incoming):
            B = _times(incoming, value)
            if _usable(B) and not _nearly_right(case, B, right):
                yield from _scaled(case, l, B, incoming, (*first, mistake))
    yield from _own(case, l, dA)


def _updated(case: Case, l: int, D: Both, dW: Both, dA: Both, slope: Both) -> Iterator[tuple[Both, Mistake]]:
    """dA through weights that were updated already, at the rate that the gradient below shows."""
    network = case.network
    lost = updated(network, l, D, dW)
    for name, right, direction in _leaves(case, l, _times(dA, slope), _times(lost, slope)):
        gradient = case.gradients.get(name)
        if gradient is None or gradient.value is None:
            continue
        rates = along(gradient.value, right, direction)
        if rates is None or not (same_number(rates) or _same_over_m(rates, case.m)) or abs(rates[0]) < 1e-9:
            continue
        value = tuple(a + rate * b for a, rate, b in zip(dA, rates, lost, strict=True))
        yield (
            value,
            Mistake(
                "updated-weights",
                f"dA{l}",
                f"{{dA{l}}} goes through {{W{l + 1}}} after its update with the rate {rates[0]:.4g}; it belongs before",
                parameter={"rate": rates[0]},
            ),
        )
        return


def _same_over_m(numbers: Sequence[float], m: Sequence[int]) -> bool:
    return same_number(tuple(c * k for c, k in zip(numbers, m, strict=True)))


def _leaves(case: Case, l: int, D: Both, direction: Both) -> list[tuple[str, Both, Both]]:
    """By parameter of layer l: its gradient where dZ is D, and what a step of dZ along `direction` adds to it."""
    A, (lam, mu) = case.network.A[l - 1], (case.objective.penalty(l), case.objective.mu)
    W, b = case.network.W[l], case.network.b[l]
    return [
        (
            f"W{l}",
            tuple(a.T @ d + k * w for a, d, k, w in zip(A, D, lam, W, strict=True)),
            tuple(a.T @ d for a, d in zip(A, direction, strict=True)),
        ),
        (
            f"b{l}",
            tuple(d.sum(axis=0) + k * c for d, k, c in zip(D, mu, b, strict=True)),
            tuple(d.sum(axis=0) for d in direction),
        ),
    ]


def _scaled(case: Case, l: int, B: Both, dA: Both | None, mistakes: tuple[Mistake, ...]) -> Iterator[_Candidate]:
    """B times the numbers that the gradients of the layer show; B itself where a variable shows it."""
    tried: list[tuple[float, ...]] = []
    zero = tuple(np.zeros_like(b) for b in B)
    for name, penalty, part in _leaves(case, l, zero, B):
        gradient = case.gradients.get(name)
        if gradient is None or gradient.value is None:
            continue
        data = tuple(g - p for g, p in zip(gradient.value, penalty, strict=True))
        r = factors(data, part)
        if (
            r is None
            or not all(r)
            or any(same_number((1.0, *(x / y for x, y in zip(r, other, strict=True)))) for other in tried)
        ):
            continue
        tried.append(r)
        quantity = f"dZ{l}"
        if dA is not None and not mistakes and _shown(case, l, dA, r):
            quantity = f"dA{l}"
        found = factor_mistakes(r, case.m, quantity, case.sizes, plain=bool(mistakes))
        if found is None or (not mistakes and not found):
            continue
        D = tuple(x * b for x, b in zip(r, B, strict=True))
        yield _Candidate(D, dA, (*mistakes, *found))
    if not mistakes:
        yield from _scaled_as_seen(case, l, B, dA, tried)
    if mistakes and not any(same_number((1.0, *r)) for r in tried) and _seen(case, l, B):
        yield _Candidate(B, dA, mistakes)


def _scaled_as_seen(
    case: Case, l: int, B: Both, dA: Both | None, tried: list[tuple[float, ...]]
) -> Iterator[_Candidate]:
    """B times the numbers that variables show, before or after the 1/m of the mean, where no gradient shows them."""
    for local in case.backward.get(l, []):
        r = factors(local.value, B)
        if r is None or not all(r) or local.value[0].size < 2:
            continue
        for numbers in (r, tuple(x / m for x, m in zip(r, case.m, strict=True))):
            if any(same_number((1.0, *(x / y for x, y in zip(numbers, other, strict=True)))) for other in tried):
                continue
            tried.append(numbers)
            found = factor_mistakes(numbers, case.m, f"dZ{l}", case.sizes, plain=True)
            if found and len(found) == 1:
                yield _Candidate(tuple(x * b for x, b in zip(numbers, B, strict=True)), dA, found)


def _shown(case: Case, l: int, dA: Both, r: tuple[float, ...]) -> bool:
    """Whether a variable holds dA times r (before or after the 1/m of the mean), so that the factor came before."""
    for local in case.backward.get(l, []):
        found = factors(local.value, dA)
        if found is not None and not same_number((1.0, *found)):
            rest = tuple(x / y for x, y in zip(found, r, strict=True))
            if same_number((1.0, *rest)) or case.objective.before_mean(rest, case.m):
                return True
    return False


def _own(case: Case, l: int, dA: Both | None) -> Iterator[_Candidate]:
    """Variables of the file that are its dZ, as its own dW or db shows, whatever they hold."""
    for local in case.backward.get(l, []):
        zero = tuple(np.zeros_like(v) for v in local.value)
        for name, penalty, part in _leaves(case, l, zero, local.value):
            gradient = case.gradients.get(name)
            if gradient is None or gradient.value is None or gradient.value[0].size < 2:
                continue
            r = factors(tuple(g - p for g, p in zip(gradient.value, penalty, strict=True)), part)
            if r is None or not all(r):
                continue
            if same_number((1.0, *r)) or case.objective.before_mean(tuple(1 / x for x in r), case.m):
                yield _Candidate(tuple(x * v for x, v in zip(r, local.value, strict=True)), dA, unknown=True)
                break


def _seen(case: Case, l: int, B: Both) -> bool:
    """Whether a variable holds B, or a plain multiple of it."""
    for local in case.backward.get(l, []):
        r = factors(local.value, B)
        if r is None or local.value[0].size < 2:
            continue
        if factor_mistakes(r, case.m, "", case.sizes, plain=True) is not None or case.objective.before_mean(r, case.m):
            return True
    return False


_NAMED = re.compile(r"(?:d|delta|grad|error|err|g)_?(?:z|Z|k|a_in)?_?(\d)$")


def _contradicted(case: Case, l: int, D: Both) -> bool:
    """Whether a variable that is called dZ of this layer is no multiple of D."""
    called = [local for local in case.backward.get(l, []) if _is_delta(local.variable.name, l)]
    return bool(called) and all(factors(local.value, D) is None for local in called)


def _is_delta(name: str, l: int) -> bool:
    match = _NAMED.fullmatch(re.sub(r"^.*[.\[]|[\]\"']", "", name))
    return match is not None and int(match.group(1)) == l and re.search(r"[zZ]|delta", name) is not None


@dataclass(frozen=True)
class _Leaf:
    """What explains a dW or db: mistakes, what they make of the right one, and kinds that say the same."""

    mistakes: tuple[Mistake, ...] = ()
    shown: Both = ()
    also: tuple[str, ...] = ()


_Option = tuple[tuple[Mistake, ...], Both]


def _other_deltas(case: Case, l: int, above: Explanation, candidate: _Candidate) -> dict[str, Both]:
    """What may be taken for dZ of layer l by mistake: its dA, and dZ of other layers of the same width."""
    network = case.network
    found = {} if candidate.dA is None else {f"dA{l}": candidate.dA}
    found |= {f"dZ{k}": D for k, D in above.D.items() if network.width(k) == network.width(l)}
    if l > 1 and network.width(l - 1) == network.width(l):
        dA = tuple(d @ w.T for d, w in zip(candidate.D, network.W[l], strict=True))
        found[f"dZ{l - 1}"] = _times(dA, network.slope(l - 1))
    return found


def _weights(case: Case, l: int, candidate: _Candidate, near: dict[str, Both]) -> _Leaf | None:
    """What explains dW of layer l; None where nothing does."""
    q, gradient = f"dW{l}", case.gradients.get(f"W{l}")
    if gradient is None:
        return _Leaf((Mistake("missing-term", q, f"{{{q}}} is not among the gradients that the file gives"),))
    before: tuple[Mistake, ...] = ()
    if gradient.fault == "transposed":
        before = (Mistake("transposed", q, f"{{{q}}} has the shape of {{W{l}}} transposed"),)
    network, W, lam = case.network, case.network.W[l], case.objective.penalty(l)
    if gradient.value is None:
        none = tuple(np.zeros(()) for _ in W)
        return _chosen(_among(case, q, gradient.raw, misshapen_mistakes(network, l, candidate.D), none, none), ())
    R = tuple(a.T @ d for a, d in zip(network.A[l - 1], candidate.D, strict=True))
    penalty = tuple(k * w for k, w in zip(lam, W, strict=True))
    V, whole = gradient.value, _sum(R, penalty)
    if close(V, whole):
        return _Leaf(before, whole)
    options = _factored(case, q, V, R, penalty)
    if any(lam):
        options += _factored(case, q, V, whole, tuple(0 * p for p in penalty))
    c = along(V, R, W)
    if c is not None:
        shown = tuple(r + k * w for r, k, w in zip(R, c, W, strict=True))
        options += [(found, shown) for found in _penalised(case, q, f"W{l}", c)]
    c = along(V, R, tuple(np.sign(w) for w in W))
    if c is not None and (same_number(c) or _same_over_m(c, case.m)):
        words = f"the penalty in {{{q}}} is the derivative of |{{W{l}}}|, not of its square"
        options.append(((Mistake("l2-factor", q, words),), V))
    options += _among(case, q, V, weight_mistakes(network, l, candidate.D, near), R, penalty)
    data = tuple(g - p for g, p in zip(V, penalty, strict=True))
    if not options and permuted(data, R):
        options.append(((Mistake("permuted-rows", q, f"the rows or columns of {{{q}}} are in another order"),), V))
    return _chosen(options, before)


def _bias(case: Case, l: int, candidate: _Candidate, near: dict[str, Both]) -> _Leaf | None:
    """As `_weights`, of db."""
    q, gradient = f"db{l}", case.gradients.get(f"b{l}")
    if f"b{l}" not in case.parameters:
        return _Leaf()
    if gradient is None:
        return _Leaf((Mistake("missing-term", q, f"{{{q}}} is not among the gradients that the file gives"),))
    network, b, mu = case.network, case.network.b[l], case.objective.mu
    R = tuple(d.sum(axis=0) for d in candidate.D)
    penalty = tuple(k * x for k, x in zip(mu, b, strict=True))
    before: tuple[Mistake, ...] = ()
    if gradient.fault == "transposed":
        before = (Mistake("transposed", q, f"{{{q}}} has a shape that makes {{b{l}}} grow to a matrix in the update"),)
    V, options = gradient.value, []
    if V is not None:
        whole = _sum(R, penalty)
        if close(V, whole):
            return _Leaf(before, whole)
        options += _factored(case, q, V, R, penalty)
        c = along(V, R, b)
        if c is not None and not any(mu):
            shown = tuple(r + k * w for r, k, w in zip(R, c, b, strict=True))
            options += [(found, shown) for found in _penalised(case, q, f"b{l}", c)]
    none = tuple(np.zeros(()) for _ in R)
    held = V if V is not None else as_found(gradient.raw)
    if all(not h.any() for h in held):
        zero = is_zero(tuple(r.sum().reshape(1) for r in R))  # the sum over the classes of a softmax is 0 as well
        also = ("collapsed-scalar", "summed-over-classes") if zero else ()
        return _Leaf((Mistake("missing-term", q, f"{{{q}}} is zero: it is never computed"),), held, also)
    options += _among(case, q, held, bias_mistakes(network, l, candidate.D, near), R, none)
    return _chosen(options, before)


def _factored(case: Case, q: str, observed: Both, right: Both, rest: Both) -> list[_Option]:
    """`observed` as a multiple of `right`, beside the `rest` that is as it should be."""
    r = factors(tuple(o - p for o, p in zip(observed, rest, strict=True)), right)
    found = None if r is None else factor_mistakes(r, case.m, q, case.sizes)
    if r is None or found is None:
        return []
    return [(found, tuple(x * v + p for x, v, p in zip(r, right, rest, strict=True)))]


def _among(
    case: Case, q: str, observed: Both, hypotheses: Iterator[tuple[Both, Mistake]], right: Both, rest: Both
) -> list[_Option]:
    found: list[_Option] = []
    for value, mistake in hypotheses:
        if not all(np.isfinite(v).all() for v in value) or _nearly_right(case, value, right):
            continue
        whole = _sum(value, rest)
        if close(observed, whole):
            found.append(((mistake,), whole))
        elif all(o.size > 1 and o.shape == w.shape for o, w in zip(observed, whole, strict=True)):
            found += [((mistake, *more), shown) for more, shown in _factored_plainly(case, q, observed, value, rest)]
    return found


def _factored_plainly(case: Case, q: str, observed: Both, value: Both, rest: Both) -> list[_Option]:
    r = factors(tuple(o - p for o, p in zip(observed, rest, strict=True)), value)
    found = None if r is None else factor_mistakes(r, case.m, q, case.sizes, plain=True)
    if r is None or found is None:
        return []
    return [(found, tuple(x * v + p for x, v, p in zip(r, value, rest, strict=True)))]


def _sum(a: Both, b: Both) -> Both:
    return tuple(x + y for x, y in zip(a, b, strict=True))


def _penalised(case: Case, q: str, parameter: str, c: tuple[float, ...]) -> list[tuple[Mistake, ...]]:
    """What c · W in a gradient says, beside the λ of the loss."""
    lam, m = case.objective.penalty(int(parameter[1:])), case.m

    def says(kind: str, sentence: str) -> list[tuple[Mistake, ...]]:
        return [(Mistake(kind, q, sentence, parameter={"lambda": c[0]}),)]

    steady = same_number(c) or _same_over_m(c, m)
    if parameter[0] == "b":
        return (
            says("l2-on-biases", f"{{{q}}} has a term {c[0]:.4g} {{{parameter}}}: the bias is penalised")
            if steady
            else []
        )
    if not all(lam):
        return (
            says("l2-not-in-loss", f"{{{q}}} has a term {c[0]:.4g} {{{parameter}}} that the loss has not")
            if steady
            else []
        )
    r = tuple(x / y for x, y in zip(c, lam, strict=True))
    if all(abs(x) < 1e-6 for x in r):
        return says("l2-missing", f"the derivative λ {{{parameter}}} of the penalty is missing in {{{q}}}")
    if same_number((2.0, *r)):
        return says(
            "l2-doubled",
            f"the derivative of the penalty is there twice in {{{q}}}: 2λ {{{parameter}}} for λ {{{parameter}}}",
        )
    if same_number((1.0, *(x * k for x, k in zip(r, m, strict=True)))) and len(set(m)) > 1:
        return says("l2-divided", f"the derivative of the penalty is divided by m once too often in {{{q}}}")
    if same_number(r) or _same_over_m(r, m) or same_number(tuple(x / k for x, k in zip(r, m, strict=True))):
        return says("l2-factor", f"the derivative of the penalty in {{{q}}} is {r[0]:.4g} times λ {{{parameter}}}")
    return []


def _chosen(options: list[_Option], before: tuple[Mistake, ...]) -> _Leaf | None:
    """The shortest, the first of equals; and the kinds of its equals."""
    if not options:
        return None
    best, shown = min(options, key=lambda option: len(option[0]))
    also = [mistake.kind for other, _ in options if len(other) == len(best) for mistake in other]
    kinds = {mistake.kind for mistake in best}
    return _Leaf((*before, *best), shown, tuple(kind for kind in dict.fromkeys(also) if kind not in kinds))


def _nearly_right(case: Case, value: Both, right: Both) -> bool:
    """Whether a wrong form is the right one at these points, or a plain multiple of it, so that it says nothing new."""
    r = factors(value, right)
    return r is not None and factor_mistakes(r, case.m, "", case.sizes) is not None


def _times(dA: Both, slope: Both) -> Both:
    return tuple(a * f for a, f in zip(dA, slope, strict=True))


def _usable(value: Both) -> bool:
    return all(np.isfinite(v).all() for v in value) and any(np.abs(v).max(initial=0.0) > 0 for v in value)
