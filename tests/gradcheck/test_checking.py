"""What the checker accepts, what it leaves out, what it says, and what it refuses."""

import os

import numpy as np
import pytest

import chainrule as cr
from chainrule import differences
from chainrule.gradcheck import check_function, check_gradients
from refusals import refusal
from test_gradients import random_case

# What is right is accepted


def assert_accepted(numbers):
    left_out = entries = 0
    for number in numbers:
        case = random_case(number)
        report = check_gradients(case.net, case.x, case.y, l2=case.l2, wrt_input=True, seed=number)
        assert report.ok, f"network {number}, {case.net!r}\n{report}"
        left_out += sum(row.left_out for row in report.rows)
        entries += sum(int(np.prod(row.shape)) for row in report.rows)
    assert left_out <= 0.001 * entries


@pytest.mark.parametrize("block", range(4))
def test_1000_random_networks_are_accepted(block):
    """All activations, outputs, batch norm, dropout, L2; by the input too. 20 seconds on one core in all."""
    assert_accepted(range(250 * block, 250 * (block + 1)))


@pytest.mark.fuzz
@pytest.mark.skipif(
    not os.environ.get("CHAINRULE_FUZZ"), reason="1,000 networks by default; CHAINRULE_FUZZ=1 adds 4,000"
)
@pytest.mark.parametrize("block", range(16))
def test_4000_more_random_networks_are_accepted(block):
    assert_accepted(range(1000 + 250 * block, 1000 + 250 * (block + 1)))


def test_a_network_in_float32_is_checked_in_float64_and_left_as_it_was():
    net = cr.Network([6, 8, 3], activation="gelu", batch_norm=True, dropout=0.3, seed=1)
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(7, 6)).astype(np.float32), rng.integers(3, size=7)
    x.flags.writeable = False
    before = {name: array.tobytes() for name, array in {**net.parameters(), **net.statistics()}.items()}
    assert check_gradients(net, x, y).ok
    assert {name: a.tobytes() for name, a in {**net.parameters(), **net.statistics()}.items()} == before
    assert net.dtype == np.float32


def test_a_copy_of_a_network_shares_nothing_that_changes():
    net = cr.Network([3, 4, 2], batch_norm=True, seed=1)
    twin = net.copy("float64")
    assert (twin.dtype, net.dtype) == (np.float64, np.float32)
    for name, array in {**twin.parameters(), **twin.statistics()}.items():
        array += 1
        assert not np.shares_memory(array, {**net.parameters(), **net.statistics()}[name])
    assert net.copy().dtype == np.float32
    x = np.ones((2, 3))
    assert (net.copy().logits(x) == net.logits(x)).all()


def test_both_modes_are_checked_where_they_differ():
    plain = cr.Network([3, 4, 2], seed=0)
    special = cr.Network([3, 4, 2], dropout=0.5, seed=0)
    x, y = np.random.default_rng(0).normal(size=(7, 3)), [0, 1, 1, 0, 1, 0, 1]
    assert [row.mode for row in check_gradients(plain, x, y).rows] == [""] * 4
    assert [row.mode for row in check_gradients(special, x, y).rows] == ["inference"] * 4 + ["training"] * 4


def test_a_great_network_is_checked_by_directions():
    """48,000 weights in some hundred evaluations; entry by entry there would be 192,000."""
    net = cr.Network([300, 150, 20], activation="relu", seed=0)
    rng = np.random.default_rng(0)
    report = check_gradients(net, rng.normal(size=(20, 300)), rng.integers(20, size=20))
    assert report.ok
    assert report.evaluations < 2000
    assert all(row.judged < 30 for row in report.rows)


def test_a_great_gradient_that_is_wrong_everywhere_is_not_asked_to_its_last_entry():
    c = np.random.default_rng(0).normal(size=5000)
    report = check_function(lambda x: float(c @ np.sin(x)), lambda x: 1.1 * c * np.cos(x), 0.1 * c)
    (row,) = report.rows
    assert not report.ok
    assert row.wrong == row.judged < 600


@pytest.mark.parametrize("scale", [1e-8, 1.0, 1e8])
def test_the_scale_of_a_loss_does_not_matter(scale):
    P = {"w": np.array([[0.3, -1.2], [2.0, 0.1]]), "b": 0.7}
    loss = lambda P: scale * float((np.tanh(P["w"]) ** 2).sum() * P["b"])  # noqa: E731
    slope = lambda P: 2 * np.tanh(P["w"]) * (1 - np.tanh(P["w"]) ** 2) * P["b"] * scale  # noqa: E731
    right = lambda P: {"w": slope(P), "b": scale * (np.tanh(P["w"]) ** 2).sum()}  # noqa: E731
    wrong = lambda P: {**right(P), "b": right(P)["b"] * 1.0001}  # noqa: E731
    assert check_function(loss, right, P).ok
    report = check_function(loss, wrong, P)
    assert [row.ok for row in report.rows] == [True, False]


@pytest.mark.parametrize("magnitude", [1e-6, 1e-3, 1.0, 1e3, 1e6])
def test_steps_follow_the_magnitude_of_the_entries(magnitude):
    x = magnitude * np.array([0.7, 1.3, 2.9])
    report = check_function(lambda x: float(np.log(x).sum()), lambda x: 1 / x, x)
    assert report.ok, str(report)
    assert not check_function(lambda x: float(np.log(x).sum()), lambda x: 1.001 / x, x).ok


def test_one_array_and_a_list_of_numbers_will_do():
    report = check_function(lambda x: float((x**2).sum()), lambda x: 2 * x, [1, 2, 3])
    assert report.ok
    assert [row.name for row in report.rows] == ["x"]


# Kinks are left out and counted


def test_entries_beside_a_kink_are_left_out_and_counted():
    """2–3–2 with one sample: unit 0 stands on its kink, so nothing can be said of its weights and its bias."""
    start = {"W1": [[1, 1, 1], [0, 1, -3]], "b1": [-1, 0.3, 0.4], "W2": [[1, 2], [-1, 1], [3, -2]]}
    net = cr.Network([2, 3, 2], activation="relu", init=start, dtype="float64")
    report = check_gradients(net, [[1.0, 1.0]], [0])
    assert {row.name: row.left_out for row in report.rows} == {"W1": 2, "b1": 1, "W2": 0, "b2": 0}
    assert report.ok
    assert "3 left out at kinks" in report.verdict
    assert "W1: 2 entries left out, for a kink lies beside them" in str(report)


def test_a_kink_that_is_near_is_stepped_short_of():
    start = {"W1": [[1.0]], "b1": [5e-4], "W2": [[1.0, -2.0]]}
    net = cr.Network([1, 1, 2], activation="relu", init=start, dtype="float64")
    report = check_gradients(net, [[0.0]], [0])
    row = next(row for row in report.rows if row.name == "b1")
    assert (row.left_out, row.step) == (0, 1e-4)


def test_a_parameter_of_which_nothing_could_be_judged_does_not_pass():
    net = cr.Network([2, 3, 2], activation="relu", init="zeros", dtype="float64")
    report = check_gradients(net, [[1.0, 2.0]], [0])
    assert not report.ok
    assert "W1: nothing could be judged: beside every entry lies a kink" in str(report)


def test_a_kink_that_nobody_declared_is_seen_in_the_values():
    report = check_function(lambda x: float(np.abs(x).sum()), np.sign, np.array([0.0, 1.0, -2.0, 3e-5]))
    (row,) = report.rows
    assert report.ok
    assert row.left_out == 1
    report = check_function(lambda x: float(np.abs(x).sum()), lambda x: np.sign(x) * 1.01, np.array([0.0, 1.0, -2.0]))
    assert report.rows[0].wrong == 2


def test_declared_pieces_are_heeded():
    x = np.array([1e-7, 0.4])
    loss = lambda x: float((x * x * (x > 0)).sum())  # noqa: E731
    report = check_function(loss, lambda x: 2 * x * (x > 0), x, pieces=lambda x: x > 0)
    assert report.rows[0].left_out == 1


def test_a_slope_along_a_line_tells_its_kinks():
    def at(function):
        return differences.along(lambda t: (function(t), None), 1e-3)

    assert at(lambda t: 3 * t + t * t).value == pytest.approx(3, abs=1e-12)
    assert not at(lambda t: 3 * t + 1e3 * t * t).kinked
    assert not at(lambda t: 1 + t**3).kinked
    assert at(abs).kinked
    assert at(lambda t: max(t, 0.0)).kinked


# What rounding hides is told, and is no mistake


def fitted(output, activation, scale, seed):
    """A network beside targets that it already predicts, as after long training: its loss is next to nothing."""
    net = cr.Network([4, 6, 3], activation=activation, output=output, dtype="float64", seed=seed)
    rng = np.random.default_rng(seed)
    for P in net.parameters().values():
        P += rng.normal(0, 0.3, P.shape)
    for name in ("W2", "b2"):
        net.parameters()[name][...] *= scale
    x = rng.normal(size=(7, 4))
    A = net.predict_proba(x)
    y = {"softmax": A.argmax(axis=1), "sigmoid": (A > 0.5).astype(int), "identity": A + 1e-9 * rng.normal(size=A.shape)}
    return net, x, y[output]


@pytest.mark.parametrize("output", ["softmax", "sigmoid", "identity"])
@pytest.mark.parametrize("scale", [1, 10, 30, 100, 300])
def test_a_network_that_fits_its_data_is_never_called_wrong(output, scale):
    """Losses down to 1e-18 have hardly a digit that is not rounding."""
    for seed in range(10):
        net, x, y = fitted(output, ["tanh", "relu", "gelu"][seed % 3], scale, seed)
        found = check_gradients(net, x, y)
        assert all(row.right for row in found.rows), f"{net!r}, loss {net.loss(x, y)}\n{found}"
        assert "WRONG" not in found.verdict
        assert found.ok or "NOT JUDGED" in found.verdict
        assert cr.explain(net, x, y, "W1[1,2]").ok


def test_a_mistake_is_found_in_a_network_that_fits_its_data(monkeypatch):
    right = cr.Network.backward

    def wrong(self, *arguments, **settings):
        G = right(self, *arguments, **settings)
        G["W1"] = 1.1 * G["W1"]
        return G

    net, x, y = fitted("softmax", "tanh", 10, 1)
    monkeypatch.setattr(cr.Network, "backward", wrong)
    assert not check_gradients(net, x, y).ok


def test_longer_steps_see_through_the_rounding_of_a_great_loss():
    x = np.ones(3)
    loss = lambda x: 1e12 + float((x**2).sum())  # noqa: E731
    assert check_function(loss, lambda x: 2 * x, x).ok
    assert not check_function(loss, np.zeros_like, x).ok
    rng = np.random.default_rng(0)
    net = cr.Network([4, 5, 3], output="identity", dtype="float64", seed=0)
    inputs, targets = rng.normal(size=(7, 4)), 1e8 * rng.normal(size=(7, 3))
    assert check_gradients(net, inputs, targets).ok


def test_a_gradient_that_rounding_hides_does_not_pass():
    """Beside a loss of 1e30 a gradient of 1 might as well be 0; that of W2, of 1e28, is seen."""
    P = {"W": np.array([0.3, 0.7]), "b": np.array([1.0, 2.0])}
    loss = lambda P: float(1e30 * (P["W"] ** 2).sum() + np.sin(P["b"]).sum())  # noqa: E731
    found = check_function(loss, lambda P: {"W": 2e30 * P["W"], "b": np.cos(P["b"])}, P)
    assert found.ok, "dwarfed by the other gradient"
    assert "b: the loss rounds, so that an error of" in str(found)
    found = check_function(
        lambda P: 1e30 + loss({**P, "W": np.zeros(1)}), lambda P: {"b": np.cos(P["b"])}, {"b": P["b"]}
    )
    assert not found.ok
    assert found.verdict.startswith("Nothing is wrong, but NOT JUDGED is b")
    assert "b: nothing could be judged: its gradient is so small beside the loss" in str(found)
    assert [row.cells()[0] for row in found.rows] == ["??"]


@pytest.mark.parametrize("seed", range(6))
def test_what_a_row_calls_unseen_bounds_what_passes(seed):
    """An error of four times `unseen` in any single entry is rejected: in 784 × 30 with many zeros, as in pictures."""
    rng = np.random.default_rng(seed)
    x = rng.random((16, 784)) * (rng.random(784) > 0.6) * 10 ** rng.uniform(-3, 0, 784)
    net = cr.Network([784, 30, 10], activation="sigmoid", dtype="float64", seed=seed)
    y = rng.integers(10, size=16)
    unseen = check_gradients(net, x, y).rows[0].unseen
    right, index = cr.Network.backward, (int(rng.integers(784)), int(rng.integers(30)))

    def wrong(self, *arguments, **settings):
        G = right(self, *arguments, **settings)
        G["W1"] = G["W1"].copy()
        G["W1"][index] += 4 * unseen
        return G

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(cr.Network, "backward", wrong)
        found = check_gradients(net, x, y)
    assert not found.ok
    assert found.worst.index == index


def test_a_single_entry_of_a_matrix_with_many_zeros_is_found_a_ten_thousandth_off(monkeypatch):
    """Where pixels are 0 for every sample, gradients are; they must not take the room of the others."""
    rng = np.random.default_rng(0)
    x = rng.random((16, 784)) * (rng.random(784) > 0.6)
    net, y = cr.Network([784, 100, 10], activation="sigmoid", dtype="float64", seed=0), rng.integers(10, size=16)
    right = cr.Network.backward
    index = tuple(int(i) for i in np.argwhere(right(net, net.forward(x), y)["W1"])[5000])

    def wrong(self, *arguments, **settings):
        G = right(self, *arguments, **settings)
        G["W1"] = G["W1"].copy()
        G["W1"][index] *= 1.0001
        return G

    monkeypatch.setattr(cr.Network, "backward", wrong)
    assert check_gradients(net, x, y).worst.index == index


def test_kinks_everywhere_are_no_mistake_but_do_not_pass():
    """One sample through batch normalisation is 0 everywhere, where ReLU has its kink."""
    net = cr.Network([4, 5, 3], batch_norm=True, seed=0)
    found = check_gradients(net, [[1.0, 2.0, 3.0, 4.0]], [1])
    assert not found.ok
    assert found.verdict.startswith("Nothing is wrong, but NOT JUDGED is beta1 (training)")
    assert found.worst.name == "beta1"


# What own functions do


def linear(P):
    return float((P["W"] ** 2).sum() + P["b"].sum())


def slope(P):
    return {"W": 2 * P["W"], "b": np.ones(2)}


START = {"W": np.array([[0.5, -1.0]]), "b": np.array([0.1, 0.2])}


@pytest.mark.parametrize(
    ("loss", "gradient", "words"),
    [
        (linear, lambda P: {**slope(P), "W": [[1], [1, 2]]}, ("W: the gradient is of type object",)),
        (linear, lambda P: {**slope(P), "W": [[None, 1.0]]}, ("W: the gradient is of type object",)),
        (linear, lambda P: {**slope(P), "W": "abc"}, ("W: the gradient is of type <U3",)),
        (linear, lambda P: {**slope(P), 3: 1.0}, ("names '3', which is no parameter",)),
        (lambda P: linear({**P, "b": P.pop("b")}), slope, ("the loss changes the parameter b",)),
        (lambda P: linear(P) + 0 * P.setdefault("z", 1.0), slope, ("the loss adds 'z'",)),
        (linear, lambda P: slope(P) | {"b": P.__setitem__("W", P["W"] - 1) or np.ones(2)}, ("gradient changes",)),
        (
            lambda P: float(np.float32(linear(P))),
            slope,
            ("the loss jumps by about", "float32 in it"),
        ),
        (
            linear,
            lambda P: {"W": (2 * P["W"] * (1 + 1e-5)).astype(np.float32), "b": np.ones(2)},
            ("numbers of less than 64 bits",),
        ),
    ],
)
def test_what_own_functions_do_wrong_is_told_in_words(loss, gradient, words):
    found = check_function(loss, gradient, START)
    assert not found.ok
    assert [word for word in words if word not in str(found)] == []


# What a report says


def failing():
    net = cr.Network([3, 4, 2], activation="tanh", seed=0)
    parameters = {name: P.astype(float) for name, P in net.parameters().items()}
    x, y = np.random.default_rng(0).normal(size=(7, 3)), [0, 1, 1, 0, 1, 0, 1]
    twin = net.copy("float64")

    def put(P):
        for name, value in P.items():
            twin.parameters()[name][...] = value
        return twin

    def gradient(P):
        G = dict(put(P).backward(twin.forward(x), y))
        G["W1"] = G["W1"].copy()
        G["W1"][2, 1] = 0.25
        return G

    return check_function(lambda P: put(P).loss(x, y), gradient, parameters)


def test_the_table_names_the_worst_entry_with_all_its_numbers():
    report = failing()
    row = report.worst
    assert (row.name, row.index, row.analytic, row.wrong) == ("W1", (2, 1), 0.25, 1)
    assert row.absolute == pytest.approx(abs(0.25 - row.numeric))
    assert row.relative == pytest.approx(row.absolute / max(0.25, abs(row.numeric)))
    lines = str(report).splitlines()
    assert lines[0].startswith("The gradients are WRONG in W1")
    (line,) = (line for line in lines if line.startswith("NO"))
    assert line.split()[1:5] == ["W1", "3×4", "W1[2,1]", "0.25"]
    assert "W1: 1 of the 12 entries looked at one by one are wrong" in lines[-1]
    assert [line.split()[0] for line in lines[3:7]] == ["NO", "ok", "ok", "ok"]


def test_the_worst_row_is_the_one_that_takes_most_of_what_it_is_allowed():
    """a is 0 and computed as 0: its relative error may be anything, but it takes next to nothing of its allowance."""
    P = {"a": [0.1, 0.1], "b": [1.0, 2.0]}
    loss = lambda P: float(0.37 * (np.exp(P["a"]) - np.exp(0.1) * P["a"]).sum() + (P["b"] ** 3).sum())  # noqa: E731
    right = lambda P: {"a": np.zeros(2), "b": 3 * P["b"] ** 2 * (1 + 5e-7)}  # noqa: E731
    report = check_function(loss, right, P)
    assert report.ok
    assert report.rows[0].relative > 0.1
    assert report.worst.name == "b"
    assert 0.4 < report.worst.excess < 0.6


def test_what_is_no_number_is_none_in_json():
    import json

    report = check_function(lambda P: float((P["w"] ** 2).sum()), lambda P: {"w": P["w"][:1]}, {"w": [1.0, 2.0]})
    (row,) = json.loads(json.dumps(report.to_json(), allow_nan=False))["rows"]
    assert (row["analytic"], row["ok"], row["note"]) == (None, False, "the gradient has shape (1,), the parameter (2,)")


def test_a_report_as_html_is_escaped_and_as_json_is_plain():
    import json

    report = check_function(
        lambda P: float((P["<w>"] ** 2).sum()), lambda P: {"<w>": 2 * P["<w>"]}, {"<w>": [1.0, 2.0]}
    )
    assert "&lt;w&gt;" in report._repr_html_()
    assert "<w>" not in report._repr_html_()
    assert json.loads(json.dumps(report.to_json()))["rows"][0]["ok"] is True


# Bad input


def broken(net):
    net.parameters()["W1"][1, 2] = np.nan
    return net


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda net: check_gradients(net, np.zeros((2, 5)), [0, 1]), ("(2, 5)",)),
        (lambda net: check_gradients(net, [[1, 2, np.nan]], [0]), ("sample 0, column 2",)),
        (lambda net: check_gradients(net, np.zeros((2, 3)), [0]), ("2 samples but 1 targets",)),
        (lambda net: check_gradients(net, np.zeros((1, 3)), [7]), ("label 7",)),
        (lambda net: check_function(lambda x: x, lambda x: x, [1.0, 2.0]), ("single number", "(2,)")),
        (lambda net: check_function(lambda x: "a", lambda x: x, [1.0]), ("'a'",)),
        (lambda net: check_function(lambda x: np.inf, lambda x: x, [1.0]), ("the loss is inf",)),
        (lambda net: check_function(lambda x: 1.0, lambda x: x, ["a"]), ("x is ['a']",)),
        (lambda net: check_function(lambda x: 1.0, lambda x: x, {"w": [np.nan]}), ("w holds", "not finite")),
        (lambda net: check_function(lambda x: 1.0, lambda x: x, {"w": []}), ("w holds no number",)),
        (lambda net: check_function(lambda x: 1.0, lambda x: x, {}), ("no parameters",)),
        (lambda net: check_function(lambda P: 1.0, lambda P: 3.0, {"w": [1.0]}), ("no mapping",)),
        (lambda net: check_function(lambda P: 1.0, lambda P: P, {0: [1.0]}), ("called 0",)),
        (lambda net: check_function(lambda x: 1.0, lambda x: x, None), ("x is None",)),
        (lambda net: check_function(3.0, lambda x: x, [1.0]), ("the loss is 3.0, no function",)),
        (lambda net: check_function(lambda x: 1.0, [2.0], [1.0]), ("the gradient is [2.0], no function",)),
        (lambda net: check_function(lambda x: np.float32(1), lambda x: x, [1.0]), ("the loss is of type float32",)),
        (lambda net: check_gradients("net", np.zeros((1, 3)), [0]), ("'net' is no network",)),
        (lambda net: check_gradients(net, np.zeros((1, 3)), [0], l2=-1), ("l2 is -1",)),
        (lambda net: check_gradients(net, np.zeros((1, 3)), [0], l2=np.nan), ("l2 is nan",)),
        (lambda net: check_gradients(net, np.zeros((1, 3)), [0], seed=-1), ("seed is -1",)),
        (lambda net: check_gradients(broken(net), np.zeros((1, 3)), [0]), ("W1 of the network", "not finite")),
        (lambda net: cr.explain(broken(net), np.zeros((1, 3)), [0], "W2[0,0]"), ("W1 of the network", "not finite")),
        (lambda net: cr.explain(net, np.zeros((1, 3)), [0], "W2[0,0]", l2="a"), ("l2 is 'a'",)),
    ],
)
def test_bad_input_is_refused(call, words):
    message = refusal(call, cr.Network([3, 4, 2]))
    assert [word for word in words if word not in message] == []
