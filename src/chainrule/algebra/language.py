"""The language: lines in Python's own syntax, read from their syntax tree and never evaluated.

    x: N                        # shapes, here or in a mapping
    W: K,N
    z = W @ x
    E = sum(tanh(z)**2) / 2

A line names a result; the last one is what is differentiated. Functions bear NumPy's and SciPy's names and mean the
same.
"""

import ast
import math
import re
import unicodedata
import warnings
from collections.abc import Mapping
from fractions import Fraction
from typing import Any

from chainrule.algebra import functions
from chainrule.algebra.calls import CALLS, Arguments
from chainrule.algebra.program import Line, Program
from chainrule.algebra.sizes import Shape, Size, number_size, read_shape, shape_text, symbols
from chainrule.algebra.tree import ExpressionError, Node, Place, ShapeError, Slice, node, number, size_node, variable
from chainrule.errors import InputError, shown, unknown_name

LONGEST = 20_000  # characters of a source
DEEPEST = 60  # levels of one expression
MOST_LINES = 500

_DECLARATION = re.compile(r"^\s*([^\W\d]\w*)\s*:(?![=])\s*([^=#]*?)\s*(#.*)?$")
_ARITHMETIC: dict[type, str] = {
    ast.Add: "add",
    ast.Sub: "subtract",
    ast.Mult: "multiply",
    ast.Div: "divide",
    ast.Pow: "power",
    ast.MatMult: "matmul",
}
_COMPARED: dict[type, str] = {ast.Gt: "greater", ast.GtE: "greater_equal", ast.Lt: "less", ast.LtE: "less_equal"}


def valid_names() -> list[str]:
    """Every function that the language knows."""
    return sorted({*functions.names(), *CALLS})


def read(source: str, shapes: Mapping[str, Any] | None = None, *, alike: bool = False) -> Program:
    """The program that `source` writes, with the shapes of `shapes` and of its own declarations.

    With `alike` all symbols of sizes are taken for one, the first: what only fits where N = K is read then.

    Raises ExpressionError with the place for everything that is not in the language.
    """
    if not isinstance(source, str):
        raise InputError(f"{shown(source)} is no expression", 'Give text, such as "E = sum((W @ x - y)**2)".')
    if len(source) > LONGEST:
        raise ExpressionError(
            f"the source has {len(source):,} characters", f"At most {LONGEST:,} are read; name parts and split it."
        )
    declared: dict[str, Shape] = {}
    for name, given in dict(shapes or {}).items():
        name = normal(name)
        _refuse_reserved(name, None)
        declared[name] = read_shape(name, given)
    code, in_text = _declarations(source)
    for name, shape in in_text.items():
        if name in declared and declared[name] != shape:
            raise ExpressionError(
                f"{name} is declared twice: {shape_text(declared[name])} and {shape_text(shape)}", "Keep one of them."
            )
        declared[name] = shape
    return _Reader(code, declared, alike).program()


def normal(name: object) -> str:
    """A name as Python reads it: the micro sign is the Greek letter, ﬁ is fi."""
    return unicodedata.normalize("NFKC", str(name))


def _declarations(source: str) -> tuple[str, dict[str, Shape]]:
    """The source with its declaration lines blanked, and the shapes that they declare."""
    lines = source.expandtabs().splitlines()
    declared: dict[str, Shape] = {}
    for at, line in enumerate(lines):
        match = _DECLARATION.match(line)
        if match is None:
            continue
        place = Place(at + 1, line.index(match[1]) + 1, line.strip())
        name = normal(match[1])
        _refuse_reserved(name, place)
        try:
            shape = read_shape(name, match[2].replace("scalar", "()") or None)
        except InputError as error:
            raise ExpressionError(error.problem, error.remedy, place) from None
        if declared.get(name, shape) != shape:
            raise ExpressionError(f"{name} is declared twice", "Keep one declaration.", place)
        declared[name] = shape
        lines[at] = ""
    return "\n".join(lines), declared


def _refuse_reserved(name: str, place: Place | None) -> None:
    if name in {*valid_names(), "pi", "linalg"} or name.startswith("__") or not name.isidentifier():
        kind = "a function of the language" if name.isidentifier() and not name.startswith("__") else "no name"
        raise ExpressionError(f"{shown(name)} is {kind} and cannot be a variable", "Choose another name.", place)


class _Reader:
    """Walks the syntax tree once, line by line, and builds nodes with shapes."""

    def __init__(self, code: str, declared: dict[str, Shape], alike: bool) -> None:
        names = symbols(declared.values())
        self.sizes = {name: Size(((names[0] if alike else name, 1),)) for name in names}
        if alike:
            declared = {name: tuple(size.among(self.sizes) for size in shape) for name, shape in declared.items()}
        self.code = code
        self.bytes = [line.encode(errors="replace") for line in code.split("\n")]
        self.known = dict(declared)
        self.inputs = dict(declared)
        self.defined: dict[str, int] = {}

    def program(self) -> Program:
        module = _parse(self.code)
        if len(module.body) > MOST_LINES:
            raise ExpressionError(f"the source has {len(module.body)} lines", f"At most {MOST_LINES} are read.")
        _refuse_depth(module, self)
        for both in sorted(set(self.sizes) & set(self.known)):
            raise ExpressionError(f"{both} is a size and a variable", "Rename one of the two.")
        for statement in module.body:
            if isinstance(statement, ast.Assign) and isinstance(statement.targets[0], ast.Name):
                self.defined.setdefault(statement.targets[0].id, statement.lineno)
        lines = [self.line(statement, statement is module.body[-1]) for statement in module.body]
        if not lines:
            raise ExpressionError("the source has no equation", 'Write one, such as "E = sum((W @ x - y)**2)".')
        used = {name for line in lines for name in line.expression.names}
        inputs = {name: shape for name, shape in self.inputs.items() if name in used}
        return Program(inputs, tuple(lines), dict(self.inputs))

    def place(self, tree: ast.AST) -> Place:
        first, last = getattr(tree, "lineno", 1), getattr(tree, "end_lineno", 1)
        start, end = getattr(tree, "col_offset", 0), getattr(tree, "end_col_offset", None)
        line = self.bytes[first - 1]
        text = line[start : end if first == last else None].decode(errors="replace")
        text = text if len(text) <= 60 else text[:57] + "…"
        return Place(first, len(line[:start].decode(errors="replace")) + 1, text)

    def refuse(self, problem: str, remedy: str, tree: ast.AST) -> ExpressionError:
        return ExpressionError(problem, remedy, self.place(tree))

    def line(self, statement: ast.stmt, last: bool) -> Line:
        if isinstance(statement, ast.Expr) and last:
            free = next(name for name in ("E", "F", "G", "H", "result_") if name not in self.known)
            expression = self.expression(statement.value)
            return self.define(free, expression, statement)
        if not isinstance(statement, ast.Assign) or len(statement.targets) != 1:
            raise self.refuse(
                f"{_called(statement)} is not in the language",
                "Each line is an equation: a name, =, an expression.",
                statement,
            )
        target = statement.targets[0]
        if not isinstance(target, ast.Name):
            raise self.refuse(f"{shown(self.place(target).text)} is no name", "Write a name left of =.", target)
        name = target.id
        _refuse_reserved(name, self.place(target))
        if name in self.sizes:
            raise self.refuse(f"{name} is a size and cannot be assigned", "Choose another name.", target)
        if any(isinstance(part, ast.Name) and part.id == name for part in ast.walk(statement.value)):
            raise self.refuse(
                f"{name} is defined by itself", "A name stands for one value; call the new one otherwise.", target
            )
        if name in self.known:
            kind = "an input with a declared shape" if name in self.inputs else f"defined in line {self.defined[name]}"
            raise self.refuse(
                f"{name} is {kind} and cannot be defined again",
                "A name stands for one value; call the new one otherwise.",
                target,
            )
        return self.define(name, self.expression(statement.value), statement)

    def define(self, name: str, expression: Node, statement: ast.stmt) -> Line:
        self.known[name] = expression.shape
        self.defined[name] = statement.lineno
        return Line(name, expression)

    def build(self, op: str, tree: ast.AST, *children: Node, data: Any = None) -> Node:
        try:
            return node(op, *children, data=data, place=self.place(tree))
        except ShapeError as error:
            place = self.place(tree)
            raise ExpressionError(f"{place.text}: {error.problem}", error.remedy, place, of_shapes=True) from None

    def expression(self, tree: ast.expr) -> Node:
        if isinstance(tree, ast.Name):
            return self.name(tree)
        if isinstance(tree, ast.Constant):
            return self.number(tree)
        if isinstance(tree, ast.BinOp) and type(tree.op) in _ARITHMETIC:
            return self.build(_ARITHMETIC[type(tree.op)], tree, self.expression(tree.left), self.expression(tree.right))
        if isinstance(tree, ast.UnaryOp) and isinstance(tree.op, ast.USub):
            return self.build("negative", tree, self.expression(tree.operand))
        if isinstance(tree, ast.UnaryOp) and isinstance(tree.op, ast.UAdd):
            return self.expression(tree.operand)
        if isinstance(tree, ast.Attribute):
            if tree.attr == "T":
                return self.build("transpose", tree, self.expression(tree.value))
            raise self.refuse(f".{tree.attr} is not in the language", "Of attributes there is only .T.", tree)
        if isinstance(tree, ast.Compare):
            return self.comparison(tree)
        if isinstance(tree, ast.Subscript):
            return self.subscript(tree)
        if isinstance(tree, ast.Call):
            return self.call(tree)
        raise self.refuse(
            f"{_called(tree)} is not in the language",
            "An expression is made of names, numbers, + - * / ** @ .T, slices and functions.",
            tree,
        )

    def name(self, tree: ast.Name) -> Node:
        name = tree.id
        if name in self.known:
            return variable(name, self.known[name], self.place(tree))
        if name in self.sizes:
            return size_node(self.sizes[name])
        if name == "pi":
            return Node("constant", (), (), "pi", math.pi)
        if name in self.defined:
            raise self.refuse(
                f"{name} is used before line {self.defined[name]} defines it",
                "A line uses only what stands above it; lines that need each other have no value.",
                tree,
            )
        if name in valid_names():
            raise self.refuse(f"{name} is a function", f"Give it an argument: {name}(…).", tree)
        error = unknown_name("name", name, {*self.known, *self.sizes} or {"none declared"})
        raise ExpressionError(error.problem, f"{error.remedy} Shapes are declared as x: N.", self.place(tree))

    def number(self, tree: ast.Constant) -> Node:
        value = tree.value
        if isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 1e300:
            return number(Fraction(repr(value)))
        raise self.refuse(f"{shown(value)} is no number of the language", "Write whole or decimal numbers.", tree)

    def comparison(self, tree: ast.Compare) -> Node:
        if len(tree.ops) != 1 or type(tree.ops[0]) not in _COMPARED:
            raise self.refuse("such a comparison is not in the language", "Compare two things by > >= < <=.", tree)
        rule = functions.function(_COMPARED[type(tree.ops[0])])
        return self.build("apply", tree, self.expression(tree.left), self.expression(tree.comparators[0]), data=rule)

    def subscript(self, tree: ast.Subscript) -> Node:
        whole = self.expression(tree.value)
        written = tree.slice.elts if isinstance(tree.slice, ast.Tuple) else [tree.slice]
        items: list[Any] = []
        axis = 0
        for part in written:
            if isinstance(part, ast.Constant) and part.value is None:
                items.append(None)
                continue
            if axis >= len(whole.shape):
                raise self.refuse(
                    f"{self.place(tree).text}: more indices than the shape {shape_text(whole.shape)} has axes",
                    "Give at most one index or slice for each axis.",
                    tree,
                )
            items.append(self.item(part, whole.shape[axis]))
            axis += 1
        return self.build("getitem", tree, whole, data=tuple(items))

    def item(self, part: ast.expr, size: Size) -> Any:
        if not isinstance(part, ast.Slice):
            return self.bound(part, size)
        if part.step is not None:
            raise self.refuse("a slice with a step is not in the language", "Write start:stop.", part)
        start = self.bound(part.lower, size) if part.lower is not None else number_size(0)
        stop = self.bound(part.upper, size) if part.upper is not None else size
        return Slice(start, stop)

    def bound(self, tree: ast.expr, size: Size) -> Size:
        """A whole number or sum of sizes; negative numbers count from the end."""
        value = self.size(tree)
        return size + value if not value.terms and value.constant < 0 else value

    def size(self, tree: ast.expr) -> Size:
        if isinstance(tree, ast.Name) and tree.id in self.sizes:
            return self.sizes[tree.id]
        if isinstance(tree, ast.Constant) and type(tree.value) is int and abs(tree.value) < 10**9:
            return number_size(tree.value)
        if isinstance(tree, ast.UnaryOp) and isinstance(tree.op, ast.USub):
            return number_size(0) - self.size(tree.operand)
        if isinstance(tree, ast.BinOp) and isinstance(tree.op, ast.Add | ast.Sub):
            left, right = self.size(tree.left), self.size(tree.right)
            return left + right if isinstance(tree.op, ast.Add) else left - right
        if isinstance(tree, ast.BinOp) and isinstance(tree.op, ast.Mult) and isinstance(tree.left, ast.Constant):
            count, size = self.size(tree.left).constant, self.size(tree.right)
            return Size(tuple((symbol, count * times) for symbol, times in size.terms), count * size.constant)
        raise self.refuse(
            f"{shown(self.place(tree).text)} is no size", "Write a whole number, a declared size, or their sum.", tree
        )

    def call(self, tree: ast.Call) -> Node:
        name = self.called_name(tree.func)
        arguments = Arguments(self, tree, name)
        if name in CALLS:
            return CALLS[name](arguments)
        rule = functions.function(name, ())
        count = rule.arity
        operands = [arguments.expression(f"argument {at + 1}") for at in range(count)]
        if functions.is_activation(name.partition(".")[0]):
            settings = arguments.settings()
            try:
                rule = functions.function(name, settings)
            except InputError as error:
                raise ExpressionError(error.problem, error.remedy, self.place(tree)) from None
        arguments.finish()
        if rule.name == "power":
            return self.build("power", tree, *operands)
        return self.build("apply", tree, *operands, data=rule)

    def called_name(self, tree: ast.expr) -> str:
        name = self.place(tree).text
        if isinstance(tree, ast.Name):
            if tree.id in valid_names() and tree.id != "linalg.norm":
                return tree.id
        elif isinstance(tree, ast.Attribute) and isinstance(tree.value, ast.Name):
            if (tree.value.id, tree.attr) == ("linalg", "norm"):
                return "linalg.norm"
            if tree.attr == "derivative" and functions.is_activation(tree.value.id):
                return f"{tree.value.id}.derivative"
        error = unknown_name("function", name, valid_names())
        raise ExpressionError(error.problem, error.remedy, self.place(tree))


_WORDS: dict[type, str] = {
    ast.Import: "import",
    ast.ImportFrom: "import",
    ast.Lambda: "lambda",
    ast.NamedExpr: "an assignment within an expression",
    ast.AugAssign: "an assignment that changes its name",
    ast.FunctionDef: "a definition of a function",
    ast.ClassDef: "a class",
    ast.ListComp: "a comprehension",
    ast.SetComp: "a comprehension",
    ast.DictComp: "a comprehension",
    ast.GeneratorExp: "a comprehension",
    ast.JoinedStr: "a string",
    ast.Expr: "an expression without a name before the last line",
    ast.For: "a loop",
    ast.While: "a loop",
}


def _called(tree: ast.AST) -> str:
    return _WORDS.get(type(tree), f"{type(tree).__name__!r} of Python's syntax")


def _parse(code: str) -> ast.Module:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Python's opinion of a backslash is no news to the reader
            return ast.parse(code)
    except SyntaxError as error:
        line = error.lineno or 1
        text = (error.text or "").strip()
        place = Place(line, error.offset or 1, text[:60])
        raise ExpressionError(
            f"{shown(text)} is not Python's syntax: {error.msg}", "Write one equation a line, as in NumPy.", place
        ) from None
    except (RecursionError, MemoryError, ValueError):
        raise ExpressionError("the source nests too deeply or holds no text", "Name intermediate results.") from None


def _refuse_depth(module: ast.Module, reader: _Reader) -> None:
    """Raise ExpressionError where an expression is deeper than DEEPEST levels; walks without recursion."""
    stack: list[tuple[ast.AST, int]] = [(statement, 0) for statement in module.body]
    while stack:
        tree, depth = stack.pop()
        if depth > DEEPEST and isinstance(tree, ast.expr):
            raise reader.refuse(
                f"the expression nests deeper than {DEEPEST} levels",
                "Give parts of it names in lines of their own.",
                tree,
            )
        stack.extend((child, depth + 1) for child in ast.iter_child_nodes(tree) if not _is_mark(child))


def _is_mark(tree: ast.AST) -> bool:
    return isinstance(tree, ast.expr_context | ast.operator | ast.unaryop | ast.cmpop)
