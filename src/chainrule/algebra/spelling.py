"""How names are spelled: W1 has an index, gamma is a Greek letter, dW1 the gradient by W1."""

import re

_GREEK = {
    "alpha": "α",
    "beta": "β",
    "gamma": "γ",
    "delta": "δ",
    "epsilon": "ε",
    "zeta": "ζ",
    "eta": "η",
    "theta": "θ",
    "kappa": "κ",
    "lam": "λ",
    "mu": "μ",
    "nu": "ν",
    "xi": "ξ",
    "rho": "ρ",
    "sigma": "σ",
    "tau": "τ",
    "phi": "φ",
    "chi": "χ",
    "psi": "ψ",
    "omega": "ω",
    "Gamma": "Γ",
    "Delta": "Δ",
    "Theta": "Θ",
    "Lambda": "Λ",
    "Sigma": "Σ",
    "Phi": "Φ",
    "Psi": "Ψ",
    "Omega": "Ω",
    "mean": "μ",
}
_LATEX = {letter: "\\" + {"lam": "lambda", "mean": "mu", "mu": "mu"}.get(name, name) for name, letter in _GREEK.items()}
_PARTS = re.compile(r"^(.*?[^\d_])_?(\d+)$")


def parts(name: str) -> tuple[str, str]:
    """The base letter or word, and the index: ("W", "1"), ("γ", "1"), ("x", "")."""
    match = _PARTS.match(name)
    base, index = (match[1], match[2]) if match else (name, "")
    if not match and "_" in name.strip("_"):
        base, _, index = name.strip("_").partition("_")
    return _GREEK.get(base, base), index


def latex(name: str) -> str:
    """W_{1}, \\gamma_{1}, \\mathrm{rate}."""
    base, index = parts(name)
    written = _LATEX.get(base, base if len(base) == 1 else rf"\mathrm{{{_escaped(base)}}}")
    if not index:
        return written
    return f"{written}_{{{index if index.isdigit() or len(index) == 1 else rf'{chr(92)}mathrm{{{_escaped(index)}}}'}}}"


def _escaped(text: str) -> str:
    """Letters that LaTeX knows; others by their code, so that the document compiles."""
    return "".join(_LATEX.get(c, c) if c.isascii() or c in _LATEX else f"u{ord(c):x}" for c in text).replace("_", r"\_")
