"""What was seen while somebody's own forward and backward pass ran: plain records, on which every judgement rests.

The user's arrays stay as they were, in the user's own shapes; only `Point` and `numerical` speak our language: rows are
samples, W1 is (fan_in, fan_out), b1 is (fan_out,). All widths of a point, its number of samples, and each of them plus
one (for a bias that is an extra row) are pairwise different wherever the user's code lets one choose them, so that a
shape tells the layout.
"""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Variable:
    """A local variable, entry of a dict or list, or attribute of the user's code, when its function returned.

    name       as it is written there: `dZ2`, `cache["A1"]`, `zs[0]`, `self.W1`
    value      float64, copied, the user's own shape (a number is ()); a ragged list has one Variable per entry
    line       of the last assignment to it in `function`, None where it cannot be found
    function   that returned, as it is named in the file: `backward` or `Net.backward`
    call       which of the calls of that function within this pass it was, counted from 0
    time       when it was assigned: 1 for the first assignment of this pass, 2 for the next …; 0 where not known
    """

    name: str
    value: Array
    line: int | None = None
    function: str = ""
    call: int = 0
    time: int = 0


@dataclass(frozen=True)
class Point:
    """What the code was given.

    X            (m, d)
    targets      (m, K): one-hot rows for classes, zeros and ones for K = 1 or independent outputs, or numbers
    parameters   "W1" (fan_in, fan_out), "b1" (fan_out,), "W2" …; no "b1" where the code has no biases
    settings     numbers of the user's that took part, by our name: "l2" (its λ as it was passed), "learning_rate"
    """

    X: Array
    targets: Array
    parameters: dict[str, Array]
    settings: dict[str, float] = field(default_factory=dict)

    @property
    def labels(self) -> NDArray[np.int64]:
        """(m,), the class of every sample: the largest target, or the rounded target where K is 1."""
        if self.targets.shape[1] == 1:
            return np.rint(self.targets[:, 0]).astype(np.int64)
        return np.asarray(self.targets.argmax(axis=1), dtype=np.int64)

    @property
    def sizes(self) -> tuple[int, ...]:
        """(d, h1, …, K)."""
        weights = [value for name, value in self.parameters.items() if name.startswith("W")]
        return (self.X.shape[1], *(W.shape[1] for W in weights))


@dataclass(frozen=True)
class Interface:
    """What was recognised of the file; printed before everything else, so that a mistake in it is seen.

    style       "functions", "class", "layers" (objects or functions of one layer each), "training function" (one
                function that does all), "script" (code outside functions) or "adapter"
    layout      "row" where a sample is a row of what the code is given, "column" where it is a column
    targets     "one-hot", "integer", "column" (one number a sample, as an axis of its own) or "flat"
    bias        "(h,)", "(1, h)", "(h, 1)", "extra row", "extra column" or "none"
    samples     "batch", or "one" where the code takes a single sample at a time (then m is 1)
    weights     "(in, out)" or "(out, in)": how the code keeps a weight matrix
    update      "returned" where the gradients are returned, "stored" where they are kept in attributes, "in place"
                where the weights were changed and the gradients recovered from that
    names       the user's name of each parameter and of X, targets and output: {"W1": 'params["W1"]', "X": "x", …}
    shapes      the shape in which the code holds each parameter at the first point; of an extra row or column the
                weights and the bias apart, as they would be without it
    functions   role: (name, line); roles are forward, backward, loss, update, train, initialise, model, layer
    stated      what names and text of the file say of the mathematics, when they do: "hidden", "output", "loss", "l2" →
                "sigmoid", "softmax", "cross-entropy", "binary cross-entropy", "squared error" …; hints, not facts
    remarks     sentences on what was assumed or left out, such as data that could not be loaded
    """

    style: str
    layout: Literal["row", "column"] = "row"
    targets: str = "one-hot"
    bias: str = "(h,)"
    samples: Literal["batch", "one"] = "batch"
    weights: Literal["(in, out)", "(out, in)"] = "(in, out)"
    update: Literal["returned", "stored", "in place"] = "returned"
    names: dict[str, str] = field(default_factory=dict)
    shapes: dict[str, tuple[int, ...]] = field(default_factory=dict)
    functions: dict[str, tuple[str, int]] = field(default_factory=dict)
    stated: dict[str, str] = field(default_factory=dict)
    remarks: tuple[str, ...] = ()

    def words(self) -> str:
        """What was recognised, in a few lines."""
        lines = [f"{role:<10} {name} (line {line})" for role, (name, line) in self.functions.items()]
        own = [f"{theirs} is our {ours}" for ours, theirs in self.names.items() if theirs != ours]
        samples = f"samples are {self.layout}s" if self.samples == "batch" else "one sample at a time"
        kept = f"targets {self.targets}; weights {self.weights}; bias {self.bias}"
        lines.append(f"{'style':<10} {self.style}; {samples}; {kept}")
        lines.append(f"{'gradients':<10} {_GRADIENTS[self.update]}")
        if own:
            lines.append(f"{'names':<10} {', '.join(own)}")
        if self.stated:
            lines.append(f"{'stated':<10} {', '.join(f'{what} {how}' for what, how in self.stated.items())}")
        return "\n".join([*lines, *self.remarks])


_GRADIENTS = {
    "returned": "returned",
    "stored": "kept in attributes",
    "in place": "recovered from the change of the weights and the learning rate",
}


@dataclass(frozen=True)
class Change:
    """Something that the code wrote into although it was handed it.

    what       "parameter", "input", "targets", or "cache" (a value that forward left and backward changed)
    name       as in Variable.name, or our name of a parameter
    role       during which it happened: "forward", "backward" or "loss"
    before, after   its values
    """

    what: str
    name: str
    role: str
    before: Array
    after: Array


@dataclass(frozen=True)
class Observation:
    """One point, evaluated once from a fresh state, and once again without one.

    output           of forward, the user's own shape; None where forward failed
    loss             of the file itself at this point; None where it has none
    numerical        ∂(the file's own loss)/∂parameter by central differences, our names and shapes; NaN in entries
                     that were not nudged (large fixed sizes); empty without a loss
    rounding         what a correct gradient may differ from `numerical` by, the largest of any entry, per parameter
    gradients        what the code says is the gradient, by our name of the parameter ("W1"), the user's own shape; a
                     bias that is an extra row or column is split off; recovered from the change of a weight, the
                     name is the weight's
    forward          variables of the functions that ran in forward, by the user's own name; those of functions called
                     by forward have the function before them (`softmax.exps`), and from the second call on its number
                     (`linear[1].Z`); overwritten values have @1, @2 … after them, in order (`dZ@1`, then `dZ`)
    backward         the same of backward (and of the update where the gradients come from it)
    changed          what was written into
    failed           what went wrong, by role ("forward", "loss", "backward"): a sentence with the line; the variables
                     up to there are recorded
    output_again     forward once more, after a pass of other samples, with the same weights put back; whatever else
                     was kept is kept, and the output is the same where nothing is stale
    gradients_again  the gradients of that second forward and backward
    """

    point: Point
    output: Array | None = None
    loss: float | None = None
    numerical: dict[str, Array] = field(default_factory=dict)
    rounding: dict[str, float] = field(default_factory=dict)
    gradients: dict[str, Variable] = field(default_factory=dict)
    forward: dict[str, Variable] = field(default_factory=dict)
    backward: dict[str, Variable] = field(default_factory=dict)
    changed: tuple[Change, ...] = ()
    failed: dict[str, str] = field(default_factory=dict)
    output_again: Array | None = None
    gradients_again: dict[str, Variable] = field(default_factory=dict)


@dataclass(frozen=True)
class Event:
    """One call that the training function made, or one change of the weights within it.

    role         "forward", "backward", "update", "loss" or "weights" (changed by the training function itself)
    function     that was called; `line` is the line of the call in its caller
    epoch        round of the outermost loop around the call, counted from 0, None outside every loop
    part         "train", "validation" or "mixed": whose samples were given; None where the call was given none
    rows         which rows of that part they were, in the order given
    parameters   the weights before, our names and shapes; given only where they changed during the call
    change       after minus before; empty where nothing changed
    rate         the learning rate in force, None where not known
    value        what a call of the loss returned
    gradients    what a call of backward returned, our names, the user's own shapes
    caller       the function that made the call
    """

    role: str
    function: str
    line: int | None = None
    epoch: int | None = None
    part: str | None = None
    rows: tuple[int, ...] = ()
    parameters: dict[str, Array] = field(default_factory=dict)
    change: dict[str, Array] = field(default_factory=dict)
    rate: float | None = None
    value: float | None = None
    gradients: dict[str, Array] = field(default_factory=dict)
    caller: str = ""


@dataclass(frozen=True)
class Seeding:
    """A call that fixed numpy's or Python's global seed, within `function` ("" for the file itself)."""

    function: str
    line: int | None
    value: int | None = None


@dataclass(frozen=True)
class Loop:
    """The training function on a tiny data set, watched.

    function     its name and line
    train        (X, targets) it was given, rows are samples; `validation` likewise, None where it takes none
    epochs       it was asked for; None where it does not let one say
    batch_size   it was asked for, or that it was seen to use
    rate         the learning rate it was given
    parameters   at its start, where they were seen
    events       in their order
    losses       numbers that it returned or collected as its history, one per epoch where that was the case
    seeds        calls that fixed a seed while it ran
    failure      a sentence where it did not end well; the events until then are still there
    """

    function: tuple[str, int]
    train: tuple[Array, Array]
    validation: tuple[Array, Array] | None = None
    epochs: int | None = None
    batch_size: int | None = None
    rate: float | None = None
    parameters: dict[str, Array] = field(default_factory=dict)
    events: tuple[Event, ...] = ()
    losses: tuple[float, ...] = ()
    seeds: tuple[Seeding, ...] = ()
    failure: str | None = None


@dataclass(frozen=True)
class Step:
    """One call of the file's own update: what it made of `before` by `gradients` and `rate`; our names and shapes."""

    function: tuple[str, int]
    before: dict[str, Array]
    gradients: dict[str, Array]
    rate: float
    after: dict[str, Array]


@dataclass(frozen=True)
class Start:
    """The file's own initialiser, called twice.

    function   its name and line
    sizes      (d, h1, …, K) that it was asked for
    first      the parameters of the first call, our names and shapes; `second` those of the second
    seeds      calls that fixed a seed within it
    """

    function: tuple[str, int]
    sizes: tuple[int, ...]
    first: dict[str, Array]
    second: dict[str, Array]
    seeds: tuple[Seeding, ...] = ()


@dataclass(frozen=True)
class Intake:
    """All that is known of one file.

    path           of the file; None for functions handed over in Python
    interface      None where nothing could be recognised
    observations   two points of different m and different numbers; empty where the code could not be run
    loop, step, start   None where the file has no such function, or it could not be called
    output         what the file printed, cut to its first part
    failure        why there are no observations, as a sentence with what to do; None where there are two
    adapter        template of an adapter with what was recognised filled in; "" where it is not needed
    source         the code (of a notebook: its code cells, magics left out)
    cells          (first line in `source`, number of the cell) per code cell of a notebook; empty for a file
    """

    path: Path | None
    interface: Interface | None = None
    observations: tuple[Observation, ...] = ()
    loop: Loop | None = None
    step: Step | None = None
    start: Start | None = None
    output: str = ""
    failure: str | None = None
    adapter: str = ""
    source: str = ""
    cells: tuple[tuple[int, int], ...] = ()
