"""The items that reports of runs, of sweeps and of studies are composed of, each made from runs.

A builder takes the id of its item first. Where a run lacks a recording, it gives a paragraph that names the setting
which would have recorded it.
"""

from chainrule.reports.items.curves import Runs, curves
from chainrule.reports.items.derivations import derivation, graph, layers_table, network
from chainrule.reports.items.inside import batch_losses, embeddings, layer_sizes, mistakes, surfaces, weights
from chainrule.reports.items.missing import missing
from chainrule.reports.items.results import (
    classification,
    confusions,
    part_bars,
    published,
    results_table,
    snapshots_table,
)
from chainrule.reports.items.settings import data_table, environment_table, settings_table

__all__ = [
    "Runs",
    "batch_losses",
    "classification",
    "confusions",
    "curves",
    "data_table",
    "derivation",
    "embeddings",
    "environment_table",
    "graph",
    "layer_sizes",
    "layers_table",
    "missing",
    "mistakes",
    "network",
    "part_bars",
    "published",
    "results_table",
    "settings_table",
    "snapshots_table",
    "surfaces",
    "weights",
]
