"""Report 003, task 1: the graph of a residual block and ∂E/∂x, derived, proven, and the printed formula tried."""

from typing import TYPE_CHECKING

from chainrule.studies.lab import Lab
from chainrule.studies.study import Declared, Published, Study

if TYPE_CHECKING:
    from chainrule.algebra import Claim
    from chainrule.reports import Report

EQUATIONS = """\
x: N
W1: K,N
b1: K
W2: N,K
b2: N
r: K
s: N

z = W1 @ x + b1
h = sigmoid(z)
y = x + W2 @ h + b2
R = r @ h
S = sum((y - s)**2) / 2
E = R + S
"""

PRINTED = "W1.T @ W2.T @ (y - s) * h * (1 - h) + (y - s) + W1.T @ r * h * (1 - h)"
RIGHT = "(y - s) + W1.T @ (h * (1 - h) * (W2.T @ (y - s) + r))"

# (of, by, what is printed, a formula for it in our language; None where it is right as it stands)
LOCAL = (
    ("E", "S", "1", "1"),
    ("E", "R", "1", "1"),
    ("S", "y", "y − s", "y[i] − s[i]"),
    ("y", "h", "w(2)", "W2[i,j]"),
    ("h", "z", "δ′(z), K numbers", "h[i] (1 − h[i]) δ[i,j], a diagonal matrix K × K"),
    ("z", "x", "w(1)", "W1[i,j]"),
    ("y", "x", "1", "δ[i,j], the unit matrix N × N"),
    ("R", "h", "r", "r[i]"),
)

ITEMS = (
    Declared("graph", "the graph of x, z, h, y, R, S, E with the local derivatives", ("003 figure 1",)),
    Declared("derivation", "∂E/∂x step by step, held against central differences", ("003 figure 2",)),
    Declared("local", "the printed local derivatives beside ours"),
    Declared("printed", "the printed formula, held against central differences"),
    Declared("right", "the correct formula in the same test"),
    Declared("published", "the printed result beside ours"),
)


def run(lab: Lab) -> "Report":
    """Derive, draw, and try both formulas; nothing here depends on settings or seeds."""
    from chainrule.algebra import check_claim, derive
    from chainrule.reports import Report, Section, Table, Text, items

    derivation = derive(EQUATIONS, "x")
    printed, right = (check_claim(EQUATIONS, "x", formula) for formula in (PRINTED, RIGHT))
    lab.publish(
        Published(
            "003",
            "task 1, final equation",
            "∂E/∂x",
            "[W(1)]ᵀ[W(2)]ᵀ(y − s) δ′(z) + (y − s) + [W(1)]ᵀ r δ′(z)",
            "W(1)ᵀ[σ′(z) ∘ (W(2)ᵀ(y − s) + r)] + (y − s)",
            "another formula",
            f"F13: the factor σ′(z) stands outside the transposed matrix. {_told(printed)}",
        )
    )
    local = Table(
        "local",
        "Local derivatives",
        ["derivative", "printed", "ours"],
        [[f"∂{of}/∂{by}", theirs, ours] for of, by, theirs, ours in LOCAL],
        "The printed ones are right entry by entry. Two of them are matrices of which only the diagonal is written, "
        "and the mistake is made when they are put together: a diagonal matrix K × K cannot be moved past W(1)ᵀ.",
    )
    return Report(
        STUDY.title,
        f"The derivative is W1ᵀ[σ′(z) ∘ (W2ᵀ(y − s) + r)] + (y − s). The printed form is not: {_told(printed)}",
        [
            Section(
                "Graph and derivative",
                [
                    items.graph(
                        "graph",
                        derivation,
                        title="x, z, h, y, R, S and E",
                        caption="x is used twice, by z and by y, and h is used twice, by y and by R: "
                        "that is why ∂E/∂x and ∂E/∂h are sums.",
                    ),
                    items.derivation("derivation", derivation, title="∂E/∂x"),
                ],
                "N inputs and outputs, K hidden units. The assignment prints the norm of S unsquared; "
                "squared is meant, as in its source.",
            ),
            Section(
                "What the report prints",
                [
                    local,
                    Text("printed", "The printed formula", str(printed)),
                    Text("right", "The correct formula in the same test", str(right)),
                ],
                "A formula is tried at sizes that differ, where products in a wrong order have no meaning, and at "
                "equal sizes, where they have wrong numbers.",
            ),
            Section("Published beside ours", [items.published("published", lab.published)]),
        ],
    )


def _told(claim: "Claim") -> str:
    """What the trials of a claim found, as a sentence."""
    return "; ".join(f"{trial.sizes}: {trial.verdict}" for trial in claim.trials) + "."


STUDY = Study(
    "graph-derivation",
    "A residual block: its graph, and the derivative by its input",
    "report 003, task 1",
    "Draws the graph of z, h, y, R, S and E, derives ∂E/∂x, holds it against central differences, and puts the printed "
    "formula to the same test.",
    ITEMS,
    run,
)
