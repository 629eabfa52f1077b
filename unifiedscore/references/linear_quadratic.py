r"""Adjoint matching and adjoint sampling off the optimum, in the one case where their iterations are closed forms.

Foellmer schedule over N(0, 1), reward :math:`r = -qx^2/2`, linear controls :math:`u = -\mathcal K(t) x`: the optimum is
:math:`\mathcal K^* = q / (1 + q(1 - t))`. One adjoint-matching regression maps :math:`\mathcal K` to
:math:`q e^{-\int_t^1\mathcal K}`; one adjoint-sampling regression depends on the terminal variance S alone.
"""

from __future__ import annotations

from math import lgamma

import numpy as np

from unifiedscore import validate
from unifiedscore.errors import InputError


def optimal_gain(curvature: float, t) -> np.ndarray:
    """K* = q / (1 + q (1 - t))."""
    q = _curvature(curvature)
    return q / (1 + q * (1 - validate.real_array(t, "t")))


def adjoint_matching_gains(curvature: float, *, iterations: int, nodes: int = 20001) -> tuple[np.ndarray, np.ndarray]:
    r"""Iterates :math:`\mathcal K_{n+1}(t) = q e^{-\int_t^1\mathcal K_n}` from :math:`\mathcal K_0 = q`.

    K_0 is the first regression from u = 0.

    Returns
    -------
    (nodes,) times and (iterations + 1, nodes) gains.
    """
    q = _curvature(curvature)
    iterations = validate.integer(iterations, "iterations", low=0)
    t = np.linspace(0, 1, validate.integer(nodes, "nodes", low=3))
    gains = np.empty((iterations + 1, len(t)))
    gains[0] = q
    for n in range(iterations):
        areas = (gains[n, 1:] + gains[n, :-1]) / 2 * np.diff(t)
        remaining = np.concatenate([np.cumsum(areas[::-1])[::-1], [0.0]])
        gains[n + 1] = q * np.exp(-remaining)
    return t, gains


def picard_bound(curvature: float, n, t=0.0) -> np.ndarray:
    """Q (Q (1 - t))^(n + 1) / (n + 1)!, the bound on |K_n - K*|; Q = q if positive, |q| / (1 + q) otherwise."""
    q = _curvature(curvature)
    size = q if q > 0 else -q / (1 + q)
    steps = validate.real_array(n, "n") + 1
    factorial = np.exp(np.vectorize(lgamma)(steps + 1))
    return size * (size * (1 - validate.real_array(t, "t"))) ** steps / factorial


def adjoint_sampling_gain(curvature: float, variance: float, t) -> np.ndarray:
    """Gain q S / (1 - t (1 - S)) of one adjoint-sampling regression at terminal variance S."""
    q, s = _curvature(curvature), validate.positive(variance, "variance")
    return q * s / (1 - validate.real_array(t, "t") * (1 - s))


def adjoint_sampling_step(curvature: float, variance: float) -> float:
    """Terminal variance after one adjoint-sampling regression; the fixed point is 1 / (1 + q)."""
    q, s = _curvature(curvature), validate.positive(variance, "variance")
    if abs(s - 1) < 1e-7:
        # Below, numerator and denominator vanish together; the error of the limit is of the order of |s - 1|.
        return float(-np.expm1(-2 * q) / (2 * q)) if q else 1.0
    power = q * s / (1 - s)
    if abs(1 - 2 * power) < 1e-7:
        return float(-s * np.log(s) / (1 - s))
    return float(s * np.expm1((2 * power - 1) * np.log(s)) / ((1 - s) * (1 - 2 * power)))


def terminal_variance(gain: float) -> float:
    """Variance at time 1 of dX = -gain X dt + dB from 0."""
    return 1.0 if gain == 0 else float(-np.expm1(-2 * gain) / (2 * gain))


def _curvature(q) -> float:
    q = float(q)
    if not q > -1:
        raise InputError(f"curvature must exceed -1 or the tilted law does not normalise; got {validate.shown(q)}")
    return q
