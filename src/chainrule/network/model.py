"""`Network`: the widths, rules and parameters of a multilayer perceptron, and what one asks of it."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from copy import copy
from html import escape
from itertools import pairwise
from numbers import Real
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from chainrule import rules
from chainrule.data.prepared import Prepared
from chainrule.errors import InputError, shown
from chainrule.network.passes import Array, Arrays, Layer, Structure, backward_pass, forward_pass
from chainrule.network.start import Init, first_parameters
from chainrule.rules import Activation, OneHot, Output

MOMENTUM = 0.9  # share of the old running statistics that one batch leaves
REMEDY = "Structure and arrays do not belong together: one of them was damaged or edited."
GREATEST_WIDTH = 2**31
NUMBERS_AT_ONCE = 1 << 22  # numbers that an evaluation looks at together
CHECKED_AT_ONCE = 1 << 16  # numbers that a check does: they stay in the cache
ROWS_AT_ONCE = 4096  # rows that an evaluation holds in memory together
WORTH_KERNELS = 5_000_000  # multiplications from which kernels are quicker than `forward_pass`


class Trace(Mapping[str, Array]):
    """All values of one forward pass by name (A0 Z1 A1 …), read-only, in the order in which they came about."""

    def __init__(self, values: Arrays, training: bool) -> None:
        self._values = {name: _read_only(value) for name, value in values.items()}
        self.training = training

    def __getitem__(self, name: str) -> Array:
        return self._values[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def __repr__(self) -> str:
        return f"Trace({', '.join(f'{name} {value.shape}' for name, value in self.items())})"


def _read_only(array: Array) -> Array:
    view = array.view()
    view.flags.writeable = False
    return view


class Gradients(dict[str, Array]):
    """Gradients of the loss by parameter name; `.deltas` holds those of the values of the trace (Z2, A1, Z1, …)."""

    def __init__(self, parameters: Arrays, deltas: Arrays) -> None:
        super().__init__(parameters)
        self.deltas = deltas


class Network:
    """A multilayer perceptron of any depth ≥ 1.

    layers      widths from input to output: [784, 300, 10]
    activation  name, `rules.Activation`, or one of these per hidden layer
    output      "softmax" (cross-entropy), "sigmoid" (binary cross-entropy), "identity" (squared error), or one's own
    init        name ("xavier", "he", "normal(0.1)", …); "auto": he for the relu family, xavier else; one per layer
                (names or arrays W); or a mapping of arrays {"W1": …, "b1": …}; what it lacks starts as usual
    dropout     share of units left out in training, in [0, 1); one value or one per hidden layer
    batch_norm  True, False, or one per hidden layer
    dtype       "float32" or "float64"
    seed        of the first weights

    Raises InputError for anything that does not fit, UnknownNameError for names that are none.
    """

    def __init__(
        self,
        layers: Sequence[int],
        *,
        activation: str | Activation | Sequence[str | Activation] = "relu",
        output: str | Output = "softmax",
        init: Init = "auto",
        dropout: float | Sequence[float] = 0.0,
        batch_norm: bool | Sequence[bool] = False,
        dtype: str = "float32",
        seed: int = 0,
    ) -> None:
        widths = _checked_widths(layers)
        hidden = len(widths) - 2
        if isinstance(activation, str):
            rules.activation(activation)  # a name that is none is refused even where no layer uses it
        activations = [rules.activation(rule) for rule in _one_per_layer("activation", activation, hidden)]
        rates = [_checked_rate(rate) for rate in _one_per_layer("dropout", dropout, hidden)]
        norms = [_checked_flag(flag) for flag in _one_per_layer("batch_norm", batch_norm, hidden)]
        if dtype not in ("float32", "float64"):
            raise InputError(f"dtype {shown(dtype)} is not possible", "Use float32 or float64.")
        self.layers = tuple(widths)
        self.dtype = np.dtype(dtype)
        per_layer = zip([*activations, None], [*rates, 0.0], [*norms, False], strict=True)
        stack = tuple(Layer(i + 1, widths[i], widths[i + 1], *rest) for i, rest in enumerate(per_layer))
        self.structure = Structure(stack, rules.output(output))
        self._parameters = first_parameters(stack, init, self.dtype, seed)
        self._statistics: Arrays = {}
        for layer in self.structure.layers:
            if layer.batch_norm:
                self._statistics[f"mean{layer.index}"] = np.zeros(layer.width, self.dtype)
                self._statistics[f"variance{layer.index}"] = np.ones(layer.width, self.dtype)
        self._multiplications = sum(layer.fan_in * layer.width for layer in stack)  # of a sample
        self._multiplications = sum(layer.fan_in * layer.width for layer in stack)  # of a sample
        # How compiled training, or `kernels.accelerate`, lets many rows be predicted.
        self.fast_predict: Callable[[Network, Array | Prepared, bool], tuple[Array, bool]] | None = None
        self.spec: Any = None  # the DataSpec of the data it was trained on: classes, preprocessing, image shape

    @property
    def output(self) -> Output:
        """The output/loss pair."""
        return self.structure.output

    def parameters(self) -> Arrays:
        """The parameters by name, W1 (d, h), b1 (h,), …: the arrays themselves, which an optimiser changes in place."""
        return self._parameters

    def statistics(self) -> Arrays:
        """The running mean and variance of each layer with batch normalisation, which inference uses."""
        return self._statistics

    def forward(self, x: ArrayLike, *, training: bool = False, generator: np.random.Generator | None = None) -> Trace:
        """All values of the forward pass of x (m, d), m ≥ 1.

        With `training`, batch normalisation uses the statistics of this batch and dropout draws its masks from
        `generator`; without, the running statistics and no dropout. Changes nothing in the network.
        """
        if training and generator is None and any(layer.dropout for layer in self.structure.layers):
            raise InputError(
                "dropout in training draws random masks, but no generator was given",
                "Pass generator=numpy.random.default_rng(seed).",
            )
        X = self.inputs(x)
        values = forward_pass(
            self.structure, self._parameters, self._statistics, X, training=training, generator=generator
        )
        return Trace(values, training)

    def backward(self, trace: Trace, y: Any, *, l2: float = 0.0, wrt_input: bool = False) -> Gradients:
        """Gradients of the loss of targets y at the values of `trace`, keyed like `parameters()`.

        `.deltas` holds the gradients of the trace's own values; that of the input, A0, only with `wrt_input`.
        Raises InputError where y does not fit the output layer or the number of samples of the trace.
        """
        self._refuse_foreign(trace)
        T = self.targets(y, len(trace["A0"]))
        gradients, deltas = backward_pass(
            self.structure,
            self._parameters,
            self._statistics,
            trace,
            T,
            l2=l2,
            training=trace.training,
            wrt_input=wrt_input,
        )
        return Gradients(gradients, deltas)

    def loss(self, x: ArrayLike, y: Any, *, l2: float = 0.0) -> float:
        """Mean loss over the samples, plus λ/2 Σ‖W‖² for λ = `l2`; in inference mode."""
        Z = self.logits(x)
        T = self.targets(y, len(Z))
        return float(self.output.losses(Z, T).mean(dtype=np.float64)) + penalty(self, l2)

    def loss_at(self, trace: Trace, y: Any, *, l2: float = 0.0) -> float:
        """The loss that belongs to the values of `trace`, in whichever mode they were computed."""
        T = self.targets(y, len(trace["A0"]))
        logits = trace[f"Z{len(self.structure.layers)}"]
        return float(self.output.losses(logits, T).mean(dtype=np.float64)) + penalty(self, l2)

    def logits(self, x: ArrayLike) -> Array:
        """ZL (m, K) in inference mode, a block of rows at a time, so that memory does not grow with the depth.

        Many rows go through the kernels where `fast_predict` is set; the result differs by rounding alone.
        """
        return self._infer(self.samples(x), values=False)[0]

    def predict_proba(self, x: ArrayLike | Prepared) -> Array:
        """Output values (m, K): probabilities for softmax and sigmoid, the predicted values for identity.

        Raises InputError for input that is not finite.
        """
        X = self.samples(x)
        A, finite = self._infer(X, values=True)
        if not finite:
            refuse_non_finite(X)
        return A

    def _infer(self, X: Array | Prepared, *, values: bool) -> tuple[Array, bool]:
        """ZL, or the output's `values` AL, in inference mode; and whether X is surely finite.

        A number that is not makes every sum of the first layer that it is part of NaN or infinite, so that one unit
        tells.
        """
        if self.fast_predict is not None and len(X) * self._multiplications >= WORTH_KERNELS:
            return self.fast_predict(self, X, values)
        name = f"{'A' if values else 'Z'}{len(self.structure.layers)}"
        parts, finite = [], True
        for start in range(0, len(X), ROWS_AT_ONCE):
            with np.errstate(invalid="ignore"):  # it is told in words
                block = forward_pass(
                    self.structure, self._parameters, self._statistics, X[start : start + ROWS_AT_ONCE]
                )
            finite = finite and bool(np.isfinite(block["Z1"][:, 0]).all())
            parts.append(block[name])
        return parts[0] if len(parts) == 1 else np.concatenate(parts), finite

    def predict(self, x: ArrayLike) -> Array:
        """Labels (m,) for softmax; 0 or 1, (m,) or (m, K), for sigmoid; values, (m,) or (m, K), for identity."""
        return self.output.decide(self.predict_proba(x))

    def score(self, x: ArrayLike, y: Any) -> float:
        """Accuracy for classification; the coefficient of determination R² for regression."""
        A = self.predict_proba(x)
        T = self.targets(y, len(A))
        if self.output.task == "classification":
            return float(correct(self.output, A, T).mean())
        residual = float(((A - T) ** 2).sum(dtype=np.float64))
        spread = float(((T - T.mean(axis=0)) ** 2).sum(dtype=np.float64))
        return 1 - residual / spread if spread else float("nan")

    def update_statistics(self, trace: Mapping[str, Array]) -> None:
        """Move the running statistics towards those of the batch in `trace` (a training-mode pass).

        The running variance takes the unbiased estimate, m/(m−1) times the batch's; Ioffe, Szegedy 2015, algorithm 2.
        """
        m = len(trace["A0"])
        for layer in self.structure.layers:
            if layer.batch_norm:
                l = layer.index
                self._statistics[f"mean{l}"] *= MOMENTUM
                self._statistics[f"mean{l}"] += (1 - MOMENTUM) * trace[f"mean{l}"]
                self._statistics[f"variance{l}"] *= MOMENTUM
                self._statistics[f"variance{l}"] += (1 - MOMENTUM) * m / max(m - 1, 1) * trace[f"variance{l}"]

    def inputs(self, x: ArrayLike) -> Array:
        """x as (m, d) of the network's dtype; raises InputError where its shape or type does not fit."""
        try:
            X = np.asarray(x)
        except ValueError:
            raise InputError("the rows of the input differ in length", "Give as many numbers in each row.") from None
        if X.dtype.kind not in "iufb":
            raise InputError(f"the input has type {X.dtype}", "Give an array of numbers.")
        if X.ndim != 2 or X.shape[1] != self.layers[0] or not len(X):
            raise InputError(
                f"the input has shape {X.shape} but layer 1 takes (m, {self.layers[0]})",
                "Give one row a sample, at least one, and as many columns as the first width.",
            )
        if X.dtype == self.dtype:
            return X
        with np.errstate(over="ignore"):
            converted: Array = X.astype(self.dtype)
        if X.dtype.itemsize > self.dtype.itemsize:
            _refuse_overflow(X, converted)
        return converted

    def samples(self, x: ArrayLike | Prepared) -> Array | Prepared:
        """Like `inputs`, but `Prepared` samples are not turned into an array."""
        if not isinstance(x, Prepared):
            return self.inputs(x)
        if x.shape[1] != self.layers[0]:
            raise InputError(
                f"the input has shape {x.shape} but layer 1 takes (m, {self.layers[0]})",
                "Give as many columns as the first width.",
            )
        return x.astype(self.dtype)

    def targets(self, y: Any, m: int) -> Array:
        """y as the matrix T (m, K) that the loss compares with; raises InputError where it does not fit."""
        T = self.output.targets(y, self.layers[-1], self.dtype)
        _check_one_each(T, m)
        return T

    def compact_targets(self, y: Any, m: int) -> Array | OneHot:
        """Like `targets`, but labels of classes stay labels: `rules.OneHot`."""
        T = self.output.compact_targets(y, self.layers[-1], self.dtype)
        _check_one_each(T, m)
        return T

    def _refuse_foreign(self, trace: Trace) -> None:
        for layer in self.structure.layers:
            name = f"Z{layer.index}"
            if (
                name not in trace
                or trace[name].shape[1] != layer.width
                or ("N" + name[1:] in trace) != layer.batch_norm
            ):
                raise InputError(
                    f"the trace is of another network: its {name} does not fit layer {layer.index}",
                    "Hand `backward` what this network's own `forward` gave.",
                )

    def table(self) -> list[dict[str, Any]]:
        """One row a layer from the input on: name, width, activation, parameter shapes, their count, notes."""
        rows: list[dict[str, Any]] = [
            {"name": "input", "width": self.layers[0], "activation": "", "parameters": {}, "count": 0, "notes": ""}
        ]
        for layer in self.structure.layers:
            notes = [f"dropout {layer.dropout:g}"] * bool(layer.dropout) + ["batch norm"] * layer.batch_norm
            shapes = layer.shapes()
            rows.append(
                {
                    "name": f"layer {layer.index}",
                    "width": layer.width,
                    "activation": layer.activation.name if layer.activation else self.output.name,
                    "parameters": shapes,
                    "count": sum(int(np.prod(shape)) for shape in shapes.values()),
                    "notes": ", ".join(notes),
                }
            )
        return rows

    def to_config(self) -> dict[str, Any]:
        """What `from_config` needs besides the arrays; plain JSON data."""
        hidden = self.structure.layers[:-1]
        return {
            "layers": list(self.layers),
            "activation": [layer.activation.name for layer in hidden if layer.activation],
            "output": self.output.name,
            "dropout": [layer.dropout for layer in hidden],
            "batch_norm": [layer.batch_norm for layer in hidden],
            "dtype": self.dtype.name,
        }

    @classmethod
    def from_config(cls, config: Mapping[str, Any], arrays: Mapping[str, Array]) -> "Network":
        """A network as `to_config` described it with the parameters and statistics in `arrays`.

        Raises InputError where an array is missing or of another shape, before anything of that size is allocated.
        """
        widths = _checked_widths(config["layers"])
        needed = sum(d * h for d, h in pairwise(widths))
        held = sum(array.size for array in arrays.values())
        if needed > held or len(widths) > len(arrays) + 1:
            raise InputError(
                f"layers {shown(widths)} need {shown(needed)} weights but the arrays hold {held} numbers", REMEDY
            )
        net = cls(**config, init="zeros")
        for name, target in {**net._parameters, **net._statistics}.items():
            shape = arrays[name].shape if name in arrays else None
            if shape != target.shape:
                raise InputError(f"{name} has shape {shape} but must be {target.shape}", REMEDY)
            target[...] = arrays[name]
        return net

    def copy(self, dtype: str | None = None) -> "Network":
        """The same network with parameters and statistics of its own, in `dtype` where one is given."""
        twin = copy(self)
        twin.dtype, twin.fast_predict = np.dtype(dtype or self.dtype), None
        twin._parameters = {name: np.array(P, dtype=twin.dtype) for name, P in self._parameters.items()}
        twin._statistics = {name: np.array(S, dtype=twin.dtype) for name, S in self._statistics.items()}
        return twin

    def __repr__(self) -> str:
        activations = [layer.activation.name for layer in self.structure.layers if layer.activation]
        return (
            f"Network({'–'.join(map(str, self.layers))}, activation={', '.join(activations) or 'none'}, "
            f"output={self.output.name}, {self.dtype.name}, {count(self)} parameters)"
        )

    def _repr_html_(self) -> str:
        def cells(tag: str, values: Sequence[Any]) -> str:
            return "<tr>" + "".join(f"<{tag}>{escape(str(value))}</{tag}>" for value in values) + "</tr>"

        body = "".join(
            cells(
                "td",
                (
                    row["name"],
                    row["width"],
                    row["activation"],
                    ", ".join(f"{name} {shape}" for name, shape in row["parameters"].items()),
                    f"{row['count']:,}",
                    row["notes"],
                ),
            )
            for row in self.table()
        )
        head = cells("th", ("layer", "units", "activation", "parameters", "count", ""))
        return f"<table><caption>{escape(repr(self))}</caption>{head}{body}</table>"


def penalty(net: Network, l2: float) -> float:
    """λ/2 Σ‖W‖² over the weights; biases, γ and β are free."""
    if not l2:
        return 0.0
    weights = (P for name, P in net._parameters.items() if name[0] == "W")
    return l2 / 2 * sum(float(np.square(W, dtype=np.float64).sum()) for W in weights)


def refuse_non_finite(X: Array | Prepared) -> None:
    """Raise InputError where an input (m, d) holds NaN or infinity, naming the first."""
    raw = X.raw if isinstance(X, Prepared) else X
    if raw.dtype.kind != "f":
        return
    rows = max(1, CHECKED_AT_ONCE // raw.shape[1])
    for start in range(0, len(raw), rows):
        block = raw[start : start + rows]
        if not _all_finite(block):
            i, j = np.unravel_index(int(np.argmin(np.isfinite(block))), block.shape)
            raise InputError(
                f"sample {start + i}, column {j} of the input is {raw[start + i, j]}",
                "Leave such samples out, or fill them in.",
            )


def _all_finite(block: Array) -> bool:
    if block.size < 4096:
        return bool(np.isfinite(block).all())
    with np.errstate(invalid="ignore"):  # 0 · ∞ and 0 · NaN are NaN; twice as fast as looking at each number
        return bool(np.isfinite(np.dot(block.reshape(-1), np.zeros(block.size, block.dtype))))


def _check_one_each(T: Array | OneHot, m: int) -> None:
    if len(T) != m:
        raise InputError(f"{m} samples but {len(T)} targets", "Give one target a sample.")


def _refuse_overflow(X: Array, converted: Array) -> None:
    lost = np.isinf(converted) & np.isfinite(X)
    if lost.any():
        i, j = np.unravel_index(int(np.argmax(lost)), X.shape)
        raise InputError(
            f"sample {i}, column {j} of the input is {X[i, j]}, too great for {converted.dtype}",
            "Scale the input, or build the network with dtype='float64'.",
        )


def correct(output: Output, A: Array, T: Array) -> NDArray[np.bool_]:
    """Whether each row of A is decided as its target: the greatest entry for softmax, every entry for sigmoid."""
    same = np.equal(output.decide(A), output.decide(T)).reshape(len(A), -1)
    return np.asarray(same.all(axis=1))


def count(net: Network) -> int:
    """Number of trained parameters."""
    return sum(P.size for P in net._parameters.values())


def _checked_widths(layers: Sequence[int]) -> list[int]:
    widths = list(layers) if isinstance(layers, Sequence | np.ndarray) else []
    whole_numbers = all(isinstance(w, int | np.integer) and not isinstance(w, bool) for w in widths)
    if len(widths) < 2 or not whole_numbers or not all(0 < w < GREATEST_WIDTH for w in widths):
        raise InputError(
            f"layers {shown(layers)} are no widths of a network",
            "Give at least two whole numbers ≥ 1, from the input to the output: [784, 300, 10].",
        )
    return [int(w) for w in widths]


def _one_per_layer(what: str, value: Any, hidden: int) -> list[Any]:
    if isinstance(value, str | Activation) or not isinstance(value, Sequence | np.ndarray):
        return [value] * hidden
    if len(value) != hidden:
        raise InputError(f"{what} has {len(value)} entries for {hidden} hidden layers", "Give one, or one a layer.")
    return list(value)


def _checked_rate(rate: float) -> float:
    if not isinstance(rate, Real) or not 0 <= rate < 1:
        raise InputError(f"dropout {shown(rate)} is outside [0, 1)", "0 leaves nothing out, 0.5 half of the units.")
    return float(rate)


def _checked_flag(flag: bool) -> bool:
    if not isinstance(flag, bool | np.bool_):
        raise InputError(f"batch_norm is {shown(flag)}", "Give True or False, for all hidden layers or one by one.")
    return bool(flag)
