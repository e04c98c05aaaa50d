"""Each transform once: its settings, what it draws for an image, and what it does to one.

Images are bytes (n, H, W, C). Every gap is filled with 0, and results between two bytes are rounded, halves upwards.
`draw` turns uniform numbers into parameters, one row an image; `into` applies parameters, whoever chose them.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol

import numpy as np
from numpy.typing import NDArray

from chainrule.errors import InputError, unknown_name
from chainrule.specs import number, whole

Pixels = NDArray[np.uint8]
Floats = NDArray[np.float64]
Shape = tuple[int, int, int]

INTERPOLATIONS = ("bilinear", "nearest")
FINE = 65_536  # places in a pixel, see `pixels`
FARTHEST = 10_000  # pixels that anything may move; beyond, places would not fit into whole numbers


class Transform(Protocol):
    """What every transform has.

    columns  the names of its parameters
    numbers  how many uniform numbers it draws them from
    """

    @property
    def columns(self) -> tuple[str, ...]: ...
    @property
    def numbers(self) -> int: ...

    def draw(self, u: Floats, shape: Shape) -> Floats:
        """Parameters (n, columns) from numbers u (n, numbers) in [0, 1) for images of a shape (H, W, C)."""
        ...

    def into(self, images: Pixels, parameters: Floats, out: Pixels) -> None:
        """Transform images (n, H, W, C), contiguous, each with its row of parameters, into `out` of the same shape."""
        ...


@dataclass(frozen=True)
class Rotation:
    """About the centre by an angle uniform in [−limit, limit] degrees, anticlockwise; exact for multiples of 90°."""

    limit: float = 180.0
    interpolation: str = "bilinear"

    columns: ClassVar[tuple[str, ...]] = ("angle",)
    numbers: ClassVar[int] = 1

    def __post_init__(self) -> None:
        number("limit", self.limit, 0, below=1e6)
        _check_interpolation(self.interpolation)

    def draw(self, u: Floats, shape: Shape) -> Floats:
        return self.limit * (2 * u - 1)

    def into(self, images: Pixels, parameters: Floats, out: Pixels) -> None:
        cos, sin = _turn(parameters[:, 0])
        _warp(images, np.stack([cos, -sin, sin, cos], axis=1), np.zeros((len(images), 2)), self.interpolation, out)


@dataclass(frozen=True)
class Cutout:
    """One block of one value; its height and width each uniform in 0 … size pixels, its place uniform inside the image;
    DeVries, Taylor 2017."""

    size: int = 16
    value: int = 0

    columns: ClassVar[tuple[str, ...]] = ("top", "left", "height", "width")
    numbers: ClassVar[int] = 4

    def __post_init__(self) -> None:
        whole("size", self.size)
        if whole("value", self.value) > 255:
            raise InputError(f"value is {self.value}", "Give a byte, 0 to 255.")

    def draw(self, u: Floats, shape: Shape) -> Floats:
        height, width = _one_of(u[:, 2], min(self.size, shape[0])), _one_of(u[:, 3], min(self.size, shape[1]))
        return np.stack([_one_of(u[:, 0], shape[0] - height), _one_of(u[:, 1], shape[1] - width), height, width], 1)

    def into(self, images: Pixels, parameters: Floats, out: Pixels) -> None:
        from chainrule.images.transforms import pixels

        pixels.erase(images, parameters.astype(np.int64), np.uint8(self.value), out)


@dataclass(frozen=True)
class Crop:
    """A window of the image's own size, uniform among all in the image padded by `padding` pixels on every side."""

    padding: int = 2

    columns: ClassVar[tuple[str, ...]] = ("top", "left")
    numbers: ClassVar[int] = 2

    def __post_init__(self) -> None:
        number("padding", whole("padding", self.padding), below=FARTHEST)

    def draw(self, u: Floats, shape: Shape) -> Floats:
        return _one_of(u, 2 * self.padding)

    def into(self, images: Pixels, parameters: Floats, out: Pixels) -> None:
        from chainrule.images.transforms import pixels

        pixels.move(images, parameters.astype(np.int64) - self.padding, out)


@dataclass(frozen=True)
class Shift:
    """By whole pixels, uniform in −limit … limit, down and to the right."""

    limit: int = 2

    columns: ClassVar[tuple[str, ...]] = ("down", "right")
    numbers: ClassVar[int] = 2

    def __post_init__(self) -> None:
        number("limit", whole("limit", self.limit), below=FARTHEST)

    def draw(self, u: Floats, shape: Shape) -> Floats:
        return _one_of(u, 2 * self.limit) - self.limit

    def into(self, images: Pixels, parameters: Floats, out: Pixels) -> None:
        from chainrule.images.transforms import pixels

        pixels.move(images, -parameters.astype(np.int64), out)


@dataclass(frozen=True)
class ContrastFlip:
    """x′ = clip(α·(x − 128) + 128, 0, 255) with α uniform in (low, high), then mirrored with `probability`."""

    low: float = 0.5
    high: float = 2.0
    probability: float = 0.5

    columns: ClassVar[tuple[str, ...]] = ("alpha", "flipped")
    numbers: ClassVar[int] = 2

    def __post_init__(self) -> None:
        _check_range(self.low, self.high)
        _check_probability(self.probability)

    def draw(self, u: Floats, shape: Shape) -> Floats:
        return np.stack([_between(u[:, 0], self.low, self.high), u[:, 1] < self.probability], axis=1)

    def into(self, images: Pixels, parameters: Floats, out: Pixels) -> None:
        from chainrule.images.transforms import pixels

        pixels.look_up(images, _contrast_tables(parameters[:, 0]), parameters[:, 1] > 0, out)


@dataclass(frozen=True)
class Contrast:
    """x′ = clip(α·(x − 128) + 128, 0, 255) with α uniform in (low, high)."""

    low: float = 0.5
    high: float = 2.0

    columns: ClassVar[tuple[str, ...]] = ("alpha",)
    numbers: ClassVar[int] = 1

    def __post_init__(self) -> None:
        _check_range(self.low, self.high)

    def draw(self, u: Floats, shape: Shape) -> Floats:
        return _between(u, self.low, self.high)

    def into(self, images: Pixels, parameters: Floats, out: Pixels) -> None:
        from chainrule.images.transforms import pixels

        tables = _contrast_tables(parameters[:, 0])
        pixels.look_up(images, tables, np.zeros(len(images), np.bool_), out)


@dataclass(frozen=True)
class Flip:
    """Left to right with `probability`."""

    probability: float = 0.5

    columns: ClassVar[tuple[str, ...]] = ("flipped",)
    numbers: ClassVar[int] = 1

    def __post_init__(self) -> None:
        _check_probability(self.probability)

    def draw(self, u: Floats, shape: Shape) -> Floats:
        return (u < self.probability).astype(np.float64)

    def into(self, images: Pixels, parameters: Floats, out: Pixels) -> None:
        from chainrule.images.transforms import pixels

        pixels.mirror(images, parameters[:, 0] > 0, out)


@dataclass(frozen=True)
class Enhancement:
    """x′ = 255·(x − min)/(max − min) over all numbers of the image; one of a single value stays as it is."""

    columns: ClassVar[tuple[str, ...]] = ()
    numbers: ClassVar[int] = 0

    def draw(self, u: Floats, shape: Shape) -> Floats:
        return np.empty((len(u), 0))

    def into(self, images: Pixels, parameters: Floats, out: Pixels) -> None:
        from chainrule.images.transforms import pixels

        ends = np.empty((len(images), 2), np.uint8)
        pixels.extremes(images, ends)
        low, high = ends.astype(np.int64).T[:, :, None]
        values, width = np.arange(256)[None, :], np.maximum(high - low, 1)
        stretched = np.clip((2 * 255 * (values - low) + width) // (2 * width), 0, 255)  # whole numbers, halves up
        tables = np.where(high > low, stretched, values).astype(np.uint8)
        pixels.look_up(images, tables, np.zeros(len(images), np.bool_), out)


@dataclass(frozen=True)
class Posterisation:
    """The upper bits of every byte, the lower ones 0; how many is uniform in low … high."""

    low: int = 2
    high: int = 5

    columns: ClassVar[tuple[str, ...]] = ("bits",)
    numbers: ClassVar[int] = 1

    def __post_init__(self) -> None:
        if not 1 <= whole("low", self.low) <= whole("high", self.high) <= 8:
            raise InputError(f"posterisation keeps {self.low} to {self.high} bits", "A byte has 1 to 8: low ≤ high.")

    def draw(self, u: Floats, shape: Shape) -> Floats:
        return self.low + _one_of(u, self.high - self.low)

    def into(self, images: Pixels, parameters: Floats, out: Pixels) -> None:
        cleared = 8 - parameters[:, 0].astype(np.int64)
        masks = (255 >> cleared << cleared).astype(np.uint8)
        np.bitwise_and(images, masks[:, None, None, None], out=out)


@dataclass(frozen=True)
class Affine:
    """About the centre: stretched by a factor in [1/(1 + scale), 1 + scale] along each axis, slanted by up to `shear`
    degrees (upper rows to the right), turned by up to `rotation` degrees, and moved by up to `shift` pixels along each
    axis; bilinear."""

    rotation: float = 15.0
    scale: float = 0.15
    shear: float = 10.0
    shift: float = 2.0

    columns: ClassVar[tuple[str, ...]] = ("angle", "wider", "taller", "shear", "down", "right")
    numbers: ClassVar[int] = 6

    def __post_init__(self) -> None:
        for name, most in (("rotation", 1e6), ("scale", 100), ("shear", 80), ("shift", FARTHEST)):
            number(name, getattr(self, name), 0, below=most)

    def draw(self, u: Floats, shape: Shape) -> Floats:
        limits = (self.rotation, np.log1p(self.scale), np.log1p(self.scale), self.shear, self.shift, self.shift)
        drawn = np.array(limits) * (2 * u - 1)
        drawn[:, 1:3] = np.exp(drawn[:, 1:3])
        return drawn

    def into(self, images: Pixels, parameters: Floats, out: Pixels) -> None:
        angle, wider, taller, shear, down, right = parameters.T
        cos, sin = _turn(angle)
        slope = np.tan(np.radians(shear))
        # The inverse of stretch, then shear along rows, then turn: columns and rows of the source.
        x_of_x, x_of_y = (cos + slope * sin) / wider, (-sin + slope * cos) / wider
        matrix = np.stack([x_of_x, x_of_y, sin / taller, cos / taller], axis=1)
        _warp(images, matrix, np.stack([right, down], axis=1), "bilinear", out)


@dataclass(frozen=True)
class Elastic:
    """Every pixel from a place moved by α times noise uniform in [−1, 1) that a Gaussian of σ pixels has smoothed,
    along each axis; bilinear; Simard, Steinkraus, Platt 2003. The parameter names the noise."""

    alpha: float = 34.0
    sigma: float = 4.0

    columns: ClassVar[tuple[str, ...]] = ("key",)
    numbers: ClassVar[int] = 1

    def __post_init__(self) -> None:
        number("alpha", self.alpha, 0, below=FARTHEST)
        number("sigma", self.sigma, above=0, below=1000)

    def draw(self, u: Floats, shape: Shape) -> Floats:
        return np.floor(u * 2.0**53)

    def into(self, images: Pixels, parameters: Floats, out: Pixels) -> None:
        from chainrule.images.transforms import pixels

        keys = parameters[:, 0].astype(np.uint64)
        pixels.elastic(images, keys, float(self.alpha), bell(self.sigma), out)


def bell(sigma: float) -> Floats:
    """A Gaussian over −⌈3σ⌉ … ⌈3σ⌉ pixels that sums to 1."""
    radius = int(np.ceil(3 * sigma))
    weights = np.exp(-0.5 * (np.arange(-radius, radius + 1) / sigma) ** 2)
    return np.asarray(weights / weights.sum())


def _one_of(u: Floats, most: Any) -> Floats:
    """Whole numbers 0 … most from numbers in [0, 1)."""
    return np.asarray(np.floor(u * (most + 1)))


def _between(u: Floats, low: float, high: float) -> Floats:
    return np.asarray(low + (high - low) * u)


def _turn(degrees: Floats) -> tuple[Floats, Floats]:
    """Cosine and sine, exact where the angle is a multiple of 90°."""
    radians = np.radians(degrees)
    cos, sin, right = np.cos(radians), np.sin(radians), degrees % 90 == 0
    return np.where(right, np.round(cos), cos), np.where(right, np.round(sin), sin)


def _contrast_tables(alpha: Floats) -> Pixels:
    """(n, 256): what becomes of each byte."""
    from chainrule.images.transforms import pixels

    tables = np.empty((len(alpha), 256), np.uint8)
    pixels.contrast_tables(np.ascontiguousarray(alpha), tables)
    return tables


def _warp(images: Pixels, matrix: Floats, moved: Floats, interpolation: str, out: Pixels) -> None:
    """Pixel (x, y) about the centre comes from matrix·(x − right, y − down); matrix (n, 4), moved (n, 2)."""
    from chainrule.images.transforms import pixels

    height, width = images.shape[1:3]
    a, b, d, e = np.rint(matrix * FINE).astype(np.int64).T
    right, down = np.rint(2 * moved * FINE).astype(np.int64).T  # in halves, as the centre is
    x, y = (width - 1) * FINE + right, (height - 1) * FINE + down
    t = ((width - 1) * FINE * FINE - a * x - b * y) // (2 * FINE)
    u = ((height - 1) * FINE * FINE - d * x - e * y) // (2 * FINE)
    places = np.stack([a, b, t, d, e, u], axis=1)
    pixels.warp(images, places, interpolation == "nearest", out)


def _check_interpolation(name: str) -> None:
    if name not in INTERPOLATIONS:
        raise unknown_name("interpolation", name, INTERPOLATIONS)


def _check_range(low: float, high: float) -> None:
    if number("low", low, 0) > number("high", high, 0):
        raise InputError(f"low is {low:g}, above high, {high:g}", "Exchange them.")


def _check_probability(value: float) -> None:
    if number("probability", value, 0) > 1:
        raise InputError(f"probability is {value:g}", "Give a number from 0 to 1.")


TRANSFORMS: Mapping[str, type[Transform]] = {
    "rotation": Rotation,
    "cutout": Cutout,
    "crop": Crop,
    "contrast_flip": ContrastFlip,
    "contrast": Contrast,
    "flip": Flip,
    "enhancement": Enhancement,
    "posterisation": Posterisation,
    "shift": Shift,
    "affine": Affine,
    "elastic": Elastic,
}
