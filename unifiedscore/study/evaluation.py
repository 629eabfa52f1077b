"""Whether a number given by a SymPy expression is zero: known digits decide, and what they leave open is undecided."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from sympy import Expr

DIGITS = (50, 100, 200)
"""Digits of one evaluation after another; each may work with twice as many."""

_AGREE = 1e-10
_CLEAR = 1e3
"""A number made of floating-point numbers is nonzero if it exceeds their rounding by this factor."""

_LONGEST = 60


@dataclass(frozen=True, slots=True)
class Size:
    """What is known of |number|.

    `state` is "nonzero" (`value` the size, within the range of floats, and `text` its digits), "zero" (no digit differs
    from zero, which proves nothing) or "undecided" (`text` says why).
    """

    state: Literal["nonzero", "zero", "undecided"]
    value: float = 0.0
    text: str = ""


def measure_size(number: Expr) -> Size:
    """Evaluate a number until two evaluations, of different precision, agree in ten digits.

    Cancellation of up to 300 digits is seen through, and rounding never agrees with itself. Undecided are numbers that
    do not exist, that hold an integral or a sum without a closed form (their errors are estimates), that lie on a
    branch cut or a jump within rounding, and those made of floating-point numbers that are not above their rounding.
    """
    import sympy

    if number.has(sympy.nan, sympy.oo, -sympy.oo, sympy.zoo):
        return Size("undecided", text="could not be evaluated at a rational point: it is not finite there")
    open_ended = (sympy.Integral, sympy.Sum, sympy.Product, sympy.Limit, sympy.Derivative, sympy.Subs)
    if number.atoms(*open_ended):
        # Sums end at a point; integrals were tried before one was substituted, and only become harder.
        number = number.doit(integrals=False)
    left = sorted({type(part).__name__ for part in number.atoms(*open_ended)})
    if left:
        return Size("undecided", text=f"holds what SymPy leaves unevaluated ({', '.join(left)}) at a trial point")
    before = None
    for digits in DIGITS:
        try:
            value = _known_part(number.evalf(digits, maxn=2 * digits))
        except (OverflowError, MemoryError):
            value = None
        if value is None:
            return Size("undecided", text="could not be evaluated at a rational point")
        if before is not None and value != 0 and abs(value - before) <= _AGREE * abs(value):
            return _decided(number, value)
        before = value
    return Size("zero")


def _known_part(value) -> Expr | None:
    """The digits that are known of an evaluated number; None if it is none. A part of precision 1 has none."""
    import sympy

    if not value.is_number or value.is_finite is not True or value.free_symbols:
        return None
    real, imaginary = value.as_real_imag()
    if not (real.is_Number and imaginary.is_Number):
        return None
    real, imaginary = (sympy.Integer(0) if _is_unknown(part) else part for part in (real, imaginary))
    return real + sympy.I * imaginary


def _is_unknown(part) -> bool:
    return getattr(part, "_prec", 2) == 1


def _decided(number, value) -> Size:
    import sympy

    size = abs(value).evalf(20)
    floats = number.atoms(sympy.Float)
    if floats:
        terms = sum(abs(term.evalf(20)) for term in sympy.Add.make_args(number))
        largest = max([sympy.Float(1), *(abs(part) for part in floats)])
        if not size > _CLEAR * 2.0 ** -min(part._prec for part in floats) * (terms + largest):
            return Size("undecided", text="holds floating-point numbers and is no larger than their rounding")
    jump = _jumps(number)
    if jump:
        return Size("undecided", text=f"lies on a jump or a branch cut ({jump}) at a trial point")
    clamped = min(max(float(size), sys.float_info.min), sys.float_info.max)
    return Size("nonzero", clamped, str(size.evalf(6))[:_LONGEST])


def _jumps(number) -> str:
    """The first part of the number whose value a rounding of its argument would change, as text."""
    import sympy

    smooth = (sympy.Add, sympy.Mul, sympy.exp, sympy.sin, sympy.cos, sympy.sinh, sympy.cosh)
    smooth += (sympy.Abs, sympy.conjugate, sympy.re, sympy.im, sympy.erf, sympy.erfc, sympy.erfi, sympy.gamma)
    for part in sympy.preorder_traversal(number):
        if not part.args or isinstance(part, smooth) or (part.is_Pow and part.exp.is_integer):
            continue
        for argument in part.args:
            if not isinstance(argument, sympy.Expr) or argument.is_Atom:
                continue
            real, imaginary = argument.evalf(DIGITS[0]).as_real_imag()
            one_sided = isinstance(part, sympy.log) or part.is_Pow
            harmless = one_sided and not _is_unknown(real) and real.is_positive
            if (_is_unknown(real) or _is_unknown(imaginary)) and not harmless:
                return str(part)[:_LONGEST]
    return ""
