"""`train`: epoch after epoch, batch after batch, forward, backward, step.

Without measuring, checkpoints and complaints it is this loop, which gives the same bits as the reference engine:

    order = cr.generator(seed, "shuffle")
    optimizer = cr.optimizers.SGD(0.1)
    for epoch in range(epochs):
        for rows in cr.batches(len(x), 32, order):
            trace = net.forward(x[rows], training=True)
            optimizer.step(net.parameters(), net.backward(trace, y[rows]))
"""

import time
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from inspect import signature
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from chainrule import optimizers
from chainrule.data import Batches, DataSet, Prepared
from chainrule.errors import InputError, NotFiniteError, unknown_name
from chainrule.evaluation import as_pair, measure
from chainrule.network import Network, refuse_non_finite
from chainrule.optimizers import Optimizer
from chainrule.randomness import generator as stream
from chainrule.rules import OneHot
from chainrule.specs import number, whole
from chainrule.training.augmentation import Augmented
from chainrule.training.divergence import diverged
from chainrule.training.engines import ENGINES, choose, epochs_at_once, make, numpy_seconds
from chainrule.training.history import History, Row
from chainrule.training.layers import SAMPLES, sizes
from chainrule.training.order import Size, epoch, rows_a_batch
from chainrule.training.progress import ProgressLine
from chainrule.training.state import Best, TrainingState, capture, completed, restore_weights, resume, weights
from chainrule.training.stops import Stops

Array = NDArray[Any]
Floats = NDArray[np.float64]
Inputs = Array | Prepared
Targets = Array | OneHot
Pair = tuple[ArrayLike, Any]
Measured = dict[str, tuple[Inputs, Targets]]

MOMENTS = ("train_begin", "batch_end", "epoch_end", "snapshot", "train_end")
CHECKPOINT_SECONDS = 5.0


@dataclass
class Moment:
    """What a callback is handed: the network, the history so far, the epoch (from 1), and, at `batch_end`, the batch
    (from 1) and its loss before the update, L2 left out. `stop()` ends training after this epoch."""

    net: Network
    history: History
    epoch: int
    batch: int | None = None
    loss: float | None = None

    def stop(self) -> None:
        self.history.stopped = "callback"


Callback = Callable[[Moment], None]
Callbacks = Mapping[str, Callback | Iterable[Callback]]


def train(
    net: Network,
    data: DataSet | Pair,
    *,
    validation: Pair | None = None,
    epochs: int = 10,
    batch_size: Size = 32,
    learning_rate: float | None = None,
    optimizer: str | Optimizer = "sgd",
    schedule: str = "constant",
    l2: float = 0.0,
    clip: float | None = None,
    shuffle: bool = True,
    augment: str | None = None,
    early_stopping: int | None = None,
    curves: bool = True,
    curve_samples: int | None = None,
    curve_every: int = 1,
    monitor_test: bool = False,
    record_batches: bool = False,
    record_layers: bool = False,
    snapshots: Collection[int] = (),
    callbacks: Callbacks | None = None,
    engine: str = "auto",
    seed: int = 0,
    progress: bool = False,
    checkpoint: Callable[[TrainingState], None] | None = None,
    checkpoint_seconds: float = CHECKPOINT_SECONDS,
    state: TrainingState | None = None,
) -> History:
    """Train `net` in place and return what happened.

    data            a DataSet (its train and validation parts are used, its test part is not unless it is monitored) or
                    a pair (x, y); x may be a read-only memory map, or `Prepared` samples
    validation      with a pair: the validation pair (x, y)
    batch_size      1 (stochastic), b (mini-batch) or "full"; each sample is used once an epoch
    learning_rate   of the optimiser; None for its own default
    optimizer       "sgd", "momentum", "nesterov", "rmsprop", "adam", "adamw", with settings "adam(beta1=0.8)"
    schedule        "constant", "step(every=10, factor=0.1)", "exponential(decay=0.95)", "cosine(warmup=2)"
    l2              λ of λ/2 Σ‖W‖² added to the mean loss
    clip            greatest Euclidean norm of all gradients together
    shuffle         a new order every epoch; False keeps the file order
    augment         train on the images of a DataSet after this transform, drawn anew for every epoch: "crop(4)+flip";
                    see `chainrule.images.transforms`. Whatever is measured is measured on the images as they are
    early_stopping  stop when the validation loss has not fallen for so many epochs; the best weights are restored
    curves          measure loss and accuracy at the end of each epoch; on at most `curve_samples` training samples,
                    a fixed draw, where that is given
    curve_every     have a row of the history, and measure, after every so many epochs only, and after the last; between
                    them many epochs run in one go. `early_stopping` and the moment epoch_end see these epochs alone
    monitor_test    measure the curves of the DataSet's test part too; nothing is selected by them
    record_batches  keep the loss of every batch
    record_layers   keep the sizes of activations, gradients and updates by layer, at some 200 of the rows; see
                    `training.layers.sizes`
    snapshots       epochs after which the callbacks of the moment snapshot are called
    callbacks       {moment: function or functions}; moments: train_begin, batch_end, epoch_end, snapshot, train_end
    engine          "reference" (NumPy), "compiled" (kernels; the first call on a machine compiles them, some 10 s), or
                    "auto": the kernels where the work is worth it, more than about 0.2 s in NumPy; `history.engine`
                    says which ran
    seed            of the order of the samples, of the dropout masks and of the transforms
    progress        a live line on the terminal
    checkpoint      is handed the state at the end of an epoch, at most once in `checkpoint_seconds`, and that of the
                    last whole epoch on an interrupt
    state           such a state, to go on from: the result is the same to the last bit

    Ctrl-C ends training with the weights of the last whole epoch, or block of epochs where the kernels run several in
    one go, and `history.stopped == "interrupted"`.
    Raises InputError for what does not fit, and DivergedError, its `.history` attached and the last good weights in
    place, where a value stops being finite.
    """
    X, T, parts = _checked_data(net, data, validation, monitor_test)
    _check_settings(
        net, X, parts, epochs, batch_size, l2, clip, early_stopping, curve_samples, curve_every, snapshots, engine
    )
    method = optimizers.optimizer(optimizer, learning_rate)
    factors = optimizers.schedule(schedule)
    calls = _calls(callbacks)
    steps = -(-len(X) // rows_a_batch(len(X), batch_size))
    epoch_seconds = numpy_seconds(net, len(X), steps)
    name = choose(engine, net, method, epochs * epoch_seconds, calls.has("batch_end"))
    augmented = None if augment is None else Augmented(data, augment, seed)
    fed = X if augmented is None else net.samples(augmented.x)
    runner = make(name, net, fed, T, method, clip=clip)
    history, best = History(engine=runner.name), Best()
    generators = {name: stream(seed, name) for name in ("shuffle", "dropout")}
    if state is not None:
        resume(state, net, method, generators, history, best)
    measured = _measured_parts(
        X, T, parts, _fixed_rows(len(X), curve_samples, seed), curves, early_stopping is not None
    )
    base_rate = method.learning_rate
    fixed = None if shuffle and steps > 1 else epoch(len(X), batch_size, None)
    watched = curves or early_stopping is not None or checkpoint is not None or progress or calls.has("epoch_end")
    stops = Stops(epochs, curve_every, watched, frozenset(snapshots), record_layers)
    alone = augmented is not None or runner.name == "reference"
    at_once = 1 if alone else epochs_at_once(epoch_seconds, len(X))
    looked_at = _fixed_rows(len(X), SAMPLES, seed)
    if isinstance(data, DataSet):
        net.spec = data.spec

    good, kept, last_checkpoint, since = (len(history), weights(net)), state, time.monotonic(), 0.0
    calls("train_begin", Moment(net, history, len(history)))
    with ProgressLine(epochs, len(history), progress) as line, np.errstate(all="ignore"):

        def watch(batch: int, loss: float | None) -> None:
            calls("batch_end", Moment(net, history, len(history) + 1, batch + 1, loss))
            line.batch((batch % steps + 1) / steps)

        def run_epochs(count: int) -> tuple[Floats, Floats, Row]:
            """Rates and losses of the next epochs and what is measured after them; raises NotFiniteError."""
            rates = base_rate * factors(len(history), count, steps, epochs)
            if fixed is None:
                together = Batches.joined([epoch(len(X), batch_size, generators["shuffle"]) for _ in range(count)])
            else:
                together = fixed.repeated(count)
            record = record_batches or calls.has("batch_end")
            if augmented is not None:
                augmented.fill(len(history))
            losses, _ = runner.run(
                together, rates.ravel(), np.full(rates.size, l2), generators["dropout"], record=record, watch=watch
            )
            done, rate = len(history) + count, float(rates[-1, -1])
            row = _measured(net, rate, measured if stops.has_row(done) else {})
            if not (np.isfinite([*row.values()]).all() and _all_finite(net)):
                raise NotFiniteError(steps - 1, slice(0, 1024))
            if stops.has_layers(done):
                row["layers"] = sizes(net, method, X[looked_at], T[looked_at], rate=rate, l2=l2, clip=clip)
            return rates, losses, row

        def run_together(count: int) -> tuple[Floats, Floats, Row]:
            """`run_epochs`; if one of several fails, they begin again, and only the first is run."""
            if count == 1:
                return run_epochs(1)
            before = capture(net, method, generators, history, best)
            try:
                return run_epochs(count)
            except NotFiniteError:
                resume(completed(before, history), net, method, generators, history, best)
                return run_epochs(1)

        try:
            while len(history) < epochs and not history.stopped:
                began = time.perf_counter()
                count = stops.ahead(len(history), at_once)
                rates, losses, row = run_together(count)
                if len(rates) < count:
                    at_once = 1  # one epoch after the other leads to the failure
                seconds = (time.perf_counter() - began) / len(rates)
                for k, rate in enumerate(rates[:, -1].tolist()):
                    history.epochs += 1
                    since += seconds
                    if record_batches:
                        history.batch_losses.append(losses[k * steps : (k + 1) * steps])
                    if stops.has_row(len(history)):
                        last = k == len(rates) - 1  # what was measured, was at the end
                        history.append({"learning_rate": rate} | (row if last else {}), since)
                        since = 0.0
                good = (len(history), weights(net))
                if stops.has_row(len(history)):
                    line.epoch(history.rows[-1])
                    if early_stopping is not None and _patience_is_over(net, history, best, early_stopping):
                        history.stopped = "early stopping"
                    calls("epoch_end", Moment(net, history, len(history)))
                if len(history) in stops.snapshots:
                    calls("snapshot", Moment(net, history, len(history)))
                if checkpoint is not None:
                    kept = capture(net, method, generators, history, best)
                    if time.monotonic() - last_checkpoint >= checkpoint_seconds:
                        checkpoint(completed(kept, history))
                        last_checkpoint = time.monotonic()
        except KeyboardInterrupt:
            history.cut(good[0])
            restore_weights(net, good[1])
            history.stopped = "interrupted"
            if checkpoint is not None and kept is not None and kept is not state:
                checkpoint(completed(kept, history))
        except NotFiniteError as error:
            X, T = fed[error.rows], T[error.rows]
            rate = float(base_rate * factors(len(history), 1, steps, epochs)[0, error.batch])
            end = diverged(net, X, T, len(history) + 1, error.batch + 1, steps, rate)
            restore_weights(net, good[1])
            history.stopped = "diverged"
            end.history = history
            raise end from None
        finally:
            method.learning_rate = base_rate
    history.stopped = history.stopped or "epochs"
    if best.arrays is not None and history.stopped != "interrupted":
        restore_weights(net, best.arrays)
        history.best_epoch = best.epoch
    calls("train_end", Moment(net, history, len(history)))
    return history


class _Calls:
    """The callbacks by moment; calling it runs those of one moment in their order."""

    def __init__(self, by_moment: dict[str, list[Callback]]) -> None:
        self._by_moment = by_moment

    def has(self, moment: str) -> bool:
        return moment in self._by_moment

    def __call__(self, name: str, moment: Moment) -> None:
        for function in self._by_moment.get(name, ()):
            function(moment)


def _calls(callbacks: Callbacks | None) -> _Calls:
    by_moment: dict[str, list[Callback]] = {}
    for name, functions in (callbacks or {}).items():
        if name not in MOMENTS:
            raise unknown_name("moment of a callback", name, MOMENTS)
        by_moment[name] = [functions] if callable(functions) else list(functions)
    return _Calls(by_moment)


def refuse_unfit(net: Network, data: DataSet | Pair, **settings: Any) -> None:
    """Raise what `train(net, data, **settings)` would raise before its first step, and do nothing else."""
    asked = {name: parameter.default for name, parameter in signature(train).parameters.items()} | settings
    X, _, parts = _checked_data(net, data, asked["validation"], asked["monitor_test"])
    checked = [name for name in signature(_check_settings).parameters if name in asked and name != "net"]
    _check_settings(net, X, parts, **{name: asked[name] for name in checked})
    optimizers.optimizer(asked["optimizer"], asked["learning_rate"])
    optimizers.schedule(asked["schedule"])
    if asked["augment"] is not None:
        Augmented(data, asked["augment"], asked["seed"])


def _checked_data(
    net: Network, data: DataSet | Pair, validation: Pair | None, monitor_test: bool
) -> tuple[Inputs, Targets, Measured]:
    """Inputs and targets of the training part, and by name those of the other parts that are measured while training
    runs, as the network takes them."""
    x, y, held_out = _parts(data, validation)
    X = net.samples(x)
    T = net.compact_targets(y, len(X))
    others: dict[str, Pair] = {} if held_out is None else {"validation": held_out}
    if monitor_test:
        if not isinstance(data, DataSet) or data.test is None:
            raise InputError("there is no test part to monitor", "Give a DataSet with one, or leave out monitor_test.")
        others["test"] = data.test.x, data.test.y
    parts: Measured = {}
    for name, (inputs, targets) in others.items():
        V = net.samples(inputs)
        parts[name] = V, net.compact_targets(targets, len(V))
    return X, T, parts


def _parts(data: DataSet | Pair, validation: Pair | None) -> tuple[Any, Any, Pair | None]:
    if isinstance(data, DataSet):
        if validation is not None:
            raise InputError("a data set brings its own validation part", "Leave out `validation`.")
        part = data.validation
        return data.train.x, data.train.y, None if part is None else (part.x, part.y)
    return *as_pair(data), validation


def _check_settings(
    net: Network,
    X: Inputs,
    parts: Measured,
    epochs: int,
    batch_size: Size,
    l2: float,
    clip: float | None,
    early_stopping: int | None,
    curve_samples: int | None,
    curve_every: int,
    snapshots: Collection[int],
    engine: str,
) -> None:
    if engine not in ENGINES:
        raise unknown_name("engine", engine, ENGINES)
    whole("epochs", epochs, 1)
    number("l2", l2, 0)
    if clip is not None:
        number("clip", clip, above=0)
    for name, count in (("early_stopping", early_stopping), ("curve_samples", curve_samples)):
        if count is not None:
            whole(name, count, 1)
    whole("curve_every", curve_every, 1)
    latest = max((whole("snapshots", wanted, 1) for wanted in snapshots), default=0)
    if latest > epochs:
        raise InputError(f"a snapshot is wanted after epoch {latest} of {epochs}", "Name epochs that are trained.")
    if early_stopping is not None and "validation" not in parts:
        raise InputError("early stopping needs validation data", "Give a validation part, or leave it out.")
    rows = rows_a_batch(len(X), batch_size)
    if net.statistics() and (rows == 1 or len(X) % rows == 1):
        raise InputError(
            f"batch normalisation meets a batch of one: {len(X)} samples in batches of {rows}",
            "The variance of one sample is 0. Choose a batch size that leaves no single sample.",
        )
    for part in (X, *(inputs for inputs, _ in parts.values())):
        refuse_non_finite(part)


def _fixed_rows(m: int, samples: int | None, seed: int) -> Any:
    """Training rows on which something is measured: all, or a fixed draw in file order."""
    if samples is None or samples >= m:
        return slice(None)
    return np.sort(stream(seed, "subset").choice(m, samples, replace=False))


def _measured_parts(X: Inputs, T: Targets, others: Measured, sample: Any, curves: bool, validate: bool) -> Measured:
    """The parts that are measured at a row of the history; `sample` are the training rows for it."""
    if not curves:
        return {name: part for name, part in others.items() if validate and name == "validation"}
    return {"train": (X, T) if isinstance(sample, slice) else (X[sample], T[sample]), **others}


def _measured(net: Network, rate: float, parts: Measured) -> Row:
    row: Row = {"learning_rate": rate}
    for name, (inputs, targets) in parts.items():
        row[f"{name}_loss"], accuracy = measure(net, inputs, targets)
        if accuracy is not None:
            row[f"{name}_accuracy"] = accuracy
    return row


def _all_finite(net: Network) -> bool:
    """The last update of an epoch can spoil the weights after its own pass was still finite."""
    return all(np.isfinite(array).all() for array in (*net.parameters().values(), *net.statistics().values()))


def _patience_is_over(net: Network, history: History, best: Best, patience: int) -> bool:
    loss = history.rows[-1]["validation_loss"]
    if loss < best.loss:
        best.loss, best.epoch, best.arrays = loss, len(history), weights(net)
    return len(history) - best.epoch >= patience
