"""With nothing left unreset the passes are those of the scalar engine; what is left unreset adds up."""

import numpy as np
import pytest

from chainrule.scalar import MLP, stochastic_descent
from chainrule.studies.accumulators import Unreset, descend
from chainrule.studies.synthetic_mistakes import START

RATE = 0.05


@pytest.fixture
def points():
    generator = np.random.default_rng(4)
    x = generator.normal(size=(12, 2))
    return x, (x[:, 0] * x[:, 1] > 0).astype(np.int64)


def state():
    parameters = [np.array(START[name], dtype=float) for name in ("W1", "b1", "W2", "b2")]
    parameters[1] += (0.3, -0.2, 0.1)  # zeros would hide a bias that is forgotten
    parameters[3] += (0.2, -0.4)
    return [*parameters, np.zeros(3), np.zeros(2), np.zeros(3)]


def losses_of(points, unreset, rate, begun=None):
    losses = np.empty(len(points[1]))
    descend(*(begun or state()), *points, np.arange(len(losses)), rate, unreset, losses)
    return losses


def test_correct_passes_are_those_of_the_scalar_engine(points):
    W, b, V, c, *_ = (array.tolist() for array in state())
    model = MLP({"W1": W, "b1": b, "W2": V, "b2": c})
    targets = np.eye(2)[points[1]].tolist()
    expected = stochastic_descent(model, points[0].tolist(), targets, RATE)
    begun = state()
    np.testing.assert_allclose(losses_of(points, Unreset(), RATE, begun), expected, rtol=1e-10)
    for array, values in zip(begun, model.parameters.values(), strict=False):
        found = [v.number for row in values for v in (row if isinstance(row, list) else [row])]
        np.testing.assert_allclose(array.ravel(), found, rtol=1e-10)


@pytest.mark.parametrize("unreset", [Unreset(k1=True), Unreset(k2=True), Unreset(dh=True)])
def test_the_first_sample_does_not_notice_and_later_ones_do(points, unreset):
    right, wrong = (losses_of(points, which, RATE) for which in (Unreset(), unreset))
    assert right[0] == wrong[0]
    assert not np.allclose(right[3:], wrong[3:])


def test_at_rate_zero_what_is_unreset_is_the_sum_over_the_samples(points):
    x, _ = points
    W, b, V, c, *_ = state()
    begun = state()
    losses_of(points, Unreset(k1=True), 0.0, begun)
    np.testing.assert_allclose(begun[4], (x @ W + b).sum(axis=0))
    begun = state()
    losses_of(points, Unreset(k2=True), 0.0, begun)
    np.testing.assert_allclose(begun[5], (1 / (1 + np.exp(-(x @ W + b))) @ V + c).sum(axis=0))


def test_an_unreset_gradient_changes_no_loss_at_rate_zero(points):
    """dh belongs to the backward pass: forward it is not seen."""
    np.testing.assert_array_equal(losses_of(points, Unreset(dh=True), 0.0), losses_of(points, Unreset(), 0.0))


def test_at_rate_zero_no_parameter_changes(points):
    begun = state()
    losses_of(points, Unreset(True, True, True), 0.0, begun)
    for before, after in zip(state()[:4], begun[:4], strict=True):
        np.testing.assert_array_equal(before, after)
