"""A rule that is broken must be found: planted mistakes in every part, all refused with a report."""

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest

import chainrule as cr
from chainrule.algebra import UnverifiedError, build, calculus, functions, gradients, indices, raising, verify
from chainrule.algebra.functions import Function
from chainrule.algebra.tree import number

TWO_LAYERS = "A1 = {f}(X @ W1 + b1)\nA2 = softmax(A1 @ W2, axis=1)\nL = cross_entropy(A2, T)"
SHAPES = {"X": "m,d", "W1": "d,h", "b1": "h", "W2": "h,K", "T": "m,K"}


def derived(f="tanh"):
    return cr.derive(TWO_LAYERS.format(f=f), ["W1", "b1", "W2"], SHAPES)


@pytest.fixture(autouse=True)
def _fresh_table():
    calculus._derivative.cache_clear()
    yield
    calculus._derivative.cache_clear()


@pytest.mark.parametrize(
    ("f", "wrong"),
    [
        ("tanh", "1 - tanh(a)**2"),
        ("tanh", "1 + a**2"),
        ("sigmoid", "a * (1 + a)"),
        ("sigmoid", "sigmoid(a) * (1 - sigmoid(a))"),
        ("relu", "x < 0"),
        ("softplus", "tanh(x)"),
        ("gelu", "ndtr(x)"),
        ("exp", "x"),
        ("sin", "-cos(x)"),
        ("tanh", "(1 - a**2) * 1.00001"),
    ],
)
def test_a_wrong_derivative_of_a_function_is_refused(f, wrong, monkeypatch):
    right = functions.derivative_text
    assert derived(f).verified
    calculus._derivative.cache_clear()

    def planted(rule: Function, argument: int) -> str:
        return wrong if rule.name == f else right(rule, argument)

    monkeypatch.setattr(calculus, "derivative_text", planted)
    with pytest.raises(UnverifiedError) as caught:
        derived(f)
    report = caught.value.report
    assert {"entry", "analytic", "numeric", "sizes"} <= set(report)
    assert "central differences give" in str(caught.value)


def planted_softmax(line, at, by, where):
    """Reduced to its diagonal, as in so many solutions."""
    kept = [True] * len(at)
    return indices.product(indices.atom(indices.Entry(line.value, at)), calculus._deltas(at, where, kept))


def planted_transpose(tree):
    """(A B)ᵀ = Aᵀ Bᵀ."""
    if tree.op == "matmul":
        return build.node("matmul", *map(build.transpose, tree.children))
    return TRANSPOSE(tree)


TRANSPOSE = build.transpose


def test_a_softmax_without_its_cross_terms_is_refused(monkeypatch):
    monkeypatch.setitem(calculus._RULES, "softmax", planted_softmax)
    with pytest.raises(UnverifiedError):
        derived()


def test_a_norm_without_its_denominator_is_refused(monkeypatch):
    monkeypatch.setitem(calculus._RULES, "norm", lambda line, at, by, where: indices.atom(indices.Entry(by, where)))
    with pytest.raises(UnverifiedError):
        cr.derive("E = linalg.norm(W @ x)", "x", {"W": "K,N", "x": "N"})


def test_a_sum_over_the_wrong_axis_is_refused(monkeypatch):
    right = build.total
    monkeypatch.setattr(build, "total", lambda tree, axis: right(tree, None if axis is None else 0))
    assert cr.derive("E = sum(X + b)", "b", {"X": "m,d", "b": "d"}).verified
    with pytest.raises((UnverifiedError, cr.errors.InputError)):
        cr.derive("E = sum((X + b[:, None])**2)", "b", {"X": "m,d", "b": "m"})


def test_a_lost_sign_is_refused(monkeypatch):
    right = raising._term

    def without_sign(term, target):
        return right(term, target)

    monkeypatch.setattr(build, "subtract", build.add)
    monkeypatch.setattr(raising, "_term", without_sign)
    with pytest.raises(UnverifiedError):
        cr.derive("E = sum((x - y)**2) / 2", "x", {"x": "N", "y": "N"})


def test_a_product_rule_that_forgets_a_factor_is_refused(monkeypatch):
    right = calculus.differentiate

    def first_only(polynomial, name, where):
        return right(polynomial, name, where)[:1]

    monkeypatch.setattr(calculus, "differentiate", first_only)
    with pytest.raises(UnverifiedError):
        cr.derive("E = x @ A @ x", "x", {"x": "N", "A": "N,N"})


def test_paths_that_are_not_added_are_refused(monkeypatch):
    right = gradients._adjoint

    def last_path(value, users, *rest):
        return right(value, users[-1:], *rest)

    monkeypatch.setattr(gradients, "_adjoint", last_path)
    with pytest.raises(UnverifiedError):
        cr.derive("b = tanh(x)\nE = sum(b * b) + sum(exp(b)) + sum(x * b)", "x", {"x": "N"})


def test_a_coefficient_that_is_slightly_wrong_is_refused(monkeypatch):
    right = indices.power

    def planted(polynomial, exponent):
        return right(polynomial, exponent * Fraction(1_000_001, 1_000_000) if exponent == 3 else exponent)

    from chainrule.algebra import lowering

    monkeypatch.setattr(lowering, "power", planted)
    with pytest.raises(UnverifiedError):
        cr.derive("E = sum(x**3)", "x", {"x": "N"})


def test_a_wrong_index_form_is_refused_even_where_the_matrix_form_is_right(monkeypatch):
    right = verify.evaluate_indices
    monkeypatch.setattr(verify, "evaluate_indices", lambda *given: right(*given) * 1.001)
    with pytest.raises(UnverifiedError, match=r"random weights|index notation"):
        cr.derive("E = x @ x", "x", {"x": "N"})


def test_a_missing_transpose_has_no_shape_to_hide_in():
    shapes = {"W": "K,N", "x": "N", "y": "K"}
    text = "E = sum((W @ x - y)**2) / 2"
    assert cr.algebra.check_formula(text, "x", "W.T @ (W @ x - y)", shapes)
    with pytest.raises(cr.algebra.ExpressionError, match="do not multiply"):
        cr.algebra.check_formula(text, "x", "W @ (W @ x - y)", shapes)
    with pytest.raises(UnverifiedError, match="has shape"):
        cr.algebra.check_formula(text, "x", "W @ W.T @ (W @ x - y)", shapes)


def test_the_points_have_pairwise_different_sizes_and_differ_from_fixed_ones():
    d = cr.derive("E = sum(W @ x) + sum(v) + u[2]", "x", {"W": "K,N", "x": "N", "v": 4, "u": "M"})
    sizes = [check.sizes for check in d.checks]
    assert len({tuple(one.items()) for one in sizes}) == 2
    for one in sizes:
        assert len(set(one.values()) | {4}) == len(one) + 1
        assert min(one.values()) >= 3


def test_values_near_the_border_of_a_domain_are_drawn_again():
    for text in (
        "E = sum(log(x))",
        "E = sum(sqrt(x))",
        "E = sum(log(1 - x) * log(x))",
        "E = sum(x**1.5)",
        "E = sum(1 / x)",
    ):
        assert cr.derive(text, "x", {"x": "N"}).verified


def test_the_worst_gap_is_told():
    d = derived()
    assert max(check.gap for check in d.checks) < 1e-7
    assert all(check.entries > 0 for check in d.checks)
    assert "relative gaps below" in d.text()
    assert replace(d.checks[0], gap=1.0).gap == 1
    assert np.isfinite([check.gap for check in d.checks]).all()


@pytest.mark.parametrize("form", ["formula", "contracted"])
def test_a_wrong_gradient_on_the_way_is_refused_and_its_worst_entry_is_told(form):
    """It is compared along one direction only, in which every entry has its part; the report goes entry by entry."""
    program = cr.algebra.read("h = tanh(W @ x)\nE = sum(h**2 * v)", {"W": "K,N", "x": "N", "v": "K"})
    found = gradients.backward(program, ["x"])
    assert verify.verify(program, program, found, ["x"])
    h = found.adjoints["h"]
    slightly = Fraction(1_000_001, 1_000_000)
    wrong = {
        "formula": build.multiply(number(slightly), h.formula),
        "contracted": indices.scaled(h.contracted, slightly),
    }
    found.adjoints["h"] = replace(h, **{form: wrong[form]})
    with pytest.raises(UnverifiedError, match=r"∂E/∂h.*\[\d\] is") as caught:
        verify.verify(program, program, found, ["x"])
    assert caught.value.report["analytic"] != caught.value.report["numeric"]
