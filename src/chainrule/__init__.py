"""chainrule: neural networks whose forward and backward passes are written by hand, shown, proven and fast.

import chainrule as cr
data = cr.load_data("digits")
net = cr.Network([64, 32, 10], seed=0)
history = cr.train(net, data, learning_rate=0.1, epochs=30)
print(cr.evaluate(net, data.test).report)
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

if TYPE_CHECKING:
    from chainrule import optimizers as optimizers
    from chainrule import rules as rules
    from chainrule.algebra import derivation as derivation
    from chainrule.algebra import derive as derive
    from chainrule.data import DataSet as DataSet
    from chainrule.data import Prepared as Prepared
    from chainrule.data import Preprocessing as Preprocessing
    from chainrule.data import load_data as load_data
    from chainrule.diagnosis import diagnose as diagnose
    from chainrule.evaluation import evaluate as evaluate
    from chainrule.gradcheck import check_function as check_function
    from chainrule.gradcheck import check_gradients as check_gradients
    from chainrule.gradcheck.explain import explain as explain
    from chainrule.graphs import graph as graph
    from chainrule.network import Network as Network
    from chainrule.randomness import generator as generator
    from chainrule.runs import load as load
    from chainrule.runs import save as save
    from chainrule.speeds import compare_engines as compare_engines
    from chainrule.training import batches as batches
    from chainrule.training import train as train

# Where each public name lives. It is imported on first use, so that `import chainrule` costs next to nothing.
_HOMES = {
    "DataSet": "chainrule.data",
    "Network": "chainrule.network",
    "Prepared": "chainrule.data",
    "Preprocessing": "chainrule.data",
    "batches": "chainrule.training",
    "check_function": "chainrule.gradcheck",
    "check_gradients": "chainrule.gradcheck",
    "compare_engines": "chainrule.speeds",
    "derivation": "chainrule.algebra",
    "derive": "chainrule.algebra",
    "diagnose": "chainrule.diagnosis",
    "evaluate": "chainrule.evaluation",
    "explain": "chainrule.gradcheck",
    "generator": "chainrule.randomness",
    "graph": "chainrule.graphs",
    "load": "chainrule.runs",
    "load_data": "chainrule.data",
    "save": "chainrule.runs",
    "train": "chainrule.training",
}
_ROOMS = (
    "algebra",
    "data",
    "diagnosis",
    "errors",
    "evaluation",
    "figures",
    "gradcheck",
    "graphs",
    "images",
    "kernels",
    "network",
    "optimizers",
    "reports",
    "rules",
    "runs",
    "scalar",
    "statistics",
    "studies",
    "sweeps",
    "training",
)

__all__ = ["__version__", *_HOMES, "optimizers", "rules"]


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        value = getattr(import_module(_HOMES[name]), name)
    elif name in _ROOMS:
        value = import_module(f"chainrule.{name}")
    else:
        raise AttributeError(f"module 'chainrule' has no attribute {name!r}")
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOMES, *_ROOMS})
