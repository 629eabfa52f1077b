"""The population flow of two points +-1 in one dimension, written out: shared by the closed-form studies."""

import numpy as np
from scipy.optimize import brentq
from scipy.special import erf

NODES, WEIGHTS = np.polynomial.legendre.leggauss(40)
# tanh has its poles pi/(2 c sigma) > .52 away: the trapezoid rule errs by exp(-2 pi .52/.125) = 4e-12.
FINE = np.linspace(-9.0, 9.0, 145)


def barycenter(z, time, smoothing):
    """E tanh(c (z + sigma e)), c = t/(1-t)^2: the error function plus a local correction, or a fine trapezoid."""
    if time == 0.0:
        return np.zeros_like(z)
    c = time / (1.0 - time) ** 2
    if smoothing == 0.0:
        return np.tanh(c * z)
    if c * smoothing < 3.0:
        density = np.exp(-0.5 * FINE**2)
        return np.tanh(c * (z[:, None] + smoothing * FINE)) @ density / density.sum()
    u = 10.0 / c * (NODES + 1.0)  # [0, 20/c]; tanh(cu) - sign(u) is odd
    gap = (np.tanh(c * u) - 1.0) * WEIGHTS * 10.0 / c
    right = np.exp(-0.5 * ((u - z[:, None]) / smoothing) ** 2)
    left = np.exp(-0.5 * ((u + z[:, None]) / smoothing) ** 2)
    return erf(z / (smoothing * np.sqrt(2))) + (right - left) @ gap / (smoothing * np.sqrt(2 * np.pi))


def flow(z, n_steps, smoothing, first=0, last=None, center=barycenter):
    """Euler steps first ... last - 1 of n_steps."""
    z = np.asarray(z, dtype=float)
    for n in range(first, n_steps if last is None else last):
        z = z + (center(z, n / n_steps, smoothing) - z) / (n_steps - n)
    return z


def fixed_point(smoothing):
    """The positive solution of z = erf(z / sigma sqrt 2), 0 above sqrt(2/pi), and the slope there."""
    z = 0.0
    if smoothing < np.sqrt(2 / np.pi):
        z = brentq(lambda x: erf(x / (smoothing * np.sqrt(2))) - x, 1e-3, 1.0, xtol=1e-15)
    return z, np.sqrt(2 / np.pi) / smoothing * np.exp(-(z**2) / (2 * smoothing**2))
