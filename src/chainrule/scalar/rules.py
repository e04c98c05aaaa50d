"""The functions of the scalar engine, each with its derivative, and the outputs with their losses, by their names."""

import math
from collections.abc import Callable, Iterable, Sequence
from inspect import signature

from chainrule.errors import InputError, shown, unknown_name
from chainrule.scalar.engine import NONE, Number, Value, told, value


def total(terms: Iterable[Number]) -> Value:
    """Σ terms, as one node; the derivative by each is 1."""
    parents = tuple(map(value, terms))
    try:
        result = math.fsum(term.number for term in parents)
    except (OverflowError, ValueError):  # beyond the greatest float, or infinities of either sign
        result = sum(term.number for term in parents)
    return Value(result, "", "Σ", parents, (1.0,) * len(parents))


def exp(x: Number) -> Value:
    x = value(x)
    if x.number > 709:
        raise InputError(f"exp of {told(x)} is too great for a float", "Subtract the greatest exponent first.")
    e = math.exp(x.number)
    return Value(e, operation="exp", parents=(x,), local=(e,))


def log(x: Number) -> Value:
    x = value(x)
    if not x.number > 0:
        raise InputError(f"there is no logarithm of {told(x)}", "Take that of a number above 0.")
    return Value(math.log(x.number), operation="log", parents=(x,), local=(1 / x.number,))


def sqrt(x: Number) -> Value:
    return value(x) ** 0.5


def absolute(x: Number) -> Value:
    x = value(x)
    return Value(
        abs(x.number), operation="abs", parents=(x,), local=(math.copysign(1, x.number) if x.number else NONE,)
    )


def identity(x: Value) -> Value:
    return Value(x.number, operation="identity", parents=(x,), local=(1.0,))


def tanh(x: Number) -> Value:
    x = value(x)
    a = math.tanh(x.number)
    return Value(a, operation="tanh", parents=(x,), local=(1 - a * a,))


def sigmoid(x: Number) -> Value:
    x = value(x)
    a = _logistic(x.number)
    return Value(a, operation="σ", parents=(x,), local=(a * (1 - a),))


def relu(x: Number) -> Value:
    """max(0, x); the derivative at 0 is taken to be 0."""
    return leaky_relu(x, 0.0, "relu")


def leaky_relu(x: Number, slope: float = 0.01, operation: str = "leaky_relu") -> Value:
    """x above 0, slope · x else; the derivative at 0 is `slope`."""
    x = value(x)
    local = 1.0 if x.number > 0 else slope
    return Value(local * x.number, operation=operation, parents=(x,), local=(local,))


def elu(x: Number, alpha: float = 1.0) -> Value:
    x = value(x)
    z = x.number
    a, slope = (z, 1.0) if z > 0 else (alpha * math.expm1(z), alpha * math.exp(z))
    return Value(a, operation="elu", parents=(x,), local=(slope,))


def softplus(x: Number) -> Value:
    """ln(1 + eˣ), whose derivative is σ(x)."""
    x = value(x)
    z = x.number
    a = max(z, 0.0) + math.log1p(math.exp(-abs(z)))
    return Value(a, operation="softplus", parents=(x,), local=(_logistic(z),))


def swish(x: Number, beta: float = 1.0) -> Value:
    """x σ(βx), put together from what is there: its rule follows."""
    x = value(x)
    return x * sigmoid(beta * x)


def gelu(x: Number) -> Value:
    """x Φ(x) with Φ the normal distribution function."""
    x = value(x)
    z = x.number
    below = math.erfc(-z / math.sqrt(2)) / 2
    density = math.exp(-z * z / 2) / math.sqrt(2 * math.pi)
    return Value(z * below, operation="gelu", parents=(x,), local=(below + z * density,))


def softmax(z: Sequence[Value]) -> list[Value]:
    """e^{z_k} / Σ_j e^{z_j}; the greatest z is taken off as a constant, which changes neither values nor gradients."""
    shift = max(zk.number for zk in z)
    e = [exp(zk - shift) for zk in z]
    sum_of_e = total(e)
    return [ek / sum_of_e for ek in e]


def cross_entropy(z: Sequence[Value], t: Sequence[float]) -> Value:
    """−Σ t_k ln softmax(z)_k = Σ t_k (ln Σ_j e^{z_j} − z_k), from the logits, as no softmax can underflow there."""
    shift = max(zk.number for zk in z)
    shifted = [zk - shift for zk in z]
    log_sum = log(total(map(exp, shifted)))
    return total(tk * (log_sum - sk) for sk, tk in zip(shifted, t, strict=True) if tk)


def binary_cross_entropy(z: Sequence[Value], t: Sequence[float]) -> Value:
    """−Σ [t ln σ(z) + (1 − t) ln(1 − σ(z))] = Σ [softplus(z) − t z]."""
    return total(softplus(zk) - tk * zk for zk, tk in zip(z, t, strict=True))


def squared_error(z: Sequence[Value], t: Sequence[float]) -> Value:
    """½ ‖z − t‖²."""
    return 0.5 * total((zk - tk) ** 2 for zk, tk in zip(z, t, strict=True))


ACTIVATIONS: dict[str, Callable[..., Value]] = {
    rule.__name__: rule for rule in (identity, sigmoid, tanh, relu, leaky_relu, elu, swish, gelu, softplus)
}
OUTPUTS: dict[
    str, tuple[Callable[[Sequence[Value]], list[Value]], Callable[[Sequence[Value], Sequence[float]], Value]]
] = {
    "softmax": (softmax, cross_entropy),
    "sigmoid": (lambda z: [sigmoid(zk) for zk in z], binary_cross_entropy),
    "identity": (list, squared_error),
}


def activation(text: str) -> Callable[[Value], Value]:
    """The rule of that name; `leaky_relu(0.2)` or `leaky_relu(slope=0.2)` for one with a setting."""
    if not isinstance(text, str):
        raise InputError(f"{shown(text)} names no activation", "Give a name, such as 'tanh' or 'leaky_relu(0.2)'.")
    name, _, setting = text.rstrip(")").partition("(")
    if name not in ACTIVATIONS:
        raise unknown_name("activation of the scalar engine", name, ACTIVATIONS)
    rule = ACTIVATIONS[name]
    if not setting:
        return rule
    settings = list(signature(rule).parameters)[1:2]
    key, _, digits = setting.rpartition("=")
    try:
        number = float(digits)
    except ValueError:
        raise InputError(f"{shown(digits)} in {text} is no number", f"Write {name}(0.2).") from None
    if not settings or key not in ("", *settings):
        has = f"It has {settings[0]}." if settings else "It has none."
        raise InputError(f"{name} has no setting {shown(setting)}", has)
    return lambda x: rule(x, number)


def _logistic(z: float) -> float:
    """1 / (1 + e⁻ᶻ) with e to a power that is never positive."""
    e = math.exp(-abs(z))
    return (1.0 if z >= 0 else e) / (1 + e)
