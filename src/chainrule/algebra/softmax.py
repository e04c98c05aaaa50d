"""Softmax with cross-entropy by hand: the cases i = j and i ≠ j, their sum, and why a − t is all that remains.

Each line stands here twice, as it is printed and as numbers, and the numbers are compared with central differences.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from chainrule import differences
from chainrule.algebra.formulas import (
    BESIDE,
    MINUS,
    PLUS,
    SIGN,
    Fence,
    Formula,
    Fraction,
    Glyph,
    Name,
    Script,
    Sum,
    letter,
    numeral,
    partial,
    row,
    word,
)
from chainrule.algebra.steps import Equation, Step
from chainrule.algebra.verify import TOLERANCE, Check, UnverifiedError
from chainrule.randomness import generator

Floats = NDArray[np.float64]
_NOT_EQUAL = Glyph("≠", r"\neq")
_LOSS = word("ℓ", r"\ell")
SECTION = "Softmax and cross-entropy"


@dataclass(frozen=True)
class _Claim:
    """A line of the derivation for one sample: what is printed, and what it is at z and t as (K,) or (K, K)."""

    words: str
    equation: Equation
    value: Callable[[Floats, Floats], Floats]
    of: str  # "jacobian", "diagonal", "off-diagonal", "outputs" or "logits": what it must equal


def _at(name: str, *indices: str) -> Formula:
    return Script(Name(name), sub=row(*map(letter, indices)))


def _output(index: str) -> Formula:
    return _at("a", index)


def _target(index: str) -> Formula:
    return _at("t", index)


def _ratio(index: str) -> Formula:
    return Fraction(_target(index), _output(index))


def _exp(index: str) -> Formula:
    return Script(letter("e"), sup=_at("z", index))


def _sum(below: Formula, *parts: Formula) -> Formula:
    return row(Sum(below), *parts)


_TOTAL = word("S")
_SQUARE = Script(_TOTAL, sup=numeral("2"))


def _claims() -> list[_Claim]:
    own = partial(_at("a", "j"), _at("z", "j"))
    other = partial(_at("a", "k"), _at("z", "j"))
    loss_by_a = partial(_LOSS, _at("a", "k"))
    loss_by_z = partial(_LOSS, _at("z", "j"))
    unequal = row(letter("k"), _NOT_EQUAL, letter("j"))
    one_less = Fence(row(numeral("1"), MINUS, _output("j")))
    diagonal = row(_output("j"), BESIDE, one_less)
    delta = Script(word("δ", r"\delta"), sub=row(letter("k"), letter("j")))
    quotient = Fraction(row(_exp("j"), BESIDE, _TOTAL, MINUS, _exp("j"), BESIDE, _exp("j")), _SQUARE)
    quotient_other = Fraction(row(numeral("0"), MINUS, _exp("k"), BESIDE, _exp("j")), _SQUARE)
    minus_product = row(SIGN, _output("k"), BESIDE, _output("j"))
    others = _sum(unequal, _ratio("k"), BESIDE, _output("k"), BESIDE, _output("j"))
    cases = row(SIGN, _ratio("j"), BESIDE, diagonal, PLUS, others)
    rest = row(_output("j"), BESIDE, _sum(unequal, _target("k")))
    cancelled = row(SIGN, _target("j"), PLUS, _target("j"), BESIDE, _output("j"), PLUS, rest)
    remaining = row(_output("j"), MINUS, _target("j"))
    return [
        _Claim("k = j", Equation(own, quotient), lambda z, t: _e(z) * (_s(z) - _e(z)) / _s(z) ** 2, "diagonal"),
        _Claim("", Equation(own, diagonal), lambda z, t: _a(z) * (1 - _a(z)), "diagonal"),
        _Claim(
            "k ≠ j", Equation(other, quotient_other), lambda z, t: -np.outer(_e(z), _e(z)) / _s(z) ** 2, "off-diagonal"
        ),
        _Claim(
            "",
            Equation(other, minus_product),
            lambda z, t: -np.outer(_a(z), _a(z)),
            "off-diagonal",
        ),
        _Claim(
            "both in one",
            Equation(other, row(_output("k"), BESIDE, Fence(row(delta, MINUS, _output("j"))))),
            lambda z, t: _a(z)[:, None] * (np.eye(len(z)) - _a(z)),
            "jacobian",
        ),
        _Claim("", Equation(loss_by_a, row(SIGN, _ratio("k"))), lambda z, t: -t / _a(z), "outputs"),
        _Claim(
            "chain rule",
            Equation(loss_by_z, row(Sum(letter("k")), loss_by_a, BESIDE, other)),
            lambda z, t: (-t / _a(z)) @ (_a(z)[:, None] * (np.eye(len(z)) - _a(z))),
            "logits",
        ),
        _Claim(
            "k = j, then k ≠ j",
            Equation(loss_by_z, cases),
            lambda z, t: -t / _a(z) * _a(z) * (1 - _a(z)) + _others(t) * _a(z),
            "logits",
        ),
        _Claim(
            "a cancels",
            Equation(loss_by_z, cancelled),
            lambda z, t: -t + t * _a(z) + _a(z) * _others(t),
            "logits",
        ),
        _Claim(
            "one sum over all k",
            Equation(loss_by_z, row(_output("j"), BESIDE, _sum(letter("k"), _target("k")), MINUS, _target("j"))),
            lambda z, t: _a(z) * t.sum() - t,
            "logits",
        ),
        _Claim(
            "the targets sum to one",
            Equation(loss_by_z, remaining),
            lambda z, t: _a(z) - t,
            "logits",
        ),
    ]


def _e(z: Floats) -> Floats:
    return np.asarray(np.exp(z))


def _s(z: Floats) -> Floats:
    return np.asarray(np.exp(z).sum())


def _a(z: Floats) -> Floats:
    return _e(z) / _s(z)


def _others(t: Floats) -> Floats:
    """Σ over k ≠ j of t_k, for each j."""
    return np.asarray(t.sum() - t)


def steps() -> list[Step]:
    """The lines, for one sample with logits z, outputs a and targets t."""
    first = [
        Equation(_TOTAL, _sum(letter("j"), _exp("j"))),
        Equation(_at("a", "k"), Fraction(_exp("k"), _TOTAL)),
        Equation(_LOSS, row(SIGN, _sum(letter("k"), _target("k"), BESIDE, word("ln", r"\ln"), BESIDE, _output("k")))),
    ]
    words = ("", "softmax of one sample", "its cross-entropy")
    found = [
        Step("case", said, (equation,), (), "softmax", SECTION) for said, equation in zip(words, first, strict=True)
    ]
    return found + [Step("case", claim.words, (claim.equation,), (), "softmax", SECTION) for claim in _claims()]


def checks() -> list[Check]:
    """Every line as numbers against central differences, at two widths; raises UnverifiedError where one is wrong."""
    found: list[Check] = []
    for K in (4, 7):
        rng = generator(K, "verification")
        z, t = rng.normal(size=K), rng.dirichlet(np.ones(K))
        expected = _expected(z, t)
        for claim in _claims():
            value = claim.value(z, t)
            value = value[~np.eye(K, dtype=np.bool_)] if claim.of == "off-diagonal" else value
            gap = float(np.abs(value - expected[claim.of]).max()) / float(np.abs(expected[claim.of]).max())
            if not gap <= TOLERANCE:
                raise UnverifiedError(
                    f"softmax, {claim.words or claim.of}: off by {gap:.1e}", "The line is wrong.", {"gap": gap}
                )
            found.append(Check(f"softmax: {claim.words or claim.of}", {"K": K}, value.size, gap))
    return found


def _expected(z: Floats, t: Floats) -> dict[str, Floats]:
    """Central differences of all that the lines claim."""

    def output(k: int) -> Callable[[Floats], float]:
        return lambda z: float(_a(z)[k])

    def loss(a: Floats) -> float:
        return float(-(t * np.log(a)).sum())

    jacobian = np.array([differences.gradient(output(k), z).values for k in range(len(z))])
    return {
        "jacobian": jacobian,
        "diagonal": np.diag(jacobian),
        "off-diagonal": jacobian[~np.eye(len(z), dtype=np.bool_)],
        "outputs": differences.gradient(loss, _a(z)).values,
        "logits": differences.gradient(lambda z: loss(_a(z)), z).values,
    }
