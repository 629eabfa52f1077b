r"""The law of the data given the noisy state, and the curvature of the noisy law, for Gaussian mixtures.

With :math:`X_t = \alpha X_1 + \beta X_0` and a component :math:`N(c, \Lambda)`, :math:`\Gamma = \alpha^2\Lambda +
\beta^2`: given :math:`X_t = x` the component is :math:`N(c + \alpha\Lambda\Gamma^{-1}(x - \alpha c),
\beta^2\Lambda\Gamma^{-1})`, and its weight is proportional to that of the noisy component at x.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import numpy as np

from unifiedscore.errors import InputError
from unifiedscore.measures import GaussianMixture
from unifiedscore.measures.isotropic import log_sum_exp

_REACH = 9.0  # standard deviations: the neglected mass is 2e-19
_SPACING = {1: 0.1, 2: 0.3, 3: 0.6}


def noised(mixture: GaussianMixture, schedule, t: float) -> GaussianMixture:
    """The law of alpha X_1 + beta X_0 with X_1 from the mixture."""
    return mixture.scaled(schedule.alpha(t)).smoothed(schedule.beta_squared(t))


def shares(mixture: GaussianMixture, x: np.ndarray) -> np.ndarray:
    """Posterior probability of each component at x, (n, m)."""
    terms = mixture.log_terms(x)
    return np.exp(terms - log_sum_exp(terms)[:, None])


def score_and_hessian(mixture: GaussianMixture, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    r"""Score (n, d) and :math:`\nabla^2\log p = \sum_k\pi_k[(g_k - s)(g_k - s)^T - \Lambda_k^{-1}]`, (n, d, d).

    The :math:`g_k` are the component scores; centring them first keeps the difference of two large squares away.
    """
    share = shares(mixture, x)
    values, vectors = mixture.spectrum
    slopes = np.stack([((c - x) @ u / lam) @ u.T for c, lam, u in zip(mixture.means, values, vectors, strict=True)])
    score = np.einsum("nm,mnd->nd", share, slopes)
    gaps = slopes - score
    precisions = np.einsum("mik,mk,mjk->mij", vectors, 1 / values, vectors)
    hessian = np.einsum("nm,mni,mnj->nij", share, gaps, gaps) - np.einsum("nm,mij->nij", share, precisions)
    return score, hessian


@final
@dataclass(frozen=True, slots=True)
class ConditionalLaw:
    """X_1 given X_t = x: shares (n, m), means (n, m, d) and roots (m, d, d) with covariance root root^T."""

    shares: np.ndarray
    means: np.ndarray
    roots: np.ndarray

    @property
    def mean(self) -> np.ndarray:
        """E[X_1 | x], (n, d)."""
        return np.einsum("nm,nmd->nd", self.shares, self.means)

    @property
    def covariance(self) -> np.ndarray:
        """Cov(X_1 | x), (n, d, d)."""
        gaps = self.means - self.mean[:, None]
        within = np.einsum("mik,mjk->mij", self.roots, self.roots)
        return np.einsum("nm,mij->nij", self.shares, within) + np.einsum("nm,nmi,nmj->nij", self.shares, gaps, gaps)

    def nodes(self) -> tuple[np.ndarray, np.ndarray]:
        """Points (n, N, d) and weights (n, N) under the law; N = m times the nodes of `normal_rule`."""
        z, w = normal_rule(self.means.shape[2])
        x = self.means[:, :, None] + np.einsum("mij,kj->mki", self.roots, z)
        weights = self.shares[:, :, None] * w
        n, d = len(self.means), self.means.shape[2]
        return x.reshape(n, -1, d), weights.reshape(n, -1)


def conditional_law(mixture: GaussianMixture, schedule, x: np.ndarray, t: float) -> ConditionalLaw:
    """The law of X_1 given X_t = x (n, d), for t in [0, 1)."""
    alpha = schedule.alpha(t)
    values, vectors = mixture.spectrum
    gamma = alpha**2 * values + schedule.beta_squared(t)
    means = np.empty((len(x), mixture.n_components, mixture.dimension))
    for m, (c, lam, u) in enumerate(zip(mixture.means, values, vectors, strict=True)):
        means[:, m] = c + (((x - alpha * c) @ u) * (alpha * lam / gamma[m])) @ u.T
    return ConditionalLaw(shares(noised(mixture, schedule, t), x), means, conditional_roots(mixture, schedule, t))


def conditional_roots(mixture: GaussianMixture, schedule, t: float) -> np.ndarray:
    """Roots (m, d, d) of the covariance of X_1 given the component and X_t, whatever X_t is."""
    alpha, beta_squared = schedule.alpha(t), schedule.beta_squared(t)
    values, vectors = mixture.spectrum
    return vectors * np.sqrt(beta_squared * values / (alpha**2 * values + beta_squared))[:, None, :]


def mixture_velocity(mixture: GaussianMixture, schedule, x: np.ndarray, t: float) -> np.ndarray:
    r"""Probability-flow velocity :math:`E[\alpha' c_k + \Gamma_k'(2\Gamma_k)^{-1}(x - \alpha c_k) | x]`, (n, d).

    The same as kappa x + eta s, without its two terms of size 1/t that cancel near time 0.
    """
    alpha, rate = schedule.alpha(t), schedule.alpha_rate(t)
    share = shares(noised(mixture, schedule, t), x)
    values, vectors = mixture.spectrum
    stretch = schedule.variance_rate(t, values) / (2 * schedule.variance(t, values))
    velocity = np.zeros_like(x)
    for m, (c, u) in enumerate(zip(mixture.means, vectors, strict=True)):
        velocity += share[:, m, None] * (rate * c + (((x - alpha * c) @ u) * stretch[m]) @ u.T)
    return velocity


def normal_rule(dimension: int, *, spacing: float | None = None) -> tuple[np.ndarray, np.ndarray]:
    """Nodes (N, d) and weights (N,) of the trapezoidal rule under N(0, I), d = 1 to 3.

    Unlike Gauss-Hermite it converges as fast for functions with poles near the real axis, such as the score of a
    mixture: with spacing h the error is exp(-2 pi a / h) for a pole at distance a.
    """
    if dimension not in _SPACING:
        raise InputError(
            f"conditional expectations by quadrature need dimension 1 to 3; got {dimension}; "
            "use a QuadraticReward with a single Gaussian, where they are closed forms"
        )
    spacing = _SPACING[dimension] if spacing is None else spacing
    axis = np.arange(-round(_REACH / spacing), round(_REACH / spacing) + 1) * spacing
    weight = np.exp(-0.5 * axis**2)
    grids = np.meshgrid(*[axis] * dimension, indexing="ij")
    product = np.ones(())
    for _ in range(dimension):
        product = np.multiply.outer(product, weight / weight.sum())
    return np.stack([g.ravel() for g in grids], axis=1), product.ravel()


def mixture_rule(mixture: GaussianMixture, *, spacing: float | None = None) -> tuple[np.ndarray, np.ndarray]:
    """Nodes (N, d) and weights (N,) under a mixture of dimension 1 to 3: `normal_rule` for every component."""
    z, w = normal_rule(mixture.dimension, spacing=spacing)
    values, vectors = mixture.spectrum
    parts = zip(mixture.means, values, vectors, strict=True)
    x = [c + (z * np.sqrt(lam)) @ u.T for c, lam, u in parts]
    return np.concatenate(x), (mixture.weights[:, None] * w).ravel()
