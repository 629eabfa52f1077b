"""The Laplace kernel as a Gaussian scale mixture, and its radial weight by the same mixture [derived here].

With s = t / tau^2 the mixture is the integral over t of g(t) exp(-t a^2), a = r / tau, where
g(t) = t^(-3/2) e^(-1/4t) / (2 sqrt(pi)).
SymPy is given an antiderivative: that its derivative is the integrand, and its two limits, are what is proved.
"""

import numpy as np
import sympy as sp

import unifiedscore as us
from unifiedscore.study.derivation import Derivation

R, BANDWIDTH, T = sp.symbols("r tau t", positive=True)
RATIO = R / BANDWIDTH
HALF = sp.Rational(1, 2)


def density(power=-3 * HALF):
    """g(t); the theorem has power -3/2."""
    return T**power * sp.exp(-1 / (4 * T)) / (2 * sp.sqrt(sp.pi))


def antiderivative():
    """In t, of g(t) exp(-t a^2)."""
    left, right = 1 / (2 * sp.sqrt(T)) - RATIO * sp.sqrt(T), 1 / (2 * sp.sqrt(T)) + RATIO * sp.sqrt(T)
    return HALF * (sp.exp(-RATIO) * (1 - sp.erf(left)) + sp.exp(RATIO) * (1 - sp.erf(right)))


def weighted(expression):
    """-(1/r) d/dr: turns a kernel k = exp(-phi) into b k, and exp(-s r^2) into 2 s exp(-s r^2)."""
    return -sp.diff(expression, R) / R


def limit(primitive, u, end):
    """Limit with t = u^2. The factors of erf do not depend on t, so erf takes the limit of its argument.

    SymPy's own limit of erf and erfc at such arguments is wrong (it takes erfc(1/2u - a u) to 2 at u = 0).
    """
    ratio = sp.Symbol("a", positive=True)
    settled = primitive.subs(T, u**2).replace(sp.erf, lambda argument: sp.erf(sp.limit(argument, u, end)))
    return sp.limit(sp.powsimp(sp.expand(settled.subs(R, BANDWIDTH * ratio))), u, end).subs(ratio, RATIO)


def integral(primitive):
    """The primitive at t = infinity minus that at t = 0."""
    u = sp.Symbol("u", positive=True)
    return limit(primitive, u, sp.oo) - limit(primitive, u, 0)


def derivative_gaps(power=-3 * HALF):
    """Antiderivative against integrand: of the kernel's mixture, and of b k's with its factor 2s."""
    integrand = density(power) * sp.exp(-T * RATIO**2)
    return [
        sp.simplify(sp.diff(antiderivative(), T) - integrand),
        sp.simplify(sp.diff(weighted(antiderivative()), T) - 2 * T / BANDWIDTH**2 * integrand),
    ]


def limit_gaps():
    """Limits against exp(-r/tau) and against b k, b = 1/(tau r)."""
    kernel = sp.exp(-RATIO)
    return [
        sp.simplify(integral(antiderivative()) - kernel),
        sp.simplify(integral(weighted(antiderivative())) - weighted(kernel)),
        sp.simplify(weighted(kernel) - kernel / (BANDWIDTH * R)),
    ]


def agrees(rng):
    """exp(log_profile) and b of the field code against the lambdified integrals, by the trapezoid rule in log t."""
    bandwidth, r = 0.5 + rng.random(), 0.5 + 2 * rng.random(8)
    kernel = us.Laplace(bandwidth=bandwidth)
    integrands = [density() * sp.exp(-T * RATIO**2) * factor * T for factor in (1, 2 * T / BANDWIDTH**2)]
    step = 1 / 64  # the integrand is analytic in log t and decays doubly exponentially on both sides
    t = np.exp(np.arange(-9, 9, step))[:, None]
    mixtures = [step * sp.lambdify([R, BANDWIDTH, T], f, "numpy")(r, bandwidth, t).sum(axis=0) for f in integrands]
    code = np.exp(kernel.log_profile(r))
    error = max(np.abs(mixtures[0] / code - 1).max(), np.abs(mixtures[1] * kernel.inverse_weight(r) / code - 1).max())
    return float(error / np.finfo(float).eps)


derivations = [
    Derivation(
        claim="drift.laplace_mixture",
        residual=lambda: [*derivative_gaps(), *limit_gaps()],
        control=lambda: derivative_gaps(power=-HALF),
        agrees=agrees,
        mutation="t^(-1/2) for t^(-3/2)",
        statement="exp(-r/tau) is the integral over t of t^(-3/2) e^(-1/4t) / (2 sqrt(pi)) exp(-t r^2/tau^2), and b k "
        "is the same integral with the factor 2 t/tau^2.",
        source="derived here (classical)",
    ),
]
