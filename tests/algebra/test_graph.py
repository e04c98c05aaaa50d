"""Derivations as graphs: a box for every name, circles for operations, verified local derivatives on the way back."""

import numpy as np
import pytest

import chainrule as cr

RESIDUAL = """
z = W1 @ x + b1
h = sigmoid(z)
y = x + W2 @ h + b2
R = r @ h
S = sum((y - s)**2) / 2
E = R + S
"""
SHAPES = {"x": "N", "W1": "K,N", "b1": "K", "W2": "N,K", "b2": "N", "r": "K", "s": "N"}


@pytest.fixture(scope="module")
def residual():
    return cr.derive(RESIDUAL, "x", SHAPES)


def boxes(graph):
    return {node.name: node for node in graph.nodes if not node.operation}


def test_every_value_is_a_box_with_its_shape(residual):
    graph = cr.graph(residual)
    assert {name: node.shape for name, node in boxes(graph).items()} == {
        "x": "N", "W1": "K×N", "b1": "K", "W2": "N×K", "b2": "N", "r": "K", "s": "N",
        "z": "K", "h": "K", "y": "N", "R": "", "S": "", "E": "",
    }  # fmt: skip
    assert sorted(node.name for node in graph.nodes if node.operation) == sorted(
        ["@", "+", "sigmoid", "@", "+", "+", "@", "−", "^ 2", "Σ", "/ 2", "+"]
    )


def test_arrows_back_have_the_verified_local_derivatives_and_none_leads_to_what_is_constant(residual):
    graph = residual.graph()
    labels = [edge.local for edge in graph.edges if edge.local]
    assert set(labels) == {
        "∂z[i]/∂x[j] = W1[i,j]", "∂h[i]/∂z[j] = h[i] (1 − h[i]) δ[i,j]", "∂y[i]/∂x[j] = δ[i,j]",
        "∂y[i]/∂h[j] = W2[i,j]", "∂R/∂h[i] = r[i]", "∂S/∂y[i] = y[i] − s[i]", "∂E/∂R = 1", "∂E/∂S = 1",
    }  # fmt: skip
    constant = {edge.source for edge in graph.edges if edge.constant}
    assert constant == {"W1", "b1", "W2", "b2", "r", "s"}


def test_every_path_of_the_derivation_is_a_path_of_the_graph(residual):
    graph = residual.graph()
    users = graph.users()

    def reaches(source, target):
        """Through circles alone."""
        waiting = [edge.target for edge in users[source]]
        while waiting:
            key = waiting.pop()
            if key == target:
                return True
            if key not in residual.unfolded.shapes:
                waiting.extend(edge.target for edge in users[key])
        return False

    for target, source in residual.local_derivatives:
        assert reaches(source, target), (source, target)
    assert not reaches("x", "E")


def test_a_name_used_twice_in_a_line_has_its_derivative_once():
    graph = cr.derive("E = x * x + 3 * x", "x", {"x": ()}).graph()
    assert [edge.local for edge in graph.edges if edge.source == "x"] == ["∂E/∂x = 2 x + 3", "", ""]


def test_at_arrays_numbers_and_norms_stand_in_it(residual):
    rng = np.random.default_rng(0)
    sizes = {"N": 4, "K": 3}
    point = {name: rng.normal(size=[sizes[s] for s in shape.split(",")]) for name, shape in SHAPES.items()}
    found = boxes(residual.graph(point))
    values = residual.values(point)
    assert found["E"].number == f"{float(values['E']):.4g}"
    assert found["x"].number == f"‖{np.linalg.norm(point['x']):.4g}‖"
    assert found["x"].gradient == f"‖{np.linalg.norm(residual.evaluate(point)):.4g}‖"
    assert found["W1"].gradient == ""


def test_signs_say_the_axis_the_slice_and_the_numbers():
    text = (
        "E = sum(softmax(Z, axis=0)[1:, 0]) + 1 / sum(mean(leaky_relu(Z, 0.2), axis=1)) - sum(Z > 0) + trace(Z.T @ Z)"
    )
    graph = cr.derive(text, "Z", {"Z": "m,K"}).graph()
    signs = {node.name for node in graph.nodes if node.operation}
    assert {"softmax rows", "[1:, 0]", "1 /", "mean columns", "leaky_relu(0.2)", "> 0", "ᵀ", "tr", "Σ"} <= signs


def test_a_network_and_its_derivation_are_both_drawn():
    net = cr.Network([4, 3, 2], batch_norm=True)
    for engine in ("own", "auto"):
        assert "<svg" in cr.derivation(net).graph().svg(backward=True, engine=engine)
