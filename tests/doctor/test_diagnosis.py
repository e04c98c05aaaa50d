"""Every kind of mistake, planted in a backward pass of our own, is found where it is and named; nothing else is."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

import chainrule as cr
from chainrule.diagnosis.diagnosing import diagnose_intake
from chainrule.diagnosis.kinds import KINDS
from doctor.by_hand import Line, taken_in

sigmoid = lambda z: 1 / (1 + np.exp(-z))  # noqa: E731

Planted = tuple[str, str, dict[str, Line], dict[str, Any]]

# kind, quantity, the line that makes it, and the network it is planted in
SINGLES: list[Planted] = [
    ("sign", "dW1", {"dW1": lambda v: -v["A0"].T @ v["dZ1"]}, {}),
    ("sign", "dZ2", {"dZ2": lambda v: (v["T"] - v["A2"]) / v["m"]}, {}),
    ("missing-mean", "dZ2", {"dZ2": lambda v: v["A2"] - v["T"]}, {}),
    ("missing-mean", "dW2", {"dW2": lambda v: v["A1"].T @ v["dZ2"]}, {"late": True}),
    ("double-mean", "db1", {"db1": lambda v: v["dZ1"].mean(axis=0)}, {}),
    ("double-mean", "dZ3", {"dZ3": lambda v: (v["A3"] - v["T"]) / v["m"] ** 2}, {"depth": 3, "hidden": "relu"}),
    ("constant-factor", "dZ2", {"dZ2": lambda v: 2 * (v["A2"] - v["T"]) / v["m"]}, {}),
    ("constant-factor", "dW1", {"dW1": lambda v: v["A0"].T @ v["dZ1"] / v["A0"].shape[1]}, {}),
    ("transposed", "dW2", {"dW2": lambda v: v["dZ2"].T @ v["A1"]}, {}),
    ("wrong-axis", "db1", {"db1": lambda v: v["dZ1"].sum(axis=1)}, {}),
    ("wrong-axis", "db1", {"db1": lambda v: v["dZ1"]}, {}),
    ("summed-over-classes", "db2", {"db2": lambda v: v["dZ2"].sum(axis=1)}, {"output": "sigmoid"}),
    ("collapsed-scalar", "db1", {"db1": lambda v: v["dZ1"].sum()}, {}),
    ("mask-missing", "dZ1", {"dZ1": lambda v: v["dA1"]}, {}),
    ("mask-missing", "dZ1", {"dZ1": lambda v: v["dA1"]}, {"hidden": "relu"}),
    ("mask-of-gradient", "dZ1", {"dZ1": lambda v: v["dA1"] * (v["dA1"] > 0)}, {"hidden": "relu"}),
    (
        "derivative-of-activation",
        "dZ1",
        {"dZ1": lambda v: v["dA1"] * sigmoid(v["A1"]) * (1 - sigmoid(v["A1"]))},
        {},
    ),
    ("derivative-of-activation", "dZ1", {"dZ1": lambda v: v["dA1"] * (1 - np.tanh(v["A1"]) ** 2)}, {"hidden": "tanh"}),
    ("wrong-derivative", "dZ1", {"dZ1": lambda v: v["dA1"] * (1 - v["A1"] ** 2)}, {}),
    ("wrong-derivative", "dZ1", {"dZ1": lambda v: v["dA1"] * v["A1"] * (1 - v["A1"])}, {"hidden": "tanh"}),
    ("wrong-derivative", "dZ2", {"dZ2": lambda v: v["dA2"] * (v["Z2"] <= 0)}, {"hidden": "relu", "depth": 3}),
    ("wrong-operand", "dZ2", {"dZ2": lambda v: (v["A2"] - v["Z2"]) / v["m"]}, {}),
    ("wrong-operand", "dW2", {"dW2": lambda v: v["Z1"].T @ v["dZ2"]}, {}),
    ("wrong-operand", "dA1", {"dA1": lambda v: v["dZ2"] @ (v["A1"].T @ v["dZ2"]).T}, {}),
    ("wrong-operand", "db1", {"db1": lambda v: v["dA1"].sum(axis=0)}, {}),
    (
        "updated-weights",
        "dA1",
        {"dA1": lambda v: v["dZ2"] @ (v["W2"] - 0.1 * v["A1"].T @ v["dZ2"]).T},
        {},
    ),
    ("softmax-diagonal", "dZ2", {"dZ2": lambda v: -v["T"] * (1 - v["A2"]) / v["m"]}, {}),
    (
        "other-loss",
        "dZ2",
        {"dZ2": lambda v: (v["A2"] - v["T"]) * v["A2"] * (1 - v["A2"]) / v["m"]},
        {"output": "sigmoid"},
    ),
    (
        "other-loss",
        "dZ2",
        {"loss": lambda v: -(v["T"] * np.log(v["A2"]) + (1 - v["T"]) * np.log(1 - v["A2"])).sum() / v["m"]},
        {},
    ),
    ("loss-scale", "loss", {"loss": lambda v: -2 * (v["T"] * np.log(v["A2"])).mean()}, {}),
    ("loss-scale", "loss", {"loss": lambda v: -(v["T"] * np.log(v["A2"])).sum()}, {}),
    ("loss-sign", "loss", {"loss": lambda v: (v["T"] * np.log(v["A2"])).sum() / v["m"]}, {}),
    ("l2-missing", "dW1", {"dW1": lambda v: v["A0"].T @ v["dZ1"]}, {"l2": 0.1}),
    ("l2-doubled", "dW2", {"dW2": lambda v: v["A1"].T @ v["dZ2"] + 0.2 * v["W2"]}, {"l2": 0.1}),
    ("l2-divided", "dW2", {"dW2": lambda v: v["A1"].T @ v["dZ2"] + 0.1 / v["m"] * v["W2"]}, {"l2": 0.1}),
    ("l2-factor", "dW2", {"dW2": lambda v: v["A1"].T @ v["dZ2"] - 0.1 * v["W2"]}, {"l2": 0.1}),
    ("l2-on-biases", "db1", {"db1": lambda v: v["dZ1"].sum(axis=0) + 0.1 * v["b1"]}, {"l2": 0.1}),
    ("l2-not-in-loss", "dW1", {"dW1": lambda v: v["A0"].T @ v["dZ1"] + 0.1 * v["W1"]}, {}),
    (
        "elementwise-for-product",
        "dW2",
        {"dW2": lambda v: np.outer(v["A1"].sum(axis=0), v["dZ2"].sum(axis=0))},
        {"output": "sigmoid"},
    ),
    ("permuted-rows", "dW1", {"dW1": lambda v: v["A0"][::-1].T @ v["dZ1"]}, {}),
    ("permuted-rows", "dW1", {"dW1": lambda v: (v["A0"].T @ v["dZ1"])[[2, 0, 1, 3, 4, 8, 5, 6, 7]]}, {}),
    ("missing-term", "dW2", {"dW2": lambda v: v["A1"][-1:].T @ v["dZ2"][-1:]}, {}),
    ("missing-term", "db2", {"db2": lambda v: 0 * v["dZ2"][0]}, {}),
    ("missing-term", "dZ2", {"dZ2": lambda v: v["A2"] / v["m"]}, {}),
    ("bias-missing", "Z1", {"Z1": lambda v: v["A0"] @ v["W1"]}, {}),
    ("forward-activation", "A1", {"Z2": lambda v: v["Z1"] @ v["W2"] + v["b2"]}, {}),
    (
        "softmax-axis",
        "A2",
        {"A2": lambda v: np.exp(v["Z2"]) / np.exp(v["Z2"]).sum(axis=0)},
        {},
    ),
    ("softmax-axis", "A2", {"A2": lambda v: np.exp(v["Z2"]) / np.exp(v["Z2"]).sum()}, {}),
]
IDS = [f"{kind}-{quantity}-{i}" for i, (kind, quantity, _, _) in enumerate(SINGLES)]


@pytest.mark.parametrize("layout", ["row", "column"])
@pytest.mark.parametrize(("kind", "quantity", "change", "network"), SINGLES, ids=IDS)
def test_a_planted_mistake_is_named_where_it_is(
    kind: str, quantity: str, change: dict[str, Line], network: dict[str, Any], layout: str
) -> None:
    diagnosis = diagnose_intake(taken_in(change, layout=layout, **network))
    assert diagnosis.verdict == "wrong"
    assert [(f.kind, f.quantity) for f in diagnosis.findings] == [(kind, quantity)]
    assert diagnosis.explained


@pytest.mark.parametrize(("kind", "quantity", "change", "network"), SINGLES, ids=IDS)
def test_it_is_named_without_local_variables_too(
    kind: str, quantity: str, change: dict[str, Line], network: dict[str, Any]
) -> None:
    diagnosis = diagnose_intake(taken_in(change, seen=False, **network))
    assert [f.kind for f in diagnosis.findings] == [kind]
    found = diagnosis.findings[0].quantity
    assert found == quantity or {found, quantity} == {"dA1", "dZ1"}  # a factor shows in either, where neither is seen


def test_all_kinds_of_a_single_pass_are_planted_here() -> None:
    beside = {
        "mask-wrong-layer", "stale-cache", "overwritten-cache", "stale-state", "trains-on-validation",
        "accumulators-carry-over", "never-reshuffled", "samples-dropped", "seed-fixed", "prior-entropy", "ascends",
        "fan-out",
    }  # fmt: skip
    assert {kind for kind, *_ in SINGLES} == set(KINDS) - beside


def test_what_comes_after_a_mistake_is_its_consequence() -> None:
    diagnosis = diagnose_intake(taken_in({"dZ1": lambda v: v["dA1"]}))
    assert {row.quantity: row.status for row in diagnosis.table} == {
        "dZ2": "right",
        "dW2": "right",
        "db2": "right",
        "dA1": "right",
        "dZ1": "wrong",
        "dW1": "consequence",
        "db1": "consequence",
    }
    assert diagnosis.quantities == {"dW2": True, "db2": True, "dW1": False, "db1": False}


PAIRS = [
    (
        {"dW2": lambda v: -v["A1"].T @ v["dZ2"], "db1": lambda v: v["dZ1"].sum()},
        {("sign", "dW2"), ("collapsed-scalar", "db1")},
    ),
    (
        {"dZ2": lambda v: v["A2"] - v["T"], "dZ1": lambda v: v["dA1"]},
        {("missing-mean", "dZ2"), ("mask-missing", "dZ1")},
    ),
    (
        {"dZ2": lambda v: v["T"] - v["A2"]},
        {("sign", "dZ2"), ("missing-mean", "dZ2")},
    ),
    (
        {"dW1": lambda v: (-v["A0"].T @ v["dZ1"]).T},
        {("sign", "dW1"), ("transposed", "dW1")},
    ),
    (
        {"dA1": lambda v: v["dZ2"] @ (v["A1"].T @ v["dZ2"]).T, "dZ1": lambda v: v["dA1"] * (1 - v["A1"] ** 2)},
        {("wrong-operand", "dA1"), ("wrong-derivative", "dZ1")},
    ),
]


@pytest.mark.parametrize(("changes", "named"), PAIRS)
def test_two_mistakes_are_named_both(changes: dict[str, Line], named: set[tuple[str, str]]) -> None:
    diagnosis = diagnose_intake(taken_in(changes))
    assert {(f.kind, f.quantity) for f in diagnosis.findings} == named


def test_an_unknown_mistake_seen_in_a_variable_leaves_what_follows_a_consequence() -> None:
    twist = np.random.default_rng(1).normal(size=(3, 3))
    diagnosis = diagnose_intake(taken_in({"dZ2": lambda v: (v["A2"] - v["T"]) @ twist / v["m"]}))
    assert diagnosis.verdict == "wrong"
    assert not diagnosis.findings
    assert "not recognised" in diagnosis.summary
    status = {row.quantity: row.status for row in diagnosis.table}
    assert status["dZ2"] == "wrong"
    assert status["dW1"] == "consequence"


def test_the_sentence_is_in_the_users_words_and_the_equation_in_the_users_layout() -> None:
    change: dict[str, Line] = {"dW2": lambda v: v["A1"].T @ v["dZ2"]}
    for layout, right in (("row", "dW2 = (1/m) A1ᵀ dZ2"), ("column", "dW2 = (1/m) dZ2 A1ᵀ")):
        finding = diagnose_intake(taken_in(change, late=True, layout=layout)).findings[0]
        assert finding.sentence == "dW2 is m times too large: the 1/m of the mean loss is missing"
        assert finding.equation == right
        assert [entry["m"] for entry in finding.evidence] == [5, 6]
        assert all(entry["after"] < 1e-9 < 1e-2 < entry["before"] for entry in finding.evidence)


def test_without_a_loss_one_positive_factor_is_right_up_to_scale() -> None:
    right = diagnose_intake(taken_in(stated=False))
    assert right.verdict == "right"
    scaled = diagnose_intake(taken_in({"dZ2": lambda v: v["A2"] - v["T"]}, stated=False))
    assert scaled.verdict == "right up to scale"
    assert any("m times" in remark for remark in scaled.remarks)
    assert "Remark: the file has no loss" in scaled.text()
    assert "Remark" not in scaled.text("where")
    assert scaled.ok
    turned = diagnose_intake(taken_in({"dZ2": lambda v: v["T"] - v["A2"]}, stated=False))
    assert turned.verdict == "wrong"
    one = diagnose_intake(taken_in({"dW2": lambda v: 2 * v["A1"].T @ v["dZ2"]}, stated=False))
    assert [f.kind for f in one.findings] == ["constant-factor"]


def test_the_mask_may_be_on_or_off_at_zero() -> None:
    change: dict[str, Line] = {"dZ1": lambda v: v["dA1"] * (v["Z1"] >= 0)}
    assert diagnose_intake(taken_in(change, hidden="relu")).verdict == "right"


def test_the_hint_level_sets_how_much_is_told() -> None:
    diagnosis = diagnose_intake(taken_in({"dW2": lambda v: -v["A1"].T @ v["dZ2"]}))
    verdict, where, what, how = (diagnosis.text(level) for level in ("verdict", "where", "what", "how"))
    assert "WRONG" in verdict
    assert "dW2" not in verdict
    assert "dW2, line 20" in where
    assert "opposite sign" not in where
    assert "opposite sign" in what
    assert "A1ᵀ dZ2" not in what
    assert "A1ᵀ dZ2" in how
    assert "findings" not in diagnosis.to_json("verdict")
    assert set(diagnosis.to_json("where")["findings"][0]) == {"quantity", "name", "line", "function"}
    assert diagnosis.to_json()["findings"][0]["kind"] == "sign"
    assert "<table>" in diagnosis.html("how")
    assert "opposite sign" not in diagnosis.html("where")
    with pytest.raises(ValueError, match="unknown hint level"):
        diagnosis.text("everything")


def test_equations_are_those_that_derive_proves() -> None:
    """The matrix forms of `chainrule derive` for the same network, in both layouts."""
    net = cr.Network([9, 7, 3], activation="sigmoid")
    for layout in ("row", "column"):
        derived = cr.derivation(net, layout=layout).text()
        for quantity in ("dW2", "dA1", "dW1"):
            mistake: dict[str, Line] = {quantity: _twisted(quantity)}
            finding = diagnose_intake(taken_in(mistake, layout=layout)).findings[0]
            assert finding.equation.replace("X", "A0") in {line.strip() for line in derived.split("  ")}, finding


def _twisted(quantity: str) -> Line:
    right: dict[str, Line] = {
        "dW2": lambda v: v["A1"].T @ v["dZ2"],
        "dA1": lambda v: v["dZ2"] @ v["W2"].T,
        "dW1": lambda v: v["A0"].T @ v["dZ1"],
    }
    return lambda v: -right[quantity](v)


def test_a_scale_that_may_be_in_the_loss_or_in_the_gradient_is_told_as_both() -> None:
    for line, also in ((lambda v: -(v["T"] * np.log(v["A2"])).mean(), "constant-factor"), (_summed, "double-mean")):
        finding = diagnose_intake(taken_in({"loss": line})).findings[0]
        assert (finding.kind, finding.also) == ("loss-scale", (also,))


def _summed(v: dict[str, Any]) -> Any:
    return -(v["T"] * np.log(v["A2"])).sum()


def test_an_epsilon_inside_the_logarithm_is_a_remark() -> None:
    change: dict[str, Line] = {"loss": lambda v: -(v["T"] * np.log(v["A2"] + 1e-6)).sum() / v["m"]}
    diagnosis = diagnose_intake(taken_in(change))
    assert diagnosis.verdict == "right"
    assert any("ε" in remark for remark in diagnosis.remarks)


def test_an_unknown_forward_pass_is_judged_by_central_differences_alone() -> None:
    odd: dict[str, Line] = {"A1": lambda v: np.cos(v["Z1"]) ** 3}
    right: dict[str, Line] = {"dZ1": lambda v: v["dA1"] * -3 * np.cos(v["Z1"]) ** 2 * np.sin(v["Z1"])}
    diagnosis = diagnose_intake(taken_in(odd | right))
    assert diagnosis.verdict == "right"
    assert any("forward pass was not recognised" in remark for remark in diagnosis.remarks)
    doubled: dict[str, Line] = {"dW1": lambda v: 2 * v["A0"].T @ v["dZ1"]}
    wrong = diagnose_intake(taken_in(odd | right | doubled))
    assert [(f.kind, f.quantity) for f in wrong.findings] == [("constant-factor", "dW1")]
    assert diagnose_intake(taken_in(odd)).verdict == "wrong"


def test_a_gradient_that_is_not_returned_is_a_missing_term() -> None:
    intake = taken_in()
    lacking = []
    for o in intake.observations:
        lacking.append(replace(o, gradients={name: v for name, v in o.gradients.items() if name != "b1"}))
    diagnosis = diagnose_intake(replace(intake, observations=tuple(lacking)))
    assert [(f.kind, f.quantity) for f in diagnosis.findings] == [("missing-term", "db1")]


def test_a_gradient_that_is_not_finite_is_wrong() -> None:
    assert diagnose_intake(taken_in({"db1": lambda v: v["dZ1"].sum(axis=0) * np.nan})).verdict == "wrong"
