"""`run_sweep`: hand out the points, take in what became of them, and leave a folder that tells it all."""

import json
import shutil
from collections import Counter, deque
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, CancelledError, Executor, Future, wait
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

from chainrule.errors import ChainruleError, RunError, StorageError
from chainrule.runs.config import RunConfig
from chainrule.runs.execute import load
from chainrule.runs.folder import Run
from chainrule.runs.index import write_index
from chainrule.specs import whole
from chainrule.sweeps.folder import SweepFolder
from chainrule.sweeps.pools import Pool, pool, threads_a_point
from chainrule.sweeps.result import SweepResult, in_words, read_sweep
from chainrule.sweeps.shared import digest, share
from chainrule.sweeps.sweep import Point, Sweep
from chainrule.sweeps.watch import Watch
from chainrule.sweeps.worker import Answer, described, train_point

Announce = Callable[[str], None]
LOOK_SECONDS = 0.5
GRACE_SECONDS = 20.0  # for running points to end their epoch and write a checkpoint
FINAL = ("DivergedError",)  # the same settings always end there: it is no use to try again


def run_sweep(
    sweep: Sweep,
    folder: str | Path,
    *,
    data_dir: str | Path | None = None,
    workers: int | None = None,
    on: str | None = None,
    executor: Executor | None = None,
    retry: int = 1,
    progress: bool = False,
    announce: Announce = lambda line: None,
) -> SweepResult:
    """Train all points of `sweep` in `folder`, or go on with those that are missing there.

    workers    processes on this machine; as many as cores by default. Each point has one thread, unless there are more
               cores than points
    on         address of a Dask scheduler, tcp://host:port, whose workers see `folder` under the same path
    executor   any `concurrent.futures.Executor` instead; it is left open
    retry      how often a point that failed is tried again; one that diverged is not
    progress   a bar over all points on the terminal; `announce` is told of every point that ends

    The results do not depend on where and in which order the points are trained. Ctrl-C ends the sweep after the
    current epochs; what is missing is `unfinished` in the result. Raises InputError for what cannot be done, RunError
    for a folder of another sweep or a lost scheduler, StorageError for a full disk; what was finished is kept.
    """
    place, whole_retry = SweepFolder(Path(folder)), whole("retry", retry)
    with place.locked() as lock:
        place.begin(sweep)
        before = read_sweep(place.path)
        todo = [r.point for r in before.points if r.run is None and not _is_final(place, r.point)]
        if todo:
            threads = threads_a_point(len(before.points))
            with pool(executor, on, workers, len(todo), threads, lock) as found:
                watch = Watch(place, before, todo, progress, announce)
                same_data = not any(key.startswith("data.") for point in todo for key in point.changes)
                _Coordinator(place, found, data_dir, threads, whole_retry, watch, same_data).run(todo)
        result = read_sweep(place.path)
        _keep_index(place, announce)
    return result


def _is_final(place: SweepFolder, point: Point) -> bool:
    failure = place.failure(point)
    return failure is not None and failure["kind"] in FINAL


def _keep_index(place: SweepFolder, announce: Announce) -> None:
    try:
        write_index(place.path)
    except ChainruleError as error:  # it can be made again at any time
        announce(f"The index was not written: {error.problem}")


@dataclass
class _Coordinator:
    """Who gives out the points of one sweep and notes what became of them."""

    place: SweepFolder
    pool: Pool
    data_dir: str | Path | None
    threads: int
    retry: int
    watch: Watch
    same_data: bool  # no setting of the data is varied: what is wrong with them is wrong with all points
    running: dict["Future[Answer]", Point] = field(default_factory=dict)
    attempts: Counter[str] = field(default_factory=Counter)
    folders: dict[str, Path] = field(default_factory=dict)  # of prepared data, by key

    def run(self, todo: Sequence[Point]) -> None:
        pending = deque(_in_order(todo))
        try:
            with self.watch:
                while pending or self.running:
                    while pending and (self.pool.room is None or len(self.running) < self.pool.room):
                        self._submit(pending.popleft())
                    done, _ = wait(self.running, LOOK_SECONDS, FIRST_COMPLETED)
                    for future in done:
                        point = self.running.pop(future)
                        if self._ended(point, future):
                            pending.appendleft(point)
                    self._forget_data(pending)
                    self.watch.look(self.running.values())
                    lost = self.pool.lost()
                    if lost:
                        raise RunError(lost, "What was finished is kept; go on when it is there again.")
        except KeyboardInterrupt:
            self._stop()
        finally:
            for future in self.running:
                future.cancel()
            if not any(future.running() for future in self.running):
                shutil.rmtree(self.place.data, ignore_errors=True)

    def _submit(self, point: Point) -> None:
        try:
            folder = self._prepared(point)
        except (StorageError, RunError):
            raise
        except ChainruleError as error:
            if self.same_data:
                raise
            self._failed(point, described(error))
            return
        order = {
            "config": point.config.to_json(),
            "runs": str(self.place.runs.resolve()),
            "data": str(folder.resolve()),
            "threads": self.threads,
        }
        self.attempts[point.name] += 1
        try:
            self.running[self.pool.executor.submit(train_point, order)] = point
        except RuntimeError as error:  # it is broken, or was shut down
            raise _broken(error) from error

    def _prepared(self, point: Point) -> Path:
        """The folder with the data of a point, which is written where no point needed it before."""
        key = _data_key(point.config)
        if key not in self.folders:
            data = load(point.config, None if self.data_dir is None else Path(self.data_dir))
            self.place.check_fingerprint(key, data.provenance["sha256"])
            folder = self.place.data / digest(data)
            if not folder.exists():
                share(data, folder)
            self.folders[key] = folder
        return self.folders[key]

    def _forget_data(self, pending: Iterable[Point]) -> None:
        """Remove prepared data that nobody needs any more."""
        needed = {_data_key(point.config) for point in (*pending, *self.running.values())}
        kept = {self.folders[key] for key in needed & self.folders.keys()}
        for key in self.folders.keys() - needed:
            folder = self.folders.pop(key)
            if folder not in kept:
                shutil.rmtree(folder, ignore_errors=True)

    def _ended(self, point: Point, future: "Future[Answer]") -> bool:
        """Note what became of a point; True where it is to be tried again."""
        try:
            answer = future.result()
        except BrokenExecutor as error:
            raise _broken(error) from error
        except CancelledError as error:
            raise RunError("the executor gave up its work", "What was finished is kept; go on later.") from error
        except Exception as error:
            answer = {"state": "failed", "run": None, "seconds": 0.0, "error": described(error)}
        if answer["state"] == "finished":
            self.place.forget_failure(point)
            self.watch.finished(point, Run(self.place.runs / answer["run"]), answer["seconds"])
            return False
        if answer["state"] == "interrupted":
            raise KeyboardInterrupt
        failure = answer["error"]
        if failure["kind"] == "StorageError":
            raise StorageError(failure["problem"], failure["remedy"])
        if failure["kind"] not in FINAL and self.attempts[point.name] <= self.retry:
            self.watch.again(point, in_words(failure))
            return True
        self._failed(point, failure)
        return False

    def _failed(self, point: Point, error: dict[str, str]) -> None:
        self.place.record_failure(point, error, self.attempts[point.name])
        self.watch.failed(point, in_words(error))

    def _stop(self) -> None:
        """End what runs after its epoch, and note what is finished by then."""
        for future in self.running:
            future.cancel()
        if self.pool.interrupt is None:
            return
        self.pool.interrupt()
        wait(self.running, GRACE_SECONDS)


def _broken(error: Exception) -> RunError:
    return RunError(f"the executor broke: {error}", "What was finished is kept; call again with a new executor.")


def _in_order(points: Sequence[Point]) -> list[Point]:
    """Points of the same data one after the other, the first seed of every variant before the second."""
    first: dict[str, int] = {}
    for point in points:
        first.setdefault(_data_key(point.config), point.index)
    place = {name: number for number, name in enumerate(first)}
    return sorted(points, key=lambda point: (place[_data_key(point.config)], point.seeds, point.index))


def _data_key(config: RunConfig) -> str:
    """What the data of a configuration depend on."""
    return json.dumps(asdict(replace(config.with_seeds().data, sha256=None)), sort_keys=True)
