"""A model that was trained on features starts from pixels: saved, loaded, at prediction and when a run is verified."""

import json
from dataclasses import replace

import numpy as np
import pytest

import chainrule as cr
from chainrule.cli import main
from chainrule.errors import DataError, ModelFileError, UnknownNameError
from chainrule.images.features import fingerprint_of, patches
from chainrule.runs.tensors import read_tensors, write_tensors

FEATURES = "patches(atoms=6, size=3, samples=400)"
RANDOM = np.random.default_rng(8)
Y = np.arange(120) % 3
X = np.clip(RANDOM.normal(128, 40, (120, 10, 10, 3)), 0, 255).astype(np.uint8)
X[Y == 1, :, ::2] //= 3  # stripes, and a bright quarter
X[Y == 2, :5, :5] |= 128


@pytest.fixture(autouse=True)
def cache_here(tmp_path, monkeypatch):
    monkeypatch.setenv("CHAINRULE_CACHE", str(tmp_path / "cache"))


def trained():
    data = cr.DataSet.from_arrays(X, Y, validation=24, preprocessing="scale", seed=1).with_features(FEATURES)
    net = cr.Network([48, 8, 3], seed=0)
    cr.train(net, data, learning_rate=0.1, epochs=20, engine="reference")
    return data, net


def test_a_data_set_of_features_holds_them_standardised_on_the_training_part():
    data, net = trained()
    x = np.asarray(data.train.x)
    assert x.shape == (96, 48)
    np.testing.assert_allclose(x.mean(axis=0), 0, atol=1e-5)
    assert set(np.round(x.std(axis=0), 4)) <= {0.0, 1.0}
    expected = data.spec.preprocessing(data.spec.extractor(data.validation.raw))
    assert np.array_equal(np.asarray(data.validation.x), expected)
    assert data.provenance["features"] == FEATURES
    assert cr.evaluate(net, data.validation).accuracy > 0.6


def test_a_saved_model_predicts_the_same_from_pixels(tmp_path):
    data, net = trained()
    cr.save(net, tmp_path / "model.safetensors", examples=np.asarray(data.train.x[:4]))
    loaded = cr.load(tmp_path / "model.safetensors")
    pixels = data.validation.raw
    expected = net.predict_proba(np.asarray(data.validation.x))
    assert np.array_equal(loaded.predict_proba(loaded.spec.prepare(pixels)), expected)
    assert np.array_equal(loaded.predict_proba(loaded.spec.prepare(pixels.reshape(len(pixels), -1))), expected)
    assert fingerprint_of(loaded.spec.extractor) == fingerprint_of(data.spec.extractor)


@pytest.mark.parametrize("pixels", [np.full((2, 10, 10, 3), 0.5), np.full((2, 10, 10, 3), 256), np.full((2, 48), 1)])
def test_what_is_no_8_bit_image_is_refused_at_prediction(pixels):
    data, _ = trained()
    with pytest.raises(DataError, match=r"8-bit images|a sample has shape"):
        data.spec.prepare(pixels)


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (lambda s, a: s["data"]["extractor"]["recipe"].update(atoms=7), "'matrix' is no float32"),
        (lambda s, a: s["data"]["extractor"]["recipe"].update(grid=3), "features of images of"),
        (lambda s, a: s["data"]["extractor"].update(image_shape=[10, 10]), "'matrix' is no float32"),
        (lambda s, a: s["data"]["extractor"].update(kind="magic"), "its kind is 'magic'"),
        (lambda s, a: s["data"]["extractor"]["recipe"].update(size="3"), "patches: size is '3'"),
        (lambda s, a: s["data"]["extractor"].pop("recipe"), "malformed"),
        (lambda s, a: s["data"].update(extractor=3), "'extractor' is"),
        (lambda s, a: a["data/extractor/matrix"].fill(np.nan), "'matrix' is no float32"),
        (lambda s, a: a.pop("data/extractor/offsets"), "'offsets' is no float32"),
    ],
)
def test_an_edited_extractor_is_refused(tmp_path, change, problem):
    path = tmp_path / "model.safetensors"
    cr.save(trained()[1], path)
    arrays, settings, _ = read_tensors(path, "model")
    arrays = {name: array.copy() for name, array in arrays.items()}
    stored = json.loads(json.dumps(settings))
    change(stored, arrays)
    write_tensors(path, "model", arrays, stored)
    with pytest.raises(ModelFileError) as caught:
        cr.load(path)
    assert problem in caught.value.problem


def test_a_run_on_features_is_predicted_from_and_verified_from_pixels(tmp_path, capsys, monkeypatch):
    from PIL import Image

    np.savez(tmp_path / "images.npz", x=X, y=Y)
    runs = tmp_path / "runs"
    settings = ["--features", FEATURES, "--epochs", "2", "--quiet", "--engine", "reference", "--runs-dir", str(runs)]
    assert main(["train", str(tmp_path / "images.npz"), *settings]) == 0
    (run,) = runs.iterdir()
    Image.fromarray(X[5]).save(tmp_path / "five.png")
    assert main(["predict", str(run), str(tmp_path / "five.png"), "--format", "json"]) == 0
    (told,) = json.loads(capsys.readouterr().out)
    net = cr.load(run)
    expected = net.predict_proba(net.spec.prepare(X[5:6]))[0]
    np.testing.assert_allclose(list(told["outputs"].values()), expected, rtol=1e-6)

    def differently(*args):
        raise AssertionError("verify has no need to learn the features again")

    monkeypatch.setattr(patches, "_whitening", differently)
    for cache in ("cache", "another"):
        monkeypatch.setenv("CHAINRULE_CACHE", str(tmp_path / cache))
        assert main(["verify", str(run)]) == 0


def test_runs_without_features_keep_the_identity_that_they_had():
    config = cr.runs.RunConfig().with_seeds()
    assert config.identity() == "ba0801e50c"  # that of version 0.1.0 before there were features
    assert replace(config, data=replace(config.data, features="pixels")).identity() != config.identity()


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        (lambda: cr.load_data("circles", features="patches-512"), "no images"),
        (lambda: cr.load_data("digits", features="patches-512"), "8-bit images, not of float32"),
        (lambda: trained()[0].with_features("pixels"), "no images"),
    ],
)
def test_features_of_what_is_no_image_are_refused(data, problem):
    with pytest.raises(DataError, match=problem):
        data()


def test_the_command_computes_features_once_for_all(tmp_path, capsys):
    np.savez(tmp_path / "images.npz", x=X, y=Y)
    command = ["images", "features", str(tmp_path / "images.npz"), "--features", FEATURES, "--cache", str(tmp_path)]
    assert main(command) == 0
    first = capsys.readouterr().out
    files = sorted((tmp_path / "features").glob("*/features.npy"))
    assert len(files) == 3
    assert all(str(file) in first for file in files)
    written = [file.stat().st_mtime_ns for file in files]
    assert main(command) == 0
    assert [file.stat().st_mtime_ns for file in files] == written
    assert main(command[:3]) == 2
    assert "no features are named" in capsys.readouterr().err


def test_a_wrong_name_is_refused_before_anything_is_read():
    with pytest.raises(UnknownNameError, match="unknown feature extractor 'patches512'"):
        cr.load_data("no-such-file.npz", features="patches512")


def test_the_sheet_of_samples_takes_no_features(capsys):
    assert main(["data", "show", "digits", "--features", "pixels"]) == 2
    assert "--features does not apply" in capsys.readouterr().err
