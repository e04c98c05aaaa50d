"""Time and peak memory of learning features on CIFAR-10's training part and computing those of its 50,000 images.

CHAINRULE_DATA=… python benchmarks/features.py patches-512

The features are written to a temporary folder, as they are to the cache.
"""

import resource
import sys
import tempfile
import time

import chainrule as cr
from chainrule.images.features import features_of, learned


def main(name: str) -> None:
    data = cr.load_data("cifar10")
    parts = [data.train.raw, data.validation.raw]
    before = _peak()
    with tempfile.TemporaryDirectory() as cache:
        began = time.perf_counter()
        extractor = learned(name, parts[0], cache=cache)
        learning = time.perf_counter() - began
        images = sum(len(features_of(part, extractor, cache=cache)) for part in parts)
        seconds = time.perf_counter() - began
    print(f"{name}: {images} images, {extractor.width} numbers each: {seconds:.1f} s, {learning:.1f} of them learning")
    print(f"peak memory {_peak():.2f} GiB; {before:.2f} before, with the images read")


def _peak() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20


if __name__ == "__main__":
    main(sys.argv[1])
