"""Points at which a derivation is tried: numbers that have every property its symbols are assumed to have."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from sympy import Expr, Symbol

_DRAWS = 2


def trial_point(symbols: list, rng: np.random.Generator) -> dict | str:
    """A number for every symbol, or why there is none."""
    import sympy

    point = {}
    for symbol in symbols:
        number = draw_number(symbol, rng) if isinstance(symbol, sympy.Symbol) else None
        if number is None:
            return f"has no trial point: no number tried satisfies the assumptions of {symbol}"
        point[symbol] = number
    return point


def draw_number(symbol: Symbol, rng: np.random.Generator) -> Expr | None:
    """A number that satisfies all assumptions of the symbol, None if none of the kinds tried does.

    A symbol that is declared complex is tried off the real line. One without assumptions is complex to SymPy as well;
    it is tried at real numbers, which refute in either reading.
    """
    general = symbol.is_complex and symbol.is_extended_real is None and symbol.is_imaginary is None
    return _first_with(symbol.assumptions0, _numbers(rng, general=bool(general)))


def concrete_function(calls: list, rng: np.random.Generator) -> Callable[..., Expr] | None:
    """A concrete function in place of an undefined one, with the properties that SymPy assumes of its `calls`.

    A polynomial where that is allowed, a constant at the least: what holds for every function holds for these.
    """
    from sympy.core.assumptions import _assume_defined

    coefficients = [_rational(rng) for _ in range(4)]

    def polynomial(*arguments):
        total = sum((k + 1) * argument for k, argument in enumerate(arguments))
        return sum(c * total**power for power, c in enumerate(coefficients))

    def even(*arguments):
        return coefficients[0] + coefficients[1] * sum((k + 1) * argument**2 for k, argument in enumerate(arguments))

    known = [{name: getattr(call, f"is_{name}") for name in _assume_defined} for call in calls]
    known = [{name: value for name, value in facts.items() if value is not None} for facts in known]
    for shape in (polynomial, even, lambda *arguments: -even(*arguments)):
        if all(_has(shape(*call.args), facts) for call, facts in zip(calls, known, strict=True)):
            return shape
    constant = _first_with({name: value for facts in known for name, value in facts.items()}, _numbers(rng))
    return None if constant is None else lambda *arguments: constant


def _first_with(facts: dict, numbers: Iterator) -> Expr | None:
    return next((number for number in numbers if _has(number, facts)), None)


def _has(expression, facts: dict) -> bool:
    return all(getattr(expression, f"is_{name}") is value for name, value in facts.items())


def _numbers(rng: np.random.Generator, *, general: bool = False) -> Iterator:
    """Numbers of ever more special kinds; with `general` those off the real line come first."""
    import sympy

    def signed(draw):
        for _ in range(_DRAWS):
            number = draw()
            yield from (number, -number) if rng.random() < 0.5 else (-number, number)

    def complex_number():
        return _rational(rng) + sympy.I * _rational(rng) * (1 if rng.random() < 0.5 else -1)

    if general:
        yield from signed(complex_number)
    yield from signed(lambda: _rational(rng))
    for size in rng.permutation(np.arange(1, 20)):
        yield from signed(lambda size=size: sympy.Integer(int(size)))
    yield sympy.Integer(0)
    yield from signed(lambda: sympy.sqrt(2) * _rational(rng))
    yield from signed(lambda: sympy.pi * _rational(rng))
    yield from signed(lambda: sympy.I * _rational(rng))
    yield from signed(complex_number)


def _rational(rng: np.random.Generator) -> Expr:
    """p/q with 1/8 < p/q < 8: no pole of the usual suspects, no term lost to the others."""
    import sympy

    return sympy.Rational(int(rng.integers(13, 97)), int(rng.integers(13, 97)))
