"""Experiments with several seeds whose answer says how far it can be trusted."""

from chainrule.studies.comparison import Comparison, compare

__all__ = ["Comparison", "compare"]
