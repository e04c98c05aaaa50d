"""The mistakes of the five reports: code is diagnosed as the list of them says, formulas are rejected."""

import shlex
from pathlib import Path

import pytest

from chainrule.algebra import check_claim
from chainrule.cli import main
from chainrule.diagnosis import diagnose_file

ROOT = Path(__file__).parents[2]
REPORTS = ROOT / "examples" / "reports"
FORMULAS = REPORTS / "formulas"

# What each file is found to be: kinds, and where, any one of those with | between them. A start of another scale
# is told, but makes no gradient wrong.
CODE = {
    "F07_order": [("transposed", "dW2"), ("transposed", "dW1")],
    "F11_mean": [("missing-mean", "dZ2")],
    "F18_scale": [("loss-scale", "loss")],
    "F19_accumulators": [("stale-state", "forward")],
    "F20_cache_entry": [("wrong-operand|stale-cache", "dW2"), ("wrong-operand|wrong-derivative", "dZ1")],
    "F21_softmax_axis": [("softmax-axis", "A2")],
    "F22_output_bias": [("summed-over-classes", "db2")],
    "F23_hidden_bias": [("collapsed-scalar", "db1")],
    "F24_two_losses": [("other-loss", "loss|dZ2")],
    "F25_validation": [("trains-on-validation", "DeepNeuralNetwork.train")],
    "F27_fan_out": [("fan-out", "DeepNeuralNetwork.__init__")],
}


def test_every_file_of_code_is_in_the_list() -> None:
    assert {path.stem for path in REPORTS.glob("*.py")} == set(CODE)


@pytest.mark.parametrize("name", CODE)
def test_the_code_of_the_reports_is_diagnosed_as_listed(name: str) -> None:
    found = diagnose_file(REPORTS / f"{name}.py")
    assert found.verdict == ("right" if name == "F27_fan_out" else "wrong"), found.text()
    assert len(found.findings) == len(CODE[name]), found.text()
    for finding, (kinds, quantities) in zip(found.findings, CODE[name], strict=True):
        assert {finding.kind, *finding.also} & set(kinds.split("|")), found.text()
        assert finding.quantity in quantities.split("|"), found.text()


@pytest.mark.parametrize("path", sorted(REPORTS.glob("*.py")), ids=lambda path: path.stem)
def test_every_file_says_in_a_line_which_report_it_is_of(path: Path) -> None:
    assert path.read_text().startswith(("# Of report 00", "# Of reports 00"))


@pytest.mark.parametrize("path", sorted(FORMULAS.glob("F*.txt")), ids=lambda path: path.stem)
def test_a_formula_as_printed_is_rejected_and_the_right_one_accepted(
    path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(ROOT)
    command, _, right = path.read_text().splitlines()[:3]
    _, *arguments = shlex.split(command.removeprefix("# "))
    assert main(arguments) == 1
    assert "The formula is REJECTED." in capsys.readouterr().out
    text, wrt = (ROOT / arguments[1]).read_text(), arguments[arguments.index("--wrt") + 1]
    targets = dict.fromkeys([name for name in ("Y", "y") if f"\n{name}: " in text], 0)  # they sum to one
    assert check_claim(text, wrt, right.removeprefix("# right: "), probabilities=targets).ok
