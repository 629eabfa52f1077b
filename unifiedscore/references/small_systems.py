r"""The Gibbs law of the smallest systems, where the manifold is a circle, a sphere or two circles.

Its density is $e^{-\sum_i V(z_i)}$ against the uniform law; adding any quadratic to V changes nothing.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from unifiedscore import validate


def three_particles(potential: Callable, statistic: Callable, *, nodes: int = 512) -> float:
    r"""$E f(y)$ of one of three particles on the line: $y_j = \sqrt2\cos(\theta + 2\pi j/3)$, trapezoid rule in theta.

    Parameters
    ----------
    potential, statistic : callables
        V and f of an array of positions, elementwise.
    """
    theta = 2 * np.pi * np.arange(nodes) / nodes
    y = np.sqrt(2) * np.cos(theta[:, None] + 2 * np.pi * np.arange(3) / 3)
    return _average(potential(y).sum(1), statistic(y).mean(1), 1.0)


def four_particles(potential: Callable, statistic: Callable, *, nodes: int = 200) -> float:
    """E f(y) of one of four particles on the line: a sphere of radius 2 in the space of zero sums."""
    height, weights = np.polynomial.legendre.leggauss(nodes)
    theta = 2 * np.pi * np.arange(nodes) / nodes
    across = np.sqrt(1 - height**2)[:, None]
    point = np.stack(
        [across * np.cos(theta), across * np.sin(theta), np.broadcast_to(height[:, None], (nodes, nodes))], axis=-1
    )
    # Orthonormal basis of the zero sums.
    basis = np.array([[1, 1, -1, -1], [1, -1, 1, -1], [1, -1, -1, 1]]) / 2
    y = 2 * point @ basis
    return _average(potential(y).sum(-1), statistic(y).mean(-1), weights[:, None])


def triangle(theta, *, reflected: bool = False) -> np.ndarray:
    """Three particles in the plane, (..., 3, 2): a rigid equilateral triangle turned by theta, or its mirror image."""
    corners = np.sqrt(3) * np.array([[1 / np.sqrt(2), 1 / np.sqrt(6)], [-1 / np.sqrt(2), 1 / np.sqrt(6)],
                                     [0.0, -2 / np.sqrt(6)]])  # fmt: skip
    if reflected:
        corners = corners * [-1, 1]
    theta = validate.real_array(theta, "theta")
    turn = np.stack([np.stack([np.cos(theta), -np.sin(theta)], -1), np.stack([np.sin(theta), np.cos(theta)], -1)], -2)
    return corners @ turn


def triangles(potential: Callable, statistic: Callable, mean, factor, *, nodes: int = 2048) -> tuple[float, float]:
    """E f(z) of one of three particles z = mean + factor y in the plane, on each component of the manifold.

    Parameters
    ----------
    potential, statistic : callables
        V and f of positions (..., 2).
    mean, factor : (2,), (2, 2) arrays
    """
    theta = 2 * np.pi * np.arange(nodes) / nodes
    mean, factor = validate.real_array(mean, "mean"), validate.real_array(factor, "factor")
    values = []
    for reflected in (False, True):
        z = mean + triangle(theta, reflected=reflected) @ factor.T
        values.append(_average(potential(z).sum(-1), statistic(z).mean(-1), 1.0))
    return values[0], values[1]


def _average(energy, values, weights) -> float:
    mass = weights * np.exp(energy.min() - energy)
    return float((mass * values).sum() / mass.sum())
