"""Imports of somebody's code: what its passes do not need is put off, what is missing is bemoaned late.

A plotting library is replaced by one that draws nothing, a compiler by one that leaves functions as they are. Large
libraries are imported at the first use of one of their names; one that is not installed raises its error then, not
at the import. So code whose passes need NumPy alone starts in a moment and on every machine.
"""

import builtins
import importlib.util
import sys
import types
from collections.abc import Iterator
from typing import Any

PICTURES = frozenset({"matplotlib", "pylab", "mpl_toolkits", "seaborn", "plotly", "IPython", "graphviz", "tqdm"})
LARGE = frozenset(
    {
        "sklearn",
        "scipy",
        "pandas",
        "torch",
        "torchvision",
        "tensorflow",
        "keras",
        "jax",
        "cv2",
        "PIL",
        "skimage",
    }
)


class Nothing(types.ModuleType):
    """A module, function or object that accepts every use and does nothing."""

    def __init__(self, name: str = "nothing") -> None:
        super().__init__(name)
        self.__path__: list[str] = []

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return Nothing(name)

    def __call__(self, *arguments: Any, **named: Any) -> Any:
        return Nothing()

    def __iter__(self) -> Iterator[Any]:
        return iter((Nothing(), Nothing()))  # figure, axes = plt.subplots()

    def __getitem__(self, key: Any) -> Any:
        return Nothing()

    def __setitem__(self, key: Any, value: Any) -> None:
        pass

    def __enter__(self) -> Any:
        return self

    def __exit__(self, *error: Any) -> None:
        pass


def _through(iterable: Any = (), *arguments: Any, **named: Any) -> Any:
    """tqdm(iterable), trange(n)."""
    return iterable


class Late:
    """A name of a large or missing library, imported at its first use."""

    def __init__(self, module: str, name: str = "") -> None:
        self.__dict__.update(_module=module, _name=name)

    def _resolved(self) -> Any:
        module, name = self.__dict__["_module"], self.__dict__["_name"]
        value = _importing(module)
        for part in name.split(".") if name else ():
            try:
                value = getattr(value, part)
            except AttributeError:
                value = _importing(f"{value.__name__}.{part}")
        return value

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") and name != "__version__":
            raise AttributeError(name)
        inner = self.__dict__["_name"]
        return Late(self.__dict__["_module"], f"{inner}.{name}" if inner else name)

    def __call__(self, *arguments: Any, **named: Any) -> Any:
        return self._resolved()(*arguments, **named)

    def __mro_entries__(self, bases: Any) -> tuple[Any, ...]:
        return (self._resolved(),)

    def __deepcopy__(self, memo: Any) -> Any:
        return self


def _importing(name: str) -> Any:
    return _ordinary(name, None, None, ("",), 0)


_ordinary = builtins.__import__


def importing(filename: str) -> Any:
    """An `__import__` that puts off, replaces or bemoans late what `filename` imports; all else is ordinary."""

    def imports(name: str, globals_: Any = None, locals_: Any = None, wanted: Any = (), level: int = 0) -> Any:
        if level or not globals_ or globals_.get("__file__") != filename:
            return _ordinary(name, globals_, locals_, wanted, level)
        root = name.split(".")[0]
        if root in PICTURES:
            return _pictures(name, wanted)
        if root == "numba":
            return _uncompiled()
        if root in LARGE or not _present(root):
            return Late(name if wanted else root)
        return _ordinary(name, globals_, locals_, wanted, level)

    return imports


def _pictures(name: str, wanted: Any) -> Any:
    nothing = Nothing(name)
    for each in wanted or ():
        setattr(nothing, each, _through if each == "tqdm" else _count if each == "trange" else Nothing(each))
    if name.startswith("tqdm"):
        nothing.tqdm = _through  # type: ignore[attr-defined]
        nothing.trange = _count  # type: ignore[attr-defined]
        nothing.notebook = nothing  # type: ignore[attr-defined]
    return nothing


def _uncompiled() -> Any:
    """numba whose functions stay Python: they are watched line by line, and need no time to be compiled."""

    def decorated(*given: Any, **named: Any) -> Any:
        return given[0] if len(given) == 1 and callable(given[0]) and not named else lambda function: function

    module = Nothing("numba")
    vars(module).update(dict.fromkeys(("jit", "njit", "vectorize", "guvectorize", "jitclass"), decorated), prange=range)
    return module


def _count(*arguments: Any, **named: Any) -> Any:
    return range(*arguments)


def _present(root: str) -> bool:
    if root in sys.modules or root in sys.builtin_module_names:
        return True
    try:
        return importlib.util.find_spec(root) is not None
    except (ImportError, ValueError):
        return False
