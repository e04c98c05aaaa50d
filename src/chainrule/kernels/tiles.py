"""The register tile: a block of a matrix product held in vector registers from its first term to its last.

    C[r, :] = Σ_k A(r, k) · B(k, :)        r = 0 … rows − 1;  B and C are `vectors` vectors wide

A(r, k) is the number at a + base[r] + a_list[k]·a_step and B(k, :) starts at b + b_list[k]·b_step, so that one tile
reads batches through their row numbers, and columns of a matrix as its rows. It is emitted as LLVM vectors, which each
processor gets in its own instructions. An element is one chain of fused multiply-adds in the order of k, whatever the
shape of the tile, so that bits do not depend on how the work is divided.
"""

from itertools import chain
from typing import Any

from llvmlite import ir
from llvmlite.binding import get_host_cpu_features
from numba import njit, types
from numba.extending import intrinsic

# No fast mathematics: whether a multiplication and an addition are fused must not hang on where a function is inlined,
# or the bits would. The tile alone asks for it, on every term.
kernel: Any = njit(cache=True, error_model="numpy", nogil=True)

VECTOR_BYTES = 64 if get_host_cpu_features().get("avx512f") else 32
VECTORS = 4 if VECTOR_BYTES == 64 else 2  # vectors of a whole panel
# Rows by vectors: sums, operands and factors together just fill the registers (32 with AVX-512, 16 with AVX2).
ROWS = {4: 5, 3: 7, 2: 10, 1: 12} if VECTOR_BYTES == 64 else {2: 4, 1: 8}
MOST_ROWS = max(ROWS.values())


def lanes(itemsize: int) -> int:
    """Numbers in a vector."""
    return VECTOR_BYTES // itemsize


def make_tile(rows: int, vectors: int) -> Any:
    """tile(like, a, base, a_list, a_step, b, b_list, b_step, terms, c, c_step) for arrays of `like`'s dtype.

    a, b, c are addresses of numbers, base, a_list and b_list of int64; steps count numbers.
    """

    @intrinsic
    def tile(
        typing: Any,
        like: Any,
        a: Any,
        base: Any,
        a_list: Any,
        a_step: Any,
        b: Any,
        b_list: Any,
        b_step: Any,
        terms: Any,
        c: Any,
        c_step: Any,
    ) -> Any:
        return types.void(like, *[types.int64] * 10), _emitter(rows, vectors, like.dtype == types.float32)

    return tile


def _emitter(rows: int, vectors: int, single: bool) -> Any:
    number, size = (ir.FloatType(), 4) if single else (ir.DoubleType(), 8)
    i64, width = ir.IntType(64), lanes(size)
    vector = ir.VectorType(number, width)
    undefined, zero = ir.Constant(vector, ir.Undefined), ir.Constant(vector, [0.0] * width)
    spread = ir.Constant(ir.VectorType(ir.IntType(32), width), [0] * width)

    def emit(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        _, a, base, a_list, a_step, b, b_list, b_step, terms, c, c_step = arguments

        def pointer(address: Any, offset: Any, kind: Any) -> Any:
            return builder.gep(builder.inttoptr(address, kind.as_pointer()), [offset])

        def vector_at(address: Any, offset: Any) -> Any:
            return builder.bitcast(pointer(address, offset, number), vector.as_pointer())

        starts = [pointer(a, builder.load(pointer(base, i64(r), i64)), number) for r in range(rows)]
        before = builder.block
        loop, end = builder.append_basic_block("terms"), builder.append_basic_block("sums")
        builder.cbranch(builder.icmp_signed(">", terms, i64(0)), loop, end)

        builder.position_at_end(loop)
        k = builder.phi(i64)
        sums = [[builder.phi(vector) for _ in range(vectors)] for _ in range(rows)]
        a_offset = builder.mul(builder.load(pointer(a_list, k, i64)), a_step)
        b_offset = builder.mul(builder.load(pointer(b_list, k, i64)), b_step)
        offsets = [builder.add(b_offset, i64(v * width)) for v in range(vectors)]
        operands = [builder.load(vector_at(b, offset), align=size) for offset in offsets]
        results = []
        for r in range(rows):
            scalar = builder.load(builder.gep(starts[r], [a_offset]))
            factor = builder.shuffle_vector(
                builder.insert_element(undefined, scalar, ir.IntType(32)(0)), undefined, spread
            )
            products = [builder.fmul(factor, operand, flags=("contract",)) for operand in operands]
            results.append([builder.fadd(s, p, flags=("contract",)) for s, p in zip(sums[r], products, strict=True)])
        after = builder.add(k, i64(1))
        k.add_incoming(i64(0), before)
        k.add_incoming(after, loop)
        for held, result in zip(chain(*sums), chain(*results), strict=True):
            held.add_incoming(zero, before)
            held.add_incoming(result, loop)
        builder.cbranch(builder.icmp_signed("<", after, terms), loop, end)

        builder.position_at_end(end)
        totals = []
        for result in chain(*results):
            total = builder.phi(vector)
            total.add_incoming(zero, before)
            total.add_incoming(result, loop)
            totals.append(total)
        for i, total in enumerate(totals):
            r, v = divmod(i, vectors)
            offset = builder.add(builder.mul(c_step, i64(r)), i64(v * width))
            builder.store(total, vector_at(c, offset), align=size)
        return context.get_dummy_value()

    return emit


_five_by_four, _seven_by_three, _ten_by_two, _twelve_by_one = (
    make_tile(ROWS.get(vectors, 1), vectors) for vectors in (4, 3, 2, 1)
)
_one_by_four, _one_by_three, _one_by_two, _one_by_one = (make_tile(1, vectors) for vectors in (4, 3, 2, 1))


@kernel
def tile(like, rows, vectors, a, base, a_list, a_step, b, b_list, b_step, terms, c, c_step):
    """The tile of `vectors` vectors and ROWS[vectors] rows, or one row where `rows` is 1."""
    if rows == 1:
        if vectors == 4:
            _one_by_four(like, a, base, a_list, a_step, b, b_list, b_step, terms, c, c_step)
        elif vectors == 3:
            _one_by_three(like, a, base, a_list, a_step, b, b_list, b_step, terms, c, c_step)
        elif vectors == 2:
            _one_by_two(like, a, base, a_list, a_step, b, b_list, b_step, terms, c, c_step)
        else:
            _one_by_one(like, a, base, a_list, a_step, b, b_list, b_step, terms, c, c_step)
    elif vectors == 4:
        _five_by_four(like, a, base, a_list, a_step, b, b_list, b_step, terms, c, c_step)
    elif vectors == 3:
        _seven_by_three(like, a, base, a_list, a_step, b, b_list, b_step, terms, c, c_step)
    elif vectors == 2:
        _ten_by_two(like, a, base, a_list, a_step, b, b_list, b_step, terms, c, c_step)
    else:
        _twelve_by_one(like, a, base, a_list, a_step, b, b_list, b_step, terms, c, c_step)
