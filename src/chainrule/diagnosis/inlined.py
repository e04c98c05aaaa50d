"""Training code in one piece, a function or a script that holds forward, backward and update, as one step of it.

The body of the loop that updates the weights becomes a function of weights and data: the statements are the file's own,
with their lines; what comes before the loop stays before it, but for the start of the weights.
"""

import ast
import copy
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from chainrule.diagnosis import vocabulary
from chainrule.diagnosis.homes import Subject
from chainrule.diagnosis.recognition import Function, Plan, called, written
from chainrule.diagnosis.vocabulary import plain


@dataclass
class _Loop:
    """A loop that updates weights: the statements before it, the loops around it from outside in, and its own body."""

    before: list[ast.stmt]
    headers: list[ast.For | ast.While]
    body: list[ast.stmt]
    weights: list[str]


def inlined(subject: Subject) -> list[Plan]:
    """A plan for each function, and for the script, that trains in one piece; the steps join the file's functions."""
    found: list[Plan] = []
    for function in [*subject.found.functions.values(), None]:
        loop = _updating(_script(subject) if function is None else function.node.body)
        plan = _plan(subject, loop, function) if loop is not None else None
        if plan is not None:
            subject.found.functions[plan.backward.name] = plan.backward
            found.append(plan)
    return found


def _script(subject: Subject) -> list[ast.stmt]:
    kinds = (ast.FunctionDef, ast.ClassDef, ast.Import, ast.ImportFrom)
    return [each for tree in subject.found.trees for each in tree.body if not isinstance(each, kinds)]


def _updating(body: list[ast.stmt]) -> _Loop | None:
    """The innermost loop whose own statements update weights by name."""
    for place, statement in enumerate(body):
        if isinstance(statement, ast.If):
            inner = _updating(statement.body)
            if inner is not None:
                return _Loop([*body[:place], *inner.before], inner.headers, inner.body, inner.weights)
        if not isinstance(statement, ast.For | ast.While):
            continue
        deeper = _updating(statement.body)
        weights = list(_updated(statement.body))
        if deeper is not None and len(deeper.weights) >= len(weights):
            return _Loop(
                [*body[:place], *[_entered(statement)], *deeper.before], deeper.headers, deeper.body, deeper.weights
            )
        if len(weights) > 1:
            return _Loop([*body[:place], _entered(statement)], [statement], statement.body, weights)
    return None


def _updated(body: list[ast.stmt]) -> Iterator[str]:
    """The names of `W1 -= …` and `W1 = W1 - …`."""
    for statement in body:
        if isinstance(statement, ast.AugAssign) and isinstance(statement.op, ast.Sub | ast.Add):
            name = written(statement.target)
        elif isinstance(statement, ast.Assign) and isinstance(statement.value, ast.BinOp):
            name = written(statement.targets[0])
            if name != written(statement.value.left):
                continue
        else:
            continue
        known = vocabulary.is_weight(name) or vocabulary.is_bias(name)
        if name.isidentifier() and known and not vocabulary.gradient_of(name):
            yield name


def _entered(loop: ast.For | ast.While) -> ast.stmt:
    """A loop entered once: `i = 0` for `range(n)`, `x, y = next(iter(zip(X, Y)))` for others."""
    if isinstance(loop, ast.While):
        return ast.copy_location(ast.Pass(), loop)
    counted = isinstance(loop.iter, ast.Call) and called(loop.iter) in ("range", "trange")
    if counted and isinstance(loop.iter, ast.Call):
        value = loop.iter.args[0] if len(loop.iter.args) > 1 else ast.Constant(0)
    else:
        value = ast.Call(ast.Name("next", ast.Load()), [ast.Call(ast.Name("iter", ast.Load()), [loop.iter], [])], [])
    return ast.fix_missing_locations(ast.copy_location(ast.Assign([loop.target], value), loop))


def _plan(subject: Subject, loop: _Loop, function: Function | None) -> Plan | None:
    weights = _in_order(loop)
    given = list(dict.fromkeys([*weights, *_data(subject, loop, function)]))
    if not any(vocabulary.DATA.match(plain(each)) for each in given):
        return None
    kept = [statement for statement in loop.before if not _starts(statement, {*given}, function is None)]
    body = copy.deepcopy([*_defaults(function, given), *kept, *loop.body])
    body = [each for each in body if not isinstance(each, ast.Continue | ast.Break)]
    result = ast.Return(ast.Tuple([ast.Name(each, ast.Load()) for each in weights], ast.Load()))
    shown = function.name if function is not None else "script"
    tree = ast.parse(f"def {shown}({', '.join(given)}): pass")
    node = tree.body[0]
    assert isinstance(node, ast.FunctionDef)
    node.body = [*body, ast.copy_location(result, loop.body[-1])]
    node.lineno = node.end_lineno = function.line if function is not None else loop.headers[0].lineno
    ast.fix_missing_locations(tree)
    made: dict[str, Any] = {}
    try:
        exec(compile(tree, subject.filename, "exec"), subject.namespace, made)
    except (SyntaxError, ValueError):
        return None
    name = f"{shown} (one step)"
    subject.namespace[name] = made[shown]
    step = Function(name, node, "", tuple(given), frozenset(), False, subject.filename, shown)
    return Plan("", None, step, (), None, "script" if function is None else "training function")


def _data(subject: Subject, loop: _Loop, function: Function | None) -> list[str]:
    """The names that are handed to a step besides the weights: the data, their number, the rate."""
    arguments = [each for each in (function.arguments if function is not None else ()) if _role(each)]
    used = [node.id for each in loop.body for node in ast.walk(each) if isinstance(node, ast.Name)]
    outer = {*subject.namespace, *_stored(loop.before)} if function is None else {*used} - _stored(function.node.body)
    known = [each for each in used if each in outer and _role(each) and not callable(subject.namespace.get(each))]
    inner = _stored(loop.body)
    plainly = ("X", "x", "Y", "y", "m")  # other single letters may be anything
    return [*arguments, *(each for each in known if (each not in inner and len(each) > 1) or each in plainly)]


def _stored(body: list[ast.stmt]) -> set[str]:
    nodes = (node for each in body for node in ast.walk(each))
    return {node.id for node in nodes if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}


def _defaults(function: Function | None, given: list[str]) -> list[ast.stmt]:
    """`print_loss = False` for the arguments of the training that a step is not handed."""
    if function is None:
        return []
    names, values = [each.arg for each in function.node.args.args], function.node.args.defaults
    pairs = zip(names[len(names) - len(values) :], values, strict=True)
    made: list[ast.stmt] = [
        ast.Assign([ast.Name(name, ast.Store())], value) for name, value in pairs if name not in given
    ]
    return [ast.fix_missing_locations(ast.copy_location(each, function.node.body[0])) for each in made]


def _in_order(loop: _Loop) -> list[str]:
    """The weights in the order in which the forward pass uses them."""
    names = [
        node.id
        for statement in loop.body
        for node in sorted(
            (each for each in ast.walk(statement) if isinstance(each, ast.Name)),
            key=lambda each: (each.lineno, each.col_offset),
        )
    ]
    return [each for each in dict.fromkeys(names) if each in loop.weights]


def _role(name: str) -> bool:
    word = plain(name)
    if (vocabulary.TARGET.match(word) and word not in ("d", "t")) or word == "y":
        return True
    counts = ("m", "n", "numexamples", "nsamples", "numsamples")
    return word in counts or any(each.match(word) for each in (vocabulary.DATA, vocabulary.RATE, vocabulary.BATCH_SIZE))


def _starts(statement: ast.stmt, given: set[str], script: bool) -> bool:
    """Whether a statement before the loop starts what is now handed over, or seeds, prints, or is of the script."""
    if _stored([statement]) & given:
        return True
    calls = {called(node) for node in ast.walk(statement) if isinstance(node, ast.Call)}
    if calls & {"seed", "print", "input", "open", "load", "read_csv", "show"}:
        return True
    return script and "next" not in calls and not isinstance(statement, ast.Pass)
