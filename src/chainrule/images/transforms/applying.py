"""Drawing parameters for images by their numbers, and applying them in threads over chunks of images."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from chainrule.errors import DataError, InputError
from chainrule.images.draws import uniforms
from chainrule.images.transforms.rules import Floats, Pixels, Shape, Transform
from chainrule.specs import whole

CHUNK_BYTES = 1 << 20  # of a chunk's images: they stay in the cache from step to step


def draw(transform: Transform, shape: Shape, rows: ArrayLike, *, seed: int = 0, epoch: int = 0) -> Floats:
    """Parameters (m, columns) for the images with the numbers `rows` (m,), of a shape (H, W, C), in an epoch (from 0).

    A row depends on seed, epoch and the number of its image alone.
    """
    return transform.draw(uniforms(seed, epoch, rows, transform.numbers), shape)


def apply(
    transform: Transform,
    images: NDArray[Any],
    parameters: ArrayLike,
    *,
    out: Pixels | None = None,
    threads: int | None = None,
) -> Pixels:
    """The images (n, H, W, C) or (n, H, W), uint8, each transformed by its row of parameters (n, columns).

    out: an array for the result, C-contiguous, not `images` itself. threads: as many as there are cores where nothing
    is said; the result is the same for any number. Raises DataError for images of another type or shape, InputError
    for parameters that do not fit.
    """
    source = checked(images)
    rows = np.ascontiguousarray(parameters, np.float64)
    if rows.shape != (len(source), len(transform.columns)):
        raise InputError(
            f"parameters of shape {rows.shape} for {len(source)} images",
            f"Give one row an image: ({', '.join(transform.columns) or 'no columns'}).",
        )
    result = np.empty(source.shape, np.uint8) if out is None else _checked_out(out, images).reshape(source.shape)
    size = max(1, CHUNK_BYTES // max(1, source[:1].nbytes))
    chunks = [slice(start, start + size) for start in range(0, len(source), size)]

    def work(chunk: slice) -> None:
        transform.into(np.ascontiguousarray(source[chunk]), rows[chunk], result[chunk])

    workers = min(len(chunks), _allowed() if threads is None else whole("threads", threads, 1))
    if workers == 1:
        for chunk in chunks:
            work(chunk)
    else:
        with ThreadPoolExecutor(workers) as pool:
            list(pool.map(work, chunks))
    return result.reshape(images.shape)


def _allowed() -> int:
    """The threads that the kernels may take too, as many as there are cores unless NUMBA_NUM_THREADS says otherwise."""
    from numba import config

    return int(config.NUMBA_NUM_THREADS)


def checked(images: NDArray[Any]) -> Pixels:
    """Images as (n, H, W, C) bytes; raises DataError for anything else."""
    if not isinstance(images, np.ndarray) or images.dtype != np.uint8:
        kind = f"type {images.dtype}" if isinstance(images, np.ndarray) else f"a {type(images).__name__}"
        raise DataError(f"the images are of {kind}", "Transforms work on bytes, 0 to 255: uint8.")
    if images.ndim not in (3, 4) or not images.size:
        raise DataError(
            f"the images have shape {images.shape}", "Give (n, height, width, colours) or (n, height, width)."
        )
    return images if images.ndim == 4 else images[..., None]


def _checked_out(out: Pixels, images: NDArray[Any]) -> Pixels:
    if out.shape != images.shape or out.dtype != np.uint8 or not out.flags.c_contiguous:
        raise InputError(f"out is {out.dtype} of shape {out.shape}", f"Give uint8 of shape {images.shape}, contiguous.")
    if np.may_share_memory(out, images):
        raise InputError("out lies in the memory of the images", "Give an array of its own.")
    return out
