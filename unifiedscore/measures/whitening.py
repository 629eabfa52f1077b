"""Whitening: coordinates in which a sample has covariance one, and the way back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import numpy as np

from unifiedscore import validate
from unifiedscore.errors import InputError
from unifiedscore.measures.samples import Samples, as_samples


@final
@dataclass(frozen=True, slots=True)
class Whitening:
    r"""A sample in whitened coordinates $\tilde x = D_\tau^{-1/2}Q^T(x - \bar x)$ with its map.

    Use when whitened points must be carried back to the coordinates of the data, or new points into them.

    Attributes
    ----------
    data : Samples
        The whitened points, (m, k).
    mean : (d,) array
    directions : (d, k) array
        Columns of Q that were kept, by decreasing variance.
    scales : (k,) array
        Square roots of the variances, or of the floor where that is larger.
    spectrum : (k,) array
        Variances of the whitened points: 1, and less where the floor acts.
    """

    data: Samples
    mean: np.ndarray
    directions: np.ndarray
    scales: np.ndarray
    spectrum: np.ndarray

    def apply(self, x) -> np.ndarray:
        """Whitened coordinates (n, k) of points (n, d)."""
        x = validate.points(x, "x", dimension=len(self.mean))
        return (((x - self.mean) @ self.directions) / self.scales).astype(x.dtype, copy=False)

    def restore(self, x) -> np.ndarray:
        """Points (n, d) of whitened coordinates (n, k); what was dropped comes back as its mean."""
        x = validate.points(x, "x", dimension=len(self.scales))
        return ((x * self.scales) @ self.directions.T + self.mean).astype(x.dtype, copy=False)


def whiten(data, *, floor: float | None = None, keep_floored: bool = False) -> Whitening:
    r"""Whiten all directions of a sample whose variance is at least `floor`.

    Use when directions of the data have different scales, while noise and bandwidths are the same in all of them.

    A noise level and a smoothing are isotropic, so the coordinates they act in are part of a model. Partial schemes,
    which leave the leading directions as they are, make both mean something else in every direction.

    Parameters
    ----------
    data : Samples or (m, d) array
    floor : float, optional
        Smallest variance $\tau$; by default $10^{-12}$ of the largest.
    keep_floored : bool
        Directions of less variance are dropped, or, if True, divided by $\sqrt\tau$; their `spectrum` is then below 1.

    Raises
    ------
    InputError
        No direction reaches the floor.

    Examples
    --------
    >>> import numpy as np
    >>> white = whiten(np.random.default_rng(0).normal(size=(50, 3)) * [5.0, 1.0, 0.0])
    >>> white.data.dimension, np.allclose(white.data.covariance_matrix, np.eye(2))
    (2, True)
    """
    data = as_samples(data)
    values, vectors = np.linalg.eigh(data.covariance_matrix)
    values, vectors = np.maximum(values[::-1], 0.0), vectors[:, ::-1]
    floor = 1e-12 * values[0] if floor is None else validate.positive(floor, "floor")
    if values[0] == 0.0 or values[0] < floor:
        raise InputError(
            f"no direction of the data has a variance of at least {floor:.3g}; the largest is {values[0]:.3g}"
        )
    kept = np.ones(len(values), dtype=bool) if keep_floored else values >= floor
    scales, directions = np.sqrt(np.maximum(values[kept], floor)), vectors[:, kept]
    mean = data.mean
    points = (data.points - mean) @ directions / scales
    white = Samples(points.astype(data.points.dtype, copy=False), data.weights)
    return Whitening(white, mean, directions, scales, values[kept] / scales**2)
