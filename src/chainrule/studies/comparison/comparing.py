"""`compare`: the same network trained on two training sets, seed by seed, and what the difference is worth."""

import sys
import time
import warnings
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from importlib.metadata import version
from itertools import chain
from pathlib import Path
from typing import Any

from threadpoolctl import threadpool_limits

from chainrule.errors import InputError, shown, unknown_name
from chainrule.runs.folder import environment
from chainrule.specs import number, whole
from chainrule.statistics import Interval
from chainrule.studies.comparison.baselines import BASELINES, TRAIN_ROWS, fit_baseline
from chainrule.studies.comparison.conclusion import conclude
from chainrule.studies.comparison.judging import (
    HELD_EQUAL,
    judge_baseline,
    judge_baseline_difference,
    judge_difference,
    judge_networks,
)
from chainrule.studies.comparison.material import Material, prepare
from chainrule.studies.comparison.result import Comparison
from chainrule.studies.comparison.trained import Keep, NetworkSettings, Trained, train_network

WORKERS = 2
RESULT_VERSION = 1  # of what a training leaves; a new number makes kept ones be computed again

Seeds = int | Sequence[tuple[int, int]]


@dataclass(frozen=True)
class Job:
    """One training, all that its result depends on, and about how many seconds it takes."""

    name: str
    identity: dict[str, Any]
    run: Callable[[], list[Trained]]
    work: float


def compare(
    training: Mapping[str, tuple[Any, ...]],
    *,
    test: Mapping[str, tuple[Any, Any]],
    hidden: Sequence[int] = (64,),
    learning_rate: float = 0.01,
    batch_size: int = 500,
    epochs: int = 120,
    seeds: Seeds = 5,
    development: float = 0.1,
    scale: str = "standardise",
    baselines: Sequence[str] = tuple(BASELINES),
    classes: Sequence[str] | None = None,
    notes: Sequence[str] = (),
    split_seed: int = 0,
    curve_samples: int = 10_000,
    keep: str | Path | None = None,
    progress: bool = False,
) -> Comparison:
    """Train one network on two training sets, equal in everything but the data, and compare them on the test sets.

    training        {"original": (x, y), "augmented": (x, y)}: features (m, d) and labels (m,), memory maps among
                    them. The first is what the second is compared with. The second is the first followed by copies of
                    it in the same order, or comes with `sources` (m,), the row of the first that each was made from
    test            {name: (x, y)}; the first decides
    hidden, learning_rate, batch_size, epochs   of the networks (ReLU, softmax, gradient descent at a constant rate)
    seeds           how many pairs of runs, at least 2, or their (start, order): the start of the weights and the order
                    of the samples have seeds of their own, and both networks of a pair share them
    development     share of the images, of every class, that is left out of both sets, copies included; the curves and
                    the choice of the baselines' settings use them
    scale           preprocessing fitted on the training rows of the first set, the same for all: "standardise", "none"
    baselines       which of logistic, svm, knn, tree to fit beside
    classes         names in label order
    notes           printed with the result, such as where the images come from
    curve_samples   training rows on which the curves are measured
    keep            a folder for what is finished, so that a comparison that was stopped goes on where it was
    progress        a line on standard error for each training

    The second network is judged twice: after as many epochs as the first, and after as many updates. All scores of the
    test samples are stored before a test label is looked at, which happens once, for all models together.

    The same arguments give the same result on the same machine, in one go or resumed. Two threads work at most, where
    NUMBA_NUM_THREADS is 2.
    Raises InputError for what cannot be compared, DivergedError where a network does not stay finite.
    """
    settings = _checked_settings(hidden, learning_rate, batch_size, epochs, curve_samples)
    pairs = _checked_seeds(seeds)
    for key in baselines:
        if key not in BASELINES:
            raise unknown_name("baseline", key, BASELINES)
    material = prepare(training, test, classes=classes, development=development, scale=scale, split_seed=split_seed)
    base = {
        "version": RESULT_VERSION,
        **{name: version(name) for name in ("chainrule", "numpy", "numba", "scikit-learn")},
        "data": material.fingerprints,
        "first": next(iter(material.training)),
        "scale": scale,
        "development": development,
        "split_seed": split_seed,
    }
    networks = _network_jobs(material, settings, pairs, base, progress)
    others = _baseline_jobs(material, baselines, base)
    kept = Keep(None if keep is None else Path(keep))
    watch = _Progress([*networks, *others], progress)
    with threadpool_limits(WORKERS):
        trained = [_finished(job, kept, watch) for job in networks]
        fitted = _side_by_side(others, kept, watch)
    found = {
        "settings": {**asdict(settings), "hidden": list(settings.hidden), "development": development, "scale": scale},
        "seeds": [list(pair) for pair in pairs],
        "data": _data(material),
        "environment": environment(),
        "notes": list(notes),
        **_judged(material, list(chain.from_iterable(trained)), list(chain.from_iterable(fitted)), settings),
    }
    return Comparison(found, kept.seconds() | watch.seconds)


def _checked_settings(
    hidden: Sequence[int], learning_rate: float, batch_size: int, epochs: int, curve_samples: int
) -> NetworkSettings:
    return NetworkSettings(
        tuple(whole("a hidden width", width, 1) for width in hidden),
        number("learning_rate", learning_rate, above=0),
        whole("batch_size", batch_size, 1),
        whole("epochs", epochs, 1),
        whole("curve_samples", curve_samples, 1),
    )


def _checked_seeds(seeds: Seeds) -> list[tuple[int, int]]:
    if isinstance(seeds, int):
        pairs = [(i, i) for i in range(whole("seeds", seeds))]
    else:
        try:
            pairs = [(whole("start", start), whole("order", order)) for start, order in seeds]
        except (TypeError, ValueError):
            raise InputError(f"seeds is {shown(seeds)}", "Give a number, or pairs (start, order).") from None
    if len(pairs) < 2:
        raise InputError(
            f"{len(pairs)} pair of runs shows no spread", "Give at least 2 seeds; 5 or more say something."
        )
    if len(set(pairs)) < len(pairs):
        raise InputError("two pairs of seeds are the same", "The same run twice is no second observation.")
    return pairs


def _network_jobs(
    material: Material, settings: NetworkSettings, pairs: list[tuple[int, int]], base: dict[str, Any], progress: bool
) -> list[Job]:
    def job(name: str, pair: tuple[int, int]) -> Job:
        identity = {
            **base,
            **asdict(settings),
            "hidden": list(settings.hidden),
            "trained_on": name,
            "seeds": list(pair),
        }
        return Job(
            f"network {name} {pair[0]}-{pair[1]}",
            identity,
            lambda: train_network(material, name, pair, settings, progress=progress),
            work=5e-6 * len(material.training[name][0]) * settings.epochs,
        )

    return [job(name, pair) for pair in pairs for name in material.training]


def _baseline_jobs(material: Material, keys: Sequence[str], base: dict[str, Any]) -> list[Job]:
    seconds = {"logistic": 1e-3, "svm": 1e-3, "knn": 2e-3, "tree": 2.5e-3}

    def job(name: str, key: str) -> Job:
        return Job(
            f"{BASELINES[key].name} {name}",
            {**base, "trained_on": name, "baseline": key, "values": list(BASELINES[key].values)},
            lambda: fit_baseline(material, name, key),
            work=seconds[key] * len(material.training[name][0]) / WORKERS,
        )

    return [job(name, key) for key in keys for name in material.training]


def _finished(job: Job, kept: Keep, watch: "_Progress") -> list[Trained]:
    """What the job left, now or before."""
    models = kept.get(job.name, job.identity)
    began = time.perf_counter()
    if models is None:
        models = job.run()
        seconds = time.perf_counter() - began
        kept.put(job.name, job.identity, models, seconds)
        watch.done(job, seconds)
    else:
        watch.done(job, None)
    return models


def _side_by_side(jobs: list[Job], kept: Keep, watch: "_Progress") -> list[list[Trained]]:
    """The baselines on `WORKERS` threads, each with matrix products on one; the longest begin first."""
    if not jobs:
        return []
    import sklearn.neighbors  # noqa: F401  # its OpenMP can be limited only when it is loaded

    order = sorted(range(len(jobs)), key=lambda i: -jobs[i].work)

    def on_one_thread(job: Job) -> list[Trained]:
        with threadpool_limits(1):  # OpenMP counts for each thread that calls it
            return _finished(job, kept, watch)

    with (
        threadpool_limits(1),
        warnings.catch_warnings(),
        ThreadPoolExecutor(WORKERS) as pool,
    ):
        warnings.simplefilter("ignore")  # what did not converge says so in the result
        futures = {i: pool.submit(on_one_thread, jobs[i]) for i in order}
        try:
            return [futures[i].result() for i in range(len(jobs))]
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)  # those that run are finished, and kept
            raise


def _data(material: Material) -> dict[str, Any]:
    return {
        "training": {name: len(x) for name, (x, _) in material.training.items()},
        "development": len(material.development[0]),
        "tests": {name: len(x) for name, (x, _) in material.tests.items()},
        "features": material.development[0].shape[1],
        "classes": list(material.classes),
        "shared_rows": material.shared,
        "sha256": material.fingerprints,
        "baseline_train_rows": TRAIN_ROWS,
        "test_labels_opened": 1,
    }


def _judged(
    material: Material, trained: list[Trained], fitted: list[Trained], settings: NetworkSettings
) -> dict[str, Any]:
    """All numbers, the test labels included, from what the trainings left."""
    tests, classes = {name: y for name, (_, y) in material.tests.items()}, len(material.classes)
    first, second = material.training
    equal = settings.equal_epochs(len(material.training[second][0]), len(material.training[first][0]))

    def runs(name: str, epochs: int) -> list[Trained]:
        wanted = (name, epochs)
        return [model for model in trained if (model.facts["trained_on"], model.facts["epochs"]) == wanted]

    reference = runs(first, settings.epochs)
    rivals = dict(zip(HELD_EQUAL, (runs(second, settings.epochs), runs(second, equal)), strict=True))
    differences = {held: judge_difference(reference, models, tests, classes) for held, models in rivals.items()}
    decisive = next(iter(tests))
    of_method = {(model.facts["method"], model.facts["trained_on"]): model for model in fitted}
    return {
        "networks": {
            "reference": judge_networks(reference, tests, classes),
            **{held: judge_networks(models, tests, classes) for held, models in rivals.items()},
        },
        "differences": differences,
        "curves": {
            name: [
                model.facts["history"]
                for model in trained
                if model.facts["trained_on"] == name and "history" in model.facts
            ]
            for name in material.training
        },
        "baselines": [judge_baseline(model, tests) for model in fitted],
        "baseline_differences": {
            method: judge_baseline_difference(of_method[method, first], of_method[method, second], tests)
            for method in dict.fromkeys(method for method, _ in of_method)
        },
        "conclusion": conclude(
            first,
            second,
            {held: Interval(**differences[held][decisive]["anywhere"]) for held in HELD_EQUAL},
            len(reference),
            len(tests[decisive]),
        ),
    }


class _Progress:
    """A line for each finished training, with the time left, and how many seconds each took."""

    def __init__(self, jobs: Sequence[Job], show: bool) -> None:
        self._left, self._count, self._done = sum(job.work for job in jobs), len(jobs), 0
        self._began, self._worked, self._show = time.perf_counter(), 0.0, show
        self.seconds: dict[str, float] = {}

    def done(self, job: Job, seconds: float | None) -> None:
        """`job` is over; it took so many seconds, or was found finished."""
        self._done += 1
        self._left -= job.work
        if seconds is not None:
            self._worked += job.work
            self.seconds[job.name] = seconds
        if self._show:
            pace = (time.perf_counter() - self._began) / self._worked if self._worked else 1.0
            took = "finished before" if seconds is None else f"{seconds:.1f} s"
            line = f"{self._done} of {self._count}: {job.name}, {took}; about {max(0.0, self._left * pace):.0f} s left"
            sys.stderr.write(f"{line}\n")  # in one piece, for two threads come here
            sys.stderr.flush()
