"""A formula in one line of Unicode: W1ᵀ (h ∘ (1 − h)), Σ_j W1[i,j] x[j]."""

from chainrule.algebra.formulas import (
    ONES,
    TRANSPOSED,
    Fence,
    Formula,
    Fraction,
    Glyph,
    Name,
    Root,
    Row,
    Script,
    Sum,
    numeral,
)

_ZERO = numeral("0")
_SUPERSCRIPTS = str.maketrans("0123456789-−", "⁰¹²³⁴⁵⁶⁷⁸⁹⁻⁻")


def plain(formula: Formula) -> str:
    """The text; indices stand in brackets."""
    if isinstance(formula, Name):
        return formula.gradient + formula.name
    if isinstance(formula, Glyph):
        return _glyph(formula)
    if isinstance(formula, Row):
        return "".join(map(plain, formula.parts))
    if isinstance(formula, Fraction):
        return f"{_side(formula.above)}/{_side(formula.below)}"
    if isinstance(formula, Fence):
        return f"{formula.left}{plain(formula.inner)}{formula.right}"
    if isinstance(formula, Root):
        return f"√({plain(formula.inner)})"
    if isinstance(formula, Sum):
        below = plain(formula.below)
        return f"Σ_{below} " if below else "Σ "
    return _script(formula)


def _glyph(glyph: Glyph) -> str:
    if glyph.kind == "mo" and (glyph.breaks or glyph.plain in "=←<>≤≥"):
        return f" {glyph.plain} "
    return ", " if glyph.plain == "," else glyph.plain


def _side(formula: Formula) -> str:
    text = plain(formula)
    partial = text.startswith("∂") and " " not in text
    return text if partial or not isinstance(formula, Row | Fraction) else f"({text})"


def _script(formula: Script) -> str:
    base = formula.base
    text = plain(base)
    if formula.sub is not None:
        inner = formula.sub
        letters = _letters(inner) if _has_entries(base) else None
        if letters is not None:
            text = plain(base.inner) if isinstance(base, Fence) and isinstance(base.inner, Name) else text
            text += f"[{','.join(letters)}]"
        else:
            below = plain(inner)
            text += below if below.startswith("[") else f"_{below}" if _single(below) else f"_({below})"
    if formula.sup is not None:
        above = plain(formula.sup)
        if formula.sup == TRANSPOSED:
            text += above
        elif all(character in "0123456789-−∘" for character in above):
            text += above.translate(_SUPERSCRIPTS)
        else:
            text += f"^{above}" if _single(above) else f"^({above})"
    return text


def _has_entries(base: Formula) -> bool:
    """Whether what stands below is an index: not below 1 of N ones, or below a word."""
    return not isinstance(base, Glyph) or (len(base.plain) == 1 and base not in (ONES, _ZERO))


def _letters(formula: Formula) -> list[str] | None:
    """The letters of an index, or None where it is something else."""
    parts = formula.parts if isinstance(formula, Row) else (formula,)
    if not all(isinstance(part, Glyph | Name | Script) for part in parts):
        return None
    if any(isinstance(part, Glyph) and part.kind == "mtext" for part in parts):
        return None
    if any(isinstance(part, Glyph) and part.plain == "×" for part in parts):
        return None
    joined: list[str] = [""]
    signs = False
    for part in parts:
        text = plain(part).strip()
        if text == ",":
            joined.append("")
            signs = True
        elif text in ("+", "−"):
            joined[-1] += text
            signs = True
        elif joined[-1] and not signs:
            joined.append(text)
        else:
            joined[-1] += text
    return joined


def _single(text: str) -> bool:
    return text.isalnum() or (len(text) > 1 and text[0] == "−" and text[1:].isalnum())
