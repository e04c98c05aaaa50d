"""Functions handed over in Python are taken in like those of a file, in this process: for notebooks and tests."""

import ast
import inspect
import linecache
import textwrap
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FunctionType, ModuleType
from typing import Any

import numpy as np

from chainrule.diagnosis.homes import Home, Subject
from chainrule.diagnosis.observation import Intake
from chainrule.diagnosis.observing import interface, observe
from chainrule.diagnosis.parameters import discover
from chainrule.diagnosis.recognition import Inventory, Plan, inventory, plans
from chainrule.diagnosis.start import start, step
from chainrule.diagnosis.training_watch import watch_training
from chainrule.diagnosis.trying import Attempt, understand
from chainrule.diagnosis.watching import assignments
from chainrule.errors import InputError


def take_in_functions(
    forward: Callable[..., Any] | None,
    backward: Callable[..., Any],
    loss: Callable[..., Any] | None,
    parameters: Any,
    update: Callable[..., Any] | None,
) -> Intake:
    """The record of these functions. `parameters` is what holds the weights (only its shapes count), or makes it."""
    subject = _subject([each for each in (forward, backward, loss, update) if each is not None], parameters)
    of = subject.found.functions
    plan = Plan(
        "",
        of[forward.__name__] if forward is not None else None,
        of[backward.__name__],
        (of[loss.__name__],) if loss is not None else (),
        of[update.__name__] if update is not None else None,
        "functions",
    )
    homes = None
    if parameters is not None and not callable(parameters):
        homes = _given_homes(parameters)
    return _taken(subject, [plan], homes)


def take_in_object(target: Any) -> Intake:
    """The record of a class or of an object of one (a copy of it is used), or of a module."""
    if isinstance(target, ModuleType):
        return _of_module(target)
    kind = target if isinstance(target, type) else type(target)
    tree, filename = _source(kind)
    found = inventory([(filename, tree)])
    _with_file(found, filename, kind.__name__)
    space = vars(inspect.getmodule(kind)) if inspect.getmodule(kind) is not None else {}
    subject = Subject(
        {**space, kind.__name__: kind}, found, filename, _files(filename, tree), _own(kind, space), limited=False
    )
    proposals = [plan for plan in plans(found) if plan.owner == kind.__name__]
    if not proposals:
        raise InputError(
            f"{kind.__name__} has no methods that look like a forward and a backward pass",
            "Hand the functions over: diagnose(forward=…, backward=…, loss=…, parameters=…).",
        )
    homes = None
    if not isinstance(target, type):
        slots = discover(target, None, subject.own)
        sizes = _sizes(slots)
        homes = [Home("self", target, slots, sizes, None, None, True)] if slots else None
    return _taken(subject, proposals, homes)


def _of_module(module: ModuleType) -> Intake:
    text = inspect.getsource(module)
    filename = module.__file__ or "<module>"
    tree = ast.parse(text)
    own = tuple(each for each in vars(module).values() if isinstance(each, type) and each.__module__ == module.__name__)
    subject = Subject(vars(module), inventory([(filename, tree)]), filename, _files(filename, tree), own, limited=False)
    return _taken(subject, plans(subject.found), None)


def _taken(subject: Subject, proposals: list[Plan], homes: list[Home] | None) -> Intake:
    with _unchanged(subject):
        best: Attempt | None = understand(subject, proposals=proposals, given=homes)
        path = Path(subject.filename) if Path(subject.filename).is_file() else None
        text = "".join(linecache.getlines(subject.filename))
        if best is None or best.run.output is None:
            reason = "" if best is None else "; ".join(best.run.failed.values())
            failure = f"The functions could not be called: {reason or 'what their arguments are was not recognised'}."
            return Intake(path, interface(best.trial, ()) if best else None, failure=failure, source=text)
        observations = observe(best.trial)
        return Intake(
            path,
            interface(best.trial, ()),
            observations,
            loop=watch_training(best.trial) if best.trial.plan.owner else None,
            step=step(best.trial, observations[0].point),
            start=start(best.trial),
            source=text,
        )


@contextmanager
def _unchanged(subject: Subject) -> Iterator[None]:
    """Names of the module and numpy's global generator are as they were afterwards."""
    names, state = dict(subject.namespace), np.random.get_state()  # noqa: NPY002
    try:
        yield
    finally:
        np.random.set_state(state)  # noqa: NPY002
        for name in set(subject.namespace) - set(names):
            del subject.namespace[name]
        subject.namespace.update(names)


def _subject(functions: list[Callable[..., Any]], parameters: Any) -> Subject:
    handed = [*functions, *([parameters] if callable(parameters) else [])]
    found = Inventory()
    files: dict[str, dict[int, list[ast.expr]]] = {}
    space: dict[str, Any] = {}
    filename = ""
    for each in handed:
        if not isinstance(each, FunctionType):
            raise InputError(f"{each!r} is no function written in Python", "Hand over functions, or the class itself.")
        tree, file = _source(each)
        files.setdefault(file, {}).update(assignments(tree))
        own = inventory([(file, tree)])
        found.functions |= own.functions
        space |= {each.__name__: each}
        filename = filename or file
    for file in files:
        _with_file(found, file, "")
    maker = parameters.__name__ if callable(parameters) else ""
    return Subject({**functions[0].__globals__, **space}, found, filename, files, limited=False, initialiser=maker)


def _source(thing: Any) -> tuple[ast.Module, str]:
    """The syntax tree of a function or class with the lines of its file, and that file (or notebook cell)."""
    try:
        lines, first = inspect.getsourcelines(thing)
    except (OSError, TypeError):
        raise InputError(
            f"the source of {thing!r} cannot be had", "Define it in a file or in a notebook's cell."
        ) from None
    tree = ast.parse(textwrap.dedent("".join(lines)))
    ast.increment_lineno(tree, first - 1)
    code = getattr(thing, "__code__", None)
    return tree, code.co_filename if code is not None else inspect.getsourcefile(thing) or ""


def _files(filename: str, tree: ast.AST) -> dict[str, dict[int, list[ast.expr]]]:
    return {filename: assignments(tree)}


def _with_file(found: Inventory, filename: str, kind: str) -> None:
    """What the rest of the file tells: how the functions are called there."""
    try:
        whole = inventory([(filename, ast.parse("".join(linecache.getlines(filename))))])
    except SyntaxError:
        return
    found.calls, found.targets = whole.calls, whole.targets
    for name, methods in whole.classes.items():
        found.classes.setdefault(name, methods)
        found.lines.setdefault(name, whole.lines[name])
    if kind:
        for name, function in whole.functions.items():
            found.functions.setdefault(name, function)


def _own(kind: type, space: dict[str, Any]) -> tuple[type, ...]:
    return (kind, *(each for each in space.values() if isinstance(each, type) and each.__module__ == kind.__module__))


def _given_homes(parameters: Any) -> list[Home]:
    slots = discover(parameters, None)
    if not slots:
        raise InputError(
            "no weights were found in `parameters`",
            "Hand over what your functions take: a dict {'W1': …, 'b1': …}, a list, or the function that makes it.",
        )
    sizes = _sizes(slots)
    homes = [Home("params", parameters, slots, sizes, None, None, True)]
    if isinstance(parameters, dict):
        homes.append(Home("arguments", parameters, slots, sizes, None, None, True))
    return homes


def _sizes(slots: Any) -> tuple[int, ...]:
    weights = [slot for slot in slots if slot.name.startswith("W")]
    shapes = [slot.shape[::-1] if slot.flipped else slot.shape for slot in weights]
    extra = [slot.form.startswith("extra") for slot in weights]
    return (shapes[0][0] - extra[0], *(shape[1] for shape in shapes)) if shapes else ()
