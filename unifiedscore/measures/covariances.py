"""Reading the covariance argument of a mixture: isotropic variances, or eigenvalues and eigenvectors."""

from __future__ import annotations

import numpy as np

from unifiedscore.errors import InputError
from unifiedscore.measures.arguments import read_array


def read_covariance(covariance, *, n_components: int, dimension: int):
    """Return (variances (m,), None, None) or (None, eigenvalues (m, d), eigenvectors (m, d, d)), float64."""
    array = read_array(covariance, "covariance")
    m, d = n_components, dimension
    if array.shape in ((), (m,)):
        if (array < 0).any():
            raise InputError(f"covariance must not hold a negative variance; the smallest is {float(array.min())!r}")
        return np.full(m, float(array)) if array.ndim == 0 else array, None, None
    if array.shape == (d, d):
        values, vectors = _eigen(array, "covariance")
        return None, np.repeat(values[None], m, axis=0), np.repeat(vectors[None], m, axis=0)
    if array.shape == (m, d, d):
        pairs = [_eigen(matrix, f"covariance[{i}]") for i, matrix in enumerate(array)]
        return None, np.stack([p[0] for p in pairs]), np.stack([p[1] for p in pairs])
    raise InputError(
        f"covariance must be a variance (float), {m} variances of shape ({m},), one matrix ({d}, {d}) or one a "
        f"component ({m}, {d}, {d}); got shape {array.shape}"
    )


def _eigen(matrix: np.ndarray, name: str) -> tuple[np.ndarray, np.ndarray]:
    """Eigenvalues (d,), eigenvectors in columns (d, d), of a positive semi-definite matrix."""
    matrix = symmetric(matrix, name)
    diagonal = np.diag(matrix)
    if np.array_equal(matrix, np.diag(diagonal)):
        # Exact, so that a variance of 1e-20 beside one of 1 is kept.
        values, vectors = diagonal.copy(), np.eye(len(matrix))
    else:
        values, vectors = np.linalg.eigh(matrix)
        # Rounding level of eigh: below it an eigenvalue cannot be told from zero.
        noise = len(values) * np.finfo(float).eps * np.abs(values).max()
        values = np.where(np.abs(values) <= noise, 0.0, values)
    if (values < 0).any():
        raise InputError(f"{name} must be positive semi-definite; its smallest eigenvalue is {values.min():.6g}")
    return values, vectors


def symmetric(matrix: np.ndarray, name: str) -> np.ndarray:
    """Return the symmetric part of a matrix that is symmetric up to rounding; refuse others."""
    gap = np.abs(matrix - matrix.T).max()
    if gap > 1e-10 * np.abs(matrix).max():
        raise InputError(f"{name} must be symmetric; it differs from its transpose by up to {gap:.6g}")
    return 0.5 * (matrix + matrix.T)
