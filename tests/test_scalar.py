"""The scalar engine: every rule against differences, closed forms, the course's table, and the array engine."""

import math
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import chainrule as cr
from chainrule import differences, scalar
from chainrule.scalar import MLP, Value, stochastic_descent
from chainrule.scalar.perceptron import leaves
from refusals import refusal

ACTIVATIONS = ("identity", "sigmoid", "tanh", "relu", "leaky_relu(0.2)", "elu(0.7)", "swish(1.5)", "gelu", "softplus")
OUTPUTS = ("softmax", "sigmoid", "identity")
TABLE = {"W1": [[1, 1, 1], [-1, -1, -1]], "b1": [0, 0, 0], "W2": [[1, 1], [-1, -1], [-1, -1]], "b2": [0, 0]}


# The engine


def test_a_value_that_is_used_twice_collects_both_gradients():
    a = Value(3.0, "a")
    b = a + a
    c = b + b
    c.backward()
    assert (c.number, b.gradient, a.gradient) == (12.0, 2.0, 4.0)


def test_a_diamond_adds_its_two_sides():
    """f = (x y) + (x / y): ∂f/∂x = y + 1/y, ∂f/∂y = x − x/y²."""
    x, y = Value(3.0), Value(2.0)
    (x * y + x / y).backward()
    assert (x.gradient, y.gradient) == (2.5, 3 - 0.75)


def test_a_shared_node_deep_below_two_others_is_passed_on_once():
    """Were the order not topological, the gradient of s would be passed on before it is complete."""
    x = Value(1.5)
    s = x * x
    (s * (s + scalar.exp(s * s)) - s).backward()
    numeric = differences.gradient(lambda v: v * v * (v * v + math.exp(v**4)) - v * v, np.float64(1.5))
    assert x.gradient == pytest.approx(numeric.values, rel=1e-9)


def test_leaves_accumulate_over_calls_and_values_between_do_not():
    x = Value(2.0)
    y = x * x
    z = y * 3
    z.backward()
    z.backward()
    assert (x.gradient, y.gradient) == (24.0, 3.0)
    x.gradient = 0.0
    z.backward()
    assert x.gradient == 12.0


@pytest.mark.parametrize("length", [100_000])
def test_a_chain_of_100_000_values_works(length):
    x = Value(0.5, "x")
    y = x
    for _ in range(length):
        y = y + 1.0
    y.backward()
    assert (y.number, x.gradient, len(y.tape())) == (length + 0.5, 1.0, 2 * length + 1)


OPERATIONS = {
    "x + y": lambda x, y: x + y,
    "x − y": lambda x, y: x - y,
    "x y": lambda x, y: x * y,
    "x / y": lambda x, y: x / y,
    "−x": lambda x, y: -x,
    "x³": lambda x, y: x**3,
    "x⁰": lambda x, y: x**0,
    "y^−1.5": lambda x, y: (y * y) ** -1.5,
    "numbers on the left": lambda x, y: 1 + (2 - (3 * (4 / y))),
    "exp": lambda x, y: scalar.exp(x),
    "log": lambda x, y: scalar.log(y * y),
    "sqrt": lambda x, y: scalar.sqrt(y * y),
    "abs": lambda x, y: scalar.absolute(x),
    "total": lambda x, y: scalar.total([x, y, x, 2.0]),
    "softmax": lambda x, y: scalar.softmax([x, y, x * y])[1],
    "cross-entropy": lambda x, y: scalar.cross_entropy([x, y, x * y], [0.2, 0.5, 0.3]),
    "binary cross-entropy": lambda x, y: scalar.binary_cross_entropy([x, y], [0.2, 1.0]),
    "squared error": lambda x, y: scalar.squared_error([x, y], [0.2, 1.0]),
    **{name: lambda x, y, name=name: scalar.rules.activation(name)(x * 1.0) for name in ACTIVATIONS},
}


@pytest.mark.parametrize("name", OPERATIONS)
@pytest.mark.parametrize("at", [(0.7, 1.3), (-0.4, -2.1), (2.5, 0.6)])
def test_every_rule_agrees_with_central_differences(name, at):
    x, y = (Value(number) for number in at)
    OPERATIONS[name](x, y).backward()
    numeric = differences.gradient(lambda p: OPERATIONS[name](*map(Value, p.tolist())).number, np.array(at)).values
    assert [x.gradient, y.gradient] == pytest.approx(numeric.tolist(), rel=1e-8, abs=1e-9)


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_activations_equal_those_of_the_array_engine(name):
    rule = cr.rules.activation(name)
    Z = np.array([-30.0, -3.1, -1e-3, 0.0, 1e-3, 0.4, 5.0, 40.0])
    values = [Value(z) for z in Z.tolist()]
    results = [scalar.rules.activation(name)(v) for v in values]
    for result in results:
        result.backward()
    assert [r.number for r in results] == pytest.approx(rule.value(Z).tolist(), rel=1e-14, abs=1e-15)
    slopes = rule.derivative(Z, rule.value(Z)).tolist()
    assert [v.gradient for v in values] == pytest.approx(slopes, rel=1e-13, abs=1e-15)


def test_numbers_at_the_ends_of_the_floats_are_computed_with():
    x, y = Value(1e-300), Value(1e-200)
    (x / y).backward()
    assert (x.gradient, y.gradient) == (1e200, -1e100)
    assert scalar.total([Value(1e308), Value(1e308)]).number == math.inf
    assert Value(np.float32(0.5)).number == 0.5


def test_great_logits_neither_overflow_nor_lose_digits():
    z = [Value(1000.0), Value(1001.0)]
    assert scalar.cross_entropy(z, [1.0, 0.0]).number == pytest.approx(math.log(1 + math.e), rel=1e-14)
    assert [a.number for a in scalar.softmax(z)] == pytest.approx([1 / (1 + math.e), math.e / (1 + math.e)])
    assert scalar.sigmoid(Value(-800.0)).number == 0.0


def test_the_tape_names_every_value_with_its_parents_before_it():
    a, b = Value(2.0, "a"), Value(5.0, "b")
    result = scalar.tanh(a * b + a)
    result.name = "result"
    result.backward()
    lines = str(result.tape()).splitlines()
    assert lines[0].split() == ["name", "number", "gradient", "from"]
    assert [line.split()[0] for line in lines[1:]] == ["a", "b", "#2", "#3", "result"]
    assert lines[3].split() == ["#2", "10.0", repr(1 - math.tanh(12) ** 2), "×", "a", "b"]
    assert lines[5].endswith("tanh #3")


@pytest.mark.parametrize(
    ("bad", "words"),
    [
        (lambda: Value("3"), ("'3' is no number",)),
        (lambda: Value(1.0) + "x", ("'x'",)),
        (lambda: Value(1.0, "a") / Value(0.0, "b"), ("a = 1 is divided by b = 0",)),
        (lambda: scalar.log(Value(-1.0, "p")), ("p = -1",)),
        (lambda: scalar.log(0.0), ("logarithm of 0",)),
        (lambda: scalar.exp(Value(1e4, "z")), ("z = 10000", "too great")),
        (lambda: Value(-2.0) ** 0.5, ("-2", "0.5")),
        (lambda: Value(0.0) ** -1, ("0", "-1")),
        (lambda: Value(2.0) ** Value(2.0), ("exponent",)),
        (lambda: 2.0 ** Value(3.0, "x"), ("x = 3", "exp(x * math.log(2.0))")),
        (lambda: Value(10**400), ("too great for a float",)),
        (lambda: Value(1e200, "x") ** 2, ("x = 1e+200", "too great")),
        (lambda: scalar.rules.activation("leaky_relu(a)"), ("'a'", "no number")),
        (lambda: scalar.rules.activation("tanh(3)"), ("tanh has no setting '3'", "It has none.")),
        (lambda: scalar.rules.activation("elu(slope=1)"), ("elu has no setting 'slope=1'", "alpha")),
        (lambda: scalar.rules.activation(3), ("3 names no activation",)),
        (lambda: scalar.sqrt(Value(0.0, "x")).backward(), ("^0.5 has no derivative at x = 0",)),
        (lambda: scalar.absolute(Value(0.0, "x")).backward(), ("abs has no derivative at x = 0",)),
    ],
)
def test_what_has_no_value_or_no_derivative_is_refused(bad, words):
    message = refusal(bad)
    assert [word for word in words if word not in message] == []


def test_it_needs_nothing_but_the_standard_library():
    code = "import chainrule.scalar, sys; assert 'numpy' not in sys.modules, 'numpy was imported'"
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


@pytest.mark.parametrize("name", OPERATIONS)
def test_every_rule_agrees_with_pytorch(name):
    torch = pytest.importorskip("torch")
    functions = torch.nn.functional
    theirs = {
        **{op: function for op, function in OPERATIONS.items() if not op[0].isalpha() or op[0] in "xy"},
        "numbers on the left": OPERATIONS["numbers on the left"],
        "exp": lambda x, y: torch.exp(x),
        "log": lambda x, y: torch.log(y * y),
        "sqrt": lambda x, y: torch.sqrt(y * y),
        "abs": lambda x, y: torch.abs(x),
        "total": lambda x, y: x + y + x + 2.0,
        "softmax": lambda x, y: torch.softmax(torch.stack([x, y, x * y]), 0)[1],
        "cross-entropy": lambda x, y: functions.cross_entropy(
            torch.stack([x, y, x * y])[None], torch.tensor([[0.2, 0.5, 0.3]], dtype=torch.float64)
        ),
        "binary cross-entropy": lambda x, y: functions.binary_cross_entropy_with_logits(
            torch.stack([x, y]), torch.tensor([0.2, 1.0], dtype=torch.float64), reduction="sum"
        ),
        "squared error": lambda x, y: ((x - 0.2) ** 2 + (y - 1.0) ** 2) / 2,
        "identity": lambda x, y: x,
        "sigmoid": lambda x, y: torch.sigmoid(x),
        "tanh": lambda x, y: torch.tanh(x),
        "relu": lambda x, y: torch.relu(x),
        "leaky_relu(0.2)": lambda x, y: functions.leaky_relu(x, 0.2),
        "elu(0.7)": lambda x, y: functions.elu(x, 0.7),
        "swish(1.5)": lambda x, y: x * torch.sigmoid(1.5 * x),
        "gelu": lambda x, y: functions.gelu(x),
        "softplus": lambda x, y: functions.softplus(x),
    }
    for at in ((0.7, 1.3), (-0.4, -2.1), (2.5, 0.6)):
        x, y = (Value(number) for number in at)
        ours = OPERATIONS[name](x, y)
        ours.backward()
        p, q = (torch.tensor(number, dtype=torch.float64, requires_grad=True) for number in at)
        result = theirs[name](p, q)
        result.backward()
        expected = [float(tensor.grad) if tensor.grad is not None else 0.0 for tensor in (p, q)]
        assert ours.number == pytest.approx(float(result.detach()), rel=1e-12)
        assert [x.gradient, y.gradient] == pytest.approx(expected, rel=1e-10, abs=1e-12)


# The network


def test_the_course_table_to_all_printed_digits():
    """Section C of the assignments: x = [1, −1], class 0, sigmoid, softmax."""
    model = MLP(TABLE, "sigmoid", "softmax")
    loss = model.loss([[1, -1]], [[1, 0]])
    loss.backward()
    found = {v.name: v for v in loss.tape() if v.name}
    numbers = lambda name, n: [format(found[f"{name}[0,{k}]"].number, ".16g") for k in range(n)]  # noqa: E731
    assert numbers("Z1", 3) == ["2"] * 3
    assert numbers("A1", 3) == ["0.8807970779778823"] * 3
    assert numbers("Z2", 2) == ["-0.8807970779778823"] * 2
    assert model.predict([1, -1]) == [0.5, 0.5]
    assert format(loss.number, ".16g") == "0.6931471805599453"
    assert [found[f"Z2[0,{k}]"].gradient for k in range(2)] == [-0.5, 0.5]
    assert [found[f"A1[0,{k}]"].gradient for k in range(3)] == [0.0] * 3
    gradients = model.gradients()
    assert gradients["b2"] == [-0.5, 0.5]
    assert [[format(g, ".16g") for g in row] for row in gradients["W2"]] == [
        ["-0.4403985389889412", "0.4403985389889412"]
    ] * 3
    assert gradients["W1"] == [[0.0] * 3] * 2
    assert gradients["b1"] == [0.0] * 3


@st.composite
def networks(draw):
    """A network of any rules, its parameters off their start, with inputs and targets that fit; m equals no width."""
    depth = draw(st.integers(1, 4))
    layers = draw(st.permutations([2, 3, 4, 5, 6]))[: depth + 1]
    hidden = depth - 1
    net = cr.Network(
        layers,
        activation=[draw(st.sampled_from(ACTIVATIONS)) for _ in range(hidden)],
        output=draw(st.sampled_from(OUTPUTS)),
        batch_norm=[draw(st.booleans()) for _ in range(hidden)],
        dropout=[draw(st.sampled_from([0, 0.4])) for _ in range(hidden)],
        dtype="float64",
        seed=draw(st.integers(0, 10**6)),
    )
    rng = np.random.default_rng(draw(st.integers(0, 10**6)))
    for P in net.parameters().values():
        P += rng.normal(0, 0.4, P.shape)
    for name, S in net.statistics().items():
        S += rng.uniform(0.2, 1, S.shape) if name.startswith("variance") else rng.normal(0, 0.5, S.shape)
    m = draw(st.sampled_from([1, 7]))
    T = rng.dirichlet(np.ones(layers[-1]), m) if net.output.name == "softmax" else rng.random((m, layers[-1]))
    return net, rng.normal(size=(m, layers[0])), T, draw(st.sampled_from([0.0, 0.3]))


@settings(deadline=None, max_examples=60)
@given(networks())
def test_loss_and_every_gradient_of_any_network_equal_those_of_the_array_engine(case):
    net, X, T, l2 = case
    model = MLP.of(net)
    loss = model.loss(X.tolist(), T.tolist(), l2=l2)
    loss.backward()
    assert loss.number == pytest.approx(net.loss(X, T, l2=l2), rel=1e-12, abs=1e-12)
    gradients = net.backward(net.forward(X), T, l2=l2)
    found = model.gradients()
    assert list(found) == list(gradients)
    for name, G in gradients.items():
        assert np.abs(np.array(found[name]) - G).max() <= 1e-12 * max(1, np.abs(G).max()), name
    deltas = {v.name: v.gradient for v in loss.tape()}
    for name in (name for name in net.forward(X) if name[0] in "ZU" and f"{name}[0,0]" in deltas):
        assert deltas[f"{name}[0,0]"] == pytest.approx(
            net.backward(net.forward(X), T, l2=l2).deltas[name][0, 0], rel=1e-12, abs=1e-12
        )
    assert model.predict(X[0].tolist()) == pytest.approx(net.output.value(net.logits(X))[0].tolist(), abs=1e-12)


@pytest.mark.parametrize("edition", [2020, 2021])
def test_stochastic_descent_on_synth_takes_the_steps_of_the_array_engine(edition):
    data = cr.load_data("synth", edition=edition, samples=700)
    x, y = data.train.x[:500].astype(np.float64), data.train.y[:500]
    net = cr.Network([2, 3, 2], activation="sigmoid", init="normal(1)", dtype="float64", seed=2)
    model, T = MLP.of(net), np.eye(2)[y]
    for _ in range(2):
        assert len(stochastic_descent(model, x.tolist(), T.tolist(), 0.1)) == 500
    cr.train(net, (x, y), optimizer="sgd", learning_rate=0.1, batch_size=1, epochs=2, shuffle=False)
    for name, P in net.parameters().items():
        numbers = np.array([v.number for v in leaves(model.parameters[name])]).reshape(P.shape)
        assert np.abs(numbers - P).max() < 1e-10, name


def test_stochastic_descent_learns_synth():
    """The ellipse; an epoch's mean instance loss falls from about the prior's entropy to well below it."""
    data = cr.load_data("synth", edition=2021, samples=2500)
    x, T = data.train.x[:2000].tolist(), np.eye(2)[data.train.y[:2000]].tolist()
    model = MLP.of(cr.Network([2, 3, 2], activation="sigmoid", init="normal(1)", dtype="float64", seed=0))
    epochs = [np.mean(stochastic_descent(model, x, T, 0.1)) for _ in range(8)]
    prior = np.mean(T, axis=0)
    assert epochs[-1] < 0.7 * -(prior * np.log(prior)).sum()


@pytest.mark.parametrize(
    ("bad", "words"),
    [
        (lambda: MLP(TABLE, "rleu"), ("'rleu'", "'relu'")),
        (lambda: MLP(TABLE, output="sofmax"), ("'sofmax'", "'softmax'")),
        (lambda: MLP({**TABLE, "W2": [[1, 1]]}), ("W2 has 1 rows", "3")),
        (lambda: MLP({**TABLE, "W1": [[1, 1, 1], [1, 1]]}), ("W1",)),
        (lambda: MLP({**TABLE, "b1": [0, 0]}), ("b1 has 2 numbers for 3 units",)),
        (lambda: MLP({"W1": [["a"]], "b1": [0]}), ("'a'",)),
        (lambda: MLP(TABLE, ["tanh", "tanh"]), ("2 activations",)),
        (lambda: MLP({}), ("0 layers",)),
        (lambda: MLP(TABLE).logits([1, 2, 3]), ("sample of 3 numbers", "2")),
        (lambda: MLP(TABLE).loss([[1, 2]], []), ("1 samples but 0",)),
        (lambda: MLP(TABLE).loss([[1, 2]], [[1]]), ("target of sample 0", "1 numbers for 2 outputs")),
        (lambda: MLP(TABLE).loss([[1, 2]], [1]), ("target of sample 0 is 1 for 2 outputs",)),
        (lambda: MLP({"W1": [[1, 2]]}), ("layer 1 has no b1",)),
        (lambda: stochastic_descent(MLP(TABLE), [[1, 2]], [], 0.1), ("1 samples but 0",)),
        (lambda: MLP.of(cr.Network([2, 3, 2], activation=CUBE)), ("'cube'",)),
    ],
)
def test_a_network_that_does_not_fit_is_refused(bad, words):
    message = refusal(bad)
    assert [word for word in words if word not in message] == []


CUBE = cr.rules.Activation("cube", lambda z: z**3, lambda z, a: 3 * z**2, "z^3", "3 z^2")


def test_engines_are_measured_side_by_side():
    """How fast each engine is is no matter of a test; that a number is slower than an array is."""
    found = cr.compare_engines([[2, 3, 2], [30, 20, 4]], engines=["scalar", "reference"], seconds=0)
    lines = str(found).splitlines()
    assert lines[0].split() == ["samples", "a", "second", "2–3–2", "30–20–4"]
    assert [line[:22].strip() for line in lines[1:]] == ["one number at a time", "arrays", "arrays ÷ scalar"]
    assert min(found.rates["scalar"]) > 0
    assert found.rates["reference"][1] > found.rates["scalar"][1]


@pytest.mark.parametrize(
    ("bad", "words"),
    [
        (lambda: cr.compare_engines(engines=["scaler"]), ("'scaler'", "'scalar'")),
        (lambda: cr.compare_engines([]), ("nothing to measure",)),
        (lambda: cr.compare_engines([[3]]), ("[3]",)),
        (lambda: cr.compare_engines(seconds=-1), ("seconds is -1",)),
    ],
)
def test_engines_that_cannot_be_measured_are_refused(bad, words):
    message = refusal(bad)
    assert [word for word in words if word not in message] == []


def test_the_example_of_the_engines():
    program = Path(__file__).parents[1] / "examples" / "engines.py"
    done = subprocess.run(
        [sys.executable, str(program), "--seconds", "0", "--engines", "scalar"],
        capture_output=True,
        text=True,
        timeout=300,
        check=True,
    )
    assert done.stdout.split()[:5] == ["samples", "a", "second", "2–3–2", "64–32–10"]
