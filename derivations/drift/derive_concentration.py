"""From second and fourth moments of norms and inner products to the concentration of distances.

x and y are independent with a common mean squared norm R0^2, rho^2 = 2 R0^2, S = |x - y|. The moment assumptions
E(|x|^2 - R0^2)^2 <= c_n R0^4/D and E<x, y>^2 <= c_i R0^4/D are those of Lai et al. 2026 (arXiv 2603.07514) as far as
they could be reconstructed; each step below is a polynomial identity with a right-hand side that is never negative.
"""

import numpy as np
import sympy as sp

import unifiedscore as us
from unifiedscore.study.derivation import Derivation

DIMENSION = 3  # the identity is a sum over coordinates
X, Y = (sp.Matrix(sp.symbols(f"{name}1:{DIMENSION + 1}", real=True)) for name in "xy")
RADIUS, S, D = sp.symbols("R0 S D", positive=True)
RHO = sp.sqrt(2) * RADIUS
NORM2, INNER2, NORM4, INNER4 = sp.symbols("c_n2 c_i2 c_n4 c_i4", positive=True)
A, B, C = sp.symbols("a b c", real=True)


def distance_terms():
    """S^2 - rho^2 in three terms: both norm errors and -2 <x, y>."""
    return X.dot(X) - RADIUS**2, Y.dot(Y) - RADIUS**2, -2 * X.dot(Y)


def cauchy(power=2, factor=3):
    """factor (a^2 + b^2 + c^2) - (a + b + c)^2, or the same for fourth powers with factor 27."""
    return factor * (A**power + B**power + C**power) - (A + B + C) ** power


def sum_of_squares():
    return (A - B) ** 2 + (B - C) ** 2 + (C - A) ** 2


def fourth_power_certificate():
    """27 sum a^4 - (a+b+c)^4 = 9 (3 sum a^4 - (sum a^2)^2) + (3 sum a^2 - (a+b+c)^2)(3 sum a^2 + (a+b+c)^2)."""
    squares = {A: A**2, B: B**2, C: C**2}
    upper = 3 * (A**2 + B**2 + C**2)
    return 9 * sum_of_squares().subs(squares, simultaneous=True) + sum_of_squares() * (upper + (A + B + C) ** 2)


def root_certificate():
    """(S^2 - rho^2)^2 - rho^2 (S - rho)^2 = S (S + 2 rho)(S - rho)^2, never negative."""
    return S * (S + 2 * RHO) * (S - RHO) ** 2


def must_be_nonnegative(expression):
    """0 if SymPy deduces the sign from the assumptions on the symbols, else 1."""
    return sp.Integer(0 if expression.is_nonnegative else 1)


def moment_sum(norm, inner, power):
    """Sum of the moment bounds of the three terms of `distance_terms`, the factor of <x, y> raised to the power."""
    return (2 * norm + 2**power * inner) * RADIUS ** (2 * power) / D ** (power // 2)


def constants(too_small=1):
    """Bound by the chain of steps minus the stated bound: on (S^2-rho^2)^2, (S-rho)^2, (S-rho)^4."""
    second, fourth = sp.Rational(3, 2) / too_small, sp.Rational(27, 4) / too_small
    squared, quartic = 3 * moment_sum(NORM2, INNER2, 2), 27 * moment_sum(NORM4, INNER4, 4)
    return [
        squared - 3 * (2 * NORM2 + 4 * INNER2) * RADIUS**4 / D,
        squared / RHO**2 - second * (2 * NORM2 + 4 * INNER2) * RADIUS**2 / D,
        quartic / RHO**4 - fourth * (2 * NORM4 + 16 * INNER4) * RADIUS**4 / D**2,
    ]


def residuals():
    step = X - Y
    return [
        step.dot(step) - RHO**2 - sum(distance_terms()),
        cauchy() - sum_of_squares(),
        cauchy(power=4, factor=27) - fourth_power_certificate(),
        (S**2 - RHO**2) ** 2 - RHO**2 * (S - RHO) ** 2 - root_certificate(),
        must_be_nonnegative(sum_of_squares()),
        must_be_nonnegative(fourth_power_certificate()),
        must_be_nonnegative(root_certificate()),
        *constants(),
    ]


def agrees(rng):
    """Distance to a single atom in the field code against the root of rho^2 plus the three terms."""
    x, y, radius = rng.normal(size=(16, DIMENSION)), rng.normal(size=DIMENSION), 1 + rng.random()
    evaluate = sp.lambdify([*X, *Y, RADIUS], sp.sqrt(RHO**2 + sum(distance_terms())), "numpy")
    got = us.posterior_moments(us.Laplace(bandwidth=1.0), us.Samples(y[None]), x).mean_distance
    size = radius**2 + (x**2).sum(axis=1) + y @ y
    return float(np.abs((got - evaluate(*x.T, *y, radius)) * got / size).max() / np.finfo(float).eps)


derivations = [
    Derivation(
        claim="drift.concentration_lemmas",
        residual=residuals,
        control=lambda: constants(too_small=100)[1:],
        agrees=agrees,
        mutation="the constants of the bounds on (S - rho)^2 and (S - rho)^4 divided by 100",
        statement="For independent x, y with E(|x|^2-R0^2)^2 <= n R0^4/D and E<x,y>^2 <= k R0^4/D the distance S obeys "
        "E(S-rho)^2 <= (3/2)(2n + 4k) R0^2/D, rho^2 = 2 R0^2, and likewise for the fourth moments.",
        source="reconstructed from Lai et al. 2026, arXiv 2603.07514; constants derived here",
    ),
]
