"""Patches of an image, contrast-normalised, their responses to a dictionary, and what is pooled of them, compiled.

The product of all patches of one image with one block of atoms is small enough to stay in the cache until it has been
rectified and pooled. Every product has the same shape and every sum the same order for any number of images and
threads, and so every feature the same bits.
"""

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import scipy.linalg.cython_blas  # noqa: F401  the products below run in it: it must be there when threads are limited
from numba import njit
from numba.core import config
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

Floats = NDArray[np.float32]
Bytes = NDArray[np.uint8]

ATOMS_AT_ONCE = 128  # 729 patches × 128 responses: 373 kB, within a core's cache
IMAGES_AT_ONCE = 16  # that a thread takes before it looks for more


def encode(
    images: Bytes,
    matrix: Floats,
    offsets: Floats,
    *,
    size: int,
    stride: int,
    grid: int,
    contrast: float,
    alpha: float,
    threads: int | None = None,
) -> Floats:
    """Pooled responses (m, 2·k·grid²) of images (m, h, w, c) to k atoms.

    For every patch p (size × size × c numbers) at every `stride`-th place:
        u = (p − mean p) / √(var p + contrast)       var divides by d − 1
        r = u·matrix − offsets                       matrix (d, k), offsets (k,)
        positive = max(0, r − alpha), negative = max(0, −r − alpha)
    Both are averaged over the patches of each cell of a grid × grid division. Feature (2·cell + sign)·k + atom; cells
    in the order of rows, sign 0 for positive.
    """
    m, h, w, _ = images.shape
    d, k = matrix.shape
    width = min(ATOMS_AT_ONCE, -(-k // 16) * 16)
    blocks = np.zeros((-(-k // width), d, width), np.float32)
    shifts = np.zeros((len(blocks), width), np.float32)
    for b, start in enumerate(range(0, k, width)):
        part = slice(start, min(start + width, k))
        blocks[b, :, : part.stop - start] = matrix[:, part]
        shifts[b, : part.stop - start] = offsets[part]
    cells = _cells((h - size) // stride + 1, (w - size) // stride + 1, grid)
    counts = np.bincount(cells, minlength=grid * grid)
    out = np.empty((m, 2 * k * grid * grid), np.float32)

    def work(start: int) -> None:
        rows = slice(start, start + IMAGES_AT_ONCE)
        _encode(
            images[rows],
            size,
            stride,
            np.float32(contrast),
            blocks,
            shifts,
            np.float32(alpha),
            cells,
            counts,
            out[rows],
        )

    in_threads(work, range(0, m, IMAGES_AT_ONCE), threads)
    return out


def normalised(patches: Bytes, contrast: float) -> Floats:
    """Patches (n, size, size, c) → u (n, d), see `encode`."""
    out = np.empty((len(patches), int(np.prod(patches.shape[1:]))), np.float32)
    _normalise_each(patches, np.float32(contrast), out)
    return out


def nearest_sums(patches: Floats, atoms: Floats, parts: int, threads: int | None = None) -> Floats:
    """For every atom (k, d) the sum of the patches (n, d) that respond to it most, times their responses.

    A patch responds most to the atom with which its product is greatest in size, whatever its sign.
    The patches are summed in so many `parts`, and these added in their order, however many threads there are.
    """
    transposed = np.ascontiguousarray(atoms.T)
    sums = np.zeros((parts, *atoms.shape), np.float32)
    bounds = np.linspace(0, len(patches), parts + 1).astype(int)

    def work(p: int) -> None:
        _add_nearest(patches[bounds[p] : bounds[p + 1]], transposed, sums[p])

    in_threads(work, range(parts), threads)
    total: Floats = sums.sum(axis=0)
    return total


def in_threads(work: Callable[[int], None], items: Iterable[int], threads: int | None = None) -> None:
    """work(item) for each item on `threads` threads (all that Numba may use), the products in each on one."""
    count = threads or int(config.NUMBA_NUM_THREADS)
    with on_one_thread(), ThreadPoolExecutor(count) as pool:
        for _ in pool.map(work, items):
            pass


def on_one_thread() -> threadpool_limits:
    """A context in which every matrix product runs on the thread that asks for it."""
    return threadpool_limits(1, user_api="blas")


def _cells(rows: int, columns: int, grid: int) -> NDArray[np.int64]:
    """The cell of each of rows × columns patches, in a grid × grid division as even as whole patches allow."""
    down, across = np.arange(rows) * grid // rows, np.arange(columns) * grid // columns
    return (down[:, None] * grid + across).ravel()


@njit(cache=True, nogil=True)
def _take_patches(image: Any, size: Any, stride: Any, contrast: Any, out: Any) -> None:
    """The normalised patches (P, d) of one image (h, w, c); the sums are of whole numbers and so exact."""
    h, w, c = image.shape
    rows, d, p = image.reshape(h, w * c), size * size * c, 0
    for i in range(0, h - size + 1, stride):
        for j in range(0, w - size + 1, stride):
            total, squares = np.int64(0), np.int64(0)
            for a in range(size):
                for t in range(size * c):
                    value = np.int64(rows[i + a, j * c + t])
                    total += value
                    squares += value * value
            mean = np.float32(total / d)
            variance = (squares - total * total / d) / (d - 1)
            scale = np.float32(1 / np.sqrt(variance + contrast))
            for a in range(size):
                for t in range(size * c):
                    out[p, a * size * c + t] = (np.float32(rows[i + a, j * c + t]) - mean) * scale
            p += 1


@njit(cache=True, nogil=True)
def _normalise_each(patches: Any, contrast: Any, out: Any) -> None:
    for n in range(len(patches)):
        _take_patches(patches[n], patches.shape[1], 1, contrast, out[n : n + 1])


@njit(cache=True, nogil=True)
def _encode(
    images: Any,
    size: Any,
    stride: Any,
    contrast: Any,
    blocks: Any,
    shifts: Any,
    alpha: Any,
    cells: Any,
    counts: Any,
    out: Any,
) -> None:
    d, width = blocks.shape[1:]
    k = out.shape[1] // (2 * counts.size)
    patches = np.empty((cells.size, d), np.float32)
    responses = np.empty((cells.size, width), np.float32)
    positive = np.empty((counts.size, width), np.float32)
    negative = np.empty((counts.size, width), np.float32)
    zero = np.float32(0)
    for i in range(len(images)):
        _take_patches(images[i], size, stride, contrast, patches)
        for b in range(len(blocks)):
            np.dot(patches, blocks[b], responses)
            positive[:], negative[:] = zero, zero
            shift = shifts[b]
            for p in range(cells.size):
                row, above, below = responses[p], positive[cells[p]], negative[cells[p]]
                for j in range(width):
                    r = row[j] - shift[j]
                    above[j] += max(r - alpha, zero)
                    below[j] += max(-r - alpha, zero)
            start = b * width
            for cell in range(counts.size):
                share = np.float32(1) / np.float32(counts[cell])
                for j in range(min(width, k - start)):
                    out[i, 2 * cell * k + start + j] = positive[cell, j] * share
                    out[i, (2 * cell + 1) * k + start + j] = negative[cell, j] * share


@njit(cache=True, nogil=True)
def _add_nearest(patches: Any, atoms: Any, sums: Any) -> None:
    d, k = atoms.shape
    for start in range(0, len(patches), 512):
        some = patches[start : start + 512]
        responses = np.dot(some, atoms)
        for i in range(len(some)):
            nearest, most = 0, np.float32(-1)
            for j in range(k):
                strength = abs(responses[i, j])
                if strength > most:
                    nearest, most = j, strength
            for t in range(d):
                sums[nearest, t] += responses[i, nearest] * some[i, t]
