"""The numbers behind one gradient: the products that the chain rule multiplies, for each sample, and their sum.

In inference mode the loss is the mean of the samples' own losses ℓ, so that each sample has its own chain,

    ∂ℓ/∂W1[j,k] = A0[i,j] · f′(Z1[i,k]) · ∂ℓ/∂A1[i,k],     ∂ℓ/∂A1[i,k] = Σ_q W2[k,q] · ∂ℓ/∂Z2[i,q],

and so on up to the outputs, where ∂ℓ/∂Z = A − T.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from chainrule.errors import InputError, shown, unknown_name
from chainrule.gradcheck.checking import in_float64, least_noise, refuse_infinite
from chainrule.gradcheck.judging import Evaluate, Verdict, judge_entry, noise_of
from chainrule.network import Layer, Network, Structure, forward_pass, penalty
from chainrule.network.passes import EPSILON
from chainrule.specs import number as checked_number
from chainrule.specs import whole

Floats = NDArray[np.float64]

MOST_TERMS = 6  # of a sum, and sums of a layer, that are written out
MOST_SAMPLES = 20  # that are listed one by one
_ENTRY = re.compile(r"\s*([A-Za-z]+)(\d{1,9})\s*\[\s*(\d{1,9})\s*(?:,\s*(\d{1,9})\s*)?\]\s*")


@dataclass(frozen=True)
class Factor:
    """One factor of a product: how it is written, and its value (in `digits` where that is more than a number)."""

    symbol: str
    number: float
    digits: str = ""

    @property
    def below(self) -> str:
        return self.digits or number(self.number)


@dataclass(frozen=True)
class Term:
    """A product."""

    factors: tuple[Factor, ...]

    @property
    def number(self) -> float:
        return float(np.prod([factor.number for factor in self.factors]))


@dataclass(frozen=True)
class Equation:
    """`name` = the sum of the terms; of long sums the `others`, with the smallest products, are only counted."""

    name: str
    terms: tuple[Term, ...]
    number: float
    others: int = 0

    @property
    def remainder(self) -> float:
        return self.number - sum(term.number for term in self.terms)


@dataclass(frozen=True)
class Explanation:
    """What stands behind one entry of a gradient; printable.

    of         the entry: W1[3,5]
    equations  for `sample`: the entry's own product first, then every sum in it, up to the outputs
    heads      how the factors of the entry's product are written for a sample i
    factors    (m, n): their values, a row a sample; products (m,): what each sample gives
    gradient   their mean, with the penalty's part
    numeric    the finite difference; NaN where a kink lies beside the point
    """

    of: str
    sample: int
    equations: tuple[Equation, ...]
    heads: tuple[str, ...]
    factors: Floats
    products: Floats
    penalty: float
    gradient: float
    verdict: Verdict
    notes: tuple[str, ...]

    @property
    def numeric(self) -> float:
        return self.verdict.slope.value if self.verdict.rule != "kinked" else float("nan")

    @property
    def ok(self) -> bool:
        """Whether the finite difference agrees, or cannot be taken for a kink."""
        return self.verdict.rule != ""

    @property
    def summary(self) -> list[str]:
        """The mean, the penalty, the gradient and the finite difference, a line each."""
        m = len(self.products)
        lines = [f"mean of {m} sample{'s' * (m != 1)}  {number(self.products.sum())} / {m} = {number(self.mean)}"]
        if self.penalty:
            lines.append(f"penalty  λ · {self.of} = {number(self.penalty)}")
        lines.append(f"∂L/∂{self.of} = {self.gradient + 0.0!r}")
        if self.verdict.rule == "kinked":
            return [*lines, "finite difference: none, for a kink lies beside this point"]
        gap = abs(self.gradient - self.numeric)
        agree = "they agree" if self.ok else "they DISAGREE"
        step = self.verdict.slope.step
        return [*lines, f"finite difference = {self.numeric!r}  (h = {step:.0e}; {agree}, gap {gap:.1e})"]

    @property
    def mean(self) -> float:
        return float(self.products.mean())

    def listed(self) -> tuple[list[int], list[int]]:
        """The samples that are listed, the explained one and those with the greatest products, and the others."""
        m = len(self.products)
        if m <= MOST_SAMPLES:
            return list(range(m)), []
        order = [self.sample, *(int(i) for i in np.argsort(-np.abs(self.products), kind="stable") if i != self.sample)]
        return sorted(order[:MOST_SAMPLES]), order[MOST_SAMPLES:]

    def __str__(self) -> str:
        blocks = [f"∂ℓ/∂{self.of} for sample {self.sample}, one product after the other", ""]
        for equation in self.equations:
            blocks += [*_equation_lines(equation), ""]
        if len(self.products) > 1:
            blocks += [*self._table_lines(), ""]
        return "\n".join([*blocks, *self.summary, *([""] if self.notes else []), *self.notes])

    def to_json(self) -> dict[str, Any]:
        """Plain data."""
        return {
            "of": self.of,
            "sample": self.sample,
            "equations": [
                {
                    "name": equation.name,
                    "value": equation.number,
                    "terms": [{f.symbol: f.number for f in term.factors} for term in equation.terms],
                    "other_terms": equation.others,
                }
                for equation in self.equations
            ],
            "products": self.products.tolist(),
            "penalty": self.penalty,
            "gradient": self.gradient,
            "numeric": None if np.isnan(self.numeric) else self.numeric,
            "ok": self.ok,
            "notes": list(self.notes),
        }

    def _repr_html_(self) -> str:
        parts = [f"<h3>∂ℓ/∂{escape(self.of)} for sample {self.sample}</h3>"]
        parts += [_equation_html(equation) for equation in self.equations]
        if len(self.products) > 1:
            head, *rows = self._table()
            parts.append(
                f"<table><thead>{_row('th', head)}</thead><tbody>{''.join(_row('td', r) for r in rows)}</tbody></table>"
            )
        return "".join([*parts, *(f"<p>{escape(line)}</p>" for line in (*self.summary, *self.notes))])

    def _table(self) -> Iterator[list[str]]:
        listed, others = self.listed()
        yield ["sample", *self.heads, "product"]
        for i in listed:
            yield [str(i), *map(number, self.factors[i]), number(self.products[i])]
        if others:
            yield [f"{len(others)} others", *([""] * len(self.heads)), number(self.products[others].sum())]
        yield ["sum", *([""] * len(self.heads)), number(self.products.sum())]

    def _table_lines(self) -> list[str]:
        rows = list(self._table())
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        return ["  ".join(cell.rjust(w) for cell, w in zip(row, widths, strict=True)) for row in rows]


def explain(net: Network, x: ArrayLike, y: Any, of: str, sample: int = 0, *, l2: float = 0.0) -> Explanation:
    """The products behind one entry of the gradient of the loss of (x, y), and the finite difference beside it.

    of      a parameter, "W1[3,5]", "b1[3]", "gamma1[3]"; an input, "A0[3]"; a hidden unit, "Z1[3]" or "A1[3]".
            Inputs and units are those of `sample`, or of the first of two indices: "A0[7,3]"
    sample  the one whose chain is written out; the others are listed

    The network counts in inference mode and in float64. Raises UnknownNameError for a name that it does not have, and
    InputError for an index outside the shape, for what cannot be read, for x or y that do not fit, and where they, the
    parameters or the loss are not finite.
    """
    l2 = checked_number("l2", l2, 0.0)
    with np.errstate(all="ignore"):
        return _Explainer(*in_float64(net, x, y), l2).explained(of, sample)


def number(value: float) -> str:
    """Seven digits, which is what fits below a symbol."""
    return f"{value + 0.0:.7g}"


class _Explainer:
    """A network with all values and gradients of one pass; gradients are those of each sample's own loss."""

    def __init__(self, net: Network, X: Floats, T: Floats, l2: float) -> None:
        self.net, self.X, self.T, self.l2 = net, X, T, l2
        self.layers = net.structure.layers
        self.last = len(self.layers)
        refuse_infinite(self._loss(X)[0])
        self.trace = net.forward(X)
        self.gradients = net.backward(self.trace, T, l2=l2, wrt_input=True)
        self.deltas = {name: len(X) * delta for name, delta in self.gradients.deltas.items()}

    def explained(self, of: str, sample: int) -> Explanation:
        name, index = self._parsed(of)
        sample = whole("sample", sample)
        values = [name for name in self.deltas if name[0] in "AZU"]
        if name in values:
            return self._of_value(name, index, sample)
        shapes = {parameter: P.shape for parameter, P in self.net.parameters().items()}
        if name not in shapes:
            raise unknown_name("parameter or value", name, [*shapes, *values])
        self._refuse_outside(name, index, shapes[name])
        self._refuse_sample(sample)
        return self._of_parameter(name, index, sample)

    def _of_parameter(self, name: str, index: tuple[int, ...], i: int) -> Explanation:
        layer = self.layers[int(re.sub(r"\D", "", name)) - 1]
        of = f"{name}[{','.join(map(str, index))}]"
        terms = [self._product(name, layer, index, row) for row in range(len(self.X))]
        products = np.array([term.number for term in terms])
        P = self.net.parameters()[name]
        decay = self.l2 * float(P[index]) if name[0] == "W" else 0.0
        verdict = self._judge(P, index, float(self.gradients[name][index]), lambda: self._loss(self.X))
        own = Equation(f"∂ℓ/∂{of}", (terms[i],), products[i])
        notes = self._notes(of, terms[i], i, layer, index[-1])
        if not products.any():
            notes.append(f"No sample's loss depends on {of} here: every product is 0.")
        return Explanation(
            of,
            i,
            (own, *self._sums(layer, i, index[-1])),
            tuple(_for_any_sample(factor.symbol, i) for factor in terms[i].factors),
            np.array([[factor.number for factor in term.factors] for term in terms]),
            products,
            decay,
            float(self.gradients[name][index]),
            verdict,
            tuple(notes),
        )

    def _of_value(self, name: str, index: tuple[int, ...], sample: int) -> Explanation:
        i, k = (sample, index[0]) if len(index) == 1 else (index[0], index[1])
        self._refuse_sample(i)
        self._refuse_outside(name, (i, k), self.deltas[name].shape)
        l, m = int(name[1:]), len(self.X)
        layer = self.layers[l - 1] if l else None
        of = f"{name}[{i},{k}]"
        if name[0] == "A":
            sums = list(self._sums(layer, i, k))
            own, rest = sums[0], sums[1:]
        else:
            assert layer is not None
            own = Equation(f"∂ℓ/∂{of}", (Term(self._above(name[0], layer, i, k)),), float(self.deltas[name][i, k]))
            rest = list(self._sums(layer, i, k))
        gradient = float(self.deltas[name][i, k] / m)
        products = np.zeros(m)
        products[i] = own.number
        notes = self._notes(of, own.terms[0], i, layer, k) if len(own.terms) == 1 and layer is not None else []
        if not own.number:
            notes.append(f"The loss of sample {i} does not depend on {of} here: its gradient is 0.")
        V = np.array(self.trace[name])
        verdict = self._judge(V, (i, k), gradient, lambda: self._loss(V, name[0], l))
        if m > 1:
            notes.append(f"Only the loss of sample {i} depends on {of}.")
        return Explanation(
            of,
            i,
            (own, *rest),
            (f"∂ℓ/∂{of}",),
            products[:, None],
            products,
            0.0,
            gradient,
            verdict,
            tuple(notes),
        )

    def _judge(self, V: Floats, index: tuple[int, ...], gradient: float, evaluate: Evaluate) -> Verdict:
        arrays = [*self.net.parameters().values()]
        noise = noise_of(
            evaluate,
            arrays if any(V is P for P in arrays) else [*arrays, V],
            np.random.default_rng(0),
            least_noise(self.net),
        )
        return judge_entry(V, index, gradient, evaluate, noise)

    def _product(self, name: str, layer: Layer, index: tuple[int, ...], i: int) -> Term:
        """∂ℓ/∂(a parameter) of sample i as one product: what the parameter multiplies, and what comes from above."""
        l, k = layer.index, index[-1]
        if name[0] == "W":
            return Term((self._value(f"A{l - 1}", i, index[0]), *self._above("Z", layer, i, k)))
        if name.startswith("gamma"):
            return Term((self._value(f"N{l}", i, k), *self._above("U", layer, i, k)))
        return Term(self._above("U" if name.startswith("beta") else "Z", layer, i, k))

    def _above(self, kind: str, layer: Layer, i: int, k: int) -> tuple[Factor, ...]:
        """The factors of ∂ℓ/∂Z[i,k] or ∂ℓ/∂U[i,k]: the layer's own slope, and the sum that comes from above."""
        l = layer.index
        if layer.activation is None:
            return (self._at_output(i, k),)
        inner = f"U{l}" if layer.batch_norm else f"Z{l}"
        z, a = self.trace[inner], self.trace[f"A{l}"]
        slope = float(np.broadcast_to(layer.activation.derivative(z, a), z.shape)[i, k])
        rule = layer.activation.name.split("(")[0]
        chain = (Factor(f"{rule}′({inner}[{i},{k}])", slope), Factor(f"∂ℓ/∂A{l}[{i},{k}]", self.deltas[f"A{l}"][i, k]))
        if kind == "U" or not layer.batch_norm:
            return chain
        spread = 1 / np.sqrt(self.net.statistics()[f"variance{l}"][k] + EPSILON)
        return (self._parameter(f"gamma{l}", k), Factor(f"1/√(variance{l}[{k}] + ε)", float(spread)), *chain)

    def _at_output(self, i: int, k: int) -> Factor:
        """A − T in the matched pairs; for another output its own delta."""
        L = self.last
        a, t, delta = float(self.trace[f"A{L}"][i, k]), float(self.T[i, k]), float(self.deltas[f"Z{L}"][i, k])
        if abs(delta - (a - t)) > 1e-12 * max(1.0, abs(delta)):
            return Factor(f"∂ℓ/∂Z{L}[{i},{k}]", delta)
        return Factor(
            f"(A{L}[{i},{k}] − T[{i},{k}])", a - t, f"({number(a)} − {number(t) if t >= 0 else f'({number(t)})'})"
        )

    def _sums(self, layer: Layer | None, i: int, k: int) -> Iterator[Equation]:
        """∂ℓ/∂A[i,k] of the layer, and of those units of the layers above that weigh most in it."""
        l = layer.index if layer else 0
        units = [k]
        for above in self.layers[l:]:
            weigh: dict[int, float] = {}
            for unit in units:
                equation, ranking = self._sum(above, i, unit)
                yield equation
                for q, size in ranking.items():
                    weigh[q] = max(size, weigh.get(q, 0.0))
            units = sorted(sorted(weigh, key=lambda q: -weigh[q])[:MOST_TERMS])

    def _sum(self, above: Layer, i: int, k: int) -> tuple[Equation, dict[int, float]]:
        """∂ℓ/∂A[i,k] = Σ_q W[k,q] ∂ℓ/∂Z[i,q] over the units q of the layer above; how much each q weighs."""
        l = above.index
        products = self.net.parameters()[f"W{l}"][k] * self.deltas[f"Z{l}"][i]
        greatest = sorted(int(q) for q in np.argsort(-np.abs(products), kind="stable")[:MOST_TERMS])
        terms = tuple(Term((self._parameter(f"W{l}", k, q), *self._above("Z", above, i, q))) for q in greatest)
        name, others = f"∂ℓ/∂A{l - 1}[{i},{k}]", len(products) - len(greatest)
        ranking = {q: float(abs(products[q])) for q in greatest if products[q]}
        return Equation(name, terms, float(products.sum()), others), ranking

    def _parameter(self, name: str, *index: int) -> Factor:
        return Factor(f"{name}[{','.join(map(str, index))}]", float(self.net.parameters()[name][index]))

    def _value(self, name: str, i: int, k: int) -> Factor:
        return Factor(f"{name}[{i},{k}]", float(self.trace[name][i, k]))

    def _notes(self, of: str, term: Term, i: int, layer: Layer, k: int) -> list[str]:
        notes = [f"{f.symbol} is 0, so that sample {i} adds nothing to ∂L/∂{of}." for f in term.factors if not f.number]
        if layer.activation is not None:
            inner = f"U{layer.index}" if layer.batch_norm else f"Z{layer.index}"
            z = float(self.trace[inner][i, k])
            if z in layer.activation.kinks:
                slope = next(f.number for f in term.factors if "′" in f.symbol)
                rule = layer.activation.name.split("(")[0]
                notes.append(f"{inner}[{i},{k}] is {z:g}, where {rule} has no derivative; {slope:g} is taken for it.")
        return notes

    def _loss(self, V: Floats, kind: str = "A", l: int = 0) -> tuple[float, NDArray[Any]]:
        """The loss, and the pieces of all activations on the way, from the values V of A, Z or U in layer l on."""
        P, S, structure = self.net.parameters(), self.net.statistics(), self.net.structure
        pieces = []
        A = V
        if kind in "ZU" and l == self.last:
            return float(structure.output.losses(V, self.T).mean()) + penalty(self.net, self.l2), np.empty(0)
        if kind in "ZU":
            layer = self.layers[l - 1]
            assert layer.activation is not None
            if kind == "Z" and layer.batch_norm:
                V = (V - S[f"mean{l}"]) / np.sqrt(S[f"variance{l}"] + EPSILON) * P[f"gamma{l}"] + P[f"beta{l}"]
            pieces.append(layer.activation.piece(V).ravel())
            A = layer.activation.value(V)
        values = forward_pass(Structure(structure.layers[l:], structure.output), P, S, A)
        for layer in structure.layers[l:]:
            if layer.activation is not None:
                inner = values[f"U{layer.index}" if layer.batch_norm else f"Z{layer.index}"]
                pieces.append(layer.activation.piece(inner).ravel())
        loss = float(structure.output.losses(values[f"Z{self.last}"], self.T).mean()) + penalty(self.net, self.l2)
        return loss, np.concatenate(pieces) if pieces else np.empty(0)

    def _parsed(self, of: str) -> tuple[str, tuple[int, ...]]:
        match = _ENTRY.fullmatch(of) if isinstance(of, str) and len(of) <= 100 else None
        if match is None:
            raise InputError(
                f"{shown(of)} names no entry",
                "Write a parameter or value with its indices: W1[3,5], b1[3], A0[3], Z1[3].",
            )
        kind, layer, *indices = match.groups()
        return f"{kind}{int(layer)}", tuple(int(index) for index in indices if index is not None)

    def _refuse_outside(self, name: str, index: tuple[int, ...], shape: tuple[int, ...]) -> None:
        if len(index) != len(shape):
            raise InputError(
                f"{name} has shape {shape}, but {len(index)} indices are given",
                f"Give {len(shape)}: {name}[{','.join('0' * len(shape))}].",
            )
        for axis, (at, length) in enumerate(zip(index, shape, strict=True)):
            if at >= length:
                raise InputError(
                    f"{name} has shape {shape}, so index {at} is outside axis {axis}", f"Give 0 to {length - 1}."
                )

    def _refuse_sample(self, sample: int) -> None:
        if sample >= len(self.X):
            raise InputError(f"there is no sample {sample} among {len(self.X)}", f"Give 0 to {len(self.X) - 1}.")


def _for_any_sample(symbol: str, i: int) -> str:
    """The symbol with the sample's number, which is the first of two indices, as the letter i."""
    return re.sub(rf"\b([AZUNT]\d*)\[{i},", r"\1[i,", symbol)


def _is_plain(term: Term) -> bool:
    """Whether a term is a single number as it stands, so that there is nothing to be multiplied or taken off."""
    return len(term.factors) == 1 and not term.factors[0].digits


def _equation_lines(equation: Equation) -> list[str]:
    """Symbols above, numbers below, a pair of lines a term."""
    cells = [[(f.symbol, f.below) for f in term.factors] for term in equation.terms]
    columns = max(map(len, cells))
    widths = [max(max(len(text) for text in row[c]) for row in cells if c < len(row)) for c in range(columns)]
    lead, sole = len(equation.name), len(cells) == 1 and not equation.others
    lines = []
    for number_of_term, (row, term) in enumerate(zip(cells, equation.terms, strict=True)):
        start = f"{equation.name}  =  " if not number_of_term else " " * lead + "  +  "
        above = "  ·  ".join(symbol.center(w) for (symbol, _), w in zip(row, widths, strict=False))
        below = "  ·  ".join(digits.center(w) for (_, digits), w in zip(row, widths, strict=False))
        lines += [
            start + above,
            " " * (lead + 5) + below + ("" if sole and _is_plain(term) else f"  =  {number(term.number)}"),
        ]
    if equation.others:
        lines.append(f"{' ' * lead}  +  {equation.others} smaller terms  =  {number(equation.remainder)}")
    if not sole:
        lines.append(f"{' ' * lead}  =  {number(equation.number)}")
    return [line.rstrip() for line in lines]


def _equation_html(equation: Equation) -> str:
    """The same as a table: a term is two rows."""
    rows = []
    for n, term in enumerate(equation.terms):
        above, below = [], []
        for c, factor in enumerate(term.factors):
            dot = "<td>·</td>" if c else ""
            above.append(f"{dot}<td><i>{escape(factor.symbol)}</i></td>")
            below.append(f"{dot}<td>{escape(factor.below)}</td>")
        start = f"<th>{escape(equation.name)}</th><td>=</td>" if not n else "<th></th><td>+</td>"
        rows.append(f"<tr>{start}{''.join(above)}</tr>")
        result = "" if _is_plain(term) else f"<td>=</td><td>{number(term.number)}</td>"
        rows.append(f"<tr><th></th><td></td>{''.join(below)}{result}</tr>")
    if equation.others:
        rest = f"{equation.others} smaller terms = {number(equation.remainder)}"
        rows.append(f'<tr><th></th><td>+</td><td colspan="9">{rest}</td></tr>')
    if len(equation.terms) > 1 or equation.others:
        rows.append(f'<tr><th></th><td>=</td><td colspan="9"><b>{number(equation.number)}</b></td></tr>')
    return f'<table class="chain">{"".join(rows)}</table>'


def _row(tag: str, cells: Sequence[str]) -> str:
    return f"<tr>{''.join(f'<{tag}>{escape(cell)}</{tag}>' for cell in cells)}</tr>"
