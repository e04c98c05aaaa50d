"""Checking gradients by numbers."""

from chainrule.gradcheck.checking import check_function, check_gradients
from chainrule.gradcheck.numerical import numerical_gradients, pattern
from chainrule.gradcheck.report import GradientReport, Row

__all__ = ["GradientReport", "Row", "check_function", "check_gradients", "numerical_gradients", "pattern"]
