"""Trial points have every property that their symbols are assumed to have, so that no true statement is refuted."""

import itertools

import numpy as np
import pytest
import sympy as sp
from sympy.core.assumptions import _assume_defined
from sympy.core.facts import InconsistentAssumptions

from unifiedscore.study import Derivation, judge_derivation
from unifiedscore.study.trial_points import concrete_function, draw_number, trial_point

PROPERTIES = (
    "integer rational irrational real complex imaginary positive negative nonnegative nonpositive nonzero zero "
    "even odd prime composite finite noninteger algebraic transcendental extended_real extended_positive hermitian "
    "antihermitian"
).split()
IMPOSSIBLE = ({"infinite": True}, {"commutative": False}, {"extended_positive": True, "finite": False}, {"polar": True})


def assumptions():
    """Every property alone, and every consistent pair of them."""
    single = [{name: True} for name in PROPERTIES]
    for facts in [*single, *(a | b for a, b in itertools.combinations(single, 2) if a.keys() != b.keys())]:
        try:
            sp.Symbol("x", **facts)
        except InconsistentAssumptions:
            continue
        yield facts


def test_a_point_satisfies_all_assumptions_or_there_is_none():
    rng, found, cases = np.random.default_rng(0), 0, 0
    for facts in assumptions():
        symbol, cases = sp.Symbol("x", **facts), cases + 1
        for _ in range(3):
            number = draw_number(symbol, rng)
            if number is None:
                break
            assert all(getattr(number, f"is_{name}") is value for name, value in symbol.assumptions0.items()), facts
        found += number is not None
    assert cases > 150 and found > 0.8 * cases


@pytest.mark.parametrize("facts", [{name: True} for name in PROPERTIES])
def test_every_property_alone_has_a_point(facts):
    assert draw_number(sp.Symbol("x", **facts), np.random.default_rng(1)) is not None


@pytest.mark.parametrize("facts", IMPOSSIBLE)
def test_a_symbol_without_numbers_leaves_its_statement_undecided(facts):
    x = sp.Symbol("x", **facts)
    assert "no number tried satisfies" in trial_point([x], np.random.default_rng(0))
    assert judged(lambda: sp.Function("f")(x) ** 2 - sp.Function("g")(x)).outcome == "inconclusive"


def judged(residual, seed=0):
    a = sp.Symbol("a", positive=True)
    derivation = Derivation("demo.x", residual, lambda: a, lambda rng: 0.0)
    return judge_derivation(derivation, np.random.default_rng(seed))


N = sp.Symbol("n", integer=True, nonpositive=True)
M = sp.Symbol("m", integer=True)
I_ = sp.Symbol("i", imaginary=True)
NEG = sp.Symbol("x", negative=True)
EVEN = sp.Symbol("k", even=True)
PRIME = sp.Symbol("p", prime=True)
Z = sp.Symbol("z", zero=True)
R = sp.Symbol("r", real=True)

TRUE = {
    "nonpositive integer": lambda: sp.Max(N, 0) + sp.Heaviside(N - sp.Rational(1, 2)),
    "reciprocal gamma vanishes": lambda: 1 / sp.gamma(1 - N) - 1 / sp.factorial(-N),
    "imaginary": lambda: sp.re(I_) + sp.Abs(sp.exp(I_)) - 1,
    "imaginary square": lambda: sp.Abs(I_**2) + I_**2,
    "negative": lambda: sp.sqrt(NEG**2) + NEG,
    "negative sign": lambda: sp.sign(NEG) + 1 + sp.Max(NEG, 0),
    "even": lambda: sp.cos(sp.pi * EVEN) - 1 + sp.Mod(EVEN, 2),
    "integer": lambda: sp.floor(M + sp.Rational(1, 2)) - M,
    "prime": lambda: sp.Max(PRIME, 2) - PRIME,
    "zero": lambda: sp.sin(Z) + sp.exp(Z) - 1,
    "real": lambda: sp.conjugate(R) - R + sp.im(R**2),
    "piecewise": lambda: sp.Piecewise((NEG, NEG < 0), (17, True)) - NEG,
}


@pytest.mark.parametrize("name", TRUE)
def test_a_true_statement_is_never_refuted(name):
    assert {judged(TRUE[name], seed).outcome for seed in range(4)} <= {"supported", "inconclusive"}


FALSE = {
    "nonpositive integer": lambda: sp.Abs(N) + N + sp.Rational(1, 10**60),
    "imaginary": lambda: I_**2 - sp.Abs(I_) ** 2,
    "negative": lambda: sp.sqrt(NEG**2) - NEG,
    "prime": lambda: PRIME - 2 * sp.Abs(PRIME),
    "complex": lambda: sp.conjugate(sp.Symbol("c", complex=True)) - sp.Symbol("c", complex=True),
}


@pytest.mark.parametrize("name", FALSE)
def test_a_false_statement_is_refuted_at_an_allowed_point(name):
    assert {judged(FALSE[name], seed).outcome for seed in range(4)} == {"refuted"}


@pytest.mark.parametrize("facts", [{}, {"real": True}, {"positive": True}, {"negative": True}, {"integer": True}])
def test_concrete_functions_keep_what_is_assumed_of_them(facts):
    call = sp.Function("f", **facts)(R)
    shape = concrete_function([call], np.random.default_rng(0))
    assert all(getattr(shape(R), f"is_{name}") is value for name, value in facts.items())
    known = {name: getattr(call, f"is_{name}") for name in _assume_defined}
    assert all(getattr(shape(R), f"is_{name}") is value for name, value in known.items() if value is not None)


def test_a_positive_function_is_its_own_absolute_value():
    f = sp.Function("f", positive=True)
    assert judged(lambda: sp.Abs(f(R)) - f(R)).outcome == "supported"
    assert judged(lambda: sp.Max(f(R), 0) - f(R)).outcome != "refuted"
