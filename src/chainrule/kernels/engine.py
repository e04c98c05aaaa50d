"""The compiled engine: what the reference engine does, by kernels that run whole epochs without returning to Python."""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from chainrule.data import Batches, Prepared
from chainrule.errors import InputError, NotFiniteError
from chainrule.kernels.epochs import program
from chainrule.kernels.loading import run_job, threads_for
from chainrule.kernels.memory import PIECE, Memory
from chainrule.kernels.plan import METHODS, lower_padding, make_plan, not_compiled, pack, running_statistics, unpack
from chainrule.network import Network
from chainrule.optimizers import Optimizer
from chainrule.rules import OneHot

Array = NDArray[Any]
Floats = NDArray[np.float64]

# What one call of the kernels does at most: uniform numbers for dropout, multiplications, batches.
MASKS, WORK, BATCHES = 1 << 23, 40_000_000_000, 100_000


class CompiledEngine:
    """Trains `net` on inputs X (m, d) and targets T, both checked.

    X              an array of the network's dtype, which is read where it lies, or `Prepared` samples, which are
                   prepared batch by batch
    T              (m, K) of the network's dtype, or `OneHot` labels
    clip           greatest Euclidean norm of all gradients together
    sample_weight  (m,): the loss of a batch is then the weighted mean Σ w ℓ / Σ w
    threads        by default as many as pay for a batch; the results are the same to the bit for any number

    Raises InputError for a rule or an optimiser of one's own, which is not compiled.
    """

    name = "compiled"

    def __init__(
        self,
        net: Network,
        X: Array | Prepared,
        T: Array | OneHot,
        optimizer: Optimizer,
        *,
        clip: float | None = None,
        sample_weight: Array | None = None,
        threads: int | None = None,
    ) -> None:
        why = not_compiled(net, optimizer)
        if why:
            raise InputError(why, 'Use engine="reference", which runs everything.')
        self.net, self.optimizer, self.X, self.T = net, optimizer, X, T
        self.clip, self.threads = 0.0 if clip is None else float(clip), threads
        self.sample_weight = np.zeros(0) if sample_weight is None else sample_weight
        self._memory: Memory | None = None

    def run(
        self,
        batches: Batches,
        rates: Floats,
        l2: Floats,
        dropout: np.random.Generator,
        *,
        record: bool = False,
        watch: Callable[[int, float | None], None] | None = None,
    ) -> tuple[Floats, Floats]:
        """One epoch or several: a step for each of the `batches` with its rate and its λ.

        With `record`, the loss of each batch before its update and its L2 term; else two empty arrays. Masks are drawn
        from `dropout`. `watch` is called now and then with the number of a batch that is done, from 0.

        Raises NotFiniteError where logits are not finite; the weights are then those before that batch.
        """
        sizes = batches.stops - batches.starts
        memory = self._prepared(int(sizes.max()))
        losses, penalties = np.zeros((2, len(batches) if record else 0))
        steps = self.optimizer.steps
        memory.put("order", np.ascontiguousarray(batches.order, np.int64))
        memory.set(recorded=record)
        self._load(memory)
        bad = -1
        for first, last in _parts(sizes, memory.plan.dropped, self._multiplications()):
            memory.put("starts", np.ascontiguousarray(batches.starts, np.int64), first)
            memory.put("stops", np.ascontiguousarray(batches.stops, np.int64), first)
            memory.put("rates", np.ascontiguousarray(rates, np.float64), first)
            memory.put("l2", np.ascontiguousarray(l2, np.float64), first)
            memory.put("losses", losses, first)
            memory.put("penalties", penalties, first)
            # The uniform numbers of these batches, in the order in which the reference engine draws them.
            count = int(sizes[first:last].sum()) * memory.plan.dropped
            memory.put("masks", dropout.random(count, dtype=np.float32))
            memory.set(batches=last - first, taken=steps + first)
            bad = run_job(memory)
            if bad >= 0:
                break
            if watch is not None:
                watch(last - 1, None)
        self._store(memory)
        self.optimizer.steps = steps + (len(batches) if bad < 0 else first + bad)
        if bad >= 0:
            raise NotFiniteError(first + bad, batches[first + bad])
        self.optimizer.learning_rate = float(rates[-1])
        return losses, penalties

    def _multiplications(self) -> int:
        """Those of a sample's forward pass."""
        return sum(layer.fan_in * layer.width for layer in self.net.structure.layers)

    def _prepared(self, most: int) -> Memory:
        """The memory for batches of up to `most` rows, kept from call to call."""
        structure = self.net.structure
        rows = most if self.net.statistics() else min(most, PIECE)
        if self._memory is None or self._memory.rows < rows:
            threads = self.threads or threads_for(most, most * self._multiplications())
            plan = make_plan(structure, rows, self.net.dtype)
            memory = self._memory = Memory(plan, rows, threads)
            memory.put_samples(self.X)
            memory.put("program", stages := program(structure, self.clip > 0))
            if isinstance(self.T, OneHot):
                memory.put("labels", np.ascontiguousarray(self.T.labels))
            else:
                memory.put("T", np.ascontiguousarray(self.T, self.net.dtype))
            memory.put("sample_weights", np.ascontiguousarray(self.sample_weight, self.net.dtype))
            method = METHODS.index(type(self.optimizer).__name__)
            memory.set(
                method=method,
                clip=self.clip,
                stages=len(stages),
                single=METHODS[method] == "SGD" and not self.clip and not self.net.statistics(),
            )
        return self._memory

    def _load(self, memory: Memory) -> None:
        """Parameters, memory of the method and statistics into the kernels' arrays."""
        net, plan = self.net, memory.plan
        memory.set(**_settings(self.optimizer))
        pack(plan, net.parameters(), memory["P"])
        lower_padding(plan, memory["P"])
        for name, slot in zip("MS", self.optimizer.slots, strict=False):
            remembered = self.optimizer.memory[slot]
            for key, P in net.parameters().items():
                remembered.setdefault(key, np.zeros_like(P))
            pack(plan, remembered, memory[name])
        for name, view in running_statistics(plan, memory["running"]):
            view[:] = net.statistics()[name]

    def _store(self, memory: Memory) -> None:
        """And back."""
        unpack(memory.plan, memory["P"], self.net.parameters())
        for name, slot in zip("MS", self.optimizer.slots, strict=False):
            unpack(memory.plan, memory[name], self.optimizer.memory[slot])
        for name, view in running_statistics(memory.plan, memory["running"]):
            self.net.statistics()[name][:] = view


def _parts(sizes: Array, dropped: int, multiplications: int) -> Iterator[tuple[int, int]]:
    """Ranges of batches that are run in one call: there must be room for their masks, and an interrupt must not wait.

    dropped, multiplications: of one sample.
    """
    most = max(1, min(MASKS // max(dropped, 1), WORK // (3 * multiplications)))  # samples
    ends = np.cumsum(sizes)
    first = 0
    while first < len(sizes):
        done = int(ends[first - 1]) if first else 0
        last = max(first + 1, int(np.searchsorted(ends, done + most, side="right")))
        yield first, min(last, first + BATCHES)
        first = min(last, first + BATCHES)


def _settings(optimizer: Optimizer) -> dict[str, float]:
    """The numbers of `update.step`."""
    sources = {
        "first": ("momentum", "decay", "beta1"),
        "second": ("beta2",),
        "epsilon": ("epsilon",),
        "weight_decay": ("weight_decay",),
    }
    return {
        name: next((getattr(optimizer, given) for given in group if hasattr(optimizer, given)), 0.0)
        for name, group in sources.items()
    }
