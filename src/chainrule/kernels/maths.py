"""exp and tanh without a branch and without a call, so that LLVM turns a loop over them into vector instructions.

Argument reduction and coefficients are those of the Cephes library (Moshier 1989): eˣ = 2ⁿ eʳ with |r| ≤ ½ ln 2.
"""

from typing import Any

import numpy as np
from llvmlite import ir
from numba import types
from numba.extending import intrinsic, overload

F = np.float32


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


def exp(x: Any) -> Any:
    """eˣ in the precision of x, for compiled code; below the smallest normal number 0 or nearly so."""
    raise NotImplementedError


def tanh(x: Any) -> Any:
    """tanh x in the precision of x, for compiled code: near 0 a polynomial, elsewhere 1 − 2/(e²ˣ + 1)."""
    raise NotImplementedError


@overload(exp, inline="always")
def _exp(x: Any) -> Any:
    return _exp_single if x == types.float32 else _exp_double


@overload(tanh, inline="always")
def _tanh(x: Any) -> Any:
    return _tanh_single if x == types.float32 else _tanh_double


def _exp_single(x: Any) -> Any:
    x = min(max(x, F(-104)), F(89))
    n = np.floor(x * F(1.44269504088896341) + F(0.5))
    r = x - n * F(0.693359375)
    r = r + n * F(2.12194440e-4)
    p = F(1.9875691500e-4)
    p = p * r + F(1.3981999507e-3)
    p = p * r + F(8.3334519073e-3)
    p = p * r + F(4.1665795894e-2)
    p = p * r + F(1.6666665459e-1)
    p = p * r + F(5.0000001201e-1)
    y = p * r * r + r + F(1)
    whole = np.int32(n)
    half = whole >> np.int32(1)  # 2ⁿ in two factors, of which each is a normal number
    return y * _power_of_two_single(half) * _power_of_two_single(whole - half)


def _exp_double(x: Any) -> Any:
    x = min(max(x, -746.0), 710.0)
    n = np.floor(x * 1.4426950408889634073599 + 0.5)
    r = x - n * 6.93145751953125e-1
    r = r - n * 1.42860682030941723212e-6
    s = r * r
    p = ((1.26177193074810590878e-4 * s + 3.02994407707441961300e-2) * s + 9.99999999999999999910e-1) * r
    q = (
        (3.00198505138664455042e-6 * s + 2.52448340349684104192e-3) * s + 2.27265548208155028766e-1
    ) * s + 2.00000000000000000009
    y = 1.0 + 2.0 * (p / (q - p))
    whole = np.int64(n)
    half = whole >> 1
    return y * _power_of_two_double(half) * _power_of_two_double(whole - half)


def _tanh_single(x: Any) -> Any:
    size = abs(x)
    s = x * x
    p = F(-5.70498872745e-3) * s + F(2.06390887954e-2)
    p = p * s - F(5.37397155531e-2)
    p = p * s + F(1.33314422036e-1)
    p = p * s - F(3.33332819422e-1)
    near = p * s * size + size
    far = F(1) - F(2) / (exp(F(2) * size) + F(1))
    t = near if size < F(0.625) else far
    return t if x >= F(0) else -t


def _tanh_double(x: Any) -> Any:
    size = abs(x)
    s = x * x
    p = (-9.64399179425052238628e-1 * s - 9.92877231001918586564e1) * s - 1.61468768441708447952e3
    q = ((s + 1.12811678491632931402e2) * s + 2.23548839060100448583e3) * s + 4.84406305325125486048e3
    near = size + size * s * (p / q)
    far = 1.0 - 2.0 / (exp(2.0 * size) + 1.0)
    t = near if size < 0.625 else far
    return t if x >= 0.0 else -t
