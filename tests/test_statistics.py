"""Intervals cover what they promise, by simulation; tests agree with tables by hand, print and SciPy."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from chainrule.statistics import (
    Interval,
    combined_p,
    crossed_interval,
    mcnemar,
    mean_interval,
    share_interval,
)
from refusals import refused


def test_students_interval_is_scipys():
    values = np.array([70.1, 71.4, 69.8, 70.9, 70.2])
    found = mean_interval(values, 0.9)
    low, high = stats.t.interval(0.9, 4, values.mean(), stats.sem(values))
    assert (found.estimate, found.low, found.high) == pytest.approx((values.mean(), low, high), rel=1e-12)
    assert (found.sd, found.level) == (pytest.approx(values.std(ddof=1)), 0.9)


def test_two_values_by_hand():
    """Mean 2, sd √2, standard error 1, and t at 1 degree of freedom is tan(0.475 π) = 12.706."""
    found = mean_interval([1, 3])
    assert (found.low, found.high) == pytest.approx((2 - 12.7062, 2 + 12.7062), abs=1e-4)


@pytest.mark.parametrize(("low", "high", "side"), [(0.1, 1, 1), (-1, -0.1, -1), (-1, 1, 0), (0, 1, 0), (-1, 0, 0)])
def test_an_interval_takes_a_side_only_if_all_of_it_lies_there(low, high, side):
    assert Interval(0.0, low, high).side == side


def coverage(draw, interval, repetitions):
    """How often the interval of what was drawn holds the true mean, 0."""
    found = [interval(draw(np.random.default_rng(i))) for i in range(repetitions)]
    return np.mean([one.low <= 0 <= one.high for one in found])


def test_students_interval_holds_the_truth_in_95_of_100():
    """2,000 repetitions have a standard error of 0.5 points."""
    assert coverage(lambda g: g.normal(size=5), mean_interval, 2000) == pytest.approx(0.95, abs=0.015)


def crossed(runs, samples, own, shape=(5, 400)):
    """Draws of d_rs = a_r + b_s + e_rs with the given standard deviations: the mean is 0 over runs and samples."""

    def draw(g):
        return runs * g.normal(size=(shape[0], 1)) + samples * g.normal(size=shape[1]) + own * g.normal(size=shape)

    return draw


@pytest.mark.parametrize(
    ("runs", "samples", "own"), [(0.02, 0.3, 0.3), (0.05, 0.1, 0.3), (0.0, 0.4, 0.2), (0.0, 0.0, 0.5), (0.1, 0.0, 0.3)]
)
def test_the_crossed_interval_holds_the_truth_for_new_runs_and_new_samples(runs, samples, own):
    """At least 95 of 100 whichever part is the larger; 1,000 repetitions have a standard error of 0.7 points."""
    assert coverage(crossed(runs, samples, own), crossed_interval, 1000) >= 0.95 - 0.02


def test_the_interval_over_runs_alone_does_not_cover_new_samples():
    """What the crossed one is for: 5 runs on the same samples agree on what only these samples show."""
    draw = crossed(0.002, 0.4, 0.1)
    assert coverage(lambda g: draw(g).mean(axis=1), mean_interval, 500) < 0.5
    assert coverage(draw, crossed_interval, 500) >= 0.93


@given(st.integers(2, 6), st.integers(2, 20), st.integers(0, 1000))
def test_the_crossed_interval_is_no_narrower_than_the_standard_error_of_either_alone(s, n, seed):
    values = np.random.default_rng(seed).normal(size=(s, n))
    found, runs, samples = crossed_interval(values), values.mean(axis=1), values.mean(axis=0)
    assert found.estimate == pytest.approx(values.mean(), abs=1e-12)
    assert (found.high - found.low) / 2 >= 1.95 * max(stats.sem(runs), stats.sem(samples))
    assert found.sd == pytest.approx(runs.std(ddof=1))


def test_values_without_spread_have_an_interval_without_width():
    found = crossed_interval(np.full((3, 4), 0.25))
    assert (found.estimate, found.low, found.high) == (0.25, 0.25, 0.25)


def test_wilsons_interval_by_its_formula():
    n, p, z = 50, 0.9, stats.norm.ppf(0.975)
    centre = (p + z**2 / (2 * n)) / (1 + z**2 / n)
    reach = z / (1 + z**2 / n) * np.sqrt(p * (1 - p) / n + z**2 / (4 * n**2))
    found = share_interval(45, 50)
    assert (found.estimate, found.low, found.high) == pytest.approx((0.9, centre - reach, centre + reach), rel=1e-9)


@pytest.mark.parametrize(
    ("first", "second", "p"),
    [
        (1, 7, 2 * (1 + 8) / 2**8),  # 0.070: airway hyper-responsiveness in Fagerland, Lydersen, Laake 2013
        (11, 1, 2 * (1 + 12) / 2**12),
        (5, 5, 1.0),
        (0, 0, 1.0),
        (0, 6, 2 / 2**6),
    ],
)
def test_mcnemar_counts_the_tosses_of_a_coin(first, second, p):
    assert mcnemar(first, second) == pytest.approx(p, rel=1e-12)
    assert mcnemar(second, first) == pytest.approx(p, rel=1e-12)


def test_mcnemar_approaches_its_chi_squared_form_with_continuity_correction():
    """Agresti's approval ratings: 86 and 150 changed their minds."""
    corrected = stats.chi2.sf((abs(86 - 150) - 1) ** 2 / (86 + 150), 1)
    assert mcnemar(86, 150) == pytest.approx(corrected, rel=0.12)


def test_mcnemar_rejects_equal_classifiers_at_most_as_often_as_it_says():
    g = np.random.default_rng(3)
    tosses = g.binomial(60, 0.5, 3000)
    assert np.mean([mcnemar(int(b), 60 - int(b)) <= 0.05 for b in tosses]) <= 0.05


def test_combined_p_is_twice_the_median_and_at_most_one():
    assert combined_p([0.01, 0.2, 0.03]) == pytest.approx(0.06)
    assert combined_p([0.7, 0.9]) == 1.0
    assert combined_p([0.02]) == pytest.approx(0.04)


def test_combined_p_holds_its_level_for_seeds_that_depend_on_each_other():
    """Five p-values of the same samples, as alike as seeds are: Fisher's product would reject far too often."""
    g = np.random.default_rng(1)
    z = np.sqrt(0.8) * g.normal(size=(4000, 1)) + np.sqrt(0.2) * g.normal(size=(4000, 5))
    p = 2 * stats.norm.sf(np.abs(z))
    assert np.mean([combined_p(row) <= 0.05 for row in p]) <= 0.05
    assert np.mean(stats.chi2.sf(-2 * np.log(p).sum(axis=1), 10) <= 0.05) > 0.1


@pytest.mark.parametrize("values", [[1.0], [], [1.0, np.nan], [[1.0, 2.0]]])
def test_what_has_no_spread_is_refused(values):
    with refused("give no interval", "at least 2"):
        mean_interval(values)


@pytest.mark.parametrize("shape", [(1, 5), (5, 1), (4,)])
def test_one_run_or_one_sample_is_refused(shape):
    with refused("give no interval"):
        crossed_interval(np.zeros(shape))


def test_a_level_outside_0_and_1_is_refused():
    with refused("level is 95"):
        mean_interval([1.0, 2.0], level=95)
