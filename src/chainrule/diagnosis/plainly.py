"""What numbers alone show of wrong gradients, where the passes were not recognised."""

from collections.abc import Mapping, Sequence

import numpy as np

from chainrule.diagnosis.agreement import Both, close, factors
from chainrule.diagnosis.evidence import Gradient
from chainrule.diagnosis.hypotheses import factor_mistakes
from chainrule.diagnosis.hypotheses.biases import as_found
from chainrule.diagnosis.hypotheses.weights import permuted
from chainrule.diagnosis.kinds import Mistake
from chainrule.diagnosis.observation import Observation
from chainrule.diagnosis.verdict import Judged


def numeric_mistakes(
    gradients: Mapping[str, Gradient], observations: Sequence[Observation], judged: Mapping[str, Judged]
) -> list[Mistake]:
    """The mistakes of each wrong gradient beside its central differences; those without a known kind are left out."""
    found: list[Mistake] = []
    m = [len(o.point.X) for o in observations]
    for name, verdict in judged.items():
        numerical = tuple(o.numerical[name] for o in observations if name in o.numerical)
        if verdict.right or name not in gradients or len(numerical) < len(m):
            continue
        if all(np.isfinite(n).all() and np.abs(n).max(initial=0.0) > 0 for n in numerical):
            found += _of(gradients[name], numerical, m)
    return found


def _of(gradient: Gradient, right: Both, m: Sequence[int]) -> list[Mistake]:
    q, found = f"d{gradient.parameter}", []
    if gradient.fault == "transposed":
        found.append(Mistake("transposed", q, f"{{{q}}} has the shape of the transposed parameter"))
    if gradient.value is None:
        total = tuple(r.sum().reshape(()) for r in right)
        if close(as_found(gradient.raw), total):
            found.append(Mistake("collapsed-scalar", q, f"{{{q}}} is a single number for all units"))
        return found
    r = factors(gradient.value, right)
    if r is not None:
        return [*found, *(factor_mistakes(r, m, q, {}) or ())]
    if right[0].ndim == 2 and permuted(gradient.value, right):
        found.append(Mistake("permuted-rows", q, f"the rows or columns of {{{q}}} are in another order"))
    if all(np.abs(v).max(initial=0.0) == 0 for v in gradient.value):
        found.append(Mistake("missing-term", q, f"{{{q}}} is zero: it is never computed"))
    return found
