"""An outside reference for networks: automatic differentiation by PyTorch in float64, where `[bench]` is installed."""

import numpy as np
import pytest

import chainrule as cr
from chainrule.network.passes import EPSILON
from chainrule.scalar import MLP

torch = pytest.importorskip("torch", reason="PyTorch is not installed: pip install -e '.[bench]'")
functions = torch.nn.functional

ACTIVATIONS = {
    "identity": lambda z: z,
    "sigmoid": torch.sigmoid,
    "tanh": torch.tanh,
    "relu": torch.relu,
    "leaky_relu(0.2)": lambda z: functions.leaky_relu(z, 0.2),
    "elu(0.7)": lambda z: functions.elu(z, 0.7),
    "swish(1.5)": lambda z: z * torch.sigmoid(1.5 * z),
    "gelu": functions.gelu,
    "softplus": functions.softplus,
}
LOSSES = {
    "softmax": lambda Z, T: functions.cross_entropy(Z, T),
    "sigmoid": lambda Z, T: functions.binary_cross_entropy_with_logits(Z, T, reduction="sum") / len(T),
    "identity": lambda Z, T: functions.mse_loss(Z, T, reduction="sum") / 2 / len(T),
}


def case(activation, output, batch_norm=False, dropout=0.0, seed=0):
    """4–6–5–3 on 7 samples, every parameter and statistic off its start, with soft targets."""
    net = cr.Network(
        [4, 6, 5, 3],
        activation=activation,
        output=output,
        batch_norm=batch_norm,
        dropout=dropout,
        dtype="float64",
        seed=seed,
    )
    rng = np.random.default_rng(seed)
    for P in net.parameters().values():
        P += rng.normal(0, 0.3, P.shape)
    for name, S in net.statistics().items():
        S += rng.uniform(0.2, 1, S.shape) if name.startswith("variance") else rng.normal(0, 0.5, S.shape)
    T = rng.dirichlet(np.ones(3), 7) if output == "softmax" else rng.random((7, 3))
    return net, rng.normal(size=(7, 4)), T


def theirs(net, trace, x, T, l2):
    """PyTorch's loss and gradients, A0's included, of the same network in the mode of `trace`, with its masks."""
    leaf = {name: torch.tensor(P, requires_grad=True) for name, P in net.parameters().items()}
    A = A0 = torch.tensor(x, requires_grad=True)
    for layer in net.structure.layers:
        l = layer.index
        Z = functions.linear(A, leaf[f"W{l}"].T, leaf.get(f"b{l}"))
        if layer.batch_norm:
            mean, variance = (torch.tensor(net.statistics()[f"{name}{l}"]) for name in ("mean", "variance"))
            scales = leaf[f"gamma{l}"], leaf[f"beta{l}"]
            Z = functions.batch_norm(Z, mean, variance, *scales, training=trace.training, eps=EPSILON)
        if layer.activation is not None:
            A = ACTIVATIONS[spelled(layer.activation.name)](Z)
        if f"M{l}" in trace:
            A = A * torch.tensor(np.array(trace[f"M{l}"]))
    weights = [P for name, P in leaf.items() if name[0] == "W"]
    loss = LOSSES[net.output.name](Z, torch.tensor(T)) + l2 / 2 * sum((W**2).sum() for W in weights)
    loss.backward()
    return float(loss.detach()), {**{name: P.grad.numpy() for name, P in leaf.items()}, "A0": A0.grad.numpy()}


def spelled(name):
    """leaky_relu(slope=0.2) as leaky_relu(0.2)."""
    rule, _, setting = name.partition("=")
    return f"{rule.partition('(')[0]}({setting}" if setting else name


def assert_same(ours, reference, what):
    assert np.abs(ours - reference).max() <= 1e-10 * max(1.0, np.abs(reference).max()), what


def assert_gradients_are_theirs(net, x, T, l2=0.0, training=False):
    trace = net.forward(x, training=training, generator=np.random.default_rng(3))
    loss, reference = theirs(net, trace, x, T, l2)
    gradients = net.backward(trace, T, l2=l2, wrt_input=True)
    assert net.loss_at(trace, T, l2=l2) == pytest.approx(loss, rel=1e-10)
    for name, G in {**gradients, "A0": gradients.deltas["A0"]}.items():
        assert_same(G, reference[name], name)


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("output", LOSSES)
@pytest.mark.parametrize("batch_norm", [False, True])
def test_gradients_of_a_network_are_pytorchs(activation, output, batch_norm):
    net, x, T = case(activation, output, batch_norm)
    assert_gradients_are_theirs(net, x, T)
    assert_gradients_are_theirs(net, x, T, l2=0.3, training=batch_norm)


@pytest.mark.parametrize("output", LOSSES)
@pytest.mark.parametrize("settings", [{"dropout": 0.4}, {"dropout": [0.2, 0.6], "batch_norm": True}], ids=str)
def test_gradients_through_our_masks_are_pytorchs(output, settings):
    net, x, T = case(["tanh", "gelu"], output, seed=1, **settings)
    assert_gradients_are_theirs(net, x, T, l2=0.1, training=True)


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("output", LOSSES)
def test_gradients_one_number_at_a_time_are_pytorchs(activation, output):
    net, x, T = case(activation, output, batch_norm=[True, False])
    loss, reference = theirs(net, net.forward(x), x, T, 0.2)
    model = MLP.of(net)
    result = model.loss(x.tolist(), T.tolist(), l2=0.2)
    result.backward()
    assert result.number == pytest.approx(loss, rel=1e-10)
    for name, G in model.gradients().items():
        assert_same(np.array(G), reference[name], name)
    found = {v.name: v.gradient for v in result.tape()}
    inputs = np.array([[found[f"A0[{i},{j}]"] for j in range(4)] for i in range(7)])
    assert_same(inputs, reference["A0"], "A0")


@pytest.mark.parametrize("output", LOSSES)
@pytest.mark.parametrize("of", ["W1[3,5]", "b1[2]", "W2[5,4]", "gamma2[1]", "beta2[0]", "W3[0,2]", "b3[1]", "A0[4,2]"])
def test_an_explained_gradient_is_pytorchs(output, of):
    net, x, T = case(["relu", "gelu"], output, batch_norm=[False, True], seed=2)
    _, reference = theirs(net, net.forward(x), x, T, 0.1)
    name, _, index = of.rstrip("]").partition("[")
    expected = reference[name][tuple(map(int, index.split(",")))]
    assert cr.explain(net, x, T, of, l2=0.1).gradient == pytest.approx(expected, rel=1e-10, abs=1e-12)
