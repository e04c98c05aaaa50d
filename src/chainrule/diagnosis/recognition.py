"""What a file has: its functions and classes, and which of them could be the forward pass, the backward pass, the loss.

Names and the calls within the file only propose; `trying` runs the proposals.
"""

import ast
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property

from chainrule.diagnosis import vocabulary
from chainrule.diagnosis.vocabulary import plain, role_of_function


@dataclass(frozen=True)
class Function:
    """A function of the file, or a method with the class that it belongs to; `arguments` are without self."""

    name: str
    node: ast.FunctionDef
    owner: str = ""
    arguments: tuple[str, ...] = ()
    optional: frozenset[str] = frozenset()
    static: bool = False
    filename: str = ""
    shown: str = ""  # of a step cut out of a function: the name of that function

    @property
    def qualified(self) -> str:
        return self.shown or (f"{self.owner}.{self.name}" if self.owner else self.name)

    @property
    def line(self) -> int:
        return self.node.lineno

    @cached_property
    def returned(self) -> tuple[str, ...]:
        """The names of what the last `return` of the function gives, "" for an expression that is no name."""
        returns = [node.value for node in own_nodes(self.node) if isinstance(node, ast.Return) and node.value]
        if not returns:
            return ()
        last = returns[-1]
        return tuple(written(each) for each in (last.elts if isinstance(last, ast.Tuple | ast.List) else [last]))


@dataclass
class Inventory:
    """The functions and classes of some syntax trees, and every call by the name of what is called."""

    functions: dict[str, Function] = field(default_factory=dict)
    classes: dict[str, dict[str, Function]] = field(default_factory=dict)
    lines: dict[str, int] = field(default_factory=dict)
    calls: dict[str, list[ast.Call]] = field(default_factory=dict)
    targets: dict[str, list[tuple[str, ...]]] = field(default_factory=dict)  # called name → names that its result got
    trees: list[ast.Module] = field(default_factory=list)

    def all(self) -> Iterator[Function]:
        yield from self.functions.values()
        for methods in self.classes.values():
            yield from methods.values()


@dataclass(frozen=True)
class Plan:
    """A proposal of what is what. `owner` is the class of the network, "" for functions of the module."""

    owner: str
    forward: Function | None
    backward: Function
    losses: tuple[Function, ...]
    update: Function | None
    style: str


def inventory(trees: Iterable[tuple[str, ast.Module]]) -> Inventory:
    """Of (file name, tree)s; a later definition replaces an earlier one of the same name, as in Python."""
    found = Inventory()
    for filename, tree in trees:
        found.trees.append(tree)
        for node in _statements(tree.body):
            if isinstance(node, ast.FunctionDef):
                found.functions[node.name] = _function(node, filename)
            elif isinstance(node, ast.ClassDef):
                found.lines[node.name] = node.lineno
                found.classes[node.name] = _methods(node, filename, found)
        for inner in ast.walk(tree):
            if isinstance(inner, ast.Call):
                found.calls.setdefault(called(inner), []).append(inner)
            if isinstance(inner, ast.Assign) and isinstance(inner.value, ast.Call):
                target = inner.targets[0]
                names = target.elts if isinstance(target, ast.Tuple | ast.List) else [target]
                found.targets.setdefault(called(inner.value), []).append(tuple(written(each) for each in names))
    return found


def _statements(body: list[ast.stmt]) -> Iterator[ast.stmt]:
    """Top-level statements, those within `if` and `try` included."""
    for node in body:
        yield node
        if isinstance(node, ast.If | ast.Try | ast.With):
            yield from _statements(node.body)


def _methods(node: ast.ClassDef, filename: str, found: Inventory) -> dict[str, Function]:
    methods: dict[str, Function] = {}
    for base in node.bases:
        methods.update(
            {name: _inherited(each, node.name) for name, each in found.classes.get(written(base), {}).items()}
        )
    for item in node.body:
        if isinstance(item, ast.FunctionDef):
            methods[item.name] = _function(item, filename, node.name)
    return methods


def _inherited(function: Function, owner: str) -> Function:
    return Function(
        function.name, function.node, owner, function.arguments, function.optional, function.static, function.filename
    )


def _function(node: ast.FunctionDef, filename: str, owner: str = "") -> Function:
    given = node.args
    names = [each.arg for each in (*given.posonlyargs, *given.args)]
    optional = set(names[len(names) - len(given.defaults) :]) if given.defaults else set()
    for each, default in zip(given.kwonlyargs, given.kw_defaults, strict=True):
        names.append(each.arg)
        if default is not None:
            optional.add(each.arg)
    static = any(written(each) == "staticmethod" for each in node.decorator_list)
    if owner and not static and names:
        names = names[1:]
    return Function(node.name, node, owner, tuple(names), frozenset(optional), static, filename)


def own_nodes(function: ast.AST) -> Iterator[ast.AST]:
    """The nodes of a function without those of functions within it."""
    for child in ast.iter_child_nodes(function):
        if not isinstance(child, ast.FunctionDef | ast.Lambda | ast.ClassDef):
            yield child
            yield from own_nodes(child)


def written(node: ast.AST | None) -> str:
    """A name, attribute or entry as it stands in the code; "" for any other expression."""
    if isinstance(node, ast.Name | ast.Attribute | ast.Subscript):
        return ast.unparse(node).replace("'", '"')
    return ""


def called(call: ast.Call) -> str:
    if isinstance(call.func, ast.Name):
        return call.func.id
    return call.func.attr if isinstance(call.func, ast.Attribute) else ""


def plans(found: Inventory) -> list[Plan]:
    """What could be what, the likeliest first."""
    result: list[Plan] = []
    for owner in _models(found):
        result.extend(_plans_of(found, owner, found.classes[owner]))
    functions = dict(found.functions)
    result.extend(_plans_of(found, "", functions))
    last: list[Plan] = []
    for owner, members in [*((each, found.classes[each]) for each in _models(found)), ("", functions)]:
        if not any(plan.owner == owner for plan in result):
            last.extend(_trained(found, owner, members))
    return [*result, *last]


def _plans_of(found: Inventory, owner: str, members: dict[str, Function]) -> list[Plan]:
    forwards = ranked(members.values(), "forward")
    backwards = [each for each in ranked(members.values(), "backward") if each.arguments or owner]
    backwards += [each for each in ranked(members.values(), "loss") if each not in backwards and _gives_gradients(each)]
    names = {each.name for each in backwards}
    update = next((each for each in ranked(members.values(), "update") if not _called_by(each) & names), None)
    losses = _losses(found, owner, members)
    style = "class" if owner else "functions"
    chosen = []
    for backward in backwards[:3]:
        others = [each for each in forwards if each.name != backward.name and backward.name not in _called_by(each)]
        for forward in [*others[:2], *([] if others else [None])]:
            chosen.append(Plan(owner, forward, backward, losses, None if update is backward else update, style))
    return chosen


def _trained(found: Inventory, owner: str, members: dict[str, Function]) -> list[Plan]:
    """One step of training stands for the backward pass where there is none."""
    steps = ranked(members.values(), "train") + ranked(members.values(), "update")
    forwards = ranked(members.values(), "forward")
    losses = _losses(found, owner, members)
    steps = [step for step in steps if len(step.arguments) - len(step.optional) >= 1 and step not in forwards]
    return [Plan(owner, next(iter(forwards), None), step, losses, None, "training function") for step in steps[:2]]


def _gives_gradients(function: Function) -> bool:
    """`return loss, grads`"""
    names = [plain(each) for each in function.returned]
    return len(names) > 1 and any(vocabulary.GRADIENTS.match(each) or vocabulary.gradient_of(each) for each in names)


def _called_by(function: Function) -> set[str]:
    return {called(node) for node in ast.walk(function.node) if isinstance(node, ast.Call)}


def ranked(functions: Iterable[Function], role: str) -> list[Function]:
    """Those whose name suits the role: the best first, of equals those that call or are called by more of the file."""
    scored = [(role_of_function(each.name, role), each) for each in functions]
    return [each for score, each in sorted(scored, key=lambda pair: (-pair[0], _rank(pair[1]))) if score]


def _rank(function: Function) -> tuple[int, int]:
    word = plain(function.name)
    whole = word in (
        "forward",
        "backward",
        "forwardpass",
        "backwardpass",
        "forwardpropagation",
        "backwardpropagation",
        "backprop",
    )
    regularised = "reg" in word or "dropout" in word
    return (2 if regularised else 0 if whole else 1, function.line)


def _losses(found: Inventory, owner: str, members: dict[str, Function]) -> tuple[Function, ...]:
    """The losses of the class and then of the module; those that the training calls come first."""
    candidates = ranked(members.values(), "loss")
    if owner:
        candidates += [each for each in ranked(found.functions.values(), "loss") if each not in candidates]
    used = _used_in_training(found)
    return tuple(sorted(candidates, key=lambda each: (each.name not in used, _rank(each)[0]))[:5])


def _used_in_training(found: Inventory) -> set[str]:
    names: set[str] = set()
    for function in found.all():
        if role_of_function(function.name, "train"):
            names |= {called(node) for node in ast.walk(function.node) if isinstance(node, ast.Call)}
    for tree in found.trees:
        for statement in tree.body:
            if not isinstance(statement, ast.FunctionDef | ast.ClassDef):
                names |= {called(node) for node in ast.walk(statement) if isinstance(node, ast.Call)}
    return names


_MODEL = re.compile(r"net|mlp|model|nn|perceptron|classifier|regressor|ann|brain|red", re.IGNORECASE)
_LAYER = re.compile(
    r"layer|dense|linear|affine|relu|sigmoid|softmax|tanh|activation|loss|entropy|neuron|optimi[sz]er|sgd|adam|data|mse|norm",
    re.IGNORECASE,
)


def _models(found: Inventory) -> list[str]:
    """The classes that could be a whole network, the likeliest first."""
    scored: list[tuple[int, int, str]] = []
    for name, methods in found.classes.items():
        roles = {role for role in ("forward", "backward", "loss", "train") if ranked(methods.values(), role)}
        roles |= {"backward"} if any(map(_gives_gradients, methods.values())) else set()
        if not roles & {"backward", "train"}:
            continue
        backward = next(iter(ranked(methods.values(), "backward")), None)
        targets = backward is not None and any(
            vocabulary.TARGET.match(plain(each)) or each == "y" for each in backward.arguments
        )
        score = 2 * bool(_MODEL.search(name)) + 2 * ("train" in roles) + 2 * targets + len(roles)
        if _LAYER.search(name) and not _MODEL.search(name):
            score -= 4
            if "train" not in roles and not targets:
                continue
        scored.append((-score, found.lines[name], name))
    return [name for _, _, name in sorted(scored)]


def layer_classes(found: Inventory) -> list[str]:
    """Classes of one layer each: with a forward and a backward, and no training."""
    return [
        name
        for name, methods in found.classes.items()
        if "forward" in methods and "backward" in methods and not ranked(methods.values(), "train")
    ]


def callsite(found: Inventory, name: str) -> ast.Call | None:
    """The call of `name` in the file that says most: not a recursive one, with most arguments."""
    calls = found.calls.get(name, [])
    return max(calls, key=lambda call: len(call.args) + len(call.keywords), default=None)


def alias(found: Inventory, function: Function, argument: str) -> str:
    """How the file's own call names what it hands over as `argument`; "" where it does not."""
    for call in found.calls.get(function.name, []):
        for keyword in call.keywords:
            if keyword.arg == argument:
                return written(keyword.value)
        place = function.arguments.index(argument)
        if place < len(call.args):
            text = written(call.args[place])
            if text and text != argument:
                return text
    return ""


def one_sample_calls(found: Inventory, function: Function) -> bool | None:
    """Whether the file's own training hands `function` single samples; None where its calls do not tell."""
    training = [each for each in found.all() if role_of_function(each.name, "train")]
    for trees in (
        [each.node for each in training],
        [_outside(tree) for tree in found.trees],
        [f.node for f in found.all()],
    ):
        answers = {answer for tree in trees for answer in _answers(tree, function)}
        if len(answers) == 1:
            return answers.pop()
        if answers:
            return None
    return None


def _outside(tree: ast.Module) -> ast.Module:
    return ast.Module([each for each in tree.body if not isinstance(each, ast.FunctionDef | ast.ClassDef)], [])


def _answers(tree: ast.AST, function: Function) -> Iterator[bool]:
    single = set(_single_names(tree))
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and called(node) == function.name:
            values = [*node.args, *(keyword.value for keyword in node.keywords)]
            if any(_is_single(each, single) for each in values):
                yield True
            elif any(vocabulary.DATA.match(plain(written(each) or "-")) for each in values):
                yield False


def _single_names(tree: ast.AST) -> Iterator[str]:
    """Names bound to one sample: loop variables over zip(X, Y) or X, and `x = X[i]`."""
    counters: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.For):
            names = [each.id for each in ast.walk(node.target) if isinstance(each, ast.Name)]
            source = ast.unparse(node.iter)
            if "range" in source and "," in source and len(ast.unparse(node.iter).split(",")) >= 3:
                continue  # range(0, m, batch_size)
            if "zip(" in source and "batches" not in source.lower():
                yield from names
            elif (
                "range(" in source or "enumerate(" in source or "perm" in source or "order" in source or "ind" in source
            ):
                counters.update(names)
            elif isinstance(node.iter, ast.Name) and "batches" not in source.lower():
                yield from names
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Subscript) and _is_single(node.value, counters):
            yield from (each.id for each in node.targets if isinstance(each, ast.Name))
    yield from (f"[{each}]" for each in counters)


def _is_single(node: ast.AST, single: set[str]) -> bool:
    if isinstance(node, ast.Name):
        return node.id in single
    if isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Name):
        return node.slice.id in single or f"[{node.slice.id}]" in single
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in ("reshape", "flatten"):
        return _is_single(node.func.value, single)
    return False
