"""300 random expressions: each is derived and proves itself; here it is proven once more from outside."""

import numpy as np
import pytest
from hypothesis import HealthCheck, given, seed, settings

import chainrule as cr
from algebra.random_expressions import INPUTS, programs
from chainrule.algebra import NotDifferentiableError, read
from chainrule.algebra.evaluate import evaluate, run

SIZES = {"M": 2, "N": 4, "K": 3}


def arrays(rng):
    return {name: rng.normal(0, 0.6, [SIZES[symbol] for symbol in shape]) for name, shape in INPUTS.items()}


@pytest.mark.parametrize("block", range(3))
def test_random_expressions_are_derived_and_the_gradient_predicts_a_small_step(block):
    """f(x + hd) − f(x − hd) against 2h ∇f·d, in a random direction d: one number that every entry must get right."""
    count = 0

    @seed(block)
    @settings(max_examples=100, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(programs())
    def derived(text):
        nonlocal count
        try:
            d = cr.derive(text, list(read(text, INPUTS).inputs), INPUTS)
        except NotDifferentiableError:  # relu(diag(u)) is at its kink everywhere off the diagonal
            return
        assert d.verified
        rng = np.random.default_rng(count)
        point = {name: array for name, array in arrays(rng).items() if name in d.program.inputs}
        gradient = d.evaluate(point)
        direction = {name: rng.normal(size=array.shape) for name, array in point.items()}
        slope = sum(float((gradient[name] * direction[name]).sum()) for name in point)

        def value(step):
            moved = {name: array + step * direction[name] for name, array in point.items()}
            return float(run(d.program, moved, SIZES)["E"])

        steps = [(value(h) - value(-h)) / (2 * h) for h in (1e-5, 1e-6)]
        if abs(steps[0] - steps[1]) < 1e-6 * max(1, abs(steps[0])):  # else a kink or a wall lies between
            assert slope == pytest.approx(steps[0], rel=1e-4, abs=1e-4), text
            count += 1
        again = read(d.source)
        for line in d.lines:
            assert evaluate(again.up_to(line.name).result.expression, d.values(point), SIZES) == pytest.approx(
                d.values(point)[line.name], rel=1e-9, abs=1e-9
            )

    derived()
    assert count >= 80
