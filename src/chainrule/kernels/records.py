"""Records at addresses: `job.rows` and `layer.width` in compiled code.

Numba's own record types get a number in each process for a name, by which compiled code from two processes is taken for
the same when both come from the cache. These are named by what they hold.
"""

from typing import Any

import numpy as np
from llvmlite import ir
from numba import from_dtype, types
from numba.core.imputils import lower_getattr_generic
from numba.core.typing.templates import AttributeTemplate, infer_getattr
from numba.extending import intrinsic, models, register_model

from chainrule.kernels.job import job_type
from chainrule.kernels.plan import LAYER


class Record(types.Type):
    """The type of a record whose fields are those of a NumPy dtype."""

    def __init__(self, name: str, dtype: np.dtype[Any]) -> None:
        self.dtype = dtype
        super().__init__(name=name)

    def field(self, name: str) -> tuple[Any, int]:
        """Numba's type of a field, and where it begins."""
        kind, offset = self.dtype[name], self.dtype.fields[name][1]  # type: ignore[index]
        return from_dtype(kind), offset


@register_model(Record)
class _Address(models.PrimitiveModel):
    def __init__(self, manager: Any, kind: Any) -> None:
        super().__init__(manager, kind, ir.IntType(64))


@infer_getattr
class _Fields(AttributeTemplate):
    key = Record

    def generic_resolve(self, record: Record, name: str) -> Any:
        return record.field(name)[0] if name in (record.dtype.names or ()) else None


@lower_getattr_generic(Record)
def _read(context: Any, builder: Any, record: Record, address: Any, name: str) -> Any:
    kind, offset = record.field(name)
    at = builder.add(address, ir.IntType(64)(offset))
    return builder.load(builder.inttoptr(at, context.get_data_type(kind).as_pointer()))


@intrinsic
def job_at(typing: Any, address: Any, one: Any) -> Any:
    """The job at an address, for networks of the type of `one`."""
    record = Record(f"Job({one})", job_type(np.dtype(one.name)))
    return record(types.int64, one), lambda context, builder, signature, arguments: arguments[0]


@intrinsic
def layer_of(typing: Any, job: Any, l: Any) -> Any:
    """Layer l of a job, from 0."""

    def emit(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        first = _read(context, builder, job, arguments[0], "layers")
        return builder.add(first, builder.mul(arguments[1], ir.IntType(64)(LAYER.itemsize)))

    return Record("Layer", LAYER)(job, types.int64), emit
