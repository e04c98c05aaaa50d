"""DataSpec: raw samples become rows as they did in training, and a damaged description is refused."""

import json

import numpy as np
import pytest

from chainrule.data import DataSet, DataSpec


def image_set():
    raw = np.random.default_rng(0).integers(0, 256, (20, 4, 3), np.uint8)
    return raw, DataSet.from_arrays(raw, np.arange(20) % 2, preprocessing="scale+mean-image")


def test_prepare_gives_exactly_the_rows_that_were_trained_on():
    raw, data = image_set()
    np.testing.assert_array_equal(data.spec.prepare(raw), data.train.x)
    np.testing.assert_array_equal(data.spec.prepare(raw.reshape(20, 12)), data.train.x)


def test_a_spec_survives_json_and_arrays():
    raw, data = image_set()
    settings, arrays = data.spec.to_state()
    back = DataSpec.from_state(json.loads(json.dumps(settings)), {k: v.copy() for k, v in arrays.items()})
    np.testing.assert_array_equal(back.prepare(raw), data.train.x)
    assert (back.classes, back.image_shape, back.kind) == (("0", "1"), (4, 3), "image")


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        (np.zeros((2, 3, 4)), "a sample has shape (3, 4), but the model was trained on 4 × 3 numbers"),
        (np.zeros((2, 5)), "a sample has shape (5,)"),
        (np.zeros(12), "rows are samples"),
        (np.full((1, 12), np.nan), "sample 0, column 0 is nan"),
        ([["a"] * 12], "holds no real numbers"),
        (np.zeros((0, 12)), "empty"),
    ],
)
def test_prepare_refuses_in_words(refused, raw, words):
    _, data = image_set()
    with refused(words):
        data.spec.prepare(raw)


def test_prepare_refuses_what_overflows(refused):
    data = DataSet.from_arrays([[0, 0], [1e-20, 1]], [0, 1], preprocessing="min-max")
    with refused("sample 0, column 0 overflows", "units"):
        data.spec.prepare([[1e30, 0]])


DAMAGE = {
    "kind": ["sound", 3, None],
    "task": ["guess", None],
    "classes": [["a"], ["a", "a"], [1, 2], "ab", None],
    "image_shape": [[4, 4], [12], [-4, -3], [4.0, 3.0], [True, 12], ["4", "3"], [4, 3, 1], None, "4x3"],
    "columns": [["a"], 5, None],
    "label": [3, None],
    "preprocessing": ["scale+", "magic", 3, None, "scale+scale"],
}


@pytest.mark.parametrize(("key", "value"), [(key, value) for key, values in DAMAGE.items() for value in values])
def test_a_damaged_description_is_refused(refused, key, value):
    settings, arrays = image_set()[1].spec.to_state()
    settings[key] = value
    with refused("the description of the data is malformed"):
        DataSpec.from_state(settings, arrays)


@pytest.mark.parametrize("key", DAMAGE)
def test_a_missing_entry_is_named(refused, key):
    settings, arrays = image_set()[1].spec.to_state()
    del settings[key]
    with refused(f"'{key}' is missing"):
        DataSpec.from_state(settings, arrays)


@pytest.mark.parametrize(
    "arrays",
    [
        {},
        {"shift": np.zeros(12)},
        {"shift": np.zeros(12), "scale": np.zeros(12)},
        {"shift": np.zeros(12), "scale": np.ones(11)},
        {"shift": np.full(12, np.nan), "scale": np.ones(12)},
        {"shift": np.zeros((12, 1)), "scale": np.ones((12, 1))},
        {"shift": np.zeros(12, int), "scale": np.ones(12, int)},
        {"shift": np.zeros(6), "scale": np.ones(6)},
        {"shift": np.zeros(0), "scale": np.ones(0)},
    ],
)
def test_damaged_arrays_are_refused(refused, arrays):
    settings, _ = image_set()[1].spec.to_state()
    with refused("malformed"):
        DataSpec.from_state(settings, arrays)


def test_a_description_that_is_no_mapping_is_refused(refused):
    with refused("malformed"):
        DataSpec.from_state([], {})  # type: ignore[arg-type]
