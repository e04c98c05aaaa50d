"""A quantity off by a number: its sign, a power of m, or a constant."""

from collections.abc import Mapping, Sequence

import numpy as np

from chainrule.diagnosis.agreement import same_number
from chainrule.diagnosis.kinds import Mistake
from chainrule.diagnosis.objective import multiple

_CLOSE = 1e-6
_PLAIN = [2.0, 3.0, 4.0, 0.5, 1 / 3, 0.25]


def factor_mistakes(
    factors: Sequence[float], m: Sequence[int], quantity: str, sizes: Mapping[str, int], *, plain: bool = False
) -> tuple[Mistake, ...] | None:
    """The mistakes that make `quantity` these factors, one a point, of what it should be; () for 1, None for no known.

    With `plain`, no other constants than small numbers and the sizes of the network are believed.
    """
    if same_number((1.0, *factors), _CLOSE):
        return ()
    for power in (0, 1, -1, 2, -2) if len(set(m)) > 1 else (0,):
        constants = tuple(r / float(k) ** power for r, k in zip(factors, m, strict=True))
        if not same_number(constants, _CLOSE) or not 1e-9 < abs(constants[0]) < 1e9:
            continue
        c = constants[0]
        known = any(np.isclose(abs(c), x, rtol=_CLOSE) for x in (1.0, *_PLAIN, *_of(sizes)))
        if not known and (plain or power):
            continue
        found = [_sign(quantity)] if c < 0 else []
        if not np.isclose(abs(c), 1, rtol=_CLOSE):
            found.append(_constant(abs(c), quantity, sizes))
        if power:
            found.append(_mean(power, quantity))
        return tuple(found)
    return None


def _of(sizes: Mapping[str, int]) -> list[float]:
    return [x for size in sizes.values() for x in (float(size), 1 / size, size / 2, 2 / size)]


def _sign(quantity: str) -> Mistake:
    return Mistake("sign", quantity, f"{{{quantity}}} has the opposite sign", parameter={"factor": -1})


def _constant(c: float, quantity: str, sizes: Mapping[str, int]) -> Mistake:
    text = multiple(c, dict(sizes)) if c > 1 else multiple(1 / c, dict(sizes))
    size = f" = {sizes[text]}" if text in sizes else ""
    way = "large" if c > 1 else "small"
    return Mistake(
        "constant-factor", quantity, f"{{{quantity}}} is {text}{size} times too {way}", parameter={"factor": c}
    )


def _mean(power: int, quantity: str) -> Mistake:
    factor = "m" if abs(power) == 1 else f"m^{abs(power)}"
    if power > 0:
        why = "the 1/m of the mean loss is missing" if power == 1 else "1/m is missing, and m multiplies it besides"
        return Mistake(
            "missing-mean", quantity, f"{{{quantity}}} is {factor} times too large: {why}", parameter={"factor": factor}
        )
    why = (
        "it is divided by the number of samples once too often" if power == -1 else "it is divided by m twice too often"
    )
    return Mistake(
        "double-mean",
        quantity,
        f"{{{quantity}}} is {factor} times too small: {why}",
        parameter={"factor": f"1/{factor}"},
    )
