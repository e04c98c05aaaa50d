"""The process of one peer: it answers requests, one JSON line each, and sleeps on its input in between.

python benchmarks/worker.py PEER THREADS
"""

import gc
import json
import os
import sys
import time
import warnings
from collections.abc import Callable
from importlib import import_module, metadata
from typing import Any

if hasattr(os, "sched_setaffinity"):  # before anything counts the processors; XLA goes by this alone
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[: int(sys.argv[2])])

import numpy as np
import works
from peers import FILES
from threadpoolctl import threadpool_info

MODULES = {"numpy": "numpy", "sklearn": "scikit-learn", "numba": "numba", "torch": "torch", "jax": "jax"}


class Worker:
    """Its methods are the requests; a reading is in seconds."""

    def __init__(self, name: str, threads: int) -> None:
        self.threads = threads
        if name == "machine":
            from machine import Machine

            self.readings = Machine(threads).readings
        else:
            self.file = import_module(f"peers.{FILES[name]}")

    def describe(self) -> dict[str, Any]:
        """Versions of what is loaded, and the kernels that OpenBLAS runs."""
        loaded = [package for module, package in MODULES.items() if module in sys.modules]
        blas = [pool["architecture"] for pool in threadpool_info() if pool.get("internal_api") == "openblas"]
        return {"versions": {name: metadata.version(name) for name in loaded}, "kernel": blas[0] if blas else ""}

    def load(self, work: dict[str, Any], peer: bool = True) -> dict[str, Any]:
        """Take up a work; without a `peer` only its data, for a fit."""
        self.peer = None
        self.work = works.Work(**{name: tuple(v) if isinstance(v, list) else v for name, v in work.items()})
        self.X, self.y = works.data(self.work)
        start = {name: P.copy() for name, P in works.network(self.work).parameters().items()}
        if peer:
            self.peer = self.file.Peer(self.work, self.X, self.y, start, self.threads)
            self.peer.reset()
        return {"nonzero": float(np.count_nonzero(self.X) / self.X.size)}

    def unload(self) -> dict[str, Any]:
        self.peer = self.X = self.y = None
        gc.collect()
        return {}

    def train(self, epochs: int, seed: int, part: float = 1.0, loss: bool = False) -> dict[str, Any]:
        """Seconds of an epoch, from the first weights, and the loss on all of X after the last if asked for."""
        self.peer.reset()
        answer = {"seconds": _seconds(lambda: self.peer.train(epochs, seed, part)) / (epochs * part)}
        if loss:
            net = works.network(self.work)
            for name, P in net.parameters().items():
                P[...] = self.peer.parameters()[name]
            answer["loss"] = net.loss(self.X, self.y)
        return answer | getattr(self.peer, "details", {})

    def predict(self, calls: int) -> dict[str, Any]:
        """Seconds of a prediction of X, and the share of labels that `Network.predict` finds too."""
        answer = {"seconds": _seconds(lambda: [self.peer.predict() for _ in range(calls)]) / calls}
        expected = works.network(self.work).predict(self.X[:1000])
        return answer | {"agreement": float(np.mean(self.peer.predict()[:1000] == expected))}

    def predict_one(self, calls: int) -> dict[str, Any]:
        """Seconds of a prediction of one sample."""
        one = [np.ascontiguousarray(self.X[i : i + 1]) for i in range(100)]
        return {"seconds": _seconds(lambda: [self.peer.predict_one(one[i % 100]) for i in range(calls)]) / calls}

    def fit(self, epochs: int, seed: int) -> dict[str, Any]:
        """Seconds of a whole fit by Adam."""
        work = self.work
        mlp = self.file.Classifier(
            work.widths[1:-1],
            batch_size=work.batch,
            learning_rate_init=work.rate,
            max_iter=epochs,
            tol=0,
            n_iter_no_change=epochs,
            random_state=seed,
        )
        with warnings.catch_warnings(action="ignore"):  # that the number of epochs was reached: it is the work
            seconds = _seconds(lambda: mlp.fit(self.X, self.y))
        return {"seconds": seconds, "loss": mlp.loss_, "epochs_done": mlp.n_iter_}


def _seconds(call: Callable[[], object]) -> float:
    gc.collect()
    began = time.perf_counter()
    call()
    return time.perf_counter() - began


def main(name: str, threads: str) -> None:
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what a library prints is no answer
    worker = None
    for line in sys.stdin:
        request = json.loads(line)
        try:
            worker = worker or Worker(name, int(threads))
            answer = getattr(worker, request.pop("do"))(**request)
        except Exception as error:  # the coordinator says who is left out and why
            answer = {"error": f"{type(error).__name__}: {error}", "missing": getattr(error, "name", "") in MODULES}
        print(json.dumps(answer), file=answers, flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
