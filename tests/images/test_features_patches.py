"""Features of patches are what their definition says, learned of the training images alone, the same in any company."""

import numpy as np
import pytest

import chainrule as cr
from chainrule.errors import DataError, InputError
from chainrule.images.features import PRESETS, encoding, fingerprint_of, recipe
from chainrule.images.features.encoding import encode, nearest_sums, normalised
from chainrule.images.features.patches import Patches, _drawn, _kmeans, _unit, _whitening

RANDOM = np.random.default_rng(5)


def images(m, h, w, *c):
    return RANDOM.integers(0, 256, (m, h, w, *c), dtype=np.uint8)


def slowly(pixels, matrix, offsets, *, size, stride, grid, contrast, alpha):
    """The definition, patch by patch, in float64."""
    m, h, w, _ = pixels.shape
    k = matrix.shape[1]
    rows, columns = range(0, h - size + 1, stride), range(0, w - size + 1, stride)
    out = np.zeros((m, grid, grid, 2, k))
    for n in range(m):
        counts = np.zeros((grid, grid))
        for i, top in enumerate(rows):
            for j, left in enumerate(columns):
                p = pixels[n, top : top + size, left : left + size].astype(float).ravel()
                u = (p - p.mean()) / np.sqrt(p.var(ddof=1) + contrast)
                r = u @ matrix - offsets
                a, b = i * grid // len(rows), j * grid // len(columns)
                out[n, a, b] += np.maximum(0, r - alpha), np.maximum(0, -r - alpha)
                counts[a, b] += 1
        out[n] /= counts[:, :, None, None]
    return out.reshape(m, -1)


def test_one_patch_by_hand():
    # mean 1, variance (1 + 1 + 1 + 9)/3 = 4, √(4 + 12) = 4: u = (−1, −1, −1, 3)/4
    pixels = np.array([[[0, 0], [0, 4]]], np.uint8)[..., None]
    offsets = np.array([0.25, 0, 0, 0], np.float32)
    found = encode(pixels, np.eye(4, dtype=np.float32), offsets, size=2, stride=1, grid=1, contrast=12.0, alpha=0.125)
    assert found.tolist() == [[0, 0, 0, 0.625, 0.375, 0.125, 0.125, 0]]


@pytest.mark.parametrize(
    ("shape", "size", "stride", "grid", "atoms"),
    [((9, 8, 3), 3, 1, 2, 5), ((11, 9, 1), 2, 2, 3, 130), ((8, 13, 3), 4, 1, 1, 300)],
)
def test_features_equal_their_definition_read_patch_by_patch(shape, size, stride, grid, atoms):
    pixels, d = images(19, *shape), size * size * shape[2]
    matrix = RANDOM.normal(size=(d, atoms)).astype(np.float32)
    offsets = RANDOM.normal(size=atoms).astype(np.float32)
    settings = {"size": size, "stride": stride, "grid": grid, "contrast": 10.0, "alpha": 0.25}
    expected = slowly(pixels, matrix, offsets, **settings)
    assert expected.shape == (19, 2 * atoms * grid**2)
    np.testing.assert_allclose(encode(pixels, matrix, offsets, **settings), expected, rtol=2e-5, atol=2e-5)


@pytest.mark.parametrize(("name", "numbers"), [("patches-512", 512), ("patches-large", 12_800), ("pixels", 3072)])
def test_a_preset_has_as_many_numbers_as_it_says(name, numbers):
    fitted = (
        Patches(atoms=PRESETS[name].atoms, samples=2000, iterations=0) if name != "pixels" else PRESETS[name]
    ).fit(images(4, 32, 32, 3))
    assert fitted(images(2, 32, 32, 3)).shape == (2, numbers)
    assert fitted.width == numbers


def test_every_image_has_the_same_bits_in_any_company_and_on_any_threads(monkeypatch):
    pixels = images(40, 12, 12, 3)
    fitted = Patches(atoms=20, samples=500).fit(pixels)
    together = fitted(pixels)
    assert np.array_equal(np.concatenate([fitted(pixels[i : i + 1]) for i in range(40)]), together)
    assert np.array_equal(np.concatenate([fitted(pixels[:7]), fitted(pixels[7:])]), together)
    for threads in (1, 3):
        monkeypatch.setattr(encoding.config, "NUMBA_NUM_THREADS", threads)
        again = Patches(atoms=20, samples=500).fit(pixels)
        assert np.array_equal(again.matrix, fitted.matrix)
        assert np.array_equal(again(pixels), together)


def test_whitening_leaves_unit_variance_but_for_what_is_added():
    u = normalised(_drawn(images(50, 10, 10, 3), 5000, 4, np.random.default_rng(0)), 10.0)
    mean, W = _whitening(u, 0.1)
    values, V = np.linalg.eigh(np.cov(u.astype(np.float64).T))
    np.testing.assert_allclose(np.cov(((u - mean) @ W).T), (V * (values / (values + 0.1))) @ V.T, atol=1e-5)
    np.testing.assert_allclose(W, W.T, atol=1e-10)  # zero phase


def test_the_nearest_atom_is_the_one_of_greatest_response_of_either_sign():
    x, atoms = RANDOM.normal(size=(1100, 6)).astype(np.float32), _unit(RANDOM.normal(size=(4, 6)).astype(np.float32))
    r = x @ atoms.T
    expected = np.zeros((4, 6))
    for i, nearest in enumerate(np.abs(r).argmax(axis=1)):
        expected[nearest] += r[i, nearest] * x[i]
    np.testing.assert_allclose(nearest_sums(x, atoms, 3), expected, rtol=1e-4)


def test_kmeans_finds_the_directions_that_patches_lie_in():
    directions = _unit(np.array([[1, 0, 0.2], [0, 1, 0], [-0.3, 0, 1]], np.float32))
    x = directions[RANDOM.integers(3, size=900)] * RANDOM.normal(size=(900, 1)).astype(np.float32)
    x += 0.01 * RANDOM.normal(size=x.shape).astype(np.float32)
    start = _unit(directions + 0.3 * RANDOM.normal(size=(3, 3)).astype(np.float32))
    found = _kmeans(x.astype(np.float32), start, 10)
    assert (np.abs(found @ directions.T).max(axis=0) > 0.999).all()


def test_whitening_dictionary_and_mean_fold_into_one_matrix_and_offsets():
    pixels = images(30, 8, 8, 3)
    fitted = Patches(atoms=7, size=3, samples=400, dictionary="sampled").fit(pixels)
    u = normalised(_drawn(pixels, 400, 3, cr.generator(0, "features")), 10.0)
    mean, W = _whitening(u, 0.1)
    x = (u - mean) @ W
    atoms = x[:7] / np.linalg.norm(x[:7], axis=1, keepdims=True)
    np.testing.assert_allclose(u @ fitted.matrix - fitted.offsets, x @ atoms.T, atol=1e-4)


def test_images_of_one_colour_have_finite_features():
    flat = np.full((5, 8, 8, 3), 200, np.uint8)
    assert np.isfinite(Patches(atoms=4, samples=50).fit(flat)(flat)).all()


def test_grey_images_need_no_axis_of_colours():
    pixels = images(6, 9, 9)
    fitted = Patches(atoms=3, size=3, samples=60).fit(pixels)
    with_axis = Patches(atoms=3, size=3, samples=60).fit(pixels[..., None])
    assert np.array_equal(fitted(pixels), with_axis(pixels[..., None]))


def test_features_are_learned_on_the_training_part_alone(tmp_path):
    x, y = images(40, 10, 10, 3), np.arange(40) % 4
    other = images(20, 10, 10, 3)
    text = "patches(atoms=5, size=3, samples=300)"

    def extractor(held):
        data = cr.DataSet.from_arrays(x[:20], y[:20], validation=(held[:10], y[:10]), test=(held[10:], y[:10]))
        return data.with_features(text, cache=tmp_path).spec.extractor

    first, second = extractor(x[20:]), extractor(other)
    assert fingerprint_of(first) == fingerprint_of(second) == fingerprint_of(recipe(text).fit(x[:20]))
    assert fingerprint_of(recipe(text).fit(other)) != fingerprint_of(first)


def test_settings_are_written_as_a_call_and_known_by_what_they_do():
    assert recipe("patches(atoms=1600, grid=2, dictionary=sampled, alpha=0.25)") == Patches(
        atoms=1600, dictionary="sampled", name="patches(atoms=1600, grid=2, dictionary=sampled, alpha=0.25)"
    )
    pixels = images(10, 10, 10, 3)
    same = [recipe(text).fit(pixels) for text in ("patches(atoms=8, samples=99)", "patches(samples=99, atoms=8)")]
    assert fingerprint_of(same[0]) == fingerprint_of(same[1])
    assert fingerprint_of(recipe("patches(atoms=8, samples=99, seed=1)").fit(pixels)) != fingerprint_of(same[0])
    assert fingerprint_of(recipe("patches(atoms=8, samples=99, alpha=0)").fit(pixels)) != fingerprint_of(same[0])


@pytest.mark.parametrize(
    ("text", "problem", "remedy"),
    [
        ("patches-521", "unknown feature extractor 'patches-521'", "Did you mean 'patches-512'"),
        ("patches(atom=4)", "unknown setting of patches 'atom'", "Did you mean 'atoms'"),
        ("patches(64)", "a setting without a name", "setting=value"),
        ("patches(atoms=0)", "patches: atoms is 0", "at least 1"),
        ("patches(alpha=-1)", "patches: alpha is -1", "at least 0"),
        ("patches(dictionary=means)", "unknown dictionary 'means'", "Did you mean 'kmeans'"),
        ("patches(atoms=500, samples=400)", "500 atoms from 400 samples", "at most as many"),
        ("resnet(size=3)", "unknown feature extractor with settings 'resnet'", "patches"),
        ("onnx:net.onnx", "does not name a file and one of its tensors", "onnx:FILE#OUTPUT"),
        ("onnx(file='a.onnx')", "lacks a setting", "output"),
    ],
)
def test_what_cannot_be_is_refused_in_words(text, problem, remedy):
    with pytest.raises(InputError) as caught:
        recipe(text)
    assert problem in caught.value.problem
    assert remedy in caught.value.remedy


@pytest.mark.parametrize(
    ("pixels", "problem"),
    [
        (np.zeros((2, 8, 8, 3), np.float32), "8-bit images, not of float32"),
        (np.zeros((2, 64), np.uint8), "images of shape"),
        (np.zeros((2, 8, 9, 3), np.uint8), "images of 8 × 9 × 3, but the features were learned on 8 × 8 × 3"),
    ],
)
def test_other_images_than_learned_on_are_refused(pixels, problem):
    fitted = Patches(atoms=2, samples=9).fit(images(2, 8, 8, 3))
    with pytest.raises(DataError, match=problem):
        fitted(pixels)


def test_images_too_small_for_the_grid_are_refused():
    with pytest.raises(DataError, match="images of 6 × 6 have no 2 × 2 cells of patches of 6 × 6"):
        Patches(atoms=2, samples=9).fit(images(2, 6, 6, 3))
