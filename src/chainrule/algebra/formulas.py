"""A formula before it is written: what is above, below and beside what, for LaTeX, MathML and plain text alike."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Union


@dataclass(frozen=True)
class Name:
    """A variable; where it is short for ∂E by that variable, `gradient` is the sign before it: d, or ∇."""

    name: str
    gradient: str = ""


@dataclass(frozen=True)
class Glyph:
    """A sign, number or word that has its own spelling in LaTeX: ∘, 0.5, tanh. `kind` is mo, mi, mn or mtext."""

    plain: str
    latex: str
    kind: str = "mo"
    breaks: bool = False


@dataclass(frozen=True)
class Row:
    """One after the other."""

    parts: tuple["Formula", ...]


@dataclass(frozen=True)
class Fraction:
    above: "Formula"
    below: "Formula"


@dataclass(frozen=True)
class Script:
    """Something with an index, an exponent, or both."""

    base: "Formula"
    sub: Union["Formula", None] = None
    sup: Union["Formula", None] = None


@dataclass(frozen=True)
class Fence:
    """In parentheses, brackets or bars."""

    inner: "Formula"
    left: str = "("
    right: str = ")"


@dataclass(frozen=True)
class Root:
    inner: "Formula"


@dataclass(frozen=True)
class Sum:
    """Σ over what stands below it."""

    below: "Formula"


Formula = Name | Glyph | Row | Fraction | Script | Fence | Root | Sum
Measure = Callable[[Formula], int]

PLUS = Glyph("+", "+", breaks=True)
MINUS = Glyph("−", "-", breaks=True)
SIGN = Glyph("−", "-")
TIMES = Glyph("∘", r"\circ", breaks=True)
DOT = Glyph("·", r"\cdot", breaks=True)
EQUALS = Glyph("=", "=")
BESIDE = Glyph(" ", r"\,", kind="space", breaks=True)
COMMA = Glyph(",", ",")
ARROW = Glyph("←", r"\leftarrow")
TRANSPOSED = Glyph("ᵀ", r"\top")
ONES = Glyph("1", r"\mathbf{1}", kind="mi")
PARTIAL = Glyph("∂", r"\partial", kind="mi")


def row(*parts: Formula) -> Formula:
    """The parts in one row, rows in it opened."""
    flat = tuple(_flat(parts))
    return flat[0] if len(flat) == 1 else Row(flat)


def _flat(parts: tuple[Formula, ...]) -> Iterator[Formula]:
    for part in parts:
        if isinstance(part, Row):
            yield from part.parts
        else:
            yield part


def word(text: str, latex: str | None = None) -> Glyph:
    return Glyph(text, latex or rf"\operatorname{{{text.replace(chr(32), chr(92) + chr(32))}}}", kind="mi")


def letter(text: str) -> Glyph:
    return Glyph(text, text, kind="mi")


def note(text: str) -> Glyph:
    return Glyph(text, rf"\text{{{text}}}", kind="mtext")


def numeral(text: str) -> Glyph:
    if "e" in text:
        mantissa, _, exponent = text.partition("e")
        latex = rf"10^{{{int(exponent)}}}" if mantissa == "1" else rf"{mantissa} \cdot 10^{{{int(exponent)}}}"
        return Glyph(text, latex, kind="mn")
    return Glyph(text.replace("-", "−"), text, kind="mn")


def separated(parts: list[Formula]) -> Formula:
    """a, b, c."""
    mixed: list[Formula] = []
    for part in parts:
        mixed += [COMMA, part] if mixed else [part]
    return row(*mixed)


def partial(of: Formula, by: Formula) -> Formula:
    """∂of/∂by."""
    return Fraction(row(PARTIAL, of), row(PARTIAL, by))


def tokens(formula: Formula) -> Iterator[Formula]:
    """What may be broken apart: rows opened, and parentheses that contain rows."""
    if isinstance(formula, Row):
        for part in formula.parts:
            yield from tokens(part)
    elif isinstance(formula, Fence) and formula.left == "(" and isinstance(formula.inner, Row):
        yield Glyph("(", "(")
        yield from tokens(formula.inner)
        yield Glyph(")", ")")
    else:
        yield formula


def broken(formula: Formula, width: int, measure: Measure) -> list[Formula]:
    """The formula in rows of at most `width` characters of plain text, broken before operators where it is longer."""
    if measure(formula) <= width:
        return [formula]
    if isinstance(formula, Fraction):
        above = formula.above if isinstance(formula.above, Fence) else Fence(formula.above)
        formula = row(above, Glyph("/", "/"), _fenced(formula.below))
    chunks: list[list[Formula]] = [[]]
    for token in tokens(_opened_fractions(formula, width, measure)):
        if isinstance(token, Glyph) and token.breaks and chunks[-1]:
            chunks.append([])
        chunks[-1].append(token)
    rows: list[list[Formula]] = [[]]
    for chunk in chunks:
        if rows[-1] and measure(row(*rows[-1], *chunk)) > width:
            rows.append([])
        rows[-1].extend(chunk)
    return [row(*parts) for parts in rows]


def _opened_fractions(formula: Formula, width: int, measure: Measure) -> Formula:
    if isinstance(formula, Row):
        return row(*(_opened_fractions(part, width, measure) for part in formula.parts))
    if isinstance(formula, Fraction) and measure(formula) > width:
        return row(Fence(_opened_fractions(formula.above, width, measure)), Glyph("/", "/"), _fenced(formula.below))
    if isinstance(formula, Fence):
        return Fence(_opened_fractions(formula.inner, width, measure), formula.left, formula.right)
    return formula


def _fenced(formula: Formula) -> Formula:
    return Fence(formula) if isinstance(formula, Row | Fraction) else formula


def width_in_print(formula: Formula) -> int:
    """How wide a formula is on a page, in letters."""
    if isinstance(formula, Fraction):
        return max(width_in_print(formula.above), width_in_print(formula.below)) + 1
    if isinstance(formula, Script):
        scripts = [width_in_print(part) for part in (formula.sub, formula.sup) if part is not None]
        return width_in_print(formula.base) + (max(scripts) + 1) * 2 // 3
    if isinstance(formula, Row):
        return sum(map(width_in_print, formula.parts))
    if isinstance(formula, Fence | Root):
        return width_in_print(formula.inner) + 2
    if isinstance(formula, Sum):
        return 3
    if isinstance(formula, Name):
        return len(formula.name)
    return len(formula.plain) + (2 if formula.kind == "mo" and formula.breaks else 0)
