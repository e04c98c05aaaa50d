"""Image files become arrays of 8-bit numbers of one size, grey or colour, and what was done to them is said."""

import struct
import warnings
import zlib
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from chainrule.data.files import opened
from chainrule.data.spec import DataSpec
from chainrule.errors import DataError

if TYPE_CHECKING:
    from PIL import Image

SUFFIXES = (".png", ".jpg", ".jpeg")
GREY = ("1", "L", "LA", "I;16", "I;16B", "I")
DAMAGED = (OSError, SyntaxError, ValueError, EOFError, MemoryError, struct.error, zlib.error)

Pixels = NDArray[np.uint8]


def read_images(
    source: str | Path | Iterable[str | Path], spec: DataSpec, invert: bool = False
) -> tuple[NDArray[Any], list[str], list[str]]:
    """Images to predict: raw (m, h, w) or (m, h, w, 3), their names, and notes of what was done to them.

    source: one image, a folder (searched with its subfolders), or several of them. Every image is turned upright, made
    grey or colour and resized (bilinear, without regard to proportions) as `spec.image_shape` demands;
    transparency becomes white; `invert` exchanges dark and light. 0 … 255 is stretched to the range of the training
    data, 0 … `spec.white`, where that is another.
    Raises DataError for a model of no images, for files that are no PNG or JPEG, and for damaged or enormous ones.
    """
    if spec.image_shape is None:
        raise DataError(
            f"the model was trained on {spec.features} features of a {spec.kind}, not on images",
            "Give a table or an array file.",
        )
    size, grey = (spec.image_shape[0], spec.image_shape[1]), len(spec.image_shape) == 2
    paths = _image_files([source] if isinstance(source, str | Path) else source)
    raw = np.empty((len(paths), *spec.image_shape), np.uint8)
    notes = []
    for i, (path, name) in enumerate(paths):
        raw[i], note = load_image(path, size, grey)
        if note:
            notes.append(f"{name}: {note}")
    if invert:
        np.subtract(255, raw, out=raw)
        notes.append("dark and light exchanged in all images")
    stretched = raw if spec.white == 255 else raw * (spec.white / 255)
    return stretched, [name for _, name in paths], notes


def load_image(path: Path, size: tuple[int, int], grey: bool) -> tuple[Pixels, str]:
    """One image as (h, w) or (h, w, 3), and what was changed ("640 × 480 colour → 28 × 28 grey"), or ""."""
    from PIL import Image, ImageOps

    with _decoding(path), _open(path) as image:
        before = _described(image)
        upright = ImageOps.exif_transpose(image)
        pixels = _converted(upright, grey)
        if (pixels.height, pixels.width) != size:
            pixels = pixels.resize((size[1], size[0]), Image.Resampling.BILINEAR)
        after = _described(pixels)
        return np.asarray(pixels, np.uint8), "" if before == after else f"{before} → {after}"


def image_header(path: Path) -> tuple[tuple[int, int], bool]:
    """Size (h, w) as stored upright, and whether the image is grey; its pixels are not decoded."""
    with _decoding(path), _open(path) as image:
        quarter_turn = image.getexif().get(0x0112, 1) in (5, 6, 7, 8)
        size = (image.width, image.height) if quarter_turn else (image.height, image.width)
        return size, image.mode in GREY


def is_image(path: Path) -> bool:
    return path.suffix.lower() in SUFFIXES and not path.name.startswith(".")


class _decoding:  # noqa: N801  reads as a statement: with _decoding(path)
    """Say in words what Pillow finds wrong with a file; its warning of enormous images counts as an error."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.quiet = warnings.catch_warnings()

    def __enter__(self) -> None:
        from PIL import Image

        self.quiet.__enter__()
        warnings.simplefilter("ignore")
        warnings.simplefilter("error", Image.DecompressionBombWarning)

    def __exit__(self, kind: Any, error: Any, trace: Any) -> None:
        from PIL import Image, UnidentifiedImageError

        self.quiet.__exit__(kind, error, trace)
        if error is None or isinstance(error, DataError):
            return
        if isinstance(error, Image.DecompressionBombWarning | Image.DecompressionBombError):
            raise DataError(
                f"{self.path} is enormous: {str(error).split(',')[0]}",
                f"Images may have up to {Image.MAX_IMAGE_PIXELS:,} pixels; make it smaller.",
            ) from None
        if isinstance(error, UnidentifiedImageError):
            raise DataError(f"{self.path} is no PNG or JPEG image", "Convert it to PNG.") from None
        if isinstance(error, DAMAGED):
            raise DataError(f"{self.path} is damaged: {error}", "Fetch or export the image again.") from None


def _open(path: Path) -> "Image.Image":
    from PIL import Image

    with opened(path):  # missing and empty files have their own words
        pass
    return Image.open(path, formats=("PNG", "JPEG"))


def _converted(image: "Image.Image", grey: bool) -> "Image.Image":
    from PIL import Image

    if image.mode.startswith("I"):  # 16 bits a pixel: the upper eight are kept
        image = Image.fromarray((np.asarray(image).clip(0, 65535) >> 8).astype(np.uint8))
    if image.has_transparency_data:
        layer = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", layer.size, "white"), layer).convert("RGB")
    return image.convert("L" if grey else "RGB")


def _described(image: "Image.Image") -> str:
    return f"{image.width} × {image.height} {'grey' if image.mode in GREY else 'colour'}"


def _image_files(sources: Iterable[str | Path]) -> list[tuple[Path, str]]:
    """Every image with the name it is shown under."""
    found: list[tuple[Path, str]] = []
    named = [Path(source) for source in sources]
    for source in named:
        if source.is_dir():
            inside: Sequence[Path] = sorted(path for path in source.rglob("*") if path.is_file() and is_image(path))
            found += [(path, str(path.relative_to(source))) for path in inside]
        else:
            found.append((source, source.name))
    if not found:
        raise DataError(
            f"there is no PNG or JPEG image in {', '.join(map(str, named)) or 'what was named'}",
            "Name image files, or a folder that holds some.",
        )
    return found
