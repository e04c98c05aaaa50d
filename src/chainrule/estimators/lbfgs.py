"""SciPy's L-BFGS on the network's own gradients, all samples at once, the parameters as one flat vector."""

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from sklearn.exceptions import ConvergenceWarning

from chainrule.errors import InputError
from chainrule.estimators.objective import data_loss, loss_share
from chainrule.network import Network, backward_pass, forward_pass

Array = NDArray[Any]
Floats = NDArray[np.float64]

HALTED = 99  # SciPy's status when a callback ended the search


def fit_lbfgs(mlp: Any, net: Network, X: Array, T: Array, weight: Array | None, after: Callable[[], bool]) -> None:
    """Minimise the loss of all samples over the parameters of `net`; `after` is asked after each iteration to stop.

    The search runs in float64 whatever the network's dtype: its line search compares losses in their last digits.
    """
    if any(layer.dropout for layer in net.structure.layers):
        raise InputError(
            'dropout draws new masks for every gradient, which solver="lbfgs" cannot work with',
            'Take solver="adam" or "sgd", or leave dropout at 0.',
        )
    names = _packing_order(net)
    X, T = X.astype(np.float64, copy=False), T.astype(np.float64, copy=False)
    l2 = mlp.alpha / (len(X) if weight is None else float(weight.sum()))
    last, output, share = f"Z{len(net.structure.layers)}", net.output, loss_share(net.output, T.shape[1])

    def penalty(P: dict[str, Array]) -> float:
        return float(l2 / 2 * sum(np.vdot(W, W) for name, W in P.items() if name[0] == "W"))

    def loss_and_gradient(flat: Floats) -> tuple[float, Floats]:
        P = _unpacked(flat, net, names)
        values = forward_pass(net.structure, P, {}, X)
        gradients, _ = backward_pass(net.structure, P, {}, values, T, l2=l2, sample_weight=weight)
        # The gradient is that of squared errors summed over the outputs, as in scikit-learn, and so is the loss that is
        # minimised. Only the reported loss is a mean over the outputs; scikit-learn searches with a pair that differs.
        loss = data_loss(output, values[last], T, weight) / share + penalty(P)
        return loss, np.concatenate([gradients[name].ravel() for name in names])

    def adopt(flat: Floats, loss: float) -> None:
        P = _unpacked(flat, net, names)
        for name, array in P.items():
            net.parameters()[name][...] = array
        extra = penalty(P)
        mlp.loss_ = (loss - extra) * share + extra

    def iteration_ends(intermediate_result: Any) -> None:  # SciPy looks for this name
        mlp.n_iter_ += 1
        adopt(intermediate_result.x, float(intermediate_result.fun))
        if mlp.verbose:
            print(f"Iteration {mlp.n_iter_}, loss = {mlp.loss_:.8f}")
        if after():
            raise StopIteration

    mlp.n_iter_ = 0
    start = np.concatenate([net.parameters()[name].ravel() for name in names]).astype(np.float64)
    options = {"maxfun": mlp.max_fun, "maxiter": mlp.max_iter, "gtol": mlp.tol}
    with np.errstate(all="ignore"):
        found = minimize(
            loss_and_gradient, start, method="L-BFGS-B", jac=True, callback=iteration_ends, options=options
        )
    adopt(found.x, float(found.fun))
    mlp.n_iter_ = min(int(found.nit), mlp.max_iter)
    if found.status not in (0, HALTED):
        warnings.warn(
            f"lbfgs failed to converge after {found.nit} iteration(s) (status={found.status}):\n{found.message}\n\n"
            "Increase the number of iterations to improve the convergence "
            f"(max_iter={mlp.max_iter}, max_fun={mlp.max_fun}). You might also want to scale the data.",
            ConvergenceWarning,
            stacklevel=4,
        )


def _packing_order(net: Network) -> list[str]:
    """All weights, then all biases, as scikit-learn packs them."""
    return sorted(net.parameters(), key=lambda name: (name[0] != "W", int(name[1:])))


def _unpacked(flat: Floats, net: Network, names: list[str]) -> dict[str, Array]:
    """Views of the parts of `flat` by parameter name."""
    P, start = {}, 0
    for name in names:
        shape = net.parameters()[name].shape
        size = int(np.prod(shape))
        P[name] = flat[start : start + size].reshape(shape)
        start += size
    return P
