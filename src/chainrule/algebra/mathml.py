"""A formula in MathML, the elements that every browser draws."""

from html import escape

from chainrule.algebra import spelling
from chainrule.algebra.formulas import Fence, Formula, Fraction, Glyph, Name, Root, Row, Sum
from chainrule.algebra.latex import is_tall


def mathml(formula: Formula) -> str:
    """The elements for a place within <math>."""
    if isinstance(formula, Name):
        return _name(formula)
    if isinstance(formula, Glyph):
        return _glyph(formula)
    if isinstance(formula, Row):
        return f"<mrow>{''.join(map(mathml, formula.parts))}</mrow>"
    if isinstance(formula, Fraction):
        return f"<mfrac>{mathml(formula.above)}{mathml(formula.below)}</mfrac>"
    if isinstance(formula, Fence):
        flat = "" if is_tall(formula.inner) else ' stretchy="false"'
        left, right = (
            f'<mo fence="true" form="{form}"{flat} lspace="0" rspace="0">{escape(sign)}</mo>'
            for form, sign in _sides(formula)
        )
        return f"<mrow>{left}{mathml(formula.inner)}{right}</mrow>"
    if isinstance(formula, Root):
        return f"<msqrt>{mathml(formula.inner)}</msqrt>"
    if isinstance(formula, Sum):
        sign = '<mo movablelimits="false">∑</mo>'
        below = mathml(formula.below)
        return f"<munder>{sign}{below}</munder>" if below != "<mrow></mrow>" else sign
    base = mathml(formula.base)
    if formula.sub is not None and formula.sup is not None:
        return f"<msubsup>{base}{mathml(formula.sub)}{mathml(formula.sup)}</msubsup>"
    if formula.sub is not None:
        return f"<msub>{base}{mathml(formula.sub)}</msub>"
    return f"<msup>{base}{mathml(formula.sup)}</msup>" if formula.sup is not None else base


def _sides(fence: Fence) -> tuple[tuple[str, str], tuple[str, str]]:
    return ("prefix", fence.left), ("postfix", fence.right)


def _name(name: Name) -> str:
    base, index = spelling.parts(name.name)
    upright = ' mathvariant="normal"' if len(base) > 1 else ""
    written = f"<mi{upright}>{escape(base)}</mi>"
    if index:
        tag = "mn" if index.isdigit() else "mi"
        written = f"<msub>{written}<{tag}>{escape(index)}</{tag}></msub>"
    return f'<mrow><mi mathvariant="normal">{name.gradient}</mi>{written}</mrow>' if name.gradient else written


def _glyph(glyph: Glyph) -> str:
    if glyph.kind == "space":
        return '<mspace width="0.17em"/>'
    if glyph.kind == "mn" and "e" in glyph.plain:
        mantissa, _, exponent = glyph.plain.partition("e")
        power = f"<msup><mn>10</mn><mn>{int(exponent)}</mn></msup>"
        return power if mantissa == "1" else f"<mrow><mn>{mantissa}</mn><mo>·</mo>{power}</mrow>"
    if glyph.plain == "ᵀ":
        return "<mo>⊤</mo>"
    if glyph.latex == r"\mathbf{1}":
        return '<mn mathvariant="bold">𝟏</mn>'
    upright = ' mathvariant="normal"' if glyph.kind == "mi" and len(glyph.plain) > 1 else ""
    return f"<{glyph.kind}{upright}>{escape(glyph.plain)}</{glyph.kind}>"
