"""What the stop-gradient loss descends, and what happens without the stop-gradient [derived here].

One-dimensional Gaussian kernel; scale family f = theta e against N(0, s^2), shift family f = mu + sigma e against
N(m, sigma^2), e standard normal. Between Gaussian laws the drift is linear, so every expectation is elementary.
"""

import numpy as np
import sympy as sp

import unifiedscore as us
from unifiedscore.study.derivation import Derivation

THETA, START, S, TAU, SIGMA = sp.symbols("theta theta_0 s tau sigma", positive=True)
MU, MU_START, M, E = sp.symbols("mu mu_0 m e", real=True)


def mean_shift(x, mean, variance):
    """E_pi[y] - x for N(mean, variance): the product of two Gaussians in y."""
    return (variance * x + TAU**2 * mean) / (variance + TAU**2) - x


def drift(x, mean, variance, target_mean, target_variance):
    return mean_shift(x, target_mean, target_variance) - mean_shift(x, mean, variance)


def expectation(polynomial):
    """E over e ~ N(0, 1) of a polynomial in e, by moments."""
    poly = sp.Poly(sp.expand(polynomial), E)
    return sum(c * (sp.factorial2(n - 1) if n % 2 == 0 else 0) for (n,), c in poly.terms())


def scale_loss(moving, frozen):
    """E (f_moving - stop(f_frozen + drift of the frozen law))^2."""
    goal = frozen * E + drift(frozen * E, 0, frozen**2, 0, S**2)
    return expectation((moving * E - goal) ** 2)


def shift_loss(moving, frozen):
    point = frozen + SIGMA * E
    return expectation((moving + SIGMA * E - point - drift(point, frozen, SIGMA**2, M, SIGMA**2)) ** 2)


def value_gaps(stopped=True):
    """Value E|drift|^2 and gradient -2 E[J drift] of both families; `stopped` = False differentiates the goal too."""
    gaps = []
    for loss, here, frozen, point, jacobian, law in (
        (scale_loss, THETA, START, THETA * E, E, (0, THETA**2, 0, S**2)),
        (shift_loss, MU, MU_START, MU + SIGMA * E, 1, (MU, SIGMA**2, M, SIGMA**2)),
    ):
        field = drift(point, *law)
        gradient = sp.diff(loss(here, frozen), here).subs(frozen, here) if stopped else sp.diff(loss(here, here), here)
        gaps += [
            sp.simplify(loss(here, here) - expectation(field**2)),
            sp.simplify(gradient + 2 * expectation(jacobian * field)),
        ]
    return gaps


B = 1 / (THETA**2 + TAU**2) - 1 / (S**2 + TAU**2)


def full_gradient():
    return 2 * THETA * TAU**4 * B * (B - 2 * THETA**2 / (THETA**2 + TAU**2) ** 2)


def threshold_squared():
    q = S**2 + 3 * TAU**2
    return (sp.sqrt(q**2 + 4 * S**2 * TAU**2) - q) / 2


def removed_gaps():
    """The full gradient; its zero at the threshold; the shift family slowed by tau^2/(sigma^2 + tau^2)."""
    full = sp.diff(scale_loss(THETA, THETA), THETA)
    bracket = sp.numer(sp.together(B - 2 * THETA**2 / (THETA**2 + TAU**2) ** 2))
    slow = sp.diff(shift_loss(MU, MU), MU) - TAU**2 / (SIGMA**2 + TAU**2) * sp.diff(shift_loss(MU, MU_START), MU).subs(
        MU_START, MU
    )
    return [
        sp.simplify(full - full_gradient()),
        sp.simplify(sp.expand(bracket.subs(THETA, sp.sqrt(threshold_squared())))),
        sp.simplify(slow),
    ]


def with_stop():
    """The same test with the stop-gradient kept: its gradient does not vanish at the threshold."""
    gradient = sp.diff(scale_loss(THETA, START), THETA).subs(START, THETA)
    return gradient.subs(THETA, sp.sqrt(threshold_squared()))


def quadrature(theta, s, tau):
    """E|drift|^2 and -2 E[e drift] from the field code, by Gauss-Hermite nodes in e."""
    nodes, weights = np.polynomial.hermite_e.hermegauss(12)
    weights = weights / weights.sum()
    laws = {"target": us.GaussianMixture([[0.0]], s**2), "model": us.GaussianMixture([[0.0]], theta**2)}
    field = us.Drift(us.Gaussian(tau), **laws)((theta * nodes)[:, None])[:, 0]
    return float(weights @ field**2), float(-2 * weights @ (nodes * field))


def agrees(rng):
    theta, s, tau = 0.3 + rng.random(3)
    loss, gradient = quadrature(theta, s, tau)
    function = sp.lambdify([THETA, S, TAU], [scale_loss(THETA, THETA), -2 * THETA * TAU**2 * B], "numpy")
    expected = function(theta, s, tau)
    return float(max(abs(loss - expected[0]), abs(gradient - expected[1])) / np.finfo(float).eps / 10)


derivations = [
    Derivation(
        claim="drift.stop_gradient_value",
        residual=value_gaps,
        control=lambda: value_gaps(stopped=False)[1],
        agrees=agrees,
        mutation="the drift is differentiated as well",
        statement="The stop-gradient loss has the value E|drift|^2 and the gradient -2 E[J^T drift]: the value is not "
        "what is descended.",
        source="Deng et al. 2026, arXiv 2602.04770 (definition); scale and shift families derived here",
    ),
    Derivation(
        claim="drift.stop_gradient_removed",
        residual=removed_gaps,
        control=with_stop,
        agrees=agrees,
        mutation="the stop-gradient kept: no change of sign at the threshold",
        statement="Without the stop-gradient the one-dimensional scale flow changes its sign at theta*, theta*^2 = "
        "(sqrt((s^2 + 3 tau^2)^2 + 4 s^2 tau^2) - s^2 - 3 tau^2)/2, and collapses below; shifts only slow down.",
        source="derived here; the need for the stop-gradient is stated in arXiv 2603.09936",
    ),
]
