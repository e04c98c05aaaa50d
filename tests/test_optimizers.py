"""Each method against its recurrence, written out again one number at a time, and on bowls whose bottom is known."""

import copy
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chainrule import optimizers
from chainrule.errors import UnknownNameError
from chainrule.optimizers import SGD, Adam, AdamW, Momentum, Nesterov, Optimizer, RMSprop, clip_by_norm
from refusals import refusal

SHAPES = {"W1": (3, 4), "b1": (4,), "W2": (4, 2), "gamma2": (2,), "beta2": (2,)}


def arrays(seed: int, dtype="float64"):
    rng = np.random.default_rng(seed)
    return {name: rng.normal(size=shape).astype(dtype) for name, shape in SHAPES.items()}


# --- the recurrences: from one parameter's start and its gradients g₁ … gₜ to where it ends


def sgd(p, gradients, rate):
    for g in gradients:
        p = p - rate * g
    return p


def momentum(p, gradients, rate, mu):
    v = 0.0
    for g in gradients:
        v = mu * v + g
        p = p - rate * v
    return p


def nesterov(p, gradients, rate, mu):
    """In Sutskever's own variables: v ← μ v − η g at the point looked ahead to, p̂ = p + μ v; p̂ is what is trained."""
    ahead, v = p, 0.0
    for g in gradients:
        place = ahead - mu * v
        v = mu * v - rate * g
        place = place + v
        ahead = place + mu * v
    return ahead


def rmsprop(p, gradients, rate, rho, eps):
    s = 0.0
    for g in gradients:
        s = rho * s + (1 - rho) * g * g
        p = p - rate * g / (math.sqrt(s) + eps)
    return p


def adam(p, gradients, rate, beta1, beta2, eps, decay=0.0):
    """The means written as weighted sums of all gradients so far, as the paper's section 3 unrolls them."""
    for t in range(1, len(gradients) + 1):
        past = gradients[:t]
        m = (1 - beta1) * sum(beta1 ** (t - i) * g for i, g in enumerate(past, 1)) / (1 - beta1**t)
        v = (1 - beta2) * sum(beta2 ** (t - i) * g * g for i, g in enumerate(past, 1)) / (1 - beta2**t)
        p = p - rate * decay * p
        p = p - rate * m / (math.sqrt(v) + eps)
    return p


METHODS = [
    (SGD(0.3), lambda p, g, name: sgd(p, g, 0.3)),
    (Momentum(0.2, 0.8), lambda p, g, name: momentum(p, g, 0.2, 0.8)),
    (Nesterov(0.2, 0.8), lambda p, g, name: nesterov(p, g, 0.2, 0.8)),
    (RMSprop(0.1, 0.7, 1e-3), lambda p, g, name: rmsprop(p, g, 0.1, 0.7, 1e-3)),
    (Adam(0.1, 0.8, 0.95, 1e-3), lambda p, g, name: adam(p, g, 0.1, 0.8, 0.95, 1e-3)),
    (
        AdamW(0.1, 0.8, 0.95, 1e-3, 0.2),
        lambda p, g, name: adam(p, g, 0.1, 0.8, 0.95, 1e-3, 0.2 if name.startswith("W") else 0.0),
    ),
]


@pytest.mark.parametrize(("method", "recurrence"), METHODS, ids=lambda v: type(v).__name__)
def test_several_steps_follow_the_published_recurrence(method, recurrence):
    method, P, start = copy.deepcopy(method), arrays(0), arrays(0)
    gradients = [arrays(seed) for seed in range(1, 7)]
    for G in gradients:
        method.step(P, G)
    assert method.steps == 6
    for name, shape in SHAPES.items():
        for index in np.ndindex(shape):
            expected = recurrence(float(start[name][index]), [float(G[name][index]) for G in gradients], name)
            assert P[name][index] == pytest.approx(expected, rel=1e-12, abs=1e-14), (name, index)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", optimizers.METHODS)
def test_parameters_move_in_place_in_their_dtype_and_gradients_are_left_alone(name, dtype):
    method, P, G = optimizers.optimizer(name), arrays(0, dtype), arrays(1, dtype)
    held = dict(P)
    for gradient in G.values():
        gradient.flags.writeable = False
    for _ in range(3):
        method.step(P, G)
    for key, array in held.items():
        assert P[key] is array
        assert array.dtype == dtype
        assert not np.array_equal(array, arrays(0, dtype)[key])
    for remembered in method.memory.values():
        assert {a.dtype for a in remembered.values()} == {np.dtype(dtype)}
        assert list(remembered) == list(SHAPES)
    assert set(method.memory) == set(method.slots)


@pytest.mark.parametrize(
    "method", [SGD(0.1), Momentum(0.03), Nesterov(0.03), RMSprop(0.01), Adam(0.05), AdamW(0.05, weight_decay=0)]
)
def test_the_bottom_of_a_bowl_is_found(method):
    """½ (p − c)ᵀ A (p − c) with A of condition 10; methods of constant step length end within their rate."""
    A, c = np.array([[1.0, 0.3], [0.3, 5.0]]), np.array([2.0, -1.0])
    P = {"W1": np.array([-3.0, 4.0])}
    for _ in range(1500):
        method.step(P, {"W1": A @ (P["W1"] - c)})
    within = 0.02 if isinstance(method, RMSprop) else 1e-6
    assert P["W1"] == pytest.approx(c, abs=within)


def test_the_first_step_of_adam_is_the_rate_in_the_direction_of_descent():
    P = {"b1": np.array([0.0, 0.0, 0.0])}
    Adam(0.01).step(P, {"b1": np.array([1e-3, -5.0, 1e4])})
    assert P["b1"] == pytest.approx([-0.01, 0.01, -0.01], rel=1e-4)


def test_momentum_under_a_constant_gradient_reaches_its_final_speed():
    """Σ μᵏ = 1/(1 − μ): with μ = 0.9 ten times the step of plain descent."""
    P, method = {"b1": np.zeros(1)}, Momentum(0.01, 0.9)
    for _ in range(300):
        method.step(P, {"b1": np.ones(1)})
    before = P["b1"].copy()
    method.step(P, {"b1": np.ones(1)})
    assert before - P["b1"] == pytest.approx(0.1, rel=1e-9)


def test_nesterov_and_momentum_without_momentum_are_plain_descent():
    moved = []
    for method in (SGD(0.1), Momentum(0.1, 0), Nesterov(0.1, 0)):
        P = arrays(0)
        for seed in (1, 2):
            method.step(P, arrays(seed))
        moved.append(P)
    for name in SHAPES:
        assert np.array_equal(moved[0][name], moved[1][name])
        assert np.array_equal(moved[0][name], moved[2][name])


def test_adamw_shrinks_weights_alone_and_by_rate_times_decay():
    P, zero = arrays(0), {name: np.zeros(shape) for name, shape in SHAPES.items()}
    method = AdamW(0.1, weight_decay=0.5)
    for _ in range(3):
        method.step(P, zero)
    for name, start in arrays(0).items():
        shrunk = 0.95**3 if name.startswith("W") else 1
        assert P[name] == pytest.approx(shrunk * start, rel=1e-14)


def test_adamw_decay_does_not_pass_through_the_moments():
    adam, adamw, P, Q = Adam(0.1), AdamW(0.1, weight_decay=0.5), arrays(0), arrays(0)
    for seed in (1, 2, 3):
        adam.step(P, arrays(seed))
        adamw.step(Q, arrays(seed))
    for slot in ("mean", "square"):
        for name in SHAPES:
            assert np.array_equal(adam.memory[slot][name], adamw.memory[slot][name])
    assert np.array_equal(P["b1"], Q["b1"])


def test_the_rate_may_change_between_steps():
    P, method = {"b1": np.zeros(1)}, SGD(0.1)
    method.step(P, {"b1": np.ones(1)})
    method.learning_rate = 0.5
    method.step(P, {"b1": np.ones(1)})
    assert P["b1"] == pytest.approx(-0.6)


# --- by name


def test_methods_are_found_by_name_with_their_documented_defaults():
    defaults = {name: vars(optimizers.optimizer(name)) for name in optimizers.METHODS}
    assert {name: d["learning_rate"] for name, d in defaults.items()} == {
        "sgd": 0.1,
        "momentum": 0.01,
        "nesterov": 0.01,
        "rmsprop": 0.001,
        "adam": 0.001,
        "adamw": 0.001,
    }
    assert defaults["momentum"]["momentum"] == defaults["nesterov"]["momentum"] == 0.9
    assert defaults["rmsprop"]["decay"] == 0.9
    for name in ("adam", "adamw"):
        assert (defaults[name]["beta1"], defaults[name]["beta2"]) == (0.9, 0.999)
    assert {defaults[name]["epsilon"] for name in ("rmsprop", "adam", "adamw")} == {1e-8}
    assert defaults["adamw"]["weight_decay"] == 0.01


def test_settings_stand_in_the_name_and_the_rate_beside_it():
    found = optimizers.optimizer("adam(beta1=0.8, epsilon=1e-6)", 0.02)
    assert type(found) is Adam
    assert (found.beta1, found.beta2, found.epsilon, found.learning_rate) == (0.8, 0.999, 1e-6, 0.02)
    assert optimizers.optimizer("sgd(0.5)").learning_rate == 0.5
    own = SGD(0.3)
    assert optimizers.optimizer(own) is own
    assert own.learning_rate == 0.3
    assert optimizers.optimizer(own, 0.2).learning_rate == 0.2


def test_an_unknown_method_is_refused_with_the_nearest_one():
    assert "Did you mean 'adam'?" in refusal(optimizers.optimizer, "adm", error=UnknownNameError)


@pytest.mark.parametrize("rate", [0, -0.1, float("nan"), float("inf")])
def test_a_rate_that_is_none_is_refused_wherever_it_comes_in(rate):
    for call in (
        lambda: SGD(rate),
        lambda: optimizers.optimizer("adam", rate),
        lambda: optimizers.optimizer(SGD(0.1), rate),
    ):
        assert f"learning rate {rate}" in refusal(call)


@pytest.mark.parametrize(
    "text",
    [
        "momentum(momentum=1)",
        "momentum(momentum=-0.1)",
        "nesterov(momentum=1.5)",
        "rmsprop(decay=1)",
        "adam(beta1=1)",
        "adam(beta2=-1)",
        "adam(epsilon=-1)",
        "rmsprop(epsilon=-1)",
        "adamw(weight_decay=-0.1)",
    ],
)
def test_settings_outside_their_range_are_refused_by_name(text):
    setting = text.partition("(")[2].partition("=")[0]
    assert setting in refusal(optimizers.optimizer, text)


@pytest.mark.parametrize(
    "text", ["sgd(momentum=0.9)", "adam(beta3=1)", "momentum('fast')", "sgd('x')", "adam(epsilon='x')"]
)
def test_settings_that_a_method_does_not_take_are_refused(text):
    assert text.partition("(")[0] in refusal(optimizers.optimizer, text)


def test_a_method_of_ones_own_needs_one_line():
    class SignDescent(Optimizer):
        def move(self, name, P, G, *slots):
            P -= self.learning_rate * np.sign(G)

    P = {"b1": np.zeros(2)}
    SignDescent(0.5).step(P, {"b1": np.array([3.0, -0.1])})
    assert P["b1"].tolist() == [-0.5, 0.5]


# --- clipping


@settings(deadline=None)
@given(st.floats(1e-3, 1e3), st.integers(0, 1000))
def test_clipping_bounds_the_common_norm_and_keeps_the_direction(limit, seed):
    G = {name: 10.0 ** (seed % 5 - 2) * gradient for name, gradient in arrays(seed).items()}
    flat = np.concatenate([g.ravel() for g in G.values()])
    clipped = clip_by_norm(G, limit)
    assert list(clipped) == list(G)
    after = np.concatenate([g.ravel() for g in clipped.values()])
    assert np.linalg.norm(after) == pytest.approx(min(limit, np.linalg.norm(flat)))
    assert after / np.linalg.norm(after) == pytest.approx(flat / np.linalg.norm(flat))


def test_gradients_within_the_limit_are_left_to_the_bit_and_zeros_stay_zeros():
    G = arrays(1, "float32")
    clipped = clip_by_norm(G, 1e3)
    assert all(np.array_equal(clipped[name], G[name]) and clipped[name].dtype == np.float32 for name in G)
    zero = clip_by_norm({"W1": np.zeros((2, 2))}, 1.0)
    assert not zero["W1"].any()


def test_a_norm_beyond_float32_is_clipped_rightly():
    clipped = clip_by_norm({"W1": np.full(4, 1e30, np.float32)}, 2.0)
    assert clipped["W1"] == pytest.approx(np.ones(4))


# --- another implementation, where it is installed


@pytest.mark.parametrize(
    ("method", "peer", "keywords"),
    [
        (SGD(0.1), "SGD", {"lr": 0.1}),
        (Momentum(0.1, 0.8), "SGD", {"lr": 0.1, "momentum": 0.8}),
        (Nesterov(0.1, 0.8), "SGD", {"lr": 0.1, "momentum": 0.8, "nesterov": True}),
        (RMSprop(0.1, 0.8, 1e-6), "RMSprop", {"lr": 0.1, "alpha": 0.8, "eps": 1e-6}),
        (Adam(0.1, 0.8, 0.9, 1e-6), "Adam", {"lr": 0.1, "betas": (0.8, 0.9), "eps": 1e-6}),
        (AdamW(0.1, 0.8, 0.9, 1e-6, 0.2), "AdamW", {"lr": 0.1, "betas": (0.8, 0.9), "eps": 1e-6, "weight_decay": 0.2}),
    ],
    ids=lambda v: v if isinstance(v, str) else "",
)
def test_methods_agree_with_pytorch(method, peer, keywords):
    torch = pytest.importorskip("torch")
    P = {"W1": arrays(0)["W1"]}
    twin = torch.tensor(P["W1"].copy(), requires_grad=True)
    other = getattr(torch.optim, peer)([twin], **keywords)
    for seed in range(1, 8):
        G = arrays(seed)["W1"]
        method.step(P, {"W1": G})
        twin.grad = torch.tensor(G)
        other.step()
    assert P["W1"] == pytest.approx(twin.detach().numpy(), rel=1e-10)
