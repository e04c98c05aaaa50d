"""A formula in LaTeX, with amsmath alone."""

from chainrule.algebra import spelling
from chainrule.algebra.formulas import Fence, Formula, Fraction, Glyph, Name, Root, Row, Script, Sum

_GRADIENTS = {"": "", "d": r"\mathrm{d}", "∇": r"\nabla "}
_BARS = {"‖": r"\|", "|": "|", "[": "[", "]": "]", "(": "(", ")": ")"}


def latex(formula: Formula) -> str:
    """The formula for a place between dollar signs."""
    if isinstance(formula, Name):
        return _GRADIENTS[formula.gradient] + spelling.latex(formula.name)
    if isinstance(formula, Glyph):
        return formula.latex
    if isinstance(formula, Row):
        return " ".join(map(latex, formula.parts))
    if isinstance(formula, Fraction):
        return rf"\frac{{{latex(formula.above)}}}{{{latex(formula.below)}}}"
    if isinstance(formula, Fence):
        left, right = _BARS[formula.left], _BARS[formula.right]
        if is_tall(formula.inner):
            left, right = rf"\left{left}", rf"\right{right}"
        return f"{left} {latex(formula.inner)} {right}"
    if isinstance(formula, Root):
        return rf"\sqrt{{{latex(formula.inner)}}}"
    if isinstance(formula, Sum):
        below = latex(formula.below)
        return rf"\sum_{{{below}}}" if below else r"\sum"
    text = latex(formula.base)
    if isinstance(formula.base, Fence | Row | Fraction) or (formula.sub is not None and "_" in text):
        text = f"{{{text}}}"
    if formula.sub is not None:
        text += f"_{{{latex(formula.sub)}}}"
    if formula.sup is not None:
        text += f"^{{{latex(formula.sup)}}}"
    return text


def is_tall(formula: Formula) -> bool:
    """Whether parentheses around it must grow."""
    if isinstance(formula, Fraction | Sum):
        return True
    if isinstance(formula, Row):
        return any(is_tall(part) for part in formula.parts)
    if isinstance(formula, Fence | Root):
        return is_tall(formula.inner)
    return isinstance(formula, Script) and is_tall(formula.base)


_TEXT = {
    "\\": r"\textbackslash{}", "_": r"\_", "#": r"\#", "%": r"\%", "&": r"\&", "$": r"\$", "{": r"\{", "}": r"\}",
    "^": r"\textasciicircum{}", "~": r"\textasciitilde{}", "∂": r"$\partial$", "→": r"$\to$", "−": "$-$",
    "∘": r"$\circ$", "·": r"$\cdot$", "≠": r"$\neq$", "×": r"$\times$", "δ": r"$\delta$", "Σ": r"$\Sigma$",
    "≤": r"$\le$", "≥": r"$\ge$", "σ": r"$\sigma$", "′": "$'$", "ᵀ": r"$^\top$", "√": r"$\surd$", "η": r"$\eta$",
    "λ": r"$\lambda$", "γ": r"$\gamma$", "β": r"$\beta$", "μ": r"$\mu$", "—": "---", "–": "--", "ε": r"$\varepsilon$",
    "½": r"$\tfrac{1}{2}$", "‖": r"$\|$", "…": r"\dots{}", "²": "$^2$", "⁻": "$^-$", "<": "$<$", ">": "$>$",
    "∇": r"$\nabla$",
}  # fmt: skip


def text(words: str) -> str:
    """Words for a place outside of formulas; characters that pdfLaTeX does not know are spelled by their code."""
    return "".join(_TEXT.get(c, c if c.isascii() else f"U+{ord(c):04X}") for c in words)
