"""Sweeps: many runs that differ in what is asked about, on as many workers as there are, from a plan that is data."""

from chainrule.sweeps.coordinate import run_sweep
from chainrule.sweeps.result import PointResult, SweepResult, Variant, read_sweep
from chainrule.sweeps.sweep import Point, Sweep, read_sweep_file

__all__ = ["Point", "PointResult", "Sweep", "SweepResult", "Variant", "read_sweep", "read_sweep_file", "run_sweep"]
