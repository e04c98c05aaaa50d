"""Every random draw comes from a named stream of one seed, so that changing one leaves the others alone."""

import numpy as np

from chainrule.errors import unknown_name
from chainrule.specs import whole

STREAMS = ("init", "shuffle", "dropout", "split", "synthesis", "subset", "augmentation", "verification", "features")


def generator(seed: int, stream: str) -> np.random.Generator:
    """A generator of its own for `stream`, one of STREAMS.

    The same (seed, stream) gives the same draws for ever; new streams are added at the end of STREAMS only.
    """
    whole("seed", seed)
    if stream not in STREAMS:
        raise unknown_name("stream", stream, STREAMS)
    return np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(STREAMS.index(stream),)))
