"""The exponential function in a form that the compiler turns into vector instructions."""

from __future__ import annotations

import numpy as np
from llvmlite import ir
from numba import types
from numba.extending import intrinsic, overload

from unifiedscore.compiled import njit


@intrinsic
def _bits(context, value):
    """The 64 bits of a float as an integer."""
    return types.int64(types.float64), lambda _, builder, sig, args: builder.bitcast(args[0], ir.IntType(64))


@intrinsic
def _from_bits(context, value):
    """The float with these 64 bits."""
    return types.float64(types.int64), lambda _, builder, sig, args: builder.bitcast(args[0], ir.DoubleType())


@intrinsic
def _bits_single(context, value):
    """The 32 bits of a single float as an integer."""
    return types.int32(types.float32), lambda _, builder, sig, args: builder.bitcast(args[0], ir.IntType(32))


@intrinsic
def _from_bits_single(context, value):
    """The single float with these 32 bits."""
    return types.float32(types.int32), lambda _, builder, sig, args: builder.bitcast(args[0], ir.FloatType())


# Contraction only: reassociation would undo the rounding trick.
@njit(cache=True, nogil=True, fastmath={"contract"})
def exp_negative(t):
    """exp(t) for t <= 0, to 1 ulp, without branches; e^-708 below -708.

    A degree-11 minimax polynomial on [-ln2/2, ln2/2] (error 3e-18), then the power of two added to the exponent bits.
    """
    t = max(t, -708.0)
    shifter = 6755399441055744.0  # 1.5 * 2^52: adding it rounds to an integer held in the low bits
    k = t * 1.4426950408889634 + shifter
    exponent = _bits(k) << 52
    k -= shifter
    f = t - k * 0.693147180369123816490
    f -= k * 1.90821492927058770002e-10
    p = 2.5110037605963777712e-8
    p = p * f + 2.7632639639041029749e-7
    p = p * f + 2.7557240918578969823e-6
    p = p * f + 2.4801485482328492419e-5
    p = p * f + 1.9841269890047113707e-4
    p = p * f + 1.3888888952314774652e-3
    p = p * f + 8.3333333333196006109e-3
    p = p * f + 4.1666666666488095495e-2
    p = p * f + 1.6666666666666680806e-1
    p = p * f + 0.50000000000000183855
    p = p * f + 0.99999999999999999976
    p = p * f + 0.99999999999999999693
    return _from_bits(_bits(p) + exponent)


_single = np.float32
_LOG2_E, _SHIFTER = _single(1.4426950408889634), _single(12582912.0)  # the latter 1.5 * 2^23
# ln 2 in two parts: the first has 9 digits, so that its product with an integer below 2^8 is exact.
_LN2_HIGH, _LN2_LOW = _single(0.693359375), _single(-2.12194440e-4)
_P2, _P3, _P4 = _single(5.0000001201e-1), _single(1.6666665459e-1), _single(4.1665795894e-2)
_P5, _P6, _P7 = _single(8.3334519073e-3), _single(1.3981999507e-3), _single(1.9875691500e-4)
_ONE = _single(1.0)
LOWEST_SINGLE = _single(-87.0)
"""The least logarithm whose exponential is a normal number in float32."""


@njit(cache=True, nogil=True, fastmath={"contract"})
def exp_negative_single(t):
    """exp(t) of a float32 t in [-87, 0], to 1 ulp, without branches; e^-87 below.

    A degree-7 polynomial on [-ln2/2, ln2/2] (Cephes; its error is below 2e-8, a third of a rounding).
    """
    t = max(t, LOWEST_SINGLE)
    k = t * _LOG2_E + _SHIFTER
    exponent = _bits_single(k) << np.int32(23)
    k -= _SHIFTER
    f = t - k * _LN2_HIGH
    f -= k * _LN2_LOW
    p = _P7
    p = p * f + _P6
    p = p * f + _P5
    p = p * f + _P4
    p = p * f + _P3
    p = p * f + _P2
    p = p * (f * f) + f + _ONE
    return _from_bits_single(np.int32(_bits_single(p) + exponent))


@njit(cache=True, nogil=True)
def _weight_single(t):
    return exp_negative_single(t) if t >= LOWEST_SINGLE else _single(0.0)


@njit(cache=True, nogil=True)
def _weight_double(t):
    return exp_negative(t) if t >= -708.0 else 0.0


def weight_of(t):
    """exp(t) for t <= 0 in the precision of t; zero where it is below the smallest normal number.

    The floor of the fast exponentials times a huge distance would be no rounding: no weight is none at all.
    """
    raise NotImplementedError("for compiled code")


@overload(weight_of)
def _weight_of(t):
    if t == types.float32:
        return lambda t: _weight_single(t)
    return lambda t: _weight_double(t)
