r"""Uniform systems with mean zero and covariance one: V = 0, or any quadratic V.

One particle is $\sqrt n$ times the first d coordinates of a uniform point of the sphere in n = P - 1 dimensions.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from scipy.special import gammaln

from unifiedscore import validate


def marginal_density(r, n_particles: int, dimension: int = 1) -> np.ndarray:
    r"""Density of one particle at distance r from the mean,
    $\frac{\Gamma(n/2)}{\Gamma((n-d)/2)(\pi n)^{d/2}}(1 - r^2/n)^{(n-d)/2-1}$, for P > d + 1."""
    n, d = _sizes(n_particles, dimension)
    inside = np.maximum(1 - np.square(validate.real_array(r, "r")) / n, 0.0)
    log_c = gammaln(n / 2) - gammaln((n - d) / 2) - d / 2 * np.log(np.pi * n)
    with np.errstate(divide="ignore"):
        return np.exp(log_c + ((n - d) / 2 - 1) * np.log(inside)) * (inside > 0)


def fourth_moment(n_particles: int) -> float:
    r"""$E y_a^4 = 3(P - 1)/(P + 1)$, in every dimension."""
    return 3.0 * (n_particles - 1) / (n_particles + 1)


def total_variation(n_particles: int, dimension: int = 1) -> float:
    """Total variation distance of one particle to a standard normal vector, by Gauss-Legendre panels in the radius."""
    n, d = _sizes(n_particles, dimension)
    nodes, weights = np.polynomial.legendre.leggauss(40)
    edges = np.linspace(0, np.sqrt(n), 200) if n < 400 else np.concatenate([np.linspace(0, 12, 200), [np.sqrt(n)]])
    log_area = np.log(2) + d / 2 * np.log(np.pi) - gammaln(d / 2)

    def integrate(low, high):
        r = 0.5 * (low + high) + 0.5 * (high - low) * nodes
        shell = np.exp(log_area + (d - 1) * np.log(r)) * 0.5 * (high - low) * weights
        normal = np.exp(-(r**2) / 2 - d / 2 * np.log(2 * np.pi))
        return float(shell @ (marginal_density(r, n_particles, d) - normal))

    # Signed integrals between the zeros of the difference, found on the panels and refined by bisection.
    difference = lambda r: (  # noqa: E731
        float(marginal_density(r, n_particles, d)) - np.exp(-(r**2) / 2) / (2 * np.pi) ** (d / 2)
    )
    from scipy.optimize import brentq

    points = [edges[0]]
    grid = np.linspace(1e-6, min(edges[-1], 12), 4001)
    values = marginal_density(grid, n_particles, d) - np.exp(-(grid**2) / 2) / (2 * np.pi) ** (d / 2)
    # Beyond 8 both densities are far below the accuracy asked for, and their difference is rounding.
    for i in np.flatnonzero((values[:-1] * values[1:] < 0) & (grid[1:] < 8)):
        points.append(brentq(difference, grid[i], grid[i + 1], xtol=1e-14))
    points.append(edges[-1])
    total = 0.0
    for low, high in pairwise(points):
        cuts = np.union1d(edges[(edges > low) & (edges < high)], [low, high])
        total += abs(sum(integrate(a, b) for a, b in pairwise(cuts)))
    # Beyond sqrt(n) only the normal law has mass.
    from scipy.special import gammaincc

    return 0.5 * (total + float(gammaincc(d / 2, n / 2)))


def contraction(n_particles: int, dimension: int) -> float:
    r"""$\kappa = 1 - (d + 3)/2P$: $E\langle Y_t, Y_0\rangle/(Pd) = e^{-\kappa t}$ for uniform systems."""
    return 1.0 - (dimension + 3) / (2.0 * n_particles)


def euler_contraction(n_particles: int, dimension: int, step) -> np.ndarray:
    r"""Factor of one Euler-Maruyama step with QR retraction, first column (any column for d = 1):
    $c_h = \frac{2}{\sqrt\pi}\int_0^\infty e^{-w^2}(1+4hw^2/P)^{-(n-d)/2}(1+2hw^2/P)^{-(d-1)/2}\,dw$."""
    n, d = _sizes(n_particles, dimension)
    h = validate.real_array(step, "step")[..., None]
    nodes, weights = np.polynomial.legendre.leggauss(200)
    w, weights = 3.5 * (nodes + 1), 3.5 * weights
    value = np.exp(-(w**2)) * (1 + 4 * h * w**2 / n_particles) ** (-(n - d) / 2)
    value = value * (1 + 2 * h * w**2 / n_particles) ** (-(d - 1) / 2)
    return 2 / np.sqrt(np.pi) * (value @ weights)


def _sizes(n_particles, dimension):
    d = validate.integer(dimension, "dimension")
    return validate.integer(n_particles, "n_particles", low=d + 1) - 1, d
