r"""Exponential tilting of Gaussian components in closed form.

Write :math:`x = c + S z`, :math:`z \sim N(0, I)`, :math:`C = S S^T`. Then

.. math:: l^T x - x^T Q x / 2 = l^T c - c^T Q c / 2 + g^T z - z^T (M - I) z / 2, \quad
          g = S^T (l - Q c), \quad M = I + S^T Q S,

so the tilted z is :math:`N(M^{-1} g, M^{-1})` and the component's weight gains
:math:`l^T c - c^T Q c/2 + g^T M^{-1} g / 2 - \log\det(M) / 2`. No covariance is inverted: atoms are legal.
"""

from __future__ import annotations

import numpy as np

from unifiedscore.errors import InputError


def tilt_isotropic(centers, variances, linear, quadratic: float, *, dimension: int):
    """Tilted centers (m, k), variances (m,) and log-factors (m,) of isotropic components; linear is (k,)."""
    growth = 1.0 + quadratic * variances
    if (growth <= 0).any():
        worst = int(np.argmin(growth))
        raise InputError(_indefinite(worst, f"1 + quadratic * variance = {growth[worst]:.6g}"))
    moved = (centers + variances[:, None] * linear) / growth[:, None]
    quadratic_part = 0.5 * (variances * (linear @ linear) - quadratic * np.einsum("mk,mk->m", centers, centers))
    factors = (centers @ linear + quadratic_part) / growth - 0.5 * dimension * np.log1p(quadratic * variances)
    return moved, variances / growth, factors


def tilt_full(means, eigenvalues, eigenvectors, linear, quadratic: np.ndarray):
    """Tilted means (m, d), eigenvalues (m, d), eigenvectors (m, d, d) and log-factors (m,)."""
    moved, values, vectors = np.empty_like(means), np.empty_like(eigenvalues), np.empty_like(eigenvectors)
    factors = np.empty(len(means))
    for m, (c, lam, u) in enumerate(zip(means, eigenvalues, eigenvectors, strict=True)):
        root = u * np.sqrt(lam)
        mu, w = np.linalg.eigh(np.eye(len(c)) + root.T @ quadratic @ root)
        if mu[0] <= 0:
            raise InputError(_indefinite(m, f"the smallest eigenvalue of I + C^(1/2) Q C^(1/2) is {mu[0]:.6g}"))
        g = w.T @ (root.T @ (linear - quadratic @ c))
        moved[m] = c + root @ (w @ (g / mu))
        factors[m] = linear @ c - 0.5 * c @ quadratic @ c + 0.5 * np.sum(g**2 / mu) - 0.5 * np.sum(np.log(mu))
        # The singular values of the new root: more accurate than the eigenvalues of its square.
        vectors[m], singular, _ = np.linalg.svd(root @ (w / np.sqrt(mu)))
        values[m] = singular**2
    return moved, values, vectors, factors


def _indefinite(component: int, got: str) -> str:
    return (
        "the tilted density is not integrable: precision + quadratic must be positive definite for every component; "
        f"for component {component} {got}; use a less negative quadratic"
    )
