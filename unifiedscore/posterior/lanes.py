"""Reductions that the compiler keeps in vector registers.

A comparison of floats in Python minds NaN and signed zeros, and the compiler then reduces an array one number at a
time, which takes longer than the exponentials of all its entries.
"""

from __future__ import annotations

from llvmlite import ir
from numba.extending import intrinsic


def _chosen(name: str):
    def generate(context, builder, sig, args):
        kind = args[0].type
        function = builder.module.declare_intrinsic(name, [kind], ir.FunctionType(kind, [kind, kind]))
        return builder.call(function, args, fastmath=("nnan", "nsz"))

    return generate


@intrinsic
def larger(context, first, second):
    """The larger of two floats of one type, neither of them NaN."""
    return first(first, second), _chosen("llvm.maxnum")


@intrinsic
def smaller(context, first, second):
    """The smaller of two floats of one type, neither of them NaN."""
    return first(first, second), _chosen("llvm.minnum")
