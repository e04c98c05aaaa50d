"""The numbers behind one gradient: every factor is what it is called, and the products add up to the gradient."""

import json
import re

import numpy as np
import pytest

import chainrule as cr
from refusals import refusal
from test_gradients import random_case

TABLE = {"W1": [[1, 1, 1], [-1, -1, -1]], "W2": [[1, 1], [-1, -1], [-1, -1]]}


def wide(**settings):
    """5–8–7–4 on 6 samples, tanh then ReLU; every parameter off its start."""
    net = cr.Network([5, 8, 7, 4], activation=["tanh", "relu"], dtype="float64", seed=3, **settings)
    rng = np.random.default_rng(1)
    for P in net.parameters().values():
        P += rng.normal(0, 0.3, P.shape)
    for name, S in net.statistics().items():
        S += rng.uniform(0.2, 1, S.shape) if name.startswith("variance") else rng.normal(0, 0.5, S.shape)
    return net, rng.normal(size=(6, 5)), rng.integers(4, size=6)


def entries(net):
    shapes = {name: P.shape for name, P in net.parameters().items()}
    return [(name, tuple(int(n) - 1 for n in shape)) for name, shape in shapes.items()]


@pytest.mark.parametrize("number", range(60))
def test_the_products_of_any_network_add_up_to_its_gradient_and_the_difference_agrees(number):
    case = random_case(number)
    gradients = case.net.backward(case.net.forward(case.x), case.y, l2=case.l2, wrt_input=True)
    values = [(name, (1, 1)) for name in gradients.deltas if name[0] in "AZU"]
    for name, index in [*entries(case.net), *values]:
        place = f"{name}[{','.join(map(str, index))}]"
        found = cr.explain(case.net, case.x, case.y, place, sample=2, l2=case.l2)
        G = gradients[name] if name in gradients else gradients.deltas[name]
        assert found.gradient == pytest.approx(G[index], rel=1e-12, abs=1e-15)
        assert found.mean + found.penalty == pytest.approx(G[index], rel=1e-10, abs=1e-14)
        assert found.products == pytest.approx(found.factors.prod(axis=1), rel=1e-12, abs=1e-15)
        assert found.ok, str(found)
        assert found.numeric == pytest.approx(G[index], rel=1e-5, abs=1e-8) or found.verdict.rule == "kinked"
        for equation in found.equations:
            assert equation.number == pytest.approx(
                sum(term.number for term in equation.terms) + equation.remainder, rel=1e-10, abs=1e-14
            )
            if not equation.others:
                assert equation.remainder == pytest.approx(0, abs=1e-13)


def meaning(symbol, net, trace, T, deltas):
    """The number that a symbol stands for, looked up by what it says."""
    P, S = net.parameters(), net.statistics()
    indices = tuple(int(n) for n in re.search(r"\[([\d,]+)\]", symbol)[1].split(","))
    name = re.search(r"([A-Za-z]+\d*)\[", symbol)[1]
    if symbol.startswith("1/√"):
        return 1 / np.sqrt(S[name][indices] + 1e-5)
    if symbol.startswith("∂ℓ/∂"):
        return deltas[name][indices] * len(T)
    if "−" in symbol:
        return trace[name][indices] - T[indices]
    if "′" in symbol:
        z = trace[name][indices]
        return 1 - np.tanh(z) ** 2 if symbol.startswith("tanh") else float(z > 0)
    return P[name][indices] if name in P else trace[name][indices]


@pytest.mark.parametrize(
    "settings", [{}, {"batch_norm": True}, {"batch_norm": [False, True]}, {"dropout": 0.5}], ids=str
)
@pytest.mark.parametrize("of", ["W1[3,5]", "W2[7,6]", "W3[0,2]", "A0[4]", "Z1[5]", "A1[2]", "A2[1,3]", "Z3[0]"])
def test_every_symbol_has_the_number_that_it_names(settings, of):
    net, x, y = wide(**settings)
    trace = net.forward(x)
    deltas = net.backward(trace, y, wrt_input=True).deltas
    found = cr.explain(net, x, y, of, sample=4)
    T = np.eye(4)[y]
    symbols = [factor for equation in found.equations for term in equation.terms for factor in term.factors]
    assert len(symbols) >= (1 if of == "Z3[0]" else 4 if of == "W3[0,2]" else 10) - 2
    for factor in symbols:
        assert factor.number == pytest.approx(meaning(factor.symbol, net, trace, T, deltas), rel=1e-12), factor.symbol


def test_every_sum_on_the_way_is_written_out_up_to_the_outputs():
    net, x, y = wide()
    found = cr.explain(net, x, y, "W1[3,5]", sample=4)
    named = {equation.name for equation in found.equations}
    assert found.equations[0].name == "∂ℓ/∂W1[3,5]"
    live = {f"∂ℓ/∂A2[4,{q}]" for q in range(7) if net.forward(x)["Z2"][4, q] > 0}
    assert named - {"∂ℓ/∂W1[3,5]", "∂ℓ/∂A1[4,5]"} == (live if len(live) <= 6 else named & live)
    used = {f.symbol for e in found.equations for t in e.terms for f in t.factors if f.symbol.startswith("∂")}
    assert named - {"∂ℓ/∂W1[3,5]"} <= used


def test_the_course_network_shows_its_table():
    net = cr.Network([2, 3, 2], activation="sigmoid", init=TABLE)
    found = cr.explain(net, [[1, -1]], [0], "W2[0,1]")
    (equation,) = found.equations
    assert [f.symbol for f in equation.terms[0].factors] == ["A1[0,0]", "(A2[0,1] − T[0,1])"]
    assert [format(f.number, ".16g") for f in equation.terms[0].factors] == ["0.8807970779778823", "0.5"]
    assert format(found.gradient, ".16g") == "0.4403985389889412"
    zero = cr.explain(net, [[1, -1]], [0], "W1[0,2]")
    assert zero.gradient == 0
    assert "No sample's loss depends on W1[0,2] here: every product is 0." in zero.notes


def test_symbols_stand_above_numbers():
    net = cr.Network([2, 3, 2], activation="sigmoid", init=TABLE)
    lines = str(cr.explain(net, [[1, -1], [0.5, 2]], [0, 1], "W2[0,1]", sample=1)).splitlines()
    at = next(i for i, line in enumerate(lines) if line.startswith("∂ℓ/∂W2[0,1]  ="))
    above, below = lines[at : at + 2]
    for symbol, digits in (("A1[1,0]", "0.1824255"), ("(A2[1,1] − T[1,1])", "(0.5 − 1)")):
        middle = above.index(symbol) + len(symbol) / 2
        assert abs(below.index(digits) + len(digits) / 2 - middle) <= 0.5
    assert above.index("·") == below.index("·")
    assert below.endswith("=  -0.09121276")
    assert any(line.split()[:4] == ["sample", "A1[i,0]", "(A2[i,1]", "−"] for line in lines)
    assert any(line.startswith("∂L/∂W2[0,1] = ") for line in lines)
    assert any("they agree" in line for line in lines)


def test_long_sums_and_many_samples_are_shortened_and_still_add_up():
    net = cr.Network([6, 40, 30, 3], activation="tanh", dtype="float64", seed=0)
    rng = np.random.default_rng(0)
    found = cr.explain(net, rng.normal(size=(90, 6)), rng.integers(3, size=90), "b1[3]", sample=50)
    first_sum = found.equations[1]
    assert (len(first_sum.terms), first_sum.others) == (6, 24)
    assert len(found.equations) == 1 + 1 + 6
    assert "24 smaller terms" in str(found)
    listed, others = found.listed()
    assert (len(listed), len(others)) == (20, 70)
    assert 50 in listed
    assert "70 others" in str(found)
    assert found.products.mean() == pytest.approx(found.gradient, rel=1e-12)


def test_an_input_and_a_unit_belong_to_their_sample():
    net, x, y = wide()
    by_sample = cr.explain(net, x, y, "A0[2]", sample=3)
    by_index = cr.explain(net, x, y, " A0[ 3 , 2 ] ")
    assert by_sample.gradient == by_index.gradient
    assert by_index.of == "A0[3,2]"
    assert np.count_nonzero(by_index.products) == 1
    assert "Only the loss of sample 3 depends on A0[3,2]." in by_index.notes


def test_a_unit_that_is_off_is_told_and_the_gradient_is_zero():
    net = cr.Network([2, 2, 2], init={"W1": [[1, -1], [1, -1]], "W2": [[1, 2], [3, -4]]}, dtype="float64")
    found = cr.explain(net, [[1, 2]], [0], "W1[0,1]")
    assert found.gradient == 0
    assert "relu′(Z1[0,1]) is 0, so that sample 0 adds nothing to ∂L/∂W1[0,1]." in found.notes


def test_a_point_without_a_derivative_is_told_and_no_difference_is_claimed():
    net = cr.Network([2, 2, 2], init={"W1": [[1, 1], [-1, 1]], "W2": [[1, 2], [3, -4]]}, dtype="float64")
    found = cr.explain(net, [[1, 1]], [0], "W1[0,0]")
    assert "Z1[0,0] is 0, where relu has no derivative; 0 is taken for it." in found.notes
    assert "a kink lies beside this point" in str(found)
    assert np.isnan(found.numeric)
    assert json.loads(json.dumps(found.to_json()))["numeric"] is None


def test_a_wrong_backward_pass_is_told():
    from dataclasses import replace

    net, x, y = wide()
    net.structure = replace(net.structure, output=replace(net.output, delta=lambda A, T: (A - T) * 1.001))
    found = cr.explain(net, x, y, "W3[0,0]")
    assert not found.ok
    assert "they DISAGREE" in str(found)


def test_an_output_of_ones_own_stands_with_its_delta():
    from dataclasses import replace

    net = cr.Network([3, 4, 2], output="identity", dtype="float64")
    double = replace(net.output, losses=lambda Z, T: ((Z - T) ** 2).sum(axis=1), delta=lambda A, T: 2 * (A - T))
    net.structure = replace(net.structure, output=double)
    found = cr.explain(net, np.ones((2, 3)), [[1, 2], [3, 4]], "W2[0,1]")
    assert found.equations[0].terms[0].factors[-1].symbol == "∂ℓ/∂Z2[0,1]"
    assert found.ok


def test_html_has_the_numbers_and_escapes_what_is_the_users():
    from dataclasses import replace

    net, x, y = wide()
    rule = replace(net.structure.layers[0].activation, name="<b>")
    layers = (replace(net.structure.layers[0], activation=rule), *net.structure.layers[1:])
    net.structure = replace(net.structure, layers=layers)
    html = cr.explain(net, x, y, "W1[3,5]")._repr_html_()
    assert "<b>′" not in html
    assert "&lt;b&gt;′(Z1[0,5])" in html
    assert html.count("<table") == html.count("</table>") >= 3


@pytest.mark.parametrize(
    ("of", "words"),
    [
        ("W9[0,0]", ("'W9'", "W1, W2")),
        ("w1[0,0]", ("'w1'", "W1")),
        ("A3[0]", ("'A3'",)),
        ("W1[5,0]", ("W1 has shape (5, 8)", "index 5", "0 to 4")),
        ("W1[0]", ("1 indices", "W1[0,0]")),
        ("b1[0,1]", ("2 indices", "b1[0]")),
        ("b1[8]", ("index 8",)),
        ("Z1[8]", ("index 8",)),
        ("A0[9,0]", ("no sample 9 among 6",)),
        ("W1", ("names no entry",)),
        ("W1[-1,0]", ("names no entry",)),
        ("W1[3,5", ("names no entry",)),
        ("__import__('os')[0]", ("names no entry",)),
        ("W1[" + "1" * 10_000_000, ("names no entry", "characters")),
        (None, ("names no entry",)),
    ],
)
def test_what_is_no_entry_is_refused(of, words):
    net, x, y = wide()
    message = refusal(cr.explain, net, x, y, of)
    assert [word for word in words if word not in message] == []
    assert len(message) < 500


@pytest.mark.parametrize(("sample", "words"), [(6, "no sample 6 among 6"), (-1, "-1"), ("a", "'a'"), (1.5, "1.5")])
def test_a_sample_that_is_not_there_is_refused(sample, words):
    net, x, y = wide()
    assert words in refusal(cr.explain, net, x, y, "W1[0,0]", sample)


def test_a_difference_that_stands_alone_has_its_result():
    net, x, y = wide()
    found = cr.explain(net, x, y, "b3[1]")
    (term,) = found.equations[0].terms
    below = str(found).splitlines()[3]
    assert below.strip().startswith("(")
    assert below.endswith(f"=  {term.number:.7g}")
    assert f"<td>=</td><td>{term.number:.7g}</td>" in found._repr_html_()


def test_a_unit_of_one_sample_is_that_units_for_every_sample():
    """The losses of the others do not depend on it; on units of their own they do."""
    net, x, y = wide()
    found = cr.explain(net, x, y, "A1[2,3]")
    assert found.heads == ("∂ℓ/∂A1[2,3]",)
    assert np.flatnonzero(found.products).tolist() == [2]


def test_a_negative_target_stands_in_parentheses():
    net = cr.Network([2, 3, 1], output="identity", seed=0)
    assert " − (-2))" in str(cr.explain(net, [[1.0, 2.0]], [-2.0], "b2[0]"))
