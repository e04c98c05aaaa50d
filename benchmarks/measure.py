"""Measure chainrule and its peers and write docs/benchmarks.md; `make bench` runs it.

python benchmarks/measure.py [--rows ROW ...] [--threads 2] [--readings 9] [--output FOLDER] [--quick]

All rows, or those named; the others keep what was measured before. --quick tries the programs out.
"""

import argparse
import json
import os
import sys
from collections.abc import Callable
from dataclasses import asdict, replace
from functools import partial
from math import ceil
from pathlib import Path
from typing import Any

import works
from document import page
from figure import scaling_figure
from peers import BEST_KERNEL, FILES, KERNELS
from tables import quantile
from turns import Answer, LeftOutError, Process, columns, in_turn, prepared
from works import FITS, SCALING, TRAININGS, Work

from chainrule.figures import save
from chainrule.runs.folder import environment

DOCS = Path(__file__).resolve().parent.parent / "docs"
MACHINE = "machine"
SCALED_PEERS = ("chainrule", "NumPy", "PyTorch", "JAX")
LEAST_SECONDS = 0.1  # of a reading whose epochs are counted out for each peer

Row = dict[str, Any]
Missing = dict[str, str]  # peers and why they were left out


class Run:
    """The processes of one run and what holds for all its rows."""

    def __init__(self, threads: int, readings: int, quick: bool) -> None:
        self.threads, self.readings, self.quick = threads, readings, quick
        everyone = [Process(name, threads) for name in (*FILES, MACHINE) if name != BEST_KERNEL]
        self.described, self.left_out = prepared(everyone, lambda process: process.ask("describe"))
        self.team = [process for process in everyone if process.name in self.described]

    def close(self) -> None:
        for process in self.team:
            process.close()

    def among(self, *names: str) -> list[Process]:
        return [process for process in self.team if process.name in names]

    def row(
        self, answers: dict[str, list[Answer]], failed: Missing, waiting: float, left_out: Missing, **more: Any
    ) -> Row:
        """Readings as they are stored."""
        machine = answers.pop(MACHINE, None)
        peers = {}
        for name, given in answers.items():
            peers[name] = dict(columns(given))
            peers[name]["median"] = quantile(peers[name]["seconds"], 2)
            peers[name]["interquartile_range"] = [quantile(peers[name]["seconds"], quarter) for quarter in (1, 3)]
        row = {"peers": peers, "left_out": left_out | failed, "waiting": waiting}
        row |= {"readings": self.readings, "quick": self.quick}
        return row | ({"machine": columns(machine)} if machine else {}) | more


def training(work: Work, run: Run) -> Row:
    """Seconds of an epoch by every peer, the loss after the first reading, the machine's ceiling in the same turns."""
    kernel, trials = best_kernel(work, run)
    team = [*run.team, *([Process(BEST_KERNEL, run.threads, kernel)] if kernel else [])]
    team.sort(key=lambda process: [*FILES, MACHINE].index(process.name))

    def prepare(process: Process) -> Answer:
        if process.name == MACHINE:
            return process.ask("readings")
        loaded = process.ask("load", work=asdict(work))
        trained = process.ask("train", epochs=work.epochs, seed=0, loss=True)
        return loaded | trained | process.ask("describe") | {"part": work.parts.get(process.name, 1.0)}

    def turn(process: Process, number: int) -> Answer:
        if process.name == MACHINE:
            return process.ask("readings")
        return process.ask("train", epochs=work.epochs, seed=number + 1, part=work.parts.get(process.name, 1.0))

    first, left_out = prepared(team, prepare)
    turns = in_turn([process for process in team if process.name in first], run.readings, turn)
    row = run.row(*turns, run.left_out | left_out, work=asdict(work), full=work.full, trials=trials)
    for name, peer in row["peers"].items():
        peer |= {key: first[name][key] for key in ("loss", "part", "kernel", "nonzero")}
        row["nonzero"] = peer.pop("nonzero")
    for process in team:
        if process.name == BEST_KERNEL:
            process.close()
    unload(run)
    return row


def best_kernel(work: Work, run: Run) -> tuple[str | None, dict[str, float]]:
    """The kernels of OpenBLAS with which the loop in NumPy takes this work fastest, and the seconds with each."""
    m = max(work.batch, work.m // 10 // work.batch * work.batch)
    short = replace(work, m=m, batch=m if work.full else work.batch)
    trials = {}
    for kernel in KERNELS:
        process = Process(BEST_KERNEL, run.threads, kernel)
        try:
            process.ask("load", work=asdict(short))
            epochs = max(1, work.epochs // 4)
            trials[kernel] = min(process.ask("train", epochs=epochs, seed=0)["seconds"] for _ in range(4))
        except LeftOutError:
            continue  # this processor cannot run it
        finally:
            process.close()
    return min(trials, key=trials.__getitem__, default=None), trials


def prediction(do: str, calls: int, work: Work, run: Run) -> Row:
    """Seconds of a prediction by every peer."""

    def prepare(process: Process) -> Answer:
        process.ask("load", work=asdict(work))
        return process.ask(do, calls=calls)

    first, left_out = prepared(run.among(*FILES), prepare)
    team = run.among(*first)
    turns = in_turn(team, run.readings, lambda process, _: process.ask(do, calls=calls))
    unload(run)
    return run.row(*turns, run.left_out | left_out, work=asdict(work))


def fitting(work: Work, run: Run) -> Row:
    """Seconds of a whole fit by the two libraries that have an MLPClassifier."""

    def prepare(process: Process) -> Answer:
        process.ask("load", work=asdict(work), peer=False)
        return process.ask("fit", epochs=work.epochs, seed=0)

    first, left_out = prepared(run.among("chainrule", "scikit-learn"), prepare)
    turns = in_turn(
        run.among(*first), run.readings, lambda process, number: process.ask("fit", epochs=work.epochs, seed=number)
    )
    row = run.row(*turns, left_out, work=asdict(work))
    for name, peer in row["peers"].items():
        peer |= {"losses": peer["loss"], "loss": first[name]["loss"]}
    unload(run)
    return row


def scaling(run: Run) -> Row:
    """Seconds of an epoch by some peers while one quantity grows."""
    axes: dict[str, dict[str, Row]] = {}
    left_out, waiting = {}, 0.0
    for axis, (_, values) in SCALING.items():
        axes[axis] = {}
        for value in values[:2] if run.quick else values:
            work = works.scaled(axis, value)
            counted, missing = prepared(run.among(*SCALED_PEERS), partial(count_out, work=work))
            turns = in_turn(
                run.among(*counted),
                run.readings,
                lambda process, number, counted=counted: process.ask("train", **counted[process.name], seed=number),
            )
            point = axes[axis][str(value)] = run.row(*turns, missing)
            left_out, waiting = left_out | point["left_out"], max(waiting, point["waiting"])
    unload(run)
    gone = {name: why for name, why in run.left_out.items() if name in SCALED_PEERS}
    return {"axes": axes, "left_out": gone | left_out, "waiting": waiting, "readings": run.readings, "quick": run.quick}


def count_out(process: Process, work: Work) -> Answer:
    """So many epochs that a reading lasts."""
    process.ask("load", work=asdict(work))
    epochs = 1
    for _ in range(3):  # with compilation, without it, and with what a call costs besides its epochs shared by many
        epochs = ceil(LEAST_SECONDS / process.ask("train", epochs=epochs, seed=0)["seconds"])
    return {"epochs": epochs}


def unload(run: Run) -> None:
    prepared(run.among(*FILES), lambda process: process.ask("unload"))


def rows(quick: bool) -> dict[str, Callable[[Run], Row]]:
    """What is measured, by name, in the order of the page."""
    trainings, fits = ([work.quick() if quick else work for work in group] for group in (TRAININGS, FITS))
    return {
        **{work.name: partial(training, work) for work in trainings},
        "predict": partial(prediction, "predict", 10, trainings[0]),
        "predict-one": partial(prediction, "predict_one", 2_000, trainings[0]),
        **{work.name: partial(fitting, work) for work in fits},
        "scaling": scaling,
    }


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", nargs="+", metavar="ROW", choices=list(rows(False)), default=list(rows(False)))
    parser.add_argument("--threads", type=int, default=min(2, os.cpu_count() or 1))
    parser.add_argument("--readings", type=int, default=9)
    parser.add_argument("--output", type=Path, help="where the page, the readings and the figure go; docs by default")
    parser.add_argument("--quick", action="store_true", help="few samples and readings; needs --output")
    given = parser.parse_args(arguments)
    if given.quick and given.output is None:
        parser.error("--quick measures nothing worth keeping: say with --output where it may go")
    folder = given.output or DOCS
    folder.mkdir(parents=True, exist_ok=True)
    store = folder / "benchmarks.json"
    stored = json.loads(store.read_text()) if store.exists() else {"rows": {}}
    if given.readings < 2:
        parser.error("a spread needs two readings at least")
    run = Run(given.threads, 3 if given.quick else given.readings, given.quick)
    machine = described(run)
    for name, measure in rows(given.quick).items():
        if name in given.rows:
            print(name, flush=True)
            more = {"environment": machine, "threads": run.threads, "real": works.real_mnist() is not None}
            stored["rows"][name] = measure(run) | more
            store.write_text(json.dumps(stored, indent=1) + "\n")
    run.close()
    (folder / "benchmarks.md").write_text(page(stored))
    if "scaling" in stored["rows"]:
        save(scaling_figure(stored["rows"]["scaling"]), folder / "benchmarks-scaling.svg")
    return 0


def described(run: Run) -> dict[str, Any]:
    """Processor, cores, threads and versions; no names of machines or people."""
    whole = environment()
    versions = {"Python": whole["python"], "chainrule": whole["chainrule"]}
    for answer in run.described.values():
        versions |= answer["versions"]
    return {"processor": whole["processor"], "cores": whole["cores"], "threads": run.threads, "versions": versions}


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
