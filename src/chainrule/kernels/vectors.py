"""Loops over whole vectors of the processor, written out because the compiler, which cannot know that arrays at
addresses do not overlap, would go number by number where the loops are short."""

from collections.abc import Iterator
from itertools import product
from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from chainrule.kernels.tiles import VECTORS, lanes

I64 = ir.IntType(64)


def _kind(like: Any) -> tuple[Any, int]:
    """LLVM's type of a vector, and the bytes of one of its numbers."""
    number, size = (ir.FloatType(), 4) if like == types.float32 else (ir.DoubleType(), 8)
    return ir.VectorType(number, lanes(size)), size


def _at(builder: Any, address: Any, offset: Any, vector: Any) -> Any:
    """A pointer to the vector that begins `offset` vectors after an address."""
    return builder.gep(builder.inttoptr(address, vector.as_pointer()), [offset])


def _spread(builder: Any, number: Any, vector: Any) -> Any:
    """A vector of one number."""
    undefined = ir.Constant(vector, ir.Undefined)
    lane = builder.insert_element(undefined, number, ir.IntType(32)(0))
    return builder.shuffle_vector(lane, undefined, ir.Constant(ir.VectorType(ir.IntType(32), vector.count), None))


@intrinsic
def scaled(typing: Any, into: Any, source: Any, count: Any, shift: Any, factor: Any) -> Any:
    """into ← (source + shift) · factor for `count` whole vectors at two addresses."""

    def emit(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        vector, size = _kind(shift)
        target, source_, count_, shift_, factor_ = arguments
        shifts, factors = _spread(builder, shift_, vector), _spread(builder, factor_, vector)
        with cgutils.for_range(builder, count_) as loop:
            moved = builder.fadd(builder.load(_at(builder, source_, loop.index, vector), align=size), shifts)
            result = builder.fmul(moved, factors)
            builder.store(result, _at(builder, target, loop.index, vector), align=size)
        return context.get_dummy_value()

    return types.void(types.int64, types.int64, types.int64, shift, shift), emit


@intrinsic
def rank_one(
    typing: Any, like: Any, w: Any, rows: Any, count: Any, step: Any, x: Any, vector: Any, vectors: Any
) -> Any:
    """w[j, :] ← w[j, :] − x[j] · v for the `count` row numbers j at `rows`.

    Rows of w are `step` numbers apart; v stands at `vector` and is `vectors` ≤ VECTORS vectors wide.
    """

    def emit(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        kind, size = _kind(like)
        _, w_, rows_, count_, step_, x_, vector_, vectors_ = arguments
        for wide in range(1, VECTORS + 1):
            with builder.if_then(builder.icmp_signed("==", vectors_, I64(wide))):
                held = [builder.load(_at(builder, vector_, I64(v), kind), align=size) for v in range(wide)]
                with cgutils.for_range(builder, count_) as loop:
                    j = builder.load(builder.gep(builder.inttoptr(rows_, I64.as_pointer()), [loop.index]))
                    number = builder.load(builder.gep(builder.inttoptr(x_, kind.element.as_pointer()), [j]))
                    factor = _spread(builder, number, kind)
                    row = builder.add(w_, builder.mul(builder.mul(j, step_), I64(size)))
                    for v, part in enumerate(held):
                        at = _at(builder, row, I64(v), kind)
                        moved = builder.fsub(builder.load(at, align=size), builder.fmul(factor, part))
                        builder.store(moved, at, align=size)
        return context.get_dummy_value()

    return types.void(like, *[types.int64] * 7), emit


@intrinsic
def dots(
    typing: Any, like: Any, a: Any, a_rows: Any, b: Any, b_rows: Any, vectors: Any, into: Any, into_step: Any
) -> Any:
    """C[j, k] = Σ_i A[j, i] B[k, i] for the rows of A and of B, each so many whole vectors; rows of C are `into_step`
    numbers apart."""

    def emit(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        kind, size = _kind(like)
        _, a_, a_rows_, b_, b_rows_, vectors_, into_, step_ = arguments
        cells = builder.inttoptr(into_, kind.element.as_pointer())
        for j, tall in _stretches(builder, a_rows_):
            for k, wide in _stretches(builder, b_rows_):
                left = [builder.mul(builder.add(j, I64(r)), vectors_) for r in range(tall)]
                right = [builder.mul(builder.add(k, I64(r)), vectors_) for r in range(wide)]
                sums = [cgutils.alloca_once_value(builder, ir.Constant(kind, None)) for _ in range(tall * wide)]
                with cgutils.for_range(builder, vectors_) as loop:
                    x = [builder.load(_at(builder, a_, builder.add(at, loop.index), kind), align=size) for at in left]
                    y = [builder.load(_at(builder, b_, builder.add(at, loop.index), kind), align=size) for at in right]
                    for place, (p, q) in zip(sums, product(x, y), strict=True):
                        term = builder.fmul(p, q, flags=("contract",))
                        builder.store(builder.fadd(builder.load(place), term, flags=("contract",)), place)
                for place, (r, c) in zip(sums, product(range(tall), range(wide)), strict=True):
                    row = builder.mul(builder.add(j, I64(r)), step_)
                    cell = builder.gep(cells, [builder.add(row, builder.add(k, I64(c)))])
                    builder.store(_sum(builder, builder.load(place)), cell)
        return context.get_dummy_value()

    return types.void(like, *[types.int64] * 7), emit


def _stretches(builder: Any, count: Any) -> Iterator[tuple[Any, int]]:
    """What is emitted between is for stretches of 0 … count − 1: where one begins and its length, the longest first."""
    place = cgutils.alloca_once(builder, I64)
    builder.store(I64(0), place)
    for size in (4, 2, 1):
        more, body, after = (builder.append_basic_block(f"stretch.{name}") for name in ("more", "body", "after"))
        builder.branch(more)
        builder.position_at_end(more)
        at = builder.load(place)
        end = builder.add(at, I64(size))
        builder.cbranch(builder.icmp_signed("<=", end, count), body, after)
        builder.position_at_end(body)
        yield at, size
        builder.store(end, place)
        builder.branch(more)
        builder.position_at_end(after)


def _sum(builder: Any, vector: Any) -> Any:
    """The sum of a vector's numbers, half by half."""
    count = vector.type.count
    while count > 1:
        count //= 2
        halves = [
            ir.Constant(ir.VectorType(ir.IntType(32), count), list(range(first, first + count))) for first in (0, count)
        ]
        low, high = (builder.shuffle_vector(vector, vector, half) for half in halves)
        vector = builder.fadd(low, high)
    return builder.extract_element(vector, ir.IntType(32)(0))
