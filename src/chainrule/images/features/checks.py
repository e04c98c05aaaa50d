"""What every extractor checks: images are bytes of the right shape, and a stored state is what it should be."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from chainrule.errors import DataError


def checked_images(images: NDArray[Any], shape: tuple[int, ...] | None = None) -> NDArray[np.uint8]:
    """Images as (m, h, w, c), contiguous; raises DataError for another type, rank, or a `shape` other than learned."""
    if not isinstance(images, np.ndarray) or images.dtype != np.uint8:
        kind = images.dtype if isinstance(images, np.ndarray) else type(images).__name__
        raise DataError(f"features are taken of 8-bit images, not of {kind}", "Give an array of uint8, 0 … 255.")
    if images.ndim not in (3, 4) or not images.size:
        raise DataError(f"images of shape {images.shape}", "Give (m, h, w), grey, or (m, h, w, c), at least one.")
    if shape is not None and images.shape[1:] != shape:
        raise DataError(
            f"images of {_in_words(images.shape[1:])}, but the features were learned on {_in_words(shape)}",
            "Resize them, or learn the features on images of this size.",
        )
    return np.ascontiguousarray(images.reshape(*images.shape[:3], -1))


def state_shape(settings: Mapping[str, Any]) -> tuple[int, ...]:
    """The image shape in a stored state; raises DataError where it is none."""
    shape = settings["image_shape"]
    if not isinstance(shape, list) or len(shape) not in (2, 3) or not all(type(n) is int and n > 0 for n in shape):
        raise DataError(f"its image shape is {str(shape)[:60]}", "The file was edited.")
    return tuple(shape)


def state_array(arrays: Mapping[str, NDArray[Any]], name: str, shape: tuple[int, ...]) -> NDArray[np.float32]:
    """A float32 array of a stored state; raises DataError where it is missing, of another shape, or not finite."""
    array = arrays.get(name)
    if array is None or array.shape != shape or array.dtype != np.float32 or not np.isfinite(array).all():
        raise DataError(f"its array {name!r} is no float32 {shape}", "The file was damaged or edited.")
    return np.ascontiguousarray(array)


def _in_words(shape: tuple[int, ...]) -> str:
    return " × ".join(map(str, shape))
