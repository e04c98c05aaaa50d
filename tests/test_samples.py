"""Samples that a run keeps: a fair draw of the last part, the surest mistakes, and points of the plane."""

import numpy as np
import pytest

import chainrule as cr
from chainrule.data import DataSet
from chainrule.errors import ModelFileError
from chainrule.runs import Run, RunConfig, execute
from chainrule.runs.config import DataSettings, NetworkSettings, TrainingSettings
from chainrule.runs.execute import load
from chainrule.runs.samples import pick


def trained(folder, source, seed=0, data=None, **training) -> Run:
    config = RunConfig(
        data=DataSettings(source=source, split_seed=0, **(data or {})),
        network=NetworkSettings(hidden=(8,)),
        training=TrainingSettings(**{"epochs": 2, **training}),
        seed=seed,
    )
    return execute(config, runs_dir=folder, draw=False).run


@pytest.fixture(scope="module")
def digits(tmp_path_factory) -> Run:
    return trained(tmp_path_factory.mktemp("runs"), "digits", record_samples=100)


def test_every_class_has_its_share_of_the_draw(digits):
    drawn = digits.samples().drawn
    assert drawn.part == "test"
    test = load(digits.config(), None).test
    shares = np.bincount(test.y) * 100 / len(test)
    assert np.abs(np.bincount(drawn.y) - shares).max() <= 1
    assert len(drawn) == 100
    assert (np.diff(drawn.rows) > 0).all()
    np.testing.assert_array_equal(drawn.y, test.y[drawn.rows])
    np.testing.assert_array_equal(drawn.x, test.raw[drawn.rows])


def test_the_network_says_of_them_what_was_kept(digits):
    drawn, net = digits.samples().drawn, cr.load(digits.path)
    assert drawn.x.shape == (100, 8, 8)
    np.testing.assert_array_equal(drawn.inputs(net), load(digits.config(), None).test.x[drawn.rows])
    np.testing.assert_allclose(net.predict_proba(drawn.inputs(net)), drawn.probabilities, atol=1e-6)


def test_other_seeds_of_the_same_data_keep_the_same_samples(digits, tmp_path):
    other = trained(tmp_path, "digits", seed=7, record_samples=100)
    np.testing.assert_array_equal(other.samples().drawn.rows, digits.samples().drawn.rows)
    assert (other.samples().drawn.probabilities != digits.samples().drawn.probabilities).any()


def test_the_mistakes_are_the_surest_of_all_wrong_ones(digits):
    mistakes, net = digits.samples().mistakes, cr.load(digits.path)
    test = load(digits.config(), None).test
    A = net.predict_proba(test.x)
    wrong = A.argmax(axis=1) != test.y
    assert len(mistakes) == min(24, wrong.sum()) > 0
    confidence = mistakes.probabilities.max(axis=1)
    assert (np.diff(confidence) <= 0).all()
    assert (mistakes.probabilities.argmax(axis=1) != mistakes.y).all()
    np.testing.assert_allclose(confidence, np.sort(A[wrong].max(axis=1))[::-1][: len(mistakes)], atol=1e-6)


def test_of_the_plane_there_are_points_of_the_training_part(tmp_path, digits):
    run = trained(tmp_path, "circles", data={"samples": 90})
    samples = run.samples()
    assert samples.points.part == "train"
    assert samples.points.x.shape == (len(samples.points), 2)
    assert samples.drawn.part == "test"
    assert digits.samples().points is None


def test_a_run_keeps_500_where_nothing_is_said_and_none_for_0(tmp_path):
    assert len(trained(tmp_path, "xor", data={"samples": 6000, "test": 0.2}).samples().drawn) == 500
    assert trained(tmp_path, "xor", data={"samples": 60}, record_samples=0).samples() is None


def test_how_many_are_kept_does_not_make_another_run(tmp_path):
    some = trained(tmp_path, "xor", data={"samples": 60}, record_samples=3)
    assert trained(tmp_path, "xor", data={"samples": 60}, record_samples=5).path == some.path


def test_numbers_to_be_predicted_and_several_labels_have_no_mistakes():
    g = np.random.default_rng(0)
    x = g.normal(size=(60, 3))
    for y, layers, output in (
        (x @ g.normal(size=3), [3, 1], "identity"),
        (x @ g.normal(size=(3, 2)), [3, 2], "identity"),
    ):
        data = DataSet.from_arrays(x, y, test=0.5, task="regression")
        found = pick(cr.Network(layers, output=output), data, 10)
        assert (len(found.drawn), len(found.mistakes)) == (10, 0)
        assert found.drawn.y.shape == (10, *y.shape[1:])


def test_one_sigmoid_output_is_sure_at_both_of_its_ends():
    x = np.linspace(-3, 3, 61)[:, None].astype(np.float32)
    data = DataSet.from_arrays(x, (x[:, 0] < 0).astype(int), validation=(x, (x[:, 0] < 0).astype(int)))
    net = cr.Network([1, 1], output="sigmoid", init={"W1": [[1.0]], "b1": [0.0]})
    mistakes = pick(net, data, 5).mistakes
    assert sorted(mistakes.rows[:2].tolist()) == [0, 60], "p = 0.047 for a 1 is as sure and wrong as p = 0.953 for a 0"


def test_an_edited_or_foreign_file_is_refused(digits, tmp_path, refused):
    content = bytearray((digits.path / "samples.safetensors").read_bytes())
    content[-3] ^= 1
    (tmp_path / "samples.safetensors").write_bytes(content)
    with refused("was changed after it was written", error=ModelFileError):
        Run(tmp_path).samples()
    (tmp_path / "samples.safetensors").write_bytes((digits.path / "model.safetensors").read_bytes())
    with refused("samples", error=ModelFileError):
        Run(tmp_path).samples()
