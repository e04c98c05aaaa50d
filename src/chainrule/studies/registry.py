"""All studies by name, in the order of the reports, each in a module of its own that is imported when asked for."""

from importlib import import_module

from chainrule.errors import unknown_name
from chainrule.studies.study import Study

NAMES = (
    "cifar10-augmentation",
    "graph-derivation",
    "circles-activations",
    "mnist-mean-subtraction",
    "mnist-embeddings",
    "mnist-epochs",
    "mnist-learning-rates",
    "mnist-architectures",
    "scalar-pass",
    "synthetic-sgd",
    "mnist-sgd",
)


def study(name: str) -> Study:
    """The study of that name, `STUDY` of its module; raises UnknownNameError with the nearest one."""
    if name not in NAMES:
        raise unknown_name("study", name, NAMES)
    found = import_module(f"chainrule.studies.{name.replace('-', '_')}").STUDY
    assert isinstance(found, Study)
    return found


def studies() -> tuple[Study, ...]:
    """All of them."""
    return tuple(study(name) for name in NAMES)
