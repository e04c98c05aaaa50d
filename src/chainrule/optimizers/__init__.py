"""Gradient descent and its relatives, and the schedules of their rate."""

from chainrule.optimizers.methods import (
    METHODS,
    SGD,
    Adam,
    AdamW,
    Momentum,
    Nesterov,
    Optimizer,
    RMSprop,
    clip_by_norm,
    optimizer,
)
from chainrule.optimizers.schedules import SCHEDULES, Schedule, schedule

__all__ = [
    "METHODS",
    "SCHEDULES",
    "SGD",
    "Adam",
    "AdamW",
    "Momentum",
    "Nesterov",
    "Optimizer",
    "RMSprop",
    "Schedule",
    "clip_by_norm",
    "optimizer",
    "schedule",
]
