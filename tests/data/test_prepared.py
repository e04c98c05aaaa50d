"""Raw samples seen through their preprocessing: what is read is what the preprocessing gives, and nothing is copied."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import chainrule as cr
from chainrule.data import Prepared, Preprocessing

RAW = np.array([[0, 51, 255], [102, 5, 255], [10, 20, 255]], np.uint8)
KINDS = ["uint8", "float32", "float64"]


def test_rows_are_shifted_and_scaled_when_they_are_read():
    """x → (x − shift) · scale, feature by feature."""
    prepared = Prepared(RAW, Preprocessing("own", np.array([10.0, 1, 255]), np.array([0.5, 2, 7])))
    np.testing.assert_array_equal(prepared[:], [[-5, 100, 0], [46, 8, 0], [0, 38, 0]])
    np.testing.assert_array_equal(prepared[[2, 0, 2]], [[0, 38, 0], [-5, 100, 0], [0, 38, 0]])
    np.testing.assert_array_equal(prepared[1:2], [[46, 8, 0]])
    np.testing.assert_array_equal(prepared[np.array([False, True, False])], [[46, 8, 0]])


def test_eight_bit_samples_that_are_scaled_become_shares_of_255():
    prepared = Prepared(RAW, Preprocessing.fit("scale", RAW))
    np.testing.assert_allclose(prepared[:1], [[0, 0.2, 1]], rtol=1e-7)


@pytest.mark.parametrize("kind", KINDS)
def test_without_a_preprocessing_the_numbers_are_as_they_are(kind):
    prepared = Prepared(RAW.astype(kind))
    assert prepared.dtype == np.float32
    assert prepared[:].dtype == np.float32
    np.testing.assert_array_equal(prepared[:], RAW)


@settings(deadline=None)
@given(st.sampled_from(KINDS), st.integers(1, 20), st.integers(1, 9), st.sampled_from(["float32", "float64"]))
def test_an_index_gives_the_bits_that_the_whole_array_has_there(kind, m, d, dtype):
    rng = np.random.default_rng(m)
    raw = rng.integers(0, 256, (m, d)).astype(kind)
    preprocessing = Preprocessing.fit("standardise+scale", raw)
    prepared, whole = Prepared(raw, preprocessing, dtype=dtype), preprocessing(raw)
    assert (len(prepared), prepared.shape, prepared.ndim) == (m, (m, d), 2)
    for rows in (slice(None), slice(0, m // 2), slice(None, None, -1), rng.integers(0, m, 7)):
        assert prepared[rows].dtype == dtype
        np.testing.assert_array_equal(prepared[rows], whole[rows])


def test_another_type_gives_the_same_numbers_in_it_from_the_same_raw_samples():
    prepared = Prepared(RAW, Preprocessing.fit("standardise", RAW))
    doubles = prepared.astype("float64")
    assert (doubles.dtype, prepared.dtype) == (np.float64, np.float32)
    assert doubles.raw is prepared.raw or np.shares_memory(doubles.raw, prepared.raw)
    assert doubles[:].dtype == np.float64
    np.testing.assert_array_equal(doubles[:], prepared[:])


def test_images_become_rows_of_their_pixels_without_a_copy():
    images = np.arange(24, dtype=np.uint8).reshape(2, 3, 4)
    prepared = Prepared(images)
    assert prepared.shape == (2, 12)
    np.testing.assert_array_equal(prepared[1:], [range(12, 24)])
    assert np.shares_memory(prepared.raw, images)
    assert Prepared(np.zeros((2, 3, 4, 3), np.float32)).shape == (2, 36)


def test_a_read_only_map_is_read_and_never_written_to(tmp_path):
    np.save(tmp_path / "raw.npy", RAW)
    mapped = np.load(tmp_path / "raw.npy", mmap_mode="r")
    prepared = Prepared(mapped, Preprocessing.fit("scale+mean-image", mapped))
    assert np.shares_memory(prepared.raw, mapped)
    read = prepared[:]
    read[:] = 7
    np.testing.assert_array_equal(np.load(tmp_path / "raw.npy"), RAW)


def test_what_is_read_is_a_new_array_every_time():
    raw = RAW.astype(np.float32)
    prepared = Prepared(raw)
    prepared[:][:] = 0
    np.testing.assert_array_equal(raw, RAW)


def test_numpy_takes_prepared_samples_for_the_array_they_stand_for():
    prepared = Prepared(RAW, Preprocessing.fit("scale", RAW))
    np.testing.assert_array_equal(np.asarray(prepared), prepared[:])
    assert np.asarray(prepared, dtype=np.float64).dtype == np.float64
    np.testing.assert_allclose(prepared, RAW / 255, rtol=1e-6)


def test_the_sight_of_it_says_what_it_is():
    text = repr(Prepared(RAW, Preprocessing.fit("scale+mean-image", RAW)))
    assert text == "Prepared(uint8 (3, 3), scale+mean-image, as float32)"


def test_it_is_public():
    assert cr.Prepared is Prepared
    assert cr.Preprocessing is Preprocessing


@pytest.mark.parametrize("kind", ["int8", "uint16", "int64", "float16", "complex64", "bool", "U3", "O", ">f4", ">f8"])
def test_samples_of_a_type_that_is_not_read_are_refused_with_those_that_are(refused, kind):
    with refused(np.dtype(kind).str, "uint8, float32, float64", "native byte order"):
        Prepared(np.zeros((2, 3)).astype(kind))


@pytest.mark.parametrize("shape", [(), (5,), (0, 3), (3, 0), (0, 4, 4), (2, 0, 4)])
def test_samples_that_are_none_are_refused_by_their_shape(refused, shape):
    with refused(f"the samples have shape {shape}", "at least one sample"):
        Prepared(np.zeros(shape, np.float32))


@pytest.mark.parametrize("width", [1, 2, 4, 9])
def test_a_preprocessing_of_another_width_is_refused_with_both_numbers(refused, width):
    other = Preprocessing.fit("standardise", np.random.default_rng(0).normal(size=(5, width)))
    with refused(f"is of {width} features, but the samples have 3"):
        Prepared(RAW, other)
    with refused("is of 3 features, but the samples have 12"):
        Prepared(np.zeros((2, 3, 4), np.uint8), Preprocessing.fit("scale", RAW))
