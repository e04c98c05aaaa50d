"""Transforms against a slow reading of their definitions, pixel by pixel, and against what they are said to draw."""

import math

import numpy as np
import pytest

from chainrule.errors import DataError, InputError, UnknownNameError
from chainrule.images.draws import mixed, uniforms
from chainrule.images.transforms import ASSIGNMENT, TRANSFORMS, apply, draw, transform
from chainrule.images.transforms.rules import bell

COLOUR, GREY, FIVE = (9, 7, 3), (8, 8, 1), (6, 5, 5)


def images(n, shape, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (n, *shape), np.uint8)


def half_up(value):
    return math.floor(value + 0.5)


def pixel(image, i, j, c):
    """Zero beyond the image."""
    height, width = image.shape[:2]
    return int(image[i, j, c]) if 0 <= i < height and 0 <= j < width else 0


def bilinear(image, X, Y, c):
    """X, Y in 1/65,536 pixels, weights in 1/2,048, means along the two rows rounded to quarters."""
    j, i = X >> 16, Y >> 16
    fx, fy = (X & 65535) >> 5, (Y & 65535) >> 5
    over, under = (
        half_up(4 * ((2048 - fx) * pixel(image, row, j, c) + fx * pixel(image, row, j + 1, c)) / 2048) / 4
        for row in (i, i + 1)
    )
    return half_up(((2048 - fy) * over + fy * under) / 2048)


def turned_back(angle):
    """Cosine and sine in 1/65,536."""
    exact = {0: (1, 0), 90: (0, 1), 180: (-1, 0), 270: (0, -1)}.get(angle % 360)
    cos, sin = exact or (math.cos(math.radians(angle)), math.sin(math.radians(angle)))
    return round(cos * 65536), round(sin * 65536)


def rotation(image, row, nearest=False):
    """The pixel at (x, y) from the centre, y downwards, comes from (cos·x − sin·y, sin·x + cos·y): anticlockwise."""
    height, width, colours = image.shape
    cos, sin = turned_back(row[0])
    out = np.zeros_like(image)
    for i, j, c in np.ndindex(height, width, colours):
        x2, y2 = 2 * j - (width - 1), 2 * i - (height - 1)
        X = (cos * x2 - sin * y2 + (width - 1) * 65536) // 2
        Y = (sin * x2 + cos * y2 + (height - 1) * 65536) // 2
        near = pixel(image, (Y + 32768) >> 16, (X + 32768) >> 16, c)
        out[i, j, c] = near if nearest else bilinear(image, X, Y, c)
    return out


def cutout(image, row, value=0):
    top, left, height, width = map(int, row)
    out = image.copy()
    for i in range(top, top + height):
        for j in range(left, left + width):
            out[i, j] = value
    return out


def crop(image, row, padding=2):
    padded = np.pad(image, ((padding, padding), (padding, padding), (0, 0)))
    top, left = map(int, row)
    return padded[top : top + image.shape[0], left : left + image.shape[1]]


def shift(image, row):
    out = np.zeros_like(image)
    for i, j, c in np.ndindex(image.shape):
        out[i, j, c] = pixel(image, i - int(row[0]), j - int(row[1]), c)
    return out


def contrast(image, row):
    out = np.zeros_like(image)
    for place in np.ndindex(image.shape):
        out[place] = min(max(half_up(row[0] * (int(image[place]) - 128.0) + 128.0), 0), 255)
    return out


def flip(image, row):
    return image[:, ::-1] if row[0] else image


def contrast_flip(image, row):
    return flip(contrast(image, row), row[1:])


def enhancement(image, row):
    low, high = int(image.min()), int(image.max())
    if low == high:
        return image
    return np.array([half_up(255 * (int(v) - low) / (high - low)) for v in image.flat], np.uint8).reshape(image.shape)


def posterisation(image, row):
    step = 2 ** (8 - int(row[0]))
    return (image // step * step).astype(np.uint8)


def smoothed(key, height, width, sigma):
    """Noise of a key, (2, H, W), convolved with a Gaussian along both axes, zero beyond the image."""
    mask = (1 << 64) - 1

    def word(place):
        w = (key + (place + 1) * 0x9E3779B97F4A7C15) & mask
        w = ((w ^ (w >> 30)) * 0xBF58476D1CE4E5B9) & mask
        w = ((w ^ (w >> 27)) * 0x94D049BB133111EB) & mask
        return w ^ (w >> 31)

    noise = np.array([(word(k) >> 11) * 2.0**-52 - 1 for k in range(2 * height * width)]).reshape(2, height, width)
    weights = np.exp(-0.5 * (np.arange(-math.ceil(3 * sigma), math.ceil(3 * sigma) + 1) / sigma) ** 2)
    weights /= weights.sum()
    for axis in (1, 2):
        noise = np.apply_along_axis(
            lambda line: np.convolve(line, weights)[len(weights) // 2 :][: len(line)], axis, noise
        )
    return noise


def elastic(image, row, alpha=34.0, sigma=4.0):
    field = alpha * smoothed(int(row[0]), *image.shape[:2], sigma)
    out = np.zeros_like(image)
    for i, j, c in np.ndindex(image.shape):
        X, Y = (j << 16) + half_up(field[0, i, j] * 65536), (i << 16) + half_up(field[1, i, j] * 65536)
        out[i, j, c] = bilinear(image, X, Y, c)
    return out


def affine(image, row):
    """What undoes moving, turning, slanting and stretching, in this order, in Python's unbounded whole numbers."""
    angle, wider, taller, shear, down, right = row
    cos, sin = math.cos(math.radians(angle)), math.sin(math.radians(angle))
    slanted = np.array([[1, math.tan(math.radians(shear))], [0, 1]]) @ [[cos, -sin], [sin, cos]]
    (a, b), (d, e) = [[round(float(v) * 65536) for v in line] for line in np.diag([1 / wider, 1 / taller]) @ slanted]
    height, width, colours = image.shape
    x, y = (width - 1) * 65536 + round(2 * right * 65536), (height - 1) * 65536 + round(2 * down * 65536)
    t = ((width - 1) * 65536**2 - a * x - b * y) // (2 * 65536)
    u = ((height - 1) * 65536**2 - d * x - e * y) // (2 * 65536)
    out = np.zeros_like(image)
    for i, j, c in np.ndindex(height, width, colours):
        out[i, j, c] = bilinear(image, a * j + b * i + t, d * j + e * i + u, c)
    return out


READINGS = {
    "rotation": rotation,
    'rotation(interpolation="nearest")': lambda image, row: rotation(image, row, nearest=True),
    "cutout": cutout,
    "cutout(5, value=200)": lambda image, row: cutout(image, row, 200),
    "crop": crop,
    "crop(11)": lambda image, row: crop(image, row, 11),
    "shift(9)": shift,
    "contrast": contrast,
    "flip": flip,
    "contrast_flip": contrast_flip,
    "enhancement": enhancement,
    "posterisation": posterisation,
    "elastic(alpha=8.0, sigma=1.5)": lambda image, row: elastic(image, row, 8.0, 1.5),
    "elastic": elastic,
    "affine": affine,
}


@pytest.mark.parametrize("shape", [COLOUR, GREY, FIVE], ids=["colour", "grey", "five"])
@pytest.mark.parametrize("text", READINGS)
def test_a_transform_is_its_definition_read_pixel_by_pixel(text, shape):
    rule, x = transform(text), images(12, shape)
    rows = draw(rule, shape, np.arange(12), seed=5)
    got = apply(rule, x, rows)
    for image, row, out in zip(x, rows, got, strict=True):
        np.testing.assert_array_equal(out, READINGS[text](image, row), err_msg=f"{text} with {row}")


def test_every_transform_has_a_reading():
    assert {text.split("(")[0] for text in READINGS} == set(TRANSFORMS)


@pytest.mark.parametrize("interpolation", ["bilinear", "nearest"])
@pytest.mark.parametrize("shape", [(8, 8, 3), (7, 7, 3), (8, 8, 1)])
def test_rotations_by_quarter_turns_are_exact_and_anticlockwise(interpolation, shape):
    x = images(7, shape)
    angles = [0, 90, 180, 270, -90, 360, -450]
    got = apply(transform(f'rotation(interpolation="{interpolation}")'), x, np.array(angles)[:, None])
    for image, angle, out in zip(x, angles, got, strict=True):
        np.testing.assert_array_equal(out, np.rot90(image, angle // 90))


def test_a_rotation_agrees_with_scipy_to_a_level_of_grey():
    from scipy.ndimage import rotate

    x = images(6, (20, 20, 3), 1)
    for angle in (17.0, -64.5, 130.0):
        got = apply(transform("rotation"), x, np.full((6, 1), angle)).astype(float)
        theirs = rotate(x.astype(float), angle, axes=(1, 2), reshape=False, order=1, mode="grid-constant")
        assert np.abs(got - theirs).max() <= 1


def test_an_affine_map_of_one_kind_is_what_it_is_called():
    x = images(4, (8, 8, 3))
    rule, none = transform("affine"), [0, 1, 1, 0, 0, 0]

    def changed(**values):
        row = dict(zip(rule.columns, none, strict=True)) | values
        return apply(rule, x, np.tile(list(row.values()), (4, 1)))

    assert np.array_equal(changed(), x)
    assert np.array_equal(changed(angle=90), np.rot90(x, axes=(1, 2)))
    angles = np.full((4, 1), 33.0)
    assert np.array_equal(changed(angle=33), apply(transform("rotation"), x, angles))
    moved = apply(transform("shift"), x, np.tile([2.0, -1.0], (4, 1)))
    assert np.array_equal(changed(down=2, right=-1), moved)
    wide = changed(wider=2)  # about the centre, which lies between pixels 3 and 4: 2.25, 2.75 | 3.25, 3.75 …
    np.testing.assert_array_equal(wide[:, :, 2], (3 * x[:, :, 3].astype(int) + x[:, :, 2] + 2) // 4)
    sheared = changed(shear=45)  # row 0 is 3.5 pixels above the centre and moves as far to the right
    row = x[:, 0].astype(int)
    np.testing.assert_array_equal(sheared[:, 0, 4], (row[:, 0] + row[:, 1] + 1) // 2)


@pytest.mark.parametrize(
    ("text", "column", "low", "high", "mean"),
    [
        ("rotation", "angle", -180, 180, 0),
        ("rotation(15)", "angle", -15, 15, 0),
        ("cutout", "height", 0, 16, 8),
        ("cutout", "width", 0, 16, 8),
        ("crop", "top", 0, 4, 2),
        ("crop", "left", 0, 4, 2),
        ("contrast_flip", "alpha", 0.5, 2, 1.25),
        ("contrast_flip", "flipped", 0, 1, 0.5),
        ("flip(0.25)", "flipped", 0, 1, 0.25),
        ("posterisation", "bits", 2, 5, 3.5),
        ("shift(3)", "down", -3, 3, 0),
        ("affine", "shear", -10, 10, 0),
        (ASSIGNMENT, "transform", 0, 3, 1.5),
    ],
)
def test_what_is_drawn_fills_the_stated_range_evenly(text, column, low, high, mean):
    rule, n = transform(text), 40_000
    drawn = draw(rule, (32, 32, 3), np.arange(n), seed=2)[:, rule.columns.index(column)]
    assert drawn.min() >= low
    assert drawn.max() <= high
    if (drawn == np.floor(drawn)).all():
        counts = np.array([(drawn == value).sum() for value in range(low, high + 1)])
        share = np.full(len(counts), 1 / len(counts)) if "flip" not in column else np.array([1 - mean, mean])
        assert (np.abs(counts - n * share) < 4.5 * np.sqrt(n * share)).all()
    else:
        assert drawn.min() < low + 0.001 * (high - low)
        assert drawn.max() > high - 0.001 * (high - low)
    assert abs(drawn.mean() - mean) < 4.5 * (high - low) / np.sqrt(12 * n) * 1.8


def test_a_block_lies_inside_the_image_and_is_everywhere_as_likely():
    rule = transform("cutout(4)")
    top, _, height, _ = draw(rule, (10, 12, 1), np.arange(60_000)).T
    assert (top + height).max() == 10
    ends = [(top[height == 4] == place).mean() for place in range(7)]
    np.testing.assert_allclose(ends, 1 / 7, atol=0.012)


@pytest.mark.parametrize("text", [*TRANSFORMS, ASSIGNMENT, "crop(4)+flip", "affine+elastic|cutout"])
def test_order_batches_and_threads_change_nothing(text):
    rule, shape = transform(text), (32, 32, 3)
    x = images(900, shape)  # more than two chunks
    rows = draw(rule, shape, np.arange(900), seed=1, epoch=3)
    whole = apply(rule, x, rows, threads=1)
    assert np.array_equal(apply(rule, x, rows, threads=3), whole)
    order = np.random.default_rng(0).permutation(900)[:50]
    again = draw(rule, shape, order, seed=1, epoch=3)
    np.testing.assert_array_equal(again, rows[order])
    assert np.array_equal(apply(rule, x[order], again), whole[order])
    if rule.numbers:
        assert not np.array_equal(draw(rule, shape, order, seed=1, epoch=4), again, equal_nan=True)
        assert not np.array_equal(draw(rule, shape, order, seed=2, epoch=3), again, equal_nan=True)


def test_numbers_of_neighbours_are_independent():
    """Neither along images, nor along epochs, nor between the numbers of one image."""
    along = uniforms(0, 0, np.arange(100_000), 2)
    epochs = np.array([uniforms(0, epoch, [7], 1)[0, 0] for epoch in range(2000)])
    for a, b in ((along[1:, 0], along[:-1, 0]), (along[:, 0], along[:, 1]), (epochs[1:], epochs[:-1])):
        assert abs(np.corrcoef(a, b)[0, 1]) < 4.5 / math.sqrt(len(a))
    counts = np.histogram(along[:, 0], 64, (0, 1))[0]
    assert ((counts - 100_000 / 64) ** 2 / (100_000 / 64)).sum() < 63 + 4.5 * math.sqrt(2 * 63)


def test_the_hash_is_that_of_splitmix64():
    """The first outputs for seed 1234567, as published with the reference implementation."""
    state = np.uint64(1234567) + np.arange(1, 4, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    assert mixed(state).tolist() == [6457827717110365317, 3203168211198807973, 9817491932198370423]


def test_one_of_several_and_one_after_the_other_are_made_of_their_parts():
    shape, x = (32, 32, 3), images(40, (32, 32, 3))
    rule = transform(ASSIGNMENT)
    rows = draw(rule, shape, np.arange(40))
    got = apply(rule, x, rows)
    for name, place in (("rotation", 0), ("cutout", 1), ("crop", 2), ("contrast_flip", 3)):
        chosen = rows[:, 0] == place
        columns = [k for k, column in enumerate(rule.columns) if column.startswith(f"{name}.")]
        assert np.isnan(rows[~chosen][:, columns]).all()
        assert np.array_equal(got[chosen], apply(transform(name), x[chosen], rows[chosen][:, columns]))
    chain = transform("crop(4)+flip")
    rows = draw(chain, shape, np.arange(40))
    cropped = apply(transform("crop(4)"), x, rows[:, :2])
    assert np.array_equal(apply(chain, x, rows), apply(transform("flip"), cropped, rows[:, 2:]))
    assert chain.columns == ("crop(4).top", "crop(4).left", "flip.flipped")


def test_grey_images_may_come_without_an_axis_of_colours():
    rule, x = transform("rotation"), images(5, GREY)
    rows = draw(rule, GREY, np.arange(5))
    assert np.array_equal(apply(rule, x[..., 0], rows), apply(rule, x, rows)[..., 0])


def test_images_are_not_written_to_and_may_be_read_only_or_a_view():
    x = images(6, (8, 8, 3))
    x.flags.writeable = False
    for text in TRANSFORMS:
        rule = transform(text)
        rows = draw(rule, (8, 8, 3), np.arange(3))
        got = apply(rule, x[::2], rows)
        assert np.array_equal(got, apply(rule, x[::2].copy(), rows))


def test_a_result_can_be_written_into_an_array_at_hand():
    x, out = images(3, COLOUR), np.empty((3, *COLOUR), np.uint8)
    rows = np.array([[10.0], [20.0], [30.0]])
    assert np.array_equal(apply(transform("rotation"), x, rows, out=out), apply(transform("rotation"), x, rows))
    assert np.array_equal(out, apply(transform("rotation"), x, rows))


@pytest.mark.parametrize(
    ("x", "words"),
    [
        (np.zeros((2, 4, 4, 3)), "type float64"),
        (np.zeros((2, 4, 4, 3), np.int8), "type int8"),
        (np.zeros((4, 4), np.uint8), "shape (4, 4)"),
        (np.zeros((2, 2, 4, 4, 3), np.uint8), "shape (2, 2, 4, 4, 3)"),
        (np.zeros((0, 4, 4, 3), np.uint8), "shape (0, 4, 4, 3)"),
        ([[[0]]], "a list"),
    ],
)
def test_other_arrays_than_bytes_of_images_are_refused(refused, x, words):
    with refused(words, error=DataError):
        apply(transform("flip"), x, [[1.0]])


def test_parameters_and_arrays_that_do_not_fit_are_refused(refused):
    x = images(3, COLOUR)
    with refused("parameters of shape (3, 2) for 3 images", "(angle)", error=InputError):
        apply(transform("rotation"), x, np.zeros((3, 2)))
    with refused("out is uint8 of shape (2, 9, 7, 3)", error=InputError):
        apply(transform("flip"), x, np.ones((3, 1)), out=np.empty((2, *COLOUR), np.uint8))
    with refused("out lies in the memory of the images", error=InputError):
        apply(transform("flip"), x, np.ones((3, 1)), out=x)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("rotate", "unknown transform 'rotate'"),
        ("rotation(limit=-1)", "transform rotation: limit is -1"),
        ('rotation(interpolation="cubic")', "unknown interpolation 'cubic'"),
        ("rotation(size=3)", "does not take the settings"),
        ("cutout(1.5)", "size is 1.5"),
        ("cutout(value=256)", "value is 256"),
        ("crop(-1)", "padding is -1"),
        ("contrast(2, 1)", "low is 2, above high, 1"),
        ("flip(1.5)", "probability is 1.5"),
        ("posterisation(0, 3)", "posterisation keeps 0 to 3 bits"),
        ("elastic(sigma=0)", "sigma is 0"),
        ("affine(shear=90)", "shear is 90"),
        ("affine(scale=100)", "scale is 100"),
        ("affine(shift=1e5)", "shift is 100000"),
        ("elastic(alpha=1e5)", "alpha is 100000"),
        ("rotation(1e9)", "limit is 1000000000"),
        ("crop(20000)", "padding is 20000"),
        ("shift(20000)", "limit is 20000"),
        ("crop+", "cannot be read"),
        ("flip|", "cannot be read"),
        ("flip(", "cannot be read"),
    ],
)
def test_unknown_names_and_settings_are_refused_in_words(refused, text, words):
    with refused(words, error=InputError):
        transform(text)


def test_the_nearest_name_is_offered(refused):
    with refused("Did you mean 'rotation'?", error=UnknownNameError):
        transform("rotatoin")


@pytest.mark.parametrize(
    "text", ["crop(9999)", "shift(9999)", "affine(999999, 99, 79, 0)", "affine(1, 99, 79, 9999)", "elastic(9999)"]
)
def test_settings_at_their_bounds_are_still_what_their_definition_says(text):
    rule, x = transform(text), images(4, (8, 8, 3))
    rows = draw(rule, (8, 8, 3), np.arange(4))
    got = apply(rule, x, rows)
    for image, row, out in zip(x, rows, got, strict=True):
        if text in ("crop(9999)", "shift(9999)"):
            assert not out.any(), "moved out of sight"
        else:
            reading = affine(image, row) if "affine" in text else elastic(image, row, 9999.0, 4.0)
            np.testing.assert_array_equal(out, reading)


def test_a_bell_sums_to_one_and_falls_as_a_gaussian():
    weights = bell(2.0)
    assert weights.sum() == pytest.approx(1)
    assert weights[6] / weights[8] == pytest.approx(math.exp(0.5))
    assert len(weights) == 13
