"""Kernel posteriors in the plane without scale mixtures or tiles: polar quadrature of the kernel's profile."""

import numpy as np

PANELS = np.concatenate([[0.0], np.geomspace(1e-6, 14.0, 36)])
RADIAL, ANGLES = 24, 384


def density(law, points):
    """Density of an isotropic mixture in the plane, term by term."""
    squared = ((points[..., None, :] - law.centers) ** 2).sum(-1)
    variance = law.variances
    return (law.weights * np.exp(-squared / (2 * variance)) / (2 * np.pi * variance)).sum(-1)


def polar_posterior(kernel, law, x):
    """Normaliser, mean shift, score and preconditioner at one point x: rings around x on which the kernel is constant.

    Gauss-Legendre in panels of the radius, whose first ones are tiny (Matern profiles are not smooth at zero), and the
    trapezoid rule in the angle, where the integrand is periodic.
    """
    nodes, weights = np.polynomial.legendre.leggauss(RADIAL)
    half = np.diff(PANELS)[:, None] / 2
    r = (PANELS[:-1, None] + half * (1 + nodes)).ravel()
    w = (half * weights).ravel()
    angle = 2 * np.pi * np.arange(ANGLES) / ANGLES
    unit = np.stack([np.cos(angle), np.sin(angle)], axis=-1)
    p = density(law, x + r[:, None, None] * unit)
    ring, pull = p.mean(1), np.einsum("ra,ak->rk", p, unit) / ANGLES
    mass = 2 * np.pi * r * w * np.exp(kernel.log_profile(r))
    inverse = kernel.inverse_weight(r)
    z = mass @ ring
    return {
        "log_normalizer": float(np.log(z)),
        "mean_shift": (mass * r) @ pull / z,
        "score": (mass * r / inverse) @ pull / z,
        "preconditioner": float((mass * inverse) @ ring / z),
    }
