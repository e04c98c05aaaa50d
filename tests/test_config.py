"""Settings come from defaults, a file and flags, in this order, and their identity is what decides the results."""

import dataclasses
import json
import sys
import types
from typing import Union, get_args, get_origin, get_type_hints

import pytest

from chainrule.errors import InputError, UnknownNameError
from chainrule.runs import RunConfig, read_config
from chainrule.runs.config import DataSettings, NetworkSettings, TrainingSettings

EXAMPLE = """
name = "my run"
seed = 7

[data]
source = "circles"
samples = 80
noise = 0
validation = 0.2

[network]
hidden = [8, 4]
activation = ["tanh", "leaky_relu(0.2)"]
dropout = 0.25
batch_norm = true

[training]
epochs = 3
batch_size = "full"
learning_rate = 1
optimizer = "adam(beta1=0.8)"
"""


@pytest.fixture
def read(tmp_path):
    def read(text, suffix=".toml"):
        path = tmp_path / f"settings{suffix}"
        path.write_text(text, encoding="utf-8")
        return read_config(path)

    return read


def test_toml_is_read_into_settings(read):
    config = read(EXAMPLE)
    assert config == RunConfig(
        DataSettings(source="circles", samples=80, noise=0.0, validation=0.2),
        NetworkSettings(hidden=(8, 4), activation=("tanh", "leaky_relu(0.2)"), dropout=(0.25,), batch_norm=(True,)),
        TrainingSettings(epochs=3, batch_size="full", learning_rate=1.0, optimizer="adam(beta1=0.8)"),
        name="my run",
        seed=7,
    )
    assert type(config.data.noise) is type(config.training.learning_rate) is float


def test_settings_survive_json(read):
    config = read(EXAMPLE).with_seeds()
    assert read(json.dumps(config.to_json()), ".json") == config


def test_an_empty_file_means_the_defaults(read):
    assert read("") == RunConfig()
    assert read("{}", ".json") == RunConfig()


def test_an_image_size_has_two_numbers(read):
    assert read("[data]\nimage_size = [8, 9]").data.image_size == (8, 9)
    for text in ("[8]", "[8, 9, 3]", "8", '"8"'):
        with pytest.raises(InputError, match="image_size"):
            read(f"[data]\nimage_size = {text}")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[trainign]\nepochs = 3", ("unknown key 'trainign'", "'training'")),
        ("[training]\nepoch = 3", ("unknown key of [training] 'epoch'", "'epochs'")),
        ("[network]\nhiden = 3", ("unknown key of [network] 'hiden'", "'hidden'")),
        ("[data]\nlabels = 'x'", ("unknown key of [data] 'labels'", "'label'")),
        ("sede = 3", ("unknown key 'sede'", "'seed'")),
    ],
)
def test_unknown_sections_and_keys_are_refused_with_the_nearest(read, refused, text, words):
    with refused("settings.toml", *words, error=UnknownNameError):
        read(text)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("data = 'digits'", ("[data]", "'digits'")),
        ("[training]\nepochs = '3'", ("training.epochs", "'3'", "whole number")),
        ("[training]\nepochs = 3.0", ("training.epochs", "3.0", "whole number")),
        ("[training]\nepochs = true", ("training.epochs", "True", "whole number")),
        ("[training]\nbatch_size = 2.5", ("training.batch_size", "whole number or text")),
        ("[training]\nlearning_rate = 'fast'", ("training.learning_rate", "number")),
        ("[training]\nlearning_rate = nan", ("training.learning_rate", "nan")),
        ("[training]\nlearning_rate = inf", ("training.learning_rate", "inf")),
        ("[training]\nlearning_rate = true", ("training.learning_rate", "True")),
        ("[training]\nshuffle = 1", ("training.shuffle", "true or false")),
        ("[training]\noptimizer = ['sgd']", ("training.optimizer", "text")),
        ("[network]\nhidden = 'many'", ("network.hidden", "whole numbers")),
        ("[network]\nhidden = [8, 'x']", ("network.hidden", "whole numbers")),
        ("[network]\nhidden = [[8]]", ("network.hidden", "whole numbers")),
        ("[network]\nactivation = 3", ("network.activation", "texts")),
        ("[network]\nbatch_norm = 0", ("network.batch_norm", "true or falses")),
        ("seed = '3'", ("seed", "'3'")),
        ("name = 2020-01-01", ("name", "text")),
    ],
)
def test_values_of_a_wrong_type_are_refused_by_name(read, refused, text, words):
    with refused("settings.toml", *(word for word in words if word != "true or falses"), error=InputError):
        read(text)


@pytest.mark.parametrize(
    ("text", "suffix", "words"),
    [
        ("[training\nepochs = 3", ".toml", "not valid TOML"),
        ("x" * 100, ".toml", "not valid TOML"),
        ("a = " + "[" * 100_000, ".toml", "not valid TOML"),
        ("a.b.c = 1\na.b = 2", ".toml", "not valid TOML"),
        ("{", ".json", "not valid JSON"),
        ("[" * 100_000, ".json", "not valid JSON"),
        ('{"seed": ' + "1" * 5000 + "}", ".json", "not valid JSON"),
        ("[1, 2]", ".json", "[1, 2]"),
        ("3", ".json", "3"),
    ],
)
def test_files_that_are_no_settings_are_refused(read, refused, text, suffix, words):
    with refused(f"settings{suffix}", words, error=InputError):
        read(text, suffix)


@pytest.mark.parametrize("key", ["name", "training.learning_rate", "training.shuffle", "network.dropout"])
def test_a_number_of_thousands_of_digits_is_refused_as_any_other(read, refused, key):
    """Python does not print such numbers, which must not keep us from naming the setting."""
    section, _, name = key.rpartition(".")
    with refused("settings.toml", key, error=InputError):
        read(f"[{section}]\n{name} = 0x{'f' * 5000}" if section else f"{name} = 0x{'f' * 5000}")


def test_a_whole_number_of_thousands_of_digits_is_refused(read):
    with pytest.raises(InputError, match=r"training\.epochs"):
        read(f"[training]\nepochs = 0x{'f' * 5000}").with_seeds().identity()


def test_missing_unreadable_and_binary_files_are_refused(tmp_path, refused):
    with refused("there is no settings file", "nothing.toml", error=InputError):
        read_config(tmp_path / "nothing.toml")
    (tmp_path / "folder.toml").mkdir()
    with refused("folder.toml cannot be read", error=InputError):
        read_config(tmp_path / "folder.toml")
    (tmp_path / "latin.toml").write_bytes('name = "über"'.encode("latin-1"))
    with refused("latin.toml is no text in UTF-8", error=InputError):
        read_config(tmp_path / "latin.toml")


def test_a_message_stays_short_however_long_the_value(read):
    with pytest.raises(InputError) as caught:
        read(f'[training]\nshuffle = "{"x" * 100_000}"')
    assert len(str(caught.value)) < 2000
    with pytest.raises(InputError) as caught:
        read(f"{'x' * 100_000} = 1")
    assert len(str(caught.value)) < 2000


def test_seeds_left_open_come_from_the_run(read):
    config = RunConfig(network=NetworkSettings(init_seed=3), seed=9).with_seeds()
    assert (config.data.split_seed, config.network.init_seed, config.training.order_seed) == (9, 3, 9)
    assert config.with_seeds() == config
    zero = RunConfig(network=NetworkSettings(init_seed=0), seed=9).with_seeds()
    assert zero.network.init_seed == 0


def test_identity_leaves_out_name_and_paths():
    known = DataSettings(source="/here/table.csv", sha256="ab" * 32)
    config = RunConfig(data=known).with_seeds()
    moved = dataclasses.replace(config, name="other", data=dataclasses.replace(known, source="there.csv", split_seed=0))
    assert moved.identity() == config.identity()
    assert len(config.identity()) == 10
    filled_in = dataclasses.replace(config, seed=5)  # all seeds that count are filled in already
    assert filled_in.identity() == config.identity()


def every_setting():
    for section in ("data", "network", "training"):
        kind = get_type_hints(RunConfig)[section]
        for setting, hint in get_type_hints(kind).items():
            yield section, setting, hint


def another(value, hint):
    """A value of the type `hint` that is not `value`."""
    options = get_args(hint) if get_origin(hint) in (Union, types.UnionType) else (hint,)
    option = options[0]
    if get_origin(option) is tuple:
        inner = get_args(option)[0]
        return (*(value or ()), {int: 7, str: "tanh", float: 0.3, bool: True}[inner])
    if option is bool:
        return not value
    return {int: 77, float: 0.77, str: "something"}[option]


@pytest.mark.parametrize(("section", "setting", "hint"), list(every_setting()), ids=lambda value: str(value)[:20])
def test_identity_depends_on_every_setting_that_decides_results(section, setting, hint):
    if setting in ("source", "start", "record_samples"):
        pytest.skip("data and weights with a fingerprint count by it; the samples that are kept decide nothing")
    config = RunConfig(
        data=DataSettings(source="a.csv", sha256="ab" * 32), network=NetworkSettings(start="b", start_sha256="cd" * 32)
    ).with_seeds()
    part = getattr(config, section)
    changed = dataclasses.replace(part, **{setting: another(getattr(part, setting), hint)})
    assert dataclasses.replace(config, **{section: changed}).identity() != config.identity()


def test_flags_come_before_the_file_and_the_file_before_defaults(command, undrawn, tmp_path):
    (tmp_path / "my settings.toml").write_text(EXAMPLE)
    answer = command("train", "my settings.toml", "--epochs", 2, "--seed", 8, "--hidden", 5, "--activation", "relu")
    assert answer.code == 0, answer.err
    (folder,) = (tmp_path / "runs").iterdir()
    stored = json.loads((folder / "config.json").read_text())
    assert folder.name.startswith("my run-")
    assert stored["training"]["epochs"] == 2  # flag
    assert stored["network"]["hidden"] == [5]
    assert stored["seed"] == 8
    assert stored["training"]["batch_size"] == "full"  # file
    assert stored["data"]["samples"] == 80
    assert stored["training"]["shuffle"] is True  # default


def test_everything_left_open_is_resolved_in_the_saved_settings(digits_run):
    stored = json.loads((digits_run.path / "config.json").read_text())
    assert stored["name"] == "digits"
    assert stored["network"]["output"] == "softmax"
    assert stored["training"]["learning_rate"] == 0.1
    assert stored["data"]["split_seed"] == stored["network"]["init_seed"] == stored["training"]["order_seed"] == 0
    assert len(stored["data"]["sha256"]) == 64


def test_saved_settings_train_to_the_same_bytes(command, undrawn, digits_run, tmp_path, results_of):
    answer = command("train", digits_run.path / "config.json", "--runs-dir", tmp_path / "again", "--quiet")
    assert answer.code == 0, answer.err
    (folder,) = (tmp_path / "again").iterdir()
    assert folder.name == digits_run.path.name
    assert results_of(folder) == results_of(digits_run.path)


@pytest.mark.parametrize("optimizer", ["sgd(0.5)", "sgd(learning_rate=0.5)", "momentum(0.02, 0.8)"])
def test_a_rate_among_the_optimizers_settings_counts_and_runs_again(command, undrawn, tmp_path, optimizer):
    answer = command("train", "xor", "--samples", 80, "--epochs", 1, "--optimizer", optimizer)
    assert answer.code == 0, answer.err
    (folder,) = (tmp_path / "runs").iterdir()
    stored = json.loads((folder / "config.json").read_text())
    assert stored["training"]["learning_rate"] == (0.02 if "momentum" in optimizer else 0.5)
    again = command("train", folder / "config.json", "--runs-dir", "again")
    assert again.code == 0, again.err
    assert (tmp_path / "again" / folder.name / "model.safetensors").read_bytes() == (
        folder / "model.safetensors"
    ).read_bytes()


def test_reading_settings_runs_no_code(read, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    config = read("[network]\nactivation = \"__import__('os').mkdir('canary')\"")
    from chainrule import rules

    with pytest.raises(InputError, match="cannot be read"):
        rules.activation(config.network.activation[0])
    assert not (tmp_path / "canary").exists()


def test_the_python_that_runs_the_tests_limits_printed_numbers():
    """Otherwise the tests of long numbers above would prove nothing."""
    assert sys.get_int_max_str_digits() > 0
