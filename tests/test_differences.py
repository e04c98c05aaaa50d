"""Central differences are right to rounding on functions whose derivative is known, and mark what they cannot judge."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import rosen, rosen_der

from chainrule.differences import Differences, elementwise, gradient


def test_polynomials_up_to_the_fourth_degree_have_no_truncation_error():
    """The error term holds the fifth derivative; with a wide step only rounding is left."""
    x = np.array([-1.3, 0.2, 2.1])
    found = gradient(lambda v: float((3 * v**4 - v**3 + 2 * v).sum()), x, step=0.1)
    assert found.values == pytest.approx(12 * x**3 - 3 * x**2 + 2, rel=1e-12)
    assert not found.kinked.any()


def test_the_fifth_degree_shows_the_error_term_as_printed():
    """f(x) = x⁵ at 0 with step h: h⁴ f⁽⁵⁾ / 30 = 4 h⁴, and the formula subtracts it."""
    found = gradient(lambda v: float(v[0] ** 5), np.zeros(1), step=0.1)
    assert found.values[0] == pytest.approx(-4 * 0.1**4, rel=1e-10)


def test_an_outside_gradient_is_met_to_ten_digits():
    x = np.array([0.3, -0.7, 1.2, 0.9])
    assert gradient(rosen, x).values == pytest.approx(rosen_der(x), rel=1e-10)


@settings(deadline=None, max_examples=50)
@given(st.floats(-1e3, 1e3), st.sampled_from([(), (1,), (2, 3)]))
def test_any_shape_and_size_of_argument_is_met(value, shape):
    x = np.full(shape, value)
    found = gradient(lambda v: float(np.sin(v / max(1.0, abs(value))).sum()), x)
    scale = max(1.0, abs(value))
    assert found.values.shape == found.kinked.shape == shape
    assert found.values == pytest.approx(np.cos(x / scale) / scale, abs=1e-11)


def test_the_argument_is_left_as_it_was_and_may_be_read_only():
    x = np.array([[1.0, 2.0], [3.0, 4.0]], dtype=np.float32)
    x.flags.writeable = False
    found = gradient(lambda v: float((v**2).sum()), x)
    assert np.array_equal(x, [[1, 2], [3, 4]])
    assert found.values.dtype == np.float64
    assert found.values == pytest.approx(2 * x, rel=1e-11)


def test_only_entries_whose_points_leave_the_piece_are_marked():
    x = np.array([-0.5, 1e-5, 0.5, -1e-5, 3e-4])
    found = gradient(lambda v: float(np.abs(v).sum()), x, pieces=lambda v: v > 0)
    assert found.kinked.tolist() == [False, True, False, True, False]
    assert found.values[~found.kinked] == pytest.approx(np.sign(x[~found.kinked]))


def test_a_kink_between_the_outer_points_alone_is_marked_too():
    found = gradient(lambda v: float(np.abs(v).sum()), np.array([1.5e-4]), pieces=lambda v: v > 0)
    assert found.kinked.all(), "x ± h lie on the piece of x, x − 2h does not"


def test_elementwise_differences_are_right_and_marked_near_kinks():
    z = np.array([[-2.0, -1e-4, 0.0], [1.9e-4, 2.1e-4, 50.0]])
    found = elementwise(np.abs, z, kinks=(0.0,))
    assert found.kinked.tolist() == [[False, True, True], [True, False, False]]
    assert found.values[~found.kinked] == pytest.approx(np.sign(z[~found.kinked]))
    smooth = elementwise(np.exp, np.linspace(-3, 3, 7))
    assert smooth.values == pytest.approx(np.exp(np.linspace(-3, 3, 7)), rel=1e-11)
    assert isinstance(smooth, Differences)
    assert not smooth.kinked.any()
