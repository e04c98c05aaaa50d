"""What a file keeps from one pass to the next, or writes into although it still needs it."""

import re
from collections.abc import Sequence

import numpy as np

from chainrule.diagnosis.agreement import close
from chainrule.diagnosis.findings import Finding
from chainrule.diagnosis.forward import Network
from chainrule.diagnosis.layout import as_samples
from chainrule.diagnosis.observation import Change, Interface, Observation, Variable


def state_findings(
    observations: Sequence[Observation], interface: Interface, network: Network | None, source: str
) -> tuple[list[Finding], list[str]]:
    """Findings and remarks; `source` tells whether the file has a function of its own that sets gradients to zero."""
    changes = [change for o in observations for change in o.changed]
    remarks = [_written(change) for change in changes if change.what in ("input", "targets")]
    findings = []
    if any(_differs(o.output, o.output_again) for o in observations):
        change = next((c for c in changes if c.what in ("parameter", "cache") and c.role == "forward"), None)
        if change is None and network is None:
            remarks.append("a second forward pass with the same input gives another output: it draws at random")
        else:
            what = f"`{change.name}`" if change is not None else "something that it keeps"
            words = f"a second forward pass with the same input gives another output: {what} is not reset"
            findings.append(
                _kept("stale-state", "forward", words, "start every forward pass from fresh values", interface)
            )
    elif interface.update != "in place" and (name := _grown(observations)):
        sums = {variable.name for o in observations for variable in o.gradients.values()}
        if not any(change.name in sums for change in changes):
            words = f"after another pass d{name} is another one for the same input: a value of that pass is used"
            findings.append(_kept("stale-cache", "backward", words, "let every pass use its own values", interface))
        elif not re.search(r"def \w*(zero|reset|clear)", source):
            words = f"d{name} is added to what earlier passes left, and nothing sets it to zero"
            findings.append(_kept("stale-state", "backward", words, "start every pass from zero gradients", interface))
    overwritten = next((c for o in observations for c in o.changed if _is_forward(c, o, network, interface)), None)
    if overwritten is not None and not findings:
        function, line = interface.functions.get("backward", ("backward", None))
        words = f"{function} writes into `{overwritten.name}`, a value of the forward pass that is wrong afterwards"
        right = f"work on a copy of `{overwritten.name}`"
        name = overwritten.name
        findings.append(
            Finding("overwritten-cache", "backward", name, words, right, line=line, function=function, grave=False)
        )
    return findings, list(dict.fromkeys(remarks))


def _kept(kind: str, role: str, words: str, right: str, interface: Interface) -> Finding:
    function, line = interface.functions.get(role, (role, None))
    return Finding(kind, role, function, words, right, line=line, function=function)


def _differs(first: np.ndarray | None, again: np.ndarray | None) -> bool:
    if first is None or again is None:
        return False
    return first.shape != again.shape or not np.allclose(first, again, rtol=1e-6, atol=1e-9, equal_nan=True)


def _grown(observations: Sequence[Observation]) -> str:
    """The first parameter whose gradient is another one in a second pass."""
    for observation in observations:
        for name, again in observation.gradients_again.items():
            first: Variable | None = observation.gradients.get(name)
            if first is not None and _differs(first.value, again.value):
                return name
    return ""


def _is_forward(change: Change, observation: Observation, network: Network | None, interface: Interface) -> bool:
    """Whether backward wrote into a value of the forward pass: one of our Z or A at this point."""
    if network is None or change.what != "cache" or change.role != "backward":
        return False
    m = len(observation.point.X)
    i = next((i for i, T in enumerate(network.T) if T is observation.point.targets), 0)
    for values in (network.Z, network.A):
        for l, both in values.items():
            if l > 0:
                before = as_samples(change.before, m, network.width(l), interface.layout)
                if before is not None and close((before,), (both[i],)):
                    return True
    return False


def _written(change: Change) -> str:
    where = {"input": "the input", "targets": "the targets"}[change.what]
    return f"{change.role} writes into {where} `{change.name}`: who uses it afterwards finds it changed"
