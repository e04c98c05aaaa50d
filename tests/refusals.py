"""A refusal must be read as its reader will: what is wrong in the first line, how to mend it in the second."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from chainrule.errors import ChainruleError, InputError


def refusal(call: Any, *args: Any, error: Any = InputError, **keywords: Any) -> str:
    """The message with which `call` refuses, which must have two lines."""
    with pytest.raises(error) as caught:
        call(*args, **keywords)
    problem, _, remedy = str(caught.value).partition("\n")
    assert problem, "the first line says what is wrong"
    assert remedy, f"no second line says how to mend it: {problem}"
    return str(caught.value)


@contextmanager
def refused(*words: str, error: type[Exception] = ChainruleError) -> Iterator[None]:
    """`with refused("words", …):` the block raises `error`, whose two lines say all of the words."""
    with pytest.raises(error) as caught:
        yield
    message = str(caught.value)
    assert [word for word in words if word not in message] == [], message
    assert "\n" in message, "a second line must say how to mend it"
