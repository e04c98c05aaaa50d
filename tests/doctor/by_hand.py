"""A backward pass in a dozen lines of NumPy that a test may change line by line, recorded as the doctor sees it."""

from collections.abc import Callable
from typing import Any

import numpy as np

from chainrule.diagnosis.observation import Intake, Interface, Observation, Point, Variable

Values = dict[str, Any]
Line = Callable[[Values], Any]

ACTIVATIONS: dict[str, tuple[Line, Line]] = {
    "relu": (lambda z: z * (z > 0), lambda z: (z > 0) * 1.0),
    "sigmoid": (lambda z: 1 / (1 + np.exp(-z)), lambda z: np.exp(-z) / (1 + np.exp(-z)) ** 2),
    "tanh": (np.tanh, lambda z: 1 / np.cosh(z) ** 2),
    "leaky": (lambda z: np.where(z > 0, z, 0.1 * z), lambda z: np.where(z > 0, 1.0, 0.1)),
    "softplus": (lambda z: np.log1p(np.exp(z)), lambda z: 1 / (1 + np.exp(-z))),
}
OUTPUTS: dict[str, Line] = {
    "softmax": lambda z: np.exp(z) / np.exp(z).sum(axis=1, keepdims=True),
    "sigmoid": lambda z: 1 / (1 + np.exp(-z)),
    "identity": lambda z: z,
}
LOSSES: dict[str, Callable[[Any, Any], float]] = {
    "softmax": lambda A, T: -(T * np.log(A)).sum(),
    "sigmoid": lambda A, T: -(T * np.log(A) + (1 - T) * np.log(1 - A)).sum(),
    "identity": lambda A, T: 0.5 * ((A - T) ** 2).sum(),
}
SIZES = {1: (8, 3), 2: (9, 7, 3), 3: (9, 7, 10, 4)}


def taken_in(
    changes: dict[str, Line] | None = None,
    *,
    hidden: str = "sigmoid",
    output: str = "softmax",
    depth: int = 2,
    l2: float = 0.0,
    layout: str = "row",
    seen: bool = True,
    late: bool = False,
    stated: bool = True,
    seed: int = 0,
    samples: tuple[int, int] = (5, 6),
) -> Intake:
    """A network of `depth` layers whose lines `changes` replaces: "dW2", "A2", "loss" … as functions of all values.

    Rows are samples inside; `layout` says how it is shown. Without `seen` there are no local variables. With `late` the
    1/m of the mean comes in dW and db; without `stated` there is no loss. `l2` is λ of λ/2 Σ‖W‖² in both passes.
    """
    rng = np.random.default_rng(seed)
    lines = _program(hidden, output, depth, l2, late) | (changes or {})
    unknown = set(changes or {}) - set(_program(hidden, output, depth, l2, late))
    assert not unknown, unknown
    observations = tuple(_observed(lines, rng, output, depth, m, layout, seen, stated) for m in samples)
    column = layout == "column"
    interface = Interface(
        "functions",
        layout=layout,
        bias="(h, 1)" if column else "(h,)",
        weights="(out, in)" if column else "(in, out)",
        functions={"forward": ("forward", 3), "loss": ("loss", 9), "backward": ("backward", 12)},
        names={"X": "X", "targets": "Y", "W1": "W1"},
    )
    return Intake(None, interface, observations)


def _program(hidden: str, output: str, depth: int, l2: float, late: bool) -> dict[str, Line]:
    """Name by name, in order, how it is computed from what is there already."""
    lines: dict[str, Line] = {}
    value, slope = ACTIVATIONS[hidden]
    for l in range(1, depth + 1):
        lines[f"Z{l}"] = lambda v, l=l: v[f"A{l - 1}"] @ v[f"W{l}"] + v[f"b{l}"]
        lines[f"A{l}"] = lambda v, l=l: (OUTPUTS[output] if l == depth else value)(v[f"Z{l}"])
    weights = range(1, depth + 1)
    lines["loss"] = lambda v: (
        LOSSES[output](v[f"A{depth}"], v["T"]) / v["m"] + l2 / 2 * sum((v[f"W{l}"] ** 2).sum() for l in weights)
    )
    lines[f"dZ{depth}"] = lambda v: (v[f"A{depth}"] - v["T"]) / (1 if late else v["m"])
    for l in range(depth, 0, -1):
        if l < depth:
            lines[f"dA{l}"] = lambda v, l=l: v[f"dZ{l + 1}"] @ v[f"W{l + 1}"].T
            lines[f"dZ{l}"] = lambda v, l=l: v[f"dA{l}"] * slope(v[f"Z{l}"])
        lines[f"dW{l}"] = lambda v, l=l: _share(v, late) * v[f"A{l - 1}"].T @ v[f"dZ{l}"] + l2 * v[f"W{l}"]
        lines[f"db{l}"] = lambda v, l=l: _share(v, late) * v[f"dZ{l}"].sum(axis=0)
    return lines


def _share(values: Values, late: bool) -> float:
    return float(1 / values["m"]) if late else 1.0


def _observed(
    lines: dict[str, Line], rng: Any, output: str, depth: int, m: int, layout: str, seen: bool, stated: bool
) -> Observation:
    sizes = SIZES[depth]
    P = {}
    for l in range(1, depth + 1):
        P[f"W{l}"] = rng.normal(size=sizes[l - 1 : l + 1]) / np.sqrt(sizes[l - 1])
        P[f"b{l}"] = rng.normal(size=sizes[l])
    X = rng.normal(size=(m, sizes[0]))
    T = rng.normal(size=(m, sizes[-1])) if output == "identity" else np.eye(sizes[-1])[rng.integers(sizes[-1], size=m)]
    values = _run(lines, X, T, P)
    column = layout == "column"

    def shown(name: str, value: Any) -> Variable:
        array = np.asarray(value, dtype=float)
        array = array[:, None] if column and array.ndim == 1 and name[:2] == "db" else array.T if column else array
        return Variable(name, array, 20, "backward")

    names = [name for name in lines if name != "loss"]
    return Observation(
        Point(X, T, P),
        output=shown("A", values[f"A{depth}"]).value,
        loss=float(values["loss"]) if stated else None,
        numerical=_differences(lines, X, T, P) if stated else {},
        rounding=dict.fromkeys(P, 1e-10),
        gradients={name: shown(f"d{name}", values[f"d{name}"]) for name in P},
        forward={n: shown(n, values[n]) for n in names if n[0] in "ZA"} if seen else {},
        backward={n: shown(n, values[n]) for n in names if n[0] == "d"} if seen else {},
    )


def _run(lines: dict[str, Line], X: Any, T: Any, P: Values) -> Values:
    values: Values = {"A0": X, "T": T, "m": len(X), **P}
    for name, line in lines.items():
        values[name] = line(values)
    return values


def _differences(lines: dict[str, Line], X: Any, T: Any, P: Values) -> Values:
    """Central differences of the loss with five points, written again here so that nothing is shared."""
    upward = {name: line for name, line in lines.items() if name[0] != "d"}
    found = {}
    for name, array in P.items():
        found[name] = np.zeros_like(array)
        for place in np.ndindex(array.shape):
            for offset, weight in ((1e-4, 8), (-1e-4, -8), (2e-4, -1), (-2e-4, 1)):
                moved = {**P, name: array.copy()}
                moved[name][place] += offset
                found[name][place] += weight * float(_run(upward, X, T, moved)["loss"]) / 12e-4
    return found
