"""What the words of somebody's code say of its mathematics: which activations, which output, which loss."""

import ast

from chainrule.diagnosis.evaluating import Trial
from chainrule.diagnosis.recognition import called

_ACTIVATIONS = ("leaky_relu", "relu", "sigmoid", "tanh", "softmax")


def stated(trial: Trial) -> dict[str, str]:
    """Hints by "hidden", "output", "loss"; what is not said is left out."""
    found: dict[str, str] = {}
    used = _activations(trial)
    outputs = [each for each in used if each == "softmax"] or used[-1:]
    if used:
        found["output"] = outputs[0]
        hidden = [each for each in used if each != "softmax"] if "softmax" in used else used[:-1] or used
        if hidden:
            found["hidden"] = hidden[0]
    loss = _loss(trial)
    if loss:
        found["loss"] = loss
    return found


def _activations(trial: Trial) -> list[str]:
    """In the order of their use in forward."""
    function = trial.plan.forward or trial.plan.backward
    calls = sorted(
        (node for node in ast.walk(function.node) if isinstance(node, ast.Call)),
        key=lambda node: (node.lineno, node.col_offset),
    )
    names = []
    for call in calls:
        word = called(call).lower()
        if word == "maximum":
            names.append("relu")
        names += [each for each in _ACTIVATIONS if each.replace("_", "") in word.replace("_", "")][:1]
    return names


def _loss(trial: Trial) -> str:
    if trial.loss is None:
        return ""
    text = f"{trial.loss.owner} {trial.loss.name} {ast.get_docstring(trial.loss.node) or ''}".lower().replace("_", " ")
    binary = (
        "binary" in text
        or "bce" in text
        or ("1 - " in ast.unparse(trial.loss.node) and "log" in ast.unparse(trial.loss.node))
    )
    if "log" in ast.unparse(trial.loss.node) or "entropy" in text:
        return "binary cross-entropy" if binary else "cross-entropy"
    if "mse" in text or "square" in text or "** 2" in ast.unparse(trial.loss.node):
        return "squared error"
    return ""
