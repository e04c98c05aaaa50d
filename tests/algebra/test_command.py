"""`chainrule derive` as a person meets it, and the examples that go with it."""

import io
import json
import shlex
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from chainrule.algebra import calculus, functions
from test_cli import fails

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "examples" / "derive"
RESIDUAL = EXAMPLES / "residual.txt"
REPORTED = "W1.T @ W2.T @ (y - s) * h * (1 - h) + (y - s) + W1.T @ r * h * (1 - h)"
SQUARES = ("E = sum((W @ x - y)**2) / 2", "--shapes", "W:K,N", "x:N", "y:K")


def last_lines(answer, count):
    return "\n".join(answer.out.splitlines()[-count:])


# The examples: the first line of each is the command that it is for


EXPECTED = {
    "residual": "∂E/∂x = W1ᵀ dz + dy (N) = W1ᵀ ((W2ᵀ (y − s) + r) ∘ h ∘ (1 − h)) + y − s (N)",
    "network": "∂L/∂W1 = Xᵀ dZ1 (d, h) = Xᵀ (((1/m (A2 − T)) W2ᵀ) ∘ 1[Z1 > 0]) (d, h)",
    "softmax": "∂l/∂o = y − e_2 (K)",
    "batch_norm": "∂E/∂Z = dmu/m + dQ1 − mean_rows(dQ1) + dN/√(v + 1e-05) (m, h)",
    "ridge": "∂E/∂w = Xᵀ dq1 + lam w (D)",
    "logistic_hessian": "∂q/∂w = Xᵀ ∇q1 (D) = Xᵀ ((X v)/N ∘ p ∘ (1 − p)) (D)",
    "deep_tanh": "∂E/∂W3 = A2ᵀ dQ3 (h2, K)",
    "residual_report": "The formula is REJECTED.",
    "residual_right": "The formula is right.",
}


@pytest.mark.parametrize("path", sorted(EXAMPLES.glob("*.txt")), ids=lambda path: path.stem)
def test_an_example_says_what_it_is_for_and_does_it(command, path, monkeypatch):
    first = path.read_text().splitlines()[0]
    program, *arguments = shlex.split(first.removeprefix("# "))
    assert program == "chainrule"
    assert f"examples/derive/{path.name}" in first
    monkeypatch.chdir(ROOT)
    answer = command(*arguments)
    assert answer.code == (1 if path.stem == "residual_report" else 0), answer.text
    assert EXPECTED[path.stem] in " ".join(answer.out.split())


# Where the text comes from


def test_a_file_an_argument_and_standard_input_are_read(command, monkeypatch, tmp_path):
    shown = command("derive", RESIDUAL, "--wrt", "x")
    assert shown.code == 0, shown.text
    monkeypatch.setattr(sys, "stdin", io.StringIO(RESIDUAL.read_text()))
    assert command("derive", "-", "--wrt", "x").out == shown.out
    assert "∂E/∂x = Wᵀ q1" in command("derive", *SQUARES, "--wrt", "x").out
    (tmp_path / "with a mark.txt").write_bytes(b"\xef\xbb\xbfx: N\nE = sum(x)\n")
    assert "∂E/∂x = 1_N" in command("derive", "with a mark.txt", "--wrt", "x").out


def test_several_names_and_a_line_above_the_last(command):
    several = command("derive", RESIDUAL, "--wrt", "W1", "b2").out
    assert several.startswith("E differentiated by W1, b2\n")
    assert "∂E/∂W1 = dz xᵀ" in several
    assert "∂E/∂b2 = dy" in several
    assert "∂S/∂h = W2ᵀ dy" in command("derive", RESIDUAL, "--wrt", "h", "--of", "S").out


def test_what_the_result_does_not_depend_on_is_said(command):
    answer = command("derive", "x: N\nb: K\nE = sum(x)", "--wrt", "b")
    assert answer.code == 0
    assert "E does not depend on b: the derivative is zero." in answer.out


@pytest.mark.parametrize("layout", ["row", "column"])
def test_widths_stand_for_a_network(command, layout):
    answer = command("derive", "6-5-4", "--activation", "tanh", "--layout", layout, "--l2", 0.1)
    assert answer.code == 0, answer.text
    assert {"row": "∂L/∂W1 = A0ᵀ dZ1 + lam W1", "column": "∂L/∂W1 = dZ1 A0ᵀ + lam W1"}[layout] in answer.out
    assert "W1 ← W1 − eta dW1" in answer.out


def test_a_run_its_model_and_a_settings_file_stand_for_their_networks(command, digits_run):
    for target in (digits_run.path, digits_run.model):
        answer = command("derive", target)
        assert answer.code == 0, answer.text
        assert answer.out.startswith("Back-propagation through 64–12–10 (relu, softmax)")
    assert "lam" in command("derive", ROOT / "examples" / "xor.toml").out


# Formats


def test_every_format_goes_to_the_terminal_or_a_file(command, tmp_path):
    starts = {
        "text": "E differentiated by x\n=",
        "markdown": "# E differentiated by x",
        "latex": r"\documentclass",
        "html": "<!DOCTYPE html>",
        "json": "{",
        "dot": "digraph",
        "svg": "<svg",
    }
    endings = {"text": "txt", "markdown": "md", "latex": "tex"}
    for form, start in starts.items():
        shown = command("derive", RESIDUAL, "--wrt", "x", "--format", form)
        assert shown.code == 0, shown.text
        assert shown.out.startswith(start)
        file = tmp_path / f"out.{endings.get(form, form)}"
        written = command("derive", RESIDUAL, "--wrt", "x", "--output", file)
        assert written.out == ""
        assert file.read_text() == shown.out
    stored = json.loads((tmp_path / "out.json").read_text())
    assert stored["gradients"]["dx"] == "W1.T @ dz + dy"
    assert stored["results"]["x"]["shape"] == "(N,)"
    assert {check["what"] for check in stored["checks"]} >= {"∂E/∂x", "∂E/∂x in index notation", "∂E/∂x in full"}


def test_the_graph_stands_where_the_format_allows(command):
    def shown(form, *more):
        return command("derive", RESIDUAL, "--wrt", "x", "--format", form, *more).out

    assert "└─ (sigmoid)" in shown("text")
    assert "└─ (sigmoid)" in shown("markdown")
    assert "<svg" in shown("html")
    assert "∂y[i]/∂h[j] = W2[i,j]" not in shown("dot")
    assert "∂y[i]/∂h[j] = W2[i,j]" in shown("dot", "--backward")
    assert ET.fromstring(shown("svg", "--backward")).tag.endswith("svg")


# A formula put to the test


def test_the_form_printed_in_report_003_is_rejected_in_both_ways(command):
    answer = command("derive", RESIDUAL, "--wrt", "x", "--claim", REPORTED)
    assert answer.code == 1
    assert "sizes pairwise different: no meaning" in answer.out
    assert "the shapes (N,) and (K,) do not broadcast: N is not K" in answer.out
    assert "N = K > 1: wrong numbers" in answer.out
    assert "but central differences give" in answer.out
    assert last_lines(answer, 1) == "The formula is REJECTED."


def test_a_right_formula_is_accepted_at_both(command):
    answer = command("derive", *SQUARES, "--wrt", "x", "--claim", "W.T @ (W @ x - y)")
    assert answer.code == 0, answer.text
    assert "K = N > 1: right" in answer.out
    assert last_lines(answer, 1) == "The formula is right."


def test_a_claim_is_answered_as_text_page_or_data(command):
    claim = (*SQUARES, "--wrt", "x", "--claim", "W.T @ W @ x")
    stored = json.loads(command("derive", *claim, "--format", "json").out)
    assert stored["ok"] is False
    assert [trial["verdict"] for trial in stored["trials"]] == ["wrong numbers", "wrong numbers"]
    assert "REJECTED" in command("derive", *claim, "--format", "html").out
    fails(command("derive", *claim, "--format", "latex"), "a claim is not answered in latex", "json")


def test_targets_that_sum_to_one_are_believed_where_it_is_said(command):
    claim = (EXAMPLES / "network.txt", "--wrt", "Z2", "--claim", "(A2 - T) / m")
    assert command("derive", *claim).code == 1
    assert command("derive", *claim, "--probabilities", "T:1").code == 0


# What is refused


def test_a_derivation_that_verification_refuses_exits_1(command, monkeypatch):
    calculus._derivative.cache_clear()
    monkeypatch.setattr(
        calculus,
        "derivative_text",
        lambda rule, at: "x" if rule.name == "tanh" else functions.derivative_text(rule, at),
    )
    answer = command("derive", "x: N\nE = sum(tanh(x))", "--wrt", "x")
    calculus._derivative.cache_clear()
    assert answer.code == 1
    assert answer.out == ""
    assert "but central differences give" in answer.err
    assert "Traceback" not in answer.err


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("missing.txt", "--wrt", "x"), ("no file 'missing.txt'", "E = sum")),
        (("a" * 5000, "--wrt", "x"), ("no file", "E = sum")),
        (("x: N\nE = sum(x)",), ("--wrt names nothing", "--wrt x")),
        (("x: N\nE = sum(x)", "--wrt", "y"), ("unknown variable 'y'", "x")),
        (("x: N\nE = sum(x)", "--wrt", "E"), ("the result itself",)),
        (("E = sum(W @ x)", "--wrt", "x", "--shapes", "W:K,N", "x:K"), ("W @ x", "(K, N) and (K,)", "column 9")),
        (("E = sum(x)", "--wrt", "x", "--shapes", "x"), ("--shapes has 'x'", "x:N")),
        (("E = sum(x)", "--wrt", "x", "--shapes", "x:N", "x:K"), ("--shapes has 'x:K'",)),
        (("E = sum(x)", "--wrt", "x", "--shapes", "x:?"), ("'?' is no shape",)),
        (("x: N\nE = sum(y)", "--wrt", "x"), ("unknown name 'y'", "line 2, column 9")),
        (("x: N\nE = E + sum(x)", "--wrt", "x"), ("E is defined by itself",)),
        (("x: N\nE = open('x')", "--wrt", "x"), ("unknown function 'open'",)),
        (("x: N\nimport os", "--wrt", "x"), ("import is not in the language",)),
        (("x: N\nE = sum(relu(diag(x)))", "--wrt", "x"), ("at a kink",)),
        (("x: ()\nE = log(-x**2)", "--wrt", "x"), ("not finite",)),
        (("x: N\nE = sum(x)", "--wrt", "x", "--of", "F"), ("unknown line 'F'",)),
        (("x: N\nE = sum(x)", "--wrt", "x", "--layout", "column"), ("--layout and --l2 are for networks",)),
        (("x: N\nE = sum(x)", "--wrt", "x", "--probabilities", "x:2"), ("axis '2' for x",)),
        (("x: N\nE = sum(x)", "--wrt", "x", "--claim", "sum(q)"), ("the formula, line 1", "unknown name 'q'")),
        (("x: N\nE = sum(x)", "--wrt", "x", "--claim", "import os"), ("the formula", "import")),
        (("x: N\nE = sum(x)", "--claim", "x"), ("a claim is about one name",)),
        (("x: N\nE = sum(x)", "--wrt", "E", "--claim", "1"), ("the result itself",)),
        (("x: N\nE = sum(x)", "--wrt", "x", "--format", "pdf"), ("pdf", "latex")),
        (("6-5-4", "--wrt", "W1"), ("--wrt is for texts",)),
        (("6-5-4", "--claim", "W1"), ("--claim is for texts",)),
        (("6-5-4", "--activation", "rleu"), ("'rleu'", "'relu'")),
        (("missing.safetensors",), ("missing.safetensors",)),
        (("missing.toml",), ("missing.toml",)),
        ((".",), ("no model",)),
    ],
    ids=lambda value: " ".join(map(str, value))[-60:].replace("\n", " ; "),
)
def test_bad_input_is_refused(command, arguments, words):
    fails(command("derive", *arguments), *words)


def test_files_that_are_too_long_or_no_text_are_refused(command, monkeypatch, tmp_path):
    (tmp_path / "long.txt").write_text("E = x" + " + x" * 2_500_000)
    fails(command("derive", "long.txt", "--wrt", "x"), "long.txt has more than 20,000 characters")
    (tmp_path / "binary.txt").write_bytes(bytes(range(256)))
    fails(command("derive", "binary.txt", "--wrt", "x"), "binary.txt is no text")
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(bytes(range(256))), "utf-8"))
    fails(command("derive", "-", "--wrt", "x"), "standard input is no text")
    fails(command("derive", RESIDUAL, "--wrt", "x", "--output", "/proc/nothing/here.txt"), "/proc/nothing/here.txt")
    (tmp_path / "empty.txt").write_text("")
    fails(command("derive", "empty.txt", "--wrt", "x"), "no equation")


def test_the_help_has_examples(command):
    answer = command("derive", "--help")
    assert answer.code == 0
    assert "chainrule derive examples/derive/residual.txt --wrt x" in answer.words
    assert "  derive " in command("--help").out
