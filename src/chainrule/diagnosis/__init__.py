"""What is wrong with somebody's own back-propagation: it is run, watched, and compared with the right quantities."""

from collections.abc import Callable
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from chainrule.diagnosis.report import Diagnosis


def diagnose(
    target: Any = None,
    *,
    forward: Callable[..., Any] | None = None,
    backward: Callable[..., Any] | None = None,
    loss: Callable[..., Any] | None = None,
    parameters: Any = None,
    update: Callable[..., Any] | None = None,
) -> "Diagnosis":
    """Say what is wrong with somebody's own gradients.

    target       a Python file or notebook (`diagnose_file`), a class of a network, an object of one, or a module
    forward, backward, loss, update   functions, with any arguments that their names reveal
    parameters   what the functions keep their weights in, such as {"W1": …, "b1": …}, of which only the shapes count;
                 or the function that makes it, with the sizes as arguments

    Functions, classes and modules run in this process, without a time limit. Raises InputError where there is nothing
    to run; what the code itself raises is told in the diagnosis.
    """
    from chainrule.diagnosis.diagnosing import diagnose_intake
    from chainrule.errors import InputError

    if isinstance(target, str | PathLike):
        return diagnose_file(Path(target))
    from chainrule.diagnosis.handed import take_in_functions, take_in_object

    if target is not None:
        return diagnose_intake(take_in_object(target))
    if backward is None:
        raise InputError(
            "there is no backward pass to check", "Hand over backward=…, and forward=… and loss=… with it."
        )
    return diagnose_intake(take_in_functions(forward, backward, loss, parameters, update))


def diagnose_file(path: Path | str, time_limit: float = 10.0) -> "Diagnosis":
    """Run a Python file or notebook in a process of its own and say what is wrong with its gradients.

    path         of the code; it is run, with a time limit of `time_limit` seconds (`chainrule.diagnosis.child`)

    Nothing that the code does is raised: the verdict is then "not run", with a sentence that says why.
    """
    from chainrule.diagnosis.child import take_in
    from chainrule.diagnosis.diagnosing import diagnose_intake

    return diagnose_intake(take_in(Path(path), time_limit))
