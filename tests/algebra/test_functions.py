"""The table of derivatives: each entry against the rule's own derivative, against differences, and deriving twice."""

import numpy as np
import pytest

import chainrule as cr
from chainrule import differences
from chainrule.algebra import functions
from chainrule.rules import Activation

GRID = np.concatenate([np.linspace(-3, 3, 41) + 0.0137])
RULES = [*cr.rules.ACTIVATIONS, "leaky_relu(0.3)", "elu(0.4)", "swish(1.7)"]


def call(name):
    """`leaky_relu(0.3)` as it is written around x."""
    base, _, settings = name.partition("(")
    return f"{base}(x{', ' + settings if settings else ')'}"


@pytest.mark.parametrize("name", RULES)
def test_the_derivative_in_the_table_is_that_of_the_rule(name):
    rule = cr.rules.activation(name)
    d = cr.derive(f"a = {call(name)}\nE = sum(a)", "x", {"x": "N"})
    assert d.evaluate({"x": GRID}) == pytest.approx(rule.derivative(GRID, rule.value(GRID)), abs=1e-14)


@pytest.mark.parametrize("name", RULES)
def test_second_derivatives_agree_with_differences_of_the_first(name):
    rule = cr.rules.activation(name)
    first = cr.derive(f"a = {call(name)}\nE = sum(a)", "x", {"x": "N"})
    second = cr.derive(first.source + "\nq = sum(dx)", "x")
    numeric = differences.elementwise(lambda z: rule.derivative(z, rule.value(z)), GRID, kinks=rule.kinks)
    found = second.evaluate({"x": GRID})
    assert found[~numeric.kinked] == pytest.approx(numeric.values[~numeric.kinked], abs=1e-9)


@pytest.mark.parametrize("name", sorted(set(functions.names()) - set(cr.rules.ACTIVATIONS)))
def test_every_elementary_function_agrees_with_differences_by_each_argument(name):
    rule = functions.function(name)
    arguments = ["x", "y"][: rule.arity]
    text = f"E = sum({name}({', '.join(arguments)}))"
    d = cr.derive(text, arguments, dict.fromkeys(arguments, "N"))
    point = {"x": np.abs(GRID) + 0.2, "y": np.abs(GRID[::-1]) + 0.11}
    found = d.evaluate({argument: point[argument] for argument in arguments})
    for argument in arguments:

        def value(z, argument=argument):
            return rule.value(*[z if other == argument else point[other] for other in arguments])

        numeric = differences.elementwise(value, point[argument])
        assert found[argument] == pytest.approx(numeric.values, rel=1e-7, abs=1e-8), argument


def test_a_rule_of_ones_own_is_differentiated_once_and_not_twice(refused, monkeypatch):
    monkeypatch.setattr(cr.rules.registry, "ACTIVATIONS", dict(cr.rules.ACTIVATIONS))
    monkeypatch.setattr(cr.rules, "ACTIVATIONS", cr.rules.registry.ACTIVATIONS)
    cr.rules.register(Activation("cube", lambda z: z**3, lambda z, a: 3 * z**2, latex="z^3", derivative_latex="3 z^2"))
    d = cr.derive("E = sum(cube(W @ x))", "x", {"W": "K,N", "x": "N"})
    W, x = np.arange(6.0).reshape(2, 3), np.ones(3)
    assert d.evaluate({"W": W, "x": x}) == pytest.approx(W.T @ (3 * (W @ x) ** 2))
    assert "cube′" in d.text()
    with refused("derivative of cube.derivative is not known"):
        cr.derive(d.source + "\nq = sum(dx)", "x")
    net = cr.Network([3, 4, 2], activation="cube")
    assert cr.derivation(net).verified
