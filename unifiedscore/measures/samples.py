"""Weighted samples: the empirical measure that a data set or a batch defines."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import numpy as np

from unifiedscore import validate
from unifiedscore.errors import InputError

MATRIX_LIMIT = 20_000
"""Largest dimension for which a (d, d) moment matrix is formed: 20000 squared float64 entries are 3.2 GB."""


def refuse_huge_matrix(dimension: int, what: str, instead: str) -> None:
    """Refuse a (d, d) matrix that would not fit, before anything is allocated."""
    if dimension > MATRIX_LIMIT:
        raise InputError(
            f"{what} is a ({dimension}, {dimension}) matrix ({8e-9 * dimension**2:.3g} GB); "
            f"it is formed up to dimension {MATRIX_LIMIT}; {instead}"
        )


@final
@dataclass(frozen=True, slots=True, init=False, eq=False, repr=False)
class Samples:
    r"""The empirical measure :math:`\sum_j w_j \delta_{y_j}` of weighted points.

    Parameters
    ----------
    points : (m, d) array
        The points; float32 stays float32, integers become float64.
    weights : (m,) array, optional
        Non-negative masses, rescaled to sum 1. Equal by default.

    Raises
    ------
    InputError
        For an empty, non-finite, complex or wrongly shaped array, or for negative or all-zero weights.

    Examples
    --------
    >>> data = Samples([[0.0, 0.0], [2.0, 0.0]], weights=[1, 3])
    >>> data.mean
    array([1.5, 0. ])
    """

    points: np.ndarray
    weights: np.ndarray

    def __init__(self, points, weights=None):
        array = validate.points(points, "points")
        object.__setattr__(self, "points", array)
        object.__setattr__(self, "weights", validate.weights(weights, "weights", size=len(array)))

    def __repr__(self) -> str:
        return f"Samples(size={self.size}, dimension={self.dimension}, dtype={self.points.dtype})"

    @property
    def size(self) -> int:
        """Number of points m."""
        return self.points.shape[0]

    @property
    def dimension(self) -> int:
        """Dimension d of a point."""
        return self.points.shape[1]

    @property
    def mean(self) -> np.ndarray:
        """Weighted mean, (d,) float64."""
        # Relative to the first point, so that an offset of 1e8 does not cost eight digits of the spread.
        origin = self.points[0].astype(np.float64)
        return origin + self.weights @ (self.points - origin)

    @property
    def covariance_matrix(self) -> np.ndarray:
        """Covariance of the measure itself (divided by the total mass 1, not by m - 1), (d, d) float64."""
        refuse_huge_matrix(self.dimension, "covariance_matrix", "use fewer coordinates")
        centred = self.points - self.mean
        return centred.T @ (self.weights[:, None] * centred)

    @property
    def second_moment(self) -> np.ndarray:
        """E x x^T, (d, d) float64."""
        refuse_huge_matrix(self.dimension, "second_moment", "use fewer coordinates")
        points = self.points.astype(np.float64, copy=False)
        return points.T @ (self.weights[:, None] * points)

    def sample(self, n: int, rng: np.random.Generator) -> np.ndarray:
        """Draw n points with replacement according to the weights, (n, d) in the dtype of `points`."""
        n = validate.count(n, "n", entries=self.dimension)
        rng = validate.generator(rng)
        return self.points[rng.choice(self.size, size=n, p=self.weights)]


def as_samples(value, name: str = "data") -> Samples:
    """Return `value` as `Samples`: a `Samples` as it is, an (m, d) array as equally weighted points.

    Parameters
    ----------
    value : Samples or (m, d) array
    name : str
        What to call the argument in an error.

    Raises
    ------
    InputError
        When `value` is neither.
    """
    if isinstance(value, Samples):
        return value
    if hasattr(value, "sample") and hasattr(value, "log_density"):
        raise InputError(
            f"{name} must be Samples or an (m, d) array; got {type(value).__name__}; draw from it with .sample(n, rng)"
        )
    return Samples(validate.points(value, name))
