r"""Invariant averages of the discrete chains for three particles on the line, by transfer operators, without sampling.

The manifold is a circle of radius $\sqrt3$. Euler-Maruyama needs the angle alone; a Leimkuhler-Matthews scheme carries
the tangential noise b, expanded in Hermite polynomials. A turn by $\Delta$ with the raw noise kept maps b to
$b\cos\Delta - c\sin\Delta$ with an independent normal part c, and
$E_c He_k(b\cos\Delta - c\sin\Delta) = \cos^k\!\Delta\,He_k(b)$; parallel transport leaves b as it is.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from unifiedscore.errors import UnknownNameError

CIRCLE_SCHEMES = {
    # name: (carries noise, geodesic step, transported noise)
    "euler-maruyama": (False, False, False),
    "euler-maruyama geodesic": (False, True, False),
    "leimkuhler-matthews": (True, False, False),
    "leimkuhler-matthews transported": (True, False, True),
    "leimkuhler-matthews geodesic": (True, True, False),
    "geodesic-leimkuhler-matthews": (True, True, True),
}

_RADIUS = np.sqrt(3.0)


def chain_average(
    scheme: str,
    slope: Callable,
    statistic: Callable,
    step: float,
    *,
    angles: int = 61,
    noise: int = 60,
    basis: int = 14,
) -> float:
    """E f(y) of one of three particles under the invariant law of a scheme with that step.

    Parameters
    ----------
    scheme : str
        A name of `CIRCLE_SCHEMES`: the three schemes of the sampler, and three with one change alone.
    slope, statistic : callables
        V' and f, elementwise.
    step : float
    angles : int
        Odd number of nodes of the trigonometric interpolation.
    noise, basis : int
        Gauss-Hermite nodes, and Hermite polynomials of the carried noise.
    """
    if scheme not in CIRCLE_SCHEMES:
        raise UnknownNameError("scheme", scheme, CIRCLE_SCHEMES)
    carries, geodesic, transported = CIRCLE_SCHEMES[scheme]
    theta = 2 * np.pi * np.arange(angles) / angles
    phase = theta[:, None] + 2 * np.pi * np.arange(3) / 3
    y, tangent = np.sqrt(2) * np.cos(phase), -np.sqrt(2) * np.sin(phase)
    # Unit tangent: Y'(theta)/sqrt 3.
    drift = -(slope(y) * tangent).sum(1) / _RADIUS
    x, weights = np.polynomial.hermite_e.hermegauss(noise)
    weights = weights / weights.sum()
    turn = (lambda length: length / _RADIUS) if geodesic else (lambda length: np.arctan(length / _RADIUS))
    values = statistic(y).mean(1)
    if not carries:
        angle = turn(step * drift[:, None] + np.sqrt(2 * step) * x)
        operator = np.einsum("ijk,j->ik", _interpolation(theta[:, None] + angle, angles), weights)
        return float(_invariant(operator, np.ones(angles)) @ values)
    # State: theta and He_k(b)/sqrt(k!) of the carried noise. Operator on functions: (angles, basis)^2.
    grid = np.sqrt(step / 2) * (x[:, None] + x[None, :])  # carried b by new xi
    angle = turn(step * drift[:, None, None] + grid)  # (angles, b, xi)
    rows = _interpolation(theta[:, None, None] + angle, angles)  # (angles, b, xi, angles)
    hermite = _hermite(x, basis)  # (basis, nodes), orthonormal under the weights
    orders = np.arange(basis)
    fading = np.ones((*angle.shape, basis)) if transported else np.cos(angle)[..., None] ** orders
    # The new carried noise is xi turned: E_c h_l(xi cos - c sin) = cos^l h_l(xi).
    operator = np.zeros((angles, basis, angles, basis))
    for i in range(angles):
        after = fading[i] * hermite.T[None] * weights[None, :, None]  # (b, xi, basis)
        mapped = rows[i].transpose(0, 2, 1) @ after  # (b, angles, basis)
        operator[i] = np.tensordot(hermite * weights, mapped, axes=(1, 0))
    constant = np.zeros((angles, basis))
    constant[:, 0] = 1.0
    law = _invariant(operator.reshape(angles * basis, angles * basis), constant.ravel()).reshape(angles, basis)
    return float(law[:, 0] @ values)


def _interpolation(points, nodes):
    """Trigonometric cardinal functions at the points, (..., nodes)."""
    gap = points[..., None] - 2 * np.pi * np.arange(nodes) / nodes
    half = np.sin(0.5 * gap)
    close = np.abs(half) < 1e-14
    return np.where(close, 1.0, np.sin(0.5 * nodes * gap) / (nodes * np.where(close, 1.0, half)))


def _hermite(x, basis):
    table = np.empty((basis, len(x)))
    table[0] = 1.0
    if basis > 1:
        table[1] = x
    for k in range(2, basis):
        table[k] = (x * table[k - 1] - np.sqrt(k - 1) * table[k - 2]) / np.sqrt(k)
    return table


def _invariant(operator, constant):
    """The invariant law as a functional on coefficients: v A = v and v . constant = 1, where A constant = constant."""
    system = np.eye(len(operator)) - operator.T + np.outer(constant, constant)
    return np.linalg.solve(system, constant)
