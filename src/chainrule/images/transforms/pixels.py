"""The compiled loops over pixels: bytes (n, H, W, C) in, bytes of the same shape out, one parameter row an image.

Places between pixels are counted in 1/65,536 of a pixel, weights in 1/2,048 and means along a row in quarters of a
level, all in whole numbers, so that the result is the same on every machine. Three colours share one word of three
lanes of 21 bits, which one multiplication serves. Each loop runs without Python's lock; threads take different images.
"""

import numpy as np
from numba import njit

FINE = 16  # bits of a place within a pixel
BITS = 11  # bits of a weight
RIM = 2  # pixels of zero around a source image, so that no neighbour needs a question
LANE = 21  # bits of a lane: 8 of a byte, 2 of its quarters, 11 of a weight
ONES = 1 | 1 << LANE | 1 << 2 * LANE  # one in each lane


@njit(cache=True, nogil=True, inline="always")
def _row_mean(first, second, left, right):
    """(left·first + right·second) / 2,048 in quarters, in every lane; halves up."""
    total = left * first + right * second + np.uint64(ONES << (BITS - 3))
    return (total >> np.uint64(BITS - 2)) & np.uint64(ONES * 0x3FF)


@njit(cache=True, nogil=True, inline="always")
def _unpack(word, colours, w, out, at):
    """The lanes of a pixel's word number w as bytes."""
    for c in range(3 * w, min(3 * w + 3, colours)):
        out[at + np.uint64(c)] = np.uint8(word >> np.uint64(LANE * (c - 3 * w)))


@njit(cache=True, nogil=True, inline="always")
def _blended(padded, X, Y, height, width, colours, out, at):
    """Bilinear mean of the four pixels around the place (X, Y), first along rows; beyond the image all is 0."""
    words = (colours + 2) // 3
    stride = (width + 2 * RIM + 1) * words
    x = min(max(X >> FINE, -RIM), width) + RIM
    y = min(max(Y >> FINE, -RIM), height) + RIM
    right = np.uint64((X >> (FINE - BITS)) & ((1 << BITS) - 1))
    below = np.uint64((Y >> (FINE - BITS)) & ((1 << BITS) - 1))
    left, above = np.uint64(1 << BITS) - right, np.uint64(1 << BITS) - below
    for w in range(words):
        first = np.uint64(y * stride + x * words + w)
        second, beside = first + np.uint64(stride), np.uint64(words)
        over = _row_mean(padded[first], padded[first + beside], left, right)
        under = _row_mean(padded[second], padded[second + beside], left, right)
        mean = (above * over + below * under + np.uint64(ONES << (BITS + 1))) >> np.uint64(BITS + 2)
        _unpack(mean, colours, w, out, np.uint64(at))


@njit(cache=True, nogil=True, inline="always")
def _nearest(padded, X, Y, height, width, colours, out, at):
    """The pixel whose square the place lies in; halves go right and down."""
    words = (colours + 2) // 3
    x = min(max((X + (1 << (FINE - 1))) >> FINE, -1), width) + RIM
    y = min(max((Y + (1 << (FINE - 1))) >> FINE, -1), height) + RIM
    for w in range(words):
        word = padded[np.uint64((y * (width + 2 * RIM + 1) + x) * words + w)]
        _unpack(word, colours, w, out, np.uint64(at))


@njit(cache=True, nogil=True)
def _rimmed(height, width, colours):
    """Room for the words of an image within its rim, all 0."""
    return np.zeros((height + 2 * RIM + 1) * (width + 2 * RIM + 1) * ((colours + 2) // 3), np.uint64)


@njit(cache=True, nogil=True, inline="always")
def _lay(image, padded, colours):
    """The image within its rim."""
    height, width, words = image.shape[0], image.shape[1], (colours + 2) // 3
    for i in range(height):
        for j in range(width):
            start = ((i + RIM) * (width + 2 * RIM + 1) + j + RIM) * words
            for w in range(words):
                word = np.uint64(0)
                for c in range(3 * w, min(3 * w + 3, colours)):
                    word |= np.uint64(image[i, j, c]) << np.uint64(LANE * (c - 3 * w))
                padded[np.uint64(start + w)] = word


@njit(cache=True, nogil=True, inline="always")
def _warp(images, places, nearest, out, colours):
    n, height, width = images.shape[0], images.shape[1], images.shape[2]
    padded, flat = _rimmed(height, width, colours), out.reshape(-1)
    for k in range(n):
        _lay(images[k], padded, colours)
        a, b, t, d, e, u = places[k]
        for i in range(height):
            X, Y = b * i + t, e * i + u
            at = (k * height + i) * width * colours
            if nearest:
                for _ in range(width):
                    _nearest(padded, X, Y, height, width, colours, flat, at)
                    X, Y, at = X + a, Y + d, at + colours
            else:
                for _ in range(width):
                    _blended(padded, X, Y, height, width, colours, flat, at)
                    X, Y, at = X + a, Y + d, at + colours


@njit(cache=True, nogil=True)
def warp(images, places, nearest, out):
    """Pixel (i, j) comes from column a·j + b·i + t and row d·j + e·i + u; places: (n, 6) int64, a b t d e u."""
    if images.shape[3] == 3:
        _warp(images, places, nearest, out, 3)
    elif images.shape[3] == 1:
        _warp(images, places, nearest, out, 1)
    else:
        _warp(images, places, nearest, out, images.shape[3])


@njit(cache=True, nogil=True)
def _word(key, place):
    """SplitMix64's word number `place` of a key."""
    word = key + np.uint64(place + 1) * np.uint64(0x9E3779B97F4A7C15)
    word = (word ^ (word >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    word = (word ^ (word >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return word ^ (word >> np.uint64(31))


@njit(cache=True, nogil=True)
def displacements(key, height, width, bell, field, half):
    """(2, H, W) of numbers uniform in [−1, 1) from the key, smoothed by the bell (2r + 1,) along rows and columns."""
    radius = len(bell) // 2
    for axis in range(2):
        for i in range(height):
            for j in range(width):
                word = _word(key, (axis * height + i) * width + j)
                field[axis, i, j] = np.float64(np.int64(word >> np.uint64(11))) * 2.0**-52 - 1.0
        half[:] = 0.0
        for i in range(height):
            for r in range(-radius, radius + 1):
                first, last = max(0, -r), min(width, width - r)
                weight = bell[r + radius]
                for j in range(first, last):
                    half[i, j] += weight * field[axis, i, j + r]
        field[axis] = 0.0
        for i in range(height):
            for r in range(-radius, radius + 1):
                if 0 <= i + r < height:
                    weight = bell[r + radius]
                    for j in range(width):
                        field[axis, i, j] += weight * half[i + r, j]


@njit(cache=True, nogil=True)
def elastic(images, keys, alpha, bell, out):
    """Pixel (i, j) comes from (i, j) + α·(smoothed noise of the image's key); keys: (n,) uint64."""
    n, height, width, colours = images.shape
    padded, flat = _rimmed(height, width, colours), out.reshape(-1)
    field, half = np.empty((2, height, width)), np.empty((height, width))
    for k in range(n):
        _lay(images[k], padded, colours)
        displacements(keys[k], height, width, bell, field, half)
        for i in range(height):
            for j in range(width):
                X = (j << FINE) + np.int64(np.floor(alpha * field[0, i, j] * 65536.0 + 0.5))
                Y = (i << FINE) + np.int64(np.floor(alpha * field[1, i, j] * 65536.0 + 0.5))
                at = ((k * height + i) * width + j) * colours
                _blended(padded, X, Y, height, width, colours, flat, at)


@njit(cache=True, nogil=True)
def move(images, offsets, out):
    """Pixel (i, j) comes from (i + down, j + right), or is 0; offsets: (n, 2) int64, down and right."""
    n, height, width, colours = images.shape
    source, target = images.reshape(n, height, width * colours), out.reshape(n, height, width * colours)
    for k in range(n):
        down, right = offsets[k]
        first, last = min(max(0, -right), width) * colours, max(min(width, width - right), 0) * colours
        for i in range(height):
            line = target[k, i]
            line[:] = 0
            if 0 <= i + down < height:
                original = source[k, i + down, first + right * colours :]
                seen = line[first:]
                for x in range(last - first):
                    seen[x] = original[x]


@njit(cache=True, nogil=True)
def erase(images, blocks, value, out):
    """The same images with one block of one value; blocks: (n, 4) int64, top, left, height, width."""
    n, rows, columns, colours = images.shape
    target = out.reshape(n, rows, columns * colours)
    target[:] = images.reshape(n, rows, columns * colours)
    for k in range(n):
        top, left, height, width = blocks[k]
        for i in range(top, top + height):
            for x in range(left * colours, (left + width) * colours):
                target[k, i, x] = value


@njit(cache=True, nogil=True, inline="always")
def _look_up(image, table, flipped, out, colours):
    height, width = image.shape[0], image.shape[1]
    for i in range(height):
        for j in range(width):
            source = width - 1 - j if flipped else j
            for c in range(colours):
                out[i, j, c] = table[image[i, source, c]]


@njit(cache=True, nogil=True)
def contrast_tables(alpha, tables):
    """What becomes of each byte: clip(α·(x − 128) + 128, 0, 255), rounded, halves up; tables: (n, 256)."""
    for k in range(len(alpha)):
        for value in range(256):
            changed = np.floor(alpha[k] * (value - 128.0) + 128.0 + 0.5)
            tables[k, value] = np.uint8(min(max(changed, 0.0), 255.0))


@njit(cache=True, nogil=True)
def look_up(images, tables, flipped, out):
    """Each byte through the table of its image, then mirrored left to right where `flipped`; tables: (n, 256)."""
    for k in range(len(images)):
        if images.shape[3] == 3:
            _look_up(images[k], tables[k], flipped[k], out[k], 3)
        else:
            _look_up(images[k], tables[k], flipped[k], out[k], images.shape[3])


@njit(cache=True, nogil=True, inline="always")
def _mirror(image, out, colours):
    height, width = image.shape[0], image.shape[1]
    for i in range(height):
        for j in range(width):
            for c in range(colours):
                out[i, j, c] = image[i, width - 1 - j, c]


@njit(cache=True, nogil=True)
def mirror(images, flipped, out):
    """Left to right where `flipped` (n,) bool, else as it is."""
    for k in range(len(images)):
        if not flipped[k]:
            out[k] = images[k]
        elif images.shape[3] == 3:
            _mirror(images[k], out[k], 3)
        else:
            _mirror(images[k], out[k], images.shape[3])


@njit(cache=True, nogil=True)
def extremes(images, out):
    """Least and greatest byte of each image; out: (n, 2) uint8."""
    flat = images.reshape(len(images), -1)
    for k in range(len(flat)):
        low, high = np.uint8(255), np.uint8(0)
        for value in flat[k]:
            low, high = min(low, value), max(high, value)
        out[k, 0], out[k, 1] = low, high
