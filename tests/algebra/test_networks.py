"""Derivations of whole networks, held against `net.backward`; a mistake in either is found."""

import time

import numpy as np
import pytest

import chainrule as cr
from chainrule.algebra import UnverifiedError, networks, softmax
from chainrule.network import passes
from chainrule.rules import Output


def section_a(**settings):
    return cr.derivation(cr.Network([512, 64, 10], activation="relu"), **settings)


def test_all_gradients_of_section_a_in_rows():
    d = section_a()
    assert d.verified
    assert {name: str(G.expression and cr.algebra.source.source(G.expression)) for name, G in d.results.items()} == {
        "W1": "A0.T @ dZ1",
        "b1": "sum(dZ1, axis=0)",
        "W2": "A1.T @ dZ2",
        "b2": "sum(dZ2, axis=0)",
    }
    sources = {line.name: cr.algebra.source.source(line.expression) for line in d.lines}
    assert sources["dZ2"] == "(A2 - T) / m"
    assert sources["dA1"] == "dZ2 @ W2.T"
    assert sources["dZ1"] == "dA1 * (Z1 > 0)"


def test_all_gradients_of_section_a_in_columns():
    sources = {line.name: cr.algebra.source.source(line.expression) for line in section_a(layout="column").lines}
    assert sources == {
        "dZ2": "(A2 - T) / m",
        "dA1": "W2.T @ dZ2",
        "dZ1": "dA1 * (Z1 > 0)",
        "dW1": "dZ1 @ A0.T",
        "db1": "sum(dZ1, axis=1)",
        "dW2": "dZ2 @ A1.T",
        "db2": "sum(dZ2, axis=1)",
    }


def test_the_cases_of_softmax_and_cross_entropy_are_shown_and_checked():
    d = section_a()
    text = d.text()
    for line in (
        "∂a[j]/∂z[j] = (e^(z[j]) S − e^(z[j]) e^(z[j]))/S²",
        "= a[j] (1 − a[j])",
        "∂a[k]/∂z[j] = (0 − e^(z[k]) e^(z[j]))/S²",
        "= −a[k] a[j]",
        "(k ≠ j)",
        "= a[j] Σ_k t[k] − t[j]",
        "= a[j] − t[j]",
        "(the targets sum to one)",
    ):
        assert line in text, line
    assert sum(check.what.startswith("softmax") for check in d.checks) == 22


def test_a_wrong_line_of_the_softmax_cases_is_refused(monkeypatch):
    monkeypatch.setattr(softmax, "_others", lambda t: t.sum() + t)
    with pytest.raises(UnverifiedError):
        section_a()


def test_shapes_and_updates_are_told():
    steps = section_a().steps
    shapes = {step.of: [str(size) for size in step.shape] for step in steps if step.rule == "update"}
    assert shapes == {"W1": ["d", "h1"], "b1": ["h1"], "W2": ["h1", "K"], "b2": ["K"]}
    assert "W1 ← W1 − eta dW1" in section_a().text()


@pytest.mark.parametrize("layout", ["row", "column"])
@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("output", ["softmax", "sigmoid", "identity"])
def test_every_output_layout_and_mode_with_everything_switched_on(output, layout, training):
    net = cr.Network(
        [5, 4, 3, 2], activation=["tanh", "elu(0.7)"], output=output, batch_norm=[True, False], dropout=[0.2, 0.4]
    )
    d = cr.derivation(net, layout=layout, training=training, l2=0.1)
    assert list(d.results) == list(net.parameters())
    witnessed = [check.what for check in d.checks if check.what.startswith("net.backward")]
    assert {f"net.backward: d{name}" for name in net.parameters()} <= set(witnessed)
    assert max(check.gap for check in d.checks) < 1e-7


def test_a_network_without_a_hidden_layer_and_one_with_a_single_unit():
    assert cr.derivation(cr.Network([3, 2])).verified
    assert cr.derivation(cr.Network([3, 2, 1], output="sigmoid")).verified
    assert cr.derivation(cr.Network([1, 1], output="identity")).verified


def test_five_layers_take_less_than_two_seconds():
    net = cr.Network([20, 19, 18, 17, 16, 10], activation=["tanh", "relu", "sigmoid", "gelu"])
    best = np.inf
    for _ in range(3):
        started = time.perf_counter()
        d = cr.derivation(net, l2=0.01)
        d.text()
        best = min(best, time.perf_counter() - started)
    assert best < 2
    assert len(d.results) == 10


def test_batch_normalisation_is_also_given_in_its_condensed_form():
    d = cr.derivation(cr.Network([4, 3, 2], batch_norm=True))
    (step,) = [step for step in d.steps if step.rule == "condensed"]
    assert "(dN1 − mean_rows(dN1) − N1 ∘ mean_rows(dN1 ∘ N1))/√(variance1 + 1e-05)" in step.text
    assert "condensed" not in {
        step.rule for step in cr.derivation(cr.Network([4, 3, 2], batch_norm=True), training=False).steps
    }


def test_a_wrong_condensed_form_is_refused(monkeypatch):
    right = networks._Program.condensed
    monkeypatch.setattr(
        networks._Program, "condensed", lambda self, l: right(self, l).replace(f" - mean(dN{l}, axis=0)", "")
    )
    with pytest.raises(UnverifiedError):
        cr.derivation(cr.Network([4, 3, 2], batch_norm=True))


@pytest.mark.parametrize("name", ["W1", "b1", "Z1", "W2"])
def test_a_mistake_in_the_engine_is_found_by_the_derivation(name, monkeypatch):
    right = passes.backward_pass

    def planted(*given, **settings):
        gradients, deltas = right(*given, **settings)
        (deltas if name[0] == "Z" else gradients)[name] *= 1.001
        return gradients, deltas

    from chainrule.network import model

    monkeypatch.setattr(model, "backward_pass", planted)
    with pytest.raises(UnverifiedError, match=f"d{name} as derived differs"):
        cr.derivation(cr.Network([4, 3, 2]))


def test_what_is_no_network_or_not_known_in_symbols_is_refused(refused):
    with refused("is no network"):
        cr.derivation("net")
    with refused("unknown layout 'diagonal'", "row"):
        section_a(layout="diagonal")
    with refused("l2"):
        section_a(l2=-1)
    own = cr.Network([3, 2], output="identity")
    rule: Output = own.output
    from dataclasses import replace

    own.structure = replace(own.structure, output=replace(rule, name="mine"))
    with refused("output mine is not known in symbols"):
        cr.derivation(own)
    loose = cr.Network([3, 4, 2], activation=replace(cr.rules.activation("tanh"), name="loose"))
    with refused("activation loose is not registered"):
        cr.derivation(loose)


def test_a_derivation_leaves_the_network_as_it_was():
    net = cr.Network([4, 3, 2], batch_norm=True, dropout=0.2, dtype="float64")
    arrays = {**net.parameters(), **net.statistics()}
    before = {name: array.tobytes() for name, array in arrays.items()}
    cr.derivation(net)
    assert {name: array.tobytes() for name, array in arrays.items()} == before
