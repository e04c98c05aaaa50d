"""Sizes by layer are those of the named quantities, and are recorded at few epochs, which no block jumps over."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import chainrule as cr
from chainrule.errors import UnknownNameError
from chainrule.training.layers import sizes
from chainrule.training.stops import Stops

# One worker compiles, as for tests/kernels.
ENGINES = ["reference", pytest.param("compiled", marks=pytest.mark.xdist_group("kernels"))]


def rms(values) -> float:
    return float(np.sqrt(np.mean(np.square(values, dtype=np.float64))))


def problem(m=40, seed=0):
    g = np.random.default_rng(seed)
    x = g.normal(size=(m, 3)).astype(np.float32)
    return x, (x[:, 0] * x[:, 1] > 0).astype(np.int64)


def test_they_are_the_sizes_of_the_quantities_of_the_trace():
    x, y = problem()
    net = cr.Network([3, 5, 4, 2], activation=["sigmoid", "relu"], seed=3)
    found = sizes(net, cr.optimizers.SGD(0.5), x, net.targets(y, 40), rate=0.5, l2=0.1, clip=None)
    trace = net.forward(x)
    gradients = net.backward(trace, y, l2=0.1)
    assert list(found) == ["A1", "dZ1", "W1", "A2", "dZ2", "W2", "dZ3", "W3"]
    for l in (1, 2, 3):
        assert found[f"dZ{l}"] == pytest.approx(40 * rms(gradients.deltas[f"Z{l}"]), rel=1e-6)
        assert found[f"W{l}"]["weights"] == pytest.approx(rms(net.parameters()[f"W{l}"]), rel=1e-6)
        assert found[f"W{l}"]["gradient"] == pytest.approx(rms(gradients[f"W{l}"]), rel=1e-5)
        assert found[f"W{l}"]["update"] == pytest.approx(0.5 * rms(gradients[f"W{l}"]), rel=1e-3)
    for l in (1, 2):
        assert found[f"A{l}"]["mean"] == pytest.approx(trace[f"A{l}"].mean(), rel=1e-5)
        assert found[f"A{l}"]["sd"] == pytest.approx(trace[f"A{l}"].std(), rel=1e-5)


@pytest.mark.parametrize(
    ("activation", "units", "share"),
    [("sigmoid", [9.0, -9, 0.3, -0.3], {"saturated": 0.5}), ("tanh", [9.0, 9, -9, 0], {"saturated": 0.75}),
     ("relu", [1.0, -1, -2, -3], {"dead": 0.75}), ("gelu", [1.0, 1, 1, 1], {})],
)  # fmt: skip
def test_saturated_values_and_dead_units_are_counted(activation, units, share):
    net = cr.Network([1, 4, 2], activation=activation, init={"W1": np.zeros((1, 4)), "b1": units})
    found = sizes(
        net, cr.optimizers.SGD(0.1), np.ones((6, 1), np.float32), net.targets([0, 1] * 3, 6), rate=0.1, l2=0, clip=None
    )
    assert {name: value for name, value in found["A1"].items() if name not in ("mean", "sd")} == share


@pytest.mark.parametrize("optimizer", ["sgd", "momentum", "adam", "adamw"])
@pytest.mark.parametrize("engine", ENGINES)
def test_the_update_is_the_step_that_the_next_epoch_takes(optimizer, engine):
    """With all samples in one batch, the step from epoch to epoch is the one that was announced."""
    x, y = problem()
    kept = []
    net = cr.Network([3, 5, 2], activation="tanh", batch_norm=True, seed=1)
    history = cr.train(
        net, (x, y), epochs=6, batch_size="full", optimizer=optimizer, learning_rate=0.01, l2=0.01, clip=0.3,
        schedule="constant", record_layers=True, engine=engine,
        callbacks={"epoch_end": lambda moment: kept.append({k: v.copy() for k, v in moment.net.parameters().items()})},
    )  # fmt: skip
    for before, after, row in zip(kept[:-1], kept[1:], history.rows[:-1], strict=True):
        for name in ("W1", "W2"):
            assert row["layers"][name]["update"] == pytest.approx(rms(after[name] - before[name]), rel=1e-3)


def test_looking_changes_neither_network_nor_optimiser():
    x, y = problem()
    net = cr.Network([3, 5, 2], batch_norm=True, dropout=0.5)
    method = cr.optimizers.Adam(0.01)
    cr.train(net, (x, y), epochs=2, optimizer=method)
    arrays = {
        **net.parameters(),
        **net.statistics(),
        **{f"{s}{n}": a for s, m in method.memory.items() for n, a in m.items()},
    }
    before = {name: array.copy() for name, array in arrays.items()}
    steps = method.steps
    sizes(net, method, x, net.targets(y, 40), rate=0.5, l2=0.1, clip=1.0)
    assert method.steps == steps
    assert method.learning_rate == 0.01
    for name, array in arrays.items():
        np.testing.assert_array_equal(array, before[name])


def test_the_history_shows_and_names_its_numbers_alone():
    x, y = problem()
    history = cr.train(cr.Network([3, 2]), (x, y), epochs=3, record_layers=True)
    assert "layers" not in repr(history) + history._repr_html_()
    with pytest.raises(UnknownNameError, match="layers"):
        history["layers"]


plans = st.builds(
    Stops,
    epochs=st.integers(1, 3000),
    every=st.integers(1, 700),
    watched=st.booleans(),
    snapshots=st.frozensets(st.integers(1, 3000), max_size=4),
    layers=st.booleans(),
)


@given(plans, st.integers(1, 500))
def test_blocks_end_where_somebody_wants_to_look_and_nothing_is_jumped_over(plan, most):
    done, ends = 0, []
    while done < plan.epochs:
        count = plan.ahead(done, most)
        assert 1 <= count <= most
        done += count
        ends.append(done)
    assert ends[-1] == plan.epochs
    epochs = range(1, plan.epochs + 1)
    assert {epoch for epoch in plan.snapshots if epoch <= plan.epochs} <= set(ends)
    looked = [epoch for epoch in epochs if plan.has_layers(epoch)]
    assert set(looked) <= set(ends)
    assert all(plan.has_row(epoch) for epoch in looked)
    assert len(looked) <= 202
    assert bool(looked) == plan.layers
    if plan.watched:
        assert {epoch for epoch in epochs if plan.has_row(epoch)} <= set(ends)
    assert plan.has_row(plan.epochs)
