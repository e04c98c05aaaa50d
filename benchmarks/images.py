"""Each transform beside the same by Pillow, image by image, arrays in and out on both sides.

    python benchmarks/images.py [--images 5000] [--repeats 5]

Prints a table of microseconds an image. Both sides get the same parameters, drawn before, and 32 × 32 colour images;
each is warmed up, then the best of the repeats counts. One core is processor time of one thread, which other work on
the machine disturbs little; all cores is time on the clock, and wants an idle machine. Pillow runs on one core.
"""

import argparse
import time
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
from PIL import Image, ImageEnhance, ImageOps

from chainrule.images.transforms import ASSIGNMENT, apply, draw, transform

SHAPE = (32, 32, 3)
Row = Any


def rotated(image: Image.Image, row: Row) -> Image.Image:
    return image.rotate(row[0], Image.Resampling.BILINEAR)


def rotated_nearest(image: Image.Image, row: Row) -> Image.Image:
    return image.rotate(row[0], Image.Resampling.NEAREST)


def erased(image: Image.Image, row: Row) -> Image.Image:
    top, left, height, width = map(int, row)
    image = image.copy()
    image.paste(0, (left, top, left + width, top + height))
    return image


def cropped(image: Image.Image, row: Row) -> Image.Image:
    padded = ImageOps.expand(image, 2)
    top, left = map(int, row)
    return padded.crop((left, top, left + 32, top + 32))


def shifted(image: Image.Image, row: Row) -> Image.Image:
    return image.transform(image.size, Image.Transform.AFFINE, (1, 0, -row[1], 0, 1, -row[0]))


def contrasted(image: Image.Image, row: Row) -> Image.Image:
    """About 128, as the assignment has it; Pillow's own enhancer takes the image's mean, at the same cost."""
    return ImageEnhance.Contrast(image).enhance(row[0])


def mirrored(image: Image.Image, row: Row) -> Image.Image:
    return ImageOps.mirror(image) if row[-1] else image


def contrasted_mirrored(image: Image.Image, row: Row) -> Image.Image:
    return mirrored(contrasted(image, row), row)


def enhanced(image: Image.Image, row: Row) -> Image.Image:
    return ImageOps.autocontrast(image)


def posterised(image: Image.Image, row: Row) -> Image.Image:
    return ImageOps.posterize(image, int(row[0]))


def sheared(image: Image.Image, row: Row) -> Image.Image:
    """The cost of any affine map is the same."""
    return image.transform(image.size, Image.Transform.AFFINE, (1, 0.1, 2, -0.1, 1, 1), Image.Resampling.BILINEAR)


PILLOW: dict[str, Callable[[Image.Image, Row], Image.Image] | None] = {
    "rotation": rotated,
    'rotation(interpolation="nearest")': rotated_nearest,
    "cutout": erased,
    "crop": cropped,
    "contrast": contrasted,
    "flip(1)": mirrored,
    "contrast_flip": contrasted_mirrored,
    "enhancement": enhanced,
    "posterisation": posterised,
    "shift": shifted,
    "affine": sheared,
    "elastic": None,
    ASSIGNMENT: None,
    "crop(4)+flip": None,
}


def best(work: Callable[[], Any], repeats: int, clock: Callable[[], float]) -> float:
    """Seconds of the fastest run."""
    seconds = []
    for _ in range(repeats + 1):
        began = clock()
        work()
        seconds.append(clock() - began)
    return min(seconds[1:])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--images", type=int, default=5000)
    parser.add_argument("--repeats", type=int, default=5)
    arguments = parser.parse_args()
    images = np.random.default_rng(0).integers(0, 256, (arguments.images, *SHAPE), np.uint8)
    out = np.empty_like(images)
    print("| transform | chainrule, all cores | chainrule, one core | Pillow, one core | times on one core |")
    print("|---|---|---|---|---|")
    for text, theirs in PILLOW.items():
        ours = transform(text)
        rows = draw(ours, SHAPE, np.arange(len(images)))

        def by_pillow(theirs: Any = theirs, rows: Any = rows) -> None:
            for k, (image, row) in enumerate(zip(images, rows, strict=True)):
                out[k] = np.asarray(theirs(Image.fromarray(image), row))

        def by_us(threads: int | None = None, ours: Any = ours, rows: Any = rows) -> None:
            apply(ours, images, rows, out=out, threads=threads)

        def microseconds(work: Callable[[], Any], clock: Callable[[], float] = time.thread_time) -> float:
            return best(work, arguments.repeats, clock) / len(images) * 1e6

        together, alone = microseconds(by_us, time.perf_counter), microseconds(partial(by_us, 1))
        other = microseconds(by_pillow) if theirs is not None else None
        beside = "– | –" if other is None else f"{other:.1f} | {other / alone:.1f}"
        print(f"| `{text.replace('|', ' or ')}` | {together:.2f} | {alone:.2f} | {beside} |")


if __name__ == "__main__":
    main()
