"""exp and tanh without a branch and without a call, so that LLVM turns a loop over them into vector instructions.

Argument reduction and coefficients are those of the Cephes library (Moshier 1989): eˣ = 2ⁿ eʳ with |r| ≤ ½ ln 2.
"""

from platform import machine
from typing import Any

import numpy as np
from llvmlite import ir
from numba import types
from numba.extending import intrinsic, overload

from chainrule.kernels.parts import kernel
from chainrule.kernels.tiles import host_has

F = np.float32
FUSED = machine() not in ("x86_64", "AMD64") or host_has("fma")


@intrinsic
def _power_of_two_single(typing: Any, n: Any) -> Any:
    """2ⁿ, written straight into the exponent bits."""

    def emit(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        bits = builder.shl(builder.add(arguments[0], ir.IntType(32)(127)), ir.IntType(32)(23))
        return builder.bitcast(bits, ir.FloatType())

    return types.float32(types.int32), emit


@intrinsic
def _power_of_two_double(typing: Any, n: Any) -> Any:
    """2ⁿ, written straight into the exponent bits."""

    def emit(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        bits = builder.shl(builder.add(arguments[0], ir.IntType(64)(1023)), ir.IntType(64)(52))
        return builder.bitcast(bits, ir.DoubleType())

    return types.float64(types.int64), emit


@intrinsic
def _floor(typing: Any, x: Any) -> Any:
    """The greatest whole number up to x, as a number of the type of x."""

    def emit(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        floor = builder.module.declare_intrinsic("llvm.floor", [arguments[0].type])
        return builder.call(floor, arguments)

    return x(x), emit


@intrinsic
def _within(typing: Any, x: Any, low: Any, high: Any) -> Any:
    """x, or the bound that it is beyond; NaN stays NaN."""

    def emit(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        number, low_, high_ = arguments
        above = builder.select(builder.fcmp_ordered("<", number, low_), low_, number)
        return builder.select(builder.fcmp_ordered(">", above, high_), high_, above)

    return x(x, x, x), emit


@intrinsic
def _nothing_below(typing: Any, y: Any, x: Any, low: Any) -> Any:
    """y, or 0 where x lies below the bound: numbers too small to be normal ones cost a processor a hundred steps."""

    def emit(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        result, number, low_ = arguments
        return builder.select(builder.fcmp_ordered("<", number, low_), ir.Constant(result.type, 0.0), result)

    return x(x, x, x), emit


@intrinsic
def _fma(typing: Any, x: Any, y: Any, z: Any) -> Any:
    """x y + z, rounded once where the processor can; either way the same wherever it stands."""

    def emit(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        if not FUSED:
            return builder.fadd(builder.fmul(*arguments[:2]), arguments[2])
        return builder.fma(*arguments)

    return x(x, x, x), emit


def exp(x: Any) -> Any:
    """eˣ in the precision of x, for compiled code; 0 where it would be below the normal numbers."""
    raise NotImplementedError


def tanh(x: Any) -> Any:
    """tanh x in the precision of x, for compiled code: near 0 a polynomial, elsewhere 1 − 2/(e²ˣ + 1)."""
    raise NotImplementedError


# Numba is not to inline these: it would drop assignments to arrays that are not read again, though they are views.
@overload(exp)
def _exp(x: Any) -> Any:
    return _exp_single if x == types.float32 else _exp_double


@overload(tanh)
def _tanh(x: Any) -> Any:
    return _tanh_single if x == types.float32 else _tanh_double


@kernel
def _parts_single(z):
    """eʳ and n of eᶻ = 2ⁿ eʳ."""
    n = _floor(_fma(z, F(1.44269504088896341), F(0.5)))
    r = _fma(n, F(2.12194440e-4), _fma(n, F(-0.693359375), z))
    p = _fma(F(1.9875691500e-4), r, F(1.3981999507e-3))
    p = _fma(p, r, F(8.3334519073e-3))
    p = _fma(p, r, F(4.1665795894e-2))
    p = _fma(p, r, F(1.6666665459e-1))
    p = _fma(p, r, F(5.0000001201e-1))
    return _fma(p, r * r, r) + F(1), np.int32(n)


def _exp_single(x: Any) -> Any:
    y, n = _parts_single(_within(x, F(-87.33), F(89)))
    half = n >> np.int32(1)  # 2ⁿ in two factors, of which each is a normal number
    y = y * _power_of_two_single(half) * _power_of_two_single(n - half)
    return _nothing_below(y, x, F(-87.33))


def _exp_double(x: Any) -> Any:
    z = _within(x, -708.3, 710.0)
    n = _floor(_fma(z, 1.4426950408889634073599, 0.5))
    r = _fma(n, -1.42860682030941723212e-6, _fma(n, -6.93145751953125e-1, z))
    s = r * r
    p = _fma(_fma(1.26177193074810590878e-4, s, 3.02994407707441961300e-2), s, 9.99999999999999999910e-1) * r
    q = _fma(3.00198505138664455042e-6, s, 2.52448340349684104192e-3)
    q = _fma(_fma(q, s, 2.27265548208155028766e-1), s, 2.00000000000000000009)
    y = 1.0 + 2.0 * (p / (q - p))
    whole = np.int64(n)
    half = whole >> 1
    y = y * _power_of_two_double(half) * _power_of_two_double(whole - half)
    return _nothing_below(y, x, -708.3)


def _tanh_single(x: Any) -> Any:
    size = abs(x)
    s = x * x
    p = _fma(F(-5.70498872745e-3), s, F(2.06390887954e-2))
    p = _fma(p, s, F(-5.37397155531e-2))
    p = _fma(p, s, F(1.33314422036e-1))
    p = _fma(p, s, F(-3.33332819422e-1))
    near = _fma(p * s, size, size)
    y, n = _parts_single(_within(F(2) * size, F(0), F(40)))  # tanh 20 is 1 in any precision
    far = F(1) - F(2) / (_fma(y, _power_of_two_single(n), F(1)))
    t = near if size < F(0.625) else far
    return t if x >= F(0) else -t


def _tanh_double(x: Any) -> Any:
    size = abs(x)
    s = x * x
    p = _fma(_fma(-9.64399179425052238628e-1, s, -9.92877231001918586564e1), s, -1.61468768441708447952e3)
    q = _fma(_fma(s + 1.12811678491632931402e2, s, 2.23548839060100448583e3), s, 4.84406305325125486048e3)
    near = _fma(size * s, p / q, size)
    far = 1.0 - 2.0 / (exp(2.0 * size) + 1.0)
    t = near if size < 0.625 else far
    return t if x >= 0.0 else -t
