"""Experiments with several seeds whose answer says how far it can be trusted."""

from chainrule.studies.comparing import compare
from chainrule.studies.comparison import Comparison

__all__ = ["Comparison", "compare"]
