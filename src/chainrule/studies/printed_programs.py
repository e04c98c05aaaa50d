"""Whole programs for 784–300–10 with batches of one: report 004's mistakes planted one by one, and all together."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from chainrule.randomness import generator
from chainrule.studies.printed import Parameters, Planted, descend, mean_losses, outputs

Floats = NDArray[np.float64]
Pair = tuple[NDArray[Any], NDArray[np.int64]]
Row = dict[str, Any]

LAYERS = (784, 300, 10)


@dataclass(frozen=True)
class Program:
    """What a program for batches of one does: its passes, its first weights, its order and what it trains on."""

    planted: Planted = field(default_factory=Planted)
    start: str = "xavier"
    shuffle: bool = True
    held_out_trains: bool = False

    def identity(self) -> dict[str, Any]:
        """As JSON."""
        return {**vars(self), "planted": self.planted._asdict()}


AS_PRINTED = Program(Planted(output_bias=True, hidden_bias=True), "printed", shuffle=False, held_out_trains=True)

# Name: program. The number before a name is that of the mistake that is planted, and the only one in its program.
PROGRAMS = {
    "correct": Program(),
    "file order": Program(shuffle=False),
    "F21 softmax axis": Program(Planted(softmax_axis=True)),
    "F22 output bias": Program(Planted(output_bias=True)),
    "F23 hidden bias": Program(Planted(hidden_bias=True)),
    "F24 loss, its gradient too": Program(Planted(loss_gradient=True)),
    "F25 held-out data trained on": Program(held_out_trains=True),
    "F26, F27 start of fixed seed, 1/√fan-out": Program(start="printed", shuffle=False),
    "F27 start 1/√fan-out": Program(start="fan out"),
    "F28 start N(0, 1)": Program(start="normal(1)"),
    "F28 start N(0, 5.8²)": Program(start="normal(5.8)"),
    "start U(−1, 1), another solution's": Program(start="uniform(-1, 1)"),
    "as printed: F22, F23, F25, F26, F27": AS_PRINTED,
}

# Of the final run, at the report's rate: what is printed, and combinations of it that learn about as slowly.
FINAL_PROGRAMS = {
    **PROGRAMS,
    "start 1/√fan-in, file order": Program(start="fan in", shuffle=False),
    "F24 gradient and F25": Program(Planted(loss_gradient=True), shuffle=False, held_out_trains=True),
    "as printed, F24 gradient too": Program(
        Planted(output_bias=True, hidden_bias=True, loss_gradient=True), "printed", shuffle=False, held_out_trains=True
    ),
}

# Number, where, what is printed, what is correct, how it is planted here.
MISTAKES = (
    (
        "F18",
        "Q2, appendix",
        "loss = −2 · mean(t log y)",
        "−Σ t log y",
        "for ten classes a fifth of the loss; no gradient",
    ),
    ("F19", "Q3, appendix", "accumulators never reset", "fresh ones", "in synthetic-sgd; this program has none"),
    ("F20", "Q2, appendix", 'h = cache["k2"]', 'cache["h"]', "does not fit: 10 numbers for 300; see scalar-pass"),
    ("F21", "Q4", "softmax over axis 0 of a row", "over the last axis", "in the forward pass"),
    ("F22", "Q4", "db2 = sum of dZ2 over the classes", "dZ2", "in the backward pass"),
    ("F23", "Q4", "db1 = sum of dZ1 over the units", "dZ1", "in the backward pass"),
    (
        "F24",
        "Q4",
        "binary cross-entropy of softmax, by K",
        "−Σ y log p",
        "as reported number; and with its own gradient",
    ),
    ("F25", "Q5", "the validation loop updates", "forward only", "trained on after every epoch"),
    ("F26", "Q4", "np.random.seed(2) in the initialiser", "one generator a run", "the printed draw itself, file order"),
    ("F27", "Q4", "start scaled by 1/√(units out)", "1/√(units in)", "as the start"),
    ("F28", "Q3", "N(0, 1) claimed, 5.8 used", "a scale that fits", "both as the start"),
    ("F29", "Q5 (c)", "a lower rate is better", "see the table of rates", "what the others are to explain"),
    ("F30", "Q5", "loss a running mean, accuracy at the end", "both at the end", "both are kept of every program"),
)


def course(
    program: Program, train: Pair, held_out: Pair, *, rate: float, epochs: int, seed: int, measured: int
) -> list[Row]:
    """Train on `train`; after each epoch what is measured at fixed weights, and the means of the losses as met.

    measured: training samples, the first ones, on which training loss and accuracy are measured.
    Ends early where a weight stops being finite.
    """
    P = first_parameters(program.start, seed)
    draw = generator(seed, "shuffle") if program.shuffle else None
    rows: list[Row] = []
    for epoch in range(1, epochs + 1):
        order = np.arange(len(train[1])) if draw is None else draw.permutation(len(train[1]))
        met, met_binary = descend(*P, *train, order, rate, program.planted)
        row: Row = {"epoch": epoch, "met_loss": met, "met_binary": met_binary}
        if program.held_out_trains:
            others = np.arange(len(held_out[1]))
            row["held_out_met"], row["held_out_met_binary"] = descend(*P, *held_out, others, rate, program.planted)
        if not all(np.isfinite(array).all() for array in P):
            break
        first = train[0][:measured], train[1][:measured]
        rows.append(row | _measured(P, "train", first, program.planted))
        rows[-1] |= _measured(P, "validation", held_out, program.planted)
    return rows


def _measured(P: Parameters, part: str, pair: Pair, planted: Planted) -> Row:
    """Accuracy and both losses at fixed weights."""
    A2, labels = outputs(P, pair[0], planted), pair[1]
    entropy, binary = mean_losses(A2, labels)
    return {
        f"{part}_loss": entropy,
        f"{part}_binary": binary,
        f"{part}_accuracy": float((A2.argmax(axis=1) == labels).mean()),
    }


def first_parameters(start: str, seed: int) -> Parameters:
    """Weights of a kind of start, and biases of 0.

    start: of `chainrule.rules`, such as "xavier", that of `Network`, or "uniform(-1, 1)"; "fan in": N(0, 1/units in);
    "fan out": N(0, 1/units out); "printed": the report's own draw of the latter, the same whatever the seed.
    """
    d, h, K = LAYERS
    if start == "printed":
        draw = np.random.RandomState(2)
        W1, W2 = draw.randn(d, h) * np.sqrt(1 / h), draw.randn(h, K) * np.sqrt(1 / K)
    else:
        from chainrule.network import Network

        scales = {"fan in": (d, h), "fan out": (h, K)}.get(start)
        init = start if scales is None else [f"normal({n**-0.5!r})" for n in scales]
        net = Network(LAYERS, activation="sigmoid", init=init, dtype="float64", seed=seed)
        W1, W2 = (net.parameters()[name].copy() for name in ("W1", "W2"))
    return W1, np.zeros(h), W2, np.zeros(K)
