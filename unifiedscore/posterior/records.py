"""What the kernel posterior returns: the record of all its moments, and the one of its vectors."""

from __future__ import annotations

from dataclasses import dataclass
from numbers import Real

import numpy as np

from unifiedscore.errors import InputError
from unifiedscore.validate import shown


def check_share(visited) -> None:
    """Raise an error unless `visited` is a fraction."""
    if isinstance(visited, bool) or not isinstance(visited, Real) or not 0.0 <= visited <= 1.0:
        raise InputError(f"visited must be a number in [0, 1]; got {shown(visited)}")


@dataclass(frozen=True, slots=True)
class PosteriorMoments:
    r"""Moments of the kernel posterior $\pi_x(y) = k(x, y)\mu(y)/Z(x)$ at n queries.

    Use when you read what `posterior_moments` returned.

    Attributes
    ----------
    log_normalizer : (n,) array
        $\log Z(x) = \log E_\mu k(x, y)$.
    mean_shift : (n, d) array
        $V = E_\pi[y - x]$, in the units of the data.
    score : (n, d) array
        $s = \nabla \log Z = E_\pi[b(r)(y - x)]$, in inverse units.
    preconditioner : (n,) array
        $\alpha = E_\pi[1/b(r)]$, in squared units.
    mean_distance : (n,) array
        $E_\pi r$, in the units of the data.
    effective_samples : (n,) array
        $1/\sum_i \pi_i^2$; infinite for a population.
    relative_error : (n,) array
        Estimated relative numerical error: of Z itself, of the preconditioner and of the mean distance; of a vector
        relative to the mean length of what it averages ($E_\pi r$ for V, $E_\pi b r$ for the score), since its own
        length may vanish. From two quadrature rules for a population; for a sample a bound on the rounding of the
        log-weights and products. What is below the smallest normal number of float64, such as weights of e^-708,
        counts as zero. That a large log Z is rounded to float32, by half a unit of its last digit, is not counted.
    visited : float
        Fraction of the pairs of a query and a sample that was summed; below 1 where the others were left out, which
        `relative_error` accounts for.
    residual : (n, d) array
        $\delta = V - \alpha s = \mathrm{Cov}_\pi(1/b, b\,(y - x))$, in the units of the data; made when it is read.
    curl_norm : (n,) array
        Frobenius norm of the antisymmetric part of the Jacobian of V; made when it is read.

    References
    ----------
    Lai et al. 2026, arXiv 2603.07514 (preconditioned score plus covariance residual).
    """

    log_normalizer: np.ndarray
    mean_shift: np.ndarray
    score: np.ndarray
    preconditioner: np.ndarray
    mean_distance: np.ndarray
    effective_samples: np.ndarray
    relative_error: np.ndarray
    visited: float = 1.0

    def __post_init__(self) -> None:
        n = getattr(self.log_normalizer, "shape", ())
        for name in self.__slots__[:-1]:
            value = getattr(self, name)
            wanted = "(n, d)" if name in ("mean_shift", "score") else "(n,)"
            if not isinstance(value, np.ndarray) or value.ndim != wanted.count(",") + wanted.count("d"):
                raise InputError(f"{name} must be an {wanted} array; got {shown(value)}")
            if value.shape[:1] != n or (value.ndim == 2 and value.shape != self.mean_shift.shape):
                raise InputError(
                    f"{name} must agree with the other moments; got shape {value.shape} for {n[0]} queries"
                )
        check_share(self.visited)

    @property
    def residual(self) -> np.ndarray:
        r"""Covariance residual $\delta = V - \alpha s = \mathrm{Cov}_\pi(1/b, b\,(y - x))$, (n, d)."""
        return self.mean_shift - self.preconditioner[:, None] * self.score

    @property
    def curl_norm(self) -> np.ndarray:
        r"""Frobenius norm of $\mathrm{antisym}(\nabla V) = -\frac12 (V s^\top - s V^\top)$, (n,).

        Equal to $\lVert V \rVert \lVert s \rVert |\sin\angle(V, s)| / \sqrt 2$; 0 in one dimension.
        """
        return curl_norm(self.mean_shift, self.score)


def curl_norm(mean_shift: np.ndarray, score: np.ndarray) -> np.ndarray:
    r"""Return $\lVert V \rVert\,\lVert s_\perp \rVert/\sqrt 2$ with $s_\perp$ the part of s orthogonal to V.

    The projection is subtracted vector by vector, so that nearly parallel fields keep their digits.
    """
    size = np.linalg.norm(mean_shift, axis=1)
    unit = mean_shift / np.where(size > 0, size, 1.0)[:, None]
    across = score - np.einsum("nd,nd->n", score, unit)[:, None] * unit
    if mean_shift.shape[1] == 1:
        return np.zeros_like(size)
    return size * np.linalg.norm(across, axis=1) / np.sqrt(2.0)


@dataclass(frozen=True, slots=True)
class PosteriorVectors:
    """Mean shift and score at n queries, both (n, d), and log Z (n,): the moments without radial averages.

    `visited` is the fraction of the pairs of a query and a sample that was summed.
    """

    mean_shift: np.ndarray
    score: np.ndarray
    log_normalizer: np.ndarray
    visited: float = 1.0
