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

    Use when the law is known through points alone, such as data or what a model generated.

    Parameters
    ----------
    points : (m, d) array
        The points, copied: an array of NumPy, PyTorch, JAX, pandas, polars, pyarrow, xarray or dask, or lists. float32
        stays float32, float16 and bfloat16 become float32, everything else float64.
    weights : (m,) array, optional
        Non-negative masses, rescaled to sum 1. Equal by default.

    Raises
    ------
    InputError
        For an empty, non-finite, masked, complex or wrongly shaped array, or for negative or all-zero weights.

    Examples
    --------
    >>> data = Samples([[0.0, 0.0], [2.0, 0.0]], weights=[1, 3])
    >>> data.mean
    array([1.5, 0. ])
    """

    points: np.ndarray
    weights: np.ndarray

    def __init__(self, points, weights=None):
        self._set(validate.points(points, "points"), weights)

    def _set(self, points: np.ndarray, weights) -> None:
        object.__setattr__(self, "points", points)
        object.__setattr__(self, "weights", validate.weights(weights, "weights", size=len(points)))

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
        points, weights = self._support
        # Relative to a point of the largest weight, so that an offset of 1e8 does not cost eight digits of the spread,
        # nor does a far point that weighs next to nothing.
        origin = points[np.argmax(weights)].astype(np.float64)
        return origin + weights @ (points - origin)

    @property
    def covariance_matrix(self) -> np.ndarray:
        """Covariance of the measure itself (divided by the total mass 1, not by m - 1), (d, d) float64."""
        refuse_huge_matrix(self.dimension, "covariance_matrix", "use fewer coordinates")
        points, weights = self._support
        centred = points - self.mean
        return centred.T @ (weights[:, None] * centred)

    @property
    def second_moment(self) -> np.ndarray:
        """E x x^T, (d, d) float64."""
        refuse_huge_matrix(self.dimension, "second_moment", "use fewer coordinates")
        points, weights = self._support
        points = points.astype(np.float64, copy=False)
        return points.T @ (weights[:, None] * points)

    @property
    def _support(self) -> tuple[np.ndarray, np.ndarray]:
        """Points and weights without the points of weight zero, which no moment may see, however far they are."""
        held = self.weights > 0
        return (self.points, self.weights) if held.all() else (self.points[held], self.weights[held])

    def sample(self, n: int, rng: np.random.Generator) -> np.ndarray:
        """Draw n points with replacement according to the weights, (n, d) in the dtype of `points`."""
        n = validate.count(n, "n", entries=self.dimension)
        rng = validate.generator(rng)
        return self.points[rng.choice(self.size, size=n, p=self.weights)]


def as_samples(value, name: str = "data") -> Samples:
    """Return `value` as `Samples`: a `Samples` as it is, an (m, d) array as equally weighted points.

    Use when a function of yours should take arrays and `Samples` alike.

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
    if hasattr(type(value), "sample") and hasattr(type(value), "log_density"):
        raise InputError(
            f"{name} must be Samples or an (m, d) array; got {type(value).__name__}; draw from it with .sample(n, rng)"
        )
    samples = object.__new__(Samples)
    samples._set(validate.points(value, name), None)
    return samples
