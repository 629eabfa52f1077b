"""Two points +-a: collapse at sigma = a sqrt(2/pi), convergence S^-(1-rho), Lipschitz constant [derived here]."""

import numpy as np
import sympy as sp

import unifiedscore as us
from unifiedscore.samplers.closed_form import time_grid
from unifiedscore.study.derivation import Derivation

EPS = np.finfo(float).eps
A, SIGMA, R, RHO, S = sp.symbols("a sigma R rho S", positive=True)
Z, U = sp.symbols("z u", real=True)
T = sp.Symbol("t", positive=True)
QUARTER = sp.Rational(1, 4)
THRESHOLD = A * sp.sqrt(2 / sp.pi)


def limit_map():
    """B(z) = E a sign(z + sigma e) by integration."""
    density = sp.exp(-(U**2) / 2) / sp.sqrt(2 * sp.pi)
    right = sp.integrate(density, (U, -Z / SIGMA, sp.oo))
    return A * (2 * right - 1)


def bifurcation_gaps(threshold=THRESHOLD):
    """B is a erf; B'(0) = 1 at the threshold; B'' = -z B'/sigma^2: concave, so one positive fixed point."""
    b = limit_map()
    slope = sp.diff(b, Z)
    return [
        sp.simplify(sp.diff(b - A * sp.erf(Z / (SIGMA * sp.sqrt(2))), Z)),
        sp.simplify((b - A * sp.erf(Z / (SIGMA * sp.sqrt(2)))).subs(Z, 0)),
        sp.simplify(slope.subs(Z, 0).subs(SIGMA, threshold) - 1),
        sp.simplify(sp.diff(b, Z, 2) + Z * slope / SIGMA**2),
    ]


def boundary_gap(slope=None):
    slope = A / SIGMA * sp.sqrt(2 / sp.pi) if slope is None else slope
    return sp.simplify(sp.diff(limit_map(), Z).subs(Z, 0) - slope)


def rate_gaps(rate=1 - RHO):
    """prod_k (1 - (1-rho)/k) = Gamma(S+rho)/(Gamma(rho) S!), whose logarithmic slope tends to -(1-rho)."""
    product = sp.gamma(S + RHO) / (sp.gamma(RHO) * sp.gamma(S + 1))
    ratio = sp.gammasimp(product.subs(S, S + 1) / product)
    return [
        sp.simplify(ratio - (1 - (1 - RHO) / (S + 1))),
        sp.gammasimp(product.subs(S, 1) - RHO),
        sp.limit(S * (ratio - 1), S, sp.oo) + rate,
    ]


def lipschitz_gaps(quarter=QUARTER):
    """The slope of the velocity at the midpoint, by differentiation, is l_t; and the integral of l_t."""
    bound = T * quarter * R**2 / (1 - T) ** 3 - 1 / (1 - T)
    center = R / 2 * sp.tanh(R / 2 * T * Z / (1 - T) ** 2)
    slope = sp.diff((center - Z) / (1 - T), Z).subs(Z, 0)
    integral = quarter * R**2 * (2 * T - 1) / (2 * (1 - T) ** 2) + sp.log(1 - T)
    return [sp.simplify(slope - bound), sp.simplify(sp.diff(integral, T) - bound)]


def two_points(a, time):
    return us.Barycenter(us.Gaussian(1 - time), [[-a], [a]], scale=time)


def agree_bifurcation(rng):
    """At 1 - t = 1e-4 the field differs from its limit by (1-t)^4 only."""
    a, sigma, z = 0.5 + rng.random(), 0.3 + rng.random(), rng.normal(size=(1, 1))
    code = us.Smoothed(two_points(a, 1 - 1e-4), sigma, noise="population")(z)[0, 0]
    value = sp.lambdify([Z, A, SIGMA], A * sp.erf(Z / (SIGMA * sp.sqrt(2))), "scipy")(z[0, 0], a, sigma)
    return float(abs(code - value) / (EPS * a))


def agree_boundary(rng):
    """A sixth-order difference of the smoothed barycenter; step .01 sigma leaves 1e-13, rounding eps/.01."""
    a, sigma = 0.5 + rng.random(), 0.3 + rng.random()
    step = 0.01 * sigma
    field = us.Smoothed(two_points(a, 1 - 1e-4), sigma, noise="population")
    f = field(step * np.arange(-3.0, 4.0)[:, None])[:, 0]
    slope = (45 * (f[4] - f[2]) - 9 * (f[5] - f[1]) + f[6] - f[0]) / (60 * step)
    return float(abs(slope - a / sigma * np.sqrt(2 / np.pi)) / (EPS * a / step))


def agree_rate(rng):
    from scipy.special import gammaln

    rho, steps = rng.random(), 500
    product = np.prod(1 - (1 - rho) * time_grid(steps)[1])
    value = np.exp(gammaln(steps + rho) - gammaln(rho) - gammaln(steps + 1))
    return float(abs(product / value - 1) / (EPS * steps))


def agree_lipschitz(rng):
    time, a = 0.2 + 0.6 * rng.random(), 0.5 + rng.random()
    bound = time * a**2 / (1 - time) ** 3 - 1 / (1 - time)
    code = us.ClosedFormVelocity([[-a], [a]], time).jacobian(np.zeros((1, 1)))[0, 0, 0]
    return float(abs(code - bound) / (EPS * (1 + a**2) / (1 - time) ** 3))


derivations = [
    Derivation(
        claim="closed_form.two_point_bifurcation",
        residual=bifurcation_gaps,
        control=lambda: bifurcation_gaps(A),
        agrees=agree_bifurcation,
        mutation="threshold sigma = a",
        statement="For two points +-a the limit map is a erf(z/(sigma sqrt 2)): fixed points +-z* exist iff "
        "sigma < a sqrt(2/pi), above it everything collapses to the midpoint.",
        source="derived here",
    ),
    Derivation(
        claim="closed_form.softened_boundary",
        residual=boundary_gap,
        control=lambda: boundary_gap(A / SIGMA),
        agrees=agree_boundary,
        mutation="slope a/sigma",
        statement="Smoothing bounds the slope of the barycenter at the boundary of two points: (a/sigma) sqrt(2/pi).",
        source="derived here; Fig. 1 of arXiv 2310.12395",
    ),
    Derivation(
        claim="closed_form.step_rate",
        residual=rate_gaps,
        control=lambda: rate_gaps(sp.Integer(1)),
        agrees=agree_rate,
        mutation="rate S^-1",
        statement="Near a limit point with slope rho the S steps leave Gamma(S+rho)/(Gamma(rho) S!) ~ S^-(1-rho).",
        source="derived here",
    ),
    Derivation(
        claim="closed_form.lipschitz",
        residual=lipschitz_gaps,
        control=lambda: lipschitz_gaps(sp.Rational(1, 8)),
        agrees=agree_lipschitz,
        mutation="R^2/8 instead of R^2/4",
        statement="The one-sided Lipschitz constant t R^2/(4(1-t)^3) - 1/(1-t) is attained by two points, and its "
        "integral is the exponent of the start-at-T bound.",
        source="derived here",
    ),
]
