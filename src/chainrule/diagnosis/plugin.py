"""A pytest plugin: the fixture `assert_gradients` fails a test with the diagnosis of somebody's back-propagation."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from chainrule.diagnosis.report import Diagnosis


@pytest.fixture
def assert_gradients() -> "Callable[..., Diagnosis]":
    """`assert_gradients("my_network.py")`, or `assert_gradients(forward=…, backward=…, loss=…)` with functions.

    What is given goes to `chainrule.diagnose`: a file is run in a process of its own, functions and classes are called
    in this one. The test fails, with the diagnosis, unless the gradients are right; with `scale=False` also where no
    loss is stated and all are off by one constant factor. `hints` sets how much is told: verdict, where, what or how.
    """

    def check(target: Any = None, /, *, hints: str = "how", scale: bool = True, **parts: Any) -> "Diagnosis":
        from chainrule.diagnosis import diagnose

        __tracebackhide__ = True
        diagnosis = diagnose(target, **parts)
        if diagnosis.verdict == "right" or (scale and diagnosis.ok):
            return diagnosis
        pytest.fail(diagnosis.text(hints), pytrace=False)

    return check
