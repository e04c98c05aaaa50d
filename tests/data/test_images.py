"""Images: class folders to learn from, files to predict, and notes of everything that was done to them."""

import io
import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from chainrule.data import DataSet, load_data, read_images


def picture(path, pixels, **options):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.asarray(pixels, np.uint8)).save(path, **options)
    return path


@pytest.fixture
def zoo(tmp_path):
    """Two classes of ten grey images; the pixels of an image tell its class and its number."""
    for label, name in enumerate(("2", "10")):
        for i in range(10):
            picture(tmp_path / "zoo" / name / f"{i}.png", np.full((4, 3), 100 * label + i))
    return tmp_path / "zoo"


def model_of(shape):
    """The spec of a model of images of `shape`."""
    return DataSet.from_arrays(np.zeros((2, *shape), np.uint8), [0, 1], preprocessing="scale").spec


def test_one_level_of_class_folders_is_split(zoo):
    data = load_data(zoo)
    assert [len(part) for part in data.parts.values()] == [14, 3, 3]
    assert data.classes == ("2", "10"), "numbers are ordered as numbers"
    for part in data.parts.values():
        np.testing.assert_array_equal(part.y, part.x[:, 0] * 255 > 50)
    assert data.image_shape == (4, 3)


def test_train_and_test_folders_are_parts(zoo, tmp_path):
    (tmp_path / "all").mkdir()
    zoo.rename(tmp_path / "all" / "train")
    picture(tmp_path / "all" / "test" / "2" / "a.png", np.zeros((4, 3)))
    picture(tmp_path / "all" / "test" / "10" / "b.png", np.zeros((4, 3)))
    data = load_data(tmp_path / "all", validation=4)
    assert {name: len(part) for name, part in data.parts.items()} == {"train": 16, "validation": 4, "test": 2}


def test_colour_among_grey_makes_all_colour_unless_said_otherwise(zoo):
    picture(zoo / "2" / "red.png", np.full((4, 3, 3), (255, 0, 0)))
    assert load_data(zoo).image_shape == (4, 3, 3)
    grey = load_data(zoo, grey=True)
    assert grey.image_shape == (4, 3)
    assert grey.provenance["notes"] == ["images made grey"]
    (zoo / "2" / "red.png").unlink()
    assert load_data(zoo, grey=False).image_shape == (4, 3, 3)


def test_images_of_other_sizes_are_refused_or_resized(zoo, refused):
    picture(zoo / "2" / "9z.png", np.full((8, 6), 7))
    with refused("images differ in size", "0.png is 3 × 4", "9z.png is 6 × 8", "--image-size"):
        load_data(zoo)
    data = load_data(zoo, image_size=(4, 3))
    assert data.image_shape == (4, 3)
    assert data.provenance["notes"] == ["1 of 21 images resized to 3 × 4"]


def test_other_files_are_left_out_and_noted(zoo):
    (zoo / "2" / "readme.txt").write_text("hello")
    assert load_data(zoo).provenance["notes"] == ["1 files that are no PNG or JPEG were left out (readme.txt, …)"]


def test_folders_that_are_no_classes_are_refused(zoo, tmp_path, refused):
    (tmp_path / "none").mkdir()
    with refused("holds 0 class folders"):
        load_data(tmp_path / "none")
    (zoo / "empty").mkdir()
    with refused("empty holds no PNG or JPEG"):
        load_data(zoo)
    (zoo / "empty").rmdir()
    zoo.rename(tmp_path / "train")
    picture(tmp_path / "test" / "cow" / "a.png", np.zeros((4, 3)))
    with refused("has a class folder 'cow' that the training part lacks"):
        load_data(tmp_path)


def test_predicting_resizes_and_greys_and_says_so(tmp_path):
    picture(tmp_path / "a.png", np.full((48, 64, 3), 90))
    picture(tmp_path / "b.jpg", np.full((28, 28), 90))
    raw, names, notes = read_images(tmp_path, model_of((28, 28)))
    assert (raw.shape, raw.dtype, names) == ((2, 28, 28), np.uint8, ["a.png", "b.jpg"])
    assert notes == ["a.png: 64 × 48 colour → 28 × 28 grey"]
    assert (np.abs(raw.astype(int) - 90) <= 1).all()
    colour, _, notes = read_images(tmp_path / "b.jpg", model_of((28, 28, 3)))
    assert (colour.shape, notes) == ((1, 28, 28, 3), ["b.jpg: 28 × 28 grey → 28 × 28 colour"])


def test_inverting_exchanges_dark_and_light(tmp_path):
    path = picture(tmp_path / "a.png", [[0, 255], [10, 20]])
    raw, _, notes = read_images([path], model_of((2, 2)), invert=True)
    assert raw.tolist() == [[[255, 0], [245, 235]]]
    assert notes == ["dark and light exchanged in all images"]


def test_transparency_becomes_white(tmp_path):
    pixels = np.zeros((2, 2, 4), np.uint8)
    pixels[0, 0] = (0, 0, 0, 255)
    assert read_images(picture(tmp_path / "a.png", pixels), model_of((2, 2)))[0].tolist() == [[[0, 255], [255, 255]]]


def test_sixteen_bits_keep_their_upper_eight(tmp_path):
    Image.fromarray(np.array([[0, 256], [65535, 32768]], np.uint16)).save(tmp_path / "a.png")
    assert read_images(tmp_path / "a.png", model_of((2, 2)))[0].tolist() == [[[0, 1], [255, 128]]]


def test_photographs_are_turned_upright(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6  # turn by 90° clockwise to see it
    picture(tmp_path / "a.png", [[0, 50], [100, 150], [200, 250]], exif=exif)
    raw, _, _ = read_images(tmp_path / "a.png", model_of((2, 3)))
    assert raw.tolist() == [[[200, 100, 0], [250, 150, 50]]]


def png_header(width, height):
    chunks = (b"IHDR" + struct.pack(">2I5B", width, height, 8, 0, 0, 0, 0), b"IDAT" + zlib.compress(b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(chunk) - 4) + chunk + struct.pack(">I", zlib.crc32(chunk)) for chunk in chunks
    )


def cut_png():
    file = io.BytesIO()
    Image.fromarray(np.random.default_rng(0).integers(0, 255, (20, 20), np.uint8)).save(file, "PNG")
    return file.getvalue()[:200]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "is empty"),
        (b"hello", "is no PNG or JPEG image"),
        (b"GIF89a" + bytes(20), "is no PNG or JPEG image"),
        (cut_png(), "is damaged"),
        (png_header(12_000, 12_000), "is enormous"),
        (png_header(40_000, 40_000), "is enormous"),
    ],
)
def test_bad_images_are_refused_without_a_warning(tmp_path, zoo, refused, content, words):
    (tmp_path / "bad.png").write_bytes(content)
    with refused(words, "bad.png"):
        read_images(tmp_path / "bad.png", model_of((4, 3)))
    (zoo / "2" / "bad.png").write_bytes(content)
    with refused(words, "bad.png"):
        load_data(zoo, image_size=(4, 3))


def test_there_must_be_images_and_a_model_of_images(tmp_path, refused):
    with refused("there is no PNG or JPEG image in"):
        read_images(tmp_path, model_of((4, 3)))
    with refused("nowhere.png does not exist"):
        read_images(tmp_path / "nowhere.png", model_of((4, 3)))
    with refused("not on images"):
        read_images(tmp_path, DataSet.from_arrays(np.eye(3), [0, 1, 0]).spec)


@pytest.mark.realdata
def test_mnist_as_png_has_the_pixels_of_mnist(real_data):
    if not (real_data / "mnist-png").is_dir():
        pytest.skip("CHAINRULE_DATA has no mnist-png")
    png, idx = load_data(real_data / "mnist-png"), load_data("mnist", data_dir=real_data, validation=0)
    assert png.classes == idx.classes
    known = {row.tobytes(): label for row, label in zip(idx.test.x, idx.test.y, strict=True)}
    assert [known[row.tobytes()] for row in png.test.x] == png.test.y.tolist()


def test_images_are_stretched_to_the_range_of_the_training_data(tmp_path):
    digits = load_data("digits")  # its pixels go from 0 to 16
    Image.fromarray(np.array([[0, 255] * 4] * 8, np.uint8)).save(tmp_path / "stripes.png")
    raw, _, _ = read_images(tmp_path / "stripes.png", digits.spec)
    assert digits.spec.white == 16
    np.testing.assert_allclose(digits.spec.prepare(raw), [[0, 1] * 32])
