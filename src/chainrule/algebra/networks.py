"""The derivation of a whole network: its passes as a program in the symbols of `network.passes`, differentiated.

What is printed is held against three witnesses: central differences, `net.backward` of a small network of the same
structure whose widths are pairwise different, and `net.backward` of the network itself.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from chainrule.algebra import functions, softmax
from chainrule.algebra.claims import check_formula
from chainrule.algebra.deriving import Derivation, derive, power_of_ten
from chainrule.algebra.formulas import ARROW, BESIDE, MINUS, Name, row
from chainrule.algebra.language import read
from chainrule.algebra.matrices import Names, show
from chainrule.algebra.steps import Equation, Step
from chainrule.algebra.verify import TOLERANCE, Check, UnverifiedError
from chainrule.errors import InputError, shown, unknown_name
from chainrule.network import Layer, Network
from chainrule.network.passes import EPSILON
from chainrule.randomness import generator
from chainrule.specs import number

Array = NDArray[Any]

LAYOUTS = ("row", "column")
_LARGEST = 4_000_000  # parameters of a network that is compared itself


def derivation(net: Network, *, layout: str = "row", l2: float = 0.0, training: bool = True) -> Derivation:
    """Forward equations, loss, every gradient with its shape, and every update, for any network.

    layout    "row": rows are samples, Z = A W + b, as everywhere in this package; "column": columns are samples,
              Z = W A + b, as in many courses; W is transposed then
    l2        weight penalty λ; its value is shown as lam, only whether it is zero matters
    training  with batch statistics and dropout masks, which are taken as given; without, the running statistics

    Raises InputError for a rule that the language does not know, UnverifiedError where a witness disagrees.
    """
    if not isinstance(net, Network):
        raise InputError(f"{shown(net)} is no network", "Give a chainrule.Network.")
    if layout not in LAYOUTS:
        raise unknown_name("layout", layout, LAYOUTS)
    penalised = number("l2", l2, least=0) > 0
    program = _Program(net, layout, penalised, training)
    result = derive(
        program.text,
        program.parameters,
        program.shapes,
        probabilities={"T": program.classes} if net.output.name == "softmax" else None,
    )
    checks = [*_witnessed(_twin(net), result, layout, l2, training), *_condensed_checks(result, program)]
    if sum(P.size for P in net.parameters().values()) <= _LARGEST:
        checks += _witnessed(_in_float64(net), result, layout, l2, training)
    result.checks.extend(checks)
    return _completed(result, net, program)


class _Program:
    """The network as lines of the language, with the shapes of its inputs."""

    def __init__(self, net: Network, layout: str, penalised: bool, training: bool) -> None:
        self.row = layout == "row"
        self.training = training
        self.classes = 1 if self.row else 0
        self.samples = 1 - self.classes
        self.widths = ["d", *(f"h{layer.index}" for layer in net.structure.layers[:-1]), "K"]
        self.shapes: dict[str, Any] = {"A0": self.matrix("d")}
        self.parameters: list[str] = []
        self.normalised: list[int] = []
        self.lines: list[str] = []
        below = "A0"
        for layer in net.structure.layers:
            below = self.layer(layer, below)
        self.output(net, below, penalised)
        self.text = "\n".join(self.lines)

    def matrix(self, width: str) -> str:
        return f"m,{width}" if self.row else f"{width},m"

    def stretched(self, vector: str) -> str:
        """A vector as it is added to every sample."""
        return vector if self.row else f"{vector}[:, None]"

    def layer(self, layer: Layer, below: str) -> str:
        """The lines of one layer; returns the name of what goes on to the next."""
        l, a, b = layer.index, self.widths[layer.index - 1], self.widths[layer.index]
        self.shapes[f"W{l}"] = f"{a},{b}" if self.row else f"{b},{a}"
        for name in list(layer.shapes())[1:]:
            self.shapes[name] = b
        self.parameters += list(layer.shapes())
        product = f"{below} @ W{l}" if self.row else f"W{l} @ {below}"
        if not layer.batch_norm:
            self.lines.append(f"Z{l} = {product} + {self.stretched(f'b{l}')}")
        else:
            self.lines.append(f"Z{l} = {product}")
            self.batch_norm(l, b)
        if layer.activation is None:
            return f"Z{l}"
        argument = f"U{l}" if layer.batch_norm else f"Z{l}"
        self.lines.append(f"A{l} = {_activation(layer, argument)}")
        if not (layer.dropout and self.training):
            return f"A{l}"
        self.shapes[f"M{l}"] = self.matrix(b)
        self.lines.append(f"D{l} = A{l} * M{l}")
        return f"D{l}"

    def batch_norm(self, l: int, width: str) -> None:
        if self.training:
            self.normalised.append(l)
            centred = f"Z{l} - {self.stretched(f'mean{l}')}"
            self.lines += [
                f"mean{l} = mean(Z{l}, axis={self.samples})",
                f"variance{l} = mean(({centred})**2, axis={self.samples})",
            ]
        else:
            self.shapes[f"mean{l}"] = self.shapes[f"variance{l}"] = width
        centred, spread = f"Z{l} - {self.stretched(f'mean{l}')}", f"sqrt(variance{l} + {EPSILON!r})"
        self.lines += [
            f"N{l} = ({centred}) / {spread if self.row else f'{spread}[:, None]'}",
            f"U{l} = {self.stretched(f'gamma{l}')} * N{l} + {self.stretched(f'beta{l}')}",
        ]

    def output(self, net: Network, logits: str, penalised: bool) -> None:
        A, last = f"A{len(net.structure.layers)}", logits
        self.shapes["T"] = self.matrix("K")
        texts = {
            "softmax": (f"softmax({last}, axis={self.classes})", f"-sum(T * log({A})) / m"),
            "sigmoid": (f"sigmoid({last})", f"-sum(T * log({A}) + (1 - T) * log(1 - {A})) / m"),
            "identity": (last, f"sum(({A} - T)**2) / (2 * m)"),
        }
        if net.output.name not in texts:
            raise InputError(
                f"the output {net.output.name} is not known in symbols", f"Known are {', '.join(sorted(texts))}."
            )
        value, loss = texts[net.output.name]
        if not penalised:
            self.lines += [f"{A} = {value}", f"L = {loss}"]
            return
        self.shapes["lam"] = ()
        squares = " + ".join(f"sum({name}**2)" for name in self.parameters if name[0] == "W")
        self.lines += [f"{A} = {value}", f"C = {loss}", f"R = lam / 2 * ({squares})", "L = C + R"]

    def condensed(self, l: int) -> str:
        """dZ of batch normalisation in one line: what dN has in common, and what it has along N, is taken out."""
        axis, column = self.samples, self.stretched
        if self.row:
            inner = f"dN{l} - mean(dN{l}, axis={axis}) - N{l} * mean(dN{l} * N{l}, axis={axis})"
            return f"({inner}) / sqrt(variance{l} + {EPSILON!r})"
        inner = (
            f"dN{l} - mean(dN{l}, axis={axis}, keepdims=True) - N{l} * mean(dN{l} * N{l}, axis={axis}, keepdims=True)"
        )
        return f"({inner}) / {column(f'sqrt(variance{l} + {EPSILON!r})')}"


def _activation(layer: Layer, argument: str) -> str:
    assert layer.activation is not None
    name, _, settings = layer.activation.name.partition("(")
    if not functions.is_activation(name):
        raise InputError(
            f"layer {layer.index}: the activation {name} is not registered", "Call cr.rules.register(rule) first."
        )
    return f"{name}({argument}{', ' + settings.removesuffix(')') if settings else ''})"


def _completed(result: Derivation, net: Network, program: _Program) -> Derivation:
    """The derivation with the steps that only a network has, in their places."""
    activations = dict.fromkeys(layer.activation.name for layer in net.structure.layers if layer.activation)
    rules = ", ".join([*activations, net.output.name])
    result.title = f"Back-propagation through {'–'.join(map(str, net.layers))} ({rules})"
    how = "rows are samples, Z = A W + b" if program.row else "columns are samples, Z = W A + b"
    result.preface += f" Here {how}; m is their number. The loss is the mean over the samples."
    steps: list[Step] = []
    for step in result.steps:
        if step.rule == "verification":
            steps += [_update(name, result) for name in program.parameters]
            steps.append(replace(step, words=f"{step.words} {_witness_words(result.checks)}"))
            continue
        steps.append(step)
        if step.rule == "matrix form" and step.of[0] == "Z" and int(step.of[1:]) in program.normalised:
            steps.append(_condensed_step(int(step.of[1:]), program, result))
        if step.rule == "graph" and net.output.name == "softmax":
            steps += softmax.steps()
    if net.output.name == "softmax":
        result.checks.extend(softmax.checks())
    result.steps = tuple(steps)
    return result


def _update(name: str, result: Derivation) -> Step:
    right = row(Name(name), MINUS, Name("eta"), BESIDE, Name(name, "d"))
    shape = result.program.inputs[name]
    equation = Equation(Name(name), right, ARROW)
    equation = Equation(Name(name), right, ARROW)
    return Step("update", f"{name} moves against its gradient", (equation,), shape, name, "Updates")


def _condensed_step(l: int, program: _Program, result: Derivation) -> Step:
    tree = read(f"dZ = {program.condensed(l)}", _condensed_shapes(l, program)).result.expression
    names = Names({f"dN{l}": f"N{l}"})
    equation = Equation(Name(f"Z{l}", "d"), show(tree, names))
    return Step("condensed", f"because the mean of N{l} is 0", (equation,), tree.shape, f"Z{l}", "Chain rule")


def _condensed_shapes(l: int, program: _Program) -> dict[str, Any]:
    matrix = program.matrix(program.widths[l])
    return {f"dN{l}": matrix, f"N{l}": matrix, f"variance{l}": program.widths[l]}


def _condensed_checks(result: Derivation, program: _Program) -> list[Check]:
    """Each condensed form as a formula for the derivative of Σ G ∘ N by Z, where dN = G."""
    checks: list[Check] = []
    for l in program.normalised:
        lines = [line for line in program.lines if line.split(" = ")[0] in (f"mean{l}", f"variance{l}", f"N{l}")]
        shape = program.matrix(program.widths[l])
        text = "\n".join([*lines, f"E = sum(dN{l} * N{l})"])
        checks += check_formula(text, f"Z{l}", program.condensed(l), {f"Z{l}": shape, f"dN{l}": shape})
    return checks


def _witness_words(checks: list[Check]) -> str:
    seen = [check for check in checks if check.what.startswith("net.backward")]
    entries, gap = sum(check.entries for check in seen), max(check.gap for check in seen)
    return (
        "It also agrees with net.backward, on this network and on a small one of its structure: "
        f"{entries} entries, relative gaps below {power_of_ten(gap)}."
    )


def _twin(net: Network) -> Network:
    """A network of the same structure in float64, with small widths that are pairwise different."""
    hidden = net.structure.layers[:-1]
    return Network(
        [4 + at for at in range(len(net.layers))],
        activation=[layer.activation for layer in hidden if layer.activation],
        output=net.output,
        dropout=[layer.dropout for layer in hidden],
        batch_norm=[layer.batch_norm for layer in hidden],
        dtype="float64",
    )


def _in_float64(net: Network) -> Network:
    return Network.from_config({**net.to_config(), "dtype": "float64"}, {**net.parameters(), **net.statistics()})


def _witnessed(net: Network, result: Derivation, layout: str, l2: float, training: bool) -> list[Check]:
    """The gradients of `result` at this network's own values, compared with `net.backward`."""
    rng = generator(0, "verification")
    net = _moved(net, rng)
    m = 3
    x = rng.normal(size=(m, net.layers[0]))
    T = _targets(net, m, rng)
    trace = net.forward(x, training=training, generator=rng)
    expected = net.backward(trace, T, l2=l2)

    def turn(A: Array) -> Array:
        return A if layout == "row" else A.T

    given: Mapping[str, Array] = {**net.statistics(), **trace, **net.parameters(), "T": T, "lam": np.asarray(l2)}
    values = {name: turn(np.asarray(given[name])) for name in result.program.inputs}
    every = result.values(values)
    sizes = {"m": m, **{f"layer {at}": width for at, width in enumerate(net.layers)}}
    checks = []
    for name, G in {**expected, **expected.deltas}.items():
        if f"d{name}" in every:
            checks.append(_equal(name, turn(every[f"d{name}"]), np.asarray(G), sizes))
    found = {check.what for check in checks}
    missing = [name for name in expected if f"net.backward: d{name}" not in found]
    gradients = result.evaluate(values) if missing else {}
    return checks + [_equal(name, turn(gradients[name]), expected[name], sizes) for name in missing]


def _moved(net: Network, rng: np.random.Generator) -> Network:
    """The network with every parameter and statistic off its start, so that zeros cannot hide a mistake."""
    for P in net.parameters().values():
        P += rng.normal(0, 0.3, P.shape) / max(1.0, np.sqrt(P.shape[0]) / 2)
    for name, S in net.statistics().items():
        S += rng.uniform(0.2, 1, S.shape) if name.startswith("variance") else rng.normal(0, 0.5, S.shape)
    return net


def _targets(net: Network, m: int, rng: np.random.Generator) -> Array:
    T = rng.uniform(0.1, 0.9, size=(m, net.layers[-1]))
    return T / T.sum(axis=1, keepdims=True) if net.output.name == "softmax" else T


def _equal(name: str, ours: Array, theirs: Array, sizes: dict[str, int]) -> Check:
    greatest = max(float(np.abs(theirs).max(initial=0)), 1e-3)
    gap = float(np.abs(ours - theirs).max(initial=0)) / greatest if ours.shape == theirs.shape else np.inf
    if not gap <= TOLERANCE:
        raise UnverifiedError(
            f"d{name} as derived differs from net.backward by {gap:.1e} of its greatest entry",
            "One of the two is wrong; nothing is shown.",
            {"entry": name, "gap": gap},
        )
    return Check(f"net.backward: d{name}", sizes, ours.size, gap)
