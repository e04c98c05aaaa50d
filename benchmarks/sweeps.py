"""What a sweep costs and gains: a second worker, the overhead of a point, and the listing of a thousand runs.

    python benchmarks/sweeps.py [--points 24] [--epochs 300] [--runs 1000] [--repeats 3]

Needs an otherwise idle machine with two cores or more. Each figure is the median of the repeats; every sweep begins in
an empty folder with new processes, whose start and imports count.
"""

import argparse
import json
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from chainrule.runs import RunConfig
from chainrule.runs.config import DataSettings, NetworkSettings, TrainingSettings
from chainrule.runs.folder import environment
from chainrule.sweeps import Sweep, run_sweep

# The same trainings in one new process: data loaded once, one BLAS thread, no sweep.
ONE_PROCESS = """
import sys
from pathlib import Path
from chainrule.runs import execute
from chainrule.runs.execute import load
from chainrule.sweeps.sweep import read_sweep_file
from threadpoolctl import threadpool_limits
data = None
with threadpool_limits(1):
    for point in read_sweep_file(Path(sys.argv[1])).points():
        if data is None:
            data = load(point.config, None)
        execute(point.config, runs_dir=Path(sys.argv[2]), data=data, draw=False)
"""
LIST = "import sys; from chainrule.cli import main; sys.exit(main(['runs', 'list', sys.argv[1], '--limit', '20']))"


def plan(points: int, epochs: int, hidden: int, engine: str) -> Sweep:
    """So many points that differ in their rate; digits, with one split."""
    base = RunConfig(
        data=DataSettings(source="digits", split_seed=0),
        network=NetworkSettings(hidden=(hidden,)),
        training=TrainingSettings(epochs=epochs, engine=engine),
    )
    return Sweep(base, {"training.learning_rate": [round(0.01 * (k + 1), 3) for k in range(points)]})


def seconds(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def swept(sweep: Sweep, folder: Path, workers: int) -> float:
    shutil.rmtree(folder, ignore_errors=True)
    return seconds(lambda: run_sweep(sweep, folder, workers=workers))


def in_one_process(sweep: Sweep, folder: Path) -> float:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    (folder / "sweep.toml").write_text(sweep.to_toml())
    command = [sys.executable, "-c", ONE_PROCESS, str(folder / "sweep.toml"), str(folder / "runs")]
    return seconds(lambda: subprocess.run(command, check=True))


def many_runs(folder: Path, count: int) -> None:
    """So many run folders: copies of one, each with a rate of its own."""
    run_sweep(plan(1, 2, 16, "auto"), folder / "one", workers=1)
    (first,) = (folder / "one" / "runs").iterdir()
    config = json.loads((first / "config.json").read_text())
    for k in range(count):
        run = folder / "runs" / f"made-{k:010x}"
        run.mkdir(parents=True)
        config["training"]["learning_rate"] = 0.001 * (k + 1)
        (run / "config.json").write_text(json.dumps(config))
        for name in ("evaluation.json", "history.jsonl", "timings.jsonl"):
            shutil.copy(first / name, run / name)


def listed(folder: Path) -> float:
    return seconds(lambda: subprocess.run([sys.executable, "-c", LIST, folder], check=True, capture_output=True))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--points", type=int, default=24)
    parser.add_argument("--epochs", type=int, default=300, help="of the points of the speed-up")
    parser.add_argument("--runs", type=int, default=1000)
    parser.add_argument("--repeats", type=int, default=3)
    options = parser.parse_args()
    print(json.dumps(environment()))
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        work, tiny = plan(options.points, options.epochs, 256, "compiled"), plan(options.points, 1, 16, "reference")
        swept(plan(2, 1, 256, "compiled"), folder / "warm", 1)  # kernels are compiled once on a machine

        def median(measure: Callable[[], float]) -> float:
            return statistics.median(measure() for _ in range(options.repeats))

        one, two = (median(lambda w=workers: swept(work, folder / "sweep", w)) for workers in (1, 2))
        print(
            f"{options.points} points, {options.epochs} epochs each: one worker {one:.2f} s, two {two:.2f} s, "
            f"ratio {two / one:.3f} (wanted: 0.6 at most)"
        )
        plain = median(lambda: in_one_process(tiny, folder / "plain"))
        sweep = median(lambda: swept(tiny, folder / "sweep", 1))
        each = (sweep - plain) / options.points
        print(
            f"{options.points} tiny points: one process {plain:.2f} s, a sweep with one worker {sweep:.2f} s, "
            f"overhead of a point {1000 * each:.1f} ms (wanted: 50 ms at most)"
        )
        many_runs(folder, options.runs)
        without = median(lambda: listed(folder))
        indexed = seconds(
            lambda: subprocess.run(
                [
                    sys.executable,
                    "-c",
                    "import sys; from chainrule.cli import main; sys.exit(main(sys.argv[1:]))",
                    "runs",
                    "index",
                    folder,
                ],
                check=True,
                capture_output=True,
            )
        )
        with_index = median(lambda: listed(folder))
        print(
            f"{options.runs} runs: index made in {indexed:.2f} s, listed in {with_index:.2f} s, without an index in "
            f"{without:.2f} s (wanted: under 1 s)"
        )


if __name__ == "__main__":
    main()
