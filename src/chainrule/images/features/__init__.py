"""Features of images: what an extractor is, which there are, and how their numbers are kept on disk."""

from chainrule.images.features.cache import features_folder, features_of, learned
from chainrule.images.features.extractors import PRESETS, Extractor, Recipe, fingerprint_of, from_state, recipe

__all__ = [
    "PRESETS",
    "Extractor",
    "Recipe",
    "features_folder",
    "features_of",
    "fingerprint_of",
    "from_state",
    "learned",
    "recipe",
]
