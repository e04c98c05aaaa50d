"""Every complaint is two lines, names suggest their neighbours, settings are read and never run, streams are apart."""

import contextlib
import copy
import pickle

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import chainrule as cr
from chainrule import errors
from chainrule.errors import InputError, UnknownNameError, unknown_name
from chainrule.randomness import STREAMS, generator
from chainrule.specs import Spec, parse


def test_a_message_is_what_is_wrong_and_below_it_how_to_mend_it():
    assert str(InputError("the box is empty", "Put something in.")) == "the box is empty\nPut something in."
    assert str(InputError("the box is empty")) == "the box is empty"


@pytest.mark.parametrize(
    ("kind", "builtin"),
    [
        (errors.InputError, ValueError),
        (errors.UnknownNameError, ValueError),
        (errors.DataError, ValueError),
        (errors.ModelFileError, ValueError),
        (errors.RunError, ValueError),
        (errors.DivergedError, ArithmeticError),
        (errors.StorageError, OSError),
    ],
)
def test_errors_are_chainrule_errors_and_the_builtin_kind_and_cross_process_borders(kind, builtin):
    error = kind("wrong", "mend")
    assert isinstance(error, errors.ChainruleError)
    assert isinstance(error, builtin)
    for twin in (pickle.loads(pickle.dumps(error)), copy.copy(error)):
        assert type(twin) is kind
        assert (twin.problem, twin.remedy, str(twin)) == ("wrong", "mend", "wrong\nmend")


def test_an_unknown_name_is_answered_with_the_nearest_valid_one_and_all_of_them():
    error = unknown_name("colour", "gren", ["red", "green", "blue"])
    assert isinstance(error, UnknownNameError)
    assert str(error) == "unknown colour 'gren'\nDid you mean 'green'? Valid: blue, green, red."


def test_a_name_near_to_nothing_is_answered_without_a_suggestion():
    assert str(unknown_name("colour", "xyzzy", ["red"])) == "unknown colour 'xyzzy'\nValid: red."


@pytest.mark.parametrize(
    ("text", "spec"),
    [
        ("cosine", Spec("cosine")),
        ("  cosine() ", Spec("cosine")),
        ("normal(0.01)", Spec("normal", (0.01,))),
        ("normal(-1e-3)", Spec("normal", (-0.001,))),
        ("step(20, factor=0.5)", Spec("step", (20,), {"factor": 0.5})),
        ("rule(flag=True, word='a b')", Spec("rule", (), {"flag": True, "word": "a b"})),
    ],
)
def test_a_name_with_settings_is_read(text, spec):
    assert parse(text) == spec


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "1",
        "f(",
        "f)(",
        "a.b",
        "a.b()",
        "f()()",
        "f(x)",
        "f(g(1))",
        "f(*[1])",
        "f(**{'a': 1})",
        "f(a=1, a=2)",
        "f([1])",
        "f(None)",
        "f(1j)",
        "f(b'x')",
        "f(2**10)",
        "f(__import__('os').getcwd())",
        "lambda: 1",
        "f(1) or g",
        "f\0",
        "\ud800",
        "(" * 500,
        "-" * 900 + "1",
        "f(" + "1," * 1000 + ")",
    ],
)
def test_anything_else_is_refused_in_words(text):
    with pytest.raises(InputError, match="cannot be read as a name with settings\n"):
        parse(text)


@pytest.mark.parametrize("thing", [None, 5, 0.5, ["relu"], b"relu"])
def test_what_is_no_text_is_refused_in_words_too(thing):
    with pytest.raises(InputError):
        parse(thing)


@settings(deadline=None, max_examples=200)
@given(st.text(max_size=60))
def test_any_text_is_read_or_refused_and_never_run(text):
    with contextlib.suppress(InputError):
        assert isinstance(parse(text), Spec)


@settings(deadline=None)
@given(
    st.lists(st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.booleans() | st.text(max_size=5)),
)
def test_what_is_written_as_a_call_is_read_back(values):
    spec = parse(f"f({', '.join(map(repr, values))})") if len(repr(values)) < 900 else None
    assert spec is None or spec.args == tuple(values)


def test_a_stream_gives_the_same_draws_for_ever():
    """Numbers written down once: a change of this test is a change of every run ever recorded."""
    known = ("init", "shuffle", "dropout", "split", "synthesis", "subset", "augmentation", "verification")
    assert (*known, "features") == STREAMS
    children = np.random.SeedSequence(7).spawn(len(STREAMS))
    for stream, child in zip(STREAMS, children, strict=True):
        expected = np.random.default_rng(child).random(3)
        assert np.array_equal(generator(7, stream).random(3), expected)
    assert cr.generator is generator


def test_streams_and_seeds_are_apart_from_one_another():
    draws = {(seed, stream): generator(seed, stream).random() for seed in range(5) for stream in STREAMS}
    assert len(set(draws.values())) == len(draws)


def test_the_package_has_its_public_names_and_no_others():
    assert set(cr.__all__) <= set(dir(cr))
    for name in cr.__all__:
        assert getattr(cr, name) is not None
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = cr.nothing


def test_an_unknown_stream_is_refused_with_the_nearest():
    with pytest.raises(UnknownNameError, match="shuffle"):
        generator(0, "shufle")
