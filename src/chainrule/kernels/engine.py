"""The compiled engine: what the reference engine does, by kernels that run whole epochs without returning to Python."""

from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from chainrule.errors import InputError, NotFiniteError
from chainrule.kernels.job import Job
from chainrule.kernels.plan import (
    MEAN,
    NORMALISED,
    VARIANCE,
    WIDTH,
    Plan,
    make_plan,
    pack,
    pack_transposed,
    refusal,
    unpack,
)
from chainrule.network import Network
from chainrule.optimizers import Optimizer

Array = NDArray[Any]
Floats = NDArray[np.float64]

METHODS = ("SGD", "Momentum", "Nesterov", "RMSprop", "Adam", "AdamW")  # in the order of `update.step`
WORTH_A_THREAD = 200_000  # multiplications of a batch's forward pass below which more threads only cost


class CompiledEngine:
    """Trains `net` on inputs X (m, d) and targets T (m, K), both checked and of the network's dtype.

    clip           greatest Euclidean norm of all gradients together
    sample_weight  (m,): the loss of a batch is then the weighted mean Σ w ℓ / Σ w
    threads        as many as Numba has, by default; the results are the same to the bit for any number

    Raises InputError for a rule or an optimiser of one's own, which is not compiled.
    """

    name = "compiled"

    def __init__(
        self,
        net: Network,
        X: Array,
        T: Array,
        optimizer: Optimizer,
        *,
        clip: float | None = None,
        sample_weight: Array | None = None,
        threads: int | None = None,
    ) -> None:
        method = type(optimizer).__name__
        why = refusal(net.structure) or ("" if method in METHODS else f"the optimizer {method} is not compiled")
        if why:
            raise InputError(why, 'Use engine="reference", which runs everything.')
        self.net, self.optimizer, self.method = net, optimizer, METHODS.index(method)
        self.X, self.T = np.ascontiguousarray(X), np.ascontiguousarray(T)
        self.clip, self.threads = 0.0 if clip is None else float(clip), threads
        self.weights = np.zeros(0, net.dtype) if sample_weight is None else sample_weight.astype(net.dtype)

    def run(
        self,
        batches: Iterable[NDArray[np.intp]],
        rates: Floats,
        l2: Floats,
        dropout: np.random.Generator,
        *,
        record: bool = False,
    ) -> tuple[Floats, Floats]:
        """One epoch or several: a step for each of the `batches` (row numbers) with its rate and its λ.

        With `record`, the loss of each batch before its update and its L2 term; else two empty arrays. Masks are drawn
        from `dropout`. Raises NotFiniteError where logits are not finite; the weights are then those before that batch.
        """
        from chainrule.kernels.epochs import epochs

        rows = list(batches)
        job = self._job(rows, rates, l2, dropout, record)
        self._load(job)
        bad = epochs(job)  # one compiled function whatever the number of threads, so that no bit can differ
        self._store(job)
        self.optimizer.steps += len(rows) if bad < 0 else bad
        if bad >= 0:
            raise NotFiniteError(bad, rows[bad])
        self.optimizer.learning_rate = float(rates[-1])
        return (job.losses, job.penalties) if record else (np.zeros(0), np.zeros(0))

    def _job(
        self, rows: list[NDArray[np.intp]], rates: Floats, l2: Floats, dropout: np.random.Generator, record: bool
    ) -> Job:
        import numba

        from chainrule.kernels.epochs import program

        net, dtype = self.net, self.net.dtype
        sizes = [len(batch) for batch in rows]
        most = max(sizes)
        plan = make_plan(net.structure, most, dtype)
        self.plan: Plan = plan
        multiplications = most * sum(layer.fan_in * layer.width for layer in net.structure.layers)
        threads = self.threads or (numba.get_num_threads() if multiplications > WORTH_A_THREAD else 1)
        dropped = sum(layer.width for layer in net.structure.layers if layer.dropout)
        P, G, M, S = (np.zeros(plan.parameters, dtype) for _ in range(4))
        return Job(
            layers=plan.layers,
            settings=plan.settings,
            drop=plan.rates,
            program=program(net.structure, self.clip > 0),
            P=P,
            G=G,
            M=M,
            S=S,
            ws=np.zeros(plan.workspace, dtype),
            statistics=np.zeros(plan.statistics, dtype),
            running=np.zeros(plan.statistics, dtype),
            x=self.X.ctypes.data,
            T=self.T,
            weights=self.weights,
            iota=np.arange(max(most, *net.layers)),
            order=np.concatenate(rows).astype(np.int64, copy=False),
            bounds=np.concatenate([[0], np.cumsum(sizes)]),
            # The uniform numbers of all batches, in the order in which the reference engine draws them.
            masks=dropout.random(max(1, sum(sizes) * dropped), dtype=np.float32)
            if dropped
            else np.zeros(1, np.float32),
            rates=np.asarray(rates, np.float64),
            l2=np.asarray(l2, np.float64),
            hyper=_settings(self.optimizer),
            losses=np.zeros(len(rows)),
            penalties=np.zeros(len(rows)),
            factors=np.zeros(most, dtype),
            row_losses=np.zeros(most, dtype),
            fine=np.ones(64 * threads, np.int64),
            now=np.zeros(6, dtype),
            output=plan.output,
            method=self.method,
            taken=self.optimizer.steps,
            threads=threads,
            clip=self.clip,
            recorded=record,
        )

    def _load(self, job: Job) -> None:
        """Parameters, memory and statistics into the job's arrays."""
        net, plan = self.net, self.plan
        pack(plan, net.parameters(), job.P)
        pack_transposed(plan, net.parameters(), job.ws)
        for flat, slot in zip((job.M, job.S), self.optimizer.slots, strict=False):
            memory = self.optimizer.memory[slot]
            for name, P in net.parameters().items():
                memory.setdefault(name, np.zeros_like(P))
            pack(plan, memory, flat)
        for name, view in self._running(job):
            view[:] = net.statistics()[name]

    def _store(self, job: Job) -> None:
        """And back."""
        unpack(self.plan, job.P, self.net.parameters())
        for flat, slot in zip((job.M, job.S), self.optimizer.slots, strict=False):
            unpack(self.plan, flat, self.optimizer.memory[slot])
        for name, view in self._running(job):
            self.net.statistics()[name][:] = view

    def _running(self, job: Job) -> list[tuple[str, Array]]:
        return [
            (f"{kind}{l}", job.running[row[column] : row[column] + row[WIDTH]])
            for l, row in enumerate(self.plan.layers, start=1)
            if row[NORMALISED]
            for kind, column in (("mean", MEAN), ("variance", VARIANCE))
        ]


def _settings(optimizer: Optimizer) -> Floats:
    """The numbers of `update.step`: μ or ρ or β₁, β₂, ε, weight decay."""
    names = (("momentum", "decay", "beta1"), ("beta2",), ("epsilon",), ("weight_decay",))
    return np.array([next((getattr(optimizer, n) for n in group if hasattr(optimizer, n)), 0.0) for group in names])
