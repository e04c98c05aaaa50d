"""An outside reference for the numbers behind a gradient: PyTorch in float64, where it is installed."""

import numpy as np
import pytest

import chainrule as cr

torch = pytest.importorskip("torch")


@pytest.mark.parametrize("activation", ["tanh", "sigmoid", "relu", "gelu", "softplus"])
def test_an_explained_gradient_is_pytorchs(activation):
    net = cr.Network([5, 8, 7, 4], activation=activation, dtype="float64", seed=3)
    rng = np.random.default_rng(1)
    for P in net.parameters().values():
        P += rng.normal(0, 0.3, P.shape)
    x, y = rng.normal(size=(6, 5)), rng.integers(4, size=6)
    leaf = {name: torch.tensor(P, requires_grad=True) for name, P in net.parameters().items()}
    A0 = torch.tensor(x, requires_grad=True)
    rule = getattr(torch.nn.functional, activation)
    A2 = rule(rule(A0 @ leaf["W1"] + leaf["b1"]) @ leaf["W2"] + leaf["b2"])
    torch.nn.functional.cross_entropy(A2 @ leaf["W3"] + leaf["b3"], torch.tensor(y)).backward()
    for of, tensor, index in (
        ("W1[3,5]", leaf["W1"], (3, 5)),
        ("b1[2]", leaf["b1"], (2,)),
        ("W2[7,6]", leaf["W2"], (7, 6)),
        ("W3[0,3]", leaf["W3"], (0, 3)),
        ("b3[1]", leaf["b3"], (1,)),
        ("A0[4,2]", A0, (4, 2)),
    ):
        assert cr.explain(net, x, y, of).gradient == pytest.approx(float(tensor.grad[index]), rel=1e-10, abs=1e-14)
    assert cr.check_gradients(net, x, y, wrt_input=True).ok
