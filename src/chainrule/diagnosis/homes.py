"""The homes that a network's parameters can have in somebody's code, each furnished with sizes of our choice.

A home is an object of a class, what an initialiser returns, arguments named like weights, or names of the module. Code
that allows one size only keeps its own.
"""

import ast
import copy
import itertools
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from chainrule.diagnosis import binding as bound
from chainrule.diagnosis import vocabulary
from chainrule.diagnosis.loading import OutOfTime, attempt
from chainrule.diagnosis.parameters import Path, Slot, discover, infer_sizes, last_name, leaves
from chainrule.diagnosis.recognition import Function, Inventory, Plan, callsite, own_nodes, ranked, written
from chainrule.diagnosis.vocabulary import plain
from chainrule.diagnosis.watching import shape_of

# Pairwise different, each plus one as well, and different from the numbers of samples: a shape tells what it is.
WIDTHS = (9, 7, 11, 13)
OUTPUTS = 3
SAMPLES = (5, 6)
LARGEST = 1024  # width of a layer; wider networks take too long to be nudged


@dataclass
class Subject:
    """A file that was loaded: its names, what it has, and the classes that are its own."""

    namespace: dict[str, Any]
    found: Inventory
    filename: str
    files: dict[str, dict[int, list[ast.expr]]]
    own: tuple[type, ...] = ()
    limited: bool = True
    initialiser: str = ""  # of a function that was handed over as the one that makes the parameters

    def __post_init__(self) -> None:
        """Keep what the functions may write into of the module itself: numbers, arrays and lists of its own."""
        used = {node.id for each in self.found.all() for node in ast.walk(each.node) if isinstance(node, ast.Name)}
        self._kept = {
            name: (value, copy.deepcopy(value))
            for name, value in self.namespace.items()
            if name in used and _small(value)
        }

    @property
    def urgent(self) -> tuple[type[BaseException], ...]:
        """What is never taken for a failure of the code: its time is over, or somebody at the keyboard wants an end."""
        return (OutOfTime,) if self.limited else (OutOfTime, KeyboardInterrupt)

    def restore(self) -> None:
        """Put the module's own numbers, arrays and lists back to what they were when the file was loaded."""
        for name, (value, saved) in self._kept.items():
            if isinstance(value, np.ndarray):
                value[...] = saved
            elif isinstance(value, list):
                value[:] = copy.deepcopy(saved)
            elif isinstance(value, dict):
                value.clear()
                value.update(copy.deepcopy(saved))
            self.namespace[name] = value

    def evaluate(self, node: ast.expr) -> Any:
        code = compile(ast.Expression(node), "<argument>", "eval")
        return self.run(lambda: eval(code, dict(self.namespace)))

    def run(self, call: Any, seconds: float = 1.0) -> Any:
        """What `call()` returns; raises RuntimeError with a sentence where it fails."""
        if not self.limited:
            return call()
        value, failure = attempt(call, seconds, self.filename)
        if failure:
            raise RuntimeError(failure)
        return value


@dataclass
class Home:
    """kind      "self", "params", "arguments" or "globals"
    template     the object, container or dict of arguments in which the slots are
    slots        the places of the parameters within it, in our order
    sizes        (d, h1, …, K)
    construct    makes another template where this one cannot be copied; of a class that keeps no weights, its object
    """

    kind: str
    template: Any
    slots: list[Slot]
    sizes: tuple[int, ...]
    construct: Any = None
    initialise: Function | None = None
    fixed: bool = False
    data: dict[str, str] = field(default_factory=dict)  # attribute of the object → "X" or "Y", where it keeps them
    theirs: "Home | None" = None  # as the file's own initialiser makes it, where ours differs from it in size

    def fresh(self) -> Any:
        try:
            return copy.deepcopy(self.template)
        except Exception:
            return self.construct() if self.construct else self.template


def _small(value: Any) -> bool:
    if isinstance(value, np.ndarray):
        return value.size < 10_000 and value.dtype.kind in "fiub" and value.flags.writeable
    if isinstance(value, list | dict):
        return len(value) < 100 and all(_small(each) for each in (value.values() if isinstance(value, dict) else value))
    return isinstance(value, int | float | str) or value is None


def several_sizes(hint: Sequence[int] | None, outputs: int) -> list[tuple[int, ...]]:
    """Sizes to try: as many layers as the file's own, then two hidden layers, one, three, none; then the file's own."""
    hidden = [2, 1, 3, 0]
    if hint is not None and 2 <= len(hint) <= 5:
        hidden = [len(hint) - 2, *(each for each in hidden if each != len(hint) - 2)]
    own = [tuple(hint)] if hint is not None and 2 <= len(hint) <= 5 and max(hint) <= LARGEST else []
    return [*((WIDTHS[0], *WIDTHS[1 : 1 + count], outputs) for count in hidden), *own]


def homes(subject: Subject, plan: Plan, outputs: int, extra: dict[str, Any]) -> Iterator[Home]:
    """Every home that the code of `plan` could mean, the likeliest first."""
    if plan.owner:
        yield from _objects(subject, plan, outputs, extra)
    else:
        yield from _initialised(subject, plan, outputs, extra)
        yield from _named(subject, plan, outputs)


def _objects(subject: Subject, plan: Plan, outputs: int, extra: dict[str, Any]) -> Iterator[Home]:
    kind = subject.namespace.get(plan.owner)
    if not isinstance(kind, type):
        return
    methods = subject.found.classes[plan.owner]
    constructor = methods.get("__init__")
    hint = _own_sizes(subject, plan.owner)
    seen: set[tuple[int, ...]] = set()
    for sizes in several_sizes(hint, outputs):
        arguments: dict[str, Any] | None = {}
        if constructor is not None:
            data = extra | {"X": np.ones((SAMPLES[0], sizes[0])), "Y": np.ones((SAMPLES[0], sizes[-1]))}
            arguments = bound.sized(subject.found, constructor, plan.owner, sizes, subject.evaluate, data)
        if arguments is None:
            continue

        def construct(arguments: dict[str, Any] = arguments, sizes: tuple[int, ...] = sizes) -> Any:
            made = kind(**arguments)
            if not discover(made, None, subject.own):
                _furnish(subject, made, methods, sizes, extra)
            return made

        try:
            instance = subject.run(construct)
        except Exception:
            continue
        slots = discover(instance, sizes, subject.own)
        fixed = not slots
        if fixed:
            found = [(path, value, shape_of(value)) for path, value in leaves(instance, subject.own)]
            actual = infer_sizes(found)
            slots = discover(instance, None, subject.own)
            if not slots or actual is None:
                continue
            fixed = actual[0] != sizes[0] or actual[-1] != sizes[-1]
            sizes = actual
        if sizes not in seen:
            seen.add(sizes)
            yield Home("self", instance, slots, sizes, construct, constructor, fixed, _data(instance, arguments))
    if constructor is None or not constructor.arguments:
        yield from _stateless(subject, plan, kind, outputs, extra)


def _data(instance: Any, arguments: dict[str, Any]) -> dict[str, str]:
    """The attributes in which an object keeps the X and Y that it was made with."""
    kept = {}
    for name, value in vars(instance).items():
        if isinstance(value, np.ndarray):
            for argument, given in arguments.items():
                if value is given or (isinstance(given, np.ndarray) and np.shares_memory(value, given)):
                    kept[name] = "X" if vocabulary.DATA.match(plain(argument)) else "Y"
    return kept


def _furnish(
    subject: Subject, made: Any, methods: dict[str, Function], sizes: Sequence[int], extra: dict[str, Any]
) -> None:
    """Call the initialising method of an object that has no weights yet."""
    for function in ranked(methods.values(), "initialise"):
        arguments = bound.sized(subject.found, function, function.name, sizes, subject.evaluate, extra)
        if arguments is not None:
            getattr(made, function.name)(**arguments)
            return


def _stateless(subject: Subject, plan: Plan, kind: type, outputs: int, extra: dict[str, Any]) -> Iterator[Home]:
    """A class whose methods are handed their parameters, like functions."""
    try:
        subject.run(kind)
    except Exception:
        return
    for home in (*_initialised(subject, plan, outputs, extra), *_named(subject, plan, outputs)):
        yield replace(home, construct=kind)


def _own_sizes(subject: Subject, name: str) -> list[int] | None:
    """The sizes that the file's own call asks for, [784, 300, 10], where it says them."""
    call = callsite(subject.found, name)
    if call is None:
        return None
    numbers: list[int] = []
    for node in [*call.args, *(keyword.value for keyword in call.keywords)]:
        try:
            value = subject.evaluate(node)
        except Exception:
            continue
        if (
            isinstance(value, list | tuple)
            and all(isinstance(each, int | np.integer) for each in value)
            and len(value) > 1
        ):
            return [int(each) for each in value]
        if isinstance(value, int | np.integer) and not isinstance(value, bool) and value > 0:
            numbers.append(int(value))
    return None if len(numbers) < 2 else numbers[:3]


def own_outputs(subject: Subject, name: str) -> int | None:
    """How many outputs the file's own call of a constructor or initialiser asks for; None where it does not say."""
    sizes = _own_sizes(subject, name)
    return sizes[-1] if sizes and len(sizes) > 1 else None


def _initialised(subject: Subject, plan: Plan, outputs: int, extra: dict[str, Any]) -> Iterator[Home]:
    """What an initialiser of the module returns: taken whole, or as arguments by their names where it is several."""
    known = subject.found.functions
    named = [known[subject.initialiser]] if subject.initialiser else ranked(known.values(), "initialise")
    for function in named[:3]:
        hint = _own_sizes(subject, function.name)
        seen: set[tuple[int, ...]] = set()
        for sizes in several_sizes(hint, outputs):
            arguments = bound.sized(subject.found, function, function.name, sizes, subject.evaluate, extra)
            if arguments is None:
                break
            try:
                made = subject.run(lambda a=arguments, f=function: subject.namespace[f.name](**copy.deepcopy(a)))
            except Exception:
                continue
            for home in _homes_of(subject, plan, function, made, sizes):
                if home.sizes not in seen:
                    yield home
            for home in _homes_of(subject, plan, function, made, sizes):
                seen.add(home.sizes)


def _homes_of(subject: Subject, plan: Plan, function: Function, made: Any, sizes: tuple[int, ...]) -> Iterator[Home]:
    names = _names_of_result(subject, function)
    separate = isinstance(made, tuple | list) and len(names) == len(made) and all(names)
    container = dict(zip(names, made, strict=True)) if separate else made
    if separate and not _takes_separately(plan, names):
        separate, container = False, made
    kind = "arguments" if separate else "params"
    if not separate and isinstance(made, dict) and _takes_separately(plan, tuple(map(str, made))):
        kind = "arguments"
    slots = _labelled(discover(container, sizes, subject.own), container, names)
    if slots:
        yield Home(kind, container, slots, sizes, None, function)
        return
    found = [(path, value, shape_of(value)) for path, value in leaves(container, subject.own)]
    actual = infer_sizes(found)
    slots = _labelled(discover(container, None, subject.own), container, names)
    if slots and actual is not None and (actual[0], actual[-1]) == (sizes[0], sizes[-1]):
        yield Home(kind, container, slots, actual, None, function)
    elif slots and actual is not None:
        theirs = Home(kind, container, slots, actual, None, function, True)
        roomy = _resized(container, slots, actual, sizes[-1])
        if roomy is not None:
            yield Home(kind, roomy[0], roomy[1], roomy[2], None, function, True, theirs=theirs)
        yield theirs


def _labelled(slots: list[Slot], container: Any, names: Sequence[str]) -> list[Slot]:
    """Of a tuple W1, b1, W2, b2 that is handed on whole, the slots by these names."""
    if not isinstance(container, tuple | list) or len(names) != len(container) or not all(names):
        return slots
    return [replace(slot, label=names[slot.path[0][1]]) if len(slot.path) == 1 else slot for slot in slots]


def _resized(
    container: Any, slots: list[Slot], actual: tuple[int, ...], outputs: int
) -> tuple[Any, list[Slot], tuple[int, ...]] | None:
    """The same container with our sizes, where it holds nothing but parameters."""
    if len(list(leaves(container))) != len(slots) or any(
        slot.form in ("vector", "extra row", "extra column") for slot in slots
    ):
        return None
    sizes = (WIDTHS[0], *WIDTHS[1 : len(actual) - 1], outputs)
    new = []
    for slot in slots:
        l = int(slot.name[1:])
        shape: tuple[int, ...] = (sizes[l - 1], sizes[l])
        if slot.name.startswith("b"):
            shape = _wide(sizes[l], slot.form)
        elif slot.flipped:
            shape = shape[::-1]
        new.append(replace(slot, shape=shape))
    return container, new, sizes


def _names_of_result(subject: Subject, function: Function) -> tuple[str, ...]:
    returned = function.returned
    if len(returned) > 1 and all(returned):
        return returned
    for targets in subject.found.targets.get(function.name, []):
        if len(targets) > 1 and all(targets):
            return targets
    return returned


def _takes_separately(plan: Plan, names: Sequence[str]) -> bool:
    """Whether forward or backward takes one of these by its name."""
    taken = {each for function in (plan.forward, plan.backward) if function for each in function.arguments}
    return bool(taken & set(names))


def _named(subject: Subject, plan: Plan, outputs: int) -> Iterator[Home]:
    """Parameters that only the names in forward tell of; their shapes are tried."""
    function = plan.forward or plan.backward
    for kind, names in _name_sources(subject, function):
        weights = [each for each in names if vocabulary.is_weight(each)]
        biases = [each for each in names if vocabulary.is_bias(each)]
        weights, biases = _by_number(weights), _by_number(_completed(weights, biases))
        if not weights or (biases and len(biases) != len(weights)):
            continue
        sizes = (WIDTHS[0], *WIDTHS[1 : len(weights)], outputs)
        forms = ("(h,)", "(1, h)", "(h, 1)") if biases else ("", "extra")
        for form, flipped in itertools.product(forms, (False, True)):
            yield _furnished(kind, weights, biases, sizes, flipped, form)
    layers = _layer_arguments(function)
    if layers:
        sizes = (WIDTHS[0], *WIDTHS[1 : len(layers)], outputs)
        for form, flipped in itertools.product(("(h,)", "(1, h)", "(h, 1)"), (False, True)):
            yield _layered(layers, sizes, flipped, form)
    for kind, argument in _list_sources(function):
        for count in (1, 2):
            sizes = (WIDTHS[0], *WIDTHS[1 : 1 + count], outputs)
            for flipped, form in itertools.product((False, True), ("(h,)", "(1, h)", "(h, 1)")):
                yield _listed(kind, argument, sizes, flipped, form)


def _by_number(names: Sequence[str]) -> list[str]:
    """W1, W2, W3, in whatever order they came; names without numbers as they came."""
    numbers = [re.search(r"\d+", each) for each in names]
    if not all(numbers):
        return list(names)
    return [
        each
        for _, each in sorted(
            (int(number.group()), each) for number, each in zip(numbers, names, strict=True) if number
        )
    ]


def _completed(weights: Sequence[str], biases: Sequence[str]) -> list[str]:
    """The biases, with b2 where W2 has none but W1 has b1: a forward pass may have forgotten it."""
    if not biases or len(biases) >= len(weights):
        return list(biases)
    number = re.search(r"\d+", biases[0])
    numbers = [re.search(r"\d+", each) for each in weights]
    if number is None or not all(numbers):
        return list(biases)
    return [biases[0].replace(number.group(), each.group()) for each in numbers if each is not None]


def _shape(l: int, sizes: Sequence[int], flipped: bool) -> tuple[int, ...]:
    return (sizes[l], sizes[l - 1]) if flipped else (sizes[l - 1], sizes[l])


def _furnished(
    kind: str, weights: Sequence[str], biases: Sequence[str], sizes: tuple[int, ...], flipped: bool, form: str
) -> Home:
    template: dict[str, Any] = {}
    slots: list[Slot] = []
    for l, weight in enumerate(weights, 1):
        step: Path = (("key", weight),)
        shape, whole = _shape(l, sizes, flipped), ""
        if form == "extra":
            whole = "extra column" if flipped else "extra row"
            shape = (shape[0], shape[1] + 1) if flipped else (shape[0] + 1, shape[1])
        template[weight] = np.zeros(shape)
        slots.append(Slot(f"W{l}", step, flipped, whole, False, shape))
        if biases:
            bias = biases[l - 1]
            wide = _wide(sizes[l], form)
            template[bias] = np.zeros(wide)
            slots.append(Slot(f"b{l}", (("key", bias),), False, form, False, wide))
    if kind == "params tuple":
        return Home("params", tuple(template.values()), _indexed(slots, list(template)), sizes)
    return Home(kind, template, slots, sizes)


def _indexed(slots: Sequence[Slot], names: Sequence[str]) -> list[Slot]:
    """The slots of a tuple that has these names."""
    return [replace(slot, path=(("index", names.index(slot.word)),), label=slot.word) for slot in slots]


def _listed(kind: str, names: tuple[str, ...], sizes: tuple[int, ...], flipped: bool, form: str) -> Home:
    """`weights`, `biases` as two lists."""
    template: dict[str, Any] = {name: [] for name in names}
    slots: list[Slot] = []
    for l in range(1, len(sizes)):
        shape = _shape(l, sizes, flipped)
        template[names[0]].append(np.zeros(shape))
        slots.append(Slot(f"W{l}", (("key", names[0]), ("index", l - 1)), flipped, "", False, shape))
        if len(names) > 1:
            wide = _wide(sizes[l], form)
            template[names[1]].append(np.zeros(wide))
            slots.append(Slot(f"b{l}", (("key", names[1]), ("index", l - 1)), False, form, False, wide))
    return Home(kind, template, slots, sizes)


def _layer_arguments(function: Function) -> list[str]:
    """`layer1, layer2`: arguments that are (W, b) of one layer each."""
    names = [
        each for each in function.arguments if re.fullmatch(r"(layer|l|params?|theta|affine|dense)_?\d", each.lower())
    ]
    return names if [int(each[-1]) for each in names] == list(range(1, len(names) + 1)) else []


def _layered(names: Sequence[str], sizes: tuple[int, ...], flipped: bool, form: str) -> Home:
    template: dict[str, Any] = {}
    slots: list[Slot] = []
    for l, name in enumerate(names, 1):
        shape, wide = _shape(l, sizes, flipped), _wide(sizes[l], form)
        template[name] = (np.zeros(shape), np.zeros(wide))
        slots.append(Slot(f"W{l}", (("key", name), ("index", 0)), flipped, "", False, shape))
        slots.append(Slot(f"b{l}", (("key", name), ("index", 1)), False, form, False, wide))
    return Home("arguments", template, slots, sizes)


def _wide(width: int, form: str) -> tuple[int, ...]:
    shapes: dict[str, tuple[int, ...]] = {"(h,)": (width,), "(1, h)": (1, width), "(h, 1)": (width, 1)}
    return shapes[form]


def _name_sources(subject: Subject, function: Function) -> Iterator[tuple[str, list[str]]]:
    separate = [each for each in function.arguments if _like_parameter(each)]
    if separate:
        yield "arguments", separate
    keys = _keys(subject, function)
    if keys:
        yield "params", keys
    unpacked = _unpacked(function)
    if unpacked:
        yield "params tuple", unpacked
    bound_names = {
        node.id for node in own_nodes(function.node) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
    }
    loaded = [
        node.id
        for node in ast.walk(function.node)
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load) and _like_parameter(node.id)
    ]
    outer = [each for each in dict.fromkeys(loaded) if each not in bound_names and each not in function.arguments]
    outer = [each for each in outer if not callable(subject.namespace.get(each))]
    if outer:
        yield "globals", outer


def _like_parameter(name: str) -> bool:
    word = plain(name)
    if (
        vocabulary.DATA.match(word)
        or vocabulary.RATE.match(word)
        or vocabulary.PENALTY.match(word)
        or word in ("batch", "m")
    ):
        return False
    if word in ("params", "parameters", "weights", "biases", "theta", "batchsize") or vocabulary.BATCH_SIZE.match(word):
        return False
    return vocabulary.is_weight(name) or vocabulary.is_bias(name)


def _keys(subject: Subject, function: Function) -> list[str]:
    """The keys of an argument that are read, parameters["W1"]; a bias that only other functions know joins them."""
    keys = _read_keys(function)
    if keys:
        others = [key for each in subject.found.functions.values() for key in _read_keys(each)]
        return list(dict.fromkeys([*keys, *others]))
    text = ast.unparse(function.node)
    if any(pattern in text for pattern in ("'W' + str", "f'W{")):
        return ["W1", "b1", "W2", "b2"]
    return []


def _read_keys(function: Function) -> list[str]:
    """Of entries that are read or, as `grads["b2"]` or {"b2": …}, given back."""
    keys: dict[str, None] = {}
    for node in sorted(
        own_nodes(function.node), key=lambda each: (getattr(each, "lineno", 0), getattr(each, "col_offset", 0))
    ):
        found: list[ast.expr | None] = []
        if isinstance(node, ast.Subscript) and isinstance(node.value, ast.Name):
            found = [node.slice]
        elif isinstance(node, ast.Dict):
            found = list(node.keys)
        for key in found:
            name = key.value if isinstance(key, ast.Constant) else None
            if isinstance(name, str) and _like_parameter(name) and not vocabulary.gradient_of(name):
                keys[name] = None
    return list(keys)


def _unpacked(function: Function) -> list[str]:
    """`W1, b1, W2, b2 = params`."""
    for node in own_nodes(function.node):
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Name) and node.value.id in function.arguments:
            target = node.targets[0]
            names = [written(each) for each in target.elts] if isinstance(target, ast.Tuple) else []
            if names and all(_like_parameter(each) for each in names):
                return names
    return []


def _list_sources(function: Function) -> Iterator[tuple[str, tuple[str, ...]]]:
    weights = [each for each in function.arguments if plain(each) in ("weights", "ws", "w", "thetas", "weightmatrices")]
    biases = [each for each in function.arguments if plain(each) in ("biases", "bs", "b", "bias", "biasvectors")]
    if weights:
        yield "arguments", (weights[0], *biases[:1])


def path_names(home: Home) -> dict[str, str]:
    """Our name of each parameter → the user's."""
    prefix = {"self": "self", "params": "params"}.get(home.kind, "")
    names = {}
    for slot in home.slots:
        if slot.label:
            names[slot.name] = slot.label
        elif prefix == "self":
            names[slot.name] = f"self.{slot.words}"
        elif prefix:
            names[slot.name] = last_name(slot.path) if not slot.words else f"{prefix}{slot.words}"
        else:
            (_, first), rest = slot.path[0], slot.path[1:]
            names[slot.name] = str(first) + Slot("", rest).words
    return names
