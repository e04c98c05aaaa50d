"""Runs: settings, the folder that a run leaves behind, its model file, resuming and verifying."""

from chainrule.runs.config import RunConfig, read_config
from chainrule.runs.execute import Outcome, execute, resume
from chainrule.runs.folder import Run
from chainrule.runs.models import load, save
from chainrule.runs.samples import Drawn, Samples
from chainrule.runs.verify import Verification, verify

__all__ = [
    "Drawn",
    "Outcome",
    "Run",
    "RunConfig",
    "Samples",
    "Verification",
    "execute",
    "load",
    "read_config",
    "resume",
    "save",
    "verify",
]
