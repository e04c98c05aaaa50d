"""The command as a person meets it: what it prints, what it refuses and with which exit code it leaves."""

import csv
import io
import json
import os
import re
import subprocess

import numpy as np
import pytest
from PIL import Image

import chainrule as cr


def fails(answer, *words, code=2):
    """Bad input: exit code 2, the words on standard error, no traceback, nothing like success."""
    assert answer.code == code, answer.text
    assert "Traceback" not in answer.text
    missing = [word for word in words if word not in answer.words]
    assert missing == [], answer.text


@pytest.fixture
def only_run(tmp_path):
    def find(runs="runs"):
        (folder,) = (tmp_path / runs).iterdir()
        return folder

    return find


# Help


@pytest.mark.parametrize("arguments", [("--help",), ("-h",), ("help",)])
def test_help_lists_the_commands_with_examples(command, arguments):
    answer = command(*arguments)
    assert answer.code == 0
    assert "examples:" in answer.out
    for name in ("train", "predict", "verify", "data"):
        assert f"  {name} " in answer.out


@pytest.mark.parametrize(
    "arguments", [("train",), ("predict",), ("verify",), ("data", "fetch"), ("data", "show")], ids=" ".join
)
def test_the_help_of_every_command_has_examples(command, arguments):
    answer = command(*arguments, "--help")
    assert answer.code == 0
    assert f"chainrule {' '.join(arguments)} " in answer.words
    assert re.search(r"examples?:", answer.words)


def test_the_help_of_data_and_its_list(command):
    assert command("data", "--help").code == 0
    assert command("data", "list", "--help").code == 0


def test_the_help_of_train_names_every_setting(command):
    words = command("train", "--help").words
    for flag in ("--hidden", "--activation", "--learning-rate", "--early-stopping", "--resume", "--split-seed"):
        assert flag in words
    assert "--sha256" not in words


def test_the_version_is_told(command):
    assert command("--version").out == f"chainrule {cr.__version__}\n"


def test_no_command_is_help_and_exit_2(command):
    answer = command()
    assert answer.code == 2
    assert "usage: chainrule COMMAND" in answer.text


# Unknown names


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("trian", "digits"), ("unknown command 'trian'", "train")),
        (("frobnicate",), ("unknown command 'frobnicate'", "predict")),
        (("train", "digist"), ("unknown data set 'digist'", "'digits'")),
        (("train", "fashion_mnist"), ("unknown data set", "'fashion-mnist'")),
        (("data", "show", "cirlces"), ("unknown data set 'cirlces'", "'circles'")),
        (("data", "fetch", "mnits"), ("'mnits'", "'mnist'")),
        (("train", "xor", "--activation", "rleu"), ("unknown activation 'rleu'", "'relu'")),
        (("train", "xor", "--activation", "leakyrelu"), ("unknown activation 'leakyrelu'", "'leaky_relu'")),
        (("train", "xor", "--optimizer", "adm"), ("unknown optimizer 'adm'", "'adam'")),
        (("train", "xor", "--schedule", "cosin"), ("unknown schedule 'cosin'", "'cosine'")),
        (("train", "xor", "--engine", "refrence"), ("unknown engine 'refrence'", "'reference'")),
        (("train", "xor", "--output", "sofmax"), ("unknown output 'sofmax'", "'softmax'")),
        (("train", "xor", "--init", "xaver"), ("unknown initialiser 'xaver'", "'xavier'")),
        (("train", "xor", "--preprocessing", "standardize"), ("'standardize'", "'standardise'")),
        (("train", "xor", "--split", "stratifed"), ("'stratifed'", "stratified")),
        (("train", "xor", "--epoch", "3"), ("--epoch", "--epochs")),
        (("train", "xor", "--learnig-rate", "3"), ("--learnig-rate", "--learning-rate")),
        (("verify", "x", "--datadir", "3"), ("--datadir", "--data-dir")),
        (("predict", "x", "y", "--format", "jsn"), ("jsn", "json")),
        (("data", "lst"), ("lst", "list")),
    ],
    ids=lambda value: " ".join(value)[:40],
)
def test_unknown_names_are_refused_with_the_nearest(command, arguments, words):
    fails(command(*arguments), *words)


# Bad settings


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        (("--hidden", 0), ("[2, 0, 2]",)),
        (("--hidden", -3), ("-3",)),
        (("--hidden", 10**30), ()),
        (("--hidden", "many"), ("many",)),
        (("--epochs", 0), ("epochs is 0",)),
        (("--epochs", -1), ("epochs is -1",)),
        (("--epochs", 1.5), ("1.5",)),
        (("--batch-size", 0), ("batch size 0",)),
        (("--batch-size", -2), ("batch size -2",)),
        (("--batch-size", 1000), ("batch size 1000 exceeds the 56 training samples", '"full"')),
        (("--batch-size", "half"), ("batch size 'half'", '"full"')),
        (("--dropout", 2), ("dropout 2.0 is outside [0, 1)",)),
        (("--dropout", 1), ("dropout 1.0 is outside [0, 1)",)),
        (("--dropout", "nan"), ("dropout nan",)),
        (("--dropout", 0.1, 0.2), ("2 entries for 1 hidden",)),
        (("--learning-rate", 0), ("learning rate 0",)),
        (("--learning-rate", -1), ("learning rate -1",)),
        (("--learning-rate", "nan"), ("learning rate nan",)),
        (("--learning-rate", "inf"), ("learning rate inf",)),
        (("--clip", 0), ("clip is 0",)),
        (("--clip", "nan"), ("clip is nan",)),
        (("--l2", -1), ("l2 is -1",)),
        (("--l2", "nan"), ("l2 is nan",)),
        (("--l2", "inf"), ("l2",)),
        (("--early-stopping", 0), ("early_stopping is 0",)),
        (("--early-stopping", 2, "--validation", 0), ("early stopping needs validation data",)),
        (("--curve-samples", 0), ("curve",)),
        (("--curve-samples", -1), ("curve",)),
        (("--activation", "relu", "tanh"), ("2 entries for 1 hidden",)),
        (("--activation", "relu("), ("'relu('",)),
        (("--activation", "relu(3)"), ("does not take the settings",)),
        (("--activation", "elu('x')"), ("elu",)),
        (("--activation", "leaky_relu(inf)"), ("leaky_relu",)),
        (("--activation", "__import__('os').mkdir('canary')"), ("cannot be read",)),
        (("--init", "normal('x')"), ("normal",)),
        (("--init", "normal(-1)"), ("normal",)),
        (("--init", "uniform(1, -1)"), ("uniform",)),
        (("--optimizer", "adam(beta1=2)"), ("beta1 2 is outside [0, 1)",)),
        (("--optimizer", "adam(gamma=2)"), ("adam does not take the settings",)),
        (("--optimizer", "rmsprop(epsilon='x')"), ("rmsprop",)),
        (("--optimizer", "adamw(weight_decay='x')"), ("adamw",)),
        (("--schedule", "step(every=0)"), ("every is 0",)),
        (("--schedule", "step(evry=3)"), ("step does not take the settings",)),
        (("--schedule", "cosine(warmup='x')"), ("cosine",)),
        (("--schedule", "exponential(decay='x')"), ("exponential",)),
        (("--schedule", "exponential(decay=-1)"), ("exponential",)),
        (("--schedule", "step(factor='x')"), ("step",)),
        (("--dtype", "float16"), ("float16", "float32 or float64")),
        (("--output", "identity"), ()),
        (("--seed", -1), ("seed",)),
        (("--split-seed", -1), ("seed",)),
        (("--init-seed", -1), ("seed",)),
        (("--order-seed", -1), ("seed",)),
        (("--validation", "nan"), ("validation",)),
        (("--validation", "inf"), ("validation",)),
        (("--validation", -0.5), ("validation",)),
        (("--validation", 20.5), ("validation",)),
        (("--validation", 0.6, "--test", 0.6), ()),
        (("--test", 1000), ("test",)),
        (("--noise", -1), ("noise",)),
        (("--noise", "nan"), ("noise",)),
        (("--samples", 0), ("samples",)),
        (("--samples", 1), ()),
        (("--image-size", 8, 8), ("image_size= does not apply to xor",)),
        (("--edition", 2020), ("edition= does not apply to xor",)),
        (("--preprocessing", "scale+scale"), ("twice",)),
        (("--batch-norm", "True", "--batch-size", 1), ("batch normalisation meets a batch of one",)),
        (("--batch-norm", "perhaps"), ("perhaps",)),
    ],
    ids=lambda value: " ".join(map(str, value))[:60],
)
def test_settings_that_cannot_be_are_refused(command, undrawn, tmp_path, flags, words):
    samples = () if "--samples" in flags else ("--samples", 80)
    fails(command("train", "xor", "--epochs", 2, *samples, *flags), *words)
    assert not (tmp_path / "canary").exists()


def test_no_data_set_is_refused_with_digits_as_the_way_out(command):
    fails(command("train"), "no data set is named", "digits")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("train", "nothing.toml"), ("there is no settings file nothing.toml",)),
        (("train", "nothing.csv"), ("nothing.csv does not exist",)),
        (("train", "some/folder"), ("some/folder does not exist",)),
        (("train", "--resume", "nothing"), ("nothing is no run",)),
        (("verify", "nothing"), ("nothing is no run",)),
        (("verify",), ("run",)),
        (("predict", "nothing", "x.csv"), ("there is no model file nothing",)),
        (("predict",), ("model",)),
    ],
    ids=lambda value: " ".join(value)[:40],
)
def test_what_is_not_there_is_named(command, arguments, words):
    fails(command(*arguments), *words)


def test_the_name_of_a_run_may_end_like_a_settings_file(command, undrawn, only_run):
    answer = command("train", "xor", "--samples", 80, "--epochs", 1, "--name", "as in x.toml")
    assert answer.code == 0, answer.err
    assert only_run().name.startswith("as in x.toml-")


def test_bad_settings_in_a_file_name_the_file(command, tmp_path):
    (tmp_path / "s.toml").write_text("[training]\nepoch = 3\n[data]\nsource = 'xor'")
    fails(command("train", "s.toml"), "s.toml", "unknown key of [training] 'epoch'", "'epochs'")
    (tmp_path / "s.toml").write_text("data = 3")
    fails(command("train", "s.toml"), "s.toml", "[data]")


def test_labels_of_one_class_only_are_refused(command, tmp_path):
    (tmp_path / "one.csv").write_text("a,b\n" + "1,yes\n" * 30)
    fails(command("train", "one.csv"), "class")


# Training


@pytest.mark.parametrize("source", ["circles", "moons", "blobs", "spirals", "xor", "synth"])
def test_every_synthetic_set_trains(command, undrawn, only_run, source):
    parts = ("--validation", 20, "--test", 20) if source == "synth" else ()
    answer = command("train", source, "--samples", 120, "--epochs", 2, *parts)
    assert answer.code == 0, answer.err
    assert answer.err == ""
    for words in ("train ", "validation ", "test ", "baseline", "majority", "macro avg", "Ended by epochs"):
        assert words in answer.out
    assert str(only_run().relative_to(only_run().parent.parent)) in answer.out


def test_training_prints_the_report_and_where_the_run_lies(command, digits_run):
    answer = command("train", "--resume", digits_run.path)
    assert answer.code == 0
    assert "This run was finished before; --force trains it again." in answer.out
    assert f"The run lies in {digits_run.path}" in answer.out
    assert f"Curves: {digits_run.path / 'figures' / 'curves.png'}" in answer.out


def test_training_learns(command, undrawn, only_run):
    answer = command("train", "blobs", "--samples", 300, "--epochs", 30)
    assert answer.code == 0
    assert json.loads((only_run() / "evaluation.json").read_text())["test"]["accuracy"] > 0.9


def test_quiet_prints_nothing(command, undrawn):
    first = command("train", "xor", "--samples", 80, "--epochs", 2, "--quiet")
    again = command("train", "xor", "--samples", 80, "--epochs", 2, "--quiet")
    assert (first.code, first.text) == (again.code, again.text) == (0, "")


def test_quiet_still_says_what_is_wrong(command, undrawn):
    fails(command("train", "xor", "--samples", 80, "--epochs", 0, "--quiet"), "epochs is 0")


def test_a_diverging_run_is_exit_1_and_keeps_the_last_good_weights(command, undrawn, only_run):
    answer = command("train", "moons", "--samples", 90, "--learning-rate", "1e30", "--epochs", 5)
    fails(answer, "no longer finite", "epoch", "batch", "too high", "are kept", "model.safetensors", code=1)
    net = cr.load(only_run())
    assert all(np.isfinite(P).all() for P in net.parameters().values())
    data = cr.load_data("moons", samples=90)
    assert np.isfinite(net.predict_proba(data.test.x)).all()


def test_a_table_whose_numbers_overflow_is_told_in_words(command, undrawn, tmp_path):
    rng = np.random.default_rng(0)
    rows = [f"{a:.3f},{b * 1e30:.3e},{'up' if a > 0 else 'down'}" for a, b in rng.normal(size=(60, 2))]
    (tmp_path / "far.csv").write_text("a,b,way\n" + "\n".join(rows) + "\n")
    answer = command("train", "far.csv", "--preprocessing", "none", "--epochs", 2)
    fails(answer, "scale", code=1)


# Progress


def test_progress_is_silent_where_nobody_watches(command, undrawn):
    assert command("train", "xor", "--samples", 80, "--epochs", 3).err == ""


@pytest.mark.skipif(os.name != "posix", reason="needs a pseudo-terminal")
def test_live_progress_shows_epoch_loss_and_accuracy_on_a_terminal(program, tmp_path):
    import pty

    own, theirs = pty.openpty()
    environment = {**os.environ, "TERM": "xterm-256color", "COLUMNS": "160", "LINES": "40"}
    process = subprocess.Popen(
        [*program, "train", "xor", "--samples", "2000", "--epochs", "12"],
        cwd=tmp_path,
        env=environment,
        stdin=theirs,
        stdout=subprocess.DEVNULL,
        stderr=theirs,
    )
    os.close(theirs)
    shown = b""
    while True:
        try:
            piece = os.read(own, 65536)
        except OSError:  # Linux's way to say that the other end is closed
            break
        if not piece:
            break
        shown += piece
    os.close(own)
    assert process.wait(timeout=60) == 0
    text = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", shown.decode(errors="replace"))
    assert "epoch 12/12" in text
    assert re.search(r"loss \d\.\d{4} \| \d\.\d{4}\s+acc \d+\.\d \| \d+\.\d %", text)
    assert re.search(r"\d+:\d\d:\d\d", text), "time"
    assert shown.count(b"\r") > 2 or shown.count(b"\x1b") > 4, "it lives"


# Output to somewhere that is gone


@pytest.mark.skipif(os.name != "posix", reason="needs pipes that close")
@pytest.mark.parametrize("arguments", [("data", "list"), ("--help",), ("train", "--help")], ids=" ".join)
@pytest.mark.parametrize("unbuffered", ["", "1"], ids=["buffered", "unbuffered"])
def test_a_reader_that_has_gone_is_no_error(program, arguments, unbuffered):
    reading, writing = os.pipe()
    os.close(reading)
    environment = {**os.environ, "PYTHONUNBUFFERED": unbuffered}
    done = subprocess.run(
        [*program, *arguments], stdout=writing, stderr=subprocess.PIPE, text=True, timeout=60, env=environment
    )
    os.close(writing)
    assert done.stderr == ""
    assert done.returncode == 0


def test_the_installed_command_and_its_exit_codes(program, tmp_path):
    for arguments, code in (
        (["--version"], 0),
        (["nonsense"], 2),
        (["train", "nothing.toml"], 2),
    ):
        done = subprocess.run([*program, *arguments], cwd=tmp_path, capture_output=True, text=True, timeout=60)
        assert done.returncode == code, done.stderr
        assert "Traceback" not in done.stderr


# Prediction


def as_rows(answer):
    return list(csv.DictReader(io.StringIO(answer.out)))


def test_arrays_are_predicted_as_the_model_itself_does(command, digits_run, tmp_path):
    data, net = cr.load_data("digits"), cr.load(digits_run.path)
    from sklearn.datasets import load_digits

    raw = load_digits().images[:20]
    np.save(tmp_path / "raw.npy", raw)
    answer = command("predict", digits_run.path, "raw.npy", "--format", "csv")
    assert answer.code == 0, answer.err
    rows = as_rows(answer)
    expected = net.predict_proba(net.spec.prepare(raw))
    assert [row["label"] for row in rows] == [data.classes[k] for k in expected.argmax(axis=1)]
    assert [row["sample"] for row in rows] == [str(i) for i in range(20)]
    shown = np.array([[float(row[name]) for name in data.classes] for row in rows])
    assert np.array_equal(shown.astype(np.float32), expected)


def test_all_forms_of_output_say_the_same(command, digits_run, tmp_path):
    np.save(tmp_path / "raw.npy", np.random.default_rng(0).integers(0, 17, (3, 8, 8)))
    rows = as_rows(command("predict", digits_run.path, "raw.npy", "--format", "csv"))
    items = json.loads(command("predict", digits_run.path, "raw.npy", "--format", "json").out)
    lines = command("predict", digits_run.path, "raw.npy").out.splitlines()
    assert lines[0].split() == ["sample", "prediction"]
    for row, item, line in zip(rows, items, lines[1:], strict=True):
        assert row["label"] == item["prediction"] == line.split()[1]
        assert {name: float(row[name]) for name in "0123456789"} == item["outputs"]
        assert sum(item["outputs"].values()) == pytest.approx(1, abs=1e-5)


def test_output_goes_to_a_file_on_request(command, digits_run, tmp_path):
    np.save(tmp_path / "raw.npy", np.zeros((2, 64)))
    printed = command("predict", digits_run.path, "raw.npy", "--format", "csv").out
    answer = command(
        "predict", digits_run.model, "raw.npy", "--format", "csv", "--output", "neue Ordner/Vorhersagen ü.csv"
    )
    assert (answer.code, answer.out) == (0, "")
    assert (tmp_path / "neue Ordner" / "Vorhersagen ü.csv").read_text() == printed


@pytest.mark.skipif(not os.path.isdir("/proc/self"), reason="there is no /proc, where even root cannot write")
def test_output_to_where_nothing_can_be_written_is_refused(command, digits_run, tmp_path):
    np.save(tmp_path / "raw.npy", np.zeros((2, 64)))
    fails(command("predict", digits_run.path, "raw.npy", "--output", "/proc/nowhere/x.csv"), "cannot be written")


@pytest.mark.parametrize(
    ("array", "words"),
    [
        (np.zeros((2, 63)), ("(63,)", "8 × 8")),
        (np.zeros((2, 9, 8)), ("(9, 8)",)),
        (np.full((2, 64), np.nan), ("nan",)),
        (np.full((2, 64), 1e308), ("1e+308",)),
        (np.array([["a"] * 64]), ()),
        (np.zeros((0, 64)), ()),
        (np.zeros(64), ()),
        (np.array(3.0), ()),
    ],
    ids=lambda value: "x".join(map(str, value.shape)) if isinstance(value, np.ndarray) else "",
)
def test_arrays_of_another_form_are_refused(command, digits_run, tmp_path, array, words):
    np.save(tmp_path / "raw.npy", array)
    fails(command("predict", digits_run.path, "raw.npy"), *words)


def test_arrays_with_labels_tell_the_accuracy(command, digits_run, tmp_path):
    from sklearn.datasets import load_digits

    bunch = load_digits()
    np.savez(tmp_path / "both.npz", x=bunch.images[:50], y=bunch.target[:50])
    answer = command("predict", digits_run.path, "both.npz")
    assert answer.code == 0
    assert re.search(r"accuracy \d+\.\d\d%", answer.err)
    assert "n = 50" in answer.err
    np.savez(tmp_path / "wrong.npz", x=bunch.images[:2], y=[3, 10])
    fails(command("predict", digits_run.path, "wrong.npz"), "10")


@pytest.fixture
def flowers(command, undrawn, table, only_run):
    """A model of the table of flowers, trained to be good."""
    answer = command("train", table, "--label", "species", "--epochs", 40, "--activation", "tanh", "--quiet")
    assert answer.code == 0, answer.err
    return only_run()


def write(path, header, rows):
    path.write_text("\n".join([",".join(header), *(",".join(map(str, row)) for row in rows)]) + "\n")
    return path


SAMPLES = [(1.5, -1.0, "wide"), (-1.0, 1.5, "tall"), (2.0, 0.0, "wide")]


def test_tables_are_predicted_in_any_order_of_columns(command, flowers, tmp_path):
    plain = write(tmp_path / "plain.csv", ["width", "height"], [row[:2] for row in SAMPLES])
    full = write(tmp_path / "full.csv", ["width", "height", "species"], SAMPLES)
    turned = write(
        tmp_path / "ge dreht.csv", ["species", "other", "height", "width"], [(s, 9, h, w) for w, h, s in SAMPLES]
    )
    answers = [command("predict", flowers, path, "--format", "csv") for path in (plain, full, turned)]
    assert [answer.code for answer in answers] == [0, 0, 0]
    assert [row["label"] for row in as_rows(answers[0])] == ["wide", "tall", "wide"]
    assert answers[0].out == answers[1].out == answers[2].out
    assert answers[0].err == ""
    for labelled in answers[1:]:
        assert "accuracy 100.00%" in labelled.err


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("width,species\n1,tall\n", ("no column 'height'",)),
        ("width,hieght\n1,2\n", ("no column 'height'", "'hieght'")),
        ("width,height\n1,two\n", ("line 2", "'height'", "'two' is no number")),
        ("width,height\n1,nan\n", ("line 2", "no finite number")),
        ("width,height\n1,\n", ("line 2", "is empty")),
        ("width,height\n1,2,3\n", ("line 2",)),
        ("width,height,species\n1,2,round\n", ("line 2", "'round'", "tall, wide")),
        ("width,height\n", ("no samples",)),
        ("", ("empty",)),
        ("1,2,3,4\n1,2,3,5\n", ("4 columns", "2 features")),
    ],
)
def test_tables_that_do_not_fit_the_model_are_refused(command, flowers, tmp_path, text, words):
    (tmp_path / "bad.csv").write_text(text)
    fails(command("predict", flowers, "bad.csv"), "bad.csv", *words)


def test_a_regression_goes_end_to_end(command, undrawn, only_run, tmp_path):
    rng = np.random.default_rng(1)
    points = rng.uniform(-1, 1, size=(200, 2))
    rows = [(f"{a:.4f}", f"{b:.4f}", f"{0.5 * a - b:.5f}") for a, b in points]
    path = write(tmp_path / "preis liste.csv", ["a", "b", "price"], rows)
    answer = command("train", path, "--label", "price", "--epochs", 60, "--learning-rate", 0.05)
    assert answer.code == 0, answer.err
    assert "R²" in answer.out
    stored = json.loads((only_run() / "evaluation.json").read_text())["test"]
    assert stored["r2"] > 0.95
    assert (stored["accuracy"], stored["confusion"], stored["report"]) == (None, None, "")
    write(tmp_path / "new.csv", ["b", "a"], [(0.5, 0.5)])
    (row,) = as_rows(command("predict", only_run(), "new.csv", "--format", "csv"))
    assert float(row["price"]) == pytest.approx(-0.25, abs=0.1)
    (item,) = json.loads(command("predict", only_run(), "new.csv", "--format", "json").out)
    assert item["prediction"] == item["outputs"]["price"] == float(row["price"])
    text = command("predict", only_run(), "new.csv").out.splitlines()[1]
    assert float(text.split()[1]) == pytest.approx(float(row["price"]), rel=1e-5)
    assert command("verify", only_run()).code == 0


def test_several_targets_go_end_to_end(command, undrawn, only_run, tmp_path):
    rng = np.random.default_rng(1)
    rows = [(f"{a:.4f}", f"{a + 0.5:.4f}", f"{-a:.4f}") for a in rng.uniform(-1, 1, size=90)]
    path = write(tmp_path / "two.csv", ["a", "up", "down"], rows)
    assert command("train", path, "--label", "up,down", "--epochs", 2).code == 0
    write(tmp_path / "new.csv", ["a"], [(0.5,), (0.1,)])
    rows = as_rows(command("predict", only_run(), "new.csv", "--format", "csv"))
    assert len(rows) == 2
    assert set(rows[0]) == {"sample", "up", "down"}


def test_two_classes_with_one_sigmoid_are_predicted_by_name(command, undrawn, table, only_run, tmp_path):
    assert command("train", table, "--output", "sigmoid", "--epochs", 30).code == 0
    assert cr.load(only_run()).layers[-1] == 1
    write(tmp_path / "new.csv", ["width", "height"], [(2, -2), (-2, 2)])
    rows = as_rows(command("predict", only_run(), "new.csv", "--format", "csv"))
    assert [row["label"] for row in rows] == ["wide", "tall"]
    assert all(float(row["wide"]) + float(row["tall"]) == pytest.approx(1) for row in rows)


def test_a_model_without_its_data_says_how_to_predict(command, tmp_path):
    cr.save(cr.Network([2, 3, 2]), tmp_path / "bare.safetensors")
    np.save(tmp_path / "x.npy", np.zeros((1, 2)))
    fails(command("predict", "bare.safetensors", "x.npy"), "bare.safetensors", "net.predict(x)")


# Images


def shapes(folder, per_class=14):
    """Two classes of little pictures: bright above, bright below."""
    rng = np.random.default_rng(0)
    for name, half in (("o ben", slice(0, 5)), ("unten", slice(5, 10))):
        (folder / name).mkdir(parents=True)
        for i in range(per_class):
            pixels = rng.integers(0, 60, (10, 8), dtype=np.uint8)
            pixels[half] += 180
            Image.fromarray(pixels).save(folder / name / f"{i}.png")
    return folder


@pytest.fixture
def pictures(command, undrawn, tmp_path, only_run):
    folder = shapes(tmp_path / "Bilder ü")
    answer = command("train", folder, "--epochs", 20, "--batch-size", 4)
    assert answer.code == 0, answer.err
    assert "10 × 8 images, 2 classes" in answer.out
    return only_run()


def test_a_folder_of_classes_goes_end_to_end(command, pictures, tmp_path):
    stored = json.loads((pictures / "evaluation.json").read_text())
    assert stored["test"]["accuracy"] == 1
    assert stored["test"]["classes"] == ["o ben", "unten"]
    new = shapes(tmp_path / "neu", per_class=3)
    answer = command("predict", pictures, new, "--format", "json")
    assert answer.code == 0, answer.err
    items = json.loads(answer.out)
    assert len(items) == 6
    assert all(item["prediction"] in item["sample"] for item in items)
    assert command("verify", pictures).code == 0


def test_one_image_is_resized_and_made_grey_and_it_is_said(command, pictures, tmp_path):
    large = np.zeros((40, 32, 3), np.uint8)
    large[:20] = 230
    Image.fromarray(large).save(tmp_path / "ein Bild.png")
    answer = command("predict", pictures, "ein Bild.png")
    assert answer.code == 0, answer.err
    assert answer.out.splitlines()[1].split("  ")[1].startswith("o ben")
    for words in ("ein Bild.png", "32 × 40", "8 × 10", "grey"):
        assert words in answer.err


def test_invert_exchanges_dark_and_light_and_it_is_said(command, pictures, tmp_path):
    pixels = np.full((10, 8), 20, np.uint8)
    pixels[:5] = 230
    Image.fromarray(pixels).save(tmp_path / "light.png")
    Image.fromarray(255 - pixels).save(tmp_path / "dark.png")
    plain = command("predict", pictures, "light.png", "--format", "json")
    inverted = command("predict", pictures, "dark.png", "--invert", "--format", "json")
    assert json.loads(plain.out)[0]["outputs"] == json.loads(inverted.out)[0]["outputs"]
    assert json.loads(plain.out)[0]["prediction"] == "o ben"
    assert plain.err == ""
    assert "exchanged" in inverted.err
    assert json.loads(command("predict", pictures, "dark.png", "--format", "json").out)[0]["prediction"] == "unten"


def test_images_that_are_none_are_refused(command, pictures, tmp_path):
    (tmp_path / "text.png").write_text("no picture")
    fails(command("predict", pictures, "text.png"), "text.png", "no PNG or JPEG")
    (tmp_path / "empty").mkdir()
    fails(command("predict", pictures, "empty"), "empty")
    fails(command("predict", pictures, "nothing.png"), "nothing.png")


def test_images_for_a_model_of_tables_are_refused(command, flowers, tmp_path):
    Image.fromarray(np.zeros((8, 8), np.uint8)).save(tmp_path / "x.png")
    fails(command("predict", flowers, "x.png"), "not on images")


def test_digits_saved_as_pictures_are_predicted_as_well_as_their_arrays(command, undrawn, only_run, tmp_path):
    """The digits hold 0 to 16, pictures 0 to 255: white must mean the same to the model."""
    from sklearn.datasets import load_digits

    flags = ("--epochs", 15, "--hidden", 24, "--activation", "tanh", "--quiet")
    assert command("train", "digits", *flags).code == 0
    bunch = load_digits()
    (tmp_path / "pictures").mkdir()
    for i in range(0, 900, 9):
        pixels = np.round(bunch.images[i] * 255 / 16).astype(np.uint8)
        Image.fromarray(pixels).save(tmp_path / "pictures" / f"{i:03}.png")
    np.save(tmp_path / "arrays.npy", bunch.images[:900:9])
    from_arrays = json.loads(command("predict", only_run(), "arrays.npy", "--format", "json").out)
    from_pictures = json.loads(command("predict", only_run(), "pictures", "--format", "json").out)
    same = [a["prediction"] == b["prediction"] for a, b in zip(from_arrays, from_pictures, strict=True)]
    assert np.mean(same) >= 0.98
    a, b = ([max(item["outputs"].values()) for item in items] for items in (from_arrays, from_pictures))
    assert np.allclose(a, b, atol=0.1), "not only the labels, the probabilities too"


# Data


def test_the_list_names_every_data_set(command):
    answer = command("data", "list")
    assert answer.code == 0
    for name in ("digits", "mnist", "fashion-mnist", "synth", "circles", "moons", "blobs", "spirals", "xor", "*.csv"):
        assert re.search(rf"^{re.escape(name)} +\S", answer.out, re.MULTILINE), name


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("digits", "--per-class", "2"), ("1257 samples", "10 classes")),
        (("circles", "--samples", "80"), ("56 samples", "2 classes")),
    ],
    ids=["images", "points"],
)
def test_data_are_shown_with_a_picture(command, tmp_path, arguments, words):
    answer = command("data", "show", *arguments, "--output", "Bild von Daten.png")
    assert answer.code == 0, answer.err
    for word in (*words, "train", "validation", "test", "Picture: Bild von Daten.png"):
        assert word in answer.out
    assert (tmp_path / "Bild von Daten.png").read_bytes().startswith(b"\x89PNG")


def test_a_table_is_shown(command, table, tmp_path):
    answer = command("data", "show", table, "--output", "x.svg")
    assert answer.code == 0, answer.err
    assert "tall" in answer.out
    assert "</svg>" in (tmp_path / "x.svg").read_text()


def test_showing_what_cannot_be_shown_is_refused(command, tmp_path):
    fails(command("data", "show", "digits", "--per-class", 0), "per-class")
    fails(command("data", "show", "circles", "--samples", 80, "--output", "x.doc"), ".doc", ".png")
    fails(command("data", "show", "circles", "--samples", 80, "--output", "/proc/nowhere/x.png"), "/proc/nowhere")


@pytest.fixture
def offline(monkeypatch, tmp_path):
    """An empty data folder and a network whose every door is shut."""
    folder = tmp_path / "empty data"
    folder.mkdir()
    monkeypatch.setenv("CHAINRULE_DATA", str(folder))
    for name in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
    return folder


@pytest.mark.parametrize(
    "arguments", [("data", "fetch", "mnist"), ("train", "mnist"), ("data", "show", "fashion-mnist")], ids=" ".join
)
def test_offline_the_files_their_place_and_digits_are_named(command, offline, arguments):
    answer = command(*arguments)
    name = arguments[-1]
    files = ("train-images-idx3-ubyte", "train-labels-idx1-ubyte", "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte")
    fails(answer, *files, "could not be downloaded", "`digits` needs no files", "--data-dir", "CHAINRULE_DATA")
    assert str(offline / name) in answer.words
    assert [path for path in offline.rglob("*") if path.is_file()] == []


def test_sets_that_need_no_files_are_not_fetched(command, offline):
    answer = command("data", "fetch", "digits")
    assert answer.code == 0
    assert "needs no download" in answer.out


# Real data


@pytest.mark.realdata
def test_mnist_trains_end_to_end(command, real_data, undrawn, only_run):
    flags = ("--epochs", 1, "--hidden", 16, "--batch-size", 64, "--curve-samples", 2000)
    answer = command("train", "mnist", *flags)
    assert answer.code == 0, answer.err
    assert "train 55000, validation 5000, test 10000; 28 × 28 images, 10 classes" in answer.out
    assert json.loads((only_run() / "evaluation.json").read_text())["test"]["accuracy"] > 0.85
    assert command("verify", only_run()).code == 0


@pytest.mark.realdata
def test_a_class_folder_of_mnist_trains_end_to_end(command, real_data, undrawn, only_run):
    folder = real_data / "mnist-png"
    if not folder.is_dir():
        pytest.skip("CHAINRULE_DATA holds no folder mnist-png")
    answer = command("train", folder, "--epochs", 10, "--hidden", 32, "--curve-samples", 200)
    assert answer.code == 0, answer.err
    assert "28 × 28 images, 10 classes" in answer.out
    assert json.loads((only_run() / "evaluation.json").read_text())["test"]["accuracy"] > 0.6
    one = next((folder / "test" / "7").iterdir())
    (item,) = json.loads(command("predict", only_run(), one, "--format", "json").out)
    assert set(item["outputs"]) == set("0123456789")


def test_a_split_that_was_fixed_in_a_file_stays_when_the_seed_changes(command, undrawn, tmp_path, only_run):
    (tmp_path / "s.toml").write_text(
        "seed = 0\n[data]\nsource = 'xor'\nsamples = 80\nsplit_seed = 0\n[training]\nepochs = 1"
    )
    assert command("train", "s.toml", "--seed", 1).code == 0
    config = json.loads((only_run() / "config.json").read_text())
    assert (config["data"]["split_seed"], config["network"]["init_seed"]) == (0, 1)


def test_saved_settings_take_a_new_seed_everywhere(command, undrawn, tmp_path, only_run):
    assert command("train", "xor", "--samples", 80, "--epochs", 1).code == 0
    saved = only_run() / "config.json"
    assert command("train", saved, "--seed", 5, "--runs-dir", "again").code == 0
    (folder,) = (tmp_path / "again").iterdir()
    config = json.loads((folder / "config.json").read_text())
    seeds = config["data"]["split_seed"], config["network"]["init_seed"], config["training"]["order_seed"]
    assert seeds == (5, 5, 5)


def test_predictions_cannot_be_written_over_a_folder(command, flowers, table):
    fails(command("predict", flowers, table, "--output", "."), "is a folder")


def test_a_table_of_numbers_to_predict_is_shown_by_its_columns(command, tmp_path):
    rng = np.random.default_rng(0)
    rows = "\n".join(f"{a:.3f},{b:.3f},{a - b:.3f}" for a, b in rng.normal(size=(40, 2)))
    (tmp_path / "numbers.csv").write_text(f"a,b,difference\n{rows}\n")
    answer = command("data", "show", "numbers.csv", "--task", "regression")
    assert answer.code == 0, answer.err
    assert (tmp_path / "numbers-samples.png").exists()
