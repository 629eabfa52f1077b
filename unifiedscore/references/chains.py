r"""Invariant averages of the discrete chains for three particles on the line, by transfer operators, without sampling.

The manifold is a circle of radius $\sqrt3$. Euler-Maruyama needs the angle alone; a Leimkuhler-Matthews scheme carries
the tangential noise b, expanded in Hermite polynomials. A turn by $\Delta$ with the raw noise kept maps b to
$b\cos\Delta - c\sin\Delta$ with an independent normal part c, and
$E_c He_k(b\cos\Delta - c\sin\Delta) = \cos^k\!\Delta\,He_k(b)$; parallel transport leaves b as it is.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from unifiedscore.errors import InputError, UnknownNameError
from unifiedscore.samplers.manifold_chain import ChainState, ManifoldChain
from unifiedscore.validate import shown

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
    theta, (y, tangent, _), (x, weights) = _circle(angles, noise)
    drift = -(slope(y) * tangent).sum(1)
    turn = (lambda length: length / _RADIUS) if geodesic else (lambda length: np.arctan(length / _RADIUS))
    values = statistic(y).mean(1)
    if not carries:
        return _without_carrying(theta, turn(step * drift[:, None] + np.sqrt(2 * step) * x), weights, values)
    grid = np.sqrt(step / 2) * (x[:, None] + x[None, :])  # carried b by new xi
    angle = turn(step * drift[:, None, None] + grid)  # (angles, b, xi)
    return _with_carrying(
        theta, angle, np.ones_like(angle) if transported else np.cos(angle), x, weights, basis, values
    )


def sampler_average(
    chain: ManifoldChain, slope: Callable, statistic: Callable, *, angles: int = 61, noise: int = 60, basis: int = 14
) -> float:
    """As `chain_average`, from the steps that a `ManifoldChain` itself takes at every angle and node of its noise.

    Parameters
    ----------
    chain : ManifoldChain
        On three particles in one dimension.
    slope, statistic, angles, noise, basis
        As in `chain_average`; `noise` is even.

    Raises
    ------
    InputError
        Another manifold, an odd number of nodes, or a chain whose carried noise does not stay standard normal.
    """
    if (chain.manifold.n_particles, chain.manifold.dimension) != (3, 1) or noise % 2:
        raise InputError(
            f"chain must move 3 particles in 1 dimension and noise be even; got {shown(chain)} and {noise}"
        )
    theta, (y, tangent, normal), (x, weights) = _circle(angles, noise)
    values = statistic(y).mean(1)

    def moved(carried, fresh, across):
        """New angle minus the old one, and the tangential part of the carried noise there."""
        at = np.broadcast_to(y[:, None, None, :], (angles, len(carried), len(fresh), 3))[..., None]
        along = tangent[:, None, None, :, None]
        new = fresh[:, None, None] * along + across * normal[:, None, None, :, None]
        old = None if chain.scheme == "euler-maruyama" else carried[:, None, None, None] * along + 0.0 * at
        state = chain.advance_with(ChainState(at, old), slope(at), noise=new + 0.0 * at)
        phase = 2 * np.pi * np.arange(3) / 3
        after = np.arctan2(-(state.y[..., 0] @ np.sin(phase)), state.y[..., 0] @ np.cos(phase))
        angle = (after - theta[:, None, None] + np.pi) % (2 * np.pi) - np.pi
        if state.carried is None:
            return angle, None
        there = -np.sin(after[..., None] + phase) * np.sqrt(2) / _RADIUS
        return angle, (there * state.carried[..., 0]).sum(-1)

    angle, kept = moved(x, x, 0.0)
    if kept is None:
        return _without_carrying(theta, angle[:, 0], weights, values)
    share, rest = kept / x, moved(x, x, 1.0)[1] - kept
    # By weight: the geodesic of the sampler is integrated, and the outermost nodes take the longest ways.
    if (np.abs(share**2 + rest**2 - 1) * weights[:, None] * weights).max() > 1e-4:
        raise InputError("the noise that this chain carries does not stay standard normal")
    return _with_carrying(theta, angle, share, x, weights, basis, values)


def _circle(angles, noise):
    """Angles, three particles with unit tangent and normal there, and a Gauss-Hermite rule."""
    theta = 2 * np.pi * np.arange(angles) / angles
    phase = theta[:, None] + 2 * np.pi * np.arange(3) / 3
    y, turned = np.sqrt(2) * np.cos(phase), -np.sqrt(2) * np.sin(phase)
    x, weights = np.polynomial.hermite_e.hermegauss(noise)
    return theta, (y, turned / _RADIUS, y / _RADIUS), (x, weights / weights.sum())


def _without_carrying(theta, angle, weights, values):
    operator = np.einsum("ijk,j->ik", _interpolation(theta[:, None] + angle, len(theta)), weights)
    return float(_invariant(operator, np.ones(len(theta))) @ values)


def _with_carrying(theta, angle, share, x, weights, basis, values):
    """State: theta and He_k(b)/sqrt(k!) of the carried noise; a share of the new noise is carried, the rest is fresh.

    E_c h_l(xi a + c sqrt(1 - a^2)) = a^l h_l(xi).
    """
    angles = len(theta)
    rows = _interpolation(theta[:, None, None] + angle, angles)  # (angles, b, xi, angles)
    hermite = _hermite(x, basis)  # (basis, nodes), orthonormal under the weights
    fading = share[..., None] ** np.arange(basis)
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
    """Trigonometric cardinal functions at the points, (..., nodes), nodes odd, as sums of their waves."""
    waves = np.arange(1, nodes // 2 + 1)
    angles = 2 * np.pi * np.outer(waves, np.arange(nodes)) / nodes
    once = np.exp(1j * points)
    turns = np.cumprod(np.broadcast_to(once[..., None], (*once.shape, len(waves))), axis=-1)
    return (1.0 + 2.0 * (turns.real @ np.cos(angles) + turns.imag @ np.sin(angles))) / nodes


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
