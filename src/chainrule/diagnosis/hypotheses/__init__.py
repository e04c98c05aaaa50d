"""The closed list of hypotheses: what each quantity would be if one known mistake had been made in it."""

from chainrule.diagnosis.hypotheses.biases import bias_mistakes
from chainrule.diagnosis.hypotheses.factors import factor_mistakes
from chainrule.diagnosis.hypotheses.hidden import below_mistakes, slope_mistakes
from chainrule.diagnosis.hypotheses.outputs import output_mistakes
from chainrule.diagnosis.hypotheses.weights import weight_mistakes

__all__ = [
    "below_mistakes",
    "bias_mistakes",
    "factor_mistakes",
    "output_mistakes",
    "slope_mistakes",
    "weight_mistakes",
]
