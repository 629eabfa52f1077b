"""Reading the covariance argument of a mixture: isotropic variances, or eigenvalues and eigenvectors."""

from __future__ import annotations

import numpy as np

from unifiedscore import validate
from unifiedscore.errors import InputError


def read_covariance(covariance, *, n_components: int, dimension: int):
    """Return (variances (m,), None, None) or (None, eigenvalues (m, d), eigenvectors (m, d, d)), float64.

    What is symmetric and positive semi-definite up to rounding is taken; rounding is that of the type given.
    """
    given = validate.real_array(covariance, "covariance")
    array, eps = given.astype(np.float64, copy=False), validate.resolution(covariance, given)
    m, d = n_components, dimension
    if array.shape in ((), (m,)):
        if (array < 0).any():
            raise InputError(f"covariance must not hold a negative variance; the smallest is {float(array.min())!r}")
        return np.full(m, float(array)) if array.ndim == 0 else array, None, None
    if array.shape == (d, d):
        values, vectors = _eigen(array, "covariance", eps)
        return None, np.repeat(values[None], m, axis=0), np.repeat(vectors[None], m, axis=0)
    if array.shape == (m, d, d):
        pairs = [_eigen(matrix, f"covariance[{i}]", eps) for i, matrix in enumerate(array)]
        return None, np.stack([p[0] for p in pairs]), np.stack([p[1] for p in pairs])
    raise InputError(
        f"covariance must be a variance (float), {m} variances of shape ({m},), one matrix ({d}, {d}) or one a "
        f"component ({m}, {d}, {d}); got shape {array.shape}"
    )


def _eigen(matrix: np.ndarray, name: str, eps: float) -> tuple[np.ndarray, np.ndarray]:
    """Eigenvalues (d,), eigenvectors in columns (d, d), of a positive semi-definite matrix."""
    matrix = validate.symmetric(matrix, name, eps)
    diagonal = np.diag(matrix)
    if np.array_equal(matrix, np.diag(diagonal)):
        # Exact, so that a variance of 1e-20 beside one of 1 is kept.
        values, vectors = diagonal.copy(), np.eye(len(matrix))
        noise = 0.0
    else:
        values, vectors = np.linalg.eigh(matrix)
        largest = np.abs(values).max()
        # Rounding level of eigh: below it an eigenvalue cannot be told from zero.
        values = np.where(np.abs(values) <= len(values) * eps * largest, 0.0, values)
        # A weighted sum over 20000 points of rank d - 1, in single precision, left at most -14 eps for d = 2 ... 200.
        noise = max(len(values), 32) * eps * largest
    if (values < -noise).any():
        raise InputError(f"{name} must be positive semi-definite; its smallest eigenvalue is {values.min():.6g}")
    return np.maximum(values, 0.0), vectors
