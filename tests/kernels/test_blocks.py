"""Several epochs in one call of the kernels, where nobody asks for control between them: only time may tell."""

import sys
from contextlib import suppress

import numpy as np
import pytest

import chainrule as cr
from chainrule.errors import DivergedError
from chainrule.kernels.engine import CompiledEngine
from chainrule.training import engines
from chainrule.training import loop as training_loop
from kernels.problems import differing, network, samples, weights

pytestmark = pytest.mark.xdist_group("kernels")

M, EPOCHS, SIZE = 50, 7, 16
BATCHES = 4


@pytest.fixture
def calls(monkeypatch):
    """The number of batches of each call of the engine."""
    made = []
    run = CompiledEngine.run

    def counted(self, batches, *arguments, **keywords):
        made.append(len(batches))
        return run(self, batches, *arguments, **keywords)

    monkeypatch.setattr(CompiledEngine, "run", counted)
    return made


def trained(curves, *, data=None, net=None, **settings):
    """The network after some epochs, one at a time with `curves`, and the history."""
    if net is None:
        net = network([7, 20, 4], activation="tanh", dropout=0.3)
    data = samples(net, M) if data is None else data
    settings = {"epochs": EPOCHS, "batch_size": SIZE, "seed": 3, **settings}
    return net, cr.train(net, data, engine="compiled", curves=curves, **settings)


def three_at_a_time(monkeypatch):
    monkeypatch.setattr(engines, "BLOCK_ROWS", 3 * M)


SETTINGS = {
    "plain": {},
    "file order": {"shuffle": False},
    "full batch": {"batch_size": "full"},
    "single samples": {"batch_size": 1},
    "a rest of one sample": {"batch_size": 7},
    "cosine": {"schedule": "cosine(warmup=2)"},
    "steps, adam, penalty": {"schedule": "step(every=2)", "optimizer": "adam", "l2": 0.01},
    "clipped nesterov": {"optimizer": "nesterov", "clip": 0.1},
}


@pytest.mark.parametrize("name", SETTINGS)
def test_all_epochs_in_one_call_give_the_bits_of_one_epoch_a_call(calls, name):
    alone, told = trained(True, record_batches=True, **SETTINGS[name])
    batches = calls[0]
    assert calls == [batches] * EPOCHS
    together, less = trained(False, record_batches=True, **SETTINGS[name])
    assert calls[EPOCHS:] == [batches * EPOCHS]
    assert differing(weights(together), weights(alone)) == []
    assert [losses.tolist() for losses in less.batch_losses] == [losses.tolist() for losses in told.batch_losses]
    assert less.rows == [{key: row[key] for key in ("epoch", "learning_rate")} for row in told.rows]
    assert (len(less.seconds), less.stopped, less.engine) == (EPOCHS, "epochs", "compiled")


def test_batch_normalisation_in_one_call_gives_the_same_bits_too(calls):
    ended = [trained(curves, net=network([7, 20, 4], batch_norm=True, dropout=0.3))[0] for curves in (True, False)]
    assert calls == [BATCHES] * EPOCHS + [BATCHES * EPOCHS]
    assert differing(*map(weights, ended)) == []


def test_blocks_end_with_the_epochs_that_are_left(calls, monkeypatch):
    whole, _ = trained(False)
    three_at_a_time(monkeypatch)
    cut, history = trained(False)
    assert calls == [BATCHES * EPOCHS, 3 * BATCHES, 3 * BATCHES, BATCHES]
    assert len(history) == EPOCHS
    assert differing(weights(cut), weights(whole)) == []


@pytest.mark.parametrize(
    "asking",
    [
        {"curves": True},
        {"curves": True, "curve_samples": 10},
        {"early_stopping": 9},
        {"checkpoint": lambda state: None},
        {"callbacks": {"epoch_end": lambda at: None}},
    ],
)
def test_whoever_asks_for_control_gets_it_after_every_epoch(calls, asking):
    net = network([7, 20, 4])
    validation = samples(net, 20, seed=1) if "early_stopping" in asking else None
    trained(asking.pop("curves", False), net=net, validation=validation, **asking)
    assert calls == [BATCHES] * EPOCHS


def test_callbacks_at_the_ends_of_training_leave_the_epochs_together(calls):
    seen = []
    ends = ("train_begin", "train_end")
    trained(False, callbacks={moment: lambda at: seen.append((at.epoch, len(at.history))) for moment in ends})
    assert calls == [BATCHES * EPOCHS]
    assert seen == [(0, 0), (EPOCHS, EPOCHS)]


def test_an_interrupt_need_not_wait_longer_than_half_a_second_of_numpys_time():
    for samples_, seconds in ((1000, 1e-3), (1000, 0.2), (1 << 21, 1e-4), (1 << 30, 1e-4), (10, 3.0)):
        count = engines.epochs_at_once(seconds, samples_)
        assert count == 1 or count * seconds <= 0.5
        assert count == 1 or count * samples_ <= 1 << 22
    assert engines.epochs_at_once(1e-3, 1000) == 500


# --- where training diverges


def line(dtype):
    """Numbers and a line through them, on which large rates diverge after some epochs."""
    x = np.random.default_rng(0).normal(size=(M, 2)).astype(dtype)
    return x, 9 * x[:, :1]


DIVERGING = [
    ("sgd", {"learning_rate": 0.15}),
    ("sgd", {"learning_rate": 0.02, "batch_size": 1, "schedule": "exponential(1.3)"}),
    ("momentum", {"learning_rate": 0.05}),
    ("nesterov", {"learning_rate": 0.05, "schedule": "exponential(1.1)"}),
    ("rmsprop", {"learning_rate": 0.1, "schedule": "exponential(1e6)"}),
    ("adam", {"learning_rate": 0.1, "schedule": "exponential(1e6)"}),
]


def diverged(dtype, *, blocks, **settings):
    """The refusal, the weights that were kept, and the history of a training that diverges."""
    net = network([2, 8, 1], activation="identity", output="identity", dtype=dtype)
    callbacks = {} if blocks else {"epoch_end": lambda at: None}
    with pytest.raises(DivergedError) as caught:
        trained(False, net=net, data=line(dtype), epochs=60, record_batches=True, callbacks=callbacks, **settings)
    return str(caught.value), weights(net), caught.value.history


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("together", [3, 60])
@pytest.mark.parametrize(("method", "parts"), DIVERGING)
def test_a_run_that_diverges_within_a_block_ends_as_one_without_blocks(
    calls, monkeypatch, dtype, together, method, parts
):
    """In the first block, before which the method remembers nothing, and in a later one."""
    message, kept, told = diverged(dtype, blocks=False, optimizer=method, **parts)
    assert 2 <= len(told) < 60, "it must diverge within a block, not at its beginning"
    calls.clear()
    monkeypatch.setattr(engines, "BLOCK_ROWS", together * M)
    message_in_block, kept_in_block, told_in_block = diverged(dtype, blocks=True, optimizer=method, **parts)
    assert calls[0] == together * calls[-1], "a block was begun, and its epochs were run again one by one"
    assert message_in_block == message
    assert differing(kept_in_block, kept) == []
    assert told_in_block.rows == told.rows
    assert [a.tolist() for a in told_in_block.batch_losses] == [a.tolist() for a in told.batch_losses]
    assert all(np.isfinite(array).all() for array in kept.values())


@pytest.mark.parametrize("rate", [1e3, 1e12, 1e20, 1e30])
@pytest.mark.parametrize("output", ["softmax", "sigmoid", "identity"])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_whatever_the_rate_a_block_ends_in_finite_weights_or_in_a_diverged_error(rate, output, dtype):
    for activation in ("tanh", "relu"):
        for size in (1, 16, "full"):
            net = network([7, 20, 4], activation=activation, output=output, dtype=dtype)
            with suppress(DivergedError):
                trained(False, net=net, learning_rate=rate, batch_size=size, clip=1.0 if size == 16 else None)
            assert all(np.isfinite(array).all() for array in weights(net).values())


# --- going on, and breaking off


@pytest.mark.parametrize("after", [1, 3, 6])
def test_a_run_goes_on_from_a_state_in_one_call_and_with_the_same_bits(calls, after):
    settings = {"optimizer": "adam", "schedule": "cosine", "record_batches": True}
    states = []
    whole, told = trained(False, checkpoint=states.append, checkpoint_seconds=0, **settings)
    calls.clear()
    resumed, history = trained(False, state=states[after - 1], **settings)
    assert calls == [BATCHES * (EPOCHS - after)]
    assert differing(weights(resumed), weights(whole)) == []
    assert history.rows == told.rows
    assert [a.tolist() for a in history.batch_losses] == [a.tolist() for a in told.batch_losses]


@pytest.mark.parametrize("done", [False, True])
def test_an_interrupt_within_a_block_keeps_the_weights_and_the_history_of_the_block_before(monkeypatch, done):
    """Whether it comes before the kernels have worked or when they have."""
    three_at_a_time(monkeypatch)
    run, begun = CompiledEngine.run, []

    def interrupted(self, *arguments, **keywords):
        begun.append(1)
        if len(begun) == 2:
            if done:
                run(self, *arguments, **keywords)
            raise KeyboardInterrupt
        return run(self, *arguments, **keywords)

    monkeypatch.setattr(CompiledEngine, "run", interrupted)
    net, history = trained(False, record_batches=True)
    assert history.stopped == "interrupted"
    assert len(history) == len(history.seconds) == len(history.batch_losses) == 3
    monkeypatch.undo()
    assert differing(weights(net), weights(trained(False, epochs=3)[0])) == []


def test_an_interrupt_at_any_line_of_loop_and_engine_leaves_history_and_weights_of_one_epoch(monkeypatch):
    """Ctrl-C comes when it likes: it is raised here at every line in turn, as a tracer can."""
    three_at_a_time(monkeypatch)
    files = {training_loop.__file__, sys.modules[CompiledEngine.__module__].__file__}
    settings = {"optimizer": "momentum", "record_batches": True}
    after = {0: weights(network([7, 20, 4], activation="tanh", dropout=0.3))}
    after |= {epochs: weights(trained(False, epochs=epochs, **settings)[0]) for epochs in (3, 6, 7)}

    def interrupted_at(n):
        net, count, begun = network([7, 20, 4], activation="tanh", dropout=0.3), 0, False

        def lines(frame, event, argument):
            nonlocal count
            if event == "line":
                count += 1
                if count == n:
                    raise KeyboardInterrupt
            return lines

        def watch(frame, event, argument):
            nonlocal begun
            begun = begun or frame.f_code.co_name == "run_together"
            return lines if begun and frame.f_code.co_filename in files else None

        before = sys.gettrace()
        sys.settrace(watch)
        try:
            _, history = trained(False, net=net, **settings)
        except KeyboardInterrupt:
            history = None
        finally:
            sys.settrace(before)
        return net, history

    wrong, met = [], set()
    for n in range(1, 3000):
        net, history = interrupted_at(n)
        if history is None:  # all was done, and the callbacks of the end were interrupted
            wrong += [(n, "not caught")] if differing(weights(net), after[EPOCHS]) else []
            continue
        met.add((history.stopped, len(history)))
        if {len(history.rows), len(history.seconds), len(history.batch_losses)} != {len(history)}:
            wrong.append((n, "columns of different length"))
        if differing(weights(net), after[len(history)]):
            wrong.append((n, f"{len(history)} epochs, but not their weights"))
        if history.stopped == "epochs":
            break
    assert met == {*(("interrupted", epochs) for epochs in after), ("epochs", EPOCHS)}
    assert wrong == []
