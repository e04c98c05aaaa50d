"""What is printed: every format whole and well-formed, formulas that fit the page and mean what they say."""

import re
import shutil
import subprocess
import xml.etree.ElementTree as ET

import numpy as np
import pytest

import chainrule as cr
from chainrule.algebra import documents
from chainrule.algebra.latex import latex
from chainrule.algebra.matrices import Names, show
from chainrule.algebra.plain import plain

EVERYTHING = """
s_1 = sum(concatenate((x, v[1:3], x[:-1]))**2) + logsumexp(x) + linalg.norm(W - outer(x, v))
gamma2 = trace(W @ W.T) * sum(abs(x)) + x[2]**3
x_max = sum((Z - mean(Z, axis=0))**2 * (rate * Z[0] - 0.3 > 0))
E = s_1 + gamma2 + x_max + sum(leaky_relu(Z, 0.2)) + sum(Z[:, 0]**rate_b) + 2.5e-7 * sum(maximum(Z, 0.1))
"""
SHAPES = {"W": "K,N", "x": "K", "v": "N", "Z": "m,4", "rate": (), "rate_b": ()}


@pytest.fixture(scope="module")
def derivations():
    long = "E = " + " + ".join(f"sum(tanh(A{n} @ B{n}) * C{n})" for n in range(12))
    shapes = {f"{letter}{n}": s for n in range(12) for letter, s in (("A", "m,d"), ("B", "d,K"), ("C", "m,K"))}
    return [
        cr.derive(EVERYTHING, ["W", "x", "v", "Z"], SHAPES),
        cr.derive(long, ["A3", "B11"], shapes),
        cr.derivation(cr.Network([6, 5, 4], batch_norm=True, dropout=0.2, activation="leaky_relu(0.1)"), l2=0.1),
        cr.derivation(cr.Network([6, 5, 4], activation="swish"), layout="column"),
        cr.derive("y = softmax(W @ x)", ["x", "W"], {"W": "K,N", "x": "N"}),
        cr.derive("E = sum(x_größe * µ) + βη", "µ", {"x_größe": "N", "µ": "N", "βη": ()}),
    ]


def test_plain_text_has_every_step_and_lines_that_fit(derivations):
    for d in derivations:
        text = d.text()
        assert text == str(d)
        assert [line for line in text.splitlines() if len(line) > documents.TEXT_WIDTH + 8] == []
        for heading in ("Equations", "Graph", "Local derivatives", "Chain rule", "Result", "Verified"):
            assert f"\n{heading}\n" in text


def without_pictures(page):
    """Pictures have marks of their own on every page."""
    return re.sub(r"(?s)<svg.*?</svg>", "", page)


def test_html_is_well_formed_and_names_no_other_file(derivations):
    for d in derivations:
        page = d.html()
        root = ET.fromstring(
            re.sub(r"<!DOCTYPE html>", "", page)
            .replace('charset="utf-8">', 'charset="utf-8"/>')
            .replace('scale=1">', 'scale=1"/>')
        )
        assert root.tag == "html"
        assert len(list(root.iter("math"))) >= 3
        known = [
            "math",
            "mtable",
            "mtr",
            "mtd",
            "mrow",
            "mi",
            "mn",
            "mo",
            "mtext",
            "mspace",
            "mfrac",
            "msub",
            "msup",
            "msubsup",
            "msqrt",
            "munder",
        ]
        for formula in root.iter("math"):
            assert {element.tag for element in formula.iter()} <= set(known)
        assert "http" not in re.sub(r'xmlns(:xlink)?="http://www.w3.org/[a-z0-9/]+"', "", page)
        assert "<script" not in page
        assert page.count("<svg") == page.count("</svg>") == 1
        assert without_pictures(d._repr_html_()) in without_pictures(page)


def test_markdown_has_its_formulas_between_dollar_signs(derivations):
    for d in derivations:
        page = d.markdown()
        assert page.startswith("# ")
        assert page.count("$$") % 2 == 0
        assert page.count(r"\begin{aligned}") == page.count(r"\end{aligned}") == page.count("$$") // 2
        for block in page.split("$$")[1::2]:
            assert block.count("{") == block.count("}")


@pytest.mark.skipif(not shutil.which("pdflatex"), reason="no pdflatex; on Debian: apt install texlive-latex-base")
def test_latex_compiles_and_every_formula_fits_the_page(derivations, tmp_path):
    for number, d in enumerate(derivations):
        (tmp_path / f"d{number}.tex").write_text(d.latex())
        done = subprocess.run(
            ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", f"d{number}.tex"],
            cwd=tmp_path, capture_output=True, text=True, errors="replace", timeout=60, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout[-2000:]
        wide = [float(points) for points in re.findall(r"Overfull \\hbox \(([\d.]+)pt too wide\)", done.stdout)]
        assert [points for points in wide if points > 5] == [], done.stdout


def test_latex_is_ascii_so_that_every_engine_reads_it(derivations):
    for d in derivations:
        assert {character for character in d.latex() if not character.isascii()} <= {"–", "—"}


def formula(text, **shapes):
    return show(cr.algebra.read(f"E = {text}", shapes).result.expression, Names())


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a - (b - c)", "a − (b − c)"),
        ("(a + b) * c", "(a + b) c"),
        ("W.T @ (y - s)", "Wᵀ (y − s)"),
        ("(W @ x) * s", "(W x) ∘ s"),
        ("x * s * s", "x ∘ s ∘ s"),
        ("x @ x", "xᵀ x"),
        ("(x @ x) * x", "(xᵀ x) x"),
        ("a * sum(x) * x", "a (Σ x) x"),
        ("2 * x", "2 x"),
        ("-x**2", "−x∘²"),
        ("a**2", "a²"),
        ("(x + s)**2", "(x + s)∘²"),
        ("(x + s) / a", "1/a (x + s)"),
        ("x / s", "x/s"),
        ("sum(Z, axis=0)", "Σ_rows Z"),
        ("mean(Z, axis=1)", "mean_columns(Z)"),
        ("Z * s[:, None]", "Z ∘ (s 1ᵀ)"),
        ("Z > 0", "1[Z > 0]"),
        ("linalg.norm(Z)", "‖Z‖"),
        ("outer(x, s)", "x sᵀ"),
        ("trace(W)", "tr(W)"),
        ("eye(3) @ W", "I_3 W"),
        ("x[1:]", "x[1:]"),
    ],
)
def test_formulas_in_plain_text(text, expected):
    shapes = {"a": (), "b": (), "c": (), "x": 3, "s": 3, "y": 3, "W": (3, 3), "Z": (3, 3)}
    assert plain(formula(text, **shapes)) == expected


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("W1", "W_{1}"),
        ("x", "x"),
        ("gamma2", r"\gamma_{2}"),
        ("lam", r"\lambda"),
        ("rate", r"\mathrm{rate}"),
        ("x_max", r"x_{\mathrm{max}}"),
        ("b_1", "b_{1}"),
        ("a_b_c", r"a_{\mathrm{b\_c}}"),
        ("η", r"\eta"),
        ("größe", r"\mathrm{gruf6udfe}"),
    ],
)
def test_names_in_latex(name, expected):
    assert latex(Names().formula(name)) == expected


def test_steps_have_rule_latex_and_shape(derivations):
    d = derivations[0]
    rules = {step.rule for step in d.steps}
    assert {
        "equation",
        "graph",
        "local derivative",
        "chain rule",
        "substitution",
        "contraction",
        "matrix form",
    } <= rules
    assert {"result", "kink", "verification"} <= rules
    for step in d.steps:
        if step.equations:
            assert step.latex
            assert step.shape is not None
        assert step.text


def test_trees_can_be_walked_for_a_graph(derivations):
    """What a graph needs: named lines, nodes with operation, shape and operands, and local derivatives."""
    d = derivations[0]
    for line in d.unfolded.lines:
        for node in line.expression.walk():
            assert node.op
            assert isinstance(node.shape, tuple)
            assert isinstance(node.children, tuple)
    for (target, source), step in d.local_derivatives.items():
        assert target in d.unfolded.shapes
        assert source in d.unfolded.shapes
        assert step.latex.startswith(r"\frac{\partial")


def test_the_formula_of_the_result_is_the_number_that_is_evaluated():
    d = cr.derive("E = sum(tanh(W @ x))", "x", {"W": "K,N", "x": "N"})
    W, x = np.ones((2, 3)), np.ones(3)
    by_numpy = eval(d.result.source, {"W": W, "q2": np.tanh(W @ x)})
    assert d.evaluate({"W": W, "x": x}) == pytest.approx(by_numpy)
