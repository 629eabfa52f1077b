"""The population flow of two points +-1 in one dimension, written out: shared by the closed-form studies."""

import numpy as np
from scipy.optimize import brentq
from scipy.special import erf

NODES, WEIGHTS = np.polynomial.legendre.leggauss(40)
EXPONENT = 31.0  # the trapezoid rule errs by e^-31, and by more near a pole: by less than 1e-12 in all


def trapezoid(width):
    """Nodes and weights for E tanh(z + width e): the step that the poles of tanh, pi/(2 width) away, allow.

    A shift of the contour by a bounds the error by exp(a^2/2 - 2 pi a/step), for a up to the poles.
    """
    shift = min(np.pi / (2.0 * width), np.sqrt(2.0 * EXPONENT))
    step = 2.0 * np.pi * shift / (EXPONENT + 0.5 * shift**2)
    nodes = np.linspace(-9.0, 9.0, 2 * int(np.ceil(9.0 / step)) + 1)
    density = np.exp(-0.5 * nodes**2)
    return nodes, density / density.sum()


def barycenter(z, time, smoothing):
    """E tanh(c (z + sigma e)), c = t/(1-t)^2: the error function plus a local correction, or the trapezoid rule."""
    if time == 0.0:
        return np.zeros_like(z)
    c = time / (1.0 - time) ** 2
    if smoothing == 0.0:
        return np.tanh(c * z)
    if c * smoothing < 3.0:
        nodes, weights = trapezoid(c * smoothing)
        return np.tanh(c * (z[:, None] + smoothing * nodes)) @ weights
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
