"""A sweep is data: its points, their names and seeds, its file, and what is refused."""

import tomllib
from dataclasses import replace

import pytest

from chainrule.runs import RunConfig, read_config
from chainrule.runs.config import DataSettings, NetworkSettings, TrainingSettings
from chainrule.sweeps import Sweep, read_sweep_file
from chainrule.sweeps.settings import keys, parsed, settings_toml, toml

DIGITS = RunConfig(data=DataSettings(source="digits"))
RATE = "training.learning_rate"


def test_the_points_are_every_combination_with_every_seed():
    sweep = Sweep(DIGITS, {RATE: [0.1, 0.01], "network.hidden": [(8,), (8, 4), ()]}, seeds=4)
    points = sweep.points()
    assert len(points) == 2 * 3 * 4
    assert {(p.config.training.learning_rate, p.config.network.hidden, p.seeds) for p in points} == {
        (rate, hidden, (s, s)) for rate in (0.1, 0.01) for hidden in ((8,), (8, 4), ()) for s in range(4)
    }
    assert [p.index for p in points] == list(range(24))
    assert len({p.name for p in points}) == 24
    assert [p.variant for p in points] == [k // 4 for k in range(24)]


def test_changes_are_a_list_of_variants_and_each_is_combined_with_the_grid():
    changes = [{}, {"training.optimizer": "adam", RATE: 0.001}]
    points = Sweep(DIGITS, {"network.hidden": [[8], [9]]}, changes).points()
    assert [(p.config.training.optimizer, p.config.network.hidden) for p in points] == [
        ("sgd", (8,)),
        ("sgd", (9,)),
        ("adam", (8,)),
        ("adam", (9,)),
    ]


def test_variants_of_a_seed_share_split_start_and_order():
    points = Sweep(DIGITS, {RATE: [0.1, 0.01]}, seeds=[3, 8]).points()
    seeds = [
        (c.data.split_seed, c.network.init_seed, c.training.order_seed) for c in (p.config.with_seeds() for p in points)
    ]
    assert seeds == [(3, 3, 3), (8, 8, 8), (3, 3, 3), (8, 8, 8)]


def test_pairs_set_start_and_order_apart_and_leave_the_split_alone():
    points = Sweep(replace(DIGITS, seed=5), seeds=[(0, 1), (0, 2), (1, 1)]).points()
    full = [p.config.with_seeds() for p in points]
    assert [(c.network.init_seed, c.training.order_seed, c.data.split_seed) for c in full] == [
        (0, 1, 5),
        (0, 2, 5),
        (1, 1, 5),
    ]
    assert [p.seeds for p in points] == [(0, 1), (0, 2), (1, 1)]


def test_a_split_that_the_base_fixes_stays_for_all_seeds():
    fixed = replace(DIGITS, data=replace(DIGITS.data, split_seed=7))
    assert {p.config.with_seeds().data.split_seed for p in Sweep(fixed, seeds=3).points()} == {7}


def test_names_tell_number_changes_and_seed_and_are_names_of_files():
    names = [p.name for p in Sweep(DIGITS, {"training.optimizer": ["sgd", "adam(beta1=0.8)"]}, seeds=2).points()]
    assert names == [
        "000-optimizer=sgd-s0",
        "001-optimizer=sgd-s1",
        "002-optimizer=adam-beta1=0.8-s0",
        "003-optimizer=adam-beta1=0.8-s1",
    ]
    (only,) = Sweep(DIGITS).points()
    assert only.name == "000"
    long = Sweep(DIGITS, {"network.hidden": [[k] * 60 for k in (3, 4)]}).points()
    assert all(len(point.name) <= 80 for point in long)


def test_the_file_of_a_point_says_what_the_point_is(tmp_path):
    sweep = Sweep(
        replace(DIGITS, network=NetworkSettings(hidden=(8,), activation=("tanh",), dropout=(0.1,))),
        {
            "training.optimizer": ["adam(beta1=0.8)", "sgd"],
            "training.l2": [0, 1e-5],
            "training.augment": [None, "flip"],
        },
        seeds=2,
    )
    for point in sweep.points():
        file = tmp_path / f"{point.name}.toml"
        file.write_text(toml(settings_toml(point.config)))
        assert read_config(file) == point.config


def test_a_sweep_is_read_back_from_its_file(tmp_path):
    for number, sweep in enumerate(
        (
            Sweep(DIGITS, {RATE: [0.1, 1e-05], "training.augment": [None, 'f"\\ü\x7f']}, seeds=3, name="two words"),
            Sweep(
                DIGITS, changes=[{}, {"network.hidden": (8, 4)}, {"network.batch_norm": True}], seeds=[(0, 1), (2, 3)]
            ),
            Sweep(DIGITS, {"data.split_seed": [1, 2]}, [{RATE: 0.2}], [4, 9]),
        )
    ):
        file = tmp_path / f"{number}.toml"
        file.write_text(sweep.to_toml())
        again = read_sweep_file(file)
        assert again.points() == tuple(
            replace(p, changes=q.changes) for p, q in zip(sweep.points(), again.points(), strict=True)
        )
        assert again.identity() == sweep.identity()
        assert again.name == sweep.name


def test_a_file_may_write_keys_with_dots_or_as_tables(tmp_path):
    text = 'data.source = "digits"\n[sweep]\nseeds = 2\n'
    one, two = tmp_path / "one.toml", tmp_path / "two.toml"
    one.write_text(text + '[sweep.grid]\n"training.learning_rate" = [0.1, 0.2]\n')
    two.write_text(text + "[sweep.grid.training]\nlearning_rate = [0.1, 0.2]\n")
    assert read_sweep_file(one).identity() == read_sweep_file(two).identity()
    assert len(read_sweep_file(one).points()) == 4


def test_a_settings_file_is_a_sweep_of_one_point(tmp_path):
    (tmp_path / "plain.toml").write_text('data.source = "digits"\ntraining.epochs = 4\n')
    (point,) = read_sweep_file(tmp_path / "plain.toml").points()
    assert point.config.training.epochs == 4


def test_points_keep_no_samples_to_be_shown_unless_the_base_asks_for_them():
    assert Sweep(DIGITS).points()[0].config.training.record_samples == 0
    asking = replace(DIGITS, training=TrainingSettings(record_samples=40))
    assert Sweep(asking).points()[0].config.training.record_samples == 40


def test_a_key_on_the_command_line_has_its_values_read_as_toml_or_as_words():
    assert parsed("training.learning_rate=0.1,1e-3") == ("training.learning_rate", [0.1, 1e-3])
    assert parsed("network.hidden=[16],[32, 8], 4") == ("network.hidden", [[16], [32, 8], 4])
    assert parsed("training.optimizer=adam(beta1=0.8, beta2=0.9),sgd") == (
        "training.optimizer",
        ["adam(beta1=0.8, beta2=0.9)", "sgd"],
    )
    assert parsed('data.label="a, b",c') == ("data.label", ["a, b", "c"])
    assert parsed("training.shuffle=true,false") == ("training.shuffle", [True, False])
    assert parsed("training.learning_rate=") == ("training.learning_rate", [])


def test_every_setting_that_decides_a_result_can_be_varied():
    assert {"data.source", "data.split_seed", "network.hidden", "training.learning_rate", "training.augment"} <= {
        *keys()
    }
    assert "name" not in keys()


BAD = {
    "an unknown key": (lambda: Sweep(DIGITS, {"training.learning_rat": [0.1]}), ["learning_rat", RATE]),
    "a key without its section": (lambda: Sweep(DIGITS, {"learning_rate": [0.1]}), ["Did you mean", RATE]),
    "an unknown key in the changes": (
        lambda: Sweep(DIGITS, changes=[{"net.hidden": 3}]),
        ["net.hidden", "network.hidden"],
    ),
    "an empty grid": (lambda: Sweep(DIGITS, {RATE: []}), ["no value", RATE]),
    "a value that is no list": (lambda: Sweep(DIGITS, {"training.optimizer": "adam"}), ["no list"]),
    "a value of a wrong type": (lambda: Sweep(DIGITS, {RATE: [0.1, "fast"]}), [RATE, "'fast'", "number"]),
    "a width that is no number": (
        lambda: Sweep(DIGITS, {"network.hidden": [["a"]]}),
        ["network.hidden", "whole numbers"],
    ),
    "a value that stands twice": (lambda: Sweep(DIGITS, {RATE: [0.1, 0.2, 0.1]}), ["same run", "000-", "002-"]),
    "changes that are the same": (lambda: Sweep(DIGITS, changes=[{}, {}]), ["same run"]),
    "a seed that stands twice": (lambda: Sweep(DIGITS, seeds=[1, 2, 1]), ["seed 1", "twice"]),
    "a pair that stands twice": (lambda: Sweep(DIGITS, seeds=[(1, 2), (1, 2)]), ["(1, 2)", "twice"]),
    "no seeds": (lambda: Sweep(DIGITS, seeds=0), ["seeds is 0", "at least 1"]),
    "an empty list of seeds": (lambda: Sweep(DIGITS, seeds=[]), ["empty"]),
    "a negative seed": (lambda: Sweep(DIGITS, seeds=[-1]), ["seed is -1"]),
    "words for seeds": (lambda: Sweep(DIGITS, seeds="abc"), ["seed is 'a'"]),
    "seeds and pairs": (lambda: Sweep(DIGITS, seeds=[1, (2, 3)]), ["mix"]),
    "a triple": (lambda: Sweep(DIGITS, seeds=[(1, 2, 3)]), ["no pair"]),
    "a seed in the grid": (lambda: Sweep(DIGITS, {"seed": [1, 2]}), ["seeds of a sweep"]),
    "a start in the grid": (lambda: Sweep(DIGITS, {"network.init_seed": [1, 2]}), ["seeds of a sweep"]),
    "a key in grid and changes": (
        lambda: Sweep(DIGITS, {RATE: [0.1]}, [{RATE: 0.2}]),
        ["in the grid and in the changes"],
    ),
    "pairs over a start that is fixed": (
        lambda: Sweep(replace(DIGITS, network=NetworkSettings(init_seed=3)), seeds=[(0, 1), (1, 1)]),
        ["network.init_seed", "3"],
    ),
    "seeds that reach nothing": (
        lambda: Sweep(
            replace(
                DIGITS,
                data=DataSettings(source="digits", split_seed=1),
                network=NetworkSettings(init_seed=1),
                training=TrainingSettings(order_seed=1),
            ),
            seeds=2,
        ),
        ["same run", "base fixes"],
    ),
}


@pytest.mark.parametrize("name", BAD)
def test_a_plan_that_cannot_be_meant_is_refused_in_words(refused, name):
    make, words = BAD[name]
    with refused(*words):
        make()


FILES = {
    "no TOML": ("a = ", "cannot be read"),
    "a seed as text": ('[sweep]\nseeds = "5"\n', "seed is '5'"),
    "an unknown key": ("[sweep]\ngird = 1\n", "gird"),
    "a grid that is none": ("[sweep]\ngrid = 3\n", "no table"),
    "changes that are none": ("[sweep]\nchanges = [1]\n", "no list of tables"),
    "a sweep that is none": ("sweep = 3\n", "not a table"),
    "a key of the base": ("[trainig]\nepochs = 3\n", "trainig"),
}


@pytest.mark.parametrize("name", FILES)
def test_a_file_that_cannot_be_read_is_refused_by_name(tmp_path, refused, name):
    text, words = FILES[name]
    (tmp_path / "bad.toml").write_text(text)
    with refused("bad.toml", words):
        read_sweep_file(tmp_path / "bad.toml")
    with refused("nowhere.toml"):
        read_sweep_file(tmp_path / "nowhere.toml")


def test_what_is_written_as_toml_is_read_back():
    content = {"a": 1, "b c": [1.5, True, "x\ty"], "t": {"u": {"v": 1e22}}, "many": [{"k": 1}, {}, {"k": [2]}]}
    assert tomllib.loads(toml(content)) == content
