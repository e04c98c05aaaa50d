"""The same network trained on two training sets, seed by seed, and what the difference is worth."""

from chainrule.studies.comparison.comparing import compare
from chainrule.studies.comparison.result import Comparison

__all__ = ["Comparison", "compare"]
