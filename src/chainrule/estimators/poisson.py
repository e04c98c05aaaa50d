"""The output pair for counts: the exponential with half the Poisson deviance."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import xlogy

from chainrule import rules
from chainrule.rules import Output

Array = NDArray[Any]


def poisson() -> Output:
    """a_k = e^{z_k} with ℓ = Σ_k [t_k ln(t_k / a_k) − t_k + a_k]. Targets: numbers that are not negative."""
    numbers = rules.output("identity")
    return Output(
        name="poisson",
        loss_name="half Poisson deviance",
        task="regression",
        value=np.exp,
        losses=lambda Z, T: (xlogy(T, T) - T * Z - T + np.exp(Z)).sum(axis=1),
        delta=lambda A, T: A - T,
        loss_gradient=lambda A, T: 1 - np.divide(T, A, out=np.zeros_like(A), where=T != 0),
        jacobian=lambda A: A[:, :, None] * np.eye(A.shape[1], dtype=A.dtype),
        encode=numbers.encode,
        decide=numbers.decide,
        latex=r"a_k = e^{z_k}",
        loss_latex=r"\ell = \sum_k \left[ t_k \ln \frac{t_k}{a_k} - t_k + a_k \right]",
    )
