"""The register tile: a block of a matrix product held in vector registers from its first term to its last.

    C[r, :] = S(r, :) + Σ_k A(r, k) · B(k, :)      r = 0 … height − 1;  S, B and C are `vectors` vectors wide

A(r, k) is the number at a + rows[r]·row_step + a_list[k]·a_step, B(k, :) starts at b + b_list[k]·b_step and S(r, :) at
s + r·s_step, so that one tile reads batches through their row numbers, leaves out terms that are zero, reads columns of
a matrix as its rows, and begins with a bias, with zeros or with what stands in C. It is emitted as LLVM vectors, which
each processor gets in its own instructions. An element is one chain of fused multiply-adds in the order of k, whatever
the shape of the tile and wherever a sum is put down and taken up again, so that bits do not depend on how the work is
divided.
"""

from typing import Any

from llvmlite import ir
from llvmlite.binding import get_host_cpu_features
from numba import types
from numba.extending import intrinsic

from chainrule.kernels.parts import kernel


def host_has(feature: str) -> bool:
    """Whether this processor has a feature, by LLVM's name; False where LLVM does not know the processor."""
    try:
        return bool(get_host_cpu_features().get(feature))
    except RuntimeError:
        return False


VECTOR_BYTES = 64 if host_has("avx512f") else 32
VECTORS = 4 if VECTOR_BYTES == 64 else 2  # vectors of a whole panel
# Heights by vectors, the tallest first: its sums, operands and factors together just fill the registers (32 with
# AVX-512, 16 with AVX2). Rows that are left over go through the lower ones.
HEIGHTS = (
    {4: (5, 1), 3: (7, 2, 1), 2: (10, 5, 2, 1), 1: (12, 6, 4, 2, 1)}
    if VECTOR_BYTES == 64
    else {2: (6, 2, 1), 1: (12, 6, 4, 2, 1)}
)


TERMS = 128  # terms summed in one go, a power of 2: so much of B stays in the nearest cache


def lanes(itemsize: int) -> int:
    """Numbers in a vector."""
    return VECTOR_BYTES // itemsize


@kernel
def rounded_up(count, step):
    """The least multiple of `step` from `count` on."""
    return (count + step - 1) // step * step


@intrinsic
def block(
    typing: Any,
    like: Any,
    a: Any,
    rows: Any,
    row_step: Any,
    a_list: Any,
    a_step: Any,
    b: Any,
    b_list: Any,
    b_step: Any,
    terms: Any,
    c: Any,
    c_step: Any,
    s: Any,
    s_step: Any,
    height: Any,
    vectors: Any,
) -> Any:
    """C for `height` rows and one panel of `vectors` vectors, by the tallest tiles that fit into what is left.

    Numbers are of the type of `like`. a, b, c, s are addresses of numbers; rows, a_list and b_list of int64; steps
    count numbers.
    """
    return types.void(like, *[types.int64] * 15), _emit_block


def _emit_block(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
    """A call of a function that is written once, so that the compiler does not meet all tiles wherever one is used."""
    single = signature.args[0] == types.float32
    name = f"chainrule_block_{'single' if single else 'double'}"
    function = builder.module.globals.get(name)
    if function is None:
        kinds = [argument.type for argument in arguments[1:]]
        function = ir.Function(builder.module, ir.FunctionType(ir.VoidType(), kinds), name)
        function.linkage = "linkonce_odr"
        function.attributes.add("noinline")
        inner = ir.IRBuilder(function.append_basic_block())
        _emit_rows(inner, ir.FloatType() if single else ir.DoubleType(), 4 if single else 8, *function.args)
        inner.ret_void()
    builder.call(function, arguments[1:])
    return context.get_dummy_value()


def _emit_rows(
    builder: Any, number: Any, size: int,
    a: Any, rows: Any, row_step: Any, a_list: Any, a_step: Any, b: Any, b_list: Any, b_step: Any,
    terms: Any, c: Any, c_step: Any, s: Any, s_step: Any, height: Any, vectors: Any,
) -> None:  # fmt: skip
    i64 = ir.IntType(64)
    row = builder.alloca(i64)
    for wide, heights in HEIGHTS.items():
        with builder.if_then(builder.icmp_signed("==", vectors, i64(wide))):
            builder.store(i64(0), row)
            for tall in heights:
                more, body, after = (builder.append_basic_block(f"rows.{name}") for name in ("more", "body", "after"))
                builder.branch(more)
                builder.position_at_end(more)
                r = builder.load(row)
                next_row = builder.add(r, i64(tall))
                builder.cbranch(builder.icmp_signed("<=", next_row, height), body, after)
                builder.position_at_end(body)
                rows_here = builder.add(rows, builder.mul(r, i64(8)))
                c_here = builder.add(c, builder.mul(builder.mul(r, c_step), i64(size)))
                s_here = builder.add(s, builder.mul(builder.mul(r, s_step), i64(size)))
                more_rows = builder.icmp_signed("<=", builder.add(next_row, i64(tall)), height)
                rows_next = builder.select(more_rows, builder.add(rows_here, i64(8 * tall)), rows_here)
                _emit_tile(
                    builder, number, size, tall, wide,
                    a, rows_here, rows_next, row_step, a_list, a_step, b, b_list, b_step,
                    terms, c_here, c_step, s_here, s_step,
                )  # fmt: skip
                builder.store(next_row, row)
                builder.branch(more)
                builder.position_at_end(after)


def _emit_tile(
    builder: Any, number: Any, size: int, height: int, vectors: int,
    a: Any, rows: Any, rows_next: Any, row_step: Any, a_list: Any, a_step: Any, b: Any, b_list: Any, b_step: Any,
    terms: Any, c: Any, c_step: Any, s: Any, s_step: Any,
) -> None:  # fmt: skip
    i64, width = ir.IntType(64), lanes(size)
    vector = ir.VectorType(number, width)
    undefined = ir.Constant(vector, ir.Undefined)
    spread = ir.Constant(ir.VectorType(ir.IntType(32), width), [0] * width)

    def pointer(address: Any, offset: Any, kind: Any) -> Any:
        return builder.gep(builder.inttoptr(address, kind.as_pointer()), [offset])

    def integer(address: Any, k: Any) -> Any:
        return builder.load(pointer(address, k, i64))

    def vector_at(address: Any, offset: Any) -> Any:
        return builder.bitcast(pointer(address, offset, number), vector.as_pointer())

    def block_at(address: Any, step: Any) -> list[Any]:
        return [
            vector_at(address, builder.add(builder.mul(step, i64(r)), i64(v * width)))
            for r in range(height)
            for v in range(vectors)
        ]

    cells = block_at(c, c_step)
    held = [builder.load(cell, align=size) for cell in block_at(s, s_step)]
    starts = [pointer(a, builder.mul(integer(rows, i64(r)), row_step), number) for r in range(height)]
    before = builder.block
    loop, end = builder.append_basic_block("terms"), builder.append_basic_block("sums")
    builder.cbranch(builder.icmp_signed(">", terms, i64(0)), loop, end)

    builder.position_at_end(loop)
    k = builder.phi(i64)
    sums = [builder.phi(vector) for _ in cells]
    a_offset = builder.mul(integer(a_list, k), a_step)
    b_offset = builder.mul(integer(b_list, k), b_step)
    if height > 1 and vectors > 1:  # narrow tiles have no time for it
        _emit_prefetch(builder, pointer, integer, number, height, k, a, rows_next, row_step, a_list, a_step, terms)
    operands = [builder.load(vector_at(b, builder.add(b_offset, i64(v * width))), align=size) for v in range(vectors)]
    results = []
    for r in range(height):
        scalar = builder.load(builder.gep(starts[r], [a_offset]))
        lane = builder.insert_element(undefined, scalar, ir.IntType(32)(0))
        factor = builder.shuffle_vector(lane, undefined, spread)
        for v, operand in enumerate(operands):
            term = builder.fmul(factor, operand, flags=("contract",))
            results.append(builder.fadd(sums[r * vectors + v], term, flags=("contract",)))
    after = builder.add(k, i64(1))
    k.add_incoming(i64(0), before)
    k.add_incoming(after, loop)
    for total, first, result in zip(sums, held, results, strict=True):
        total.add_incoming(first, before)
        total.add_incoming(result, loop)
    builder.cbranch(builder.icmp_signed("<", after, terms), loop, end)

    builder.position_at_end(end)
    totals = []
    for first, result in zip(held, results, strict=True):
        total = builder.phi(vector)
        total.add_incoming(first, before)
        total.add_incoming(result, loop)
        totals.append(total)
    for total, cell in zip(totals, cells, strict=True):
        builder.store(total, cell, align=size)


def _emit_prefetch(
    builder: Any, pointer: Any, integer: Any, number: Any, height: int,
    k: Any, a: Any, rows: Any, row_step: Any, a_list: Any, a_step: Any, terms: Any,
) -> None:  # fmt: skip
    """Fetch one number of the rows that the next tile reads; `height` numbers a term are more than enough for all."""
    i32, i64 = ir.IntType(32), ir.IntType(64)
    place = builder.mul(k, i64(height))
    last = builder.sub(terms, i64(1))
    term = builder.and_(place, i64(TERMS - 1))
    term = builder.select(builder.icmp_signed("<", term, last), term, last)
    row = builder.mul(integer(rows, builder.udiv(place, i64(TERMS))), row_step)
    offset = builder.add(row, builder.mul(integer(a_list, term), a_step))
    target = builder.bitcast(pointer(a, offset, number), ir.IntType(8).as_pointer())
    kind = ir.FunctionType(ir.VoidType(), [target.type, i32, i32, i32])
    prefetch = builder.module.declare_intrinsic("llvm.prefetch", [target.type], kind)
    builder.call(prefetch, [target, i32(0), i32(2), i32(1)])  # for reading, into the second cache, data
