"""`chainrule check` and `chainrule explain` as a person meets them, and the examples that go with them."""

import json
import re
import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

import numpy as np
import pytest

import chainrule as cr
from chainrule.network import passes
from test_cli import fails

EXAMPLES = Path(__file__).parents[1] / "examples"


def wrong_products(monkeypatch):
    """A backward pass whose gradients of the weights are a hundredth too great."""
    right = passes._transposed_product
    monkeypatch.setattr(passes, "_transposed_product", lambda D, dZ: 1.01 * right(D, dZ))


# check


def test_a_run_is_checked(command, digits_run):
    answer = command("check", digits_run.path)
    assert answer.code == 0, answer.text
    assert "The gradients are right" in answer.out
    assert "train part, samples 0 to 15" in answer.out
    for name in ("W1", "b1", "W2", "b2", "A0"):
        assert f"\nok  {name} " in answer.out


def test_a_settings_file_a_model_and_widths_are_checked(command, digits_run):
    assert "before training" in command("check", EXAMPLES / "xor.toml").out
    assert "16 random samples" in command("check", digits_run.model).out
    answer = command(
        "check", "6-5-4-3", "--activation", "tanh", "gelu", "--loss", "identity", "--samples", 3, "--l2", 0.1
    )
    assert answer.code == 0, answer.text
    assert "network 6-5-4-3, 3 random samples" in answer.out
    both = command("check", "6-5-4", "--batch-norm", "True", "--dropout", "0.3")
    assert "W1 (inference)" in both.out
    assert "W1 (training)" in both.out
    assert "gamma1 (training)" in both.out
    assert command("check", "6-5-1", "--loss", "sigmoid").code == 0


def test_a_check_that_fails_exits_1(command, monkeypatch):
    wrong_products(monkeypatch)
    answer = command("check", "6-5-4")
    assert answer.code == 1
    assert "The gradients are WRONG in W1, W2" in answer.out
    assert "NO  W1" in answer.out


def test_a_failed_check_is_written_too(command, monkeypatch, tmp_path):
    wrong_products(monkeypatch)
    assert command("check", "6-5-4", "--format", "json", "--output", "check.json").code == 1
    stored = json.loads((tmp_path / "check.json").read_text())
    assert stored["ok"] is False
    assert [row["name"] for row in stored["rows"] if not row["ok"]] == ["W1", "W2"]


@pytest.mark.parametrize("arguments", [("check", "6-5-4"), ("explain", EXAMPLES / "xor.toml", "--of", "W1[1,3]")])
def test_every_format_goes_to_the_terminal_or_a_file(command, arguments, tmp_path):
    for form in ("text", "html", "json"):
        shown = command(*arguments, "--format", form)
        written = command(*arguments, "--format", form, "--output", f"out.{form}")
        assert shown.code == written.code == 0
        assert written.out == ""
        assert (tmp_path / f"out.{form}").read_text() == shown.out
    page = (tmp_path / "out.html").read_text()
    ET.fromstring(re.sub("<!doctype html>|<meta [^>]*>", "", page))
    assert 'name="viewport"' in page
    assert "overflow-x: auto" in page, "wide tables scroll by themselves, and the page does not"
    assert "http" not in page


# explain


def test_a_gradient_of_a_run_is_explained(command, digits_run):
    answer = command("explain", digits_run.path, "--of", "W1[20,5]", "--sample", 3, "--samples", 8)
    assert answer.code == 0, answer.text
    assert "W1[20,5] in" in answer.out
    assert "train part, samples 0 to 7" in answer.out
    assert "∂ℓ/∂W1[20,5] for sample 3" in answer.out
    assert "A0[3,20]" in answer.out
    assert "they agree" in answer.out
    stored = json.loads(command("explain", digits_run.path, "--of", "W1[20,5]", "--samples", 8, "--format", "json").out)
    net = cr.load(digits_run.path)
    data = cr.load_data("digits")
    x, y = data.train.x[:8], data.train.y[:8]
    assert stored["gradient"] == pytest.approx(float(net.backward(net.forward(x), y)["W1"][20, 5]), rel=1e-4)
    assert np.mean(stored["products"]) == pytest.approx(stored["gradient"], rel=1e-12)


def test_the_penalty_of_the_run_counts(command):
    found = json.loads(command("explain", EXAMPLES / "xor.toml", "--of", "W1[1,3]", "--format", "json").out)
    assert found["penalty"] != 0
    assert found["gradient"] == pytest.approx(np.mean(found["products"]) + found["penalty"], rel=1e-12)


def test_an_explanation_that_disagrees_exits_1(command, monkeypatch):
    wrong_products(monkeypatch)
    answer = command("explain", EXAMPLES / "xor.toml", "--of", "W1[1,3]")
    assert answer.code == 1
    assert "they DISAGREE" in answer.out


# Bad input


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("check", "nonsense"), ("'nonsense'", "784-300-10")),
        (("check", "6"), ("'6'",)),
        (("check", "6-0-3"), ("[6, 0, 3]",)),
        (("check", "6-5-4", "--samples", 0), ("--samples is 0",)),
        (("check", "6-5-4", "--activation", "rleu"), ("'rleu'", "'relu'")),
        (("check", "6-5-4", "--loss", "sofmax"), ("'sofmax'", "'softmax'")),
        (("check", "6-5-4", "--format", "pdf"), ("pdf", "html")),
        (("check", "missing.safetensors"), ("missing.safetensors",)),
        (("check", "missing.toml"), ("missing.toml",)),
        (("check", "."), ("is no run",)),
        (("check", EXAMPLES / "xor.toml", "--part", "test"), ("--part is 'test'", "train or validation")),
        (("explain", "missing", "--of", "W1[0,0]"), ("missing is no run",)),
        (("explain", EXAMPLES / "xor.toml"), ("--of",)),
        (("explain", EXAMPLES / "xor.toml", "--of", "W1[7,0]"), ("index 7", "0 to 1")),
        (("explain", EXAMPLES / "xor.toml", "--of", "W3[0,0]"), ("'W3'", "W2")),
        (("explain", EXAMPLES / "xor.toml", "--of", "import os"), ("names no entry",)),
        (("explain", EXAMPLES / "xor.toml", "--of", "W1[0,0]", "--sample", 16), ("--sample is 16", "--samples")),
        (("explain", EXAMPLES / "xor.toml", "--of", "W1[0,0]", "--sample", -1), ("--sample is -1",)),
        (("explain", EXAMPLES / "xor.toml", "--of", "W1[0,0]", "--part", "test"), ("opened once",)),
        (("explian", "x"), ("unknown command 'explian'", "explain")),
    ],
    ids=lambda value: " ".join(map(str, value))[-40:],
)
def test_bad_input_is_refused(command, arguments, words):
    fails(command(*arguments), *words)


def test_an_output_that_cannot_be_written_is_told(command):
    fails(command("check", "3-2", "--output", "/proc/nothing/here.txt"), "/proc/nothing/here.txt")


@pytest.mark.parametrize("name", ["check", "explain"])
def test_the_help_has_examples(command, name):
    answer = command(name, "--help")
    assert answer.code == 0
    assert f"chainrule {name} " in answer.words
    assert "examples:" in answer.words
    assert f"  {name} " in command("--help").out


# The examples


def ran(name, *arguments, cwd):
    return subprocess.run(
        [sys.executable, str(EXAMPLES / name), *arguments],
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
        cwd=cwd,
    ).stdout


def test_the_example_of_ones_own_backward_pass(tmp_path):
    right, wrong = ran("own_backward.py", cwd=tmp_path).split("\n\nThe gradients are WRONG")
    assert right.startswith("The gradients are right")
    assert wrong.startswith(" in W1, b1")


def test_the_example_of_the_scalar_network(tmp_path):
    out = ran("scalar_network.py", "net.svg", cwd=tmp_path)
    assert "c = 12, ∂c/∂a = 4" in out
    assert "0.6931471805599453" in out
    assert ET.parse(tmp_path / "net.svg").getroot().tag.endswith("svg")
