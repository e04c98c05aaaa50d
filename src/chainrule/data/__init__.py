"""Data: where they come from, how they are split and prepared, and what is wrong with them."""

from chainrule.data.arrays import read_array
from chainrule.data.batches import Batches
from chainrule.data.dataset import DataSet, Part
from chainrule.data.downloads import PUBLISHED, data_folder, fetch
from chainrule.data.idx import read_idx
from chainrule.data.images import read_images
from chainrule.data.prepared import Prepared
from chainrule.data.preprocessing import STEPS, Preprocessing
from chainrule.data.sources import load_data, source_names, sources
from chainrule.data.spec import DataSpec
from chainrule.data.splits import SPLITS
from chainrule.data.tables import read_table

__all__ = [
    "PUBLISHED",
    "SPLITS",
    "STEPS",
    "Batches",
    "DataSet",
    "DataSpec",
    "Part",
    "Prepared",
    "Preprocessing",
    "data_folder",
    "fetch",
    "load_data",
    "read_array",
    "read_idx",
    "read_images",
    "read_table",
    "source_names",
    "sources",
]
