"""Checking gradients by numbers, and the numbers behind any one of them."""

from chainrule.gradcheck.checking import check_function, check_gradients
from chainrule.gradcheck.explain import Explanation, explain
from chainrule.gradcheck.numerical import numerical_gradients, pattern
from chainrule.gradcheck.report import GradientReport, Row

__all__ = [
    "Explanation",
    "GradientReport",
    "Row",
    "check_function",
    "check_gradients",
    "explain",
    "numerical_gradients",
    "pattern",
]
