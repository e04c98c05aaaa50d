"""Image transforms by hand, on bytes: rotation, cutout, crop, contrast and more, drawn by the number of an image."""

from chainrule.images.transforms.applying import apply, draw
from chainrule.images.transforms.combined import Chain, OneOf
from chainrule.images.transforms.registry import ASSIGNMENT, transform
from chainrule.images.transforms.rules import TRANSFORMS, Transform

__all__ = ["ASSIGNMENT", "TRANSFORMS", "Chain", "OneOf", "Transform", "apply", "draw", "transform"]
