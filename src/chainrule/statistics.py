"""Intervals and tests that say how far a measured difference can be trusted."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from chainrule.errors import InputError
from chainrule.specs import number, whole

LEVEL = 0.95


@dataclass(frozen=True)
class Interval:
    """An estimate and the two-sided confidence limits around it.

    sd: standard deviation (n − 1) of what was averaged; None where nothing was.
    """

    estimate: float
    low: float
    high: float
    sd: float | None = None
    level: float = LEVEL

    @property
    def side(self) -> int:
        """1 where the whole interval lies above 0, −1 where it lies below, 0 where it does not exclude 0."""
        return 1 if self.low > 0 else -1 if self.high < 0 else 0


def mean_interval(values: ArrayLike, level: float = LEVEL) -> Interval:
    """The mean of (n,) independent values, n ≥ 2, with Student's t interval: mean ± t · sd/√n at n − 1 degrees.

    Raises InputError for fewer than two values, or one that is not finite.
    """
    observed = _finite(values, 1)
    n = observed.shape[0]
    sd = float(observed.std(ddof=1))
    return _t_interval(float(observed.mean()), sd / math.sqrt(n), n - 1, sd, level)


def crossed_interval(values: ArrayLike, level: float = LEVEL) -> Interval:
    """The mean of (s, n) values of s runs on the same n samples, with an interval for new runs and new samples.

    Runs and samples are both drawn by chance, and each value belongs to one of either. With r the means of the runs
    and c those of the samples, Var(mean) ≤ Var(r)/s + Var(c)/n, where what belongs to neither alone is counted twice:
    the interval is a little too wide, never too narrow. Degrees of freedom after Satterthwaite (1946). `sd` is that of
    the runs' means.

    Raises InputError for fewer than two runs or samples, or a value that is not finite.
    """
    observed = _finite(values, 2)
    parts = [means.var(ddof=1) / len(means) for means in (observed.mean(axis=1), observed.mean(axis=0))]
    variance = sum(parts)
    doubt = sum(part**2 / (count - 1) for part, count in zip(parts, observed.shape, strict=True))
    degrees = variance**2 / doubt if doubt else 1.0
    sd = float(observed.mean(axis=1).std(ddof=1))
    return _t_interval(float(observed.mean()), math.sqrt(variance), degrees, sd, level)


def share_interval(hits: int, n: int, level: float = LEVEL) -> Interval:
    """The share of `hits` among n independent samples with Wilson's interval (1927)."""
    from scipy.stats import binomtest

    limits = binomtest(whole("hits", hits), whole("n", n, 1)).proportion_ci(_checked_level(level), method="wilson")
    return Interval(hits / n, float(limits.low), float(limits.high), level=level)


def mcnemar(only_first: int, only_second: int) -> float:
    """The two-sided p-value of McNemar's exact test that two classifiers err equally often on the same samples.

    `only_first` samples are right with the first alone, `only_second` with the second alone; under equality each of
    these is one or the other by the toss of a coin (McNemar 1947). The samples on which both agree say nothing.
    """
    from scipy.stats import binomtest

    tosses = whole("only_first", only_first) + whole("only_second", only_second)
    return float(binomtest(int(only_first), tosses).pvalue) if tosses else 1.0


def combined_p(values: Sequence[float]) -> float:
    """One p-value of several for the same hypothesis: twice their median, at most 1.

    It is valid however they depend on each other (Rüger 1978; Meinshausen, Meier, Bühlmann 2009), which those of
    several seeds on the same samples do: their product, or the smallest, would not be.
    """
    p = _finite(values, 1, least=1)
    return float(min(1.0, 2 * np.median(p)))


def _t_interval(mean: float, error: float, degrees: float, sd: float, level: float) -> Interval:
    from scipy.stats import t

    reach = float(t.ppf((1 + _checked_level(level)) / 2, degrees)) * error
    return Interval(mean, mean - reach, mean + reach, sd, level)


def _finite(values: ArrayLike, dimensions: int, least: int = 2) -> NDArray[np.float64]:
    observed = np.asarray(values, dtype=np.float64)
    if observed.ndim != dimensions or min(observed.shape) < least or not np.isfinite(observed).all():
        raise InputError(
            f"values of shape {observed.shape} give no interval",
            f"Give finite numbers in {dimensions} dimension{'s' * (dimensions > 1)}, at least {least} along each.",
        )
    return observed


def _checked_level(level: float) -> float:
    return number("level", level, above=0, below=1)
