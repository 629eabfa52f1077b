"""Drift between Gaussian laws in closed form, and the measure under which its energy is the loss [derived here]."""

from functools import cache

import numpy as np
import sympy as sp

import unifiedscore as us
from unifiedscore.study.derivation import Derivation

BANDWIDTH = sp.Symbol("tau", positive=True)
POINT = sp.Matrix(sp.symbols("x1 x2", real=True))
SUPPORT = sp.Matrix(sp.symbols("y1 y2", real=True))


def law(name):
    """Mean and covariance of a general Gaussian in the plane; a Cholesky factor makes the covariance definite."""
    mean = sp.Matrix(sp.symbols(f"m_{name}1 m_{name}2", real=True))
    a, b = sp.symbols(f"a_{name} b_{name}", positive=True)
    c = sp.Symbol(f"c_{name}", real=True)
    factor = sp.Matrix([[a, 0], [c, b]])
    return mean, factor * factor.T, (*mean, a, b, c)


P, Q = law("p"), law("q")


def mean_shift(mean, covariance):
    """E_pi[y] - x: k(x, y) p(y) is Gaussian in y, so its mean is where the gradient of its logarithm vanishes."""
    centred = SUPPORT - mean
    log_posterior = (
        -(SUPPORT - POINT).dot(SUPPORT - POINT) / (2 * BANDWIDTH**2) - centred.dot(covariance.inv() * centred) / 2
    )
    gradient = [sp.diff(log_posterior, c) for c in SUPPORT]
    mode = sp.linsolve(gradient, *SUPPORT)
    return sp.Matrix(next(iter(mode))) - POINT


def closed_form(mean, covariance):
    return BANDWIDTH**2 * (covariance + BANDWIDTH**2 * sp.eye(2)).inv() * (mean - POINT)


def swapped(mean, covariance):
    """The mistake: covariance and squared bandwidth change places in the prefactor."""
    return covariance * (covariance + BANDWIDTH**2 * sp.eye(2)).inv() * (mean - POINT)


def gap(formula=closed_form):
    """V - formula for each law: the drift is the difference of the two rows."""
    return sp.Matrix([mean_shift(m, c) - formula(m, c) for m, c, _ in (P, Q)]).applyfunc(sp.cancel)


def agrees_laws(rng):
    bandwidth, x = 0.5 + rng.random(), rng.normal(size=2)
    values = [np.concatenate([rng.normal(size=2), 0.5 + rng.random(2), rng.normal(size=1)]) for _ in range(2)]
    drift = closed_form(P[0], P[1]) - closed_form(Q[0], Q[1])
    expected = sp.lambdify([BANDWIDTH, *POINT, *P[2], *Q[2]], drift, "numpy")(bandwidth, *x, *values[0], *values[1])
    mixtures = []
    for m1, m2, a, b, c in values:
        factor = np.array([[a, 0.0], [c, b]])
        mixtures.append(us.GaussianMixture(np.array([[m1, m2]]), (factor @ factor.T)[None]))
    field = us.Drift(us.Gaussian(bandwidth=bandwidth), target=mixtures[0], model=mixtures[1])
    scale = max(np.abs(v[:2] - x).max() for v in values)
    return float(np.abs(field(x[None])[0] - np.ravel(expected)).max() / (np.finfo(float).eps * scale))


# The example in one dimension: p = N(0, 1), q = N(0, 4), tau = 1, everything by integration.
X, Y = sp.symbols("x y", real=True)
KERNEL = sp.exp(-(X**2) / 2 + X * Y - Y**2 / 2)  # exp(-(x - y)^2 / 2), expanded for the integrator


def normal(variable, variance):
    return sp.exp(-(variable**2) / (2 * variance)) / sp.sqrt(2 * sp.pi * variance)


def integral(integrand, variable):
    return sp.integrate(integrand, (variable, -sp.oo, sp.oo))


@cache
def smoothed(variance):
    """Z(x) = E k(x, y) under N(0, variance)."""
    return sp.simplify(integral(KERNEL * normal(Y, variance), Y))


@cache
def shift(variance):
    """V(x) = E_pi[y - x], from its definition."""
    return sp.simplify(integral((Y - X) * KERNEL * normal(Y, variance), Y) / smoothed(variance))


def energy(field, variance):
    return integral(sp.expand(field**2) * normal(X, variance), X)


def loss_gaps(measure_variance=4):
    """Loss value minus 9/25, and minus the energy of the score difference, under N(0, measure_variance)."""
    drift = shift(1) - shift(4)
    score_gap = sp.simplify(sp.diff(sp.log(smoothed(1)), X) - sp.diff(sp.log(smoothed(4)), X))
    loss = energy(drift, 4)
    return sp.Matrix([loss - sp.Rational(9, 25), loss - energy(score_gap, measure_variance)]).applyfunc(sp.simplify)


def agrees_loss(rng):
    del rng  # the example has no free parameter
    p, q = us.GaussianMixture(np.zeros((1, 1)), 1.0), us.GaussianMixture(np.zeros((1, 1)), 4.0)
    x, weights = q.quadrature(order=8)  # exact: the integrand is a polynomial of degree 2
    field = us.Drift(us.Gaussian(bandwidth=1.0), target=p, model=q)
    expected = float(energy(shift(1) - shift(4), 4))
    return float(abs(weights @ (field(x) ** 2).sum(axis=1) - expected) / (np.finfo(float).eps * expected))


derivations = [
    Derivation(
        claim="drift.gaussian_laws",
        residual=gap,
        control=lambda: gap(swapped),
        agrees=agrees_laws,
        mutation="tau^2 and the covariance change places",
        statement="Between Gaussian laws the Gaussian-kernel drift is tau^2 [(S_p + tau^2 I)^-1 (m_p - x) "
        "- (S_q + tau^2 I)^-1 (m_q - x)].",
        source="derived here",
    ),
    Derivation(
        claim="drift.gaussian_loss_measure",
        residual=loss_gaps,
        control=lambda: loss_gaps(measure_variance=5)[1],  # q smoothed by tau = 1 is N(0, 5)
        agrees=agrees_loss,
        mutation="expectation under q_tau",
        statement="The drifting loss value is tau^4 E_q |grad log p_tau - grad log q_tau|^2 with the expectation under "
        "the raw model law q: 9/25 for p = N(0,1), q = N(0,4), tau = 1, not the 9/20 found under q_tau.",
        source="derived here, from Thm 1 of Lai et al. 2026, arXiv 2603.07514",
    ),
]
