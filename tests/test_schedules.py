"""Schedules in closed form at the boundaries of epochs; a warm-up climbs in a straight line; no factor is negative."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import chainrule as cr
from chainrule.errors import InputError, UnknownNameError
from chainrule.optimizers import SCHEDULES, schedule


def course(text: str, epochs: int, steps: int):
    """The factors of all steps of a training, end to end."""
    return schedule(text)(0, epochs, steps, epochs).ravel()


def first_of_epochs(text: str, epochs: int, steps: int = 4):
    return course(text, epochs, steps)[::steps]


def refusal(text: str, error=InputError) -> str:
    with pytest.raises(error) as caught:
        course(text, 3, 4)
    assert "\n" in str(caught.value), "a second line says how to mend it"
    return str(caught.value)


@pytest.mark.parametrize("text", ["constant", "step(every=2)", "exponential(0.7, warmup=2)", "cosine(warmup=1.5)"])
def test_epochs_one_by_one_are_those_of_one_go_to_the_last_bit(text):
    """A training is the same in blocks of epochs."""
    factors = schedule(text)
    alone = [factors(epoch, 1, 7, 10) for epoch in range(10)]
    assert np.concatenate(alone).tobytes() == factors(0, 10, 7, 10).tobytes()


def test_constant_is_one_throughout():
    assert course("constant", 5, 3).tolist() == [1] * 15


def test_step_falls_by_its_factor_after_every_so_many_epochs_and_never_within_one():
    assert course("step(every=2, factor=0.5)", 6, 3) == pytest.approx(np.repeat([1, 0.5, 0.25], 6))
    assert first_of_epochs("step", 21)[[0, 9, 10, 19, 20]] == pytest.approx([1, 1, 0.1, 0.1, 0.01])


def test_exponential_is_its_decay_to_the_power_of_the_epochs_done():
    assert first_of_epochs("exponential(0.9)", 5) == pytest.approx(0.9 ** np.arange(5))
    ratio = course("exponential(0.9)", 5, 4)
    assert ratio[1:] / ratio[:-1] == pytest.approx(0.9**0.25), "continuously, not epoch by epoch"


def test_cosine_starts_at_one_is_half_way_at_half_time_and_ends_near_its_floor():
    whole = course("cosine", 10, 8)
    assert whole[0] == 1
    assert whole[40] == pytest.approx(0.5)
    assert whole[20] == pytest.approx((1 + math.sqrt(0.5)) / 2)
    assert 0 < whole[-1] < 1e-3
    assert (np.diff(whole) < 0).all()
    raised = course("cosine(floor=0.2)", 10, 8)
    assert raised == pytest.approx(0.2 + 0.8 * whole)


@pytest.mark.parametrize("name", ["constant", "step(every=2)", "exponential(0.9)", "cosine(floor=0.1)"])
@pytest.mark.parametrize(("warmup", "steps"), [(2, 5), (1, 3), (0.5, 4)])
def test_a_warmup_climbs_in_a_straight_line_to_one_and_the_schedule_begins_after_it(name, warmup, steps):
    bare = name.partition("(")
    settings_ = bare[2].rstrip(")")
    text = f"{bare[0]}({settings_}{', ' if settings_ else ''}warmup={warmup})"
    whole, climbing = course(text, 8, steps), int(warmup * steps)
    assert whole[:climbing] == pytest.approx(np.arange(1, climbing + 1) / climbing)
    assert whole[climbing - 1] == pytest.approx(1)
    if name.startswith(("constant", "step", "exponential")):
        assert whole[climbing:] == pytest.approx(course(name, 8, steps)[: len(whole) - climbing])
    else:
        left = np.arange(len(whole) - climbing) / (len(whole) - climbing)
        assert whole[climbing:] == pytest.approx(0.1 + 0.9 * (1 + np.cos(np.pi * left)) / 2)


@pytest.mark.parametrize("name", SCHEDULES)
def test_a_warmup_longer_than_training_only_climbs(name):
    whole = course(f"{name}(warmup=10)", 4, 5)
    assert whole == pytest.approx(np.arange(1, 21) / 50)


@settings(deadline=None)
@given(
    st.sampled_from(["constant", "step(3)", "step(0.5, 0.9)", "exponential(0.7)", "cosine", "cosine(floor=0.5)"]),
    st.integers(1, 12),
    st.integers(1, 9),
)
def test_factors_lie_between_zero_and_one_and_fall_for_any_length(text, epochs, steps):
    whole = course(text, epochs, steps)
    assert whole.shape == (epochs * steps,)
    assert whole[0] == 1
    assert ((whole > 0) & (whole <= 1)).all()
    assert (np.diff(whole) <= 0).all()


@pytest.mark.parametrize("every", [0.1, 0.2, 0.3, 0.7])
def test_a_step_by_parts_of_an_epoch_falls_at_its_very_multiple(every):
    """After every tenth of an epoch of ten batches the factor falls with each batch, rounding or not."""
    whole = course(f"step(every={every}, factor=0.5)", 7, 10)
    expected = [0.5 ** (step // round(10 * every)) for step in range(70)]
    assert whole == pytest.approx(expected)


def test_training_multiplies_the_rate_by_the_factor_of_each_step_and_records_the_last():
    rng = np.random.default_rng(0)
    data = (rng.normal(size=(9, 2)), rng.integers(2, size=9))
    history = cr.train(cr.Network([2, 2]), data, learning_rate=0.4, schedule="cosine(warmup=1)", epochs=4, batch_size=3)
    assert history["learning_rate"] == pytest.approx(0.4 * course("cosine(warmup=1)", 4, 3)[2::3])


def test_an_unknown_schedule_is_refused_with_the_nearest_one():
    assert "Did you mean 'cosine'?" in refusal("cosin", error=UnknownNameError)


@pytest.mark.parametrize(
    "text",
    [
        "cosine(speed=1)",
        "constant(1)",
        "step(every=0)",
        "step(every=-1)",
        "step(every='x')",
        "step(factor=-1)",
        "exponential(-0.5)",
        "exponential('x')",
        "cosine(floor=-1)",
        "cosine(floor=2)",
        "cosine(warmup=-1)",
        "cosine(warmup='x')",
        "constant(warmup=-2)",
    ],
)
def test_settings_that_would_give_no_rate_are_refused_in_words(text):
    """A factor below 0 climbs the loss, one that is no number spoils the weights."""
    assert text.partition("(")[0] in refusal(text) or "warmup" in refusal(text)
