"""Importing costs next to nothing: what is heavy is imported where it is used."""

import json
import subprocess
import sys

import pytest

import chainrule as cr

HEAVY = ("sklearn", "matplotlib", "numba", "scipy", "PIL", "pooch", "rich", "tyro", "safetensors", "torch", "jax")


def loaded_after(code):
    """The modules of a fresh process that has run `code`."""
    whole = f"import sys, json\n{code}\nprint(json.dumps(sorted(sys.modules)), file=sys.stderr)"
    done = subprocess.run([sys.executable, "-c", whole], capture_output=True, text=True, timeout=60, check=True)
    return set(json.loads(done.stderr.splitlines()[-1]))


def test_importing_the_package_imports_nothing_heavy():
    loaded = loaded_after("import chainrule")
    assert [name for name in (*HEAVY, "numpy") if name in loaded] == []


def test_the_help_of_the_command_imports_no_numpy():
    loaded = loaded_after("from chainrule.cli import main\nassert main(['--help']) == 0")
    assert [name for name in (*HEAVY, "numpy") if name in loaded] == []


def test_training_in_python_imports_neither_plots_nor_scikit_learn():
    loaded = loaded_after(
        "import chainrule as cr, numpy as np\n"
        "net = cr.Network([2, 3, 2])\n"
        "cr.train(net, (np.zeros((4, 2)), np.array([0, 1, 0, 1])), epochs=1, batch_size=2)\n"
    )
    assert [name for name in ("sklearn", "matplotlib", "numba", "scipy", "PIL") if name in loaded] == []


@pytest.mark.parametrize("name", cr.__all__)
def test_every_public_name_is_there(name):
    assert getattr(cr, name) is not None
    assert name in dir(cr)


def test_the_names_of_the_design_are_public():
    for name in ("DataSet", "Network", "batches", "evaluate", "load", "load_data", "optimizers", "save", "train"):
        assert name in cr.__all__


ROOMS = ("algebra", "data", "errors", "evaluation", "figures", "network", "rules", "runs", "sweeps", "training")


@pytest.mark.parametrize("room", ROOMS)
def test_every_room_is_reached_from_the_package(room):
    assert room in dir(cr)
    assert getattr(cr, room).__name__ == f"chainrule.{room}"


def test_a_name_that_is_none_is_an_attribute_error():
    with pytest.raises(AttributeError, match="'nothing'"):
        cr.nothing  # noqa: B018


def test_the_installed_version_is_the_packages_own():
    from importlib.metadata import version

    assert version("chainrule") == cr.__version__
