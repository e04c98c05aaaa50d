"""Functions that only compiled code calls: the processor's code is made of what calls them, and once.

Numba optimises each function by itself and turns it into code, and does so again wherever it is built in. Of a hundred
small functions that takes four times as long as the whole that comes of them.
"""

from typing import Any

from numba import njit
from numba.core.codegen import JITCodeLibrary
from numba.core.compiler import Compiler


class _Part(JITCodeLibrary):
    """The code of a function as its callers build it in: neither optimised nor made ready to run."""

    def _optimize_final_module(self) -> None:
        pass

    def _finalize_final_module(self) -> None:
        self._finalized = True

    def get_pointer_to_function(self, name: str) -> int:
        self._ensure_finalized()
        return 0

    @property
    def codegen(self) -> Any:
        return _NoGlobals()


class _NoGlobals:
    def set_env(self, name: str, environment: Any) -> None:
        """Nothing: a global variable has an address only in code that is ready to run."""


class _Compiler(Compiler):
    def define_pipelines(self) -> Any:
        self.state.library = _Part(self.state.targetctx.codegen(), self.state.func_id.func_qualname)
        return super().define_pipelines()


# No fast mathematics: whether a multiplication and an addition are fused must not hang on where a function is inlined,
# or the bits would. The tile alone asks for it, on every term.
kernel: Any = njit(
    error_model="numpy", nogil=True, no_cpython_wrapper=True, no_cfunc_wrapper=True, pipeline_class=_Compiler
)
