"""`chainrule sweep` and `chainrule runs`: what they say, what they refuse, and the index that makes them quick."""

import csv
import json
import shutil
import sqlite3
import time

import pytest

from chainrule.errors import InputError
from chainrule.runs.index import entries, write_index
from chainrule.runs.selecting import condition, select
from sweeps.small import assert_same, copied, small

RATE = "training.learning_rate"
FLAGS = ("--grid", f"{RATE}=0.1,0.01", "--seeds", 2)


@pytest.fixture
def plan(tmp_path):
    """A settings file with the base of the small sweep."""
    (tmp_path / "base.toml").write_text(small().to_toml().partition("[sweep]")[0])
    return "base.toml"


def test_a_finished_sweep_is_told_again_with_the_command_that_began_it(command, plan, undisturbed, tmp_path):
    copied(undisturbed, tmp_path / "sweeps" / "base")
    answer = command("sweep", plan, *FLAGS)
    assert answer.code == 0, answer.err
    assert "4 points in sweeps/base" in answer.out
    assert "4 of 4 points are finished" in answer.out
    assert "chainrule runs compare sweeps/base" in answer.out
    assert_same(tmp_path / "sweeps" / "base", undisturbed)


def test_resuming_needs_the_folder_alone(command, undisturbed, tmp_path):
    copied(undisturbed, tmp_path / "there")
    assert command("sweep", "--resume", "--folder", "there").code == 0
    assert command("sweep", "--resume", "--folder", "there", "--quiet").text == ""


def test_a_data_set_is_a_base_too_and_a_point_that_fails_is_an_exit_code(command):
    answer = command("sweep", "xor", "--grid", "data.samples=60", "--grid", "training.epochs=1", "--grid",
                     "training.optimizer=sgd,sdg", "--workers", 1)  # fmt: skip
    assert answer.code == 1
    assert "1 of 2 points are finished" in answer.out
    assert "optimizer=sdg failed: unknown optimizer" in answer.err


BAD = {
    "a key that is none": (["base.toml", "--grid", "training.learning_rat=0.1,0.2"], ["learning_rat", RATE]),
    "an empty grid": (["base.toml", "--grid", f"{RATE}="], ["no value", RATE]),
    "no grid": (["base.toml"], ["nothing to vary", "--grid"]),
    "a value of a wrong type": (["base.toml", "--grid", f"{RATE}=fast,slow"], [RATE, "'fast'", "number"]),
    "a grid without values": (["base.toml", "--grid", RATE], ["no key with values"]),
    "a key twice": (["base.toml", "--grid", f"{RATE}=1", "--grid", f"{RATE}=2"], ["twice"]),
    "points that are the same": (["base.toml", "--grid", f"{RATE}=0.1,0.1"], ["same run"]),
    "seeds that clash": (["base.toml", "--seeds", "1,2,1"], ["seed 1", "twice"]),
    "seeds in words": (["base.toml", "--seeds", "many"], ["many"]),
    "no file": (["nowhere.toml", *FLAGS], ["nowhere.toml"]),
    "nothing": ([], ["no settings are named"]),
    "nothing to resume": (["base.toml", *FLAGS, "--resume"], ["no sweep to resume"]),
    "a grid beside resume": (["--resume", "--folder", "x", *FLAGS], ["as it is"]),
    "two places": (["base.toml", *FLAGS, "--on", "tcp://127.0.0.1:9", "--workers", 1], ["exclude each other"]),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_input_is_told_in_words_and_leaves_nothing(command, plan, tmp_path, name):
    flags, words = BAD[name]
    answer = command("sweep", *flags)
    assert answer.code == 2, answer.text
    assert [word for word in words if word not in answer.words] == []
    assert "Traceback" not in answer.text
    assert not list(tmp_path.glob("sweeps/*/runs/*"))


def test_a_folder_of_another_sweep_is_refused(command, plan, undisturbed, tmp_path):
    copied(undisturbed, tmp_path / "there")
    answer = command("sweep", plan, "--grid", f"{RATE}=0.5,0.6", "--folder", "there")
    assert answer.code == 2
    assert "holds another sweep" in answer.err


def test_the_list_has_a_line_for_every_run_and_what_they_differ_in(command, undisturbed):
    answer = command("runs", "list", undisturbed)
    lines = answer.out.splitlines()
    assert lines[0].split() == [
        "run",
        "state",
        "epochs",
        "seconds",
        RATE,
        *(f"{p}.r2" for p in ("train", "validation", "test")),
    ]
    assert sum("finished" in line for line in lines) == 4
    assert lines[-1] == "4 runs"


def test_conditions_order_and_number(command, undisturbed):
    answer = command("runs", "list", undisturbed, "--where", f"{RATE}=0.1", "--where", "seed!=1", "--format", "json")
    (only,) = json.loads(answer.out)
    assert (only[RATE], only["seed"]) == (0.1, 0)
    answer = command(
        "runs", "list", undisturbed, "--sort", "train.loss", "--descending", "--limit", 3, "--format", "json"
    )
    losses = [one["train.loss"] for one in json.loads(answer.out)]
    every = [entry.results["train"]["loss"] for entry in entries(undisturbed)]
    assert losses == sorted(every, reverse=True)[:3]


def test_compare_takes_seeds_together(command, undisturbed):
    answer = command("runs", "compare", undisturbed)
    rows = [line.split() for line in answer.out.splitlines()]
    assert rows[0][:2] == [RATE, "n"]
    assert [row[:2] for row in rows[2:4]] == [["0.1", "2"], ["0.01", "2"]]
    scores = [entry.results["test"]["r2"] for entry in entries(undisturbed)][:2]
    assert f"{sum(scores) / 2:.4f} ± {abs(scores[0] - scores[1]) / 2**0.5:.4f}" in answer.out
    some = sorted((undisturbed / "runs").iterdir())[:2]
    assert "2 runs" in command("runs", "compare", *some).out


def test_a_table_is_exported_with_every_setting_and_result(command, undisturbed, tmp_path):
    assert command("runs", "list", undisturbed, "--format", "csv", "--output", "runs.csv").out == ""
    with (tmp_path / "runs.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 4
    assert {RATE, "network.hidden", "validation.r2", "test.loss", "epochs", "seconds"} <= rows[0].keys()
    assert [float(row[RATE]) for row in rows] == [0.1, 0.1, 0.01, 0.01]


WORDS = {
    "a key that is none": (["--where", "validation.los>0.9"], ["validation.los", "'validation.loss'"]),
    "no condition": (["--where", "loss"], ["no condition"]),
    "an order by nothing": (["--sort", "loss"], ["'loss'", "Did you mean"]),
    "no number": (["--limit", "0"], ["--limit is 0"]),
}


@pytest.mark.parametrize("name", WORDS)
def test_a_question_that_cannot_be_answered_is_refused(command, undisturbed, name):
    flags, words = WORDS[name]
    answer = command("runs", "list", undisturbed, *flags)
    assert answer.code == 2
    assert [word for word in words if word not in answer.words] == []


def test_a_folder_without_runs_is_told(command, tmp_path):
    for verb in ("list", "compare", "index"):
        answer = command("runs", verb, tmp_path)
        assert answer.code == 2, verb
        assert "there is no run in" in answer.err


def test_the_index_answers_in_sql_and_is_made_again_from_the_folders(command, undisturbed, tmp_path):
    folder = copied(undisturbed, tmp_path / "sweep")
    (folder / "index.sqlite").unlink()
    assert command("runs", "index", folder).code == 0
    question = "SELECT count(*) FROM runs WHERE settings ->> '$.training.learning_rate' = 0.1 AND state = 'finished'"
    connection = sqlite3.connect(folder / "index.sqlite")
    assert connection.execute(question).fetchone() == (2,)
    connection.close()


def test_the_list_is_true_though_the_index_is_old_damaged_or_missing(undisturbed, tmp_path):
    folder = copied(undisturbed, tmp_path / "sweep")
    whole = entries(folder)
    (first, second, *_) = sorted((folder / "runs").iterdir())
    write_index(folder)
    shutil.rmtree(first)
    stored = json.loads((second / "evaluation.json").read_text())
    (second / "evaluation.json").write_text(json.dumps(stored | {"stopped": "edited"}))
    newer = entries(folder)
    assert [entry.run for entry in newer] == [entry.run for entry in whole[1:]]
    assert newer[0].results["stopped"] == "edited"
    (folder / "index.sqlite").write_bytes(b"SQLite format 3\0 and nothing that follows")
    assert entries(folder) == newer
    (folder / "index.sqlite").unlink()
    assert entries(folder) == newer


TRUE = ("a=1", "a==1.0", "a<=1", "a>0.5", "a != 2", "b=word", "c=[3,4]", "d=true", "e=none", "e!=1", "f=5")
FALSE = ("a!=1", "a<1", "a >= 2", "b>3", "b=words", "c=[4,3]", "d=false", "e=1", "f=4")


@pytest.mark.parametrize(("text", "holds"), [*((t, True) for t in TRUE), *((t, False) for t in FALSE)])
def test_a_condition_holds_or_not(text, holds):
    facts = {"a": 1, "b": "word", "c": [3, 4], "d": True, "e": None, "f": [5]}
    assert condition(text).holds(facts) is holds


def test_a_word_that_is_to_be_less_than_numbers_is_refused(undisturbed, refused):
    with refused("validation.loss is a number", "'abc'", 'Write --where "validation.loss>'):
        select(entries(undisturbed), [condition("validation.loss>abc")])
    assert select(entries(undisturbed), [condition("validation.loss=abc")]) == []


def test_a_thousand_runs_are_listed_in_a_second(command, undisturbed, tmp_path):
    """On this machine it is half of that; the time of the interpreter's start comes on top."""
    (source, *_) = (undisturbed / "runs").iterdir()
    config = json.loads((source / "config.json").read_text())
    for k in range(1000):
        run = tmp_path / "runs" / f"made-{k:010x}"
        run.mkdir(parents=True)
        (run / "config.json").write_text(json.dumps(config | {"training": config["training"] | {"l2": k}}))
        for name in ("evaluation.json", "timings.jsonl"):
            shutil.copy(source / name, run / name)
    write_index(tmp_path / "runs")
    began = time.process_time()
    answer = command("runs", "list", "runs", "--where", "training.l2>=10")
    assert time.process_time() - began < 1.0
    assert answer.out.splitlines()[-1] == "990 runs"


def test_a_damaged_run_is_named_and_hides_no_other(undisturbed, tmp_path):
    folder = copied(undisturbed, tmp_path / "sweep")
    (first, second, *_) = sorted((folder / "runs").iterdir())
    (first / "evaluation.json").write_text('{"half')
    (second / "config.json").write_text("[]")
    assert [entry.state for entry in entries(folder)] == ["damaged", "finished", "finished", "finished"]
    write_index(folder)
    assert [entry.state for entry in entries(folder)] == ["damaged", "damaged", "finished", "finished"]


def test_unfinished_runs_are_listed_as_such(undisturbed, tmp_path):
    folder = copied(undisturbed, tmp_path / "sweep")
    (first, *_) = sorted((folder / "runs").iterdir())
    (first / "evaluation.json").unlink()
    chosen = select(entries(folder), [condition("state=unfinished")])
    assert [one["epochs"] for one in chosen] == [3]
    with pytest.raises(InputError, match="unknown setting or result"):
        select(entries(folder), sort="nothing")
