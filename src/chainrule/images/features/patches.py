"""Features that are learned from the training images alone: responses to patches of theirs, pooled (Coates & Ng).

A. Coates, A. Y. Ng, "The importance of encoding versus training with sparse coding and vector quantization", ICML 2011:
whitened patches, a dictionary from k-means or of patches as they are, responses of both signs beyond a threshold.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from chainrule.errors import DataError, InputError, unknown_name
from chainrule.images.features.checks import checked_images, state_array, state_shape
from chainrule.randomness import generator
from chainrule.specs import number, whole

Floats = NDArray[np.float32]
Bytes = NDArray[np.uint8]

DICTIONARIES = ("kmeans", "sampled")
MOST_ATOMS = 1 << 16
PARTS = 16  # of the patches, summed on their own in k-means, whatever the number of threads


@dataclass(frozen=True)
class Patches:
    """What to learn. The features are 2·atoms·grid² numbers an image.

    atoms       k, the dictionary's size
    grid        responses are averaged over the cells of a grid × grid division of the image
    dictionary  "kmeans" (of directions, both signs alike; A. Coates, A. Y. Ng, "Learning feature representations with
                k-means", 2012) or "sampled" (the whitened patches of a draw)
    alpha       threshold of the responses
    size        side of a patch; stride: pixels between two patches
    contrast    added to a patch's variance; whitening: added to the eigenvalues of the patches' covariance
    samples     patches to learn from, drawn anywhere from the training images by the stream "features" of `seed`
    iterations  of k-means
    """

    atoms: int = 64
    grid: int = 2
    dictionary: str = "kmeans"
    alpha: float = 0.25
    size: int = 6
    stride: int = 1
    contrast: float = 10.0
    whitening: float = 0.1
    samples: int = 200_000
    iterations: int = 10
    seed: int = 0
    name: str = "patches"

    def __post_init__(self) -> None:
        for key, least in (("atoms", 1), ("grid", 1), ("size", 2), ("stride", 1), ("samples", 2), ("iterations", 0)):
            whole(f"patches: {key}", getattr(self, key), least)
        whole("patches: seed", self.seed)
        number("patches: alpha", self.alpha, 0)
        number("patches: contrast", self.contrast, above=0)
        number("patches: whitening", self.whitening, above=0)
        if self.dictionary not in DICTIONARIES:
            raise unknown_name("dictionary", self.dictionary, DICTIONARIES)
        if self.atoms > min(self.samples, MOST_ATOMS):
            raise InputError(
                f"patches: {self.atoms} atoms from {self.samples} samples",
                f"Take at most as many atoms as samples, and at most {MOST_ATOMS:,}.",
            )

    def fit(self, images: NDArray[Any]) -> "PatchFeatures":
        """Learn whitening and dictionary from training images (m, h, w) or (m, h, w, c), uint8."""
        from chainrule.images.features.encoding import normalised, on_one_thread

        pixels = checked_images(images)
        self._refuse_small(images.shape[1:])
        u = normalised(_drawn(pixels, self.samples, self.size, generator(self.seed, "features")), self.contrast)
        with on_one_thread():  # more give other bits
            mean, W = _whitening(u, self.whitening)
            x = (u - mean.astype(np.float32)) @ W.astype(np.float32)
        atoms = _unit(x[: self.atoms])
        if self.dictionary == "kmeans":
            atoms = _kmeans(x, atoms, self.iterations)
        matrix = W @ atoms.astype(np.float64).T  # whitening and dictionary are one matrix, the mean an offset
        return PatchFeatures(
            self, tuple(images.shape[1:]), matrix.astype(np.float32), (mean @ matrix).astype(np.float32)
        )

    def _refuse_small(self, shape: tuple[int, ...]) -> None:
        places = [(side - self.size) // self.stride + 1 for side in shape[:2]]
        if min(shape[:2]) < self.size or min(places) < self.grid:
            raise DataError(
                f"images of {shape[0]} × {shape[1]} have no {self.grid} × {self.grid} cells of patches of "
                f"{self.size} × {self.size} at every {self.stride}. place",
                "Take smaller patches, a smaller grid or stride, or larger images.",
            )


@dataclass(frozen=True, eq=False)
class PatchFeatures:
    """What was learned. matrix (d, k): whitening and dictionary in one; offsets (k,): the mean patch's responses."""

    recipe: Patches
    image_shape: tuple[int, ...]
    matrix: Floats
    offsets: Floats

    @property
    def name(self) -> str:
        return self.recipe.name

    @property
    def width(self) -> int:
        return 2 * self.recipe.atoms * self.recipe.grid**2

    def __call__(self, images: NDArray[Any]) -> Floats:
        """(m, h, w) or (m, h, w, c), uint8 → (m, n): see `encoding.encode`."""
        from chainrule.images.features.encoding import encode

        recipe = self.recipe
        return encode(
            checked_images(images, self.image_shape),
            self.matrix,
            self.offsets,
            size=recipe.size,
            stride=recipe.stride,
            grid=recipe.grid,
            contrast=recipe.contrast,
            alpha=recipe.alpha,
        )

    def to_state(self) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
        settings = {"kind": "patches", "image_shape": list(self.image_shape), "recipe": asdict(self.recipe)}
        return settings, {"matrix": self.matrix, "offsets": self.offsets}

    @classmethod
    def from_state(cls, settings: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> "PatchFeatures":
        given = settings["recipe"]
        if not isinstance(given, dict) or given.keys() != {f.name for f in fields(Patches)}:
            raise DataError("its settings are not those of patches", "The file was edited.")
        recipe, shape = Patches(**given), state_shape(settings)
        recipe._refuse_small(shape)
        d = recipe.size**2 * (shape[2] if len(shape) == 3 else 1)
        return cls(
            recipe,
            shape,
            state_array(arrays, "matrix", (d, recipe.atoms)),
            state_array(arrays, "offsets", (recipe.atoms,)),
        )


def _drawn(images: Bytes, count: int, size: int, draw: np.random.Generator) -> Bytes:
    """`count` patches (count, size, size, c) from anywhere in the images."""
    m, h, w, _ = images.shape
    image, top, left = (draw.integers(end, size=(count, 1, 1)) for end in (m, h - size + 1, w - size + 1))
    steps = np.arange(size)
    patches: Bytes = images[image, top + steps[:, None], left + steps]
    return patches


def _whitening(u: Floats, epsilon: float) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The mean of u (n, d) and W = V (Λ + ε)^−½ Vᵀ with V Λ Vᵀ = cov u: zero-phase whitening."""
    mean = u.mean(axis=0, dtype=np.float64)
    covariance = np.zeros((u.shape[1],) * 2)
    for start in range(0, len(u), 1 << 14):
        centred = u[start : start + (1 << 14)] - mean
        covariance += centred.T @ centred
    values, V = np.linalg.eigh(covariance / (len(u) - 1))
    W: NDArray[np.float64] = (V / np.sqrt(np.maximum(values, 0) + epsilon)) @ V.T
    return mean, W


def _kmeans(x: Floats, atoms: Floats, iterations: int) -> Floats:
    """Directions that patches x (n, d) gather around: D ← unit rows of D + Σ r x over the patches nearest to each."""
    from chainrule.images.features.encoding import nearest_sums

    for _ in range(iterations):
        atoms = _unit(atoms + nearest_sums(x, atoms, PARTS))
    return atoms


def _unit(rows: Floats) -> Floats:
    """Rows of length one; a row of nothing stays what it is."""
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    return (rows / np.where(lengths > 0, lengths, 1)).astype(np.float32)
