"""What lets the compiler use vector registers, and all of their width.

A comparison of floats in Python minds NaN and signed zeros, and the compiler then reduces an array one number at a
time, which takes longer than the exponentials of all its entries.
"""

from __future__ import annotations

from llvmlite import ir
from numba import types
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


@intrinsic
def whole_registers(context):
    """Use registers of 512 bits in the function that calls this, where the processor has them.

    The compiler prefers half of them because the first processors with such registers ran slower then. For long
    polynomials that is a bad bargain: exponentials take .7 ns each instead of 1.1 (Sapphire Rapids, float64).
    """

    def generate(context, builder, sig, args):
        # The set of llvmlite knows attributes of one word only; this one has a value.
        set.add(builder.function.attributes, '"prefer-vector-width"="512"')
        return context.get_dummy_value()

    return types.none(), generate
