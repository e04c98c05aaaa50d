"""Data are prepared once and mapped by all: the same bits as data that were loaded, read-only, and copied by nobody."""

import mmap

import numpy as np
import pytest

import chainrule as cr
from chainrule.runs import execute
from chainrule.runs.config import DataSettings, NetworkSettings, RunConfig, TrainingSettings
from chainrule.runs.execute import load
from chainrule.sweeps.shared import digest, share, shared

# One worker compiles, as for tests/kernels.
ENGINES = ["reference", pytest.param("compiled", marks=pytest.mark.xdist_group("kernels"))]


def pictures(*shape):
    return np.random.default_rng(3).integers(0, 256, shape, dtype=np.uint8)


def numbers(*shape):
    return np.random.default_rng(4).normal(size=shape)


LABELS = np.arange(80) % 3
SETS = {
    "points": lambda: cr.load_data("spirals", samples=90),
    "images": lambda: cr.DataSet.from_arrays(
        pictures(80, 6, 5), LABELS, validation=0.2, test=0.2, preprocessing="scale+mean-image"
    ),
    "images as read": lambda: cr.DataSet.from_arrays(pictures(80, 6, 5), LABELS, validation=0.2, as_read=True),
    "colour": lambda: cr.DataSet.from_arrays(pictures(80, 4, 4, 3), LABELS, preprocessing="scale", as_read=True),
    "images of floats": lambda: cr.DataSet.from_arrays(numbers(80, 4, 5), LABELS, test=0.2),
    "features": lambda: cr.DataSet.from_arrays(pictures(80, 6, 5), LABELS, validation=0.2).with_features(
        "patches(atoms=5, size=3, samples=300)"
    ),
    "a regression": lambda: cr.DataSet.from_arrays(numbers(80, 4), numbers(80, 2), validation=0.2),
}


def same(one, two):
    if one is None or two is None:
        return one is two
    one, two = np.asarray(one), np.asarray(two)
    return (one.dtype, one.shape, one.tobytes()) == (two.dtype, two.shape, two.tobytes())


@pytest.mark.parametrize("kind", SETS)
def test_a_shared_data_set_is_the_one_that_was_loaded(tmp_path, monkeypatch, kind):
    monkeypatch.setenv("CHAINRULE_CACHE", str(tmp_path / "cache"))
    data = SETS[kind]()
    share(data, tmp_path / "data")
    found = shared(tmp_path / "data")
    assert (found.name, found.provenance, found.parts.keys()) == (data.name, data.provenance, data.parts.keys())
    for name, part in data.parts.items():
        other = found.parts[name]
        assert type(other.x) is type(part.x)
        assert same(part.x, other.x)
        assert same(part.y, other.y)
        assert same(part.raw, other.raw)
    (settings, arrays), (others, there) = data.spec.to_state(), found.spec.to_state()
    assert settings == others
    assert all(same(arrays[name], there[name]) for name in arrays)
    assert digest(found) == digest(data)


def file_behind(array):
    array = getattr(array, "raw", array)  # of `Prepared` samples
    while isinstance(array, np.ndarray) and array.base is not None:
        array = array.base
    return array


@pytest.mark.parametrize("kind", ["images", "images as read"])
def test_its_arrays_are_maps_of_files_which_nobody_can_write(tmp_path, kind):
    share(SETS[kind](), tmp_path / "data")
    part = shared(tmp_path / "data").train
    for array in (part.x, part.y, part.raw):
        assert isinstance(file_behind(array), mmap.mmap)
    with pytest.raises(ValueError, match="read-only"):
        part.y[0] = 1


def test_images_that_are_their_own_samples_are_written_once(tmp_path):
    share(SETS["images as read"](), tmp_path / "data")
    assert sorted(path.name for path in (tmp_path / "data").glob("*-train.npy")) == ["x-train.npy", "y-train.npy"]


def test_a_process_maps_a_data_set_once(tmp_path):
    share(SETS["points"](), tmp_path / "data")
    assert shared(tmp_path / "data") is shared(tmp_path / "data")


def test_data_that_cannot_be_seen_are_told_in_words(tmp_path, refused):
    with refused("not to be seen from here", "shared disk"):
        shared(tmp_path / "nowhere")


@pytest.mark.parametrize("engine", ENGINES)
def test_training_on_shared_data_gives_the_same_bytes(tmp_path, results_of, engine):
    config = RunConfig(
        data=DataSettings(source="digits"),
        network=NetworkSettings(hidden=(9,)),
        training=TrainingSettings(epochs=2, engine=engine),
    )
    data = load(config, None)
    share(data, tmp_path / "data")
    one = execute(config, runs_dir=tmp_path / "one", draw=False).run.path
    two = execute(config, runs_dir=tmp_path / "two", draw=False, data=shared(tmp_path / "data")).run.path
    assert one.name == two.name
    assert results_of(one) == results_of(two)
