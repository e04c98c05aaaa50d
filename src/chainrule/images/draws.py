"""Random numbers by their place: what is drawn for image i in an epoch depends on (seed, epoch, i) and on nothing else.

A generator that goes on from number to number would tie an image to all that were drawn before it. Here the place is
the argument of a hash: SplitMix64's finaliser, after Steele, Lea, Flood, Fast Splittable Pseudorandom Number
Generators, 2014, once for the epoch, once for the image and once for the number.
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from chainrule.randomness import generator
from chainrule.specs import whole

Floats = NDArray[np.float64]
Words = NDArray[np.uint64]

GOLDEN = np.uint64(0x9E3779B97F4A7C15)  # 2⁶⁴ / golden ratio, odd


def uniforms(seed: int, epoch: int, rows: ArrayLike, count: int) -> Floats:
    """(m, count) numbers, uniform in [0, 1), for the images with the numbers `rows` (m,); epochs count from 0."""
    key = generator(seed, "augmentation").integers(2**64, dtype=np.uint64, size=1)
    with np.errstate(over="ignore"):
        of_epoch = mixed(key + np.uint64(whole("epoch", epoch)) * GOLDEN)
        of_image = mixed(of_epoch + np.asarray(rows).astype(np.uint64) * GOLDEN)
        places = np.arange(1, count + 1, dtype=np.uint64) * GOLDEN
        words = mixed(of_image[:, None] + places)
    return (words >> np.uint64(11)).astype(np.float64) * 2.0**-53


def mixed(words: Words) -> Words:
    """Each of the words scrambled one to one, so that words that differ in one bit differ in half of them."""
    words = (words ^ (words >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    words = (words ^ (words >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return words ^ (words >> np.uint64(31))
