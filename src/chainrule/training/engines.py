"""Which engine trains, and how many epochs it runs in one go: decided by the amount of work alone, so that the same
settings always give the same bits."""

import warnings
from typing import TYPE_CHECKING, Any, Union

from chainrule.errors import InputError
from chainrule.network import Network
from chainrule.optimizers import Optimizer
from chainrule.training.reference import ReferenceEngine

if TYPE_CHECKING:
    from chainrule.kernels.engine import CompiledEngine

Engine = Union[ReferenceEngine, "CompiledEngine"]

ENGINES = ("auto", "reference", "compiled")
WORTH_COMPILING = 0.2  # seconds of training in NumPy from which the kernels are used
BLOCK_SECONDS = 0.5  # of NumPy's time that one call of the kernels does, so that an interrupt is not kept waiting
BLOCK_ROWS = 1 << 22  # row numbers of one call

# NumPy's speed on an ordinary core, for the choice only.
MULTIPLICATIONS_A_SECOND = 2e10
SECONDS_A_LAYER_AND_BATCH = 25e-6


def numpy_seconds(net: Network, samples: int, batches: int) -> float:
    """About how long an epoch takes in NumPy."""
    layers = net.structure.layers
    multiplications = 3 * samples * sum(layer.fan_in * layer.width for layer in layers)
    return multiplications / MULTIPLICATIONS_A_SECOND + batches * len(layers) * SECONDS_A_LAYER_AND_BATCH


def choose(engine: str, net: Network, optimizer: Optimizer, seconds: float, every_batch: bool) -> str:
    """ "reference" or "compiled" for a training of about so many `seconds` in NumPy.

    `every_batch`: somebody wants to be called after each. "auto" means the kernels where they can run and the work is
    worth loading them; where it is but they cannot, a warning says why. Raises InputError where they are asked for and
    cannot.
    """
    if engine == "reference" or (engine == "auto" and seconds < WORTH_COMPILING):
        return "reference"
    from chainrule.kernels.plan import not_compiled

    why = "the compiled engine does not stop at batches" if every_batch else not_compiled(net, optimizer)
    if not why:
        return "compiled"
    if engine == "compiled":
        raise InputError(why, 'Use engine="reference", which runs everything.')
    warnings.warn(f"The reference engine trains, because {why}.", stacklevel=3)
    return "reference"


def make(name: str, net: Network, *arguments: Any, **settings: Any) -> Engine:
    """The engine of that name, which from now on also measures and predicts for `net`; both are built alike."""
    net.fast_predict = None
    if name == "reference":
        return ReferenceEngine(net, *arguments, **settings)
    from chainrule.kernels import accelerate
    from chainrule.kernels.engine import CompiledEngine

    return CompiledEngine(accelerate(net), *arguments, **settings)


def epochs_at_once(seconds: float, samples: int) -> int:
    """How many epochs the kernels run in one go, for about so many `seconds` an epoch in NumPy."""
    return max(1, min(int(BLOCK_SECONDS / seconds), BLOCK_ROWS // samples))
