"""The user's own names for our quantities, found by their values, and the right equations written in them."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from chainrule.diagnosis.agreement import Both, factors, same_number
from chainrule.diagnosis.evidence import Gradient, Local
from chainrule.diagnosis.forward import Network
from chainrule.diagnosis.judging import Explanation
from chainrule.diagnosis.objective import Objective, multiple, power_of
from chainrule.diagnosis.observation import Interface, Variable


@dataclass(frozen=True)
class Names:
    """By our name: the user's name, and the variable behind it. `late` where 1/m comes in dW and db instead of dZ."""

    words: Mapping[str, str]
    variables: Mapping[str, Variable]
    late: bool = False

    def __getitem__(self, name: str) -> str:
        return self.words.get(name, name)

    def put(self, text: str) -> str:
        """`text` with the names in braces replaced."""
        return re.sub(r"\{(\w+)\}", lambda match: self[match.group(1)], text)


def short(name: str) -> str:
    """`grads["dW1"]` → dW1, `self.W1` → W1, `softmax.exps` → exps."""
    inner = re.search(r"\[[\"'](.+?)[\"']\]$", name)
    if inner:
        return inner.group(1)
    return name.partition("@")[0].rpartition(".")[2] or name


def find_names(
    interface: Interface,
    gradients: Mapping[str, Gradient],
    network: Network | None,
    objective: Objective | None,
    explanation: Explanation | None,
    forward: Mapping[int, list[Local]],
    backward: Mapping[int, list[Local]],
) -> Names:
    words: dict[str, str] = {}
    variables: dict[str, Variable] = {}
    late = False
    for ours, theirs in interface.names.items():
        words[{"X": "A0", "targets": "T", "Y": "T", "y": "T"}.get(ours, ours)] = short(theirs)
    words.setdefault("T", "Y")
    words.setdefault("A0", "X")
    words["loss"] = "the loss"
    for parameter, gradient in gradients.items():
        own = short(gradient.variable.name)
        in_place = own == words.get(parameter, parameter)
        words[f"d{parameter}"] = f"the gradient of {own}" if in_place and interface.update == "in place" else own
        if in_place and interface.update != "in place":
            words[f"d{parameter}"] = f"d{own}"
        variables[f"d{parameter}"] = gradient.variable
    if network is not None:
        for l in range(1, network.depth + 1):
            for symbol, value in (("Z", network.Z[l]), ("A", network.A[l])):
                found = _best(value, forward.get(l, []), f"{symbol}{l}")
                if found is not None:
                    words[f"{symbol}{l}"], variables[f"{symbol}{l}"] = short(found.name), found
    if network is not None and explanation is not None and objective is not None:
        taken = {words.get(f"{s}{l}") for s in "AZ" for l in range(network.depth + 1)}
        for l in range(1, network.depth + 1):
            among = [v for v in backward.get(l, []) if short(v.variable.name) not in taken]
            for symbol, values in (("dZ", explanation.D), ("dA", explanation.dA)):
                if l not in values:
                    continue
                found, scaled = _multiple(values[l], among, objective, network.m, f"{symbol}{l}")
                if found is not None and found is not variables.get(f"dZ{l}"):
                    words[f"{symbol}{l}"], variables[f"{symbol}{l}"] = short(found.name), found
                    late = late or scaled
    return Names(words, variables, late)


def equation(quantity: str, names: Names, network: Network, objective: Objective, interface: Interface) -> str:
    """The right form of a quantity of the backward pass, in the user's names and layout; "" where there is none.

    These are the lines of `chainrule.network.passes.backward_pass`, which `chainrule.derive` proves.
    """
    symbol, l = quantity[:2], int(re.sub(r"\D", "", quantity) or 0)
    L, row = network.depth, interface.layout == "row"
    right = ""
    if symbol == "dW":
        left, D = names[f"A{l - 1}"], names[f"dZ{l}"]
        as_ours = (interface.weights == "(in, out)") == row
        right = (
            f"{left}ᵀ {D}"
            if as_ours and row
            else f"{D} {left}ᵀ"
            if as_ours
            else f"{D}ᵀ {left}"
            if row
            else f"{left} {D}ᵀ"
        )
        right = f"(1/m) {right}" if names.late else right
        right += f" + λ {names[f'W{l}']}" if any(objective.lam) else ""
    elif symbol == "db":
        right = f"{'(1/m) ' if names.late else ''}Σ over the samples of {names[f'dZ{l}']}"
    elif symbol == "dA" and l < L:
        W, D = names[f"W{l + 1}"], names[f"dZ{l + 1}"]
        stored_ours = interface.weights == "(in, out)"
        right = f"{D} {W}{'ᵀ' if stored_ours else ''}" if row else f"{W}{'' if stored_ours else 'ᵀ'} {D}"
    elif symbol == "dZ" and l < L:
        slope = names.put(network.hidden[l - 1].plain.format(Z=f"{{Z{l}}}", A=f"{{A{l}}}"))
        right = f"{names[f'dA{l}']} ∘ {slope}" if slope != "1" else names[f"dA{l}"]
    elif symbol in ("dZ", "dA"):
        right = _output_delta(names, network, objective)
    elif symbol[0] == "Z":
        A, W, b = names[f"A{l - 1}"], names[f"W{l}"], names[f"b{l}"]
        straight = (interface.weights == "(in, out)") == row
        right = f"{A} {W}{'' if straight else 'ᵀ'} + {b}" if row else f"{W}{'' if straight else 'ᵀ'} {A} + {b}"
    elif symbol[0] == "A" and l == L and network.output.name == "softmax":
        right = f"e^{names[f'Z{l}']} / Σ over the classes of e^{names[f'Z{l}']}, for each sample"
    elif symbol[0] == "A" and 0 < l < L:
        right = f"{network.hidden[l - 1].name}({names[f'Z{l}']})"
    return f"{names[quantity]} = {right}" if right else ""


def _output_delta(names: Names, network: Network, objective: Objective) -> str:
    L, (power, c) = network.depth, power_of(objective.scale, network.m)
    A, T = names[f"A{L}"], names["T"]
    power = 0 if names.late else power
    scale = {0: "", -1: "/m"}.get(power, f" · m^{power}")
    from chainrule.diagnosis.functions import MATCHED

    times = "" if abs(c - 1) < 1e-6 else f"{multiple(c, {'K': network.width(L)})} "
    if MATCHED.get(objective.output.name) == objective.loss.name and objective.output.name in (
        "softmax",
        "sigmoid",
        "identity",
    ):
        return f"{times}({A} − {T}){scale}"
    return (
        f"{times}∂ℓ/∂{A} · ∂{A}/∂{names[f'Z{L}']}{scale}, ℓ the {objective.loss.name}, {A} the {objective.output.name}"
    )


def _best(value: Both, among: list[Local], ours: str) -> Variable | None:
    """The variable of that value whose name is most like ours."""
    found = [
        v.variable
        for v in among
        if factors(v.value, value) is not None and same_number((1.0, *(factors(v.value, value) or ())))
    ]
    return min(found, key=lambda v: _unlike(v.name, ours), default=None)


def _multiple(
    value: Both, among: list[Local], objective: Objective, m: tuple[int, ...], ours: str
) -> tuple[Variable | None, bool]:
    """The variable of that value, or of the value before the 1/m of the mean; and whether it was the latter."""
    found: list[tuple[Variable, bool]] = []
    for local in among:
        r = factors(local.value, value)
        if r is None:
            continue
        if same_number((1.0, *r)):
            found.append((local.variable, False))
        elif objective.before_mean(r, m):
            found.append((local.variable, True))
    return min(found, key=lambda pair: (_unlike(pair[0].name, ours), pair[1]), default=(None, False))


def _unlike(name: str, ours: str) -> tuple[bool, bool, bool]:
    plain = short(name).lower()
    return plain != ours.lower(), ours[1:2].lower() not in plain[1:] or ours[-1] not in plain, "@" in name
