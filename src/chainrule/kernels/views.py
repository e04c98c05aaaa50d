"""Arrays at addresses: how kernels reach the memory that a job names."""

from typing import Any

from llvmlite import ir
from numba import types
from numba.extending import intrinsic
from numba.np.arrayobj import populate_array

from chainrule.kernels.parts import kernel
from chainrule.kernels.tiles import lanes


def _make_array(context: Any, builder: Any, kind: Any, address: Any, count: Any) -> Any:
    """The value of a one-dimensional array of `count` numbers from `address` on."""
    array = context.make_array(kind)(context, builder)
    size = context.get_constant(types.intp, context.get_abi_sizeof(context.get_data_type(kind.dtype)))
    populate_array(
        array,
        data=builder.inttoptr(address, array.data.type),
        shape=[count],
        strides=[size],
        itemsize=size,
        meminfo=None,
    )
    return array._getvalue()


@intrinsic
def view(typing: Any, address: Any, count: Any, like: Any) -> Any:
    """`count` numbers of the type of `like` from `address` on."""
    kind = types.Array(like, 1, "C")

    def emit(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return _make_array(context, builder, kind, arguments[0], arguments[1])

    return kind(types.int64, types.int64, like), emit


@intrinsic
def integers(typing: Any, address: Any, count: Any) -> Any:
    """`count` int64 from `address` on."""
    kind = types.Array(types.int64, 1, "C")

    def emit(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return _make_array(context, builder, kind, arguments[0], arguments[1])

    return kind(types.int64, types.int64), emit


@intrinsic
def doubles(typing: Any, address: Any, count: Any) -> Any:
    """`count` float64 from `address` on."""
    kind = types.Array(types.float64, 1, "C")

    def emit(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return _make_array(context, builder, kind, arguments[0], arguments[1])

    return kind(types.int64, types.int64), emit


@intrinsic
def reals(typing: Any, job: Any, base: Any, offset: Any, count: Any) -> Any:
    """`count` numbers of the network's type, `offset` numbers after the address `base`."""
    kind = types.Array(job.field("one")[0], 1, "C")

    def emit(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        size = ir.IntType(64)(4 if kind.dtype == types.float32 else 8)
        address = builder.add(arguments[1], builder.mul(arguments[2], size))
        return _make_array(context, builder, kind, address, arguments[3])

    return kind(job, types.int64, types.int64, types.int64), emit


@intrinsic
def lanes_of(typing: Any, array: Any) -> Any:
    """Numbers of an array's type in a vector of the processor: a constant for the compiler, which knows no other way
    how often a loop over one vector turns."""

    def emit(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return ir.IntType(64)(lanes(array.dtype.bitwidth // 8))

    return types.int64(array), emit


@kernel
def place(job, offset):
    """The address of a number of the workspace."""
    return job.ws + offset * job.itemsize
