"""Tweedie's formula of first and second order for the Gaussian kernel [Lai et al. 2026, arXiv 2603.07514, Thm 1]."""

import numpy as np
import sympy as sp
from _atoms import (
    ATOMS,
    COORDINATES,
    POINT,
    SQUARED,
    draw,
    mean_shift,
    normalizer,
    opaque,
    posterior_mean,
    reduced,
    score,
)

import unifiedscore as us
from unifiedscore.study.derivation import Derivation

BANDWIDTH = sp.Symbol("tau", positive=True)


def gaussian(factor=2):
    """exp(-r^2 / (factor tau^2)) at each atom; any factor but 2 is the wrong convention."""
    return [sp.exp(-s / (factor * BANDWIDTH**2)) for s in SQUARED]


def first_order_gap(factor=2):
    kernels = gaussian(factor)
    return reduced(opaque(mean_shift(kernels) - BANDWIDTH**2 * score(kernels), kernels))


def posterior_covariance():
    """Cov_pi(y), two-pass."""
    kernels = gaussian()
    mean = [posterior_mean([atom[j] for atom in ATOMS], kernels) for j in (0, 1)]
    centred = [[c - m for c, m in zip(atom, mean, strict=True)] for atom in ATOMS]
    return sp.Matrix(2, 2, lambda i, j: posterior_mean([step[i] * step[j] for step in centred], kernels))


def tweedie_covariance(power=4):
    """tau^2 I + tau^power Hess log Z; the theorem has power 4."""
    hessian = sp.hessian(sp.log(normalizer(gaussian())), POINT)
    return BANDWIDTH**2 * sp.eye(2) + BANDWIDTH**power * hessian


def second_order_gap(power=4):
    return reduced(opaque(posterior_covariance() - tweedie_covariance(power), gaussian()))


def evaluate(expression, bandwidth, x, atoms, masses):
    function = sp.lambdify([BANDWIDTH, *COORDINATES], expression, "numpy")
    return np.asarray(function(bandwidth, *x, *atoms.ravel(), *masses), dtype=float)


def agrees_first_order(rng):
    bandwidth, (x, atoms, masses) = 0.5 + rng.random(), draw(rng)
    expected = evaluate(BANDWIDTH**2 * score(gaussian()), bandwidth, x, atoms, masses).ravel()
    moments = us.posterior_moments(us.Gaussian(bandwidth=bandwidth), us.Samples(atoms, masses), x[None])
    error = max(np.abs(got - expected).max() for got in (moments.mean_shift[0], bandwidth**2 * moments.score[0]))
    return float(error / (np.finfo(float).eps * np.abs(atoms - x).max()))


def agrees_second_order(rng):
    """The field's Jacobian is Cov_pi(y) / tau^2 - I."""
    bandwidth, (x, atoms, masses) = 0.5 + rng.random(), draw(rng)
    expected = evaluate(tweedie_covariance(), bandwidth, x, atoms, masses)
    field = us.MeanShift(us.Gaussian(bandwidth=bandwidth), us.Samples(atoms, masses))
    covariance = bandwidth**2 * (field.jacobian(x[None])[0] + np.eye(2))
    scale = bandwidth**2 + np.abs(atoms - x).max() ** 2
    return float(np.abs(covariance - expected).max() / (np.finfo(float).eps * scale))


derivations = [
    Derivation(
        claim="drift.gaussian_identity",
        residual=first_order_gap,
        control=lambda: first_order_gap(factor=1),
        agrees=agrees_first_order,
        mutation="k = exp(-r^2/tau^2), the convention without the 2",
        statement="With a Gaussian kernel the mean shift is the bandwidth squared times the kernel score, "
        "V = tau^2 grad log Z, for every law.",
        source="Lai et al. 2026, arXiv 2603.07514, Thm 1",
    ),
    Derivation(
        claim="drift.gaussian_covariance",
        residual=second_order_gap,
        control=lambda: second_order_gap(power=2),
        agrees=agrees_second_order,
        mutation="tau^2 Hess for tau^4 Hess",
        statement="With a Gaussian kernel the posterior covariance is Cov_pi(y) = tau^2 I + tau^4 Hess log Z "
        "(Tweedie's formula of second order).",
        source="derived here (classical)",
    ),
]
