"""Every plot is one function from plain data to a matplotlib figure; this folder knows nothing of networks."""

from chainrule.figures.bands import seed_curves
from chainrule.figures.bars import part_bars
from chainrule.figures.batches import batch_losses
from chainrule.figures.confusion import confusion_matrix
from chainrule.figures.confusions import confusion_panels
from chainrule.figures.curves import learning_curves
from chainrule.figures.diagram import network_diagram
from chainrule.figures.effects import Effect, setting_effects
from chainrule.figures.embedding import embedding_panels
from chainrule.figures.histograms import table_histograms
from chainrule.figures.intervals import interval_chart
from chainrule.figures.layers import layer_sizes
from chainrule.figures.mistakes import mistakes_sheet
from chainrule.figures.output import save, to_svg
from chainrule.figures.samples import sample_sheet
from chainrule.figures.scatter import scatter_by_class
from chainrule.figures.surfaces import Surface, decision_surfaces
from chainrule.figures.weights import weight_images
from chainrule.figures.widths import width_curve

__all__ = [
    "Effect",
    "Surface",
    "batch_losses",
    "confusion_matrix",
    "confusion_panels",
    "decision_surfaces",
    "embedding_panels",
    "interval_chart",
    "layer_sizes",
    "learning_curves",
    "mistakes_sheet",
    "network_diagram",
    "part_bars",
    "sample_sheet",
    "save",
    "scatter_by_class",
    "seed_curves",
    "setting_effects",
    "table_histograms",
    "to_svg",
    "weight_images",
    "width_curve",
]
