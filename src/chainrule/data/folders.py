"""Class folders: every folder is a class, its name the label, the images in it the samples."""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from chainrule.data.images import image_header, is_image, load_image
from chainrule.errors import DataError

Pair = tuple[NDArray[np.uint8], NDArray[np.int64]]
PARTS = ("train", "validation", "test")


def read_class_folders(
    folder: str | Path, image_size: tuple[int, int] | None = None, grey: bool | None = None
) -> tuple[dict[str, Pair], tuple[str, ...], list[str]]:
    """Images and labels by part, the class names, and notes.

    Either folder/train/CLASS/*, with test and perhaps validation beside train, or folder/CLASS/*, which gives one
    part "train", to be split. PNG and JPEG. Names that are all numbers are ordered as numbers.
    image_size: (h, w) to resize to; without it all images must be of one size.
    grey: True makes all grey, False all colour; otherwise they are grey if all files are.
    Raises DataError for a folder without classes, a class without images, images of different sizes.
    """
    folder = Path(folder)
    roots = {part: folder / part for part in PARTS if (folder / part).is_dir()}
    if "train" not in roots:
        roots = {"train": folder}
    classes = _classes(roots["train"])
    files = {part: _files(root, classes) for part, root in roots.items()}
    notes = _left_out(roots)
    everything = [path for chosen in files.values() for path, _ in chosen]
    size, grey = _form(everything, image_size, grey, notes)
    parts = {part: _load(chosen, size, grey) for part, chosen in files.items()}
    return parts, classes, notes


def _classes(root: Path) -> tuple[str, ...]:
    names = [path.name for path in root.iterdir() if path.is_dir() and not path.name.startswith(".")]
    if len(names) < 2:
        raise DataError(
            f"{root} holds {len(names)} class folders, two are needed at least",
            "Put the images of every class into a folder of its own: train/cat, train/dog, or cat and dog.",
        )
    numbers = all(name.isascii() and name.isdecimal() for name in names)
    return tuple(sorted(names, key=(lambda name: (int(name), name)) if numbers else None))


def _files(root: Path, classes: tuple[str, ...]) -> list[tuple[Path, int]]:
    """The images of a part with their labels, class by class, by file name."""
    others = [p.name for p in root.iterdir() if p.is_dir() and not p.name.startswith(".")]
    unknown = sorted(set(others) - set(classes))
    if unknown:
        raise DataError(
            f"{root} has a class folder {unknown[0]!r} that the training part lacks",
            f"Classes: {', '.join(classes)}.",
        )
    files = []
    for label, name in enumerate(classes):
        inside = sorted(filter(is_image, (root / name).iterdir())) if (root / name).is_dir() else []
        if not inside:
            raise DataError(f"{root / name} holds no PNG or JPEG image", "Add images, or remove the class.")
        files += [(path, label) for path in inside]
    return files


def _left_out(roots: dict[str, Path]) -> list[str]:
    every = (path for root in roots.values() for path in root.glob("*/*"))
    others = sorted(path.name for path in every if path.is_file() and not is_image(path))
    return [f"{len(others)} files that are no PNG or JPEG were left out ({others[0]}, …)"] if others else []


def _form(
    paths: list[Path], image_size: tuple[int, int] | None, grey: bool | None, notes: list[str]
) -> tuple[tuple[int, int], bool]:
    """The size and colour that all images are to have."""
    first: Path = paths[0]
    size: tuple[int, int] | None = None
    all_grey, resized = True, 0
    for path in paths:
        found, is_grey = image_header(path)
        all_grey &= is_grey
        size = size or found
        if image_size is None and found != size:
            raise DataError(
                f"images differ in size: {first} is {_in_words(size)}, {path} is {_in_words(found)}",
                f"Say image_size=({size[0]}, {size[1]}) (--image-size on the command line) to resize all of them.",
            )
        resized += found != image_size
    if image_size is not None:
        if resized:
            notes.append(f"{resized} of {len(paths)} images resized to {_in_words(image_size)}")
        size = image_size
    chosen = all_grey if grey is None else grey
    if chosen != all_grey:
        notes.append(f"images made {'grey' if chosen else 'colour'}")
    assert size is not None
    return size, chosen


def _in_words(size: tuple[int, int]) -> str:
    return f"{size[1]} × {size[0]}"


def _load(files: list[tuple[Path, int]], size: tuple[int, int], grey: bool) -> Pair:
    x: NDArray[Any] = np.empty((len(files), *size) if grey else (len(files), *size, 3), np.uint8)
    for i, (path, _) in enumerate(files):
        x[i], _note = load_image(path, size, grey)
    return x, np.array([label for _, label in files], np.int64)
