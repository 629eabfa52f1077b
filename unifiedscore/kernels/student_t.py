"""The Student-t kernel."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from unifiedscore.kernels.base import AbstractKernel
from unifiedscore.kernels.rational_quadratic import log_growth, rational_mixture, rational_sharp, rational_tile
from unifiedscore.validate import array, integer, positive


@dataclass(frozen=True, slots=True)
class StudentT(AbstractKernel):
    r"""The Student-t kernel $k(r) = (1 + r^2/\nu c^2)^{-(\nu + d)/2}$, $1/b = (\nu c^2 + r^2)/(\nu + d)$.

    Use when the kernel should be a multivariate t density, with a heavy tail whose power grows with the dimension.

    The density of the d-dimensional t distribution up to its constant; a rational quadratic whose exponent grows
    with the dimension.

    Parameters
    ----------
    bandwidth : float
        Scale $c > 0$, in the units of the data.
    degrees : float
        Degrees of freedom $\nu > 0$.
    dimension : int
        Dimension d of the data.

    Examples
    --------
    >>> import unifiedscore as us
    >>> float(us.StudentT(bandwidth=1.0, degrees=3.0, dimension=2).inverse_weight(1.0))
    0.8
    """

    bandwidth: float
    degrees: float
    dimension: int
    name: ClassVar[str] = "student_t"

    def __post_init__(self) -> None:
        object.__setattr__(self, "bandwidth", positive(self.bandwidth, "bandwidth"))
        object.__setattr__(self, "degrees", positive(self.degrees, "degrees"))
        object.__setattr__(self, "dimension", integer(self.dimension, "dimension"))

    @property
    def exponent(self) -> float:
        r"""The power $(\nu + d)/2$ of the equivalent rational quadratic."""
        return 0.5 * (self.degrees + self.dimension)

    def log_profile(self, r):
        return -self.exponent * log_growth(array(r, "r") / (self.bandwidth * np.sqrt(self.degrees)))

    def inverse_weight(self, r):
        return (self.degrees * self.bandwidth**2 + array(r, "r") ** 2) / (self.degrees + self.dimension)

    def compiled_tile(self):
        return rational_tile, np.array([self.bandwidth * np.sqrt(self.degrees), self.exponent])

    def scale_mixture(self):
        return rational_mixture(self.exponent, self.degrees)

    def sharp(self):
        return rational_sharp(float(self.bandwidth * np.sqrt(self.degrees)), self.exponent)
