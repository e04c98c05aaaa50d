"""Which samples train, which validate, which test: three disjoint sets of row numbers."""

import math

import numpy as np
from numpy.typing import NDArray

from chainrule.errors import DataError, unknown_name
from chainrule.randomness import generator

Rows = NDArray[np.int64]

SPLITS = ("stratified", "random", "last")


def part_size(share: float, count: int, part: str) -> int:
    """Samples of a part that is to hold `share` of `count`: a fraction in [0, 1), or a number of samples."""
    if isinstance(share, bool) or not isinstance(share, int | float | np.integer | np.floating):
        raise DataError(
            f"{part}={share!r} is no share of the data",
            "Give a fraction below 1 (0.15), a number of samples (5000) or a pair (x, y).",
        )
    if isinstance(share, int | np.integer):
        size = int(share)
    elif 0 <= share < 1:
        size = math.floor(share * count + 0.5)
        if share > 0 and size == 0:
            raise DataError(
                f"{part}={share} of {count} samples leaves the {part} part empty",
                "Ask for a larger share, or give more samples.",
            )
    else:
        raise DataError(
            f"{part}={share} is no fraction in [0, 1)",
            "Write 0.15 for 15 %, or a whole number of samples without a decimal point.",
        )
    if not 0 <= size < count:
        raise DataError(
            f"{part}={share} cannot be taken from {count} samples",
            "Something must remain to train on; ask for less.",
        )
    return size


def split_rows(
    count: int, validation: int, test: int, how: str, seed: int, labels: Rows | None, classes: tuple[str, ...]
) -> tuple[Rows, Rows, Rows]:
    """Row numbers of the training, validation and test part, each ascending (file order).

    stratified  random, and every class has its share of every part to within one sample
    random      random
    last        the test part is the very end, the validation part lies before it

    Random draws come from the stream "split" of `seed`. Without labels (regression) "stratified" is "random".
    """
    if how not in SPLITS:
        raise unknown_name("split", how, SPLITS)
    sizes = (count - validation - test, validation, test)
    if sizes[0] < 1:
        raise DataError(
            f"{validation} validation and {test} test samples leave none of {count} to train on",
            "Ask for smaller parts.",
        )
    if how == "last" or validation == test == 0:
        order = np.arange(count)
    elif how == "random" or labels is None:
        order = generator(seed, "split").permutation(count)
    else:
        return _stratified(labels, sizes, seed, classes)
    train, held = np.split(order, [sizes[0]])
    return np.sort(train), np.sort(held[:validation]), np.sort(held[validation:])


def _stratified(
    labels: Rows, sizes: tuple[int, int, int], seed: int, classes: tuple[str, ...]
) -> tuple[Rows, Rows, Rows]:
    counts = np.bincount(labels, minlength=len(classes))
    table = shares(counts, sizes)
    _refuse_missing(counts, table, sizes, classes)
    draw = generator(seed, "split")
    parts: tuple[list[Rows], list[Rows], list[Rows]] = ([], [], [])
    for label in range(len(classes)):
        members = draw.permutation(np.flatnonzero(labels == label))
        for part, rows in zip(parts, np.split(members, np.cumsum(table[label])[:-1]), strict=True):
            part.append(rows)
    train, held_validation, held_test = (np.sort(np.concatenate(part)) for part in parts)
    return train, held_validation, held_test


def _refuse_missing(
    counts: Rows, table: NDArray[np.int64], sizes: tuple[int, int, int], classes: tuple[str, ...]
) -> None:
    present = int(np.count_nonzero(counts))
    for name, size in (("validation", sizes[1]), ("test", sizes[2])):
        if 0 < size < present:
            raise DataError(
                f"a stratified {name} part of {size} samples cannot hold {present} classes",
                f'Ask for at least {present} samples, or say split="random".',
            )
    lost = np.flatnonzero((table[:, 0] == 0) & (counts > 0))
    if lost.size:
        label = int(lost[0])
        raise DataError(
            f"class {classes[label]!r} has only {counts[label]} samples, too few to keep one for training",
            'Add samples of it, ask for smaller parts, or say split="random"; numbers to be predicted as '
            'numbers need task="regression".',
        )


def shares(counts: Rows, sizes: tuple[int, ...]) -> NDArray[np.int64]:
    """How many of each class go to each part, (K, parts): the exact share rounded up or down, with all sums kept.

    Such a rounding always exists. Start from the exact shares, in units of 1/m; while some are no whole numbers, walk
    along them, by turns within a row and within a column, until the walk closes; then move along the closed
    walk as much as makes one of its cells whole. Every row or column with a broken cell has a second one,
    because its sum is whole, so that the walk never ends early.
    """
    m = int(counts.sum())
    cells = [[int(c) * int(n) for n in sizes] for c in counts]
    for row in range(len(cells)):
        while any(cell % m for cell in cells[row]):
            walk = _closed_walk(cells, row, m)
            up, down = walk[::2], walk[1::2]
            step = min(
                min(m - cells[i][j] % m for i, j in up),
                min(cells[i][j] % m for i, j in down),
            )
            for i, j in up:
                cells[i][j] += step
            for i, j in down:
                cells[i][j] -= step
    return np.array(cells, dtype=np.int64) // m


def _closed_walk(cells: list[list[int]], row: int, m: int) -> list[tuple[int, int]]:
    """Broken cells, each in one row with its predecessor and in one column with its successor or the reverse."""
    turns, walk = [(0, row)], list[tuple[int, int]]()
    while True:
        axis, index = turns[-1]
        line = ((index, j) for j in range(len(cells[0]))) if axis == 0 else ((i, index) for i in range(len(cells)))
        cell = next(c for c in line if cells[c[0]][c[1]] % m and c not in walk[-1:])
        walk.append(cell)
        turn = (1 - axis, cell[1 - axis])
        if turn in turns:
            return walk[turns.index(turn) :]
        turns.append(turn)
