"""Training: the loop, its batches, its history, and the state from which it can go on."""

from chainrule.training.history import History
from chainrule.training.loop import Moment, refuse_unfit, train
from chainrule.training.order import batches
from chainrule.training.state import TrainingState

__all__ = ["History", "Moment", "TrainingState", "batches", "refuse_unfit", "train"]
