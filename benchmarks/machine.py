"""What the machine can do at most: fused multiply-adds in a second and bytes read from memory in a second."""

import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
from llvmlite import ir
from llvmlite.binding import get_host_cpu_features
from numba import njit, types
from numba.extending import intrinsic

LANES = 16 if get_host_cpu_features().get("avx512f") else 8  # float32 in a vector
CHAINS = 12  # independent sums: more than latency times units of any processor, and with two factors in 16 registers
ROUNDS = 10_000_000
FLOATS = 1 << 26  # read for the bandwidth: 256 MiB, more than the last cache


@intrinsic
def _chains(typing: Any, rounds: Any, factor: Any, summand: Any) -> Any:
    """Every round continues each of the CHAINS, vectors of LANES float32, by s ← s·factor + summand."""

    def emit(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        i32, i64, vector = ir.IntType(32), ir.IntType(64), ir.VectorType(ir.FloatType(), LANES)
        undefined, same = ir.Constant(vector, ir.Undefined), ir.Constant(ir.VectorType(i32, LANES), [0] * LANES)
        spread = [builder.insert_element(undefined, value, i32(0)) for value in arguments[1:]]
        a, b = (builder.shuffle_vector(value, undefined, same) for value in spread)
        before, loop, end = builder.block, builder.append_basic_block("round"), builder.append_basic_block("end")
        builder.branch(loop)
        builder.position_at_end(loop)
        k, sums = builder.phi(i64), [builder.phi(vector) for _ in range(CHAINS)]
        results = [builder.fadd(builder.fmul(s, a, flags=("contract",)), b, flags=("contract",)) for s in sums]
        after = builder.add(k, i64(1))
        k.add_incoming(i64(0), before)
        k.add_incoming(after, loop)
        for c, (s, result) in enumerate(zip(sums, results, strict=True)):
            s.add_incoming(ir.Constant(vector, [float(c)] * LANES), before)
            s.add_incoming(result, loop)
        builder.cbranch(builder.icmp_signed("<", after, arguments[0]), loop, end)
        builder.position_at_end(end)
        total = results[0]
        for result in results[1:]:
            total = builder.fadd(total, result)
        return builder.extract_element(total, i32(0))

    return types.float32(types.int64, types.float32, types.float32), emit


@njit(nogil=True)
def _multiply_add(rounds: int, factor: float, summand: float) -> float:
    return _chains(rounds, factor, summand)


@njit(nogil=True, fastmath=True)
def _total(array: Any) -> float:
    total = np.float32(0)
    for i in range(array.size):
        total += array[i]
    return total


class Machine:
    """Its `readings` are GFLOP/s in float32 and GB/s, of one thread and of all."""

    def __init__(self, threads: int) -> None:
        self.threads, self.array = threads, np.ones(FLOATS, np.float32)
        _multiply_add(1, np.float32(0.5), np.float32(1))
        _total(self.array)

    def readings(self) -> dict[str, float]:
        return {
            f"{name}_{count}": measure(threads)
            for count, threads in (("one", 1), ("all", self.threads))
            for name, measure in (("gflops", self.gflops), ("gbytes", self.gbytes))
        }

    def gflops(self, threads: int) -> float:
        calls = [(ROUNDS, np.float32(0.5), np.float32(1))] * threads
        return threads * ROUNDS * CHAINS * LANES * 2 / _seconds(_multiply_add, calls) / 1e9

    def gbytes(self, threads: int) -> float:
        return self.array.nbytes / _seconds(_total, [(part,) for part in np.array_split(self.array, threads)]) / 1e9


def _seconds(function: Any, calls: list[tuple[Any, ...]]) -> float:
    """From the first call to the end of the last, one thread each."""
    with ThreadPoolExecutor(len(calls)) as pool:
        began = time.perf_counter()
        for running in [pool.submit(function, *arguments) for arguments in calls]:
            running.result()
        return time.perf_counter() - began
