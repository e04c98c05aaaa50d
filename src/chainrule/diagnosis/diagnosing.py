"""From what was seen of one file to what is wrong with it."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from chainrule.diagnosis import forward, objective
from chainrule.diagnosis.agreement import Both, close, deviations, same_number
from chainrule.diagnosis.evidence import Gradient, gradients, locals_of
from chainrule.diagnosis.findings import Finding
from chainrule.diagnosis.forward import Network
from chainrule.diagnosis.functions import Map, activations, output_maps
from chainrule.diagnosis.hypotheses import factor_mistakes
from chainrule.diagnosis.judging import Case, Explanation, explain
from chainrule.diagnosis.kinds import Mistake
from chainrule.diagnosis.loop import ascending, loop_findings
from chainrule.diagnosis.naming import Names, equation, find_names, short
from chainrule.diagnosis.objective import Objective, multiple, power_of
from chainrule.diagnosis.observation import Intake, Interface
from chainrule.diagnosis.plainly import numeric_mistakes
from chainrule.diagnosis.report import Diagnosis, Quantity, Verdict
from chainrule.diagnosis.state import state_findings
from chainrule.diagnosis.verdict import Judged, common_factor, judge


def diagnose_intake(intake: Intake) -> Diagnosis:
    """The verdict on one file, with what is wrong in it; "not run" where there is nothing to judge."""
    interface = intake.interface
    if interface is None or not intake.observations:
        beside = tuple(loop_findings(intake)) if interface is not None else ()
        return Diagnosis(intake, "not run", findings=beside, reason=intake.failure or NOTHING)
    if not any(o.gradients for o in intake.observations):
        failed = next((words for o in intake.observations for words in o.failed.values()), None)
        return Diagnosis(intake, "not run", reason=intake.failure or failed or "the code gives no gradients")
    return _Diagnosing(intake, interface).diagnosis()


UNSEEN = "central differences of its loss say nothing: it rounds or jumps too much, and its passes were not recognised"
UNKNOWN = "neither its loss nor its forward pass was recognised"
NOTHING = "nothing in the file was recognised as a forward and a backward pass"


class _Diagnosing:
    """One file: what was recognised of it, kept together for the steps below."""

    def __init__(self, intake: Intake, interface: Interface) -> None:
        self.intake, self.interface = intake, interface
        self.seen = intake.observations
        self.points = [o.point for o in self.seen]
        self.gradients = gradients(self.seen, interface)
        self.network = forward.recognise(self.seen, interface.layout)
        self.objective = None if self.network is None else objective.recognise(self.network, self.seen)
        if self.network is not None and self.objective is None and self.network.fault == "softmax-axis":
            self.objective = objective.assumed(self.network)  # a softmax that is 1 everywhere has no loss to recognise
        self.derivatives: dict[str, Both] = {}
        if self.network is not None and self.objective is not None:
            self.derivatives = objective.truth(self.network, self.objective)
        widths = dict(enumerate(self.points[0].sizes))
        self.forward = {l: locals_of(self.seen, "forward", w, interface.layout) for l, w in widths.items()}
        self.backward = {l: locals_of(self.seen, "backward", w, interface.layout) for l, w in widths.items()}
        self.remarks: list[str] = []
        self.flipped = self._opposite()

    def _opposite(self) -> bool:
        """Whether the file keeps all gradients with the opposite sign and adds them; they are turned round then."""
        step = self.intake.step
        if step is None or not self.derivatives or not all(ascending(step).values() or [False]):
            return False
        turned = {name: _turned(gradient) for name, gradient in self.gradients.items()}
        known = [(name, d) for name, d in self.derivatives.items() if name in turned]
        if not known or not all(judge(name, turned[name], self.seen, d).right for name, d in known):
            return False
        self.gradients = turned
        self.remarks.append("the gradients have the opposite sign, and the update adds them: that is the same")
        return True

    def diagnosis(self) -> Diagnosis:
        judged = {
            name: judge(name, self.gradients.get(name), self.seen, self.derivatives.get(name))
            for name in self.points[0].parameters
        }
        stated = all(o.loss is not None for o in self.seen)
        factor = self._scale(judged) if not stated else None
        right = all(j.right for j in judged.values()) or factor is not None
        explanation, findings = self._mistakes(right, judged)
        kept, remarks = state_findings(self.seen, self.interface, self.network, self.intake.source)
        findings = [*findings, *kept]
        self.remarks += remarks
        sound = right and not any(finding.grave for finding in findings)
        loop = loop_findings(self.intake, *((self.network, self.objective) if sound else ()))
        if self.flipped:
            loop = [finding for finding in loop if finding.kind != "ascends"]
        self.remarks += self._remarks(right)
        wrong = any(finding.grave for finding in (*findings, *loop)) or not right
        scaled = factor is not None and not same_number((1.0, *factor))
        if factor is not None and scaled:
            self.remarks.append(self._factor_words(factor))
        verdict: Verdict = "wrong" if wrong else "right up to scale" if scaled else "right"
        unseen = (
            not kept and all(j.right or j.unseen for j in judged.values()) and any(j.unseen for j in judged.values())
        )
        overlooked = self._overlooked()
        if (not wrong and (overlooked or not self._enough(stated))) or (factor is None and unseen):
            verdict = "not run"
        return Diagnosis(
            self.intake,
            verdict,
            findings=(*findings, *loop),
            remarks=tuple(dict.fromkeys(self.remarks)),
            table=self._table(judged, right, explanation, findings) if verdict != "not run" else (),
            loss=self._loss_words(stated),
            forward=self._forward_words(),
            reason="" if verdict != "not run" else overlooked or (UNSEEN if unseen else UNKNOWN),
        )

    def _overlooked(self) -> str:
        """Why not all of the file was judged, where its forward pass has weights that were not taken for parameters."""
        names = {short(name) for o in self.seen[:1] for name in o.forward}
        weights = {name for name in names if re.fullmatch(r"[Ww]_?\d", name)}
        known = sum(name[0] == "W" for name in self.points[0].parameters)
        return (
            f"it has weights {', '.join(sorted(weights))}, but not all were recognised" if len(weights) > known else ""
        )

    def _enough(self, stated: bool) -> bool:
        return stated or self.network is not None

    def _scale(self, judged: Mapping[str, Judged]) -> tuple[float, ...] | None:
        """Without a loss: the one positive number by which all gradients are off, whose sign the update may turn."""
        if self.network is None:
            return None
        for guess in objective.assumptions(self.network):
            derivatives = objective.truth(self.network, guess)
            factor = common_factor(self.gradients, derivatives)
            if factor is None or any(name not in self.gradients for name in derivatives if name in judged):
                continue
            step = self.intake.step
            if all(r < 0 for r in factor) and step is not None and all(ascending(step).values() or [False]):
                self.flipped = True
                self.remarks.append("the gradients have the opposite sign, and the update adds them: that is the same")
                factor = tuple(-r for r in factor)
            if all(r > 0 for r in factor) and _steady(factor, self.network.m):
                self.objective, self.derivatives = guess, derivatives
                return factor
        return None

    def _mistakes(self, right: bool, judged: Mapping[str, Judged]) -> tuple[Explanation | None, list[Finding]]:
        network, loss = self.network, self.objective
        if network is None or loss is None:
            names = find_names(self.interface, self.gradients, network, None, None, self.forward, self.backward)
            mistakes = [] if right else numeric_mistakes(self.gradients, self.seen, judged)
            return None, [self._finding(m, names, None, None) for m in mistakes]
        if right and not network.fault and not loss.output.fault:
            return None, []
        whole = common_factor(self.gradients, self.derivatives) if any(loss.lam) and loss.stated else None
        if min(loss.scale) < 0:
            whole = None
        if whole is not None and not network.fault:
            case = self._cases(network, loss)[0]
            scale = factor_mistakes(whole, network.m, f"dZ{network.depth}", case.sizes)
            if scale is not None:
                names = find_names(self.interface, self.gradients, network, loss, None, self.forward, self.backward)
                return None, [self._finding(m, names, None, None) for m in in_the_loss(scale, case)]
        best, case = _best(self._cases(network, loss))
        if best.unknown and best.cost > MUDDLED:
            best = replace(best, mistakes=tuple(m for m in best.mistakes if m in case.first))
        found = in_the_loss(best.mistakes, case)
        names = find_names(
            self.interface, self.gradients, case.network, case.objective, best, self.forward, self.backward
        )
        return best, [self._finding(m, names, best, case) for m in found]

    def _cases(self, network: Network, loss: Objective) -> list[Case]:
        """The passes as they may be meant: as they are, or with a known mistake of the forward pass put right."""
        sizes = {"K": network.width(network.depth), "d": network.width(0)}
        sizes |= {f"h{l}" if network.depth > 2 else "h": network.width(l) for l in range(1, network.depth)}
        plain = Case(network, loss, self.gradients, self.backward, sizes, frozenset(self.points[0].parameters))
        if loss.output.fault and loss.output is not network.output:
            put_right = replace(loss, output=_as_meant(loss.output))
            return [replace(plain, objective=put_right, first=(_wrong_softmax(loss.output.fault, network.depth),))]
        if network.fault:
            first = forward_mistake(network)
            if network.fault == "softmax-axis":
                softmax = next(g for g in output_maps() if g.name == "softmax" and not g.fault)
                meant = replace(network, output=softmax)
                return [replace(plain, network=meant, objective=replace(loss, output=softmax), first=(first,))]
            return [replace(plain, first=(first,))]
        cases = [plain]
        if loss.stated and all(s < 0 for s in loss.scale):
            turned = tuple(tuple(-x for x in part) for part in (loss.scale, loss.lam, loss.mu))
            put_right = replace(loss, scale=turned[0], lam=turned[1], mu=turned[2])
            cases = [replace(plain, objective=put_right, first=(_loss_sign(loss.loss.name),)), plain]
        cases += [replace(plain, network=own, first=(forward_mistake(own),)) for own in self._inside(network)]
        for l in range(1, network.depth):
            if network.hidden[l - 1].name == "identity":
                for function in activations():
                    if function.name != "identity":
                        meant = network.meant(l, function)
                        cases.append(replace(plain, network=meant, first=(forward_mistake(meant),)))
        return cases

    def _inside(self, network: Network) -> list[Network]:
        """Forward passes that the backward pass does itself, without a bias, as its variables show."""
        depth = network.depth
        found = []
        for layers in [range(1, depth + 1), *((l,) for l in range(1, depth + 1))]:
            own = forward.passed(self.points, network.hidden, network.output, dict.fromkeys(layers, 0))
            first = layers[0]
            if any(close(local.value, own.Z[first]) for local in self.backward[first]):
                found.append(own)
        return found

    def _finding(self, mistake: Mistake, names: Names, best: Explanation | None, case: Case | None) -> Finding:
        quantity = mistake.quantity
        right = ""
        if case is not None and best is not None:
            right = names.put(mistake.right) or equation(quantity, names, case.network, case.objective, self.interface)
        variable = names.variables.get(quantity)
        line, function = (variable.line, variable.function) if variable is not None else (None, "")
        role = {"l": "loss", "A": "forward", "Z": "forward"}.get(quantity[0])
        if line is None and role in self.interface.functions:
            function, line = self.interface.functions[str(role)]
        sentence = names.put(mistake.sentence)
        return Finding(
            mistake.kind,
            quantity,
            names[quantity],
            sentence[:1].upper() + sentence[1:] if sentence.startswith("the ") else sentence,
            right,
            dict(mistake.parameter),
            line,
            function,
            self._evidence(mistake, best, case, names),
            (*_aliases(mistake, case), *(() if best is None else best.also.get(quantity, ()))),
        )

    def _evidence(
        self, mistake: Mistake, best: Explanation | None, case: Case | None, names: Names
    ) -> tuple[dict[str, Any], ...]:
        """How far the gradient that shows it is from the right one, and from that with the mistakes put into it."""
        if best is None or case is None or best.unknown or not self.derivatives:
            return ()
        l = mistake.quantity[2:] if mistake.quantity[:1] == "d" else str(case.network.depth)
        shown = mistake.quantity[1:] if mistake.quantity[:2] in ("dW", "db") else f"W{l}"
        gradient = self.gradients.get(shown)
        if gradient is None or gradient.value is None or shown not in self.derivatives:
            return ()
        given = best.shown.get(f"d{shown}")
        if given is None or given[0].shape != gradient.value[0].shape:
            return ()
        before = deviations(gradient.value, self.derivatives[shown])
        after = deviations(gradient.value, given)
        numbers = zip(case.m, before, after, strict=True)
        return tuple({"m": m, "shown": names[f"d{shown}"], "before": b, "after": a} for m, b, a in numbers)

    def _table(
        self, judged: Mapping[str, Judged], right: bool, best: Explanation | None, findings: Sequence[Finding]
    ) -> tuple[Quantity, ...]:
        """Every quantity of the backward pass from the output down: right, wrong, a consequence, or not seen."""
        names = find_names(
            self.interface, self.gradients, self.network, self.objective, best, self.forward, self.backward
        )
        depth = len(self.points[0].sizes) - 1
        guilty = {f.quantity for f in findings}
        unknown = set(best.unknown) if best is not None else set()
        explained = best is not None and not best.unknown
        upstream = False
        rows = []
        deltas = self._deltas()
        for l in range(depth, 0, -1):
            for q in (f"dA{l}", f"dZ{l}", f"dW{l}", f"db{l}"):
                name = q[1:]
                variable = names.variables.get(q)
                if q[1] in "ZA":
                    value = None if best is None else (best.D if q[1] == "Z" else best.dA).get(l)
                    if q[1] == "A" and (l == depth or variable is None) and q not in guilty:
                        continue
                    off = () if value is None or q not in deltas else deviations(value, deltas[q])
                    same = bool(off) and all(x < 1e-6 for x in off)
                    known = value is not None and (variable is not None or q in guilty)
                    if right and variable is None and q not in guilty:
                        status = "right" if best is None and not findings else "not seen"
                    else:
                        status = (
                            "wrong"
                            if q in guilty | unknown
                            else "not seen"
                            if not known
                            else "right"
                            if same
                            else "consequence"
                        )
                else:
                    if name not in judged:
                        continue
                    off = judged[name].off
                    consequence = explained or upstream
                    status = (
                        "wrong"
                        if q in guilty
                        else "right"
                        if judged[name].right or right
                        else "consequence"
                        if consequence and q not in unknown
                        else "wrong"
                    )
                upstream = upstream or (status == "wrong" and q[1] in "ZA")
                note = judged[name].note if name in judged else ""
                rows.append(Quantity(q, names[q], status, off, variable.line if variable else None, note))
        return tuple(rows)

    def _deltas(self) -> dict[str, Both]:
        if self.network is None or self.objective is None:
            return {}
        network, found = self.network, {}
        D = self.objective.delta(network)
        for l in range(network.depth, 0, -1):
            found[f"dZ{l}"] = D
            if l > 1:
                dA = tuple(d @ w.T for d, w in zip(D, network.W[l], strict=True))
                found[f"dA{l - 1}"] = dA
                D = tuple(a * f for a, f in zip(dA, network.slope(l - 1), strict=True))
        return found

    def _forward_words(self) -> str:
        network = self.network
        if network is None:
            return "not recognised: it is none of ours, with any activation"
        hidden = list(dict.fromkeys(f.name for f in network.hidden))
        sizes = "–".join(map(str, self.points[0].sizes))
        layers = f"{', '.join(hidden)} hidden, " if hidden else ""
        return f"{sizes}, {layers}{network.output.name} output"

    def _loss_words(self, stated: bool) -> str:
        if self.objective is None or self.network is None:
            return "not recognised; judged by its central differences" if stated else "none"
        words = self.objective.words(self.network.m, self.network.width(self.network.depth))
        return words if stated else f"none; {_the(words)} is taken"

    def _factor_words(self, factor: tuple[float, ...]) -> str:
        assert self.network is not None
        assert self.objective is not None
        power, c = power_of(factor, self.network.m)
        sizes = {"K": self.network.width(self.network.depth)}
        text = " · ".join(
            [
                *([multiple(c, sizes)] if abs(c - 1) > 1e-6 else []),
                *([f"m^{power}" if power != 1 else "m"] if power else []),
            ]
        )
        loss = self.objective.words(self.network.m, sizes["K"])
        return (
            f"the file has no loss: every gradient is {text} times that of {_the(loss)}; a rubric may demand the mean"
        )

    def _remarks(self, right: bool) -> list[str]:
        remarks = [*self.interface.remarks]
        if self.network is None:
            remarks.append("the forward pass was not recognised, so that only the gradients as a whole were judged")
        elif self.objective is None:
            remarks.append("the loss was not recognised, so that only the gradients as a whole were judged")
        elif self.objective.nearly:
            remarks.append("the loss agrees with the known one but for rounding or an ε inside a logarithm")
        network = self.network
        if network is not None and right and any(f.name == "identity" for f in network.hidden):
            remarks.append("a hidden layer has no activation: the network is linear there")
        return remarks


def _best(cases: Sequence[Case]) -> tuple[Explanation, Case]:
    """The cheapest explanation of all cases; a single mistake ends the search."""
    found: list[tuple[Explanation, Case]] = []
    for case in cases:
        found.append((explain(case), case))
        if found[-1][0].cost < SINGLE:
            break
    return min(found, key=lambda pair: pair[0].cost)


SINGLE = 1.2  # an explanation of this cost is one mistake
MUDDLED = 5.0  # an explanation of this cost with unknown parts is no explanation


def forward_mistake(network: Network) -> Mistake:
    """The mistake by which the forward pass of the file differs from what is meant."""
    l = network.where
    if network.fault == "wrong-operand":
        return Mistake("wrong-operand", f"Z{l}", f"{{Z{l}}} has {{A{l - 2}}} where {{A{l - 1}}} belongs")
    if network.fault == "bias-missing":
        if not l:
            return Mistake("bias-missing", "Z1", "no layer adds its bias")
        return Mistake("bias-missing", f"Z{l}", f"{{Z{l}}} lacks its bias {{b{l}}}")
    if network.fault == "sign":
        return Mistake("sign", f"Z{l}", f"the bias {{b{l}}} is subtracted in {{Z{l}}}")
    if network.fault == "softmax-axis":
        return _wrong_softmax(network.output.fault, l)
    return Mistake(
        "forward-activation",
        f"A{l}",
        f"layer {l + 1} goes on with {{Z{l}}} instead of {{A{l}}} = {network.hidden[l - 1].name}({{Z{l}}})",
        parameter={"activation": network.hidden[l - 1].name},
    )


def _wrong_softmax(fault: str, l: int) -> Mistake:
    words = {
        "samples": "is normalised over the samples instead of the classes",
        "all": "is normalised over samples and classes together",
        "unnormalised": "is not normalised: its rows do not sum to 1",
    }[fault]
    return Mistake("softmax-axis", f"A{l}", f"the softmax {{A{l}}} {words}", parameter={"axis": fault})


def _as_meant(output: Map) -> Map:
    """The values of a wrong softmax with the derivative that belongs to the right one."""
    softmax = next(g for g in output_maps() if g.name == "softmax" and not g.fault)
    return replace(softmax, value=output.value)


def in_the_loss(mistakes: Sequence[Mistake], case: Case) -> tuple[Mistake, ...]:
    """Mistakes of scale at the output, told of the loss instead where the gradient is that of the plain mean."""
    L, m, loss = case.network.depth, case.m, case.objective
    scales = [x for x in mistakes if x.quantity == f"dZ{L}" and x.kind in _SCALES and "factor" in x.parameter]
    if not scales or not loss.stated or any(x.kind == "other-loss" for x in mistakes):
        return tuple(mistakes)
    product = [1.0 for _ in m]
    for x in scales:
        product = [p * _value(x.parameter["factor"], k) for p, k in zip(product, m, strict=True)]
    own = tuple(r * s for r, s in zip(product, loss.scale, strict=True))
    matched = loss.loss.name
    usual = (1.0, 2.0) if matched == "squared error" else (1.0,)
    (power, c), (a, own_c) = power_of(loss.scale, m), power_of(own, m)
    if _plain_mean(power, c, usual) or not _plain_mean(a, own_c, usual):
        return tuple(mistakes)
    found = []
    if c < 0:
        found.append(_loss_sign(matched))
    if not _plain_mean(power, abs(c), (own_c,)):
        words = replace(loss, scale=tuple(abs(s) for s in loss.scale)).words(m, case.network.width(L))
        own_words = replace(loss, scale=own, lam=tuple(0.0 for _ in m)).words(m, case.network.width(L))
        found.append(
            Mistake(
                "loss-scale",
                "loss",
                f"{{loss}} is {_the(words)}, but the gradient is that of {_the(own_words)}",
            )
        )
    return (*found, *(x for x in mistakes if x not in scales))


def _loss_sign(name: str) -> Mistake:
    return Mistake("loss-sign", "loss", f"{{loss}} has the opposite sign of the {name} that the gradient belongs to")


def _value(factor: object, m: int) -> float:
    """The number behind a factor as a mistake states it."""
    if isinstance(factor, str):
        return {"m": m, "m^2": m**2, "1/m": 1 / m, "1/m^2": 1 / m**2}[factor]
    assert isinstance(factor, int | float)
    return float(factor)


def _the(words: str) -> str:
    return f"the {words}" if words.startswith(("mean", "sum")) else words


def _aliases(mistake: Mistake, case: Case | None) -> tuple[str, ...]:
    """Kinds that a mistake of scale might be called as well: it is in the loss or in the gradient."""
    if case is None or not case.objective.stated:
        return ()
    if mistake.kind == "loss-scale":
        return ("constant-factor",) if power_of(case.objective.scale, case.m)[0] == -1 else ("double-mean",)
    squared = case.objective.loss.name == "squared error"
    first = mistake.quantity == f"dZ{case.network.depth}"
    return ("loss-scale",) if squared and first and mistake.kind == "constant-factor" else ()


def _plain_mean(power: int, c: float, usual: Sequence[float]) -> bool:
    return power == -1 and any(abs(c / x - 1) < 1e-5 for x in usual)


_SCALES = ("sign", "missing-mean", "double-mean", "constant-factor")


def _turned(gradient: Gradient) -> Gradient:
    value = None if gradient.value is None else tuple(-v for v in gradient.value)
    return replace(gradient, value=value, raw=tuple(-r for r in gradient.raw))


def _steady(factor: tuple[float, ...], m: Sequence[int]) -> bool:
    power, c = power_of(factor, m)
    return all(abs(r / (c * k**power) - 1) < 1e-5 for r, k in zip(factor, m, strict=True))
