"""One gradient held against central differences: along random directions first, entry by entry where these disagree.

A direction nudges a group of entries together. An entry moves the more, the smaller its gradient is, so that each has
its say: along a plain random direction a mistake in a small entry is lost among great ones. Every entry has its turn in
a group of entries of like magnitude, for beside many zeros, which move far, others hardly would; and in one drawn at
random, where the few smallest move furthest. A group that disagrees, or that cannot be nudged without crossing a kink,
is halved, and its halves are asked again, down to single entries.

What differences see is bounded by the rounding of the loss. So each verdict also says how great an error of a single
entry it would not have seen (`unseen`), and where the default step sees little, longer steps are tried.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from chainrule import differences
from chainrule.differences import Slope
from chainrule.gradcheck.report import Row

Floats = NDArray[np.float64]
Whole = NDArray[np.intp]
Evaluate = Callable[[], tuple[float, NDArray[Any] | None]]
"""The loss at the parameters as they are now, and the smooth piece on which they lie, or None where nobody knows."""
Noise = Callable[[], float]
"""The standard deviation of what rounding adds to the loss; measured when it is first asked for."""

RELATIVE = 1e-6  # agreement that an entry must reach, of the greater of the two numbers
ALONG = 1e-7  # the same along a direction, of the root mean square of what its entries contribute
STEPS = (1e-3, 1e-4, 1e-5, 1e-6)  # tried in turn, times max(1, |entry|)
TINY = (1e-3, 1e-4)  # tried then, times |entry|, where that is below the smallest of STEPS by far
LONGER = (10.0, 100.0, 1e3, 1e4)  # times a step at which rounding hides what is asked
DIRECTIONS = 2  # that must agree, in groups of either kind
FEW = 8  # entries of a group that are judged one by one at once
MANY = 4096  # entries that are nudged together at most
PATIENCE = 500  # entries of a gradient known to be wrong that are judged one by one
EPSILON = float(np.finfo(np.float64).eps)
LINES = 4  # along which the noise of the loss is measured
SPREAD = 6.0  # standard deviations of noise that a difference may be off


@dataclass(frozen=True)
class Verdict:
    """What the differences say of an analytic derivative: "relative", "rounding", "" (wrong) or "kinked".

    excess     the gap as a multiple of what is allowed
    tolerance  the greatest gap that would have passed as well
    """

    rule: str
    slope: Slope
    excess: float
    tolerance: float = 0.0


def judged(name: str, mode: str, P: Floats, G: Any, evaluate: Evaluate, rng: np.random.Generator, noise: Noise) -> Row:
    """The row of parameter P, which `evaluate` reads and which is nudged in place, for its claimed gradient G."""
    G = np.asarray(G)
    if G.dtype.kind not in "iuf":
        return Row(name, mode, P.shape, note=f"the gradient is of type {G.dtype}, no array of numbers")
    if G.shape != P.shape:
        return Row(name, mode, P.shape, note=f"the gradient has shape {G.shape}, the parameter {P.shape}")
    single = G.dtype.kind == "f" and G.dtype.itemsize < 8
    G = G.astype(np.float64)
    if not np.isfinite(G).all():
        index = tuple(int(i) for i in np.argwhere(~np.isfinite(G))[0])
        return Row(name, mode, P.shape, index, float(G[index]), wrong=1, judged=1, note=f"the gradient is {G[index]}")
    row = _Judge(name, mode, P, G, evaluate, rng, noise).row()
    return replace(row, note=SINGLE) if row.wrong and single else row


def judge_entry(P: Floats, index: tuple[int, ...], claimed: float, evaluate: Evaluate, noise: Noise) -> Verdict:
    """The verdict on the derivative by one entry of P, which `evaluate` reads and which is nudged in place."""
    judge = _Judge("", "", P, np.full(P.shape, claimed), evaluate, np.random.default_rng(0), noise)
    entry = int(np.ravel_multi_index(index, P.shape))
    judge.ask_entry(entry)
    return judge.verdicts[entry]


def noise_of(evaluate: Evaluate, arrays: Sequence[Floats], rng: np.random.Generator, least: float = 0.0) -> Noise:
    """The noise of the loss that `evaluate` computes from `arrays`, all of which are nudged together, in place.

    It is taken to be `least` at least, such as that of probabilities, which are numbers of order 1.
    """

    @cache
    def measured() -> float:
        kept = [P.copy() for P in arrays]
        size = sum(P.size for P in arrays)
        found = []
        for _ in range(LINES):
            lines = [rng.normal(size=P.shape) * np.maximum(1.0, np.abs(P)) / np.sqrt(size) for P in arrays]

            def moved(t: float, lines: list[Floats] = lines) -> tuple[float, NDArray[Any] | None]:
                for P, start, line in zip(arrays, kept, lines, strict=True):
                    P[...] = start + t * line
                return evaluate()

            try:
                found.append(differences.noise(moved))
            finally:
                for P, start in zip(arrays, kept, strict=True):
                    P[...] = start
        return max([*found, least])

    return measured


class _Judge:
    """One parameter under judgement: its entries, by flat index, and the verdicts found so far."""

    def __init__(
        self, name: str, mode: str, P: Floats, G: Floats, evaluate: Evaluate, rng: np.random.Generator, noise: Noise
    ) -> None:
        self.name, self.mode, self.P, self.evaluate, self.rng, self.noise = name, mode, P, evaluate, rng, noise
        self.flat, self.g = P.reshape(-1), G.reshape(-1)
        self.verdicts: dict[int, Verdict] = {}
        self.unseen = np.full(self.flat.shape, np.inf)  # the greatest error of each entry that would have passed

    def row(self) -> Row:
        for entry in self._telling():
            self.ask_entry(entry)
        groups = self._groups()
        while groups:
            group = groups.pop()
            if self._wrong() and len(self.verdicts) >= PATIENCE:
                break
            if len(group) <= FEW:
                for entry in group:
                    self.ask_entry(int(entry))
            elif not self._agrees_along(group):
                middle = len(group) // 2
                groups += [group[middle:], group[:middle]]
        return self._summary()

    def _telling(self) -> list[int]:
        """Entries that are always asked: the greatest, the least, a zero, and two drawn at random."""
        size = np.abs(self.g)
        least = np.where(size > 0, size, np.inf)
        chosen = [int(size.argmax()), int(least.argmin()), int(size.argmin()), *self.rng.integers(len(size), size=2)]
        return sorted({int(entry) for entry in chosen})

    def _groups(self) -> list[Whole]:
        """All entries twice: at random, and those of like magnitude together."""
        order = np.argsort(np.abs(self.g), kind="stable")
        zeros = int(np.count_nonzero(self.g == 0))
        parts = [part for part in (self.rng.permutation(len(order)), order[:zeros], order[zeros:]) if len(part)]
        return [group for part in parts for group in np.array_split(part, -(-len(part) // MANY))]

    def _agrees_along(self, group: Whole) -> bool:
        g = self.g[group]
        least = 1e-3 * np.abs(g).max() or 1.0
        scale = max(1.0, float(np.sqrt(np.square(self.flat[group]).mean())))
        for _ in range(DIRECTIONS):
            u = self.rng.choice((-1, 1), len(g)) * self.rng.uniform(0.5, 1.5, len(g)) / (np.abs(g) + least)
            u /= np.linalg.norm(u)
            allowed = ALONG * float(np.linalg.norm(u * g))
            verdict = self._verdict(group, u, float(u @ g), allowed, 0.0, [step * scale for step in STEPS])
            if verdict.rule in ("", "kinked"):
                return False
            self.unseen[group] = np.minimum(self.unseen[group], verdict.tolerance / np.abs(u))
        return True

    def ask_entry(self, entry: int) -> None:
        if entry not in self.verdicts:
            size = abs(float(self.flat[entry]))
            steps = [step * max(1.0, size) for step in STEPS] + [step * size for step in TINY if 0 < size < 1e-3]
            verdict = self._verdict(np.array([entry]), np.ones(1), float(self.g[entry]), 0.0, RELATIVE, steps)
            self.verdicts[entry] = verdict
            self.unseen[entry] = verdict.tolerance

    def _verdict(
        self, entries: Whole, u: Floats, claimed: float, allowed: float, share: float, steps: list[float]
    ) -> Verdict:
        """Compare `claimed` with differences along u at one step after the other, until it agrees or is surely wrong.

        It agrees where the gap is at most `allowed`, or that `share` of the greater number. It is surely wrong where
        two steps agree with each other and not with it. A step whose points lie on different smooth pieces, or where
        the loss is no finite number, says nothing.
        """
        found: list[Slope] = []
        for step in steps:
            slope = self._slope(entries, u, step)
            if slope.kinked or not np.isfinite(slope.value):
                continue
            gap = abs(claimed - slope.value)
            relative = allowed + share * max(abs(claimed), abs(slope.value))
            if gap <= relative:
                return Verdict("relative", slope, gap / relative if gap else 0.0, max(relative, slope.rounding))
            if gap <= slope.rounding:
                if step < min(STEPS):
                    continue  # so small a step sees nothing below its own rounding
                if not found:
                    return self._at_longer_steps(entries, u, claimed, allowed, share, slope)
                return Verdict("rounding", slope, gap / slope.rounding, slope.rounding)
            before = found[-1].value if found else np.inf
            found.append(slope)
            if abs(slope.value - before) <= slope.rounding + 1e-4 * abs(slope.value):
                break
        if not found:
            return Verdict("kinked", slope, 0.0)
        best = min(range(len(found)), key=lambda k: abs(found[k].value - found[k - 1].value) if k else np.inf)
        noise = SPREAD * self._noise_beside(found)
        for slope in found[: best + 1]:
            gap, tolerance = abs(claimed - slope.value), noise / slope.step
            if gap <= tolerance:
                return Verdict("rounding", slope, gap / tolerance, tolerance)
        gap = abs(claimed - found[best].value)
        limit = max(found[best].rounding, share * max(abs(claimed), abs(found[best].value)))
        return Verdict("", found[best], gap / limit if limit else np.inf)

    def _at_longer_steps(
        self, entries: Whole, u: Floats, claimed: float, allowed: float, share: float, first: Slope
    ) -> Verdict:
        """Longer steps see through more rounding: where one agrees, or two agree with each other and not with it."""
        best = before = first
        for factor in LONGER:
            slope = self._slope(entries, u, factor * first.step)
            if slope.kinked or not np.isfinite(slope.value):
                break
            gap = abs(claimed - slope.value)
            relative = allowed + share * max(abs(claimed), abs(slope.value))
            if gap <= relative:
                return Verdict("relative", slope, gap / relative if gap else 0.0, max(relative, slope.rounding))
            apart = 10 * (abs(slope.value - before.value) + before.rounding)
            off = abs(claimed - before.value)
            if off > apart and off > SPREAD * self._noise_beside([before, slope]) / before.step:
                return Verdict("", before, off / apart if apart else np.inf)
            best = slope if gap <= slope.rounding < best.rounding else best
            before = slope
        return Verdict("rounding", best, abs(claimed - best.value) / best.rounding, best.rounding)

    def _noise_beside(self, found: list[Slope]) -> float:
        """That of the loss; where nothing moves it at all, a change of a number of order 1 inside it may be lost."""
        still = all(slope.value == 0 for slope in found)
        return max(self.noise(), EPSILON / SPREAD if still else 0.0)

    def _slope(self, entries: Whole, u: Floats, step: float) -> Slope:
        original = self.flat[entries].copy()

        def moved(t: float) -> tuple[float, NDArray[Any] | None]:
            self.flat[entries] = original + t * u
            return self.evaluate()

        try:
            return differences.along(moved, step)
        finally:
            self.flat[entries] = original

    def _wrong(self) -> list[int]:
        return [entry for entry, verdict in self.verdicts.items() if verdict.rule == ""]

    def _summary(self) -> Row:
        told = {entry: verdict for entry, verdict in self.verdicts.items() if verdict.rule != "kinked"}
        left_out = len(self.verdicts) - len(told)
        if not told:
            return Row(self.name, self.mode, self.P.shape, left_out=left_out, unjudged=NOTHING)
        worst = max(told, key=lambda entry: (told[entry].rule == "", told[entry].excess))
        a, n = float(self.g[worst]), told[worst].slope.value
        greater = max(abs(a), abs(n))
        return Row(
            self.name,
            self.mode,
            self.P.shape,
            tuple(int(i) for i in np.unravel_index(worst, self.P.shape)),
            a,
            n,
            abs(a - n),
            abs(a - n) / greater if greater else 0.0,
            told[worst].excess,
            told[worst].slope.step,
            told[worst].rule,
            wrong=len(self._wrong()),
            left_out=left_out,
            judged=len(told),
            greatest=float(np.abs(self.g).max()),
            unseen=float(self.unseen[np.isfinite(self.unseen)].max()),
        )


NOTHING = "beside every entry lies a kink, or the loss is no finite number; check at other values"
SINGLE = "the gradient has numbers of less than 64 bits, whose rounding alone may exceed one part in a million"
