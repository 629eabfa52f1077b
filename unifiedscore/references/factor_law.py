r"""Three particles in the plane with a factor L: the Gibbs law on the angle, and the law under a transposed pull-back.

The chain moves the angle theta of a rigid triangle with drift $-\langle G, Y'(\theta)\rangle/\lVert Y'\rVert^2$. With
$G = G_Z L$ the drift is a derivative and the law is Gibbs; with $G_Z L^T$ it is not, the current does not vanish, and
the stationary law follows from a periodic Fokker-Planck equation (exponentially fitted finite volumes).
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from unifiedscore import validate
from unifiedscore.references.small_systems import triangle

_SPEED2 = 6.0  # ||Y'(theta)||^2 = ||Y||^2 = P d


def circle_law(potential: Callable, mean, factor, *, cells: int = 2000, reflected: bool = False):
    """Angles at cell centres and the Gibbs probabilities of the cells."""
    theta = 2 * np.pi * (np.arange(cells) + 0.5) / cells
    mean, factor = validate.real_array(mean, "mean"), validate.real_array(factor, "factor")
    z = mean + triangle(theta, reflected=reflected) @ factor.T
    energy = potential(z).sum(-1)
    mass = np.exp(energy.min() - energy)
    return theta, mass / mass.sum()


def transposed_law(gradient: Callable, mean, factor, *, cells: int = 2000, reflected: bool = False, transpose=True):
    """Angles and stationary probabilities of the chain whose force is G_Z L^T (G_Z L for `transpose=False`)."""
    mean, factor = validate.real_array(mean, "mean"), validate.real_array(factor, "factor")
    width = 2 * np.pi / cells
    theta = width * (np.arange(cells) + 0.5)
    edges = theta + 0.5 * width
    y = triangle(edges, reflected=reflected)
    z = mean + y @ factor.T
    pulled = gradient(z) @ (factor.T if transpose else factor)
    turned = np.swapaxes(np.array([[0.0, -1.0], [1.0, 0.0]]), 0, 1)
    velocity = y @ turned.T
    drift = -(pulled * velocity).sum((-1, -2)) / _SPEED2
    # Flux through edge i from cell i to i + 1: (D/w)(B(-p) m_i - B(p) m_{i+1}), B(x) = x/(e^x - 1), p = drift w/D.
    diffusion = 1.0 / _SPEED2
    peclet = drift * width / diffusion
    forward, backward = _bernoulli(-peclet), _bernoulli(peclet)
    rates = np.zeros((cells, cells))
    index = np.arange(cells)
    after = (index + 1) % cells
    rates[index, index] -= forward
    rates[after, index] += forward
    rates[index, after] += backward
    rates[after, after] -= backward
    rates[-1] = 1.0
    right = np.zeros(cells)
    right[-1] = 1.0
    return theta, np.linalg.solve(rates, right)


def _bernoulli(x):
    small = np.abs(x) < 1e-8
    safe = np.where(small, 1.0, x)
    return np.where(small, 1 - x / 2, safe / np.expm1(safe))
