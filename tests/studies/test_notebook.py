"""The notebook runs by itself in its folder, and says when the stored report and the new one differ."""

import json
import subprocess
import sys

import numpy as np
import pytest

import chainrule as cr
from chainrule.studies.notebook import NAME, run_cells, write_notebook

CLASSES = 3


@pytest.fixture
def written(tmp_path):
    generator = np.random.default_rng(0)
    x, y = generator.normal(size=(40, 5)).astype(np.float32), np.arange(40) % CLASSES
    nets = {name: cr.Network([5, 4, CLASSES], seed=seed) for seed, name in enumerate(("original", "augmented"))}
    models = {name: tmp_path / f"{name}.model.safetensors" for name in nets}
    for name, net in nets.items():
        cr.save(net, models[name])
    reports = {name: cr.evaluate(net, (x, y)).report for name, net in nets.items()}
    folder = tmp_path / "notebook"
    folder.mkdir()
    return write_notebook(folder, "Title", "Words.", models, x, y, reports)


def code_cells(path):
    return [cell for cell in json.loads(path.read_text())["cells"] if cell["cell_type"] == "code"]


def sources(path):
    return ["".join(cell["source"]) for cell in code_cells(path)]


def test_its_cells_run_in_its_folder_and_print_what_is_stored_in_it(written):
    printed = run_cells(sources(written), written.parent)
    stored = ["".join("".join(output["text"]) for output in cell["outputs"]) for cell in code_cells(written)]
    assert printed == stored
    assert [text.splitlines()[-1] for text in printed[2:]] == ["equal", "equal"]


def test_stored_report_and_new_one_stand_side_by_side(written):
    lines = run_cells(sources(written), written.parent)[2].splitlines()
    rows = [line.split(" | ") for line in lines if " | " in line]
    assert rows[0][0].strip() == "stored"
    assert rows[0][1] == "computed now"
    assert all(left.rstrip() == right.rstrip() for left, right in rows[1:])


def test_an_edited_report_is_told(written):
    file = written.parent / "reports.json"
    reports = json.loads(file.read_text())
    file.write_text(json.dumps({**reports, "original": reports["original"].replace("0", "9", 1)}))
    assert run_cells(sources(written), written.parent)[2].splitlines()[-1] == "DIFFERENT"


def test_it_needs_nothing_but_its_folder_and_the_package(written, tmp_path):
    moved = tmp_path / "elsewhere"
    written.parent.rename(moved)
    program = "\n\n".join(sources(moved / NAME))
    done = subprocess.run([sys.executable, "-c", program], cwd=moved, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("equal") == 2


def test_it_has_the_form_of_nbformat_4_5(written):
    notebook = json.loads(written.read_text())
    assert (notebook["nbformat"], notebook["nbformat_minor"]) == (4, 5)
    assert notebook["metadata"]["kernelspec"]["name"] == "python3"
    ids = [cell["id"] for cell in notebook["cells"]]
    assert len(set(ids)) == len(ids)
    for cell in notebook["cells"]:
        code = {"execution_count", "outputs"} if cell["cell_type"] == "code" else set()
        assert set(cell) == {"id", "cell_type", "metadata", "source"} | code
    assert [cell["execution_count"] for cell in code_cells(written)] == [1, 2, 3, 4]


def test_the_same_content_gives_the_same_bytes(written, tmp_path):
    with np.load(written.parent / "test.npz") as stored:
        x, y = stored["x"], stored["y"]
    models = {name: written.parent / f"{name}.safetensors" for name in ("original", "augmented")}
    again = tmp_path / "again"
    again.mkdir()
    write_notebook(again, "Title", "Words.", models, x, y, json.loads((written.parent / "reports.json").read_text()))
    names = sorted(path.name for path in written.parent.iterdir())
    assert all((again / name).read_bytes() == (written.parent / name).read_bytes() for name in names)
