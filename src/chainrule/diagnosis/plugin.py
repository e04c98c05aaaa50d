"""A pytest plugin: the fixture `assert_gradients` fails a test with the diagnosis of somebody's back-propagation."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from chainrule.diagnosis.report import Diagnosis


@pytest.fixture
def assert_gradients() -> "Callable[..., Diagnosis]":
    """`assert_gradients("my_network.py")`, or `assert_gradients(forward=…, backward=…, loss=…)` with one's own functions.

    A file is run in a process of its own; functions are called in this one, as `chainrule.diagnose` does. The test fails
    unless the gradients are right, and with `scale=True` (the default) where all are off by one constant factor and no
    loss is stated, they still are. `hints` sets how much is told: verdict, where, what or how.
    """

    def check(subject: Any = None, /, *, hints: str = "how", scale: bool = True, **parts: Any) -> "Diagnosis":
        __tracebackhide__ = True
        diagnosis = _diagnosis(subject, parts)
        if diagnosis.verdict == "right" or (scale and diagnosis.ok):
            return diagnosis
        pytest.fail(diagnosis.text(hints), pytrace=False)

    return check


def _diagnosis(subject: Any, parts: dict[str, Any]) -> "Diagnosis":
    if isinstance(subject, str | Path):
        from chainrule.diagnosis import diagnose_file

        return diagnose_file(subject, **parts)
    from chainrule.diagnosis import diagnose

    return diagnose(*(() if subject is None else (subject,)), **parts)
