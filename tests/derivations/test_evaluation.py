"""A number is nonzero where its digits say so, whatever its size; rounding, jumps and integrals decide nothing."""

import pytest
import sympy as sp
from sympy import I, Rational, exp, log, pi, sqrt

from unifiedscore.study.evaluation import measure_size

TINY = Rational(1, 10**60)
ONE = sp.sin(1) ** 2 + sp.cos(1) ** 2  # to SymPy's evaluation, not to its algebra

X = sp.Symbol("x")

NONZERO = {
    "tiny": TINY,
    "tiny beside a cancellation": ONE - 1 + TINY,
    "tiny imaginary part": ONE - 1 + I * TINY,
    "below the floats": exp(-1000 * (1 + Rational(7, 3))),
    "far below the floats": exp(-exp(50)),
    "above the floats": exp(exp(1000)),
    "difference of exponentials": exp(-5000) - exp(-5000 - TINY),
    "close roots": sqrt(10**50 + 1) - 10**25,
    "pi against a fraction": pi
    - Rational(3141592653589793238462643383279502884197169399375105820974944592307816, 10**69),
    "bessel": sp.besselj(0, 2) - sp.besselj(0, 2 + TINY),
    "off the cut": log(-1 + I * TINY) - log(-1 - I * TINY),
    "complex": (1 + I) ** 3 - 2,
    "a clear float": sp.Float(0.1) * sp.sqrt(2),
}
ZERO = {
    "pythagoras": ONE - 1,
    "roots": sqrt(5 + 2 * sqrt(6)) - sqrt(2) - sqrt(3),
    "euler": exp(I * pi * Rational(1, 7)) - sp.cos(pi / 7) - I * sp.sin(pi / 7),
    "gamma": sp.gamma(Rational(1, 3)) * sp.gamma(Rational(2, 3)) - 2 * pi / sqrt(3),
    "large terms": exp(300) * (ONE - 1),
}
UNDECIDED = {
    "nan": sp.nan,
    "pole": sp.gamma(-2) + 1,
    "infinite": sp.oo,
    "log on its cut": log(exp(I * pi / 3) - Rational(1, 2) - I * sqrt(3) / 2 - 1) - I * pi,
    "root on its cut": sqrt(I * (exp(I * pi / 3) - Rational(1, 2) - I * sqrt(3) / 2) - 1) + I,
    "sign of a hidden zero": sp.sign(ONE - 1 + sp.Symbol("e", zero=True), evaluate=False),
    "rounding of floats": sp.Float(0.1) * 3 - sp.Float(0.3),
    "integral": sp.Integral(exp(-(10**9) * (X - Rational(1, 3)) ** 4 - X**6), (X, 0, 1)),
    "matrix": sp.MatrixSymbol("A", 2, 2)[0, 0],
}  # fmt: skip


@pytest.mark.parametrize("name", NONZERO)
def test_a_nonzero_number_is_found_whatever_its_size(name):
    size = measure_size(NONZERO[name])
    assert size.state == "nonzero" and 0 < size.value < float("inf") and size.text


@pytest.mark.parametrize("name", ZERO)
def test_a_cancellation_is_not_nonzero(name):
    assert measure_size(ZERO[name]).state == "zero"


@pytest.mark.parametrize("name", UNDECIDED)
def test_what_rounding_or_an_estimate_would_decide_is_undecided(name):
    assert measure_size(UNDECIDED[name]).state in ("undecided", "zero")


@pytest.mark.parametrize("name", ["nan", "log on its cut", "root on its cut", "rounding of floats", "integral"])
def test_the_reason_is_named(name):
    size = measure_size(UNDECIDED[name])
    assert size.state == "undecided" and size.text


def test_the_size_is_the_absolute_value():
    assert measure_size(3 - 4 * I).value == pytest.approx(5.0)
    assert measure_size(-TINY).value == pytest.approx(1e-60)
    assert measure_size(exp(-1000)).text == "5.07596e-435"
