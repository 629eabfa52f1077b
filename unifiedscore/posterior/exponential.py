"""The exponential function in a form that the compiler turns into vector instructions."""

from __future__ import annotations

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from unifiedscore.compiled import njit


@intrinsic
def _bits(context, value):
    """The 64 bits of a float as an integer."""
    return types.int64(types.float64), lambda _, builder, sig, args: builder.bitcast(args[0], ir.IntType(64))


@intrinsic
def _from_bits(context, value):
    """The float with these 64 bits."""
    return types.float64(types.int64), lambda _, builder, sig, args: builder.bitcast(args[0], ir.DoubleType())


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
