"""Each activation function once: its value, its derivative, both in LaTeX, and the points where it is not smooth."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from chainrule.specs import number

Array = NDArray[Any]


@dataclass(frozen=True)
class Activation:
    """An elementwise rule a = f(z); z and a have any shape and one floating dtype, which is kept.

    value(z)          → f(z)
    derivative(z, a)  → f′(z), where a = f(z) is handed in so that it need not be computed again
    latex             f(z) in the symbol z
    derivative_latex  f′(z) in the symbols z and a
    kinks             the points where f, f′ or f″ jumps; finite differences across them say nothing
    """

    name: str
    value: Callable[[Array], Array]
    derivative: Callable[[Array, Array], Array]
    latex: str
    derivative_latex: str
    kinks: tuple[float, ...] = ()

    def piece(self, z: Array) -> Array:
        """On which smooth piece of f each entry of z lies: the number of kinks that are not right of it."""
        piece: Array = np.searchsorted(np.asarray(self.kinks), z, side="right").astype(np.int8)
        return piece


def logistic(z: Array) -> Array:
    """σ(z) = 1 / (1 + e⁻ᶻ) without overflow: both branches use e to a power that is never positive."""
    e = np.exp(-np.abs(z))
    a: Array = np.where(z >= 0, 1, e) / (1 + e)
    return a


def identity() -> Activation:
    return Activation("identity", lambda z: z, lambda z, a: np.ones_like(z), "z", "1")


def sigmoid() -> Activation:
    return Activation("sigmoid", logistic, lambda z, a: a * (1 - a), r"\frac{1}{1 + e^{-z}}", r"a \, (1 - a)")


def tanh() -> Activation:
    return Activation("tanh", np.tanh, lambda z, a: 1 - a * a, r"\tanh z", "1 - a^2")


def relu() -> Activation:
    """The derivative at 0 is taken to be 0."""
    return Activation(
        "relu",
        lambda z: np.maximum(z, 0),
        lambda z, a: (z > 0).astype(z.dtype),
        r"\max(0, z)",
        r"\mathbf{1}[z > 0]",
        kinks=(0.0,),
    )


def leaky_relu(slope: float = 0.01) -> Activation:
    """Maas, Hannun, Ng 2013. The derivative at 0 is `slope`."""
    slope = number("slope", slope)
    return Activation(
        f"leaky_relu(slope={slope!r})",
        lambda z: np.where(z > 0, z, slope * z),
        lambda z, a: np.where(z > 0, z.dtype.type(1), z.dtype.type(slope)),
        rf"\begin{{cases}} z & z > 0 \\ {slope:g} \, z & z \le 0 \end{{cases}}",
        rf"\begin{{cases}} 1 & z > 0 \\ {slope:g} & z \le 0 \end{{cases}}",
        kinks=(0.0,),
    )


def elu(alpha: float = 1.0) -> Activation:
    """Clevert, Unterthiner, Hochreiter 2015."""
    alpha = number("alpha", alpha)
    return Activation(
        f"elu(alpha={alpha!r})",
        lambda z: np.where(z > 0, z, alpha * np.expm1(np.minimum(z, 0))),
        lambda z, a: np.where(z > 0, z.dtype.type(1), a + alpha),
        rf"\begin{{cases}} z & z > 0 \\ {alpha:g} \, (e^z - 1) & z \le 0 \end{{cases}}",
        rf"\begin{{cases}} 1 & z > 0 \\ a + {alpha:g} & z \le 0 \end{{cases}}",
        kinks=(0.0,),
    )


def swish(beta: float = 1.0) -> Activation:
    """z σ(βz); Ramachandran, Zoph, Le 2017. With β = 1 also known as SiLU."""
    beta = number("beta", beta)

    def derivative(z: Array, a: Array) -> Array:
        return beta * a + logistic(beta * z) * (1 - beta * a)

    return Activation(
        f"swish(beta={beta!r})",
        lambda z: z * logistic(beta * z),
        derivative,
        rf"z \, \sigma({beta:g} z)",
        rf"{beta:g} a + \sigma({beta:g} z) \, (1 - {beta:g} a)",
    )


def gelu() -> Activation:
    """z Φ(z) with Φ the normal distribution function, exact; Hendrycks, Gimpel 2016."""

    def normal_cdf(z: Array) -> Array:
        from scipy.special import ndtr

        return np.asarray(ndtr(z), dtype=z.dtype)

    def derivative(z: Array, a: Array) -> Array:
        density = np.exp(-z * z / 2) / float(np.sqrt(2 * np.pi))
        return normal_cdf(z) + z * density

    return Activation(
        "gelu",
        lambda z: z * normal_cdf(z),
        derivative,
        r"z \, \Phi(z)",
        r"\Phi(z) + z \, \frac{1}{\sqrt{2 \pi}} e^{-z^2 / 2}",
    )


def softplus() -> Activation:
    return Activation(
        "softplus",
        lambda z: np.maximum(z, 0) + np.log1p(np.exp(-np.abs(z))),
        lambda z, a: logistic(z),
        r"\ln(1 + e^z)",
        r"\frac{1}{1 + e^{-z}}",
    )
