"""Preprocessing: closed forms, scikit-learn's scalers, and the training part alone."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from sklearn.preprocessing import MaxAbsScaler, MinMaxScaler, StandardScaler

from chainrule.data import DataSet, Preprocessing
from chainrule.errors import UnknownNameError

tables = arrays(np.float64, (7, 3), elements=st.floats(-1e3, 1e3, width=32))


@settings(deadline=None)
@given(tables)
def test_standardise_is_scikit_learns_scaler(x):
    spread = np.ptp(x, axis=0)
    x = x[:, (spread == 0) | (spread > 1e-3)]
    if x.shape[1]:
        np.testing.assert_allclose(Preprocessing.fit("standardise", x)(x), StandardScaler().fit_transform(x), atol=1e-5)


@settings(deadline=None)
@given(tables)
def test_min_max_is_scikit_learns_scaler(x):
    spread = np.ptp(x, axis=0)
    x = x[:, (spread == 0) | (spread > 1e-3)]
    if x.shape[1]:
        np.testing.assert_allclose(Preprocessing.fit("min-max", x)(x), MinMaxScaler().fit_transform(x), atol=1e-5)


@settings(deadline=None)
@given(tables.filter(lambda x: np.abs(x).max() > 1e-3))
def test_scale_is_scikit_learns_max_abs_scaler_with_one_maximum_for_all_features(x):
    expected = MaxAbsScaler().fit_transform(x.reshape(-1, 1)).reshape(x.shape)
    np.testing.assert_allclose(Preprocessing.fit("scale", x)(x), expected, atol=1e-6)


def test_eight_bit_images_are_divided_by_255_whatever_their_maximum():
    images = np.array([[[0, 51], [102, 5]]], np.uint8)
    np.testing.assert_allclose(Preprocessing.fit("scale", images)(images), [[0, 0.2, 0.4, 5 / 255]], rtol=1e-6)


def test_a_chain_is_its_steps_one_after_the_other():
    raw = np.random.default_rng(0).integers(0, 256, (50, 4, 3), np.uint8)
    scaled = raw.reshape(50, 12) / 255
    np.testing.assert_allclose(Preprocessing.fit("scale+mean-image", raw)(raw), scaled - scaled.mean(axis=0), atol=1e-6)
    chained = Preprocessing.fit("min-max+standardise+scale", raw)(raw)
    standard = (scaled - scaled.mean(axis=0)) / scaled.std(axis=0)
    np.testing.assert_allclose(chained, standard / np.abs(standard).max(), atol=1e-5)


@pytest.mark.parametrize("step", ["standardise", "min-max", "mean-image"])
def test_a_constant_feature_becomes_exactly_zero(step):
    x = np.array([[0.1, 1], [0.1, 2], [0.1, 4]])
    assert (Preprocessing.fit(step, x)(x)[:, 0] == 0).all()
    assert np.isfinite(Preprocessing.fit(step, x)(x + 1)).all()


def test_large_offsets_do_not_cost_precision():
    seconds = 1.7e9 + np.arange(5.0)[:, None]
    np.testing.assert_allclose(Preprocessing.fit("mean-image", seconds)(seconds)[:, 0], [-2, -1, 0, 1, 2])


def test_statistics_come_from_the_training_part_alone():
    x = np.random.default_rng(1).normal(size=(40, 2))
    y = np.arange(40) % 2
    quiet = DataSet.from_arrays(x, y, validation=8, split="last", preprocessing="standardise")
    x[-8:] += 1000  # the validation part changes, nothing learnt from it may
    loud = DataSet.from_arrays(x, y, validation=8, split="last", preprocessing="standardise")
    np.testing.assert_array_equal(quiet.train.x, loud.train.x)
    np.testing.assert_allclose(quiet.train.x.mean(axis=0), 0, atol=1e-6)
    assert loud.validation is not None
    assert loud.validation.x.min() > 100


def test_none_gives_float32_of_the_same_values():
    x = np.array([[1, 2], [3, 4]])
    out = Preprocessing.fit("none", x)(x)
    assert out.dtype == np.float32
    np.testing.assert_array_equal(out, x)


def test_an_unknown_step_is_refused_with_the_nearest(refused):
    with refused("unknown preprocessing 'standardize'", "'standardise'", error=UnknownNameError):
        Preprocessing.fit("scale+standardize", np.eye(2))
    with refused("names a step twice"):
        Preprocessing.fit("scale+scale", np.eye(2))
