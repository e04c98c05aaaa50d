"""A model file holds all of a network, and is refused where it holds anything else."""

import json
import struct
import subprocess
import sys
import tracemalloc

import numpy as np
import pytest

import chainrule as cr
from chainrule import rules
from chainrule.errors import ModelFileError, StorageError
from chainrule.runs import tensors
from chainrule.runs.tensors import read_tensors, write_tensors

MEBIBYTE = 1 << 20


def parts(content):
    """Header and data of a safetensors file, read from the format's description: length, JSON, bytes."""
    (length,) = struct.unpack("<Q", content[:8])
    return json.loads(content[8 : 8 + length]), content[8 + length :]


def joined(header, data):
    text = json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + data


def with_metadata(content, **values):
    """The file with entries of its own header replaced."""
    header, data = parts(content)
    own = json.loads(header["__metadata__"]["chainrule"]) | values
    header["__metadata__"]["chainrule"] = json.dumps(own)
    return joined(header, data)


def with_settings(content, change):
    """The file with its settings changed in place by `change`."""
    settings = json.loads(parts(content)[0]["__metadata__"]["chainrule"])["settings"]
    change(settings)
    return with_metadata(content, settings=settings)


def signed(path, arrays, settings):
    """A model file of a careful forger: whatever it holds, its checksum is right."""
    write_tensors(path, "model", arrays, settings)
    return path


@pytest.fixture
def trained():
    """A network with a description of its data, trained for a moment so that nothing in it is round."""
    data = cr.load_data("digits")
    net = cr.Network([64, 16, 9, 10], activation=["relu", "tanh"], seed=1)
    cr.train(net, data, epochs=2)
    return net


@pytest.fixture
def file(trained, tmp_path):
    path = tmp_path / "ein Modell ü.safetensors"
    cr.save(trained, path)
    return path


@pytest.fixture
def refuses(tmp_path, refused):
    """`refuses(content, "words", …)`: a file of that content is no model, and the message says those words."""

    def check(content, *words):
        path = tmp_path / "changed.safetensors"
        path.write_bytes(content)
        with refused("changed.safetensors", *words, error=ModelFileError):
            cr.load(path)

    return check


NETWORKS = {
    "one layer": ([5, 3], {}),
    "two layers": ([5, 7, 3], {"activation": "sigmoid"}),
    "three kinds": ([5, 7, 4, 3], {"activation": ["gelu", "softplus"]}),
    "settings": ([5, 7, 4, 6, 3], {"activation": ["leaky_relu(0.2)", "elu(0.7)", "swish(beta=1.7)"]}),
    "batch norm": ([5, 7, 4, 3], {"batch_norm": [True, False], "dropout": [0.25, 0.5]}),
    "sigmoid": ([5, 7, 1], {"output": "sigmoid"}),
    "several sigmoids": ([5, 7, 3], {"output": "sigmoid"}),
    "numbers": ([5, 7, 2], {"output": "identity", "activation": "tanh"}),
    "float64": ([5, 7, 3], {"dtype": "float64", "init": "orthogonal"}),
    "width one": ([1, 1, 1], {"output": "identity"}),
}


@pytest.mark.parametrize("name", NETWORKS)
def test_a_loaded_network_computes_the_same_bits(tmp_path, name):
    layers, options = NETWORKS[name]
    net = cr.Network(layers, seed=3, **options)
    x = np.random.default_rng(1).normal(size=(11, layers[0]))
    if net.statistics():  # move them off their round beginning
        net.update_statistics(net.forward(x, training=True, generator=np.random.default_rng(0)))
    for P in net.parameters().values():
        P += np.random.default_rng(4).normal(scale=0.1, size=P.shape)
    cr.save(net, tmp_path / "model.safetensors")
    again = cr.load(tmp_path / "model.safetensors")
    assert again.to_config() == net.to_config()
    assert again.dtype == net.dtype
    assert again.spec is None
    for mine, other in ((net.parameters(), again.parameters()), (net.statistics(), again.statistics())):
        assert list(mine) == list(other)
        assert all(np.array_equal(mine[key], other[key]) for key in mine)
    assert net.predict_proba(x).tobytes() == again.predict_proba(x).tobytes()


def test_the_description_of_the_data_is_kept(file, trained):
    again = cr.load(file)
    raw = np.random.default_rng(0).integers(0, 17, size=(6, 8, 8)).astype(np.float32)
    assert again.spec.classes == trained.spec.classes
    assert again.spec.prepare(raw).tobytes() == trained.spec.prepare(raw).tobytes()
    assert again.predict(again.spec.prepare(raw)).tolist() == trained.predict(trained.spec.prepare(raw)).tolist()


def test_a_run_folder_stands_for_its_model(digits_run):
    assert cr.load(digits_run.path).layers == (64, 12, 10)
    assert cr.load(str(digits_run.path)).spec.classes == tuple("0123456789")


def test_a_network_can_be_trained_on_after_loading(file):
    net = cr.load(file)
    data = cr.load_data("digits")
    before = net.loss(data.train.x, data.train.y)
    cr.train(net, data, epochs=1)
    assert net.loss(data.train.x, data.train.y) < before


def test_saving_twice_gives_the_same_bytes(trained, tmp_path):
    saved = set()
    for number in range(8):
        cr.save(trained, tmp_path / f"{number}.safetensors")
        saved.add((tmp_path / f"{number}.safetensors").read_bytes())
    assert len(saved) == 1


def test_a_setting_of_a_numpy_type_survives(tmp_path):
    """Settings drawn from numpy.linspace are no Python numbers, and are written into the name of the rule."""
    slope = np.linspace(0.1, 0.3, 3)[1]
    net = cr.Network([2, 3, 2], activation=rules.ACTIVATIONS["leaky_relu"](slope))
    cr.save(net, tmp_path / "model.safetensors")
    x = np.array([[-1.0, 2.0]])
    assert np.array_equal(cr.load(tmp_path / "model.safetensors").logits(x), net.logits(x))


def test_a_full_disk_keeps_the_old_model(file, trained, monkeypatch, refused):
    import errno
    import os

    def full(_):
        raise OSError(errno.ENOSPC, "No space left on device")

    old = file.read_bytes()
    monkeypatch.setattr(os, "fsync", full)
    with refused("no space left", str(file), error=StorageError):
        cr.save(trained, file)
    assert file.read_bytes() == old


def test_no_file_and_no_model_in_a_folder_are_refused(tmp_path, refused):
    with refused("there is no model file", "nothing.safetensors", error=ModelFileError):
        cr.load(tmp_path / "nothing.safetensors")
    with refused("there is no model file", "model.safetensors", error=ModelFileError):
        cr.load(tmp_path)


def test_a_truncated_file_is_refused_at_any_length(file, refuses):
    content = file.read_bytes()
    lengths = {*range(16), *np.linspace(16, len(content) - 1, 60).astype(int).tolist(), len(content) - 1}
    for length in sorted(lengths):
        refuses(content[:length], "cannot be read as a model")


def test_a_file_with_more_at_its_end_is_refused(file, refuses):
    refuses(file.read_bytes() + b"\0" * 8, "cannot be read as a model")


@pytest.mark.parametrize(
    "content", [b"", b"PK\x03\x04" * 50, b"\x89HDF\r\n\x1a\n" * 9, b"\xff" * 200, b"\x80\x04." * 9]
)
def test_files_of_other_kinds_are_refused(refuses, content):
    refuses(content, "cannot be read as a model")


def test_safetensors_of_another_program_are_refused(tmp_path, refuses):
    from safetensors.numpy import save

    refuses(save({"weight": np.zeros((2, 2))}), "no chainrule model")
    refuses(save({"weight": np.zeros((2, 2))}, {"format": "pt"}), "no chainrule model")
    refuses(save({"weight": np.zeros((2, 2))}, {"chainrule": "{}"}), "no chainrule model")


def test_a_checkpoint_is_no_model(file, refuses):
    refuses(with_metadata(file.read_bytes(), format="chainrule-checkpoint"), "no chainrule model")


def test_a_file_of_a_newer_version_is_refused_with_the_way_out(file, refuses):
    refuses(with_metadata(file.read_bytes(), version=2), "format version 2", "up to 1", "upgrade chainrule")


@pytest.mark.parametrize("version", ["", "1", 1.5, -1, 0, None, True, [1], 10**30])
def test_a_version_that_is_none_is_refused(file, refuses, version):
    refuses(with_metadata(file.read_bytes(), version=version))


@pytest.mark.parametrize("text", ["", "{", "[]", "3", "null", '"x"', "[" * 100_000, '{"version": ' + "1" * 5000 + "}"])
def test_metadata_that_are_no_mapping_in_json_are_refused(file, refuses, text):
    header, data = parts(file.read_bytes())
    header["__metadata__"]["chainrule"] = text
    refuses(joined(header, data))


@pytest.mark.parametrize("settings", [[], 3, None, "x", {}, True])
def test_settings_that_are_no_mapping_are_refused(file, refuses, settings):
    refuses(with_metadata(file.read_bytes(), settings=settings))


@pytest.mark.parametrize("sha256", ["", None, 3, "0" * 64])
def test_a_wrong_checksum_is_refused(file, refuses, sha256):
    refuses(with_metadata(file.read_bytes(), sha256=sha256), "was changed after it was saved")


def test_every_edited_number_of_the_weights_is_noticed(trained, file, refuses):
    """Also those that no sample of the data uses: a pixel that is always empty, a unit that is silent on most input."""
    content = file.read_bytes()
    header, data = parts(content)
    unnoticed = []
    rng = np.random.default_rng(0)
    for name, entry in header.items():
        if not name.startswith("network/"):
            continue
        start, end = entry["data_offsets"]
        numbers = np.frombuffer(data[start:end], np.float32)
        for i in rng.choice(len(numbers), min(len(numbers), 40), replace=False):
            edited = numbers.copy()
            edited[i] += 0.1
            file.write_bytes(joined(header, data[:start] + edited.tobytes() + data[end:]))
            try:
                cr.load(file)
                unnoticed.append(f"{name}[{i}]")
            except ModelFileError:
                continue
    assert unnoticed == []


def test_the_probe_asks_a_pixel_that_is_always_empty_even_if_the_checksum_is_right(digits_run, tmp_path, refused):
    data = cr.load_data("digits")
    (empty,) = np.flatnonzero(~data.train.x.any(axis=0))[:1]
    arrays, settings, _ = read_tensors(digits_run.model, "model")
    arrays["network/W1"][empty] += 1.0
    forged = signed(tmp_path / "forged.safetensors", arrays, settings)
    with refused("forged.safetensors", "probe disagrees", error=ModelFileError):
        cr.load(forged)


def test_an_edited_preparation_of_the_data_is_noticed(file, refuses):
    header, data = parts(file.read_bytes())
    start, end = header["data/scale"]["data_offsets"]
    scale = np.frombuffer(data[start:end], np.float64) * 2
    refuses(joined(header, data[:start] + scale.tobytes() + data[end:]))


EDITS = {
    "activation": lambda s: s["network"].update(activation=["tanh", "tanh"]),
    "activation's setting": lambda s: s["network"].update(activation=["leaky_relu(0.3)", "tanh"]),
    "unknown activation": lambda s: s["network"].update(activation=["rleu", "tanh"]),
    "activation with code": lambda s: s["network"].update(activation=["__import__('os').mkdir('canary')", "tanh"]),
    "activation of another type": lambda s: s["network"].update(activation=[3, None]),
    "activations too few": lambda s: s["network"].update(activation=["relu"]),
    "output of another width": lambda s: s["network"].update(layers=[64, 16, 9, 11]),
    "layers swapped": lambda s: s["network"].update(layers=[64, 9, 16, 10]),
    "no layers": lambda s: s["network"].update(layers=[]),
    "layers of text": lambda s: s["network"].update(layers="64"),
    "layers of zero": lambda s: s["network"].update(layers=[64, 0, 9, 10]),
    "negative layers": lambda s: s["network"].update(layers=[64, -16, -9, 10]),
    "fractional layers": lambda s: s["network"].update(layers=[64, 16.0, 9, 10]),
    "unknown output": lambda s: s["network"].update(output="sofmax"),
    "batch norm": lambda s: s["network"].update(batch_norm=[True, False]),
    "dropout": lambda s: s["network"].update(dropout=[2, 0]),
    "dtype": lambda s: s["network"].update(dtype="int8"),
    "unknown key": lambda s: s["network"].update(colour="red"),
    "init": lambda s: s["network"].update(init="he"),
    "no network": lambda s: s.pop("network"),
    "network of text": lambda s: s.update(network="relu"),
    "no data": lambda s: s.pop("data"),
    "data of text": lambda s: s.update(data="digits"),
    "classes renamed": lambda s: s["data"].update(classes=list("9876543210")),
    "classes too few": lambda s: s["data"].update(classes=["a", "b"]),
    "regression": lambda s: s["data"].update(task="regression", classes=[]),
    "image shape": lambda s: s["data"].update(image_shape=[4, 16]),
    "preprocessing": lambda s: s["data"].update(preprocessing="minmax"),
}


@pytest.mark.parametrize("edit", EDITS)
def test_edited_settings_are_noticed(file, refuses, tmp_path, monkeypatch, edit):
    monkeypatch.chdir(tmp_path)
    refuses(with_settings(file.read_bytes(), EDITS[edit]))
    assert not (tmp_path / "canary").exists()


@pytest.mark.parametrize("edit", [edit for edit in EDITS if edit not in ("classes renamed", "image shape")])
def test_settings_that_do_not_fit_are_refused_even_if_the_checksum_is_right(file, refused, tmp_path, monkeypatch, edit):
    monkeypatch.chdir(tmp_path)
    arrays, settings, _ = read_tensors(file, "model")
    EDITS[edit](settings)
    with refused("forged.safetensors", error=ModelFileError):
        cr.load(signed(tmp_path / "forged.safetensors", arrays, settings))
    assert not (tmp_path / "canary").exists()


def test_the_words_for_an_unknown_activation_name_it_and_the_nearest(file, refuses):
    refuses(with_settings(file.read_bytes(), EDITS["unknown activation"]), "unknown activation 'rleu'", "'relu'")


def test_missing_and_misshapen_arrays_are_refused(file, refuses):
    header, data = parts(file.read_bytes())
    for name, entry in header.items():
        if name == "__metadata__":
            continue
        renamed = {("network/elsewhere" if key == name else key): value for key, value in header.items()}
        refuses(joined(renamed, data))
        size = int(np.prod(entry["shape"]))
        refuses(joined(header | {name: entry | {"shape": [1, size]}}, data))


def test_weights_that_are_not_finite_are_refused(file, refuses):
    header, data = parts(file.read_bytes())
    for name in ("network/W1", "network/b2", "probe/x", "probe/z", "data/shift"):
        start, _ = header[name]["data_offsets"]
        bad = np.float64(np.nan).tobytes() if name == "data/shift" else np.float32(np.nan).tobytes()
        refuses(joined(header, data[:start] + bad + data[start + len(bad) :]))


def peak_of(function):
    tracemalloc.start()
    try:
        function()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(
    "layers", [[10**9, 10**9], [64, 10**9, 10], [10**30, 10**30], [2**63, 2], [64, 10**12, 1, 10], [1] * 10**5]
)
def test_giant_layers_in_the_settings_take_no_memory(file, refuses, layers):
    content = with_settings(file.read_bytes(), lambda s: s["network"].update(layers=layers))
    assert peak_of(lambda: refuses(content)) < 2 * len(content) + 64 * MEBIBYTE


def settings_for(layers, activation="relu"):
    network = {"layers": layers, "activation": activation, "output": "identity", "dropout": 0.0, "batch_norm": False}
    return {"network": {**network, "dtype": "float32"}, "data": None}


def test_a_network_of_a_hundred_thousand_layers_takes_no_memory_out_of_measure(tmp_path):
    path = tmp_path / "deep.safetensors"
    depth = 100_000
    arrays = {"network/W1": np.zeros((depth, 1), np.float32), "probe/x": np.zeros((1, 1), np.float32)}
    signed(path, arrays | {"probe/z": np.zeros((1, 1), np.float32)}, settings_for([1] * depth))

    def load():
        with pytest.raises(ModelFileError):
            cr.load(path)

    assert peak_of(load) < 2 * path.stat().st_size + 64 * MEBIBYTE


def test_a_model_whose_weights_are_so_large_that_its_probe_overflows_loads_and_is_still_probed(tmp_path, refused):
    net = cr.Network([3, 4, 2], init="normal(1e21)", seed=0)  # what a rate far too high leaves behind
    with np.errstate(all="ignore"):
        cr.save(net, tmp_path / "huge.safetensors")
        assert not np.isfinite(net.logits(np.ones((1, 3)))).all()
    assert (cr.load(tmp_path / "huge.safetensors").parameters()["W1"] == net.parameters()["W1"]).all()

    arrays, settings, _ = read_tensors(tmp_path / "huge.safetensors", "model")
    write_tensors(tmp_path / "edited.safetensors", "model", arrays | {"probe/z": arrays["probe/z"] * -1}, settings)
    with refused("does not compute what it computed"):
        cr.load(tmp_path / "edited.safetensors")


def test_a_probe_of_many_rows_takes_no_memory_out_of_measure(tmp_path):
    """A file of strangers may ask for a long probe through a wide layer."""
    path = tmp_path / "wide.safetensors"
    width, rows = 20_000, 4096
    arrays = {
        "network/W1": np.ones((1, width), np.float32),
        "network/b1": np.zeros(width, np.float32),
        "network/W2": np.zeros((width, 1), np.float32),
        "network/b2": np.zeros(1, np.float32),
        "probe/x": np.ones((rows, 1), np.float32),
        "probe/z": np.zeros((rows, 1), np.float32),
    }
    signed(path, arrays, settings_for([1, width, 1]))

    def load():
        try:
            cr.load(path)
        except ModelFileError:
            return

    assert peak_of(load) < 2 * path.stat().st_size + 64 * MEBIBYTE


MEASURED = """
import resource, sys
import chainrule as cr
from chainrule.runs import load
load(sys.argv[1])
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
try:
    load(sys.argv[2])
except cr.errors.ModelFileError as error:
    sys.exit(str(error))
print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024)
"""


def test_a_large_model_is_loaded_in_twice_its_size_and_64_mebibytes(file, tmp_path):
    """Measured in a process of its own as the growth of its greatest resident set, the mapped file included."""
    d, h = 4096, 8192  # 128 MiB of weights, all zero: the file is sparse and costs nothing to make
    shapes = {"network/W1": (d, h), "network/b1": (h,), "probe/x": (1, d), "probe/z": (1, h)}
    header, end = {}, 0
    for name, shape in shapes.items():
        start, end = end, end + 4 * int(np.prod(shape))
        header[name] = {"dtype": "F32", "shape": list(shape), "data_offsets": [start, end]}
    settings = settings_for([d, h], activation=[])
    settings["network"] |= {"dropout": [], "batch_norm": []}
    digest = tensors._digest({name: np.zeros(shape, np.float32) for name, shape in shapes.items()}, settings)
    own = {"format": "chainrule-model", "version": 1, "sha256": digest, "settings": settings}
    header["__metadata__"] = {"chainrule": json.dumps(own)}
    path = tmp_path / "large.safetensors"
    start = joined(header, b"")
    with path.open("wb") as large:
        large.write(start)
        large.truncate(len(start) + end)
    done = subprocess.run([sys.executable, "-c", MEASURED, file, path], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) < 2 * path.stat().st_size + 64 * MEBIBYTE


@pytest.fixture
def cube(monkeypatch):
    """A rule of one's own, known while the test runs."""
    monkeypatch.setattr(rules.registry, "ACTIVATIONS", dict(rules.ACTIVATIONS))
    rule = rules.Activation("cube", lambda z: z**3, lambda z, a: 3 * z**2, "z^3", "3 z^2")
    rules.register(rule)
    return rule


def test_a_model_with_a_rule_of_ones_own_loads_where_the_rule_is_registered(cube, tmp_path, monkeypatch, refused):
    net = cr.Network([3, 4, 2], activation="cube", seed=2)
    cr.save(net, tmp_path / "cube.safetensors")
    x = np.random.default_rng(0).normal(size=(5, 3))
    assert np.array_equal(cr.load(tmp_path / "cube.safetensors").logits(x), net.logits(x))
    monkeypatch.delitem(rules.registry.ACTIVATIONS, "cube")
    with refused("unknown activation 'cube'", "cube.safetensors", error=ModelFileError):
        cr.load(tmp_path / "cube.safetensors")


def test_another_rule_of_the_same_name_is_noticed(cube, tmp_path, monkeypatch, refused):
    cr.save(cr.Network([3, 4, 2], activation="cube", seed=2), tmp_path / "cube.safetensors")
    other = rules.Activation("cube", lambda z: z**5, lambda z, a: 5 * z**4, "z^5", "5 z^4")
    monkeypatch.setitem(rules.registry.ACTIVATIONS, "cube", lambda: other)
    with refused("probe disagrees", error=ModelFileError):
        cr.load(tmp_path / "cube.safetensors")
