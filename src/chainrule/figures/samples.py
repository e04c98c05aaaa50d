"""A contact sheet: a few images of every class, a row a class."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import ArrayLike, NDArray

from chainrule.errors import InputError
from chainrule.figures.checks import as_classes
from chainrule.figures.lettering import clean, fit, number, widest
from chainrule.figures.page import MARGIN, axes_at, describe, note_lines, title_lines, write_lines
from chainrule.figures.style import PAGE_WIDTH, SMALL, house_style

_LARGEST_CELL = 0.62  # inches
_LONGEST_NAME = 1.0  # inches
_MOST_PIXELS = 96  # a side; an image of the sheet is printed no finer
_FEWEST_PIXELS = 32  # below, pixels are doubled and so on, so that rims are thin beside them
_GROUND = 225  # grey of the sheet, so that gaps differ from black and from white images
_ROWS_IN_A_BLOCK = 25


@dataclass(frozen=True)
class Tiles:
    """Images of one size as bytes, (h, w, 3) each, and what was done to make them so."""

    by_class: list[list[NDArray[np.uint8]]]
    height: int
    width: int
    remark: str


@house_style()
def sample_sheet(
    images_by_class: Sequence[Sequence[ArrayLike]], classes: Sequence[str], *, title: str = "", note: str = ""
) -> Figure:
    """Images of every class beside its name; classes may have different numbers of them, gaps stay empty.

    `images_by_class` holds, for every class in order, its images: (h, w) grey or (h, w, 3) colour, bytes or numbers
    in [0, 1]. Other numbers are stretched from the sheet's lowest to its highest, as the note then says. Smaller
    images are centred in the largest one's place; more than 96 pixels a side are averaged down. More than 25
    classes stand in two blocks, more than 50 in three.

    Raises InputError where classes and lists differ in number, no image is there, or one has another shape or NaN.
    """
    names = as_classes(classes)
    if len(images_by_class) != len(names):
        raise InputError(
            f"there are images of {len(images_by_class)} classes but {len(names)} class names",
            "Give a list of images for every class; it may be empty.",
        )
    tiles = _tiles(images_by_class, names)
    blocks = min(3, -(-len(names) // _ROWS_IN_A_BLOCK))
    rows = -(-len(names) // blocks)
    columns = max(len(images) for images in tiles.by_class)
    drawn = [fit(clean(name), _LONGEST_NAME, SMALL) for name in names]
    name_width = widest(drawn, SMALL) + 0.08
    block_width = (PAGE_WIDTH - 2 * MARGIN - 0.2 * (blocks - 1)) / blocks
    cell = min(_LARGEST_CELL, (block_width - name_width) / columns)
    cell_height = max(cell * tiles.height / tiles.width, 0.11)

    page_width = PAGE_WIDTH if blocks > 1 else max(3.5, 2 * MARGIN + name_width + cell * columns)
    heading = title_lines(title, page_width)
    footer = note_lines([note, tiles.remark], page_width)
    top = MARGIN + heading.height + (0.08 if title else 0)
    bottom = top + rows * cell_height
    figure = Figure(figsize=(page_width, bottom + 0.08 + footer.height + MARGIN))
    write_lines(figure, MARGIN, heading)
    write_lines(figure, bottom + 0.08, footer)
    for block in range(blocks):
        part = slice(block * rows, (block + 1) * rows)
        shown = drawn[part]
        left = MARGIN + name_width + block * (block_width + 0.2)
        axes = axes_at(figure, left, top, cell * columns, len(shown) * cell_height)
        axes.imshow(
            _canvas(tiles, tiles.by_class[part], columns),
            aspect="auto",
            interpolation="nearest",
            extent=(0, columns, len(shown), 0),
        )
        axes.set_yticks(np.arange(len(shown)) + 0.5, shown, size=SMALL)
        axes.set_xticks([])
        axes.tick_params(length=0, pad=3)
        axes.spines[:].set_visible(False)
    count = sum(len(images) for images in tiles.by_class)
    return describe(figure, title, f"{count} sample images of {len(names)} classes, a row a class")


def _tiles(images_by_class: Sequence[Sequence[ArrayLike]], names: list[str]) -> Tiles:
    arrays = [
        [_image(image, f"image {i} of class {name!r}") for i, image in enumerate(images)]
        for images, name in zip(images_by_class, names, strict=True)
    ]
    every = [image for images in arrays for image in images]
    if not every:
        raise InputError("no class has an image to show", "Give at least one image.")
    low, high, remark = _range(every)
    sheet = [[_small(_bytes(image, low, high)) for image in images] for images in arrays]
    sizes = [image.shape for images in sheet for image in images]
    height, width = max(size[0] for size in sizes), max(size[1] for size in sizes)
    times = max(1, _FEWEST_PIXELS // max(height, width))
    enlarged = [[image.repeat(times, axis=0).repeat(times, axis=1) for image in images] for images in sheet]
    return Tiles(enlarged, height * times, width * times, remark)


def _image(image: ArrayLike, name: str) -> NDArray[np.generic]:
    array = np.asarray(image)
    if array.ndim == 3 and array.shape[2] == 1:
        array = array[:, :, 0]
    if (
        array.dtype.kind not in "buif"
        or array.size == 0
        or not (array.ndim == 2 or (array.ndim == 3 and array.shape[2] == 3))
    ):
        raise InputError(
            f"{name} is {array.dtype} of shape {array.shape}", "Give numbers, (h, w) for grey or (h, w, 3) for colour."
        )
    if not np.isfinite(array).all():
        raise InputError(f"{name} holds values that are not finite", "Leave it out or fill them in.")
    return array


def _range(images: list[NDArray[np.generic]]) -> tuple[float, float, str]:
    """The values that become black and white, and the remark where they are not the usual ones."""
    if all(image.dtype == np.uint8 for image in images):
        return 0.0, 255.0, ""
    low = float(min(image.min() for image in images))
    high = float(max(image.max() for image in images))
    if low >= 0 and high <= 1:
        return 0.0, 1.0, ""
    return low, high, f"Values are stretched: {number(low)} is black, {number(high)} is white."


def _bytes(image: NDArray[np.generic], low: float, high: float) -> NDArray[np.float64]:
    """The image in 0 … 255, three colours a pixel."""
    scaled = (image.astype(np.float64) - low) * (255 / (high - low) if high > low else 0.0)
    return scaled if scaled.ndim == 3 else np.repeat(scaled[:, :, None], 3, axis=2)


def _small(image: NDArray[np.float64]) -> NDArray[np.uint8]:
    """The image averaged over square blocks until it has at most `_MOST_PIXELS` a side."""
    block = -(-max(image.shape[:2]) // _MOST_PIXELS)
    if block > 1:
        rows, columns = max(1, image.shape[0] // block), max(1, image.shape[1] // block)
        starts = [np.arange(count) * block for count in (rows, columns)]
        sums = np.add.reduceat(np.add.reduceat(image, starts[0], axis=0), starts[1], axis=1)
        pixels = np.add.reduceat(np.add.reduceat(np.ones_like(image), starts[0], axis=0), starts[1], axis=1)
        image = sums / pixels
    return np.round(image).astype(np.uint8)


def _canvas(tiles: Tiles, by_class: list[list[NDArray[np.uint8]]], columns: int) -> NDArray[np.uint8]:
    """All images of a block in one array, each with a rim of ground."""
    rim = max(1, max(tiles.height, tiles.width) // 16)
    height, width = tiles.height + 2 * rim, tiles.width + 2 * rim
    canvas = np.full((len(by_class) * height, columns * width, 3), _GROUND, np.uint8)
    for row, images in enumerate(by_class):
        for column, image in enumerate(images):
            top = row * height + rim + (tiles.height - image.shape[0]) // 2
            left = column * width + rim + (tiles.width - image.shape[1]) // 2
            canvas[top : top + image.shape[0], left : left + image.shape[1]] = image
    return canvas
