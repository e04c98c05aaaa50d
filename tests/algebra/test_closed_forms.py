"""Derivatives that everybody can check by hand, as formulas: differences also confirm a wrong forward pass."""

import numpy as np
import pytest

import chainrule as cr
from chainrule.algebra import check_claim, check_formula
from chainrule.rules.activations import logistic


def values(rng, **shapes):
    return {name: rng.normal(size=shape) for name, shape in shapes.items()}


@pytest.mark.parametrize(
    ("text", "wrt", "shapes", "expected"),
    [
        ("E = sum(X)", "X", {"X": "N,K"}, "ones((N, K))"),
        ("E = mean(X)", "X", {"X": "N,K"}, "broadcast_to(1 / (N * K), (N, K))"),
        ("E = x @ x", "x", {"x": "N"}, "2 * x"),
        ("E = x @ A @ x", "x", {"x": "N", "A": "N,N"}, "A @ x + A.T @ x"),
        ("E = trace(A @ B)", "A", {"A": "N,K", "B": "K,N"}, "B.T"),
        ("E = trace(A)", "A", {"A": "N,N"}, "eye(N)"),
        ("E = linalg.norm(x)", "x", {"x": "N"}, "x / E"),
        ("E = logsumexp(x)", "x", {"x": "N"}, "exp(x - E)"),
        ("E = sum(outer(x, y)**2) / 2", "x", {"x": "N", "y": "K"}, "x * (y**2 @ ones(K))"),
        ("E = sum(x[1:3])", "x", {"x": 5}, "pad(ones(2), ((1, 2),))"),
        ("E = x[3] * y", "x", {"x": "N", "y": ()}, "y * eye(N)[3]"),
        ("E = sum(diag(x) @ y)", "x", {"x": "N", "y": "N"}, "y"),
        ("E = sum(x / y)", "y", {"x": "N", "y": "N"}, "-x / y**2"),
        ("E = sum(x**p)", "p", {"x": "N", "p": ()}, "sum(x**p * log(x))"),
        ("E = sum(A @ B @ C)", "B", {"A": "M,N", "B": "N,K", "C": "K,L"}, "outer(sum(A, axis=0), sum(C, axis=1))"),
        ("E = sum(maximum(x, y))", "x", {"x": "N", "y": "N"}, "1 * (x > y)"),
        ("E = sum(where(x > 0, x**2, -x))", "x", {"x": "N"}, "2 * x * (x > 0) - (x <= 0)"),
        ("E = sum(x[:, None] * Z)", "x", {"x": "N", "Z": "N,K"}, "sum(Z, axis=1)"),
        ("E = sum(b + Z)", "b", {"b": "K", "Z": "N,K"}, "broadcast_to(N, (K,))"),
        ("E = sum(b * Z)", "b", {"b": "1,K", "Z": "N,K"}, "sum(Z, axis=0, keepdims=True)"),
    ],
)
def test_the_derivative_is_the_known_one(text, wrt, shapes, expected):
    d = cr.derive(text, wrt, shapes)
    known = cr.derive(text, wrt, shapes).unfolded
    lines = [f"{line.name} = {cr.algebra.source.source(line.expression)}" for line in known.lines]
    sizes = dict(zip(d.program.symbols, (4, 5, 6, 7), strict=False))
    rng = np.random.default_rng(0)
    point = {
        name: np.abs(rng.normal(size=[size.at(sizes) for size in shape])) + 0.1
        for name, shape in d.program.inputs.items()
    }
    claim = cr.algebra.read("\n".join([*lines, f"claim = {expected}"]), shapes)
    assert d.evaluate(point) == pytest.approx(cr.algebra.evaluate.run(claim, point, sizes)["claim"], rel=1e-12)
    assert d.result.shape == d.program.inputs[wrt], "a gradient has the shape of its variable"


RIDGE = "E = sum((X @ w - y)**2) / (2 * N) + lam / 2 * sum(w**2)"


def test_ridge_regression():
    d = cr.derive(RIDGE, "w", {"X": "N,D", "w": "D", "y": "N", "lam": ()})
    assert d.result.source == "X.T @ (q1 / N) + lam * w"
    p = values(np.random.default_rng(0), X=(7, 3), w=3, y=7)
    expected = p["X"].T @ (p["X"] @ p["w"] - p["y"]) / 7 + 0.3 * p["w"]
    assert d.evaluate({**p, "lam": 0.3}) == pytest.approx(expected, abs=1e-14)


LOGISTIC = """
p = sigmoid(X @ w)
E = -mean(y * log(p) + (1 - y) * log(1 - p))
"""
LOGISTIC_SHAPES = {"X": "N,D", "w": "D", "y": "N"}


def test_logistic_regression_leaves_p_minus_y():
    d = cr.derive(LOGISTIC, "w", LOGISTIC_SHAPES)
    assert d.result.source == "X.T @ ((p - y) / N)"


def test_deriving_twice_gives_the_hessian_vector_product():
    first = cr.derive(LOGISTIC, "w", LOGISTIC_SHAPES)
    second = cr.derive(first.source + "\nq = dw @ v", "w", {"v": "D"})
    rng = np.random.default_rng(1)
    p = values(rng, X=(7, 3), w=3, v=3)
    p["y"] = rng.integers(2, size=7)
    s = logistic(p["X"] @ p["w"])
    expected = p["X"].T @ (s * (1 - s) * (p["X"] @ p["v"])) / 7
    assert second.evaluate(p) == pytest.approx(expected, abs=1e-14)


def test_deriving_a_derivation_gives_the_hessian():
    hessian = cr.derive(cr.derive(LOGISTIC, "w", LOGISTIC_SHAPES), "w")
    p = values(np.random.default_rng(2), X=(7, 3), w=3)
    s = logistic(p["X"] @ p["w"])
    expected = p["X"].T @ np.diag(s * (1 - s)) @ p["X"] / 7
    given = {**p, "y": np.zeros(7)} if "y" in hessian.program.inputs else p
    assert hessian.evaluate(given) == pytest.approx(expected, abs=1e-14)
    assert "∂dw/∂w" in hessian.text()


def test_softmax_with_the_negative_logarithm_of_one_class():
    """Section C, question 1: both local derivatives and their product."""
    d = cr.derive("y = softmax(o)\nl = -log(y[2])", "o", {"o": "K"})
    local = {pair: step.text for pair, step in d.local_derivatives.items()}
    assert "∂l/∂y[i] = −δ[2,i]/y[2]" in local["l", "y"]
    assert "∂y[i]/∂o[j] = y[i] (δ[i,j] − y[j])" in local["y", "o"]
    assert d.result.source == "y - eye(K)[2]"


def test_softmax_and_cross_entropy_leave_a_minus_t():
    text = "A = softmax(Z, axis=1)\nL = cross_entropy(A, T)"
    shapes = {"Z": "m,K", "T": "m,K"}
    assert cr.derive(text, "Z", shapes, probabilities={"T": 1}).result.source == "(A - T) / m"
    assert cr.derive(text, "Z", shapes).result.source == "(A * sum(T, axis=1, keepdims=True) - T) / m"


NORMALISATION = """
mu = mean(Z, axis=0)
v = var(Z, axis=0)
N = (Z - mu) / sqrt(v + 1e-05)
U = gamma * N + beta
E = sum(U * G)
"""


def test_batch_normalisation():
    shapes = {"Z": "m,h", "gamma": "h", "beta": "h", "G": "m,h"}
    d = cr.derive(NORMALISATION, ["Z", "gamma", "beta"], shapes)
    p = values(np.random.default_rng(3), Z=(7, 3), gamma=3, beta=3, G=(7, 3))
    spread = np.sqrt(p["Z"].var(axis=0) + 1e-5)
    N = (p["Z"] - p["Z"].mean(axis=0)) / spread
    dN = p["G"] * p["gamma"]
    found = d.evaluate(p)
    assert found["Z"] == pytest.approx((dN - dN.mean(axis=0) - N * (dN * N).mean(axis=0)) / spread, abs=1e-13)
    assert found["gamma"] == pytest.approx((p["G"] * N).sum(axis=0), abs=1e-13)
    assert found["beta"] == pytest.approx(p["G"].sum(axis=0), abs=1e-13)


@pytest.mark.parametrize("shape", [(3, 2, 3, 2), (4, 3, 2, 2), (3, 3, 3, 3), (2, 5, 4, 3)])
def test_the_two_layer_tanh_network_on_which_sympy_fails(shape):
    """E = Σ tanh(W2 tanh(W1 X)): the derivative by W1 keeps both elementwise factors where they belong."""
    m, d, h, K = shape
    shapes = {"X": f"{d},{m}", "W1": f"{h},{d}", "W2": f"{K},{h}"}
    derived = cr.derive("E = sum(tanh(W2 @ tanh(W1 @ X)))", ["W1", "W2", "X"], shapes)
    p = values(np.random.default_rng(4), X=(d, m), W1=(h, d), W2=(K, h))
    A1 = np.tanh(p["W1"] @ p["X"])
    dZ2 = 1 - np.tanh(p["W2"] @ A1) ** 2
    dZ1 = (p["W2"].T @ dZ2) * (1 - A1**2)
    found = derived.evaluate(p)
    assert found["W2"] == pytest.approx(dZ2 @ A1.T, abs=1e-13)
    assert found["W1"] == pytest.approx(dZ1 @ p["X"].T, abs=1e-13)
    assert found["X"] == pytest.approx(p["W1"].T @ dZ1, abs=1e-13)


def test_a_three_layer_tanh_network():
    text = "A1 = tanh(X @ W1)\nA2 = tanh(A1 @ W2)\nA3 = tanh(A2 @ W3)\nE = sum((A3 - T)**2) / 2"
    shapes = {"X": "m,d", "W1": "d,h1", "W2": "h1,h2", "W3": "h2,K", "T": "m,K"}
    d = cr.derive(text, ["W1", "W2", "W3"], shapes)
    p = values(np.random.default_rng(5), X=(5, 2), W1=(2, 3), W2=(3, 4), W3=(4, 6), T=(5, 6))
    A1 = np.tanh(p["X"] @ p["W1"])
    A2 = np.tanh(A1 @ p["W2"])
    A3 = np.tanh(A2 @ p["W3"])
    dZ3 = (A3 - p["T"]) * (1 - A3**2)
    dZ2 = dZ3 @ p["W3"].T * (1 - A2**2)
    dZ1 = dZ2 @ p["W2"].T * (1 - A1**2)
    found = d.evaluate(p)
    assert found["W3"] == pytest.approx(A2.T @ dZ3, abs=1e-12)
    assert found["W2"] == pytest.approx(A1.T @ dZ2, abs=1e-12)
    assert found["W1"] == pytest.approx(p["X"].T @ dZ1, abs=1e-12)


RESIDUAL = """
z = W1 @ x + b1
h = sigmoid(z)
y = x + W2 @ h + b2
R = r @ h
S = sum((y - s)**2) / 2
E = R + S
"""
RESIDUAL_SHAPES = {"x": "N", "W1": "K,N", "b1": "K", "W2": "N,K", "b2": "N", "r": "K", "s": "N"}


def test_section_b_by_every_name():
    d = cr.derive(RESIDUAL, list(RESIDUAL_SHAPES), RESIDUAL_SHAPES)
    p = values(np.random.default_rng(6), x=4, W1=(3, 4), b1=3, W2=(4, 3), b2=4, r=3, s=4)
    h = logistic(p["W1"] @ p["x"] + p["b1"])
    dy = p["x"] + p["W2"] @ h + p["b2"] - p["s"]
    dz = h * (1 - h) * (p["W2"].T @ dy + p["r"])
    expected = {
        "x": dy + p["W1"].T @ dz,
        "W1": np.outer(dz, p["x"]),
        "b1": dz,
        "W2": np.outer(dy, h),
        "b2": dy,
        "r": h,
        "s": -dy,
    }
    found = d.evaluate(p)
    assert list(found) == list(RESIDUAL_SHAPES)
    for name, G in expected.items():
        assert found[name] == pytest.approx(G, abs=1e-13), name


def test_section_b_by_x_is_printed_in_its_correct_form():
    d = cr.derive(RESIDUAL, "x", RESIDUAL_SHAPES)
    assert d.result.source == "W1.T @ ((W2.T @ (y - s) + r) * h * (1 - h)) + y - s"
    assert str(d.result) == "W1ᵀ ((W2ᵀ (y − s) + r) ∘ h ∘ (1 − h)) + y − s"


def test_columns_of_matrices_with_one_column_stay_matrices():
    shapes = {"x": "N,1", "W1": "K,N", "b1": "K,1", "W2": "N,K", "b2": "N,1", "r": "K,1", "s": "N,1"}
    d = cr.derive(RESIDUAL.replace("r @ h", "sum(r.T @ h)"), ["x", "W1", "b1", "W2"], shapes)
    assert [cr.algebra.source.source(line.expression) for line in d.lines if line.name in ("dx", "dW1", "dW2")] == [
        "W1.T @ dz + dy",
        "dz @ x.T",
        "dy @ h.T",
    ]


PRINTED = "W1.T @ W2.T @ (y - s) * h * (1 - h) + (y - s) + W1.T @ r * h * (1 - h)"


def test_the_form_printed_in_report_003_has_no_meaning_where_n_and_k_differ(refused):
    with refused("(N,) and (K,)", "do not broadcast"):
        check_formula(RESIDUAL, "x", PRINTED, RESIDUAL_SHAPES)


def test_the_form_printed_in_report_003_has_wrong_numbers_where_n_and_k_agree(refused):
    square = {"x": "N", "W1": "N,N", "b1": "N", "W2": "N,N", "b2": "N", "r": "N", "s": "N"}
    with refused("∂E/∂x", "central differences", error=cr.algebra.UnverifiedError):
        check_formula(RESIDUAL, "x", PRINTED, square)
    correct = "(y - s) + W1.T @ (h * (1 - h) * (W2.T @ (y - s) + r))"
    assert len(check_formula(RESIDUAL, "x", correct, RESIDUAL_SHAPES)) == 2
    with pytest.raises(cr.algebra.UnverifiedError) as error:
        check_formula(RESIDUAL, "x", PRINTED, square)
    report = error.value.report
    assert len(report["entry"]) == 1
    assert abs(report["analytic"] - report["numeric"]) > 1e-3


def test_the_form_printed_in_report_003_is_right_for_one_single_unit_only():
    """N = K = 1 hides the mistake, which is why the sizes are pairwise different and greater."""
    one = {"x": 1, "W1": "1,1", "b1": 1, "W2": "1,1", "b2": 1, "r": 1, "s": 1}
    assert check_formula(RESIDUAL, "x", PRINTED, one)


def test_the_derivative_of_a_vector_by_a_vector_is_a_matrix():
    d = cr.derive("y = softmax(W @ x)", "x", {"W": "K,N", "x": "N"})
    p = values(np.random.default_rng(7), W=(4, 3), x=3)
    e = np.exp(p["W"] @ p["x"])
    a = e / e.sum()
    assert d.evaluate(p) == pytest.approx((np.diag(a) - np.outer(a, a)) @ p["W"], abs=1e-14)
    assert d.result.expression is not None


def test_the_derivative_of_a_vector_by_a_matrix_is_given_entry_by_entry(refused):
    d = cr.derive("y = W @ x", "W", {"W": "K,N", "x": "N"})
    assert "∂y[i]/∂W[j,k] = x[k] δ[i,j]" in d.text()
    p = values(np.random.default_rng(8), W=(4, 3), x=3)
    assert d.evaluate(p) == pytest.approx(np.einsum("ij,k->ijk", np.eye(4), p["x"]))
    with refused("is no matrix", "(K, K, N)"):
        _ = d.result.source


def test_what_the_result_does_not_depend_on_has_the_derivative_zero_and_it_is_said():
    d = cr.derive("z = A @ x\nE = sum(x)", ["x", "A"], {"A": "K,N", "x": "N"})
    assert "E does not depend on A: the derivative is zero." in d.text()
    assert d.evaluate({"A": np.ones((2, 3)), "x": np.ones(3)})["A"] == pytest.approx(np.zeros((2, 3)))
    assert cr.derive("E = sum(x)", "b", {"x": "N", "b": "K"}).result.source == "zeros((K,))"


def test_intermediate_results_can_be_differentiated_by():
    d = cr.derive(RESIDUAL, "h", RESIDUAL_SHAPES)
    assert d.result.source == "W2.T @ (y - s) + r"


def test_the_local_derivatives_of_a_line_that_is_used_twice_are_added():
    d = cr.derive("a = 3 * x\nb = a + a\nc = b * b", "x", {"x": ()})
    assert d.evaluate({"x": 2.0}) == pytest.approx(2 * 36 * 2)
    d = cr.derive("b = tanh(x)\nc = b * x + exp(b)", "x", {"x": ()})
    assert "the paths are added" in d.markdown()


@pytest.mark.parametrize(
    ("text", "wrt", "shapes", "expected"),
    [
        ("E = trace(A @ A @ A)", "A", {"A": "N,N"}, "3 Aᵀ Aᵀ"),
        ("E = trace(A @ B) - trace(B @ A)", "A", {"A": "N,N", "B": "N,N"}, "0_(N×N)"),
        ("E = sum(concatenate((x, y, x)))", "x", {"x": "N", "y": "N"}, "2 1_N"),
        ("E = sum(v[K:]) * c + sum(w)", "c", {"v": "N", "w": "K", "c": ()}, "Σ v[K:]"),
        ("E = sum(x[2*K:]) * sum(w)", "x", {"x": "N", "w": "K"}, "(Σ w) pad_(2K, 0)(1_(N − 2K))"),
        ("E = sum(x) / M", "x", {"x": "N", "y": "M"}, "1/M 1_N"),
        ("E = sum(Z, axis=1) @ y", "Z", {"Z": "m,K", "y": "m"}, "y 1ᵀ"),
        ("E = sum(Z @ y)", "Z", {"Z": "m,K", "y": "K"}, "1 yᵀ"),
        ("E = sum(Z * Z[:, :1])", "Z", {"Z": "m,K"}, "Z[:, 0] 1ᵀ + (Σ_columns Z) (e_0)ᵀ"),
    ],
)
def test_results_are_written_as_a_person_would(text, wrt, shapes, expected):
    assert str(cr.derive(text, wrt, shapes).result) == expected


def test_gradients_have_a_sign_of_their_own_where_the_text_has_a_name_like_theirs():
    d = cr.derive("dw = X.T @ (X @ w)\nq = dw @ v", "w", {"X": "N,D", "w": "D", "v": "D"})
    for page, sign in ((d.text(), "∇w = "), (d.latex(), r"\nabla w &="), (d.html(), "∇</mi>")):
        assert sign in page
    assert "∇V is short for the derivative" in d.preface
    assert "dV is short" in cr.derive("E = sum(x)", "x", {"x": "N"}).preface


def test_a_claim_is_not_tried_where_its_text_has_no_meaning():
    claim = check_claim("E = sum(v[K:]) * c + sum(w)", "c", "sum(v[K:])", {"v": "N", "w": "K", "c": ()})
    assert [trial.verdict for trial in claim.trials] == ["right", "not tried"]
    assert claim.ok


def test_a_claim_can_have_lines_of_its_own_and_use_sizes():
    shapes = {"W": "K,N", "x": "N"}
    claim = check_claim("z = W @ x\nE = mean(z**2)", "x", "# halves\ng = z / K\n\n2 * W.T @ g", shapes)
    assert claim.ok
    assert claim.formula == "g = z / K\n2 * W.T @ g"
    assert [trial.sizes for trial in claim.trials] == ["sizes pairwise different", "K = N > 1"]
    assert not check_claim("z = W @ x\nE = mean(z**2)", "x", "2 * W.T @ z / N", shapes).ok


def test_a_claim_about_a_jacobian_and_one_about_nothing():
    assert check_claim("y = softmax(o)", "o", "diag(y) - outer(y, y)", {"o": "K"}).ok
    assert not check_claim("y = softmax(o)", "o", "diag(y)", {"o": "K"}).ok
    assert check_claim("E = sum(x)", "b", "zeros(K)", {"x": "N", "b": "K"}).ok
