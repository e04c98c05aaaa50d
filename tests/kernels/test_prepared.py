"""Training straight from raw samples, wherever and however they lie, against training from the array they stand for."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import chainrule as cr
from chainrule.data import Prepared, Preprocessing
from chainrule.errors import DivergedError, InputError
from kernels.problems import differing, epoch, network, shuffled, weights
from refusals import refused

pytestmark = pytest.mark.xdist_group("kernels")

M = 43
STEPS = ["none", "scale", "scale+mean-image", "standardise"]


def raw_samples(kind, shape=(M, 6), seed=0):
    rng = np.random.default_rng(seed)
    if kind == "uint8":
        return rng.integers(0, 256, shape, np.uint8)
    return (rng.normal(size=shape) * rng.uniform(0.1, 9, shape[1:]) + 1).astype(kind)


def trained(x, *, engine="compiled", dtype="float32", layers=(6, 20, 3), **settings_):
    """All arrays of the network and the losses of all batches of three epochs."""
    net = network(list(layers), activation="tanh", dropout=0.2, dtype=dtype)
    settings_ = {"epochs": 3, "batch_size": 8, "seed": 4, "record_batches": True, **settings_}
    history = cr.train(net, (x, np.arange(len(x)) % layers[-1]), engine=engine, **settings_)
    assert history.engine == engine
    columns = {f"column {key}": history[key] for key in history.rows[0]}
    return {**weights(net), **columns, "losses": np.array(history.batch_losses)}


@pytest.mark.parametrize("engine", ["reference", "compiled"])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("names", STEPS)
@pytest.mark.parametrize("kind", ["uint8", "float32", "float64"])
def test_raw_samples_give_the_bits_of_the_array_they_stand_for(kind, names, dtype, engine):
    raw = raw_samples(kind)
    preprocessing = Preprocessing.fit(names, raw)
    for size in (1, 8):  # single samples have a step of their own
        parts = {"engine": engine, "dtype": dtype, "batch_size": size, "learning_rate": 1e-3}
        prepared = trained(Prepared(raw, preprocessing), **parts)
        assert differing(prepared, trained(preprocessing(raw), **parts)) == []


@settings(max_examples=40, deadline=None, derandomize=True)
@given(data=st.data())
def test_any_widths_batches_and_maps_give_the_bits_of_the_array(data):
    d, m = data.draw(st.integers(1, 90)), data.draw(st.integers(1, 40))
    raw = raw_samples(data.draw(st.sampled_from(["uint8", "float32", "float64"])), (m, d))
    rng = np.random.default_rng(1)
    preprocessing = Preprocessing("any", rng.normal(size=d), rng.uniform(0, 0.01, d))
    batches = shuffled(m, data.draw(st.integers(1, m)))
    dtype, threads = data.draw(st.sampled_from(["float32", "float64"])), data.draw(st.integers(1, 3))
    ended = []
    for x in (Prepared(raw, preprocessing), preprocessing(raw)):
        net = network([d, 11, 2], dtype=dtype)
        T = net.compact_targets(np.arange(m) % 2, m)
        ended.append(epoch("compiled", net, net.samples(x), T, batches, threads=threads))
    assert differing(*ended) == []


def test_images_are_rows_of_their_pixels():
    images = raw_samples("uint8", (M, 2, 3))
    preprocessing = Preprocessing.fit("scale+mean-image", images)
    rows = trained(Prepared(images.reshape(M, 6), preprocessing))
    assert differing(trained(Prepared(images, preprocessing)), rows) == []
    assert differing(trained(preprocessing(images)), rows) == []


@pytest.mark.parametrize("kind", ["uint8", "float32", "float64"])
@pytest.mark.parametrize("engine", ["reference", "compiled"])
def test_a_read_only_map_of_a_file_is_as_good_as_an_array(tmp_path, kind, engine):
    raw = raw_samples(kind)
    np.save(tmp_path / "raw.npy", raw)
    content = (tmp_path / "raw.npy").read_bytes()
    mapped = np.load(tmp_path / "raw.npy", mmap_mode="r")
    assert not mapped.flags.writeable
    preprocessing = Preprocessing.fit("standardise", raw)
    prepared = Prepared(mapped, preprocessing)
    assert np.shares_memory(prepared.raw, mapped), "nothing is copied"
    assert differing(trained(prepared, engine=engine), trained(preprocessing(raw), engine=engine)) == []
    assert (tmp_path / "raw.npy").read_bytes() == content


def layouts(raw):
    """The same numbers, or some of them, as arrays that do not lie row after row."""
    behind = np.frombuffer(bytearray(raw.nbytes + 1), np.uint8)[1:].view(raw.dtype).reshape(raw.shape)
    behind[...] = raw
    return {
        "reversed": raw[::-1],
        "every other row": raw[::2],
        "every other column": raw[:, ::2],
        "columns reversed": raw[:, ::-1],
        "columns from within": raw[:, 1:5],
        "Fortran": np.asfortranarray(raw),
        "one row again and again": np.broadcast_to(raw[:1], raw.shape),
        "at an odd address": behind,
        "every other number": np.repeat(raw, 2, axis=1)[:, ::2],
    }


@pytest.mark.parametrize("batch_size", [1, 8])
@pytest.mark.parametrize("kind", ["uint8", "float32", "float64"])
def test_samples_may_lie_in_memory_in_any_way(kind, batch_size):
    for name, view in layouts(raw_samples(kind)).items():
        layers = (view.shape[1], 20, 3)
        preprocessing = Preprocessing.fit("standardise", view)
        whole = np.array(view, order="C")
        parts = {"layers": layers, "batch_size": batch_size}
        prepared = trained(Prepared(view, preprocessing), **parts)
        assert differing(prepared, trained(Prepared(whole, preprocessing), **parts)) == [], name
        if kind != "uint8":  # read where it lies where the network has the same type
            parts |= {"dtype": kind, "learning_rate": 1e-3}
            assert differing(trained(view, **parts), trained(whole, **parts)) == [], name


def test_validation_samples_may_be_prepared_too():
    raw, more = raw_samples("uint8"), raw_samples("uint8", seed=1)
    preprocessing = Preprocessing.fit("scale+mean-image", raw)
    y = np.arange(M) % 3
    parts = {"early_stopping": 2, "optimizer": "adam", "curve_samples": 10}
    arrays = trained(preprocessing(raw), validation=(preprocessing(more), y), **parts)
    prepared = trained(Prepared(raw, preprocessing), validation=(Prepared(more, preprocessing), y), **parts)
    assert differing(prepared, arrays) == []


@pytest.mark.parametrize("kernels", [False, True])
@pytest.mark.parametrize("output", ["softmax", "sigmoid", "identity"])
def test_predicting_and_evaluating_prepared_samples_is_that_of_the_array(output, kernels):
    """5,000 samples through 60 · 20 + 20 · 3 weights are enough for the kernels."""
    raw = raw_samples("uint8", (5000, 60))
    preprocessing = Preprocessing.fit("scale+mean-image", raw)
    net = network([60, 20, 3], output=output)
    y = {"softmax": np.arange(5000) % 3}.get(output, np.random.default_rng(0).integers(0, 2, (5000, 3)))
    if kernels:
        cr.kernels.accelerate(net)
    x, prepared = preprocessing(raw), Prepared(raw, preprocessing)
    for ask in (net.logits, net.predict_proba, net.predict):
        np.testing.assert_array_equal(ask(prepared), ask(x))
    assert net.score(prepared, y) == net.score(x, y)
    assert net.loss(prepared, y, l2=0.1) == net.loss(x, y, l2=0.1)
    assert cr.evaluate(net, (prepared, y)).to_json() == cr.evaluate(net, (x, y)).to_json()


@pytest.mark.parametrize("engine", ["reference", "compiled"])
def test_raw_samples_that_are_not_finite_are_refused_by_sample_and_column(engine):
    for value in (np.nan, np.inf, -np.inf):
        raw = raw_samples("float32")
        raw[17, 2] = value
        prepared = Prepared(raw)
        with refused(f"sample 17, column 2 of the input is {value}", error=InputError):
            trained(prepared, engine=engine)
        with refused("sample 17, column 2", error=InputError):
            network([6, 3]).predict(prepared)
        with refused("sample 17, column 2", error=InputError):
            cr.evaluate(network([6, 3]), (prepared, np.zeros(M, int)))


@pytest.mark.parametrize("engine", ["reference", "compiled"])
def test_samples_of_another_width_than_the_networks_are_refused(engine):
    with refused("(43, 6) but layer 1 takes (m, 5)", error=InputError):
        trained(Prepared(raw_samples("uint8")), engine=engine, layers=(5, 4, 3))
    with refused("(43, 6) but layer 1 takes (m, 5)", error=InputError):
        network([5, 3]).predict(Prepared(raw_samples("uint8")))


@pytest.mark.parametrize("engine", ["reference", "compiled"])
def test_a_preprocessing_whose_result_overflows_ends_in_words_and_finite_weights(engine):
    raw = raw_samples("float64") * 1e39  # finite, but not in float32
    net = network([6, 4, 3])
    with pytest.raises((DivergedError, InputError)):
        cr.train(net, (Prepared(raw), np.zeros(M, int)), engine=engine, batch_size=8)
    assert all(np.isfinite(P).all() for P in net.parameters().values())
