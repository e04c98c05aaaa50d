"""What a comparison works on: two training sets, the same development images left out of both, one scale for all."""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from chainrule.data import Preprocessing
from chainrule.errors import InputError, shown
from chainrule.network import refuse_non_finite
from chainrule.randomness import generator
from chainrule.specs import number, whole

Array = NDArray[Any]
Labels = NDArray[np.int64]
Pair = tuple[Array, Labels]

ROWS_AT_ONCE = 8192
MOST_SHARED = 0.01  # of the test rows; a few images may truly be the same


@dataclass(frozen=True, eq=False)
class Material:
    """All that is trained on and tested with, scaled, X (m, d) float32 C-contiguous and y (m,) int64.

    training      by name, the first being the one that the other is compared with
    development   rows of the first set that belong to neither training set
    tests         by name, the first deciding
    shared        by test set, how many of its rows are also in a training set
    fingerprints  SHA-256 of what was given
    """

    training: dict[str, Pair]
    development: Pair
    tests: dict[str, Pair]
    classes: tuple[str, ...]
    shared: dict[str, int]
    fingerprints: dict[str, str]


def prepare(
    training: Mapping[str, tuple[Any, ...]],
    tests: Mapping[str, tuple[Any, ...]],
    *,
    classes: Sequence[str] | None,
    development: float,
    scale: str,
    split_seed: int,
) -> Material:
    """Check what was given, leave out the development images, and scale by the training rows of the first set.

    Raises InputError in words for what cannot be compared.
    """
    if len(training) != 2:
        raise InputError(
            f"{len(training)} training sets were given", 'Give two by name: {"original": (x, y), "augmented": (x, y)}.'
        )
    if not tests:
        raise InputError("no test set was given", 'Give one by name: {"original": (x, y)}.')
    number("development", development, above=0, below=1)
    whole("split_seed", split_seed)
    given = {name: _checked(f"training set {name!r}", pair, (2, 3)) for name, pair in training.items()}
    tested = {name: _checked(f"test set {name!r}", pair, (2,)) for name, pair in tests.items()}
    _check_widths([*given.items(), *tested.items()])
    names = _class_names(given, tested, classes)
    (first, original), (second, other) = given.items()
    sources = _sources(training, given)
    held = _development_sources(sources[first], original[1], development, split_seed)
    kept = {name: ~np.isin(sources[name], held) for name in given}
    for name, (_, y) in given.items():
        _check_every_class(name, y[kept[name]], names)
    shared = {name: _shared(pair[0], [x for x, _ in given.values()]) for name, pair in tested.items()}
    for name, count in shared.items():
        _refuse_shared(name, count, len(tested[name][0]))

    rows = original[0][kept[first]]
    scaling = Preprocessing.fit(scale, rows)
    return Material(
        {first: (scaling(rows), original[1][kept[first]]), second: _taken(other, kept[second], scaling)},
        _taken(original, ~kept[first], scaling),
        {name: (scaling(x), y) for name, (x, y) in tested.items()},
        names,
        shared,
        {
            **{f"training {name}": fingerprint(*pair, sources[name]) for name, pair in given.items()},
            **{f"test {name}": fingerprint(*pair) for name, pair in tested.items()},
        },
    )


def fingerprint(*arrays: Array) -> str:
    """SHA-256 of shapes, types and contents."""
    digest = hashlib.sha256()
    for array in arrays:
        digest.update(f"{array.dtype.str} {array.shape}\n".encode())
        for block in _blocks(array):
            digest.update(np.ascontiguousarray(block).data)
    return digest.hexdigest()


def _blocks(array: Array) -> Iterator[Array]:
    return (array[start : start + ROWS_AT_ONCE] for start in range(0, len(array), ROWS_AT_ONCE))


def _checked(what: str, given: Any, lengths: tuple[int, ...]) -> Pair:
    if not isinstance(given, tuple | list) or len(given) not in lengths:
        raise InputError(f"{what} is no pair (x, y)", "Give features (m, d) and labels (m,).")
    try:
        x = np.asarray(given[0])
    except ValueError:
        raise InputError(f"the rows of {what} differ in length", "Give as many features in each row.") from None
    if x.ndim != 2 or not x.size or x.dtype.kind not in "iufb":
        raise InputError(f"the features of {what} are {x.dtype} of shape {x.shape}", "Give numbers, (m, d), m ≥ 1.")
    if given[1] is None:
        raise InputError(f"{what} has no labels", "Give labels (m,) from 0 to K − 1 beside the features.")
    y = np.asarray(given[1])
    if y.shape != (len(x),):
        raise InputError(f"{what} has {len(x)} samples but labels of shape {y.shape}", "Give one label a sample.")
    if y.dtype.kind not in "iu" or y.min() < 0:
        raise InputError(
            f"the labels of {what} are {y.dtype}, from {shown(y.min())}", "Labels are whole numbers from 0."
        )
    try:
        refuse_non_finite(x)
    except InputError as error:
        raise InputError(f"{what}: {error.problem}", error.remedy) from None
    return x, y.astype(np.int64)


def _check_widths(pairs: Sequence[tuple[str, Pair]]) -> None:
    (first, (x, _)), *others = pairs
    for name, (other, _) in others:
        if other.shape[1] != x.shape[1]:
            raise InputError(
                f"{first!r} has {x.shape[1]} features a sample but {name!r} has {other.shape[1]}",
                "Extract all features with the same extractor.",
            )


def _class_names(
    given: Mapping[str, Pair], tested: Mapping[str, Pair], classes: Sequence[str] | None
) -> tuple[str, ...]:
    most = 1 + max(int(y.max()) for _, y in [*given.values(), *tested.values()])
    names = tuple(map(str, classes)) if classes is not None else tuple(map(str, range(most)))
    if len(names) < most:
        raise InputError(f"there are {len(names)} class names but a label is {most - 1}", "Give one name a class.")
    if len(names) < 2:
        raise InputError("all samples are of one class", "There is nothing to tell apart; give at least two classes.")
    return names


def _check_every_class(name: str, y: Labels, names: Sequence[str]) -> None:
    missing = np.flatnonzero(np.bincount(y, minlength=len(names)) == 0)
    if len(missing):
        raise InputError(
            f"training set {name!r} has no sample of class {names[missing[0]]!r} besides those left out",
            "Every class needs samples to train on and one to leave out for development.",
        )


def _sources(training: Mapping[str, tuple[Any, ...]], given: Mapping[str, Pair]) -> dict[str, Labels]:
    """For each row of each set the number of the image that it is, or was made from; images are rows of the first set.

    Where nothing is said, the second set is the first followed by whole copies of it in the same order.
    """
    (first, (x, y)), (second, (more, labels)) = given.items()
    m = len(x)
    if len(training[first]) == 3:
        raise InputError(
            f"training set {first!r} came with sources", "It is the images themselves; only the other set needs them."
        )
    if len(training[second]) == 3:
        sources = np.asarray(training[second][2])
        if sources.shape != (len(more),) or sources.dtype.kind not in "iu" or sources.min() < 0 or sources.max() >= m:
            raise InputError(
                f"the sources of {second!r} are {sources.dtype} of shape {sources.shape}",
                f"Give for each of its {len(more)} rows the row of {first!r} that it was made from, 0 … {m - 1}.",
            )
        if not np.array_equal(labels, y[sources]):
            raise InputError(
                f"a row of {second!r} has another label than the row of {first!r} that it was made from",
                "Check the order of the sources.",
            )
    elif len(more) % m or not np.array_equal(labels, np.tile(y, len(more) // m)) or not _begins_with(more, x):
        raise InputError(
            f"it is not known from which row of {first!r} each row of {second!r} was made",
            f"Copies of development images must not be trained on: give ({second}_x, {second}_y, sources).",
        )
    else:
        sources = np.tile(np.arange(m), len(more) // m)
    return {first: np.arange(m), second: sources.astype(np.int64)}


def _begins_with(more: Array, x: Array) -> bool:
    return all(np.array_equal(a, b) for a, b in zip(_blocks(more[: len(x)]), _blocks(x), strict=True))


def _development_sources(sources: Labels, y: Labels, share: float, seed: int) -> Labels:
    """The images left out: of each class its share, at least one."""
    draw = generator(seed, "split")
    held = []
    for k in np.unique(y):
        members = sources[y == k]
        count = max(1, round(share * len(members)))
        held.append(draw.permutation(members)[:count])
    return np.concatenate(held)


def _taken(pair: Pair, rows: NDArray[np.bool_], scaling: Preprocessing) -> Pair:
    return scaling(pair[0][rows]), pair[1][rows]


def _shared(x: Array, others: Sequence[Array]) -> int:
    """How many rows of x (m, d) are, number for number, also in one of the others."""
    known = np.concatenate([_row_hashes(other.astype(x.dtype, copy=False)) for other in others])
    return int(np.isin(_row_hashes(x), known).sum())


def _row_hashes(x: Array) -> NDArray[np.uint64]:
    """A 64-bit sum Σ w_j x_j over the bits of each row, with odd random weights."""
    draw = generator(0, "verification")
    weights = draw.integers(0, 2**63, x.shape[1], np.uint64) * np.uint64(2) + np.uint64(1)
    bits = np.dtype(f"u{x.dtype.itemsize}")
    blocks = [np.ascontiguousarray(block).view(bits).astype(np.uint64) @ weights for block in _blocks(x)]
    return np.concatenate(blocks)


def _refuse_shared(name: str, count: int, rows: int) -> None:
    if count > MOST_SHARED * rows:
        raise InputError(
            f"{count} of the {rows} rows of test set {name!r} are also in a training set",
            "A test on what was trained on says nothing; give rows that no training has seen.",
        )
