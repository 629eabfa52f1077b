"""Mean shift = preconditioner x score + covariance residual, for every radial kernel [derived here].

The decomposition is proved for a profile phi(r) about which nothing is known (kernel exp(-phi)) and w = r / phi'; for
each kernel it then remains to prove that its tabulated inverse weight w(r) is r / phi'(r). The score is obtained by
differentiating log Z and the residual by a two-pass covariance: neither is defined through the identity.
"""

import numpy as np
import sympy as sp
from _atoms import ATOMS, COORDINATES, KERNELS, POINT, WEIGHTS, draw, mean_shift, opaque, posterior_mean, reduced, score

import unifiedscore as us
from unifiedscore.study.derivation import Derivation

R, SCALE, ORDER = sp.symbols("r l nu", positive=True)  # ORDER: smoothness, exponent or degrees of freedom
DIMENSION = sp.Symbol("d", positive=True)


def preconditioner():
    """alpha = E_pi[w]."""
    return opaque(posterior_mean([1 / b for b in WEIGHTS]))


def residual():
    """delta = Cov_pi(w, b (y - x)), two-pass."""
    entries = []
    for j in (0, 1):
        pulls = [b * (atom[j] - POINT[j]) for b, atom in zip(WEIGHTS, ATOMS, strict=True)]
        mean = opaque(posterior_mean(pulls))
        centred = [(1 / b - preconditioner()) * (p - mean) for b, p in zip(WEIGHTS, pulls, strict=True)]
        entries.append(opaque(posterior_mean(centred)))
    return sp.Matrix(entries)


def generic_gap(with_residual=True):
    """V - alpha s - delta for the undefined profile."""
    gap = opaque(mean_shift()) - preconditioner() * opaque(score())
    return reduced(gap - residual() if with_residual else gap)


Z = R / SCALE
# name -> (kernel k(r), tabulated inverse weight w(r))
TABLE = {
    "gaussian": (sp.exp(-(Z**2) / 2), SCALE**2),
    "laplace": (sp.exp(-Z), SCALE * R),
    "matern": (Z**ORDER * sp.besselk(ORDER, Z), SCALE * R * sp.besselk(ORDER, Z) / sp.besselk(ORDER - 1, Z)),
    "matern 3/2": ((1 + Z) * sp.exp(-Z), SCALE**2 * (1 + Z)),
    "matern 5/2": ((1 + Z + Z**2 / 3) * sp.exp(-Z), SCALE**2 * (3 + 3 * Z + Z**2) / (1 + Z)),
    "rational quadratic": ((1 + Z**2) ** (-ORDER), (SCALE**2 + R**2) / (2 * ORDER)),
    "student t": (
        (1 + R**2 / (ORDER * SCALE**2)) ** (-(ORDER + DIMENSION) / 2),
        (ORDER * SCALE**2 + R**2) / (ORDER + DIMENSION),
    ),
}


def slope(kernel):
    """phi' = -k'/k by differentiation, with K_{nu+1}(z) = K_{nu-1}(z) + (2 nu / z) K_nu(z) where it is a Matern."""
    recurrence = sp.besselk(ORDER - 1, Z) + 2 * ORDER / Z * sp.besselk(ORDER, Z)
    return (-sp.diff(kernel, R) / kernel).xreplace({sp.besselk(ORDER + 1, Z): recurrence})


def residuals():
    """The generic identity, and w phi' - r of every kernel."""
    return [*generic_gap(), *(sp.simplify(weight * slope(kernel) - R) for kernel, weight in TABLE.values())]


def code_kernels(scale, order):
    """The library's kernel for each entry of the table, at one scale and order."""
    return {
        "gaussian": us.Gaussian(bandwidth=scale),
        "laplace": us.Laplace(bandwidth=scale),
        "matern": us.Matern(bandwidth=scale, smoothness=order),
        "matern 3/2": us.Matern(bandwidth=scale, smoothness=1.5),
        "matern 5/2": us.Matern(bandwidth=scale, smoothness=2.5),
        "rational quadratic": us.RationalQuadratic(bandwidth=scale, exponent=order),
        "student t": us.StudentT(bandwidth=scale, degrees=order, dimension=2),
    }


def agrees(rng):
    """Worst disagreement of alpha, delta and alpha s + delta with the field code, over the kernels."""
    scale, order, (x, atoms, masses) = 0.5 + rng.random(), 0.6 + 2 * rng.random(), draw(rng)
    r = np.linalg.norm(atoms - x, axis=1)
    formulas = [preconditioner(), residual(), preconditioner() * opaque(score()) + residual()]
    evaluate = sp.lambdify([*COORDINATES, *KERNELS, *WEIGHTS], formulas, "numpy")
    worst = 0.0
    for name, code in code_kernels(scale, order).items():
        profile = [TABLE[name][0], slope(TABLE[name][0]) / R]
        kernels, weights = sp.lambdify([R, SCALE, ORDER, DIMENSION], profile, "scipy")(r, scale, order, 2)
        weights = np.broadcast_to(weights, r.shape)
        alpha, delta, total = evaluate(*x, *atoms.ravel(), *masses, *kernels, *weights)
        moments = us.posterior_moments(code, us.Samples(atoms, masses), x[None])
        pairs = (moments.preconditioner[0], alpha), (moments.residual[0], delta), (moments.mean_shift[0], total)
        terms = r.max() + alpha * (weights * r).max() + alpha  # the summands that cancel
        worst = max(worst, *(np.abs(got - np.ravel(want)).max() / terms for got, want in pairs))
    return float(worst / np.finfo(float).eps)


derivations = [
    Derivation(
        claim="drift.radial_decomposition",
        residual=residuals,
        control=lambda: generic_gap(with_residual=False),
        agrees=agrees,
        mutation="the residual delta dropped",
        statement="For every radial kernel exp(-phi(r)) the mean shift is V = alpha s + delta with alpha = E_pi[w], "
        "delta = Cov_pi(w, (y - x)/w), w = r/phi'(r), and each kernel's tabulated w is r/phi'(r).",
        source="derived here; the form is stated in Lai et al. 2026, arXiv 2603.07514",
    ),
]
