"""The benchmarks count what they say, let their peers do the same work, and call a missed mark missed."""

import sys
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pytest

import chainrule as cr

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "benchmarks"))
import document
import floor
import marks
import turns
import works
from marks import Mark
from peers import numpy_loop, sklearn_mlp
from works import Work

SMALL = Work("small", "30 × 7, 7–5–4–3", 30, (7, 5, 4, 3), 6, 0.1)


def trained(file, work, epochs):
    X, y = works.data(work)
    start = {name: P.copy() for name, P in works.network(work).parameters().items()}
    peer = file.Peer(work, X, y, start, 1)
    peer.reset()
    peer.train(epochs, 3, 1.0)
    return peer


def reference(work, epochs):
    net = works.network(work)
    size = "full" if work.full else work.batch
    settings = {"batch_size": size, "learning_rate": work.rate, "epochs": epochs, "seed": 3}
    cr.train(net, works.data(work), **settings, engine="reference", curves=False)
    return net


def test_operations_are_two_for_each_product_of_three_passes_but_two_in_the_first_layer():
    # forward and dW of 7–5; forward, dW and dA of 5–4 and 4–3
    assert floor.operations(SMALL) == 2 * 30 * (2 * 35 + 3 * 20 + 3 * 12)
    assert floor.operations(works.TRAININGS[0]) == 6_745_600_000
    assert floor.input_bytes(works.TRAININGS[0]) == 102_400_000


def test_zeros_of_the_input_cost_nothing_with_one_sample_at_a_time_and_their_full_price_in_batches():
    single = Work("single", "", 30, (7, 5, 3), 1, 0.1)
    assert floor.operations(single, nonzero=0.2) == pytest.approx(2 * 30 * (0.2 * 2 * 35 + 3 * 15))
    assert floor.operations(SMALL, nonzero=0.2) == floor.operations(SMALL)


def test_the_floor_is_operations_and_bytes_over_the_rates_of_the_machine():
    arithmetic, memory = floor.seconds(works.TRAININGS[0], 512.0, 20.0)
    assert arithmetic == pytest.approx(0.013175)
    assert memory == pytest.approx(0.00512)


@pytest.mark.parametrize("activation", ["relu", "sigmoid", "tanh"])
@pytest.mark.parametrize("batch", [6, 1, 30], ids=["mini-batch", "batch 1", "full batch"])
def test_the_numpy_peer_takes_the_steps_of_the_reference_engine(activation, batch):
    work = Work("small", "", 30, (7, 5, 4, 3), batch, 0.1, activation)
    peer, net = trained(numpy_loop, work, 2), reference(work, 2)
    for name, P in net.parameters().items():
        np.testing.assert_allclose(peer.parameters()[name], P, rtol=1e-4, atol=1e-6)
    X, _ = works.data(work)
    assert (peer.predict() == net.predict(X)).all()
    assert (peer.predict_one(X[:1]) == net.predict(X[:1])).all()


def test_the_scikit_learn_peer_takes_the_same_steps_where_nothing_is_shuffled():
    work = Work("small", "", 30, (7, 5, 3), 30, 0.1)
    peer, net = trained(sklearn_mlp, work, 2), reference(work, 2)
    for name, P in net.parameters().items():
        np.testing.assert_allclose(peer.parameters()[name], P, rtol=1e-4, atol=1e-6)


def test_the_scikit_learn_peer_starts_two_classes_with_the_same_probabilities():
    work = Work("small", "", 30, (2, 5, 2), 30, 0.1, "tanh", source="rings")
    net, peer = works.network(work), trained(sklearn_mlp, work, 1)
    peer.reset()
    restored = works.network(work)
    for name, P in restored.parameters().items():
        P[...] = peer.parameters()[name]
    X, _ = works.data(work)
    np.testing.assert_allclose(restored.predict_proba(X), net.predict_proba(X), rtol=1e-5)


def test_a_reset_peer_trains_to_the_same_weights_again():
    peer = trained(numpy_loop, SMALL, 2)
    first = {name: P.copy() for name, P in peer.parameters().items()}
    peer.reset()
    peer.train(2, 3, 1.0)
    assert all((first[name] == P).all() for name, P in peer.parameters().items())


def row(**seconds):
    """A stored row of SMALL; by these rates of the machine its floor is 9.96 µs."""
    peers = {name: {"seconds": [s] * 7, "loss": 1.0, "part": 1.0, "kernel": "Zen"} for name, s in seconds.items()}
    environment = {"processor": "a processor", "cores": 2, "threads": 2, "versions": {"numpy": "2"}}
    machine = {f"{name}_{n}": [1.0] for name in ("gflops", "gbytes") for n in ("one", "all")}
    return {
        "peers": peers,
        "left_out": {"JAX": "not installed"},
        "work": asdict(replace(SMALL, name="mini-batch")),
        "machine": machine,
        "environment": environment,
        "readings": 7,
        "waiting": 0.0,
        "nonzero": 1.0,
        "full": False,
        "quick": False,
        "real": True,
    }


def lines_of(stored, start):
    return [line for line in document.page({"rows": stored}).splitlines() if line.startswith(start)]


def test_the_document_says_which_marks_are_missed_reached_and_not_measured():
    stored = {"mini-batch": row(chainrule=12e-6, PyTorch=40e-6, **{"scikit-learn": 49e-6, "NumPy, best kernel": 27e-6})}
    summary = lines_of(stored, "| 50,000 × 512, 512–64–10 relu")
    verdicts = [line.split("|")[3].strip() for line in summary]
    assert verdicts == [
        "**missed**: 3.33 ×; the floor itself would give 4.02 ×",
        "reached: 4.08 ×",
        "not measured: JAX was left out",
        "reached: 2.25 ×",
        "reached: 1.2 ×",
    ]
    assert "**missed**" in lines_of(stored, "| PyTorch |")[0]
    assert "Left out: JAX (not installed)." in document.page({"rows": stored})


def test_the_document_says_which_rows_are_missing():
    summary = lines_of({"mini-batch": row(chainrule=8e-6)}, "| MNIST 60,000 × 784, 784–300–10")
    assert [line.split("|")[3].strip() for line in summary] == ["not measured"] * 3


def test_a_loss_that_is_not_that_of_chainrule_is_called_different():
    stored = row(chainrule=8e-6, PyTorch=31e-6, JAX=31e-6)
    stored["peers"]["PyTorch"]["loss"], stored["peers"]["JAX"]["loss"] = 1.002, 1.0005
    assert "**differs** by 2e-03" in lines_of({"mini-batch": stored}, "| PyTorch |")[0]
    assert "the same to 5e-04" in lines_of({"mini-batch": stored}, "| JAX |")[0]


def test_the_best_peer_is_the_fastest_besides_chainrule():
    stored = row(chainrule=8e-6, PyTorch=31e-6, JAX=9.6e-6)
    assert marks.judge(Mark("deep", marks.BEST, 1.3), stored) == ("1.2 × JAX", False)
    assert marks.judge(Mark("predict-one", marks.ONE_SAMPLE, 20), stored) == ("8 µs", True)


def test_everybody_has_a_turn_in_every_round_and_who_fails_is_left_out(monkeypatch):
    monkeypatch.setattr(turns, "PAUSE", 0)

    class Process:
        def __init__(self, name):
            self.name = name

        def busy(self):
            return 0.0

    asked = []

    def turn(process, number):
        asked.append((number, process.name))
        if process.name == "b" and number:
            raise turns.LeftOutError("it fell ill")
        return {"seconds": number}

    answers, failed, _ = turns.in_turn([Process(name) for name in "abc"], 3, turn)
    assert asked == [(0, "a"), (0, "b"), (0, "c"), (1, "b"), (1, "c"), (1, "a"), (2, "c"), (2, "a")]
    assert answers == {"a": [{"seconds": n} for n in range(3)], "c": [{"seconds": n} for n in range(3)]}
    assert failed == {"b": "it fell ill"}
