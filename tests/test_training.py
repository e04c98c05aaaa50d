"""Training: what it must equal, what it must remember, where it stops, and what is left when it breaks off."""

import json
import math
import sys
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import chainrule as cr
from chainrule import Network, batches, evaluate, train
from chainrule.errors import DivergedError, InputError, UnknownNameError
from chainrule.optimizers import METHODS, SGD
from chainrule.training import History, Moment, TrainingState, reference
from chainrule.training import loop as training_loop
from refusals import refusal


def blobs(m: int = 23, seed: int = 0, dtype: str = "float32"):
    """m samples of 3 numbers in 4 classes, far enough apart to be learnt in part."""
    rng = np.random.default_rng(seed)
    y = rng.integers(4, size=m)
    return (rng.normal(size=(4, 3))[y] * 2 + rng.normal(size=(m, 3))).astype(dtype), y


def network(**parts) -> Network:
    return Network([3, 5, 4], **{"activation": "tanh", "seed": 1, **parts})


def bits(net: Network) -> dict[str, bytes]:
    return {name: array.tobytes() for name, array in {**net.parameters(), **net.statistics()}.items()}


def trained(data=None, net=None, **settings_) -> tuple[Network, History]:
    net = network() if net is None else net
    return net, train(net, blobs() if data is None else data, **{"epochs": 3, "batch_size": 5, **settings_})


# --- the order of the samples


@settings(deadline=None)
@given(st.data(), st.integers(1, 200))
def test_every_sample_is_used_exactly_once_whatever_the_batch_size(draw, m):
    size = draw.draw(st.integers(1, m) | st.just("full"))
    for generator in (None, np.random.default_rng(m)):
        parts = list(batches(m, size, generator))
        rows = m if size == "full" else size
        assert [len(part) for part in parts[:-1]] == [rows] * (len(parts) - 1)
        assert len(parts[-1]) == (m % rows or rows), "the last batch is what is left"
        assert sorted(np.concatenate(parts)) == list(range(m))


def test_samples_are_reshuffled_every_epoch_and_batches_are_of_samples_not_of_neighbours():
    generator = np.random.default_rng(0)
    first, second = (np.concatenate(list(batches(60, 7, generator))) for _ in range(2))
    assert not np.array_equal(first, second)
    assert (np.abs(np.diff(first)) == 1).mean() < 0.2
    again = np.concatenate(list(batches(60, 7, np.random.default_rng(0))))
    assert np.array_equal(first, again)


def test_without_a_generator_the_order_is_that_of_the_file():
    assert [list(part) for part in batches(5, 2)] == [[0, 1], [2, 3], [4]]
    assert [list(part) for part in batches(5, "full", np.random.default_rng(0))] == [[0, 1, 2, 3, 4]]


@pytest.mark.parametrize("size", [0, -1, 2.5, "half", None, True])
def test_a_batch_size_that_is_none_is_refused(size):
    assert repr(size) in refusal(lambda: list(batches(5, size)))
    assert repr(size) in refusal(trained, batch_size=size)


def test_a_batch_larger_than_the_data_is_refused():
    message = refusal(trained, batch_size=24)
    assert "24" in message
    assert "23 training samples" in message
    assert '"full"' in message


def test_a_whole_number_of_numpy_is_a_batch_size_too():
    assert [len(part) for part in batches(5, np.int64(2))] == [2, 2, 1]


# --- what training equals


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("batch_size", [1, 5, 23])
def test_the_ten_line_loop_of_the_docstring_gives_the_same_bits(batch_size, dtype):
    x, y = blobs(dtype="float64")
    net = network(dtype=dtype)
    order, optimizer = cr.generator(7, "shuffle"), SGD(0.1)
    for _ in range(3):
        for rows in batches(len(x), batch_size, order):
            trace = net.forward(x[rows], training=True)
            optimizer.step(net.parameters(), net.backward(trace, y[rows]))
    twin, _ = trained((x, y), network(dtype=dtype), learning_rate=0.1, batch_size=batch_size, seed=7)
    assert bits(twin) == bits(net)
    assert "cr.batches(len(x), 32, order)" in training_loop.__doc__


def test_the_loop_with_everything_in_it_gives_the_same_bits_too():
    x, y = blobs()
    net, parts = network(batch_norm=True, dropout=0.3), {"batch_norm": True, "dropout": 0.3}
    order, masks, optimizer = cr.generator(7, "shuffle"), cr.generator(7, "dropout"), cr.optimizers.Adam(0.05)
    for _ in range(3):
        for rows in batches(len(x), 5, order):
            trace = net.forward(x[rows], training=True, generator=masks)
            gradients = net.backward(trace, y[rows], l2=0.01)
            optimizer.step(net.parameters(), cr.optimizers.clip_by_norm(gradients, 0.5))
            net.update_statistics(trace)
    twin, _ = trained(net=network(**parts), optimizer="adam", learning_rate=0.05, l2=0.01, clip=0.5, seed=7)
    assert bits(twin) == bits(net)


@pytest.mark.parametrize("batch_size", ["full", 23])
def test_an_epoch_of_the_full_batch_is_one_step_of_the_mean_gradient(batch_size):
    x, y = blobs(dtype="float64")
    net = Network([3, 4], dtype="float64", seed=2)
    W, b = net.parameters()["W1"].copy(), net.parameters()["b1"].copy()
    odds = np.exp(x @ W + b)
    error = odds / odds.sum(axis=1, keepdims=True) - np.eye(4)[y]
    train(net, (x, y), epochs=1, batch_size=batch_size, learning_rate=0.3, l2=0.2)
    assert net.parameters()["W1"] == pytest.approx(W - 0.3 * (x.T @ error / 23 + 0.2 * W), abs=1e-14)
    assert net.parameters()["b1"] == pytest.approx(b - 0.3 * error.mean(axis=0), abs=1e-14)


def test_doubling_the_data_leaves_a_full_batch_step_where_it_was():
    x, y = blobs(dtype="float64")
    once, _ = trained((x, y), network(dtype="float64"), batch_size="full", l2=0.1)
    twice, _ = trained((np.tile(x, (2, 1)), np.tile(y, 2)), network(dtype="float64"), batch_size="full", l2=0.1)
    for name, P in once.parameters().items():
        assert twice.parameters()[name] == pytest.approx(P, abs=1e-13), name


def test_the_short_last_batch_is_a_mean_over_its_own_samples():
    x, y = blobs(7, dtype="float64")
    net = network(dtype="float64")
    for rows in (slice(0, 5), slice(5, 7)):
        gradients = net.backward(net.forward(x[rows]), y[rows])
        for name, P in net.parameters().items():
            P -= 0.2 * gradients[name]
    twin, _ = trained((x, y), network(dtype="float64"), epochs=1, shuffle=False, learning_rate=0.2)
    for name, P in net.parameters().items():
        assert twin.parameters()[name] == pytest.approx(P, abs=1e-15)


def test_the_same_seed_gives_the_same_bits_and_another_seed_others():
    runs = [trained(seed=seed)[0] for seed in (3, 3, 4)]
    assert bits(runs[0]) == bits(runs[1])
    assert bits(runs[0]) != bits(runs[2])
    ordered = [trained(seed=seed, shuffle=False)[0] for seed in (3, 4)]
    assert bits(ordered[0]) == bits(ordered[1]), "in file order without dropout nothing is drawn"


def sample_order(monkeypatch, net: Network, **settings_) -> np.ndarray:
    """The rows of all batches, in the order in which the forward pass met them: column 0 of the input counts them."""
    met, right = [], reference.forward_pass

    def watched(structure, P, S, X, **keywords):
        met.extend(X[:, 0].tolist())
        return right(structure, P, S, X, **keywords)

    x = np.column_stack([np.arange(23), *blobs()[0].T[1:]]).astype(np.float32)
    with monkeypatch.context() as patch:
        patch.setattr(reference, "forward_pass", watched)
        train(net, (x, blobs()[1]), **{"epochs": 3, "batch_size": 5, "learning_rate": 0.001, **settings_})
    return np.array(met).reshape(3, 23)


def test_each_epoch_uses_every_sample_once_in_a_new_order(monkeypatch):
    order = sample_order(monkeypatch, network())
    assert np.array_equal(np.sort(order, axis=1), np.tile(np.arange(23), (3, 1)))
    assert len({tuple(row) for row in order.tolist()}) == 3
    assert np.array_equal(sample_order(monkeypatch, network(), shuffle=False), np.tile(np.arange(23), (3, 1)))


def test_dropout_or_another_start_of_weights_leaves_the_order_of_the_samples_alone(monkeypatch):
    order = sample_order(monkeypatch, network())
    for other in (network(dropout=0.5), network(seed=9), network(batch_norm=True)):
        assert np.array_equal(sample_order(monkeypatch, other), order)
    assert not np.array_equal(sample_order(monkeypatch, network(), seed=1), order)


def test_data_are_never_written_to_and_read_only_data_will_do():
    for dtype in ("float32", "float64"):
        x, y = blobs(dtype=dtype)
        x.flags.writeable = y.flags.writeable = False
        before = x.tobytes(), y.tobytes()
        for batch_size in (5, "full"):
            trained((x, y), network(batch_norm=True), batch_size=batch_size, validation=(x, y))
        assert (x.tobytes(), y.tobytes()) == before


def test_a_data_set_brings_its_own_validation_part_and_the_test_part_is_not_touched():
    x, y = blobs(60)
    data = cr.DataSet.from_arrays(x, y, validation=0.2, test=0.2)
    poisoned = replace(data, test=None)
    net, history = trained(data)
    twin, _ = trained(poisoned)
    assert bits(net) == bits(twin)
    assert net.spec is data.spec
    assert history.rows[-1]["validation_loss"] == pytest.approx(evaluate(net, data.validation).loss, rel=1e-7)
    assert "validation part" in refusal(trained, data, validation=(x, y))


# --- history


def test_the_last_row_is_what_evaluate_finds_at_the_final_weights():
    x, y = blobs()
    held_out = blobs(11, seed=1)
    net, history = trained(validation=held_out, net=network(dropout=0.4, batch_norm=True), l2=0.1, batch_size=6)
    for name, part in (("train", (x, y)), ("validation", held_out)):
        found = evaluate(net, part)
        assert history.rows[-1][f"{name}_loss"] == pytest.approx(found.loss, rel=1e-7)
        assert history.rows[-1][f"{name}_accuracy"] == found.accuracy
    assert [row["epoch"] for row in history.rows] == [1, 2, 3]
    assert len(history) == len(history.seconds) == 3
    assert history.engine == "reference"
    assert history.stopped == "epochs"


def test_every_row_is_measured_at_the_fixed_weights_of_its_epochs_end():
    x, y = blobs()
    _, history = trained(epochs=4)
    for epoch in range(1, 5):
        net, _ = trained(epochs=epoch)
        assert history.rows[epoch - 1]["train_loss"] == pytest.approx(net.loss(x, y), rel=1e-7)


def test_a_column_is_an_array_and_an_unknown_one_is_refused_with_the_nearest():
    _, history = trained()
    assert history["train_loss"].shape == (3,)
    assert history["epoch"].tolist() == [1, 2, 3]
    assert "Did you mean 'train_loss'?" in refusal(lambda: history["trian_loss"], error=UnknownNameError)
    assert "validation_loss" not in history.rows[0]
    refusal(lambda: History()["train_loss"], error=UnknownNameError)


def test_a_history_shows_itself():
    _, history = trained()
    assert "3 epochs" in repr(history)
    assert "ended by epochs" in repr(history)
    assert history._repr_html_().count("<tr>") == 4
    assert "no epoch" in History()._repr_html_()


def test_without_curves_nothing_is_measured():
    _, history = trained(curves=False, validation=blobs(11, seed=1))
    assert set(history.rows[0]) == {"epoch", "learning_rate"}


def test_curve_samples_measure_on_one_fixed_draw_of_the_training_data():
    x, y = blobs(200)
    net, history = trained((x, y), curve_samples=30, seed=5)
    rows = np.sort(cr.generator(5, "subset").choice(200, 30, replace=False))
    assert history.rows[-1]["train_loss"] == pytest.approx(net.loss(x[rows], y[rows]), rel=1e-6)
    whole, full = trained((x, y), seed=5)
    assert bits(whole) == bits(net), "measuring less changes nothing"
    assert full.rows[-1]["train_loss"] != history.rows[-1]["train_loss"]
    _, capped = trained((x, y), curve_samples=500, seed=5)
    assert capped.rows == full.rows


@pytest.mark.parametrize("samples", [0, -3, 2.5])
def test_curve_samples_that_are_none_are_refused(samples):
    assert "curve_samples" in refusal(trained, curve_samples=samples)


def test_the_loss_of_every_batch_is_that_before_its_update():
    x, y = blobs()
    net = network()
    expected = []
    for _ in range(2):
        for rows in batches(23, 5):
            expected.append(net.loss(x[rows], y[rows]))
            for name, G in net.backward(net.forward(x[rows]), y[rows], l2=0.1).items():
                net.parameters()[name] -= np.float32(0.1) * G
    _, history = trained(epochs=2, shuffle=False, record_batches=True, l2=0.1, learning_rate=0.1)
    assert [len(losses) for losses in history.batch_losses] == [5, 5]
    assert np.concatenate(history.batch_losses) == pytest.approx(expected, rel=1e-5)
    assert trained()[1].batch_losses == []


# --- callbacks


def test_callbacks_are_called_at_their_moments_with_what_they_are_promised():
    seen = []

    def note(name):
        return lambda moment: seen.append((name, moment.epoch, moment.batch, len(moment.history)))

    losses = []
    names = ("train_begin", "batch_end", "epoch_end", "train_end")
    callbacks = {name: note(name) for name in names}
    callbacks["batch_end"] = [callbacks["batch_end"], lambda moment: losses.append(moment.loss)]
    _, history = trained(epochs=2, batch_size=10, callbacks=callbacks, record_batches=True)
    epochs = [[("batch_end", e, b, e - 1) for b in (1, 2, 3)] + [("epoch_end", e, None, e)] for e in (1, 2)]
    assert seen == [("train_begin", 0, None, 0), *epochs[0], *epochs[1], ("train_end", 2, None, 2)]
    assert losses == np.concatenate(history.batch_losses).tolist()


def test_an_unknown_moment_is_refused_with_the_nearest():
    assert "Did you mean 'epoch_end'?" in refusal(trained, callbacks={"epoch_ends": print}, error=UnknownNameError)


@pytest.mark.parametrize("moment", ["batch_end", "epoch_end"])
def test_stop_ends_training_after_the_running_epoch(moment):
    def stop_in_the_second(at: Moment) -> None:
        if at.epoch == 2:
            at.stop()

    net, history = trained(epochs=9, callbacks={moment: stop_in_the_second})
    assert len(history) == 2
    assert history.stopped == "callback"
    assert bits(net) == bits(trained(epochs=2)[0])


def test_an_error_of_a_callback_comes_through():
    def broken(at: Moment) -> None:
        raise RuntimeError("mine")

    with pytest.raises(RuntimeError, match="mine"):
        trained(callbacks={"batch_end": broken})


# --- early stopping


HELD_OUT = (blobs(40, seed=3)[0], np.random.default_rng(8).integers(4, size=40))  # labels that cannot be learnt
STOPPING = {"epochs": 40, "learning_rate": 0.5, "validation": HELD_OUT, "early_stopping": 3}


@pytest.mark.parametrize("rate", [0.5, 0.05, 0.01])
def test_early_stopping_ends_when_patience_is_over_and_restores_the_best_weights(rate):
    stopping = {**STOPPING, "learning_rate": rate, "epochs": 200}
    net, history = trained(**stopping)
    losses = history["validation_loss"]
    assert history.stopped == "early stopping"
    assert history.best_epoch == losses.argmin() + 1
    assert len(history) == history.best_epoch + 3 < 200
    assert net.loss(*HELD_OUT) == pytest.approx(losses.min(), rel=1e-6)
    assert bits(net) == bits(trained(**{**stopping, "epochs": history.best_epoch, "early_stopping": None})[0])


def test_early_stopping_restores_the_statistics_of_batch_normalisation_too():
    parts = {"batch_norm": True, "seed": 3}
    net, history = trained(net=network(**parts), **STOPPING)
    whole, _ = trained(net=network(**parts), **{**STOPPING, "epochs": history.best_epoch, "early_stopping": None})
    assert history.best_epoch < len(history)
    assert bits(net) == bits(whole)


def test_the_best_weights_are_restored_even_where_patience_lasted_to_the_end():
    net, history = trained(**{**STOPPING, "epochs": 4, "early_stopping": 30})
    assert history.stopped == "epochs"
    assert history.best_epoch == history["validation_loss"].argmin() + 1
    assert net.loss(*HELD_OUT) == pytest.approx(history["validation_loss"].min(), rel=1e-6)


def test_early_stopping_measures_the_validation_loss_even_without_curves():
    net, history = trained(**STOPPING, curves=False)
    assert "train_loss" not in history.rows[0]
    assert bits(net) == bits(trained(**STOPPING)[0])


def test_early_stopping_without_validation_data_is_refused():
    assert "validation" in refusal(trained, early_stopping=3)


# --- interruption


@pytest.mark.parametrize("moment", ["batch_end", "epoch_end", "train_begin"])
def test_an_interrupt_keeps_the_weights_and_the_history_of_the_last_whole_epoch(moment):
    def interrupt(at: Moment) -> None:
        if moment == "train_begin" or (at.epoch == 3 and at.batch in (None, 4)):
            raise KeyboardInterrupt

    whole = {"train_begin": 0, "batch_end": 2, "epoch_end": 3}[moment]
    net = network(batch_norm=True)
    if moment == "train_begin":
        with pytest.raises(KeyboardInterrupt):
            trained(net=net, callbacks={moment: interrupt})
        assert bits(net) == bits(network(batch_norm=True)), (
            "nothing has begun, so nothing is caught and nothing changed"
        )
        return
    _, history = trained(net=net, epochs=9, batch_size=6, callbacks={moment: interrupt}, record_batches=True)
    assert history.stopped == "interrupted"
    assert len(history) == len(history.seconds) == len(history.batch_losses) == whole
    assert bits(net) == bits(trained(net=network(batch_norm=True), epochs=whole, batch_size=6)[0])


def test_an_interrupt_leaves_the_rate_of_ones_own_optimiser_as_it_was():
    def interrupt(at: Moment) -> None:
        if at.epoch == 3:
            raise KeyboardInterrupt

    method = SGD(0.1)
    trained(optimizer=method, schedule="exponential(0.5)", callbacks={"batch_end": interrupt})
    assert method.learning_rate == 0.1


def test_an_interrupt_at_any_line_leaves_history_and_weights_of_the_same_epoch():
    """Ctrl-C comes when it likes: it is raised here at every line of the loop in turn, as a tracer can."""
    x, y = blobs(12)
    code = training_loop.train.__code__

    def interrupted_at(n: int) -> tuple[Network, History | None]:
        net, count = network(), 0

        def lines(frame, event, argument):
            nonlocal count
            if event == "line":
                count += 1
                if count == n:
                    raise KeyboardInterrupt
            return lines

        before = sys.gettrace()
        sys.settrace(lambda frame, event, argument: lines if frame.f_code is code else None)
        try:
            with np.errstate():  # an interrupt on the way out of the loop's own would leave it set for all tests after
                history = train(net, (x, y), epochs=3, batch_size=6, learning_rate=0.5, record_batches=True)
        except KeyboardInterrupt:
            history = None
        finally:
            sys.settrace(before)
        return net, history

    after = [bits(trained((x, y), epochs=e, batch_size=6, learning_rate=0.5)[0]) for e in (1, 2, 3)]
    after = [bits(network()), *after]
    met, wrong = set(), []
    for n in range(1, 200):
        net, history = interrupted_at(n)
        if history is None:
            if bits(net) not in (after[0], after[3]):
                wrong.append((n, "not caught, with the weights of a part of the work"))
            continue
        met.add(history.stopped)
        columns = {len(history.rows), len(history.seconds), len(history.batch_losses)}
        if columns != {len(history)} or bits(net) != after[len(history)]:
            wrong.append((n, f"{columns} rows, weights of epoch {after.index(bits(net))}"))
        if history.stopped == "epochs":
            break
    assert met == {"interrupted", "epochs"}
    assert not wrong


# --- going on from a state


def states_of(net: Network, data, **settings_) -> tuple[list[TrainingState], History]:
    states: list[TrainingState] = []
    settings_ = {"batch_size": 5, **settings_}
    history = train(net, data, checkpoint=states.append, checkpoint_seconds=0, **settings_)
    return states, history


def as_stored(state: TrainingState) -> TrainingState:
    """What comes back from a file: numbers through JSON, arrays copied and read-only."""
    arrays = {name: array.copy() for name, array in state.arrays.items()}
    for array in arrays.values():
        array.flags.writeable = False
    return TrainingState(state.epoch, arrays, json.loads(json.dumps(state.numbers)))


def assert_resumes(make, data, **settings_) -> History:
    net = make()
    states, history = states_of(net, data, **settings_)
    assert [state.epoch for state in states] == list(range(1, len(history) + 1))
    for state in states:
        other = make()
        for P in other.parameters().values():
            P += 1
        again = train(other, data, state=as_stored(state), **settings_)
        assert bits(other) == bits(net), f"weights after resuming at epoch {state.epoch}"
        assert again.rows == history.rows, f"history after resuming at epoch {state.epoch}"
        assert (again.stopped, again.best_epoch) == (history.stopped, history.best_epoch)
        assert len(again.batch_losses) == len(history.batch_losses)
        for mine, theirs in zip(again.batch_losses, history.batch_losses, strict=True):
            assert np.array_equal(mine, theirs)
    return history


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("method", METHODS)
def test_resuming_at_any_epoch_is_bit_identical_for_every_optimiser(method, dtype):
    assert_resumes(
        lambda: network(dropout=0.3, batch_norm=True, dtype=dtype),
        blobs(),
        optimizer=method,
        schedule="cosine(warmup=1)",
        epochs=5,
        batch_size=5,
        validation=HELD_OUT,
        record_batches=True,
        l2=0.01,
        clip=1.0,
        seed=4,
    )


def test_resuming_is_bit_identical_where_patience_lasts_to_the_end():
    settings_ = {**STOPPING, "epochs": 6, "early_stopping": 30}
    history = assert_resumes(lambda: network(batch_norm=True), blobs(), batch_size=5, **settings_)
    assert history.stopped == "epochs"
    assert history.best_epoch < 6


def test_resuming_is_bit_identical_with_early_stopping_its_last_epoch_included():
    """A run killed between its last checkpoint and its end must not train on."""
    history = assert_resumes(network, blobs(), batch_size=5, **STOPPING)
    assert history.stopped == "early stopping"


def test_resuming_is_bit_identical_where_a_callback_stopped_its_last_epoch_included():
    def stop_in_the_third(at: Moment) -> None:
        if at.epoch == 3:
            at.stop()

    callbacks = {"epoch_end": stop_in_the_third}
    assert len(assert_resumes(network, blobs(), batch_size=5, epochs=6, callbacks=callbacks)) == 3


def test_a_state_is_not_changed_by_what_comes_after_it():
    states, _ = states_of(network(), blobs(), epochs=3, batch_size=5, optimizer="adam", record_batches=True)
    first, _ = states_of(network(), blobs(), epochs=1, batch_size=5, optimizer="adam", record_batches=True)
    assert {k: v.tobytes() for k, v in states[0].arrays.items()} == {k: v.tobytes() for k, v in first[0].arrays.items()}
    timeless = [{k: v for k, v in state.numbers.items() if k != "seconds"} for state in (states[0], first[0])]
    assert timeless[0] == timeless[1]
    kept = {k: v.tobytes() for k, v in states[0].arrays.items()}
    train(network(), blobs(), state=states[0], epochs=3, batch_size=5, optimizer="adam", record_batches=True)
    assert {k: v.tobytes() for k, v in states[0].arrays.items()} == kept
    assert len(states[0].numbers["rows"]) == 1


def test_going_on_for_more_epochs_equals_having_asked_for_them_at_once():
    states, _ = states_of(network(), blobs(), epochs=2, batch_size=5, optimizer="momentum")
    net, history = trained(state=states[-1], epochs=5, optimizer="momentum")
    assert len(history) == 5
    assert bits(net) == bits(trained(epochs=5, optimizer="momentum")[0])


@pytest.mark.parametrize("other", [[3, 6, 4], [3, 4], [3, 5, 5, 4]])
def test_a_state_of_another_network_is_refused_and_the_network_stays_as_it_was(other):
    state = states_of(network(), blobs(), epochs=1)[0][0]
    net = Network(other, seed=1)
    before = bits(net)
    assert "does not fit" in refusal(trained, net=net, state=state)
    assert bits(net) == before


def test_a_state_of_a_narrower_network_is_not_stretched_over_a_wider_one():
    """Arrays of length 1 fit everywhere for NumPy."""
    state = states_of(Network([3, 1, 4]), blobs(), epochs=1)[0][0]
    assert "does not fit" in refusal(trained, net=Network([3, 5, 4]), state=state)


@pytest.mark.parametrize(("made_with", "resumed_with"), [("adam", "sgd"), ("sgd", "adam"), ("momentum", "rmsprop")])
def test_a_state_of_another_optimiser_is_refused(made_with, resumed_with):
    state = states_of(network(), blobs(), epochs=1, optimizer=made_with)[0][0]
    assert "does not fit" in refusal(trained, state=state, optimizer=resumed_with)


def test_checkpoints_keep_their_distance_in_time(monkeypatch):
    now = [0.0]
    monkeypatch.setattr(training_loop.time, "monotonic", lambda: now[0])

    def tick(at: Moment) -> None:
        now[0] += 2

    states: list[TrainingState] = []
    trained(epochs=10, checkpoint=states.append, checkpoint_seconds=5, callbacks={"epoch_end": tick})
    assert [state.epoch for state in states] == [3, 6, 9]


# --- divergence and bad input


def test_too_high_a_rate_is_named_with_layer_quantity_epoch_and_batch_and_good_weights_are_kept():
    x, y = blobs(dtype="float32")
    net = Network([3, 5, 4], activation="relu", output="identity", seed=1)
    T = np.eye(4)[y]
    with pytest.raises(DivergedError) as caught:
        train(net, (x, T), epochs=200, batch_size=5, learning_rate=2.0)
    message = str(caught.value)
    history = caught.value.history
    assert message.startswith("layer ")
    for word in (f"epoch {len(history) + 1}", "batch ", " of 5", "learning rate 2 is probably too high", "try 0.2"):
        assert word in message, message
    assert history.stopped == "diverged"
    assert all(np.isfinite(P).all() for P in net.parameters().values())
    fresh = Network([3, 5, 4], activation="relu", output="identity", seed=1)
    if len(history):
        train(fresh, (x, T), epochs=len(history), batch_size=5, learning_rate=2.0)
    assert bits(net) == bits(fresh)


@pytest.mark.parametrize("rate", [1e3, 1e6, 1e12, 1e20, 1e30])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("output", ["softmax", "sigmoid", "identity"])
@pytest.mark.parametrize("batch_size", [5, "full"])
def test_whatever_the_rate_training_ends_in_finite_numbers_or_in_a_diverged_error(rate, dtype, output, batch_size):
    """A loss can overflow while every logit is finite, and squares can while every weight is."""
    x, y = blobs()
    T = y if output == "softmax" else np.eye(4)[y]
    for activation in ("tanh", "relu"):
        net = network(output=output, activation=activation, dtype=dtype)
        try:
            history = train(net, (x, T), epochs=20, batch_size=batch_size, learning_rate=rate)
        except DivergedError as error:
            history = error.history
        assert all(np.isfinite(P).all() for P in net.parameters().values())
        assert all(np.isfinite(list(row.values())).all() for row in history.rows)


def test_unscaled_input_and_unscaled_targets_are_named_as_the_cause():
    x, y = blobs()
    net = Network([3, 5, 4], activation="relu", output="identity")
    with pytest.raises(DivergedError, match=r"The input reaches .*: scale it"):
        train(net, (x * 1e4, np.eye(4)[y]), epochs=50, batch_size=5, learning_rate=0.1)
    with pytest.raises(DivergedError, match=r"The targets reach .*: scale them"):
        train(net, (x, np.eye(4)[y] * 1e6), epochs=50, batch_size=5, learning_rate=5.0)


def test_a_validation_sample_out_of_all_bounds_is_no_crash():
    """Only the validation loss overflows; training itself is well."""
    x, y = blobs()
    far = (np.full((2, 3), 3e38, np.float32), np.zeros((2, 4)))
    net = network(output="identity", activation="relu")
    with pytest.raises((DivergedError, InputError)):
        train(net, (x, np.eye(4)[y]), validation=far, epochs=2, batch_size=5, learning_rate=0.01)
    assert all(np.isfinite(P).all() for P in net.parameters().values())


def test_a_bias_that_is_no_longer_finite_is_seen_even_where_the_outputs_stay_finite():
    """σ(∞) = 1: a sigmoid hides an infinite bias from the logits, the loss and the weights."""
    x, y = blobs()
    net = network(activation="sigmoid")

    def spoil(at: Moment) -> None:
        at.net.parameters()["b1"][0] = np.inf

    with pytest.raises(DivergedError, match="layer 1: b1"):
        trained((x, y), net, callbacks={"batch_end": spoil})


def test_clipping_lets_a_training_live_that_diverges_without():
    x, y = blobs()
    x, T = x * 20, np.eye(4)[y]
    with pytest.raises(DivergedError):
        trained((x, T), network(output="identity", activation="relu"), epochs=100, learning_rate=0.1)
    _, history = trained((x, T), network(output="identity", activation="relu"), epochs=100, learning_rate=0.1, clip=0.1)
    assert len(history) == 100


@pytest.mark.parametrize(("m", "batch_size"), [(23, 1), (21, 5), (23, 22), (1, "full"), (1, 1)])
def test_batch_normalisation_refuses_a_batch_of_one(m, batch_size):
    message = refusal(trained, blobs(m), network(batch_norm=True), batch_size=batch_size)
    assert "batch of one" in message
    assert f"{m} samples" in message


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
@pytest.mark.parametrize("part", ["training", "validation"])
def test_an_input_that_is_not_finite_is_named_by_sample_and_column(value, part):
    x, y = blobs()
    bad = x.copy()
    bad[7, 2] = value
    parts = {"data": (bad, y)} if part == "training" else {"data": (x, y), "validation": (bad, y)}
    message = refusal(trained, **parts)
    assert f"sample 7, column 2 of the input is {value}" in message


@pytest.mark.parametrize(
    ("settings_", "words"),
    [
        ({"epochs": 0}, ("epochs is 0",)),
        ({"epochs": -1}, ("epochs is -1",)),
        ({"epochs": 2.5}, ("epochs", "2.5")),
        ({"epochs": "ten"}, ("epochs", "ten")),
        ({"l2": -0.1}, ("l2 is -0.1",)),
        ({"l2": float("nan")}, ("l2 is nan",)),
        ({"l2": float("inf")}, ("l2", "inf")),
        ({"clip": 0}, ("clip is 0",)),
        ({"clip": -1}, ("clip is -1",)),
        ({"early_stopping": 0, "validation": HELD_OUT}, ("early_stopping is 0",)),
        ({"learning_rate": 0}, ("learning rate 0",)),
        ({"learning_rate": -1, "optimizer": SGD(0.1)}, ("learning rate -1",)),
        ({"optimizer": "adma"}, ("'adma'", "Did you mean 'adam'?")),
        ({"schedule": "cosin"}, ("'cosin'", "Did you mean 'cosine'?")),
        ({"engine": "fast"}, ("unknown engine 'fast'",)),
        ({"validation": (np.zeros((3, 2)), [0, 1, 2])}, ("(3, 2)", "(m, 3)")),
        ({"validation": (np.zeros((3, 3)), [0, 1, 4])}, ("sample 2", "label 4")),
        ({"validation": (np.zeros((3, 3)), [0, 1])}, ("3 samples but 2 targets",)),
        ({"data": (np.zeros((5, 3)), [0, 1, 2, 3])}, ("5 samples but 4 targets",)),
        ({"data": (np.zeros((5, 2)), [0] * 5)}, ("(5, 2)", "(m, 3)")),
        ({"data": (np.zeros((0, 3)), [])}, ("(0, 3)",)),
        ({"data": (np.zeros((5, 3)), [0, 1, 2, 3, -1])}, ("sample 4", "label -1")),
        ({"data": (np.full((5, 3), 1e300), [0] * 5)}, ("1e+300",)),
    ],
)
def test_a_bad_setting_is_refused_in_words_before_anything_changes(settings_, words):
    net = network()
    message = refusal(trained, net=net, **settings_)
    assert [word for word in words if word not in message] == [], message
    assert bits(net) == bits(network())


# --- whole runs


def test_xor_is_learnt_to_the_last_sample():
    x, y = np.array([[0.0, 0], [0, 1], [1, 0], [1, 1]]), [0, 1, 1, 0]
    for seed in range(3):
        net = Network([2, 8, 2], activation="tanh", seed=seed)
        history = train(net, (x, y), epochs=400, batch_size="full", optimizer="adam", learning_rate=0.05)
        assert history["train_accuracy"][-1] == 1
        assert net.predict(x).tolist() == y


def test_circles_are_learnt_to_the_last_sample():
    from sklearn.datasets import make_circles

    x, y = make_circles(1000, factor=0.4, noise=0.05, random_state=0)
    for seed in range(3):
        net = Network([2, 5, 1], activation="tanh", output="sigmoid", seed=seed)
        train(net, (x[:700], y[:700]), epochs=2000, batch_size="full", learning_rate=0.1, curves=False)
        assert net.score(x[700:], y[700:]) == 1


def test_a_line_is_fitted_to_the_least_squares_solution():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(50, 3))
    y = x @ [1.0, -2.0, 0.5] + 3 + rng.normal(0, 0.1, 50)
    net = Network([3, 1], output="identity", dtype="float64")
    history = train(net, (x, y), epochs=400, batch_size="full", learning_rate=0.3)
    exact, *_ = np.linalg.lstsq(np.column_stack([x, np.ones(50)]), y, rcond=None)
    assert net.parameters()["W1"][:, 0] == pytest.approx(exact[:3], abs=1e-9)
    assert net.parameters()["b1"] == pytest.approx(exact[3:], abs=1e-9)
    assert "train_accuracy" not in history.rows[0]
    assert net.score(x, y) > 0.99


def test_ridge_regression_is_what_l2_leads_to():
    """Minimum of ½ mean (xw − y)² + λ/2 w²: w = (XᵀX/m + λ)⁻¹ Xᵀy/m."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(50, 3))
    x -= x.mean(axis=0)
    y = x @ [1.0, -2.0, 0.5]
    net = Network([3, 1], output="identity", dtype="float64")
    train(net, (x, y), epochs=400, batch_size="full", learning_rate=0.3, l2=0.5)
    expected = np.linalg.solve(x.T @ x / 50 + 0.5 * np.eye(3), x.T @ y / 50)
    assert net.parameters()["W1"][:, 0] == pytest.approx(expected, abs=1e-10)


def test_training_is_silent_where_nobody_watches_a_terminal(capsys):
    trained(progress=True)
    assert capsys.readouterr() == ("", "")


def test_a_loss_at_the_start_is_near_ln_k_and_falls():
    x, y = blobs(200)
    net = network(init="normal(0.01)")
    assert net.loss(x, y) == pytest.approx(math.log(4), abs=0.02)
    train(net, (x, y), epochs=20, learning_rate=0.2)
    assert net.loss(x, y) < 0.8
