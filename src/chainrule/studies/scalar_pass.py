"""Report 004, questions 1 and 2: softmax and its loss derived, and one pass of 2–3–2, one number at a time."""

import math
from typing import TYPE_CHECKING, Any

from chainrule.studies.lab import Lab
from chainrule.studies.study import Declared, Published, Study
from chainrule.studies.wording import difference

if TYPE_CHECKING:
    from chainrule.reports import Report
    from chainrule.reports.document import Table
    from chainrule.scalar import MLP, Value

START: dict[str, Any] = {
    "W1": [[1.0, 1.0, 1.0], [-1.0, -1.0, -1.0]],
    "b1": [0.0, 0.0, 0.0],
    "W2": [[1.0, 1.0], [-1.0, -1.0], [-1.0, -1.0]],
    "b2": [0.0, 0.0],
}
X, TARGET = [1.0, -1.0], [1.0, 0.0]
H = 0.8807970
V = 0.4403985

# The report's names, ours, and what its tables 1 and 2 print.
FORWARD = (
    ("k1", "Z1", [2.0, 2.0, 2.0]),
    ("h", "A1", [H, H, H]),
    ("k2", "Z2", [-H, -H]),
    ("y", "A2", [0.5, 0.5]),
)
BACKWARD = (
    ("dW", "W1", [[0.0, 0.0, 0.0], [0.0, 0.0, 0.0]]),
    ("db", "b1", [0.0, 0.0, 0.0]),
    ("dV", "W2", [[-V, V], [-V, V], [-V, V]]),
    ("dc", "b2", [-0.5, 0.5]),
)

# Softmax of one logit a beside the others o: the two cases of the question, each by itself.
OWN = "a: ()\no: K\n\nq = exp(a) + sum(exp(o))\ny = exp(a) / q\n"
CLAIMS = (
    ("F16", "∂y_i/∂o_i", "a", "y * (1 - exp(a))", "y * (1 - y)"),
    ("F17", "∂y_i/∂o_j, numerator", "o", "-exp(o) * exp(o) / q**2", "-exp(a) * exp(o) / q**2"),
)

ITEMS = (
    Declared("derivation", "softmax, −log y_c, and their product", ("004 equations",)),
    Declared("forward", "the forward pass beside table 1", ("004 table 1",)),
    Declared("backward", "the backward pass beside table 2", ("004 table 2",)),
    Declared("passes", "every number of both passes, and where it comes from", ("004 figure 1",)),
    Declared("graph", "the graph of the pass with its numbers"),
    Declared("network-derivation", "every gradient of the network"),
    Declared("proof", "the gradients held against central differences, and against the array engine"),
    Declared("printed", "the mistakes printed in questions 1 and 2, each put to the test"),
    Declared("published", "the printed loss beside ours", ("004 number 1",)),
)


def run(lab: Lab) -> "Report":
    """One pass; nothing here depends on settings or seeds."""
    from chainrule.algebra import derive
    from chainrule.graphs import graph
    from chainrule.reports import Report, Section, Text, items
    from chainrule.scalar import MLP

    model = MLP(START)
    loss = model.loss([X], [TARGET])
    loss.backward()
    values = _by_name(loss)
    lab.publish(
        Published(
            "004",
            "Q2, text",
            "cross-entropy after one forward pass",
            "0.693",
            repr(loss.number),
            difference(loss.number, 0.693, 6),
            "equal to the printed digits; it is ln 2, for both outputs are 1/2",
        )
    )
    forward = [(theirs, ours, printed, values[ours]) for theirs, ours, printed in FORWARD]
    gradients = model.gradients()
    backward = [(theirs, ours, printed, gradients[ours]) for theirs, ours, printed in BACKWARD]
    softmax = derive("o: K\n\ny = softmax(o)\nl = -log(y[2])\n", "o")
    return Report(
        STUDY.title,
        f"Every number of tables 1 and 2 is confirmed to its printed digits; the loss is ln 2 = {loss.number!r}. "
        "The printed derivation of softmax has two slips, and its result, y − t, is right.",
        [
            Section(
                "Softmax and cross-entropy",
                [items.derivation("derivation", softmax, title="Local derivatives and their product")],
                "For class number 2 of K; the proof of y − t does not depend on which.",
            ),
            Section(
                "One pass of 2–3–2",
                [
                    _table("forward", "Forward", forward),
                    _table("backward", "Backward", backward),
                    Text("passes", "Every number, and where it comes from", str(loss.tape())),
                    items.graph("graph", graph(loss), title="The graph with its numbers"),
                ],
                "x = [1, −1], class 0, sigmoid, softmax. Z1, A1, Z2, A2 are the report's k1, h, k2, y; W2, b2 its V, c."
                " dW and db are 0 because both columns of V are equal: what class 0 gains in a unit, class 1 loses.",
            ),
            Section(
                "Every gradient, proven",
                [items.derivation("network-derivation", _network(), title="Back-propagation in 2–3–2"), _proof(model)],
            ),
            Section("What is printed otherwise", [_printed()]),
            Section("Published beside ours", [items.published("published", lab.published)]),
        ],
    )


def _by_name(loss: "Value") -> dict[str, list[float]]:
    """The values of the pass by layer: {"Z1": [2.0, 2.0, 2.0], …}; A2 are the outputs."""
    from chainrule.scalar import MLP

    found: dict[str, list[float]] = {}
    for value in loss.tape():
        name, bracket, _ = value.name.partition("[")
        if bracket and name[0] in "ZA":
            found.setdefault(name, []).append(value.number)
    return found | {"A2": MLP(START).predict(X)}


def _table(id: str, title: str, rows: list[tuple[str, str, Any, Any]]) -> "Table":
    """Printed numbers beside ours, with the greatest difference."""
    from chainrule.reports import Table

    return Table(
        id,
        title,
        ["quantity", "printed", "ours", "greatest difference"],
        [
            [theirs, _numbers(printed), _numbers(found), f"{_distance(printed, found):.1e}"]
            for theirs, _, printed, found in rows
        ],
        "Printed with seven digits, cut and not rounded: what differs by less than 1e-07 is equal to the print.",
    )


def _numbers(values: Any) -> str:
    if isinstance(values, list):
        return "[" + ", ".join(map(_numbers, values)) + "]"
    return f"{values:.16g}".replace("-", "−")


def _distance(a: Any, b: Any) -> float:
    if isinstance(a, list):
        return max(_distance(x, y) for x, y in zip(a, b, strict=True))
    return abs(float(a) - float(b))


def _network() -> Any:
    from chainrule.network import Network

    return Network([2, 3, 2], activation="sigmoid", init=START, dtype="float64")


def _proof(model: "MLP") -> Any:
    """Central differences of the array engine, and how far the scalar engine is from it."""
    from chainrule.gradcheck import check_gradients
    from chainrule.reports import Text

    net = _network()
    arrays = net.backward(net.forward([X]), [0])
    apart = max(_distance(arrays[name].tolist(), found) for name, found in model.gradients().items())
    report = check_gradients(net, [X], [0])
    words = f"{report}\n\nThe engine of single numbers and that of arrays differ by at most {apart:.1e}."
    return Text("proof", "Held against central differences, and against the array engine", words)


def _printed() -> "Table":
    """Each printed mistake of questions 1 and 2 with what a test says of it."""
    from chainrule.algebra import check_claim
    from chainrule.reports import Table

    rows: list[list[str]] = []
    for number, what, by, printed, right in CLAIMS:
        verdicts = [check_claim(OWN, by, formula) for formula in (printed, right)]
        assert verdicts[1].ok
        found = "; ".join(trial.words for trial in verdicts[0].trials if not trial.ok) or "right"
        rows.append([number, what, printed, right, found])
    losses = ", ".join(f"{K} classes: {2 / K * math.log(K):.4f} for {math.log(K):.4f}" for K in (2, 3, 10))
    rows.append(
        ["F18", "loss of the appendix", "−2 · mean(t log y)", "−Σ t log y", f"equal for two classes alone; {losses}"]
    )
    units, outputs = len(START["b1"]), len(START["b2"])
    rows.append(
        [
            "F20",
            "backward pass of the appendix",
            'h = cache["k2"]',
            'h = cache["h"]',
            f"k2 has {outputs} numbers where {units} are asked for: the program ends with an IndexError, so this is "
            "not what was run; table 2 is right",
        ]
    )
    return Table(
        "printed",
        "Printed mistakes, each put to the test",
        ["mistake", "where", "printed", "correct", "what the test says"],
        rows,
    )


STUDY = Study(
    "scalar-pass",
    "One forward and one backward pass, one number at a time",
    "report 004, Q1–Q2",
    "Derives softmax with cross-entropy, passes one sample through 2–3–2 forward and backward in single numbers, and "
    "sets tables 1 and 2 beside it.",
    ITEMS,
    run,
)
