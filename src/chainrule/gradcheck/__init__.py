"""Checking gradients by numbers."""

from chainrule.gradcheck.numerical import numerical_gradients, pattern

__all__ = ["numerical_gradients", "pattern"]
