r"""Integrals over time: loss floors under the KL weight, and what stochastic gradients see.

The path KL divergence weighs a score error by :math:`\eta\,dt = \beta^2 d\lambda/(2\lambda)`, so floors depend on the
schedule through their cut-offs alone. The substitution :math:`t = 1/(1 + e^{-y})` resolves both ends.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from unifiedscore import validate
from unifiedscore.errors import InputError
from unifiedscore.processes.targets import RegressionTarget

_PANEL = 1.5  # width in y of one Gauss-Legendre panel


def integrate_time(function: Callable[[float], float], low: float, high: float, *, order: int = 12) -> float:
    """Integral of a function of time over [low, high] inside (0, 1): Gauss-Legendre panels in log(t / (1 - t)).

    Use when an integrand over time is steep near both ends.
    """
    if not 0 < low < high < 1:
        raise InputError(f"the cut-offs need 0 < low < high < 1; got {validate.shown(low)} and {high!r}")
    order = validate.integer(order, "order", low=2, high=64)
    first, last = np.log(low / (1 - low)), np.log(high / (1 - high))
    count = max(2, int(np.ceil((last - first) / _PANEL)))
    edges = np.linspace(first, last, count + 1)
    nodes, weights = np.polynomial.legendre.leggauss(order)
    half = np.diff(edges) / 2
    y = (edges[:-1, None] + half[:, None] * (1 + nodes)).ravel()
    w = (half[:, None] * weights).ravel()
    t = 1 / (1 + np.exp(-y))
    jacobian = t / (1 + np.exp(y))
    return float(np.sum(w * jacobian * np.array([function(float(s)) for s in t])))


def loss_floor(target: RegressionTarget, *, low: float, high: float, power: float = 1.0, order: int = 12) -> float:
    r""":math:`\int \eta^p E\,\mathrm{tr\,Var}(T|X_t) dt` over [low, high].

    Use when you ask which loss even a perfect model keeps with a given target.

    `power` 1 is the KL-weighted loss floor; 2 the second moment of its gradient at uniform times.
    """
    eta = target.schedule.eta
    return integrate_time(lambda t: eta(t) ** power * target.expected_variance(t), low, high, order=order)


def best_sampling_moment(target: RegressionTarget, *, low: float, high: float, order: int = 12) -> float:
    r"""Second moment :math:`(\int \eta\sqrt{Var})^2` of the gradient at the best density of times.

    Use when you ask what the best choice of sampling times could gain.

    The best density is :math:`\rho \propto \eta\sqrt{Var}`.
    """
    eta = target.schedule.eta
    return integrate_time(lambda t: eta(t) * np.sqrt(target.expected_variance(t)), low, high, order=order) ** 2
