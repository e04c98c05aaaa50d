"""A sweep gives the same bytes wherever it is trained, loses no more than the point that fails, and goes on."""

import json
import time
from concurrent.futures import BrokenExecutor, Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from multiprocessing import get_context
from types import SimpleNamespace

import pytest
from threadpoolctl import threadpool_info, threadpool_limits

from chainrule.errors import RunError, StorageError
from chainrule.runs import Run, execute, read_config
from chainrule.sweeps import Sweep, read_sweep, run_sweep, worker
from sweeps.small import assert_same, base, contents, copied, finished, small

RATE = "training.learning_rate"


def test_every_point_is_trained_and_its_run_is_whole(undisturbed):
    result = read_sweep(undisturbed)
    assert len(result.runs) == len(result.points) == 4
    assert not result.failed
    assert not result.interrupted
    for found in result.points:
        config = found.run.config()
        assert config.training.learning_rate == found.point.changes[RATE]
        assert (config.network.init_seed, config.training.order_seed) == found.point.seeds
        assert found.run.path.name.startswith(found.point.name)
        assert found.run.environment()["threads"] == 1
        assert not found.run.figures.exists()


def test_groups_are_the_variants_with_their_runs_by_seed(undisturbed):
    groups = read_sweep(undisturbed).groups()
    assert [(group.changes, list(group.runs)) for group in groups] == [
        ({RATE: 0.1}, [(0, 0), (1, 1)]),
        ({RATE: 0.01}, [(0, 0), (1, 1)]),
    ]
    assert [group.label for group in groups] == ["learning_rate = 0.1", "learning_rate = 0.01"]
    for group in groups:
        for seeds, run in group.runs.items():
            assert run.config().network.init_seed == seeds[0]


def test_two_workers_give_the_bytes_of_one(tmp_path, undisturbed):
    run_sweep(small(), tmp_path / "sweep", workers=2)
    assert_same(tmp_path / "sweep", undisturbed)


def test_threads_of_one_process_give_them_too(tmp_path, undisturbed):
    with ThreadPoolExecutor(3) as executor:
        run_sweep(small(), tmp_path / "sweep", executor=executor)
        assert executor.submit(int).result() == 0, "it is left open"
    assert_same(tmp_path / "sweep", undisturbed)


def test_the_threads_of_matrix_products_are_restored_when_nobody_trains_any_more(tmp_path):
    """And limited once more by whoever comes next, from whichever thread."""

    def products():
        return [pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"]

    with threadpool_limits(3, user_api="blas"):
        pass  # the main thread has had its say
    before = products()
    for _ in range(2):
        with ThreadPoolExecutor(2) as executor, worker._threads(3):
            assert set(products()) == {3}
            assert executor.submit(products).result() == products()
            with worker._threads(3):
                pass
            assert set(products()) == {3}
        assert products() == before


def test_the_users_own_pool_of_processes_gives_them_too(tmp_path, undisturbed):
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as executor:
        run_sweep(small(), tmp_path / "sweep", executor=executor)
    assert_same(tmp_path / "sweep", undisturbed)


def test_dask_gives_them_too(tmp_path, undisturbed, scheduler):
    lines = []
    run_sweep(small(), tmp_path / "sweep", on=scheduler[0], announce=lines.append)
    assert_same(tmp_path / "sweep", undisturbed)
    assert len(lines) == 4


def test_a_point_trained_by_itself_from_its_file_gives_them_too(tmp_path, undisturbed, results_of):
    found = read_sweep(undisturbed).points[2]
    config = read_config(undisturbed / "points" / f"{found.point.name}.toml")
    alone = execute(config, runs_dir=tmp_path, draw=False).run
    assert alone.path.name == found.run.path.name
    assert results_of(alone.path) == results_of(found.run.path)


def test_a_point_that_somebody_trained_from_its_file_is_found(tmp_path, undisturbed):
    folder = copied(undisturbed, tmp_path / "sweep")
    (gone,) = folder.glob("runs/002-*")
    for file in gone.iterdir():
        file.unlink()
    gone.rmdir()
    assert [found.point.index for found in read_sweep(folder).unfinished] == [2]
    (point,) = folder.glob("points/002-*")
    execute(read_config(point), runs_dir=folder / "runs", draw=False)
    assert not read_sweep(folder).interrupted


def test_of_two_runs_of_a_point_the_finished_one_counts(tmp_path, undisturbed):
    folder = copied(undisturbed, tmp_path / "sweep")
    for point in read_sweep(folder).points:
        for other in ("0000000000", "ffffffffff"):
            (folder / "runs" / f"{point.point.name}-{other}").mkdir()
    assert [run.path.name for run in read_sweep(folder).runs] == [run.path.name for run in read_sweep(undisturbed).runs]


def test_a_finished_sweep_is_reported_and_not_repeated(tmp_path, undisturbed, monkeypatch):
    folder = copied(undisturbed, tmp_path / "sweep")
    monkeypatch.setattr("chainrule.sweeps.coordinate.pool", None)  # nobody is asked to work
    result = run_sweep(small(), folder)
    assert len(result.runs) == 4


def test_a_sweep_goes_on_with_what_is_missing(tmp_path, undisturbed):
    folder, lines = copied(undisturbed, tmp_path / "sweep"), []
    for run in sorted(folder.glob("runs/*"))[1:3]:
        (run / "evaluation.json").unlink()
    before = {path: path.stat().st_mtime_ns for path in folder.glob("runs/*/evaluation.json")}
    with ThreadPoolExecutor(1) as executor:
        run_sweep(small(), folder, executor=executor, announce=lines.append)
    assert len(lines) == 2
    assert_same(folder, undisturbed)
    assert all(path.stat().st_mtime_ns == stamp for path, stamp in before.items())


class FailingError(Exception):
    pass


def failing(monkeypatch, times):
    """Make the training of the second point fail so many times."""
    real, left = worker.execute, [times]

    def execute(config, **settings):
        if config.name.startswith("001") and left[0]:
            left[0] -= 1
            raise FailingError("no luck")
        return real(config, **settings)

    monkeypatch.setattr(worker, "execute", execute)


def test_a_point_that_fails_once_is_tried_again(tmp_path, undisturbed, monkeypatch):
    failing(monkeypatch, 1)
    lines = []
    with ThreadPoolExecutor(2) as executor:
        result = run_sweep(small(), tmp_path / "sweep", executor=executor, announce=lines.append)
    assert not result.failed
    assert_same(tmp_path / "sweep", undisturbed)
    assert [line for line in lines if "tried again" in line and "no luck" in line]


def test_a_point_that_fails_twice_is_lost_alone_and_listed_with_its_error(tmp_path, undisturbed, monkeypatch):
    failing(monkeypatch, 2)
    with ThreadPoolExecutor(2) as executor:
        result = run_sweep(small(), tmp_path / "sweep", executor=executor)
    (failed,) = result.failed
    assert failed.point.index == 1
    assert failed.error == "FailingError: no luck"
    assert failed.run is None
    assert [found.point.index for found in result.points if found.run is not None] == [0, 2, 3]
    stored = json.loads((tmp_path / "sweep" / "failed" / f"{failed.point.name}.json").read_text())
    assert stored["attempts"] == 2
    assert "raise FailingError" in stored["trace"], "where it happened is kept"
    assert read_sweep(tmp_path / "sweep").points == result.points
    with ThreadPoolExecutor(2) as executor:  # it has more luck now
        again = run_sweep(small(), tmp_path / "sweep", executor=executor)
    assert not again.failed
    assert_same(tmp_path / "sweep", undisturbed)


def test_settings_that_cannot_be_trained_fail_at_their_point(tmp_path):
    sweep = Sweep(base(), {"training.optimizer": ["sgd", "sdg"]})
    result = run_sweep(sweep, tmp_path / "sweep", workers=1)
    (failed,) = result.failed
    assert "unknown optimizer 'sdg'" in failed.error
    assert "Did you mean 'sgd'?" in failed.error
    assert len(result.runs) == 1


def test_a_point_that_diverges_is_not_tried_again_because_it_would_end_there_again(tmp_path):
    sweep = Sweep(base(), {RATE: [0.1, 1e30]})
    lines = []
    with ThreadPoolExecutor(1) as executor:
        result = run_sweep(sweep, tmp_path / "sweep", executor=executor, announce=lines.append)
        (failed,) = result.failed
        assert "no longer finite" in failed.error
        assert not [line for line in lines if "tried again" in line]
        lines.clear()
        assert run_sweep(sweep, tmp_path / "sweep", executor=executor, announce=lines.append).failed
        assert lines == []


def test_data_are_prepared_once_for_all_points_and_removed_at_the_end(tmp_path, monkeypatch):
    from chainrule.sweeps import coordinate

    loaded, load = [], coordinate.load
    monkeypatch.setattr(coordinate, "load", lambda config, where: loaded.append(config) or load(config, where))
    with ThreadPoolExecutor(2) as executor:
        run_sweep(small(), tmp_path / "sweep", executor=executor)
    assert [config.seed for config in loaded] == [0, 1], "each seed draws its own points, and variants share them"
    assert not (tmp_path / "sweep" / "data").exists()


def test_seeds_that_draw_no_data_share_them(tmp_path, monkeypatch):
    """The end of a file is its end for every seed; only one copy is written."""
    from dataclasses import replace

    from chainrule.sweeps import coordinate

    written, share = [], coordinate.share
    monkeypatch.setattr(coordinate, "share", lambda data, folder: written.append(folder) or share(data, folder))
    fixed = replace(base(), data=replace(base().data, split="last"))
    with ThreadPoolExecutor(2) as executor:
        run_sweep(Sweep(fixed, {RATE: [0.1, 0.01]}, seeds=2), tmp_path / "sweep", executor=executor)
    assert len(written) == 1


def test_data_that_changed_between_two_goes_are_refused(tmp_path, table, refused):
    from dataclasses import replace

    from chainrule.runs.config import DataSettings

    sweep = Sweep(replace(base(), data=DataSettings(source=str(table))), {RATE: [0.1, 0.2]})
    with ThreadPoolExecutor(1) as executor:
        run_sweep(sweep, tmp_path / "sweep", executor=executor)
        next(tmp_path.glob("sweep/runs/*/evaluation.json")).unlink()
        table.write_text(table.read_text() + "9.0,9.0,wide\n")
        with refused("data are not those", "new sweep", error=RunError):
            run_sweep(sweep, tmp_path / "sweep", executor=executor)


def test_a_folder_of_another_sweep_is_refused_with_what_differs(tmp_path, undisturbed, refused):
    folder = copied(undisturbed, tmp_path / "sweep")
    before = contents(folder)
    for sweep, words in (
        (small(rates=(0.1, 0.02)), "training.learning_rate is [0.1, 0.01], not [0.1, 0.02]"),
        (small(seeds=3), "seeds are 2, not 3"),
        (small(epochs=4), "base has other settings"),
        (Sweep(base(), {"training.l2": [0, 1]}), "grid has training.learning_rate, not training.l2"),
    ):
        with refused("holds another sweep", words, error=RunError):
            run_sweep(sweep, folder)
    assert contents(folder) == before


def test_a_plan_of_which_no_run_has_begun_may_be_mended(tmp_path, undisturbed):
    folder = tmp_path / "sweep"
    with ThreadPoolExecutor(1) as executor:
        wrong = run_sweep(Sweep(base(), {"training.optimizer": ["sdg", "adm"]}), folder, executor=executor)
        assert len(wrong.failed) == 2
        run_sweep(small(), folder, executor=executor)
    assert_same(folder, undisturbed)


def test_data_that_cannot_be_read_are_told_once_where_all_points_need_them(tmp_path, refused):
    from dataclasses import replace

    from chainrule.runs.config import DataSettings

    plain = replace(base(), data=DataSettings(source="nowhere.csv"))
    with ThreadPoolExecutor(1) as executor:
        with refused("nowhere.csv does not exist"):
            run_sweep(Sweep(plain, {RATE: [0.1, 0.2]}), tmp_path / "one", executor=executor)
        some = Sweep(base(), {"data.source": [base().data.source, "nowhere.csv"]})
        result = run_sweep(some, tmp_path / "two", executor=executor)
    assert [found.error is not None for found in result.points] == [False, True]
    assert "nowhere.csv does not exist" in result.failed[0].error


def test_a_folder_of_something_else_is_refused_and_left_alone(tmp_path, refused):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.tex").write_text("words")
    with refused("no folder of a sweep", "thesis.tex", error=RunError):
        run_sweep(small(), tmp_path / "mine")
    assert [path.name for path in (tmp_path / "mine").iterdir() if path.name != ".lock"] == ["thesis.tex"]
    with refused("is no sweep", error=RunError):
        read_sweep(tmp_path / "mine")


def test_a_second_coordinator_is_refused(tmp_path, undisturbed, refused, monkeypatch):
    from chainrule.sweeps import folder as room

    monkeypatch.setattr(room, "LOCK_SECONDS", 0.2)
    folder = copied(undisturbed, tmp_path / "sweep")
    with room.SweepFolder(folder).locked(), refused("another process is working on", error=RunError):
        run_sweep(small(), folder)


def test_a_point_that_another_process_is_training_is_waited_for(tmp_path, undisturbed, monkeypatch):
    folder = copied(undisturbed, tmp_path / "sweep")
    found = read_sweep(folder).points[3].run
    (found.path / "evaluation.json").unlink()
    lock = Run(found.path).locked()
    lock.__enter__()
    looks = []

    def sleep(seconds):
        looks.append(seconds)
        if len(looks) == 2:
            lock.__exit__(None, None, None)

    monkeypatch.setattr(worker, "time", SimpleNamespace(perf_counter=time.perf_counter, sleep=sleep))
    with ThreadPoolExecutor(1) as executor:
        result = run_sweep(small(), folder, executor=executor, retry=0)
    assert len(looks) == 2
    assert not result.failed
    assert_same(folder, undisturbed)


def test_a_full_disk_while_data_are_prepared_is_told_and_the_sweep_goes_on_later(
    tmp_path, undisturbed, monkeypatch, refused
):
    import errno

    import numpy as np

    def full(*_, **__):
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patched, ThreadPoolExecutor(1) as executor:
        patched.setattr(np, "save", full)
        with refused("no space left", error=StorageError):
            run_sweep(small(), tmp_path / "sweep", executor=executor)
    with ThreadPoolExecutor(1) as executor:
        run_sweep(small(), tmp_path / "sweep", executor=executor)
    assert_same(tmp_path / "sweep", undisturbed)


def test_a_full_disk_at_the_index_costs_no_result(tmp_path, undisturbed, monkeypatch):
    from chainrule.sweeps import coordinate

    def full(folder):
        raise StorageError("no space left to write index.sqlite", "Free some space.")

    lines = []
    monkeypatch.setattr(coordinate, "write_index", full)
    with ThreadPoolExecutor(1) as executor:
        result = run_sweep(small(), tmp_path / "sweep", executor=executor, announce=lines.append)
    assert len(result.runs) == 4
    assert "no space left" in lines[-1]


class BreakingExecutor(Executor):
    """An executor that breaks after its first task, as a pool does one of whose processes died."""

    def __init__(self):
        self.tasks = 0

    def submit(self, function, /, *arguments, **keywords):
        future, self.tasks = Future(), self.tasks + 1
        if self.tasks == 1:
            future.set_result(function(*arguments, **keywords))
        else:
            future.set_exception(BrokenExecutor("a process ended abruptly"))
        return future


def test_an_executor_of_the_users_that_breaks_is_told_and_what_is_finished_is_kept(tmp_path, undisturbed, refused):
    with refused("the executor broke", "new executor", error=RunError):
        run_sweep(small(), tmp_path / "sweep", executor=BreakingExecutor())
    assert finished(tmp_path / "sweep") <= 1
    with ThreadPoolExecutor(1) as executor:
        run_sweep(small(), tmp_path / "sweep", executor=executor)
    assert_same(tmp_path / "sweep", undisturbed)


def test_a_scheduler_that_cannot_be_reached_is_told_in_time(tmp_path, refused, monkeypatch):
    pytest.importorskip("distributed", reason="Dask is not installed")
    from chainrule.sweeps import cluster

    monkeypatch.setattr(cluster, "CONNECT_SECONDS", 1.0)
    for address in ("tcp://127.0.0.1:9", "nonsense://x", "127.0.0.1:9", "nonsense"):
        with refused("no scheduler answers at", address, "dask scheduler"):
            run_sweep(small(), tmp_path / "sweep", on=address)


def test_a_scheduler_that_has_gone_is_told_in_time(monkeypatch):
    """Dask's client would go on trying for ever."""
    from chainrule.sweeps import cluster

    client = SimpleNamespace(status="running")
    lost = cluster._Listener(client, "tcp://there:1")
    client.status = "connecting"
    assert lost() is None
    later = lost._heard + 31
    monkeypatch.setattr(cluster.time, "monotonic", lambda: later)
    assert lost() == "the scheduler at tcp://there:1 has been gone for 31 s"
    client.status = "running"
    assert lost() is None


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"workers": 0}, "workers is 0"),
        ({"retry": -1}, "retry is -1"),
        ({"workers": 2, "on": "tcp://127.0.0.1:9"}, "exclude each other"),
    ],
)
def test_what_makes_no_sense_is_refused(tmp_path, refused, settings, words):
    with refused(words):
        run_sweep(small(), tmp_path / "sweep", **settings)


def test_progress_is_told_line_by_line(tmp_path):
    lines = []
    with ThreadPoolExecutor(1) as executor:
        run_sweep(small(), tmp_path / "sweep", executor=executor, announce=lines.append)
    assert [line.split()[0] for line in lines] == ["[1/4]", "[2/4]", "[3/4]", "[4/4]"]
    assert all("validation loss" in line for line in lines)
