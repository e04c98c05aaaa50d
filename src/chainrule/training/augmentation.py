"""Training images that are transformed anew for every epoch, in one array that each epoch fills."""

from typing import Any

import numpy as np

from chainrule.data import DataSet, Prepared
from chainrule.errors import InputError
from chainrule.images.transforms import apply, draw, transform


class Augmented:
    """The training images of `data` after the transform `text`; `x` gives the rows of the epoch that was filled last.

    What becomes of image i depends on (seed, epoch, i) alone: the stream "augmentation" of `seed`, so that a training
    that goes on after an epoch sees what it would have seen. Takes as much memory as the images, as bytes.
    Raises InputError where there are no 8-bit images, or features stand in the place of their pixels.
    """

    def __init__(self, data: Any, text: str, seed: int) -> None:
        self._transform, self._seed = transform(text), seed
        images = data.train.raw if isinstance(data, DataSet) else None
        if images is None or images.dtype != np.uint8:
            raise InputError(
                f"augment={text!r} has no 8-bit images to transform",
                "Train on a data set of images, such as cifar10 or mnist, or leave it out.",
            )
        if data.spec.extractor is not None:
            raise InputError(
                f"augment={text!r} transforms pixels, but the network is fed the features {data.spec.extractor.name}",
                "Leave out one of the two.",
            )
        self._images, self._epoch = images, -1
        self._shape = (*images.shape[1:3], images.shape[3] if images.ndim == 4 else 1)
        self._filled = np.empty(images.shape, np.uint8)
        self.x = Prepared(self._filled, data.spec.preprocessing)

    def fill(self, epoch: int) -> None:
        """Transform all images for an epoch, counted from 0."""
        if epoch != self._epoch:
            self._epoch = -1  # an interrupt may leave it half filled
            rows = draw(self._transform, self._shape, np.arange(len(self._images)), seed=self._seed, epoch=epoch)
            apply(self._transform, self._images, rows, out=self._filled)
            self._epoch = epoch
