"""All that training has to remember to go on as if nothing had happened: the state at the end of an epoch."""

import copy
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from chainrule.errors import InputError
from chainrule.network import Network
from chainrule.optimizers import Optimizer
from chainrule.training.history import History

Array = NDArray[Any]


@dataclass
class TrainingState:
    """The state after `epoch` whole epochs.

    arrays   by path: parameters/W1, statistics/mean1, memory/velocity/W1, best/W1, batch_losses
    numbers  plain JSON data: generators, optimiser steps, early stopping, the rows of the history
    """

    epoch: int
    arrays: dict[str, Array]
    numbers: dict[str, Any]


@dataclass
class Best:
    """Early stopping's memory: the weights of the epoch with the lowest validation loss so far."""

    loss: float = float("inf")
    epoch: int = 0
    arrays: dict[str, Array] | None = None


def weights(net: Network) -> dict[str, Array]:
    """Copies of all parameters and running statistics of `net` by name."""
    return {name: array.copy() for name, array in {**net.parameters(), **net.statistics()}.items()}


def restore_weights(net: Network, saved: dict[str, Array]) -> None:
    """Put copies made by `weights` back in place."""
    for name, array in {**net.parameters(), **net.statistics()}.items():
        array[...] = saved[name]


def capture(
    net: Network, optimizer: Optimizer, generators: dict[str, np.random.Generator], history: History, best: Best
) -> TrainingState:
    """The state of a training that has just finished an epoch; its rows of the history come with `completed`."""
    arrays = {f"weights/{name}": array for name, array in weights(net).items()}
    for slot, remembered in optimizer.memory.items():
        arrays |= {f"memory/{slot}/{name}": array.copy() for name, array in remembered.items()}
    arrays |= {f"best/{name}": array for name, array in (best.arrays or {}).items()}
    numbers = {
        "generators": {name: copy.deepcopy(g.bit_generator.state) for name, g in generators.items()},
        "steps": optimizer.steps,
        "best": {"loss": best.loss if best.arrays else None, "epoch": best.epoch},
        "stopped": history.stopped,
        "optimizer": type(optimizer).__name__,
    }
    return TrainingState(len(history), arrays, numbers)


def completed(state: TrainingState, history: History) -> TrainingState:
    """`state` with the history up to its epoch, which is copied only now: there may be a state for every epoch."""
    kept = history.rows_until(state.epoch)
    rows, seconds = history.rows[:kept], history.seconds[:kept]
    losses = {"batch_losses": np.array(history.batch_losses[: state.epoch])} if history.batch_losses else {}
    return TrainingState(state.epoch, state.arrays | losses, state.numbers | {"rows": rows, "seconds": seconds})


def resume(
    state: TrainingState,
    net: Network,
    optimizer: Optimizer,
    generators: dict[str, np.random.Generator],
    history: History,
    best: Best,
) -> None:
    """Put everything back as `capture` found it; raises InputError where the state is of another training, and changes
    nothing then."""
    by_kind: dict[str, dict[str, Array]] = {"weights": {}, "memory": {}, "best": {}}
    for path, array in state.arrays.items():
        kind, _, name = path.partition("/")
        if kind in by_kind:
            by_kind[kind][name] = array
    try:
        _check_belongs(state, by_kind, net, optimizer)
        restore_weights(net, by_kind["weights"])
        for remembered in optimizer.memory.values():
            remembered.clear()
        for path, array in by_kind["memory"].items():
            slot, _, name = path.partition("/")
            optimizer.memory[slot][name] = array.copy()
        for name, generator in generators.items():
            generator.bit_generator.state = state.numbers["generators"][name]
        optimizer.steps = state.numbers["steps"]
        history.rows[:] = state.numbers["rows"]
        history.seconds[:] = state.numbers["seconds"]
        history.stopped = state.numbers["stopped"]
        history.epochs = state.epoch
        if by_kind["best"]:
            best.loss, best.epoch = state.numbers["best"]["loss"], state.numbers["best"]["epoch"]
            best.arrays = by_kind["best"]
    except (KeyError, ValueError, TypeError) as error:
        raise InputError(
            f"the saved state does not fit this training: {error}", "Resume with the settings it was made with."
        ) from None
    history.batch_losses[:] = list(state.arrays.get("batch_losses", ()))


def _check_belongs(
    state: TrainingState, by_kind: dict[str, dict[str, Array]], net: Network, optimizer: Optimizer
) -> None:
    """Raise ValueError unless the state has this network's arrays and was made with this optimiser."""
    own = {name: array.shape for name, array in {**net.parameters(), **net.statistics()}.items()}
    for kind in ("weights", "best") if by_kind["best"] else ("weights",):
        if {name: array.shape for name, array in by_kind[kind].items()} != own:
            raise ValueError(f"its {kind} are of another network")
    for path, array in by_kind["memory"].items():
        if array.shape != own[path.partition("/")[2]]:
            raise ValueError(f"its memory {path} is of another network")
    if state.numbers["optimizer"] != type(optimizer).__name__:
        raise ValueError(f"it was made with {state.numbers['optimizer']}")
