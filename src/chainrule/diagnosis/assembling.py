"""A file that has layers as classes and no network of them: a network is put together from them.

The order of the layers is that of a list in the file, or dense, activation, dense. The network is written out as a
class in Python, so that it is taken in like any other; watched are the file's own classes alone.
"""

import ast
import re
from dataclasses import replace

from chainrule.diagnosis import vocabulary
from chainrule.diagnosis.homes import Subject
from chainrule.diagnosis.recognition import Function, Plan, called, inventory, layer_classes
from chainrule.diagnosis.vocabulary import plain, role_of_function

_NAME = "AssembledNetwork"


def assembled(subject: Subject) -> list[Plan]:
    """The plan of a network put together from the file's layers; [] where it has none."""
    classes = [each for each in layer_classes(subject.found) if each in subject.namespace]
    dense = [each for each in classes if _widths(subject, each) is not None]
    losses = [each for each in classes if _is_loss(subject, each)]
    if not dense:
        return []
    rate = any(vocabulary.RATE.match(plain(each)) for each in subject.found.classes[dense[0]]["backward"].arguments)
    start, output, back = _loss(subject, losses)
    if not back:
        return []
    text = _TEMPLATE.format(
        name=_NAME,
        layers=", ".join(_layers(subject, classes, dense, losses)),
        start=start,
        output=output,
        back=back,
        learning_rate=", learning_rate" if rate else "",
    )
    tree = ast.parse(text)
    exec(compile(tree, "<assembled>", "exec"), subject.namespace)
    own = inventory([("<assembled>", tree)])
    theirs = subject.found.classes[dense[0]]
    for name in ("forward", "backward"):  # to be named and placed as the file's own
        mine = own.classes[_NAME][name]
        mine.node.lineno = theirs[name].line
        own.classes[_NAME][name] = replace(mine, shown=theirs[name].qualified)
    subject.found.classes |= own.classes
    subject.found.lines |= {_NAME: subject.found.lines[dense[0]]}
    subject.own = (*subject.own, subject.namespace[_NAME])
    methods = own.classes[_NAME]
    loss = (methods["loss"],) if output else ()
    return [Plan(_NAME, methods["forward"], methods["backward"], loss, None, "layers")]


_TEMPLATE = """
class {name}:
    def __init__(self, n_in, n_hidden, n_out):
        self.layers = [{layers}]
        {start}

    def forward(self, x):
        for layer in self.layers:
            x = layer.forward(x)
        return x

    def loss(self, output, y):
        return {output}

    def backward(self, output, y{learning_rate}):
        gradient = {back}
        for layer in reversed(self.layers):
            gradient = layer.backward(gradient{learning_rate})
"""


def _widths(subject: Subject, name: str) -> int | None:
    """How many layer widths the constructor takes, two for a dense layer; None for any other."""
    constructor = subject.found.classes[name].get("__init__")
    if constructor is None:
        return None
    required = [each for each in constructor.arguments if each not in constructor.optional]
    sizes = [
        each
        for each in required
        if vocabulary.INPUT_SIZE.match(plain(each)) or vocabulary.OUTPUT_SIZE.match(plain(each))
    ]
    return 2 if len(required) >= 2 and len(sizes) == 2 else None


def _is_loss(subject: Subject, name: str) -> bool:
    forward = subject.found.classes[name]["forward"]
    return len(forward.arguments) >= 2 and bool(
        role_of_function(name, "loss") or re.search("(?i)entropy|mse|nll", name)
    )


def _layers(subject: Subject, classes: list[str], dense: list[str], losses: list[str]) -> list[str]:
    """Calls that make the layers: of the file's own list where it has one."""
    for tree in subject.found.trees:
        for node in ast.walk(tree):
            if isinstance(node, ast.List) and len(node.elts) >= 2:
                names = [called(each) if isinstance(each, ast.Call) else "" for each in node.elts]
                if all(name in classes for name in names) and sum(name in dense for name in names) == 2:
                    return _sized(node.elts, names, dense)
    plain_layers = [each for each in classes if each not in dense and each not in losses and _empty(subject, each)]
    hidden = [each for each in plain_layers if not re.search("(?i)softmax|^layer$|^activation$|base|module", each)]
    return [f"{dense[0]}(n_in, n_hidden)", *(f"{each}()" for each in hidden[:1]), f"{dense[0]}(n_hidden, n_out)"]


def _sized(calls: list[ast.expr], names: list[str], dense: list[str]) -> list[str]:
    widths = iter(("n_in, n_hidden", "n_hidden, n_out"))
    return [
        f"{name}({next(widths)})" if name in dense else ast.unparse(call)
        for name, call in zip(names, calls, strict=True)
    ]


def _empty(subject: Subject, name: str) -> bool:
    constructor: Function | None = subject.found.classes[name].get("__init__")
    return constructor is None or all(each in constructor.optional for each in constructor.arguments)


def _loss(subject: Subject, losses: list[str]) -> tuple[str, str, str]:
    """(what makes the loss, the loss of output and y, its gradient); the last is "" where the file has none."""
    if losses:
        name = losses[0]
        backward = subject.found.classes[name]["backward"].arguments
        given = "output, y" if len(backward) >= 2 else ""
        return f"self.criterion = {name}()", "self.criterion.forward(output, y)", f"self.criterion.backward({given})"
    functions = subject.found.functions
    for name, function in functions.items():
        if role_of_function(name, "loss") and len(function.arguments) >= 2:
            for other in functions:
                if other != name and name in other and re.search("prime|deriv|grad|backward|^d", other.lower()):
                    order = "y, output" if _targets_first(function) else "output, y"
                    return "pass", f"{name}({order})", f"{other}({order})"
    return "pass", "", ""


def _targets_first(function: Function) -> bool:
    first, second = (plain(each) for each in function.arguments[:2])
    return bool(vocabulary.TARGET.match(first)) or (first == "y" and bool(vocabulary.OUTPUT.match(second)))
